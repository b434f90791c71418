"""The record of what people decided; written in the transaction of the decision or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import insert

from storage.db import Db
from storage.models import audit

_INSERT = insert(audit)


async def add(db: Db, at: int, actor: str, act: str, subject: str, body: Mapping[str, object]) -> None:
    """One entry: who (a person's key, or "redfirst"), did what, to what; `at` in UTC seconds."""
    await db.execute(
        _INSERT, {"at": at, "actor": actor, "act": act, "subject": subject, "body": json.dumps(body, sort_keys=True)}
    )
