"""SQLite's driver for short questions: one trip to its thread a statement instead of four, and none where brief."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_dbapi
from sqlalchemy.util.concurrency import await_

Answer = tuple[Any, int, int | None, Sequence[Any]]
"""Description of the columns (None where there are none), rows changed, last row id, rows."""


PATIENCE = "PRAGMA busy_timeout = 10000"
"""Milliseconds that a transaction waits for the write lock of another."""
_IMPATIENCE = "PRAGMA busy_timeout = 0"


def _run(driver: sqlite3.Connection, first: Sequence[str], many: bool, operation: str, parameters: Any) -> Answer:
    """Executes what has to come first, then the operation, and fetches all there is."""
    for statement in first:
        driver.execute(statement)
    cursor = driver.cursor()
    try:
        if many:
            cursor.executemany(operation, parameters)
        else:
            cursor.execute(operation, parameters)
        rows = cursor.fetchall() if cursor.description else ()
        return cursor.description, cursor.rowcount, cursor.lastrowid, rows
    finally:
        cursor.close()


class _Cursor:
    """What SQLAlchemy asks of a cursor, on an answer that is here as a whole."""

    server_side = False
    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: deque[Any] = deque()
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    def execute(self, operation: str, parameters: Any = ()) -> _Cursor:
        self._take(self._connection.answer(False, operation, parameters or ()))
        return self

    def executemany(self, operation: str, parameters: Sequence[Any]) -> _Cursor:
        self._take(self._connection.answer(True, operation, parameters))
        return self

    def _take(self, answer: Answer) -> None:
        self.description, self.rowcount, self.lastrowid, rows = answer
        self._rows = deque(rows)

    def fetchone(self) -> Any:
        return self._rows.popleft() if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        return [self._rows.popleft() for _ in range(min(size or self.arraysize, len(self._rows)))]

    def fetchall(self) -> list[Any]:
        found = list(self._rows)
        self._rows.clear()
        return found

    def __iter__(self) -> Iterator[Any]:
        while self._rows:
            yield self._rows.popleft()

    def setinputsizes(self, *_sizes: Any) -> None:
        """SQLite has no use for it."""

    def close(self) -> None:
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        """The driver's cursor is closed already; the rows stay."""


def _begun(driver: sqlite3.Connection, begin: str) -> bool:
    """Begins; False where another holds the lock and the connection does not wait for it."""
    try:
        driver.execute(begin)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


class Connection(AsyncAdapt_aiosqlite_connection):
    """A connection that begins with its first statement and goes nowhere to end what did not begin.

    Statements of a brief transaction run at once, in the caller's thread: a trip to another thread and back
    costs more than they do, and while they hold SQLite's only write lock nobody else could write anyway.
    Waiting for that lock is left to the connection's thread, so that the event loop never waits.
    """

    __slots__ = ("_brief", "_due", "_patient", "_writing")

    _cursor_cls: Any = _Cursor

    def __init__(self, dbapi: Any, connection: Any) -> None:
        super().__init__(dbapi, connection)
        self._due = ""
        self._brief = self._writing = False
        self._patient = True

    def begin_with(self, statement: str, *, brief: bool = False) -> None:
        """`statement` is sent together with the first one of the transaction."""
        self._due = statement
        self._brief = brief
        self._writing = statement == "BEGIN IMMEDIATE"

    def answer(self, many: bool, operation: str, parameters: Any) -> Answer:
        """What the thread of the connection finds. Raises the driver's errors."""
        begin, self._due = self._due, ""
        try:
            found: Answer = await_(self._answer(begin, many, operation, parameters))
        except ValueError as error:  # the driver's word for a closed connection
            self._handle_exception(error)
        return found

    @property
    def is_brief(self) -> bool:
        return self._brief

    @property
    def is_writing(self) -> bool:
        """Whether the transaction has the write lock, or takes it with its first statement."""
        return self._writing

    async def at_once(self, operation: str, parameters: Any) -> Answer:
        """The same without SQLAlchemy, in the caller's thread once the transaction has begun."""
        if not self._due and not self._execute_mutex.locked():  # begun, and nobody in between
            return _run(self._connection._conn, (), False, operation, parameters)
        begin, self._due = self._due, ""
        return await self._answer(begin, False, operation, parameters)

    async def _answer(self, begin: str, many: bool, operation: str, parameters: Any) -> Answer:
        async with self._execute_mutex:  # two statements at once would mix up their transactions' begin
            driver = self._connection._conn
            if self._brief:
                if begin and self._patient:
                    driver.execute(_IMPATIENCE)
                    self._patient = False
                if not begin or _begun(driver, begin):
                    return _run(driver, (), many, operation, parameters)
            first = [begin] if begin else []
            if not self._patient:
                first.insert(0, PATIENCE)
                self._patient = True
            found: Answer = await self._connection._execute(_run, driver, first, many, operation, parameters)
            return found

    def commit(self) -> None:
        self._end(sqlite3.Connection.commit)

    def rollback(self) -> None:
        self._end(sqlite3.Connection.rollback)

    def _end(self, how: Callable[[sqlite3.Connection], None]) -> None:
        brief, self._brief, self._writing, self._due = self._brief, False, False, ""
        driver = self._connection._connection
        if driver is None or not driver.in_transaction:
            return
        try:
            if brief:
                how(driver)
            else:
                await_(self._connection._execute(how, driver))
        except ValueError as error:  # the driver's word for a closed connection
            self._handle_exception(error)


class Dbapi(AsyncAdapt_aiosqlite_dbapi):
    """The module that SQLAlchemy takes for the driver."""

    def connect(self, *arguments: Any, **settings: Any) -> Connection:
        connection = aiosqlite.connect(*arguments, **settings)
        connection._thread.daemon = True  # a process that ends does not wait for a connection nobody closed
        return Connection(self, await_(connection))


def driver() -> Dbapi:
    """For `create_async_engine(…, module=…)`."""
    return Dbapi(aiosqlite, sqlite3)
