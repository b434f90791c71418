"""Pace: what is reserved keeps the published limits, wastes next to nothing of them, and is one account for all."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import bot.pace
import storage.pace
from storage.db import Store
from storage.deliveries import Row
from storage.pace import Lane, Limit, Slot
from tests.fakes import limits as published

HOUR = 3_600_000


def row(platform: str, recipient: str, *, reference: str = "", unsure: bool = False) -> Row:
    return Row(1, "k", platform, recipient, {}, 0, 1, unsure, reference, 1, 0, 0, None, 0)


def run(rows: Sequence[Row], until: int) -> list[int]:
    """When each message goes, in virtual milliseconds, claimed in batches of 50 as the delivery does."""
    lanes: dict[str, Lane] = {}
    waiting = [(0, place) for place in range(len(rows))]
    sent: list[int] = []
    now = 0
    while waiting and now < until:
        due = []
        while waiting and waiting[0][0] <= now and len(due) < 50:
            due.append(heapq.heappop(waiting))
        wishes = [bot.pace.limits(rows[place]) for _, place in due]
        slots = storage.pace.reserve(lanes, wishes, now, now + 3000)
        for (due_at, place), slot in zip(due, slots, strict=True):
            if slot.reserved:
                sent.append(slot.at)
            else:
                heapq.heappush(waiting, (due_at if slot.by is not None and slot.by.wide else slot.at, place))
        now += 0 if len(due) == 50 and any(slot.reserved for slot in slots) else 1000
    return [at for at in sent if at < until]


def kept(stamps: Sequence[int], windows: Sequence[tuple[int, float]]) -> bool:
    ordered = sorted(stamps)
    return all(
        later - sooner >= round(1000 * span)
        for count, span in windows
        for sooner, later in zip(ordered, ordered[count:], strict=False)
    )


@pytest.mark.parametrize(
    ("message", "windows", "measured", "allowed"),
    [
        (row("slack", "C1"), published.SLACK_CHANNEL, 60_000, 60),
        (row("slack", "C1", reference="C1/1"), published.SLACK_TIER_3, 300_000, 250),
        (row("teams", "t/a:1"), published.TEAMS_CONVERSATION, 2_000, 8),
        (row("teams", "t/a:1"), published.TEAMS_CONVERSATION, 30_000, 60),
        (row("teams", "t/a:1"), published.TEAMS_CONVERSATION, HOUR, 1800),
    ],
)
def test_the_limits_are_kept_and_used_to_the_full(
    message: Row, windows: Sequence[tuple[int, float]], measured: int, allowed: int
) -> None:
    sent = run([message] * (allowed + 20), measured)
    assert kept(sent, windows)
    assert 0.95 * allowed <= len(sent) <= allowed


@pytest.mark.parametrize(
    ("platform", "windows", "allowed"),
    [("slack", published.SLACK_WORKSPACE, 300), ("teams", published.TEAMS_TENANT, 3000)],
)
def test_a_whole_workspace_is_kept_within_its_limit_and_used_to_the_full(
    platform: str, windows: Sequence[tuple[int, float]], allowed: int
) -> None:
    everybody = [row(platform, f"teams:t/{i}" if platform == "teams" else f"U{i}") for i in range(allowed + 100)]
    sent = run(everybody, 60_000)
    assert kept(sent, windows)
    assert 0.95 * allowed <= len(sent) <= allowed


def test_the_messages_of_a_channel_take_their_turns_in_the_order_in_which_they_ask() -> None:
    wishes = [bot.pace.limits(row("slack", "C1")) for _ in range(3)]
    turns = [slot.at for slot in storage.pace.reserve({}, wishes, 0, 10_000)]
    assert turns == sorted(set(turns))


def test_a_crowded_channel_takes_nothing_from_the_others() -> None:
    lanes: dict[str, Lane] = {}
    crowd = [bot.pace.limits(row("slack", "C1"))] * 10
    slots = storage.pace.reserve(lanes, [*crowd, bot.pace.limits(row("slack", "C2"))], 0, 3000)
    assert [slot.at for slot in slots if slot.reserved] == [0, 1030, 2060, 0]
    waiting = [slot.at for slot in slots if not slot.reserved]
    assert waiting == sorted(set(waiting))  # one after the other, not all at once


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(50, 4000)), min_size=1, max_size=3),
    st.lists(st.integers(0, 6000), min_size=1, max_size=40),
)
@example([(2, 1000)], [500, 0, 0, 400, 0])
def test_wherever_a_call_is_put_every_window_holds_and_nothing_earlier_would(
    windows: list[tuple[int, int]], wishes: list[int]
) -> None:
    lane = Lane()
    for wish in wishes:
        at = lane.earliest(windows, wish)
        assert at >= wish
        for sooner in range(wish, at, 97):
            assert not kept([*lane.stamps, sooner], [(count, span / 1000) for count, span in windows])
        lane.take(at)
        assert kept(lane.stamps, [(count, span / 1000) for count, span in windows])


async def test_what_one_replica_reserved_the_other_sees(store: Store) -> None:
    limit = Limit("channel", ((1, 1000),)), Limit("workspace", ((100, 1000),), wide=True)

    async def one() -> list[Slot]:
        async with store.write() as db:
            return await storage.pace.slots(db, [limit] * 5, 10_000, 100_000)

    found = [slot.at for slots in await asyncio.gather(*(one() for _ in range(4))) for slot in slots]
    assert sorted(found) == [10_000 + 1000 * i for i in range(20)]


async def test_a_pause_is_heard_by_all_and_a_shorter_one_does_not_end_it(store: Store) -> None:
    async with store.write() as db:
        await storage.pace.pause(db, [Limit("a", ()), Limit("b", ())], 5000)
        await storage.pace.pause(db, [Limit("a", ())], 2000)
        assert await storage.pace.paused(db, ["a", "b", "c"], 4999) == {"a": 5000, "b": 5000}
        assert await storage.pace.paused(db, ["a", "b"], 5000) == {}
        assert await storage.pace.slots(db, [(Limit("a", ((1, 1000),)),)] * 2, 100, 9000) == [Slot(5000), Slot(6000)]
        assert await storage.pace.paused(db, ["a"], 4999) == {"a": 5000}  # a reservation does not end it


async def test_a_pause_and_a_reservation_at_the_same_moment_both_go_through(postgres_store: Store) -> None:
    """Neither holds a row that the other waits for: the workspace's comes first for both, whatever it is called."""
    call = (Limit("slack chat.postMessage", ((99, 1000),), wide=True), Limit("slack U1", ((99, 1000),)))

    async def reserving() -> None:
        for _ in range(150):
            async with postgres_store.write() as db:
                await storage.pace.slots(db, [call], 0, 10**9)

    async def pausing() -> None:
        for until in range(150):
            async with postgres_store.write() as db:
                await storage.pace.pause(db, call, until)

    await asyncio.gather(reserving(), pausing(), reserving(), pausing())
    async with postgres_store.read() as db:
        paused = await storage.pace.paused(db, [limit.key for limit in call], 148)
    assert paused == {limit.key: 149 for limit in call}


async def test_a_clock_that_was_wrong_does_not_stop_a_channel_for_good(store: Store) -> None:
    limit = Limit("a", ((1, 1000),))
    async with store.write() as db:
        await storage.pace.slots(db, [(limit,)], 90 * HOUR, 90 * HOUR)
        await storage.pace.pause(db, [Limit("b", ())], 90 * HOUR)
        found = await storage.pace.slots(db, [(limit,), (Limit("b", ()),)], 0, 3000)
        assert [slot.reserved for slot in found] == [True, False]
        assert await storage.pace.mend(db, 0, HOUR) == 2
        assert await storage.pace.slots(db, [(limit,), (Limit("b", ()),)], 2000, 3000) == [Slot(2000), Slot(2000)]
        assert await storage.pace.mend(db, 0, HOUR) == 0


async def test_what_is_long_over_is_forgotten(store: Store) -> None:
    async with store.write() as db:
        await storage.pace.slots(db, [(Limit("old", ((1, 1000),)),), (Limit("new", ((1, 1000),)),)], 1000, 9000)
        await storage.pace.pause(db, [Limit("new", ())], 9000)
        assert await storage.pace.prune(db, 5000) == 1
        assert await storage.pace.slots(db, [(Limit("new", ((1, 1000),)),)], 5000, 9000) == [Slot(9000)]
