"""Digests are found again by how their keys begin, whatever is happening to them, and without a look at the rest."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

import storage.digests
import storage.outbox
import storage.plans
from storage.db import Store
from storage.models import outbox

BEGINS = "digest|lead|team:1|"
AT = 1_800_000_000


async def say(store: Store, key: str, state: str = "sent", at: int = AT) -> None:
    async with store.write() as db:
        await storage.outbox.add(db, "slack", "U1", {}, key, at)
        await db.execute(update(outbox).where(outbox.c.key == key).values(state=state))


async def found(store: Store) -> list[str]:
    async with store.read() as db:
        return [one.key for one in await storage.digests.said(db, BEGINS, AT)]


async def test_only_keys_that_begin_alike_are_found_newest_first(store: Store) -> None:
    for key, at in (("2026-W31|7", AT), ("2026-W32|7", AT + 9), ("\u00e9", AT + 5), ("2026-W30|7", AT - 1)):
        await say(store, BEGINS + key, at=at)
    for key in ("digest|lead|team:10|2026-W31|7", "digest|lead|team:1", "digest-lead-team:1-W31", BEGINS.upper()):
        await say(store, key)
    assert await found(store) == [f"{BEGINS}2026-W32|7", f"{BEGINS}\u00e9", f"{BEGINS}2026-W31|7"]


@pytest.mark.parametrize("state", storage.outbox.STATES)
async def test_a_digest_that_is_being_posted_is_found_and_one_that_will_not_be_is_not(
    sqlite_store: Store, state: str
) -> None:
    await say(sqlite_store, f"{BEGINS}2026-W31|7", state)
    assert bool(await found(sqlite_store)) is (state in ("due", "claimed", "posting", "sent"))


async def test_what_a_digest_has_said_in_its_place_counts_as_said(store: Store) -> None:
    await say(store, f"{BEGINS}2026-W31|7", "cancelled")
    assert await found(store) == []
    async with store.write() as db:
        await db.execute(update(outbox).values(problem="Said in the digest digest|manager|desk|2026-W31|7|8."))
    assert await found(store) == [f"{BEGINS}2026-W31|7"]


@pytest.mark.parametrize("name", ["_WAITING", "_TAKEN_IN", "_LOST"])
async def test_what_waits_is_found_without_a_look_at_what_was_ever_sent(sqlite_store: Store, name: str) -> None:
    looked = select(outbox.c.body).where(getattr(storage.digests, name).whereclause)
    async with sqlite_store.read() as db:
        values = {"whose": 7, "now": AT, "since": AT, "at": AT, "why": ""}
        asked = looked.params(values).compile(db.sync_engine, compile_kwargs={"literal_binds": True})
        plan = [row[-1] for row in (await db.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}")).all()]
    read = [line for line in plan if line.startswith(("SEARCH", "SCAN"))]
    assert read
    assert all("ix_outbox_turn (state=? AND unasked=? AND due_at>?)" in line for line in read), plan


async def test_reminders_are_called_off_without_a_look_at_what_was_ever_sent(sqlite_store: Store) -> None:
    looked = select(outbox.c.id).where(storage.plans._CALL_OFF.statement.whereclause)  # type: ignore[attr-defined]
    keys = {f"{name}{end}": "plan:7:" for name in ("reminders", "questions") for end in ("", "_end")}
    async with sqlite_store.read() as db:
        asked = looked.params(keys).compile(db.sync_engine, compile_kwargs={"literal_binds": True})
        plan = [row[-1] for row in (await db.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}")).all()]
    read = [line for line in plan if line.startswith(("SEARCH", "SCAN"))]
    assert len(read) == 2, plan
    assert all("(state=?" in line or "(key>? AND key<?)" in line for line in read), plan


async def test_keys_lie_in_the_order_of_their_characters_whatever_the_database_s_own(postgres_store: Store) -> None:
    async with postgres_store.read() as db:
        kept = (
            "SELECT collation_name FROM information_schema.columns WHERE table_name = 'outbox' AND column_name = 'key'"
        )
        assert (await db.exec_driver_sql(kept)).scalar_one() == "C"


async def test_what_else_was_ever_sent_is_not_looked_through(sqlite_store: Store) -> None:
    values = {"low": BEGINS, "high": f"{BEGINS}~", "since": AT}
    async with sqlite_store.read() as db:
        asked = storage.digests._SAID.params(values).compile(db.sync_engine, compile_kwargs={"literal_binds": True})
        plan = (await db.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}")).all()
    assert "(key>? AND key<?)" in plan[0][-1]
