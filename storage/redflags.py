"""Red-flag customers: the signs in the facts, and the list of clients that somebody has taken on to call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Row, and_, bindparam, case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

import storage.audit
from scoring.redflags import RedFlag, Signals, Signs
from storage.db import Db
from storage.models import client, complaint, person, survey, ticket
from storage.models_objectives import red_flag

_C = red_flag.c
_EVERY = select(red_flag, person.c.name.label("owner")).outerjoin(person, person.c.id == _C.owner_id)
_OPEN = _EVERY.where(_C.state == "open").order_by(_C.next_contact.is_(None), _C.next_contact, _C.raised_day, _C.id)
_ONE = _EVERY.where(_C.id == bindparam("number"))
_CLOSED = select(_C.client, func.max(_C.closed_at).label("at")).where(_C.state == "closed").group_by(_C.client)
_NEW = {
    "sqlite": sqlite.insert(red_flag).on_conflict_do_nothing().returning(_C.id),
    "postgresql": postgresql.insert(red_flag).on_conflict_do_nothing().returning(_C.id),
}
_CHANGE = (
    update(red_flag)
    .where(_C.id == bindparam("number"), _C.version == bindparam("made_from"), _C.state == "open")
    .values(
        owner_id=bindparam("now_owner"),
        next_contact=bindparam("now_contact"),
        state=bindparam("now_state"),
        closing=bindparam("now_closing"),
        closed_at=bindparam("now_closed_at"),
        version=_C.version + 1,
    )
)
_REASON = (
    update(red_flag)
    .where(_C.id == bindparam("number"), _C.state == "open", _C.reason != bindparam("now_reason"))
    .values(reason=bindparam("now_reason"))
)

# what happened before a flag of the client was closed has been dealt with
_DEALT_WITH = _CLOSED.subquery("dealt_with")
_SETTLED = func.coalesce(_DEALT_WITH.c.at, 0)
_ANSWERS = (
    select(
        ticket.c.client,
        func.count(),
        func.sum(case((survey.c.rating <= bindparam("low_rating"), 1), else_=0)),
    )
    .select_from(survey.join(ticket, ticket.c.id == survey.c.ticket))
    .outerjoin(_DEALT_WITH, _DEALT_WITH.c.client == ticket.c.client)
    .where(
        survey.c.answered_at >= bindparam("since"),
        survey.c.answered_at <= bindparam("until"),
        survey.c.answered_at > _SETTLED,
        survey.c.rating.is_not(None),
        ticket.c.client.is_not(None),
    )
    .group_by(ticket.c.client)
)
_COMPLAINTS = (
    select(complaint.c.client, func.count())
    .outerjoin(_DEALT_WITH, _DEALT_WITH.c.client == complaint.c.client)
    .where(
        complaint.c.at >= bindparam("since"),
        complaint.c.at <= bindparam("until"),
        complaint.c.at > _SETTLED,
        complaint.c.client.is_not(None),
    )
    .group_by(complaint.c.client)
)
_RENEWALS = (
    select(client.c.name, func.min(client.c.renewal_day))
    .where(and_(client.c.name.is_not(None), client.c.renewal_day >= bindparam("today")))
    .group_by(client.c.name)
)


def _flag(row: Row[Any]) -> RedFlag:
    return RedFlag(
        row.id, row.client, row.reason, row.raised_day, row.owner_id, row.owner or "", row.next_contact, row.state,
        row.closing, row.version,
    )  # fmt: skip


async def open(db: Db) -> list[RedFlag]:
    """The clients that somebody should call: whoever is to be called first comes first, those without a day last."""
    return [_flag(row) for row in await db.execute(_OPEN)]


async def get(db: Db, number: int) -> RedFlag | None:
    row = (await db.execute(_ONE, {"number": number})).first()
    return None if row is None else _flag(row)


async def signs(db: Db, signals: Signals, now: int, today: int) -> list[Signs]:
    """What the facts say of each client in the days before `now` (UTC seconds), since its last flag was closed."""
    window = {"since": now - signals.days * 86_400, "until": now}
    found: dict[str, Signs] = {}
    for name, answers, low in await db.execute(_ANSWERS, {**window, "low_rating": signals.low_rating}):
        found[name] = Signs(name, answers, int(low or 0))
    for name, complaints in await db.execute(_COMPLAINTS, window):
        found[name] = replace(found.get(name, Signs(name)), complaints=complaints)
    for name, day in await db.execute(_RENEWALS, {"today": today}):
        if name in found:
            found[name] = replace(found[name], renewal_day=day)
    return sorted(found.values(), key=lambda one: one.client)


async def flag(db: Db, name: str, reason: str, today: int, by: str, at: int) -> bool:
    """Puts a client on the list; False where it is there: of two who do so at once, one does."""
    values = {"client": name, "reason": reason, "raised_day": today, "state": "open", "closing": "", "version": 1}
    number = (await db.execute(_NEW[db.dialect.name], values)).scalar_one_or_none()
    if number is None:
        return False
    await storage.audit.add(db, at, by, "red flag raised", f"red_flag:{number}", {"client": name, "reason": reason})
    return True


async def say(db: Db, number: int, reason: str) -> bool:
    """Renews the reason of an open flag; False where it says that already."""
    return (await db.execute(_REASON, {"number": number, "now_reason": reason})).rowcount == 1


async def change(db: Db, one: RedFlag, by: str, act: str, at: int) -> bool:
    """Keeps owner, next contact, state and closing of a flag made from `one.version`; False where it changed since."""
    values = {
        "number": one.id, "made_from": one.version, "now_owner": one.owner_id, "now_contact": one.next_contact,
        "now_state": one.state, "now_closing": one.closing, "now_closed_at": at if one.state == "closed" else None,
    }  # fmt: skip
    if (await db.execute(_CHANGE, values)).rowcount != 1:
        return False
    body = {"client": one.client, "owner": one.owner_id, "next_contact": one.next_contact, "closing": one.closing}
    await storage.audit.add(db, at, by, act, f"red_flag:{one.id}", body)
    return True
