"""The kill test: messages are added and revised while processes that deliver them are killed; then everything is
counted on the platforms."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from random import Random

import sqlalchemy

import bot.config
import storage.conversations
import storage.outbox
import storage.rules
from bot.auditor import Auditor
from bot.config import Config
from bot.delivery import HELD, SECOND_LOOK, SETTLE, Delivery
from cards.card import Card, Text, to_json
from storage.conversations import Conversation
from storage.db import Store
from storage.models import outbox
from tests.chaos import replica
from tests.chaos.platforms import BadSlack, BadTeams, Weather
from tests.chaos.replica import START, Clock
from tests.fakes.teams import APP, TENANT

ROOMS = 40
"""Channels and chats on each platform."""


@dataclass
class Counted:
    """What came of it. `very_late` messages landed after the time that any sender waits."""

    messages: int = 0
    kills: int = 0
    seconds: float = 0.0
    fates: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    """Nowhere on the platform, and nobody is told."""
    extra: list[str] = field(default_factory=list)
    """On the platform more than once, though nothing landed very late."""
    very_late: list[str] = field(default_factory=list)
    """On the platform twice because the first one landed very late."""
    unflagged: list[str] = field(default_factory=list)
    """The same, and the outbox does not say so."""
    stale: list[str] = field(default_factory=list)
    """Not the newest card."""
    held: int = 0
    needlessly_held: int = 0
    """Held although it never arrived: a person sends those."""


@dataclass
class Run:
    """`count` messages against `kills` kills of `replicas` processes, all from one seed."""

    url: str
    count: int
    kills: int
    replicas: int
    seed: int
    hurry: float = 20.0
    naive: bool = False

    async def run(self) -> Counted:
        """Starts everything, waits until every message has come to rest, and counts."""
        chance = Random(self.seed)
        weather = Weather(Random(self.seed + 1), self.hurry, SETTLE)
        slack, teams = BadSlack(weather), BadTeams(weather=weather)
        began = time.time()
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(slack.running())
            await stack.enter_async_context(teams.listening())
            store = Store(self.url)
            stack.push_async_callback(store.close)
            clock = Clock(began, self.hurry)
            await self._prepare(store, teams, clock)
            herd = _Herd(self, began, slack, teams)
            try:
                await asyncio.gather(self._say(store, clock, chance), herd.cull(Random(self.seed + 2)))
                await self._rest(store)
            finally:
                herd.end()
            while weather.tasks:
                await asyncio.wait(weather.tasks)
            if not self.naive:
                await self._look_again(store, slack, teams, began)
            found = Counted(self.count, self.kills, time.time() - began, weather.met)
            await self._count(store, slack, teams, found)
        return found

    async def _prepare(self, store: Store, teams: BadTeams, clock: Clock) -> None:
        async with store.write() as db:
            await storage.rules.ensure(db, bot.config.rules(Config()), START)
            for i in range(ROOMS):
                key, account = f"{TENANT}/a:{i}", f"teams:{TENANT}/{i}"
                chat = Conversation(key, "personal", teams.service_url, f"28:{APP}", account)
                await storage.conversations.save(db, chat, 1)

    async def _say(self, store: Store, clock: Clock, chance: Random) -> None:
        """Adds the messages bit by bit, and revises some of them: at once, soon, or when they have long been sent."""
        said: list[str] = []
        while len(said) < self.count or chance.random() < 0.8:
            async with store.write() as db:
                now = int(clock().timestamp())
                for _ in range(min(chance.randint(1, 40), self.count - len(said))):
                    key = f"k{len(said)}"
                    platform = chance.choice(("slack", "teams"))
                    room = chance.randrange(ROOMS)
                    recipient = {
                        "slack": f"C{room}" if room % 2 else f"slack:T1/U{room}",
                        "teams": f"{TENANT}/a:{room}" if room % 2 else f"teams:{TENANT}/{room}",
                    }[platform]
                    await storage.outbox.add(db, platform, recipient, _card(key, 0), key, now)
                    said.append(key)
                for key in chance.sample(said, min(4, len(said))):
                    await storage.outbox.revise(db, key, _card(key, now), now)
            await asyncio.sleep(chance.random() * 8 / self.hurry)

    async def _rest(self, store: Store) -> None:
        async with asyncio.timeout(300):
            while True:
                async with store.read() as db:
                    counts = await storage.outbox.counted(db)
                if not any(counts.get(state) for state in storage.outbox.OPEN):
                    return
                await asyncio.sleep(0.1)

    async def _look_again(self, store: Store, slack: BadSlack, teams: BadTeams, began: float) -> None:
        """What the auditor does some minutes later, in fair weather."""
        clock = Clock(began, self.hurry, 2 * SECOND_LOOK)
        edges = replica.edges(store, clock, asdict(slack.settings), asdict(teams.settings()))
        slack.weather.storm_lasts, slack.weather.chance = 0, _Fair()
        delivery = Delivery(store, edges, clock)

        async def nothing() -> int:
            return 0

        auditor = Auditor(store, storage.rules.InForce(), clock, delivery, edges, nothing)
        for edge in edges.values():
            await edge.start()
        while await self._unchecked(store):
            await auditor.round()
        for edge in edges.values():
            await edge.stop()

    async def _unchecked(self, store: Store) -> int:
        async with store.read() as db:
            waiting = sqlalchemy.select(sqlalchemy.func.count()).where(outbox.c.check_at.is_not(None))
            return int((await db.execute(waiting)).scalar_one())

    async def _count(self, store: Store, slack: BadSlack, teams: BadTeams, found: Counted) -> None:
        async with store.read() as db:
            rows = (await db.execute(sqlalchemy.select(outbox).where(outbox.c.key.like("k%")))).all()
        standing = {"slack": slack.standing(), "teams": teams.standing()}
        for row in rows:
            found.states[f"{row.platform} {row.state}"] += 1
            there = standing[row.platform].get(row.key, [])
            flagged = row.state == "held" and row.problem == HELD
            if not there and not flagged:
                found.lost.append(row.key)
            if flagged:
                found.held += 1
                found.needlessly_held += not there
            if len(there) > 1 and row.key not in slack.very_late:
                found.extra.append(row.key)
            elif len(there) > 1:
                found.very_late.append(row.key)
                if row.copies != len(there):
                    found.unflagged.append(row.key)
            elif there and row.state == "sent" and row.key not in slack.very_late:
                newest = f"{row.key} {row.body}"
                if there[0].split()[1] not in newest:
                    found.stale.append(row.key)
        if len(rows) != self.count:
            found.lost.append(f"{self.count - len(rows)} were never made")


class _Fair(Random):
    """Nothing happens to anybody."""

    def choices(self, population, *args, **kwargs):  # type: ignore[no-untyped-def]
        return [population[0]]


class _Herd:
    """The processes that deliver."""

    def __init__(self, run: Run, began: float, slack: BadSlack, teams: BadTeams) -> None:
        self._run = run
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.chaos.replica"])
        self._told = (run.url, began, run.hurry, asdict(slack.settings), asdict(teams.settings()))
        self._made = 0
        self._processes = [self._start() for _ in range(run.replicas)]

    def _start(self) -> multiprocessing.process.BaseProcess:
        self._made += 1
        process = self._context.Process(
            target=replica.main, args=(*self._told, self._run.seed + 10 * self._made, self._run.naive), daemon=True
        )
        process.start()
        return process

    async def cull(self, chance: Random) -> None:
        """Kills one after the other, and starts another in its place."""
        for _ in range(self._run.kills):
            await asyncio.sleep(chance.uniform(0.05, 0.45))
            place = chance.randrange(len(self._processes))
            self._kill(self._processes[place])
            self._processes[place] = self._start()

    def end(self) -> None:
        for process in self._processes:
            self._kill(process)

    def _kill(self, process: multiprocessing.process.BaseProcess) -> None:
        process.kill()
        process.join(10)
        process.close()


def _card(key: str, revision: int) -> object:
    return to_json(Card(key, (Text("Two reds."),), f"{key} revision-{revision}-"))
