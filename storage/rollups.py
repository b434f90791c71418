"""Rollups in the database: kept by differences, made anew by a rebuild; both come to the same."""
# ruff: noqa: S608  (names of tables and columns are the schema's own; values are parameters)

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl
from sqlalchemy import bindparam, delete, insert, select, update

import scoring.derive
import scoring.directory
import scoring.rollups
import storage.columnar
import storage.directory
import storage.rebuilds
import storage.rules
import storage.workings
import storage.worlds
from scoring.directory import Directory
from scoring.metrics import Metric
from scoring.rules import Rules
from storage.db import Db, Store
from storage.drilldown import has_part as has_part
from storage.drilldown import tickets_behind as tickets_behind
from storage.models import metric, rollup, rollup_week
from storage.rebuilds import PAGES, Kept, Pages
from storage.series import connected as connected
from storage.series import person_series as person_series
from storage.series import team_cells as team_cells
from storage.series import team_series as team_series

BUILDING = "building "
"""In front of the token of a rebuild, where the definition stands otherwise."""

AT_ONCE = 2_000
"""Rows that columns are made of in one go, while everybody else waits."""

SUBJECTS = 10
"""People (or clients) whose rollups are read in one go."""

_KEY = ", ".join(scoring.rollups.KEY)
_SUMS = scoring.rollups.SUMS
_NOTHING = " AND ".join(f"{name} = 0" for name in _SUMS)
_COLUMNS = ", ".join(scoring.rollups.ROLLUP)
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


async def built(db: Db) -> dict[str, str]:
    """By which definition the rollups of each metric are built, or (`BUILDING` and a token) who is building them."""
    return {row.name: row.digest for row in await db.execute(_ALL_METRICS)}


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
    await _add(db, "rollup", change)
    await _add(db, "rollup_week", scoring.rollups.weeks(change))


async def _add(db: Db, table: Kept, change: pl.DataFrame) -> None:
    if change.is_empty():
        return
    ordered = change.select(list(scoring.rollups.ROLLUP)).sort(scoring.rollups.KEY)
    into = f"INSERT INTO {table} ({_COLUMNS}) "
    added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in _SUMS)
    conflict = f" ON CONFLICT ({_KEY}) DO UPDATE SET {added}"
    if storage.columnar.is_sqlite(db):
        await db.exec_driver_sql(f"{into} VALUES (?, ?, ?, ?, ?, ?, ?, ?){conflict}", ordered.rows())
    else:
        kinds = ["int"] * 4 + ["bigint"] * 4
        arrays = ", ".join(f"${index}::{kind}[]" for index, kind in enumerate(kinds, 1))
        values = tuple(series.to_list() for series in ordered.get_columns())
        await db.exec_driver_sql(f"{into} SELECT * FROM unnest({arrays}){conflict}", values)
    await db.exec_driver_sql(f"DELETE FROM {table} WHERE {_NOTHING}")
    if table == "rollup":
        await db.execute(_CONNECT, {"ids": ordered.filter(pl.col("den") > 0)["metric_id"].unique().sort().to_list()})


async def stored(db: Db, ids: Iterable[int] | None = None, table: Kept = "rollup") -> pl.DataFrame:
    """The rollups there are (of these metric ids), in order of their key."""
    sql = f"SELECT {_COLUMNS} FROM {table}"
    values: tuple[Any, ...] = ()
    if ids is not None:
        sql += f" WHERE {storage.columnar.listed(db, 'metric_id', 'int')}"
        values = storage.columnar.values(db, sorted(ids))
    found = await storage.columnar.rows(db, sql, values)
    return pl.DataFrame(found, schema=scoring.rollups.ROLLUP, orient="row").sort(scoring.rollups.KEY)


async def between(db: Db, ids: Iterable[int], first: int, last: int) -> pl.DataFrame:
    """The rollups of these metric ids on local days from `first` to `last`, some subjects after the other: whoever
    asks meanwhile waits for one step."""
    sql = f"SELECT {_COLUMNS} FROM rollup WHERE {storage.columnar.listed(db, 'metric_id', 'int')} "
    sql += f"AND day BETWEEN {first:d} AND {last:d} AND subject_id BETWEEN "
    values = storage.columnar.values(db, sorted(ids))
    parts, low = [pl.DataFrame(schema=scoring.rollups.ROLLUP)], await _subject_from(db, 0)
    while low is not None:
        found = await storage.columnar.rows(db, f"{sql} {low:d} AND {low + SUBJECTS - 1:d}", values)
        for start in range(0, len(found), AT_ONCE):
            some = found[start : start + AT_ONCE]
            parts.append(pl.DataFrame(some, schema=scoring.rollups.ROLLUP, orient="row"))
            await asyncio.sleep(0)
        low = await _subject_from(db, low + SUBJECTS)
    return pl.concat(parts)


async def _subject_from(db: Db, low: int) -> int | None:
    """The next subject with rollups, its id included."""
    found = await storage.columnar.rows(db, f"SELECT MIN(subject_id) FROM rollup WHERE subject_id >= {low:d}")
    number: int | None = found[0][0]
    return number


async def outdate(db: Db, names: Sequence[str] | None = None) -> None:
    """In the transaction that changes people, calendars or links: rollups of these metrics (all without names) are
    to be renewed by `renew`."""
    all_of_them = update(metric).values(digest="")
    await db.execute(all_of_them if names is None else all_of_them.where(metric.c.name.in_(names)))


async def fill(db: Db, facts: Mapping[str, pl.DataFrame], rules: Rules) -> None:
    """The first rollups of a database, from the facts just written to it: a rebuild that reads nothing back."""
    await _number(db, rules, await _new_clients(db))
    ids, _ = await _ids(db, rules)
    _, known, _, numbered = await _asked(db, rules, ids, rules.metrics)
    frames = scoring.derive.derive({**facts, "extent": await storage.worlds.extent(db)}, known, rules.fairness)
    await apply(db, scoring.rollups.contributions(frames, known, numbered))
    await _mark(db, rules.metrics, {name: one.digest for name, one in rules.metrics.items()})


async def rebuild(
    where: Store | Db, rules: Rules, names: Iterable[str] | None = None, pages: Pages = PAGES
) -> int:  # fmt: skip
    """Makes rollups of these metrics (all without names) anew: people, calendars, links or definitions changed.

    With a store: facts, people and rollups are read at one moment, page by page, and only differences are written,
    added in short transactions, so that facts which arrive meanwhile are not lost and nobody waits. Killed half-way,
    it is run again; where another rebuild begins, or people change, this one leaves the metrics concerned to it, or
    begins again. With a connection: inside the caller's transaction, whose lock is held all that time. Returns how
    many rows differed.
    """
    chosen = list(rules.metrics if names is None else names)
    if not isinstance(where, Store):
        await storage.workings.anew(where)
        await _number(where, rules, await _new_clients(where))
        ids, gone = await _ids(where, rules)
        rows = 0
        async for changes in storage.rebuilds.lacking(*await _asked(where, rules, ids, chosen), gone, pages):
            for table, change in changes.items():
                await _add(where, table, change)
            rows += len(changes["rollup"])
        await _forget(where, gone)
        await _mark(where, chosen, {name: rules.metrics[name].digest for name in chosen})
        return rows
    rows = 0
    while chosen:
        token = f"{BUILDING}{secrets.token_hex(8)}"
        try:
            return rows + await _rebuilt(where, rules, chosen, token, pages)
        except _Overtaken as overtaken:
            rows += overtaken.rows
            async with where.read() as db:
                rules = await storage.rules.newest(db, rules)
                chosen = [name for name in await _left(db, chosen, token) if name in rules.metrics]
    return rows


class _Overtaken(Exception):
    """Another rebuild began meanwhile, or people changed: what is still to be written no longer holds."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.rows = rows


async def _rebuilt(store: Store, rules: Rules, names: Sequence[str], token: str, pages: Pages) -> int:
    async with store.read() as db:
        clients = await _new_clients(db)
    async with store.write() as db:
        await storage.columnar.lock(db)
        await storage.workings.anew(db)
        await _number(db, rules, clients)
        ids, gone = await _ids(db, rules)
        await _mark(db, names, dict.fromkeys(names, token))
    rows = 0
    async with store.read() as db:
        if not store.is_sqlite:
            await db.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        async for changes in storage.rebuilds.lacking(*await _asked(db, rules, ids, names), gone, pages):
            for table, change in changes.items():
                for start in range(0, len(change), pages.written):
                    async with store.loading() as writing:
                        if not await _holds(writing, names, token):
                            raise _Overtaken(rows)
                        await _add(writing, table, change[start : start + pages.written])
            await store.settle()
            rows += len(changes["rollup"])
    async with store.write() as db:
        if not await _holds(db, names, token):
            raise _Overtaken(rows)
        await _forget(db, gone)
        await _mark(db, names, {name: rules.metrics[name].digest for name in names})
    return rows


async def renew(store: Store, rules: Rules) -> list[str]:
    """Rebuilds the metrics whose definition changed since they were built; returns their names."""
    async with store.read() as db:
        names = await stale(db, rules.metrics)
    if names:
        await rebuild(store, rules, names)
    return names


async def _asked(
    db: Db, rules: Rules, ids: Mapping[str, int], names: Iterable[str]
) -> tuple[Db, Directory, Rules, scoring.rollups.Numbered]:
    known = await storage.directory.read(db, rules.zone)
    return db, known, rules, [(ids[name], rules.metrics[name]) for name in names]


async def _new_clients(db: Db) -> list[str]:
    """Clients of facts that have no number yet."""
    found: set[str] = set()
    for table in ("time_entry", "endpoints"):
        sql = f'SELECT DISTINCT client FROM "{table}" WHERE client IS NOT NULL'
        found.update(row[0] for row in await storage.columnar.rows(db, sql))
    found -= {row[0] for row in await storage.columnar.rows(db, "SELECT client FROM client_number")}
    return sorted(found)


async def _number(db: Db, rules: Rules, clients: Sequence[str]) -> None:
    await sync_metrics(db, rules.metrics)
    rows = pl.DataFrame({"client": clients}, schema={"client": pl.String})
    await storage.directory.numbered_clients(db, rows, scoring.directory.build([], [], [], {}, {}))


async def _ids(db: Db, rules: Rules) -> tuple[dict[str, int], set[int]]:
    """Ids of the rules' metrics by name, and of those that the rules no longer know."""
    known = {row.name: row.id for row in await db.execute(_ALL_METRICS)}
    ids = {name: known.pop(name) for name in rules.metrics}
    return ids, set(known.values())


async def _mark(db: Db, names: Iterable[str], digests: Mapping[str, str]) -> None:
    """By which definition these metrics are built, or who is building them."""
    for name in names:
        await db.execute(update(metric).where(metric.c.name == name).values(digest=digests[name]))


async def _holds(db: Db, names: Sequence[str], token: str) -> bool:
    """Whether nobody else began to build these metrics, or made them stale, since they were marked."""
    await storage.columnar.lock(db)  # so that nobody begins while this is written
    digests = {row.name: row.digest for row in await db.execute(_ALL_METRICS)}
    return all(digests.get(name) == token for name in names)


async def _left(db: Db, names: Sequence[str], token: str) -> list[str]:
    """Of metrics whose rebuild was overtaken those that nobody else is building."""
    digests = {row.name: row.digest for row in await db.execute(_ALL_METRICS)}
    return [name for name in names if digests.get(name) in ("", token)]


async def _forget(db: Db, ids: Iterable[int]) -> None:
    """Metrics that the rules no longer know, whose rollups are gone."""
    for gone in sorted(ids):
        for table in (rollup, rollup_week):
            await db.execute(delete(table).where(table.c.metric_id == gone))
        await db.execute(delete(metric).where(metric.c.id == gone))
