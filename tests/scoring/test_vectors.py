"""The worked examples with their sources, through the rules of this product."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import scoring.calendars
import scoring.figures
import scoring.noise
import scoring.periods
import scoring.scorecards
import scoring.trend
from scoring.calendars import Calendar
from scoring.metrics import MILLI, Sums
from scoring.people import Hours
from scoring.refused import Refused
from tests.scoring.desk import metric
from tests.shared import vectors

_WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
_MONDAY = date(2026, 8, 3)


def shown(numerator: float, denominator: float) -> float | None:
    """The value of a metric with these sums, on a scale of one."""
    sums = Sums(round(numerator * MILLI), round(denominator * MILLI), 1, 0)
    return scoring.figures.value(metric("m", scale=1.0), sums)


@pytest.mark.parametrize("v", [p for p in vectors("scorecard") if "rows" in p.values[0]["inputs"]])
def test_a_balanced_score_is_the_weighted_sum_of_metric_scores(v: Any) -> None:
    missing = v["inputs"].get("missing", [])
    scores = {
        row["kpi"]: scoring.scorecards.metric_score(row["actual"], row["worst"], row["best"])
        for row in v["inputs"]["rows"]
        if row["kpi"] not in missing
    }
    for row in v["expected"].get("rows", []):
        assert scores[row["kpi"]] == pytest.approx(row["metric_score"], abs=v["tolerance"])
    balanced, _ = scoring.scorecards.balanced_score(
        (row["weight"], scores.get(row["kpi"])) for row in v["inputs"]["rows"]
    )
    assert balanced == pytest.approx(100 * v["expected"]["balanced_score"], abs=100 * v["tolerance"])


@pytest.mark.parametrize("v", [p for p in vectors("scorecard") if "worst" in p.values[0]["inputs"]])
def test_a_scale_without_length_is_refused(v: Any) -> None:
    given = v["inputs"]
    assert v["expected"]["error"] == "worst_equals_best"
    with pytest.raises(Refused):
        scoring.scorecards.metric_score(given["actual"], given["worst"], given["best"])


@pytest.mark.parametrize("v", [p for p in vectors("scorecard") if "weights" in p.values[0]["inputs"]])
def test_weighted_tickets_add_their_weights(v: Any) -> None:
    weights = v["inputs"]["weights"]
    for who, expected in v["expected"].items():
        tickets = [
            Sums(num=round(weights[k] * MILLI), den=MILLI) for k, n in v["inputs"][who].items() for _ in range(n)
        ]
        assert sum(tickets, Sums()).num / MILLI == pytest.approx(expected, abs=v["tolerance"])


_RATIOS = {  # inputs → (numerator, denominator, the expected name of their ratio)
    "KPI-01": ("tickets_30d", ("workstations", "servers"), "tickets_per_endpoint"),
    "KPI-03": ("reactive_hours", ("endpoints",), "rhem"),
    "KPI-05": ("reopened", ("resolved",), "reopen_rate"),
    "KPI-07": ("escalated", ("total",), "escalation_rate"),
    "KPI-09": ("recurred", ("resolved",), "recurrence_rate"),
}


@pytest.mark.parametrize("v", [p for p in vectors("kpi") if p.id in _RATIOS])
def test_a_metric_is_a_ratio_of_sums(v: Any) -> None:
    numerator, denominators, name = _RATIOS[v["id"]]
    value = shown(v["inputs"][numerator], sum(v["inputs"][d] for d in denominators))
    assert value == pytest.approx(v["expected"][name], abs=v["tolerance"])


@pytest.mark.parametrize("v", [p for p in vectors("kpi") if p.id == "KPI-13"])
def test_satisfaction_counts_the_fours_and_fives(v: Any) -> None:
    scores = {int(k): n for k, n in v["inputs"]["scores"].items()}
    answers = sum(scores.values())
    satisfied = sum(n for k, n in scores.items() if k >= v["inputs"]["satisfied_min"])
    assert answers == v["expected"]["responses"]
    assert shown(satisfied, answers) == pytest.approx(v["expected"]["csat"])
    assert shown(sum(k * n for k, n in scores.items()), answers) == pytest.approx(v["expected"]["mean_score"])
    assert shown(scores[5], answers) == pytest.approx(v["expected"]["top_box"])


@pytest.mark.parametrize("v", [p for p in vectors("kpi") if p.id == "KPI-17"])
def test_estimate_variance_is_a_share_of_the_estimate_and_nothing_without_one(v: Any) -> None:
    estimated, actual = v["inputs"]["estimated_h"], v["inputs"]["actual_h"]
    assert shown(abs(actual - estimated), estimated) == pytest.approx(
        v["expected"]["hours_pct_variance"], abs=v["tolerance"]
    )
    assert shown(2, 0) is None


@pytest.mark.parametrize("v", [p for p in vectors("kpi") if p.id == "KPI-19"])
def test_a_stock_is_the_sum_of_its_signed_changes(v: Any) -> None:
    given = v["inputs"]
    changes = [Sums(given["open_start"] * MILLI), Sums(given["created"] * MILLI), Sums(-given["resolved"] * MILLI)]
    assert sum(changes, Sums()).num / MILLI == v["expected"]["backlog_end"]


@pytest.mark.parametrize("v", [p for p in vectors("kpi") if p.id == "KPI-21"])
def test_an_entry_within_the_limit_is_on_time(v: Any) -> None:
    late = [minutes > v["inputs"]["threshold_min"] for minutes in v["inputs"]["work_end_to_entry_min"]]
    assert late == v["expected"]["late"]
    assert shown(late.count(False), len(late)) == v["expected"]["on_time_rate"]


@pytest.mark.parametrize("v", vectors("wilson"))
def test_wilson_intervals_are_the_published_ones(v: Any) -> None:
    given = v["inputs"]
    low, high = scoring.noise.wilson(given["successes"], given["n"], given["confidence"])
    assert low == pytest.approx(v["expected"]["lower"], abs=v["tolerance"])
    assert high == pytest.approx(v["expected"]["upper"], abs=v["tolerance"])


@pytest.mark.parametrize("v", vectors("empirical_bayes"))
def test_estimates_are_drawn_to_the_prior_as_published(v: Any) -> None:
    given = v["inputs"]
    sums = Sums(given["successes"] * MILLI, given["n"] * MILLI, given["n"], 0)
    found = scoring.scorecards.estimate(sums, given["alpha0"], given["beta0"])
    assert found == pytest.approx(v["expected"].get("exact", v["expected"]["estimate"]), abs=1e-6)


@pytest.mark.parametrize("v", vectors("xmr"))
def test_process_limits_are_the_published_ones(v: Any) -> None:
    expected, values = v["expected"], v["inputs"]["values"]
    found = scoring.trend.limits(values, v["inputs"].get("d2"))
    # a published limit was computed from the rounded mean range, which moves it by up to half its last digit × 3.27
    slack = v["tolerance"] + 3.27 * (0.00005 if "d2" in v["inputs"] else 0.0)
    names = {"mean": found.mean, "avg_mr": found.mean_range, "unpl": found.upper, "ucl": found.upper,
             "lnpl": found.lower, "lcl": found.lower, "url": found.range_limit,
             "mr_ucl": found.range_limit}  # fmt: skip
    for name in expected.keys() & names.keys():
        assert names[name] == pytest.approx(expected[name], abs=slack), name
    assert list(scoring.trend.signals(values, found)) == expected.get("signals", [])


def at(words: str, zone: ZoneInfo) -> datetime:
    """ "Fri 16:00" in the week of a Monday, "Mon" after "Fri" being told apart by the caller."""
    name, clock = words.split()
    hour, minute = map(int, clock.split(":"))
    day = _MONDAY + timedelta(days=_WEEKDAYS.index(name))
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)


def opening(words: str) -> Hours:
    """ "Mon-Fri 09:00-17:00" as weekly hours."""
    days, clock = words.split()
    first, last = (_WEEKDAYS.index(d) for d in days.split("-"))
    start, end = (int(t[:2]) * 60 + int(t[3:]) for t in clock.split("-"))
    return Hours(spans=tuple(((start, end),) if first <= d <= last else () for d in range(7)))


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
@pytest.mark.parametrize("v", [p for p in vectors("business_time") if "stop" in p.values[0]["inputs"]])
def test_business_hours_leave_out_nights_and_weekends(v: Any, zone: str) -> None:
    info = ZoneInfo(zone)
    start, stop = at(v["inputs"]["start"], info), at(v["inputs"]["stop"], info)
    stop += timedelta(days=7 if stop < start else 0)
    calendar = Calendar(zone, opening(v["inputs"]["hours"]))
    assert scoring.calendars.business_minutes(calendar, start, stop) / 60 == v["expected"]["business_hours"]
    assert (stop - start).total_seconds() / 3600 == v["expected"]["wall_hours"]


@pytest.mark.parametrize("v", [p for p in vectors("business_time") if "target_h" in p.values[0]["inputs"]])
def test_a_target_in_business_hours_is_due_in_working_time(v: Any) -> None:
    zone = ZoneInfo("Europe/Berlin")
    start, due = at(v["inputs"]["created"], zone), at(v["expected"]["due"], zone)
    due += timedelta(days=7 if due < start else 0)
    calendar = Calendar(zone.key, opening(v["inputs"]["hours"]))
    assert scoring.calendars.add_business_minutes(calendar, start, 60 * v["inputs"]["target_h"]) == due


@pytest.mark.parametrize("v", vectors("dst"))
def test_a_day_on_which_clocks_change_has_its_real_hours(v: Any) -> None:
    day = date.fromisoformat(v["inputs"]["local_date"])
    assert scoring.calendars.hours_in_day(v["inputs"]["tz"], day) == v["expected"]["hours_in_day"]


@pytest.mark.parametrize("v", vectors("appeals"))
def test_deadlines_leave_out_the_day_of_receipt_weekends_and_holidays(v: Any) -> None:
    given = v["inputs"]
    holidays = frozenset(scoring.periods.day_of(date.fromisoformat(d)) for d in given["holidays"])
    calendar = Calendar(holidays=holidays)
    found: dict[str, str] = {}
    for stage, begun, acknowledge, respond in (("stage1", "received", 5, 10), ("stage2", "escalated", 5, 20)):
        acknowledged = scoring.calendars.add_business_days(calendar, date.fromisoformat(given[begun]), acknowledge)
        found[f"{stage}_ack_due"] = acknowledged.isoformat()
        found[f"{stage}_response_due"] = scoring.calendars.add_business_days(
            calendar, acknowledged, respond
        ).isoformat()
    assert found == v["expected"]
