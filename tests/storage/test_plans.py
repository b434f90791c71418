"""Plans in the database: one open one a subject and metric, and each change from the version it saw."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import scoring.plans
import storage.plans
from scoring.plans import Plan
from storage.db import Store
from tests.storage import desk

TODAY = desk.MONDAY


def made(metric: str = "csat", subject: str = "team:1", **more: object) -> Plan:
    plan = scoring.plans.opened(subject, metric, "2026-W11", "Ring back.", 1, "Person 1", TODAY + 9, TODAY)
    return replace(plan, **more)  # type: ignore[arg-type]


async def keep(store: Store, plan: Plan) -> int | None:
    async with store.write() as db:
        return await storage.plans.add(db, plan)


async def furnished(store: Store) -> None:
    async with store.write() as db:
        await desk.furnish(db)


async def test_a_plan_comes_back_as_it_was_kept(store: Store) -> None:
    await furnished(store)
    number = await keep(store, made())
    assert number is not None
    async with store.read() as db:
        assert await storage.plans.get(db, number) == made(id=number)
        assert await storage.plans.of_subject(db, "team:1") == [made(id=number)]
        assert await storage.plans.of_subject(db, "desk") == []
        assert await storage.plans.get(db, number + 1) is None


async def test_of_plans_for_one_red_at_the_same_moment_one_is_kept(store: Store) -> None:
    await furnished(store)
    found = await asyncio.gather(*(keep(store, made()) for _ in range(6)))
    assert sum(number is not None for number in found) == 1
    assert await keep(store, made("nps")) is not None
    assert await keep(store, made(subject="desk")) is not None


async def test_a_closed_plan_makes_room_for_another(store: Store) -> None:
    await furnished(store)
    number = await keep(store, made())
    assert number is not None
    async with store.write() as db:
        before = await storage.plans.get(db, number)
        assert before is not None
        assert await storage.plans.change(db, before, scoring.plans.done(before, TODAY))
    again = await keep(store, made())
    assert again not in (None, number)
    async with store.read() as db:
        [watched] = await storage.plans.watched(db, "team:1")
        assert (watched.id, watched.version) == (number, 2)
        assert [p.id for p in await storage.plans.closed(db, "team:1", TODAY)] == [number]
        assert await storage.plans.closed(db, "team:1", TODAY + 1) == []


async def test_of_changes_from_the_same_version_one_holds(store: Store) -> None:
    await furnished(store)
    number = await keep(store, made())
    assert number is not None

    async def move(day: int) -> bool:
        async with store.write() as db:
            seen = made(id=number)
            return await storage.plans.change(db, seen, scoring.plans.moved(seen, TODAY + day, "Ill.", TODAY))

    won = await asyncio.gather(*(move(20 + n) for n in range(5)))
    assert sorted(won) == [False] * 4 + [True]
    async with store.read() as db:
        kept = await storage.plans.get(db, number)
        assert kept is not None
        assert (kept.version, kept.due_day, kept.moved) == (2, TODAY + 20 + won.index(True), 1)


async def test_blockers_are_those_of_open_plans(store: Store) -> None:
    await furnished(store)
    stuck, other = await keep(store, made()), await keep(store, made("nps", blocker="No licences."))
    assert None not in (stuck, other)
    await keep(store, made("nps", subject="team:2", blocker="Elsewhere."))
    async with store.read() as db:
        found = await storage.plans.blockers(db, ["team:1", "desk"])
        assert [(p.id, p.blocker) for p in found] == [(other, "No licences.")]
        assert await storage.plans.blockers(db, []) == []
