"""Reading rollups: what a card is told equals the same figures added up by hand."""

from __future__ import annotations

import random
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import scoring.periods
import scoring.rollups
import scoring.trial
import storage.directory
import storage.facts
import storage.rollups
from scoring.metrics import Metric, Sums
from scoring.periods import Period
from storage.db import Store
from tests.storage import desk
from tests.storage.desk import MONDAY, RULES

METRICS = list(RULES.metrics.values())
PERIODS = [
    scoring.periods.week(MONDAY + 15),
    scoring.periods.month(MONDAY + 20),
    scoring.periods.quarter(MONDAY + 40),
    scoring.periods.rolling("weeks4", MONDAY + 50),
]


async def _desk(store: Store) -> pl.DataFrame:
    rng = random.Random(5)
    async with store.write() as db:
        await desk.furnish(db)
        directory = await storage.directory.read(db)
        for table in desk.TABLES:
            rows = desk.rows(table, [f"{table[0]}{n}" for n in range(40)], rng)
            await storage.facts.upsert(db, table, rows, directory, RULES)
        ids = await storage.rollups.sync_metrics(db, RULES.metrics)
        names = pl.DataFrame(
            {"metric_id": list(ids.values()), "name": list(ids)}, schema_overrides={"metric_id": pl.Int64}
        )
        return (await storage.rollups.stored(db)).join(names, on="metric_id")


def _by_hand(rows: pl.DataFrame, metric: Metric, first: int, last: int) -> Sums:
    mine = rows.filter(pl.col("name") == metric.name)
    daily = mine.group_by("day").agg(pl.col("num", "den", "n", "ss").sum())
    return scoring.trial.over(metric, daily, first, last)


@pytest.mark.parametrize("period", PERIODS, ids=lambda p: p.kind)
async def test_series_equal_the_days_added_up(store: Store, period: Period) -> None:
    rows = await _desk(store)
    earlier = scoring.periods.previous(period)
    async with store.read() as db:
        found: list[tuple[Any, pl.DataFrame, bool]] = [
            (await storage.rollups.person_series(db, 1, METRICS, period), rows.filter(pl.col("subject_id") == 1), True),
            (await storage.rollups.team_series(db, 2, METRICS, period), rows.filter(pl.col("team_id") == 2), True),
            (await storage.rollups.team_series(db, None, METRICS, period), rows, False),
        ]
    seen = 0
    for series, subset, only_people in found:
        for metric in METRICS:
            if metric.subject == "client" and only_people:
                continue
            one = series[metric.name]
            assert one.period == _by_hand(subset, metric, period.first, period.last), metric.name
            assert one.before == _by_hand(subset, metric, earlier.first, earlier.last), metric.name
            assert len(one.weeks) == 13
            for monday, sums in one.weeks:
                assert sums == _by_hand(subset, metric, monday, monday + 6), metric.name
            seen += one.period.den > 0
    assert seen > 20


@pytest.mark.parametrize("period", [one for one in PERIODS if one.kind != "quarter"], ids=lambda p: p.kind)
async def test_stocks_of_a_period_in_progress_are_those_of_today(store: Store, period: Period) -> None:
    rows = await _desk(store)
    today = period.last - 4
    async with store.read() as db:
        one_person = await storage.rollups.person_series(db, 1, METRICS, period, today)
        one_team = await storage.rollups.team_series(db, 2, METRICS, period, today)
    found = [(one_person, rows.filter(pl.col("subject_id") == 1)), (one_team, rows.filter(pl.col("team_id") == 2))]
    differing = 0
    for series, subset in found:
        for metric in METRICS:
            if metric.subject == "client" or not metric.denominator.until:
                continue
            one = series[metric.name]
            assert one.period == _by_hand(subset, metric, period.first, today), metric.name
            assert one.as_of == today
            differing += one.period != _by_hand(subset, metric, period.first, period.last)
            for monday, sums in one.weeks:
                assert sums == _by_hand(subset, metric, monday, min(monday + 6, today)), metric.name
    assert differing


async def test_cells_are_weeks_of_teams_with_the_people_behind_them(store: Store) -> None:
    rows = await _desk(store)
    async with store.read() as db:
        cells = await storage.rollups.team_cells(db, [1, 2], METRICS, MONDAY, MONDAY + 30)
    counted = 0
    for metric in METRICS:
        for cell in cells[metric.name]:
            subset = rows.filter(pl.col("team_id") == cell.team)
            each = [
                _by_hand(subset.filter(pl.col("subject_id") == who), metric, cell.week, cell.week + 6).den
                for who in range(1, desk.PEOPLE + 1)
            ]
            assert cell.sums == _by_hand(subset, metric, cell.week, cell.week + 6)
            assert (cell.people, cell.largest) == (sum(den > 0 for den in each), max(each))
            counted += 1
    assert counted > 40


async def test_people_are_counted_once_over_a_period(store: Store) -> None:
    rows = await _desk(store)
    period = PERIODS[3]
    async with store.read() as db:
        series = await storage.rollups.team_series(db, None, METRICS, period)
    for metric in METRICS:
        subjects = rows.filter(pl.col("name") == metric.name)["subject_id"].unique()
        behind = sum(
            _by_hand(rows.filter(pl.col("subject_id") == who), metric, period.first, period.last).den > 0
            for who in subjects
        )
        assert series[metric.name].people == behind, metric.name


FLOWS = [one for one in METRICS if not one.numerator.until and not one.denominator.until][:4]
STOCK = next(one for one in METRICS if one.denominator.until)
SUM = st.integers(-2000, 2000)
ROWS = st.lists(
    st.tuples(st.integers(1, 2), st.integers(0, 3), st.integers(MONDAY - 250, MONDAY + 60), st.integers(0, 2),
              SUM, SUM, st.integers(0, 3), SUM),
    max_size=60,
)  # fmt: skip
ASKED = st.builds(
    lambda kind, day: kind(day),
    st.sampled_from([
        scoring.periods.week, scoring.periods.month, scoring.periods.quarter,
        *(lambda day, kind=kind: scoring.periods.rolling(kind, day) for kind in scoring.periods.ROLLING),
    ]),
    st.integers(MONDAY - 30, MONDAY + 70),
)  # fmt: skip


async def _said(store: Store, rows: list[tuple[int, ...]], period: Period) -> None:
    """What is read of flows equals their days added up, whether they are asked for alone or together with a stock."""
    await desk.clear(store)
    async with store.write() as db:
        ids = await storage.rollups.sync_metrics(db, RULES.metrics)
        numbers = [ids[one.name] for one in FLOWS]
        made = [(who, numbers[which], *rest) for who, which, *rest in rows]
        days = pl.DataFrame(made, schema=scoring.rollups.ROLLUP, orient="row")
        # in two steps, of which the second takes some back, as a correction does
        whole = days.group_by(scoring.rollups.KEY).agg(pl.col(scoring.rollups.SUMS).sum())
        await storage.rollups.apply(db, whole)
        await storage.rollups.apply(db, whole.head(9).with_columns(-pl.col(scoring.rollups.SUMS)))
        names = {number: name for name, number in ids.items()}
        kept = (await storage.rollups.stored(db)).filter(subject_id=1)
        mine = kept.with_columns(name=pl.col("metric_id").replace_strict(names, return_dtype=pl.String))
    async with store.read() as db:
        alone = await storage.rollups.person_series(db, 1, FLOWS, period)
        together = await storage.rollups.person_series(db, 1, [*FLOWS, STOCK], period)
    earlier = scoring.periods.previous(period)
    for one in FLOWS:
        series = alone[one.name]
        assert series == together[one.name]
        assert series.period == _by_hand(mine, one, period.first, period.last)
        assert series.before == _by_hand(mine, one, earlier.first, earlier.last)
        assert [sums for _, sums in series.weeks] == [
            _by_hand(mine, one, monday, monday + 6) for monday, _ in series.weeks
        ]


QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=60, deadline=None, suppress_health_check=QUIET)
@given(ROWS, ASKED)
async def test_weeks_and_days_tell_the_same_on_sqlite(sqlite_store: Store, rows: Any, period: Period) -> None:
    await _said(sqlite_store, rows, period)


@settings(max_examples=15, deadline=None, suppress_health_check=QUIET)
@given(ROWS, ASKED)
async def test_weeks_and_days_tell_the_same_on_postgresql(postgres_store: Store, rows: Any, period: Period) -> None:
    await _said(postgres_store, rows, period)
