"""Doubts: what may or may not have arrived is looked for before it is said again, or held for a person."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

import storage.deliveries
from bot.delivery import DOUBTS, HELD, LEASE, SECOND_LOOK, SETTLE
from bot.edge import Undeliverable, Unsure
from storage.db import Store
from tests.bot.post_office import NOW, Clock, Knowing, Platform, add, delivering, in_the_end, rows, tried, until


async def test_after_an_unknown_outcome_the_message_is_looked_for_before_it_is_posted_again(store: Store) -> None:
    def dropped(key: str, attempt: int) -> None:
        raise Unsure(0.0)

    edge, clock = Knowing(dropped, {"arrived": "C1/17"}), Clock()
    await add(store, "arrived")
    row = await in_the_end(store, edge, clock, "arrived")
    assert row.state == "sent"
    assert row.reference == "C1/17"
    assert (edge.tried, edge.looked) == ({"arrived": 1}, 1)


async def test_what_was_not_found_is_posted_again(store: Store) -> None:
    def dropped_once(key: str, attempt: int) -> None:
        if attempt == 1:
            raise Unsure(0.0)

    edge, clock = Knowing(dropped_once), Clock()
    await add(store, "missing")
    row = await in_the_end(store, edge, clock, "missing")
    assert row.state == "sent"
    assert edge.posted == [("C1", "missing")]
    assert edge.looked == 1


async def test_what_the_platform_does_not_let_us_look_up_is_held_too(store: Store) -> None:
    class Blind(Platform):
        async def find(self, recipient: str, key: str) -> str | None:
            raise Undeliverable("missing permission")

    def dropped(key: str, attempt: int) -> None:
        raise Unsure(0.0)

    edge = Blind(dropped)
    await add(store, "perhaps")
    row = await in_the_end(store, edge, Clock(), "perhaps")
    assert (row.state, row.problem, edge.tried) == ("held", HELD, {"perhaps": 1})


@pytest.mark.parametrize("error", [Unsure(0.0), RuntimeError("a bug")])
async def test_what_nobody_can_look_up_is_held_for_a_person(store: Store, error: Exception) -> None:
    def fails(key: str, attempt: int) -> None:
        raise error

    edge, clock = Platform(fails), Clock()
    await add(store, "perhaps")
    row = await in_the_end(store, edge, clock, "perhaps")
    assert row.state == "held"
    assert row.problem == HELD
    assert edge.tried == {"perhaps": 1}


@pytest.mark.parametrize("posting", [True, False])
async def test_a_process_that_fell_gives_its_claim_back_and_what_it_was_posting_is_looked_for(
    store: Store, posting: bool
) -> None:
    await add(store, "orphan")
    async with store.write() as db:
        taken = await storage.deliveries.claim(db, ["slack"], [], NOW, NOW + LEASE, 50)
    assert [(r.key, r.attempts, r.unsure) for r in taken] == [("orphan", 1, False)]
    if posting:
        async with store.write() as db:
            assert len(await storage.deliveries.begun(db, taken, NOW)) == 1
    edge, clock = Knowing(), Clock()
    async with delivering(store, edge, clock):
        await asyncio.sleep(0.05)
        assert edge.posted == []  # still another's
    clock.now += timedelta(seconds=LEASE + 1)
    async with delivering(store, edge, clock):
        await until(store, "orphan", "sent")
    assert (edge.looked, len(edge.posted)) == (int(posting), 1)  # what was never begun need not be looked for
    async with store.write() as db:
        assert await storage.deliveries.begun(db, taken, NOW) == {}  # the one that fell wakes up
        await storage.deliveries.settle(db, [(taken[0], storage.deliveries.Over("failed", "late"))], NOW)
    assert (await rows(store))["orphan"].state == "sent"


async def test_before_it_is_looked_for_a_message_is_given_time_to_arrive(store: Store) -> None:
    def dropped(key: str, attempt: int) -> None:
        raise Unsure(0.0)

    edge, clock = Knowing(dropped), Clock()
    await add(store, "slow")
    async with delivering(store, edge, clock):
        row = await tried(store, "slow", 1)
    assert row.unsure
    assert row.due_at >= NOW + SETTLE
    assert edge.looked == 0


async def test_what_was_posted_again_is_looked_for_once_more(store: Store) -> None:
    def dropped_once(key: str, attempt: int) -> None:
        if attempt == 1:
            raise Unsure(0.0)

    edge, clock = Knowing(dropped_once), Clock()
    await add(store, "late")
    row = await in_the_end(store, edge, clock, "late")
    assert (row.state, row.check_at) == ("sent", int(clock.now.timestamp()) + SECOND_LOOK)


async def test_doubts_end(store: Store) -> None:
    class Deaf(Knowing):
        async def find(self, recipient: str, key: str) -> str | None:
            raise Unsure(0.0)

    def dropped(key: str, attempt: int) -> None:
        raise Unsure(0.0)

    edge, clock = Deaf(dropped), Clock()
    await add(store, "perhaps")
    row = await in_the_end(store, edge, clock, "perhaps")
    assert (row.state, row.attempts, edge.tried) == ("held", DOUBTS, {"perhaps": 1})
