"""The connection to the database: one engine a process, one transaction a request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

Db = AsyncConnection
"""What query functions take: a connection inside the caller's transaction; only edges commit."""


def _sqlite_pragmas(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy begins, not the driver
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: Any) -> None:
    writing = connection.get_execution_options().get("writing", True)
    connection.connection.dbapi_connection.begin_with("BEGIN IMMEDIATE" if writing else "BEGIN")


class Store:
    """The engine with its two kinds of transaction. `close()` when done."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            import storage.sqlite  # not needed, and slow to import, where there is another database

            parsed = parsed.set(drivername="sqlite+aiosqlite")
            driver = storage.sqlite.driver()
            self.engine: AsyncEngine = create_async_engine(parsed, module=driver, pool_size=5, max_overflow=0, pool_use_lifo=True)
            event.listen(self.engine.sync_engine, "connect", _sqlite_pragmas)
            event.listen(self.engine.sync_engine, "begin", _sqlite_begin)
        else:
            parsed = parsed.set(drivername="postgresql+asyncpg")
            self.engine = create_async_engine(parsed, pool_size=10, max_overflow=5)
        self.url = parsed
        self._reading = self.engine.execution_options(writing=False)

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Db]:
        """A transaction that may write: committed at the end, rolled back on any exception."""
        async with self.engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Db]:
        """A transaction that only reads; it never waits for a writer."""
        async with self._reading.begin() as connection:
            yield connection

    async def close(self) -> None:
        await self.engine.dispose()
