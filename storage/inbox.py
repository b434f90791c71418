"""The inbox: which deliveries have been seen, so that a platform that sends twice is answered once."""

from __future__ import annotations

from sqlalchemy import bindparam, delete
from sqlalchemy.dialects import postgresql, sqlite

from storage.db import Db, Prepared
from storage.models import inbox

_INSERTS = {
    "sqlite": Prepared(sqlite.insert(inbox).on_conflict_do_nothing()),
    "postgresql": Prepared(postgresql.insert(inbox).on_conflict_do_nothing()),
}
_PRUNE = delete(inbox).where(inbox.c.at < bindparam("before"))


async def first(db: Db, key: str, now: int) -> bool:
    """True the first time `key` is seen, in the caller's transaction: rolled back, it was never seen.

    `now` is in UTC seconds. Of two simultaneous callers the second waits for the first to end.
    """
    return await _INSERTS[db.dialect.name].changed(db, {"key": key, "at": now}) == 1


async def prune(db: Db, before: int) -> int:
    """Forgets keys seen before the instant `before` (UTC seconds); returns how many.

    Platforms re-send within hours, and a Slack signature is good for five minutes: keep a few days.
    """
    result = await db.execute(_PRUNE, {"before": before})
    return int(result.rowcount)
