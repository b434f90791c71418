"""Corrections that people ask for on their own tickets, and what their lead decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storage.db import Db
from storage.models import correction, person, ticket


@dataclass(frozen=True, slots=True)
class Correction:
    """`kind` is not_mine or leave_out; `state` asked, confirmed or declined; instants in UTC seconds."""

    id: int
    ticket: str
    number: str
    title: str
    person_id: int
    name: str
    kind: str
    reason: str
    state: str
    asked_at: int
    decided_by: int | None
    answer: str


_SELECT = (
    select(correction, person.c.name, ticket.c.number, ticket.c.title)
    .join(person, person.c.id == correction.c.person_id)
    .outerjoin(ticket, ticket.c.id == correction.c.ticket)
)
_GET = _SELECT.where(correction.c.id == bindparam("correction_id"))
_FOR = _SELECT.where(correction.c.ticket == bindparam("ticket_id"), correction.c.person_id == bindparam("who"))
_OPEN = _SELECT.where(
    correction.c.state == "asked", correction.c.person_id.in_(bindparam("people", expanding=True))
).order_by(correction.c.asked_at, correction.c.id)
_INSERTS = {
    "sqlite": sqlite.insert(correction).on_conflict_do_nothing().returning(correction.c.id),
    "postgresql": postgresql.insert(correction).on_conflict_do_nothing().returning(correction.c.id),
}
_DECIDE = (
    update(correction)
    .where(correction.c.id == bindparam("correction_id"), correction.c.state == "asked")
    .values(
        state=bindparam("verdict"),
        decided_by=bindparam("decider"),
        decided_at=bindparam("at"),
        answer=bindparam("words"),
    )
)


def _correction(row: Row[Any]) -> Correction:
    return Correction(
        row.id, row.ticket, row.number or row.ticket, row.title or "", row.person_id, row.name, row.kind, row.reason,
        row.state, row.asked_at, row.decided_by, row.answer or "",
    )  # fmt: skip


async def get(db: Db, correction_id: int) -> Correction | None:
    row = (await db.execute(_GET, {"correction_id": correction_id})).first()
    return None if row is None else _correction(row)


async def for_ticket(db: Db, ticket_id: str, person_id: int) -> Correction | None:
    """The correction that a person asked for on a ticket; there is at most one."""
    row = (await db.execute(_FOR, {"ticket_id": ticket_id, "who": person_id})).first()
    return None if row is None else _correction(row)


async def waiting(db: Db, people: frozenset[int]) -> list[Correction]:
    """Corrections of these people that wait for a decision, oldest first."""
    return [_correction(row) for row in await db.execute(_OPEN, {"people": sorted(people)})]


async def ask(db: Db, ticket_id: str, person_id: int, kind: str, reason: str, at: int) -> int | None:
    """Notes the wish and returns its id; None where the person has asked about that ticket before."""
    values = {
        "ticket": ticket_id, "person_id": person_id, "kind": kind, "reason": reason, "state": "asked", "asked_at": at,
    }  # fmt: skip
    number: int | None = (await db.execute(_INSERTS[db.dialect.name], values)).scalar_one_or_none()
    return number


async def decide(db: Db, correction_id: int, verdict: str, decider: int, words: str, at: int) -> bool:
    """Sets the decision; False where somebody decided before: of many clicks one wins."""
    values = {"correction_id": correction_id, "verdict": verdict, "decider": decider, "at": at, "words": words}
    return (await db.execute(_DECIDE, values)).rowcount == 1
