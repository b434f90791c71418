"""The commands that bring data in, each as the process that a person starts."""

from __future__ import annotations

import asyncio
import csv
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

import storage.columnar
import storage.loads
from storage.db import Store

HEAD = "number,opened_at,resolved_at,resolver,queue,reopens,updated_at\n"
TICKETS = HEAD + "".join(
    f"{n},2026-03-{n:02d}T09:00Z,2026-03-{n:02d}T15:00Z,{'ann' if n % 2 else 'ben'},Desk,0,2026-03-{n:02d}T15:00Z\n"
    for n in range(1, 21)
)


def redfirst(place: Path, *words: str, url: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", *words],
        cwd=place,
        env=environment(url),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def environment(url: str = "") -> dict[str, str]:
    root = str(Path(__file__).resolve().parents[2])
    return {**os.environ, "PYTHONPATH": root, "REDFIRST_DATABASE_URL": url or "sqlite:///redfirst.db"}


def written(place: Path, name: str, text: str) -> str:
    (place / name).write_text(text, encoding="utf-8")
    return name


async def _table(place: Path, table: str) -> pl.DataFrame:
    store = Store(f"sqlite:///{place / 'redfirst.db'}")
    try:
        async with store.read() as db:
            columns = await storage.columnar.rows(db, f"SELECT * FROM {table} ORDER BY 1, 2, 3")
            return pl.DataFrame(columns, orient="row", infer_schema_length=None)
    finally:
        await store.close()


def table(place: Path, name: str) -> list[tuple[object, ...]]:
    return asyncio.run(_table(place, name)).rows()


def test_from_an_empty_directory_to_settled_accounts(tmp_path: Path) -> None:
    written(tmp_path, "tickets.csv", TICKETS)
    loaded = redfirst(tmp_path, "ingest", "tickets.csv", "--map", "standard")
    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stdout == (
        "Loaded 20 rows: 20 new, 0 changed, 0 as before. Data as of 2026-03-20 15:00 UTC. 2 accounts belong to nobody "
        "yet (desk/ann, desk/ben): nothing is scored for them. Next: `redfirst attribution`, or "
        "`redfirst people --from-tickets`.\n"
    )
    assert loaded.stderr == "", "no progress bar where nobody looks"
    assert table(tmp_path, "rollup") == []
    listed = redfirst(tmp_path, "attribution").stdout
    assert "2 accounts belong to nobody" in listed
    assert "  desk/ann  (10 facts)" in listed
    assert redfirst(tmp_path, "people", "--from-tickets").stdout.startswith("Wrote 2 people in 1 team to people.csv.")
    tried = redfirst(tmp_path, "people", "people.csv", "--dry-run")
    assert "nothing was changed" in tried.stdout
    assert table(tmp_path, "person") == []
    people = redfirst(tmp_path, "people", "people.csv")
    assert people.returncode == 0, people.stderr
    assert "+ ann: Desk as technician from 2026-03-01" in people.stdout
    assert len(table(tmp_path, "rollup")) > 0
    assert redfirst(tmp_path, "people", "people.csv").stdout == "2 people in 1 team: nothing to change.\n"
    assert "belong to nobody" not in redfirst(tmp_path, "attribution").stdout


def test_the_same_file_twice_changes_nothing_and_a_corrected_row_updates(tmp_path: Path) -> None:
    written(tmp_path, "tickets.csv", TICKETS)
    redfirst(tmp_path, "ingest", "tickets.csv", "--map", "standard")
    redfirst(tmp_path, "people", "--from-tickets")
    redfirst(tmp_path, "people", "people.csv")
    before = table(tmp_path, "ticket"), table(tmp_path, "rollup")
    again = redfirst(tmp_path, "ingest", "tickets.csv", "--map", "standard")
    assert again.stdout == "Loaded 20 rows: 0 new, 0 changed, 20 as before. Data as of 2026-03-20 15:00 UTC.\n"
    assert (table(tmp_path, "ticket"), table(tmp_path, "rollup")) == before
    written(tmp_path, "tickets.csv", TICKETS.replace("7,2026-03-07T09:00Z", "7,2026-03-06T09:00Z", 1))
    assert "0 new, 1 changed, 19 as before" in redfirst(tmp_path, "ingest", "tickets.csv", "--map", "standard").stdout
    assert table(tmp_path, "rollup") != before[1]


def test_bad_rows_go_to_a_file_beside_and_strict_refuses_all(tmp_path: Path) -> None:
    written(tmp_path, "tickets.csv", TICKETS + "21,soon,,ann,=1+1,0,\n")
    strict = redfirst(tmp_path, "ingest", "tickets.csv", "--map", "standard", "--strict")
    assert strict.returncode == 1
    first = "The first is tickets.csv, line 22: column opened_at: found 'soon', expected a date and time like"
    assert "Nothing was loaded: 1 row cannot be read; see tickets.csv.rejects.csv. " + first in strict.stderr
    assert table(tmp_path, "ticket") == []
    loose = redfirst(tmp_path, "ingest", "tickets.csv", "--map", "standard")
    assert "Loaded 20 rows: 20 new, 0 changed, 0 as before; 1 rejected, see tickets.csv.rejects.csv." in loose.stdout
    assert first in loose.stdout
    with (tmp_path / "tickets.csv.rejects.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[1][:3] == [
        "tickets.csv",
        "22",
        "column opened_at: found 'soon', expected a date and time like 2026-03-31 10:15.",
    ]
    assert rows[1][7] == "'=1+1"
    written(tmp_path, "tickets.csv", TICKETS)
    assert "rejected" not in redfirst(tmp_path, "ingest", "tickets.csv", "--map", "standard", "--strict").stdout
    assert not (tmp_path / "tickets.csv.rejects.csv").exists()


def test_a_value_that_the_map_does_not_name_is_told_with_its_place_and_the_values_it_knows(tmp_path: Path) -> None:
    grades = "".join(f'"P{n} grade" = {n}\n' for n in range(1, 10))
    columns = 'No = "number"\nOpened = "opened_at"\nPrio = "priority"\n'
    written(
        tmp_path, "mine.toml", 'source = "desk"\n[[table]]\ntable = "ticket"\nfiles = ["tickets*"]\n'
        f"[table.columns]\n{columns}[table.values.priority]\n{grades}",
    )  # fmt: skip
    rows = ["1,2026-03-01,P1 grade", "2,2026-03-02,P4 grad", "3,2026-03-03,4"]
    written(tmp_path, "tickets.csv", "\n".join(["No,Opened,Prio", *rows]) + "\n")
    loaded = redfirst(tmp_path, "ingest", "tickets.csv", "--map", "mine.toml")
    reason = (
        "column Prio: found 'P4 grad', map mine knows 'P4 grade', 'P1 grade', 'P2 grade', 'P3 grade', 'P5 grade', "
        "'P6 grade', 'P7 grade', 'P8 grade' and 1 more. Add it under [table.values.priority], or \"*\" for all others."
    )
    assert "Loaded 2 rows: 2 new, 0 changed, 0 as before; 1 rejected, see tickets.csv.rejects.csv." in loaded.stdout
    assert f"The first is tickets.csv, line 3: {reason}" in loaded.stdout
    with (tmp_path / "tickets.csv.rejects.csv").open(newline="") as file:
        assert [row[:3] for row in csv.reader(file)][1:] == [["tickets.csv", "3", reason]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none.csv", "--map", "standard"], "There is no file none.csv."),
        (["tickets.csv", "--map", "standart"], "Did you mean 'standard'?"),
        (["tickets.csv", "--map", "mine.toml"], "mine.toml cannot be read"),
        (["wrong.csv", "--map", "standard"], "does not tell which table 'wrong.csv' is for"),
        (["wrong.csv", "--map", "standard", "--table", "ticket"], "line 1: there is no column 'opened_at'"),
        (["tickets.csv", "--map", "standard", "--as-of", "now"], "--as-of is 'now'."),
        (["tickets.csv", "--map", "standard", "--source", "My Desk"], "--source: found 'My Desk'"),
        (["--map", "standard"], "No file is named."),
        (["--watch", "nowhere", "--map", "standard"], "nowhere is no directory."),
    ],
)
def test_a_mistake_is_said_in_one_sentence_with_the_remedy(tmp_path: Path, words: list[str], said: str) -> None:
    written(tmp_path, "tickets.csv", TICKETS)
    written(tmp_path, "wrong.csv", "number,opend_at\n1,2026-03-01\n")
    done = redfirst(tmp_path, "ingest", *words)
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.startswith("redfirst: ")
    assert "Traceback" not in done.stderr


def test_a_killed_load_is_simply_run_again(tmp_path: Path) -> None:
    many = HEAD + "".join(f"{n},2026-03-01T09:00Z,,ann,Desk,0,\n" for n in range(60_000))
    written(tmp_path, "tickets.csv", many)
    redfirst(tmp_path, "migrate")
    running = subprocess.Popen(
        [sys.executable, "-m", "bot.cli", "ingest", "tickets.csv", "--map", "standard"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.DEVNULL,
    )
    wait_for(lambda: len(table(tmp_path, "ticket")) > 0)
    running.send_signal(signal.SIGKILL)
    running.wait()
    part = len(table(tmp_path, "ticket"))
    assert part < 60_000
    again = redfirst(tmp_path, "ingest", "tickets.csv", "--map", "standard")
    assert f"{60_000 - part:,} new, 0 changed, {part:,} as before" in again.stdout


def wait_for(ready: object, seconds: float = 60.0) -> None:
    assert callable(ready)
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.1)


def test_dropped_files_are_loaded_once_each_and_after_a_restart_not_again(tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    words = [sys.executable, "-m", "bot.cli", "ingest", "--watch", "drop", "--map", "standard", "--every", "0.2"]

    def watching(seen: Path) -> subprocess.Popen[bytes]:
        with seen.open("wb") as out:
            return subprocess.Popen(words, cwd=tmp_path, env=environment(), stdout=out, stderr=subprocess.STDOUT)

    first = tmp_path / "first.txt"
    process = watching(first)
    try:
        wait_for(lambda: "Watching" in first.read_text())
        written(drop, "tickets-1.csv", TICKETS)
        written(drop, "tickets-2.csv", "number,nonsense\n")
        written(drop, "notes.pdf", "not for us")
        wait_for(lambda: "Loaded 20 rows" in first.read_text() and "tickets-2.csv" in first.read_text())
        written(drop, "tickets-3.csv", HEAD + "99,2026-03-30T09:00Z,,ann,Desk,0,\n")
        wait_for(lambda: "tickets-3.csv: Loaded 1 row: 1 new" in first.read_text())
        time.sleep(1.0)
        assert first.read_text().count("tickets-2.csv") == 2, "refused once: as the file, and as the place in it"
    finally:
        process.send_signal(signal.SIGINT)
    assert process.wait(30) in (0, 130)
    assert "Traceback" not in first.read_text()
    second = tmp_path / "second.txt"
    process = watching(second)
    try:
        wait_for(lambda: "tickets-2.csv" in second.read_text())
        written(drop, "tickets-4.csv", HEAD + "100,2026-03-31T09:00Z,,ann,Desk,0,\n")
        wait_for(lambda: "tickets-4.csv: Loaded 1 row: 1 new" in second.read_text())
        assert "tickets-1.csv" not in second.read_text()
        assert sorted(path.name for path in drop.iterdir() if path.suffix == ".csv")[0] == "tickets-1.csv", (
            "nothing is moved"
        )
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def test_a_watch_outlives_what_is_no_file_and_what_cannot_be_read(tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    (drop / "2026.csv").mkdir(parents=True)
    os.mkfifo(drop / "tickets-0.csv")
    (drop / "tickets-1.csv").symlink_to(tmp_path / "nowhere.csv")
    written(drop, "tickets-2.csv.gz", "")
    written(drop, "tickets-3.csv", TICKETS)
    words = [sys.executable, "-m", "bot.cli", "ingest", "--watch", "drop", "--map", "standard", "--every", "0.2"]
    out = tmp_path / "out.txt"
    with out.open("wb") as said:
        process = subprocess.Popen(words, cwd=tmp_path, env=environment(), stdout=said, stderr=subprocess.STDOUT)
    try:
        wait_for(lambda: "tickets-3.csv: Loaded 20 rows" in out.read_text() or process.poll() is not None)
        drop.rename(tmp_path / "away")
        wait_for(lambda: "drop cannot be loaded now (No such file" in out.read_text() or process.poll() is not None)
        (tmp_path / "away").rename(drop)
        written(drop, "tickets-4.csv", HEAD + "99,2026-03-30T09:00Z,,ann,Desk,0,\n")
        wait_for(lambda: "tickets-4.csv: Loaded 1 row: 1 new" in out.read_text() or process.poll() is not None)
        assert process.poll() is None, out.read_text()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
    assert "Traceback" not in out.read_text()
    assert out.read_text().count("cannot be loaded now") == 1, "said once, however often it is tried"


async def _altered(place: Path, statement: str) -> None:
    store = Store(f"sqlite:///{place / 'redfirst.db'}")
    try:
        async with store.write() as db:
            await db.exec_driver_sql(statement)
    finally:
        await store.close()


def test_a_watch_outlives_a_file_that_breaks_its_load_and_a_database_that_is_away(tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    written(drop, "tickets-1.csv", TICKETS)
    words = [sys.executable, "-m", "bot.cli", "ingest", "--watch", "drop", "--map", "standard", "--every", "0.2"]
    out = tmp_path / "out.txt"
    with out.open("wb") as said:
        process = subprocess.Popen(words, cwd=tmp_path, env=environment(), stdout=said, stderr=subprocess.STDOUT)

    def until(words: str) -> None:
        wait_for(lambda: words in out.read_text() or process.poll() is not None)
        assert process.poll() is None, out.read_text()

    try:
        until("tickets-1.csv: Loaded 20 rows")
        no = "CREATE TRIGGER no BEFORE INSERT ON ticket WHEN NEW.number = '99' BEGIN SELECT RAISE(ABORT, 'secret'); END"
        asyncio.run(_altered(tmp_path, no))
        written(drop, "tickets-2.csv", HEAD + "99,2026-03-30T09:00Z,,ann,Desk,0,\n")
        until("tickets-2.csv could not be loaded")
        written(drop, "tickets-3.csv", HEAD + "98,2026-03-30T09:00Z,,ann,Desk,0,\n")
        until("tickets-3.csv: Loaded 1 row: 1 new")
        asyncio.run(_altered(tmp_path, "ALTER TABLE load RENAME TO away"))
        written(drop, "tickets-4.csv", HEAD + "97,2026-03-30T09:00Z,,ann,Desk,0,\n")
        until("tickets-4.csv cannot be loaded now (no such table: load")
        time.sleep(1.0)
        asyncio.run(_altered(tmp_path, "ALTER TABLE away RENAME TO load"))
        until("tickets-4.csv: Loaded 1 row: 1 new")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
    told = out.read_text()
    assert told.count("tickets-2.csv could not") == told.count("tickets-4.csv cannot") == 1, "said once"
    for reference in re.findall(r"the log has more under ([0-9a-f]{8})", told):
        assert told.count(reference) == 2, "said, and in the log"
    assert told.count("the log has more under") == 2
    assert "Traceback" not in told
    assert "secret" not in told, "an error may quote what is in the file"
    assert sorted(row[4] for row in table(tmp_path, "load")) == ["done", "done", "done", "refused"]


def test_settling_accounts_by_hand(tmp_path: Path) -> None:
    written(tmp_path, "tickets.csv", TICKETS)
    written(
        tmp_path, "people.csv", "person,name,team,from,desk\nann,Ann,Desk,2026-01-01,ann\nidle,Idle,Desk,2026-01-01,\n"
    )
    redfirst(tmp_path, "ingest", "tickets.csv", "--map", "standard")
    redfirst(tmp_path, "people", "people.csv")
    before = table(tmp_path, "rollup")
    report = redfirst(tmp_path, "attribution").stdout
    assert "1 account belongs to nobody; nothing is scored for it:\n  desk/ben  (10 facts)" in report
    assert "1 technician has no work in the data" in report
    assert "  Idle (idle)" in report
    assert redfirst(tmp_path, "attribution", "link", "desk/ben", "idle").stdout == "desk/ben belongs to Idle.\n"
    assert len(table(tmp_path, "rollup")) > len(before)
    assert redfirst(tmp_path, "attribution", "ignore", "desk/ben").stdout == "desk/ben is ignored.\n"
    assert table(tmp_path, "rollup") == before
    assert redfirst(tmp_path, "attribution", "share", "desk/ben").stdout == "desk/ben is shared.\n"
    report = redfirst(tmp_path, "attribution").stdout
    assert "1 account is shared or claimed twice; nothing is scored for it:" in report
    assert report.endswith("Settled: 1 linked.\n")
    unknown = redfirst(tmp_path, "attribution", "link", "desk/bem", "ann")
    assert unknown.returncode == 1
    assert "Did you mean 'desk/ben'?" in unknown.stderr


def test_where_nothing_was_loaded_there_is_nothing_to_settle_but_something_to_do(tmp_path: Path) -> None:
    said = redfirst(tmp_path, "attribution").stdout
    assert said == "No account has any work yet. Load tickets: `redfirst ingest FILE --map MAP`.\n"


def test_a_person_gets_another_key_and_keeps_everything_else(tmp_path: Path) -> None:
    people = "person,name,team,from,manager,desk\nann,Ann,Desk,2026-01-01,ben,ann\nben,Ben,Desk,2026-01-01,,ben\n"
    written(tmp_path, "tickets.csv", TICKETS)
    written(tmp_path, "people.csv", people)
    redfirst(tmp_path, "ingest", "tickets.csv", "--map", "standard")
    redfirst(tmp_path, "people", "people.csv")
    before = table(tmp_path, "rollup"), table(tmp_path, "membership"), table(tmp_path, "account")
    for words, refusal in (
        (("anne", "x"), "Nobody has the key 'anne'. Did you mean 'ann'?"),
        (("ben", "ann"), "'ann' is the key of Ann already."),
        (("ben", "b;c"), "'b;c' is no key."),
        (("ben", " "), "' ' is no key."),
    ):
        done = redfirst(tmp_path, "people", "--rename", *words)
        assert (done.returncode, refusal in done.stderr) == (1, True), done.stderr
    done = redfirst(tmp_path, "people", "--rename", "ben", "b.moder")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Ben's key is 'b.moder' now. Write it in the people file")
    assert (table(tmp_path, "rollup"), table(tmp_path, "membership"), table(tmp_path, "account")) == before
    [entry] = [row for row in table(tmp_path, "audit") if "person renamed" in row]
    assert ("command line" in entry, '{"from": "ben", "to": "b.moder"}' in entry) == (True, True)
    old = redfirst(tmp_path, "people", "people.csv")
    assert old.returncode == 1
    assert "line 3: column person: 'ben' has the key 'b.moder' now; write that." in old.stderr
    written(tmp_path, "ann.csv", "person,name,team,from,manager\nann,Ann,Desk,2026-01-01,ben\n")
    told = redfirst(tmp_path, "people", "ann.csv").stderr
    assert "line 2: column manager: 'ben' has the key 'b.moder' now; write that." in told
    written(tmp_path, "people.csv", people.replace(",ben,ann", ",b.moder,ann").replace("\nben,", "\nb.moder,"))
    assert redfirst(tmp_path, "people", "people.csv").stdout == "2 people in 1 team: nothing to change.\n"
    rows = "ben,Ben the Second,Desk,2026-02-01\nb.moder,Ben,Desk,2026-01-01\n"
    written(tmp_path, "more.csv", f"person,name,team,from\n{rows}")
    assert "+ Ben the Second (ben)" in redfirst(tmp_path, "people", "more.csv").stdout, "a key is free again"


def test_a_wrong_people_file_changes_nothing(tmp_path: Path) -> None:
    written(tmp_path, "people.csv", "person,team,from,manager\na,Desk,2026-01-01,b\n")
    done = redfirst(tmp_path, "people", "people.csv")
    assert done.returncode == 1
    assert "line 2: column manager: nobody has the key 'b'." in done.stderr
    assert table(tmp_path, "person") == []


def test_names_that_look_like_formulas_come_out_as_text(tmp_path: Path) -> None:
    written(tmp_path, "tickets.csv", HEAD + '1,2026-03-01T09:00Z,,"=cmd|x",@Desk,0,\n')
    redfirst(tmp_path, "ingest", "tickets.csv", "--map", "standard")
    redfirst(tmp_path, "people", "--from-tickets")
    text = (tmp_path / "people.csv").read_text()
    assert "'=cmd|x" in text
    assert "'@Desk" in text
    assert redfirst(tmp_path, "people", "people.csv").returncode == 0
    assert "belong to nobody" not in redfirst(tmp_path, "attribution").stdout


def test_it_works_on_postgresql(tmp_path: Path, postgres_store: Store) -> None:
    url = postgres_store.url.set(drivername="postgresql").render_as_string(hide_password=False)
    written(tmp_path, "tickets.csv", TICKETS)
    for new in (20, 0):
        done = redfirst(tmp_path, "ingest", "tickets.csv", "--map", "standard", url=url)
        assert f"{new} new, 0 changed" in done.stdout, done.stderr
    assert redfirst(tmp_path, "people", "--from-tickets", url=url).returncode == 0
    assert redfirst(tmp_path, "people", "people.csv", url=url).returncode == 0
    assert "Settled: 2 linked" in redfirst(tmp_path, "attribution", url=url).stdout


def test_a_people_file_can_be_sent_where_the_shell_sends_it(tmp_path: Path) -> None:
    written(tmp_path, "tickets.csv", TICKETS)
    redfirst(tmp_path, "ingest", "tickets.csv", "--map", "standard")
    written(tmp_path, "people.csv", "")  # as the shell makes it for `> people.csv`
    refused = redfirst(tmp_path, "people", "--from-tickets")
    assert refused.returncode == 1
    assert "--out -" in refused.stderr
    sent = redfirst(tmp_path, "people", "--from-tickets", "--out", "-")
    assert sent.returncode == 0
    assert sent.stdout.startswith("person,name,team,")
    assert "Wrote 2 people in 1 team to standard output." in sent.stderr
    written(tmp_path, "people.csv", sent.stdout)
    assert "2 people in 1 team loaded" in redfirst(tmp_path, "people", "people.csv").stdout
