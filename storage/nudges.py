"""Focuses, nudges and pauses of people, and the weeks from which the effect of nudges is measured."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Integer, String, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storage.db import Db, Prepared
from storage.models import account, outbox
from storage.models_told import focus, nudge, nudge_pause, nudge_week
from storage.outbox import TOLD


@dataclass(frozen=True, slots=True)
class Held:
    """A focus that is on. Days are local; `check_day` is when the person is told how it went, None before a nudge."""

    id: int
    metric: str
    behaviour: str
    since_day: int
    check_day: int | None


@dataclass(frozen=True, slots=True)
class Pause:
    """No nudges about `behaviour` (empty: any) before the day `until_day`; None: until taken up again."""

    behaviour: str
    why: str  # snoozed, not_mine, stopped, done
    until_day: int | None


@dataclass(frozen=True, slots=True)
class Nudge:
    id: int
    person_id: int
    metric: str
    behaviour: str
    day: int
    answer: str  # empty, done, snoozed, not_mine, stopped


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the outbox. `person_id` is None where it went to a channel; `card` is plain JSON."""

    person_id: int | None
    key: str
    at: int  # UTC seconds
    card: Any


_HELD = Prepared(
    select(focus.c.id, focus.c.metric, focus.c.behaviour, focus.c.since_day, focus.c.check_day)
    .where(focus.c.person_id == bindparam("person_id"), focus.c.state == "on")
    .order_by(focus.c.since_day, focus.c.id)
)
_BEGIN = {
    "sqlite": sqlite.insert(focus).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(focus).on_conflict_do_nothing(),
}
_END = (
    update(focus)
    .where(focus.c.id == bindparam("focus_id"), focus.c.state == "on")
    .values(state=bindparam("how"), ended_day=bindparam("today"))
)
_STOP = (
    update(focus)
    .where(
        focus.c.person_id == bindparam("whose"), focus.c.behaviour == bindparam("what"), focus.c.state == "on"
    )
    .values(state="stopped", ended_day=bindparam("today"))
)
_CHECK = update(focus).where(focus.c.id == bindparam("focus_id")).values(check_day=bindparam("then"))
_TO_CHECK = (
    select(focus.c.person_id, focus.c.id, focus.c.metric, focus.c.behaviour, focus.c.since_day, focus.c.check_day)
    .where(
        focus.c.person_id.in_(bindparam("people", expanding=True)),
        focus.c.state.in_(("on", "replaced")),
        focus.c.check_day <= bindparam("today", type_=Integer),
    )
    .order_by(focus.c.person_id, focus.c.id)
)
_PAUSES = select(nudge_pause.c.behaviour, nudge_pause.c.why, nudge_pause.c.until_day).where(
    nudge_pause.c.person_id == bindparam("person_id"),
    or_(nudge_pause.c.until_day.is_(None), nudge_pause.c.until_day > bindparam("today", type_=Integer)),
)


def _pause(statement: Any) -> Any:
    """What was stopped stays so until it is taken up again, whatever button of an old card comes late."""
    return statement.on_conflict_do_update(
        index_elements=["person_id", "behaviour"],
        set_={name: statement.excluded[name] for name in ("why", "until_day")},
        where=nudge_pause.c.until_day.is_not(None),
    )


def _week(statement: Any) -> Any:
    """A week in which somebody was nudged stays one, whatever the days after it say."""
    return statement.on_conflict_do_update(
        index_elements=["person_id", "behaviour", "week"],
        set_={name: statement.excluded[name] for name in ("nudged", "why")},
        where=nudge_week.c.nudged.is_(False),
    )


_PAUSE = {
    "sqlite": _pause(sqlite.insert(nudge_pause)),
    "postgresql": _pause(postgresql.insert(nudge_pause)),
}
_RESUME = delete(nudge_pause).where(
    nudge_pause.c.person_id == bindparam("whose"), nudge_pause.c.behaviour == bindparam("what")
)
_WEEKS = {"sqlite": _week(sqlite.insert(nudge_week)), "postgresql": _week(postgresql.insert(nudge_week))}
_ADD = {
    "sqlite": sqlite.insert(nudge).on_conflict_do_nothing().returning(nudge.c.id),
    "postgresql": postgresql.insert(nudge).on_conflict_do_nothing().returning(nudge.c.id),
}
_DROP = delete(nudge).where(nudge.c.id == bindparam("nudge_id"))
_COLUMNS = (nudge.c.id, nudge.c.person_id, nudge.c.metric, nudge.c.behaviour, nudge.c.day, nudge.c.answer)
_GET = select(*_COLUMNS).where(nudge.c.id == bindparam("nudge_id"))
_SINCE = (
    select(*_COLUMNS)
    .where(nudge.c.person_id == bindparam("person_id"), nudge.c.day >= bindparam("day", type_=Integer))
    .order_by(nudge.c.day)
)
_ANSWER = (
    update(nudge)
    .where(nudge.c.id == bindparam("nudge_id"), nudge.c.answer.is_(None))
    .values(answer=bindparam("how"), answered_at=bindparam("when"), comment=bindparam("words"))
)
_PREFIX = bindparam("prefix", type_=String)
_SAID = (
    select(account.c.person_id, outbox.c.key, outbox.c.due_at, outbox.c.body)
    .select_from(outbox.outerjoin(account, account.c.key == outbox.c.recipient))
    .where(
        outbox.c.state.in_(TOLD),
        outbox.c.unasked.in_((False, True)),  # either: named, so that the index finds the instants
        outbox.c.due_at.between(bindparam("since", type_=BigInteger), bindparam("until", type_=BigInteger)),
        or_(
            account.c.person_id.in_(bindparam("people", expanding=True)),
            func.substr(outbox.c.key, 1, func.length(_PREFIX)) == _PREFIX,
        ),
    )
)


async def held(db: Db, person_id: int) -> list[Held]:
    """The focuses of a person, the oldest first."""
    return [Held(*row) for row in await _HELD.rows(db, {"person_id": person_id})]


async def begin(db: Db, person_id: int, metric_name: str, behaviour: str, day: int) -> None:
    """A focus from `day` on; nothing happens where the metric is one already."""
    values = {
        "person_id": person_id, "metric": metric_name, "behaviour": behaviour, "since_day": day, "state": "on",
    }  # fmt: skip
    await db.execute(_BEGIN[db.dialect.name], values)


async def end(db: Db, focus_id: int, how: str, day: int) -> bool:
    """Ends a focus: done, stopped or replaced; False where it has ended before."""
    return (await db.execute(_END, {"focus_id": focus_id, "how": how, "today": day})).rowcount == 1


async def stop(db: Db, person_id: int, behaviour: str, day: int) -> None:
    """Ends the focus on a behaviour that the person does not want to hear of."""
    await db.execute(_STOP, {"whose": person_id, "what": behaviour, "today": day})


async def to_check(db: Db, people: Collection[int], today: int) -> list[tuple[int, Held]]:
    """(Person, focus) of these people that are to be looked at again by now; one that gave way to another too."""
    rows = await db.execute(_TO_CHECK, {"people": sorted(people), "today": today})
    return [(row[0], Held(*row[1:])) for row in rows]


async def check_on(db: Db, focus_id: int, day: int | None) -> None:
    """The person is told on `day` how it went; None once they were."""
    await db.execute(_CHECK, {"focus_id": focus_id, "then": day})


async def pauses(db: Db, person_id: int, today: int) -> list[Pause]:
    """What a person does not want to be nudged about on a day."""
    return [Pause(*row) for row in await db.execute(_PAUSES, {"person_id": person_id, "today": today})]


async def pause(db: Db, person_id: int, behaviour: str, why: str, until_day: int | None) -> None:
    """No nudges about a behaviour (empty: any) before `until_day`; a later wish takes the place of an earlier one,
    and none that of a stop (`until_day` None): that is taken back with `resume`."""
    values = {"person_id": person_id, "behaviour": behaviour, "why": why, "until_day": until_day}
    await db.execute(_PAUSE[db.dialect.name], values)


async def resume(db: Db, person_id: int, behaviour: str) -> None:
    """Takes a pause back."""
    await db.execute(_RESUME, {"whose": person_id, "what": behaviour})


async def add(db: Db, person_id: int, metric_name: str, behaviour: str, day: int, at: int) -> int | None:
    """Notes a nudge and returns its id; None where the person has had one on that local day."""
    values = {"person_id": person_id, "metric": metric_name, "behaviour": behaviour, "day": day, "at": at}
    number: int | None = (await db.execute(_ADD[db.dialect.name], values)).scalar_one_or_none()
    return number


async def drop(db: Db, nudge_id: int) -> None:
    """Takes back a nudge that was not said after all."""
    await db.execute(_DROP, {"nudge_id": nudge_id})


def _nudge(row: Any) -> Nudge:
    return Nudge(row.id, row.person_id, row.metric, row.behaviour, row.day, row.answer or "")


async def get(db: Db, nudge_id: int) -> Nudge | None:
    row = (await db.execute(_GET, {"nudge_id": nudge_id})).first()
    return None if row is None else _nudge(row)


async def since(db: Db, person_id: int, day: int) -> list[Nudge]:
    """The nudges of a person from a local day on, oldest first."""
    return [_nudge(row) for row in await db.execute(_SINCE, {"person_id": person_id, "day": day})]


async def answer(db: Db, nudge_id: int, how: str, at: int, words: str | None = None) -> bool:
    """Keeps the first answer to a nudge; False where there was one."""
    return (await db.execute(_ANSWER, {"nudge_id": nudge_id, "how": how, "when": at, "words": words})).rowcount == 1


async def week(
    db: Db, person_id: int, behaviour: str, monday: int, metric_name: str, why: str, target: float, red: float
) -> None:
    """Notes that a person had a gap in a week, and that they were "nudged" or why not."""
    values = {
        "person_id": person_id, "behaviour": behaviour, "week": monday, "metric": metric_name,
        "nudged": why == "nudged", "why": why, "target": target, "red": red,
    }  # fmt: skip
    await db.execute(_WEEKS[db.dialect.name], values)


async def said(db: Db, people: Collection[int], prefix: str, since_at: int, until_at: int) -> list[Said]:
    """What was said between two instants (UTC seconds): to these people, and wherever the key begins with `prefix`."""
    values = {"people": sorted(people), "prefix": prefix, "since": since_at, "until": until_at}
    found = await db.execute(_SAID, values)
    return [Said(row.person_id, row.key, row.due_at, json.loads(row.body)) for row in found]
