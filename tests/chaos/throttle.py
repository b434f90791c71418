"""How much of what a platform allows is used, and whether anybody calls while told to wait: several replicas, one after
another strict platform."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from random import Random

import storage.outbox
from bot.delivery import Delivery
from bot.edge import Retry
from cards.card import Card, Text, to_json
from storage.db import Store
from tests.chaos.replica import START, Clock
from tests.fakes import limits
from tests.fakes.limits import Limiter, Windows

GRACE = 0.25
"""Seconds in which a call that was on its way may still arrive after a refusal."""


@dataclass
class Strict:
    """An edge whose platform enforces its published limits."""

    name: str
    limiter: Limiter
    hurry: float
    wide: Windows
    narrow: Windows
    awaited: int
    posted: list[tuple[float, str]] = field(default_factory=list)
    first: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        """Nothing to connect."""

    async def stop(self) -> None:
        """Nothing to close."""

    async def post(self, recipient: str, card: Card, key: str) -> str:
        await self._call(recipient, self.wide, (recipient, self.narrow))
        self.posted.append((self.limiter.clock(), recipient))
        self.first.set()
        if len(self.posted) >= self.awaited:
            self.done.set()
        return key

    async def update(self, recipient: str, reference: str, card: Card, key: str) -> None:
        await self._call(recipient, limits.SLACK_TIER_3)

    async def _call(self, recipient: str, wide: Windows, *more: tuple[str, Windows]) -> None:
        await asyncio.sleep(0.02 / self.hurry)
        wait = self.limiter.admit((f"everything {len(wide)} {wide[0]}", wide), *more)
        if wait:
            raise Retry(float(wait))


def strict(platform: str, clock: Clock, hurry: float, awaited: int) -> Strict:
    """Slack or Teams as they publish it."""
    limiter = Limiter(lambda: clock().timestamp(), GRACE * hurry)
    if platform == "slack":
        return Strict(platform, limiter, hurry, limits.SLACK_WORKSPACE, limits.SLACK_CHANNEL, awaited)
    return Strict(platform, limiter, hurry, limits.TEAMS_TENANT, limits.TEAMS_CONVERSATION, awaited)


@dataclass(frozen=True)
class Used:
    """Messages taken within `seconds` of the platform's clock, and those it would have taken at most."""

    taken: int
    allowed: int
    seconds: float
    refused: int
    early: int

    @property
    def share(self) -> float:
        return self.taken / self.allowed


async def run(
    store: Store,
    platform: str,
    recipients: Sequence[str],
    seconds: float,
    *,
    replicas: int = 2,
    hurry: float = 1.0,
    storm: tuple[float, int] | None = None,
) -> Used:
    """A message to each recipient, due at once, and what was taken of them within so many seconds from the first.

    `storm` is (after, lasting) in seconds: a time in which the platform takes nothing.
    """
    clock = Clock(time.time(), hurry)
    edge = strict(platform, clock, hurry, len(recipients))
    card = to_json(Card("Hello", (Text("Hello."),), "Hello."))
    async with store.write() as db:
        for i, recipient in enumerate(recipients):
            await storage.outbox.add(db, platform, recipient, card, f"k{i}", int(START.timestamp()))
    async with AsyncExitStack() as stack:
        for number in range(replicas):
            delivery = Delivery(store, {platform: edge}, clock, chance=Random(number), hurry=hurry)
            await delivery.start()
            stack.push_async_callback(delivery.stop)
        await edge.first.wait()
        if storm is not None:
            await asyncio.sleep(storm[0] / hurry)
            edge.limiter.close(f"everything {len(edge.wide)} {edge.wide[0]}", storm[1])
        first = edge.posted[0][0]
        with suppress(TimeoutError):
            await asyncio.wait_for(edge.done.wait(), (seconds - clock().timestamp() + first) / hurry)
    taken = [recipient for at, recipient in edge.posted if at - first < seconds]
    allowed = _allowed(edge, recipients, seconds)
    return Used(len(taken), allowed, seconds, edge.limiter.refused, edge.limiter.early)


def _allowed(edge: Strict, recipients: Sequence[str], seconds: float) -> int:
    """What a platform takes at most in that time, counted by asking it at every hundredth of a second."""
    now = [0.0]
    limiter = Limiter(lambda: now[0])
    left = list(recipients)
    taken = 0
    while now[0] < seconds and left:
        closed: set[str] = set()
        for recipient in list(left):
            if recipient in closed:
                continue
            limiter._closed.clear()
            if limiter.admit(("everything", edge.wide), (recipient, edge.narrow)):
                closed.add(recipient)
                if len(closed) > 20:
                    break
                continue
            left.remove(recipient)
            taken += 1
        now[0] += 0.01
    return taken
