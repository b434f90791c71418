"""Paths to green as they are kept: one open plan a subject and metric, each change made from the version it saw."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, bindparam, null, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

import scoring.periods
import storage.digests
from scoring.plans import Change, Plan
from storage.db import Db, Prepared
from storage.models import audit, outbox, person
from storage.models_told import plan

_C = plan.c
_COLUMNS = (
    _C.id, _C.subject, _C.metric, _C.period, _C.action, _C.owner_id, person.c.name, _C.due_day, _C.state, _C.outcome,
    _C.moved, _C.reason, _C.blocker, _C.opened_day, _C.closed_day, _C.version, _C.set_day,
)  # fmt: skip
"""In the order of the fields of `scoring.plans.Plan`."""

_SELECT = select(*_COLUMNS).join(person, person.c.id == _C.owner_id)
_GET = Prepared(_SELECT.where(_C.id == bindparam("plan_id")))
_OF = Prepared(
    _SELECT.where(_C.subject == bindparam("whose"), _C.state == bindparam("standing")).order_by(_C.due_day, _C.id)
)
_WATCHED = Prepared(
    _SELECT.where(_C.subject == bindparam("whose"), _C.state == "done", _C.outcome == "").order_by(_C.closed_day, _C.id)
)
_CLOSED = Prepared(
    _SELECT.where(_C.subject == bindparam("whose"), _C.state != "open", _C.closed_day >= bindparam("since")).order_by(
        _C.closed_day.desc(), _C.id.desc()
    )
)
_BLOCKERS = (
    _SELECT.where(_C.subject.in_(bindparam("subjects", expanding=True)), _C.state == "open", _C.blocker != "")
    .order_by(_C.due_day, _C.id)
)  # fmt: skip
_INSERTS = {
    "sqlite": sqlite.insert(plan).on_conflict_do_nothing().returning(_C.id),
    "postgresql": postgresql.insert(plan).on_conflict_do_nothing().returning(_C.id),
}
_CHANGED = ("owner_id", "due_day", "state", "outcome", "moved", "reason", "blocker", "closed_day", "set_day", "version")
_CHANGE = Prepared(
    update(plan)
    .where(_C.id == bindparam("plan_id"), _C.version == bindparam("was"))
    .values({name: bindparam(f"new_{name}") for name in _CHANGED})
)
_HISTORY = Prepared(
    select(audit.c.at, audit.c.act, audit.c.body, person.c.name)
    .outerjoin(person, person.c.key == audit.c.actor)
    .where(audit.c.subject == bindparam("whose"))
    .order_by(audit.c.id)
)
_CALL_OFF = Prepared(
    update(outbox)
    .where(
        or_(  # by how they begin
            and_(outbox.c.key > bindparam("reminders"), outbox.c.key < bindparam("reminders_end")),
            and_(outbox.c.key > bindparam("questions"), outbox.c.key < bindparam("questions_end")),
        ),
        or_(
            outbox.c.state == "due",
            and_(outbox.c.state == "cancelled", outbox.c.problem.startswith(storage.digests.SAID_IN)),
        ),
        outbox.c.reference.is_(None),
    )
    .values(state="cancelled", problem="Called off.", claimed_until=null())
)


def _plan(row: Any) -> Plan:
    return Plan(*row)


async def get(db: Db, plan_id: int) -> Plan | None:
    found = await _GET.rows(db, {"plan_id": plan_id})
    return _plan(found[0]) if found else None


async def of_subject(db: Db, subject: str, *, state: str = "open") -> list[Plan]:
    """The plans of "team:2" or "desk" in a state, by due day."""
    return [_plan(row) for row in await _OF.rows(db, {"whose": subject, "standing": state})]


async def watched(db: Db, subject: str) -> list[Plan]:
    """Plans that are done and of which it is not known yet whether they worked, oldest first."""
    return [_plan(row) for row in await _WATCHED.rows(db, {"whose": subject})]


async def closed(db: Db, subject: str, since: int) -> list[Plan]:
    """Plans done or dropped since a local day, newest first."""
    return [_plan(row) for row in await _CLOSED.rows(db, {"whose": subject, "since": since})]


async def blockers(db: Db, subjects: Collection[str]) -> list[Plan]:
    """The open plans of these subjects that something stands in the way of, by due day."""
    if not subjects:
        return []
    return [_plan(row) for row in await db.execute(_BLOCKERS, {"subjects": sorted(subjects)})]


async def add(db: Db, new: Plan) -> int | None:
    """Keeps a new plan and returns its id; None where its subject has an open one for that metric."""
    values = asdict(new)
    del values["id"], values["owner"], values["owned"]
    number: int | None = (await db.execute(_INSERTS[db.dialect.name], values)).scalar_one_or_none()
    return number


async def change(db: Db, before: Plan, after: Plan) -> bool:
    """Makes a plan what it is to become, as its next version; False where it is no longer as it was seen."""
    values = {f"new_{name}": getattr(after, name) for name in _CHANGED}
    values["new_version"] = before.version + 1
    return await _CHANGE.changed(db, {"plan_id": before.id, "was": before.version, **values}) == 1


async def history(db: Db, plan_id: int, since: int, zone: str) -> list[Change]:
    """What became of a plan after one of its versions, oldest first, as the record has it; days are those of `zone`.

    The owners have no names yet: `storage.people.names` knows them.
    """
    found = []
    for at, act, body, name in await _HISTORY.rows(db, {"whose": f"plan:{plan_id}"}):
        said = json.loads(body)
        version = said.get("version", 0)
        if version > since:
            day = scoring.periods.day_of(scoring.periods.today(datetime.fromtimestamp(at, UTC), zone))
            found.append(
                Change(
                    act, name or "Redfirst", day, version, said.get("owner", 0), "", said.get("due", 0),
                    said.get("words", ""),
                )
            )  # fmt: skip
    return found


async def call_off(db: Db, plan_id: int) -> int:
    """Messages that remind of a plan, or ask for an owner, and are still to be posted, are not; how many.

    What a digest says in their place is on it no more when it is renewed, nor on a later one.
    """
    keys = {"reminders": f"plan:{plan_id}:remind:", "questions": f"plan:{plan_id}:gone:"}
    ends = {f"{name}_end": key + storage.digests.LAST for name, key in keys.items()}
    return await _CALL_OFF.changed(db, keys | ends)
