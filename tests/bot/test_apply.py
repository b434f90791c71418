"""Rules put in force: what they make stale is stale from that moment on, and loads under way follow them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl

import bot.config
import storage.arrivals
import storage.directory
import storage.rollups
import storage.rules
from bot.commands import apply
from bot.config import Config
from scoring.rules import Rules
from storage.arrivals import Intake
from storage.db import Db, Store
from storage.facts import Changed
from storage.sources import Batch
from tests.storage import desk
from tests.storage.desk import MONDAY

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SHIPPED = bot.config.rules(Config())
LATE = MONDAY * 86_400 + 23 * 3_600
"""Monday evening in London, Tuesday morning in Tokyo."""


def at(zone: str, **metric: Any) -> dict[str, Any]:
    return {**SHIPPED, "own": {"organisation": {"zone": zone}, **({"metric": metric} if metric else {})}}


async def begun(store: Store) -> Rules:
    """A desk in London, built, with some work for a client late in the evening."""
    async with store.write() as db:
        await desk.furnish(db)
        await desk.number_clients(db)
        rules = storage.rules.read(await storage.rules.ensure(db, at("Europe/London"), NOW))
    await take(Intake(store, rules, lambda: 0.0), "first")
    await storage.rollups.renew(store, rules)
    return rules


async def take(intake: Intake, name: str) -> None:
    entry = {"id": name, "account": "s/1", "client": "a", "kind": "client", "reactive": True, "started_at": LATE,
             "ended_at": LATE + 600, "entered_at": LATE + 600, "minutes": 10}  # fmt: skip
    await storage.arrivals.take(intake, Batch("time_entry", pl.DataFrame([entry])), quiet)


async def quiet(_db: Db, _done: Changed, _rows: object) -> None:
    """Nothing to be noted."""


async def put(store: Store, before: Rules, body: dict[str, Any]) -> Rules:
    after = apply.read(body, Config(), before.version + 1)
    async with store.write() as db:
        assert await apply.enforce(db, body, before, after, before.version) == after.version
    return after


async def days_of(store: Store, name: str) -> list[int]:
    async with store.read() as db:
        sql = f"SELECT DISTINCT day FROM rollup JOIN metric ON metric.id = metric_id WHERE name = '{name}' ORDER BY 1"
        return [row[0] for row in await db.exec_driver_sql(sql)]


async def equal_anew(store: Store, rules: Rules) -> bool:
    async with store.read() as db:
        known = await storage.directory.read(db, rules.zone)
        return (await storage.rollups.stored(db)).equals(await desk.anew(db, known, rules))


async def test_a_change_of_zone_is_followed_even_if_the_command_dies_before_it_computes(store: Store) -> None:
    before = await begun(store)
    assert await days_of(store, "reactive_hours_per_endpoint") == [MONDAY]
    after = await put(store, before, at("Asia/Tokyo"))
    async with store.read() as db:
        assert await storage.rollups.stale(db, after.metrics) == ["reactive_hours_per_endpoint"]
    await storage.rollups.renew(store, after)  # as the next load or command does
    assert await days_of(store, "reactive_hours_per_endpoint") == [MONDAY + 1]
    assert await equal_anew(store, after)


async def test_what_does_not_count_by_the_zone_is_not_computed_again(store: Store) -> None:
    before = await begun(store)
    after = await put(store, before, {**at("Europe/London"), "own": {"organisation": {"zone": "Europe/London",
                                                                                        "name": "Nord"}}})  # fmt: skip
    async with store.read() as db:
        assert await storage.rollups.stale(db, after.metrics) == []


async def test_a_load_under_way_goes_on_by_the_rules_that_hold(store: Store) -> None:
    before = await begun(store)
    intake = Intake(store, before, lambda: 0.0)
    await take(intake, "second")
    stricter = {**SHIPPED["catalogue"]["metric"]["utilisation"]["numerator"], "where": "productive AND minutes > 15"}
    after = await put(store, before, at("Asia/Tokyo", utilisation={"numerator": stricter}))
    await storage.rollups.renew(store, after)
    await take(intake, "third")
    assert intake.rules.version == after.version
    assert await equal_anew(store, after)
