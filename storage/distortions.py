"""Declared distortions as they are kept, who decided on them, and which of them figures are kept by."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import polars as pl
from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

import scoring.distortions
import scoring.plans
import storage.columnar
from scoring.distortions import Distortion
from storage.db import Db, Prepared
from storage.models import person, team
from storage.models_told import distortion

_C = distortion.c
_declarer, _decider, _reverter = person.alias("declarer"), person.alias("decider"), person.alias("reverter")
_SELECT = (
    select(
        _C.id, _C.kind, _C.scope, _C.first_day, _C.last_day, _C.weight, _C.words, _C.declared_by, _C.metrics, _C.state,
        _C.decided_by, _declarer.c.name.label("declarer_name"), _decider.c.name.label("decider_name"), _C.answer,
        _C.reverted_by, _reverter.c.name.label("reverter_name"), _C.effective, _C.work,
    )
    .join(_declarer, _declarer.c.id == _C.declared_by)
    .outerjoin(_decider, _decider.c.id == _C.decided_by)
    .outerjoin(_reverter, _reverter.c.id == _C.reverted_by)
)  # fmt: skip
_GET = Prepared(_SELECT.where(_C.id == bindparam("number")))
_IN_STATE = Prepared(_SELECT.where(_C.state == bindparam("standing")).order_by(_C.first_day, _C.id))
_IN_FORCE = Prepared(
    _SELECT.where(
        or_(_C.state == "approved", _C.effective),
        _C.first_day <= bindparam("until_day"),
        _C.last_day >= bindparam("from_day"),
    ).order_by(_C.first_day, _C.id)
)
_TEAMS = Prepared(select(team.c.id, team.c.name))
_EFFECTS = (
    "SELECT scope, first_day, last_day, weight, metrics FROM distortion WHERE effective ORDER BY id"
)
_INSERT = {
    "sqlite": sqlite.insert(distortion).returning(_C.id),
    "postgresql": postgresql.insert(distortion).returning(_C.id),
}
_DECIDE = Prepared(
    update(distortion)
    .where(_C.id == bindparam("number"), _C.state == "asked")
    .values(
        state=bindparam("verdict"), decided_by=bindparam("who"), decided_at=bindparam("at"),
        answer=bindparam("said"), work=bindparam("left"),
    )
)
_REVERT = Prepared(
    update(distortion)
    .where(_C.id == bindparam("number"), _C.state == "approved")
    .values(
        state="reverted", reverted_by=bindparam("who"), reverted_at=bindparam("at"), answer=bindparam("said"),
        work="figures", work_mark=None, work_until=None,
    )
)


async def _read(db: Db, rows: Collection[Any]) -> list[Distortion]:
    scopes = {row[2] for row in rows}
    names = {row[0]: row[1] for row in await _TEAMS.rows(db, {})} if scopes - {"desk"} else {}
    return [
        Distortion(
            number, kind, scope, first, last, weight, words, by, tuple(json.loads(metrics)), state, decided, declarer,
            decider or "", names.get(scoring.plans.team_of(scope) or 0, ""), answer, reverted, reverter or "",
            bool(effective), bool(work),
        )
        for number, kind, scope, first, last, weight, words, by, metrics, state, decided, declarer, decider, answer,
            reverted, reverter, effective, work in rows
    ]  # fmt: skip


async def get(db: Db, number: int) -> Distortion | None:
    found = await _read(db, await _GET.rows(db, {"number": number}))
    return found[0] if found else None


async def of_state(db: Db, state: str) -> list[Distortion]:
    """All in a state, by their first day."""
    return await _read(db, await _IN_STATE.rows(db, {"standing": state}))


async def in_force(db: Db, subject: str, first_day: int, last_day: int) -> list[Distortion]:
    """Those that change figures of "team:2" on these days (its own and the desk's), or of "desk" (every one).

    What was approved is among them before it is worked in, and what was taken back until it is.
    """
    found = await _IN_FORCE.rows(db, {"from_day": first_day, "until_day": last_day})
    return await _read(db, [row for row in found if subject == "desk" or row[2] in (subject, "desk")])


async def frame(db: Db) -> pl.DataFrame:
    """All that are effective, as rollups take them (columns `scoring.distortions.FRAME`)."""
    found = await storage.columnar.rows(db, _EFFECTS)
    return scoring.distortions.frame(
        Distortion(0, "outage", scope, first, last, weight, "", 0, tuple(json.loads(metrics)))
        for scope, first, last, weight, metrics in found
    )


async def declare(db: Db, one: Distortion, at: int) -> int:
    """Keeps a new one, which waits for a second person; returns its id."""
    values = {
        "kind": one.kind, "scope": one.scope, "first_day": one.first_day, "last_day": one.last_day,
        "metrics": json.dumps(one.metrics), "weight": one.weight, "words": one.words, "state": "asked",
        "declared_by": one.declared_by, "declared_at": at, "answer": "", "effective": False, "work": "",
    }  # fmt: skip
    number: int = (await db.execute(_INSERT[db.dialect.name], values)).scalar_one()
    return number


async def decide(db: Db, one: Distortion, at: int) -> bool:
    """Keeps a decision, an approval as one that is to be worked in; False where somebody decided before."""
    left = "figures" if one.state == "approved" else ""
    values = {
        "number": one.id, "verdict": one.state, "who": one.decided_by, "at": at, "said": one.answer, "left": left,
    }  # fmt: skip
    return await _DECIDE.changed(db, values) == 1


async def revert(db: Db, one: Distortion, who: int, at: int) -> bool:
    """Takes it back, which is to be worked in, whatever is under way; False where somebody did before."""
    return await _REVERT.changed(db, {"number": one.id, "who": who, "at": at, "said": one.answer}) == 1
