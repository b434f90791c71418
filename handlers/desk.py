"""The whole desk's scorecard: the golden figures, open to everybody because five people stand behind each."""

from __future__ import annotations

import cards.scorecards
import handlers.groups
import handlers.scorecards
import handlers.sheets
from cards.scorecards import Sheet
from handlers.call import Call, Ctx, Reply
from handlers.groups import Group
from scoring.rules import Rubric

DESK = Group(None)


async def desk(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """/redfirst desk [PERIOD]."""
    asked = handlers.sheets.period(call.text, handlers.sheets.today(ctx, ctx.rules.zone))
    sheet, _ = await handlers.groups.sheet(ctx, DESK, asked)
    return Reply.card(cards.scorecards.card(sheet))


async def _pressed(ctx: Ctx, call: Call, *, greens: bool = False) -> tuple[Sheet, Rubric]:
    asked = handlers.sheets.from_key(call.values.get("period", ""), handlers.sheets.today(ctx, ctx.rules.zone))
    return await handlers.groups.sheet(ctx, DESK, asked, greens=greens)


async def score(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """Another period, or the greens unfolded."""
    sheet, _ = await _pressed(ctx, call, greens=call.values.get("greens") == "1")
    return Reply.card(cards.scorecards.card(sheet), update=True)


async def why(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """How one figure of the desk came about."""
    sheet, rubric = await _pressed(ctx, call)
    reading = handlers.sheets.one(sheet, call.values.get("metric", ""))
    return handlers.scorecards.explained(ctx, sheet, rubric, reading, update=True)


async def trend(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """Thirteen weeks of one figure of the desk."""
    sheet, _ = await _pressed(ctx, call)
    reading = handlers.sheets.one(sheet, call.values.get("metric", ""))
    return handlers.scorecards.pictured(sheet, reading, update=True)
