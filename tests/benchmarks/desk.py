"""A large desk for the benchmarks: 500 people, a million tickets of thirteen months, made once and kept in a file."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from sqlalchemy import insert, update

import bot.config
import scoring.derive
import scoring.periods
import scoring.rollups
import scoring.rulebook
import storage.columnar
import storage.directory
import storage.loads
import storage.rollups
import storage.rules
import storage.schema
from bot.config import Config
from bot.scheduler import Scheduler
from scoring.directory import Directory
from scoring.rules import Rules
from scoring.working_hours import OFFICE
from storage.db import Db, Store
from storage.loads import Progress
from storage.models import FACTS, account, membership, metric, person, team
from storage.people_file import hours_json

NOW = datetime(2026, 8, 3, 9, 0, tzinfo=UTC)
"""A Monday, on which people ask for the week that is over."""
TODAY = scoring.periods.day_of(NOW.date())
FIRST = TODAY - 395
PEOPLE, TEAMS = 500, 25
WORKSPACE = "T0001"
TENANT = "2f6c1c1e-8d0b-4b63-9a53-6a4c0f4b7d10"
_VERSION = 5
"""To be counted up when the generator changes: files of another version are made anew."""

_DAY = 86_400
_BATCH = 50_000


def slack_user(number: int) -> str:
    """The Slack user of a person, counted from 1; the first of a team leads it."""
    return f"U{number:06}"


def teams_user(number: int) -> str:
    """The object id of a person in Teams."""
    return f"00000000-0000-4000-8000-{number:012}"


def asking(count: int) -> list[int]:
    """`count` numbers of technicians, taken in turn."""
    technicians = [n for n in range(1, PEOPLE + 1) if not _leads(n)]
    return [technicians[i * 7 % len(technicians)] for i in range(count)]


async def database(tickets: int) -> Path:
    """A SQLite file with so many tickets and their rollups; made where it is not there yet, in a minute or two."""
    rules = scoring.rulebook.read(bot.config.rules(Config()), version=1)
    made_of = f"{_VERSION} {PEOPLE} {tickets} {sorted(m.digest for m in rules.metrics.values())}"
    made_of += " ".join(str(c) for t in FACTS.values() for c in t.columns)
    name = hashlib.sha256(made_of.encode()).hexdigest()[:12]
    path = Path(tempfile.gettempdir()) / f"redfirst-bench-{tickets}-{name}.db"
    if not path.exists():
        half = path.with_suffix(f".{os.getpid()}")
        await _make(half, tickets, rules)
        half.rename(path)
    return path


@contextmanager
def copied(path: Path) -> Iterator[Path]:
    """A copy to write into; what is measured leaves the file as it was."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(shutil.copy(path, folder))


async def _make(path: Path, tickets: int, rules: Rules) -> None:
    store = Store(f"sqlite:///{path}")
    try:
        await storage.schema.upgrade(store)
        async with store.write() as db:
            await storage.rules.ensure(db, bot.config.rules(Config()), NOW)
            await people(db)
            known = await storage.directory.read(db, rules.zone)
            await _loaded(db, tickets)
        facts = frames(tickets)
        for table, frame in facts.items():
            for start in range(0, len(frame), _BATCH):
                async with store.write() as db:
                    await storage.columnar.insert(db, table, frame[start : start + _BATCH])
        async with store.write() as db:
            ids = await storage.rollups.sync_metrics(db, rules.metrics)
        rolled = _rolled(facts, known, rules, ids)
        for start in range(0, len(rolled), _BATCH):
            async with store.write() as db:
                await storage.rollups.apply(db, rolled[start : start + _BATCH])
        async with store.write() as db:
            for one in rules.metrics.values():
                await db.execute(update(metric).where(metric.c.name == one.name).values(digest=one.digest))
        # as on every day but the first: what is over has been closed, and no server does it beside the questions
        await Scheduler(store, storage.rules.InForce(), lambda: NOW).freeze()
    finally:
        await store.close()


def _leads(number: int) -> bool:
    return (number - 1) % (PEOPLE // TEAMS) == 0


def _team(number: int) -> int:
    return (number - 1) // (PEOPLE // TEAMS) + 1


async def people(db: Db) -> None:
    """Everybody in a team of twenty since the first day, its first person leading it."""
    settings = {"zone": "UTC", "hours": hours_json(OFFICE), "holidays": "[]"}
    await db.execute(
        insert(team), [{"id": n, "key": f"team-{n}", "name": f"Team {n}", **settings} for n in range(1, TEAMS + 1)]
    )
    everybody = range(1, PEOPLE + 1)
    await db.execute(
        insert(person),
        [{"id": n, "key": f"p{n}", "name": f"Person {n:03}", "zone": "Europe/Berlin"} for n in everybody],
    )
    await db.execute(
        insert(membership),
        [
            {
                "person_id": n,
                "team_id": _team(n),
                "role": "lead" if _leads(n) else "technician",
                "tier": None if _leads(n) else 1 + n % 2,
                "manager_id": None if _leads(n) else (_team(n) - 1) * (PEOPLE // TEAMS) + 1,
                "from_day": FIRST - 30,
            }
            for n in everybody
        ],
    )
    names = ("slack:" + WORKSPACE + "/{slack}", "teams:" + TENANT + "/{teams}", "desk/p{n}")
    accounts = [
        {"key": name.format(slack=slack_user(n), teams=teams_user(n), n=n), "person_id": n, "state": "linked"}
        for n in everybody
        for name in names
    ]
    await db.execute(insert(account), accounts)


async def _loaded(db: Db, tickets: int) -> None:
    """The ledger of loads: a file a fortnight, as after a year of use."""
    at = int(NOW.timestamp()) - 3600
    for back in range(28, -1, -1):
        number = await storage.loads.begin(db, "desk", f"export-{back}.csv", f"digest-{back}", at - back * 14 * _DAY)
        done = Progress(tickets // 28, 0, at - back * 14 * _DAY, at - back * 14 * _DAY)
        await storage.loads.finish(db, number, done, at - back * 14 * _DAY)
    for table in ("ticket", "time_entry"):
        await storage.rollups.set_extent(db, table, FIRST, TODAY)


def _drawn(seed: int, below: int) -> pl.Expr:
    """A whole number under `below` for each row, the same in every run."""
    return (pl.col("i").hash(seed) % below).cast(pl.Int64)


def _weak(kind: int, usual: int, weak: int) -> pl.Expr:
    """Per cent: everybody has one kind of work of five that goes worse than the line allows."""
    return pl.when(pl.col("worker") % 5 == kind).then(weak).otherwise(usual)


def frames(tickets: int) -> dict[str, pl.DataFrame]:
    """The facts: tickets, a survey for every fifth, and so many time entries that everybody's days are filled."""
    worked = [day for day in range(FIRST, TODAY) if (day + 3) % 7 < 5]
    days = pl.Series("day", worked)
    whole = pl.DataFrame({"i": pl.int_range(tickets, eager=True)}).with_columns(
        worker=_drawn(1, PEOPLE) + 1,
        opened_at=days.gather(pl.select(pl.int_range(tickets).hash(2) % len(worked)).to_series()) * _DAY
        + 7 * 3600,
    )
    luck = pl.col("opened_at") + _drawn(3, 8 * 3600)
    who = pl.format("desk/p{}", "worker")
    ticket = (
        whole.with_columns(opened_at=luck)
        .with_columns(
            responded_at=pl.col("opened_at") + _drawn(4, 5400),
            resolved_at=pl.col("opened_at") + 5400 + _drawn(5, 20 * 3600),
            estimate=20 + _drawn(17, 90),
            again=_drawn(6, 100) < _weak(0, 3, 16),
        )
        .select(
            pl.format("desk/{}", "i").alias("id"),
            pl.lit("desk").alias("source"),
            pl.col("i").cast(pl.String).alias("number"),
            pl.format("client {}", _drawn(7, 200)).alias("client"),
            pl.format("requester {}", _drawn(8, 20_000)).alias("requester"),
            pl.format("category {}", _drawn(9, 40)).alias("category"),
            (_drawn(10, 4) + 1).alias("priority"),
            pl.lit("closed").alias("status"),
            "opened_at",
            (pl.col("opened_at") + _drawn(11, 1800)).alias("triaged_at"),
            "responded_at",
            "resolved_at",
            who.alias("dispatcher"),
            who.alias("first_worker"),
            who.alias("owner"),
            who.alias("resolver"),
            (1 + pl.col("worker") % 2).alias("tier"),
            (1 + (_drawn(12, 100) >= _weak(1, 90, 55)).cast(pl.Int64)).alias("interactions"),
            pl.col("again").cast(pl.Int64).alias("reopens"),
            pl.when("again").then(pl.col("resolved_at") + 3 * 3600).alias("reopened_at"),
            (_drawn(13, 100) < 8).cast(pl.Int64).alias("escalations"),
            (_drawn(14, 100) < _weak(2, 99, 80)).alias("triage_met"),
            (_drawn(15, 100) < 97).alias("engagement_met"),
            (_drawn(16, 100) < _weak(3, 95, 65)).alias("completion_met"),
            pl.col("estimate").alias("estimated_minutes"),
            (pl.col("estimate") * (80 + _drawn(18, 40)) // 100).alias("worked_minutes"),
        )
    )
    fifth = pl.concat([ticket, whole.select("i", "worker")], how="horizontal").filter(pl.col("i") % 5 == 0)
    survey = fifth.select(
        pl.format("desk/survey {}", "i").alias("id"),
        pl.col("id").alias("ticket"),
        pl.col("resolved_at").alias("sent_at"),
        (pl.col("resolved_at") + 7200).alias("answered_at"),
        pl.when(_drawn(20, 100) < _weak(4, 93, 60)).then(5).otherwise(2).alias("rating"),
    )
    entry = (
        pl.DataFrame({"worker": pl.int_range(1, PEOPLE + 1, eager=True)})
        .join(days.to_frame(), how="cross")
        .join(pl.DataFrame({"hour": [7, 10, 13]}), how="cross")
        .with_row_index("i")
        .with_columns(started_at=pl.col("day") * _DAY + pl.col("hour") * 3600)
        .select(
            pl.format("desk/entry {}", "i").alias("id"),
            who.alias("account"),
            pl.lit("client").alias("kind"),
            "started_at",
            (pl.col("started_at") + 7000).alias("ended_at"),
            (pl.col("started_at") + 7000 + _drawn(21, 400)).alias("entered_at"),
            (120 + _drawn(22, 40)).alias("minutes"),
        )
    )
    found = {"ticket": ticket, "survey": survey, "time_entry": entry}
    return {table: scoring.derive.whole(table, frame) for table, frame in found.items()}


def _rolled(facts: dict[str, pl.DataFrame], known: Directory, rules: Rules, ids: dict[str, int]) -> pl.DataFrame:
    extent = pl.DataFrame({"table_name": ["ticket", "time_entry"], "first_day": [FIRST] * 2, "last_day": [TODAY] * 2})
    derived = scoring.derive.derive({**facts, "extent": extent}, known, rules.fairness)
    numbered = [(ids[name], one) for name, one in rules.metrics.items()]
    return scoring.rollups.contributions(derived, known, numbered).sort(scoring.rollups.KEY)
