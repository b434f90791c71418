"""What goes on behind the demo's page: nights are loaded like exports, deeds are done once, a move finds them there."""

from __future__ import annotations

import asyncio
import pickle
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import polars as pl
import pytest

import bot.app
import bot.config
import bot.demo
import bot.web
import scoring.periods
import storage.coaching
import storage.columnar
import storage.directory
import storage.distortions
import storage.facts
import storage.inbox
import storage.loads
import storage.objectives
import storage.outbox
import storage.people
import storage.people_file
import storage.plans
import storage.priorities
import storage.redflags
import storage.rollups
import storage.rules
import storage.schema
import storage.worlds
from bot import demo_ahead, demo_deeds, demo_desk, demo_tickets
from bot.config import Config
from bot.demo_ahead import Rest
from bot.demo_feed import Feed
from bot.demo_stage import Stage
from bot.demo_time import Movable
from scoring.refused import Refused
from storage.db import Store
from storage.loads import Progress

TODAY = date(2026, 11, 20)
NOW = scoring.periods.day_of(TODAY)
MORNING = datetime(2026, 11, 20, 10, tzinfo=UTC)
SEED = 7


@lru_cache(maxsize=1)
def _begun() -> tuple[dict[str, pl.DataFrame], bytes]:
    """A desk of half a year, which is quicker told than thirteen months: its facts, and the rest of it."""
    facts, world, book = demo_tickets.begun(SEED, demo_desk.people(TODAY), date(2026, 5, 1), TODAY)
    return facts, pickle.dumps(demo_ahead.rest(world, book, facts))


def rest() -> Rest:
    """What is left of it, which is used up by whoever goes on with it."""
    found = pickle.loads(_begun()[1])  # noqa: S301  it was written above
    assert isinstance(found, Rest)
    return found


async def _fill(url: str, config: Config) -> None:
    people = demo_desk.people(TODAY)
    facts, _ = _begun()
    store, at = Store(url), datetime(2026, 11, 20, tzinfo=UTC)
    await storage.schema.upgrade(store)
    async with store.write() as db:
        await storage.people_file.load(db, people, made_up=True)
        for one in await storage.people.everyone(db, NOW):
            await storage.people.link_account(db, f"demo:{one.id}", one.id)
        rules = storage.rules.read(await storage.rules.ensure(db, bot.config.rules(config), at))
        for table, frame in facts.items():
            await storage.columnar.insert(db, table, frame)
            if (reach := storage.worlds.reach(table, frame)) is not None:
                await storage.rollups.set_extent(db, table, *reach)
        await storage.rollups.fill(db, facts, rules)
        number = await storage.loads.begin(db, bot.demo.SOURCE, "made up", "begun", NOW)
        await storage.loads.finish(db, number, Progress(1, 0, int(at.timestamp()) - 60, int(at.timestamp()) - 60), NOW)
    await store.close()


def config(path: Path) -> Config:
    return Config(
        database_url=f"sqlite:///{path}", port=0, demo=True, parsed=bot.demo.configured({}, TODAY)
    )


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "filled.db"
    asyncio.run(_fill(f"sqlite:///{path}", config(path)))
    return path


@pytest.fixture
async def store(filled: Path, tmp_path: Path) -> AsyncIterator[Store]:
    shutil.copy(filled, tmp_path / "redfirst.db")
    found = Store(f"sqlite:///{tmp_path / 'redfirst.db'}")
    yield found
    await found.close()


async def test_nights_go_in_like_exports_and_the_figures_are_those_of_a_rebuild(store: Store) -> None:
    feed, rules = Feed(SEED, TODAY, rest()), storage.rules.InForce()
    await feed.up_to(store, rules, MORNING)
    async with store.read() as db:
        before = await storage.columnar.rows(db, "SELECT COUNT(*) FROM ticket")
        assert await storage.loads.as_of(db) == NOW * 86_400 - 60  # the night before today's was loaded with the rest
    for days in (1, 4):
        await feed.up_to(store, rules, MORNING + timedelta(days=days))
    async with store.read() as db:
        assert await storage.columnar.rows(db, "SELECT COUNT(*) FROM ticket") > before
        assert await storage.loads.as_of(db) == (NOW + 4) * 86_400
        known = await rules.get(db, MORNING)
        newest = (await storage.columnar.rows(db, "SELECT MAX(opened_at) FROM ticket"))[0][0]
        assert (NOW + 3) * 86_400 < newest <= (NOW + 4) * 86_400
    async with store.write() as db:
        assert await storage.rollups.rebuild(db, known) == 0


async def test_a_night_that_was_loaded_half_is_loaded_again_and_nothing_counts_twice(store: Store) -> None:
    feed, rules = Feed(SEED, TODAY, rest()), storage.rules.InForce()
    ahead = await feed.ready()
    news = ahead.news(NOW, NOW + 3)
    half = {table: news[table] for table in ("survey", "time_entry")}
    async with store.read() as db:
        known = await rules.get(db, MORNING)
    async with store.write() as db:
        directory = await storage.directory.read(db, known.zone)
        for table, frame in half.items():
            await storage.facts.upsert(db, table, frame, directory, known)
    for again in (feed, Feed(SEED, TODAY, rest())):  # the second is another process
        await again.up_to(store, rules, MORNING + timedelta(days=3))
        assert await again.loaded(store) == NOW + 3
    async with store.read() as db:
        assert (await storage.columnar.rows(db, "SELECT COUNT(*) FROM load"))[0][0] == 2
    async with store.write() as db:
        assert await storage.rollups.rebuild(db, known) == 0


async def test_on_a_long_way_only_some_nights_are_loaded_and_a_monday_s_always(store: Store) -> None:
    feed, rules = Feed(SEED, TODAY, rest()), storage.rules.InForce()
    end, loaded = MORNING + timedelta(days=15), []
    for days in range(16):  # Friday to Saturday
        await feed.up_to(store, rules, MORNING + timedelta(days=days), end)
        loaded.append(await feed.loaded(store) - NOW)
    assert loaded == [0, 0, 0, 3, 3, 3, 3, 3, 3, 3, 10, 10, 10, 13, 13, 15]


async def test_the_story_ends_and_says_so(store: Store) -> None:
    feed = Feed(SEED, TODAY, rest())
    with pytest.raises(Refused, match="no story"):
        await feed.up_to(store, storage.rules.InForce(), feed.until + timedelta(days=1))


async def _counted(store: Store) -> dict[str, int]:
    tables = ("plan", "objective", "distortion", "red_flag", "coach_talk", "coach_note", "priority", "outbox")
    async with store.read() as db:
        return {name: (await storage.columnar.rows(db, f'SELECT COUNT(*) FROM "{name}"'))[0][0] for name in tables}


async def test_deeds_are_done_once_however_often_they_are_begun(store: Store) -> None:
    rules = storage.rules.InForce()

    async def do() -> None:
        await demo_deeds.do(store, rules, TODAY, "stamp", bot.demo.SOURCE, lambda: MORNING)

    class KilledError(Exception):
        pass

    asked = 0

    def killing() -> datetime:
        nonlocal asked
        asked += 1
        if asked == 20:
            raise KilledError
        return MORNING

    with pytest.raises(KilledError):
        await demo_deeds.do(store, rules, TODAY, "stamp", bot.demo.SOURCE, killing)
    half = await _counted(store)
    assert 0 < half["objective"] < 8
    await do()
    whole = await _counted(store)
    assert whole["plan"] == 2
    assert whole["objective"] == 8
    assert (whole["distortion"], whole["coach_talk"], whole["priority"]) == (2, 1, 1)
    assert whole["red_flag"] > 0
    async with store.write() as db:
        await storage.inbox.prune(db, int((MORNING + timedelta(days=1)).timestamp()))
    await do()
    assert await _counted(store) == whole


async def test_there_is_something_to_see_of_every_kind(store: Store) -> None:
    await demo_deeds.do(store, storage.rules.InForce(), TODAY, "stamp", bot.demo.SOURCE, lambda: MORNING)
    async with store.read() as db:
        teams = {team.key: team for team in await storage.people.teams(db)}
        plans = [p for team in teams.values() for p in await storage.plans.of_subject(db, f"team:{team.id}")]
        assert sorted(plan.due_day < NOW for plan in plans) == [False, True]
        coming = max(plan.due_day for plan in plans)
        assert scoring.periods.monday(coming) == scoring.periods.monday(NOW) + 7
        assert {one.state for state in ("asked", "approved") for one in await storage.distortions.of_state(db, state)}
        levels = {one.level for one in await storage.objectives.standing(db)}
        assert levels == {"leadership", "team", "individual"}
        assert all(one.owner_id for one in await storage.objectives.standing(db))
        [first, *_] = [flag for flag in await storage.redflags.open(db) if flag.owner_id]
        assert first.next_contact is not None
        assert first.next_contact > NOW
        samir = await storage.people.by_key(db, demo_desk.WRITES_LATE, NOW)
        assert samir is not None
        [talk] = await storage.coaching.talks(db, samir.id)
        assert talk.check_day > NOW
        assert await storage.priorities.of(db, "2026-11")
        old = [m for m in await storage.outbox.listed(db, ("due", "sent")) if m.made_at < (NOW - 7) * 86_400]
        assert old == []


async def test_a_move_brings_a_week_of_data_digests_and_a_clock_that_stays_where_it_was(
    store: Store, tmp_path: Path
) -> None:
    settings = config(tmp_path / "redfirst.db")
    monday, far = datetime(2026, 11, 30, 9, tzinfo=UTC), MORNING + timedelta(days=80)
    for begun in range(2):
        clock = Movable(real=lambda: MORNING)
        stage = Stage(clock, SEED, TODAY, rest())
        running = await bot.app.start(settings, clock, stage=stage)
        try:
            if begun:  # again, on the same day
                assert monday - timedelta(hours=1) < clock() <= monday
                continue
            edge = running.edges["demo"]
            assert isinstance(edge, bot.web.WebEdge)
            assert edge.move is not None
            assert await edge.move(monday) == monday
            clock.to(far)
            with pytest.raises(Refused, match=r"story up to Saturday 20 February"):
                await edge.move(far + timedelta(days=30))
        finally:
            await running.stop()
    async with store.read() as db:
        assert await storage.loads.as_of(db) == int(monday.timestamp()) // 86_400 * 86_400
        said = await storage.columnar.rows(db, "SELECT key, due_at FROM outbox WHERE state = 'sent' ORDER BY due_at")
        runs = await storage.columnar.rows(db, "SELECT schedule, due, state FROM run")
    digests = [key for key, _ in said if key.startswith("digest|lead")]
    assert len(digests) == 6  # two Mondays, on the second of which America is still asleep
    assert any(key.startswith("nudge:") for key, _ in said)
    assert any("plan" in key for key, _ in said)
    assert {state for _, _, state in runs} == {"made"}
