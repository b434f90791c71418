"""Whose work is whose: accounts seen in the facts, and those that belong to nobody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Select, func, insert, literal, select, union_all, update
from sqlalchemy.sql.elements import ColumnElement

import scoring.maps
from scoring.refused import Refused
from storage.db import Db
from storage.models import FACTS, account, membership, person, ticket


@dataclass(frozen=True, slots=True)
class Seen:
    """An account with the number of places in the facts that name it."""

    key: str
    rows: int


@dataclass(frozen=True, slots=True)
class Report:
    """What is to be settled. `nobodys` most work first; `disputed` accounts are shared or claimed twice."""

    nobodys: tuple[Seen, ...]
    disputed: tuple[Seen, ...]
    idle: tuple[tuple[str, str], ...]  # key and name of technicians without any work
    settled: int
    ignored: int


def _uses() -> tuple[tuple[str, ColumnElement[str]], ...]:
    return tuple(
        (table.name, table.c[column])
        for table in FACTS.values()
        for column in sorted(scoring.maps.ACCOUNTS)
        if column in table.c
    )


def _counts() -> Select[tuple[str, int]]:
    parts = [select(column.label("key")).where(column.is_not(None)) for _, column in _uses()]
    every = union_all(*parts).subquery("every")
    return select(every.c.key, func.count().label("n")).group_by(every.c.key)


_COUNTS = _counts()
_ACCOUNTS = select(account.c.key, account.c.person_id, account.c.state)


async def report(db: Db, today: int) -> Report:
    """Reads every fact once; for an administrator, not for a request."""
    rows = {row.key: row.n for row in await db.execute(_COUNTS)}
    known = {row.key: row for row in await db.execute(_ACCOUNTS)}
    nobodys = [Seen(key, n) for key, n in rows.items() if key not in known]
    disputed = [Seen(key, rows.get(key, 0)) for key, row in known.items() if row.state == "disputed"]
    working = {row.person_id for key, row in known.items() if row.state == "linked" and key in rows}
    active = (
        select(person.c.id, person.c.key, person.c.name)
        .join(membership, membership.c.person_id == person.c.id)
        .where(
            membership.c.from_day <= today,
            membership.c.to_day.is_(None) | (membership.c.to_day > today),
            membership.c.role == "technician",
        )
        .order_by(person.c.name)
    )
    idle = [(row.key, row.name) for row in await db.execute(active) if row.id not in working]
    return Report(
        nobodys=tuple(sorted(nobodys, key=lambda s: (-s.rows, s.key))),
        disputed=tuple(sorted(disputed, key=lambda s: (-s.rows, s.key))),
        idle=tuple(idle),
        settled=sum(1 for row in known.values() if row.state == "linked"),
        ignored=sum(1 for row in known.values() if row.state == "ignored"),
    )


async def nobodys(db: Db, keys: Iterable[str]) -> tuple[str, ...]:
    """Of these accounts those that have not been settled, in order."""
    known = {row.key for row in await db.execute(_ACCOUNTS)}
    return tuple(sorted(set(keys) - known))


async def settle(db: Db, key: str, person_id: int | None, state: str) -> bool:
    """Sets whose an account is: "linked" to a person, "ignored" or "disputed" for nobody. Tells whether it changed."""
    before = (await db.execute(_ACCOUNTS.where(account.c.key == key))).first()
    if before is not None and (before.person_id, before.state) == (person_id, state):
        return False
    if before is None:
        await db.execute(insert(account).values(key=key, person_id=person_id, state=state))
    else:
        await db.execute(update(account).where(account.c.key == key).values(person_id=person_id, state=state))
    return True


async def require_seen(db: Db, key: str) -> None:
    """Raises Refused for an account that no fact names and nobody holds, naming the nearest one."""
    known = {row.key for row in await db.execute(_COUNTS)} | {row.key for row in await db.execute(_ACCOUNTS)}
    if key not in known:
        raise Refused(f"Nothing is known of the account {key!r}.", scoring.maps.nearest(key, known) if known else "")


@dataclass(frozen=True, slots=True)
class Worker:
    """An account that did tickets: its most frequent queue and the first day of any work."""

    key: str
    queue: str
    first_at: int


async def workers(db: Db) -> tuple[Worker, ...]:
    """Accounts that resolved, owned or first worked tickets, ordered by account; queue is where most of it was."""
    parts = [
        select(
            column.label("key"), ticket.c.queue.label("queue"), ticket.c.opened_at.label("at"), literal(1).label("n")
        ).where(column.is_not(None))
        for column in (ticket.c.resolver, ticket.c.first_worker, ticket.c.owner)
    ]
    every = union_all(*parts).subquery("every")
    query = select(
        every.c.key, every.c.queue, func.sum(every.c.n).label("n"), func.min(every.c.at).label("at")
    ).group_by(every.c.key, every.c.queue)
    best: dict[str, tuple[int, str]] = {}
    first: dict[str, int] = {}
    for row in await db.execute(query):
        candidate = (int(row.n), row.queue or "")
        if row.key not in best or (candidate[0], candidate[1] != "") > (best[row.key][0], best[row.key][1] != ""):
            best[row.key] = candidate
        if row.at is not None:
            first[row.key] = min(row.at, first.get(row.key, row.at))
    return tuple(Worker(key, best[key][1], first.get(key, 0)) for key in sorted(best))
