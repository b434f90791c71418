"""Facts in and out: each change of facts brings its rollups with it, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
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
"""Rows of one upsert that keep SQLite's write lock well under 250 ms."""

_LOCK = 7_246_331  # the one writer of facts at a time on PostgreSQL; SQLite has only one anyway


@dataclass(frozen=True, slots=True)
class Changed:
    """What an upsert or a deletion did. `days` are the local days whose rollups changed."""

    new: int = 0
    changed: int = 0
    same: int = 0
    gone: int = 0
    days: frozenset[int] = frozenset()


async def upsert(db: Db, table: str, frame: pl.DataFrame, directory: Directory, rules: Rules) -> Changed:
    """Brings rows of a fact table up to date, and every rollup they touch.

    `frame` has columns of `scoring.facts.SCHEMA[table]`; what it lacks is empty. Of rows with the same id the
    newest `updated_at`, else the last, counts; a row older than the stored one changes nothing, nor does an
    equal one. Raises Refused where a metric's value is not finite, KeyError for an unknown table.
    """
    incoming = _one_each(table, scoring.derive.whole(table, frame))
    await _lock(db)
    stored = await storage.columnar.facts(db, table, "id", incoming["id"].to_list())
    new = incoming.join(stored.select("id"), on="id", how="anti", maintain_order="left")
    before, newer = _differing(table, stored, incoming)
    same = len(incoming) - len(new) - len(newer)
    after = pl.concat([new, newer])
    if after.is_empty():
        return Changed(same=same)
    directory = await storage.directory.numbered_clients(db, after, directory)
    world = await storage.worlds.around(db, table, before, after, directory, rules.fairness)
    extent = await _extended(db, table, after, world.facts["extent"])
    await storage.columnar.insert(db, table, new)
    await storage.columnar.replace(db, table, newer)
    then = storage.worlds.changed(world, table, after, (), extent)
    days = await _settle(db, world, then, directory, rules)
    return Changed(len(new), len(newer), same, 0, days)


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
    directory = replace(directory, home=rules.zone)
    ids = await storage.rollups.sync_metrics(db, rules.metrics)
    numbered = [(ids[name], metric) for name, metric in rules.metrics.items()]
    was, now = (_contributions(world, directory, numbered, rules) for world in (before, after))
    change = scoring.rollups.difference(now, was)
    await storage.rollups.apply(db, change)
    return frozenset(change["day"].unique().to_list())


def _contributions(
    world: World, directory: Directory, numbered: scoring.rollups.Numbered, rules: Rules
) -> pl.DataFrame:
    if all(frame.is_empty() for name, frame in world.facts.items() if name not in ("extent", "correction")):
        return scoring.rollups.add([])
    frames = scoring.derive.derive(world.facts, directory, rules.fairness)
    for name, key in (("ticket", "id"), ("span", "ticket"), ("informed", "ticket")):
        frames[name] = frames[name].filter(pl.col(key).is_in(world.tickets.implode()))
    for name in ("survey", "escalation", "time_entry"):
        rows = world.rows.get(name)
        frames[name] = frames[name].clear() if rows is None else frames[name].filter(pl.col("id").is_in(rows.implode()))
    return scoring.rollups.contributions(frames, directory, numbered)


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


async def _extended(db: Db, table: str, after: pl.DataFrame, extent: pl.DataFrame) -> pl.DataFrame:
    """The days between which facts are known, with those of new rows; stored where they reach further."""
    found = storage.worlds.reach(table, after)
    if found is None:
        return extent
    known = {name: (first, last) for name, first, last in extent.iter_rows()}
    old = known.get(table, found)
    wide = (min(old[0], found[0]), max(old[1], found[1]))
    if known.get(table) == wide:
        return extent
    await storage.rollups.set_extent(db, table, *wide)
    known[table] = wide
    return pl.DataFrame([(name, *days) for name, days in known.items()], schema=extent.schema, orient="row")


async def _lock(db: Db) -> None:
    if not storage.columnar.is_sqlite(db):
        await storage.columnar.rows(db, f"SELECT pg_advisory_xact_lock({_LOCK})")
