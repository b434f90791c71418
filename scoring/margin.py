"""The desk's margin: what contracts bring in against what the desk cost, month by month, never mixing currencies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import scoring.periods
from scoring.periods import Period

MONTHS = 12
"""A contract value is of a year; each month under contract counts this part of it."""

USUAL = ("labour", "licence", "vendor")
"""Kinds of cost that are missed where there were some in the period before; what is "other" comes and goes."""

LAPSED = 365
"""Days for which a contract that was not renewed is told to be left out."""


@dataclass(frozen=True, slots=True)
class Contract:
    """A client's contract: `value` a year, in `currency` ("" where none is named).

    `renewal_day`: the day until which it holds, as days since 1970-01-01; None where that is not known. A renewed
    contract has a later one, so a day that has passed says that it was not renewed.
    """

    value: Decimal
    currency: str
    renewal_day: int | None = None

    def holds(self, month: Period) -> bool:
        """Whether the client is under contract in a month. Since when is not known, so it holds for all before."""
        return self.renewal_day is None or self.renewal_day >= month.first


@dataclass(frozen=True, slots=True)
class Cost:
    """What the desk spent, in `currency`, on a day (since 1970-01-01), which names the month; credits are negative."""

    day: int
    amount: Decimal
    currency: str
    kind: str = "other"


@dataclass(frozen=True, slots=True)
class Margin:
    """The whole desk's margin in one currency. `percent` and `change` (points) have one decimal.

    `percent` is None where `missing` says what there is not; `change` where that was so in the period before.
    `lacking`: kinds of cost that there were in the period before, but are not in yet. `lapsed`: contracts that are
    left out as their renewal day has passed, within a year.
    """

    currency: str
    percent: Decimal | None = None
    change: Decimal | None = None
    missing: str = ""
    lacking: tuple[str, ...] = ()
    lapsed: int = 0


def period_of(asked: Period) -> Period:
    """What a margin is told of: a month or quarter as asked, of anything else the last whole month up to its end."""
    if asked.kind in ("month", "quarter"):
        return asked
    month = scoring.periods.month(asked.last)
    return month if month.last == asked.last else scoring.periods.previous(month)


def of(period: Period, contracts: Sequence[Contract], costs: Sequence[Cost]) -> tuple[Margin, ...]:
    """The margin of a month or quarter in each currency of its contracts and costs, by currency; at least one.

    Margin = (contract value − cost) ÷ contract value: the value of a month is a twelfth of the yearly value of each
    contract that holds in it, a quarter adds up its months. Worked out exactly and rounded once, half away from
    nought. `costs` are those of the period and of the one before it.
    """
    months = _months(period)
    named = {one.currency for one in contracts if any(map(one.holds, months))}
    named |= {one.currency for one in costs if period.first <= one.day <= period.last}
    return tuple(
        _of(
            currency,
            period,
            [one for one in contracts if one.currency == currency],
            [one for one in costs if one.currency == currency],
        )
        for currency in sorted(named) or [""]
    )


def _of(currency: str, period: Period, contracts: Sequence[Contract], costs: Sequence[Cost]) -> Margin:
    before = scoring.periods.previous(period)
    now, missing = _share(period, contracts, costs)
    then, _ = _share(before, contracts, costs)
    if now is None:
        return Margin(currency, missing=missing)
    last = _months(period)[-1]
    lapsed = [one for one in contracts if not one.holds(last) and (one.renewal_day or 0) >= last.first - LAPSED]
    return Margin(
        currency,
        percent=_percent(now),
        change=None if then is None else _percent(now - then),
        lacking=tuple(kind for kind in USUAL if kind in _kinds(before, costs) - _kinds(period, costs)),
        lapsed=len(lapsed),
    )


def _share(period: Period, contracts: Sequence[Contract], costs: Sequence[Cost]) -> tuple[Fraction | None, str]:
    """(contract value − cost) ÷ contract value, exactly; or None, and what there is not."""
    value = cost = Fraction(0)
    for month in _months(period):
        spent = [Fraction(one.amount) for one in costs if month.first <= one.day <= month.last]
        if not spent:
            return None, f"no costs for {month.label.partition(' ')[0]} yet"
        cost += sum(spent)
        value += sum((Fraction(one.value) / MONTHS for one in contracts if one.holds(month)), Fraction(0))
    if value <= 0:
        return None, "costs, but no contract value"
    return (value - cost) / value, ""


def _kinds(period: Period, costs: Iterable[Cost]) -> set[str]:
    return {one.kind for one in costs if period.first <= one.day <= period.last}


def _months(period: Period) -> list[Period]:
    """The calendar months of a month or quarter."""
    found = [scoring.periods.month(period.first)]
    while found[-1].last < period.last:
        found.append(scoring.periods.next(found[-1]))
    return found


def _percent(share: Fraction) -> Decimal:
    tenths = int(abs(share) * 1000 + Fraction(1, 2))
    sign = "-" if share < 0 < tenths else ""
    return Decimal(f"{sign}{tenths // 10}.{tenths % 10}")
