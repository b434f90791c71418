"""Baselines: what is measured first, which lines are proposed from readings, and what they would have made of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bot.config
import scoring.baselines
import scoring.changes
import scoring.periods
import scoring.rag
import scoring.rulebook
import scoring.scorecards
from bot.config import Config
from scoring.metrics import Lines, Metric, Sums
from scoring.refused import Refused
from scoring.rules import Entry, Measured
from tests.scoring import desk

SHIPPED = bot.config.rules(Config())
TODAY = 20_500
METRICS = (
    desk.metric("sla"), desk.metric("reopened", direction="down"), desk.wait(),
    desk.metric("used", kind="ratio", cap=100.0), desk.metric("nps", kind="mean"),
)  # fmt: skip


def own(*metrics: str, level: str = "person", **more: Any) -> dict[str, Any]:
    share = 100 / len(metrics)
    rubric = {"name": "ours", "level": level, "from": "2026-01-01", "weights": dict.fromkeys(metrics, share), **more}
    return {**SHIPPED, "own": {"rubric": [rubric]}}


def steady(value: float, n: int = 20, weeks: int = 13) -> scoring.baselines.Weeks:
    return desk.weeks([desk.rate(n * value / 100, n)] * weeks)


# ---- what is measured ----


def test_the_installation_measures_nothing() -> None:
    assert scoring.baselines.carry([], own("csat", "average_wait"), TODAY) == own("csat", "average_wait")


def test_a_metric_that_is_new_at_a_level_is_measured_for_28_days_and_one_that_was_there_is_not() -> None:
    body = scoring.baselines.carry([SHIPPED], own("csat", "average_wait"), TODAY)
    assert scoring.baselines.measured(body) == {("person", "average_wait"): Measured(TODAY, TODAY + 28)}
    old, new = (scoring.rulebook.read(one, version=1) for one in (SHIPPED, body))
    [said] = [one for one in scoring.changes.between(old, new) if "measured" in one]
    assert said == ("average_wait is new for people: measured for four weeks, without colour, until "
                    f"{scoring.baselines.day(TODAY + 28)}; then lines are proposed.")  # fmt: skip


def test_a_metric_known_for_teams_is_new_for_people() -> None:
    assert ("team", "average_wait") in scoring.baselines.pairs(SHIPPED)
    body = scoring.baselines.carry([SHIPPED], own("csat", "average_wait"), TODAY)
    assert scoring.baselines.measured(body).keys() == {("person", "average_wait")}


def test_what_is_measured_goes_on_through_another_version_and_ends_with_a_decision() -> None:
    first = scoring.baselines.carry([SHIPPED], own("csat", "average_wait"), TODAY)
    second = scoring.baselines.carry([SHIPPED, first], own("csat", "average_wait"), TODAY + 7)
    assert second == first
    decided = scoring.baselines.decide(second, ("person", "average_wait"), None, TODAY + 30)
    third = scoring.baselines.carry([SHIPPED, first, second, decided], own("csat", "average_wait"), TODAY + 31)
    assert scoring.baselines.measured(third) == {("person", "average_wait"): Measured(TODAY, TODAY + 28, TODAY + 30)}
    late = scoring.baselines.carry([SHIPPED, first, second, decided], own("csat", "average_wait"), TODAY + 500)
    assert scoring.baselines.measured(late) == {}


def test_what_is_taken_out_before_a_decision_is_measured_anew_when_it_comes_back() -> None:
    first = scoring.baselines.carry([SHIPPED], own("csat", "average_wait"), TODAY)
    without = scoring.baselines.carry([SHIPPED, first], own("csat"), TODAY + 7)
    assert scoring.baselines.measured(without) == {}
    again = scoring.baselines.carry([SHIPPED, first, without], own("csat", "average_wait"), TODAY + 14)
    assert scoring.baselines.measured(again) == {("person", "average_wait"): Measured(TODAY + 14, TODAY + 42)}


def test_what_was_decided_is_not_measured_again() -> None:
    first = scoring.baselines.carry([SHIPPED], own("csat", "average_wait"), TODAY)
    decided = scoring.baselines.decide(first, ("person", "average_wait"), None, TODAY + 30)
    without = scoring.baselines.carry([SHIPPED, first, decided], own("csat"), TODAY + 40)
    again = scoring.baselines.carry([SHIPPED, first, decided, without], own("csat", "average_wait"), TODAY + 50)
    assert scoring.baselines.measured(again) == {}


def test_a_rubric_of_the_file_in_place_of_a_shipped_one_is_what_counts() -> None:
    body = own("csat", name="desk", level="organisation", **{"from": "1970-01-01"})
    assert {pair for pair in scoring.baselines.pairs(body) if pair[0] == "organisation"} == {("organisation", "csat")}


def test_the_words_say_until_when_and_no_period_before_the_decision_ever_gets_a_colour() -> None:
    waiting = Measured(TODAY, TODAY + 28)
    assert scoring.baselines.words(waiting, TODAY - 3, TODAY) == f"measuring until {scoring.baselines.day(TODAY + 28)}"
    assert scoring.baselines.words(waiting, TODAY, TODAY + 28) == "measured; its lines wait for a decision"
    decided = replace(waiting, decided=TODAY + 30)
    assert scoring.baselines.words(decided, TODAY + 29, TODAY + 40).startswith("measured without a colour until")
    assert scoring.baselines.words(decided, TODAY + 30, TODAY + 40) == ""


def test_adopted_lines_hold_for_their_level_from_their_day_and_the_file_can_move_them_later() -> None:
    lines = Lines(target=50.0, red=80.0, worst=140.0, best=40.0)
    body = scoring.baselines.carry([SHIPPED], own("csat", "average_wait"), TODAY)
    body = scoring.baselines.decide(body, ("person", "average_wait"), lines, TODAY + 30)

    def at(body: dict[str, Any], level: str, day: int) -> Lines:
        rules = scoring.rulebook.read(body, version=1)
        some = [r for r in rules.rubrics if r.level == level and r.from_day <= day and not r.role and not r.team]
        newest = max(some, key=lambda r: r.from_day)
        return next(entry.lines for entry in newest.entries if entry.metric == "average_wait")

    before = at(body, "person", TODAY + 29)
    assert before != lines
    assert at(body, "person", TODAY + 30) == lines
    assert at(body, "team", TODAY + 30) == before
    later = {"metric": "average_wait", "from": scoring.periods.date_of(TODAY + 60).isoformat(), "red": 70}
    moved = {**body, "own": {**body["own"], "lines": [later]}}
    assert at(moved, "person", TODAY + 59) == lines
    assert at(moved, "person", TODAY + 60) == replace(lines, red=70.0)


def test_adopted_lines_go_before_those_that_a_rubric_set_earlier_and_after_those_it_sets_later() -> None:
    lines = Lines(target=50.0, red=80.0, worst=140.0, best=40.0)
    mine = {"average_wait": {"target": 40, "red": 70, "worst": 220, "best": 20}}
    body = scoring.baselines.carry([SHIPPED], own("csat", "average_wait", lines=mine), TODAY)
    body = scoring.baselines.decide(body, ("person", "average_wait"), lines, TODAY + 30)
    second = {**body["own"]["rubric"][0], "from": scoring.periods.date_of(TODAY + 60).isoformat()}
    body = {**body, "own": {"rubric": [*body["own"]["rubric"], second]}}
    rules = scoring.rulebook.read(body, version=1)
    found = {
        r.from_day: entry.lines.target
        for r in rules.rubrics if r.name == "ours" for entry in r.entries if entry.metric == "average_wait"
    }  # fmt: skip
    assert list(found.values()) == [40.0, 50.0, 40.0]


def test_a_metric_that_the_file_gave_up_does_not_make_its_adopted_lines_a_mistake() -> None:
    body = scoring.baselines.decide(SHIPPED, ("person", "gone"), Lines(1.0, 0.5, 0.0, 1.1), TODAY)
    assert scoring.rulebook.read(body, version=1).rubrics == scoring.rulebook.read(SHIPPED, version=1).rubrics


def test_a_reading_that_is_measured_has_a_value_and_a_sample_but_neither_colour_nor_score() -> None:
    metrics = [desk.metric("sla"), desk.metric("new")]
    entries = [Entry("sla", 0.7, desk.SHARE), Entry("new", 0.3, desk.SHARE)]
    series = desk.series([desk.rate(12, 20)] * 4)
    plain, measured = (
        scoring.scorecards.reading(metric, entry, series, measuring=why)
        for metric, entry, why in zip(metrics, entries, ("", "measuring until 12 March"), strict=True)
    )
    assert (plain.status, measured.status, measured.value, measured.score) == ("red", "none", 60.0, None)
    assert measured.words == "48 of 80 over four weeks; measuring until 12 March"
    score = scoring.scorecards.score(desk.rubric(*entries), [plain, measured])
    alone = scoring.scorecards.score(desk.rubric(replace(entries[0], weight=1.0)), [replace(plain, weight=1.0)])
    assert score.balanced == pytest.approx(alone.balanced)
    assert scoring.scorecards.from_json(scoring.scorecards.to_json(score)) == score
    told = scoring.scorecards.explain(metrics[1], entries[1], measured, level="person", since="")
    assert told.lines == "none yet: measuring until 12 March"
    assert "measuring until 12 March" in told.contribution


# ---- what lines are proposed ----


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
@given(data=st.data())
@settings(deadline=None, max_examples=150)
def test_lines_drawn_from_any_readings_make_a_rubric_that_is_accepted(metric: Metric, data: st.DataObject) -> None:
    low, high = (0.0, 100.0) if metric.kind == "rate" or metric.cap else (-100.0 if metric.name == "nps" else 0.0, 5000)
    values = sorted(data.draw(st.lists(st.floats(low, high), min_size=1, max_size=60)))
    limit = data.draw(st.none() | st.floats(low, high))
    lines = scoring.baselines.drawn(metric, values, limit)
    scoring.scorecards.check_rubric(desk.rubric(Entry(metric.name, 1.0, lines)), {metric.name: metric})
    if metric.kind == "rate":
        assert all(0.0 <= end <= 100.0 for end in (lines.target, lines.red, lines.worst, lines.best))


@given(values=st.lists(st.floats(0, 100), min_size=12, max_size=60))
@settings(deadline=None, max_examples=150)
def test_the_mirror_of_readings_has_the_mirror_of_lines(values: list[float]) -> None:
    up = scoring.baselines.drawn(METRICS[0], sorted(values))
    down = scoring.baselines.drawn(METRICS[1], sorted(100.0 - one for one in values))
    step = abs(up.target - up.red) / 2 + 0.02
    assert down.target == pytest.approx(100.0 - up.target, abs=step)
    assert down.red == pytest.approx(100.0 - up.red, abs=step)


def test_half_of_the_readings_meet_the_target_and_one_in_ten_lies_beyond_the_red_line() -> None:
    values = [float(value) for value in range(60, 101)]
    assert scoring.baselines.drawn(METRICS[0], values) == Lines(target=80.0, red=64.0, worst=32.0, best=85.3)
    assert scoring.baselines.drawn(METRICS[0], values, 55.2).red == 55.0  # the whole swings that far by itself
    assert scoring.baselines.drawn(METRICS[0], values, 70.0).red == 64.0


def test_limits_of_a_swinging_series_move_the_red_line_of_a_mean_and_never_that_of_a_rate() -> None:
    first = desk.weeks([Sums()] * 13)[0][0]
    shares = [desk.weeks([desk.rate(20 * high, 20) for high in (1.0, 0.9)] * 6 + [desk.rate(19, 20)])] * 3
    waits = [desk.weeks([desk.values([high] * 20) for high in (20.0, 40.0)] * 6 + [desk.values([30.0] * 20)])] * 3
    rate = scoring.baselines.propose(METRICS[0], shares, first)
    mean = scoring.baselines.propose(METRICS[2], waits, first)
    assert rate is not None
    assert mean is not None
    assert rate.lines.red >= 85.0, "nine in ten readings of four weeks are better, whatever single weeks swing"
    assert mean.lines.red > 60.0, "the whole swings that far by itself"


def test_readings_are_those_with_enough_behind_them_over_four_weeks_each() -> None:
    weeks = desk.weeks([Sums()] * 5 + [desk.rate(3, 4)] * 4)
    first = weeks[5][0]
    assert scoring.baselines.readings(METRICS[0], weeks, first) == [75.0, 75.0]  # after 12 and 16, not after 4 and 8


def test_too_few_readings_propose_nothing_and_earlier_weeks_are_taken_where_there_are_some() -> None:
    first = desk.weeks([Sums()] * 13)[9][0]
    assert scoring.baselines.propose(METRICS[0], [steady(80, weeks=4)] * 2, first) is None
    enough = scoring.baselines.propose(METRICS[0], [steady(80, weeks=4)] * 3, first)
    assert enough is not None
    assert (enough.readings, enough.subjects, enough.weeks) == (12, 3, 4)
    alone = scoring.baselines.propose(METRICS[0], [steady(80)], first)  # the desk has four of them, or thirteen
    assert alone is not None
    assert (alone.readings, alone.subjects, alone.weeks) == (13, 1, 13)


def test_what_would_have_been_is_what_the_colours_would_say() -> None:
    first = desk.weeks([Sums()] * 13)[9][0]
    people = [steady(value) for value in (50, 70, 80, 80, 85, 90, 95)]
    found = scoring.baselines.propose(METRICS[0], people, first)
    assert found is not None
    seen = [scoring.rag.status(METRICS[0], found.lines, weeks[: 10 + n]).status for weeks in people for n in range(4)]
    counts = found.counts
    assert (counts.red, counts.amber, counts.green) == tuple(seen.count(s) for s in ("red", "amber", "green"))
    assert counts.red == 4
    assert found.readings == counts.red + counts.amber + counts.green == 28


def test_lines_of_a_manager_are_refused_where_they_cannot_be() -> None:
    for target, red, words in ((80.0, 85.0, "must lie above"), (120.0, 70.0, "cannot reach"),
                               (float("nan"), 1.0, "cannot reach")):  # fmt: skip
        with pytest.raises(Refused, match=words):
            scoring.baselines.with_ends(METRICS[0], target, red)
    with pytest.raises(Refused, match="must lie below"):
        scoring.baselines.with_ends(METRICS[2], 30.0, 20.0)
