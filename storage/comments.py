"""Comments on missed figures as they are kept: versions that are never edited, the newest of which holds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from scoring.comments import Comment
from storage.db import Db, Prepared
from storage.models import person
from storage.models_told import comment

_C = comment.c
_COLUMNS = (
    _C.subject, _C.metric, _C.period, _C.words, _C.cause, _C.by_id, person.c.name, _C.voice, _C.day, _C.version,
)  # fmt: skip
"""In the order of the fields of `scoring.comments.Comment`."""

_SELECT = select(*_COLUMNS).join(person, person.c.id == _C.by_id)
_HELD = Prepared(
    _SELECT.where(
        _C.subject == bindparam("whose"), _C.metric == bindparam("of_metric"), _C.period == bindparam("of_period")
    )
    .order_by(_C.version.desc())
    .limit(1)
)
_OF = _SELECT.where(
    _C.subject == bindparam("whose"), _C.period.in_(bindparam("periods", expanding=True))
).order_by(_C.metric, _C.period, _C.version)
_INSERTS = {
    "sqlite": sqlite.insert(comment).on_conflict_do_nothing().returning(_C.id),
    "postgresql": postgresql.insert(comment).on_conflict_do_nothing().returning(_C.id),
}


def _comment(row: Any) -> Comment:
    return Comment(*row)


async def held(db: Db, subject: str, metric: str, period: str) -> Comment | None:
    """The newest version for a metric of "team:2" or "desk" in a period, also one without words: taken back."""
    found = await _HELD.rows(db, {"whose": subject, "of_metric": metric, "of_period": period})
    return _comment(found[0]) if found else None


async def of(db: Db, subject: str, periods: Collection[str]) -> list[Comment]:
    """The comments that hold for a subject in periods (keys), one a metric and period; what was taken back is gone."""
    if not periods:
        return []
    newest: dict[tuple[str, str], Comment] = {}
    for row in await db.execute(_OF, {"whose": subject, "periods": sorted(periods)}):
        one = _comment(row)
        newest[one.metric, one.period] = one
    return [one for one in newest.values() if one.words]


async def record(db: Db, new: Comment) -> int | None:
    """From now on it holds; its id, or None where the version before it is not the newest any more."""
    before = await held(db, new.subject, new.metric, new.period)
    if (before.version if before else 0) + 1 != new.version:
        return None
    values = asdict(new)
    del values["by"]
    number: int | None = (await db.execute(_INSERTS[db.dialect.name], values)).scalar_one_or_none()
    return number
