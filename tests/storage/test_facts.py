"""Facts in and out: nothing twice, nothing stale, few statements."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from sqlalchemy import event, insert

import scoring.catalogue
import scoring.directory
import scoring.periods
import storage.catalogue
import storage.directory
import storage.facts
import storage.rollups
from scoring.facts import SCHEMA
from scoring.refused import Refused
from scoring.rules import Rules
from storage.db import Store
from storage.facts import Changed
from storage.models import correction
from tests.storage import desk
from tests.storage.desk import MONDAY, RULES

NOON = MONDAY * 86_400 + 12 * 3_600
WEEK = scoring.periods.week(MONDAY)


@pytest.fixture
async def office(store: Store) -> Store:
    async with store.write() as db:
        await desk.furnish(db)
    return store


def ticket(name: str = "t1", **columns: Any) -> dict[str, Any]:
    return {"id": name, "number": name, "title": "Printer", "requester": "x", "category": "c",
            "opened_at": NOON - 3_600,
            "resolved_at": NOON, "resolver": "s/1", "owner": "s/1", "first_worker": "s/1", "reopens": 0,
            "updated_at": 10, **columns}  # fmt: skip


async def take(store: Store, table: str, *rows: dict[str, Any], rules: Rules = RULES) -> Changed:
    frame = pl.DataFrame(rows, infer_schema_length=None)
    async with store.write() as db:
        return await storage.facts.upsert(db, table, frame, await storage.directory.read(db), rules)


async def kept(store: Store) -> list[Any]:
    async with store.read() as db:
        return (await storage.rollups.stored(db)).rows()


async def reopened(store: Store, person: int = 1) -> tuple[int, int]:
    async with store.read() as db:
        found = await storage.rollups.person_series(db, person, [RULES.metrics["reopen_rate"]], WEEK)
    return found["reopen_rate"].period.num, found["reopen_rate"].period.den


async def test_the_same_rows_twice_change_nothing(office: Store) -> None:
    first = await take(office, "ticket", ticket("t1"), ticket("t2"))
    before = await kept(office)
    again = await take(office, "ticket", ticket("t2"), ticket("t1"))
    assert (first.new, first.changed, first.same) == (2, 0, 0)
    assert (again.new, again.changed, again.same, again.days) == (0, 0, 2, frozenset())
    assert await kept(office) == before != []


async def test_a_corrected_row_moves_its_figures(office: Store) -> None:
    await take(office, "ticket", ticket())
    assert (await reopened(office)) == (0, 1000)
    done = await take(office, "ticket", ticket(resolver="s/2", reopens=1, updated_at=11))
    assert (done.changed, done.days >= {MONDAY}) == (1, True)
    assert (await reopened(office)) == (0, 0)
    assert (await reopened(office, 2)) == (1000, 1000)


async def test_an_older_row_loses_against_the_stored_one(office: Store) -> None:
    await take(office, "ticket", ticket(reopens=1))
    assert await take(office, "ticket", ticket(updated_at=9)) == Changed(same=1)
    assert (await reopened(office)) == (1000, 1000)


async def test_of_two_rows_with_one_id_the_newest_counts(office: Store) -> None:
    done = await take(office, "ticket", ticket(reopens=1), ticket(updated_at=9))
    assert (done.new, await reopened(office)) == (1, (1000, 1000))


async def test_what_is_taken_out_leaves_no_trace(office: Store) -> None:
    await take(office, "ticket", ticket())
    async with office.write() as db:
        done = await storage.facts.delete(db, "ticket", ["t1", "nobody"], await storage.directory.read(db), RULES)
    assert done.gone == 1
    left = [row for row in await kept(office) if row[2] <= MONDAY and row[4]]
    assert left == []


async def test_a_load_that_breaks_off_leaves_nothing(office: Store) -> None:
    async with office.engine.connect() as db:
        rows = pl.DataFrame([ticket()])
        await storage.facts.upsert(db, "ticket", rows, await storage.directory.read(db), RULES)
        await db.rollback()
    assert await kept(office) == []
    assert (await take(office, "ticket", ticket())).new == 1


async def test_a_correction_takes_the_ticket_out_of_one_persons_figures(office: Store) -> None:
    await take(office, "ticket", ticket(reopens=1), ticket("t2"))
    async with office.write() as db:
        await db.execute(insert(correction).values(
            ticket="t1", person_id=1, kind="not_mine", reason="shared", state="confirmed", asked_at=1
        ))  # fmt: skip
        days = await storage.facts.renew_tickets(db, ["t1"], RULES, 1)
    assert MONDAY in days
    assert (await reopened(office)) == (0, 1000)
    async with office.read() as db:
        metric = RULES.metrics["reopen_rate"]
        found = await storage.rollups.tickets_behind(db, metric, 1, WEEK, 10)
    assert {(one.id, one.counted) for one in found} == {("t1", "left out: not your work"), ("t2", "no")}


async def test_tickets_behind_a_figure_read_what_the_person_has_to_do_with_and_no_whole_table(office: Store) -> None:
    await take(office, "ticket", ticket(reopens=1), ticket("t2"))
    statements: list[str] = []

    def heard(*args: Any) -> None:
        statements.append(str(args[2]))

    event.listen(office.engine.sync_engine, "before_cursor_execute", heard)
    async with office.read() as db:
        for name in ("reopen_rate", "csat", "real_time_entry", "aged_tickets"):
            await storage.rollups.tickets_behind(db, RULES.metrics[name], 1, WEEK, 10)
    event.remove(office.engine.sync_engine, "before_cursor_execute", heard)
    whole = [sql for sql in statements if "WHERE" not in sql and "FROM team" not in " ".join(sql.split())]
    assert not whole
    assert any("survey" in sql for sql in statements)
    for sql in statements:
        if 'FROM "time_entry"' in sql or 'FROM "survey"' in sql:
            assert " BETWEEN " in sql, "of the period alone"


async def test_a_few_accounts_know_of_their_people_what_all_know(office: Store) -> None:
    at = pl.Series("at", [NOON + 86_400 * day for day in (-40, 0, 3, 200)])
    async with office.read() as db:
        whole = await storage.directory.read(db)
        few = await storage.directory.of_accounts(db, [desk.KEYS[0], desk.KEYS[2], desk.KEYS[-1], "s/never"])
        none = await storage.directory.of_accounts(db, [])
    assert sorted(few.accounts["person"].to_list()) == [1, 3]
    assert none.accounts.is_empty()
    for number in (1, 3):
        who = pl.Series("who", [number] * len(at), dtype=pl.Int64)
        for one in (scoring.directory.local_days, scoring.directory.teams_on):
            days = at if one is scoring.directory.local_days else at // 86_400
            assert one(few, who, days).to_list() == one(whole, who, days).to_list()
        ends = at + 30 * 3_600
        minutes = [scoring.directory.business_minutes(known, who, at, ends).to_list() for known in (few, whole)]
        assert minutes[0] == minutes[1]


async def test_a_value_that_is_no_number_names_metric_and_row(office: Store) -> None:
    with pytest.raises(Refused) as refused:
        await take(office, "ticket", ticket(complexity=float("inf")))
    assert "weighted_throughput" in refused.value.what
    assert "t1" in refused.value.what


async def test_one_changed_ticket_takes_at_most_twenty_statements(office: Store) -> None:
    await take(office, "ticket", *[ticket(f"t{n}") for n in range(30)])
    for table in ("ticket_event", "survey", "escalation", "time_entry"):
        await take(office, table, {"id": "a", "ticket": "t3"})
    async with office.read() as db:
        directory = await storage.directory.read(db)
    said: list[str] = []

    def hear(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    event.listen(office.engine.sync_engine, "before_cursor_execute", hear)
    async with office.write() as db:
        rows = pl.DataFrame([ticket("t3", resolver="s/2", updated_at=12)])
        done = await storage.facts.upsert(db, "ticket", rows, directory, RULES)
    assert done.changed == 1
    assert 5 < len(said) <= 20


async def test_a_changed_definition_renews_its_own_metric_only(office: Store) -> None:
    await take(office, "ticket", ticket(reopens=1, tier=2))
    assert await storage.rollups.renew(office, RULES) == list(RULES.metrics)
    shipped = storage.catalogue.shipped()
    own = {"reopen_rate": {"denominator": {**shipped["reopen_rate"]["denominator"], "where": "tier = 1"}}}
    rules = replace(RULES, metrics=scoring.catalogue.load(shipped, own))
    assert await storage.rollups.renew(office, rules) == ["reopen_rate"]
    assert (await reopened(office)) == (0, 0)
    assert await storage.rollups.renew(office, rules) == []


async def test_a_rebuild_mends_whatever_was_wrong(office: Store) -> None:
    await take(office, "ticket", ticket(), ticket("t2", resolver="s/2"))
    before = await kept(office)
    async with office.write() as db:
        await db.exec_driver_sql("UPDATE rollup SET num = num + 7")
        await db.exec_driver_sql("DELETE FROM rollup WHERE subject_id = 2")
    assert await storage.rollups.rebuild(office, RULES) == len(before)
    assert await kept(office) == before


async def test_metrics_without_facts_are_not_connected(office: Store) -> None:
    await take(office, "ticket", ticket())
    async with office.read() as db:
        found = await storage.rollups.connected(db)
    assert "reopen_rate" in found
    assert not {"csat", "utilisation", "sla_triage"} & found


@pytest.mark.parametrize("table", sorted(SCHEMA))
async def test_every_fact_table_takes_a_row_of_nothing_but_an_id(sqlite_store: Store, table: str) -> None:
    assert (await take(sqlite_store, table, {"id": "x"})).new == 1
    assert (await take(sqlite_store, table, {"id": "x"})).same == 1


async def test_a_person_has_a_part_in_what_they_touched(office: Store) -> None:
    await take(office, "ticket", ticket())
    await take(
        office, "ticket_event", {"id": "e", "ticket": "t1", "at": NOON, "seq": 1, "what": "updated", "actor": "s/2"}
    )
    async with office.read() as db:
        assert [await storage.rollups.has_part(db, "t1", person) for person in (1, 2, 3)] == [True, True, False]


async def _ready(store: Store, *rows: dict[str, Any]) -> tuple[Any, Any, pl.DataFrame]:
    frame = pl.DataFrame(rows, infer_schema_length=None)
    async with store.read() as db:
        directory = await storage.directory.read(db)
        return await storage.facts.prepare(db, "ticket", frame, directory, RULES), directory, frame


async def test_what_was_computed_ahead_is_only_used_while_it_still_holds(office: Store) -> None:
    repeat = {"opened_at": NOON + 86_400, "resolved_at": NOON + 90_000}
    await take(office, "ticket", ticket("t0", requester="z"))
    ready, directory, frame = await _ready(office, ticket("t2", **repeat))
    assert ready is not None
    await take(office, "ticket", ticket("t1"))  # which t2 repeats: what was computed does not know
    async with office.write() as db:
        assert not await storage.facts.undisturbed(db, ready)
        assert not await storage.facts.holds(db, ready, frame, directory)
        await storage.facts.upsert(db, "ticket", frame, directory, RULES)
    again, directory, frame = await _ready(office, ticket("t3", requester="y"))
    assert again is not None
    async with office.write() as db:
        assert await storage.facts.undisturbed(db, again) == office.is_sqlite
        assert await storage.facts.holds(db, again, frame, directory)
        assert (await storage.facts.write(db, again)).new == 1
        known = await storage.directory.read(db, RULES.zone)
        anew = (await desk.anew(db, known, RULES)).rows()
    assert await kept(office) == anew
    async with office.read() as db:
        found = await storage.rollups.person_series(db, 1, [RULES.metrics["repeat_incidents"]], WEEK)
    assert found["repeat_incidents"].period.num == 1000


def test_rows_are_put_in_order_each_once_and_people_together() -> None:
    rows = [ticket(f"t{n}", resolver=f"s/{n % 3}", updated_at=n) for n in range(450)] + [ticket("t7", updated_at=1)]
    whole = storage.facts.ordered("ticket", pl.DataFrame(rows))
    assert whole["id"].n_unique() == len(whole) == 450
    assert whole["resolver"].is_sorted()
    assert whole.filter(pl.col("id") == "t7")["updated_at"].to_list() == [7]
