"""The made-up ticket system's nightly export, loaded as the clock of the demo passes midnight."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, date, datetime, timedelta

import polars as pl

import bot.demo
import scoring.periods
import storage.arrivals
import storage.loads
import storage.rules
from bot.demo_ahead import DAYS, Ahead, Rest
from bot.demo_clock import DAY
from scoring.refused import Refused
from storage.arrivals import Intake
from storage.db import Db, Store
from storage.facts import Changed
from storage.loads import Progress
from storage.sources import Batch

FAR = 7
"""Days before the end of a move up to which only Mondays' exports are loaded."""

_ON_THE_WAY = (0, 3)
"""Weekdays whose exports are loaded after that: a load costs the same for a night and for some."""

_ORDER = ("leave", "ticket", "escalation", "survey", "time_entry", "complaint", "endpoints", "training", "cost")


class Feed:
    """Loads what is new on the desk of `seed` and `today`. `rest` is told again where it is not given."""

    def __init__(self, seed: int, today: date, rest: Rest | None = None) -> None:
        self._seed, self._today, self._rest = seed, today, rest
        self._ahead: Ahead | None = None
        self._making = asyncio.Lock()
        self._loaded: int | None = None

    @property
    def until(self) -> datetime:
        """The instant up to which there is a story."""
        return datetime.combine(self._today + timedelta(days=DAYS + 1), datetime.min.time(), UTC)

    async def ready(self) -> Ahead:
        """Tells the story, which takes a second or two, unless that was done before."""
        async with self._making:
            if self._ahead is None:
                self._ahead = await asyncio.to_thread(self._told)
                self._rest = None
            return self._ahead

    def _told(self) -> Ahead:
        return Ahead(bot.demo.rest(self._seed, self._today) if self._rest is None else self._rest)

    async def loaded(self, store: Store) -> int:
        """The day at whose beginning (UTC) the newest export was made that has gone in."""
        if self._loaded is None:
            async with store.read() as db:
                as_of = await storage.loads.as_of(db) or 0
            self._loaded = max(scoring.periods.day_of(self._today), as_of // DAY)
        return self._loaded

    async def up_to(
        self, store: Store, rules: storage.rules.InForce, now: datetime, end: datetime | None = None
    ) -> None:
        """Loads the newest export that was made by `now`, at a midnight (UTC).

        On the way to a later `end` not every night's, but those of Mondays, on which digests are made, and of some
        other days. What is older than two days nobody is nudged about.
        Killed in between, it is done again: what went in before changes nothing. Raises Refused past the story's end.
        """
        since, day = await self.loaded(store), int(now.timestamp()) // DAY
        left = 0 if end is None else int(end.timestamp()) // DAY - day
        if day <= since or (left and (day + 3) % 7 not in (_ON_THE_WAY if left <= FAR else _ON_THE_WAY[:1])):
            return
        ahead = await self.ready()
        if day > ahead.last:
            raise Refused("The made-up desk has no story for that time.", f"It ends after {DAYS // 7} weeks.")
        async with store.read() as db:
            intake = Intake(store, await rules.get(db, now), time.monotonic)
        await self._load(intake, await asyncio.to_thread(ahead.news, since, day), day)
        self._loaded = day

    async def _load(self, intake: Intake, news: dict[str, pl.DataFrame], night: int) -> None:
        at, rows = night * DAY, 0
        async with intake.store.write() as db:
            stamp = f"{bot.demo.stamp(self._seed, self._today)}/{scoring.periods.iso(night)}"
            number = await storage.loads.begin(db, bot.demo.SOURCE, "made up, a night's export", stamp, at)

        async def note(db: Db, done: Changed, taken: pl.DataFrame) -> None:
            await storage.loads.note(db, number, Progress(rows))

        events = news.get("ticket_event")
        if events is not None and "ticket" not in news:
            news["ticket"] = (await self.ready()).export(night)["ticket"].clear()
        for table in _ORDER:
            if table in news:
                rows += len(news[table])
                batch = Batch(table, news[table], events=events if table == "ticket" else None)
                await storage.arrivals.take(intake, batch, note)
        async with intake.store.write() as db:
            await storage.loads.finish(db, number, Progress(rows, 0, at, at if "ticket" in news else None), at)
