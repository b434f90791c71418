"""What nudges do, measured honestly: before and after, against people with the same gap who were not nudged."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

import scoring.figures
import scoring.noise
import scoring.privacy
from scoring.behaviours import Behaviour
from scoring.metrics import Metric, Sums

Verdict = Literal["helps", "no_effect", "open", "too_few"]
Went = Literal["better", "same", "worse", "too_few"]

COMPARED = ("budget", "snoozed", "leave")
"""Why somebody was not nudged in a week, where that makes them comparable."""

BEFORE, AFTER = 4, 2
"""Whole weeks before the week, and from it on, that are set against each other."""

PEOPLE = scoring.privacy.MINIMUM
"""On either side, under which nothing is told."""

ENOUGH = 10
"""People on either side from which on a behaviour may be called without effect."""

USEFUL = 0.2
"""The smallest useful effect: this share of the way from the red line to the target."""

LEAST = 3
"""Observations after, under which a week says nothing."""

CONFIDENCE = 0.95
_STEPS = (0.5, 1.0, 2.0)

CANNOT_SHOW = (
    "What this cannot show: nobody was chosen by lot. People choose to snooze, and they are on leave or busy for "
    "reasons of their own; those may be the reason for a difference. Weeks overlap, and who was not nudged may have "
    "been nudged before or after."
)


@dataclass(frozen=True, slots=True)
class Unit:
    """A person with a gap in a week: `before` and `after` are the sums of the weeks around it.

    `target` and `red` are the lines that the gap was seen by, in the metric's display unit.
    """

    person: int
    behaviour: str
    week: int
    nudged: bool
    target: float
    red: float
    before: Sums
    after: Sums


@dataclass(frozen=True, slots=True)
class Effect:
    """By how much more the nudged got better than the others with the same gap, in the metric's display unit.

    Better is positive, whichever way the metric runs. `low` and `high` are the 95 % interval; `useful` is the
    smallest useful effect. `nudged` and `others` count people, `weeks` the person-weeks of both. With fewer than
    five people on a side there are no figures.
    """

    behaviour: str
    metric: str
    verdict: Verdict
    nudged: int
    others: int
    weeks: int
    size: float = 0.0
    low: float = 0.0
    high: float = 0.0
    useful: float = 0.0


def measure(
    behaviours: Mapping[str, Behaviour], metrics: Mapping[str, Metric], units: Iterable[Unit]
) -> tuple[Effect, ...]:
    """The effect of each behaviour that has any units, in the order of the catalogue."""
    by_name: dict[str, list[Unit]] = defaultdict(list)
    for unit in units:
        by_name[unit.behaviour].append(unit)
    return tuple(
        _of(one, metrics[one.metric], by_name[name])
        for name, one in behaviours.items()
        if name in by_name and one.metric in metrics
    )


def _of(behaviour: Behaviour, metric: Metric, units: Iterable[Unit]) -> Effect:
    """Difference in differences within bands of the same gap, weighted by the nudged of each band.

    A person counts once a band and side, with the mean of their weeks, so that nobody counts as many; the interval
    is Welch's (unequal variances, Satterthwaite's degrees of freedom).
    """
    bands: dict[tuple[int, bool], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    spread: list[float] = []
    for unit in units:
        change = _change(metric, unit)
        if change is not None:
            bands[(_band(metric, unit), unit.nudged)][unit.person].append(change)
            spread.append(abs(unit.target - unit.red))
    pairs = []
    people: dict[bool, set[int]] = {True: set(), False: set()}
    weeks = 0
    for band in sorted({band for band, _ in bands}):
        sides = {side: bands.get((band, side), {}) for side in (True, False)}
        if all(len(one) >= 2 for one in sides.values()):
            pairs.append(tuple([fmean(c) for _, c in sorted(sides[s].items())] for s in (True, False)))
            for side, one in sides.items():
                people[side] |= one.keys()
                weeks += sum(len(c) for c in one.values())
    nudged, others = len(people[True]), len(people[False])
    if nudged < PEOPLE or others < PEOPLE:
        return Effect(behaviour.name, metric.name, "too_few", nudged, others, weeks)
    useful = USEFUL * math.fsum(spread) / len(spread)
    size, error, df = _difference(pairs)
    reach = t_quantile(0.5 + CONFIDENCE / 2.0, df) * error if error > 0.0 else 0.0
    low, high = size - reach, size + reach
    verdict: Verdict = "helps" if low > 0.0 else "open"
    if high < useful and min(nudged, others) >= ENOUGH:
        verdict = "no_effect"
    return Effect(behaviour.name, metric.name, verdict, nudged, others, weeks, size, low, high, useful)


def _change(metric: Metric, unit: Unit) -> float | None:
    before, after = scoring.figures.value(metric, unit.before), scoring.figures.value(metric, unit.after)
    if before is None or after is None or unit.before.n < metric.min_sample or unit.after.n < LEAST:
        return None
    return after - before if metric.direction == "up" else before - after


def _band(metric: Metric, unit: Unit) -> int:
    """How large the gap was, in ways from target to red line."""
    value = scoring.figures.value(metric, unit.before)
    way = unit.target - unit.red
    gap = 0.0 if value is None or way == 0.0 else (unit.target - value) / way
    return sum(gap >= step for step in _STEPS)


def _difference(pairs: Iterable[tuple[list[float], ...]]) -> tuple[float, float, float]:
    """Size, standard error and degrees of freedom of the weighted mean of the bands' differences."""
    bands = list(pairs)
    total = sum(len(nudged) for nudged, _ in bands)
    size = variance = below = 0.0
    for nudged, others in bands:
        weight = len(nudged) / total
        size += weight * (fmean(nudged) - fmean(others))
        for side in (nudged, others):
            part = weight * weight * _variance(side) / len(side)
            variance += part
            below += part * part / (len(side) - 1)
    return size, math.sqrt(variance), variance * variance / below if below > 0.0 else 1.0


def _variance(values: list[float]) -> float:
    mean = fmean(values)
    return math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1)


def t_quantile(p: float, df: float) -> float:
    """The t for which P(T ≤ t) = p, for p from 0.5 on and df > 0, by halving."""
    low, high = 0.0, 1.0
    while scoring.noise.t_cdf(high, df) < p:
        high *= 2.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if scoring.noise.t_cdf(middle, df) < p else (low, middle)
    return 0.5 * (low + high)


def compared(metric: Metric, before: Sums, after: Sums) -> Went:
    """Whether one person's figure moved by more than chance: two standard errors for a share or a mean.

    A ratio of two different sums has no such error and is "same" unless it moved by a tenth of itself.
    """
    was, now = scoring.figures.value(metric, before), scoring.figures.value(metric, after)
    if was is None or now is None or before.n < metric.min_sample or after.n < LEAST:
        return "too_few"
    moved = (now - was) if metric.direction == "up" else (was - now)
    if metric.kind == "ratio":
        limit = 0.1 * abs(was)
    else:
        limit = 2.0 * abs(metric.scale) * math.sqrt(_error(metric, before) + _error(metric, after))
    if abs(moved) <= limit:
        return "same"
    return "better" if moved > 0.0 else "worse"


def _error(metric: Metric, sums: Sums) -> float:
    """The squared standard error of a share (Agresti and Coull 1998, two more of each) or of a mean."""
    n = float(sums.n)
    if metric.kind == "rate":
        share = (n * sums.num / sums.den + 2.0) / (n + 4.0)
        return share * (1.0 - share) / (n + 4.0)
    mean = sums.num / sums.den
    return max(0.0, sums.ss / 1000.0 / n - mean * mean) / max(1.0, n - 1.0)
