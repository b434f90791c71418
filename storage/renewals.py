"""Contracts that come up for renewal, for leadership; empty where no client facts are connected."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from sqlalchemy import bindparam, func, select

from storage.db import Db
from storage.models import client


@dataclass(frozen=True, slots=True)
class Renewal:
    """One contract: `value` in `currency`, None where it is not known; `day` as days since 1970-01-01."""

    client: str
    day: int
    value: Decimal | None
    currency: str


_COMING = (
    select(client.c.name, client.c.renewal_day, client.c.contract_value, client.c.currency)
    .where(client.c.renewal_day.between(bindparam("first_day"), bindparam("last_day")))
    .order_by(client.c.renewal_day, client.c.name)
)
_KNOWN = select(func.count()).select_from(client).where(client.c.renewal_day.is_not(None))


async def connected(db: Db) -> bool:
    """Whether any client's renewal is known."""
    return bool((await db.execute(_KNOWN)).scalar_one())


async def coming(db: Db, first_day: int, last_day: int) -> list[Renewal]:
    """The renewals from one day to another, both included, in order."""
    rows = await db.execute(_COMING, {"first_day": first_day, "last_day": last_day})
    return [Renewal(row.name, row.renewal_day, _money(row.contract_value), row.currency or "") for row in rows]


def _money(text: str | None) -> Decimal | None:
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation:
        return None
