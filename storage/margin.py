"""What a margin is made of: contracts and costs as exact amounts; nothing where they are not connected."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import bindparam, exists, select

from scoring.margin import Contract, Cost
from storage.db import Db
from storage.models import client, cost

_CONNECTED = select(
    exists(select(cost.c.id).where(cost.c.amount.is_not(None))),
    exists(select(client.c.id).where(client.c.contract_value.is_not(None))),
)
_CONTRACTS = select(client.c.contract_value, client.c.currency, client.c.renewal_day).where(
    client.c.contract_value.is_not(None)
)
_COSTS = select(cost.c.day, cost.c.amount, cost.c.currency, cost.c.kind).where(
    cost.c.day.between(bindparam("first_day"), bindparam("last_day")), cost.c.amount.is_not(None)
)


async def connected(db: Db) -> bool:
    """Whether any cost and the value of any contract have ever come in."""
    return all((await db.execute(_CONNECTED)).one())


async def contracts(db: Db) -> list[Contract]:
    """The contracts of every client whose contract value is known."""
    found = await db.execute(_CONTRACTS)
    return [Contract(Decimal(value), _word(currency).upper(), day) for value, currency, day in found]


async def costs(db: Db, first_day: int, last_day: int) -> list[Cost]:
    """The desk's costs from one day to another, both included."""
    found = await db.execute(_COSTS, {"first_day": first_day, "last_day": last_day})
    return [Cost(day, Decimal(amount), _word(money).upper(), _word(kind).lower()) for day, amount, money, kind in found]


def _word(text: str | None) -> str:
    return (text or "").strip()
