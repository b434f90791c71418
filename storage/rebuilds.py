"""Rollups as they ought to be, from every fact, a page at a time: memory does not grow with the desk's history."""
# ruff: noqa: S608  (names of tables and columns are the schema's own; values are parameters)

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Literal

import polars as pl

import scoring.derive
import scoring.rollups
import storage.columnar
import storage.distortions
import storage.worlds
from scoring.directory import Directory
from scoring.rules import Rules
from storage.db import Db
from storage.worlds import Facts, World


@dataclass(frozen=True, slots=True)
class Pages:
    """How much is done at a time: rows of facts looked at together; rollups kept in memory (more go to a file),
    compared, and written in one transaction, which keeps SQLite's lock under 250 ms."""

    facts: int = 10_000
    held: int = 500_000
    compared: int = 50_000
    written: int = 5_000


PAGES = Pages()

_TICKETS = ("ticket", "span", "informed")
_ALONE = ("ticket_event", "leave", "client", "complaint", "cost", "certification")
_COLUMNS = ", ".join(scoring.rollups.ROLLUP)

Kept = Literal["rollup", "rollup_week"]
"""By days, and the same added up by ISO weeks for reading: both change together."""


@dataclass(frozen=True, slots=True)
class _Desk:
    """What every page is worked out with; `wanted`: the tables that the metrics read."""

    db: Db
    directory: Directory
    rules: Rules
    numbered: scoring.rollups.Numbered
    wanted: frozenset[str]
    pages: Pages
    distortions: pl.DataFrame

    async def of(self, facts: Facts, counting: Collection[str], tickets: pl.Series | None = None) -> pl.DataFrame:
        """What these tables of derived facts add, of the tickets named alone; worked out beside the event loop."""
        return await asyncio.to_thread(self._of, facts, counting, tickets)

    def _of(self, facts: Facts, counting: Collection[str], tickets: pl.Series | None) -> pl.DataFrame:
        derived = scoring.derive.derive(facts, self.directory, self.rules.fairness)
        frames = {name: derived[name] for name in counting}
        if tickets is not None:
            frames |= storage.worlds.of_tickets(frames, tickets)
        if "correction" in facts:
            frames["correction"] = facts["correction"]
        frames["distortion"] = self.distortions
        return scoring.rollups.contributions(frames, self.directory, self.numbered)


async def lacking(
    db: Db, directory: Directory, rules: Rules, numbered: scoring.rollups.Numbered, gone: Collection[int] = (),
    pages: Pages = PAGES,
) -> AsyncIterator[dict[Kept, pl.DataFrame]]:  # fmt: skip
    """What must be added to the stored rollups of these metrics, subjects after subjects, in order of their key.

    `gone`: ids of metrics whose rollups ought not to be there. Facts, people and rollups are read in the
    transaction of `db`. Raises Refused where a metric's value is not finite.
    """
    directory = replace(directory, home=rules.zone)
    wanted = frozenset(side.table for _, metric in numbered for side in (metric.numerator, metric.denominator))
    desk = _Desk(db, directory, rules, numbered, wanted, pages, await storage.distortions.frame(db))
    ids = sorted({number for number, _ in numbered} | set(gone))
    with _Spool(pages) as spool:
        async for part in _contributions(desk):
            await asyncio.to_thread(spool.add, part)
        there = [await _counted(db, ids, table) for table in ("rollup", "rollup_week")]
        for low, high in _ranges(pl.concat([*there, spool.counted()]), pages.compared):
            days = await asyncio.to_thread(spool.between, low, high)
            yield {
                "rollup": _difference(days, await _stored(db, ids, low, high, "rollup")),
                "rollup_week": _difference(
                    scoring.rollups.weeks(days), await _stored(db, ids, low, high, "rollup_week")
                ),
            }


def _difference(ought: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    return scoring.rollups.difference(ought, stored).sort(scoring.rollups.KEY)


async def _counted(db: Db, ids: Collection[int], table: Kept) -> pl.DataFrame:
    these = storage.columnar.listed(db, "metric_id", "int")
    sql = f"SELECT subject_id, COUNT(*) FROM {table} WHERE {these} GROUP BY 1"
    found = await storage.columnar.rows(db, sql, storage.columnar.values(db, list(ids)))
    return pl.DataFrame(found, schema={"subject_id": pl.Int64, "rows": pl.Int64}, orient="row")


def _ranges(counted: pl.DataFrame, most: int) -> Iterator[tuple[int, int]]:
    """Subjects from and to (included) that have about so many rollups together."""
    rows = 0
    low: int | None = None
    last = 0
    whole = counted.group_by("subject_id").agg(pl.col("rows").sum()).sort("subject_id")
    for subject, count in whole.iter_rows():
        if low is not None and rows + count > most:
            yield low, last
            low, rows = None, 0
        low = subject if low is None else low
        rows, last = rows + count, subject
    if low is not None:
        yield low, last


async def _stored(db: Db, ids: Collection[int], low: int, high: int, table: Kept) -> pl.DataFrame:
    marks = ("?", "?") if storage.columnar.is_sqlite(db) else ("$2::int", "$3::int")
    these = storage.columnar.listed(db, "metric_id", "int")
    sql = f"SELECT {_COLUMNS} FROM {table} WHERE {these} AND subject_id BETWEEN {marks[0]} AND {marks[1]}"
    found = await storage.columnar.rows(db, sql, (*storage.columnar.values(db, list(ids)), low, high))
    return pl.DataFrame(found, schema=scoring.rollups.ROLLUP, orient="row")


async def _contributions(desk: _Desk) -> AsyncIterator[pl.DataFrame]:
    wanted = desk.wanted
    if wanted.intersection(_TICKETS):
        async for page in _pages(desk, "ticket"):
            yield await _of_tickets(desk, page)
    for table in ("survey", "escalation", "time_entry"):
        if table in wanted or (table == "time_entry" and "capacity" in wanted):
            async for page in _pages(desk, table):
                yield await _of_work(desk, table, page)
    if wanted.intersection(("training", "capacity")):
        async for page in _pages(desk, "training"):
            yield await desk.of({"training": page}, ("training", "capacity"))
    if "capacity" in wanted:
        async for part in _of_days(desk):
            yield part
    if "endpoints" in wanted:
        async for part in _of_endpoints(desk):
            yield part
    for table in _ALONE:
        if table in wanted:
            async for page in _pages(desk, table):
                yield await desk.of(await _corrected(desk.db, {table: page}), (table,))


async def _pages(desk: _Desk, table: str) -> AsyncIterator[pl.DataFrame]:
    """The rows of a fact table in order of their ids."""
    last = ""
    mark = "?" if storage.columnar.is_sqlite(desk.db) else "$1::text"
    following = f"WHERE id > {mark} ORDER BY id LIMIT {desk.pages.facts}"
    sql = f'SELECT {storage.columnar.names(table)} FROM "{table}" {following}'
    while True:
        page = storage.columnar.read(await storage.columnar.rows(desk.db, sql, (last,)), table)
        if page.is_empty():
            return
        yield page
        last = page["id"][-1]


async def _corrected(db: Db, facts: Facts) -> Facts:
    """These facts and the confirmed corrections of their tickets."""
    named = [rows["id" if name == "ticket" else "ticket"] for name, rows in facts.items() if "ticket" in rows.columns
             or name == "ticket"]  # fmt: skip
    tickets = pl.concat(named).drop_nulls().unique() if named else pl.Series([], dtype=pl.String)
    return {**facts, "correction": await storage.worlds.corrections(db, tickets)}


async def _of_tickets(desk: _Desk, page: pl.DataFrame) -> pl.DataFrame:
    """Tickets with their events, and what they look at."""
    world = World({"ticket": page}, page["id"])
    await storage.worlds.followers(desk.db, page.clear(), world, desk.rules.fairness)
    events = await storage.columnar.facts(desk.db, "ticket_event", "ticket", page["id"].to_list())
    facts = await _corrected(desk.db, {"ticket": page})
    return await desk.of({**facts, "ticket": world.facts["ticket"], "ticket_event": events}, _TICKETS, page["id"])


async def _of_work(desk: _Desk, table: str, page: pl.DataFrame) -> pl.DataFrame:
    """Surveys, escalations or time entries, with the tickets that they look at."""
    tickets = page["ticket"].drop_nulls().unique().to_list()
    facts = await _corrected(desk.db, {table: page})
    facts["ticket"] = await storage.columnar.facts(desk.db, "ticket", "id", tickets)
    if table == "escalation":
        facts["ticket_event"] = await storage.columnar.facts(desk.db, "ticket_event", "ticket", tickets)
    return await desk.of(facts, (table, "capacity") if table == "time_entry" else (table,))


async def _of_days(desk: _Desk) -> AsyncIterator[pl.DataFrame]:
    """The working days of some people after the other, without their leave."""
    extent = await storage.worlds.extent(desk.db)
    reach = extent.select(pl.col("last_day").max() - pl.col("first_day").min() + 1).item() or 0
    people = desk.directory.segments["person"].unique().sort()
    for some in people.to_frame().iter_slices(max(1, 5 * desk.pages.facts // max(reach, 1))):
        theirs = pl.col("person").is_in(some["person"].implode())
        part = replace(desk, directory=replace(desk.directory, segments=desk.directory.segments.filter(theirs)))
        accounts = desk.directory.accounts.filter(theirs)["key"].to_list()
        leave = await storage.columnar.facts(desk.db, "leave", "account", accounts)
        yield await part.of({"extent": extent, "leave": leave}, ("capacity",))


async def _of_endpoints(desk: _Desk) -> AsyncIterator[pl.DataFrame]:
    """The counts of some clients after the other: each holds until the client's next."""
    clients = desk.directory.clients["client"].sort()
    for start in range(0, len(clients), 20):
        rows = await storage.columnar.facts(desk.db, "endpoints", "client", clients[start : start + 20].to_list())
        yield await desk.of({"endpoints": rows}, ("endpoints",))


@dataclass(slots=True)
class _Spool:
    """Rollups adding up: in memory while they are few, in files sorted by subject when they are many."""

    _pages: Pages
    _held: list[pl.DataFrame] = field(default_factory=list)
    _files: list[Path] = field(default_factory=list)
    _counted: list[pl.DataFrame] = field(default_factory=list)
    _rows: int = 0
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> _Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def add(self, rows: pl.DataFrame) -> None:
        self._held.append(rows)
        self._rows += len(rows)
        if self._rows <= self._pages.held:
            return
        whole = self._whole()
        if len(whole) > self._pages.held // 2:
            folder = self._files[0].parent if self._files else self._folder()
            self._files.append(folder / f"{len(self._files)}.parquet")
            whole.write_parquet(self._files[-1], row_group_size=self._pages.compared)
            self._counted.append(_count(whole))
            self._held.clear()
            self._rows = 0

    def _folder(self) -> Path:
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="redfirst-")))

    def _whole(self) -> pl.DataFrame:
        """What is in memory, added up."""
        whole = scoring.rollups.add(self._held).sort("subject_id")
        self._held = [whole]
        self._rows = len(whole)
        return whole

    def counted(self) -> pl.DataFrame:
        """subject_id, rows: how many there are of each subject, roughly."""
        return pl.concat([*self._counted, _count(self._whole())])

    def between(self, low: int, high: int) -> pl.DataFrame:
        """The sums of these subjects."""
        mine = pl.col("subject_id").is_between(low, high)
        parts = [rows.filter(mine) for rows in self._held]
        parts += [pl.scan_parquet(file).filter(mine).collect() for file in self._files]
        return scoring.rollups.add([part for part in parts if not part.is_empty()])


def _count(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("subject_id").agg(pl.len().cast(pl.Int64).alias("rows"))
