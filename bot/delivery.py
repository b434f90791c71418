"""Delivery: empties the outbox onto the platforms, at their pace, and says nothing twice that it can help."""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Any

import bot.observe
import bot.pace
import storage.deliveries
import storage.pace
from bot.edge import Edge, Finder, Retry, Undeliverable, Unsure
from bot.together import Together
from cards.card import Card, from_json
from storage.db import Store
from storage.deliveries import EXPIRED, EXPIRED_UNSURE, UNSURE, Again, Back, Outcome, Over, Row, Sent
from storage.pace import Lane, Limit

log = logging.getLogger("redfirst.delivery")

BATCH = 50
AT_ONCE = 10
"""Messages that one process posts to a platform at the same time: of so many nobody knows what became of them when it
falls, and no platform takes more than fifty a second."""
LEASE = 120
"""Seconds a claim is good for; a process that falls gives its messages back after that."""
SETTLE = 30.0
"""Seconds in which what was on its way to a platform has arrived there, or never will."""
MARGIN = 60
"""Seconds of a lease in which no new post is begun: longer than a post takes, and what it sent to arrive."""
AHEAD = 3.0
"""Seconds by which messages are claimed before their turn; longer than the outbox goes unread."""
LATE = 20
"""Milliseconds by which a call may be late for its turn, and others not be too close behind it."""
SWEEP = 5.0
"""Seconds between looks for what other processes let fall, and for what is too late to be said."""
WATCH = 60.0
"""Seconds between the rounds of whoever watches over the deliveries."""
DOUBTS = 12
"""How often a message is looked for, or put in its place, before a person is asked."""
SILENT = 60.0
"""Seconds after which an outbox that is not being read needs somebody else to read it."""
ATTEMPTS = 100
"""How often a message is tried that a platform does not take for the time being: for about a day."""
LONGEST_WAIT = 900.0
SECOND_LOOK = 600
"""Seconds after which a message that may have been posted again is looked for once more: the first may come late."""

HELD = (
    f"{UNSURE} It was not sent again, so that nobody reads it twice. Look into the conversation, then "
    "`redfirst outbox retry` where it is missing, `redfirst outbox cancel` where it is there."
)
GAVE_UP = "Not sent: all attempts failed. When the platform is well, `redfirst outbox retry`."

Limits = Callable[[Row], tuple[Limit, ...]]
Begun = tuple[Row, int]
"""A message with its newest card, and the millisecond of its turn."""


class Delivery:
    """Claims what is due, posts it and writes down what happened; `kick()` when something was added.

    `limits` says what a message counts against, `chance` spreads retries. `settle` and `hurry` (how many seconds of
    `clock` pass in one of ours) are for those who have no time.
    """

    def __init__(
        self,
        store: Store,
        edges: Mapping[str, Edge],
        clock: Callable[[], datetime],
        *,
        chance: Random | None = None,
        limits: Limits = bot.pace.limits,
        settle: float = SETTLE,
        hurry: float = 1.0,
    ) -> None:
        self._store = store
        self._edges = edges
        self._clock = clock
        self._chance = chance or Random()
        self._limits = limits
        self._settle_for = settle
        self._hurry = hurry
        self._resting: dict[tuple[str, bool], float] = {}  # (platform, whether updates) → milliseconds
        self._asked: dict[tuple[str, bool], float] = {}  # the same, but for what the platform asked for
        self._failures: dict[str, int] = {}
        self._called: dict[str, Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._posting = {name: asyncio.Semaphore(AT_ONCE) for name in edges}
        self._beginning: Together[tuple[Row, tuple[Limit, ...], int], Begun | Outcome] = Together(self._begin)
        self._settling: Together[tuple[Row, Outcome], None] = Together(self._settle)
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []
        self._read_at = -math.inf

    def kick(self) -> None:
        """Looks into the outbox now, not within the second."""
        self._wake.set()

    async def start(self, watch: Callable[[], Awaitable[object]] | None = None) -> None:
        """Begins to deliver; `watch` is called every minute, whatever it raises."""
        self._read_at = asyncio.get_running_loop().time()
        self._loops = [asyncio.create_task(self._run(), name="delivery")]
        if watch is not None:
            self._loops.append(asyncio.create_task(self._watched(watch), name="delivery's watch"))

    async def revive(self) -> bool:
        """Wakes the reading of the outbox; begins it anew, and returns True, where it has not been read for long."""
        self.kick()
        silent = asyncio.get_running_loop().time() - self._read_at
        if self._stopping.is_set() or not self._loops or silent < SILENT / self._hurry:
            return False
        self._loops[0].cancel()
        self._loops[0] = asyncio.create_task(self._run(), name="delivery")
        return True

    async def stop(self) -> None:
        """Ends posts that have begun, gives back what has not, and returns."""
        self._stopping.set()
        self._wake.set()
        for loop in self._loops:
            await loop
        while self._tasks:
            await asyncio.wait(self._tasks)

    def resting(self, platform: str) -> bool:
        """Whether the platform asked to wait, or its limits are used up."""
        return any(self._resting.get((platform, update), 0.0) > self._now_ms() for update in (False, True))

    # Claiming

    async def _run(self) -> None:
        swept = -math.inf
        while not self._stopping.is_set():
            self._wake.clear()
            full = False
            try:
                now = asyncio.get_running_loop().time()
                if now - swept >= SWEEP / self._hurry:
                    await self._sweep()
                    swept = now
                full = await self._claim()
                self._read_at = now
            except Exception:
                log.exception("the outbox could not be read")
            if full:
                continue
            try:
                await asyncio.wait_for(self._wake.wait(), 1.0 / self._hurry)
            except TimeoutError:
                continue

    async def _watched(self, watch: Callable[[], Awaitable[object]]) -> None:
        while not self._stopping.is_set():
            await self._sleep(WATCH)
            if not self._stopping.is_set():
                try:
                    await watch()
                except Exception:
                    log.exception("the watch over the deliveries failed")

    async def _sweep(self) -> None:
        async with self._store.brief() as db:
            now = self._now()
            fallen = await storage.deliveries.fallen(db, now)
            await storage.deliveries.expire(db, now)
        bot.observe.mended("lease", fallen)

    async def _claim(self) -> bool:
        """Takes what there is room for; True where there may be more and room for it."""
        room = BATCH - len(self._tasks)
        if room <= 0:
            return False
        async with self._store.brief() as db:
            # read here, as a transaction may have had to wait
            now, at = self._now(), self._now_ms()
            ready = [[p for p in self._edges if self._resting.get((p, u), 0.0) <= at] for u in (False, True)]
            rows = await storage.deliveries.claim(db, ready[0], ready[1], now, now + LEASE, room)
            if not rows:
                return False
            wishes = [self._limits(row) for row in rows]
            slots = await storage.pace.slots(db, wishes, at, at + round(1000 * AHEAD))
            later: list[tuple[Row, Outcome]] = []
            for row, slot in zip(rows, slots, strict=True):
                if slot.by is not None and slot.by.wide and not row.unsure:
                    lane = (row.platform, bool(row.reference))
                    self._resting[lane] = max(self._resting.get(lane, 0.0), slot.at - 500 * AHEAD)
                    later.append((row, Back(row.due_at)))  # keeps its place
                elif slot.by is not None:
                    later.append((row, Back(max(now + 1, slot.at // 1000))))
            await storage.deliveries.settle(db, later, now)
        for row, wish, slot in zip(rows, wishes, slots, strict=True):
            if slot.reserved:
                task = asyncio.create_task(self._deliver(row, wish, slot.at), name=f"outbox {row.id}")
                self._tasks.add(task)
                task.add_done_callback(self._done)
        return len(rows) == room and len(self._tasks) < BATCH

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if len(self._tasks) == BATCH - 1:
            self._wake.set()

    def _now(self) -> int:
        return int(self._clock().timestamp())

    def _now_ms(self) -> int:
        return int(self._clock().timestamp() * 1000)

    async def _sleep(self, seconds: float) -> None:
        """Sleeps for seconds of the clock, and wakes early when the process stops."""
        if seconds <= 0 or self._stopping.is_set():
            return
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds / self._hurry)
        except TimeoutError:
            return

    # One message

    async def _deliver(self, row: Row, limits: tuple[Limit, ...], at: int) -> None:
        try:
            await self._sleep((at - self._now_ms()) / 1000)
            async with self._posting[row.platform]:
                begun = await self._begun(row, limits, at)
                outcome = begun if isinstance(begun, Outcome) else await self._outcome(*begun, limits)
            await self._settling((row, outcome))
        except Exception:
            # the database refused: the lease runs out and the message is looked for before it is sent again
            log.exception("outbox %s: what happened could not be written down", row.id)

    async def _begun(self, row: Row, limits: tuple[Limit, ...], at: int) -> Begun | Outcome:
        """The message with its newest card, and when it may be posted; else what becomes of it."""
        if self._stopping.is_set():
            return Back(row.due_at)
        if row.expires_at is not None and row.expires_at <= self._now() and not row.reference:
            bot.observe.posted(row.platform, "expired")
            return Over("expired", EXPIRED_UNSURE if row.unsure else EXPIRED)
        return await self._beginning((row, limits, at))

    async def _begin(self, wanted: Sequence[tuple[Row, tuple[Limit, ...], int]]) -> list[Begun | Outcome]:
        """Marks messages as being posted; those that come late for their turn take another, and nobody calls too early
        where a process has been asked to wait."""
        found: list[Begun | Outcome] = [Back(row.due_at) for row, _, _ in wanted]
        turns = {place: at for place, (_, _, at) in enumerate(wanted)}
        async with self._store.brief() as db:
            now = self._now_ms()
            keys = {limit.key for _, limits, _ in wanted for limit in limits}
            paused = await storage.pace.paused(db, keys, now)
            for place, (row, limits, _) in enumerate(wanted):
                until = max((paused.get(limit.key, 0) for limit in limits), default=0)
                if until:
                    self._rest(row, until)
                    found[place] = Back(math.ceil(until / 1000))
                    del turns[place]
            late = [place for place, at in turns.items() if wanted[place][1] and now - at > LATE * self._hurry]
            unused = [one[1:] for place, one in enumerate(wanted) if one[1] and (place in late or place not in turns)]
            if unused:
                until = now + round(1000 * AHEAD)
                slots = await storage.pace.slots(db, [wanted[place][1] for place in late], now, until, unused)
                for place, slot in zip(late, slots, strict=True):
                    turns[place] = slot.at
                    if not slot.reserved:
                        del turns[place]
            rows = [wanted[place][0] for place in turns]
            begun = await storage.deliveries.begun(db, rows, self._now() + MARGIN) if rows else {}
        for place, at in turns.items():
            row = wanted[place][0]
            if row.id in begun:
                body, revision = begun[row.id]
                found[place] = replace(row, body=body, revision=revision), at
        return found

    async def _settle(self, outcomes: Sequence[tuple[Row, Outcome]]) -> list[None]:
        left = outcomes
        while left:
            async with self._store.brief() as db:
                left = await storage.deliveries.settle(db, left, self._now())
        return [None] * len(outcomes)

    async def _spaced(self, limits: tuple[Limit, ...], at: int) -> None:
        """Waits for the turn at `at`, and keeps the limits among the calls of this process where some were late."""
        now = self._now_ms()
        at = max(at, now)
        lanes = [(self._called.setdefault(limit.key, Lane()), limit) for limit in limits]
        for lane, limit in lanes:
            lane.forget(now - max(span for _, span in limit.windows))
        while (later := max((lane.earliest(limit.windows, at) for lane, limit in lanes), default=at)) > at:
            at = later
        for lane, _ in lanes:
            lane.take(at)
        if len(self._called) > 10_000:
            self._called.clear()
        await asyncio.sleep((at - now) / 1000 / self._hurry)

    async def _outcome(self, row: Row, at: int, limits: tuple[Limit, ...]) -> Outcome:
        await self._spaced(limits, at)
        until = self._asked.get((row.platform, bool(row.reference)), 0.0)
        if until > self._now_ms():  # the platform asked to wait while this one waited for its turn
            return Back(math.ceil(until / 1000))
        try:
            sent = await self._said(row)
        except Unsure as unsure:
            return self._doubtful(row, unsure.after)
        except Retry as retry:
            return await self._asked_to_wait(row, limits, retry.after)
        except Undeliverable as refusal:
            log.warning("outbox %s: %s", row.id, refusal)
            return self._over(row, "held" if str(refusal) == HELD else "failed", str(refusal))
        except Exception:
            mark = secrets.token_hex(4)
            log.exception("outbox %s: unexpected, reference %s", row.id, mark)
            return self._doubtful(row, 0.0)
        self._failures.pop(row.platform, None)
        bot.observe.posted(row.platform, "updated" if row.reference else "sent")
        return sent

    async def _said(self, row: Row) -> Sent:
        """Posts or updates the message, or finds that it has been posted. Raises what the edge raises."""
        edge, card = self._edges[row.platform], _card(row.body)
        if row.reference:
            await edge.update(row.recipient, row.reference, card, row.key)
            return Sent(row.reference, row.revision)
        if not row.unsure:
            return Sent(await edge.post(row.recipient, card, row.key), row.revision)
        if not isinstance(edge, Finder):
            raise Undeliverable(HELD)
        try:
            found = await edge.find(row.recipient, row.key)
        except Undeliverable as cannot_look:
            raise Undeliverable(HELD) from cannot_look
        if found is None:
            reference = await edge.post(row.recipient, card, row.key)
            return Sent(reference, row.revision, self._now() + SECOND_LOOK)
        # once revised, nobody knows which card was posted: the newest is put in its place
        known = 0 if row.revision == 0 else -1
        return Sent(found, known, self._now() + SECOND_LOOK if row.attempts > 2 else None)

    def _doubtful(self, row: Row, after: float) -> Outcome:
        """Nobody knows whether it arrived: an update is made again, a post looked for when it has had its time."""
        if not row.reference and not isinstance(self._edges[row.platform], Finder):
            return self._over(row, "held", HELD)
        if row.attempts >= DOUBTS:
            return self._over(row, *(("failed", GAVE_UP) if row.reference else ("held", HELD)))
        bot.observe.posted(row.platform, "again")
        wait = max(after, self._settle_for, min(2.0**row.attempts, LONGEST_WAIT))
        return Again(self._spread(wait), UNSURE, unsure=not row.reference)

    async def _asked_to_wait(self, row: Row, limits: tuple[Limit, ...], after: float) -> Outcome:
        """It was not carried out. What the platform asks of us it asks of all processes."""
        if row.attempts >= ATTEMPTS:
            return self._over(row, *(("held", HELD) if row.unsure else ("failed", GAVE_UP)))
        bot.observe.posted(row.platform, "again")
        if after > 0:
            until = self._now_ms() + math.ceil(1000 * after)
            self._rest(row, until)
            async with self._store.brief() as db:
                await storage.pace.pause(db, limits, until)
        else:  # nobody answered: this process alone goes easy
            failures = self._failures[row.platform] = min(self._failures.get(row.platform, 0) + 1, 5)
            self._rest(row, self._now_ms() + 1000 * self._chance.random() * 2.0**failures)
        backoff = min(2.0 ** min(row.attempts, 10), LONGEST_WAIT) if after <= 0 or row.attempts > 3 else 0.0
        problem = UNSURE if row.unsure else "The platform asked to wait."
        return Again(self._spread(max(after, backoff)), problem, row.unsure)

    def _rest(self, row: Row, until: float) -> None:
        lane = (row.platform, bool(row.reference))
        for known in (self._resting, self._asked):
            known[lane] = max(known.get(lane, 0.0), until)

    def _spread(self, wait: float) -> int:
        """When that wait is over, in UTC seconds: never before, and not for all at once."""
        spread = self._chance.random() * min(wait / 4, 30.0)
        return math.ceil(self._clock().timestamp() + wait + spread)

    def _over(self, row: Row, state: str, problem: str) -> Over:
        bot.observe.posted(row.platform, state)
        return Over(state, problem)


def _card(body: Any) -> Card:
    try:
        card = from_json(body)
    except (ValueError, TypeError) as error:
        raise Undeliverable("This version cannot read the message. Ask for it again.") from error
    if not isinstance(card, Card):
        raise Undeliverable("The message is not a card. Ask for it again.")
    return card
