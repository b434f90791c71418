"""What a distortion does to rollups: facts of its days count less or not at all, and all is as before without it."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import polars as pl

import storage.columnar
import storage.directory
import storage.distortions
import storage.facts
import storage.rollups
import storage.windows
from scoring.distortions import Distortion
from storage.db import Db, Store
from tests.storage import desk
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


async def declare(db: Db, **more: Any) -> Distortion:
    """One that is approved, with its effect."""
    asked = Distortion(0, "outage", "desk", FIRST, LAST, 0, "Mail outage", 1)
    asked = replace(asked, **more)
    await storage.columnar.lock(db)
    number = await storage.distortions.declare(db, asked, 1)
    one = replace(asked, id=number, state="approved", decided_by=2)
    assert await storage.distortions.decide(db, one, 2)
    await storage.windows.renew(db, one, RULES)
    return one


async def take_back(db: Db, one: Distortion) -> None:
    gone = replace(one, state="reverted")
    assert await storage.distortions.revert(db, gone, 1, 3)
    await storage.windows.renew(db, gone, RULES)


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
    async with store.write() as db:
        await declare(db)
    after = await rollups(store)
    within = pl.col("day").is_between(FIRST, LAST)
    assert len(before.filter(within & these)) > 20
    assert after.filter(within & these).is_empty()
    assert after.filter(~within & these).equals(before.filter(~within & these))


async def test_a_level_is_nothing_within_the_window_and_what_it_was_before_and_after(store: Store) -> None:
    await fill(store)
    before, these = await rollups(store), pl.col("metric_id").is_in(await ids_of(store, spans=True))
    async with store.write() as db:
        await declare(db)
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
    async with store.write() as db:
        await declare(db, weight=500)
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
    async with store.write() as db:
        await declare(db, scope="team:1")
    after = await rollups(store)
    others = pl.col("team_id") != 1
    assert after.filter(others).equals(before.filter(others))
    assert len(after.filter(~others)) < len(before.filter(~others))


async def test_only_the_metrics_named_are_touched(store: Store) -> None:
    await fill(store)
    before = await rollups(store)
    async with store.write() as db:
        ids = await storage.rollups.sync_metrics(db, RULES.metrics)
        await declare(db, metrics=("csat",))
    after = await rollups(store)
    csat = pl.col("metric_id") == ids["csat"]
    assert after.filter(~csat).equals(before.filter(~csat))
    assert not after.filter(csat).equals(before.filter(csat))


async def test_taken_back_every_rollup_is_what_it_was(store: Store) -> None:
    await fill(store)
    before = await rollups(store)
    async with store.write() as db:
        one = await declare(db)
        other = await declare(db, weight=500, scope="team:2", first_day=FIRST - 3)
    async with store.write() as db:
        await take_back(db, one)
        await take_back(db, other)
    assert (await rollups(store)).equals(before)


async def test_facts_that_arrive_later_count_by_the_same_weight(store: Store) -> None:
    async with store.write() as db:
        await desk.furnish(db)
        await desk.number_clients(db)
        await storage.rollups.sync_metrics(db, RULES.metrics)
        await declare(db)
        await declare(db, weight=500, first_day=LAST + 1, last_day=LAST + 5)
    async with store.write() as db:
        known = await storage.directory.read(db)
        rng = random.Random(4)
        for table in desk.TABLES:
            rows = desk.rows(table, [f"{table[0]}{number}" for number in range(40)], rng)
            for half in (rows[:20], rows[20:]):
                await storage.facts.upsert(db, table, half, known, RULES)
    async with store.write() as db:
        known = await storage.directory.read(db, RULES.zone)
        assert (await storage.rollups.stored(db)).equals(await desk.anew(db, known, RULES))
    assert await storage.rollups.rebuild(store, RULES) == 0


async def test_those_in_force_are_told_by_whom_and_where(store: Store) -> None:
    async with store.write() as db:
        await desk.furnish(db)
        await storage.rollups.sync_metrics(db, RULES.metrics)
        await declare(db, scope="team:1")
        await declare(db, metrics=("csat", "nps"), first_day=LAST, last_day=LAST + 3)
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
