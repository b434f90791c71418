"""The rules as they were put in force: numbered versions, never edited, and the one that holds now."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

import scoring.baselines
import scoring.lines
import scoring.periods
import scoring.rulebook
import storage.audit
import storage.baselines
from scoring.refused import Refused
from scoring.rules import Rules
from storage.db import Db
from storage.models import rules

log = logging.getLogger("redfirst.rules")

FIRST = "the first start"
"""Who applied the version that a fresh database starts with."""


@dataclass(frozen=True, slots=True)
class Applied:
    """A stored version: what was put in force, by whom, when (UTC seconds since 1970-01-01)."""

    version: int
    digest: str
    body: Mapping[str, Any]
    applied_at: int
    applied_by: str


_NEWEST = select(rules).order_by(rules.c.version.desc()).limit(1)
_ONE = select(rules).where(rules.c.version == bindparam("number"))
_VERSION = select(func.max(rules.c.version))
_ALL = select(rules).order_by(rules.c.version)


def digest(body: Mapping[str, Any]) -> str:
    """A hash of the rules that does not depend on the order of keys."""
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _applied(row: Any) -> Applied:
    return Applied(row.version, row.digest, json.loads(row.body), row.applied_at, row.applied_by)


async def version(db: Db) -> int:
    """The number of the version in force; 0 when none has been stored."""
    return int((await db.execute(_VERSION)).scalar_one() or 0)


async def current(db: Db) -> Applied | None:
    """The version in force; None in a database that has not seen a start or an `apply`."""
    row = (await db.execute(_NEWEST)).first()
    return None if row is None else _applied(row)


async def get(db: Db, number: int) -> Applied | None:
    """A version by its number: what a frozen score was made with."""
    row = (await db.execute(_ONE, {"number": number})).first()
    return None if row is None else _applied(row)


async def history(db: Db) -> tuple[Applied, ...]:
    """All versions, oldest first."""
    return tuple(_applied(row) for row in await db.execute(_ALL))


async def store(db: Db, body: Mapping[str, Any], by: str, now: datetime, *, after: int) -> int:
    """Stores `body` as the version that follows `after`, and returns its number.

    Without a part of its own about baselines it carries that of the version before on, and what it brings to a
    level for the first time is measured from today. Raises Refused when another version has been stored since
    `after` was read: nothing is overwritten.
    """
    if scoring.baselines.PART not in body:
        body = await carried(db, body, now)
    if not await _insert(db, after + 1, body, by, now) or await version(db) != after + 1:
        raise Refused(
            f"Somebody else put rules in force while you were reading; version {after} is no longer the newest.",
            "Run `redfirst apply` again to see what would change now.",
        )
    await storage.baselines.follow(db, body)
    at = int(now.timestamp())
    await storage.audit.add(db, at, by, "apply rules", f"rules:{after + 1}", {"digest": digest(body), "after": after})
    return after + 1


async def carried(db: Db, body: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The body that would follow what is stored, with what is measured and what was adopted in chat."""
    before = [one.body for one in await history(db)]
    return scoring.baselines.carry(before, body, _today(body, now))


def _today(body: Mapping[str, Any], now: datetime) -> int:
    zone = body.get("own", {}).get("organisation", {}).get("zone", "UTC")
    return scoring.periods.day_of(scoring.periods.today(now, zone))


async def lately(db: Db, now: datetime) -> list[tuple[int, Rules]]:
    """The versions of the last quarter with the one before them, oldest first, each with the local day on which it was
    applied; those that this program cannot read are left out."""
    found: list[tuple[int, Rules]] = []
    for one in reversed(await history(db)):
        try:
            rules = read(one)
        except Refused:
            continue
        zone = rules.zone
        found.append((scoring.periods.day_of(scoring.periods.today(datetime.fromtimestamp(one.applied_at, UTC), zone)),
                      rules))  # fmt: skip
        if found[-1][0] < scoring.periods.day_of(scoring.periods.today(now, zone)) - scoring.lines.QUARTER:
            break
    return found[::-1]


async def ensure(db: Db, body: Mapping[str, Any], now: datetime) -> Applied:
    """The version in force; in a fresh database `body` becomes version 1, whoever comes first.

    Raises Refused where `body` would be that version and is not right; nothing is stored then.
    """
    found = await current(db)
    if found is not None:
        return found
    scoring.rulebook.read(body, version=1)
    await _insert(db, 1, body, FIRST, now)
    return _applied((await db.execute(_NEWEST)).one())


async def _insert(db: Db, number: int, body: Mapping[str, Any], by: str, now: datetime) -> bool:
    insert = sqlite.insert if db.dialect.name == "sqlite" else postgresql.insert
    done = await db.execute(
        insert(rules)
        .values(
            version=number,
            digest=digest(body),
            body=json.dumps(body, ensure_ascii=False),
            applied_at=int(now.timestamp()),
            applied_by=by,
        )
        .on_conflict_do_nothing()
    )
    return done.rowcount == 1


def read(applied: Applied) -> Rules:
    """The rules of a stored version. Raises Refused when this program cannot read them."""
    return scoring.rulebook.read(applied.body, version=applied.version, digest=applied.digest)


async def newest(db: Db, held: Rules) -> Rules:
    """The rules held, or those that were put in force since. Raises Refused when this program cannot read them."""
    found = await current(db) if await version(db) > held.version else None
    return held if found is None else read(found)


class InForce:
    """The rules in force, kept by the process and read again when a newer version has been stored.

    Asks the database for the newest number at most once in `every` seconds, so that a request pays no
    statement for it; for so long after an `apply`, replicas may still answer by the version before.
    """

    def __init__(self, every: float = 5.0) -> None:
        self._every = every
        self._asked: datetime | None = None
        self._rules: Rules | None = None
        self._unread = 0

    async def get(self, db: Db, now: datetime) -> Rules:
        """The rules that hold at `now`. Raises Refused in a database without any."""
        held = self._rules
        if held is not None and self._asked is not None and 0 <= (now - self._asked).total_seconds() < self._every:
            return held
        self._asked = now  # set before waiting, so that simultaneous requests do not all ask
        newest = await version(db)
        if held is not None and newest in (held.version, self._unread):
            return held
        found = await current(db)
        if found is None:
            raise Refused("No rules are in force yet.", "Run `redfirst apply`.")
        try:
            self._rules = read(found)
        except Refused as refused:
            if held is None:
                raise
            # a newer release may have applied rules that this replica cannot read yet
            log.warning("rules of version %d cannot be read here: %s", found.version, refused)
            self._unread = found.version
            return held
        return self._rules
