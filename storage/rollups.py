"""Rollups in the database: kept by differences, made anew by a rebuild; both come to the same."""
# ruff: noqa: S608  (names of tables and columns are the schema's own; values are parameters)

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl
from sqlalchemy import bindparam, delete, insert, select, update

import scoring.derive
import scoring.directory
import scoring.facts
import scoring.rollups
import storage.columnar
import storage.directory
from scoring.directory import Directory
from scoring.metrics import Metric
from scoring.rules import Rules
from storage.db import Db, Store
from storage.drilldown import has_part as has_part
from storage.drilldown import tickets_behind as tickets_behind
from storage.models import metric, rollup
from storage.series import connected as connected
from storage.series import person_series as person_series
from storage.series import team_cells as team_cells
from storage.series import team_series as team_series

_KEY = ", ".join(scoring.rollups.KEY)
_SUMS = scoring.rollups.SUMS
_ADD = ", ".join(f"{name} = rollup.{name} + excluded.{name}" for name in _SUMS)
_NOTHING = " AND ".join(f"{name} = 0" for name in _SUMS)
_COLUMNS = ", ".join(scoring.rollups.ROLLUP)
WRITE_BATCH = 20_000
"""Rollup rows of one write during a rebuild, which keeps SQLite's lock under 250 ms."""

_ALL_METRICS = select(metric.c.name, metric.c.id, metric.c.digest)
_NEW_METRIC = insert(metric).values(name=bindparam("name"), digest="", connected=False)
_CONNECT = (
    update(metric).where(metric.c.id.in_(bindparam("ids", expanding=True)), ~metric.c.connected).values(connected=True)
)


async def sync_metrics(db: Db, metrics: Mapping[str, Metric]) -> dict[str, int]:
    """The id of each metric by name; one that is new gets one, and has no rollups until it is built."""
    known = {row.name: row.id for row in await db.execute(_ALL_METRICS)}
    missing = [name for name in metrics if name not in known]
    if missing:
        await db.execute(_NEW_METRIC, [{"name": name} for name in missing])
        known = {row.name: row.id for row in await db.execute(_ALL_METRICS)}
    return {name: known[name] for name in metrics}


async def known_metrics(db: Db, metrics: Mapping[str, Metric]) -> dict[str, int] | None:
    """The same without writing: None where a metric has no id yet."""
    known = {row.name: row.id for row in await db.execute(_ALL_METRICS)}
    return {name: known[name] for name in metrics} if known.keys() >= metrics.keys() else None


async def stale(db: Db, metrics: Mapping[str, Metric]) -> list[str]:
    """Metrics whose rollups were made by another definition, or never."""
    digests = {row.name: row.digest for row in await db.execute(_ALL_METRICS)}
    return [name for name, one in metrics.items() if digests.get(name) != one.digest]


async def set_extent(db: Db, table: str, first: int, last: int) -> None:
    mark = ("?", "?", "?") if storage.columnar.is_sqlite(db) else ("$1::text", "$2::int", "$3::int")
    await db.exec_driver_sql(
        f"INSERT INTO extent (table_name, first_day, last_day) VALUES ({', '.join(mark)}) ON CONFLICT (table_name) "
        "DO UPDATE SET first_day = excluded.first_day, last_day = excluded.last_day",
        (table, first, last),
    )


async def apply(db: Db, change: pl.DataFrame) -> None:
    """Adds a difference (columns `scoring.rollups.ROLLUP`) to what is stored; rows that come to nothing go."""
    if change.is_empty():
        return
    ordered = change.select(list(scoring.rollups.ROLLUP)).sort(scoring.rollups.KEY)
    into = f"INSERT INTO rollup ({_COLUMNS}) "
    conflict = f" ON CONFLICT ({_KEY}) DO UPDATE SET {_ADD}"
    if storage.columnar.is_sqlite(db):
        await db.exec_driver_sql(f"{into} VALUES (?, ?, ?, ?, ?, ?, ?, ?){conflict}", ordered.rows())
    else:
        kinds = ["int"] * 4 + ["bigint"] * 4
        arrays = ", ".join(f"${index}::{kind}[]" for index, kind in enumerate(kinds, 1))
        values = tuple(series.to_list() for series in ordered.get_columns())
        await db.exec_driver_sql(f"{into} SELECT * FROM unnest({arrays}){conflict}", values)
    await db.exec_driver_sql(f"DELETE FROM rollup WHERE {_NOTHING}")
    await db.execute(_CONNECT, {"ids": ordered.filter(pl.col("den") > 0)["metric_id"].unique().sort().to_list()})


async def compute(db: Db, known: Directory, rules: Rules, names: Iterable[str] | None = None) -> pl.DataFrame:
    """What the rollups of these metrics (all without names) ought to be, from every fact, in order of their key."""
    ids = {row.name: row.id for row in await db.execute(_ALL_METRICS)}
    wanted = set(rules.metrics if names is None else names)
    numbered = [(ids[name], one) for name, one in rules.metrics.items() if name in wanted]
    facts = await everything(db)
    frames = scoring.derive.derive(facts, known, rules.fairness)
    return scoring.rollups.contributions(frames, known, numbered).sort(scoring.rollups.KEY)


async def everything(db: Db) -> dict[str, pl.DataFrame]:
    """All facts, confirmed corrections and extents, as `scoring.derive.derive` takes them."""
    facts: dict[str, pl.DataFrame] = {}
    for table in scoring.facts.SCHEMA:
        sql = f'SELECT {storage.columnar.names(table)} FROM "{table}"'
        facts[table] = storage.columnar.read(await storage.columnar.rows(db, sql), table)
    found = await storage.columnar.rows(db, "SELECT ticket, person_id FROM correction WHERE state = 'confirmed'")
    facts["correction"] = pl.DataFrame(found, schema={"ticket": pl.String, "person": pl.Int64}, orient="row")
    extent = await storage.columnar.rows(db, "SELECT table_name, first_day, last_day FROM extent")
    schema = {"table_name": pl.String, "first_day": pl.Int64, "last_day": pl.Int64}
    facts["extent"] = pl.DataFrame(extent, schema=schema, orient="row")
    return facts


async def stored(db: Db, ids: Iterable[int] | None = None) -> pl.DataFrame:
    """The rollups there are (of these metric ids), in order of their key."""
    sql = f"SELECT {_COLUMNS} FROM rollup"
    values: tuple[Any, ...] = ()
    if ids is not None:
        sql += f" WHERE {storage.columnar.listed(db, 'metric_id', 'int')}"
        values = storage.columnar.values(db, sorted(ids))
    found = await storage.columnar.rows(db, sql, values)
    return pl.DataFrame(found, schema=scoring.rollups.ROLLUP, orient="row").sort(scoring.rollups.KEY)


async def outdate(db: Db) -> None:
    """In the transaction that changes people, calendars or links: all rollups are to be renewed by `renew`."""
    await db.execute(update(metric).values(digest=""))


async def rebuild(where: Store | Db, rules: Rules, names: Iterable[str] | None = None) -> int:
    """Makes rollups of these metrics (all without names) anew: people, calendars, links or definitions changed.

    With a store: facts, people and rollups are read at one moment, and only differences are written, added in
    short transactions, so that facts which arrive meanwhile are not lost and nobody waits; killed half-way, it
    is run again. With a connection: inside the caller's transaction, whose lock is held all that time. Returns
    how many rows differed.
    """
    chosen = list(rules.metrics if names is None else names)
    if not isinstance(where, Store):
        ids = await _prepare(where, rules)
        change = await _lacking(where, rules, ids, chosen)
        await apply(where, change)
        await _built(where, rules, chosen)
        return len(change)
    async with where.write() as db:
        ids = await _prepare(db, rules)
    async with where.read() as db:
        if not where.is_sqlite:
            await db.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        change = await _lacking(db, rules, ids, chosen)
    for start in range(0, len(change), WRITE_BATCH):
        async with where.write() as db:
            await apply(db, change[start : start + WRITE_BATCH])
    async with where.write() as db:
        await _built(db, rules, chosen)
    return len(change)


async def renew(store: Store, rules: Rules) -> list[str]:
    """Rebuilds the metrics whose definition changed since they were built; returns their names."""
    async with store.read() as db:
        names = await stale(db, rules.metrics)
    if names:
        await rebuild(store, rules, names)
    return names


async def _prepare(db: Db, rules: Rules) -> dict[str, int]:
    """Every metric and every client gets its number; metrics that the rules no longer know are forgotten."""
    ids = await sync_metrics(db, rules.metrics)
    await _forget(db, set(ids.values()))
    known = scoring.directory.build([], [], [], {}, {})
    for table in ("time_entry", "endpoints"):
        clients = await storage.columnar.rows(db, f'SELECT DISTINCT client FROM "{table}" WHERE client IS NOT NULL')
        rows = pl.DataFrame(clients, schema={"client": pl.String}, orient="row")
        await storage.directory.numbered_clients(db, rows, known)
    return ids


async def _lacking(db: Db, rules: Rules, ids: Mapping[str, int], names: Iterable[str]) -> pl.DataFrame:
    """What must be added to the stored rollups of these metrics, in order of their key."""
    known = await storage.directory.read(db, rules.zone)
    ought = await compute(db, known, rules, names)
    there = await stored(db, [ids[name] for name in names])
    return scoring.rollups.difference(ought, there).sort(scoring.rollups.KEY)


async def _built(db: Db, rules: Rules, names: Iterable[str]) -> None:
    for name in names:
        await db.execute(update(metric).where(metric.c.name == name).values(digest=rules.metrics[name].digest))


async def _forget(db: Db, ids: set[int]) -> None:
    """Metrics that the rules no longer know lose their rollups."""
    known = {row.id for row in await db.execute(_ALL_METRICS)}
    for gone in sorted(known - ids):
        await db.execute(delete(rollup).where(rollup.c.metric_id == gone))
        await db.execute(delete(metric).where(metric.c.id == gone))
