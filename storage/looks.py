"""Who looked at whose scorecard, so that the person can see it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, insert, select

from storage.db import Db
from storage.models import look, person


@dataclass(frozen=True, slots=True)
class Look:
    viewer: str
    what: str
    at: int  # UTC seconds


_INSERT = insert(look)
_OF = (
    select(person.c.name, look.c.what, look.c.at)
    .join(person, person.c.id == look.c.viewer_id)
    .where(look.c.person_id == bindparam("person_id"))
    .order_by(look.c.at.desc(), look.c.id.desc())
    .limit(bindparam("most"))
)


async def add(db: Db, viewer_id: int, person_id: int, what: str, at: int) -> None:
    """Notes that somebody looked at a person's figures."""
    await db.execute(_INSERT, {"viewer_id": viewer_id, "person_id": person_id, "what": what, "at": at})


async def of(db: Db, person_id: int, most: int = 20) -> list[Look]:
    """The latest looks at a person's figures, newest first."""
    rows = await db.execute(_OF, {"person_id": person_id, "most": most})
    return [Look(row.name, row.what, row.at) for row in rows]
