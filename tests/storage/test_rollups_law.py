"""The law of the house: rollups kept by differences equal rollups made anew, byte for byte."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

import scoring.distortions
import scoring.periods
import scoring.rollups
import storage.directory
import storage.distortions
import storage.facts
import storage.rollups
from scoring.distortions import Distortion
from storage.db import Db, Store
from storage.models import account, correction, membership, person, team
from tests.storage import desk
from tests.storage.at_work import dying, half_way, work_in
from tests.storage.desk import MONDAY

FACTS = [("upsert", table) for table in desk.TABLES] + [
    ("upsert", "ticket"),
    ("upsert", "ticket_event"),
    ("log", ""),
    ("delete", ""),
]
PEOPLE = [("people", act) for act in ("zone", "hours", "move", "leave", "link", "share", "manager")] + [
    ("correct", ""),
    ("distort", ""),
    ("distort", ""),
    ("work", ""),
    ("work", "killed"),
]
OWN = {
    **storage.catalogue.shipped()["repeat_incidents"],
    "title": "Undone twice",
    "numerator": {"value": "repeated AND reopened"},  # of a neighbour and of an event
}
RULES = replace(desk.RULES, metrics=scoring.catalogue.load(storage.catalogue.shipped(), {"undone_twice": OWN}))
STEPS = st.lists(st.tuples(st.sampled_from(FACTS * 2 + PEOPLE), st.integers(0, 10_000)), min_size=1, max_size=9)
PERIOD = scoring.periods.rolling("weeks4", MONDAY + 20)


async def _change_people(db: Db, act: str, rng: random.Random) -> None:
    who = rng.randrange(1, desk.PEOPLE + 1)
    day = MONDAY + rng.randrange(0, 30)
    if act == "zone":
        await db.execute(update(person).where(person.c.id == who).values(zone=rng.choice(desk.ZONES)))
    elif act == "hours":
        changes = {"hours": rng.choice([desk.OFFICE, desk.NIGHT]), "holidays": json.dumps([day, MONDAY + 2])}
        await db.execute(update(team).where(team.c.id == rng.choice([1, 2])).values(**changes))
    elif act == "move":
        await db.execute(update(membership).where(membership.c.person_id == who).values(to_day=day))
        other = {"person_id": who, "team_id": rng.choice([1, 2]), "role": "technician", "from_day": day}
        await db.execute(insert(membership).values(**other, to_day=rng.choice([None, day + 9])))
    elif act == "leave":
        await db.execute(delete(membership).where(membership.c.person_id == who, membership.c.from_day >= day))
        await db.execute(update(membership).where(membership.c.person_id == who).values(to_day=day + 3))
    elif act == "link":
        await db.execute(delete(account).where(account.c.key == desk.KEYS[-1]))
        await db.execute(insert(account).values(key=desk.KEYS[-1], person_id=who, state="linked"))
    elif act == "share":
        await db.execute(update(account).where(account.c.person_id == who).values(state="disputed"))
    else:
        await db.execute(update(membership).where(membership.c.person_id == who).values(manager_id=1))


async def _correct(db: Db, rng: random.Random) -> None:
    ticket, who = f"t{rng.randrange(6)}", rng.randrange(1, desk.PEOPLE + 1)
    there = select(correction.c.id).where(correction.c.ticket == ticket, correction.c.person_id == who)
    if (await db.execute(there)).first() is not None:
        return
    await db.execute(insert(correction).values(
        ticket=ticket, person_id=who, kind="not_mine", reason="no", state="confirmed", asked_at=1
    ))  # fmt: skip
    await storage.facts.renew_tickets(db, [ticket], RULES, who)


async def _distort(db: Db, rng: random.Random) -> None:
    """Another distortion is approved, or one is taken back; it is worked in later."""
    there = await storage.distortions.of_state(db, "approved")
    if there and rng.random() < 0.4:
        one = replace(rng.choice(there), state="reverted")
        await storage.distortions.revert(db, one, 1, 2)
    else:
        first, weight = MONDAY + rng.randrange(-2, 28), rng.choice(scoring.distortions.WEIGHTS)
        names = rng.choice([[], [], rng.sample(sorted(RULES.metrics), 4)])
        scope = rng.choice(["desk", "team:1", "team:2"])
        asked = Distortion(0, "outage", scope, first, first + rng.randrange(0, 9), weight, "Mail", 1, tuple(names))
        number = await storage.distortions.declare(db, asked, 1)
        one = replace(asked, id=number, state="approved", decided_by=2)
        assert await storage.distortions.decide(db, one, 2)


async def _take(store: Store, step: tuple[tuple[str, str], int]) -> None:
    (kind, what), seed = step
    rng = random.Random(seed)
    if kind == "work":  # all of it, or killed after a transaction or two
        await work_in(store, RULES, dying(rng.randrange(1, 4)) if what else lambda: False)
        return
    async with store.write() as db:
        if kind == "people":
            await _change_people(db, what, rng)
            await storage.rollups.outdate(db)
        elif kind == "correct":
            await _correct(db, rng)
        elif kind == "distort":
            await _distort(db, rng)
        else:
            known = await storage.directory.read(db)
            ids = [f"{(what or 't')[0]}{number}" for number in rng.sample(range(9), rng.randrange(1, 4))]
            if kind == "log":
                events = desk.rows("ticket_event", [f"t{number}" for number in rng.sample(range(9), 3)], rng)
                await storage.facts.upsert(db, "ticket", desk.rows("ticket", ids, rng), known, RULES, events)
            elif kind == "upsert":
                await storage.facts.upsert(db, what, desk.rows(what, ids, rng), known, RULES)
            else:
                table = rng.choice(desk.TABLES)
                ids = [f"{table[0]}{number}" for number in rng.sample(range(6), 3)]
                await storage.facts.delete(db, table, ids, known, RULES)
    if kind == "people":
        await storage.rollups.renew(store, RULES)


async def _kept_and_anew(db: Db) -> tuple[list[Any], list[Any]]:
    """Rollups of days and of weeks, as they are kept and as all facts make them."""
    known = await storage.directory.read(db, RULES.zone)
    await storage.rollups.sync_metrics(db, RULES.metrics)
    days = await desk.anew(db, known, RULES)
    weeks = scoring.rollups.weeks(days).sort(scoring.rollups.KEY)
    kept = [(await storage.rollups.stored(db, table=table)).rows() for table in ("rollup", "rollup_week")]
    return kept, [days.rows(), weeks.rows()]


async def _law_holds(store: Store, steps: list[Any]) -> None:
    await desk.clear(store)
    async with store.write() as db:
        await desk.furnish(db)
        known = await storage.directory.read(db)
        rng = random.Random(1)
        for table in ("ticket", "ticket_event", "time_entry"):
            await storage.facts.upsert(
                db, table, desk.rows(table, [f"{table[0]}{n}" for n in range(6)], rng), known, RULES
            )
    for step in [*steps, (("work", ""), 0)]:
        await _take(store, step)
        async with store.write() as db:
            if await half_way(db):
                continue
            kept, anew = await _kept_and_anew(db)
        assert kept == anew
        async with store.read() as db:
            await storage.rollups.person_series(db, 1, list(RULES.metrics.values()), PERIOD)


QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=25, deadline=None, suppress_health_check=QUIET)
@given(STEPS)
async def test_incremental_rollups_equal_a_rebuild_on_sqlite(sqlite_store: Store, steps: list[Any]) -> None:
    await _law_holds(sqlite_store, steps)


@settings(max_examples=6, deadline=None, suppress_health_check=QUIET)
@given(STEPS)
async def test_incremental_rollups_equal_a_rebuild_on_postgresql(postgres_store: Store, steps: list[Any]) -> None:
    await _law_holds(postgres_store, steps)


@pytest.mark.parametrize("seed", range(3))
async def test_the_order_in_which_facts_arrive_does_not_matter(sqlite_store: Store, seed: int) -> None:
    rng = random.Random(seed)
    batches = [(t, desk.rows(t, [f"{t[0]}{n}" for n in range(8)], rng)[k : k + 4]) for t in desk.TABLES for k in (0, 4)]
    found = []
    for order in (batches, rng.sample(batches, len(batches))):
        await desk.clear(sqlite_store)
        async with sqlite_store.write() as db:
            await desk.furnish(db)
            await desk.number_clients(db)
            known = await storage.directory.read(db)
            await storage.rollups.sync_metrics(db, RULES.metrics)
            for table, rows in order:
                await storage.facts.upsert(db, table, rows, known, RULES)
            found.append((await storage.rollups.stored(db)).rows())
    assert found[0] == found[1]
    assert len(found[0]) > 300
