"""History made anew while the desk is at work: nothing is lost, nothing counts twice, nobody waits."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import storage.arrivals
import storage.columnar
import storage.directory
import storage.rollups
import storage.rules
import storage.worlds
from scoring.rules import Rules
from storage.arrivals import Intake
from storage.db import Db, Store
from storage.facts import Changed
from storage.rebuilds import Pages
from storage.sources import Batch
from tests.handlers import desk as small
from tests.handlers.desk import Desk
from tests.storage import desk as odd

SMALL = Pages(facts=200, held=2_000, compared=1_000, written=400)
"""Many pages and files even for a small desk."""


async def rules_of(desk: Desk) -> Rules:
    async with desk.store.read() as db:
        applied = await storage.rules.current(db)
    assert applied is not None
    return storage.rules.read(applied)


async def kept(store: Store) -> dict[str, list[Any]]:
    async with store.read() as db:
        days, weeks = [await storage.rollups.stored(db, table=table) for table in ("rollup", "rollup_week")]
    return {"days": days.rows(), "weeks": weeks.rows()}


async def anew(store: Store, rules: Rules) -> list[Any]:
    async with store.read() as db:
        return (await odd.anew(db, await storage.directory.read(db, rules.zone), rules)).rows()


async def quiet(_db: Db, _done: Changed, _rows: object) -> None:
    """Nothing to be noted."""


async def coming(desk: Desk, rules: Rules, times: int) -> None:
    """Tickets, surveys and entries that are new, corrected or late, some about people of the desk."""
    rng = random.Random(5)
    intake = Intake(desk.store, rules, asyncio.get_running_loop().time)
    for number in range(times):
        done = rng.sample(small.work(), 5)
        late = small.tickets(done).with_columns(updated_at=2_000_000_000 + number, reopens=1)
        rated = small.surveys(done).with_columns(rating=rng.randrange(1, 6), updated_at=2_000_000_000 + number)
        strange = odd.rows("ticket_event", [f"e{number}"], rng)
        for table, rows in (("ticket", late), ("survey", rated), ("ticket_event", strange)):
            await storage.arrivals.take(intake, Batch(table, rows), quiet)


async def damage(desk: Desk) -> None:
    await desk.change("UPDATE rollup SET num = num + 7 WHERE day % 2 = 0")
    await desk.change("DELETE FROM rollup WHERE day % 5 = 0")
    await desk.change("DELETE FROM rollup_week WHERE subject_id % 2 = 0")


async def test_facts_arrive_and_people_ask_while_history_is_made_anew(desk: Desk) -> None:
    rules = await rules_of(desk)
    await damage(desk)
    building = asyncio.ensure_future(storage.rollups.rebuild(desk.store, rules, pages=SMALL))
    arriving = asyncio.ensure_future(coming(desk, rules, 12))
    answers = 0
    while not (building.done() and arriving.done()):
        card = await asyncio.wait_for(desk.ask("ana", "/myscore last week"), 10)
        assert "CSAT" in small.words(card)
        answers += 1
    await arriving
    assert await building > 100
    assert answers >= 10
    found = await kept(desk.store)
    assert found["days"] == await anew(desk.store, rules) != []
    assert await storage.rollups.rebuild(desk.store, rules) == 0
    assert await kept(desk.store) == found, "whole pages and small ones come to the same, days and weeks"


async def test_two_rebuilds_at_once_add_nothing_twice(desk: Desk) -> None:
    rules = await rules_of(desk)
    await damage(desk)
    await asyncio.gather(*[storage.rollups.rebuild(desk.store, rules, pages=SMALL) for _ in range(3)])
    assert (await kept(desk.store))["days"] == await anew(desk.store, rules)
    assert await storage.rollups.renew(desk.store, rules) == []


async def test_people_who_change_meanwhile_are_not_forgotten(desk: Desk) -> None:
    rules = await rules_of(desk)
    await damage(desk)

    async def moved() -> None:
        while not await desk.rows("SELECT 1 FROM metric WHERE digest LIKE 'building%'"):
            pass
        async with desk.store.write() as db:
            await db.exec_driver_sql("UPDATE person SET zone = 'Asia/Tokyo'")
            await storage.rollups.outdate(db)

    await asyncio.gather(storage.rollups.rebuild(desk.store, rules, pages=SMALL), moved())
    assert (await kept(desk.store))["days"] == await anew(desk.store, rules)


async def test_what_is_done_at_a_time_makes_no_difference(desk: Desk) -> None:
    rules = await rules_of(desk)
    before = await kept(desk.store)
    for pages in (SMALL, Pages(facts=1_000, held=10, compared=700, written=300)):
        await damage(desk)
        await storage.rollups.rebuild(desk.store, rules, ["csat", "utilisation", "reopen_rate"], pages)
        await storage.rollups.rebuild(desk.store, rules, pages=pages)
        assert await kept(desk.store) == before


async def test_a_metric_that_is_no_more_leaves_nothing_behind(sqlite_desk: Desk) -> None:
    rules = await rules_of(sqlite_desk)
    await sqlite_desk.change("INSERT INTO metric (id, name, digest, connected) VALUES (900, 'old', 'x', true)")
    await sqlite_desk.change("INSERT INTO rollup SELECT subject_id, 900, day, team_id, 1, 1, 1, 1 FROM rollup "
                             "WHERE metric_id = (SELECT id FROM metric WHERE name = 'csat')")  # fmt: skip
    await storage.rollups.rebuild(sqlite_desk.store, rules, ["nps"], SMALL)
    assert await sqlite_desk.rows("SELECT 1 FROM rollup WHERE metric_id = 900") == []
    assert await sqlite_desk.rows("SELECT 1 FROM metric WHERE name = 'old'") == []


async def test_every_kind_of_fact_is_among_what_is_made_anew(sqlite_desk: Desk) -> None:
    rules = await rules_of(sqlite_desk)
    intake = Intake(sqlite_desk.store, rules, lambda: 0.0)
    for table in odd.TABLES:
        rows = odd.rows(table, [f"{table}{number}" for number in range(60)], random.Random(3))
        await storage.arrivals.take(intake, Batch(table, rows), quiet)
    await damage(sqlite_desk)
    await storage.rollups.rebuild(sqlite_desk.store, rules, pages=SMALL)
    assert (await kept(sqlite_desk.store))["days"] == await anew(sqlite_desk.store, rules)


async def test_what_is_filled_in_at_first_needs_no_rebuild(store: Store) -> None:
    rng = random.Random(4)
    facts = {table: odd.rows(table, [f"{table}{n}" for n in range(30)], rng) for table in odd.TABLES}
    async with store.write() as db:
        await odd.furnish(db)
        for table, rows in facts.items():
            await storage.columnar.insert(db, table, rows)
            reach = storage.worlds.reach(table, rows)
            if reach is not None:
                await storage.rollups.set_extent(db, table, *reach)
        await storage.rollups.fill(db, facts, odd.RULES)
    found = await kept(store)
    assert found["days"] == await anew(store, odd.RULES) != []
    async with store.read() as db:
        assert await storage.rollups.stale(db, odd.RULES.metrics) == []
    assert await storage.rollups.rebuild(store, odd.RULES) == 0
    assert await kept(store) == found
