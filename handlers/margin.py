"""From contracts and costs to the margin that leadership reads, of the whole desk only."""

from __future__ import annotations

import cards.margin
import scoring.margin
import scoring.periods
import storage.margin
from handlers.call import Ctx
from scoring.periods import Period


async def words(ctx: Ctx, asked: Period, *, basis: str = cards.margin.BASIS) -> str:
    """The margin of a month or quarter, else of the last whole month, in words; "" where it is not connected."""
    if not await storage.margin.connected(ctx.db):
        return ""
    period = scoring.margin.period_of(asked)
    costs = await storage.margin.costs(ctx.db, scoring.periods.previous(period).first, period.last)
    found = scoring.margin.of(period, await storage.margin.contracts(ctx.db), costs)
    return cards.margin.words(found, period, basis)
