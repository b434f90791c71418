"""The timetable's rows and its ledger: claimed in batches, so that each local date is dealt with once by somebody."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import bindparam, delete, func, null, select, update
from sqlalchemy.dialects import postgresql, sqlite

import scoring.schedules
from scoring.schedules import Schedule
from storage.db import Db
from storage.models import team
from storage.models_timetable import run, timetable

OVERDUE = 300
"""Seconds after its time from which something unmade is overdue."""

_ROWS = 500
"""Rows of one statement."""

_BREATH = 100
"""Schedules worked out before others get a turn."""

State = Literal["made", "late", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row held by this transaction. `done` is a mark of `scoring.schedules`; times are UTC seconds."""

    key: str
    digest: str
    done: int
    next_due: int
    failures: int
    problem: str


@dataclass(frozen=True, slots=True)
class Run:
    """What became of one time of a schedule; `due` is the local date it stands for, `at` when it was due."""

    schedule: str
    due: str
    at: int
    state: State
    note: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """Where a schedule stands now: done up to a mark, due next, and looked at again at `wake_at`."""

    key: str
    done: int
    next_due: int | None
    wake_at: int | None
    failures: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Overdue:
    """Something that is due and not made: since when, after how many failures, and the last problem."""

    key: str
    next_due: int
    failures: int
    problem: str


@dataclass(frozen=True, slots=True)
class Synced:
    """How many schedules were new, changed, or are no longer listed."""

    new: int = 0
    changed: int = 0
    gone: int = 0


_ALL = select(timetable).order_by(timetable.c.key)
_DIGESTS = select(timetable.c.key, timetable.c.digest).where(timetable.c.digest != "")
_CALENDARS = select(team.c.id, team.c.key, team.c.zone, team.c.hours, team.c.holidays).order_by(team.c.id)
_CLAIMED = (
    timetable.c.key, timetable.c.digest, timetable.c.done, timetable.c.next_due, timetable.c.failures,
    timetable.c.problem,
)  # fmt: skip
_CLAIM = (
    select(*_CLAIMED)
    .where(timetable.c.wake_at <= bindparam("now"), timetable.c.digest != "")
    .order_by(timetable.c.wake_at, timetable.c.key)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)  # SQLite has one writer and leaves this out
)
_CLAIM_ONE = (
    select(*_CLAIMED)
    .where(timetable.c.key == bindparam("named"), timetable.c.wake_at <= bindparam("now"), timetable.c.digest != "")
    .with_for_update(skip_locked=True)
)
# the driver's own statements: working out parameters takes longer than most of what is done with them
_MOVE = (
    "UPDATE timetable SET done = {}, next_due = {}, wake_at = {}, failures = {}, problem = {} WHERE key = {}",
    6,
)
_RECORD = ("INSERT INTO run (schedule, due, at, state, made_at, note) VALUES ({}, {}, {}, {}, {}, {})", 6)
_CHANGE = (
    update(timetable)
    .where(timetable.c.key == bindparam("named"))
    .values(
        {
            **{c: bindparam(f"to_{c}") for c in ("pattern", "digest", "done", "next_due", "wake_at", "since")},
            "failures": 0,
            "problem": null(),
        }
    )
)
_NEW = {  # another replica may be listing the same
    "sqlite": sqlite.insert(timetable).on_conflict_do_nothing(index_elements=["key"]),
    "postgresql": postgresql.insert(timetable).on_conflict_do_nothing(index_elements=["key"]),
}
_GONE = (
    update(timetable).where(timetable.c.key == bindparam("named")).values(digest="", next_due=null(), wake_at=null())
)
_TOLD = select(run.c.state).where(run.c.schedule == bindparam("named"), run.c.due == bindparam("stands_for"))
_OVERDUE = (
    select(timetable.c.key, timetable.c.next_due, timetable.c.failures, timetable.c.problem)
    .where(timetable.c.next_due < bindparam("before"))
    .order_by(timetable.c.next_due, timetable.c.key)
)
_FAILED = (
    select(run)
    .where(run.c.state == "failed", run.c.made_at >= bindparam("since"))
    .order_by(run.c.made_at.desc(), run.c.schedule)
)
_WAKE = select(func.min(timetable.c.wake_at))
_LATEST = select(func.max(run.c.at))
_NEXT = select(timetable.c.key, timetable.c.next_due).where(timetable.c.key.in_(bindparam("keys", expanding=True)))
_PRUNE = delete(run).where(run.c.made_at < bindparam("before"))


async def calendars(db: Db) -> int:
    """A number that is another when a team, its zone, hours or holidays are others."""
    return hash(tuple(map(tuple, await db.execute(_CALENDARS))))


async def sync(db: Db, schedules: Mapping[str, tuple[Schedule, str]], makers: Collection[str], now: int) -> Synced:
    """Makes the table list these schedules (by key, with their digests): new ones from now on, changed ones from
    the change.

    Where only a zone, working days or holidays changed, the times move and no date is lost or repeated. What is no
    longer listed rests, unless its maker is none of `makers`: a newer release may know it.
    """
    if await _same(db, schedules, makers):
        return Synced()
    found = await _differences(db, schedules, makers, now)
    new = [values for kind, values in found if kind == "new"]
    changed = [_named(values) for kind, values in found if kind == "changed"]
    gone = [{"named": values["key"]} for kind, values in found if kind == "gone"]
    for statement, rows in ((_NEW[db.dialect.name], new), (_CHANGE, changed), (_GONE, gone)):
        for start in range(0, len(rows), _ROWS):
            await db.execute(statement, rows[start : start + _ROWS])
    return Synced(len(new), len(changed), len(gone))


async def _same(db: Db, schedules: Mapping[str, tuple[Schedule, str]], makers: Collection[str]) -> bool:
    count = 0
    for rows in (await db.execute(_DIGESTS)).partitions(_ROWS):
        await asyncio.sleep(0)
        for key, digest in rows:
            if key.partition("/")[0] in makers:
                count += 1
                if key not in schedules or schedules[key][1] != digest:
                    return False
    return count == len(schedules)


async def _differences(
    db: Db, wanted: Mapping[str, tuple[Schedule, str]], makers: Collection[str], now: int
) -> list[tuple[str, dict[str, Any]]]:
    """What the table lacks, has otherwise, or has too much; nobody else changes it meanwhile."""
    rows: dict[str, Any] = {}
    for part in (await db.execute(_ALL.with_for_update())).partitions(_ROWS):
        await asyncio.sleep(0)
        rows.update((row.key, row) for row in part)
    found: list[tuple[str, dict[str, Any]]] = [
        ("gone", {"key": key})
        for key, row in rows.items()
        if key not in wanted and row.digest and key.partition("/")[0] in makers
    ]
    for number, key in enumerate(sorted(wanted)):
        if number % _BREATH == 0:
            await asyncio.sleep(0)
        (schedule, digest), row = wanted[key], rows.get(key)
        if row is None or row.digest != digest:
            found.append(("new" if row is None else "changed", _begun(schedule, digest, row, now)))
    return found


def _begun(schedule: Schedule, digest: str, row: Any, now: int) -> dict[str, Any]:
    """The row of a new or changed schedule. Marks never go back: a date that was told is not told again."""
    pattern = scoring.schedules.pattern(schedule)
    if row is not None and row.digest and row.pattern == pattern:
        done, since = row.done, row.since
    else:
        begun = scoring.schedules.begins(schedule, now)
        done, since = begun if row is None else max(begun, row.done), now
    following = scoring.schedules.first_after(schedule, done)
    values = {"key": schedule.key, "pattern": pattern, "digest": digest, "done": done, "next_due": following}
    return {**values, "wake_at": following, "since": since, "failures": 0, "problem": None}


def _named(values: Mapping[str, Any]) -> dict[str, Any]:
    columns = ("pattern", "digest", "done", "next_due", "wake_at", "since")
    return {"named": values["key"], **{f"to_{column}": values[column] for column in columns}}


async def claim(db: Db, now: int, most: int) -> list[Claimed]:
    """Up to `most` schedules that are due at `now` (UTC seconds), oldest first, held until this transaction ends.

    Another replica gets others meanwhile (PostgreSQL), or waits (SQLite).
    """
    return [_claimed(row) for row in await db.execute(_CLAIM, {"now": now, "most": most})]


async def claim_one(db: Db, key: str, now: int) -> Claimed | None:
    """The same for one schedule; None where it is not due any more, or held by another."""
    row = (await db.execute(_CLAIM_ONE, {"named": key, "now": now})).first()
    return None if row is None else _claimed(row)


def _claimed(row: Any) -> Claimed:
    key, digest, done, next_due, failures, problem = row
    return Claimed(key, digest, done, next_due, failures, problem or "")


async def write(db: Db, runs: Iterable[Run], moves: Iterable[Move], now: int) -> None:
    """The ledger's entries and where the schedules stand after them, in two statements.

    Raises the database's IntegrityError where one of these dates is in the ledger already.
    """
    await _all(db, _RECORD, [(r.schedule, r.due, r.at, r.state, now, r.note) for r in runs])
    await _all(db, _MOVE, [(m.done, m.next_due, m.wake_at, m.failures, m.problem or None, m.key) for m in moves])


async def _all(db: Db, statement: tuple[str, int], rows: list[tuple[Any, ...]]) -> None:
    words, count = statement
    places = ("?" if db.dialect.name == "sqlite" else f"${place}" for place in range(1, count + 1))
    if rows:
        await db.exec_driver_sql(words.format(*places), rows)


async def told(db: Db, schedule: str, due: str) -> bool:
    """Whether the ledger has an entry for this local date."""
    return (await db.execute(_TOLD, {"named": schedule, "stands_for": due})).first() is not None


async def overdue(db: Db, now: int) -> tuple[Overdue, ...]:
    """What should have been made more than five minutes ago and has not been, oldest first."""
    rows = await db.execute(_OVERDUE, {"before": now - OVERDUE})
    return tuple(Overdue(row.key, row.next_due, row.failures, row.problem or "") for row in rows)


async def failed(db: Db, since: int) -> tuple[Run, ...]:
    """What was given up since an instant (UTC seconds), newest first."""
    rows = await db.execute(_FAILED, {"since": since})
    return tuple(Run(row.schedule, row.due, row.at, row.state, row.note) for row in rows)


async def wakes_at(db: Db) -> int | None:
    """When (UTC seconds) something is next to be looked at; None where nothing is listed."""
    found: int | None = (await db.execute(_WAKE)).scalar_one()
    return found


async def latest(db: Db) -> int | None:
    """The newest time (UTC seconds) that was dealt with; None where nothing ever was."""
    found: int | None = (await db.execute(_LATEST)).scalar_one()
    return found


async def next_times(db: Db, keys: Collection[str]) -> dict[str, int]:
    """When (UTC seconds) these schedules speak next, those that ever will."""
    rows = await db.execute(_NEXT, {"keys": sorted(keys)})
    return {row.key: row.next_due for row in rows if row.next_due is not None}


async def prune(db: Db, before: int) -> None:
    """Forgets what became of times before an instant (UTC seconds); where a schedule stands is kept apart."""
    await db.execute(_PRUNE, {"before": before})
