"""The digests that were said lately, by their keys in the outbox, and what waits for their readers beside them."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, and_, bindparam, case, literal, null, or_, select, update

from storage.db import Db
from storage.models import outbox
from storage.models_told import unasked
from storage.outbox import UNTOLD


@dataclass(frozen=True, slots=True)
class Said:
    """A digest by its key in the outbox; `made_at` in UTC seconds."""

    key: str
    made_at: int


SAID_IN = "Said in the digest "
"""How the problem of a message begins that a digest has taken in; the digest's key and a full stop follow."""

LAST = "\U0010ffff"
"""After every other character: keys that begin alike come before it."""

_SAID = (
    select(outbox.c.key, outbox.c.made_at)
    .where(
        outbox.c.key > bindparam("low"),
        outbox.c.key < bindparam("high"),
        outbox.c.due_at >= bindparam("since"),
        # a list of the other states would have SQLite look through all that was ever sent
        or_(outbox.c.state.not_in(UNTOLD), outbox.c.problem.startswith(SAID_IN)),
    )
    .order_by(outbox.c.due_at.desc(), outbox.c.id.desc())
)
_O = outbox.c
_UNTRIED = (_O.state == "due", _O.unasked.is_(True), _O.reference.is_(None), _O.unsure.is_(False), _O.attempts == 0)
_WAITING = (
    select(_O.id, _O.key, _O.body)
    .where(
        *_UNTRIED,
        _O.person_id == bindparam("whose"),
        _O.due_at > bindparam("now"),
        _O.due_at >= bindparam("at"),
        or_(_O.expires_at.is_(None), _O.expires_at > bindparam("at")),
    )
    .order_by(_O.due_at, _O.id)
    .with_for_update(skip_locked=True)  # what somebody is about to say is none of what waits
)
_TAKE_IN = (
    update(outbox)
    .where(
        _O.id.in_(bindparam("rows", expanding=True)),
        or_(
            and_(*_UNTRIED, _O.due_at > bindparam("now")),
            and_(_O.state == "cancelled", _O.problem.startswith(SAID_IN)),
        ),
    )
    .values(
        state="cancelled",
        problem=bindparam("why"),
        # it is looked for from when the digest was made
        due_at=case((_O.due_at > bindparam("now"), _O.due_at), else_=bindparam("now")),
    )
    .returning(_O.id, _O.key)
)
_FREE = update(unasked).where(unasked.c.key == bindparam("said_as")).values(place=bindparam("aside"))
_ASIDE = 1_000
"""Places from here on are none of a day's: what a digest has said keeps its key, and the day has room for others."""
_TAKEN_IN = (
    select(_O.body)
    .where(
        _O.state == "cancelled",
        _O.unasked.is_(True),
        _O.due_at >= bindparam("since"),
        _O.problem == bindparam("why"),
    )
    .order_by(_O.due_at, _O.id)
)

_GONE = outbox.alias("gone")
_LOST = (
    select(_O.id, _O.key, _O.body)
    .where(
        _O.state == "cancelled",
        _O.unasked.is_(True),
        _O.due_at >= bindparam("since"),
        _O.person_id == bindparam("whose"),
        or_(_O.expires_at.is_(None), _O.expires_at > bindparam("at")),
        _O.problem.in_(
            select(literal(SAID_IN, String) + _GONE.c.key + literal(".", String)).where(
                _GONE.c.state.in_(("expired", "failed", "cancelled")),
                _GONE.c.unasked.is_(True),
                _GONE.c.due_at >= bindparam("since"),
                _GONE.c.person_id == bindparam("whose"),
                _GONE.c.reference.is_(None),
            )
        ),
    )
    .order_by(_O.due_at, _O.id)
    .with_for_update(skip_locked=True)
)
_GIVE_BACK = (
    update(outbox)
    .where(_O.id.in_(bindparam("rows", expanding=True)), _O.state == "cancelled", _O.problem.startswith(SAID_IN))
    .values(state="due", due_at=bindparam("at"), problem=null())
)
_MISSED = (
    update(outbox)
    .where(_O.key == bindparam("said_as"), _O.state == "due", _O.attempts == 0)
    .values(state="expired", problem=bindparam("why"))
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that nobody asked for and that has not been tried yet; `body` is its card's plain JSON."""

    id: int
    key: str
    body: Any


async def said(db: Db, prefix: str, since: int) -> list[Said]:
    """Those whose keys begin with `prefix`, due since an instant (UTC seconds), newest first."""
    rows = await db.execute(_SAID, {"low": prefix, "high": prefix + LAST, "since": since})
    return [Said(row.key, row.made_at) for row in rows]


async def waiting(db: Db, person_id: int, now: int, at: int, but: Collection[str]) -> list[Waiting]:
    """What waits for a person until after `now`, and is due at `at` or later (UTC seconds): the next in turn first.

    Keys that begin with one of `but` are left out. What is being said at this moment is, too, and what is pointless
    at `at`.
    """
    rows = await db.execute(_WAITING, {"whose": person_id, "now": now, "at": at})
    return [Waiting(row.id, row.key, json.loads(row.body)) for row in rows if not row.key.startswith(tuple(but))]


async def lost(db: Db, person_id: int, since: int, at: int) -> list[Waiting]:
    """What digests since an instant had taken in that were never said, unless it is pointless at `at` (UTC seconds)."""
    rows = await db.execute(_LOST, {"whose": person_id, "since": since, "at": at})
    return [Waiting(row.id, row.key, json.loads(row.body)) for row in rows]


async def take_in(db: Db, digest: str, rows: Collection[int], now: int) -> Collection[int]:
    """Calls messages off that a digest says instead; returns the ids of those that still were to be said."""
    if not rows:
        return ()
    found = (await db.execute(_TAKE_IN, {"rows": sorted(rows), "now": now, "why": f"{SAID_IN}{digest}."})).all()
    if found:
        await db.execute(_FREE, [{"said_as": row.key, "aside": _ASIDE + row.id} for row in found])
    return {row.id for row in found}


async def taken_in(db: Db, digest: str, since: int) -> Sequence[Any]:
    """The cards (plain JSON) that a digest made at `since` (UTC seconds) says instead of their own messages."""
    rows = await db.execute(_TAKEN_IN, {"why": f"{SAID_IN}{digest}.", "since": since})
    return [json.loads(row.body) for row in rows]


async def give_back(db: Db, rows: Collection[int], at: int) -> None:
    """Messages that a digest had taken in wait until `at` (UTC seconds), and go their own way."""
    if rows:
        await db.execute(_GIVE_BACK, {"rows": sorted(rows), "at": at})


async def missed(db: Db, key: str, why: str) -> None:
    """A digest that finds no time to be said is over at once, with the reason."""
    await db.execute(_MISSED, {"said_as": key, "why": why})
