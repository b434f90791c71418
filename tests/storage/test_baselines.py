"""What is measured is kept with the version of the rules that brought it in, in one transaction."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

import bot.config
import scoring.baselines
import scoring.periods
import storage.baselines
import storage.rules
from bot.commands import apply
from bot.config import Config
from scoring.baselines import Counts, Proposal
from scoring.metrics import Lines
from scoring.refused import Refused
from scoring.rules import Measured
from storage.db import Store

NOW = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
TODAY = scoring.periods.day_of(NOW.date())
SHIPPED = bot.config.rules(Config())
LINES = Lines(target=50.0, red=80.0, worst=140.0, best=40.0)
PROPOSAL = Proposal(LINES, (40.0, 60.5), 52, 13, 4, Counts(3, 9, 40))


def body(zone: str = "UTC", *more: str) -> dict[str, Any]:
    weights = dict.fromkeys(("csat", "average_wait", *more), 100 / (2 + len(more)))
    rubric = {"name": "ours", "level": "person", "from": "2026-01-01", "weights": weights}
    return {**SHIPPED, "own": {"organisation": {"zone": zone}, "rubric": [rubric]}}


async def begun(store: Store, zone: str = "UTC") -> list[storage.baselines.Baseline]:
    async with store.write() as db:
        await storage.rules.ensure(db, SHIPPED, NOW)
        await storage.rules.store(db, body(zone), "ada", NOW, after=1)
        return await storage.baselines.waiting(db)


async def test_what_a_version_brings_in_is_measured_from_its_local_day_and_stays_so_through_the_next(
    store: Store,
) -> None:
    [one] = await begun(store, "Europe/Berlin")
    day = TODAY + 1  # half past midnight in Berlin
    assert (one.level, one.metric, one.from_day, one.until_day, one.state) == (
        "person", "average_wait", day, day + 28, "measuring",
    )  # fmt: skip
    async with store.write() as db:
        await storage.rules.store(db, body("Europe/Berlin"), "ada", NOW + timedelta(days=3), after=2)
        assert await storage.baselines.waiting(db) == [one]
        found = await storage.rules.current(db)
        assert found is not None
        assert storage.rules.read(found).measuring == {("person", "average_wait"): Measured(day, day + 28)}


async def test_an_installation_measures_nothing(store: Store) -> None:
    async with store.write() as db:
        first = await storage.rules.ensure(db, body(), NOW)
        assert storage.rules.read(first).measuring == {}
        assert await storage.baselines.waiting(db) == []


async def test_a_version_that_is_not_stored_measures_nothing(store: Store) -> None:
    async with store.write() as db:
        await storage.rules.ensure(db, SHIPPED, NOW)
    with pytest.raises(Refused):
        async with store.write() as db:
            await storage.rules.store(db, body(), "ada", NOW, after=0)
    async with store.read() as db:
        assert await storage.baselines.waiting(db) == []


async def test_a_change_is_made_once_from_the_version_that_was_seen(store: Store) -> None:
    [one] = await begun(store)
    proposed = replace(one, state="proposed", proposal=PROPOSAL)
    async with store.write() as db:
        assert await storage.baselines.change(db, one, proposed)
        assert not await storage.baselines.change(db, one, replace(one, state="kept"))
        found = await storage.baselines.get(db, one.id)
        assert found == replace(proposed, version=2)
        adopted = replace(proposed, state="adopted", lines=LINES, decided_at=7, reason="Why not.")
        assert await storage.baselines.change(db, found, adopted)
        assert await storage.baselines.waiting(db) == []
        assert await storage.baselines.known(db) == [replace(adopted, version=3)]


async def test_nothing_is_measured_twice_at_once(store: Store) -> None:
    [one] = await begun(store)
    with pytest.raises(IntegrityError):
        async with store.write() as db:
            await db.exec_driver_sql(
                "INSERT INTO baseline (level, metric, from_day, until_day, state, proposal, lines, reason, version) "
                "SELECT level, metric, from_day, until_day, 'proposed', '', '', '', 1 FROM baseline"
            )
    async with store.write() as db:
        found = await storage.rules.current(db)
        assert found is not None
        await storage.baselines.follow(db, found.body)
        assert await storage.baselines.waiting(db) == [one]


async def test_apply_says_what_is_measured_and_carries_what_was_adopted(
    sqlite_store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    async with sqlite_store.write() as db:
        await storage.rules.ensure(db, SHIPPED, datetime.now(UTC) - timedelta(days=200))
    assert await apply._apply(sqlite_store, body(), True, False, Config()) == 0
    assert "average_wait is new for people: measured for four weeks, without colour, until" in capsys.readouterr().out
    async with sqlite_store.write() as db:
        [one] = await storage.baselines.waiting(db)
        found = await storage.rules.current(db)
        assert found is not None
        decided = scoring.baselines.decide(found.body, one.pair, LINES, one.until_day)
        await storage.rules.store(db, decided, "mara", datetime.now(UTC), after=2)
    assert await apply._apply(sqlite_store, body(), True, False, Config()) == 0
    assert "Nothing to change" in capsys.readouterr().out
    named = body()
    named["own"]["organisation"]["name"] = "Nord"
    assert await apply._apply(sqlite_store, json.loads(json.dumps(named)), True, False, Config()) == 0
    assert "measured" not in capsys.readouterr().out
    async with sqlite_store.read() as db:
        kept = await storage.rules.current(db)
        assert kept is not None
        assert kept.body["baselines"] == decided["baselines"]


async def test_apply_refuses_to_tighten_twice_in_a_quarter_and_says_from_when_it_may(sqlite_store: Store) -> None:
    def tighter(*dated: tuple[int, int]) -> dict[str, Any]:
        today = datetime.now(UTC).date()
        lines = [
            {"metric": "csat", "from": (today + timedelta(days=days)).isoformat(), "target": target}
            for days, target in dated
        ]
        return {**SHIPPED, "own": {"lines": lines}}

    async with sqlite_store.write() as db:
        await storage.rules.ensure(db, SHIPPED, datetime.now(UTC) - timedelta(days=200))
    assert await apply._apply(sqlite_store, tighter((0, 86)), True, False, Config()) == 0
    allowed = (datetime.now(UTC).date() + timedelta(days=91)).isoformat()
    with pytest.raises(Refused, match=allowed):
        await apply._apply(sqlite_store, tighter((0, 86), (30, 87)), True, False, Config())
    assert await apply._apply(sqlite_store, tighter((0, 86), (91, 87)), True, False, Config()) == 0
