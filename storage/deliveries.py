"""Deliveries: who holds which message of the outbox, and what became of it; every claim is good for a while only."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Text,
    Update,
    and_,
    bindparam,
    case,
    column,
    false,
    func,
    null,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql

from storage.db import Db
from storage.models import outbox

UNSURE = "It is not known whether this arrived."
EXPIRED = "Not said: its time was over."
EXPIRED_UNSURE = f"{UNSURE} Its time was over, so it was not said again."


@dataclass(frozen=True, slots=True)
class Row:
    """A claimed message. `attempts` counts this one; `unsure` is true where an earlier one may have arrived.

    With a `reference` it is on the platform already, and its card is to be replaced there.
    """

    id: int
    key: str
    platform: str
    recipient: str
    body: Any  # plain JSON values of a card
    revision: int
    attempts: int
    unsure: bool
    reference: str
    claim: int
    made_at: int
    due_at: int
    expires_at: int | None
    claimed_until: int


@dataclass(frozen=True, slots=True)
class Sent:
    """The platform shows the message's card of `revision`; -1 where nobody knows which of its cards.

    `check_at`: when to look whether it stands there twice.
    """

    reference: str
    revision: int
    check_at: int | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """Another attempt at `due_at`; `unsure` where this one may have arrived."""

    due_at: int
    problem: str
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Over:
    """It is not sent: "failed", "held" or "expired"; `problem` says why and what to do."""

    state: str
    problem: str


@dataclass(frozen=True, slots=True)
class Back:
    """Untried: it does not count as an attempt."""

    due_at: int


Outcome = Sent | Again | Over | Back

_ALIVE = or_(
    outbox.c.expires_at.is_(None), outbox.c.expires_at > bindparam("now"), outbox.c.reference.is_not(None)
)
"""An update in place is never too late: the message stands there."""
_DUE = (
    select(outbox.c.id)
    .where(
        outbox.c.state == "due",
        outbox.c.due_at <= bindparam("now"),
        or_(
            and_(outbox.c.platform.in_(bindparam("posts", expanding=True)), outbox.c.reference.is_(None)),
            and_(outbox.c.platform.in_(bindparam("updates", expanding=True)), outbox.c.reference.is_not(None)),
        ),
        _ALIVE,
    )
    .order_by(outbox.c.unasked, outbox.c.due_at, outbox.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)  # SQLite has one writer and leaves this out
)
_CLAIM = (
    update(outbox)
    .where(outbox.c.id.in_(_DUE.scalar_subquery()))
    .values(
        state="claimed", claimed_until=bindparam("until"), attempts=outbox.c.attempts + 1, claim=outbox.c.claim + 1
    )
    .returning(
        outbox.c.id, outbox.c.key, outbox.c.platform, outbox.c.recipient, outbox.c.body, outbox.c.revision,
        outbox.c.attempts, outbox.c.unsure, outbox.c.reference, outbox.c.claim, outbox.c.made_at, outbox.c.due_at,
        outbox.c.expires_at, outbox.c.claimed_until, outbox.c.unasked,
    )
)  # fmt: skip


def _free(*where: ColumnElement[bool]) -> ColumnElement[bool]:
    """Those of the rows that nobody else has locked: who waits for no lock can be in nobody's way."""
    return outbox.c.id.in_(select(outbox.c.id).where(*where).with_for_update(skip_locked=True).scalar_subquery())


_BEGUN = (
    update(outbox)
    .where(
        _free(
            outbox.c.state == "claimed",
            tuple_(outbox.c.id, outbox.c.claim).in_(bindparam("mine", expanding=True)),
            outbox.c.claimed_until >= bindparam("at_least"),
        )
    )
    .values(state="posting")
    .returning(outbox.c.id, outbox.c.body, outbox.c.revision)
)
_FALLEN = (
    update(outbox)
    .where(_free(outbox.c.state.in_(("claimed", "posting")), outbox.c.claimed_until < bindparam("now")))
    .values(
        claimed_until=null(),
        state="due",
        # who only claimed it has not posted it; who was posting may have, before they fell
        unsure=case((and_(outbox.c.state == "posting", outbox.c.reference.is_(None)), true()), else_=outbox.c.unsure),
        problem=case(
            (and_(outbox.c.state == "posting", outbox.c.reference.is_(None)), UNSURE), else_=outbox.c.problem
        ),
    )
)
_EXPIRE = (
    update(outbox)
    .where(_free(outbox.c.state == "due", outbox.c.reference.is_(None), outbox.c.expires_at <= bindparam("now")))
    .values(state="expired", problem=case((outbox.c.unsure.is_(True), EXPIRED_UNSURE), else_=EXPIRED))
)


_HELD_BY_US = or_(outbox.c.state == "claimed", outbox.c.state == "posting")  # no list: those go one by one
_GIVEN_UP_BY_US = and_(outbox.c.state == "due", outbox.c.unsure.is_(True))


def _mine(held: ColumnElement[bool] = _HELD_BY_US, /, **values: Any) -> Update:
    """An update that only the holder of the claim can make: a later claim has another number."""
    return (
        update(outbox)
        .where(outbox.c.id == bindparam("row"), held, outbox.c.claim == bindparam("held_as"))
        .values(claimed_until=null(), **values)
    )


def _shown(row: Any, held_as: Any, shown: Any, said_as: Any, look_at: Any) -> Update:
    """The platform shows the message's card of revision `shown`."""
    newest = outbox.c.revision == shown
    return (
        update(outbox)
        .where(
            outbox.c.id == row,
            outbox.c.claim == held_as,
            or_(_HELD_BY_US, _GIVEN_UP_BY_US),  # good news may come late, as long as nobody else has taken it up
        )
        .values(
            state=case((newest, "sent"), else_="due"),  # revised meanwhile: the newest card is still to be shown
            due_at=case((newest, outbox.c.due_at), else_=bindparam("now")),
            attempts=case((newest, outbox.c.attempts), else_=0),
            claimed_until=null(),
            reference=said_as,
            sent_at=bindparam("now"),
            check_at=func.coalesce(look_at, outbox.c.check_at),
            unsure=false(),
            problem=null(),
        )
    )


_SENT_AS = ("row", "held_as", "shown", "said_as", "look_at")
_SENT = _shown(*(bindparam(name) for name in _SENT_AS))


def _all_sent() -> Update:
    """The same for many in one statement, which PostgreSQL alone can."""
    kinds: dict[str, Any] = dict.fromkeys(_SENT_AS, Integer) | {"said_as": Text, "look_at": BigInteger}
    arrays = [bindparam(f"{name}s", type_=postgresql.ARRAY(kinds[name])) for name in _SENT_AS]
    columns = [column(name, kinds[name]) for name in _SENT_AS]
    given = func.unnest(*arrays).table_valued(*columns, name="given").render_derived()
    return _shown(*(given.c[name] for name in _SENT_AS))


_ALL_SENT = _all_sent()
_OVER = _mine(state=bindparam("ends_as"), problem=bindparam("why"))
_AGAIN = _mine(state="due", due_at=bindparam("at"), unsure=bindparam("doubt"), problem=bindparam("why"))
_BACK = _mine(state="due", due_at=bindparam("at"), attempts=outbox.c.attempts - 1)
_LOCK = (
    select(outbox.c.id)
    .where(outbox.c.id.in_(bindparam("rows", expanding=True)))
    .with_for_update(skip_locked=True)
)
_TO_CHECK = (
    select(outbox.c.id, outbox.c.platform, outbox.c.recipient, outbox.c.key)
    .where(outbox.c.check_at.is_not(None), outbox.c.check_at <= bindparam("now"), outbox.c.state == "sent")
    .order_by(outbox.c.check_at)
    .limit(bindparam("most"))
)
_CHECKED = update(outbox).where(outbox.c.id == bindparam("row")).values(check_at=null(), copies=bindparam("many"))
_LATE = (
    select(func.count(), func.min(outbox.c.due_at))
    .where(
        outbox.c.state == "due",
        outbox.c.due_at < bindparam("before"),
        outbox.c.platform.in_(bindparam("platforms", expanding=True)),
    )
)  # fmt: skip


async def claim(
    db: Db, posts: Collection[str], updates: Collection[str], now: int, until: int, most: int
) -> list[Row]:
    """Takes up to `most` messages that are due, until the instant `until`: those to post on the platforms of `posts`,
    those to update on the platforms of `updates`. What people wait for goes first, then the oldest.

    Two callers never hold the same message at the same time.
    """
    if most <= 0 or not (posts or updates):
        return []
    values = {"posts": sorted(posts), "updates": sorted(updates), "now": now, "until": until, "most": most}
    rows = (await db.execute(_CLAIM, values)).all()
    return [
        Row(
            r.id, r.key, r.platform, r.recipient, json.loads(r.body), r.revision, r.attempts, r.unsure,
            r.reference or "", r.claim, r.made_at, r.due_at, r.expires_at, r.claimed_until,
        )
        for r in sorted(rows, key=lambda r: (r.unasked, r.due_at, r.id))
    ]  # fmt: skip


async def begun(db: Db, rows: Sequence[Row], at_least: int) -> Mapping[int, tuple[Any, int]]:
    """Says that these are being posted from now on; returns of each that may be, its newest card and revision.

    A claim that another has taken over, or that ends before `at_least`, is left out: it must not be posted.
    """
    mine = [(row.id, row.claim) for row in rows]
    found = await db.execute(_BEGUN, {"mine": mine, "at_least": at_least})
    return {r.id: (json.loads(r.body), r.revision) for r in found}


async def settle(
    db: Db, outcomes: Sequence[tuple[Row, Outcome]], now: int
) -> Sequence[tuple[Row, Outcome]]:
    """Writes down what became of claimed messages; of a claim that was lost meanwhile nothing is written.

    Returns those that somebody else is writing at this moment, for another transaction: of many at once none is
    waited for.
    """
    if len(outcomes) > 1:
        found = await db.execute(_LOCK, {"rows": [row.id for row, _ in outcomes]})
        locked = set(found.scalars())
        left = [one for one in outcomes if one[0].id not in locked]
        outcomes = [one for one in outcomes if one[0].id in locked]
    else:
        left = []
    values: dict[int, tuple[Update, list[dict[str, Any]]]] = {}
    for row, outcome in outcomes:
        held: dict[str, Any] = {"row": row.id, "held_as": row.claim}
        match outcome:
            case Sent(reference, revision, look_at):
                statement = _SENT
                held |= {"said_as": reference, "shown": revision, "look_at": look_at, "now": now}
            case Again(at, problem, unsure):
                statement = _AGAIN
                held |= {"at": at, "why": problem, "doubt": unsure}
            case Over(state, problem):
                statement = _OVER
                held |= {"ends_as": state, "why": problem}
            case Back(at):
                statement = _BACK
                held |= {"at": at}
        values.setdefault(id(statement), (statement, []))[1].append(held)
    for statement, many in values.values():
        if statement is _SENT and len(many) > 1 and db.dialect.name == "postgresql":
            arrays: dict[str, Any] = {f"{name}s": [one[name] for one in many] for name in _SENT_AS}
            await db.execute(_ALL_SENT, {**arrays, "now": now})
        else:
            await db.execute(statement, many)
    return left


async def fallen(db: Db, now: int) -> int:
    """Gives back what was claimed by processes that fell; returns how many messages."""
    return int((await db.execute(_FALLEN, {"now": now})).rowcount)


async def expire(db: Db, now: int) -> int:
    """Marks what was not said in time; returns how many messages."""
    return int((await db.execute(_EXPIRE, {"now": now})).rowcount)


async def to_check(db: Db, now: int, most: int) -> list[tuple[int, str, str, str]]:
    """(id, platform, recipient, key) of messages that may have been posted twice and have had time to arrive."""
    return [(r.id, r.platform, r.recipient, r.key) for r in await db.execute(_TO_CHECK, {"now": now, "most": most})]


async def checked(db: Db, message: int, copies: int) -> None:
    """It has been looked for, and stands there so often."""
    await db.execute(_CHECKED, {"row": message, "many": copies})


async def late(db: Db, platforms: Collection[str], before: int) -> tuple[int, int | None]:
    """How many messages for these platforms have been due since before an instant, and since when the oldest."""
    count, oldest = (await db.execute(_LATE, {"before": before, "platforms": sorted(platforms)})).one()
    return count, oldest
