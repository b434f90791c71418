"""What the clockwork does with a decision on a distortion, as far as figures go; whole, or killed half-way."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

import storage.windows
import storage.workings
from scoring.rules import Rules
from storage.db import Db, Store
from storage.models_told import distortion
from storage.rebuilds import Pages

SMALL = Pages(written=3)
"""Few rows in a transaction, so that it can be killed between two."""

LEASE = 100


async def nothing(db: Db) -> None:
    """Nobody's closed scores are looked at."""


def dying(after: int) -> Callable[[], bool]:
    """Says after so many transactions that it is to stop."""
    left = iter(range(after))
    return lambda: next(left, None) is None


async def work_in(store: Store, rules: Rules, stopping: Callable[[], bool] = lambda: False) -> int:
    """Works decisions into the rollups until none is left, or it is to stop; returns how many."""
    done = 0
    while True:
        async with store.write() as db:
            one = await storage.workings.claim(db, f"mark {done}", LEASE, 2 * LEASE)
        if one is None:
            return done
        if one.stage == "figures":
            at = await storage.windows.work(store, rules, one, lambda: 2 * LEASE, nothing, stopping, SMALL)
            if at is None:
                async with store.write() as db:
                    await storage.workings.release(db, one)
                return done
            one = at
        async with store.write() as db:
            await storage.workings.over(db, one)
        done += 1


async def half_way(db: Db) -> bool:
    """Whether figures are between what they were and what they will be."""
    begun = select(distortion.c.id).where(distortion.c.work != "", distortion.c.work_mark.is_not(None))
    return (await db.execute(begun)).first() is not None
