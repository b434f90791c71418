"""The timetable: what is due is made once, whoever looks and however often they fall; nothing is missed silently."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import update

import bot.checks
import bot.config
import bot.observe
import bot.scheduler
import handlers.timetable
import scoring.people
import scoring.rulebook
import storage.people
import storage.timetable
from bot.config import Config
from handlers.call import Ctx
from scoring.refused import Refused
from scoring.schedules import Due
from storage.db import Store
from storage.models import team
from storage.models_timetable import timetable
from tests.bot.clockwork import MONDAY, SUNDAY, Clockwork, apply, build, every, say

ROOT = Path(__file__).parents[2]
WEEK, MINUTE = timedelta(days=7), timedelta(minutes=1)


async def test_what_is_due_is_made_once_at_its_time_and_said_in_the_same_transaction(store: Store) -> None:
    await build(store, 3)
    desk = Clockwork(store)
    assert await desk.at(SUNDAY) == 0
    assert await desk.at(MONDAY - timedelta(seconds=1)) == 0
    assert await desk.at(MONDAY) == 3
    assert await desk.said() == every(3)
    assert await desk.ledger() == [(f"lead_digest/team:{i}", "2026-08-03", "made") for i in (1, 2, 3)]
    assert desk.kicked == 1
    assert await desk.at(MONDAY + MINUTE) == 0
    assert await desk.at(MONDAY + WEEK) == 3
    assert await desk.said() == every(3) + every(3, "2026-08-10")


async def test_replicas_whose_clocks_are_ten_minutes_apart_make_everything_once(store: Store) -> None:
    await build(store, 60)
    await Clockwork(store).at(SUNDAY)
    others = [Store(store.url.render_as_string(hide_password=False)) for _ in range(3)]
    desks = [Clockwork(one) for one in others]
    for ahead in (0, 5, 10, 15):
        moments = [MONDAY + MINUTE * (ahead + skew) for skew in (-10, 0, 0)]
        done = await asyncio.gather(*(desk.at(at) for desk, at in zip(desks, moments, strict=True)))
        assert sum(done) == (60 if ahead == 0 else 0)
    assert await desks[0].said() == every(60)
    for other in others:
        await other.close()


async def test_a_leader_that_is_killed_again_and_again_leaves_nothing_out_and_says_nothing_twice(store: Store) -> None:
    chance = Random(1)
    await build(store, 150)
    await Clockwork(store).at(SUNDAY)
    url = store.url.set(drivername=store.url.get_backend_name()).render_as_string(hide_password=False)
    killed_in_the_middle = 0
    for ahead in (-600, 0, 600):  # a clock that is behind finds nothing due
        before = await Clockwork(store).said()
        command = [sys.executable, "-m", "tests.bot.clockwork", url, str(ahead)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        replica = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=subprocess.PIPE, env=environment)
        assert replica.stdout is not None
        assert await replica.stdout.readline()
        for _ in range(20 if ahead < 0 else 300):
            await asyncio.sleep(0.01 + chance.random() / 50)
            if await Clockwork(store).said() != before:
                break
        replica.kill()
        await replica.wait()
        said = len(await Clockwork(store).said())
        killed_in_the_middle += 0 < said < 150
    assert killed_in_the_middle
    last = Clockwork(store)
    async with asyncio.timeout(30):
        while len(await last.said()) < 150:  # PostgreSQL may hold a fallen one's rows a moment longer
            await last.at(MONDAY)
    assert await last.at(MONDAY) == 0
    assert await last.said() == every(150)
    assert len(await last.ledger()) == 150


async def test_a_maker_that_fails_stops_nobody_is_tried_again_and_is_recorded_at_last(store: Store) -> None:
    await build(store, 4)
    calls: list[datetime] = []

    async def torn(ctx: Ctx, due: Due) -> None:
        await say(ctx, due)
        if due.schedule.target == "team:2":
            calls.append(ctx.now)
            raise RuntimeError("a figure of Ana's was not a number")

    desk = Clockwork(store, {"lead_digest": torn})
    await desk.at(SUNDAY)
    assert await desk.at(MONDAY) == 3
    others = Counter(f"lead_digest/team:{i} 2026-08-03" for i in (1, 3, 4))
    assert await desk.said() == others
    assert await desk.at(MONDAY + timedelta(seconds=50)) == 0
    async with store.read() as db:
        assert await storage.timetable.overdue(db, int(desk.now.timestamp())) == ()
    moment = MONDAY
    for attempt in range(1, bot.scheduler.ATTEMPTS):
        before = len(calls)
        moment += MINUTE * 2 ** (attempt - 1)
        await desk.at(moment - timedelta(seconds=1))
        assert len(calls) == before, "too early"
        async with store.read() as db:
            waiting = await storage.timetable.overdue(db, int((moment + 5 * MINUTE).timestamp()))
        assert [(one.key, one.failures) for one in waiting] == [("lead_digest/team:2", attempt)]
        assert "log has more under" in waiting[0].problem
        assert "Ana" not in waiting[0].problem
        await desk.at(moment)
        assert len(calls) > before
    [failed] = [row for row in await desk.ledger() if row[2] != "made"]
    assert failed == ("lead_digest/team:2", "2026-08-03", "failed")
    async with store.read() as db:
        assert await storage.timetable.overdue(db, int(desk.now.timestamp()) + 3600) == ()
        [given_up] = await storage.timetable.failed(db, int(MONDAY.timestamp()))
        assert "log has more under" in given_up.note
    assert await desk.said() == others
    assert await desk.at(MONDAY + WEEK) == 3, "the next week is tried afresh"


async def test_a_maker_that_mends_itself_is_made_late_and_says_so(store: Store) -> None:
    await build(store, 1)
    broken = True

    async def mended(ctx: Ctx, due: Due) -> None:
        if broken:
            raise RuntimeError
        await say(ctx, due)

    desk = Clockwork(store, {"lead_digest": mended})
    for minutes in (-60, 0, 1, 3, 7):
        await desk.at(MONDAY + minutes * MINUTE)
    broken = False
    assert await desk.at(MONDAY + 20 * MINUTE) == 1
    assert await desk.said() == every(1, more=" late")
    assert await desk.rows("SELECT failures, problem FROM timetable") == [(0, None)]


async def test_a_maker_that_hangs_holds_up_nobody_else(store: Store) -> None:
    await build(store, 3)

    async def hangs(ctx: Ctx, due: Due) -> None:
        if due.schedule.target == "team:1":
            await asyncio.sleep(3600)
        await say(ctx, due)

    desk = Clockwork(store, {"lead_digest": hangs}, patience=0.2)
    await desk.at(SUNDAY)
    assert await desk.at(MONDAY) == 2
    assert await desk.said() == every(3) - every(1)


async def test_a_maker_that_has_good_reason_not_to_is_recorded_with_its_words(store: Store) -> None:
    await build(store, 2)

    async def refuses(ctx: Ctx, due: Due) -> None:
        await say(ctx, due)
        if due.schedule.target == "team:1":
            raise Refused("No data has been loaded.", "Run redfirst ingest.")

    desk = Clockwork(store, {"lead_digest": refuses})
    await desk.at(SUNDAY)
    assert await desk.at(MONDAY) == 2
    assert await desk.said() == Counter(["lead_digest/team:2 2026-08-03"])
    [row] = await desk.rows("SELECT state, note FROM run WHERE schedule = 'lead_digest/team:1'")
    assert tuple(row) == ("skipped", "No data has been loaded. Run redfirst ingest.")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("latest", {"late": 1, "skipped": 12}), ("all", {"late": 13}), ("skip", {"skipped": 13})],
)
async def test_after_ninety_days_every_missed_run_is_made_late_or_in_the_ledger(
    store: Store, rule: str, expected: dict[str, int]
) -> None:
    await build(store, 2, f"[[schedule]]\naudience = 'lead'\ncatch_up = '{rule}'")
    desk = Clockwork(store)
    await desk.at(SUNDAY)
    await desk.at(SUNDAY + timedelta(days=90))
    ledger = await desk.ledger()
    mondays = [(MONDAY + i * WEEK).date().isoformat() for i in range(13)]
    assert [due for key, due, _ in ledger if key.endswith("1")] == mondays
    states = Counter(state for key, _, state in ledger if key.endswith("1"))
    assert states == expected
    assert sum((await desk.said()).values()) == 2 * states["late"]
    assert all(row[0] for row in await desk.rows("SELECT note FROM run WHERE state = 'skipped'"))


async def test_a_schedule_that_was_changed_holds_from_the_change_and_repeats_no_date(store: Store) -> None:
    await build(store, 1)
    desk = Clockwork(store)
    await desk.at(SUNDAY)
    await desk.at(MONDAY)
    await apply(store, "[[schedule]]\naudience = 'lead'\nat = '11:00'", MONDAY)
    assert await desk.at(MONDAY + 180 * MINUTE) == 0, "this Monday has been told"
    assert await desk.at(MONDAY + WEEK) == 0
    assert await desk.at(MONDAY + WEEK + 150 * MINUTE) == 1
    await apply(store, "[[schedule]]\naudience = 'lead'\ncadence = 'daily'\ncatch_up = 'all'", desk.now)
    assert await desk.at(MONDAY + WEEK + 170 * MINUTE) == 0, "nothing is due from before the change"
    assert await desk.at(MONDAY + WEEK + timedelta(days=2)) == 2
    assert [due for _, due, _ in await desk.ledger()] == ["2026-08-03", "2026-08-10", "2026-08-11", "2026-08-12"]


async def test_what_is_switched_off_rests_and_begins_again_from_then_on(store: Store) -> None:
    await build(store, 2)
    desk = Clockwork(store)
    await desk.at(SUNDAY)
    await apply(store, "[[schedule]]\naudience = 'lead'\nteam = 't1'\noff = true", SUNDAY)
    assert await desk.at(MONDAY) == 1
    await desk.at(MONDAY + WEEK)
    await apply(store, "", MONDAY + WEEK)
    assert await desk.at(MONDAY + WEEK + MINUTE) == 0
    assert await desk.at(MONDAY + 2 * WEEK) == 2
    assert await desk.said() == every(2, "2026-08-17") + Counter(
        f"lead_digest/team:2 {day}" for day in ("2026-08-03", "2026-08-10")
    )


async def test_a_team_that_moves_to_another_zone_or_gets_a_holiday_misses_and_repeats_nothing(store: Store) -> None:
    await build(store, 1)
    desk = Clockwork(store)
    await desk.at(MONDAY)
    await desk.at(MONDAY)
    for zone, holidays in (("Pacific/Auckland", "[]"), ("America/Los_Angeles", "[20675]")):  # 10 August
        async with store.write() as db:
            await db.execute(update(team).values(zone=zone, holidays=holidays))
        await desk.at(desk.now + timedelta(days=1))
    assert await desk.at(datetime.fromisoformat("2026-08-11T15:29:59Z")) == 0
    assert await desk.at(datetime.fromisoformat("2026-08-11T15:30:00Z")) == 1
    assert (await desk.ledger())[-1] == ("lead_digest/team:1", "2026-08-10", "made")


async def test_a_replica_with_older_rules_or_an_older_release_undoes_nothing(store: Store) -> None:
    await build(store, 1)
    old = Clockwork(store)
    old.rules._every = 3600.0
    new = Clockwork(store, {"lead_digest": say, "nudges": say})
    await old.at(SUNDAY)
    await apply(store, "[[schedule]]\naudience = 'lead'\nweekday = 'Tuesday'", SUNDAY)
    await new.at(SUNDAY)
    old.keeper._listed = None  # as after a quarter of an hour
    assert await old.at(MONDAY) == 0, "by the old rules this would be due"
    assert await new.at(MONDAY + 60 * MINUTE) == 1
    patterns = dict(tuple(r) for r in await new.rows("SELECT key, pattern FROM timetable WHERE digest <> ''"))
    assert patterns == {"lead_digest/team:1": "weekly 08:30 weekday 1", "nudges/team:1": "daily 09:30"}


async def test_a_date_that_is_in_the_ledger_already_is_not_said_whatever_the_timetable_says(store: Store) -> None:
    await build(store, 3)
    desk = Clockwork(store)
    await desk.at(SUNDAY)
    before = await desk.rows("SELECT done, next_due FROM timetable WHERE key = 'lead_digest/team:1'")
    await desk.at(MONDAY)
    async with store.write() as db:  # as if the table had been restored from a copy of the day before
        await db.execute(update(timetable).values(done=before[0][0], next_due=before[0][1], wake_at=before[0][1]))
    await desk.at(MONDAY + MINUTE)
    assert await desk.said() == every(3)
    assert await desk.at(MONDAY + WEEK) == 3


async def test_what_falls_between_two_turns_is_made_with_the_next_and_a_stop_begins_nothing_more(store: Store) -> None:
    await build(store, 20)
    desk = Clockwork(store)
    await desk.at(SUNDAY)
    await desk.keeper.stop()
    assert await desk.at(MONDAY) == 0
    again = Clockwork(store)
    assert await again.at(MONDAY + 16 * MINUTE) == 20
    assert await again.said() == every(20, more=" late")


async def test_the_coming_times_of_a_team_are_told_in_order_before_and_after_the_first_turn(store: Store) -> None:
    await build(store, 1, "[[schedule]]\naudience = 'team'\nto = 'slack:C1'\nweekday = 'Sunday'\nworking_days = false")
    makers: dict[str, Callable[..., object]] = {"lead_digest": say, "nudges": say, "team_digest": say}
    desk = Clockwork(store, makers)  # type: ignore[arg-type]
    expected = [
        ("nudges/team:1", "2026-08-03T09:30"), ("team_digest/team:1", "2026-08-09T09:00"),
        ("lead_digest/team:1", "2026-08-10T08:30"),
    ]  # fmt: skip
    for turned in (False, True):
        if turned:
            await desk.at(MONDAY)
        async with store.read() as db:
            ctx = Ctx(db, bot.scheduler.REDFIRST, MONDAY, await desk.rules.get(db, MONDAY))
            found = await handlers.timetable.upcoming(ctx, "team:1", makers)
        assert [(one.key, f"{at:%Y-%m-%dT%H:%M}") for one, at in found] == expected


async def test_a_schedule_of_a_team_that_is_not_there_is_pointed_out(sqlite_store: Store) -> None:
    await build(sqlite_store, 2, "[[schedule]]\naudience = 'lead'\nteam = 't3x'")
    async with sqlite_store.read() as db:
        rules = await Clockwork(sqlite_store).rules.get(db, SUNDAY)
        [(what, remedy)] = handlers.timetable.astray(rules, await storage.people.teams(db))
    assert "“t3x”" in what
    assert remedy == "Known are: t1, t2." or "Did you mean" in remedy


def test_a_team_speaks_on_its_own_working_days_and_its_own_order_goes_before_that_for_all() -> None:
    hours = scoring.people.Hours(((), ((540, 1020),), ((540, 1020),), (), (), ((600, 660),), ()))
    one = scoring.people.Team(7, "weekend", "Weekend", "Asia/Dubai", hours, frozenset({20_000}))
    words = "[[schedule]]\naudience = 'lead'\ncadence = 'daily'\n[[schedule]]\naudience = 'lead'\nteam = 'weekend'"
    rules = scoring.rulebook.read(bot.config.rules(Config(parsed=tomllib.loads(words))), version=1)
    [found] = handlers.timetable.schedules(rules, [one], {"lead_digest"})
    assert (found.key, found.cadence, found.zone) == ("lead_digest/team:7", "weekly", "Asia/Dubai")
    assert (found.working, found.holidays) == (frozenset({1, 2, 5}), frozenset({20_000}))


async def test_check_and_metrics_tell_what_is_overdue_and_what_was_given_up(sqlite_store: Store) -> None:
    await build(sqlite_store, 2, "[[schedule]]\naudience = 'lead'\nteam = 't9'\nat = '10:00'")

    async def broken(ctx: Ctx, due: Due) -> None:
        if due.schedule.target == "team:2" and ctx.now < MONDAY + WEEK:
            raise RuntimeError

    desk = Clockwork(sqlite_store, {"lead_digest": broken})

    async def looked(at: datetime) -> tuple[dict[str, str], float]:
        config = Config(database_url=sqlite_store.url.render_as_string())
        findings = [one async for one in bot.checks.database(config, lambda: at) if one.area == "timetable"]
        app = web.Application()
        bot.observe.mount(app, sqlite_store, lambda: at)
        async with TestClient(TestServer(app)) as client:
            told = await (await client.get("/metrics")).text()
        overdue = next(line for line in told.splitlines() if line.startswith("redfirst_timetable_overdue "))
        return {one.what: one.remedy for one in findings if not one.well}, float(overdue.split()[1])

    nowhere = "Schedule lead_digest is for the team “t9”, which is not there."
    await desk.at(SUNDAY)
    found, overdue = await looked(SUNDAY)
    assert (list(found), overdue) == ([nowhere], 0.0)
    await desk.at(MONDAY)
    found, overdue = await looked(MONDAY + 6 * MINUTE)
    assert overdue == 1.0
    assert any(what.startswith("lead_digest/team:2 should have been made. It could not be made;") for what in found)
    for minutes in (1, 3, 7, 15, 31):
        await desk.at(MONDAY + minutes * MINUTE)
    found, overdue = await looked(MONDAY + 60 * MINUTE)
    assert overdue == 0.0
    assert any(what.startswith("lead_digest/team:2 of 2026-08-03 could not be made.") for what in found)
    await desk.at(MONDAY + WEEK)
    assert list((await looked(MONDAY + WEEK + 60 * MINUTE))[0]) == [nowhere]
