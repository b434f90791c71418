"""Loading files: batch by batch from the reader into the facts, each with its rollups in one transaction."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

import scoring.directory
import scoring.events
import scoring.maps
import storage.attribution
import storage.directory
import storage.facts
import storage.loads
import storage.rollups
import storage.sources
from scoring.maps import Map
from scoring.refused import Refused
from storage.loads import Progress
from storage.sources.files.rejects import RejectsFile

if TYPE_CHECKING:
    from scoring.rules import Rules
    from storage.db import Db, Store
    from storage.sources import Batch

Step = Callable[[int, int], None]
"""Told after every batch: bytes read so far, rows taken so far."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to load. `latest`: UTC second after which nothing can have happened; `as_of` overrides what the data say."""

    paths: tuple[Path, ...]
    map: Map
    rejects: Path
    table: str | None = None
    strict: bool = False
    latest: int | None = None
    as_of: int | None = None


@dataclass(slots=True)
class Told:
    """What a load did; the counts are of rows of facts."""

    new: int = 0
    changed: int = 0
    same: int = 0
    rejected: int = 0
    as_of: int | None = None
    accounts: set[str] = field(default_factory=set)
    unsettled: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        return self.new + self.changed + self.same


def _accounts(frame: pl.DataFrame) -> set[str]:
    columns = [c for c in frame.columns if c in scoring.maps.ACCOUNTS]
    return {key for c in columns for key in frame[c].unique().drop_nulls().to_list()}


def _check(order: Order, step: Step) -> None:
    """Reads everything without keeping anything; refuses at the first reader's refusal or any rejected row."""
    rows = 0
    with RejectsFile(order.rejects) as rejects:
        for batch in storage.sources.read(order.paths, order.map, order.table, order.latest):
            rejects.add(batch.rejects)
            rows += batch.frame.height
            step(batch.done, rows)
        if rejects.count:
            raise Refused(
                f"Nothing was loaded: {rejects.count:,} rows cannot be read; see {order.rejects}.",
                "Mend them, or leave out --strict to load the rest.",
            )


async def _known_before(db: Db, batch: Batch, map: Map) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """Tickets of a log told again with what was known of them; a newer ticket than the one read stays."""
    events, base = batch.events, batch.base
    if events is None or base is None or base.is_empty():
        return batch.frame, events
    stored = await storage.loads.known_events(db, base["id"].to_list())
    tickets = await storage.loads.known_tickets(db, base)
    if stored.is_empty() and tickets.is_empty():
        return batch.frame, events
    every = scoring.events.merged(stored, events)
    latest = (
        batch.frame.select("id", pl.col("updated_at").alias("read_at")) if "updated_at" in batch.frame.columns else None
    )
    if latest is not None and tickets.height:
        kept = tickets.join(latest, on="id").filter(pl.col("updated_at") > pl.col("read_at")).select(base.columns)
        kept = scoring.events.untold(kept, stored, map)
        base = pl.concat([base.filter(~pl.col("id").is_in(kept["id"].implode())), kept.cast(base.schema)])
    return scoring.events.told(base, every, map), events


async def _take(store: Store, rules: Rules, order: Order, batch: Batch, told: Told, number: int) -> None:
    ready = None
    async with store.read() as db:
        directory = await storage.directory.read(db, rules.zone)
        if store.is_sqlite and batch.events is None:  # others can write while this is worked out
            ready = await storage.facts.prepare(db, batch.table, batch.frame, directory, rules)
    async with store.write() as db:
        frame, events = await _known_before(db, batch, order.map)
        current = await storage.directory.read(db, rules.zone)
        if not scoring.directory.same(current, directory):  # people changed meanwhile: work it out again
            directory, ready = current, None
        for table, facts in (("ticket_event", events), (batch.table, frame)):  # so that tickets count once
            if facts is None or facts.is_empty():
                continue
            done = await storage.facts.upsert(db, table, facts, directory, rules, ready)
            told.new += done.new
            told.changed += done.changed
            told.same += done.same
            newest = storage.loads.newest(table, facts)
            told.as_of = max((t for t in (told.as_of, newest) if t is not None), default=None)
            told.accounts |= _accounts(facts)
        if order.as_of is not None:
            told.as_of = order.as_of
        await storage.loads.note(db, number, Progress(told.rows, told.rejected, told.as_of))


async def _take_all(store: Store, rules: Rules, order: Order, told: Told, number: int, step: Step) -> None:
    batches: Iterator[Batch] = storage.sources.read(
        order.paths, order.map, order.table, order.latest, storage.facts.BATCH
    )
    with RejectsFile(order.rejects) as rejects:
        coming = asyncio.ensure_future(asyncio.to_thread(next, batches, None))
        while (batch := await coming) is not None:
            coming = asyncio.ensure_future(asyncio.to_thread(next, batches, None))
            rejects.add(batch.rejects)
            told.rejected = rejects.count
            try:
                if not batch.frame.is_empty():
                    await _take(store, rules, order, batch, told, number)
            except BaseException:
                await asyncio.wait([coming])  # the reader's thread must not outlive its files
                raise
            step(batch.done, told.rows)


async def _finish(store: Store, number: int, told: Told, now: int, state: str) -> None:
    async with store.write() as db:
        await storage.loads.finish(db, number, Progress(told.rows, told.rejected, told.as_of), now, state)


async def load(store: Store, rules: Rules, order: Order, now: Callable[[], int], step: Step) -> Told:
    """Loads files in batches; the next is read while one is written. A killed load is simply run again.

    Raises Refused for a file that does not fit; what went in before stays, and running again mends it.
    """
    if order.strict:
        await asyncio.to_thread(_check, order, step)
    await storage.rollups.renew(store, rules)  # what an earlier run or newer rules left open
    told = Told()
    names = ", ".join(path.name for path in order.paths)
    digests = await asyncio.to_thread(digest_of, order.paths)
    async with store.write() as db:
        number = await storage.loads.begin(db, source(order.map), names, digests, now())
    try:
        await _take_all(store, rules, order, told, number, step)
    except Refused:
        await _finish(store, number, told, now(), "refused")
        raise
    await _finish(store, number, told, now(), "done")
    async with store.read() as db:
        told.unsettled = await storage.attribution.nobodys(db, told.accounts)
    return told


def source(map: Map) -> str:
    """What the ledger calls a map: its name and the source that it feeds."""
    return f"{map.name}:{map.source}"


def digest_of(paths: Sequence[Path]) -> str:
    """One digest for the files of a load; of a single file its own."""
    found = [storage.loads.digest(path) for path in paths]
    return found[0] if len(found) == 1 else hashlib.sha256(" ".join(found).encode()).hexdigest()
