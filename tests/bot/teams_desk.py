"""A Teams edge that runs against a fake of the platform, and a stand-in for the dispatcher that notes what it hears."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import storage.conversations
from bot.teams import TeamsEdge
from cards.card import Card, Text
from handlers.call import Call, Reply
from storage.db import Store
from tests.fakes.teams import FakeTeams, Posted, Served, migrated, recorded, served

CHAT = recorded("personal_message")["conversation"]["id"]
CHANNEL = "19:253b1f341670408fb6fe51050b6e5ceb@thread.tacv2"
THREAD = f"{CHANNEL};messageid=1777885962004"
SCORE = Card("Your score", (Text("Red: CSAT 72 %"),), "Your score: one red")
ADAPTIVE = "application/vnd.microsoft.card.adaptive"
WORDS = "application/vnd.microsoft.activity.message"


class Desk:
    """Stands where the dispatcher stands: drops a key it has seen, else gives the reply that was set."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.reply = Reply.card(SCORE)
        self.takes = 0.0

    async def __call__(self, call: Call) -> Reply:
        known = any(call.key == earlier.key for earlier in self.calls)
        self.calls.append(call)
        await asyncio.sleep(self.takes)
        return Reply() if known else self.reply


@pytest.fixture
async def fake() -> AsyncIterator[FakeTeams]:
    async with FakeTeams().listening() as fake:
        yield fake
        assert fake.problems == []


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await migrated(tmp_path / "teams.db")
    yield store
    await store.close()


@pytest.fixture
async def desk() -> Desk:
    return Desk()


@pytest.fixture
async def teams(fake: FakeTeams, desk: Desk, store: Store) -> AsyncIterator[Served]:
    async with served(fake, TeamsEdge(fake.settings(), desk, store)) as running:
        yield running


async def say(teams: Served, name: str, /, **changes: Any) -> tuple[int, Any]:
    return await teams.send(teams.fake.activity(name, **changes))


async def known(store: Store, key: str) -> storage.conversations.Conversation | None:
    async with store.read() as db:
        return await storage.conversations.get(db, key)


def titles(posted: Posted) -> list[str]:
    return [card["body"][0]["text"] for card in posted.cards]
