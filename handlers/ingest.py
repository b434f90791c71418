"""Loading files: batch by batch from the reader into the facts, each with its rollups in one transaction."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

import scoring.maps
import storage.arrivals
import storage.attribution
import storage.loads
import storage.rollups
import storage.rules
import storage.sources
from scoring.maps import Map
from scoring.refused import Refused
from storage.arrivals import Intake
from storage.loads import Progress
from storage.sources.files.rejects import RejectsFile

if TYPE_CHECKING:
    from scoring.rules import Rules
    from storage.db import Db, Store
    from storage.facts import Changed
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
    first_rejected: str = ""
    as_of: int | None = None
    tickets_as_of: int | None = None
    accounts: set[str] = field(default_factory=set)
    unsettled: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        return self.new + self.changed + self.same

    @property
    def progress(self) -> Progress:
        return Progress(self.rows, self.rejected, self.as_of, self.tickets_as_of)


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
            bad = "1 row" if rejects.count == 1 else f"{rejects.count:,} rows"
            raise Refused(
                f"Nothing was loaded: {bad} cannot be read; see {order.rejects}. The first is {rejects.first}",
                "Mend them, or leave out --strict to load the rest.",
            )


def _newer(one: int | None, other: int | None) -> int | None:
    return max((t for t in (one, other) if t is not None), default=None)


def _count(told: Told, table: str, done: Changed, rows: pl.DataFrame, events: pl.DataFrame | None) -> None:
    told.new += done.new
    told.changed += done.changed
    told.same += done.same
    for name, facts in (("ticket_event", events), (table, rows)):
        if facts is None or facts.is_empty():
            continue
        newest = storage.loads.newest(name, facts)
        told.as_of = _newer(told.as_of, newest)
        if name in storage.loads.TICKETS:
            told.tickets_as_of = _newer(told.tickets_as_of, newest)
        told.accounts |= _accounts(facts)


async def _take(intake: Intake, order: Order, batch: Batch, told: Told, number: int) -> None:
    async def note(db: Db, done: Changed, rows: pl.DataFrame) -> None:
        _count(told, batch.table, done, rows, batch.events)
        if order.as_of is not None:
            told.as_of = order.as_of
            told.tickets_as_of = order.as_of if batch.table in storage.loads.TICKETS else told.tickets_as_of
        await storage.loads.note(db, number, told.progress)

    await storage.arrivals.take(intake, batch, note)


async def _take_all(intake: Intake, order: Order, told: Told, number: int, step: Step) -> None:
    batches: Iterator[Batch] = storage.sources.read(
        order.paths, order.map, order.table, order.latest, storage.arrivals.ROWS
    )
    with RejectsFile(order.rejects) as rejects:
        coming = asyncio.ensure_future(asyncio.to_thread(next, batches, None))
        while (batch := await coming) is not None:
            coming = asyncio.ensure_future(asyncio.to_thread(next, batches, None))
            rejects.add(batch.rejects)
            told.rejected, told.first_rejected = rejects.count, str(rejects.first or "")
            try:
                for piece in () if batch.frame.is_empty() else storage.arrivals.pieces(batch, intake):
                    await _take(intake, order, piece, told, number)
                    step(batch.done, told.rows)
            except BaseException:
                await asyncio.wait([coming])  # the reader's thread must not outlive its files
                raise
            step(batch.done, told.rows)


async def _finish(store: Store, number: int, told: Told, now: int, state: str) -> None:
    async with store.write() as db:
        await storage.loads.finish(db, number, told.progress, now, state)


async def load(
    store: Store, rules: Rules, order: Order, now: Callable[[], int], step: Step, clock: Callable[[], float]
) -> Told:  # fmt: skip
    """Loads files in batches; the next is read while one is written. A killed load is simply run again.

    `now` tells UTC seconds, `clock` seconds that only ever grow. Raises Refused for a file that does not fit;
    what went in before stays, and running again mends it.
    """
    if order.strict:
        await asyncio.to_thread(_check, order, step)
    async with store.read() as db:
        rules = await storage.rules.newest(db, rules)  # a watch outlives them
    await storage.rollups.renew(store, rules)  # what an earlier run or newer rules left open
    told = Told()
    names = ", ".join(path.name for path in order.paths)
    digests = await asyncio.to_thread(digest_of, order.paths)
    async with store.write() as db:
        number = await storage.loads.begin(db, source(order.map), names, digests, now())
    try:
        await _take_all(Intake(store, rules, clock), order, told, number, step)
    except Refused:
        await _finish(store, number, told, now(), "refused")
        raise
    except BaseException:  # Ctrl+C too: one that seems under way holds back the closing of periods
        async with store.write() as db:
            await storage.loads.give_up(db, number, now())
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
