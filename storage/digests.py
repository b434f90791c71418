"""The digests that were said lately, by their keys in the outbox, so that they can be renewed in place."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from storage.db import Db
from storage.models import outbox
from storage.outbox import UNTOLD

_LAST = "\U0010ffff"
_SAID = (
    select(outbox.c.key)
    .where(
        outbox.c.key > bindparam("low"),
        outbox.c.key < bindparam("high"),
        outbox.c.due_at >= bindparam("since"),
        outbox.c.state.not_in(UNTOLD),  # a list of the others would have SQLite look through all that was ever sent
    )
    .order_by(outbox.c.due_at.desc(), outbox.c.id.desc())
)


async def said(db: Db, prefix: str, since: int) -> list[str]:
    """Keys that begin with `prefix` of messages due since an instant (UTC seconds), newest first."""
    return list((await db.execute(_SAID, {"low": prefix, "high": prefix + _LAST, "since": since})).scalars())
