"""XLSX in pieces: the first sheet, read row by row, after the archive's parts have been measured."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from xml.etree.ElementTree import ParseError

import openpyxl
import openpyxl.utils.exceptions
import polars as pl

import storage.sources.files.guards
from scoring.maps import Map
from scoring.refused import Refused
from storage.sources.files.guards import MEGABYTE, Member
from storage.sources.files.pieces import LINE, MOST_COLUMNS, Piece, Reject, check_header

ROWS = 5000
_MOST_PARTS = 1000
_MOST_RATIO = 100
_MOST_SHEET = 1024 * MEGABYTE
_MOST_OTHER = 48 * MEGABYTE
"""Texts shared by cells and styles are held in memory as a whole."""

_MOST_BLANK = 1000
_ERRORS = (
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    AttributeError,
    OSError,
    EOFError,
    ParseError,
    zipfile.BadZipFile,
    openpyxl.utils.exceptions.InvalidFileException,
)


def check(member: Member) -> None:
    """Raises Refused for a workbook that would unpack without measure."""
    entries = storage.sources.files.guards.check_archive(member.path)
    if len(entries) > _MOST_PARTS:
        raise Refused(f"{member.name} has {len(entries)} parts.", "Save the first sheet as CSV UTF-8.")
    for entry in entries:
        if entry.file_size > 4 * MEGABYTE and entry.file_size > _MOST_RATIO * max(entry.compress_size, 1):
            raise storage.sources.files.guards.bomb(member.name)
        limit = _MOST_SHEET if entry.filename.startswith("xl/worksheets/") else _MOST_OTHER
        if entry.file_size > limit:
            raise Refused(
                f"{member.name}: its part {entry.filename[:80]!r} has {entry.file_size // MEGABYTE} MB.",
                "Save the sheet as CSV UTF-8; text files may be of any size.",
            )


def _cell(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


def _rows(member: Member) -> Iterator[tuple[int, list[str | None]]]:
    """Row number and cells of the first sheet, blank rows left out."""
    book = openpyxl.load_workbook(member.path, read_only=True, data_only=True, keep_links=False)
    try:
        if not book.worksheets:
            raise Refused(f"{member.name} has no sheet.", "Save the sheet as CSV UTF-8.")
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        blank = 0
        for number, row in enumerate(sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS + 1), start=1):
            cells = [_cell(value) for value in row]
            if any(cell and cell.strip() for cell in cells):
                yield number, cells
                blank = 0
            else:
                blank += 1
                if blank > _MOST_BLANK:
                    raise Refused(
                        f"{member.name}, row {number}: found more than {_MOST_BLANK} blank rows.",
                        "Delete the blank rows, or save the sheet as CSV UTF-8.",
                    )
    finally:
        book.close()


def _piece(header: Sequence[str], rows: Sequence[tuple[int, list[str | None]]], name: str, done: int) -> Piece:
    good: list[list[str | None]] = []
    numbers: list[int] = []
    rejects = []
    for number, cells in rows:
        if any(cells[len(header) :]):
            reason = f"found {len(cells)} columns, expected {len(header)} as in the first row."
            rejects.append(Reject(name, number, reason, tuple(cell or "" for cell in cells)))
            continue
        good.append((cells + [None] * len(header))[: len(header)])
        numbers.append(number)
    columns = list(zip(*good, strict=True)) if good else [()] * len(header)
    named = [column or f" {number}" for number, column in enumerate(header)]
    frame = pl.DataFrame(
        [pl.Series(n, column, dtype=pl.String) for n, column in zip(named, columns, strict=True)]
        + [pl.Series(LINE, numbers, dtype=pl.Int64)]
    )
    return Piece(frame, tuple(rejects), done)


def pieces(member: Member, map: Map) -> Iterator[Piece]:
    """The first sheet's rows in pieces; dates come as 2026-03-31 10:15:00, whatever the map's formats."""
    check(member)
    size = member.path.stat().st_size
    try:
        rows = _rows(member)
        head = next(rows, None)
        if head is None:
            raise Refused(f"{member.name} is empty.", "Export it again.")
        header = [(cell or "").strip() for cell in head[1]]
        while header and not header[-1]:
            header.pop()
        check_header(header, member.name)
        held: list[tuple[int, list[str | None]]] = []
        for row in rows:
            held.append(row)
            if len(held) == ROWS:
                yield _piece(header, held, member.name, size // 2)
                held = []
        yield _piece(header, held, member.name, size)
    except _ERRORS as error:
        raise Refused(f"{member.name} is no sound workbook ({error}).", "Save the sheet as CSV UTF-8.") from error
