"""The facts that may count on some days, and their rollups once what is distorted on these days has changed."""
# ruff: noqa: S608  (names of tables and columns are the schema's own; days are integers)

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import polars as pl

import scoring.derive
import scoring.distortions
import scoring.facts
import scoring.plans
import scoring.rollups
import storage.columnar
import storage.directory
import storage.distortions
import storage.facts
import storage.rollups
import storage.rules
import storage.workings
import storage.worlds
from scoring.directory import Directory
from scoring.distortions import Distortion
from scoring.fairness import Fairness
from scoring.rollups import Numbered
from scoring.rules import Rules
from storage.db import Db, Store
from storage.rebuilds import PAGES, Pages
from storage.workings import Working
from storage.worlds import Facts, World

DAYS = 7
"""Days of a window that are looked at together: of a large desk's week that is what memory is for."""

AT_ONCE = 2_000
"""Rows that are read, or made columns of, in one go; whoever asks meanwhile waits no longer than that takes."""

_DAY = 86_400
_SMALL = ("endpoints", "certification", "complaint", "client", "cost", "training")
"""Few rows, read whole: what they add on other days is the same before and after."""

_WORK = ("survey", "escalation", "time_entry")


async def work(
    store: Store, rules: Rules, one: Working, lease: Callable[[], int], then: Callable[[Db], Awaitable[None]],
    stopping: Callable[[], bool] = lambda: False, pages: Pages = PAGES,
) -> Working | None:  # fmt: skip
    """Makes the rollups of a distortion's days what they ought to be by what was decided on it.

    From a first, short transaction on, facts that arrive count by the decision; then, some days after the other, what
    the days ought to come to is compared with what is stored at one moment, and the difference added in short
    transactions. So nobody waits, and a load meanwhile is not lost. Killed half-way, it is begun again, and finds
    less to add. `lease` is the instant (UTC seconds) up to which it stays ours, `then` what is done in the transaction
    in which it comes to its next stage, at which it is returned. None where it was decided on again, where all rollups
    are being made anew meanwhile, which is waited for, or where it is to stop.
    """
    async with store.write() as db:
        await storage.columnar.lock(db)
        built = await storage.rollups.built(db)
        if any(digest.startswith(storage.rollups.BUILDING) for digest in built.values()):
            return None  # by what was in force when that began
        if not await storage.workings.hold(db, one, lease()):
            return None
        rules = await storage.rules.newest(db, rules)
        await storage.rollups.sync_metrics(db, rules.metrics)
        built = await storage.rollups.built(db)
        await storage.workings.enforce(db, one)
        found = await storage.distortions.get(db, one.number)
    if found is None:
        return None
    last = found.last_day + 1  # on the day after, levels come back
    for first in range(found.first_day, last + 1, DAYS):
        if stopping():
            return None
        async with store.write() as db:  # there may be many days on which nothing differs
            if not await storage.workings.hold(db, one, lease()):
                return None
        days = first, min(first + DAYS - 1, last)
        async with store.read() as db:
            if not store.is_sqlite:
                await db.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            if await storage.rollups.built(db) != built:
                return None
            change = await _lacking(db, found, days, rules)
        for part in change.iter_slices(pages.written):
            if stopping():
                return None
            async with store.loading() as db:
                await storage.columnar.lock(db)
                if not await storage.workings.hold(db, one, lease()) or await storage.rollups.built(db) != built:
                    return None
                await storage.rollups.apply(db, part)
        await store.settle()
    async with store.write() as db:
        await storage.columnar.lock(db)
        if not await storage.workings.hold(db, one, lease()) or await storage.rollups.built(db) != built:
            return None
        await then(db)
        return await storage.workings.turn(db, one)


async def _lacking(db: Db, one: Distortion, days: tuple[int, int], rules: Rules) -> pl.DataFrame:
    """What must be added to the rollups of a distortion on some days."""
    directory = replace(await storage.directory.read(db, rules.zone), home=rules.zone)
    ids = await storage.rollups.sync_metrics(db, rules.metrics)
    concerned = {name: metric for name, metric in rules.metrics.items() if not one.metrics or name in one.metrics}
    numbered = [(ids[name], metric) for name, metric in concerned.items()]
    distorted = await storage.distortions.frame(db)
    world = await _during(db, *days, directory, rules.fairness)
    ought = await asyncio.to_thread(_ought, world, directory, numbered, rules.fairness, distorted)
    stored = await storage.rollups.between(db, [number for number, _ in numbered], *days)
    within, team = pl.col("day").is_between(*days), scoring.plans.team_of(one.scope)
    if team is not None:
        within, stored = within & (pl.col("team_id") == team), stored.filter(pl.col("team_id") == team)
    return await asyncio.to_thread(_difference, ought.filter(within), stored)


def _difference(ought: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    return scoring.rollups.difference(ought, stored).sort(scoring.rollups.KEY)


def _ought(
    world: World, directory: Directory, numbered: Numbered, fairness: Fairness, distorted: pl.DataFrame
) -> pl.DataFrame:
    """What these facts add to rollups."""
    frames = scoring.derive.derive(world.facts, directory, fairness)
    frames = storage.facts.counted(frames, world, world.tickets)
    return scoring.rollups.contributions({**frames, "distortion": distorted}, directory, numbered)


async def _during(db: Db, first: int, last: int, directory: Directory, fairness: Fairness) -> World:
    """Everything that may count on local days from `first` to `last`, and what that looks at; more may be in it."""
    low, high = (first - 1) * _DAY, (last + 2) * _DAY
    facts: Facts = {"extent": await storage.worlds.extent(db)}
    world = World(facts, pl.Series([], dtype=pl.String))
    ids = set(await _alive(db, low, high))
    for table in _WORK:
        facts[table] = await _select(db, table, _any(_instants(table), f"BETWEEN {low} AND {high}"))
        ids |= set(facts[table]["ticket"].drop_nulls().to_list())
    tickets = sorted(ids)
    theirs = await _of(db, "escalation", tickets)  # they end when their tickets do
    facts["escalation"] = pl.concat([facts["escalation"], theirs]).unique("id", maintain_order=True)
    for table in _WORK:
        world.rows[table] = facts[table]["id"]
    own = await _of(db, "ticket", tickets)
    world.tickets = own["id"]
    facts["ticket"] = pl.concat([own, await _followers(db, own, fairness)])
    theirs = await _of(db, "ticket_event", tickets)
    others = await _select(db, "ticket_event", f"at BETWEEN {low} AND {high}")  # also of tickets that are not there
    facts["ticket_event"] = pl.concat([theirs, others]).unique("id", maintain_order=True)
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
    found = await storage.columnar.rows(db, sql)
    parts = [storage.columnar.read([], table)]
    for start in range(0, len(found), AT_ONCE):
        parts.append(storage.columnar.read(found[start : start + AT_ONCE], table))
        await asyncio.sleep(0)
    return pl.concat(parts)


async def _of(db: Db, table: str, tickets: Sequence[str]) -> pl.DataFrame:
    """These tickets, or what belongs to them."""
    column = "id" if table == "ticket" else "ticket"
    parts = [storage.columnar.read([], table)]
    for start in range(0, len(tickets), AT_ONCE):
        parts.append(await storage.columnar.facts(db, table, column, tickets[start : start + AT_ONCE]))
    return pl.concat(parts)


async def _followers(db: Db, own: pl.DataFrame, fairness: Fairness) -> pl.DataFrame:
    """What these tickets look at: others of the same requester and category, opened afterwards."""
    found = [own.clear()]
    for some in own.iter_slices(AT_ONCE):
        world = World({"ticket": some}, some["id"])
        await storage.worlds.followers(db, some.clear(), world, fairness)
        found.append(world.facts["ticket"].slice(len(some)))
    return pl.concat(found).unique("id", maintain_order=True).join(own, on="id", how="anti", maintain_order="left")
