"""The facts that may count on some days, and their rollups once what is distorted on these days has changed."""
# ruff: noqa: S608  (names of tables and columns are the schema's own; days are integers)

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

import scoring.derive
import scoring.distortions
import scoring.facts
import scoring.rollups
import storage.columnar
import storage.directory
import storage.distortions
import storage.facts
import storage.rollups
import storage.rules
import storage.worlds
from scoring.directory import Directory
from scoring.distortions import Distortion
from scoring.fairness import Fairness
from scoring.rollups import Numbered
from scoring.rules import Rules
from storage.db import Db
from storage.worlds import Facts, World

_DAY = 86_400
_SMALL = ("endpoints", "certification", "complaint", "client", "training")
"""Few rows, read whole: what they add on other days is the same before and after."""

_WORK = ("survey", "escalation", "time_entry")


async def renew(db: Db, one: Distortion, rules: Rules) -> pl.DataFrame:
    """The rollups of a distortion's days after its state changed in this transaction.

    The transaction holds `storage.columnar.lock` since before it read that state. Returns the difference that was
    added to them, in the columns of a rollup. Its cost is that of reading the work of the window, and what was open.
    """
    rules = await storage.rules.newest(db, rules)
    directory = replace(await storage.directory.read(db, rules.zone), home=rules.zone)
    approved = await storage.distortions.of_state(db, "approved")
    others = [other for other in approved if other.id != one.id]
    before = others if one.state == "approved" else [*others, one]
    known = (scoring.distortions.frame(before), scoring.distortions.frame(approved))
    ids = await storage.rollups.sync_metrics(db, rules.metrics)
    numbered = [(ids[name], metric) for name, metric in rules.metrics.items()]
    world = await _during(db, one.first_day, one.last_day, directory, rules.fairness)
    change = await asyncio.to_thread(_difference, world, directory, numbered, rules.fairness, known)
    await storage.rollups.apply(db, change)
    return change


def _difference(
    world: World, directory: Directory, numbered: Numbered, fairness: Fairness, known: tuple[pl.DataFrame, pl.DataFrame]
) -> pl.DataFrame:
    """What the same facts add with one set of distortions and did not add with another."""
    frames = scoring.derive.derive(world.facts, directory, fairness)
    frames = storage.facts.counted(frames, world, world.tickets)
    was, now = (
        scoring.rollups.contributions({**frames, "distortion": distorted}, directory, numbered) for distorted in known
    )
    return scoring.rollups.difference(now, was)


async def _during(db: Db, first: int, last: int, directory: Directory, fairness: Fairness) -> World:
    """Everything that may count on local days from `first` to `last`, and what that looks at.

    More may be in it: what counts on other days adds the same before and after.
    """
    low, high = (first - 1) * _DAY, (last + 2) * _DAY
    facts: Facts = {"extent": await storage.worlds.extent(db)}
    world = World(facts, pl.Series([], dtype=pl.String))
    ids = set(await _alive(db, low, high))
    for table in _WORK:
        facts[table] = await _select(db, table, _any(_instants(table), f"BETWEEN {low} AND {high}"))
        ids |= set(facts[table]["ticket"].drop_nulls().to_list())
    tickets = sorted(ids)
    theirs = await storage.columnar.facts(db, "escalation", "ticket", tickets)  # they end when their tickets do
    facts["escalation"] = pl.concat([facts["escalation"], theirs]).unique("id", maintain_order=True)
    for table in _WORK:
        world.rows[table] = facts[table]["id"]
    facts["ticket"] = await storage.columnar.facts(db, "ticket", "id", tickets)
    world.tickets = facts["ticket"]["id"]
    await storage.worlds.followers(db, facts["ticket"].clear(), world, fairness)
    facts["ticket_event"] = await storage.columnar.facts(db, "ticket_event", "ticket", tickets)
    facts["correction"] = await storage.worlds.corrections(db, pl.Series(tickets, dtype=pl.String))
    for table in _SMALL:
        facts[table] = await _select(db, table, "true")
    facts["leave"] = await _select(db, "leave", f"first_day <= {last}")
    people = directory.segments.filter("member").select("person").unique(maintain_order=True)
    days = pl.DataFrame({"day": list(range(first, last + 1))}, schema={"day": pl.Int64})
    facts["person_day"] = people.join(days, how="cross")
    return world


async def _alive(db: Db, low: int, high: int) -> list[str]:
    """Tickets that began before one instant and were not over before another, by their columns or their events."""
    columns = _instants("ticket")
    began = f"{_any(columns, f'< {high}')} OR id IN (SELECT ticket FROM ticket_event WHERE at < {high})"
    lasted = (
        f"resolved_at IS NULL OR reopened_at IS NOT NULL OR reopens > 0 OR {_any(columns, f'>= {low}')} "
        f"OR id IN (SELECT ticket FROM ticket_event WHERE at >= {low} OR what = 'reopened')"
    )
    found = await storage.columnar.rows(db, f"SELECT id FROM ticket WHERE ({began}) AND ({lasted})")
    return [row[0] for row in found]


def _instants(table: str) -> list[str]:
    schema = scoring.facts.SCHEMA[table]
    return [name for name, kind in schema.items() if kind == "time" and name != "updated_at"]


def _any(columns: Sequence[str], condition: str) -> str:
    return " OR ".join(f"{name} {condition}" for name in columns)


async def _select(db: Db, table: str, condition: str) -> pl.DataFrame:
    sql = f'SELECT {storage.columnar.names(table)} FROM "{table}" WHERE {condition}'
    return storage.columnar.read(await storage.columnar.rows(db, sql), table)
