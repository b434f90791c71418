"""Maps: what their columns become, and how a wrong map is told from a right one."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scoring.columns
import scoring.map_file
import scoring.maps
import storage.sources.maps
from scoring.refused import Refused

PLAIN: dict[str, Any] = {
    "source": "desk",
    "zone": "Europe/Berlin",
    "dates": ["%d.%m.%Y %H:%M", "iso"],
    "nulls": ["?", "-"],
    "ignore_accounts": ["system"],
    "table": [
        {
            "table": "ticket",
            "link": "https://desk.example.com/t/{number}",
            "columns": {
                "No": "number",
                "Opened": "opened_at",
                "Resolver": "resolver",
                "Prio": "priority",
                "SLA": "completion_met",
                "Moves": "reassignments",
            },
            "constants": {"kind": "incident"},
            "values": {"priority": {"urgent": 1, "*": 4}},
        }
    ],
}


def a_map(**changes: Any) -> scoring.maps.Map:
    return scoring.map_file.parse({**PLAIN, **changes}, "my.toml", "my")


def facts(
    rows: list[dict[str, str | None]], a: scoring.maps.Map, latest: int | None = None
) -> scoring.columns.Converted:
    raw = pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.String))
    return scoring.columns.to_facts(scoring.columns.clean(raw, a), a.tables[0], a, latest)


def row(**changes: str | None) -> dict[str, str | None]:
    usual = {"No": "7", "Opened": "01.02.2026 10:00", "Resolver": "ann", "Prio": "urgent", "SLA": "yes", "Moves": "2"}
    return {**usual, **changes}


def test_a_row_becomes_typed_facts_with_the_source_in_its_keys() -> None:
    done = facts([row()], a_map())
    assert done.bad.is_empty()
    assert done.frame.to_dicts() == [
        {
            "id": "desk/7",
            "source": "desk",
            "number": "7",
            "kind": "incident",
            "priority": 1,
            "opened_at": int(datetime(2026, 2, 1, 9, tzinfo=UTC).timestamp()),
            "resolver": "desk/ann",
            "reassignments": 2,
            "completion_met": True,
            "url": "https://desk.example.com/t/7",
        }
    ]


def test_null_marks_other_values_and_system_accounts_are_understood() -> None:
    done = facts([row(Resolver="?", Prio="whatever"), row(Resolver=" system "), row(SLA="-")], a_map())
    assert done.frame["resolver"].to_list() == [None, None, "desk/ann"]
    assert done.frame["priority"].to_list() == [4, 1, 1]
    assert done.frame["completion_met"].to_list() == [True, True, None]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Opened": "31.02.2026 10:00"}, "column Opened: found '31.02.2026 10:00', expected a date and time like"),
        ({"Moves": "many"}, "column Moves: found 'many', expected a whole number, 0 or more."),
        ({"Moves": "-1"}, "column Moves: found '-1', expected a whole number"),
        ({"Moves": "99999999999"}, "column Moves: found '99999999999', expected a whole number"),
        ({"SLA": "perhaps"}, "column SLA: found 'perhaps', expected true or false."),
        ({"No": "?"}, "column No is empty; every row needs it."),
        ({"Opened": "01.02.1900 10:00"}, "column Opened: found '01.02.1900 10:00'"),
        ({"Moves": "{} {0}"}, "column Moves: found '{} {0}', expected"),
    ],
)
def test_a_cell_that_cannot_be_read_is_told_with_column_found_and_expected(
    changes: dict[str, str], reason: str
) -> None:
    done = facts([row(), row(**changes), row(No="8")], a_map())
    assert done.frame["number"].to_list() == ["7", "8"]
    assert done.bad["row"].to_list() == [1]
    assert done.bad["reason"][0].startswith(reason)


def test_nothing_can_have_happened_in_the_future() -> None:
    limit = int(datetime(2026, 2, 1, tzinfo=UTC).timestamp())
    done = facts([row(), row(Opened="01.01.2026 10:00")], a_map(), latest=limit)
    assert done.bad["reason"].to_list() == ["column Opened: the time lies in the future."]


def test_a_ticket_number_never_breaks_out_of_its_link() -> None:
    done = facts([row(No="a/b?c#d e")], a_map())
    assert done.frame["url"][0] == "https://desk.example.com/t/a%2Fb%3Fc%23d%20e"


def test_the_hour_that_comes_twice_is_its_first_and_the_skipped_one_runs_on() -> None:
    def utc(text: str) -> str:
        found = scoring.columns.times(pl.Series("t", [text]), ("%d.%m.%Y %H:%M",), "Europe/Berlin")[0]
        return datetime.fromtimestamp(found, UTC).isoformat()

    assert utc("25.10.2026 02:30") == "2026-10-25T00:30:00+00:00"
    assert utc("29.03.2026 02:30") == "2026-03-29T01:30:00+00:00"
    assert utc("29.03.2026 03:30") == "2026-03-29T01:30:00+00:00"


@settings(deadline=None)
@given(
    st.integers(631152000, 2114380800).map(lambda t: datetime.fromtimestamp(t // 60 * 60, UTC).replace(tzinfo=None)),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]),
)
def test_local_times_are_those_of_the_time_zone_database(local: datetime, zone: str) -> None:
    found = scoring.columns.times(pl.Series("t", [local.strftime("%Y-%m-%d %H:%M")]), ("iso",), zone)[0]
    assert found == int(local.replace(tzinfo=ZoneInfo(zone), fold=0).timestamp())


@pytest.mark.parametrize(
    ("text", "form", "instant"),
    [
        ("2026-03-01T10:00:00Z", "iso", "2026-03-01T10:00"),
        ("2026-03-01 10:00:00+02:00", "iso", "2026-03-01T08:00"),
        ("2026-03-01T10:00:00.123", "iso", "2026-03-01T09:00"),
        ("2026-03-01T10:00Z", "iso", "2026-03-01T10:00"),
        ("2026-03-01 10:00+0200", "iso", "2026-03-01T08:00"),
        ("2026-03-01 10:00", "iso", "2026-03-01T09:00"),
        ("2026-03-01", "iso", "2026-02-28T23:00"),
        ("1772359200", "epoch", "2026-03-01T10:00"),
        ("1772359200999", "epoch_ms", "2026-03-01T10:00"),
        ("3/1/2026 1:05 PM", "%m/%d/%Y %I:%M %p", "2026-03-01T12:05"),
    ],
)
def test_dates_come_in_many_forms(text: str, form: str, instant: str) -> None:
    found = scoring.columns.times(pl.Series("t", [text]), (form,), "Europe/Berlin")[0]
    assert found == int(datetime.fromisoformat(instant).replace(tzinfo=UTC).timestamp())


def test_several_date_formats_serve_one_column() -> None:
    found = scoring.columns.times(
        pl.Series("t", ["01.03.2026 10:00", "2026-03-01T09:00:00Z", "x"]), ("%d.%m.%Y %H:%M", "iso"), "UTC"
    )
    assert found.to_list() == [1772359200, 1772355600, None]


def test_a_day_is_the_date_as_written() -> None:
    found = scoring.columns.days(pl.Series("d", ["2026-03-01", "2026-03-01T23:59:00+09:00", "2026-02-30"]), ("iso",))
    assert found.to_list() == [20513, 20513, None]


@pytest.mark.parametrize("name", storage.sources.maps.SHIPPED)
def test_the_shipped_maps_are_sound(name: str) -> None:
    assert storage.sources.maps.load(name).tables


def test_the_standard_map_knows_every_table_by_file_name() -> None:
    standard = storage.sources.maps.load("standard")
    for table in scoring.maps.REQUIRED:
        assert standard.entry(f"{table}.csv").table == table
        assert standard.entry(f"/a/b/{table.upper()}.CSV.gz").table == table
    with pytest.raises(Refused, match=r"does not tell which table 'export\.csv' is for"):
        standard.entry("export.csv")
    assert standard.entry("export.csv", "survey").table == "survey"
    with pytest.raises(Refused, match="Did you mean 'survey'"):
        standard.entry("export.csv", "surveys")


def test_an_amount_is_kept_to_the_last_digit() -> None:
    standard = storage.sources.maps.load("standard")
    raw = pl.DataFrame({"name": ["Acme", "Bolt"], "contract_value": ["1250.10", "1e3"]})
    done = scoring.columns.to_facts(raw, standard.entry("clients.csv"), standard)
    assert done.frame.to_dicts() == [{"id": "Acme", "name": "Acme", "contract_value": "1250.10"}]
    assert "expected an amount like 1250.00" in done.bad["reason"][0]


def _with(path: str, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(PLAIN)
    target: Any = changed
    *keys, last = path.split(".")
    for key in keys:
        target = target[int(key)] if key.isdigit() else target[key]
    target[last] = value
    return changed


@pytest.mark.parametrize(
    ("path", "value", "what", "remedy"),
    [
        ("zon", "UTC", "unknown key 'zon'", "Did you mean 'zone'?"),
        ("zone", "Europe/Berlim", "'Europe/Berlim' is no time zone", "Did you mean 'Europe/Berlin'?"),
        ("source", "My Desk", "found 'My Desk'", "lower case letters"),
        ("encoding", "utf8", "'utf8' is not supported", "Did you mean 'utf-8'?"),
        ("delimiter", "::", "found '::'", "Expected"),
        ("dates", ["d/m/y"], "'d/m/y' is no format", "like"),
        ("table", [], "there is none", "[[table]]"),
        ("table.0.table", "tickets", "there is no fact table 'tickets'", "Did you mean 'ticket'?"),
        ("table.0.shape", "rows", "shape is 'rows'", '"row" or "event"'),
        ("table.0.shape", "event", "needs table", "Add"),
        ("table.0.columns.Opend", "opend_at", "feeds 'opend_at', no field of ticket", "Did you mean 'opened_at'?"),
        ("table.0.columns.Again", "number", "field 'number' is fed by 'No' and by 'Again'", "Keep one"),
        ("table.0.columns", {"No": "number"}, "no column feeds 'opened_at'", "opened_at"),
        ("table.0.values.prioritys", {"a": 1}, "'prioritys' is no field", "Did you mean 'priority'?"),
        ("table.0.constants.kinds", "x", "'kinds' is no field", "Did you mean 'kind'?"),
        ("table.0.link", "javascript:alert({number})", "link is", "https://"),
        ("table.0.link", "https://desk.example.com/", "link is", "{number}"),
        ("table.0.column", {}, "unknown key 'column'", "Did you mean 'columns'?"),
    ],
)
def test_a_wrong_map_is_refused_with_place_and_nearest_word(path: str, value: Any, what: str, remedy: str) -> None:
    with pytest.raises(Refused) as refused:
        scoring.map_file.parse(_with(path, value), "my.toml", "my")
    assert refused.value.what.startswith("my.toml: ")
    assert what in refused.value.what
    assert remedy in refused.value.remedy


MINE = """\
# ours
source = "desk"
nulls = [
    "zone = x",
]

[[table]]
table = "survey"
columns = {Ticket = "ticket", Sent = "sent_at"}

[[table]] # the second
table = 'ticket'
link = "https://desk.example.com/{number}"
[table.columns]
"Ticket ID" = "number"
Opened = "opened_at"
[ table . values."priority" ]
"P1 = high" = 1
[table.constants]
kind = "incident"
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ('source = "desk"', 'source = "My Desk"', 2, "source: found 'My Desk'"),
        ("nulls = [", 'zon = "UTC"\nnulls = [', 3, "at the top: unknown key 'zon'"),
        ("nulls = [", 'zone = "Mars"\nnulls = [', 3, "zone: 'Mars' is no time zone"),
        ("table = 'ticket'", "table = 'tickets'", 12, "table 2: there is no fact table 'tickets'"),
        ('"number"\n', '"nummer"\n', 15, "table 2 (ticket), columns: column 'Ticket ID' feeds 'nummer'"),
        ('Opened = "opened_at"', 'Opened = "number"', 16, "field 'number' is fed by 'Ticket ID' and by 'Opened'"),
        ('Opened = "opened_at"\n', "", 14, "table 2 (ticket): no column feeds 'opened_at'"),
        ('."priority" ]', ".prio]", 17, "values: 'prio' is no field of ticket"),
        ("https", "ftp", 13, "link is 'ftp://"),
        ('kind = "', 'kinds = "', 20, "constants: 'kinds' is no field of ticket"),
        (', Sent = "sent_at"', "", 9, "table 1 (survey): no column feeds 'sent_at'"),
        ('table = "survey"', "", 7, "table 1: table is None, expected text"),
    ],
)
def test_a_mistake_in_a_map_is_told_with_its_line(tmp_path: Path, old: str, new: str, line: int, what: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINE, encoding="utf-8")
    assert len(storage.sources.maps.load(str(path)).tables) == 2
    assert old in MINE
    path.write_text(MINE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(Refused) as refused:
        storage.sources.maps.load(str(path))
    assert refused.value.what.startswith(f"mine.toml:{line}: ")
    assert what in refused.value.what
    assert refused.value.remedy


def test_a_line_that_is_not_certain_is_not_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINE.replace('    "zone = x",', '    """\nzone = 1\n""",') + '[zone]\nx = 1\n', encoding="utf-8")
    with pytest.raises(Refused, match=r"^mine\.toml: zone: zone is \{'x': 1\}, expected text"):
        storage.sources.maps.load(str(path))


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def _read(parsed: dict[str, Any]) -> scoring.maps.Map | str:
    try:
        return scoring.map_file.parse(parsed, "my.toml", "my")
    except Refused as refused:
        return refused.what


@settings(deadline=None)
@given(st.sampled_from(["zone", "dates", "table", "source", "nulls"]) | st.text(max_size=5), json_like)
def test_whatever_a_map_holds_the_answer_is_a_map_or_a_refusal(key: str, value: Any) -> None:
    assert _read({**PLAIN, key: value})


@settings(deadline=None)
@given(st.sampled_from([*PLAIN["table"][0], "events", "order", "group", "optional", "shape"]), json_like)
def test_whatever_an_entry_holds_the_answer_is_a_map_or_a_refusal(key: str, value: Any) -> None:
    assert _read({**PLAIN, "table": [{**PLAIN["table"][0], key: value}]})
