"""Delivery: said once, at the platform's pace, and what cannot be said is kept with the reason."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
import sqlalchemy

import storage.deliveries
import storage.inbox
import storage.outbox
import storage.pace
from bot.delivery import ATTEMPTS, DOUBTS, HELD, LEASE, SECOND_LOOK, SETTLE, Delivery
from bot.edge import Retry, Undeliverable, Unsure
from cards.card import Card, Text, to_json
from storage.db import Store
from storage.deliveries import Row
from storage.models import outbox
from storage.pace import Limit

START = datetime(2026, 8, 5, 9, 0, tzinfo=UTC)
NOW = int(START.timestamp())


def card(words: str) -> Card:
    return Card(words, (Text(words),), words)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


class Running(Clock):
    """Goes on by itself."""

    def __init__(self) -> None:
        super().__init__()
        self._began = time.monotonic()

    def __call__(self) -> datetime:
        return self.now + timedelta(seconds=time.monotonic() - self._began)


class Platform:
    """An edge that does what the test says, and remembers what was posted and when."""

    name = "slack"

    def __init__(self, behave: Callable[[str, int], None] | None = None) -> None:
        self.posted: list[tuple[str, str]] = []
        self.at: list[float] = []
        self.tried: dict[str, int] = {}
        self.updated: list[tuple[str, str]] = []
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

    async def update(self, recipient: str, reference: str, card: Card, key: str) -> None:
        self.tried[key] = self.tried.get(key, 0) + 1
        if self._behave is not None:
            self._behave(key, self.tried[key])
        self.updated.append((reference, card.title))


class Knowing(Platform):
    """An edge that can look a message up."""

    def __init__(self, behave: Callable[[str, int], None] | None = None, known: dict[str, str] | None = None) -> None:
        super().__init__(behave)
        self.known = known or {}
        self.looked = 0

    async def find(self, recipient: str, key: str) -> str | None:
        self.looked += 1
        return self.known.get(key)

    async def copies(self, recipient: str, key: str) -> int:
        return len([words for _, words in self.posted if words == key]) + (key in self.known)


@asynccontextmanager
async def delivering(
    store: Store, edge: Platform, clock: Clock, limits: Callable[[Row], tuple[Limit, ...]] = lambda row: ()
) -> AsyncIterator[Delivery]:
    delivery = Delivery(store, {edge.name: edge}, clock, chance=Random(7), limits=limits)
    await delivery.start()
    try:
        yield delivery
    finally:
        await delivery.stop()


async def add(
    store: Store, key: str, recipient: str = "C1", due: int = NOW, platform: str = "slack", **more: Any
) -> bool:
    async with store.write() as db:
        return await storage.outbox.add(db, platform, recipient, to_json(card(key)), key, due, **more)


async def revise(store: Store, key: str, words: str) -> bool:
    async with store.write() as db:
        return await storage.outbox.revise(db, key, to_json(card(words)), NOW)


def one_in(milliseconds: int) -> Callable[[Row], tuple[Limit, ...]]:
    """One message a conversation in so many milliseconds."""
    return lambda row: (Limit(row.recipient, ((1, milliseconds),)),)


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
            if row.attempts >= attempts and row.state not in ("claimed", "posting"):
                return row
            await asyncio.sleep(0.01)


async def in_the_end(store: Store, edge: Platform, clock: Clock, key: str) -> sqlalchemy.Row[tuple[object, ...]]:
    """Lets an hour pass after each attempt, until the message waits no longer."""
    for attempt in range(1, ATTEMPTS + 2):
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
    assert timedelta(hours=20) < clock.now - START  # an outage of an evening loses nothing
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


async def test_one_channel_is_spaced_in_order_and_others_do_not_wait_for_it(store: Store) -> None:
    edge = Platform()
    for i in range(3):
        await add(store, f"a{i}", "C1")
    for i in range(3):
        await add(store, f"b{i}", f"D{i}")
    async with delivering(store, edge, Running(), one_in(300)):
        for key in ("a2", "b2"):
            await until(store, key, "sent")
    inside = [(words, at) for (channel, words), at in zip(edge.posted, edge.at, strict=True) if channel == "C1"]
    assert [words for words, _ in inside] == ["a0", "a1", "a2"]
    assert all(later - sooner >= 0.29 for (_, sooner), (_, later) in itertools.pairwise(inside))
    others = [at for (channel, _), at in zip(edge.posted, edge.at, strict=True) if channel != "C1"]
    assert len(others) == 3
    assert sorted(others)[0] < inside[1][1]


async def test_a_crowded_channel_does_not_hold_the_batch(store: Store) -> None:
    edge = Platform()
    async with store.write() as db:
        for i in range(60):
            await storage.outbox.add(db, "slack", "C1", to_json(card(str(i))), f"crowd {i}", NOW)
        await storage.outbox.add(db, "slack", "D9", to_json(card("alone")), "alone", NOW)
    async with delivering(store, edge, Running(), one_in(1000)):
        await until(store, "alone", "sent")
    assert len([c for c, _ in edge.posted if c == "C1"]) <= 2
    crowd = [r.due_at for k, r in (await rows(store)).items() if k.startswith("crowd") and r.state == "due"]
    assert max(crowd) > NOW + 30  # they do not all come back at once


async def test_stopping_ends_what_began_and_gives_back_the_rest(store: Store) -> None:
    edge = Platform()
    for i in range(4):
        await add(store, f"m{i}")
    async with delivering(store, edge, Clock(), one_in(1400)):
        await until(store, "m0", "sent")
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


async def test_what_was_not_said_in_time_is_marked_and_never_sent(store: Store) -> None:
    edge, clock = Platform(), Clock()
    await add(store, "stale", expires_at=NOW)
    await add(store, "stale elsewhere", platform="teams", expires_at=NOW - 5)
    await add(store, "fresh", expires_at=NOW + 60)
    async with delivering(store, edge, clock):
        await until(store, "fresh", "sent")
        row = await until(store, "stale", "expired")
        await until(store, "stale elsewhere", "expired")
    assert edge.posted == [("C1", "fresh")]
    assert row.problem == storage.deliveries.EXPIRED


async def test_what_expires_while_it_waits_for_its_turn_is_not_sent(store: Store) -> None:
    edge, clock = Platform(), Running()
    await add(store, "first")
    await add(store, "second", expires_at=NOW + 1)
    async with delivering(store, edge, clock, one_in(1300)):
        await until(store, "second", "expired")
    assert [words for _, words in edge.posted] == ["first"]


async def test_what_people_wait_for_goes_before_what_nobody_asked_for(store: Store) -> None:
    edge = Platform()
    await add(store, "nudge", due=NOW - 60, unasked=True)
    await add(store, "answer")
    async with delivering(store, edge, Clock(), one_in(10)):
        await until(store, "nudge", "sent")
    assert [words for _, words in edge.posted] == ["answer", "nudge"]


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


async def test_what_one_process_is_asked_to_wait_all_wait(store: Store) -> None:
    def busy(key: str, attempt: int) -> None:
        if key == "first":
            raise Retry(30.0)

    edge, clock = Platform(busy), Clock()
    await add(store, "first")
    async with delivering(store, edge, clock, wide):
        await tried(store, "first", 1)
    await add(store, "second", "C2")
    clock.now += timedelta(seconds=26)
    async with delivering(store, edge, clock, wide):  # knows of it from the database alone
        await asyncio.sleep(0.1)
    assert edge.tried == {"first": 1}
    row = (await rows(store))["second"]
    assert (row.state, row.due_at, row.attempts) == ("due", NOW, 0)  # it keeps its place
    clock.now += timedelta(seconds=4)
    async with delivering(store, edge, clock, wide):
        await until(store, "second", "sent")


async def test_who_has_claimed_already_still_hears_that_the_platform_asked_to_wait(store: Store) -> None:
    edge, clock = Platform(), Running()
    for key in ("one", "two"):
        await add(store, key)
    async with delivering(store, edge, clock, one_in(800)):
        await until(store, "one", "sent")
        assert (await rows(store))["two"].state == "claimed"
        async with store.write() as db:  # as another process does
            await storage.pace.pause(db, ["C1"], 1000 * (NOW + 60))
        row = await tried(store, "two", 0)
    assert (row.state, row.due_at, edge.tried) == ("due", NOW + 60, {"one": 1})


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


def wide(row: Row) -> tuple[Limit, ...]:
    return (Limit("everything", ((100, 1000),), wide=True),)


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
