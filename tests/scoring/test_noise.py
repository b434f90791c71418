"""The distributions behind statuses, against exact arithmetic and published figures."""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scoring.noise

shares = st.floats(min_value=0.001, max_value=0.999)


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 99))
def test_the_incomplete_beta_equals_the_exact_binomial_tail(a: int, b: int, percent: int) -> None:
    x, n = Fraction(percent, 100), a + b - 1
    exact = sum(math.comb(n, j) * x**j * (1 - x) ** (n - j) for j in range(a, n + 1))
    assert scoring.noise.beta_cdf(percent / 100, a, b) == pytest.approx(float(exact), rel=1e-10, abs=1e-14)


@given(shares, st.floats(0.1, 5e4), st.floats(0.1, 5e4))
def test_the_incomplete_beta_mirrors_itself(x: float, a: float, b: float) -> None:
    here, there = scoring.noise.beta_cdf(x, a, b), scoring.noise.beta_cdf(1.0 - x, b, a)
    assert 0.0 <= here <= 1.0 + 1e-12
    assert here + there == pytest.approx(1.0, abs=1e-8)


def test_the_incomplete_beta_is_flat_outside_its_range() -> None:
    assert scoring.noise.beta_cdf(0.0, 2, 3) == 0.0
    assert scoring.noise.beta_cdf(1.0, 2, 3) == 1.0


@pytest.mark.parametrize(
    ("t", "df", "p"),
    [(12.706205, 1, 0.975), (4.302653, 2, 0.975), (2.570582, 5, 0.975), (1.812461, 10, 0.95), (2.750, 30, 0.995),
     (-1.812461, 10, 0.05), (0.0, 3, 0.5)],
)  # fmt: skip
def test_students_t_has_its_tabled_quantiles(t: float, df: float, p: float) -> None:
    assert scoring.noise.t_cdf(t, df) == pytest.approx(p, abs=1e-5)


@given(st.integers(0, 400), st.integers(1, 400))
def test_wilson_holds_the_proportion_and_mirrors_with_failures(x: int, extra: int) -> None:
    n = x + extra
    low, high = scoring.noise.wilson(x, n)
    assert 0.0 <= low <= x / n <= high <= 1.0
    assert scoring.noise.wilson(n - x, n) == pytest.approx((1.0 - high, 1.0 - low), abs=1e-12)


def test_wilson_widens_with_confidence_and_knows_nothing_without_data() -> None:
    assert scoring.noise.wilson(18, 20, 0.99)[0] < scoring.noise.wilson(18, 20)[0]
    assert scoring.noise.wilson(0, 0) == (0.0, 1.0)


@given(st.integers(1, 80), st.floats(0.3, 0.95), st.floats(0.05, 0.25))
def test_every_success_more_makes_a_low_rate_less_likely(n: int, target: float, gap: float) -> None:
    chances = [scoring.noise.rate_beyond(x, n, target, target - gap, up=True) for x in range(n + 1)]
    assert all(after <= before + 1e-12 for before, after in itertools.pairwise(chances))


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.3, 0.95), st.floats(0.05, 0.25))
def test_a_rate_judged_upwards_equals_its_failures_judged_downwards(x: int, y: int, target: float, gap: float) -> None:
    up = scoring.noise.rate_beyond(x, x + y, target, target - gap, up=True)
    down = scoring.noise.rate_beyond(y, x + y, 1.0 - target, 1.0 - target + gap, up=False)
    assert up == pytest.approx(down, abs=1e-9)
    weeks_up, weeks_down = [(float(x), float(x + y))] * 5, [(float(y), float(x + y))] * 5
    assert scoring.noise.cusum_rate(weeks_up, target, target - gap, up=True) == pytest.approx(
        scoring.noise.cusum_rate(weeks_down, 1.0 - target, 1.0 - target + gap, up=False), abs=1e-9
    )


def test_a_target_of_everything_can_still_be_judged() -> None:
    assert scoring.noise.rate_beyond(40, 40, 1.0, 0.9, up=True) < 0.05
    assert scoring.noise.rate_beyond(25, 40, 1.0, 0.9, up=True) > 0.95
    assert scoring.noise.cusum_rate([(19.0, 20.0)], 1.0, 0.9, up=True) < scoring.noise.H


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=30))
def test_the_cusum_stays_between_zero_and_its_cap(weeks: list[tuple[int, int]]) -> None:
    seen = [(float(x), float(x + y)) for x, y in weeks]
    total = scoring.noise.cusum_rate(seen, 0.8, 0.7, up=True)
    assert 0.0 <= total <= scoring.noise.H + scoring.noise.HEADROOM


def test_the_cusum_of_a_long_slide_forgives_as_soon_as_that_of_a_short_one() -> None:
    recovery = [(24.0, 25.0)] * 2
    long = scoring.noise.cusum_rate([(15.0, 25.0)] * 40 + recovery, 0.8, 0.7, up=True)
    short = scoring.noise.cusum_rate([(15.0, 25.0)] * 3 + recovery, 0.8, 0.7, up=True)
    assert long == short < scoring.noise.H


def test_a_mean_beyond_the_line_is_more_likely_the_more_is_seen_and_the_less_it_spreads() -> None:
    few = scoring.noise.mean_beyond(70.0, 10, 900.0, 9, 30.0, 45.0, up=False)
    many = scoring.noise.mean_beyond(70.0, 100, 900.0, 99, 30.0, 45.0, up=False)
    spread = scoring.noise.mean_beyond(70.0, 100, 90_000.0, 99, 30.0, 45.0, up=False)
    assert few < many
    assert spread < many
    assert scoring.noise.mean_beyond(20.0, 100, 900.0, 99, 30.0, 45.0, up=False) < 0.01


def test_a_mean_without_spread_is_certain_and_without_a_second_value_unknown() -> None:
    assert scoring.noise.mean_beyond(90.0, 50, 0.0, 49, 30.0, 45.0, up=False) == 1.0
    assert scoring.noise.mean_beyond(30.0, 50, 0.0, 49, 30.0, 45.0, up=False) == 0.0
    assert scoring.noise.mean_beyond(90.0, 1, 0.0, 0, 30.0, 45.0, up=False) == 0.0


def test_the_cusum_of_means_finds_a_shift_in_its_direction_only() -> None:
    worse, better = [(50.0 * 20, 20.0)] * 4, [(10.0 * 20, 20.0)] * 4
    assert scoring.noise.cusum_mean(worse, 400.0, 30.0, 45.0) > scoring.noise.H
    assert scoring.noise.cusum_mean(better, 400.0, 30.0, 45.0) == 0.0
    assert scoring.noise.cusum_mean(better, 400.0, 30.0, 20.0) > scoring.noise.H
    assert scoring.noise.cusum_mean(worse, 0.0, 30.0, 45.0) == scoring.noise.H + scoring.noise.HEADROOM


@given(st.floats(0.1, 500), st.floats(0.1, 500), st.integers(0, 300), st.integers(0, 300))
def test_the_estimate_lies_between_ones_own_figure_and_the_teams(a: float, b: float, x: int, y: int) -> None:
    team = a / (a + b)
    own = x / (x + y) if x + y else team
    found = scoring.noise.shrunk(x, x + y, a, b)
    assert min(team, own) - 1e-12 <= found <= max(team, own) + 1e-12


def test_no_prior_is_an_error() -> None:
    with pytest.raises(ValueError, match="prior"):
        scoring.noise.shrunk(1, 2, 0.0, 0.0)
    with pytest.raises(ValueError, match="observations"):
        scoring.noise.fit_prior([(0, 0)])


def test_a_team_of_equals_gives_a_heavy_prior_and_a_mixed_one_a_light_one() -> None:
    equals = scoring.noise.fit_prior([(80, 100), (81, 100), (79, 100), (80, 100)])
    mixed = scoring.noise.fit_prior([(95, 100), (50, 100), (85, 100), (70, 100)])
    assert sum(equals) == 1000.0
    assert 2.0 <= sum(mixed) < 30.0
    assert equals[0] / sum(equals) == pytest.approx(0.8)
    assert mixed[0] / sum(mixed) == pytest.approx(0.75)


def test_a_prior_from_one_member_is_worth_ten_observations() -> None:
    alpha, beta = scoring.noise.fit_prior([(30, 40), (0, 0)])
    assert (alpha, beta) == pytest.approx((7.5, 2.5))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.2, 0.8), st.sampled_from([8.0, 20.0, 50.0]))
def test_moments_find_the_prior_that_made_the_members(seed: int, mean: float, weight: float) -> None:
    draws = random.Random(seed)
    members = []
    for _ in range(400):
        p = draws.betavariate(mean * weight, (1 - mean) * weight)
        n = draws.randint(60, 200)
        members.append((sum(draws.random() < p for _ in range(n)), n))
    alpha, beta = scoring.noise.fit_prior(members)
    assert alpha / (alpha + beta) == pytest.approx(mean, abs=0.06)
    assert 0.6 * weight < alpha + beta < 1.7 * weight
