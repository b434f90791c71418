"""Facts in and out: each change of facts brings its rollups with it, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl

import scoring.derive
import scoring.facts
import scoring.rollups
import storage.columnar
import storage.directory
import storage.rollups
import storage.worlds
from scoring.directory import Directory
from scoring.rules import Rules
from storage.db import Db
from storage.worlds import World

BATCH = 2_000
"""Rows of one upsert that, prepared, keep SQLite's write lock under 250 ms."""

CHUNK = 20_000
"""Rows worth reading at once: cut by `batches`, each upsert then touches few people and so few rollups."""

_LOCK = 7_246_331  # the one writer of facts at a time on PostgreSQL; SQLite has only one anyway


@dataclass(frozen=True, slots=True)
class Changed:
    """What an upsert or a deletion did. `days` are the local days whose rollups changed."""

    new: int = 0
    changed: int = 0
    same: int = 0
    gone: int = 0
    days: frozenset[int] = frozenset()


def batches(table: str, frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Rows for one upsert after the other, those of the same people together; each id once, as `upsert` has it."""
    rows = _one_each(table, scoring.derive.whole(table, frame))
    by = [name for name in ("resolver", "owner", "account", "to_account", "ticket", "client") if name in rows.columns]
    yield from rows.sort(by, maintain_order=True).iter_slices(BATCH) if by else rows.iter_slices(BATCH)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What an upsert will write, and the facts around it as they stand."""

    new: pl.DataFrame
    newer: pl.DataFrame
    same: int
    table: str
    world: World
    extent: pl.DataFrame

    @property
    def then(self) -> World:
        """The facts around it once it is written."""
        return storage.worlds.changed(self.world, self.table, pl.concat([self.new, self.newer]), (), self.extent)


@dataclass(frozen=True, slots=True)
class Prepared:
    """An upsert computed ahead, outside the lock; it is used where nothing around it changed meanwhile."""

    plan: _Plan
    directory: Directory
    rules: Rules
    ids: dict[str, int]
    change: pl.DataFrame


async def prepare(db: Db, table: str, frame: pl.DataFrame, directory: Directory, rules: Rules) -> Prepared | None:
    """The costly half of `upsert`, in a transaction that only reads; None where it has to be done in one.

    Hand it to `upsert` with the same arguments: the write lock is then held for writing alone.
    """
    ids = await storage.rollups.known_metrics(db, rules.metrics)
    plan = await _plan(db, table, frame, directory, rules)
    if plan is None or ids is None:
        return None
    numbered = await storage.directory.with_clients(db, pl.concat([plan.new, plan.newer]), directory)
    if numbered is None:
        return None
    return Prepared(plan, directory, rules, ids, _change(plan.world, plan.then, numbered, ids, rules))


async def upsert(
    db: Db, table: str, frame: pl.DataFrame, directory: Directory, rules: Rules, prepared: Prepared | None = None
) -> Changed:
    """Brings rows of a fact table up to date, and every rollup they touch.

    `frame` has columns of `scoring.facts.SCHEMA[table]`; what it lacks is empty. Of rows with the same id the
    newest `updated_at`, else the last, counts; a row older than the stored one changes nothing, nor does an
    equal one. Raises Refused where a metric's value is not finite, KeyError for an unknown table.
    """
    await _lock(db)
    plan = await _plan(db, table, frame, directory, rules)
    if plan is None:
        return Changed(same=frame["id"].n_unique())
    ids = await storage.rollups.sync_metrics(db, rules.metrics)
    if prepared is not None and _still(prepared, plan, directory, rules, ids):
        change = prepared.change
    else:
        numbered = await storage.directory.numbered_clients(db, pl.concat([plan.new, plan.newer]), directory)
        change = _change(plan.world, plan.then, numbered, ids, rules)
    await storage.columnar.insert(db, table, plan.new)
    await storage.columnar.replace(db, table, plan.newer)
    for name, first, last in plan.extent.join(
        plan.world.facts["extent"], on=plan.extent.columns, how="anti"
    ).iter_rows():
        await storage.rollups.set_extent(db, name, first, last)
    await storage.rollups.apply(db, change)
    return Changed(len(plan.new), len(plan.newer), plan.same, 0, frozenset(change["day"].unique().to_list()))


async def _plan(db: Db, table: str, frame: pl.DataFrame, directory: Directory, rules: Rules) -> _Plan | None:
    """None where no row differs from what is stored."""
    incoming = _one_each(table, scoring.derive.whole(table, frame))
    stored = await storage.columnar.facts(db, table, "id", incoming["id"].to_list())
    new = incoming.join(stored.select("id"), on="id", how="anti", maintain_order="left")
    before, newer = _differing(table, stored, incoming)
    after = pl.concat([new, newer])
    if after.is_empty():
        return None
    world = await storage.worlds.around(db, table, before, after, directory, rules.fairness)
    extent = storage.worlds.extended(table, after, world.facts["extent"])
    return _Plan(new, newer, len(incoming) - len(after), table, world, extent)


def _still(prepared: Prepared, plan: _Plan, directory: Directory, rules: Rules, ids: dict[str, int]) -> bool:
    was = prepared.plan
    return (
        prepared.directory is directory
        and prepared.rules is rules
        and prepared.ids == ids
        and was.new.equals(plan.new)
        and was.newer.equals(plan.newer)
        and was.world.facts.keys() == plan.world.facts.keys()
        and all(frame.equals(plan.world.facts[name]) for name, frame in was.world.facts.items())
    )


async def delete(db: Db, table: str, ids: Sequence[str], directory: Directory, rules: Rules) -> Changed:
    """Takes rows out, and what they added to rollups; unknown ids are no error."""
    await _lock(db)
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
    await _lock(db)
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
    if all(frame.is_empty() for name, frame in world.facts.items() if name not in ("extent", "correction")):
        return scoring.rollups.add([])
    frames = scoring.derive.derive(world.facts, directory, rules.fairness)
    return scoring.rollups.contributions(_counted(frames, world, world.tickets), directory, numbered)


def _counted(frames: dict[str, pl.DataFrame], world: World, tickets: pl.Series) -> dict[str, pl.DataFrame]:
    for name, key in (("ticket", "id"), ("span", "ticket"), ("informed", "ticket")):
        frames[name] = frames[name].filter(pl.col(key).is_in(tickets.implode()))
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
    corrections = {"correction": after.facts["correction"]}
    looking = [
        (number, metric)
        for number, metric in numbered
        if any(scoring.rollups.reads(side, "ticket", "repeated") for side in (metric.numerator, metric.denominator))
    ]
    now, then = (
        scoring.rollups.contributions({"ticket": rows, **corrections}, directory, looking)
        for rows in (turned, turned.with_columns(pl.col("was").alias("repeated")))
    )
    new = after.tickets.filter(~after.tickets.is_in(there["id"].implode()))
    came = scoring.rollups.contributions(_counted(frames, after, new), directory, numbered)
    days = {name: frame for name, frame in before.facts.items() if name in ("extent", "person_day", "leave")}
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


async def _lock(db: Db) -> None:
    if not storage.columnar.is_sqlite(db):
        await storage.columnar.rows(db, f"SELECT pg_advisory_xact_lock({_LOCK})")
