"""Rows in and out of the database as columns, in one statement each, on either database."""
# ruff: noqa: S608  (names of tables and columns are the schema's own; values are parameters)

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

import polars as pl

import scoring.derive
from storage.db import Db

_LOCK = 7_246_331


def is_sqlite(db: Db) -> bool:
    return db.dialect.name == "sqlite"


async def rows(db: Db, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """What a statement in the driver's own words finds."""
    found = await db.exec_driver_sql(sql, tuple(values)) if values else await db.exec_driver_sql(sql)
    return [tuple(row) for row in found]


async def mark(db: Db) -> tuple[Any, int, int] | None:
    """Equal marks: nobody wrote to the database in between. None where that cannot be told (PostgreSQL).

    SQLite counts what other connections committed, the connection what it wrote itself; so both marks must be
    of one connection, which a pool that gives the last one back first usually grants.
    """
    if not is_sqlite(db):
        return None
    others = (await rows(db, "PRAGMA data_version"))[0][0]
    driver: Any = (await db.get_raw_connection()).driver_connection
    return driver, others, driver.total_changes


async def lock(db: Db) -> None:
    """One writer of facts and rollups at a time: what is read after this is what the change will be made to."""
    if not is_sqlite(db):  # which has only one writer anyway
        await rows(db, f"SELECT pg_advisory_xact_lock({_LOCK})")


def listed(db: Db, column: str, kind: str = "text") -> str:
    """A condition that `column` is among the values of one parameter, made by `values`."""
    if is_sqlite(db):
        return f"{column} IN (SELECT value FROM json_each(?))"
    return f"{column} = ANY($1::{kind}[])"


def values(db: Db, items: Sequence[Any]) -> tuple[Any, ...]:
    return (json.dumps(list(items)),) if is_sqlite(db) else (list(items),)


def names(table: str, prefix: str = "") -> str:
    return ", ".join(f'{prefix}"{name}"' for name in scoring.derive.typed(table))


async def facts(db: Db, table: str, column: str, items: Sequence[Any], where: str = "") -> pl.DataFrame:
    """The rows of a fact table whose `column` (text, indexed) is among `items`; `where` begins with AND."""
    schema = scoring.derive.typed(table)
    if not items:
        return pl.DataFrame(schema=schema)
    sql = f'SELECT {names(table)} FROM "{table}" WHERE {listed(db, column)}{where}'
    return read(await rows(db, sql, values(db, items)), table)


def read(found: list[tuple[Any, ...]], table: str) -> pl.DataFrame:
    """Rows of a fact table as columns (SQLite answers true and false as 1 and 0)."""
    schema = scoring.derive.typed(table)
    flags = [name for name, kind in schema.items() if kind == pl.Boolean]
    loose = {name: pl.Int64() if name in flags else kind for name, kind in schema.items()}
    return pl.DataFrame(found, schema=loose, orient="row", strict=False).with_columns(pl.col(flags).cast(pl.Boolean))


async def insert(db: Db, table: str, frame: pl.DataFrame) -> None:
    """New rows of a fact table, as fast as the driver takes them."""
    if frame.is_empty():
        return
    columns = list(scoring.derive.typed(table))
    records = frame.select(columns).rows()
    if is_sqlite(db):
        marks = ", ".join("?" * len(columns))
        await db.exec_driver_sql(f'INSERT INTO "{table}" ({names(table)}) VALUES ({marks})', records)
        return
    driver = (await db.get_raw_connection()).driver_connection
    await cast(Any, driver).copy_records_to_table(table, records=records, columns=columns)


async def replace(db: Db, table: str, frame: pl.DataFrame) -> None:
    """New versions of rows that a fact table has."""
    if frame.is_empty():
        return
    columns = [name for name in scoring.derive.typed(table) if name != "id"]
    marks = ["?" if is_sqlite(db) else f"${number}" for number in range(1, len(columns) + 2)]
    changes = ", ".join(f'"{name}" = {mark}' for name, mark in zip(columns, marks, strict=False))
    records = frame.select([*columns, "id"]).rows()
    await db.exec_driver_sql(f'UPDATE "{table}" SET {changes} WHERE id = {marks[-1]}', records)


async def remove(db: Db, table: str, ids: Sequence[str]) -> None:
    await db.exec_driver_sql(f'DELETE FROM "{table}" WHERE {listed(db, "id")}', values(db, ids))
