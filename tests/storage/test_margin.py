"""Costs as facts: exact on both databases, idempotent, told apart, and without a trace in anybody's figures."""

from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import handlers.ingest
import scoring.catalogue
import storage.catalogue
import storage.columnar
import storage.directory
import storage.loads
import storage.margin
import storage.rollups
import storage.sources.maps
from handlers.ingest import Order, Told
from scoring.margin import Contract, Cost
from scoring.rules import Rules
from storage.db import Store
from tests.storage import desk
from tests.storage.desk import MONDAY, RULES

STANDARD = storage.sources.maps.load("standard")
HEAD = "client,day,amount,currency,kind\n"
MARCH = (MONDAY - 15, MONDAY + 15)


@pytest.fixture
async def office(store: Store) -> Store:
    async with store.write() as db:
        await desk.furnish(db)
    return store


TOLD = (lambda: 1_800_000_000, lambda done, rows: None, time.monotonic)
"""The hour, the progress, and the clock of a load."""


def written(file: Path, text: str) -> Order:
    file.write_text(text, encoding="utf-8")
    return Order((file,), STANDARD, file.with_suffix(".rejects.csv"))


async def load(store: Store, file: Path, text: str, rules: Rules = RULES) -> Told:
    return await handlers.ingest.load(store, rules, written(file, text), *TOLD)


def rejected(file: Path) -> str:
    return file.with_suffix(".rejects.csv").read_text(encoding="utf-8")


async def costs(store: Store, days: tuple[int, int] = MARCH) -> list[Cost]:
    async with store.read() as db:
        return sorted(await storage.margin.costs(db, *days), key=lambda one: (one.kind, one.day))


async def test_costs_are_loaded_exactly_and_a_second_time_changes_nothing(office: Store, tmp_path: Path) -> None:
    text = HEAD + "a,2026-03-01,999999999999999.000001,gbp,Labour\n,2026-03-31,-0.10,GBP,licence\n"
    first = await load(office, tmp_path / "costs.csv", text)
    assert (first.new, first.changed, first.same, first.rejected) == (2, 0, 0, 0)
    again = await load(office, tmp_path / "costs.csv", text)
    assert (again.new, again.changed, again.same) == (0, 0, 2)
    assert await costs(office) == [
        Cost(MONDAY - 15, Decimal("999999999999999.000001"), "GBP", "labour"),
        Cost(MONDAY + 15, Decimal("-0.10"), "GBP", "licence"),
    ]
    assert await costs(office, (MONDAY - 14, MONDAY + 14)) == []


async def test_a_corrected_amount_takes_the_place_of_the_one_before(office: Store, tmp_path: Path) -> None:
    await load(office, tmp_path / "costs.csv", HEAD + ",2026-03-01,5000.00,GBP,labour\n")
    done = await load(office, tmp_path / "costs.csv", HEAD + ",2026-03-01,5100.00,GBP,labour\n")
    assert (done.new, done.changed) == (0, 1)
    assert [one.amount for one in await costs(office)] == [Decimal(5100)]


async def test_bad_amounts_go_to_the_rejects_and_the_rest_goes_in(sqlite_store: Store, tmp_path: Path) -> None:
    rows = [",2026-03-01,12.50,GBP,labour", ",2026-03-02,1e3,GBP,labour", ',2026-03-03,"1,200.00",GBP,labour',
            ",2026-03-04,,GBP,labour", ",soon,1.00,GBP,labour", ",,1.00,GBP,labour"]  # fmt: skip
    done = await load(sqlite_store, tmp_path / "costs.csv", HEAD + "\n".join(rows) + "\n")
    assert (done.new, done.rejected) == (1, 5)
    said = rejected(tmp_path / "costs.csv")
    assert "column amount: found '1e3', expected an amount like 1250.00." in said
    assert "column amount: found '1,200.00', expected an amount like 1250.00." in said
    assert "column amount is empty; every row needs it." in said
    assert "column day: found 'soon', expected a date like 2026-03-31." in said


async def test_two_costs_that_nothing_tells_apart_are_not_taken_for_one(sqlite_store: Store, tmp_path: Path) -> None:
    twins = ",2026-03-01,700.00,GBP,vendor\n,2026-03-01,80.00,GBP,vendor\n,2026-03-01,5000,GBP,labour\n"
    done = await load(sqlite_store, tmp_path / "costs.csv", HEAD + twins)
    assert (done.new, done.rejected) == (1, 2)
    assert "give each an id of its own" in rejected(tmp_path / "costs.csv")
    with_ids = "".join(f"{number},{line}\n" for number, line in enumerate(twins.splitlines(), 1))
    numbered = await load(sqlite_store, tmp_path / "costs.csv", f"id,{HEAD}{with_ids}")
    assert numbered.rejected == 0
    nameless = await load(sqlite_store, tmp_path / "costs.csv", f"id,{HEAD},{twins.splitlines()[0]}\n")
    assert (nameless.new, nameless.rejected) == (0, 1)


async def test_costs_do_not_make_old_data_look_new(sqlite_store: Store, tmp_path: Path) -> None:
    done = await load(sqlite_store, tmp_path / "costs.csv", HEAD + ",2026-03-01,12.50,GBP,labour\n")
    assert done.as_of is None


async def test_contracts_without_a_value_are_none(office: Store, tmp_path: Path) -> None:
    async with office.read() as db:
        assert not await storage.margin.connected(db)
    await load(office, tmp_path / "costs.csv", HEAD + ",2026-03-01,12.50,GBP,labour\n")
    head = "name,contract_value,currency,renewal_day\n"
    await load(office, tmp_path / "clients.csv", f"{head}Bolt,,GBP,2026-05-01\n")
    async with office.read() as db:
        assert not await storage.margin.connected(db)
    await load(office, tmp_path / "clients.csv", f"{head}Acme,1250.10,gbp,2026-05-01\n")
    async with office.read() as db:
        assert await storage.margin.connected(db)
        assert await storage.margin.contracts(db) == [Contract(Decimal("1250.10"), "GBP", MONDAY + 46)]


async def kept(store: Store) -> tuple[list[Any], list[Any]]:
    """The rollups, and what they are when they are made anew."""
    async with store.read() as db:
        known = await storage.directory.read(db, RULES.zone)
        stored = (await storage.rollups.stored(db)).rows()
        return stored, (await desk.anew(db, replace(known, home=RULES.zone), OWN)).rows()


BILLS = {
    **storage.catalogue.shipped()["reactive_hours_per_endpoint"],
    "title": "Bills per endpoint",
    "numerator": {"table": "cost", "value": "1", "credit": "client", "day": "day"},
}
OWN = replace(RULES, metrics=scoring.catalogue.load(storage.catalogue.shipped(), {"bills": BILLS}))


async def test_a_metric_over_costs_keeps_the_law_and_a_rebuild_finds_nothing_to_mend(
    office: Store, tmp_path: Path
) -> None:
    for amount in ("5", "6"):
        text = HEAD + f"a,2026-03-01,{amount},GBP,labour\nb,2026-03-02,{amount},GBP,labour\n,2026-03-03,1,GBP,other\n"
        await load(office, tmp_path / "costs.csv", text, OWN)
    stored, anew = await kept(office)
    assert stored == anew != []
    assert await storage.rollups.rebuild(office, OWN) == 0


async def test_costs_change_nobodys_figures(office: Store, tmp_path: Path) -> None:
    await load(office, tmp_path / "costs.csv", HEAD + "a,2026-03-01,5,GBP,labour\n")
    async with office.read() as db:
        assert (await storage.rollups.stored(db)).is_empty()
