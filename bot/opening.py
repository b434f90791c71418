"""How a command comes by the database and the rules in force."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import bot.config
import storage.rules
import storage.schema
from bot.config import Config
from scoring.rules import Rules
from storage.db import Store


@asynccontextmanager
async def opened(config: Config) -> AsyncIterator[tuple[Store, Rules]]:
    """The store, and the rules in force; a new SQLite file is made ready, any other must be migrated already."""
    store = Store(config.database_url)
    try:
        if store.is_sqlite and await storage.schema.version(store) is None:
            await storage.schema.upgrade(store)
        await storage.schema.require_current(store)
        async with store.write() as db:
            applied = await storage.rules.ensure(db, bot.config.rules(config), datetime.now(UTC))
        yield store, storage.rules.read(applied)
    finally:
        await store.close()


def now() -> int:
    """UTC seconds since 1970-01-01."""
    return int(datetime.now(UTC).timestamp())


def today() -> int:
    """The UTC day, as days since 1970-01-01."""
    return now() // 86_400
