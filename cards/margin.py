"""How a margin is told: a figure for each currency, its change, and what it does not know yet."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from scoring.margin import Margin
from scoring.periods import Period

BASIS = "A twelfth of the yearly contract value counts each month."


def words(found: Sequence[Margin], period: Period, basis: str = BASIS) -> str:
    """Such as "31.4 % (GBP), −2.1 points on the month before", of one period; `basis` says what they rest on."""
    if all(one.percent is None for one in found) and len({one.missing for one in found}) == 1:
        return found[0].missing
    told = "; ".join(line(one, period) for one in found)
    return f"{told}. {basis}" if basis else told


def line(one: Margin, period: Period) -> str:
    """One currency's margin."""
    money = f" ({one.currency[:12]})" if one.currency else ""
    if one.percent is None:
        return one.missing + money
    told = f"{_signed(one.percent, '')} %{money}"
    if one.change is not None:
        told += f", {_signed(one.change, '+')} points on the {period.kind} before"
    if one.lacking:
        told += f", no {' or '.join(one.lacking)} costs yet"
    if one.lapsed:
        left_out = "one contract" if one.lapsed == 1 else f"{one.lapsed} contracts"
        told += f", without {left_out} past the renewal day"
    return told


def _signed(value: Decimal, plus: str) -> str:
    if value == 0:
        return "±0" if plus else "0.0"
    return f"{plus if value > 0 else '−'}{abs(value):,}"
