"""A small desk for the tests of facts and rollups: people, teams, accounts, and any row of any fact table."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import polars as pl
from sqlalchemy import delete, insert, select

import scoring.catalogue
import scoring.derive
import scoring.facts
import scoring.rollups
import storage.catalogue
import storage.columnar
import storage.distortions
import storage.worlds
from scoring.directory import Directory
from scoring.rules import Rules
from storage.db import Db, Store
from storage.models import account, client_number, membership, metadata, metric, person, team

MONDAY = 20_528
"""2026-03-16: two weeks before the clocks of Europe change, a week after those of America did."""

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu")
OFFICE = json.dumps([[[540, 1020]]] * 5 + [[], []])
NIGHT = json.dumps([[[0, 360], [1320, 1440]]] * 7)
PEOPLE = 5
KEYS = [f"s/{number}" for number in range(1, PEOPLE + 2)]
"""An account each, and one that belongs to nobody."""

RULES = Rules(0, scoring.catalogue.load(storage.catalogue.shipped(), {}), (), zone="Europe/Berlin")


async def furnish(db: Db) -> None:
    """Two teams of people in three zones, each with an account."""
    for number, hours in ((1, OFFICE), (2, NIGHT)):
        await db.execute(insert(team).values(
            id=number, key=f"t{number}", name=f"Team {number}", zone=ZONES[number - 1], hours=hours,
            holidays=json.dumps([MONDAY + 2]), agreed_small=False,
        ))  # fmt: skip
    for number in range(1, PEOPLE + 1):
        zone = ZONES[number % 3]
        await db.execute(
            insert(person).values(id=number, key=f"p{number}", name=f"Person {number}", zone=zone, made_up=True)
        )
        await db.execute(insert(membership).values(
            person_id=number, team_id=1 + number % 2, role="technician", tier=1, from_day=MONDAY - 10
        ))  # fmt: skip
        await db.execute(insert(account).values(key=KEYS[number - 1], person_id=number, state="linked"))


async def number_clients(db: Db) -> None:
    """Clients get the same numbers whichever comes first."""
    await db.execute(insert(client_number), [{"client": name} for name in "abc"])


async def anew(db: Db, known: Directory, rules: Rules) -> pl.DataFrame:
    """What the rollups ought to be, worked out from all facts at once, in order of their key."""
    ids = {row.name: row.id for row in await db.execute(select(metric.c.name, metric.c.id))}
    facts: dict[str, pl.DataFrame] = {}
    for table in scoring.facts.SCHEMA:
        sql = f'SELECT {storage.columnar.names(table)} FROM "{table}"'
        facts[table] = storage.columnar.read(await storage.columnar.rows(db, sql), table)
    found = await storage.columnar.rows(db, "SELECT ticket, person_id FROM correction WHERE state = 'confirmed'")
    facts["correction"] = pl.DataFrame(found, schema={"ticket": pl.String, "person": pl.Int64}, orient="row")
    facts["extent"] = await storage.worlds.extent(db)
    facts["distortion"] = await storage.distortions.frame(db)
    numbered = [(ids[name], one) for name, one in rules.metrics.items()]
    frames = scoring.derive.derive(facts, known, rules.fairness)
    return scoring.rollups.contributions(frames, known, numbered).sort(scoring.rollups.KEY)


async def clear(store: Store) -> None:
    """Empties every table."""
    async with store.write() as db:
        for table in reversed(metadata.sorted_tables):
            await db.execute(delete(table))


def rows(table: str, ids: list[str], rng: random.Random) -> pl.DataFrame:
    """Rows of a fact table with these ids, each column empty now and then."""
    made = [{"id": one} | _MAKE[table](rng) for one in ids]
    for row in made:
        for name in row:
            if name != "id" and rng.random() < 0.08:
                row[name] = None
    return scoring.derive.whole(table, pl.DataFrame(made, infer_schema_length=None))


def _at(rng: random.Random, days: int = 30) -> int:
    return (MONDAY + rng.randrange(0, days)) * 86_400 + rng.randrange(0, 86_400)


def _ticket(rng: random.Random) -> dict[str, Any]:
    opened = _at(rng, 90)  # so that repeats of repeats are often out of each other's sight
    resolved = opened + rng.choice([600, 7_200, 90_000, 86_400 * 6, 86_400 * 20])
    who = rng.choice(KEYS)
    return {
        "number": "1", "title": "Printer", "client": rng.choice("ab"), "requester": rng.choice("xxxy"), "category": "c",
        "channel": rng.choice(["phone", "email", "monitoring"]), "opened_at": opened, "triaged_at": opened + 300,
        "responded_at": opened + rng.randrange(60, 9_000), "resolved_at": rng.choice([resolved, resolved, None]),
        "closed_at": rng.choice([resolved + 9_000, None]), "dispatcher": rng.choice([*KEYS, None]),
        "first_worker": rng.choice([who, rng.choice(KEYS)]), "owner": who,
        "resolver": rng.choice([who, rng.choice(KEYS)]),
        "tier": rng.randrange(1, 4), "interactions": rng.randrange(1, 3), "reopens": rng.choice([0, 0, 1]),
        "reopened_at": rng.choice([None, resolved + rng.choice([3_600, 86_400 * 9])]),
        "reopen_reason": rng.choice([None, "thanks", "not_fixed"]), "reassignments": rng.choice([0, 0, 2]),
        "escalations": rng.choice([0, 1]), "escalated_by": rng.choice([None, *KEYS]),
        "mandated": rng.choice([True, False]),
        "hold_minutes": rng.choice([None, 0, 45, 4_000]), "triage_due_at": opened + 600,
        "engagement_due_at": opened + 3_600, "completion_due_at": opened + 86_400,
        "completion_met": rng.choice([None, None, True, False]), "estimated_minutes": rng.randrange(0, 90),
        "worked_minutes": rng.randrange(0, 90), "complexity": rng.choice([None, 1.5, 0.333]), "impact": 1.1,
        "updated_at": rng.randrange(1, 4),
    }  # fmt: skip


def _event(rng: random.Random) -> dict[str, Any]:
    what = [
        "opened",
        "responded",
        "updated",
        "updated",
        "assigned",
        "hold",
        "resumed",
        "resolved",
        "reopened",
        "closed",
    ]
    return {
        "ticket": f"t{rng.randrange(6)}", "at": _at(rng), "seq": rng.randrange(4), "what": rng.choice(what),
        "actor": rng.choice(KEYS), "owner": rng.choice([*KEYS, None]), "reason": rng.choice([None, "thanks"]),
    }  # fmt: skip


def _entry(rng: random.Random) -> dict[str, Any]:
    begun, kinds = _at(rng), ["client", "internal_support", "training", "improvement", "admin"]
    return {
        "account": rng.choice(KEYS), "ticket": f"t{rng.randrange(6)}", "client": rng.choice("abc"),
        "kind": rng.choice(kinds), "reactive": rng.choice([True, False]), "started_at": begun,
        "ended_at": begun + 1_800, "entered_at": begun + rng.choice([1_900, 9_000]), "minutes": rng.randrange(0, 200),
        "updated_at": rng.randrange(1, 4),
    }  # fmt: skip


def _survey(rng: random.Random) -> dict[str, Any]:
    sent = _at(rng)
    return {
        "ticket": f"t{rng.randrange(6)}", "account": rng.choice([None, rng.choice(KEYS)]), "sent_at": sent,
        "answered_at": rng.choice([None, sent + 9_000]), "rating": rng.randrange(1, 6), "recommend": rng.randrange(11),
        "updated_at": rng.randrange(1, 4),
    }  # fmt: skip


def _escalation(rng: random.Random) -> dict[str, Any]:
    raised = _at(rng)
    return {
        "ticket": f"t{rng.randrange(6)}", "from_account": rng.choice(KEYS), "to_account": rng.choice(KEYS),
        "raised_at": raised, "due_at": raised + 3_600, "accepted_at": raised + rng.choice([60, 9_000]),
        "resolved_at": rng.choice([None, raised + 90_000]), "bounced": rng.choice([True, False]),
        "reopened": rng.choice([None, True, False]), "updated_at": rng.randrange(1, 4),
    }  # fmt: skip


def _leave(rng: random.Random) -> dict[str, Any]:
    first = MONDAY + rng.randrange(-3, 30)
    return {"account": rng.choice(KEYS), "first_day": first, "last_day": first + rng.randrange(0, 9), "kind": "holiday",
            "minutes_per_day": rng.choice([None, 240])}  # fmt: skip


def _certification(rng: random.Random) -> dict[str, Any]:
    first = MONDAY + rng.randrange(0, 30)
    return {"account": rng.choice(KEYS), "name": "AZ", "required_from": first, "required_to": first + rng.randrange(40),
            "valid_from": first + rng.randrange(-9, 9), "valid_to": first + rng.randrange(60)}  # fmt: skip


_MAKE: dict[str, Callable[[random.Random], dict[str, Any]]] = {
    "ticket": _ticket,
    "ticket_event": _event,
    "time_entry": _entry,
    "survey": _survey,
    "escalation": _escalation,
    "leave": _leave,
    "certification": _certification,
    "endpoints": lambda rng: {
        "client": rng.choice("abc"), "day": MONDAY + rng.randrange(0, 30), "count": rng.randrange(0, 40),
    },
    "training": lambda rng: {
        "account": rng.choice(KEYS), "day": MONDAY + rng.randrange(0, 30), "minutes": rng.randrange(0, 300),
    },
}  # fmt: skip
TABLES = tuple(_MAKE)
