"""SQLite's driver: brief transactions run at once, wait without holding anybody up, and end as they should."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from sqlalchemy import bindparam, select, text
from sqlalchemy.exc import IntegrityError

import storage.inbox
import storage.outbox
from storage.db import Db, Prepared, Store
from storage.models import inbox

_KEYS = Prepared(select(inbox.c.key).where(inbox.c.at >= bindparam("since")).order_by(inbox.c.key))


async def _failing(store: Store) -> None:
    async with store.brief() as db:
        assert await storage.inbox.first(db, "lost", 1)
        raise ZeroDivisionError


async def _breaking(store: Store) -> None:
    async with store.brief() as db:
        assert await storage.inbox.first(db, "lost", 1)
        await db.execute(text("INSERT INTO inbox (key, at) VALUES ('x', NULL)"))


async def _keys(db: Db) -> list[str]:
    return [row[0] for row in await _KEYS.rows(db, {"since": 0})]


async def test_a_prepared_statement_says_the_same_in_every_kind_of_transaction(store: Store) -> None:
    async with store.write() as db:
        assert await storage.inbox.first(db, "a", 1)
        assert not await storage.inbox.first(db, "a", 1)
    async with store.brief() as db:
        assert not await storage.inbox.first(db, "a", 1)
        assert await storage.inbox.first(db, "b", 2)
        assert await _keys(db) == ["a", "b"]
    async with store.read() as db:
        assert await _keys(db) == ["a", "b"]
        assert await _KEYS.rows(db, {"since": 2}) == [("b",)]


async def test_what_is_refused_in_a_brief_transaction_has_not_happened(store: Store) -> None:
    for _ in range(8):  # more often than there are connections
        with pytest.raises(ZeroDivisionError):
            await _failing(store)
    async with store.read() as db:
        assert await _keys(db) == []


async def test_a_statement_that_fails_leaves_the_next_transaction_whole(sqlite_store: Store) -> None:
    with pytest.raises(IntegrityError):
        await _breaking(sqlite_store)
    async with sqlite_store.brief() as db:
        assert await storage.inbox.first(db, "kept", 1)
        assert await _keys(db) == ["kept"]


async def test_a_brief_transaction_waits_for_a_writer_and_the_loop_does_not(sqlite_store: Store) -> None:
    done: list[str] = []

    async def ask() -> None:
        async with sqlite_store.brief() as db:
            await storage.inbox.first(db, "question", 2)
            done.append("question")

    async with sqlite_store.write() as db:
        await storage.inbox.first(db, "writer", 1)
        asking = asyncio.create_task(ask())
        for _ in range(5):  # the loop goes on, and the question does not get in between
            await asyncio.sleep(0.02)
        assert done == []
        done.append("writer")
    await asking
    await ask()
    assert done == ["writer", "question", "question"]


async def test_simultaneous_brief_transactions_all_get_through(store: Store) -> None:
    async def one(number: int) -> bool:
        async with store.brief() as db:
            await asyncio.sleep(0)
            first = await storage.inbox.first(db, f"k{number % 10}", 1)
            await asyncio.sleep(0)
            return first

    found = await asyncio.gather(*(one(number) for number in range(40)))
    assert sum(found) == 10


async def test_only_brief_transactions_run_in_the_callers_thread(sqlite_store: Store) -> None:
    threads: list[int] = []
    async with sqlite_store.write() as db:
        raw = (await db.get_raw_connection()).driver_connection
        assert raw is not None
        await raw.create_function("noted", 0, lambda: threads.append(threading.get_ident()))
        await db.execute(text("SELECT noted()"))
    async with sqlite_store.brief() as db:
        raw = (await db.get_raw_connection()).driver_connection
        assert raw is not None
        await raw.create_function("noted", 0, lambda: threads.append(threading.get_ident()))
        await db.execute(text("SELECT noted()"))
    assert threads[0] != threading.get_ident()
    assert threads[1] == threading.get_ident()


async def test_a_closed_store_keeps_no_connection(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'x.db'}")
    async with store.brief() as db:
        await db.execute(text("CREATE TABLE t (a INTEGER)"))
    await store.close()
    assert not (tmp_path / "x.db-wal").exists()  # the last connection to close takes the log along


async def test_both_ways_of_asking_share_a_brief_transaction(store: Store) -> None:
    """A prepared statement goes past SQLAlchemy, any other through it: they are kept, or undone, together."""
    add = text("INSERT INTO inbox (key, at) VALUES (:key, 1)")

    async def both(first: str, second: str) -> None:
        async with store.brief() as db:
            await db.execute(add, {"key": first})
            assert await storage.inbox.first(db, second, 1)
            assert await _keys(db) == sorted([*kept, first, second])
            if second == "d":
                raise ZeroDivisionError

    kept: list[str] = []
    await both("a", "b")
    kept += ["a", "b"]
    with pytest.raises(ZeroDivisionError):
        await both("c", "d")
    async with store.brief() as db:
        assert await storage.inbox.first(db, "e", 1)
        await db.execute(add, {"key": "f"})
    async with store.read() as db:
        assert await _keys(db) == ["a", "b", "e", "f"]


async def test_writers_of_one_process_stand_in_line(sqlite_store: Store) -> None:
    """Whoever comes first is served first, a question after a load and a load after a question."""
    order: list[str] = []

    async def brief(name: str) -> None:
        async with sqlite_store.brief() as db:
            order.append(name)
            await storage.inbox.first(db, name, 1)
            await asyncio.sleep(0.01)

    async def write(name: str) -> None:
        async with sqlite_store.write() as db:
            order.append(name)
            await storage.inbox.first(db, name, 1)
            await asyncio.sleep(0.01)

    tasks = []
    for number in range(6):
        tasks.append(asyncio.create_task((brief if number % 2 else write)(f"{number}")))
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert order == ["0", "1", "2", "3", "4", "5"]
    async with sqlite_store.read() as db:
        assert await _keys(db) == order


async def test_what_a_load_wrote_stays_in_the_log_until_it_is_settled(sqlite_store: Store) -> None:
    async def setting(db: Db) -> int:
        return int((await db.exec_driver_sql("PRAGMA wal_autocheckpoint")).scalar_one())

    async def waiting() -> int:
        async with sqlite_store.engine.connect() as db:
            driver = (await db.get_raw_connection()).driver_connection
            assert driver is not None
            [(_, log, moved)] = await driver.execute_fetchall("PRAGMA wal_checkpoint(PASSIVE)")
        return int(log) - int(moved)

    async with sqlite_store.write() as db:
        usual = await setting(db)
    async with sqlite_store.loading() as db:
        assert await setting(db) == 0 < usual
        await db.exec_driver_sql("CREATE TABLE much (x BLOB)")
        await db.exec_driver_sql("INSERT INTO much SELECT randomblob(4000000) FROM json_each('[1,2,3,4,5,6,7,8,9,10]')")
    size = _size(sqlite_store)
    await sqlite_store.settle()
    assert _size(sqlite_store) > size + 30_000_000
    assert await waiting() == 0
    async with sqlite_store.write() as db:
        assert await setting(db) == usual


async def test_a_load_that_breaks_off_leaves_nothing_and_its_connection_as_it_was(sqlite_store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        await _broken_off(sqlite_store)
    async with sqlite_store.write() as db:
        assert (await db.exec_driver_sql("PRAGMA wal_autocheckpoint")).scalar_one() > 0
        assert (await db.exec_driver_sql("SELECT COUNT(*) FROM inbox")).scalar_one() == 0


async def _broken_off(store: Store) -> None:
    async with store.loading() as db:
        await storage.inbox.first(db, "lost", 1)
        raise ZeroDivisionError


def _size(store: Store) -> int:
    return Path(str(store.url.database)).stat().st_size


async def test_the_log_is_moved_into_the_file_beside_what_is_written_and_not_by_it(sqlite_store: Store) -> None:
    async with sqlite_store.write() as db:
        await db.exec_driver_sql("CREATE TABLE much (x BLOB)")
        await db.exec_driver_sql("INSERT INTO much VALUES (randomblob(4000000))")
    size = _size(sqlite_store)
    assert size < 4_000_000
    for number in range(300):
        async with sqlite_store.brief() as db:
            await storage.inbox.first(db, f"question {number}", 1)
    for _ in range(500):
        if _size(sqlite_store) > size + 3_900_000:
            break
        await asyncio.sleep(0.01)
    assert _size(sqlite_store) > size + 3_900_000


async def test_a_small_statement_shares_the_fate_of_its_transaction(sqlite_store: Store) -> None:
    async def say(db: Db, key: str) -> bool:
        return await storage.outbox.add(db, "slack", "C1", {}, key, 1)

    async def _falls() -> None:
        async with sqlite_store.write() as db:
            assert await say(db, "first")
            assert not await say(db, "first")
            assert await storage.inbox.first(db, "seen", 1)
            assert await say(db, "second")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await _falls()
    async with sqlite_store.write() as db:
        assert await say(db, "second")
    async with sqlite_store.read() as db:
        assert [row.key for row in await storage.outbox.listed(db)] == ["second"]
        assert (await db.exec_driver_sql("SELECT COUNT(*) FROM inbox")).scalar_one() == 0
