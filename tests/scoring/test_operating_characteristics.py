"""The noise guard errs as rarely, and finds a fall as soon, as was promised for it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.benchmarks import operating_characteristics

ROUNDS = 400

PROMISED = {  # observations a week: false red weeks, found by week 3, by week 6, gone within 3 weeks; percent
    8: (2.5, 34, 70, 72),
    25: (1.0, 72, 95, 88),
    60: (0.6, 96, 100, 98),
}


@pytest.fixture(scope="module")
def rows() -> dict[tuple[str, int], dict[str, Any]]:
    return {(r["rule"], r["weekly"]): r for r in operating_characteristics.run(ROUNDS, seed=1)}


def tolerance(percent: float, rounds: int = ROUNDS) -> float:
    """Three standard errors of a simulated share, in percent."""
    p = min(max(percent / 100, 0.01), 0.99)
    return 300 * math.sqrt(p * (1 - p) / rounds)


@pytest.mark.parametrize("weekly", operating_characteristics.WEEKLY)
def test_the_rule_keeps_what_was_promised(rows: dict[tuple[str, int], dict[str, Any]], weekly: int) -> None:
    false_red, by_3, by_6, gone = PROMISED[weekly]
    found = rows["ours", weekly]
    assert found["false_red"] <= false_red + tolerance(false_red, ROUNDS * 4)  # a red lasts about three weeks
    assert found["found_by_3"] >= by_3 - tolerance(by_3)
    assert found["found_by_6"] >= by_6 - tolerance(by_6)
    assert found["gone_in_3"] >= gone - tolerance(gone, round(ROUNDS * by_6 / 200))


@pytest.mark.parametrize(("weekly", "called"), [(8, 20), (25, 11), (60, 3)])
def test_a_plain_threshold_calls_many_a_good_week_red(
    rows: dict[tuple[str, int], dict[str, Any]], weekly: int, called: float
) -> None:
    assert rows["plain threshold", weekly]["false_red"] == pytest.approx(called, abs=2.5)
    assert rows["ours", weekly]["false_red"] < rows["plain threshold", weekly]["false_red"] / 3


def test_wilsons_bound_twice_running_finds_next_to_nothing(rows: dict[tuple[str, int], dict[str, Any]]) -> None:
    for weekly in (8, 25):
        assert rows["Wilson twice", weekly]["false_red"] < 0.1
        assert rows["Wilson twice", weekly]["found_by_6"] < 12


@pytest.mark.parametrize("weekly", operating_characteristics.WEEKLY)
def test_means_are_judged_at_least_as_well_as_rates(rows: dict[tuple[str, int], dict[str, Any]], weekly: int) -> None:
    false_red, by_3, by_6, gone = PROMISED[weekly]
    found = rows["ours, of means", weekly]
    assert found["false_red"] <= false_red
    assert found["found_by_3"] >= by_3 - tolerance(by_3)
    assert found["found_by_6"] >= by_6 - tolerance(by_6)
    assert found["gone_in_3"] >= gone - tolerance(gone, round(ROUNDS * by_6 / 200))


def test_the_same_seed_gives_the_same_figures() -> None:
    assert operating_characteristics.run(5, seed=3) == operating_characteristics.run(5, seed=3)
    assert "false red" in operating_characteristics.table(operating_characteristics.run(2))
