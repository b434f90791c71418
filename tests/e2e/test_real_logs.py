"""Real logs, loaded by the shipped maps, against a recomputation that knows nothing of our readers."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import shutil
import subprocess
import sys
import zipfile
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import select

import cards.text
import storage.columnar
import storage.people
import storage.sources
import storage.sources.maps
import tests.shared
from bot.dispatch import Dispatch
from cards.card import Card
from handlers.call import Call, Where
from storage.db import Store
from storage.models import person
from storage.rules import InForce
from tests.e2e.test_ingest_cli import environment, redfirst

Rows = list[dict[str, str]]


def instant(text: str) -> int | None:
    if text == "?":
        return None
    return int(datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=UTC).timestamp())


@pytest.fixture(scope="module")
def incidents() -> Rows:
    """The last row of every incident, by the plainest means."""
    path = tests.shared.path("data", "uci498_incident_event_log.zip")
    last: dict[str, tuple[tuple[int, int], dict[str, str]]] = {}
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as raw:
        for row in csv.DictReader(io.TextIOWrapper(raw, encoding="utf-8")):
            place = (int(row["sys_mod_count"]), instant(row["sys_updated_at"]) or 0)
            if row["number"] not in last or place >= last[row["number"]][0]:
                last[row["number"]] = (place, row)
    return [row for _, row in last.values()]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the incident log loaded, and the people made from it."""
    path = tests.shared.path("data", "uci498_incident_event_log.zip")
    place = tmp_path_factory.mktemp("uci")
    for words in (
        ("ingest", str(path), "--map", "servicenow-incident-log", "--strict"),
        ("people", "--from-tickets"),
        ("people", "people.csv"),
    ):
        done = redfirst(place, *words)
        assert done.returncode == 0, done.stderr
    return place


async def query(place: Path, sql: str) -> list[tuple[object, ...]]:
    store = Store(f"sqlite:///{place / 'redfirst.db'}")
    try:
        async with store.read() as db:
            return [tuple(row) for row in await storage.columnar.rows(db, sql)]
    finally:
        await store.close()


async def test_the_counts_of_the_incident_log_are_those_of_a_recomputation(loaded: Path, incidents: Rows) -> None:
    ((tickets, reopened, moved, made),) = await query(
        loaded,
        "SELECT count(*), sum(reopens > 0), sum(reassignments > 0), sum(completion_met) FROM ticket",
    )
    assert (tickets, reopened, moved) == (24_918, 275, 11_369)
    assert tickets == len(incidents)
    assert reopened == sum(int(row["reopen_count"]) > 0 for row in incidents)
    assert moved == sum(int(row["reassignment_count"]) > 0 for row in incidents)
    assert made == sum(row["made_sla"] == "true" for row in incidents)
    assert isinstance(made, int)
    assert round(100 * made / len(incidents), 1) == 63.4


async def test_every_incident_has_the_values_of_its_last_row(loaded: Path, incidents: Rows) -> None:
    found = await query(
        loaded,
        "SELECT number, opened_at, closed_at, resolver, category, requester, priority, updated_at FROM ticket",
    )
    text = {"?": None}
    expected = {
        (
            row["number"],
            instant(row["opened_at"]),
            instant(row["closed_at"]),
            None if row["resolved_by"] == "?" else f"servicenow/{row['resolved_by']}",
            text.get(row["category"], row["category"]),
            text.get(row["caller_id"], row["caller_id"]),
            int(row["priority"][0]),
            instant(row["sys_updated_at"]),
        )
        for row in incidents
    }
    assert set(found) == expected


async def test_resolved_at_is_the_logs_own_and_else_told_by_its_events(loaded: Path, incidents: Rows) -> None:
    found = {str(n): at for n, at in await query(loaded, "SELECT number, resolved_at FROM ticket")}
    said = {row["number"]: instant(row["resolved_at"]) for row in incidents}
    assert {n: at for n, at in found.items() if said[n] is not None} == {n: at for n, at in said.items() if at}
    assert sum(at is None for at in said.values()) == 1_556
    assert None not in found.values()


async def test_everyone_who_resolved_is_a_person_and_their_work_is_counted(loaded: Path, incidents: Rows) -> None:
    resolvers = {row["resolved_by"] for row in incidents} - {"?"}
    people = await query(loaded, "SELECT name FROM person")
    assert {name for (name,) in people} == resolvers
    assert len(people) == 216
    assert "belong to nobody" not in redfirst(loaded, "attribution").stdout


async def test_loading_the_log_again_changes_nothing(loaded: Path) -> None:
    path = tests.shared.path("data", "uci498_incident_event_log.zip")
    before = await query(loaded, "SELECT count(*), sum(num), sum(den), sum(n) FROM rollup")
    again = redfirst(loaded, "ingest", str(path), "--map", "servicenow-incident-log")
    assert " 0 new, 0 changed, " in again.stdout
    assert await query(loaded, "SELECT count(*), sum(num), sum(den), sum(n) FROM rollup") == before


def problems() -> Rows:
    path = tests.shared.path("data", "bpi2013_closed_problems.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_event_log_tells_reopenings_hand_overs_and_support_lines() -> None:
    cases: dict[str, Rows] = defaultdict(list)
    for row in problems():
        cases[row["case:concept:name"]].append(row)
    path = tests.shared.path("data", "bpi2013_closed_problems.csv.gz")
    batches = list(storage.sources.read([path], storage.sources.maps.load("bpi2013")))
    assert not [reject for batch in batches for reject in batch.rejects]
    tickets = pl.concat([batch.frame for batch in batches if batch.frame.width])
    assert tickets.height == len(cases) == 1_487
    done = ("Completed",)
    reopened = {
        case
        for case, rows in cases.items()
        if any(a["concept:name"] in done and b["concept:name"] not in done for a, b in itertools.pairwise(rows))
    }
    assert set(tickets.filter(pl.col("reopens") > 0)["number"]) == reopened
    assert len(reopened) == 61
    handed = {case for case, rows in cases.items() if len({r["org:resource"] for r in rows} - {"-"}) > 1}
    assert set(tickets.filter(pl.col("reassignments") > 0)["number"]) == handed

    def line(team: str) -> int:
        return {"2nd": 2, "3rd": 3}.get(team.rsplit(" ", 1)[-1], 1)

    risen = {
        case
        for case, rows in cases.items()
        if any(line(b["organization involved"]) > line(a["organization involved"]) for a, b in itertools.pairwise(rows))
    }
    assert set(tickets.filter(pl.col("escalations") > 0)["number"]) == risen
    last = {case: line(rows[-1]["organization involved"]) for case, rows in cases.items()}
    assert dict(tickets.select("number", "tier").rows()) == last


@pytest.mark.skipif(sys.platform != "linux", reason="Peak memory is read from /proc.")
def test_memory_stays_flat_however_long_the_file(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        path = tmp_path / f"tickets-{rows}.csv.gz"
        with gzip.open(path, "wt", compresslevel=1) as file:
            file.write("number,opened_at,resolver,title\n")
            file.writelines(f"{n},2026-03-01T09:00Z,agent {n % 50},about {n * 7919 % 100_003}\n" for n in range(rows))
        read = (
            "import re, sys; from pathlib import Path; import storage.sources, storage.sources.maps\n"
            "for batch in storage.sources.read([Path(sys.argv[1])], storage.sources.maps.load('standard')): pass\n"
            "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])"
        )
        command = [sys.executable, "-c", read, str(path)]
        return (
            int(subprocess.run(command, env=environment(), capture_output=True, text=True, check=True).stdout) // 1024
        )

    short, long = peak(60_000), peak(600_000)
    assert long - short < 48, "megabytes for ten times the rows"


async def test_a_resolver_asks_for_april_2016_and_is_told_what_a_recomputation_says(
    loaded: Path, incidents: Rows, tmp_path: Path
) -> None:
    shutil.copy(loaded / "redfirst.db", tmp_path / "redfirst.db")
    first, last = instant("1/4/2016 00:00"), instant("30/4/2016 23:59")
    assert first is not None
    assert last is not None
    april = [row for row in incidents if first <= (instant(row["resolved_at"]) or 0) <= last]
    who, _ = Counter(row["resolved_by"] for row in april if row["resolved_by"] != "?").most_common(1)[0]
    # the tickets themselves are held against the log above; their rollups, score and card are asked here
    ((made, count),) = await query(
        loaded,
        "SELECT sum(completion_met), count(*) FROM ticket "
        f"WHERE resolver = 'servicenow/{who}' AND resolved_at BETWEEN {first} AND {last + 59}",
    )
    assert isinstance(count, int)
    assert count >= sum(row["resolved_by"] == who for row in april)
    store = Store(f"sqlite:///{tmp_path / 'redfirst.db'}")
    dispatch = Dispatch(store, InForce(), lambda: datetime(2016, 5, 2, 9, 0, tzinfo=UTC), lambda: None)
    try:
        async with store.write() as db:
            key = (await db.execute(select(person.c.id).where(person.c.name == who))).scalar_one()
            await storage.people.link_account(db, "slack:T1/U1", key)
        where = Where("slack", "T1")
        asked = Call("myscore", "slack:T1/U1", where, "one", "command", "april 2016")
        why = {"metric": "sla_completion", "period": "2016-04"}
        pressed = Call("why", "slack:T1/U1", where, "two", "action", values=why)
        cards_said = [(await dispatch.answer(call)).says[0].what for call in (asked, pressed)]
    finally:
        await store.close()
    score, explained = [cards.text.card(card) for card in cards_said if isinstance(card, Card)]
    assert "Your scorecard" in score
    assert "April 2016" in score
    assert f"{made} ÷ {count}" in explained.replace(",", "")
