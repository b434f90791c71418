"""The clockwork: what matured is closed once, what is old is forgotten, and nothing is closed too early."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

import scoring.periods
import storage.inbox
import storage.loads
from bot.scheduler import Scheduler
from tests.handlers import desk as small
from tests.handlers.conftest import desk as desk
from tests.handlers.conftest import desk_file as desk_file
from tests.handlers.conftest import desk_template as desk_template
from tests.handlers.conftest import postgres_desk as postgres_desk
from tests.handlers.conftest import sqlite_desk as sqlite_desk
from tests.handlers.desk import Desk


def clockwork(desk: Desk) -> Scheduler:
    return Scheduler(desk.store, desk.rules, lambda: desk.now)


async def closed(desk: Desk, who: str) -> set[str]:
    return {
        r[0] for r in await desk.rows("SELECT period FROM frozen_score WHERE subject = :s", s=f"person:{desk.ids[who]}")
    }


async def only(desk: Desk, *whos: str) -> None:
    """Leaves only these in teams, so that there is less to close."""
    kept = ", ".join(str(desk.ids[who]) for who in whos)
    await desk.change(f"DELETE FROM membership WHERE person_id NOT IN ({kept})")


async def test_every_matured_period_of_everybody_scored_is_closed_once(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    await only(desk, "ana", "lena", "zoe", "lou")
    first = await clockwork(desk).freeze()
    weeks = {scoring.periods.week(day).key for day in range(small.THIS_WEEK - 14, small.TODAY - 7 * 13, -7)}
    assert await closed(desk, "ana") >= weeks
    assert "2026-W31" not in await closed(desk, "ana")
    assert await closed(desk, "zoe") == set()
    assert "2026-W30" not in await closed(desk, "lou")  # had left by then
    assert first == await desk.one("SELECT count(*) FROM frozen_score")
    assert await clockwork(desk).freeze() == 0
    desk.now = small.NOW + timedelta(days=7)
    assert await clockwork(desk).freeze() == 0  # the data do not reach that far yet
    async with desk.store.write() as db:
        await small.loaded(db, small.AS_OF + 7 * small.A_DAY)
    assert await clockwork(desk).freeze() > 0
    assert "2026-W31" in await closed(desk, "ana")


async def test_nothing_is_closed_while_a_load_is_under_way_and_a_killed_one_does_not_hold_it_up(
    sqlite_desk: Desk,
) -> None:
    desk = sqlite_desk
    await only(desk, "ana")
    now = int(desk.now.timestamp())
    async with desk.store.write() as db:
        await storage.loads.begin(db, "standard:desk", "history.csv", "1" * 64, now - 60)
    assert await clockwork(desk).freeze() == 0
    await desk.change("UPDATE load SET started_at = :then WHERE state = 'running'", then=now - small.A_DAY)
    assert await clockwork(desk).freeze() > 0


async def test_nothing_is_closed_before_there_are_data(sqlite_desk: Desk) -> None:
    await only(sqlite_desk, "ana")
    await sqlite_desk.change("DELETE FROM load")
    assert await clockwork(sqlite_desk).freeze() == 0


async def test_two_replicas_that_close_at_the_same_moment_keep_one_version(desk: Desk) -> None:
    await only(desk, "ana")
    await asyncio.gather(clockwork(desk).freeze(), clockwork(desk).freeze())
    assert await desk.rows("SELECT 1 FROM frozen_score WHERE version <> 1") == []
    assert len(await closed(desk, "ana")) == await desk.one(
        "SELECT count(*) FROM frozen_score WHERE subject LIKE 'person:%'"
    )


async def test_teams_and_the_desk_are_closed_beside_people(sqlite_desk: Desk) -> None:
    await only(sqlite_desk, "ana")
    await clockwork(sqlite_desk).freeze()
    kinds = {row[0].partition(":")[0] for row in await sqlite_desk.rows("SELECT DISTINCT subject FROM frozen_score")}
    assert kinds == {"person", "team", "desk"}
    assert await clockwork(sqlite_desk).freeze() == 0


async def test_a_tick_forgets_deliveries_of_more_than_a_week_ago(sqlite_desk: Desk) -> None:
    await only(sqlite_desk, "zoe")
    async with sqlite_desk.store.write() as db:
        for days in (6, 8):
            await storage.inbox.first(db, f"{days} days", int((sqlite_desk.now - timedelta(days=days)).timestamp()))
    await clockwork(sqlite_desk).tick()
    assert [row[0] for row in await sqlite_desk.rows("SELECT key FROM inbox")] == ["6 days"]


async def test_a_tick_that_fails_is_logged_and_the_next_one_does_its_work(
    sqlite_desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    await only(sqlite_desk, "ana")
    await sqlite_desk.change("ALTER TABLE frozen_score RENAME TO gone")
    with caplog.at_level(logging.ERROR, "redfirst.scheduler"):
        await clockwork(sqlite_desk).tick()
    assert [r.message for r in caplog.records] == ["a tick failed; the next one does its work"]
    await sqlite_desk.change("ALTER TABLE gone RENAME TO frozen_score")
    await clockwork(sqlite_desk).tick()
    assert "2026-W30" in await closed(sqlite_desk, "ana")


async def test_it_ticks_by_itself_and_stops_when_told(sqlite_desk: Desk) -> None:
    await only(sqlite_desk, "ana")
    ticking = Scheduler(sqlite_desk.store, sqlite_desk.rules, lambda: sqlite_desk.now, every=0.05)
    await ticking.start()
    async with asyncio.timeout(20):
        while "2026-W30" not in await closed(sqlite_desk, "ana"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await ticking.stop()
    assert "2026-W30" in await closed(sqlite_desk, "ana")


async def test_the_first_tick_does_not_wait_for_a_whole_interval(sqlite_desk: Desk) -> None:
    await only(sqlite_desk, "ana")
    ticking = Scheduler(sqlite_desk.store, sqlite_desk.rules, lambda: sqlite_desk.now, every=900.0, first=0.05)
    await ticking.start()
    async with asyncio.timeout(20):
        while "2026-W30" not in await closed(sqlite_desk, "ana"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await ticking.stop()
    assert "2026-W30" in await closed(sqlite_desk, "ana")


async def test_a_tick_with_nothing_to_close_asks_little_and_writes_nothing(desk: Desk) -> None:
    """However many people there are; and whoever was never scored is not looked at again and again."""
    assert await clockwork(desk).freeze() > 0
    statements: list[str] = []

    def hear(*args: Any) -> None:
        statements.append(str(args[2]))

    event.listen(desk.store.engine.sync_engine, "before_cursor_execute", hear)
    assert await clockwork(desk).freeze() == 0
    event.remove(desk.store.engine.sync_engine, "before_cursor_execute", hear)
    assert len(statements) <= 12
    assert not [one for one in statements if one.lstrip().startswith(("BEGIN IMMEDIATE", "INSERT", "UPDATE"))]


async def test_a_tick_under_way_comes_to_its_end_before_the_stop(sqlite_desk: Desk) -> None:
    await only(sqlite_desk, "ana", "ben")
    ticking = Scheduler(sqlite_desk.store, sqlite_desk.rules, lambda: sqlite_desk.now, every=0.05)
    await ticking.start()
    async with asyncio.timeout(20):
        while not await closed(sqlite_desk, "ana"):  # noqa: ASYNC110
            await asyncio.sleep(0)
    await ticking.stop()
    assert await closed(sqlite_desk, "ben") == await closed(sqlite_desk, "ana")
    assert await sqlite_desk.one("SELECT count(*) FROM frozen_score WHERE subject = 'desk'") > 0
