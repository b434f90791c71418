"""A platform that does what the test says, a clock to move, and what became of each message in the outbox."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import sqlalchemy

import storage.outbox
from bot.delivery import ATTEMPTS, Delivery
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


def wide(row: Row) -> tuple[Limit, ...]:
    return (Limit("everything", ((100, 1000),), wide=True),)


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
