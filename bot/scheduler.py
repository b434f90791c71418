"""The clockwork: what happens by itself, in small transactions, whatever else is going on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

import handlers.freezing
import scoring.periods
import storage.inbox
import storage.people
import storage.rules
from handlers.call import Ctx
from scoring.people import Person
from storage.db import Store

log = logging.getLogger("redfirst.scheduler")

REMEMBERED = timedelta(days=7)
"""How long the inbox knows what it has seen; platforms re-send within hours."""

REDFIRST = Person(id=0, key="redfirst", name="Redfirst", role="admin", team_id=None)
"""Who acts where nobody asked."""


class Scheduler:
    """Closes matured periods and forgets old deliveries; every tick is safe to repeat and to miss."""

    def __init__(
        self, store: Store, rules: storage.rules.InForce, clock: Callable[[], datetime], *, every: float = 900.0
    ) -> None:
        self._store, self._rules, self._clock = store, rules, clock
        self._busy = asyncio.Lock()
        self._ticks = AsyncIOScheduler(timezone="UTC")
        self._ticks.add_job(
            self.tick, "interval", seconds=every, coalesce=True, max_instances=1, misfire_grace_time=None
        )

    async def start(self) -> None:
        self._ticks.start()

    async def stop(self) -> None:
        """Starts nothing more, and lets a tick under way come to its end."""
        self._ticks.pause()
        async with self._busy:  # the executor's own shutdown would cancel it in the middle of a transaction
            self._ticks.shutdown(wait=False)

    async def tick(self) -> None:
        """One round of everything that is due."""
        async with self._busy:
            try:
                closed = await self.freeze()
                async with self._store.write() as db:
                    await storage.inbox.prune(db, int((self._clock() - REMEMBERED).timestamp()))
            except Exception:
                log.exception("a tick failed; the next one does its work")
            else:
                if closed:
                    log.info("closed scores", extra={"rows": closed})

    async def freeze(self) -> int:
        """Closes matured periods, one transaction a person, team and the desk; returns how many scores."""
        now = self._clock()
        async with self._store.read() as db:
            rules = await self._rules.get(db, now)
            today = scoring.periods.day_of(scoring.periods.today(now, rules.zone))
            people = await storage.people.everyone(db, today)
            groups = handlers.freezing.groups(await storage.people.teams(db))
        closed = 0
        for person in people:
            async with self._store.write() as db:
                closed += await handlers.freezing.freeze_person(Ctx(db, person, now, rules), person)
        for group in groups:
            async with self._store.write() as db:
                closed += await handlers.freezing.freeze_group(Ctx(db, REDFIRST, now, rules), group)
        return closed
