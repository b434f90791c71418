"""A desk of teams and nothing else, for the tests of the timetable; run as a program, a replica that can be killed."""

from __future__ import annotations

import asyncio
import json
import sys
import tomllib
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, text

import bot.config
import storage.outbox
import storage.rules
from bot.config import Config
from bot.scheduler import Timekeeper
from handlers.call import Ctx
from handlers.timetable import Maker
from scoring.people import OFFICE
from scoring.schedules import Due
from storage.db import Store
from storage.models import team
from storage.people_file import hours_json

SUNDAY = datetime(2026, 8, 2, 12, tzinfo=UTC)
MONDAY = datetime(2026, 8, 3, 8, 30, tzinfo=UTC)
"""When every lead's digest is due: all teams live by UTC."""


async def build(store: Store, teams: int, words: str = "", now: datetime = SUNDAY) -> None:
    """Rules with these words of redfirst.toml, and so many teams."""
    rows = [
        {"key": f"t{i}", "name": f"Team {i}", "zone": "UTC", "hours": hours_json(OFFICE), "holidays": "[]"}
        for i in range(1, teams + 1)
    ]
    async with store.write() as db:
        await storage.rules.ensure(db, bot.config.rules(Config(parsed=tomllib.loads(words))), now)
        await db.execute(insert(team), rows)


async def apply(store: Store, words: str, now: datetime) -> None:
    """Puts other rules in force."""
    async with store.write() as db:
        after = await storage.rules.version(db)
        body = bot.config.rules(Config(parsed=tomllib.loads(words)))
        await storage.rules.store(db, body, "test", now, after=after)


async def say(ctx: Ctx, due: Due) -> None:
    """Says something under a key of its own, so that a second time would be seen."""
    late = " late" if due.verdict == "make_late" else ""
    key = f"{due.schedule.key} {due.stands_for}{late} {uuid.uuid4().hex}"
    await storage.outbox.add(ctx.db, "demo", "demo:1", {}, key, int(ctx.now.timestamp()))


@dataclass
class Clockwork:
    """One replica with its own clock, and what is to be seen in the database."""

    store: Store
    makers: Mapping[str, Maker] = field(default_factory=lambda: {"lead_digest": say})
    now: datetime = SUNDAY
    kicked: int = 0
    patience: float = 30.0

    def __post_init__(self) -> None:
        self.rules = storage.rules.InForce(0.0)
        self.keeper = Timekeeper(
            self.store, self.rules, lambda: self.now, self._kick, self.makers, patience=self.patience
        )

    def _kick(self) -> None:
        self.kicked += 1

    async def at(self, when: datetime) -> int:
        """Looks at the timetable at an instant."""
        self.now = when
        return await self.keeper.turn()

    async def rows(self, sql: str, **values: object) -> list[Any]:
        async with self.store.read() as db:
            return list(await db.execute(text(sql), values))

    async def ledger(self) -> list[tuple[str, str, str]]:
        """(schedule, due, state) of everything in the ledger."""
        return [tuple(r) for r in await self.rows("SELECT schedule, due, state FROM run ORDER BY schedule, due")]

    async def said(self) -> Counter[str]:
        """How often each thing was said: "lead_digest/team:1 2026-08-03"."""
        return Counter(row[0].rpartition(" ")[0] for row in await self.rows("SELECT key FROM outbox"))


def every(teams: int, day: str = "2026-08-03", more: str = "") -> Counter[str]:
    """What must have been said: once to every team."""
    return Counter(f"lead_digest/team:{i} {day}{more}" for i in range(1, teams + 1))


async def _replica(url: str, ahead: float) -> None:
    """Makes what is due again and again, one thing after the other with a breath between, until it is killed."""

    async def slowly(ctx: Ctx, due: Due) -> None:
        await say(ctx, due)
        await asyncio.sleep(0.002)

    store = Store(url)
    replica = Clockwork(store, {"lead_digest": slowly}, now=MONDAY + timedelta(seconds=ahead))
    print(json.dumps({"ready": True}), flush=True)
    while True:
        await replica.keeper.turn()
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    asyncio.run(_replica(sys.argv[1], float(sys.argv[2])))
