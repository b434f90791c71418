"""Delivery: empties the outbox onto the platforms, at their pace, and says nothing twice that it can help."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Protocol, runtime_checkable

import bot.observe
import storage.outbox
from bot.edge import Edge, Retry, Undeliverable, Unsure
from cards.card import Card, from_json
from storage.db import Store
from storage.outbox import Row

log = logging.getLogger("redfirst.delivery")

BATCH = 50
LEASE = 120
"""Seconds a claim is good for; a process that falls gives its messages back after that."""
MARGIN = 45
"""Seconds of a lease in which no new post is begun: longer than a post can take."""
PATIENCE = 5.0
"""Seconds a claimed message waits for its channel; what would wait longer is given back."""
ATTEMPTS = 12
LONGEST_WAIT = 900.0

HELD = (
    f"{storage.outbox.UNSURE} It was not sent again, so that nobody reads it twice. "
    "Look into the conversation, and ask for it again where it is missing."
)
GAVE_UP = f"Not sent: {ATTEMPTS} attempts failed. Ask for it again when the platform is well."


@runtime_checkable
class Finder(Protocol):
    """An edge that can tell whether a message was posted."""

    async def find(self, recipient: str, key: str) -> str | None:
        """The reference of the message posted under `key`, None where there is none.

        Raises Retry when asked to wait, Undeliverable when it cannot look.
        """


@dataclass(slots=True)
class _Channel:
    """One conversation of a platform: who posts into it waits in line."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
    free_at: float = 0.0  # time of the event loop


class Delivery:
    """Claims what is due, posts it and writes down what happened; `kick()` when something was added.

    `spacing` is the least time in seconds between two messages into one conversation; `chance` spreads retries.
    """

    def __init__(
        self,
        store: Store,
        edges: Mapping[str, Edge],
        clock: Callable[[], datetime],
        *,
        chance: Random | None = None,
        spacing: float = 1.0,
    ) -> None:
        self._store = store
        self._edges = edges
        self._clock = clock
        self._chance = chance or Random()
        self._spacing = spacing
        self._channels: dict[tuple[str, str], _Channel] = {}
        self._paused: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    def kick(self) -> None:
        """Looks into the outbox now, not within the second."""
        self._wake.set()

    async def start(self) -> None:
        self._loop = asyncio.create_task(self._run(), name="delivery")

    async def stop(self) -> None:
        """Ends posts that have begun, gives back what has not, and returns."""
        self._stopping.set()
        self._wake.set()
        if self._loop is not None:
            await self._loop
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                full = await self._claim()
            except Exception:
                log.exception("the outbox could not be read")
                full = False
            if full:
                continue
            try:
                await asyncio.wait_for(self._wake.wait(), 1.0)
            except TimeoutError:
                continue

    async def _claim(self) -> bool:
        """Takes what there is room for; True where there may be more and room for it."""
        loop = asyncio.get_running_loop()
        room = BATCH - len(self._tasks)
        ready = [p for p in self._edges if self._paused.get(p, 0.0) <= loop.time()]
        if room <= 0 or not ready:
            return False
        async with self._store.write() as db:
            began, now = loop.time(), self._now()  # read here, as a transaction may have had to wait
            rows = await storage.outbox.claim(db, ready, now, now + LEASE, room)
        for row in rows:
            task = asyncio.create_task(self._deliver(row, began), name=f"outbox {row.id}")
            self._tasks.add(task)
            task.add_done_callback(self._done)
        if len(self._channels) > 1000:
            self._channels = {k: c for k, c in self._channels.items() if c.waiting or c.free_at > began}
        return len(rows) == room and len(self._tasks) < BATCH

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if len(self._tasks) == BATCH - 1:
            self._wake.set()

    def _now(self) -> int:
        return int(self._clock().timestamp())

    async def _deliver(self, row: Row, began: float) -> None:
        channel = self._channels.setdefault((row.platform, row.recipient), _Channel())
        ahead = channel.waiting
        channel.waiting += 1
        try:
            if ahead * self._spacing > PATIENCE:
                await self._back(row, ahead * self._spacing)
                return
            async with channel.lock:
                await self._in_turn(row, channel, began)
        except Exception:
            # the database refused: the lease runs out and the message is looked for before it is sent again
            log.exception("outbox %s: what happened could not be written down", row.id)
        finally:
            channel.waiting -= 1

    async def _in_turn(self, row: Row, channel: _Channel, began: float) -> None:
        loop = asyncio.get_running_loop()
        wait = max(channel.free_at, self._paused.get(row.platform, 0.0)) - loop.time()
        if 0 < wait <= PATIENCE:
            await self._sleep(wait)
        if self._stopping.is_set() or wait > PATIENCE or loop.time() - began > LEASE - MARGIN:
            await self._back(row, max(wait, 0.0))
            return
        await self._post(row)
        channel.free_at = loop.time() + self._spacing

    async def _sleep(self, seconds: float) -> None:
        """Sleeps, and wakes early when the process stops."""
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    async def _back(self, row: Row, wait: float) -> None:
        async with self._store.write() as db:
            await storage.outbox.back(db, row, self._now() + int(wait))

    async def _post(self, row: Row) -> None:
        try:
            reference = await self._said(row)
        except Unsure as unsure:
            await self._later(row, unsure.after, storage.outbox.UNSURE)
        except Retry as retry:
            self._paused[row.platform] = asyncio.get_running_loop().time() + retry.after
            problem = storage.outbox.UNSURE if row.unsure else "The platform asked to wait."
            await self._later(row, retry.after, problem)
        except Undeliverable as refusal:
            log.warning("outbox %s: %s", row.id, refusal)
            await self._fail(row, str(refusal))
        except Exception:
            mark = secrets.token_hex(4)
            log.exception("outbox %s: unexpected, reference %s", row.id, mark)
            await self._later(row, 0.0, storage.outbox.UNSURE)
        else:
            async with self._store.write() as db:
                await storage.outbox.sent(db, row, reference)
            bot.observe.posted(row.platform, "sent")

    async def _said(self, row: Row) -> str:
        """Posts the message, or finds that it has been posted. Raises what the edge raises."""
        edge = self._edges[row.platform]
        try:
            card = from_json(row.body)
        except (ValueError, TypeError) as error:
            raise Undeliverable("This version cannot read the message. Ask for it again.") from error
        if not isinstance(card, Card):
            raise Undeliverable("The message is not a card. Ask for it again.")
        if row.unsure:
            if not isinstance(edge, Finder):
                raise Undeliverable(HELD)
            try:
                found = await edge.find(row.recipient, row.key)
            except Undeliverable as cannot_look:
                raise Undeliverable(HELD) from cannot_look
            if found is not None:
                return found
        return await edge.post(row.recipient, card, row.key)

    async def _later(self, row: Row, after: float, problem: str) -> None:
        if row.attempts >= ATTEMPTS:
            await self._fail(row, HELD if problem == storage.outbox.UNSURE else GAVE_UP)
            return
        wait = max(after, min(2.0**row.attempts, LONGEST_WAIT)) * (1 + self._chance.random() / 4)
        async with self._store.write() as db:
            await storage.outbox.again(db, row, self._now() + max(1, round(wait)), problem)
        bot.observe.posted(row.platform, "again")

    async def _fail(self, row: Row, problem: str) -> None:
        async with self._store.write() as db:
            await storage.outbox.failed(db, row, problem)
        bot.observe.posted(row.platform, "failed")
