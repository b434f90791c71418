"""Facts coming in: batches cut so that each holds SQLite's only write lock briefly, and worked out before it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

import scoring.directory
import scoring.events
import storage.columnar
import storage.directory
import storage.facts
import storage.loads
import storage.rules
from scoring.directory import Directory
from scoring.rules import Rules
from storage.db import Db, Store
from storage.facts import Changed
from storage.sources import Batch

ROWS = 20_000
"""Rows worth reading at once: sorted by people and cut, each transaction touches few people and so few rollups."""

_TARGET, _LONG = 0.11, 0.2  # seconds that the lock is to be held, and from which on the rows are cut at once
_FEWEST, _FIRST, _MOST = 100, 1_000, 5_000
_ATTEMPTS = 4
_SETTLED = 6  # transactions whose pages are moved from SQLite's log into its file together


@dataclass(slots=True)
class Intake:
    """A load under way, by the rules in force at each moment. `clock` tells seconds.

    `rows`: how many one transaction takes, as many as would have held the lock for 110 ms of late.
    `longest`: the longest that the lock was held so far; `taken`: how often.
    """

    store: Store
    rules: Rules
    clock: Callable[[], float]
    rows: int = _FIRST
    longest: float = 0.0
    taken: int = 0
    _directory: Directory | None = None
    _mark: Any = None

    def held(self, seconds: float, rows: int) -> None:
        """Learns that so many rows took the lock for so long."""
        self.longest = max(self.longest, seconds)
        self.taken += 1
        if seconds <= _TARGET and 2 * rows < self.rows:
            return  # a remainder says nothing about more
        fitting = min(max(rows * _TARGET / max(seconds, 0.001), self.rows / 2), self.rows * 2)
        if seconds < _LONG:  # which may have been by chance
            fitting = (fitting + self.rows) / 2
        self.rows = round(min(max(fitting, _FEWEST), _MOST))

    async def directory(self, db: Db) -> Directory:
        """Who is who now; read again only where somebody else wrote since, and the same one while nobody changed."""
        if self._directory is None or self._mark is None or await storage.columnar.mark(db) != self._mark:
            self.rules = await storage.rules.newest(db, self.rules)
            found = await storage.directory.read(db, self.rules.zone)
            if self._directory is None or not scoring.directory.same(found, self._directory):
                self._directory = found
        return self._directory

    async def wrote(self, db: Db) -> None:
        """To be said at the end of a transaction that wrote no people."""
        self._mark = await storage.columnar.mark(db)


def pieces(batch: Batch, intake: Intake) -> Iterator[Batch]:
    """A batch cut into what each transaction takes; tickets stay with their events."""
    if not intake.store.is_sqlite:  # nobody waits for a transaction of PostgreSQL
        yield batch
        return
    events, base = batch.events, batch.base
    frame = storage.facts.ordered(batch.table, batch.frame)
    every = len(frame) + (0 if events is None else len(events))
    start = 0
    while start < len(frame):
        size = max(1, intake.rows * len(frame) // every)
        part = frame[start : start + size]
        start += size
        if events is not None and base is not None:
            ids = part["id"].implode()
            mine, told = events.filter(pl.col("ticket").is_in(ids)), base.filter(pl.col("id").is_in(ids))
            yield replace(batch, frame=part, events=mine, base=told, rejects=())
        else:
            yield replace(batch, frame=part, rejects=())


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be brought in, in the light of what is stored."""

    directory: Directory
    frame: pl.DataFrame
    events: pl.DataFrame | None


async def _asked(db: Db, intake: Intake, batch: Batch) -> _Asked:
    return _Asked(await intake.directory(db), await _told_again(db, batch), batch.events)


async def _told_again(db: Db, batch: Batch) -> pl.DataFrame:
    """Tickets of a log told again with what was known of them; a newer ticket than the one read stays."""
    events, base = batch.events, batch.base
    if events is None or base is None or base.is_empty():
        return batch.frame
    stored = await storage.loads.known_events(db, base["id"].to_list())
    tickets = await storage.loads.known_tickets(db, base)
    if stored.is_empty() and tickets.is_empty():
        return batch.frame
    every = scoring.events.merged(stored, events)
    latest = (
        batch.frame.select("id", pl.col("updated_at").alias("read_at")) if "updated_at" in batch.frame.columns else None
    )
    if latest is not None and tickets.height:
        kept = tickets.join(latest, on="id").filter(pl.col("updated_at") > pl.col("read_at")).select(base.columns)
        kept = scoring.events.untold(kept, stored)
        base = pl.concat([base.filter(~pl.col("id").is_in(kept["id"].implode())), kept.cast(base.schema)])
    return scoring.events.told(base, every)


Note = Callable[[Db, Changed, pl.DataFrame], Awaitable[None]]
"""Told in the transaction what it did, and of which rows."""


async def take(intake: Intake, batch: Batch, note: Note) -> None:
    """Brings a piece in with its rollups, in one transaction.

    On SQLite it is worked out before the lock is taken, and once more where something around it changed
    meanwhile; on PostgreSQL it is worked out inside.
    """
    if intake.store.is_sqlite:
        for _ in range(_ATTEMPTS):
            if await _took(intake, batch, note):
                return
    async with intake.store.write() as db:
        await storage.columnar.lock(db)
        asked = await _asked(db, intake, batch)
        rows = asked.frame, asked.directory, intake.rules, asked.events
        await note(db, await storage.facts.upsert(db, batch.table, *rows), asked.frame)


async def _took(intake: Intake, batch: Batch, note: Note) -> bool:
    """The same in two steps; False where somebody else's change came between them and mattered."""
    async with intake.store.read() as db:
        asked = await _asked(db, intake, batch)
        rows = asked.frame, asked.directory, intake.rules, asked.events
        ready = await storage.facts.prepare(db, batch.table, *rows)
    if ready is None:
        async with intake.store.write() as db:
            await storage.facts.number(db, asked.frame, asked.directory, intake.rules)
        return False
    async with intake.store.loading() as db:
        still = await storage.facts.undisturbed(db, ready)  # the first statement, which waits for the lock
        began = intake.clock()
        if not still:
            now = await _asked(db, intake, batch)
            if intake.rules is not ready.rules:
                return False
            if not await storage.facts.holds(db, ready, now.frame, now.directory, now.events):
                return False
        await note(db, await storage.facts.write(db, ready), asked.frame)
        await intake.wrote(db)
    intake.held(intake.clock() - began, len(asked.frame) + (0 if asked.events is None else len(asked.events)))
    if intake.taken % _SETTLED == 0:
        await intake.store.settle()
    return True
