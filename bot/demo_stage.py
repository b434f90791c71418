"""What goes on behind the demo's page: deeds are done, nights are loaded, and the clock can be moved on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime

import bot.demo
import storage.rules
import storage.timetable
from bot import demo_deeds
from bot.demo_ahead import Rest
from bot.demo_clock import DAY
from bot.demo_feed import Feed
from bot.demo_time import EVERY, Movable, Mover
from bot.scheduler import Scheduler
from storage.db import Store

log = logging.getLogger("redfirst.demo")


class Stage:
    """The made-up desk of `seed` and `today`, once its server runs. `rest`: as `bot.demo.make` returned it."""

    def __init__(self, clock: Movable, seed: int, today: date, rest: Rest | None = None) -> None:
        self._clock, self._seed, self._today = clock, seed, today
        self._feed = Feed(seed, today, rest)
        self._deeds: asyncio.Task[None] | None = None
        self._keeping: asyncio.Task[None] | None = None

    @property
    def until(self) -> datetime:
        return self._feed.until

    async def open(
        self, store: Store, rules: storage.rules.InForce, scheduler: Scheduler
    ) -> Callable[[datetime], Awaitable[datetime]]:
        """To be called before anything is made: the clock goes on from where it was, if this desk was moved before.

        Returns what moves it on.
        """
        self._store, self._rules, self._scheduler = store, rules, scheduler
        self._mover = Mover(self._clock, store, scheduler.timetable, scene=self)
        async with store.read() as db:
            latest = await storage.timetable.latest(db) or 0
        self._clock.to(datetime.fromtimestamp(max(latest, await self._feed.loaded(store) * DAY), UTC))
        return self._mover.on

    def start(self) -> None:
        """Begins with what is still to be done; the page answers meanwhile."""
        self._deeds = asyncio.create_task(self._do())
        self._keeping = asyncio.create_task(self._keep())
        for task in (self._deeds, self._keeping):
            task.add_done_callback(_ended)

    async def stop(self) -> None:
        """Lets go of what is under way: it is done another time."""
        for task in (self._deeds, self._keeping):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])

    async def begun(self) -> None:
        if self._deeds is not None:
            await asyncio.wait([self._deeds])

    async def up_to(self, instant: datetime, end: datetime | None = None) -> None:
        await self._feed.up_to(self._store, self._rules, instant, end)

    async def tidied(self) -> None:
        await self._scheduler.tick()

    async def _do(self) -> None:
        stamp = bot.demo.stamp(self._seed, self._today)
        await demo_deeds.do(self._store, self._rules, self._today, stamp, bot.demo.SOURCE, self._clock)
        await self._feed.ready()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            if self._clock() < self.until:
                await self._mover.keep_up()


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (problem := task.exception()) is not None:
        log.error("the made-up desk stands still", exc_info=problem)
