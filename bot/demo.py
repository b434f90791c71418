"""Makes the demo's database: the made-up desk with its people, facts and rollups, ready to be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl

import bot.config
import scoring.periods
import storage.columnar
import storage.loads
import storage.people
import storage.people_file
import storage.rollups
import storage.rules
import storage.schema
import storage.worlds
from bot import demo_ahead, demo_desk, demo_tickets
from bot.config import Config
from bot.demo_ahead import Rest
from bot.demo_book import Book
from bot.demo_world import World
from scoring.people_file import PeopleFile
from scoring.refused import Refused
from storage.db import Store
from storage.loads import Progress

VERSION = 3
"""Of the made-up desk: a database of another version is made anew."""

SOURCE = "demo"


PILOT = (14, 14)
"""Days before today, and after it, for which a metric is piloted."""


def configured(parsed: Mapping[str, Any], today: date) -> dict[str, Any]:
    """A parsed redfirst.toml with what the demo adds to it: channels to speak in, a pilot, when a client is at risk."""
    more = {"schedule": channels(), "pilot": pilots(today)}
    flags = {"complaints": 2, **parsed.get("red_flags", {})}  # one is nothing rare among so many tickets
    return {**parsed, **{name: [*parsed.get(name, ()), *tables] for name, tables in more.items()}, "red_flags": flags}


def channels() -> list[dict[str, str]]:
    """[[schedule]] tables: each team's digest in its channel of the page, and the month for everybody in another."""
    keys = [key for key in demo_desk.TEAMS if key != "office"]  # nobody there is measured
    teams = [{"audience": "team", "team": key, "name": "demo", "to": f"demo:#{key}"} for key in keys]
    return [*teams, {"audience": "organisation", "name": "demo", "to": "demo:#desk"}]


def pilots(today: date) -> list[dict[str, Any]]:
    """[[pilot]] tables: a metric that the help desk tries, whose people are asked about it just now."""
    before, after = (timedelta(days=days) for days in PILOT)
    question = "Does a line a day spare us the calls that ask how far we are?"
    one = {"metric": "kept_informed", "teams": ["help-desk"], "from": today - before, "to": today + after}
    return [{**one, "question": question}]


def first_day(today: date) -> date:
    """The first of the month thirteen months before."""
    months = today.year * 12 + today.month - 1 - demo_desk.MONTHS_BACK
    return date(months // 12, months % 12 + 1, 1)


def stamp(seed: int, today: date) -> str:
    """What a demo database is made of; equal stamps are equal databases."""
    return f"{VERSION}/{seed}/{today.isoformat()}"


async def ready(config: Config, seed: int, today: date) -> bool:
    """Whether an existing database holds exactly this desk, finished."""
    store = Store(config.database_url)
    try:
        if await storage.schema.version(store) is None:
            return False
        await storage.schema.require_current(store)
        async with store.read() as db:
            return await storage.loads.is_done(db, stamp(seed, today), SOURCE)
    except Refused:
        return False
    finally:
        await store.close()


def rest(seed: int, today: date) -> Rest:
    """What was not over when the desk of these arguments was exported, told once more."""
    return demo_ahead.rest(*_begun(seed, demo_desk.people(today), today))


def _begun(seed: int, people: PeopleFile, today: date) -> tuple[World, Book, dict[str, pl.DataFrame]]:
    facts, world, book = demo_tickets.begun(seed, people, first_day(today), today)
    return world, book, facts


async def make(config: Config, seed: int, today: date, said: Callable[[str], None] = lambda words: None) -> Rest:
    """Fills an empty database file; `said` is told what is being done. Half-made ones are not `ready`.

    Returns what was not over when the facts were exported.
    """
    at = datetime.combine(today, time(), UTC)
    moment = int(at.timestamp())
    store = Store(config.database_url)
    try:
        await storage.schema.upgrade(store)
        said("Inventing people and their thirteen months of work …")
        people = demo_desk.people(today)
        world, book, facts = _begun(seed, people, today)
        over = demo_ahead.rest(world, book, facts)
        del world, book  # much of it
        async with store.write() as db:
            await storage.people_file.load(db, people, made_up=True)
            for one in await storage.people.everyone(db, scoring.periods.day_of(today)):
                await storage.people.link_account(db, f"demo:{one.id}", one.id)
            rules = storage.rules.read(await storage.rules.ensure(db, bot.config.rules(config), at))
            number = await storage.loads.begin(db, SOURCE, "made up", stamp(seed, today), moment)
        said(f"Writing {len(facts['ticket']):,} tickets and what happened to them …")
        newest = tickets = 0
        for table, frame in facts.items():
            seen = storage.loads.newest(table, frame) or 0
            newest = max(newest, seen)
            tickets = max(tickets, seen if table in storage.loads.TICKETS else 0)
            async with store.write() as db:
                await storage.columnar.insert(db, table, frame)
                reach = storage.worlds.reach(table, frame)
                if reach is not None:
                    await storage.rollups.set_extent(db, table, *reach)
        said("Adding it all up …")
        rows = sum(map(len, facts.values()))
        async with store.write() as db:
            await storage.rollups.fill(db, facts, rules)
            told = Progress(rows, 0, min(newest, moment), min(tickets, moment))
            await storage.loads.finish(db, number, told, moment)
        return over
    finally:
        await store.close()
