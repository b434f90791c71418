"""The outbox: what must be said, kept until a platform has taken it, and as the record of what was said.

States: due → claimed (a process has it) → posting (it is being posted) → sent; a sent message whose card is revised is
due again, and updated in place. held: nobody knows whether it arrived, and a person decides; failed: refused for good;
expired: its time was over before it was said; cancelled: called off. `storage.deliveries` moves it from state to state.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, case, false, func, literal, null, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storage.db import Db, Prepared
from storage.models import outbox

STATES = ("held", "failed", "expired", "posting", "claimed", "due", "cancelled", "sent")
"""The ones that need a person come first."""
OPEN = ("due", "claimed", "posting")
TROUBLED = ("held", "failed")
UNTOLD = (*TROUBLED, "expired", "cancelled")
TOLD = (*OPEN, "sent")
"""Said, or about to be."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as the outbox keeps it. Instants are UTC seconds; `card` is plain JSON."""

    id: int
    key: str
    platform: str
    recipient: str
    state: str
    made_at: int
    due_at: int
    expires_at: int | None
    sent_at: int | None
    attempts: int
    revision: int
    problem: str
    reference: str
    copies: int
    card: Any


_JSON = json.JSONEncoder(separators=(",", ":"))
_SET_AT_FIRST = (
    "key", "platform", "recipient", "person_id", "unasked", "body", "revision", "state", "made_at", "due_at",
    "expires_at", "claim", "attempts", "unsure", "copies",
)  # fmt: skip


def _new(insert: sqlite.Insert | postgresql.Insert) -> Prepared:
    given = {name: bindparam(name, type_=outbox.c[name].type) for name in _SET_AT_FIRST}
    return Prepared(insert.values(given).on_conflict_do_nothing(index_elements=["key"]), small=True)


_INSERTS = {"sqlite": _new(sqlite.insert(outbox)), "postgresql": _new(postgresql.insert(outbox))}
_SPOKEN = and_(outbox.c.reference.is_not(None), outbox.c.state.in_(("sent", "failed", "cancelled")))
"""On the platform, and nothing under way with it."""
_REVISE = (
    update(outbox)
    .where(outbox.c.key == bindparam("said_as"), outbox.c.body != bindparam("card"))
    .values(
        body=bindparam("card"),
        revision=outbox.c.revision + 1,
        state=case((_SPOKEN, "due"), else_=outbox.c.state),
        due_at=case((_SPOKEN, bindparam("now")), else_=outbox.c.due_at),
        attempts=case((_SPOKEN, 0), else_=outbox.c.attempts),
        problem=case((_SPOKEN, null()), else_=outbox.c.problem),
    )
)
_COLUMNS = (
    outbox.c.id, outbox.c.key, outbox.c.platform, outbox.c.recipient, outbox.c.state, outbox.c.made_at,
    outbox.c.due_at, outbox.c.expires_at, outbox.c.sent_at, outbox.c.attempts, outbox.c.revision, outbox.c.problem,
    outbox.c.reference, outbox.c.copies, outbox.c.body,
)  # fmt: skip
_RANK = case({state: place for place, state in enumerate(STATES)}, value=outbox.c.state, else_=len(STATES))
_LISTED = (
    select(*_COLUMNS)
    .where(outbox.c.state.in_(bindparam("states", expanding=True)))
    .order_by(_RANK, outbox.c.due_at.desc(), outbox.c.id.desc())
    .limit(bindparam("most"))
)
_COUNTED = select(outbox.c.state, func.count().label("many")).group_by(outbox.c.state)
_TWICE = select(func.count()).where(outbox.c.copies > 1)
_TWICE_LISTED = (
    select(*_COLUMNS)
    .where(outbox.c.copies > 1)
    .order_by(outbox.c.id.desc())
    .limit(bindparam("most"))
)
_ONE = select(*_COLUMNS).where(or_(outbox.c.key == bindparam("name"), outbox.c.id == bindparam("number")))
_RETRY = (
    update(outbox)
    .where(outbox.c.id == bindparam("row"), outbox.c.state.in_(("due", "held", "failed", "cancelled")))
    .values(
        state="due",
        due_at=bindparam("now"),
        attempts=0,
        unsure=case((outbox.c.state == "held", false()), else_=outbox.c.unsure),  # a person has looked
        problem=null(),
    )
)
_CANCEL = (
    update(outbox)
    .where(outbox.c.id == bindparam("row"), outbox.c.state.in_(("due", "held", "failed")))
    .values(state="cancelled", problem=literal("Called off."), claimed_until=null())
)
_TROUBLES = (
    select(outbox.c.state, outbox.c.platform, outbox.c.problem, func.count().label("many"))
    .where(
        outbox.c.state.in_(TROUBLED), outbox.c.due_at >= bindparam("since"), outbox.c.key.not_like(bindparam("but"))
    )
    .group_by(outbox.c.state, outbox.c.platform, outbox.c.problem)
    .order_by(outbox.c.state.desc(), func.count().desc(), outbox.c.problem)
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """So many messages to a platform that are held or failed for one reason."""

    state: str
    platform: str
    problem: str
    count: int


async def add(
    db: Db,
    platform: str,
    recipient: str,
    card: Any,
    key: str,
    due_at: int,
    *,
    expires_at: int | None = None,
    person_id: int | None = None,
    unasked: bool = False,
    now: int | None = None,
) -> bool:
    """Something to say, in the caller's transaction; False where `key` has been added before.

    `card` is the card's plain JSON (`cards.card.to_json`); instants are UTC seconds. From `expires_at` on it is not
    said any more. What is `unasked` goes after what people wait for. `now` is when it was made (default: `due_at`).
    """
    values = {
        "key": key,
        "platform": platform,
        "recipient": recipient,
        "person_id": person_id,
        "unasked": unasked,
        "body": _text(card),
        "revision": 0,
        "state": "due",
        "made_at": due_at if now is None else now,
        "due_at": due_at,
        "expires_at": expires_at,
        "claim": 0,
        "attempts": 0,
        "unsure": False,
        "copies": 1,
    }
    return await _INSERTS[db.dialect.name].changed(db, values) == 1


async def revise(db: Db, key: str, card: Any, now: int) -> bool:
    """Replaces the card of an earlier message: in the row before it is sent, by an update in place after.

    False where there is no such message, or it says this already. What was called off or expired unsent stays unsent.
    Whatever is under way at `now` (UTC seconds), the newest card is what the platform shows in the end.
    """
    result = await db.execute(_REVISE, {"said_as": key, "card": _text(card), "now": now})
    return bool(result.rowcount == 1)


async def listed(db: Db, states: Sequence[str] = STATES, most: int = 50) -> list[Message]:
    """Messages in these states: what needs a person first, the newest of each state first."""
    rows = await db.execute(_LISTED, {"states": list(states), "most": most})
    return [_message(row) for row in rows]


async def counted(db: Db) -> dict[str, int]:
    """State → how many messages."""
    return {row.state: row.many for row in await db.execute(_COUNTED)}


async def said_twice(db: Db) -> int:
    """How many messages are known to stand on the platform more than once."""
    return int((await db.execute(_TWICE)).scalar_one())


async def twice(db: Db, most: int) -> list[Message]:
    """Those messages, the newest first."""
    return [_message(row) for row in await db.execute(_TWICE_LISTED, {"most": most})]


async def one(db: Db, name: str) -> Message | None:
    """The message with this key, or with this number."""
    number = int(name) if name.isascii() and name.isdecimal() and len(name) < 10 else -1
    rows = (await db.execute(_ONE, {"name": name, "number": number})).all()
    return next((_message(row) for row in sorted(rows, key=lambda row: row.key != name)), None)


async def retry(db: Db, message: int, now: int) -> bool:
    """Makes a message due at once, whatever kept it; False where it is under way, sent or expired."""
    return bool((await db.execute(_RETRY, {"row": message, "now": now})).rowcount == 1)


async def cancel(db: Db, message: int) -> bool:
    """Calls a message off; False where it is under way, or over with."""
    return bool((await db.execute(_CANCEL, {"row": message})).rowcount == 1)


async def troubles(db: Db, since: int, but: str) -> list[Trouble]:
    """What is held or failed and was due at or after `since`, by reason; keys that begin with `but` are left out."""
    rows = await db.execute(_TROUBLES, {"since": since, "but": f"{but}%"})
    return [Trouble(row.state, row.platform, row.problem or "", row.many) for row in rows]


def _message(row: Any) -> Message:
    return Message(
        row.id, row.key, row.platform, row.recipient, row.state, row.made_at, row.due_at, row.expires_at, row.sent_at,
        row.attempts, row.revision, row.problem or "", row.reference or "", row.copies, json.loads(row.body),
    )  # fmt: skip


def _text(card: Any) -> str:
    return _JSON.encode(card)
