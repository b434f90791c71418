"""Coaching talks and the notes of a person that they and their lead share."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storage.db import Db
from storage.models import person
from storage.models_told import coach_note, coach_talk


@dataclass(frozen=True, slots=True)
class Talk:
    """What was agreed: an area (a metric), a step, and the local day of the check-back. `state`: booked, reminded."""

    id: int
    person_id: int
    lead_id: int
    area: str
    step: str
    day: int
    check_day: int
    state: str


@dataclass(frozen=True, slots=True)
class Note:
    author: str
    words: str
    at: int  # UTC seconds


_T = coach_talk.c
_COLUMNS = (_T.id, _T.person_id, _T.lead_id, _T.area, _T.step, _T.day, _T.check_day, _T.state)
_TALKS = (
    select(*_COLUMNS)
    .where(_T.person_id == bindparam("person_id"))
    .order_by(_T.day.desc(), _T.id.desc())
    .limit(bindparam("most"))
)
_DUE = (
    select(*_COLUMNS)
    .where(
        _T.person_id.in_(bindparam("people", expanding=True)),
        _T.state == "booked",
        _T.check_day <= bindparam("today", type_=Integer),
    )
    .order_by(_T.check_day, _T.id)
)
_BOOK = {
    "sqlite": sqlite.insert(coach_talk).on_conflict_do_nothing().returning(_T.id),
    "postgresql": postgresql.insert(coach_talk).on_conflict_do_nothing().returning(_T.id),
}
_REMINDED = (
    update(coach_talk).where(_T.id == bindparam("talk_id"), _T.state == "booked").values(state="reminded")
)
_NOTE = insert(coach_note).returning(coach_note.c.id)
_NOTES = (
    select(person.c.name, coach_note.c.words, coach_note.c.at)
    .join(person, person.c.id == coach_note.c.author_id)
    .where(coach_note.c.person_id == bindparam("person_id"))
    .order_by(coach_note.c.at.desc(), coach_note.c.id.desc())
    .limit(bindparam("most"))
)


async def book(
    db: Db, person_id: int, lead_id: int, area: str, step: str, day: int, check_day: int
) -> int | None:
    """Keeps what was agreed and returns its id; None where that check-back is booked already."""
    values: dict[str, Any] = {
        "person_id": person_id, "lead_id": lead_id, "area": area, "step": step, "day": day, "check_day": check_day,
        "state": "booked",
    }  # fmt: skip
    number: int | None = (await db.execute(_BOOK[db.dialect.name], values)).scalar_one_or_none()
    return number


async def talks(db: Db, person_id: int, most: int = 5) -> list[Talk]:
    """What was agreed with a person, newest first."""
    return [Talk(*row) for row in await db.execute(_TALKS, {"person_id": person_id, "most": most})]


async def due(db: Db, people: Collection[int], today: int) -> list[Talk]:
    """The check-backs of these people that have come, oldest first."""
    return [Talk(*row) for row in await db.execute(_DUE, {"people": sorted(people), "today": today})]


async def reminded(db: Db, talk_id: int) -> bool:
    """Notes that both were reminded; False where somebody else has done so."""
    return (await db.execute(_REMINDED, {"talk_id": talk_id})).rowcount == 1


async def note(db: Db, person_id: int, author_id: int, words: str, at: int) -> int:
    """A note about a person's talks, by them or by their lead; returns its id."""
    values = {"person_id": person_id, "author_id": author_id, "words": words, "at": at}
    number: int = (await db.execute(_NOTE, values)).scalar_one()
    return number


async def notes(db: Db, person_id: int, most: int = 10) -> list[Note]:
    """The notes that a person and their lead share, newest first."""
    return [Note(*row) for row in await db.execute(_NOTES, {"person_id": person_id, "most": most})]
