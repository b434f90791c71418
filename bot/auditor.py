"""The auditor: once a minute it looks for what is stuck between making and arriving, frees it, and counts it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import bot.observe
import bot.pace
import handlers.outbox
import storage.deliveries
import storage.pace
import storage.rules
import storage.timetable
from bot.delivery import Delivery
from bot.edge import Edge, Finder, Retry, Undeliverable
from bot.scheduler import REDFIRST
from handlers.call import Ctx
from storage.db import Store

log = logging.getLogger("redfirst.auditor")

LATE = 120
"""Seconds after which something that is due should long have been posted, or made."""
FORGET = 2 * bot.pace.FURTHEST
LOOKS = 5
"""Messages that are looked for a second time in one round: a small part of what the platform allows."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a round found: messages let fall, marks of a clock that was wrong, messages overdue, times of the
    timetable not made, messages that stand there twice, administrators told."""

    fallen: int = 0
    ahead: int = 0
    late: int = 0
    unmade: int = 0
    twice: int = 0
    told: int = 0


class Auditor:
    """`make` works on the timetable when something on it is overdue. Every round may be repeated, and missed."""

    def __init__(
        self,
        store: Store,
        rules: storage.rules.InForce,
        clock: Callable[[], datetime],
        delivery: Delivery,
        edges: Mapping[str, Edge],
        make: Callable[[], Awaitable[int]],
    ) -> None:
        self._store, self._rules, self._clock = store, rules, clock
        self._delivery, self._edges, self._make = delivery, edges, make

    async def round(self) -> Found:
        """Looks at everything once."""
        instant = self._clock()
        now = int(instant.timestamp())
        async with self._store.write() as db:
            fallen = await storage.deliveries.fallen(db, now)
            await storage.deliveries.expire(db, now)
            ahead = await storage.pace.mend(db, 1000 * now, bot.pace.FURTHEST)
            await storage.pace.prune(db, 1000 * now - FORGET)
        bot.observe.mended("lease", fallen)
        bot.observe.mended("clock", ahead)
        late = await self._overdue(now)
        unmade = await self._unmade(now)
        twice = await self._second_looks(now)
        async with self._store.write() as db:
            rules = await self._rules.get(db, instant)
            told = await handlers.outbox.tell_administrators(Ctx(db, REDFIRST, instant, rules))
        return Found(fallen, ahead, late, unmade, twice, told)

    async def _overdue(self, now: int) -> int:
        """Messages that nobody posts although their platform takes messages: the delivery is woken, or begun anew."""
        ready = [name for name in self._edges if not self._delivery.resting(name)]
        async with self._store.read() as db:
            count, oldest = await storage.deliveries.late(db, ready, now - LATE)
        if not count or oldest is None:
            return 0
        log.warning("%s messages are overdue, the oldest for %s s", count, now - oldest)
        if await self._delivery.revive():
            bot.observe.mended("reading")
        return count

    async def _unmade(self, now: int) -> int:
        """Times of the timetable that have passed without being made, mended by making them."""
        before = await self._unmade_at(now)
        if not before:
            return 0
        log.warning("%s times of the timetable are overdue, the first %s", len(before), before[0])
        await self._make()
        mended = set(before) - set(await self._unmade_at(now))
        bot.observe.mended("timetable", len(mended))
        return len(before)

    async def _unmade_at(self, now: int) -> list[str]:
        async with self._store.read() as db:
            found = await storage.timetable.overdue(db, now - LATE + storage.timetable.OVERDUE)
        return [f"{one.key} {one.next_due}" for one in found]

    async def _second_looks(self, now: int) -> int:
        """Looks for what was posted again while the first one may only have been late.

        One that cannot be looked for stops no other: a platform that asks to wait is left until the next round,
        and whatever else goes wrong with a message concerns that message alone.
        """
        async with self._store.read() as db:
            waiting = await storage.deliveries.to_check(db, now, LOOKS)
        twice, resting = 0, set[str]()
        for message, platform, recipient, key in waiting:
            edge = self._edges.get(platform)
            found: int | BaseException = 1  # where it cannot be told
            if isinstance(edge, Finder) and platform not in resting:
                [found] = await asyncio.gather(edge.copies(recipient, key), return_exceptions=True)
            if platform in resting or isinstance(found, Retry):
                resting.add(platform)
                continue
            if isinstance(found, Exception):
                if not isinstance(found, Undeliverable):
                    log.error("outbox %s could not be looked for", message, exc_info=found)
                found = 1
            elif isinstance(found, BaseException):
                raise found
            if found > 1:
                log.warning("outbox %s stands there %s times", message, found)
                bot.observe.posted(platform, "twice")
                twice += 1
            async with self._store.write() as db:
                await storage.deliveries.checked(db, message, found)
        return twice
