"""Versions of the rules: stored once, never edited, and found again by every process within seconds."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

import storage.models
import storage.rules
from bot import config
from scoring.refused import Refused
from storage.db import Store

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SHIPPED = config.rules(config.Config())


def named(name: str) -> dict[str, Any]:
    return {**SHIPPED, "own": {"organisation": {"name": name}}}


async def test_a_fresh_database_starts_with_version_one(store: Store) -> None:
    async with store.write() as db:
        assert await storage.rules.current(db) is None
        assert await storage.rules.version(db) == 0
        first = await storage.rules.ensure(db, SHIPPED, NOW)
        assert (first.version, first.applied_at) == (1, int(NOW.timestamp()))
        assert storage.rules.read(first).metrics
        assert await storage.rules.ensure(db, named("Later"), NOW) == first


async def test_rules_that_are_not_right_never_become_version_one(store: Store) -> None:
    async with store.write() as db:
        with pytest.raises(Refused, match="organization"):
            await storage.rules.ensure(db, {**SHIPPED, "own": {"organization": {}}}, NOW)
        assert await storage.rules.version(db) == 0


async def test_many_processes_that_start_at_once_agree_on_version_one(store: Store) -> None:
    async def start(name: str) -> str:
        async with store.write() as db:
            return storage.rules.read(await storage.rules.ensure(db, named(name), NOW)).organisation

    found = set(await asyncio.gather(*(start(f"Desk {n}") for n in range(4))))
    assert len(found) == 1
    async with store.read() as db:
        assert len(await storage.rules.history(db)) == 1


async def test_a_new_version_follows_and_the_old_one_stays_as_it_was(store: Store) -> None:
    async with store.write() as db:
        await storage.rules.ensure(db, SHIPPED, NOW)
        assert await storage.rules.store(db, named("Nord"), "ada", NOW, after=1) == 2
    async with store.read() as db:
        history = await storage.rules.history(db)
        assert [(one.version, one.applied_by) for one in history] == [(1, storage.rules.FIRST), (2, "ada")]
        assert history[0].body == SHIPPED
        assert await storage.rules.get(db, 1) == history[0]
        assert await storage.rules.current(db) == history[1]
        assert storage.rules.read(history[1]).organisation == "Nord"
        audited = (await db.execute(select(storage.models.audit))).one()
        assert (audited.actor, audited.act, audited.subject) == ("ada", "apply rules", "rules:2")


async def test_of_two_who_apply_at_once_one_is_told_to_look_again(store: Store) -> None:
    async with store.write() as db:
        await storage.rules.ensure(db, SHIPPED, NOW)

    async def apply(name: str) -> str:
        try:
            async with store.write() as db:
                await storage.rules.store(db, named(name), name, NOW, after=1)
        except Refused as refused:
            return str(refused)
        return "stored"

    said = await asyncio.gather(apply("ada"), apply("bob"))
    assert sorted(said)[1] == "stored"
    assert "apply" in sorted(said)[0]
    async with store.read() as db:
        assert await storage.rules.version(db) == 2
        assert len((await db.execute(select(storage.models.audit))).all()) == 1


async def test_a_version_cannot_follow_one_that_is_not_there(store: Store) -> None:
    async with store.write() as db:
        await storage.rules.ensure(db, SHIPPED, NOW)
        with pytest.raises(Refused):
            await storage.rules.store(db, named("Nord"), "ada", NOW, after=0)
        assert await storage.rules.version(db) == 1


def test_the_order_of_keys_does_not_make_other_rules() -> None:
    one: dict[str, Any] = {"a": 1, "b": {"c": 1.5, "d": "ü"}}
    assert storage.rules.digest(one) == storage.rules.digest({"b": {"d": "ü", "c": 1.5}, "a": 1})
    assert storage.rules.digest(one) != storage.rules.digest({"a": 1, "b": {"c": 1.5, "d": "u"}})


async def test_a_request_pays_no_statement_for_the_rules(sqlite_store: Store) -> None:
    in_force = storage.rules.InForce(every=5.0)
    asked: list[str] = []

    def note(*args: Any) -> None:
        asked.append(str(args[2]))

    async with sqlite_store.write() as db:
        await storage.rules.ensure(db, SHIPPED, NOW)
        first = await in_force.get(db, NOW)
        event.listen(sqlite_store.engine.sync_engine, "before_cursor_execute", note)
        for tenths in range(50):
            assert await in_force.get(db, NOW + timedelta(seconds=tenths / 10)) is first
        assert asked == []
        assert await in_force.get(db, NOW + timedelta(seconds=5)) is first
        assert len(asked) == 1
        event.remove(sqlite_store.engine.sync_engine, "before_cursor_execute", note)


async def test_a_process_follows_a_new_version_within_seconds(store: Store) -> None:
    in_force = storage.rules.InForce(every=5.0)
    async with store.write() as db:
        await storage.rules.ensure(db, SHIPPED, NOW)
        assert (await in_force.get(db, NOW)).version == 1
        await storage.rules.store(db, named("Nord"), "ada", NOW, after=1)
    async with store.read() as db:
        assert (await in_force.get(db, NOW + timedelta(seconds=4))).version == 1
        followed = await in_force.get(db, NOW + timedelta(seconds=5))
    assert (followed.version, followed.organisation) == (2, "Nord")


async def test_a_clock_that_was_set_back_does_not_keep_old_rules(sqlite_store: Store) -> None:
    in_force = storage.rules.InForce(every=5.0)
    async with sqlite_store.write() as db:
        await storage.rules.ensure(db, SHIPPED, NOW)
        await in_force.get(db, NOW)
        await storage.rules.store(db, named("Nord"), "ada", NOW, after=1)
        assert (await in_force.get(db, NOW - timedelta(hours=1))).version == 2


async def test_a_replica_that_cannot_read_newer_rules_goes_on_with_its_own(sqlite_store: Store) -> None:
    in_force = storage.rules.InForce(every=0.0)
    async with sqlite_store.write() as db:
        await storage.rules.ensure(db, SHIPPED, NOW)
        assert (await in_force.get(db, NOW)).version == 1
        newer = {**SHIPPED, "own": {"holograms": {}}}
        assert await storage.rules.store(db, newer, "a newer release", NOW, after=1) == 2
        assert (await in_force.get(db, NOW)).version == 1
        assert await storage.rules.store(db, named("Nord"), "ada", NOW, after=2) == 3
        assert (await in_force.get(db, NOW)).version == 3
        with pytest.raises(Refused, match="holograms"):
            storage.rules.read((await storage.rules.history(db))[1])


async def test_a_database_without_rules_says_what_to_do(store: Store) -> None:
    async with store.read() as db:
        with pytest.raises(Refused, match="redfirst apply"):
            await storage.rules.InForce().get(db, NOW)
