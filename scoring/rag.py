"""Which colour a metric has, as a matter of evidence and not of a threshold alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import scoring.figures
import scoring.noise
import scoring.periods
from scoring.metrics import MILLI, Lines, Metric, Sums

Status = Literal["red", "amber", "green", "none"]
RANK: dict[Status, int] = {"red": 0, "amber": 1, "green": 2, "none": 3}

WINDOW = 4
"""Statuses look at the rolling four weeks."""

_WEEKS = ("no weeks", "one week", "two weeks", "three weeks", "four weeks")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A status and what it rests on.

    `sums` are those of the window. `chance` is the probability that the true value lies beyond the red
    line, `cusum` the accumulated log likelihood of a shift; both are 0 where the window alone rules out red.
    """

    status: Status
    words: str
    sums: Sums
    chance: float = 0.0
    cusum: float = 0.0


def is_stock(metric: Metric) -> bool:
    """Whether the metric is a level at the end of a period: such sums do not add over weeks."""
    return metric.denominator.shape == "level" or metric.numerator.shape == "level"


def status(metric: Metric, lines: Lines, weeks: Sequence[tuple[int, Sums]], *,
           prior: float = scoring.noise.PRIOR, as_of: int | None = None) -> Evidence:  # fmt: skip
    """The evidence in weeks of sums, oldest first; the last four are the window.

    Under `min_sample` observations in the window there is no colour. Red: the chance of a true value
    beyond the red line exceeds 0.6, or the CUSUM over all weeks exceeds 3.5; in either case the window's
    value must have covered half the way from target to red line, so that a slide that has been made good
    is no longer held against anybody. Green: the window's value meets the target. Else amber. A stock's
    window is its last level, of the day `as_of` in a week that is not over.
    """
    recent = weeks[-WINDOW:]
    stock = is_stock(metric)
    window = (recent[-1][1] if recent else Sums()) if stock else _total(recent)
    when = _at(as_of) if stock else f"over {_WEEKS[len(recent)]}"
    sample = f"{_counted(metric, window)} {when}"
    if window.den <= 0 or window.n < metric.min_sample:
        return Evidence("none", f"{sample}; a colour needs {metric.min_sample}", window)
    scale = metric.scale
    target, red, at = lines.target / scale, lines.red / scale, window.num / window.den
    up = metric.direction == "up"
    meets = at >= target if up else at <= target
    words = f"{sample}; red line {scoring.figures.line(metric, lines.red)}"
    halfway = (target - at) * (target - red) >= 0.5 * (target - red) ** 2 and not meets
    if not halfway:
        return Evidence("green" if meets else "amber", words, window)
    if metric.kind == "rate" and not stock:
        chance, cusum = _of_rate(weeks, window, target, red, up=up, prior=prior)
    elif metric.kind == "mean" and not stock:
        chance, cusum = _of_mean(weeks, window, target, red, up=up, prior=prior)
    else:
        chance, cusum = _of_ratio(weeks, window, target, red, up=up, prior=prior, stock=stock)
    if chance > scoring.noise.CHANCE:
        return Evidence("red", words, window, chance, cusum)
    if cusum > scoring.noise.H:
        return Evidence("red", f"{words}; the weeks together show a slide", window, chance, cusum)
    return Evidence("amber", words, window, chance, cusum)


def _of_rate(weeks: Sequence[tuple[int, Sums]], window: Sums, target: float, red: float, *, up: bool,
             prior: float) -> tuple[float, float]:  # fmt: skip
    n = _observations(window)
    chance = scoring.noise.rate_beyond(_successes(window, n), n, target, red, up=up, prior=prior)
    return chance, scoring.noise.cusum_rate(_shares(weeks), target, red, up=up)


def _of_mean(weeks: Sequence[tuple[int, Sums]], window: Sums, target: float, red: float, *, up: bool,
             prior: float) -> tuple[float, float]:  # fmt: skip
    n = _observations(window)
    variance, df = _variance(window, n)
    chance = scoring.noise.mean_beyond(window.num / window.den, n, variance, df, target, red, up=up, prior=prior)
    everything = _total(weeks)
    usual, _ = _variance(everything, _observations(everything))
    seen = []
    for _, sums in weeks:
        if sums.den > 0:
            n = _observations(sums)
            seen.append((n * sums.num / sums.den, n))
    return chance, scoring.noise.cusum_mean(seen, usual, target, red)


def _of_ratio(weeks: Sequence[tuple[int, Sums]], window: Sums, target: float, red: float, *, up: bool,
              prior: float, stock: bool) -> tuple[float, float]:  # fmt: skip
    """Two different sums: weekly residuals around the ratio of all weeks give the variance of a unit.

    Every week weighs as its denominator does. The prior is worth `prior` average observations. The weekly
    values of a stock are its observations, and as each resembles the one before, no CUSUM is made of them.
    """
    if stock:
        seen = [(sums.num / sums.den, 1.0) for _, sums in weeks if sums.den > 0]
        recent = [sums.num / sums.den for _, sums in weeks[-WINDOW:] if sums.den > 0]
        at, size, worth = sum(recent) / len(recent), float(len(recent)), 1.0
    else:
        seen = [(sums.num / MILLI, sums.den / MILLI) for _, sums in weeks if sums.den > 0]
        at, size = window.num / window.den, window.den / MILLI
        worth = prior * size / window.n if window.n else 0.0
    df = len(seen) - 1
    if df < 1:
        return 0.0, 0.0
    usual = sum(x for x, _ in seen) / sum(w for _, w in seen)
    variance = sum((x - usual * w) ** 2 / w for x, w in seen) / df
    chance = scoring.noise.mean_beyond(at, size, variance, df, target, red, up=up, prior=worth)
    return chance, 0.0 if stock else scoring.noise.cusum_mean(seen, variance, target, red)


def _total(weeks: Sequence[tuple[int, Sums]]) -> Sums:
    num = den = n = ss = 0
    for _, sums in weeks:
        num += sums.num
        den += sums.den
        n += sums.n
        ss += sums.ss
    return Sums(num, den, n, ss)


def _shares(weeks: Sequence[tuple[int, Sums]]) -> list[tuple[float, float]]:
    """(Successes, observations) of each week that has any."""
    seen = []
    for _, sums in weeks:
        if sums.den > 0:
            n = _observations(sums)
            seen.append((_successes(sums, n), n))
    return seen


def _observations(sums: Sums) -> float:
    """Rows, or their weight where that is less: a weight above one makes nobody more certain."""
    weight = sums.den / MILLI
    return weight if weight < sums.n else float(sums.n)


def _successes(sums: Sums, n: float) -> float:
    """The successes among `n` observations; a numerator outside its denominator counts as all or none."""
    share = sums.num / sums.den
    return n * (0.0 if share < 0.0 else 1.0 if share > 1.0 else share)


def _variance(sums: Sums, n: float) -> tuple[float, float]:
    """Variance of one observation and its degrees of freedom, from Σx and Σx²."""
    if n < 2 or sums.n == 0:
        return 0.0, 0.0
    mean = sums.num / sums.den
    squares = sums.ss / MILLI * (n / sums.n)
    return max(0.0, (squares - n * mean * mean) / (n - 1.0)), n - 1.0


def _counted(metric: Metric, sums: Sums) -> str:
    if sums.den == 0:
        return "nothing"
    if metric.kind == "rate":
        return f"{scoring.figures.amount(sums.num)} of {scoring.figures.amount(sums.den)}"
    return f"{scoring.figures.figure(metric, scoring.figures.value(metric, sums))} from {sums.n:,}"


def _at(day: int | None) -> str:
    return "at the end of the week" if day is None else f"on {scoring.periods.day_month(day)}"
