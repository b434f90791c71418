"""Facts in and out: each change of facts brings its rollups with it, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

import scoring.derive
import scoring.directory
import scoring.facts
import scoring.rollups
import storage.columnar
import storage.directory
import storage.rollups
import storage.rules
import storage.worlds
from scoring.directory import Directory
from scoring.rules import Rules
from storage.db import Db
from storage.worlds import World


@dataclass(frozen=True, slots=True)
class Changed:
    """What an upsert or a deletion did. `days` are the local days whose rollups changed."""

    new: int = 0
    changed: int = 0
    same: int = 0
    gone: int = 0
    days: frozenset[int] = frozenset()


def ordered(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Each id once, as `upsert` has it, rows of the same people together: a slice then touches few rollups."""
    rows = _one_each(table, scoring.derive.whole(table, frame))
    by = [name for name in ("resolver", "owner", "account", "to_account", "ticket", "client") if name in rows.columns]
    return rows.sort(by, maintain_order=True) if by else rows


@dataclass(frozen=True, slots=True)
class _Rows:
    """What is to change in one table: rows as they are stored, rows that are new, newer versions of stored ones."""

    before: pl.DataFrame
    new: pl.DataFrame
    newer: pl.DataFrame
    same: int

    @property
    def after(self) -> pl.DataFrame:
        return pl.concat([self.new, self.newer])


@dataclass(frozen=True, slots=True)
class _Plan:
    """What an upsert will write, table by table, and the facts around it as they stand."""

    rows: Mapping[str, _Rows]
    world: World
    extent: pl.DataFrame

    @property
    def then(self) -> World:
        """The facts around it once it is written."""
        world = self.world
        for table, rows in self.rows.items():
            world = storage.worlds.changed(world, table, rows.after, (), self.extent)
        return world


@dataclass(frozen=True, slots=True)
class Ready:
    """An upsert computed ahead, outside the lock, to be written where nothing around it changed meanwhile."""

    table: str
    plan: _Plan
    directory: Directory
    rules: Rules
    ids: dict[str, int]
    change: pl.DataFrame
    mark: Any


async def prepare(
    db: Db, table: str, frame: pl.DataFrame, directory: Directory, rules: Rules, events: pl.DataFrame | None = None
) -> Ready | None:
    """The costly half of `upsert`, in a transaction that only reads; None until `number` has been called for it.

    Then `write` it, where it is `undisturbed` or still `holds`: the write lock is held for writing alone.
    """
    mark = await storage.columnar.mark(db)
    ids = await storage.rollups.known_metrics(db, rules.metrics)
    numbered = await storage.directory.with_clients(db, frame, directory)
    if ids is None or numbered is None:
        return None
    plan = await _plan(db, table, frame, directory, rules, events)
    return Ready(table, plan, directory, rules, ids, _change(plan.world, plan.then, numbered, ids, rules), mark)


async def number(db: Db, frame: pl.DataFrame, directory: Directory, rules: Rules) -> None:
    """Gives numbers to metrics and to these rows' clients where they have none."""
    await storage.rollups.sync_metrics(db, rules.metrics)
    await storage.directory.numbered_clients(db, frame, directory)


async def undisturbed(db: Db, ready: Ready) -> bool:
    """Whether it is certain at a glance that nothing at all was written since."""
    return ready.mark is not None and bool(await storage.columnar.mark(db) == ready.mark)


async def holds(
    db: Db, ready: Ready, frame: pl.DataFrame, directory: Directory, events: pl.DataFrame | None = None
) -> bool:
    """Whether the same rows would be prepared alike now: looked up again, but not computed."""
    await storage.columnar.lock(db)
    if await storage.rollups.known_metrics(db, ready.rules.metrics) != ready.ids:
        return False
    if not scoring.directory.same(directory, ready.directory):
        return False
    plan = await _plan(db, ready.table, frame, directory, ready.rules, events)
    return _alike(ready.plan, plan)


def _alike(one: _Plan, other: _Plan) -> bool:
    facts = other.world.facts
    return (
        one.rows.keys() == other.rows.keys()
        and all(
            rows.new.equals(other.rows[name].new) and rows.newer.equals(other.rows[name].newer)
            for name, rows in one.rows.items()
        )
        and one.world.facts.keys() == facts.keys()
        and all(frame.equals(facts[name]) for name, frame in one.world.facts.items())
    )


async def write(db: Db, ready: Ready) -> Changed:
    """Writes what was prepared, in a transaction that has found it to hold."""
    return await _written(db, ready.plan, ready.change)


async def upsert(
    db: Db, table: str, frame: pl.DataFrame, directory: Directory, rules: Rules, events: pl.DataFrame | None = None
) -> Changed:
    """Brings rows of a fact table up to date, and every rollup they touch.

    `frame` has columns of `scoring.facts.SCHEMA[table]`; what it lacks is empty. Of rows with the same id the
    newest `updated_at`, else the last, counts; a row older than the stored one changes nothing, nor does an
    equal one. `events`: ticket_event rows that come with tickets. Raises Refused where a metric's value is not
    finite, KeyError for an unknown table.
    """
    await storage.columnar.lock(db)
    plan = await _plan(db, table, frame, directory, rules, events)
    if all(rows.after.is_empty() for rows in plan.rows.values()):
        return Changed(same=sum(rows.same for rows in plan.rows.values()))
    ids = await storage.rollups.sync_metrics(db, rules.metrics)
    numbered = await storage.directory.numbered_clients(db, plan.rows[table].after, directory)
    return await _written(db, plan, _change(plan.world, plan.then, numbered, ids, rules))


async def _plan(
    db: Db, table: str, frame: pl.DataFrame, directory: Directory, rules: Rules, events: pl.DataFrame | None
) -> _Plan:
    rows: dict[str, _Rows] = {}
    touched: list[pl.Series] = []
    if events is not None and not events.is_empty():
        told = rows["ticket_event"] = await _rows(db, "ticket_event", events)
        touched = [told.before["ticket"], told.after["ticket"]]
    asked = rows[table] = await _rows(db, table, frame)
    after = asked.after
    if all(one.after.is_empty() for one in rows.values()):
        return _Plan(rows, storage.worlds.nothing(), storage.worlds.nothing().facts["extent"])
    world = await storage.worlds.around(db, table, asked.before, after, directory, rules.fairness, touched)
    return _Plan(rows, world, storage.worlds.extended(table, after, world.facts["extent"]))


async def _rows(db: Db, table: str, frame: pl.DataFrame) -> _Rows:
    incoming = _one_each(table, scoring.derive.whole(table, frame))
    stored = await storage.columnar.facts(db, table, "id", incoming["id"].to_list())
    new = incoming.join(stored.select("id"), on="id", how="anti", maintain_order="left")
    before, newer = _differing(table, stored, incoming)
    return _Rows(before, new, newer, len(incoming) - len(new) - len(newer))


async def _written(db: Db, plan: _Plan, change: pl.DataFrame) -> Changed:
    for table, rows in plan.rows.items():
        await storage.columnar.insert(db, table, rows.new)
        await storage.columnar.replace(db, table, rows.newer)
    known = plan.world.facts["extent"]
    for name, first, last in plan.extent.join(known, on=plan.extent.columns, how="anti").iter_rows():
        await storage.rollups.set_extent(db, name, first, last)
    await storage.rollups.apply(db, change)
    every = plan.rows.values()
    return Changed(
        sum(len(rows.new) for rows in every),
        sum(len(rows.newer) for rows in every),
        sum(rows.same for rows in every),
        days=frozenset(change["day"].unique().to_list()),
    )


async def delete(db: Db, table: str, ids: Sequence[str], directory: Directory, rules: Rules) -> Changed:
    """Takes rows out, and what they added to rollups; unknown ids are no error."""
    await storage.columnar.lock(db)
    before = await storage.columnar.facts(db, table, "id", list(dict.fromkeys(ids)))
    if before.is_empty():
        return Changed()
    gone = before["id"].to_list()
    world = await storage.worlds.around(db, table, before, before.clear(), directory, rules.fairness)
    await storage.columnar.remove(db, table, gone)
    then = storage.worlds.changed(world, table, before.clear(), gone, world.facts["extent"])
    return Changed(gone=len(gone), days=await _settle(db, world, then, directory, rules))


async def renew_tickets(db: Db, tickets: Sequence[str], rules: Rules, person_id: int) -> frozenset[int]:
    """The rollups of tickets after corrections of a person on them were confirmed in this transaction.

    Returns the local days whose rollups changed.
    """
    await storage.columnar.lock(db)
    rules = await storage.rules.newest(db, rules)
    directory = await storage.directory.read(db, rules.zone)
    rows = await storage.columnar.facts(db, "ticket", "id", list(dict.fromkeys(tickets)))
    world = await storage.worlds.around(db, "ticket", rows, rows, directory, rules.fairness)
    now = world.facts["correction"]
    mine = pl.col("ticket").is_in(list(tickets)) & (pl.col("person") == person_id)
    was = {**world.facts, "correction": now.filter(~mine)}
    return await _settle(db, World(was, world.tickets, world.rows), world, directory, rules)


async def _settle(db: Db, before: World, after: World, directory: Directory, rules: Rules) -> frozenset[int]:
    """Adds to the rollups what the facts that count add now and did not add before."""
    ids = await storage.rollups.sync_metrics(db, rules.metrics)
    change = _change(before, after, directory, ids, rules)
    await storage.rollups.apply(db, change)
    return frozenset(change["day"].unique().to_list())


def _change(before: World, after: World, directory: Directory, ids: dict[str, int], rules: Rules) -> pl.DataFrame:
    """The difference between what the facts that count add and what they added."""
    directory = replace(directory, home=rules.zone)
    numbered = [(ids[name], metric) for name, metric in rules.metrics.items()]
    if before.lone and after.lone:
        return _arrival(before, after, directory, numbered, rules)
    was, now = (_contributions(world, directory, numbered, rules) for world in (before, after))
    return scoring.rollups.difference(now, was)


def _contributions(
    world: World, directory: Directory, numbered: scoring.rollups.Numbered, rules: Rules
) -> pl.DataFrame:
    beside = ("extent", "correction", "distortion")
    if all(frame.is_empty() for name, frame in world.facts.items() if name not in beside):
        return scoring.rollups.add([])
    frames = scoring.derive.derive(world.facts, directory, rules.fairness)
    return scoring.rollups.contributions(counted(frames, world, world.tickets), directory, numbered)


def counted(frames: dict[str, pl.DataFrame], world: World, tickets: pl.Series) -> dict[str, pl.DataFrame]:
    """The derived rows that count: those of these tickets, and of other tables as the world says."""
    frames |= storage.worlds.of_tickets(frames, tickets)
    for name in ("survey", "escalation", "time_entry"):
        rows = world.rows.get(name)
        frames[name] = frames[name].clear() if rows is None else frames[name].filter(pl.col("id").is_in(rows.implode()))
    return frames


def _arrival(
    before: World, after: World, directory: Directory, numbered: scoring.rollups.Numbered, rules: Rules
) -> pl.DataFrame:
    """The same difference for tickets that are new and that nothing refers to yet, with half the work.

    Of the tickets that were there, only whether they were repeated can have changed.
    """
    frames = scoring.derive.derive(after.facts, directory, rules.fairness)
    there = before.facts["ticket"]
    was = there.select("id", was=scoring.derive.repeated(there, rules.fairness))
    turned = (
        frames["ticket"]
        .filter(pl.col("id").is_in(before.tickets.implode()))
        .join(was, on="id", how="inner", maintain_order="left")
        .filter(pl.col("repeated").ne_missing(pl.col("was")))
    )
    given = {name: after.facts[name] for name in ("correction", "distortion")}
    looking = [
        (number, metric)
        for number, metric in numbered
        if any(scoring.rollups.reads(side, "ticket", "repeated") for side in (metric.numerator, metric.denominator))
    ]
    now, then = (
        scoring.rollups.contributions({"ticket": rows, **given}, directory, looking)
        for rows in (turned, turned.with_columns(pl.col("was").alias("repeated")))
    )
    new = after.tickets.filter(~after.tickets.is_in(there["id"].implode()))
    came = scoring.rollups.contributions(counted(frames, after, new), directory, numbered)
    known = ("extent", "person_day", "leave", "distortion")
    days = {name: frame for name, frame in before.facts.items() if name in known}
    capacity = _contributions(World(days, before.tickets.clear()), directory, numbered, rules)
    return scoring.rollups.difference(scoring.rollups.add([came, now]), scoring.rollups.add([then, capacity]))


def _one_each(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    if frame["id"].n_unique() == len(frame):
        return frame
    if "updated_at" in scoring.facts.SCHEMA[table]:
        frame = frame.sort("updated_at", nulls_last=False, maintain_order=True)
    return frame.unique("id", keep="last", maintain_order=True)


def _differing(table: str, stored: pl.DataFrame, incoming: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Stored rows that incoming ones change, and those incoming ones, in the same order."""
    if stored.is_empty():
        return stored, incoming.clear()
    both = stored.join(incoming, on="id", how="inner", suffix="@", maintain_order="left")
    columns = [name for name in scoring.facts.SCHEMA[table] if name != "id"]
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}@")) for name in columns)
    if "updated_at" in columns:
        differs = differs & (pl.col("updated_at@") >= pl.col("updated_at")).fill_null(True)
    found = both.filter(differs)
    newer = found.select("id", *(pl.col(f"{name}@").alias(name) for name in columns))
    return found.select("id", *columns), newer
