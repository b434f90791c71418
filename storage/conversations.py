"""The Teams conversations the bot may write into: what an install told us, kept for messages that come later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, String, bindparam, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from storage.db import Db
from storage.models import conversation


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation. `account` is empty except in a 1:1 chat, where it is whom we talk to."""

    key: str  # "<tenant>/<conversation>"
    kind: str  # personal, group, channel
    service_url: str
    bot: str
    account: str = ""  # "teams:<tenant>/<object id>"

    @property
    def tenant(self) -> str:
        return self.key.partition("/")[0]

    @property
    def id(self) -> str:
        """The conversation's id on the platform."""
        return self.key.partition("/")[2]


def _renewing(insert: Any) -> Any:
    told = [column.name for column in conversation.columns if column.name != "key"]
    return insert.on_conflict_do_update(index_elements=["key"], set_={name: insert.excluded[name] for name in told})


_SAVES = {
    "sqlite": _renewing(sqlite.insert(conversation)),
    "postgresql": _renewing(postgresql.insert(conversation)),
}
_BY_KEY = select(conversation).where(conversation.c.key == bindparam("key"))
_PERSONAL = (
    select(conversation)
    .where(conversation.c.account == bindparam("account"), conversation.c.kind == "personal")
    .order_by(conversation.c.updated_at.desc(), conversation.c.key)
    .limit(1)
)
_PREFIX = bindparam("prefix", type_=String)
_OF_TENANT = (
    select(conversation)
    .where(func.substr(conversation.c.key, 1, func.length(_PREFIX)) == _PREFIX)
    .order_by(conversation.c.updated_at.desc(), conversation.c.key)
    .limit(1)
)
_DELETE = delete(conversation).where(conversation.c.key == bindparam("gone"))


def _of(row: Row[Any] | None) -> Conversation | None:
    if row is None:
        return None
    return Conversation(row.key, row.kind, row.service_url, row.bot, row.account or "")


async def save(db: Db, known: Conversation, now: int) -> None:
    """Adds the conversation or renews what is known of it; `now` in UTC seconds."""
    row = {
        "key": known.key,
        "account": known.account or None,
        "kind": known.kind,
        "service_url": known.service_url,
        "bot": known.bot,
        "updated_at": now,
    }
    await db.execute(_SAVES[db.dialect.name], row)


async def get(db: Db, key: str) -> Conversation | None:
    return _of((await db.execute(_BY_KEY, {"key": key})).first())


async def personal(db: Db, account: str) -> Conversation | None:
    """The 1:1 chat with `account` that was used last; none where the app was never opened or installed."""
    return _of((await db.execute(_PERSONAL, {"account": account})).first())


async def of_tenant(db: Db, tenant: str) -> Conversation | None:
    """Any conversation of the tenant, the newest first: it knows where that tenant's messages are posted."""
    return _of((await db.execute(_OF_TENANT, {"prefix": f"{tenant}/"})).first())


async def remove(db: Db, key: str) -> None:
    """Forgets the conversation; nothing happens where it is not known."""
    await db.execute(_DELETE, {"gone": key})
