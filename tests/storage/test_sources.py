"""Readers of files: the same rows in every form, bad rows told with their line, hostile files refused."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import openpyxl.utils.datetime
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

import scoring.map_file
import storage.sources
import storage.sources.files.guards
import storage.sources.files.json_lines
import storage.sources.maps
from scoring.maps import Map
from scoring.refused import Refused
from storage.sources.files.pieces import Reject
from storage.sources.files.rejects import RejectsFile

STANDARD = storage.sources.maps.load("standard")
ROWS = [
    ["number", "opened_at", "title", "resolver", "reopens"],
    ["1", "2026-03-01T10:00:00Z", 'says "no", twice\nand goes', "ann", "0"],
    ["2", "2026-03-01T11:00:00Z", "Grüße; mit | allem\t", "ben", "1"],
    ["3", "2026-03-01T12:00:00Z", "", "", ""],
]


def as_csv(delimiter: str = ",", rows: list[list[str]] = ROWS, **how: object) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, **how).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue().encode()


def as_json() -> bytes:
    return b"".join(json.dumps(dict(zip(ROWS[0], row, strict=True))).encode() + b"\n" for row in ROWS[1:])


def as_zip(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


def as_xlsx() -> bytes:
    book = openpyxl.Workbook()
    for row in ROWS:
        book.active.append(row)  # type: ignore[union-attr]
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read(path: Path, map: Map = STANDARD, table: str | None = "ticket") -> tuple[pl.DataFrame, list[Reject]]:
    batches = list(storage.sources.read([path], map, table))
    frames = [batch.frame for batch in batches if batch.frame.width]
    return pl.concat(frames, how="diagonal") if frames else pl.DataFrame(), [r for b in batches for r in b.rejects]


def written(tmp_path: Path, name: str, data: bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


FORMS: dict[str, Callable[[], bytes]] = {
    "tickets.csv": as_csv,
    "bom.csv": lambda: b"\xef\xbb\xbf" + as_csv(),
    "lf.csv": lambda: as_csv(lineterminator="\n"),
    "open-end.csv": lambda: as_csv().rstrip(b"\r\n"),
    "quoted.csv": lambda: as_csv(quoting=csv.QUOTE_ALL),
    "blank-lines.csv": lambda: as_csv(lineterminator="\n").replace(b"\n2,", b"\n\n2,") + b"\n\n",
    "semicolons.csv": lambda: as_csv(";"),
    "bars.txt": lambda: as_csv("|"),
    "tabs.tsv": lambda: as_csv("\t"),
    "packed.csv.gz": lambda: gzip.compress(as_csv()),
    "two-parts.csv.gz": lambda: gzip.compress(as_csv()[:50]) + gzip.compress(as_csv()[50:]),
    "archive.zip": lambda: as_zip(("export/tickets.csv", as_csv())),
    "tickets.jsonl": as_json,
    "tickets.ndjson.gz": lambda: gzip.compress(as_json()),
    "tickets.xlsx": as_xlsx,
    "packed.xlsx.gz": lambda: gzip.compress(as_xlsx()),
    "book.zip": lambda: as_zip(("export/tickets.xlsx", as_xlsx())),
    "old-mac.csv": lambda: as_csv(lineterminator="\r"),
    "old-mac.csv.gz": lambda: gzip.compress(as_csv(lineterminator="\r", quoting=csv.QUOTE_ALL)),
    "old-mac.jsonl": lambda: as_json().replace(b"\n", b"\r"),
    "excel.csv": lambda: b"sep=;\r\n" + as_csv(";"),
    "excel-tabs.csv": lambda: b"\xef\xbb\xbfsep=\t\r\n" + as_csv("\t"),
    "excel-odd.csv": lambda: b'"sep=^"\n' + as_csv("^", lineterminator="\n"),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_same_rows_come_out_of_every_form(name: str, tmp_path: Path) -> None:
    frame, rejects = read(written(tmp_path, name, FORMS[name]()))
    assert rejects == []
    assert frame["id"].to_list() == ["desk/1", "desk/2", "desk/3"]
    assert frame["title"].to_list() == ['says "no", twice\nand goes', "Grüße; mit | allem", None]
    assert frame["resolver"].to_list() == ["desk/ann", "desk/ben", None]
    assert frame["opened_at"].to_list() == [1772359200, 1772362800, 1772366400]
    assert frame["reopens"].to_list() == [0, 1, None]


def test_each_member_of_an_archive_finds_its_table(tmp_path: Path) -> None:
    survey = b"ticket,sent_at,rating\n1,2026-03-02,5\n"
    path = written(tmp_path, "night.zip", as_zip(("tickets.csv", as_csv()), ("surveys.csv", survey)))
    batches = list(storage.sources.read([path], STANDARD))
    assert [(b.table, b.frame.height) for b in batches] == [("ticket", 3), ("survey", 1)]
    assert batches[1].frame["ticket"].to_list() == ["desk/1"]


def test_a_member_with_any_name_is_what_the_archive_is_called(tmp_path: Path) -> None:
    survey = b"ticket,sent_at,rating\n1,2026-03-02,5\n"
    path = written(tmp_path, "tickets-b.zip", as_zip(("export.csv", as_csv()), ("surveys.csv", survey)))
    storage.sources.check(path, STANDARD)
    assert [(b.table, b.frame.height) for b in storage.sources.read([path], STANDARD)] == [("ticket", 3), ("survey", 1)]
    path = written(tmp_path, "night.zip", as_zip(("export.csv", as_csv())))
    with pytest.raises(Refused, match=r"does not tell which table 'export.csv' is for"):
        storage.sources.check(path, STANDARD)


def test_the_line_of_a_bad_row_counts_the_line_that_names_the_delimiter(tmp_path: Path) -> None:
    text = b"sep=;\nnumber;opened_at\n1;2026-03-01\n2;never\n"
    assert [r.line for r in read(written(tmp_path, "tickets.csv", text))[1]] == [4]


def lines(rows: Iterable[dict[str, object]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def many(count: int, late: int, **after: object) -> Iterator[dict[str, object]]:
    """Objects of which those from number `late` on have more keys; exports leave out what is empty."""
    for n in range(count):
        yield {"number": f"{n}", "opened_at": "2026-03-01T10:00Z", "title": "x" * 30} | (after if n >= late else {})


def test_a_key_that_first_comes_late_in_json_is_read(tmp_path: Path) -> None:
    data = lines(many(12_000, 8_000, resolved_at="2026-03-02T10:00Z", resolver="ann"))
    frame, rejects = read(written(tmp_path, "tickets.jsonl", data))
    assert (rejects, frame.height) == ([], 12_000)
    assert frame["resolver"].drop_nulls().to_list() == ["desk/ann"] * 4_000
    assert frame["resolved_at"].count() == 4_000


def test_a_key_that_is_not_known_is_refused_wherever_it_stands(tmp_path: Path) -> None:
    path = written(tmp_path, "tickets.jsonl", lines(many(12_000, 8_000, resolvr="ann")))
    with pytest.raises(Refused, match=r"line 8001: column 'resolvr' is not known.*'resolver'"):
        next(storage.sources.read([path], STANDARD))


def test_a_column_that_a_map_needs_may_begin_anywhere_in_json(tmp_path: Path) -> None:
    columns = {"number": "number", "opened_at": "opened_at", "who": "resolver"}
    mine = scoring.map_file.parse(
        {"source": "own", "table": [{"table": "ticket", "columns": columns}]}, "own.toml", "own"
    )
    frame, _ = read(written(tmp_path, "tickets.jsonl", lines(many(12_000, 8_000, who="ann"))), mine)
    assert frame["resolver"].count() == 4_000
    with pytest.raises(Refused, match="there is no column 'who', which map own needs"):
        read(written(tmp_path, "tickets.jsonl", lines(many(12_000, 12_000))), mine)


def test_rows_of_one_json_file_are_told_apart_in_one_way(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"ticket": f"{n}", "sent_at": "2026-03-01"} for n in range(9_999)]
    rows[-1]["account"] = "ann"
    frame, _ = read(written(tmp_path, "surveys.jsonl", lines(rows)), table="survey")
    assert {one.count("#") for one in frame["id"]} == {2}


def test_rows_of_few_keys_in_a_file_of_many_take_no_more_memory_than_they_are_worth(tmp_path: Path) -> None:
    wide: dict[str, object] = {f"k{n}": "" for n in range(900)}
    mine = scoring.map_file.parse(
        {"source": "own", "table": [{"table": "ticket", "columns": {"n": "number", "o": "opened_at"}}]}, "o.toml", "o"
    )
    path = written(tmp_path, "tickets.jsonl", lines([wide]) + lines({"n": n, "o": "2026-03-01"} for n in range(5_000)))
    [member] = storage.sources.files.guards.members(path)
    pieces = list(storage.sources.files.json_lines.pieces(member, mine))
    assert sum(piece.frame.height for piece in pieces) == 5_001
    assert max(piece.frame.height * piece.frame.width for piece in pieces) <= 510_000


QUARTER_PAST_TEN = datetime(2026, 3, 31, 10, 15, tzinfo=UTC).replace(tzinfo=None)  # workbooks know no zones


def book(cells: Mapping[str, Any], **formats: str) -> openpyxl.Workbook:
    """A sheet with these cells below the names of ours, of which some have number formats."""
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.append(["number", "opened_at", "title"])
    for place, value in cells.items():
        sheet[place] = value
        sheet[place].number_format = formats.get(place, sheet[place].number_format)
    return made


def saved(tmp_path: Path, made: openpyxl.Workbook) -> Path:
    made.save(tmp_path / "tickets.xlsx")
    return tmp_path / "tickets.xlsx"


@pytest.mark.parametrize(
    ("value", "form", "shown"),
    [
        (46_112.427083333336, "dd/mm/yyyy hh:mm", "2026-03-31 10:15:00"),
        (46_112, 'dddd" the "d\\. mmmm', "2026-03-31 00:00:00"),
        (46_112, "[$-409]m/d/yy h:mm AM/PM;@", "2026-03-31 00:00:00"),
        (0.5, "hh:mm", "12:00:00"),
        (59, "d", "1900-02-28 00:00:00"),
        (1.25, "[h]:mm", "1 day, 6:00:00"),
        (1e9, "yyyy-mm-dd", "1000000000"),
        (46_112.5, "0.00", "46112.5"),
        (46_112, '0 "days"', "46112"),
        (46_112, "[Red]0;[Blue]-0", "46112"),
        (-7, "General", "-7"),
        (5.0, "General", "5"),
        (0.1, "General", "0.1"),
        (True, "General", "true"),
        (QUARTER_PAST_TEN, "yyyy-mm-dd h:mm:ss", "2026-03-31 10:15:00"),
        (date(2026, 3, 31), "yyyy-mm-dd", "2026-03-31 00:00:00"),
        ("=1+1", "General", None),
        ("  two\nlines & <tags> ", "General", "two\nlines & <tags>"),
        ("_x0041_", "@", "A"),
        (CellRichText("a ", TextBlock(InlineFont(b=True), "bold"), " word"), "@", "a bold word"),
    ],
)
def test_what_a_cell_shows_is_what_is_read(tmp_path: Path, value: object, form: str, shown: str | None) -> None:
    path = saved(tmp_path, book({"A2": "1", "B2": "2026-03-01", "C2": value}, C2=form))
    assert read(path)[0]["title"].to_list() == [shown]


def test_days_are_counted_from_1904_where_the_workbook_says_so(tmp_path: Path) -> None:
    made = book({"A2": "1", "B2": QUARTER_PAST_TEN})
    made.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    assert read(saved(tmp_path, made))[0]["opened_at"].to_list() == [1774952100]


def test_cells_between_stay_empty_and_the_line_of_a_bad_row_is_its_own(tmp_path: Path) -> None:
    cells = {"A3": "1", "B3": "2026-03-01", "A9": "2", "B9": "never", "A10": "3", "B10": "2026-03-01", "E10": "far"}
    frame, rejects = read(saved(tmp_path, book(cells)))
    assert frame.select("number", "title").rows() == [("1", None)]
    assert [(r.line, r.reason.partition(":")[0]) for r in rejects] == [
        (10, "found 5 columns, expected 3 as in the first row."),
        (9, "column opened_at"),
    ]


def test_the_first_sheet_that_is_no_chart_is_read_whatever_its_part_is_called(tmp_path: Path) -> None:
    made = book({"A2": "1", "B2": "2026-03-01"})
    made.create_chartsheet("Chart", 0)
    made.create_sheet("Other").append(["not", "this"])
    assert read(saved(tmp_path, made))[0]["number"].to_list() == ["1"]


def test_a_large_workbook_of_many_texts_is_read(tmp_path: Path) -> None:
    made = openpyxl.Workbook(write_only=True)
    sheet = made.create_sheet()
    names = ["number", "opened_at", "title", "resolver", "queue"]
    sheet.append(names)
    for n in range(20_000):
        sheet.append([f"INC{n:07}", "2026-03-01", f"Printer {n} is out of toner", f"a{n % 50}", "Desk"])
    frame, rejects = read(saved(tmp_path, made))
    assert (rejects, frame.height, frame["title"].n_unique(), frame["number"][-1]) == ([], 20_000, 20_000, "INC0019999")


def test_bad_rows_are_told_with_line_and_reason_and_the_rest_goes_in(tmp_path: Path) -> None:
    text = (
        "number,opened_at,title\n"  # 1
        '1,2026-03-01,"two\nlines"\n'  # 2, 3
        "2,yesterday,x\n"  # 4
        "3,2026-03-01\n"  # 5
        "4,2026-03-01,x,y\n"  # 6
        "5,2026-03-01,\n"  # 7
        ",2026-03-01,x\n"  # 8
        '6,2026-03-01,"never closed\n'  # 9
        "7,2026-03-01,x\n"  # 10
    )
    frame, rejects = read(written(tmp_path, "tickets.csv", text.encode()))
    assert frame["number"].to_list() == ["1", "5", "7"]
    assert sorted((r.line, r.reason) for r in rejects) == [
        (4, "column opened_at: found 'yesterday', expected a date and time like 2026-03-31 10:15."),
        (5, "found 2 columns, expected 3 as in the first line."),
        (6, "found 4 columns, expected 3 as in the first line."),
        (8, "column number is empty; every row needs it."),
        (9, "the quotes are not right: unexpected end of data."),
    ]
    assert next(r for r in rejects if r.line == 4).cells == ("2", "yesterday", "x")


def test_the_line_of_a_bad_row_is_right_behind_line_ends_in_quotes(tmp_path: Path) -> None:
    text = 'number,opened_at,title\n1,2026-03-01,"a\nb"\n2,2026-03-01,"c\n\nd"\n3,never,e\n'
    single = text.replace("\n\n", "\n")
    for name, content, line in (("tickets.csv", text, 7), ("tickets2.csv", single, 6)):
        _, rejects = read(written(tmp_path, name, content.encode()))
        assert [r.line for r in rejects] == [line]


HALVES = {
    "a value": r'{"number": "1", "opened_at": "2026-03-01", "title": "\ud800"}',
    "the second half": r'{"number": "1", "opened_at": "2026-03-01", "title": "x\uDFFF"}',
    "halves the wrong way round": r'{"number": "1", "opened_at": "2026-03-01", "title": "\udd25\ud83d"}',
    "a column that no map reads": r'{"number": "1", "opened_at": "2026-03-01", "extra": "\ud800"}',
    "a key": r'{"number": "1", "opened_at": "2026-03-01", "\ud800": 1}',
    "a list": r'{"number": "1", "opened_at": "2026-03-01", "title": [["\ud800"]]}',
    "an inner key": r'{"number": "1", "opened_at": "2026-03-01", "title": {"a": {"\udbff": 1}}}',
}


@pytest.mark.parametrize("where", HALVES)
def test_half_a_character_in_json_is_told_as_a_bad_row(where: str, tmp_path: Path) -> None:
    good = r'{"number": "2", "opened_at": "2026-03-01", "title": "\ud83d\udd25 and \\ud800, as written"}'
    mine = scoring.map_file.parse(
        {
            "source": "desk",
            "table": [{"table": "ticket", "columns": {c: c for c in ("number", "opened_at", "title")}}],
        },
        "mine.toml",
        "mine",
    )
    frame, rejects = read(written(tmp_path, "t.jsonl", f"{HALVES[where]}\n{good}\n".encode()), mine, None)
    assert frame["title"].to_list() == ["\U0001f525 and \\ud800, as written"]
    ((line, reason),) = [(r.line, r.reason) for r in rejects]
    assert line == 1
    assert re.fullmatch(r"found \\ud[89a-f][0-9a-f]{2}, which is half of a character; .*", reason)


KEYED = {
    "ticket_event": {"ticket": "1", "at": "2026-03-01T09:00", "what": "updated"},
    "time_entry": {"account": "ann", "started_at": "2026-03-01T09:00", "minutes": "5"},
    "survey": {"ticket": "1", "sent_at": "2026-03-01T09:00"},
    "escalation": {"ticket": "1", "raised_at": "2026-03-01T09:00"},
    "leave": {"account": "ann", "first_day": "2026-03-01", "last_day": "2026-03-02"},
    "endpoints": {"client": "c", "day": "2026-03-01", "count": "5"},
    "client": {"name": "c"},
    "complaint": {"client": "c", "at": "2026-03-01T09:00"},
    "cost": {"day": "2026-03-01", "amount": "5.00"},
    "certification": {"account": "ann", "name": "n"},
    "training": {"account": "ann", "day": "2026-03-01", "minutes": "5"},
}


@pytest.mark.parametrize("table", KEYED)
def test_rows_without_an_id_where_others_have_one_are_not_taken_for_one(table: str, tmp_path: Path) -> None:
    usual = KEYED[table]
    rows = [["id", *usual], *([id, *usual.values()] for id in ("", "7", " ", "8"))]
    frame, rejects = read(written(tmp_path, f"{table}.csv", as_csv(rows=rows)), table=None)
    assert [id.rpartition("/")[2] for id in frame["id"].to_list()] == ["7", "8"]
    assert [(r.line, r.reason) for r in rejects] == [
        (line, "the id is empty; give each row one of its own.") for line in (2, 4)
    ]
    frame, rejects = read(written(tmp_path, f"{table}s.csv", as_csv(rows=[[*usual], [*usual.values()]])), table=None)
    assert (frame.height, rejects) == (1, []), "without the column, what is in the row tells them apart"


def test_inches_in_a_cell_are_no_quotes(tmp_path: Path) -> None:
    frame, rejects = read(
        written(tmp_path, "tickets.tsv", b'number\topened_at\ttitle\n1\t2026-03-01\t24" screen\n2\t2026-03-01\tx\n')
    )
    assert rejects == []
    assert frame["title"].to_list() == ['24" screen', "x"]


def test_inner_values_of_json_are_reached_by_their_path(tmp_path: Path) -> None:
    mine = scoring.map_file.parse(
        {
            "source": "jira",
            "table": [
                {
                    "table": "ticket",
                    "columns": {"key": "number", "fields.created": "opened_at", "fields.who.name": "resolver"},
                }
            ],
        },
        "jira.toml",
        "jira",
    )
    line = {"key": "A-1", "fields": {"created": "2026-03-01T10:00:00+00:00", "who": {"name": "ann"}, "tags": ["a"]}}
    text = (
        json.dumps(line) + "\nnot json\n[1]\n" + json.dumps({"key": "A-2", "fields": {"created": "2026-03-02"}}) + "\n"
    )
    frame, rejects = read(written(tmp_path, "issues.jsonl", text.encode()), mine, None)
    assert frame["id"].to_list() == ["jira/A-1", "jira/A-2"]
    assert frame["resolver"].to_list() == ["jira/ann", None]
    assert [(r.line, r.reason[:14]) for r in rejects] == [(2, "found no JSON "), (3, "found JSON tha")]


def test_a_row_that_is_there_twice_counts_once_as_it_stands_last(tmp_path: Path) -> None:
    frame, _ = read(written(tmp_path, "tickets.csv", b"number,opened_at,title\n1,2026-03-01,old\n1,2026-03-01,new\n"))
    assert frame["title"].to_list() == ["new"]


def test_a_file_longer_than_a_piece_loses_and_doubles_nothing(tmp_path: Path) -> None:
    count, end = 40_000, "\n"
    body = "".join(
        f'{n},2026-03-01T10:00:00Z,"text {n}, with ""quotes""{end if n % 7 == 0 else " "} and more"\n'
        for n in range(count)
    )
    path = written(
        tmp_path, "tickets.csv.gz", gzip.compress(f"number,opened_at,title\n{body}{count},never,x\n".encode(), 1)
    )
    batches = list(storage.sources.read([path], STANDARD, batch_rows=5000))
    assert sum(b.frame.height for b in batches) == count
    assert pl.concat([b.frame["number"] for b in batches]).n_unique() == count
    assert max(b.frame.height for b in batches) <= 5000
    assert [r.line for b in batches for r in b.rejects] == [body.count("\n") + 2]
    assert batches[-1].done == path.stat().st_size


cell = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")) | st.sampled_from('",;\n'), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.lists(st.tuples(cell, cell), max_size=12), st.sampled_from(",;\t|"), st.booleans())
def test_what_a_csv_writer_writes_is_what_is_read(
    tmp_path: Path, cells: list[tuple[str, str]], delimiter: str, quoted: bool
) -> None:
    rows = [["number", "opened_at", "title", "category"]]
    rows += [[str(n), "2026-03-01", *pair] for n, pair in enumerate(cells)]
    how = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    frame, rejects = read(written(tmp_path, "tickets.csv", as_csv(delimiter, rows, quoting=how, lineterminator="\n")))
    assert rejects == []
    found = frame.select("title", "category").rows() if cells else []
    assert found == [tuple(c.strip() or None for c in pair) for pair in cells]


@pytest.mark.parametrize(
    ("data", "what", "remedy"),
    [
        (b"number,opend_at\n1,2026-03-01\n", "line 1: there is no column 'opened_at'", "Did you mean 'opend_at'?"),
        (b"number,opened_at,titel\n", "line 1: column 'titel' is not known", "Did you mean 'title'?"),
        (b"number,opened_at,title,title\n", "line 1: column 'title' is there twice", "Rename"),
        (b"", "is empty", "Export it again"),
        (b"\n\n\n", "is empty", "Export it again"),
        ("number,opened_at\n".encode("utf-16"), "is written in UTF-16", "CSV UTF-8"),
        ("number,opened_at\n".encode("utf-32"), "is written in UTF-32", "CSV UTF-8"),
        (b"number,opened_at\n1,2026-03-01\n2,\x00\n", "line 3: found a NUL byte", "CSV UTF-8"),
        ("number,opened_at,title\n1,2026-03-01,Größe\n".encode("latin-1"), "line 2: found byte 0xf6", "encoding"),
        (b"PK\x03\x04 something", "is named like text but holds .zip", "right name"),
        (b"\x1f\x8b something", "is named like text but holds .gz", "right name"),
        (b"%PDF-1.7", "holds .pdf", "export text"),
        (",".join(f"c{n}" for n in range(5000)).encode() + b"\n", "found 5000 columns", "fewer"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_what_was_found(
    tmp_path: Path, data: bytes, what: str, remedy: str
) -> None:
    with pytest.raises(Refused) as refused:
        read(written(tmp_path, "tickets.csv", data))
    assert "tickets.csv" in refused.value.what
    assert what in refused.value.what
    assert remedy in refused.value.remedy


def test_a_file_of_which_nothing_fits_is_refused_at_once_with_an_example(tmp_path: Path) -> None:
    text = "number,opened_at\n" + "1,02/03/2026\n" * 3000
    with pytest.raises(Refused, match=r"line 2: column opened_at: found '02/03/2026', .* none can be read"):
        read(written(tmp_path, "tickets.csv", text.encode()))


def test_an_encoding_named_in_the_map_is_understood(tmp_path: Path) -> None:
    mine = scoring.map_file.parse(
        {"source": "old", "encoding": "cp1252", "table": [{"table": "ticket", "all_fields": True}]}, "old.toml", "old"
    )
    frame, _ = read(written(tmp_path, "x.csv", "number,opened_at,title\n1,2026-03-01,Größe €\n".encode("cp1252")), mine)
    assert frame["title"].to_list() == ["Größe €"]


def test_rejected_rows_are_written_as_text_that_no_spreadsheet_runs(tmp_path: Path) -> None:
    path = tmp_path / "tickets.csv.rejects.csv"
    with RejectsFile(path) as rejects:
        rejects.add([Reject("t.csv", 2, "bad", ('=HYPERLINK("x")', "+1", "-2", "@x", "\tx", "plain"))])
    rows = list(csv.reader(path.read_text().splitlines()))
    assert rows[0][:3] == ["file", "line", "reason"]
    assert rows[1][3:] == ['\'=HYPERLINK("x")', "'+1", "'-2", "'@x", "'\tx", "plain"]
    with RejectsFile(path):
        pass
    assert not path.exists(), "a run without rejects leaves no file of an earlier one"


def test_a_file_of_somebody_else_is_never_overwritten_by_rejects(tmp_path: Path) -> None:
    path = written(tmp_path, "mine.csv", b"precious\n")
    with pytest.raises(Refused, match="no rejects file"), RejectsFile(path):
        pass
    assert path.read_bytes() == b"precious\n"
