"""Objectives as they were agreed: every change is a new version, and the one before stays to be read."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from sqlalchemy import Row, and_, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

import scoring.objectives_file
import storage.audit
from scoring.objectives import Objective
from scoring.objectives_file import Cascade
from storage.db import Db
from storage.models import person, team
from storage.models_objectives import objective, objective_version

_V = objective_version.c
_COLUMNS = (objective.c.id, objective.c.key, *(c for c in _V if c.name != "objective_id"), person.c.name.label("owner"))
_EVERY = (
    select(*_COLUMNS)
    .select_from(objective.join(objective_version, _V.objective_id == objective.c.id))
    .outerjoin(person, person.c.id == _V.owner_id)
)
_NEWEST = _EVERY.where(_V.version == objective.c.version).order_by(objective.c.id)
_OPEN = _NEWEST.where(_V.state == "open")
_ONE = _NEWEST.where(objective.c.key == bindparam("named"))
_ADD = {
    "sqlite": sqlite.insert(objective).on_conflict_do_nothing().returning(objective.c.id),
    "postgresql": postgresql.insert(objective).on_conflict_do_nothing().returning(objective.c.id),
}
_WRITE = insert(objective_version)
_NEXT = (
    update(objective)
    .where(and_(objective.c.id == bindparam("number"), objective.c.version == bindparam("made_from")))
    .values(version=bindparam("made"))
)
_KEYS = select(objective.c.key)
_TEAMS = select(team.c.key, team.c.id)
_PEOPLE = select(person.c.key, person.c.id, person.c.name)


def _objective(row: Row[Any]) -> Objective:
    return Objective(
        key=row.key, title=row.title, level=row.level, subject=row.subject, scope=row.scope,
        perspective=row.perspective, owner_id=row.owner_id, owner=row.owner or "",
        metrics=(row.metric,) if row.metric else (), proxy=row.proxy, target=row.target, red=row.red,
        cadence=row.cadence, decision_day=row.decision_day, influence=row.influence, time=row.time, people=row.people,
        tools=row.tools, parent=row.parent, weight=row.weight, justification=row.justification, id=row.id,
        version=row.version, state=row.state, reason=row.reason,
    )  # fmt: skip


async def standing(db: Db, configured: tuple[Objective, ...] = ()) -> list[Objective]:
    """All open objectives: those of the configuration first, then the others in the order they were added."""
    kept = [_objective(row) for row in await db.execute(_OPEN)]
    held = {one.key for one in kept}
    return [*(one for one in configured if one.key not in held), *kept]


async def get(db: Db, key: str) -> Objective | None:
    """The newest version of an objective, open or closed."""
    row = (await db.execute(_ONE, {"named": key})).first()
    return None if row is None else _objective(row)


async def every(db: Db) -> list[Objective]:
    """The newest version of each, closed ones too."""
    return [_objective(row) for row in await db.execute(_NEWEST)]


async def keys(db: Db) -> frozenset[str]:
    """The keys that are taken, by closed ones too."""
    return frozenset((await db.execute(_KEYS)).scalars())


async def add(db: Db, made: Objective, by: str, at: int) -> Objective | None:
    """Keeps a new objective as version 1; None where its key is taken. `by` is a person's key or the command line."""
    values = {"key": made.key, "version": 1}
    number = (await db.execute(_ADD[db.dialect.name], values)).scalar_one_or_none()
    if number is None:
        return None
    whole = replace(made, id=number, version=1)
    await _write(db, whole, by, at)
    await storage.audit.add(db, at, by, "objective added", f"objective:{made.key}", _said(whole))
    return whole


async def change(db: Db, made: Objective, by: str, at: int, act: str = "objective changed") -> Objective | None:
    """Keeps a change as the version after `made.version`; None where somebody changed it since: nothing is kept."""
    values = {"number": made.id, "made_from": made.version, "made": made.version + 1}
    if (await db.execute(_NEXT, values)).rowcount != 1:
        return None
    whole = replace(made, version=made.version + 1)
    await _write(db, whole, by, at)
    await storage.audit.add(db, at, by, act, f"objective:{made.key}", _said(whole))
    return whole


async def close(db: Db, one: Objective, reason: str, by: str, at: int) -> Objective | None:
    """Ends an objective, with the reason; None where somebody changed it since."""
    return await change(db, replace(one, state="closed", reason=reason), by, at, "objective closed")


async def _write(db: Db, one: Objective, by: str, at: int) -> None:
    names = [c.name for c in _V if c.name not in ("objective_id", "metric", "by", "at")]
    values = {name: getattr(one, name) for name in names}
    metric = one.metrics[0] if one.metrics else ""
    await db.execute(_WRITE, {**values, "objective_id": one.id, "metric": metric, "by": by, "at": at})


def _said(one: Objective) -> dict[str, object]:
    return {"version": one.version, "level": one.level, "subject": one.subject, "title": one.title,
            "reason": one.reason}  # fmt: skip


async def directory(db: Db) -> tuple[dict[str, int], dict[str, tuple[int, str]]]:
    """Whom an import can name: key → id of teams, key → (id, name) of people."""
    teams = {row.key: row.id for row in await db.execute(_TEAMS)}
    people = {row.key: (row.id, row.name) for row in await db.execute(_PEOPLE)}
    return teams, people


@cache
def cascades() -> tuple[Cascade, ...]:
    """The example cascades that come with Redfirst, from scoring/objectives.toml."""
    text = files("scoring").joinpath("objectives.toml").read_text(encoding="utf-8")
    return scoring.objectives_file.cascades(tomllib.loads(text))
