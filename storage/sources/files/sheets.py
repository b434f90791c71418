"""XLSX in pieces: the first sheet, read row by row, packed once more or not."""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO
from xml.parsers.expat import ExpatError

import polars as pl

import storage.sources.files.guards
from scoring.maps import Map
from scoring.refused import Refused
from storage.sources.files.guards import MEGABYTE, Member
from storage.sources.files.pieces import LINE, MOST_CELLS, PIECE_BYTES, Piece, Reject, check_header
from storage.sources.files.workbook import AS_TEXT, Row, Workbook

ROWS = 5000
_MOST_PARTS = 1000
_MOST_RATIO = 100
_MOST_PACKED = 256 * MEGABYTE
"""A workbook inside an archive is put on disk while it is read."""

_MOST_BLANK = 1000
_ERRORS = (
    ValueError,
    KeyError,
    IndexError,
    OverflowError,
    NotImplementedError,
    OSError,
    EOFError,
    ExpatError,
    zipfile.BadZipFile,
    zlib.error,
)


@contextmanager
def _unpacked(member: Member) -> Iterator[IO[bytes]]:
    """The workbook as a file that can be read from anywhere in it, which an archive's member cannot."""
    if not member.packed:
        with member.path.open("rb") as file:
            yield file
        return
    with tempfile.TemporaryFile(prefix="redfirst-") as file:
        size = 0
        with member.open() as stream:
            while data := stream.read(MEGABYTE):
                size += file.write(data)
                if size > _MOST_PACKED:
                    raise Refused(
                        f"{member.name} unpacks to more than {_MOST_PACKED // MEGABYTE} MB.",
                        "Unpack it and load the plain file.",
                    )
        yield file


def check(file: IO[bytes], name: str) -> None:
    """Raises Refused for a workbook that would unpack without measure."""
    entries = storage.sources.files.guards.check_archive(file, name)
    if len(entries) > _MOST_PARTS:
        raise Refused(f"{name} has {len(entries)} parts.", AS_TEXT)
    for entry in entries:
        if entry.file_size > 4 * MEGABYTE and entry.file_size > _MOST_RATIO * max(entry.compress_size, 1):
            raise storage.sources.files.guards.bomb(name)


def _rows(file: IO[bytes], name: str) -> Iterator[Row]:
    """The rows of the first sheet, blank ones left out."""
    seen = 0
    for row in Workbook(file, name).rows():
        if row.number - seen > _MOST_BLANK + 1:
            raise Refused(
                f"{name}, row {seen + _MOST_BLANK + 1}: found more than {_MOST_BLANK} blank rows.",
                "Delete the blank rows, or save the sheet as CSV UTF-8.",
            )
        if any(cell and cell.strip() for cell in row.cells):
            yield row
            seen = row.number


def _piece(header: Sequence[str], rows: Sequence[Row], name: str, done: int) -> Piece:
    good: list[list[str | None]] = []
    numbers: list[int] = []
    rejects = []
    for row in rows:
        number, cells = row.number, row.cells
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
    size = member.path.stat().st_size
    try:
        with _unpacked(member) as file:
            check(file, member.name)
            rows = _rows(file, member.name)
            head = next(rows, None)
            if head is None:
                raise Refused(f"{member.name} is empty.", "Export it again.")
            header = [(cell or "").strip() for cell in head.cells]
            while header and not header[-1]:
                header.pop()
            check_header(header, member.name)
            most = min(ROWS, MOST_CELLS // len(header))
            held: list[Row] = []
            taken = 0
            for row in rows:
                held.append(row)
                taken += row.size
                if len(held) == most or taken > PIECE_BYTES:
                    yield _piece(header, held, member.name, size // 2)
                    held, taken = [], 0
            yield _piece(header, held, member.name, size)
    except _ERRORS as error:
        raise Refused(f"{member.name} is no sound workbook ({error}).", "Save the sheet as CSV UTF-8.") from error
