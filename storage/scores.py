"""Scores of closed periods, kept as they were with the version of their rules; never edited, only followed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

import scoring.scorecards
from scoring.scorecards import Score
from storage.db import Db, Prepared
from storage.models import audit, frozen_score, load

HUNG = 6 * 3600
"""Seconds after which a load that never ended is taken for a killed one."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """A score as it was closed: `version` counts up, `reason` says why there is more than one."""

    version: int
    rules_version: int
    reason: str
    score: Score


_LATEST = Prepared(
    select(frozen_score.c.version, frozen_score.c.rules_version, frozen_score.c.reason, frozen_score.c.body)
    .where(frozen_score.c.subject == bindparam("subject"), frozen_score.c.period == bindparam("period"))
    .order_by(frozen_score.c.version.desc())
    .limit(1)
)
_PERIODS = select(frozen_score.c.period).where(frozen_score.c.subject == bindparam("subject")).distinct()
_CLOSED = (
    select(frozen_score.c.subject, frozen_score.c.period)
    .where(
        frozen_score.c.subject.in_(bindparam("subjects", expanding=True)),
        frozen_score.c.period.in_(bindparam("keys", expanding=True)),
    )
    .distinct()
)
_HIGHEST = select(func.max(frozen_score.c.version)).where(
    frozen_score.c.subject == bindparam("subject"), frozen_score.c.period == bindparam("period")
)
_INSERTS = {
    "sqlite": sqlite.insert(frozen_score).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(frozen_score).on_conflict_do_nothing(),
}
_LOADING = select(load.c.id).where(load.c.state == "running", load.c.started_at > bindparam("since")).limit(1)
_KNOWN = select(
    select(func.coalesce(func.max(load.c.id), 0)).scalar_subquery(),
    select(func.coalesce(func.max(audit.c.id), 0)).scalar_subquery(),
)


async def frozen(db: Db, subject: str, period: str) -> Frozen | None:
    """The latest version of a closed score; `subject` is "person:7" or "team:2", `period` a period's key."""
    found = await _LATEST.rows(db, {"subject": subject, "period": period})
    if not found:
        return None
    version, rules_version, reason, body = found[0]
    return Frozen(version, rules_version, reason, scoring.scorecards.from_json(json.loads(body)))


async def periods(db: Db, subject: str) -> frozenset[str]:
    """The keys of the periods that have been closed for a subject."""
    return frozenset((await db.execute(_PERIODS, {"subject": subject})).scalars())


async def closed(db: Db, subjects: Iterable[str], keys: Iterable[str]) -> dict[str, set[str]]:
    """Which of the periods with these keys have been closed, by subject; one statement for all of these subjects."""
    found: dict[str, set[str]] = defaultdict(set)
    for subject, period in await db.execute(_CLOSED, {"subjects": list(subjects), "keys": list(keys)}):
        found[subject].add(period)
    return found


async def freeze(db: Db, subject: str, period: str, score: Score, *, rules_version: int, reason: str, at: int) -> None:
    """Closes a period: its first version. Of replicas that do so at the same moment one does."""
    await _insert(db, subject, period, 1, score, rules_version, reason, at)


async def follow(db: Db, subject: str, period: str, score: Score, *, rules_version: int, reason: str, at: int) -> int:
    """Keeps a score that follows a closed one as a new version and returns its number."""
    highest: int = (await db.execute(_HIGHEST, {"subject": subject, "period": period})).scalar_one()
    await _insert(db, subject, period, highest + 1, score, rules_version, reason, at)
    return highest + 1


async def _insert(
    db: Db, subject: str, period: str, version: int, score: Score, rules_version: int, reason: str, at: int
) -> None:
    values = {
        "subject": subject,
        "period": period,
        "version": version,
        "rules_version": rules_version,
        "body": json.dumps(scoring.scorecards.to_json(score), separators=(",", ":")),
        "reason": reason,
        "made_at": at,
    }
    await db.execute(_INSERTS[db.dialect.name], values)


async def loading(db: Db, now: int) -> bool:
    """Whether facts are being loaded at the instant `now` (UTC seconds), so that no period is known whole."""
    return (await db.execute(_LOADING, {"since": now - HUNG})).first() is not None


async def known(db: Db) -> tuple[int, int]:
    """(The newest load, the newest decision): as long as they stay the same, so do the figures of what is over."""
    row = (await db.execute(_KNOWN)).one()
    return row[0], row[1]
