"""The same question through Teams, against a turn that posts one fixed reply; both check tokens and call back."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

import bot.app
from bot.config import Config, Teams
from bot.teams import TeamsEdge
from cards.card import Card, Text
from handlers.call import Call, Reply
from storage.db import Store
from tests.benchmarks import desk, rounds, serving
from tests.benchmarks.myscore_slack import behind, clock, listening
from tests.benchmarks.rounds import Measured
from tests.benchmarks.serving import Request
from tests.fakes import teams

PATH = "/api/messages"
FIXED = Reply.card(Card("Hello", (Text("Good to see you."),), "Good to see you."))
_NEW = itertools.count()


class Connector(teams.FakeTeams):
    """Teams that takes what it is given: whether cards are valid is not what is measured here."""

    def _look(self, activity: Mapping[str, Any]) -> None:
        pass


@asynccontextmanager
async def redfirst(path: str, late: float, settings: Teams) -> AsyncIterator[int]:
    """The product as it is started for Teams."""
    running = await bot.app.start(Config(database_url=f"sqlite:///{path}", port=0, teams=settings), clock(late))
    bot.app.settle()
    try:
        yield running.port
    finally:
        await running.stop()


@asynccontextmanager
async def fixed(folder: str, late: float, settings: Teams) -> AsyncIterator[int]:
    """The edge alone, which verifies and reads as ever and posts the same small card to everybody."""
    store = await teams.migrated(Path(folder) / "fixed.db")

    async def answer(_call: Call) -> Reply:
        return FIXED

    edge = TeamsEdge(settings, answer, store, clock=clock(late))
    try:
        async with _mounted(edge, store) as port:
            yield port
    finally:
        await store.close()


@asynccontextmanager
async def _mounted(edge: TeamsEdge, store: Store) -> AsyncIterator[int]:
    app = web.Application(client_max_size=1024 * 1024)
    edge.mount(app)
    await edge.start()
    try:
        async with listening(app) as port:
            yield port
    finally:
        await edge.stop()


def requests(fake: teams.FakeTeams) -> Callable[[int], Sequence[Request]]:
    """Makes turns of everybody in turn, in their own chats, each activity with an id of its own."""
    bearer = fake.bearer()

    def make(count: int) -> Sequence[Request]:
        made = []
        for number in desk.asking(count):
            activity = fake.activity("personal_message", id=f"turn-{next(_NEW)}", text="myscore")
            activity["from"] = {"id": f"29:{number}", "aadObjectId": desk.teams_user(number)}
            activity["conversation"] = {**activity["conversation"], "id": f"a:chat-{number}"}
            headers = {"Content-Type": "application/json", "Authorization": bearer}
            made.append(Request(PATH, headers, json.dumps(activity).encode()))
        return made

    return make


async def measure(count: int, requests_a_round: int, tickets: int) -> list[Measured]:
    late = behind()
    fake = Connector()
    with desk.copied(await desk.database(tickets)) as path:
        async with fake.listening():
            settings, made = fake.settings(), requests(fake)
            async with (
                serving.server(redfirst, str(path), late, settings, requests=made) as ours,
                serving.server(fixed, str(path.parent), late, settings, requests=made) as floor,
            ):
                await ours.ask(made(1)[0])
                if "Your scorecard" not in json.dumps(fake.posted[-1].activity):
                    raise RuntimeError("the answer is not the scorecard")
                pairs = await serving.ratios(ours, floor, requests_a_round, count)
                ratio, detail = await serving.tail(ours, requests_a_round, count)
    return [
        Measured(
            "Teams: CPU of myscore ÷ a turn with a fixed reply",
            rounds.median_ratio(pairs),
            6.0,
            "at most",
            serving.spelt(pairs),
        ),
        Measured("Teams: p99 ÷ p50 of myscore at 20 % of capacity", ratio, 3.0, "at most", detail),
    ]


def run(count: int = rounds.ROUNDS, requests_a_round: int = 300, tickets: int = 1_000_000) -> list[Measured]:
    """Two ratios: against the floor, and tail against median."""
    return asyncio.run(measure(count, requests_a_round, tickets))
