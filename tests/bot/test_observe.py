"""What the process says of itself: alive, ready, and in figures that name nobody."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

import storage.models
import storage.outbox
import storage.schema
from bot import observe
from storage.db import Store

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
AT = int(NOW.timestamp())


class Desk:
    """A server with nothing but these routes, and a client of it."""

    def __init__(self, server: TestServer, client: aiohttp.ClientSession) -> None:
        self._server, self._client = server, client

    async def get(self, path: str) -> tuple[int, str]:
        async with self._client.get(self._server.make_url(path)) as response:
            return response.status, await response.text()

    async def figure(self, name: str) -> float:
        _, text = await self.get("/metrics")
        return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"{name} "))


async def served(store: Store) -> AsyncIterator[Desk]:
    app = web.Application()
    observe.mount(app, store, lambda: NOW, ("slack",))
    async with TestServer(app) as server, aiohttp.ClientSession() as client:
        yield Desk(server, client)


@pytest.fixture
async def desk(store: Store) -> AsyncIterator[Desk]:
    async for one in served(store):
        yield one


async def say(store: Store, platform: str, due_at: int, key: str) -> None:
    async with store.write() as db:
        await storage.outbox.add(db, platform, "C1", {"title": "x"}, key, due_at)


async def test_a_process_that_can_serve_is_healthy_and_ready(desk: Desk) -> None:
    assert await desk.get("/healthz") == (200, '{"healthy": true}')
    assert await desk.get("/readyz") == (200, '{"ready": true}')


async def test_without_the_right_schema_a_process_is_healthy_but_not_ready(desk: Desk, store: Store) -> None:
    await storage.schema.downgrade(store)
    assert (await desk.get("/healthz"))[0] == 200
    status, text = await desk.get("/readyz")
    assert status == 503
    assert "redfirst migrate" in text


async def test_without_a_database_a_process_says_so_and_still_gives_its_own_figures(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'no' / 'such' / 'place.db'}")
    async for desk in served(store):
        assert await desk.get("/readyz") == (503, '{"ready": false, "problem": "The database cannot be reached."}')
        status, text = await desk.get("/metrics")
        assert status == 200
        assert "redfirst_outbox_due NaN" in text
    await store.close()
    for thread in threading.enumerate():  # the driver's threads still have to tell this loop that they end
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join, 10)


async def test_an_outbox_that_nobody_empties_makes_the_process_unready(desk: Desk, store: Store) -> None:
    await say(store, "slack", AT - observe.LAG, "a")
    assert (await desk.get("/readyz"))[0] == 200
    await say(store, "slack", AT - observe.LAG - 1, "b")
    status, text = await desk.get("/readyz")
    assert status == 503
    assert "outbox" in text


async def test_messages_for_a_platform_that_is_not_connected_here_do_not_make_it_unready(
    desk: Desk, store: Store
) -> None:
    await say(store, "teams", AT - 10 * observe.LAG, "a")
    assert (await desk.get("/readyz"))[0] == 200


async def test_the_figures_follow_the_outbox_and_the_data(desk: Desk, store: Store) -> None:
    assert await desk.figure("redfirst_data_age_seconds") == -1
    assert await desk.figure("redfirst_outbox_due") == 0
    await say(store, "slack", AT - 40, "a")
    await say(store, "teams", AT + 500, "b")
    async with store.write() as db:
        await db.execute(
            storage.models.load.insert().values(
                source="x", file="x", digest="", state="done", started_at=AT, rows=1, rejected=0,
                as_of=int((NOW - timedelta(hours=3)).timestamp()),
                tickets_as_of=int((NOW - timedelta(hours=3)).timestamp()),
            )
        )  # fmt: skip
        outbox = storage.models.outbox
        await db.execute(outbox.update().where(outbox.c.key == "b").values(state="failed"))
    assert await desk.figure("redfirst_outbox_due") == 1
    assert await desk.figure("redfirst_outbox_failed") == 1
    assert await desk.figure("redfirst_outbox_lag_seconds") == 40
    assert await desk.figure("redfirst_data_age_seconds") == 3 * 3600


async def test_calls_are_counted_by_kind_and_outcome_and_by_nothing_else(desk: Desk) -> None:
    name = 'redfirst_requests_total{kind="command",outcome="refused",platform="slack"}'
    observe.answered("slack", "command", "refused", 0.02)
    before = await desk.figure(name)
    observe.answered("slack", "command", "refused", 0.02)
    observe.duplicate("slack")
    observe.turned_away("slack", 401)
    observe.posted("teams", "sent")
    assert await desk.figure(name) == before + 1
    _, text = await desk.get("/metrics")
    labels: set[Any] = {
        pair.partition("=")[0]
        for line in text.splitlines()
        if line.startswith("redfirst_") and "{" in line
        for pair in line[line.index("{") + 1 : line.index("}")].split(",")
    }
    assert {"platform", "kind", "outcome"} <= labels <= {"platform", "kind", "outcome", "status", "le"}
