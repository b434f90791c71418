"""Digests for 200 teams of 25 people, made and in the outbox, in processor time."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import polars as pl
from sqlalchemy import insert, update

import bot.config
import handlers.digests
import handlers.makers
import scoring.periods
import scoring.rulebook
import storage.loads
import storage.outbox
import storage.rollups
import storage.rules
import storage.schema
from bot.config import Config
from bot.scheduler import REDFIRST
from handlers.call import Ctx
from scoring.rules import Rules
from scoring.schedules import Due, Schedule
from scoring.working_hours import OFFICE
from storage.db import Db, Store
from storage.models import account, membership, metric, outbox, person, team
from storage.people_file import hours_json
from tests.benchmarks import desk
from tests.benchmarks.rounds import Measured

TEAMS, SIZE, WEEKS = 200, 25, 17
MINUTE = 60.0
_BATCH = 200_000


def run(count: int = 3, teams: int = TEAMS) -> list[Measured]:
    """One ratio: seconds of processor time for the channel's and the lead's digest of each team, to one minute."""
    return [asyncio.run(_measure(max(1, min(count, 3)), teams))]


async def _measure(count: int, teams: int) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{Path(folder) / 'desk.db'}")
        await storage.schema.upgrade(store)
        rules = scoring.rulebook.read(bot.config.rules(Config()), version=1)
        async with store.write() as db:
            await storage.rules.ensure(db, bot.config.rules(Config()), desk.NOW)
            await _people(db, teams)
            ids = await storage.rollups.sync_metrics(db, rules.metrics)
            number = await storage.loads.begin(db, "desk", "export.csv", "0" * 64, int(desk.NOW.timestamp()))
            as_of = int(desk.NOW.timestamp()) - 3600
            done = storage.loads.Progress(1, 0, as_of, as_of)
            await storage.loads.finish(db, number, done, int(desk.NOW.timestamp()))
        frame = _rollups(rules, ids, teams)
        for start in range(0, len(frame), _BATCH):
            async with store.write() as db:
                await storage.rollups.apply(db, frame[start : start + _BATCH])
        async with store.write() as db:
            await db.execute(update(metric).values(connected=True))
        taken = [await _made(store, teams, number) for number in range(count)]
        async with store.read() as db:
            said = len(list(await db.execute(outbox.select().with_only_columns(outbox.c.id))))
        await store.close()
    if said != 2 * teams * count:
        raise AssertionError(f"{said} digests were made")
    seconds = statistics.median(taken) * TEAMS / teams
    detail = f"{seconds:.1f} s for {TEAMS} teams of {SIZE}, {2 * TEAMS} messages"
    return Measured("digests for 200 teams ÷ one minute of processor time", seconds / MINUTE, 1.0, "at most", detail)


async def _made(store: Store, teams: int, number: int) -> float:
    """Processor seconds of making and keeping all digests of a Monday, a transaction a team."""
    rules = storage.rules.InForce()
    at = int(desk.NOW.timestamp())
    began = time.process_time()
    for one in range(1, teams + 1):
        for maker in ("team_digest", "lead_digest"):
            to = f"slack:C{one}" if maker == "team_digest" else ""
            schedule = Schedule(f"{maker}/team:{one}", maker, f"team:{one}", "UTC", "weekly", to=to)
            async with store.write() as db:
                ctx = Ctx(db, REDFIRST, desk.NOW, await rules.get(db, desk.NOW))
                await handlers.makers.MAKERS[maker](ctx, Due(schedule, at + number, desk.TODAY, "make"))
    return time.process_time() - began


async def _people(db: Db, teams: int) -> None:
    settings = {"zone": "UTC", "hours": hours_json(OFFICE), "holidays": "[]"}
    numbers = range(1, teams * SIZE + 1)
    listed = [{"id": n, "key": f"team-{n}", "name": f"Team {n}", **settings} for n in range(1, teams + 1)]
    await db.execute(insert(team), listed)
    await db.execute(
        insert(person), [{"id": n, "key": f"p{n}", "name": f"Person {n:04}", "zone": "UTC"} for n in numbers]
    )
    await db.execute(insert(membership), [_member(n) for n in numbers])
    await db.execute(
        insert(account), [{"key": f"slack:T1/U{n}", "person_id": n, "state": "linked"} for n in numbers]
    )


def _member(number: int) -> dict[str, object]:
    leads = (number - 1) % SIZE == 0
    return {
        "person_id": number,
        "team_id": (number - 1) // SIZE + 1,
        "role": "lead" if leads else "technician",
        "tier": None if leads else 1 + number % 2,
        "manager_id": None if leads else (number - 1) // SIZE * SIZE + 1,
        "from_day": desk.FIRST - 30,
    }


def _rollups(rules: Rules, ids: dict[str, int], teams: int) -> pl.DataFrame:
    """A row a person, working day and metric of their rubrics: what a quarter's work leaves."""
    used = {e.metric for r in rules.rubrics if r.level in ("person", "team") for e in r.entries}
    flows = sorted(name for name in used if rules.metrics[name].denominator.shape == "flow")
    days = [d for d in range(desk.TODAY - 7 * WEEKS, desk.TODAY) if scoring.periods.monday(d) + 5 > d]
    people = pl.DataFrame({"subject_id": pl.int_range(1, teams * SIZE + 1, eager=True, dtype=pl.Int64)})
    whole = (
        people.join(pl.DataFrame({"metric_id": [ids[name] for name in flows]}), how="cross")
        .join(pl.DataFrame({"day": days}), how="cross")
        .with_row_index("i")
        .with_columns(lucky=pl.col("i").hash(7) % 100, team_id=(pl.col("subject_id") - 1) // SIZE + 1)
        .with_columns(den=pl.lit(4000, pl.Int64), num=pl.when(pl.col("lucky") < 80).then(4000).otherwise(2000))
    )
    return whole.select(
        "subject_id", "metric_id", "day", "team_id", pl.col("num").cast(pl.Int64), "den",
        pl.lit(4, pl.Int64).alias("n"), pl.col("num").cast(pl.Int64).alias("ss"),
    )  # fmt: skip
