"""Revisions: a card that changes is sent as it is now, and put right where it stands already."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.edge import Undeliverable, Unsure
from cards.card import Card
from storage.db import Store
from storage.deliveries import Row
from storage.pace import Limit
from tests.bot.post_office import NOW, Clock, Knowing, Platform, add, delivering, in_the_end, revise, rows, tried, until


async def test_a_card_revised_before_it_is_sent_is_sent_as_it_is_now(store: Store) -> None:
    edge, clock = Platform(), Clock()
    await add(store, "digest", due=NOW + 60)
    assert [await revise(store, "digest", "newer"), await revise(store, "digest", "newer")] == [True, False]
    assert not await revise(store, "unknown", "newer")
    clock.now += timedelta(seconds=60)
    async with delivering(store, edge, clock):
        await until(store, "digest", "sent")
    assert (edge.posted, edge.updated) == ([("C1", "newer")], [])


async def test_a_card_revised_after_it_was_sent_is_replaced_where_it_stands(store: Store) -> None:
    edge, clock = Platform(), Clock()
    await add(store, "digest", expires_at=NOW + 10)
    async with delivering(store, edge, clock):
        await until(store, "digest", "sent")
    clock.now += timedelta(days=3)  # a message that stands there is never too old to be put right
    await revise(store, "digest", "with a plan")
    assert (await rows(store))["digest"].state == "due"
    async with delivering(store, edge, clock):
        row = await until(store, "digest", "sent")
    assert (len(edge.posted), edge.updated, row.reference) == (1, [("C1/1", "with a plan")], "C1/1")


async def test_a_card_revised_while_it_is_being_posted_ends_as_the_newest(store: Store) -> None:
    class Slow(Platform):
        def __init__(self) -> None:
            super().__init__()
            self.begun, self.go_on = asyncio.Event(), asyncio.Event()

        async def post(self, recipient: str, card: Card, key: str) -> str:
            self.begun.set()
            await self.go_on.wait()
            return await super().post(recipient, card, key)

    edge = Slow()
    await add(store, "digest")
    async with delivering(store, edge, Clock()) as delivery, asyncio.timeout(10):
        await edge.begun.wait()
        assert await revise(store, "digest", "newest")
        edge.go_on.set()
        while not edge.updated:
            await asyncio.sleep(0.01)
            delivery.kick()
        await until(store, "digest", "sent")
    assert (edge.posted, edge.updated) == ([("C1", "digest")], [("C1/1", "newest")])


async def test_an_update_is_made_again_after_an_unknown_outcome(store: Store) -> None:
    def drops_updates(key: str, attempt: int) -> None:
        if attempt in (2, 3):
            raise Unsure(0.0)

    edge, clock = Platform(drops_updates), Clock()
    await add(store, "digest")
    async with delivering(store, edge, clock):
        await until(store, "digest", "sent")
    await revise(store, "digest", "newer")
    row = await in_the_end(store, edge, clock, "digest")
    assert (row.state, len(edge.posted), edge.updated) == ("sent", 1, [("C1/1", "newer")])


async def test_an_update_of_a_message_that_is_gone_is_a_visible_problem(store: Store) -> None:
    def deleted(key: str, attempt: int) -> None:
        if attempt > 1:
            raise Undeliverable("The message is gone.")

    edge = Platform(deleted)
    await add(store, "digest")
    async with delivering(store, edge, Clock()) as delivery:
        await until(store, "digest", "sent")
        await revise(store, "digest", "newer")
        delivery.kick()
        row = await until(store, "digest", "failed")
    assert (row.problem, len(edge.posted)) == ("The message is gone.", 1)


async def test_of_a_revised_message_found_again_the_newest_card_is_shown(store: Store) -> None:
    def dropped_once(key: str, attempt: int) -> None:
        if attempt == 1:
            raise Unsure(0.0)

    edge, clock = Knowing(dropped_once, {"digest": "C1/9"}), Clock()
    await add(store, "digest")
    async with delivering(store, edge, clock):
        await tried(store, "digest", 1)
    await revise(store, "digest", "newer")
    clock.now += timedelta(hours=1)
    async with delivering(store, edge, clock) as delivery, asyncio.timeout(10):
        while not edge.updated:
            await asyncio.sleep(0.01)
            delivery.kick()
        await until(store, "digest", "sent")
    assert (edge.posted, edge.updated) == ([], [("C1/9", "newer")])


async def test_updates_wait_while_posts_go_on(store: Store) -> None:
    def lanes(row: Row) -> tuple[Limit, ...]:
        return (Limit("updates", ((1, 60_000),), wide=True),) if row.reference else ()

    edge, clock = Platform(), Clock()
    for key in ("a", "b"):
        await add(store, key)
    async with delivering(store, edge, clock, lanes) as delivery:
        for key in ("a", "b"):
            await until(store, key, "sent")
            await revise(store, key, f"{key} again")
        delivery.kick()
        await until(store, "a", "sent")
        await add(store, "c")
        delivery.kick()
        await until(store, "c", "sent")
    assert ([words for _, words in edge.posted], edge.updated) == (["a", "b", "c"], [("C1/1", "a again")])
    assert (await rows(store))["b"].state == "due"
