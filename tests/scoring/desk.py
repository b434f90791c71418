"""Small metrics, rubrics and series that the scoring tests are about."""

from __future__ import annotations

from typing import Any

from scoring.metrics import MILLI, Lines, Metric, Series, Side, Sums
from scoring.rules import Entry, Rubric, Rules

SHARE = Lines(target=80.0, red=70.0, worst=50.0, best=82.0)
WAIT = Lines(target=30.0, red=45.0, worst=90.0, best=28.0)
_SIDE = Side("ticket", "1", "owner", "opened_day")
_STOCK = Side("ticket", "1", "owner", "opened_day", shape="level", until="resolved_day")


def metric(name: str, *, stock: bool = False, **changed: Any) -> Metric:
    """A rate in percent, higher is better, unless changed."""
    side = _STOCK if stock else _SIDE
    body: dict[str, Any] = {
        "name": name,
        "title": name.replace("_", " ").title(),
        "unit": "%",
        "direction": "up",
        "perspective": "process",
        "kind": "rate",
        "numerator": side,
        "denominator": side,
        "levels": ("person", "team"),
        "influence": {"person": "You do it yourself.", "team": "You agree on it."},
        "formula": "done ÷ due",
        "scale": 100.0,
    }
    return Metric(**{**body, **changed})


def wait(name: str = "wait", **changed: Any) -> Metric:
    """A mean in minutes, lower is better, unless changed."""
    return metric(name, **{"unit": "min", "direction": "down", "kind": "mean", "scale": 1.0, **changed})


def rate(x: float, n: float) -> Sums:
    """x of n, as rollups store it."""
    return Sums(round(x * MILLI), round(n * MILLI), round(n), round(x * MILLI))


def values(seen: list[float]) -> Sums:
    """Single values of a mean, as rollups store them."""
    return Sums(round(sum(seen) * MILLI), len(seen) * MILLI, len(seen), round(sum(v * v for v in seen) * MILLI))


def weeks(sums: list[Sums], last: int = 20_667) -> tuple[tuple[int, Sums], ...]:
    """The sums as weeks up to the Monday `last`."""
    return tuple((last - 7 * (len(sums) - 1 - i), s) for i, s in enumerate(sums))


def series(sums: list[Sums], before: Sums | None = None) -> Series:
    """A series whose period is its last four weeks."""
    recent = weeks(sums)
    period = Sums()
    for _, one in recent[-4:]:
        period = period + one
    return Series(period=period, before=before or Sums(), weeks=recent)


def rubric(*entries: Entry, **changed: Any) -> Rubric:
    """A rubric of a person from 2026 on, unless changed."""
    return Rubric(**{"name": "desk", "level": "person", "from_day": 20_454, "entries": entries, **changed})


def rules(*rubrics: Rubric) -> Rules:
    """Rules with these rubrics and no metrics."""
    return Rules(version=1, metrics={}, rubrics=rubrics)
