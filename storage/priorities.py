"""What leadership puts first in a month, and what it gives up for it; what was said before is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

import storage.audit
from scoring.people import Person
from storage.db import Db
from storage.models import person
from storage.models_objectives import priority


@dataclass(frozen=True, slots=True)
class Priorities:
    """`month` is the key of a month ("2026-08"); `by` a name; `at` in UTC seconds; `version` counts up in a month."""

    month: str
    words: str
    trade_offs: str
    by: str
    at: int
    version: int = 1


_NEWEST = (
    select(priority, person.c.name)
    .join(person, person.c.id == priority.c.by_id)
    .where(priority.c.month == bindparam("of_month"))
    .order_by(priority.c.version.desc())
    .limit(1)
)
_RECORD = {
    "sqlite": sqlite.insert(priority).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(priority).on_conflict_do_nothing(),
}


def _priorities(row: Row[Any]) -> Priorities:
    return Priorities(row.month, row.words, row.trade_offs, row.name, row.at, row.version)


async def of(db: Db, month: str) -> Priorities | None:
    """The priorities of a month as they stand; None where none were recorded."""
    row = (await db.execute(_NEWEST, {"of_month": month})).first()
    return None if row is None else _priorities(row)


async def record(db: Db, month: str, words: str, trade_offs: str, by: Person, at: int, *, after: int) -> bool:
    """From now on these hold for the month; False where there is more by now than version `after` (0: none)."""
    held = await of(db, month)
    if (held.version if held else 0) != after:
        return False
    values = {"month": month, "version": after + 1, "words": words, "trade_offs": trade_offs, "by_id": by.id, "at": at}
    if (await db.execute(_RECORD[db.dialect.name], values)).rowcount != 1:  # somebody was faster
        return False
    body = {"words": words, "trade_offs": trade_offs}
    await storage.audit.add(db, at, by.key, "priorities recorded", f"month:{month}", body)
    return True
