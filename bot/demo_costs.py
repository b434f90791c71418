"""What the made-up desk costs each month: people, licences, vendors and the rest, in its clients' currencies."""

from __future__ import annotations

import random
from collections import defaultdict
from decimal import Decimal

import polars as pl

import scoring.periods
from bot.demo_book import Ledger
from bot.demo_clients import CLIENTS, Client
from bot.demo_desk import SOURCE
from bot.demo_world import World

_LABOUR, _VENDOR, _OTHER = 0.49, 0.05, 0.04
"""Of a month's contract value; licences are each client's own."""

_LICENCE = 0.115
_RISE = 0.0025
"""By which labour grows each month, while contracts stay as they are."""


def frame(world: World, rng: random.Random) -> pl.DataFrame:
    """The costs of each month from the first until the one in progress, booked on its first day."""
    found = Ledger("cost")
    worth: defaultdict[str, float] = defaultdict(float)
    for client in CLIENTS:
        worth[client.currency] += _month(client)
    month, number = scoring.periods.month(world.first), 0
    while month.first <= world.today:
        for client in CLIENTS:
            _add(found, month.first, client.name, client.currency, "licence", _month(client) * _LICENCE)
        for currency, value in sorted(worth.items()):
            labour = value * _LABOUR * (1 + _RISE * number + rng.uniform(-0.02, 0.02))
            _add(found, month.first, None, currency, "labour", labour)
            _add(found, month.first, None, currency, "vendor", value * _VENDOR * rng.uniform(0.7, 1.4))
            _add(found, month.first, None, currency, "other", value * _OTHER * rng.uniform(0.8, 1.3))
        month, number = scoring.periods.next(month), number + 1
    return found.frame()


def _month(client: Client) -> float:
    return float(client.value) / 12


def _add(found: Ledger, day: int, client: str | None, currency: str, kind: str, amount: float) -> None:
    exact = Decimal(round(amount * 100)).scaleb(-2)
    found.add(id=f"{SOURCE}/{client or ''}#{day}#{kind}#{currency}", client=client, day=day, amount=f"{exact:.2f}",
              currency=currency, kind=kind)  # fmt: skip
