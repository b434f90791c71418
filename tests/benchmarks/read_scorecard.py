"""Reading one scorecard through the store, against the pooled driver running the very same SQL."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import aiosqlite
import asyncpg
from sqlalchemy import event

import bot.config
import scoring.periods
import scoring.rulebook
import scoring.scorecards
import storage.columnar
import storage.rollups
import storage.schema
from bot.config import Config
from scoring.metrics import Metric
from storage.db import Store
from tests.benchmarks import desk, ingest, rounds
from tests.benchmarks.rounds import Measured

PERIOD = scoring.periods.rolling("weeks4", desk.TODAY - 3)
_WARM = 20


def run(count: int = rounds.ROUNDS, reads: int = 200, tickets: int = 100_000, postgres: str = "") -> list[Measured]:
    """Two ratios, one a database. Without an address a private PostgreSQL is started."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        return asyncio.run(_measure(count, reads, tickets, postgres or ingest.cluster(folder, stack)))


async def _measure(count: int, reads: int, tickets: int, postgres: str) -> list[Measured]:
    rules = scoring.rulebook.read(bot.config.rules(Config()), version=1)
    rubric = scoring.scorecards.choose_rubric(rules, "person", "technician", 1, "", desk.TODAY)
    metrics = [rules.metrics[entry.metric] for entry in rubric.entries]
    path = await desk.database(tickets)
    found = []
    with desk.copied(path) as mine:
        store = Store(f"sqlite:///{mine}")
        sql = await _sql(store, metrics)
        async with aiosqlite.connect(mine) as driver:

            async def bare(number: int) -> None:
                await driver.execute("BEGIN")
                if not list(await driver.execute_fetchall(*_for(sql, number))):
                    raise AssertionError("nothing to read")
                await driver.execute("COMMIT")

            found.append(await _ratio("SQLite", store, metrics, bare, count, reads))
        address = await ingest.database(postgres, 99)
        server = Store(address)
        await storage.schema.upgrade(server)
        await _copied(store, server)
        await store.close()
        sql = await _sql(server, metrics)
        async with asyncpg.create_pool(address, min_size=2, max_size=10) as pool:

            async def pooled(number: int) -> None:
                text, values = _for(sql, number)
                async with pool.acquire() as connection, connection.transaction():
                    if not await connection.fetch(text, *values):
                        raise AssertionError("nothing to read")

            found.append(await _ratio("PostgreSQL", server, metrics, pooled, count, reads))
        await server.close()
    return found


async def _ratio(
    name: str, store: Store, metrics: list[Metric], bare: Callable[[int], Awaitable[None]], count: int, reads: int
) -> Measured:
    people = desk.asking(reads)

    async def ours() -> None:
        for number in people:
            async with store.brief() as db:
                await storage.rollups.person_series(db, number, metrics, PERIOD)

    async def theirs() -> None:
        for number in people:
            await bare(number)

    for number in people[:_WARM]:
        await bare(number)
    await ours()
    pairs = [(await rounds.seconds_of(ours), await rounds.seconds_of(theirs)) for _ in range(count)]
    detail = f"{1000 * min(pair[0] for pair in pairs) / reads:.2f} ms"
    return Measured(f"reading one scorecard ÷ driver, {name}", rounds.median_ratio(pairs), 2.5, "at most", detail)


_MARK = 987_654
"""Stands for the person in the captured statement."""


async def _sql(store: Store, metrics: list[Metric]) -> tuple[str, tuple[Any, ...]]:
    """The statement that reads a scorecard, as the driver gets it, with its parameters."""
    said: list[tuple[str, tuple[Any, ...]]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        said.append((statement, tuple(parameters)))

    event.listen(store.engine.sync_engine, "before_cursor_execute", hear)
    async with store.read() as db:
        await storage.rollups.person_series(db, _MARK, metrics, PERIOD)
    event.remove(store.engine.sync_engine, "before_cursor_execute", hear)
    if len(said) != 1:
        raise AssertionError(f"{len(said)} statements for one scorecard")
    return said[0]


def _for(sql: tuple[str, tuple[Any, ...]], number: int) -> tuple[str, tuple[Any, ...]]:
    return sql[0], tuple(number if value == _MARK else value for value in sql[1])


async def _copied(store: Store, server: Store) -> None:
    """People, metrics and rollups of one database into another; facts are not read for a card."""
    async with store.read() as db:
        metrics = await storage.columnar.rows(db, "SELECT id, name, digest, connected FROM metric")
        rollups = await storage.rollups.stored(db)
    async with server.write() as db:
        await desk.people(db)
        await db.exec_driver_sql(
            "INSERT INTO metric (id, name, digest, connected) VALUES ($1, $2, $3, $4)",
            [(number, name, digest, bool(connected)) for number, name, digest, connected in metrics],
        )
        await storage.rollups.apply(db, rollups)
    async with server.write() as db:
        await db.exec_driver_sql("ANALYZE")
