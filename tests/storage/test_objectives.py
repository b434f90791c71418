"""Objectives as rows: versions that are never edited, one winner of many, and what is kept is what is read back."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from sqlalchemy import text

import storage.objectives
import storage.priorities
import storage.redflags
from scoring.objectives import Objective
from scoring.people import Person
from scoring.redflags import RedFlag
from storage.db import Db, Store

WHOLE = Objective(
    "rated", "Clients rate our help as good", "team", "team:2", "every ticket", "customer", 1, "Ada", ("csat",),
    "calls", 85.5, 70.25, "weekly", 20_500, "You ask.", "an hour", "all", "the list", "retention", 2.5,
    "Because we must.",
)  # fmt: skip


async def _ada(store: Store) -> Person:
    async with store.write() as db:
        sql = "INSERT INTO person (id, key, name, zone, made_up) VALUES (1, 'ada', 'Ada', 'UTC', false)"
        await db.execute(text(sql))
    return Person(1, "ada", "Ada", "lead", None)


async def _kept(store: Store, one: Objective = WHOLE) -> Objective:
    async with store.write() as db:
        kept = await storage.objectives.add(db, one, "ada", 100)
    assert kept is not None
    return kept


async def test_what_is_read_back_is_what_was_kept(store: Store) -> None:
    await _ada(store)
    kept = await _kept(store)
    assert kept == replace(WHOLE, id=kept.id, version=1)
    bare = await _kept(store, Objective("bare", "A bare one", "leadership", "desk"))
    async with store.read() as db:
        assert await storage.objectives.standing(db) == [kept, bare]
        assert await storage.objectives.get(db, "rated") == kept
        assert await storage.objectives.get(db, "nothing") is None
        assert await storage.objectives.keys(db) == {"rated", "bare"}


async def _versions(db: Db) -> list[tuple[object, ...]]:
    """Every version of all objectives: number, title, state, by whom and when."""
    rows = text("SELECT version, title, state, \"by\", at FROM objective_version ORDER BY objective_id, version")
    return [tuple(row) for row in await db.execute(rows)]


async def test_a_change_adds_a_version_and_leaves_the_one_before(store: Store) -> None:
    await _ada(store)
    first = await _kept(store)
    async with store.write() as db:
        second = await storage.objectives.change(db, replace(first, title="Better still than that"), "ben", 200)
        assert second is not None
        closed = await storage.objectives.close(db, second, "Reached.", "ada", 300)
    assert closed is not None
    async with store.read() as db:
        assert await _versions(db) == [
            (1, first.title, "open", "ada", 100),
            (2, second.title, "open", "ben", 200),
            (3, second.title, "closed", "ada", 300),
        ]
        assert await storage.objectives.standing(db) == []
        assert await storage.objectives.get(db, "rated") == closed
        acts = (await db.execute(text("SELECT act FROM audit ORDER BY id"))).scalars().all()
    assert acts == ["objective added", "objective changed", "objective closed"]


async def test_of_many_who_change_the_same_version_one_wins(store: Store) -> None:
    await _ada(store)
    first = await _kept(store)

    async def change(number: int) -> bool:
        async with store.write() as db:
            made = replace(first, title=f"As number {number} says")
            return await storage.objectives.change(db, made, f"p{number}", 200) is not None

    won = await asyncio.gather(*(change(n) for n in range(8)))
    assert sum(won) == 1
    async with store.read() as db:
        kept = await _versions(db)
    assert [(number, title) for number, title, *_ in kept] == [
        (1, first.title), (2, f"As number {won.index(True)} says"),
    ]  # fmt: skip


async def test_a_key_is_given_once_however_many_ask_for_it(store: Store) -> None:
    await _ada(store)

    async def add() -> bool:
        async with store.write() as db:
            return await storage.objectives.add(db, WHOLE, "ada", 100) is not None

    assert sum(await asyncio.gather(*(add() for _ in range(6)))) == 1
    async with store.read() as db:
        assert len(await storage.objectives.standing(db)) == 1


async def test_those_of_the_configuration_come_first_and_give_way_to_one_that_was_kept(store: Store) -> None:
    await _ada(store)
    kept = await _kept(store)
    shipped = Objective("retention", "Clients stay", "leadership", "desk", source="redfirst.toml")
    async with store.read() as db:
        found = await storage.objectives.standing(db, (shipped, replace(shipped, key="rated")))
    assert found == [shipped, kept]


async def test_the_newest_priorities_of_a_month_hold_and_the_others_are_kept(store: Store) -> None:
    ada = await _ada(store)
    async with store.write() as db:
        assert await storage.priorities.of(db, "2026-08") is None
        assert await storage.priorities.record(db, "2026-08", "Phones", "Projects wait", ada, 100, after=0)
        assert not await storage.priorities.record(db, "2026-08", "Made from nothing", "", ada, 150, after=0)
        assert await storage.priorities.record(db, "2026-08", "Phones, then Orchard", "", ada, 200, after=1)
        assert await storage.priorities.record(db, "2026-09", "Training", "", ada, 300, after=0)
        found = await storage.priorities.of(db, "2026-08")
        assert found is not None
        assert (found.words, found.trade_offs, found.by, found.at) == ("Phones, then Orchard", "", "Ada", 200)
        every = text("SELECT words FROM priority WHERE month = '2026-08' ORDER BY version")
        assert list((await db.execute(every)).scalars()) == ["Phones", "Phones, then Orchard"]


async def test_of_many_who_take_the_same_client_one_has_it(store: Store) -> None:
    await _ada(store)
    async with store.write() as db:
        assert await storage.redflags.flag(db, "Orchard", "One complaint.", 20_500, "redfirst", 100)
        [flag] = await storage.redflags.open(db)
    assert flag == RedFlag(flag.id, "Orchard", "One complaint.", 20_500)

    async def take(number: int) -> bool:
        async with store.write() as db:
            taken = replace(flag, owner_id=1, next_contact=20_500 + number)
            return await storage.redflags.change(db, taken, "ada", "red flag taken", 200)

    assert sum(await asyncio.gather(*(take(n) for n in range(6)))) == 1
    async with store.write() as db:
        [now] = await storage.redflags.open(db)
        assert (now.owner, now.version) == ("Ada", 2)
        assert await storage.redflags.change(db, replace(now, state="closed", closing="Done."), "ada", "x", 300)
        assert await storage.redflags.open(db) == []
        assert await storage.redflags.flag(db, "Orchard", "Again.", 20_501, "redfirst", 400), "and it may come back"
