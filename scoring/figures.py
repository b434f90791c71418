"""How sums become a figure that a person reads: the value in its unit, and the words for it."""

from __future__ import annotations

from functools import lru_cache

from scoring.metrics import MILLI, Metric, Sums


def value(metric: Metric, sums: Sums) -> float | None:
    """scale × Σ numerator ÷ Σ denominator, at most the metric's cap; None without a denominator."""
    if sums.den == 0:
        return None
    shown = metric.scale * sums.num / sums.den
    return shown if metric.cap is None or shown <= metric.cap else metric.cap


def amount(thousandths: int) -> str:
    """A rollup sum as a plain number without needless zeros: 61000 → "61", 1500 → "1.5"."""
    if not thousandths % MILLI:
        return f"{thousandths // MILLI:,}"
    return f"{thousandths / MILLI:,.3f}".rstrip("0").rstrip(".")


def figure(metric: Metric, shown: float | None) -> str:
    """A value with its unit and the metric's decimals, e.g. "62 %"; "–" where there is none."""
    if shown is None:
        return "–"
    text = f"{shown:,.{metric.decimals}f}"
    return _with_unit(metric, "0" if float(text.replace(",", "")) == 0 and not metric.decimals else text)


@lru_cache(maxsize=1024)
def _exactly(at: float) -> str:
    return f"{at:,.6f}".rstrip("0").rstrip(".")


def line(metric: Metric, at: float) -> str:
    """A target or red line exactly as it was set, with its unit: "2.5 %"."""
    return _with_unit(metric, _exactly(at))


def plain(at: float) -> str:
    """The same as it stands in a form, to be read back: "1250.5"."""
    return f"{at:.6f}".rstrip("0").rstrip(".")


def change(metric: Metric, by: float | None) -> str:
    """A change with its sign: "+3", "−2", "±0"; "" where there is none. Percentages change in points."""
    if by is None:
        return ""
    size = f"{abs(by):,.{metric.decimals}f}"
    if not any(c in "123456789" for c in size):
        return "±0"
    return ("+" if by > 0 else "−") + size


def _with_unit(metric: Metric, text: str) -> str:
    return f"{text} {metric.unit}" if metric.unit else text
