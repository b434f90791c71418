"""Whether a swing in a series is news: Wheeler's XmR limits for series that are not rates."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from scoring.metrics import Metric

FACTOR = 2.66
RANGE_FACTOR = 3.27
ENOUGH = 6
"""From so many periods on the limits decide; before, they are guesses and nothing is news."""

_RANGE_FACTOR_D4 = 3.267


@dataclass(frozen=True, slots=True)
class Limits:
    """Mean, mean moving range, natural process limits and the upper range limit, in the unit of the values."""

    mean: float
    mean_range: float
    upper: float
    lower: float
    range_limit: float


def applies(metric: Metric) -> bool:
    """Whether limits tell of a metric: not of rates, whose swings depend on the sample; `scoring.rag` weighs those."""
    return metric.kind != "rate"


def limits(values: Sequence[float], d2: float | None = None) -> Limits:
    """Mean ± 2.66 × mean moving range, range limit 3.27 × (Wheeler, "Understanding Variation").

    With `d2` (1.128 for two values) the exact form: ± 3 ÷ d2 and D4 = 3.267 (NIST/SEMATECH e-Handbook
    6.3.2.2). Raises ValueError for fewer than two values.
    """
    if len(values) < 2:
        raise ValueError("moving ranges need two values")
    mean = math.fsum(values) / len(values)
    mean_range = math.fsum(_ranges(values)) / (len(values) - 1)
    factor = FACTOR if d2 is None else 3.0 / d2
    range_factor = RANGE_FACTOR if d2 is None else _RANGE_FACTOR_D4
    return Limits(mean, mean_range, mean + factor * mean_range, mean - factor * mean_range, range_factor * mean_range)


def signals(values: Sequence[float], within: Limits) -> tuple[int, ...]:
    """The indexes of values outside the limits, or reached by a step above the range limit."""
    steps = (0.0, *_ranges(values))
    return tuple(
        i
        for i, (value, step) in enumerate(zip(values, steps, strict=True))
        if not within.lower <= value <= within.upper or step > within.range_limit
    )


def is_news(values: Sequence[float]) -> bool:
    """Whether the last value lies outside the limits that all the values before it set.

    A swing inside the limits triggers no message; with fewer than six values nothing does.
    """
    if len(values) < ENOUGH:
        return False
    usual = limits(values[:-1])
    return not usual.lower <= values[-1] <= usual.upper


def _ranges(values: Sequence[float]) -> list[float]:
    return [abs(after - before) for before, after in itertools.pairwise(values)]
