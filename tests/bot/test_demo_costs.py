"""The made-up desk's costs: in step with its contracts, so that leadership reads a margin."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal

import polars as pl
import pytest

import bot.demo
import scoring.margin
import scoring.periods
from bot import demo_costs, demo_desk, demo_world
from bot.demo_clients import CLIENTS
from scoring.margin import Contract, Cost

TODAY = date(2026, 11, 20)
FIRST = bot.demo.first_day(TODAY)


@pytest.fixture(scope="module")
def costs() -> pl.DataFrame:
    world = demo_world.build(7, demo_desk.people(TODAY), FIRST, TODAY)
    made = demo_costs.frame(world, random.Random("7:costs"))
    assert made.equals(demo_costs.frame(world, random.Random("7:costs")))
    return made


def test_every_month_has_costs_of_each_kind_in_each_currency(costs: pl.DataFrame) -> None:
    assert costs["id"].is_unique().all()
    days = sorted(set(costs["day"].to_list()))
    assert (days[0], len(days), days[-1]) == (
        scoring.periods.day_of(FIRST), 14, scoring.periods.day_of(date(2026, 11, 1)),
    )  # fmt: skip
    for _, month in costs.group_by("day", "currency"):
        assert set(month["kind"]) == {"labour", "licence", "vendor", "other"}


def test_the_desk_earns_a_little_less_each_month_than_leadership_would_like(costs: pl.DataFrame) -> None:
    spent = [
        Cost(day, Decimal(amount), money, kind)
        for day, amount, money, kind in costs.select("day", "amount", "currency", "kind").iter_rows()
    ]
    contracts = [Contract(Decimal(client.value), client.currency) for client in CLIENTS]
    month = scoring.periods.month(scoring.periods.day_of(TODAY))
    for _ in range(13):
        for found in scoring.margin.of(month, contracts, spent):
            assert found.percent is not None
            assert 15 < found.percent < 40
        month = scoring.periods.previous(month)
