"""What leadership puts first this month: the form, and the words for whoever shows them."""

from __future__ import annotations

import cards.priorities
import handlers.sheets
import scoring.periods
import storage.priorities
from handlers.call import Call, Ctx, Reply
from scoring.refused import Refused
from storage.priorities import Priorities

LONGEST = 1000


def month(ctx: Ctx) -> scoring.periods.Period:
    """The month that the desk is in."""
    return scoring.periods.month(handlers.sheets.today(ctx, ctx.rules.zone))


async def now(ctx: Ctx) -> Priorities | None:
    """This month's priorities and trade-offs; None where none were recorded."""
    return await storage.priorities.of(ctx.db, month(ctx).key)


async def ask(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """The form, filled in with what holds."""
    return Reply.card(cards.priorities.form(month(ctx), await now(ctx)))


async def kept(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """The form came back: from now on these hold for the month it was opened in."""
    asked = scoring.periods.from_key(call.values.get("month", "") or month(ctx).key)
    if asked.kind != "month" or asked.first > month(ctx).first:
        raise Refused("That month has not begun yet.", "Record the priorities of this month.")
    words, trade_offs = (" ".join(call.values.get(name, "").split())[:LONGEST] for name in ("words", "trade_offs"))
    if not words:
        raise Refused("A sentence is missing.", "Say what comes first this month.")
    await storage.priorities.record(ctx.db, asked.key, words, trade_offs, ctx.person, int(ctx.now.timestamp()))
    return Reply.card(cards.priorities.kept(asked, words, trade_offs))
