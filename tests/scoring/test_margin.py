"""The margin: exact, of one currency at a time, and silent where there is nothing to work it out from."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cards.margin
import scoring.margin
import scoring.periods
from scoring.margin import Contract, Cost, Margin


def day(month: int, number: int = 1, year: int = 2026) -> int:
    return scoring.periods.day_of(date(year, month, number))


OCTOBER = scoring.periods.month(day(10))
SEPTEMBER = scoring.periods.previous(OCTOBER)
THIRD = scoring.periods.quarter(day(9))
ACME = Contract(Decimal("120000.00"), "GBP")  # 10,000 a month


def spent(amount: str, month: int = 10, currency: str = "GBP", kind: str = "labour") -> Cost:
    return Cost(day(month), Decimal(amount), currency, kind)


AMOUNTS = st.decimals(min_value=0, max_value=10**12, places=2)
CURRENCIES = st.sampled_from(["GBP", "USD", ""])
CONTRACTS = st.lists(
    st.builds(
        Contract, AMOUNTS, CURRENCIES, st.none() | st.integers(SEPTEMBER.first - 40, OCTOBER.last + 400)
    ),
    max_size=8,
)  # fmt: skip
COSTS = st.lists(
    st.builds(
        Cost,
        st.integers(THIRD.first, OCTOBER.last),
        st.decimals(min_value=-(10**9), max_value=10**12, places=2),
        CURRENCIES,
        st.sampled_from(["labour", "licence", "vendor", "other", ""]),
    ),
    max_size=12,
)
PERIODS = st.sampled_from([OCTOBER, SEPTEMBER])


HALF = Decimal("0.05") + Decimal("1e-60")


def by_hand(period: scoring.periods.Period, contracts: list[Contract], costs: list[Cost], money: str) -> Decimal | None:
    """The rule once more, in decimals with many digits."""
    mine = [one for one in contracts if one.currency == money]
    value = sum(one.value for one in mine if one.renewal_day is None or one.renewal_day >= period.first) / Decimal(12)
    rows = [c.amount for c in costs if c.currency == money and scoring.periods.month(c.day) == period]
    return None if not rows or value <= 0 else 100 * (value - sum(rows)) / value


def test_a_month_is_a_twelfth_of_the_yearly_value_less_what_it_cost() -> None:
    costs = [spent("6000"), spent("860.00", kind="licence"), spent("6650", 9), spent("1", 9, kind="licence")]
    [found] = scoring.margin.of(OCTOBER, [ACME], costs)
    assert found == Margin("GBP", Decimal("31.4"), Decimal("-2.1"))
    assert cards.margin.words([found], OCTOBER) == (
        "31.4 % (GBP), −2.1 points on the month before. A twelfth of the yearly contract value counts each month."
    )


def test_a_change_is_rounded_once_and_not_from_rounded_figures() -> None:
    [found] = scoring.margin.of(OCTOBER, [ACME], [spent("6864.9"), spent("6655.1", 9)])
    assert (found.percent, found.change) == (Decimal("31.4"), Decimal("-2.1"))
    [before] = scoring.margin.of(SEPTEMBER, [ACME], [spent("6655.1", 9)])
    assert before.percent == Decimal("33.4"), "which would be two points"


@pytest.mark.parametrize(
    ("cost", "percent"),
    [("10000", "0.0"), ("10000.01", "0.0"), ("9995", "0.1"), ("10005", "-0.1"), ("25000", "-150.0")],
)
def test_a_loss_is_below_nought_and_half_a_tenth_is_rounded_away_from_it(cost: str, percent: str) -> None:
    [found] = scoring.margin.of(OCTOBER, [ACME], [spent(cost)])
    assert str(found.percent) == percent


def test_money_of_two_currencies_is_never_mixed() -> None:
    bolt = Contract(Decimal(24_000), "USD")
    euros = [spent("5000"), spent("5000", 9), spent("1500", currency="USD"), spent("70", currency="EUR")]
    found = scoring.margin.of(OCTOBER, [ACME, bolt], euros)
    assert found == (
        Margin("EUR", missing="costs, but no contract value"),
        Margin("GBP", Decimal("50.0"), Decimal("0.0")),
        Margin("USD", Decimal("25.0")),
    )
    assert cards.margin.words(found, OCTOBER).startswith(
        "costs, but no contract value (EUR); 50.0 % (GBP), ±0 points on the month before; 25.0 % (USD). A twelfth"
    )


def test_without_costs_in_the_month_there_is_no_margin_yet() -> None:
    found = scoring.margin.of(OCTOBER, [ACME], [spent("5000", 9)])
    assert cards.margin.words(found, OCTOBER) == "no costs for October yet"
    assert cards.margin.words(scoring.margin.of(OCTOBER, [], []), OCTOBER) == "no costs for October yet"
    one_of_two = scoring.margin.of(OCTOBER, [ACME, replace(ACME, currency="USD")], [spent("5000")])
    assert cards.margin.words(one_of_two, OCTOBER).startswith("50.0 % (GBP); no costs for October yet (USD).")


def test_a_kind_of_cost_that_is_not_in_yet_is_said() -> None:
    before = [spent("5000", 9), spent("900", 9, kind="licence"), spent("9", 9, kind="other")]
    [found] = scoring.margin.of(OCTOBER, [ACME], [*before, spent("900", kind="licence")])
    assert found.lacking == ("labour",)
    assert "91.0 % (GBP), +50.1 points on the month before, no labour costs yet" in cards.margin.words([found], OCTOBER)


def test_a_contract_counts_until_its_renewal_day_has_passed_and_is_then_said_to_be_left_out() -> None:
    for renewal, lapsed in ((OCTOBER.last + 90, 0), (OCTOBER.first, 0), (OCTOBER.first - 1, 1), (day(9, 1, 2025), 0)):
        other = Contract(Decimal(120_000), "GBP", renewal)
        [found] = scoring.margin.of(OCTOBER, [ACME, other], [spent("5000")])
        assert found.percent == (Decimal("75.0") if renewal >= OCTOBER.first else Decimal("50.0"))
        assert found.lapsed == lapsed
    gone = replace(found, lapsed=1)
    assert "without one contract past the renewal day" in cards.margin.line(gone, OCTOBER)
    assert "without 2 contracts past the renewal day" in cards.margin.line(replace(gone, lapsed=2), OCTOBER)


def test_a_quarter_adds_up_its_months_and_needs_costs_in_each() -> None:
    costs = [spent("4000", 7), spent("5000", 8), spent("6000", 9)]
    [found] = scoring.margin.of(THIRD, [ACME], costs)
    assert (found.percent, found.change) == (Decimal("50.0"), None)
    assert scoring.margin.of(THIRD, [ACME], costs[::2])[0].missing == "no costs for August yet"
    ending = Contract(Decimal(120_000), "GBP", day(8, 15))
    assert scoring.margin.of(THIRD, [ending], costs)[0].percent == Decimal("25.0")


def test_a_week_is_told_the_margin_of_the_last_whole_month() -> None:
    assert scoring.margin.period_of(OCTOBER) == OCTOBER
    assert scoring.margin.period_of(THIRD) == THIRD
    assert scoring.margin.period_of(scoring.periods.week(day(11, 12))) == OCTOBER
    assert scoring.margin.period_of(scoring.periods.week(day(5, 31))).key == "2026-05"


def test_no_currency_is_a_currency_of_its_own() -> None:
    found = scoring.margin.of(OCTOBER, [replace(ACME, currency="")], [spent("5000", currency="")])
    assert cards.margin.words(found, OCTOBER).startswith("50.0 %. A twelfth")


@given(PERIODS, CONTRACTS, COSTS)
def test_the_margin_is_what_it_is_by_hand(
    period: scoring.periods.Period, contracts: list[Contract], costs: list[Cost]
) -> None:
    before = scoring.periods.previous(period)
    for one in scoring.margin.of(period, contracts, costs):
        with localcontext(prec=100):
            now, then = (by_hand(at, contracts, costs, one.currency) for at in (period, before))
            assert (one.percent is None) == (now is None) == bool(one.missing)
            assert (one.change is None) == (now is None or then is None)
            if one.percent is not None and now is not None:
                assert abs(one.percent - now) <= HALF
            if one.change is not None and now is not None and then is not None:
                assert abs(one.change - (now - then)) <= HALF


@given(PERIODS, CONTRACTS, COSTS, st.randoms(use_true_random=False))
def test_the_order_and_the_cut_of_the_rows_change_nothing(
    period: scoring.periods.Period, contracts: list[Contract], costs: list[Cost], chance: object
) -> None:
    halves = [replace(one, amount=one.amount - 1) for one in costs] + [replace(one, amount=Decimal(1)) for one in costs]
    chance.shuffle(halves)  # type: ignore[attr-defined]
    found = scoring.margin.of(period, contracts, costs)
    assert scoring.margin.of(period, contracts[::-1], halves) == found


@given(PERIODS, CONTRACTS, COSTS, AMOUNTS)
def test_what_is_in_one_currency_moves_no_other(
    period: scoring.periods.Period, contracts: list[Contract], costs: list[Cost], amount: Decimal
) -> None:
    found = scoring.margin.of(period, contracts, costs)
    more = [*costs, Cost(period.first, amount, "SEK", "labour")]
    there = scoring.margin.of(period, [*contracts, Contract(amount, "SEK")], more)
    assert {one for one in found if one.currency} <= set(there)


@given(PERIODS, CONTRACTS, COSTS, st.decimals(min_value="0.01", max_value=10**6, places=2))
def test_a_cost_more_never_makes_a_margin_larger(
    period: scoring.periods.Period, contracts: list[Contract], costs: list[Cost], amount: Decimal
) -> None:
    pounds = Contract(Decimal(1), "GBP")
    spent_more = [*costs, Cost(period.last, amount, "GBP", "other")]
    was, now = (
        {one.currency: one.percent for one in scoring.margin.of(period, [*contracts, pounds], rows)}["GBP"]
        for rows in ([*costs, Cost(period.first, Decimal(0), "GBP")], spent_more)
    )
    assert was is not None
    assert now is not None
    assert now <= was
