"""The one or two things to do differently: the largest gains, nothing of others, and no jumping about."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scoring.focus
import scoring.rag
import scoring.scorecards
from scoring.behaviours import Behaviour
from scoring.focus import Focus
from scoring.metrics import Lines, Metric, Sums
from scoring.rules import Entry
from scoring.scorecards import Reading, Score
from tests.scoring import desk

NAMES = ("a", "b", "c", "d", "e")
METRICS: dict[str, Metric] = {name: desk.metric(name) for name in NAMES}
BEHAVIOURS = {
    f"{name}{n}": Behaviour(f"{name}{n}", name, "Title", "What.", "Why.", "Worked.") for name in NAMES for n in (1, 2)
}
LINES = Lines(target=80.0, red=70.0, worst=50.0, best=82.0)


def reading(name: str, value: float | None, weight: float, status: str) -> Reading:
    return Reading(
        metric=name, value=value, previous=None, change=None, status=status, words="", sums=Sums(),  # type: ignore[arg-type]
        weeks=(), lines=LINES, weight=weight,
        score=None if value is None else scoring.scorecards.metric_score(value, LINES.worst, LINES.best),
        previous_score=None, missing="" if value is not None else "no data",
    )  # fmt: skip


def score(*readings: Reading) -> Score:
    rubric = desk.rubric(*(Entry(r.metric, r.weight, LINES) for r in readings))
    return scoring.scorecards.score(rubric, readings)


@st.composite
def scores(draw: st.DrawFn) -> Score:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True))
    raw = [draw(st.integers(1, 20)) for _ in names]
    made = []
    for name, weight in zip(names, raw, strict=True):
        value = draw(st.one_of(st.none(), st.integers(40, 100).map(float)))
        status = "none" if value is None else draw(st.sampled_from(["red", "amber", "none"])) if value < 80 else "green"
        made.append(reading(name, value, weight / sum(raw), status))
    return score(*made)


def balanced(of: Score) -> float:
    """The balanced score worked out again, whatever its cover."""
    parts = [(r.weight, (r.value - 50) / 32) for r in of.readings if r.value is not None]
    total = sum(w for w, _ in parts)
    return 100 * sum(w * min(1.0, max(0.0, s)) for w, s in parts) / total


def at_line(of: Score, *names: str) -> Score:
    return replace(of, readings=tuple(replace(r, value=80.0) if r.metric in names else r for r in of.readings))


@settings(max_examples=300, deadline=None)
@given(scores())
def test_no_other_two_would_bring_more(of: Score) -> None:
    """Against trying every pair: what the whole score would be with those metrics at their line."""
    chosen = scoring.focus.choose(of, METRICS, BEHAVIOURS)
    could = [
        r.metric
        for r in of.readings
        if r.status == "red"
        or (r.status == "amber" and balanced(at_line(of, r.metric)) - balanced(of) >= scoring.focus.WORTH - 1e-9)
    ]
    assert {one.metric for one in chosen} <= set(could)
    assert len(chosen) == min(2, len(could))
    if could:
        best = max(balanced(at_line(of, *pair)) for pair in itertools.combinations(could, len(chosen)))
        assert balanced(at_line(of, *(one.metric for one in chosen))) == pytest.approx(best)
        assert sum(one.gain for one in chosen) == pytest.approx(best - balanced(of))


@settings(max_examples=300, deadline=None)
@given(scores(), scores(), st.sets(st.sampled_from(sorted(BEHAVIOURS))), st.sets(st.sampled_from(NAMES)))
def test_what_is_held_gives_way_only_to_something_clearly_larger(
    before: Score, now: Score, stopped: set[str], planned: set[str]
) -> None:
    held = [(one.metric, one.behaviour) for one in scoring.focus.choose(before, METRICS, BEHAVIOURS)]
    chosen = scoring.focus.choose(now, METRICS, BEHAVIOURS, held, stopped=stopped, planned=planned)
    assert len({one.metric for one in chosen}) == len(chosen) <= 2
    assert not {one.behaviour for one in chosen} & stopped
    assert not {one.metric for one in chosen} & planned
    on_sheet = {r.metric: r for r in now.readings}
    worth = scoring.focus.gains(now)
    kept = {one.metric for one in chosen}
    for metric, behaviour in held:
        if metric in kept or metric not in on_sheet or metric in planned or behaviour in stopped:
            continue
        assert on_sheet[metric].status != "green"  # a green one is ended by its caller, not pushed out
        old = worth.get(metric, 0.0) if on_sheet[metric].status in ("red", "amber") else 0.0
        new = [one for one in chosen if (one.metric, one.behaviour) not in held]
        assert any(one.gain > 1.5 * old and one.gain > old + 1.0 for one in new)
    # and having chosen, nothing more moves
    again = [(one.metric, one.behaviour) for one in chosen]
    assert scoring.focus.choose(now, METRICS, BEHAVIOURS, again, stopped=stopped, planned=planned) == chosen


def test_a_little_more_does_not_move_a_focus_and_clearly_more_does() -> None:
    one = score(reading("a", 60.0, 0.5, "red"), reading("b", 75.0, 0.25, "amber"), reading("c", 73.0, 0.25, "amber"))
    held = [("a", "a1"), ("b", "b1")]
    assert [f.metric for f in scoring.focus.choose(one, METRICS, BEHAVIOURS, held)] == ["a", "b"]
    assert [f.metric for f in scoring.focus.choose(one, METRICS, BEHAVIOURS)] == ["a", "c"]
    worse = score(reading("a", 60.0, 0.5, "red"), reading("b", 75.0, 0.25, "amber"), reading("c", 60.0, 0.25, "red"))
    assert [f.metric for f in scoring.focus.choose(worse, METRICS, BEHAVIOURS, held)] == ["a", "c"]


def test_the_next_behaviour_comes_when_one_was_stopped() -> None:
    one = score(reading("a", 60.0, 1.0, "red"))
    assert [f.behaviour for f in scoring.focus.choose(one, METRICS, BEHAVIOURS)] == ["a1"]
    next_one = scoring.focus.choose(one, METRICS, BEHAVIOURS, [("a", "a1")], stopped={"a1"})
    assert [f.behaviour for f in next_one] == ["a2"]
    assert scoring.focus.choose(one, METRICS, BEHAVIOURS, stopped={"a1", "a2"}) == ()


def test_what_a_person_does_not_influence_is_not_asked_of_them() -> None:
    one = score(reading("a", 60.0, 1.0, "red"))
    above = {"a": desk.metric("a", influence={"team": "You agree on it."})}
    assert scoring.focus.choose(one, above, BEHAVIOURS) == ()


def test_an_amber_just_under_its_target_asks_nothing_of_anybody() -> None:
    near = reading("a", 79.9, 0.5, "amber"), reading("b", 90.0, 0.5, "green")
    assert scoring.focus.choose(score(*near), METRICS, BEHAVIOURS) == ()
    assert scoring.focus.gains(score(*near))["a"] == pytest.approx(100 * 0.5 * 0.1 / 32)
    far = reading("a", 78.0, 0.5, "amber"), reading("b", 90.0, 0.5, "green")
    assert [one.metric for one in scoring.focus.choose(score(*far), METRICS, BEHAVIOURS)] == ["a"]


def test_too_few_observations_make_no_focus() -> None:
    assert scoring.focus.choose(score(reading("a", 20.0, 1.0, "none")), METRICS, BEHAVIOURS) == ()


def test_a_focus_that_turned_green_keeps_its_place_until_it_is_ended() -> None:
    one = score(reading("a", 90.0, 0.4, "green"), reading("b", 60.0, 0.3, "red"), reading("c", 55.0, 0.3, "red"))
    chosen = scoring.focus.choose(one, METRICS, BEHAVIOURS, [("a", "a1"), ("b", "b1")])
    assert chosen[1] == Focus("a", "a1", 0.0, "green")
    assert [f.metric for f in chosen] == ["b", "a"]


def weeks(*shares: float) -> tuple[tuple[int, Sums], ...]:
    return desk.weeks([desk.rate(20 * share, 20) for share in shares])


def test_three_green_week_ends_under_the_focus_are_sustained() -> None:
    one = reading("a", 90.0, 1.0, "green")
    long = weeks(*[0.6] * 6, *[0.9] * 7)
    here = long[-1][0] + 7
    assert scoring.focus.sustained(METRICS["a"], one, long, here - 60, here, 10.0)
    # the focus is younger than three weeks
    assert not scoring.focus.sustained(METRICS["a"], one, long, here - 14, here, 10.0)
    # the week in progress does not count: the third week-end before was not green yet
    short = weeks(*[0.6] * 8, *[0.95] * 5)
    at_ends = [scoring.rag.status(METRICS["a"], LINES, short[: 13 - back]).status for back in range(4)]
    assert at_ends[0] == at_ends[1] == "green"
    expected = at_ends[:3] == ["green"] * 3
    assert scoring.focus.sustained(METRICS["a"], one, short, here - 60, here, 10.0) is expected
    assert not scoring.focus.sustained(METRICS["a"], one, weeks(*[0.9] * 12, 0.2), here - 60, here, 10.0)
    assert scoring.focus.sustained(METRICS["a"], one, weeks(*[0.9] * 12, 0.2), here - 60, here - 3, 10.0)
