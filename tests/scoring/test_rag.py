"""Statuses: a matter of evidence, in words."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scoring.periods
import scoring.rag
from scoring.metrics import Lines, Sums
from tests.scoring import desk

SHARE, WAIT = desk.SHARE, desk.WAIT


def test_a_clear_miss_is_red_and_says_so_in_words() -> None:
    found = scoring.rag.status(desk.metric("sla"), SHARE, desk.weeks([desk.rate(15, 24)] * 3 + [desk.rate(16, 26)]))
    assert found.status == "red"
    assert found.words == "61 of 98 over four weeks; red line 70 %"
    assert found.sums == desk.rate(61, 98)
    assert found.chance > 0.6


def test_meeting_the_target_is_green_and_between_the_lines_is_amber() -> None:
    for x, expected in ((20, "green"), (21, "green"), (19, "amber")):
        found = scoring.rag.status(desk.metric("sla"), SHARE, desk.weeks([desk.rate(x, 25)] * 4))
        assert found.status == expected


def test_one_bad_week_of_few_observations_is_no_red() -> None:
    good = [desk.rate(7, 8)] * 12
    found = scoring.rag.status(desk.metric("sla"), SHARE, desk.weeks([*good, desk.rate(4, 8)]))
    assert found.status == "amber"


def test_under_ten_observations_there_are_counts_and_no_colour() -> None:
    found = scoring.rag.status(desk.metric("sla"), SHARE, desk.weeks([desk.rate(0, 3)] * 3))
    assert found.status == "none"
    assert found.words == "0 of 9 over three weeks; a colour needs 10"


def test_a_stock_is_told_as_of_the_end_of_the_week_or_of_the_day_where_that_is_to_come() -> None:
    seen = desk.weeks([desk.rate(1, 12)] * 3, last=scoring.periods.monday(20_670))
    stock = desk.metric("aged", stock=True, direction="down")
    lines = Lines(target=10.0, red=20.0, worst=40.0, best=7.0)
    over = scoring.rag.status(stock, lines, seen)
    assert over.words == "1 of 12 at the end of the week; red line 20 %"
    wednesday = scoring.periods.monday(20_670) + 2
    so_far = scoring.rag.status(stock, lines, seen, as_of=wednesday)
    assert so_far.words == f"1 of 12 on {scoring.periods.day_month(wednesday)}; red line 20 %"


def test_old_weeks_do_not_count_towards_the_sample() -> None:
    seen = desk.weeks([desk.rate(0, 50)] * 9 + [Sums()] * 3 + [desk.rate(0, 2)])
    assert scoring.rag.status(desk.metric("sla"), SHARE, seen).status == "none"


def test_a_metric_may_ask_for_fewer_or_more_observations() -> None:
    seen = desk.weeks([desk.rate(3, 3)])
    assert scoring.rag.status(desk.metric("certified", min_sample=3), SHARE, seen).status == "green"
    assert scoring.rag.status(desk.metric("certified", min_sample=4), SHARE, seen).status == "none"


def test_nothing_at_all_is_no_data_and_never_zero_percent() -> None:
    found = scoring.rag.status(desk.metric("sla"), SHARE, desk.weeks([Sums()] * 13))
    assert (found.status, found.words) == ("none", "nothing over four weeks; a colour needs 10")
    assert scoring.rag.status(desk.metric("sla"), SHARE, ()).status == "none"


def test_a_long_slide_is_red_although_its_window_is_not_beyond_the_line() -> None:
    found = scoring.rag.status(desk.metric("sla"), SHARE, desk.weeks([desk.rate(21, 30)] * 8))
    assert found.status == "red"
    assert found.chance <= 0.6
    assert found.words.endswith("the weeks together show a slide")


def test_a_slide_that_has_been_made_good_is_no_longer_held_against_anybody() -> None:
    slide = [desk.rate(100, 200)] * 9
    for good, expected in ((200, "green"), (156, "amber")):
        weeks = desk.weeks([*slide, *[desk.rate(156, 200)] * 3, desk.rate(good, 200)])
        assert scoring.rag.status(desk.metric("sla"), SHARE, weeks).status == expected


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=13))
def test_lower_is_better_is_the_mirror_of_higher_is_better(seen: list[tuple[int, int]]) -> None:
    up = scoring.rag.status(desk.metric("made"), SHARE, desk.weeks([desk.rate(x, x + y) for x, y in seen]))
    down = scoring.rag.status(
        desk.metric("missed", direction="down"),
        Lines(target=20.0, red=30.0, worst=50.0, best=18.0),
        desk.weeks([desk.rate(y, x + y) for x, y in seen]),
    )
    assert up.chance == pytest.approx(down.chance, abs=1e-9)
    assert up.status == down.status


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=13), st.integers(0, 12))
def test_a_success_more_never_makes_it_worse(seen: list[tuple[int, int]], index: int) -> None:
    index %= len(seen)
    better = [(x + 1, y - 1) if i == index and y else (x, y) for i, (x, y) in enumerate(seen)]
    rank = {"red": 0, "amber": 1, "green": 2}
    one, other = (
        scoring.rag.status(desk.metric("m"), SHARE, desk.weeks([desk.rate(x, x + y) for x, y in rows])).status
        for rows in (seen, better)
    )
    assert one == other == "none" or rank[one] <= rank[other]


def test_weights_above_one_make_nobody_more_certain() -> None:
    plain = desk.weeks([desk.rate(3, 5)] * 4)
    heavy = desk.weeks([Sums(30_000, 50_000, 5, 0)] * 4)
    assert scoring.rag.status(desk.metric("m"), SHARE, plain).chance == pytest.approx(
        scoring.rag.status(desk.metric("m"), SHARE, heavy).chance
    )


def test_facts_that_count_for_less_give_less_evidence() -> None:
    whole = desk.weeks([desk.rate(15, 25)] * 4)
    halved = desk.weeks([Sums(7_500, 12_500, 25, 0)] * 4)
    one, other = (scoring.rag.status(desk.metric("m"), SHARE, w) for w in (whole, halved))
    assert one.chance > other.chance > 0.5


def test_a_long_wait_is_red_and_one_outlier_is_not() -> None:
    rng = random.Random(7)
    slow = [desk.values([rng.expovariate(1 / 65) for _ in range(30)]) for _ in range(4)]
    assert scoring.rag.status(desk.wait(), WAIT, desk.weeks(slow)).status == "red"
    fine = [desk.values([rng.uniform(10, 40) for _ in range(30)]) for _ in range(8)]
    fine[-1] = fine[-1] + desk.values([2400.0])
    found = scoring.rag.status(desk.wait(), WAIT, desk.weeks(fine))
    assert found.status == "amber"


def test_a_short_wait_is_green_in_minutes() -> None:
    found = scoring.rag.status(desk.wait(), WAIT, desk.weeks([desk.values([20.0, 30.0, 25.0])] * 4))
    assert (found.status, found.words) == ("green", "25 min from 12 over four weeks; red line 45 min")


def test_a_net_promoter_score_may_be_negative() -> None:
    lines = Lines(target=30.0, red=0.0, worst=-50.0, best=35.0)
    nps = desk.metric("nps", kind="mean", unit="", scale=100.0)
    answers = desk.values([1, -1, -1, 0, -1, -1, 1, -1, -1, 0])
    found = scoring.rag.status(nps, lines, desk.weeks([answers] * 4))
    assert (found.status, found.words) == ("red", "-40 from 40 over four weeks; red line 0")


def hours(worked: float, capacity: float) -> Sums:
    return Sums(round(worked * 1000), round(capacity * 1000), 5, 0)


def test_a_ratio_of_two_sums_is_judged_by_how_its_weeks_scatter() -> None:
    steady = [hours(22 + i % 3, 38) for i in range(13)]
    found = scoring.rag.status(desk.metric("utilisation", kind="ratio"), SHARE, desk.weeks(steady))
    assert found.status == "red"
    wild = [hours(w, 38) for w in (36, 2, 38, 6, 37, 38, 3, 38, 38, 10, 38, 38, 12)]
    found = scoring.rag.status(desk.metric("utilisation", kind="ratio"), SHARE, desk.weeks(wild))
    assert found.status == "amber"
    assert found.words == "64 % from 20 over four weeks; red line 70 %"


def test_a_single_week_of_a_ratio_is_no_evidence_of_red() -> None:
    one = desk.metric("utilisation", kind="ratio", min_sample=5)
    assert scoring.rag.status(one, SHARE, desk.weeks([hours(10, 38)])).status == "amber"


def test_a_stock_is_judged_by_its_level_and_levels_are_not_added() -> None:
    aged = desk.metric("aged", stock=True, direction="down")
    lines = Lines(target=10.0, red=20.0, worst=40.0, best=8.0)
    high = desk.weeks([desk.rate(x, 40) for x in (12, 13, 11, 12, 14)])
    found = scoring.rag.status(aged, lines, high)
    assert (found.status, found.words) == ("red", "14 of 40 at the end of the week; red line 20 %")
    low = desk.weeks([desk.rate(x, 40) for x in (12, 13, 11, 12, 2)])
    assert scoring.rag.status(aged, lines, low).status == "green"
    few = desk.weeks([desk.rate(4, 9)] * 13)
    assert scoring.rag.status(aged, lines, few).status == "none"
    close = desk.weeks([desk.rate(184 + 8 * (i % 2), 1000) for i in range(13)])
    assert scoring.rag.status(aged, lines, close).status == "amber"  # week resembles week: no slide is added up
    between = desk.weeks([desk.rate(7, 40)] * 13)
    assert scoring.rag.status(aged, lines, between).status == "amber"


@given(
    st.sampled_from(["rate", "mean", "ratio"]),
    st.booleans(),
    st.booleans(),
    st.lists(st.builds(Sums, st.integers(-9, 10**9), st.integers(0, 10**9), st.integers(0, 10**6),
                       st.integers(0, 10**12)), max_size=14),
)  # fmt: skip
def test_any_sums_whatever_have_a_status(kind: str, stock: bool, up: bool, sums: list[Sums]) -> None:
    one = desk.metric("m", kind=kind, stock=stock, direction="up" if up else "down")
    lines = SHARE if up else Lines(target=20.0, red=30.0, worst=50.0, best=18.0)
    found = scoring.rag.status(one, lines, desk.weeks(sums))
    assert found.status in ("red", "amber", "green", "none")
    assert 0.0 <= found.chance <= 1.0 + 1e-9
    assert found.words
