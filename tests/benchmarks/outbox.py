"""How much the outbox costs over bare SQL: messages claimed and marked as sent, 50 at a time, by one worker."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import asyncpg

import storage.deliveries
import storage.outbox
import storage.pace
import storage.schema
from bot import pace
from storage.db import Store
from storage.deliveries import Row, Sent
from tests.benchmarks import rounds
from tests.benchmarks.rounds import Measured
from tests.conftest import _cluster

BATCH = 50
MESSAGES = 2_000
NOW = 1_785_920_400

_CLAIM = """
UPDATE outbox SET state = 'claimed', claimed_until = $2, attempts = attempts + 1
WHERE id IN (SELECT id FROM outbox WHERE state = 'due' AND due_at <= $1 AND platform = ANY($3)
             ORDER BY due_at, id LIMIT 50 FOR UPDATE SKIP LOCKED)
RETURNING id, key, platform, recipient, body, attempts
"""
_MARK = """
UPDATE outbox SET state = 'sent', claimed_until = NULL, reference = given.reference
FROM unnest($1::int[], $2::int[], $3::text[]) AS given (id, attempts, reference)
WHERE outbox.id = given.id AND outbox.state = 'claimed' AND outbox.attempts = given.attempts
"""


def run(count: int = rounds.ROUNDS, postgres: str = "") -> list[Measured]:
    """Messages a second of ours over those of asyncpg alone; and, for information, with pace and beginning."""
    return asyncio.run(_run(count, postgres))


async def _run(count: int, postgres: str) -> list[Measured]:
    base, end = (postgres, None) if postgres else _cluster()
    head, _, query = base.partition("?")
    url = f"{head.rsplit('/', 1)[0]}/redfirst_bench_outbox" + (f"?{query}" if query else "")
    admin = await asyncpg.connect(base)
    try:
        await admin.execute("DROP DATABASE IF EXISTS redfirst_bench_outbox WITH (FORCE)")
        await admin.execute("CREATE DATABASE redfirst_bench_outbox")
        store = Store(url)
        bare = await asyncpg.connect(url)
        try:
            await storage.schema.upgrade(store)
            pairs = []
            whole = []
            for turn in range(count + 1):  # the first warms up
                ours = await _timed(store, turn, "ours", lambda: _ours(store))
                floor = await _timed(store, turn, "bare", lambda: _bare(bare))
                full = await _timed(store, turn, "full", lambda: _full(store))
                if turn:
                    pairs.append((ours, floor))
                    whole.append((full, floor))
        finally:
            await bare.close()
            await store.close()
        await admin.execute("DROP DATABASE redfirst_bench_outbox WITH (FORCE)")
    finally:
        await admin.close()
        if end is not None:
            end()
    return [
        Measured("outbox: claim and mark, over asyncpg", rounds.median_ratio(pairs), 0.35, "at least", _spelt(pairs)),
        Measured("outbox: with pace and begin marks", rounds.median_ratio(whole), 0.15, "at least", _spelt(whole)),
    ]


def _spelt(pairs: list[tuple[float, float]]) -> str:
    mine, bare = (sorted(one)[len(one) // 2] for one in zip(*pairs, strict=True))
    return f"{mine:,.0f} a second against {bare:,.0f}, {BATCH} at a time"


async def _timed(store: Store, turn: int, name: str, work: Any) -> float:
    """Messages a second; the table is filled before and emptied after."""
    card = {"is": "Card", "title": "x", "blocks": [{"is": "Text", "text": "y" * 1500, "tone": "normal"}]}
    async with store.write() as db:
        for i in range(MESSAGES):
            await storage.outbox.add(db, "slack", f"U{i}", card, f"{name} {turn} {i}", NOW)
    began = time.perf_counter()
    done = await work()
    rate: float = done / (time.perf_counter() - began)
    async with store.write() as db:
        await db.exec_driver_sql("TRUNCATE outbox, pace")
    if done != MESSAGES:
        raise RuntimeError(f"{done} of {MESSAGES} messages were marked")
    return rate


async def _ours(store: Store) -> int:
    done = 0
    while rows := await _claimed(store):
        async with store.write() as db:
            await storage.deliveries.settle(db, _sent(rows), NOW)
        done += len(rows)
    return done


async def _full(store: Store) -> int:
    """As the delivery does it, every instant of the workspace's limit being free."""
    done = 0
    while True:
        async with store.write() as db:
            rows = await storage.deliveries.claim(db, ["slack"], ["slack"], NOW, NOW + 120, BATCH)
            if not rows:
                return done
            at = 1000 * (NOW + done)
            await storage.pace.slots(db, [pace.limits(row) for row in rows], at, at + 600_000)
        async with store.write() as db:
            await storage.deliveries.begun(db, rows, NOW)
        async with store.write() as db:
            await storage.deliveries.settle(db, _sent(rows), NOW)
        done += len(rows)


async def _claimed(store: Store) -> list[Row]:
    async with store.write() as db:
        return await storage.deliveries.claim(db, ["slack"], ["slack"], NOW, NOW + 120, BATCH)


def _sent(rows: list[Row]) -> list[tuple[Row, Sent]]:
    return [(row, Sent(f"C1/{row.id}", 0)) for row in rows]


async def _bare(connection: asyncpg.Connection) -> int:
    done = 0
    while True:
        async with connection.transaction():
            rows = await connection.fetch(_CLAIM, NOW, NOW + 120, ["slack"])
        if not rows:
            return done
        for row in rows:
            json.loads(row["body"])
        ids, attempts = [row["id"] for row in rows], [row["attempts"] for row in rows]
        async with connection.transaction():
            await connection.execute(_MARK, ids, attempts, [f"C1/{number}" for number in ids])
        done += len(rows)
