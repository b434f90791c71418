"""What a digest is about: new reds, reds that last, what got better; against a plain recount."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

import scoring.digests
from scoring.metrics import Lines, Sums
from scoring.plans import Plan
from scoring.scorecards import Reading, Score

LINES = Lines(80.0, 70.0, 50.0, 100.0)
METRICS = ("csat", "reopen_rate", "first_time_fix")
STATUSES = ("red", "amber", "green", "none", "missing")


def reading(metric: str, status: str) -> Reading:
    found = Reading(metric, 75.0, 74.0, 1.0, "none", "", Sums(1, 1, 1, 1), (), LINES, 0.5, 0.5, 0.4)
    if status == "missing":
        return replace(found, value=None, missing="no data in this period")
    return replace(found, status=status)  # type: ignore[arg-type]


def score(statuses: dict[str, str]) -> Score:
    return Score("r", tuple(reading(m, s) for m, s in statuses.items()), 70.0, 70.0, 0.0, 1.0, (), False)


def plan(number: int, metric: str) -> Plan:
    return Plan(number, "team:2", metric, "2026-W31", "Ring back.", 7, "Ana", 20_000)


def test_a_red_that_was_amber_is_new_and_one_that_was_red_is_not() -> None:
    now = score({"csat": "red", "reopen_rate": "red", "first_time_fix": "red"})
    before = score({"csat": "amber", "reopen_rate": "red", "first_time_fix": "none"})
    found = scoring.digests.compose(now, [before])
    assert {red.reading.metric: (red.new, red.periods) for red in found.reds} == {
        "csat": (True, 1), "reopen_rate": (False, 2), "first_time_fix": (False, 1),
    }  # fmt: skip


def test_a_red_of_three_periods_goes_a_level_up_and_one_of_two_does_not() -> None:
    red, amber = {"csat": "red", "reopen_rate": "red"}, {"csat": "red", "reopen_rate": "amber"}
    found = scoring.digests.compose(score(red), [score(red), score(amber)])
    assert [one.reading.metric for one in scoring.digests.escalated(found)] == ["csat"]


def test_a_plan_stands_under_its_own_red_only() -> None:
    found = scoring.digests.compose(score({"csat": "red", "reopen_rate": "red"}), [], [plan(1, "csat")])
    assert {red.reading.metric: [p.id for p in red.plans] for red in found.reds} == {"csat": [1], "reopen_rate": []}


def test_nothing_red_and_nothing_amber_is_quiet() -> None:
    assert scoring.digests.compose(score({"csat": "green", "reopen_rate": "none"}), []).quiet
    assert not scoring.digests.compose(score({"csat": "amber"}), []).quiet


WEEKS = st.lists(
    st.fixed_dictionaries({metric: st.sampled_from(STATUSES) for metric in METRICS}), min_size=1, max_size=4
)


@given(WEEKS)
def test_every_figure_is_told_once_and_its_history_is_recounted(weeks: list[dict[str, str]]) -> None:
    found = scoring.digests.compose(score(weeks[0]), [score(week) for week in weeks[1:]])
    told = [r.reading.metric for r in found.reds]
    for group in (found.ambers, found.greens, found.unsure, found.missing):
        told += [r.metric for r in group]
    assert sorted(told) == sorted(METRICS)
    order = ("red", "amber", "green")
    for metric in METRICS:
        history = [week[metric] for week in weeks]
        red = next((r for r in found.reds if r.reading.metric == metric), None)
        assert (red is not None) == (history[0] == "red")
        if red is not None:
            run = next((i for i, status in enumerate(history) if status != "red"), len(history))
            assert (red.periods, red.new) == (run, len(history) > 1 and history[1] in ("amber", "green"))
        better = next((b for b in found.better if b.reading.metric == metric), None)
        known = len(history) > 1 and history[0] in order and history[1] in order
        assert (better is not None) == (known and order.index(history[0]) > order.index(history[1]))
