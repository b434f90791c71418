"""What leadership puts first in a month, and what it gives up for it; what was said before is kept."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, insert, select

import storage.audit
from scoring.people import Person
from storage.db import Db
from storage.models import person
from storage.models_objectives import priority


@dataclass(frozen=True, slots=True)
class Priorities:
    """`month` is the key of a month ("2026-08"); `by` a name; `at` in UTC seconds."""

    month: str
    words: str
    trade_offs: str
    by: str
    at: int


_OF = (
    select(priority, person.c.name)
    .join(person, person.c.id == priority.c.by_id)
    .where(priority.c.month == bindparam("of_month"))
    .order_by(priority.c.id.desc())
)


async def of(db: Db, month: str) -> Priorities | None:
    """The priorities of a month as they stand; None where none were recorded."""
    row = (await db.execute(_OF.limit(1), {"of_month": month})).first()
    return None if row is None else Priorities(row.month, row.words, row.trade_offs, row.name, row.at)


async def history(db: Db, month: str) -> list[Priorities]:
    """All that was recorded for a month, newest first."""
    rows = await db.execute(_OF, {"of_month": month})
    return [Priorities(row.month, row.words, row.trade_offs, row.name, row.at) for row in rows]


async def record(db: Db, month: str, words: str, trade_offs: str, by: Person, at: int) -> None:
    """From now on these hold for the month."""
    values = {"month": month, "words": words, "trade_offs": trade_offs, "by_id": by.id, "at": at}
    await db.execute(insert(priority), values)
    body = {"words": words, "trade_offs": trade_offs}
    await storage.audit.add(db, at, by.key, "priorities recorded", f"month:{month}", body)
