"""One process that delivers, until it is killed: the product's own delivery and edges, or a naive sender."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import storage.deliveries
from bot.config import Slack, Teams
from bot.delivery import BATCH, LEASE, Delivery
from bot.edge import Edge
from bot.slack import SlackEdge
from bot.teams import TeamsEdge
from cards.card import Card, from_json
from handlers.call import Call, Reply
from storage.db import Store
from storage.deliveries import Again, Outcome, Row, Sent

START = datetime(2026, 8, 5, 9, 0, tzinfo=UTC)


class Clock:
    """Runs `hurry` times as fast as the world, the same in every process that knows `zero` (of time.time)."""

    def __init__(self, zero: float, hurry: float, ahead: float = 0.0) -> None:
        self._zero, self._hurry, self._ahead = zero, hurry, ahead

    def __call__(self) -> datetime:
        return START + timedelta(seconds=(time.time() - self._zero) * self._hurry + self._ahead)


async def nobody(call: Call) -> Reply:
    raise AssertionError(call)


def edges(store: Store, clock: Clock, slack: dict[str, Any], teams: dict[str, Any]) -> dict[str, Edge]:
    """The product's own."""
    return {
        "slack": SlackEdge(Slack(**slack), nobody, command_names={}, clock=clock),
        "teams": TeamsEdge(Teams(**teams), nobody, store, clock=clock),
    }


def main(
    url: str, zero: float, hurry: float, slack: dict[str, Any], teams: dict[str, Any], seed: int, naive: bool
) -> None:
    """Never returns."""
    logging.disable(logging.CRITICAL)
    os.setpgrp()  # an interrupt at the keyboard ends the one above, and that one ends us
    asyncio.run(_deliver(url, zero, hurry, slack, teams, seed, naive))


async def _deliver(
    url: str, zero: float, hurry: float, slack: dict[str, Any], teams: dict[str, Any], seed: int, naive: bool
) -> None:
    store, clock = Store(url), Clock(zero, hurry)
    found = edges(store, clock, slack, teams)
    for edge in found.values():
        await edge.start()
    if naive:
        await _naive(store, found, clock, hurry)
    await Delivery(store, found, clock, chance=Random(seed), hurry=hurry).start()
    await asyncio.Event().wait()


async def _naive(store: Store, found: dict[str, Edge], clock: Clock, hurry: float) -> None:
    """Claims, posts, marks; what failed or was let fall it posts again: what one writes first."""
    while True:
        now = int(clock().timestamp())
        async with store.write() as db:
            await storage.deliveries.fallen(db, now)
            rows = await storage.deliveries.claim(db, list(found), list(found), now, now + LEASE, BATCH)
        outcomes = await asyncio.gather(*(_post(found[row.platform], row, now) for row in rows))
        async with store.write() as db:
            await storage.deliveries.settle(db, list(zip(rows, outcomes, strict=True)), now)
        await asyncio.sleep(1 / hurry)


async def _post(edge: Edge, row: Row, now: int) -> Outcome:
    card = from_json(row.body)
    try:
        if not isinstance(card, Card):
            raise TypeError
        if row.reference:
            await edge.update(row.recipient, row.reference, card, row.key)
            return Sent(row.reference, row.revision)
        return Sent(await edge.post(row.recipient, card, row.key), row.revision)
    except Exception:  # noqa: BLE001 - that is the point of it
        return Again(now + 5, "failed")
