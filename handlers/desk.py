"""The whole desk's scorecard: the golden figures, open to everybody because five people stand behind each."""

from __future__ import annotations

import handlers.groups
from handlers.call import Call, Ctx, Reply
from handlers.groups import Group

DESK = Group(None)


async def desk(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """/redfirst desk [PERIOD]."""
    return await handlers.groups.asked_for(ctx, DESK, call.text)


async def score(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """Another period, or the greens unfolded."""
    return await handlers.groups.score(ctx, call, DESK)


async def why(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """How one figure of the desk came about."""
    return await handlers.groups.why(ctx, call, DESK)


async def trend(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """Thirteen weeks of one figure of the desk."""
    return await handlers.groups.trend(ctx, call, DESK)
