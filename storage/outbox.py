"""The outbox: what must be said, kept until a platform has taken it, and as the record of what was said."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Update, and_, bindparam, case, null, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storage.db import Db
from storage.models import outbox

UNSURE = "It is not known whether this arrived."
"""The problem of a message that may have been posted although nobody heard the platform say so."""


@dataclass(frozen=True, slots=True)
class Row:
    """A claimed message. `attempts` counts this one; `unsure` is true where an earlier one may have arrived."""

    id: int
    key: str
    platform: str
    recipient: str
    body: Any  # plain JSON values of a card
    attempts: int
    unsure: bool


_INSERTS = {
    "sqlite": sqlite.insert(outbox).on_conflict_do_nothing(index_elements=["key"]),
    "postgresql": postgresql.insert(outbox).on_conflict_do_nothing(index_elements=["key"]),
}

_DUE = (
    select(outbox.c.id)
    .where(
        outbox.c.platform.in_(bindparam("platforms", expanding=True)),
        or_(
            and_(outbox.c.state == "due", outbox.c.due_at <= bindparam("now")),
            and_(outbox.c.state == "claimed", outbox.c.claimed_until < bindparam("now")),
        ),
    )
    .order_by(outbox.c.due_at, outbox.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)  # SQLite has one writer and leaves this out
)
_CLAIM = (
    update(outbox)
    .where(outbox.c.id.in_(_DUE.scalar_subquery()))
    .values(
        state="claimed",
        claimed_until=bindparam("until"),
        attempts=outbox.c.attempts + 1,
        # a lease that ran out belonged to somebody who may have posted before they fell
        problem=case((outbox.c.state == "claimed", UNSURE), else_=outbox.c.problem),
    )
    .returning(
        outbox.c.id,
        outbox.c.key,
        outbox.c.platform,
        outbox.c.recipient,
        outbox.c.body,
        outbox.c.attempts,
        outbox.c.problem,
        outbox.c.due_at,
    )
)


def _mine(**values: Any) -> Update:
    """An update that only the holder of the claim can make: a later claim has counted another attempt."""
    return (
        update(outbox)
        .where(
            outbox.c.id == bindparam("row"), outbox.c.state == "claimed", outbox.c.attempts == bindparam("attempt")
        )
        .values(claimed_until=null(), **values)
    )


_SENT = _mine(state="sent", reference=bindparam("said_as"), problem=null())
_FAILED = _mine(state="failed", problem=bindparam("why"))
_AGAIN = _mine(state="due", due_at=bindparam("at"), problem=bindparam("why"))
_BACK = _mine(state="due", due_at=bindparam("at"), attempts=outbox.c.attempts - 1)


async def add(db: Db, platform: str, recipient: str, card: Any, key: str, due_at: int) -> bool:
    """Something to say, in the caller's transaction; False where `key` has been added before.

    `card` is the card's plain JSON (`cards.card.to_json`), `due_at` UTC seconds.
    """
    result = await db.execute(
        _INSERTS[db.dialect.name],
        {
            "key": key,
            "platform": platform,
            "recipient": recipient,
            "body": json.dumps(card, separators=(",", ":")),
            "state": "due",
            "due_at": due_at,
            "attempts": 0,
        },
    )
    return bool(result.rowcount == 1)


async def claim(db: Db, platforms: Collection[str], now: int, until: int, most: int) -> list[Row]:
    """Takes up to `most` messages that are due for these platforms, oldest first, until the instant `until`.

    Two callers never hold the same message at the same time; one whose lease ran out is given away again.
    """
    if not platforms or most <= 0:
        return []
    result = await db.execute(
        _CLAIM, {"platforms": sorted(platforms), "now": now, "until": until, "most": most}
    )
    rows = sorted(result.all(), key=lambda r: (r.due_at, r.id))
    return [
        Row(r.id, r.key, r.platform, r.recipient, json.loads(r.body), r.attempts, r.problem == UNSURE) for r in rows
    ]


async def sent(db: Db, row: Row, reference: str) -> None:
    """The platform took it; `reference` finds the message again."""
    await db.execute(_SENT, {"row": row.id, "attempt": row.attempts, "said_as": reference})


async def failed(db: Db, row: Row, problem: str) -> None:
    """It can never be sent, or must not be without a person; `problem` says why and what to do."""
    await db.execute(_FAILED, {"row": row.id, "attempt": row.attempts, "why": problem})


async def again(db: Db, row: Row, due_at: int, problem: str) -> None:
    """Another attempt at `due_at` (UTC seconds); `problem` is UNSURE or what the platform said."""
    await db.execute(_AGAIN, {"row": row.id, "attempt": row.attempts, "at": due_at, "why": problem})


async def back(db: Db, row: Row, due_at: int) -> None:
    """Gives a claim back untried: it does not count as an attempt."""
    await db.execute(_BACK, {"row": row.id, "attempt": row.attempts, "at": due_at})
