"""How sure a figure is: the distributions behind statuses and pay estimates, in plain Python for speed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import NormalDist

PRIOR = 10.0
"""The prior is worth this many observations at target."""
CHANCE = 0.6
"""A status is red when the chance of a true value beyond the red line exceeds this."""
H = 3.5
"""Decision limit of the CUSUM, in units of log likelihood."""
HEADROOM = 1.5
"""The CUSUM is capped at H + HEADROOM, so that a recovery shows within weeks."""
BEYOND = 0.05
"""The CUSUM looks for a shift to five points beyond the red line."""

_TINY = 1e-300
_EPSILON = 1e-15
_Z95 = NormalDist().inv_cdf(0.975)


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), for a, b > 0.

    Continued fraction by Lentz's method (DLMF 8.17.22), on the side where it converges fast.
    """
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(1.0 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    total = a + b
    c = 1.0
    d = 1.0 - total * x / (a + 1.0)
    d = 1.0 / (d or _TINY)
    value = d
    m = 0.0
    for _ in range(100_000):  # needs about the square root of a + b steps
        m += 1.0
        even = a + 2.0 * m
        step = m * (b - m) * x / ((even - 1.0) * even)
        d = 1.0 + step * d
        c = 1.0 + step / c
        d = 1.0 / (d or _TINY)
        c = c or _TINY
        value *= d * c
        step = -(a + m) * (total + m) * x / (even * (even + 1.0))
        d = 1.0 + step * d
        c = 1.0 + step / c
        d = 1.0 / (d or _TINY)
        c = c or _TINY
        change = d * c
        value *= change
        if -_EPSILON < change - 1.0 < _EPSILON:
            break
    return value


def t_cdf(t: float, df: float) -> float:
    """P(T ≤ t) for Student's t with `df` > 0 degrees of freedom (DLMF 8.17: I_x(df/2, 1/2))."""
    if t == 0.0:
        return 0.5
    tail = 0.5 * beta_cdf(df / (df + t * t), 0.5 * df, 0.5)
    return 1.0 - tail if t > 0.0 else tail


def wilson(successes: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson 1927; Newcombe 1998). No data: (0, 1)."""
    if n <= 0:
        return 0.0, 1.0
    z = _Z95 if confidence == 0.95 else NormalDist().inv_cdf(0.5 + confidence / 2.0)
    p, z2 = successes / n, z * z
    centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n)
    half = z / (1.0 + z2 / n) * math.sqrt(p * (1.0 - p) / n + z2 / (4.0 * n * n))
    low = 0.0 if successes <= 0 else max(0.0, centre - half)
    high = 1.0 if successes >= n else min(1.0, centre + half)
    return low, high


def inside(p: float) -> float:
    """A proportion kept one point away from 0 and 1, where a prior or a likelihood would be absolute."""
    return 0.01 if p < 0.01 else 0.99 if p > 0.99 else p


def rate_beyond(successes: float, n: float, target: float, red: float, *, up: bool, prior: float = PRIOR) -> float:
    """The chance that the true proportion lies beyond the red line: the tail of the beta posterior.

    `target` and `red` are proportions; `up` is true where higher is better, so that beyond is below.
    """
    at = inside(target)
    below = beta_cdf(red, at * prior + successes, (1.0 - at) * prior + n - successes)
    return below if up else 1.0 - below


def mean_beyond(mean: float, n: float, variance: float, df: float, target: float, red: float, *, up: bool,
                prior: float = PRIOR) -> float:  # fmt: skip
    """The same chance for a mean: a t tail around the mean drawn towards the target by the prior.

    `variance` is that of one observation, `n` their number. Without spread the answer is certain.
    """
    weight = n + prior
    centre = (n * mean + prior * target) / weight
    worse = red - centre if up else centre - red
    if variance <= 0.0 or df <= 0.0:
        return 1.0 if worse > 0.0 and df > 0.0 else 0.0
    return t_cdf(worse / math.sqrt(variance / weight), df)


def cusum_rate(weeks: Iterable[tuple[float, float]], target: float, red: float, *, up: bool) -> float:
    """The CUSUM after weeks of (successes, observations): log likelihood ratio of the shifted rate to the target.

    Page (1954). The sum never falls under 0 and never exceeds H + HEADROOM.
    """
    good = inside(target)
    bad = inside(red - BEYOND if up else red + BEYOND)
    hit = math.log(bad / good)
    miss = math.log((1.0 - bad) / (1.0 - good))
    cap, total = H + HEADROOM, 0.0
    for successes, n in weeks:
        total += successes * hit + (n - successes) * miss
        total = 0.0 if total < 0.0 else cap if total > cap else total
    return total


def cusum_mean(weeks: Iterable[tuple[float, float]], variance: float, target: float, red: float) -> float:
    """The CUSUM after weeks of (sum, observations) of a normal mean whose one-observation variance is known.

    The shift it looks for lies beyond the red line by half the way from the target, as five points do
    for a rate with a target of 80 % and a red line of 70 %; the direction follows from the two lines.
    """
    bad = red + 0.5 * (red - target)
    middle = 0.5 * (bad + target)
    cap, total = H + HEADROOM, 0.0
    for amount, n in weeks:
        towards = (bad - target) * (amount - n * middle)
        if variance > 0.0:
            total += towards / variance
        elif towards:
            total = cap if towards > 0.0 else 0.0
        total = 0.0 if total < 0.0 else cap if total > cap else total
    return total


def shrunk(successes: float, n: float, alpha: float, beta: float) -> float:
    """The empirical-Bayes estimate of a proportion: (α + x) ÷ (α + β + n); without data the prior's mean.

    Source: Robinson, "Understanding empirical Bayes estimation", 2015. Raises ValueError without a prior.
    """
    if alpha < 0.0 or beta < 0.0 or alpha + beta <= 0.0:
        raise ValueError("a prior needs a positive weight")
    return (alpha + successes) / (alpha + beta + n)


def fit_prior(members: Sequence[tuple[float, float]], *, lightest: float = 2.0,
              heaviest: float = 1000.0) -> tuple[float, float]:  # fmt: skip
    """(α, β) of the beta-binomial that members' (successes, observations) come from, by moments.

    Kleinman (1973) with weights n; the weight α + β stays between `lightest` and `heaviest`, and with
    one member, or members all at 0 or 1, it is PRIOR. Raises ValueError when nobody has an observation.
    """
    seen = [(x, n) for x, n in members if n > 0]
    total = math.fsum(n for _, n in seen)
    if not seen:
        raise ValueError("a prior needs observations")
    p = math.fsum(x for x, _ in seen) / total
    within = p * (1.0 - p)
    free = total - math.fsum(n * n for _, n in seen) / total - (len(seen) - 1)
    if len(seen) < 2 or within <= 0.0 or free <= 0.0:
        middle = inside(p)
        return middle * PRIOR, (1.0 - middle) * PRIOR
    spread = math.fsum(n * (x / n - p) ** 2 for x, n in seen)
    alike = (spread - within * (len(seen) - 1)) / (within * free)
    weight = heaviest if alike <= 0.0 else min(heaviest, max(lightest, 1.0 / alike - 1.0))
    return p * weight, (1.0 - p) * weight
