"""What a distortion does to rollups: facts of its days count less or not at all, and all is as before without it."""

from __future__ import annotations

import asyncio
import itertools
import random
from dataclasses import replace
from typing import Any

import polars as pl

import scoring.rollups
import storage.directory
import storage.distortions
import storage.facts
import storage.rollups
import storage.windows
import storage.workings
from scoring.distortions import Distortion
from storage.db import Db, Store
from tests.storage import desk
from tests.storage.at_work import SMALL, dying, nothing, work_in
from tests.storage.desk import MONDAY, RULES

FIRST, LAST = MONDAY + 8, MONDAY + 12
KEY = ["subject_id", "metric_id", "day", "team_id"]


async def fill(store: Store) -> None:
    async with store.write() as db:
        await desk.furnish(db)
        await desk.number_clients(db)
        known = await storage.directory.read(db)
        rng = random.Random(3)
        for table in desk.TABLES:
            rows = desk.rows(table, [f"{table[0]}{number}" for number in range(60)], rng)
            await storage.facts.upsert(db, table, rows, known, RULES)


async def decide(db: Db, **more: Any) -> Distortion:
    """One that is approved, and not worked in yet."""
    asked = Distortion(0, "outage", "desk", FIRST, LAST, 0, "Mail outage", 1)
    asked = replace(asked, **more)
    number = await storage.distortions.declare(db, asked, 1)
    one = replace(asked, id=number, state="approved", decided_by=2)
    assert await storage.distortions.decide(db, one, 2)
    return one


async def declare(store: Store, **more: Any) -> Distortion:
    """One that is approved, with its effect."""
    async with store.write() as db:
        one = await decide(db, **more)
    assert await work_in(store, RULES) == 1
    return one


async def undo(db: Db, one: Distortion) -> None:
    assert await storage.distortions.revert(db, replace(one, state="reverted"), 1, 3)


async def take_back(store: Store, *some: Distortion) -> None:
    async with store.write() as db:
        for one in some:
            await undo(db, one)
    assert await work_in(store, RULES) == len(some)


async def is_as_made_anew(store: Store) -> bool:
    """Whether rollups are what all facts come to by what is effective, of days and of weeks."""
    async with store.write() as db:
        known = await storage.directory.read(db, RULES.zone)
        days = await desk.anew(db, known, RULES)
        kept = [await storage.rollups.stored(db, table=table) for table in ("rollup", "rollup_week")]
    return kept[0].equals(days) and kept[1].equals(scoring.rollups.weeks(days).sort(scoring.rollups.KEY))


async def rollups(store: Store) -> pl.DataFrame:
    async with store.read() as db:
        return await storage.rollups.stored(db)


async def ids_of(store: Store, *, spans: bool) -> list[int]:
    """The ids of metrics whose both sides count rows on their day, or spans alive on it."""
    async with store.write() as db:
        ids = await storage.rollups.sync_metrics(db, RULES.metrics)
    return [
        ids[name]
        for name, one in RULES.metrics.items()
        if {bool(one.numerator.until), bool(one.denominator.until)} == {spans}
    ]


async def test_facts_of_the_window_are_left_out_and_nothing_else_changes(store: Store) -> None:
    await fill(store)
    before, these = await rollups(store), pl.col("metric_id").is_in(await ids_of(store, spans=False))
    await declare(store)
    after = await rollups(store)
    within = pl.col("day").is_between(FIRST, LAST)
    assert len(before.filter(within & these)) > 20
    assert after.filter(within & these).is_empty()
    assert after.filter(~within & these).equals(before.filter(~within & these))


async def test_a_level_is_nothing_within_the_window_and_what_it_was_before_and_after(store: Store) -> None:
    await fill(store)
    before, these = await rollups(store), pl.col("metric_id").is_in(await ids_of(store, spans=True))
    await declare(store)
    after = await rollups(store)
    for day in (FIRST - 1, FIRST, LAST, LAST + 1, LAST + 20):
        was, now = (
            frame.filter(these & (pl.col("day") <= day)).group_by("subject_id", "metric_id").agg(
                pl.col("num", "den", "n").sum()
            ).filter(pl.any_horizontal(pl.col("num", "den", "n") != 0)).sort("subject_id", "metric_id")
            for frame in (before, after)
        )  # fmt: skip
        assert len(was) > 5
        if FIRST <= day <= LAST:
            assert now.is_empty()
        else:
            assert now.equals(was)


async def test_half_is_half_of_numerator_and_denominator_and_rows_stay_rows(store: Store) -> None:
    await fill(store)
    before, these = await rollups(store), pl.col("metric_id").is_in(await ids_of(store, spans=False))
    await declare(store, weight=500)
    within = these & pl.col("day").is_between(FIRST, LAST)
    both = before.filter(within).join((await rollups(store)).filter(within), on=KEY, how="full", suffix="_now")
    assert len(both) > 20
    for row in both.iter_rows(named=True):
        rows = max(row["n"], 1) * 40  # of several rows each may lose less than a thousandth
        for name in ("num", "den"):
            assert 0 <= row[name] / 2 - row[f"{name}_now"] <= rows
        assert row["n"] == row["n_now"]
    exact = both.filter(pl.col("den") == pl.col("n") * 1000)
    assert (exact["den_now"] * 2 == exact["den"]).all()


async def test_a_teams_distortion_leaves_other_teams_and_clients_alone(store: Store) -> None:
    await fill(store)
    before = await rollups(store)
    await declare(store, scope="team:1")
    after = await rollups(store)
    others = pl.col("team_id") != 1
    assert after.filter(others).equals(before.filter(others))
    assert len(after.filter(~others)) < len(before.filter(~others))


async def test_only_the_metrics_named_are_touched(store: Store) -> None:
    await fill(store)
    before = await rollups(store)
    async with store.write() as db:
        ids = await storage.rollups.sync_metrics(db, RULES.metrics)
    await declare(store, metrics=("csat",))
    after = await rollups(store)
    csat = pl.col("metric_id") == ids["csat"]
    assert after.filter(~csat).equals(before.filter(~csat))
    assert not after.filter(csat).equals(before.filter(csat))


async def test_taken_back_every_rollup_is_what_it_was(store: Store) -> None:
    await fill(store)
    before = await rollups(store)
    one = await declare(store)
    other = await declare(store, weight=500, scope="team:2", first_day=FIRST - 3)
    await take_back(store, one, other)
    assert (await rollups(store)).equals(before)


async def test_facts_that_arrive_later_count_by_the_same_weight(store: Store) -> None:
    async with store.write() as db:
        await desk.furnish(db)
        await desk.number_clients(db)
        await storage.rollups.sync_metrics(db, RULES.metrics)
    await declare(store)
    await declare(store, weight=500, first_day=LAST + 1, last_day=LAST + 5)
    async with store.write() as db:
        known = await storage.directory.read(db)
        rng = random.Random(4)
        for table in desk.TABLES:
            rows = desk.rows(table, [f"{table[0]}{number}" for number in range(40)], rng)
            for half in (rows[:20], rows[20:]):
                await storage.facts.upsert(db, table, half, known, RULES)
    assert await is_as_made_anew(store)
    assert await storage.rollups.rebuild(store, RULES) == 0


async def test_those_in_force_are_told_by_whom_and_where(store: Store) -> None:
    async with store.write() as db:
        await desk.furnish(db)
        await storage.rollups.sync_metrics(db, RULES.metrics)
        await decide(db, scope="team:1")
        await decide(db, metrics=("csat", "nps"), first_day=LAST, last_day=LAST + 3)
        waiting = Distortion(0, "rollout", "desk", FIRST, LAST, 0, "New phones", 1)
        await storage.distortions.declare(db, waiting, 1)
    async with store.read() as db:
        found = await storage.distortions.in_force(db, "team:1", FIRST, LAST)
        assert [(one.scope, one.team, one.decided_name) for one in found] == [
            ("team:1", "Team 1", "Person 2"), ("desk", "", "Person 2"),
        ]  # fmt: skip
        assert found[1].metrics == ("csat", "nps")
        assert [one.scope for one in await storage.distortions.in_force(db, "team:2", FIRST, LAST)] == ["desk"]
        assert len(await storage.distortions.in_force(db, "desk", FIRST, LAST)) == 2
        assert await storage.distortions.in_force(db, "desk", FIRST - 9, FIRST - 1) == []
        assert [one.words for one in await storage.distortions.of_state(db, "asked")] == ["New phones"]


async def test_of_two_decisions_one_holds(store: Store) -> None:
    async with store.write() as db:
        await desk.furnish(db)
        asked = Distortion(0, "outage", "desk", FIRST, LAST, 0, "Mail outage", 1)
        number = await storage.distortions.declare(db, asked, 1)
        one = replace(asked, id=number, state="approved", decided_by=2)
        assert await storage.distortions.decide(db, one, 2)
        assert not await storage.distortions.decide(db, replace(one, state="declined"), 2)
        assert await storage.distortions.revert(db, replace(one, state="reverted"), 1, 3)
        assert not await storage.distortions.revert(db, replace(one, state="reverted"), 1, 3)


async def test_before_it_is_worked_in_figures_are_kept_as_if_nothing_was_decided(store: Store) -> None:
    await fill(store)
    before = await rollups(store)
    async with store.write() as db:
        await decide(db)
        assert (await storage.distortions.frame(db)).is_empty()
        [told] = await storage.distortions.in_force(db, "desk", FIRST, LAST)
        assert (told.effective, told.working) == (False, True)
    assert (await rollups(store)).equals(before)
    assert await is_as_made_anew(store)


async def test_taken_back_before_it_is_worked_in_it_has_never_been(store: Store) -> None:
    await fill(store)
    before = await rollups(store)
    async with store.write() as db:
        await undo(db, await decide(db))
    assert await work_in(store, RULES) == 1
    assert (await rollups(store)).equals(before)


async def test_killed_half_way_it_is_gone_on_with(store: Store) -> None:
    await fill(store)
    async with store.write() as db:
        await decide(db)
    for after in (1, 2, 4):
        assert await work_in(store, RULES, dying(after)) == 0
        assert not await is_as_made_anew(store)
    assert await work_in(store, RULES) == 1
    assert await is_as_made_anew(store)
    assert await work_in(store, RULES) == 0


async def test_taken_back_half_way_every_rollup_is_what_it_was(store: Store) -> None:
    await fill(store)
    before = await rollups(store)
    async with store.write() as db:
        one = await decide(db)
    await work_in(store, RULES, dying(3))
    assert not (await rollups(store)).equals(before)
    async with store.write() as db:
        await undo(db, one)
    assert await work_in(store, RULES) == 1
    assert (await rollups(store)).equals(before)


async def test_facts_that_arrive_half_way_count_by_what_was_decided(store: Store) -> None:
    await fill(store)
    async with store.write() as db:
        await decide(db, weight=500)
    await work_in(store, RULES, dying(3))
    async with store.write() as db:
        known = await storage.directory.read(db)
        rng = random.Random(8)
        for table in desk.TABLES:
            rows = desk.rows(table, [f"{table[0]}{number}" for number in range(50, 80)], rng)
            await storage.facts.upsert(db, table, rows, known, RULES)
    assert await work_in(store, RULES) == 1
    assert await is_as_made_anew(store)


async def test_a_rebuild_half_way_adds_nothing_twice(store: Store) -> None:
    await fill(store)
    async with store.write() as db:
        await decide(db)
    await work_in(store, RULES, dying(3))
    await storage.rollups.rebuild(store, RULES)
    assert await is_as_made_anew(store)
    assert await work_in(store, RULES) == 1
    assert await is_as_made_anew(store)


async def test_what_a_rebuild_began_meanwhile_is_left_to_it(store: Store) -> None:
    await fill(store)
    async with store.write() as db:
        await decide(db)
        one = await storage.workings.claim(db, "mine", 100, 200)
    assert one is not None
    written = itertools.count()

    def rebuilding() -> bool:  # after some transactions, by another process
        if next(written) == 3:
            began.set()
        return False

    began = asyncio.Event()

    async def anew() -> None:
        await began.wait()
        await storage.rollups.rebuild(store, RULES)

    async def working() -> object:
        return await storage.windows.work(store, RULES, one, lambda: 200, nothing, rebuilding, SMALL)

    at, _ = await asyncio.gather(working(), anew())
    async with store.write() as db:
        await storage.workings.release(db, at if isinstance(at, storage.workings.Working) else one)
    assert await work_in(store, RULES) == 1
    assert await is_as_made_anew(store)


async def test_what_a_rebuild_went_over_unseen_is_not_added_again(store: Store) -> None:
    await fill(store)
    await storage.rollups.rebuild(store, RULES)
    async with store.write() as db:
        await decide(db)
        one = await storage.workings.claim(db, "mine", 100, 200)
    assert one is not None
    assert await storage.windows.work(store, RULES, one, lambda: 200, nothing, dying(3), SMALL) is None
    async with store.read() as db:
        before = await storage.rollups.built(db)
    await storage.rollups.rebuild(store, RULES)
    async with store.write() as db:
        assert await storage.rollups.built(db) == before  # nothing tells that it was there,
        assert not await storage.workings.hold(db, one, 200)  # but what was found lacking before is lacking no more
        again = await storage.workings.claim(db, "another", 101, 201)  # which is found out at once
        assert again is not None
        assert await storage.rollups.rebuild(db, RULES) == 0
        assert not await storage.workings.hold(db, again, 201)  # in one transaction alike


async def test_it_stays_ours_over_many_days_on_which_nothing_differs(store: Store) -> None:
    async with store.write() as db:
        await desk.furnish(db)
        await desk.number_clients(db)
        await storage.rollups.sync_metrics(db, RULES.metrics)
        await decide(db, first_day=MONDAY, last_day=MONDAY + 69)
    assert await storage.rollups.rebuild(store, RULES) == 0
    async with store.write() as db:
        one = await storage.workings.claim(db, "mine", 0, 100)
    assert one is not None
    now = 0

    def slowly() -> bool:  # days take their time
        nonlocal now
        now += 60
        return False

    leases: list[int] = []

    def lease() -> int:
        leases.append(now + 100)
        return leases[-1]

    assert await storage.windows.work(store, RULES, one, lease, nothing, slowly) is not None
    gaps = [after - before for before, after in itertools.pairwise(leases)]
    assert len(leases) > 10
    assert max(gaps) <= 60


async def test_rollups_of_some_days_are_those_of_all_on_these_days(store: Store) -> None:
    await fill(store)
    ids = await ids_of(store, spans=False)
    async with store.read() as db:
        some = await storage.rollups.between(db, ids, FIRST, LAST)
    these = pl.col("day").is_between(FIRST, LAST) & pl.col("metric_id").is_in(ids)
    assert len(some) > 20
    assert some.sort(KEY).equals((await rollups(store)).filter(these).sort(KEY))


async def test_of_two_who_would_work_one_does(store: Store) -> None:
    await fill(store)
    async with store.write() as db:
        await decide(db)
        await decide(db, first_day=LAST + 3, last_day=LAST + 4)

    async def claim(mark: str, now: int) -> storage.workings.Working | None:
        async with store.write() as db:
            return await storage.workings.claim(db, mark, now, now + 100)

    found = await asyncio.gather(*(claim(f"replica {n}", 1000) for n in range(4)))
    [one] = [each for each in found if each is not None]
    async with store.write() as db:
        assert await storage.workings.hold(db, one, 1100)
    other = await claim("another", 1101)  # the first fell
    assert other is not None
    assert other.number == one.number
    async with store.write() as db:
        assert not await storage.workings.hold(db, one, 1300)  # and, waking up, finds that it is not its any more
    assert await storage.windows.work(store, RULES, one, lambda: 1300, nothing) is None


async def test_a_long_window_is_worked_in_some_days_after_the_other(store: Store) -> None:
    await fill(store)
    before = await rollups(store)
    one = await declare(store, first_day=MONDAY - 3, last_day=MONDAY + 40)
    assert await is_as_made_anew(store)
    await take_back(store, one)
    assert (await rollups(store)).equals(before)
