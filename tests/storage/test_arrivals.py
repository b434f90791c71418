"""Facts coming in: worked out before the lock, in pieces that hold it briefly, whatever others do meanwhile."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from sqlalchemy import event

import scoring.directory
import scoring.events
import storage.arrivals
import storage.directory
import storage.facts
import storage.rollups
from storage.arrivals import Intake
from storage.db import Db, Store
from storage.facts import Changed
from storage.sources import Batch
from tests.storage import desk
from tests.storage.desk import MONDAY, RULES


@pytest.fixture
async def office(store: Store) -> Store:
    async with store.write() as db:
        await desk.furnish(db)
        await storage.rollups.sync_metrics(db, RULES.metrics)
    return store


def intake(store: Store, rows: int = 1_000) -> Intake:
    seconds: Iterator[int] = iter(range(10**9))
    return Intake(store, RULES, lambda: next(seconds) / 10, rows)


async def quiet(_db: Db, _done: Changed, _rows: pl.DataFrame) -> None:
    """Nothing to be noted."""


def log(tickets: list[str], seed: int, table: str = "ticket_event") -> Batch:
    """Tickets with events of an event log, as the reader makes them."""
    rng = random.Random(seed)
    base = desk.rows("ticket", tickets, rng).drop("resolved_at", "resolver")
    ids = [f"e{seed}-{number}" for number in range(3 * len(tickets))]
    events = desk.rows(table, ids, rng).with_columns(
        pl.Series("ticket", [rng.choice(tickets) for _ in ids]),
        pl.col("at").fill_null(MONDAY * 86_400),
        pl.col("what").fill_null("updated"),
        pl.col("seq").fill_null(0),
    )
    events = events.select(list(scoring.events.EVENT_TYPES))
    return Batch("ticket", scoring.events.told(base, events), events=events, base=base)


async def kept_and_anew(store: Store) -> tuple[list[Any], list[Any]]:
    async with store.read() as db:
        known = await storage.directory.read(db, RULES.zone)
        kept = (await storage.rollups.stored(db)).rows()
        return kept, (await desk.anew(db, known, RULES)).rows()


def heard_in_writing(store: Store) -> list[str]:
    """Statements of transactions that hold SQLite's lock."""
    said: list[str] = []

    def hear(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if connection.get_execution_options().get("writing", True):
            said.append(statement)

    event.listen(store.engine.sync_engine, "before_cursor_execute", hear)
    return said


async def test_while_the_lock_is_held_nothing_is_looked_up(office: Store) -> None:
    if not office.is_sqlite:
        pytest.skip("PostgreSQL has no one write lock that all others wait for.")
    await storage.arrivals.take(intake(office), log(["t1", "t2", "t3"], 1), quiet)
    said = heard_in_writing(office)
    coming = intake(office)
    await storage.arrivals.take(coming, log(["t2", "t3", "t4"], 2), quiet)
    rows = desk.rows("ticket", ["t7", "t8"], random.Random(3))
    await storage.arrivals.take(coming, Batch("ticket", rows), quiet)
    assert any("INSERT" in statement for statement in said)
    assert [statement for statement in said if statement.startswith("SELECT") and "metric" not in statement] == []
    kept, anew = await kept_and_anew(office)
    assert kept == anew != []


@pytest.mark.parametrize("seed", range(3))
async def test_two_loads_at_once_come_to_what_a_rebuild_says(office: Store, seed: int) -> None:
    async def one(start: int) -> None:
        coming = intake(office)
        for number in range(4):
            rng = random.Random(100 * seed + 10 * start + number)
            batch = log([f"t{n}" for n in rng.sample(range(9), 3)], rng.randrange(1, 99))
            await storage.arrivals.take(coming, batch, quiet)
            table = rng.choice(["survey", "escalation", "time_entry", "leave", "ticket"])
            rows = desk.rows(table, [f"{table}{n}" for n in rng.sample(range(5), 2)], rng)
            await storage.arrivals.take(coming, Batch(table, rows), quiet)

    await asyncio.gather(one(0), one(1))
    kept, anew = await kept_and_anew(office)
    assert kept == anew != []


async def test_who_is_who_is_asked_again_only_after_somebody_else_wrote(office: Store) -> None:
    coming = intake(office)
    for number in range(3):
        rows = desk.rows("training", [f"x{number}"], random.Random(number))
        await storage.arrivals.take(coming, Batch("training", rows), quiet)
    async with office.read() as db:
        known = await coming.directory(db)
        assert await coming.directory(db) is known
    async with office.write() as db:
        await db.exec_driver_sql("UPDATE person SET zone = 'Asia/Tokyo' WHERE id = 1")
    async with office.read() as db:
        found = await coming.directory(db)
    assert not scoring.directory.same(found, known)
    assert "Asia/Tokyo" in found.zone_names


async def test_clients_get_their_numbers_before_anything_is_worked_out(office: Store) -> None:
    rows = desk.rows("endpoints", ["x1", "x2"], random.Random(1)).with_columns(client=pl.lit("new"))
    await storage.arrivals.take(intake(office), Batch("endpoints", rows), quiet)
    kept, anew = await kept_and_anew(office)
    assert kept == anew != []


def test_pieces_hold_every_row_once_and_tickets_with_their_events(sqlite_store: Store) -> None:
    whole = log([f"t{number}" for number in range(40)], 7)
    assert whole.events is not None
    made = list(storage.arrivals.pieces(whole, intake(sqlite_store, rows=32)))
    assert [len(piece.frame) for piece in made] == [8, 8, 8, 8, 8]
    assert sorted(pl.concat([piece.frame for piece in made])["id"]) == sorted(whole.frame["id"])
    told = [piece.events for piece in made if piece.events is not None]
    assert sum(map(len, told)) == len(whole.events)
    for piece in made:
        assert piece.events is not None
        assert piece.base is not None
        assert set(piece.events["ticket"]) <= set(piece.frame["id"]) == set(piece.base["id"])


def test_a_long_lock_makes_the_next_piece_smaller_and_a_short_one_larger(sqlite_store: Store) -> None:
    slow, fast, odd = (intake(sqlite_store, rows=2_000) for _ in range(3))
    slow.held(0.4, 2_000)
    assert slow.rows == 1_000
    slow.held(0.15, 1_000)
    assert 700 < slow.rows < 1_000, "half of the way"
    fast.held(0.02, 2_000)
    assert fast.rows == 3_000
    for _ in range(9):
        fast.held(0.02, fast.rows)
    assert fast.rows == 5_000
    odd.held(0.01, 7)
    assert odd.rows == 2_000, "a remainder says nothing about more"
    assert (slow.longest, odd.longest) == (0.4, 0.01)


def test_pieces_follow_what_the_lock_allows_as_they_are_taken(sqlite_store: Store) -> None:
    rows = desk.rows("training", [f"x{number}" for number in range(1_000)], random.Random(1))
    coming = intake(sqlite_store, rows=400)
    sizes = []
    for piece in storage.arrivals.pieces(Batch("training", rows), coming):
        sizes.append(len(piece.frame))
        coming.held(0.44, len(piece.frame))
    assert sizes[:3] == [400, 200, 100]
    assert sum(sizes) == 1_000


async def test_events_and_their_tickets_go_in_together(office: Store) -> None:
    batch = log(["t1", "t2"], 5)
    seen: list[Changed] = []

    async def note(db: Db, done: Changed, _rows: pl.DataFrame) -> None:
        seen.append(done)

    await storage.arrivals.take(intake(office), batch, note)
    await storage.arrivals.take(intake(office), batch, note)
    assert [(done.new, done.changed, done.same) for done in seen] == [(8, 0, 0), (0, 0, 8)]
    more = log(["t1", "t2"], 6)
    await storage.arrivals.take(intake(office), replace(more, frame=batch.frame, base=batch.base), note)
    assert seen[-1].new == 6
    kept, anew = await kept_and_anew(office)
    assert kept == anew != []
