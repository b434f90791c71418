"""XmR limits: which swings are news."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scoring.trend

series = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30)


@given(series)
def test_limits_lie_evenly_around_the_mean(values: list[float]) -> None:
    found = scoring.trend.limits(values)
    assert found.upper - found.mean == pytest.approx(found.mean - found.lower, abs=1e-6)
    assert found.upper - found.mean == pytest.approx(2.66 * found.mean_range, abs=1e-6)
    assert found.range_limit == 3.27 * found.mean_range


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=30), st.integers(-50, 50))
def test_limits_move_with_the_series(values: list[int], shift: int) -> None:
    here, there = scoring.trend.limits(values), scoring.trend.limits([v + shift for v in values])
    assert there.upper == pytest.approx(here.upper + shift)
    assert there.mean_range == here.mean_range


def test_one_value_has_no_limits() -> None:
    with pytest.raises(ValueError, match="two values"):
        scoring.trend.limits([3.0])


def test_a_swing_inside_the_limits_is_no_news_and_one_outside_is() -> None:
    quiet = [20.0, 24.0, 19.0, 23.0, 21.0]
    assert not scoring.trend.is_news([*quiet, 27.0])
    assert scoring.trend.is_news([*quiet, 60.0])
    assert scoring.trend.is_news([*quiet, -20.0])


def test_before_six_periods_nothing_is_news() -> None:
    assert not scoring.trend.is_news([20.0, 24.0, 19.0, 23.0, 400.0])


def test_a_value_outside_or_a_step_too_wide_is_a_signal() -> None:
    usual = scoring.trend.limits([10.0, 11.0] * 6)
    assert scoring.trend.signals([10.0, 11.0, 25.0, 10.0], usual) == (2, 3)
    wide = scoring.trend.Limits(10.0, 1.0, 20.0, 0.0, 3.27)
    assert scoring.trend.signals([10.0, 14.0], wide) == (1,)
