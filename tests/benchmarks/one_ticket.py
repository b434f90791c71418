"""One changed ticket: how many statements its rollups take, and whether a larger desk makes it dearer."""

from __future__ import annotations

import asyncio
import statistics
from typing import Any

import polars as pl
from sqlalchemy import event

import bot.config
import scoring.rulebook
import storage.columnar
import storage.directory
import storage.facts
from bot.config import Config
from scoring.directory import Directory
from scoring.rules import Rules
from storage.db import Store
from tests.benchmarks import desk, rounds
from tests.benchmarks.rounds import Measured

CHANGES = 20
"""Tickets changed in a round, each in a transaction of its own."""


def run(count: int = rounds.ROUNDS, tickets: int = 1_000_000, fewer: int = 100_000) -> list[Measured]:
    """Statements of one change, and its cost with all tickets ÷ with fewer."""
    return asyncio.run(_measure(count, tickets, fewer))


async def _measure(count: int, tickets: int, fewer: int) -> list[Measured]:
    rules = scoring.rulebook.read(bot.config.rules(Config()), version=1)
    with desk.copied(await desk.database(tickets)) as large, desk.copied(await desk.database(fewer)) as small:
        stores = [Store(f"sqlite:///{path}") for path in (large, small)]
        try:
            desks = [await _chosen(store, rules, count * CHANGES + 1) for store in stores]
            said = await _statements(stores[0], rules, *desks[0])
            pairs = []
            for number in range(count):
                taken = []
                for store, (directory, rows) in zip(stores, desks, strict=True):
                    mine = rows[1 + number * CHANGES : 1 + (number + 1) * CHANGES]
                    taken.append(statistics.median([await _changed(store, rules, directory, one) for one in mine]))
                pairs.append((taken[0], taken[1]))
        finally:
            for store in stores:
                await store.close()
    detail = f"{1000 * min(pair[0] for pair in pairs):.0f} ms"
    return [
        Measured("statements of one changed ticket", said, 20, "at most"),
        Measured(f"one changed ticket: {tickets:,} ÷ {fewer:,}", rounds.median_ratio(pairs), 1.2, "at most", detail),
    ]


async def _chosen(store: Store, rules: Rules, count: int) -> tuple[Directory, list[pl.DataFrame]]:
    """The directory, and tickets from all over the table with another resolver than they had."""
    async with store.read() as db:
        directory = await storage.directory.read(db, rules.zone)
        ids = await storage.columnar.rows(db, f"SELECT id FROM ticket ORDER BY substr(id, -3), id LIMIT {count}")
        rows = await storage.columnar.facts(db, "ticket", "id", [row[0] for row in ids])
    other = rows.with_columns(pl.lit("desk/p7").alias("resolver"), (pl.col("resolved_at") + 60).alias("resolved_at"))
    return directory, [other[number : number + 1] for number in range(len(other))]


async def _changed(store: Store, rules: Rules, directory: Directory, row: pl.DataFrame) -> float:
    async def change() -> None:
        async with store.write() as db:
            done = await storage.facts.upsert(db, "ticket", row, directory, rules)
        if done.changed != 1:
            raise AssertionError("the ticket did not change")

    return await rounds.seconds_of(change)


async def _statements(store: Store, rules: Rules, directory: Directory, rows: list[pl.DataFrame]) -> int:
    said: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    event.listen(store.engine.sync_engine, "before_cursor_execute", hear)
    await _changed(store, rules, directory, rows[0])
    event.remove(store.engine.sync_engine, "before_cursor_execute", hear)
    return len(said)
