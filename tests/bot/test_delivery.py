"""Delivery: said once, at the platform's pace, and what cannot be said is kept with the reason."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
import sqlalchemy

import storage.inbox
import storage.outbox
from bot.delivery import ATTEMPTS, HELD, Delivery
from bot.edge import Retry, Undeliverable, Unsure
from cards.card import Card, Text, to_json
from storage.db import Store
from storage.models import outbox

START = datetime(2026, 8, 5, 9, 0, tzinfo=UTC)
NOW = int(START.timestamp())


def card(words: str) -> Card:
    return Card(words, (Text(words),), words)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


class Platform:
    """An edge that does what the test says, and remembers what was posted and when."""

    name = "slack"

    def __init__(self, behave: Callable[[str, int], None] | None = None) -> None:
        self.posted: list[tuple[str, str]] = []
        self.at: list[float] = []
        self.tried: dict[str, int] = {}
        self._behave = behave

    async def start(self) -> None:
        """Nothing to connect."""

    async def stop(self) -> None:
        """Nothing to close."""

    async def post(self, recipient: str, card: Card, key: str) -> str:
        self.tried[key] = self.tried.get(key, 0) + 1
        if self._behave is not None:
            self._behave(key, self.tried[key])
        self.posted.append((recipient, card.title))
        self.at.append(time.monotonic())
        return f"{recipient}/{len(self.posted)}"


class Knowing(Platform):
    """An edge that can look a message up."""

    def __init__(self, behave: Callable[[str, int], None] | None = None, known: dict[str, str] | None = None) -> None:
        super().__init__(behave)
        self.known = known or {}
        self.looked = 0

    async def find(self, recipient: str, key: str) -> str | None:
        self.looked += 1
        return self.known.get(key)


@asynccontextmanager
async def delivering(store: Store, edge: Platform, clock: Clock, spacing: float = 0.0) -> AsyncIterator[Delivery]:
    delivery = Delivery(store, {edge.name: edge}, clock, chance=Random(7), spacing=spacing)
    await delivery.start()
    try:
        yield delivery
    finally:
        await delivery.stop()


async def add(store: Store, key: str, recipient: str = "C1", due: int = NOW, platform: str = "slack") -> bool:
    async with store.write() as db:
        return await storage.outbox.add(db, platform, recipient, to_json(card(key)), key, due)


async def rows(store: Store) -> dict[str, sqlalchemy.Row[tuple[object, ...]]]:
    async with store.read() as db:
        return {r.key: r for r in await db.execute(sqlalchemy.select(outbox))}


async def until(store: Store, key: str, state: str) -> sqlalchemy.Row[tuple[object, ...]]:
    async with asyncio.timeout(10):
        while True:
            row = (await rows(store))[key]
            if row.state == state:
                return row
            await asyncio.sleep(0.01)


async def tried(store: Store, key: str, attempts: int) -> sqlalchemy.Row[tuple[object, ...]]:
    async with asyncio.timeout(10):
        while True:
            row = (await rows(store))[key]
            if row.attempts >= attempts and row.state != "claimed":
                return row
            await asyncio.sleep(0.01)


async def in_the_end(store: Store, edge: Platform, clock: Clock, key: str) -> sqlalchemy.Row[tuple[object, ...]]:
    """Lets an hour pass after each attempt, until the message waits no longer."""
    for attempt in range(1, 30):
        async with delivering(store, edge, clock):
            row = await tried(store, key, attempt)
        if row.state != "due":
            return row
        clock.now += timedelta(hours=1)
    raise AssertionError("it is tried for ever")


async def test_what_is_due_is_posted_and_its_reference_kept(store: Store) -> None:
    edge, clock = Platform(), Clock()
    await add(store, "hello")
    async with delivering(store, edge, clock):
        row = await until(store, "hello", "sent")
    assert edge.posted == [("C1", "hello")]
    assert (row.reference, row.problem, row.claimed_until) == ("C1/1", None, None)


async def test_a_key_is_said_once_however_often_it_is_added(store: Store) -> None:
    edge = Platform()
    assert [await add(store, "once"), await add(store, "once")] == [True, False]
    async with delivering(store, edge, Clock()) as delivery:
        await until(store, "once", "sent")
        assert await add(store, "once") is False
        delivery.kick()
        await asyncio.sleep(0.05)
    assert len(edge.posted) == 1


async def test_a_message_waits_for_its_time(store: Store) -> None:
    edge, clock = Platform(), Clock()
    await add(store, "later", due=NOW + 60)
    async with delivering(store, edge, clock) as delivery:
        await asyncio.sleep(0.05)
        assert edge.posted == []
        clock.now += timedelta(seconds=61)
        delivery.kick()
        await until(store, "later", "sent")


async def test_a_kick_is_answered_at_once(store: Store) -> None:
    async with delivering(store, Platform(), Clock()) as delivery:
        await asyncio.sleep(0.05)
        began = time.monotonic()
        await add(store, "now")
        delivery.kick()
        await until(store, "now", "sent")
    assert time.monotonic() - began < 0.8  # without a kick it could be a second


async def test_messages_for_a_platform_that_is_not_connected_stay(store: Store) -> None:
    edge = Platform()
    await add(store, "for teams", platform="teams")
    await add(store, "for slack")
    async with delivering(store, edge, Clock()):
        await until(store, "for slack", "sent")
    assert (await rows(store))["for teams"].state == "due"


async def test_a_platform_that_asks_to_wait_is_given_that_time(store: Store) -> None:
    def busy(key: str, attempt: int) -> None:
        if attempt == 1:
            raise Retry(30.0)

    edge, clock = Platform(busy), Clock()
    await add(store, "patient")
    async with delivering(store, edge, clock):
        row = await tried(store, "patient", 1)
    assert row.state == "due"
    assert NOW + 30 <= row.due_at <= NOW + 38
    assert edge.posted == []
    clock.now += timedelta(seconds=40)
    async with delivering(store, edge, clock):
        await until(store, "patient", "sent")
    assert len(edge.posted) == 1


async def test_a_refusal_for_good_is_kept_with_its_remedy(store: Store) -> None:
    def archived(key: str, attempt: int) -> None:
        raise Undeliverable("That channel is archived. Choose another channel.")

    edge = Platform(archived)
    await add(store, "lost")
    async with delivering(store, edge, Clock()):
        row = await until(store, "lost", "failed")
    assert row.problem == "That channel is archived. Choose another channel."
    assert edge.tried == {"lost": 1}


async def test_attempts_end(store: Store) -> None:
    def never(key: str, attempt: int) -> None:
        raise Retry(0.0)

    edge, clock = Platform(never), Clock()
    await add(store, "hopeless")
    row = await in_the_end(store, edge, clock, "hopeless")
    assert row.state == "failed"
    assert edge.tried == {"hopeless": ATTEMPTS}
    assert "Not sent" in str(row.problem)


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
    assert (row.state, row.problem, edge.tried) == ("failed", HELD, {"perhaps": 1})


@pytest.mark.parametrize("error", [Unsure(0.0), RuntimeError("a bug")])
async def test_what_nobody_can_look_up_is_held_for_a_person(store: Store, error: Exception) -> None:
    def fails(key: str, attempt: int) -> None:
        raise error

    edge, clock = Platform(fails), Clock()
    await add(store, "perhaps")
    row = await in_the_end(store, edge, clock, "perhaps")
    assert row.state == "failed"
    assert row.problem == HELD
    assert edge.tried == {"perhaps": 1}


async def test_a_process_that_fell_gives_its_claim_back_and_the_message_is_looked_for(store: Store) -> None:
    await add(store, "orphan")
    async with store.write() as db:
        taken = await storage.outbox.claim(db, ["slack"], NOW, NOW + 120, 50)
    assert [(r.key, r.attempts, r.unsure) for r in taken] == [("orphan", 1, False)]
    edge, clock = Knowing(), Clock()
    async with delivering(store, edge, clock) as delivery:
        await asyncio.sleep(0.05)
        assert edge.looked == 0  # still another's
        clock.now += timedelta(seconds=121)
        delivery.kick()
        await until(store, "orphan", "sent")
    assert (edge.looked, len(edge.posted)) == (1, 1)
    async with store.write() as db:
        await storage.outbox.failed(db, taken[0], "the one that fell wakes up")
    assert (await rows(store))["orphan"].state == "sent"


async def test_one_channel_is_spaced_in_order_and_others_do_not_wait_for_it(store: Store) -> None:
    edge = Platform()
    for i in range(3):
        await add(store, f"a{i}", "C1")
    for i in range(3):
        await add(store, f"b{i}", f"D{i}")
    async with delivering(store, edge, Clock(), spacing=0.3):
        for key in ("a2", "b2"):
            await until(store, key, "sent")
    inside = [(words, at) for (channel, words), at in zip(edge.posted, edge.at, strict=True) if channel == "C1"]
    assert [words for words, _ in inside] == ["a0", "a1", "a2"]
    assert all(later - sooner >= 0.29 for (_, sooner), (_, later) in itertools.pairwise(inside))
    others = [at for (channel, _), at in zip(edge.posted, edge.at, strict=True) if channel != "C1"]
    assert max(others) < inside[1][1]


async def test_a_crowded_channel_does_not_hold_the_batch(store: Store) -> None:
    edge = Platform()
    async with store.write() as db:
        for i in range(60):
            await storage.outbox.add(db, "slack", "C1", to_json(card(str(i))), f"crowd {i}", NOW)
        await storage.outbox.add(db, "slack", "D9", to_json(card("alone")), "alone", NOW)
    async with delivering(store, edge, Clock(), spacing=1.0):
        await until(store, "alone", "sent")
    assert len([c for c, _ in edge.posted if c == "C1"]) <= 2


async def test_stopping_ends_what_began_and_gives_back_the_rest(store: Store) -> None:
    edge = Platform()
    for i in range(4):
        await add(store, f"m{i}")
    async with delivering(store, edge, Clock(), spacing=2.0):
        await until(store, "m0", "sent")
        began = time.monotonic()
    assert time.monotonic() - began < 1.0
    states = {k: (r.state, r.attempts) for k, r in (await rows(store)).items()}
    assert states == {"m0": ("sent", 1), "m1": ("due", 0), "m2": ("due", 0), "m3": ("due", 0)}


async def test_two_replicas_never_post_the_same_message(store: Store) -> None:
    edge, clock = Platform(), Clock()
    async with store.write() as db:
        for i in range(120):
            await storage.outbox.add(db, "slack", f"D{i}", to_json(card(str(i))), f"k{i}", NOW)
    async with delivering(store, edge, clock), delivering(store, edge, clock), asyncio.timeout(20):
        for i in range(120):
            await until(store, f"k{i}", "sent")
    assert len(edge.posted) == len(set(edge.posted)) == 120


async def test_a_message_of_another_version_is_refused_and_the_rest_goes_on(store: Store) -> None:
    edge = Platform()
    async with store.write() as db:
        await storage.outbox.add(db, "slack", "C1", {"is": "Hologram"}, "future", NOW)
    await add(store, "present")
    async with delivering(store, edge, Clock()):
        await until(store, "present", "sent")
        row = await until(store, "future", "failed")
    assert "cannot read" in str(row.problem)


async def test_the_inbox_knows_a_key_once_and_forgets_the_old(store: Store) -> None:
    async with store.write() as db:
        assert [await storage.inbox.first(db, "k", NOW), await storage.inbox.first(db, "k", NOW + 1)] == [True, False]
        assert await storage.inbox.first(db, "other", NOW + 10)
    async with store.write() as db:
        assert await storage.inbox.prune(db, NOW + 5) == 1
        assert await storage.inbox.first(db, "k", NOW + 11)
        assert not await storage.inbox.first(db, "other", NOW + 12)


async def test_a_call_that_was_rolled_back_was_never_seen(store: Store) -> None:
    async def falls() -> None:
        async with store.write() as db:
            assert await storage.inbox.first(db, "again", NOW)
            raise ConnectionError

    with pytest.raises(ConnectionError):
        await falls()
    async with store.write() as db:
        assert await storage.inbox.first(db, "again", NOW)
