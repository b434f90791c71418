"""Loading in batches: a log that comes in parts, on both databases, tells what the whole log tells."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

import bot.config
import handlers.ingest
import scoring.rulebook
import storage.columnar
import storage.health
import storage.loads
import storage.sources.maps
from handlers.ingest import Order, Told
from scoring.refused import Refused
from scoring.rules import Rules
from storage.db import Store

MAP = storage.sources.maps.load("servicenow-incident-log")
COLUMNS = [
    *("number", "incident_state", "reassignment_count", "reopen_count", "sys_mod_count", "made_sla", "caller_id"),
    *("opened_at", "sys_updated_at", "contact_type", "category", "cmdb_ci", "priority", "assignment_group"),
    *("knowledge", "resolved_by", "resolved_at", "closed_at"),
]


def line(number: str, count: int, state: str, updated: str, **more: str) -> str:
    usual = dict.fromkeys(COLUMNS, "?") | {"reassignment_count": "0", "reopen_count": "0", "made_sla": "true"}
    values = usual | {"number": number, "sys_mod_count": str(count), "incident_state": state, "sys_updated_at": updated}
    return ",".join((values | {"opened_at": "1/3/2016 09:00"} | more)[column] for column in COLUMNS)


LOG = [
    line("INC1", 0, "New", "1/3/2016 09:05"),
    line("INC1", 1, "Active", "1/3/2016 09:30"),
    line("INC2", 0, "New", "1/3/2016 10:00"),
    line("INC1", 2, "Awaiting User Info", "1/3/2016 10:00"),
    line("INC1", 3, "Active", "1/3/2016 12:00", category="Category 7"),
    line("INC1", 4, "Resolved", "2/3/2016 09:00", resolved_by="Resolved by 5"),
    line("INC2", 1, "Resolved", "2/3/2016 10:00", resolved_by="Resolved by 6", made_sla="false"),
    line("INC1", 5, "Closed", "5/3/2016 09:00", resolved_by="Resolved by 5", closed_at="5/3/2016 09:00"),
]


TOLD = (lambda: 1_480_000_000, lambda done, rows: None, time.monotonic)
"""The hour, the progress, and the clock of a load."""


@pytest.fixture(scope="module")
def rules() -> Rules:
    return scoring.rulebook.read(bot.config.rules(bot.config.Config()), version=1)


def written(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join([",".join(COLUMNS), *lines]) + "\n")


async def load(store: Store, rules: Rules, path: Path, lines: list[str], strict: bool = False) -> Told:
    written(path, lines)
    order = Order((path,), MAP, path.with_suffix(".rejects.csv"), strict=strict)
    return await handlers.ingest.load(store, rules, order, *TOLD)


async def facts(store: Store) -> tuple[object, ...]:
    async with store.read() as db:
        tickets = await storage.columnar.rows(db, "SELECT * FROM ticket ORDER BY id")
        events = await storage.columnar.rows(
            db, "SELECT ticket, at, seq, what FROM ticket_event WHERE what <> 'updated' ORDER BY ticket, seq"
        )
        return [tuple(row) for row in tickets], [tuple(row) for row in events]


async def emptied(store: Store) -> None:
    async with store.write() as db:
        for table in ("ticket", "ticket_event", "rollup"):
            await storage.columnar.rows(db, f"DELETE FROM {table} RETURNING 1")


@pytest.mark.parametrize("cut", [1, 4, 6])
async def test_a_log_in_two_parts_tells_the_same_tickets_in_either_order(
    store: Store, rules: Rules, tmp_path: Path, cut: int
) -> None:
    whole = await load(store, rules, tmp_path / "whole.csv", LOG)
    expected = (await facts(store))[0]
    assert whole.new == 10
    for parts in ((LOG[:cut], LOG[cut:]), (LOG[cut:], LOG[:cut])):
        await emptied(store)
        for part in parts:
            await load(store, rules, tmp_path / "part.csv", part)
        assert (await facts(store))[0] == expected


async def test_the_ledger_knows_how_new_the_data_are(store: Store, rules: Rules, tmp_path: Path) -> None:
    async with store.read() as db:
        assert await storage.loads.as_of(db) is None
    told = await load(store, rules, tmp_path / "log.csv", LOG[:3])
    assert told.as_of == 1_456_826_400
    await load(store, rules, tmp_path / "log2.csv", LOG)
    async with store.read() as db:
        assert await storage.loads.as_of(db) == 1_457_168_400
        assert await storage.loads.is_done(db, storage.loads.digest(tmp_path / "log.csv"), handlers.ingest.source(MAP))
        assert not await storage.loads.is_done(db, "0", handlers.ingest.source(MAP))


async def test_fresh_surveys_do_not_hide_that_tickets_stopped_coming(
    store: Store, rules: Rules, tmp_path: Path
) -> None:
    async def as_of(name: str, text: str, said: int | None = None) -> int | None:
        path = tmp_path / name
        path.write_text(text)
        order = Order((path,), storage.sources.maps.load("standard"), path.with_suffix(".rejects.csv"), as_of=said)
        told = await handlers.ingest.load(store, rules, order, *TOLD)
        assert told.rows == 1
        async with store.read() as db:
            assert await storage.health.data_as_of(db) == await storage.loads.as_of(db)
            return await storage.loads.as_of(db)

    day = 86_400
    first = 20_513 * day  # 2026-03-01
    assert await as_of("surveys.csv", "ticket,sent_at\n1,2026-03-02\n") == first + day, "there are no tickets"
    assert await as_of("tickets.csv", "number,opened_at\n1,2026-03-01\n") == first
    assert await as_of("surveys.csv", "ticket,sent_at\n1,2026-03-09\n") == first
    assert await as_of("events.csv", "ticket,at,what\n1,2026-03-03,updated\n") == first + 2 * day
    assert await as_of("surveys.csv", "ticket,sent_at\n2,2026-03-09\n", first + 9 * day) == first + 2 * day
    assert await as_of("tickets.csv", "number,opened_at\n2,2026-03-02\n", first + 8 * day) == first + 8 * day


async def test_a_refused_file_is_in_the_ledger_and_is_not_done(store: Store, rules: Rules, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    written(path, ["too,short"])
    path = path.rename(tmp_path / "log.jsonl")
    with pytest.raises(Refused, match="found no JSON"):
        await handlers.ingest.load(
            store, rules, Order((path,), MAP, tmp_path / "r.csv"), *TOLD
        )
    async with store.read() as db:
        assert not await storage.loads.is_done(db, storage.loads.digest(path), handlers.ingest.source(MAP))
        assert [row[0] for row in await storage.columnar.rows(db, "SELECT state FROM load")] == ["refused"]


REFUSING = "CREATE TRIGGER no BEFORE INSERT ON ticket WHEN NEW.number = 'INC2' BEGIN SELECT RAISE(ABORT, 'no'); END"


async def test_a_load_that_breaks_off_is_not_told_as_under_way(
    sqlite_store: Store, rules: Rules, tmp_path: Path
) -> None:
    async with sqlite_store.write() as db:
        await db.exec_driver_sql(REFUSING)
    with pytest.raises(IntegrityError):
        await load(sqlite_store, rules, tmp_path / "log.csv", LOG)
    async with sqlite_store.write() as db:
        found = await storage.columnar.rows(db, "SELECT state, finished_at, rows, as_of FROM load")
        assert [tuple(row) for row in found] == [("refused", 1_480_000_000, 0, None)], "nothing of it went in"
        await db.exec_driver_sql("DROP TRIGGER no")
    assert (await load(sqlite_store, rules, tmp_path / "log.csv", LOG)).new == 10


async def test_a_line_with_half_a_character_is_left_out_and_the_rest_goes_in(
    store: Store, rules: Rules, tmp_path: Path
) -> None:
    path = tmp_path / "tickets.jsonl"
    path.write_text(
        '{"number": "1", "opened_at": "2026-03-01", "title": "\\ud83d\\udd25"}\n'
        '{"number": "2", "opened_at": "2026-03-01", "title": "\\ud83d"}\n'
    )
    order = Order((path,), storage.sources.maps.load("standard"), tmp_path / "rejects.csv")
    told = await handlers.ingest.load(store, rules, order, *TOLD)
    assert (told.new, told.rejected) == (1, 1)
    assert "found \\ud83d, which is half of a character" in told.first_rejected
    async with store.read() as db:
        assert [row[0] for row in await storage.columnar.rows(db, "SELECT title FROM ticket")] == ["\U0001f525"]
        assert [row[0] for row in await storage.columnar.rows(db, "SELECT state FROM load")] == ["done"]


async def test_strict_loads_nothing_where_one_row_is_bad(store: Store, rules: Rules, tmp_path: Path) -> None:
    bad = line("INC3", 0, "New", "1/3/2016 09:05", priority="soon")
    with pytest.raises(Refused, match="Nothing was loaded: 1 row cannot"):
        await load(store, rules, tmp_path / "log.csv", [*LOG, bad], strict=True)
    assert await facts(store) == ([], [])
    told = await load(store, rules, tmp_path / "log.csv", [*LOG, bad])
    assert (told.rejected, told.new) == (1, 10)
    assert told.unsettled == ("servicenow/Resolved by 5", "servicenow/Resolved by 6")
