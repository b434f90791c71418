"""Readings, balanced score, rubrics, and how a number explains itself."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scoring.scorecards
from scoring.metrics import Lines, Series, Sums
from scoring.refused import Refused
from scoring.rules import Entry
from scoring.scorecards import Reading, Score
from tests.scoring import desk

RED, AMBER, GREEN = ([desk.rate(x, 50)] * 8 for x in (25, 38, 42))


def entry(name: str, weight: float = 0.5, lines: Lines = desk.SHARE) -> Entry:
    return Entry(name, weight, lines)


def read(name: str, weight: float, sums: list[Sums], before: Sums | None = None, **more: Any) -> Reading:
    return scoring.scorecards.reading(desk.metric(name), entry(name, weight), desk.series(sums, before), **more)


def test_a_reading_has_value_change_status_and_weeks() -> None:
    found = read("sla", 0.5, GREEN, desk.rate(30, 40))
    assert (found.value, found.previous, found.change) == (84.0, 75.0, 9.0)
    assert (found.status, found.words) == ("green", "168 of 200 over four weeks; red line 70 %")
    assert found.score == 1.0
    assert found.previous_score == pytest.approx(25 / 32)
    assert [value for _, value in found.weeks] == [84.0] * 8
    assert found.missing == ""


def test_an_empty_week_is_a_gap_and_not_zero() -> None:
    found = read("sla", 0.5, [desk.rate(40, 50), Sums(), desk.rate(40, 50)])
    assert [value for _, value in found.weeks] == [80.0, None, 80.0]


def test_no_data_and_not_connected_are_told_apart() -> None:
    empty = read("sla", 0.5, [Sums()] * 4)
    assert (empty.value, empty.status, empty.score, empty.missing) == (None, "none", None, "no data in this period")
    unknown = read("csat", 0.5, [Sums()] * 4, connected=False)
    assert (unknown.missing, unknown.words) == ("not connected", "not connected")


def test_a_period_without_data_has_no_colour_from_the_weeks_around_it() -> None:
    series = Series(period=Sums(), before=Sums(), weeks=desk.weeks(RED))
    assert scoring.scorecards.reading(desk.metric("sla"), entry("sla"), series).status == "none"


def test_a_capped_metric_is_never_above_its_cap() -> None:
    one = desk.metric("utilisation", cap=90.0)
    found = scoring.scorecards.reading(one, entry("utilisation"), desk.series([desk.rate(99, 100)] * 4))
    assert found.value == 90.0
    assert {value for _, value in found.weeks} == {90.0}


def test_reds_come_first_then_ambers_greens_and_the_uncoloured() -> None:
    readings = [
        read("g", 0.2, GREEN), read("n", 0.2, [desk.rate(2, 2)]), read("a", 0.2, AMBER), read("r", 0.2, RED),
        read("x", 0.2, [Sums()]),
    ]  # fmt: skip
    found = scoring.scorecards.score(desk.rubric(), readings)
    assert [r.metric for r in found.readings] == ["r", "a", "g", "n", "x"]


def test_inside_a_colour_the_heavier_gap_comes_first_and_names_break_ties() -> None:
    readings = [read("b", 0.3, RED), read("z", 0.4, RED), read("a", 0.3, RED)]
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2]):
        found = scoring.scorecards.score(desk.rubric(), [readings[i] for i in order])
        assert [r.metric for r in found.readings] == ["z", "a", "b"]


def test_a_missing_metric_leaves_its_weight_to_the_others_and_is_named() -> None:
    found = scoring.scorecards.score(desk.rubric(), [read("sla", 0.7, GREEN), read("csat", 0.3, [Sums()])])
    assert found.balanced == 100.0
    assert found.missing == ("csat",)
    assert found.covered == pytest.approx(0.7)


def test_under_sixty_percent_of_the_weight_there_is_no_score() -> None:
    just = scoring.scorecards.score(desk.rubric(), [read("a", 0.6, GREEN), read("b", 0.4, [Sums()])])
    under = scoring.scorecards.score(desk.rubric(), [read("a", 0.59, GREEN), read("b", 0.41, [Sums()])])
    assert just.balanced == 100.0
    assert under.balanced is None
    assert under.change is None
    assert scoring.scorecards.score(desk.rubric(), []).balanced is None


def test_the_score_says_how_it_changed_and_whether_it_may_still_change() -> None:
    readings = [read("a", 0.5, GREEN, desk.rate(33, 50)), read("b", 0.5, GREEN, desk.rate(41, 50), provisional=True)]
    found = scoring.scorecards.score(desk.rubric(), readings)
    assert (found.balanced, found.previous) == (100.0, 75.0)
    assert found.change == 25.0
    assert found.provisional


@given(st.lists(st.tuples(st.floats(0.01, 1.0), st.none() | st.floats(0.0, 1.0)), max_size=10))
def test_the_balanced_score_lies_between_its_best_and_worst_part(parts: list[tuple[float, float | None]]) -> None:
    balanced, covered = scoring.scorecards.balanced_score(parts)
    known = [score for _, score in parts if score is not None]
    assert 0.0 <= covered <= 1.0 + 1e-9
    if balanced is None:
        assert covered < 0.6 or not known
    else:
        assert 100 * min(known) - 1e-6 <= balanced <= 100 * max(known) + 1e-6


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_a_metric_score_is_a_share_and_mirrors_with_its_scale(actual: float, worst: float, best: float) -> None:
    if worst == best:
        with pytest.raises(Refused):
            scoring.scorecards.metric_score(actual, worst, best)
        return
    found = scoring.scorecards.metric_score(actual, worst, best)
    assert 0.0 <= found <= 1.0
    assert found + scoring.scorecards.metric_score(actual, best, worst) == pytest.approx(1.0)


def _scores() -> st.SearchStrategy[Score]:
    number = st.none() | st.floats(allow_nan=False, allow_infinity=False)
    reading = st.builds(
        Reading,
        metric=st.text(), value=number, previous=number, change=number,
        status=st.sampled_from(["red", "amber", "green", "none"]), words=st.text(),
        sums=st.builds(Sums, st.integers(), st.integers(), st.integers(), st.integers()),
        weeks=st.lists(st.tuples(st.integers(), number), max_size=13).map(tuple),
        lines=st.builds(Lines, *[st.floats(-1e9, 1e9)] * 4), weight=st.floats(0, 1),
        score=number, previous_score=number, people=st.integers(0), provisional=st.booleans(), missing=st.text(),
    )  # fmt: skip
    return st.builds(
        Score, rubric=st.text(), readings=st.lists(reading, max_size=4).map(tuple), balanced=number, previous=number,
        change=number, covered=st.floats(0, 1), missing=st.lists(st.text(), max_size=3).map(tuple),
        provisional=st.booleans(),
    )  # fmt: skip


@given(_scores())
def test_a_frozen_score_is_restored_equal(value: Score) -> None:
    assert scoring.scorecards.from_json(json.loads(json.dumps(scoring.scorecards.to_json(value)))) == value


def test_the_most_specific_rubric_holds_then_the_newest() -> None:
    everybody = desk.rubric(name="all")
    newer = desk.rubric(name="newer", from_day=20_500)
    tiered = desk.rubric(name="tier 2", role="technician", tier=2)
    team = desk.rubric(name="blue", team="blue")
    later = desk.rubric(name="later", from_day=30_000, role="technician", tier=2, team="blue")
    rules = desk.rules(team, later, everybody, tiered, newer, desk.rubric(name="desk", level="team"))

    def chosen(role: Any, tier: int | None, team_key: str, day: int = 20_600) -> str:
        return scoring.scorecards.choose_rubric(rules, "person", role, tier, team_key, day).name

    assert chosen("technician", 1, "red") == "newer"
    assert chosen("technician", 1, "red", 20_460) == "all"
    assert chosen("technician", 2, "red") == "tier 2"
    assert chosen("coordinator", None, "blue") == "blue"
    assert chosen("technician", 2, "blue") == "tier 2"
    assert chosen("technician", 2, "blue", 30_000) == "later"
    assert scoring.scorecards.choose_rubric(rules, "team", None, None, "red", 20_600).name == "desk"


def test_without_a_rubric_the_refusal_names_who_and_when() -> None:
    with pytest.raises(Refused, match="technician of tier 2 on 2020-01-01"):
        scoring.scorecards.choose_rubric(desk.rules(desk.rubric()), "person", "technician", 2, "blue", 18_262)


METRICS = {m.name: m for m in (desk.metric("sla"), desk.metric("csat"), desk.wait(),
                               desk.metric("throughput", levels=("team",)),
                               desk.metric("nameless", influence={}))}  # fmt: skip


def test_a_fair_rubric_is_accepted() -> None:
    fair = desk.rubric(entry("sla", 0.4), entry("csat", 0.35), entry("wait", 0.25, desk.WAIT))
    scoring.scorecards.check_rubric(fair, METRICS)


@pytest.mark.parametrize(
    ("entries", "what", "remedy"),
    [
        ([], "has no metrics", "at least one"),
        ([entry("sla", 0.6), entry("csat", 0.3)], "total 90 %", "100 %"),
        ([entry("sla", 0.5), entry("sla", 0.5)], "sla twice", "add up"),
        ([entry("slo", 1.0)], "no metric slo", "sla"),
        ([entry("sla", 1.2), entry("csat", -0.2)], "weight of csat is -20 %", "above zero"),
        ([entry("sla", float("nan"))], "weight of sla", "above zero"),
        ([entry("throughput", 1.0)], "throughput is no measure of a person", "team"),
        ([entry("nameless", 1.0)], "how a person influences nameless", "one sentence"),
        ([entry("sla", 1.0, Lines(80, 70, 60, 60))], "both 60", "apart"),
        ([entry("sla", 1.0, Lines(80, 85, 50, 90))], "out of order", "must rise"),
        ([entry("wait", 1.0, desk.SHARE)], "out of order", "must fall"),
        ([entry("sla", 1.0, Lines(80, 70, 50, 100))], "score only 60.0", "a best of 83.33"),
    ],
)
def test_an_unfair_rubric_is_refused_with_its_mend(entries: list[Entry], what: str, remedy: str) -> None:
    with pytest.raises(Refused) as refused:
        scoring.scorecards.check_rubric(desk.rubric(*entries), METRICS)
    assert what in refused.value.what
    assert remedy in refused.value.remedy


def test_the_best_that_a_refusal_proposes_is_accepted() -> None:
    scoring.scorecards.check_rubric(desk.rubric(entry("sla", 1.0, Lines(80, 70, 50, 83.33))), METRICS)


def test_a_number_explains_itself() -> None:
    one = desk.metric("sla", excludes="Tickets that arrived breached.", source="AGMSP", cap=80.0)
    line = entry("sla", 0.25)
    found = scoring.scorecards.reading(one, line, desk.series([desk.rate(42, 50)] * 4))
    told = scoring.scorecards.explain(
        one, line, found, level="person", since="since 2026-01-01", objectives=("Answer in time", "Keep our clients"),
        covered=0.8,
    )  # fmt: skip
    assert told.figures == "168 ÷ 200 × 100 = 84 %, counted as 80 % at most"
    assert told.lines == "target 80 %, red line 70 %, scale 50 % to 82 %, since 2026-01-01"
    assert told.weight == "25 % of the score"
    assert told.contribution == "29.3 of 31.2 points"
    assert told.sample == "168 of 200 over four weeks; red line 70 %"
    assert told.influence == "You do it yourself."
    assert told.excludes == "Tickets that arrived breached."
    assert told.objectives == ("Answer in time", "Keep our clients")


def test_a_number_that_is_missing_explains_that() -> None:
    one, line = desk.metric("csat"), entry("csat", 0.25)
    found = scoring.scorecards.reading(one, line, desk.series([Sums()]), connected=False)
    told = scoring.scorecards.explain(one, line, found, level="person", since="since 2026-01-01")
    assert told.figures == "not connected"
    assert told.contribution == "no points: not connected; the other metrics share its weight"


def test_what_readings_contribute_adds_up_to_the_balanced_score() -> None:
    readings = [read("a", 0.3, RED), read("b", 0.4, AMBER), read("c", 0.3, [Sums()])]
    found = scoring.scorecards.score(desk.rubric(), readings)
    told = [
        scoring.scorecards.explain(desk.metric(r.metric), entry(r.metric, r.weight), r, level="person",
                                   since="", covered=found.covered)
        for r in found.readings
    ]  # fmt: skip
    points = [float(t.contribution.split(" of ")[0]) for t in told if t.contribution[0].isdigit()]
    assert found.balanced == pytest.approx(sum(points), abs=0.2)


def test_an_estimate_for_pay_is_the_teams_where_there_is_no_data() -> None:
    assert scoring.scorecards.estimate(Sums(), 8.0, 2.0) == 0.8
    assert scoring.scorecards.estimate(desk.rate(0, 10), 8.0, 2.0) == 0.4


def test_a_scorecard_of_ten_metrics_takes_about_a_millisecond() -> None:
    kinds = ["rate"] * 7 + ["mean"] * 2 + ["ratio"]
    metrics = [desk.metric(f"m{i}", kind=k) for i, k in enumerate(kinds)]
    entries = [entry(m.name, 0.1) for m in metrics]
    series = desk.series([desk.rate(18 + i % 5, 25)._replace(ss=19_000) for i in range(13)], desk.rate(70, 100))
    best = 1.0
    for _ in range(30):
        begun = time.process_time()
        for _ in range(5):
            scoring.scorecards.score(
                desk.rubric(), [scoring.scorecards.reading(m, e, series) for m, e in zip(metrics, entries, strict=True)]
            )
        best = min(best, (time.process_time() - begun) / 5)
    assert best < 0.003, f"{best * 1000:.2f} ms"
