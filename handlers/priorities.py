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
    """The form came back: from now on these hold for this month, unless others were recorded since it was opened."""
    asked = handlers.sheets.from_key(call.values.get("month", ""), handlers.sheets.today(ctx, ctx.rules.zone))
    if asked != month(ctx):
        raise Refused(f"{asked.label} is not this month.", "Record the priorities of this month.")
    words, trade_offs = (call.line(name, LONGEST) for name in ("words", "trade_offs"))
    if not words:
        raise Refused("A sentence is missing.", "Say what comes first this month.")
    at, seen = int(ctx.now.timestamp()), call.number("version")
    if seen is None or not await storage.priorities.record(
        ctx.db, asked.key, words, trade_offs, ctx.person, at, after=seen
    ):
        held = await now(ctx)
        raise Refused(
            f"{held.by if held else 'Somebody'} has recorded priorities since you opened the form.",
            "Nothing was changed; read them with /objectives, then open it again.",
        )
    return Reply.card(cards.priorities.kept(asked, words, trade_offs))
