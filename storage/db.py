"""The connection to the database: one engine a process, one transaction a request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from functools import cached_property
from typing import Any, cast

from sqlalchemy import Connection, Executable, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from scoring.refused import Refused

log = logging.getLogger("redfirst.db")

Db = AsyncConnection
"""What query functions take: a connection inside the caller's transaction; only edges commit."""


_LOG = "wal_autocheckpoint=16000"
"""Pages of SQLite's log after which a commit moves them into the file itself, while everybody else waits."""

_KINDS = ("sqlite", "postgresql", "postgres")
"""What an address may begin with, before a driver's name."""

_TIDY = 250
"""Transactions that write after which the log is moved into the file beside everything else, so that none has to."""


def _sqlite_pragmas(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy begins, not the driver
    cursor = connection.cursor()
    # a load touches as many pages as there are people and metrics: they are kept, and written back together
    roomy = ("cache_size=-32768", _LOG)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=10000", *roomy):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: Any) -> None:
    driver = connection.connection.dbapi_connection
    if not driver.is_brief:  # which has begun already, before SQLAlchemy came into it
        writing = connection.get_execution_options().get("writing", True)
        driver.begin_with("BEGIN IMMEDIATE" if writing else "BEGIN")


class Prepared:
    """A statement of plain numbers and texts (no lists), which in a brief transaction goes straight to SQLite.

    SQLAlchemy's own way takes longer than most of these statements do. The text and the order of the
    parameters are made once; anywhere else it is an ordinary statement. What is `small` (a row by its key) goes
    straight in every transaction that has SQLite's write lock. Raises the driver's errors.
    """

    def __init__(self, statement: Executable, *, small: bool = False) -> None:
        self.statement = statement
        self._small = small

    @cached_property
    def _compiled(self) -> tuple[str, tuple[str, ...], Mapping[str, Any]]:
        compiled: Any = self.statement.compile(dialect=sqlite.dialect(paramstyle="qmark"))  # type: ignore[attr-defined]
        return str(compiled), tuple(compiled.positiontup or ()), compiled.params

    async def rows(self, db: Db, values: Mapping[str, Any]) -> Sequence[Any]:
        """What it finds, each row to be read by place."""
        driver = self._straight(db)
        if driver is None:
            return (await db.execute(self.statement, values)).all()
        found: Sequence[Any] = (await self._asked(driver, values))[3]
        return found

    async def changed(self, db: Db, values: Mapping[str, Any]) -> int:
        """How many rows it wrote."""
        driver = self._straight(db)
        if driver is None:
            return (await db.execute(self.statement, values)).rowcount
        count: int = (await self._asked(driver, values))[1]
        return count

    def _straight(self, db: Db) -> Any:
        """The driver's connection where the statement goes straight to SQLite; else None."""
        driver: Any = db.sync_connection and db.sync_connection.connection.dbapi_connection
        brief = getattr(driver, "is_brief", False)
        return driver if brief or (self._small and getattr(driver, "is_writing", False)) else None

    async def _asked(self, driver: Any, values: Mapping[str, Any]) -> Any:
        text, names, fixed = self._compiled
        return await driver.at_once(text, [values[name] if name in values else fixed[name] for name in names])


def _url(text: str) -> URL:
    """The address of a database that this program can use. Raises Refused, without the password in it."""
    remedy = "Give postgresql://USER@HOST/NAME, or sqlite:///FILE for a file of its own."
    try:
        found = make_url(text)
    except (ArgumentError, ValueError):
        raise Refused("REDFIRST_DATABASE_URL is no address of a database.", remedy) from None
    kind = found.get_backend_name()
    if kind not in _KINDS:
        raise Refused(f"REDFIRST_DATABASE_URL begins with {kind}://, which cannot be used here.", remedy)
    return found


class Store:
    """The engine with its kinds of transaction. `close()` when done."""

    def __init__(self, url: str) -> None:
        parsed = _url(url)
        if parsed.get_backend_name() == "sqlite":
            import storage.sqlite  # not needed, and slow to import, where there is another database

            parsed = parsed.set(drivername="sqlite+aiosqlite")
            driver = storage.sqlite.driver()
            self.engine: AsyncEngine = create_async_engine(
                parsed, module=driver, pool_size=6, max_overflow=0, pool_use_lifo=True
            )
            event.listen(self.engine.sync_engine, "connect", _sqlite_pragmas)
            event.listen(self.engine.sync_engine, "begin", _sqlite_begin)
        else:
            parsed = parsed.set(drivername="postgresql+asyncpg")
            self.engine = create_async_engine(parsed, pool_size=10, max_overflow=5)
        self.url = parsed
        # SQLite has one writer at a time: within the process they stand in line, where SQLite would have each look
        # again after ever longer naps
        self._line: asyncio.Lock | nullcontext[None] = asyncio.Lock() if self.is_sqlite else nullcontext()
        self._reading = self.engine.execution_options(writing=False)
        self._idle: AsyncConnection | None = None
        self._written = 0
        self._tidying: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Db]:
        """A transaction that may write: committed at the end, rolled back on any exception."""
        async with self._line, self.engine.begin() as connection:
            yield connection
        self._wrote()

    @asynccontextmanager
    async def loading(self) -> AsyncIterator[Db]:
        """The same for much at a time: on SQLite it is left in the log, to be moved into the file by `settle`.

        An ordinary commit that finds the log long moves it at once, before whoever committed may go on.
        """
        async with self._line, self.engine.connect() as connection:
            if not self.is_sqlite:
                async with connection.begin():
                    yield connection
                return
            driver: Any = (await connection.get_raw_connection()).driver_connection
            await driver.execute("PRAGMA wal_autocheckpoint=0")
            try:
                async with connection.begin():
                    yield connection
            finally:
                await driver.execute(f"PRAGMA {_LOG}")

    async def settle(self) -> None:
        """Moves what is in SQLite's log into the file; others read and write meanwhile."""
        if self.is_sqlite:
            async with self.engine.connect() as connection:
                driver: Any = (await connection.get_raw_connection()).driver_connection
                await driver.execute_fetchall("PRAGMA wal_checkpoint(PASSIVE)")

    def _wrote(self) -> None:
        """Counts a transaction that wrote; now and then the log is moved into the file, in a thread of its own."""
        self._written += 1
        if self._written >= _TIDY and self.is_sqlite and not self._closed and self._tidying is None:
            self._written = 0
            self._tidying = asyncio.create_task(self.settle(), name="SQLite's log")
            self._tidying.add_done_callback(self._tidied)

    def _tidied(self, task: asyncio.Task[None]) -> None:
        self._tidying = None
        if not task.cancelled() and task.exception() is not None:
            log.warning("SQLite's log could not be moved into the file; the next time does it: %s", task.exception())

    @asynccontextmanager
    async def brief(self) -> AsyncIterator[Db]:
        """The same for a few short statements; on SQLite they run at once and not in another thread."""
        if not self.is_sqlite:
            async with self.engine.begin() as connection:
                yield connection
            return
        async with self._line:
            # one connection is kept for this: to check it out and in again costs as much as a question's answer
            kept, self._idle = self._idle, None
            connection = kept or await self.engine.connect()
            begun = cast(Connection, connection.sync_connection)
            driver: Any = begun.connection.dbapi_connection
            driver.begin_with("BEGIN IMMEDIATE", brief=True)  # past SQLAlchemy, which joins in where it is asked
            try:
                yield connection
                (begun if begun.in_transaction() else driver).commit()  # nothing in it waits: it needs no greenlet
            except BaseException:
                (begun if begun.in_transaction() else driver).rollback()
                await connection.close()
                raise
            if self._idle is None and not self._closed:
                self._idle = connection
            else:
                await connection.close()
        self._wrote()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Db]:
        """A transaction that only reads; it never waits for a writer."""
        async with self._reading.begin() as connection:
            yield connection

    async def close(self) -> None:
        self._closed = True
        if self._tidying is not None:
            await asyncio.wait({self._tidying})
        if self._idle is not None:
            await self._idle.close()
            self._idle = None
        await self.engine.dispose()
