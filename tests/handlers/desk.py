"""A small desk with known counts: four teams, fourteen weeks of work, and a chat to ask in, as the product asks."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import text

import bot.config
import cards.text
import scoring.people_file
import scoring.periods
import storage.directory
import storage.facts
import storage.loads
import storage.people
import storage.rules
import storage.schema
from bot.config import Config
from bot.dispatch import Dispatch
from cards.card import Button, Buttons, Card, Form
from handlers.call import Call, Kind, Platform, Reply, Where
from scoring.people_file import TeamEntry
from scoring.working_hours import OFFICE
from storage.db import Db, Store

NOW = datetime(2026, 8, 5, 9, 0, tzinfo=UTC)
"""A Wednesday. Week 31 is over but not mature, week 30 is mature since Monday."""

TODAY = scoring.periods.day_of(NOW.date())
THIS_WEEK = scoring.periods.monday(TODAY)
FIRST = THIS_WEEK - 13 * 7
"""The Monday with which work begins."""
AS_OF = int((NOW - timedelta(hours=3)).timestamp())
LEFT = TODAY - 30
WORKSPACE = "T0001"
TENANT = "2f6c1c1e-8d0b-4b63-9a53-6a4c0f4b7d10"
A_DAY = 86_400

LED = {"help-desk": "lena", "field": "leo", "tiny": "tom", "night": "nora"}
NAMES = {
    "help-desk": "Help Desk",
    "field": "Field Services",
    "tiny": "Tiny",
    "night": "Night Shift",
    "office": "Office",
}
WORKERS = {
    "help-desk": ("ana", "ben", "cem", "dua", "eli", "fay"),
    "field": ("gus", "hua", "ira", "jan", "kim", "liv"),
    "tiny": ("ute", "vic"),
    "night": ("wim", "xia"),
}
"""Technicians by team. Tiny has too few people for an aggregate; those of the Night Shift have all agreed to one."""

OFFICE_STAFF = {"mara": "manager", "zoe": "leadership", "hugo": "hr", "adam": "admin"}


def name(key: str) -> str:
    """What somebody is called: "ana" → "Ana Abel", "ben" → "Ben Moder"."""
    return f"{key.title()} {'Abel' if key[0] in 'aeiou' else 'Moder'}"


def _people() -> list[dict[str, str]]:
    """The rows of the people file."""
    since = scoring.people_file.iso(FIRST - 30)
    rows = [
        {"person": key, "team": "office", "role": role, "from": since, "manager": "" if key == "zoe" else "zoe"}
        for key, role in OFFICE_STAFF.items()
    ]
    for team, lead in LED.items():
        rows.append({"person": lead, "team": team, "role": "lead", "from": since, "manager": "mara"})
        rows += [
            {"person": key, "team": team, "role": "technician", "tier": "1", "from": since, "manager": lead}
            for key in WORKERS[team]
        ]
    rows.append({"person": "cora", "team": "help-desk", "role": "coordinator", "from": since, "manager": "lena"})
    gone = {"person": "lou", "team": "help-desk", "role": "technician", "tier": "1", "from": since, "manager": "lena"}
    rows.append(gone | {"to": scoring.people_file.iso(LEFT - 1)})
    for row in rows:
        row["name"] = name(row["person"])
        if row["person"] == "ben":
            row["deputy_for"] = "lena"
    for number, row in enumerate(rows, 1):
        key = row["person"]
        row |= {"slack": f"{WORKSPACE}/U{key.upper()}", "teams": f"{TENANT}/{key}", "demo": str(number), "desk": key}
    return rows


def account(key: str, platform: Platform = "slack") -> str:
    """The account of a person on a platform; of somebody who is not in the people file too."""
    row = next((r for r in _people() if r["person"] == key), {})
    unknown = {"slack": f"{WORKSPACE}/U{key.upper()}", "teams": f"{TENANT}/{key}", "demo": "999"}
    return f"{platform}:{row.get(platform, unknown[platform])}"


EVERYBODY = tuple(row["person"] for row in _people())


@dataclass(frozen=True)
class Work:
    """One ticket with its survey and time entry."""

    number: int
    who: str
    day: int
    rating: int = 5
    on_time: bool = True
    met: bool = True

    @property
    def id(self) -> str:
        return f"desk/{self.number}"

    @property
    def at(self) -> int:
        return self.day * A_DAY + 10 * 3600


def _rating(who: str, index: int) -> int:
    if who == "ana":
        return 5 if index % 2 else 2  # every second client of Ana's is unhappy: red
    return 4 if index % 9 else 1


@cache
def work() -> tuple[Work, ...]:
    """One ticket a working day and technician, until yesterday; the leaver's until they left."""
    everybody = [key for keys in WORKERS.values() for key in keys] + ["lou"]
    done: list[Work] = []
    for place, who in enumerate(everybody):
        days = [d for d in range(FIRST, LEFT if who == "lou" else TODAY) if scoring.periods.monday(d) + 5 > d]
        for index, day in enumerate(days):
            late = who == "ben" and index % 2 == 0  # Ben writes half of his entries in the evening: red
            missed = (index + place) % 11 == 0
            done.append(Work(1000 + len(done), who, day, _rating(who, index), not late, not missed))
    return tuple(done)


def of(who: str, first: int, last: int) -> list[Work]:
    """A person's work on the days from `first` to `last`, both included."""
    return [one for one in work() if one.who == who and first <= one.day <= last]


def tickets(done: Sequence[Work]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "id": w.id, "source": "desk", "number": f"T{w.number}", "title": f"Printer {w.number} is offline",
                "client": f"client {w.number % 3}", "requester": f"user {w.number}", "category": "printing",
                "channel": "phone", "kind": "incident", "priority": 3, "status": "closed",
                "opened_at": w.at, "triaged_at": w.at + 120, "responded_at": w.at + 300,
                "resolved_at": w.at + 1800, "closed_at": w.at + 1800, "dispatcher": "desk/cora",
                "first_worker": f"desk/{w.who}", "owner": f"desk/{w.who}", "resolver": f"desk/{w.who}", "tier": 1,
                "interactions": 1, "reopens": 0, "reassignments": 0, "escalations": 0,
                "triage_due_at": w.at + 900, "engagement_due_at": w.at + 3600,
                "completion_due_at": w.at + (4 * 3600 if w.met else 1200),
                "estimated_minutes": 30, "worked_minutes": 33,
                "url": f"https://desk.example.test/t/{w.number}", "updated_at": w.at + 1800,
            }
            for w in done
        ]
    )  # fmt: skip


def surveys(done: Sequence[Work]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "id": f"s{w.number}", "ticket": w.id, "account": None, "sent_at": w.at + 1900,
                "answered_at": w.at + 7200, "rating": w.rating, "recommend": 2 * w.rating, "updated_at": w.at + 7200,
            }
            for w in done
        ],
        schema_overrides={"account": pl.String},
    )  # fmt: skip


def entries(done: Sequence[Work]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "id": f"e{w.number}", "account": f"desk/{w.who}", "ticket": w.id, "client": f"client {w.number % 3}",
                "kind": "client", "reactive": True, "started_at": w.at, "ended_at": w.at + 390 * 60,
                "entered_at": w.at + 390 * 60 + (60 if w.on_time else 7200), "minutes": 390,
                "updated_at": w.at + 390 * 60,
            }
            for w in done
        ]
    )  # fmt: skip


async def put(db: Db, table: str, frame: pl.DataFrame) -> None:
    """Facts into a store that has rules and people, as a load puts them."""
    applied = await storage.rules.current(db)
    assert applied is not None
    rules = storage.rules.read(applied)
    known = await storage.directory.read(db, rules.zone)
    await storage.facts.upsert(db, table, frame, known, rules)


async def load_people(db: Db, rows: Sequence[Mapping[str, str]]) -> None:
    """People rows with every column of the desk's people file."""
    teams = [
        TeamEntry(key, NAMES[key], "UTC", OFFICE, agreed_small=key == "night")
        for key in NAMES
        if any(row["team"] == key for row in rows)
    ]
    header = ["person", "name", "team", "role", "tier", "manager", "from", "to", "deputy_for", "slack", "teams", "demo",
              "desk"]  # fmt: skip
    numbered = [(i, {column: row.get(column, "") for column in header}) for i, row in enumerate(rows, 2)]
    await storage.people.load(db, scoring.people_file.parse("people.csv", header, numbered, teams))


async def loaded(db: Db, as_of: int) -> None:
    """Writes into the ledger that data has come in."""
    number = await storage.loads.begin(db, "standard:desk", "tickets.csv", "0" * 64, as_of)
    await storage.loads.finish(db, number, storage.loads.Progress(1, 0, as_of, as_of), as_of)


async def build(store: Store) -> None:
    """Fills a migrated, empty store with the whole desk."""
    async with store.write() as db:
        await storage.rules.ensure(db, bot.config.rules(Config()), NOW)
        await load_people(db, _people())
        await put(db, "ticket", tickets(work()))
        await put(db, "survey", surveys(work()))
        await put(db, "time_entry", entries(work()))
        await loaded(db, AS_OF)


async def _made(path: Path) -> None:
    store = Store(f"sqlite:///{path}")
    await storage.schema.upgrade(store)
    await build(store)
    async with store.engine.connect() as connection:
        raw = await connection.get_raw_connection()
        await raw.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
    await store.close()


def make(path: Path) -> Path:
    """The desk as a SQLite file, to be copied."""
    asyncio.run(_made(path))
    return path


@dataclass
class Desk:
    """The desk with its door: ask as anybody, from any platform, at any time."""

    store: Store
    now: datetime = NOW
    ids: dict[str, int] = field(default_factory=dict)
    teams: dict[str, int] = field(default_factory=dict)
    kicked: int = 0
    every: float = 0.0

    def __post_init__(self) -> None:
        self.rules = storage.rules.InForce(self.every)
        self.dispatch = Dispatch(self.store, self.rules, lambda: self.now, self._kick)
        self._keys = itertools.count(1)

    def _kick(self) -> None:
        self.kicked += 1

    async def learn(self) -> Desk:
        """The ids that the database gave."""
        async with self.store.read() as db:
            self.ids = {p.key: p.id for p in await storage.people.everyone(db, TODAY)}
            self.teams = {t.key: t.id for t in await storage.people.teams(db)}
        return self

    def call(
        self,
        who: str,
        kind: Kind,
        named: str = "",
        said: str = "",
        values: Mapping[str, str] | None = None,
        *,
        platform: Platform = "slack",
        key: str = "",
        later: bool = False,
        channel: str = "D1",
    ) -> Call:
        """What an edge would hand over."""
        space = {"slack": WORKSPACE, "teams": TENANT, "demo": "demo"}[platform]
        where = Where(platform, space, channel)
        unique = key or f"{platform}:{next(self._keys)}"
        return Call(named, account(who, platform), where, unique, kind, said, dict(values or {}), later)

    async def ask(self, who: str, said: str, **more: Any) -> Card:
        """The card that answers a slash command ("/myscore last week")."""
        word, _, rest = said.removeprefix("/").partition(" ")
        return card(await self.dispatch.answer(self.call(who, "command", word, rest, **more)))

    async def write(self, who: str, said: str, **more: Any) -> Card:
        """The card that answers plain text in a direct message."""
        return card(await self.dispatch.answer(self.call(who, "message", "", said, **more)))

    async def press(self, who: str, button: Button, **more: Any) -> Card | Form:
        """What comes of pressing a button."""
        reply = await self.dispatch.answer(self.call(who, "action", button.route, "", button.values, **more))
        return shown(reply)

    async def opened(self, who: str, button: Button, **more: Any) -> Card:
        """What comes of pressing a button that shows a card."""
        found = await self.press(who, button, **more)
        assert isinstance(found, Card), found
        return found

    async def fill(self, who: str, form: Form, **answers: str) -> Card:
        """What comes of sending a form."""
        return card(await self.dispatch.answer(self.call(who, "form", form.route, "", {**form.values, **answers})))

    async def rows(self, sql: str, **values: object) -> list[Any]:
        async with self.store.read() as db:
            return list(await db.execute(text(sql), values))

    async def one(self, sql: str, **values: object) -> Any:
        """The first column of the first row."""
        return (await self.rows(sql, **values))[0][0]

    async def change(self, sql: str, **values: object) -> None:
        async with self.store.write() as db:
            await db.execute(text(sql), values)

    async def put(self, table: str, frame: pl.DataFrame) -> None:
        async with self.store.write() as db:
            await put(db, table, frame)

    async def said(self) -> list[tuple[str, str]]:
        """(recipient, body) of everything in the outbox, in order."""
        return [tuple(row) for row in await self.rows("SELECT recipient, body FROM outbox ORDER BY id")]

    async def everything(self, without: Sequence[str] = ("inbox",)) -> dict[str, list[tuple[Any, ...]]]:
        """Every row that a question could change; the same before and after means: no effect."""
        names = (
            "plan", "comment", "focus", "nudge", "nudge_week", "nudge_pause", "unasked", "coach_talk", "coach_note",
            "distortion", "correction", "audit", "outbox", "look", "objective_version",
            "priority", "red_flag", "baseline", "pilot_answer", "pilot_decision",
            "frozen_score", "account", "rules", "membership", "inbox",
        )  # fmt: skip
        return {
            table: [tuple(r) for r in await self.rows(f"SELECT * FROM {table} ORDER BY 1, 2")]
            for table in names
            if table not in without
        }


def shown(reply: Reply) -> Card | Form:
    """The one thing that a reply says."""
    [say] = reply.says
    assert say.to == "private"
    return say.what


def card(reply: Reply) -> Card:
    found = shown(reply)
    assert isinstance(found, Card), found
    return found


def words(found: Card | Form) -> str:
    """What a card says, as plain text."""
    return cards.text.card(found) if isinstance(found, Card) else cards.text.form(found)


def buttons(found: Card) -> list[Button]:
    return [button for block in found.blocks if isinstance(block, Buttons) for button in block.items]


def button(found: Card, label: str, **values: str) -> Button:
    """The first button with this text (and these values among its own)."""
    for one in buttons(found):
        if one.text == label and values.items() <= one.values.items():
            return one
    raise AssertionError(f"no button {label!r} {values} on {[b.text for b in buttons(found)]}")


def lines(found: Card) -> Iterator[str]:
    yield from words(found).splitlines()


def again(one: Work, **changes: Any) -> Work:
    """The same ticket, corrected in its source system."""
    return replace(one, **changes)
