"""Delivery: said once, at the platform's pace, and what cannot be said is kept with the reason."""

from __future__ import annotations

import asyncio
import itertools
import time
from datetime import timedelta

import pytest

import storage.deliveries
import storage.inbox
import storage.outbox
import storage.pace
from bot.delivery import ATTEMPTS
from bot.edge import Retry, Undeliverable
from cards.card import to_json
from storage.db import Store
from storage.pace import Limit
from tests.bot.post_office import (
    NOW,
    START,
    Clock,
    Platform,
    Running,
    add,
    card,
    delivering,
    in_the_end,
    one_in,
    rows,
    tried,
    until,
    wide,
)


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


async def test_one_channel_is_spaced_and_others_do_not_wait_for_it(store: Store) -> None:
    edge = Platform()
    for i in range(3):
        await add(store, f"a{i}", "C1")
    for i in range(3):
        await add(store, f"b{i}", f"D{i}")
    async with delivering(store, edge, Running(), one_in(300)):
        for key in ("a2", "b2"):
            await until(store, key, "sent")
    inside = [(words, at) for (channel, words), at in zip(edge.posted, edge.at, strict=True) if channel == "C1"]
    assert {words for words, _ in inside} == {"a0", "a1", "a2"}
    assert all(later - sooner >= 0.2 for (_, sooner), (_, later) in itertools.pairwise(inside))
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
    async with delivering(store, edge, clock, one_in(2500)):
        await until(store, "one", "sent")
        assert (await rows(store))["two"].state == "claimed"
        async with store.write() as db:  # as another process does
            await storage.pace.pause(db, [Limit("C1", ())], 1000 * (NOW + 60))
        row = await tried(store, "two", 0)
    assert (row.state, row.due_at, edge.tried) == ("due", NOW + 60, {"one": 1})


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
