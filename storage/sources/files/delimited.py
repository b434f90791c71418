"""CSV and TSV in pieces: parsed column by column where a piece is regular, line by line where it is not."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence

import polars as pl

import storage.sources.files.guards
from scoring.maps import Map
from scoring.refused import Refused
from storage.sources.files.guards import Member, Metered
from storage.sources.files.pieces import (
    ENOUGH,
    LINE,
    MOST_RECORD,
    PIECE_BYTES,
    Piece,
    Reject,
    check_header,
    check_rejects,
    too_long,
)

_END = "\x01"
"""Put at the end of every line, so that a line with too few cells shows."""

_MOST_LINES = 1000
_MOST_QUOTES = 100
_MOST_BLANK = 10_000
_QUOTES = "the quotes are not right"


_LONE = re.compile(rb'(?:[^\r\n"]|"[^"]*+")*+\r[^\n]')
"""A file whose first line ends with CR alone, as old programs on a Macintosh write it."""

_SEPARATOR = re.compile(rb'"?sep=([\t!#-/:-@\[-`{-~])"?\n', re.IGNORECASE)
"""Excel's own first line, which names the delimiter."""


def _records_end(data: bytes) -> int:
    """Index after the last line end outside quotes; 0 where there is none."""
    at = data.rfind(b"\n")
    odd = data.count(b'"', 0, at + 1) % 2
    while at >= 0 and odd:
        before = data.rfind(b"\n", 0, at)
        odd = (odd + data.count(b'"', before + 1, at + 1)) % 2
        at = before
    return at + 1


def blocks(stream: Metered, name: str, size: int = PIECE_BYTES, quoted: bool = True) -> Iterator[tuple[int, bytes]]:
    """The file's bytes cut after whole records, with LF line ends; each with the number of its first line."""
    rest = b""
    line = 1
    first = True
    lone = False
    while data := stream.read(size):
        if first:
            data = storage.sources.files.guards.check_start(data, name)
            lone = _LONE.match(data) is not None
            first = False
        if lone:
            data = data.replace(b"\r", b"\n")
        rest += data
        end = _records_end(rest) if quoted else rest.rfind(b"\n") + 1
        if len(rest) - end > MOST_RECORD:  # a stray quote, or a record without an end
            end = rest.rfind(b"\n") + 1
            if len(rest) - end > MOST_RECORD:
                raise too_long(name, line + rest.count(b"\n"))
        if end:
            block, rest = rest[:end], rest[end:]
            yield line, block.replace(b"\r\n", b"\n") if b"\r" in block else block
            line += block.count(b"\n")
    if first:
        storage.sources.files.guards.check_start(b"", name)
    if rest.strip():
        yield line, rest.replace(b"\r\n", b"\n") + b"\n"


def delimiter_of(head: str, member: Member, map: Map, said: str = "") -> str:
    """The delimiter named by the map, else by the file, else by its kind, else the most frequent in the header."""
    if map.delimiter or said:
        return map.delimiter or said
    if member.kind == "tsv":
        return "\t"
    return max(",;\t|", key=head.count)


def pieces(member: Member, map: Map) -> Iterator[Piece]:
    """The file's rows in pieces of some 2 MB. Raises Refused for what is no such file."""
    header: list[str] = []
    delimiter = ","
    with member.open() as stream:
        for line, block in blocks(stream, member.name):
            text = storage.sources.files.guards.to_utf8(block, map.encoding, line, member.name)
            first = line
            if not header:
                header, delimiter, text, first = _header(text, member, map)
            frame, rejects = _parse(text, header, delimiter, first, member.name)
            yield Piece(frame, rejects, stream.position)


def _header(text: bytes, member: Member, map: Map) -> tuple[list[str], str, bytes, int]:
    """Column names, delimiter, the rest of the block, and the line number it begins at."""
    said = _SEPARATOR.match(text)
    line = 1
    if said is not None:
        text, line = text[said.end() :], 2
    end = text.find(b"\n") + 1
    while end and text.count(b'"', 0, end) % 2:
        end = text.find(b"\n", end) + 1
    end = end or text.find(b"\n") + 1
    if end > MOST_RECORD:
        raise too_long(member.name, 1)
    head = text[:end].decode()
    delimiter = delimiter_of(head, member, map, said[1].decode() if said is not None else "")
    try:
        header = [cell.strip() for cell in next(csv.reader(io.StringIO(head), delimiter=delimiter), [])]
    except csv.Error as error:
        raise too_long(member.name, 1) from error
    check_header(header, member.name)
    return header, delimiter, text[end:], line + text.count(b"\n", 0, end)


def _named(header: Sequence[str]) -> list[str]:
    return [column or f" {number}" for number, column in enumerate(header)]


def _parse(
    text: bytes, header: Sequence[str], delimiter: str, line: int, name: str
) -> tuple[pl.DataFrame, tuple[Reject, ...]]:
    frame = _whole(text, header, delimiter, line)
    if frame is not None:
        return frame, ()
    return _by_line(text.decode(), header, delimiter, line, name)


def _whole(text: bytes, header: Sequence[str], delimiter: str, line: int) -> pl.DataFrame | None:
    """The block parsed at once; None where any line is irregular."""
    mark = _END.encode()
    if not text or mark in text or b"\n\n" in text or text.startswith(b"\n") or b"\r" in text:
        return None
    ended = text.replace(b"\n", delimiter.encode() + mark + b"\n")
    names = _named(header)
    try:
        frame = pl.read_csv(
            ended,
            has_header=False,
            schema={**dict.fromkeys(names, pl.String), _END: pl.String},
            separator=delimiter,
            glob=False,
        )
    except pl.exceptions.PolarsError:
        return None
    if not (frame[_END] == _END).fill_null(False).all():
        return None
    frame = frame.drop(_END)
    lines = text.count(b"\n")
    number = pl.int_range(line, line + frame.height, eager=True, dtype=pl.Int64)
    if frame.height != lines:  # line ends inside quotes
        frame = frame.with_columns(pl.all().str.replace_all(f"{delimiter}{_END}\n", "\n", literal=True))
        breaks = frame.select(
            pl.sum_horizontal(pl.all().str.count_matches("\n", literal=True).fill_null(0))
        ).to_series()
        if int(breaks.sum()) + frame.height != lines:
            return None
        number = number + breaks.cum_sum().cast(pl.Int64) - breaks.cast(pl.Int64)
    return frame.with_columns(number.alias(LINE))


def _by_line(
    text: str, header: Sequence[str], delimiter: str, line: int, name: str
) -> tuple[pl.DataFrame, tuple[Reject, ...]]:
    """Row by row: short and long rows and unclosed quotes are left out, each with its line."""
    if text.count("\n\n\n\n") > _MOST_BLANK:
        raise Refused(f"{name}, line {line}: found almost only blank lines.", "Export it again.")
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    names = _named(header)
    rows: list[list[str]] = []
    numbers: list[int] = []
    rejects: list[Reject] = []
    at = 0
    while at < len(lines):
        check_rejects(rejects, len(rows))
        if sum(one.reason.startswith(_QUOTES) for one in rejects) > _MOST_QUOTES:
            raise Refused(
                f"{name}, line {line + at}: the quotes are wrong in more than {_MOST_QUOTES} rows around here.",
                "Export it again with every quote inside a cell doubled, or tell the delimiter in the map.",
            )
        start = at
        reader = csv.reader((lines[i] + "\n" for i in range(start, len(lines))), delimiter=delimiter, strict=True)
        try:
            for row in reader:
                first, at = at, start + reader.line_num
                if not row:
                    continue
                if at - first > 1 and (len(row) != len(names) or at - first > _MOST_LINES):
                    rejects.append(
                        Reject(name, line + first, f"{_QUOTES}: one is opened and not closed.", (lines[first],))
                    )
                    at = first + 1
                    break
                if len(row) != len(names):
                    reason = f"found {len(row)} columns, expected {len(names)} as in the first line."
                    rejects.append(Reject(name, line + first, reason, tuple(row)))
                    if len(rejects) >= ENOUGH:
                        check_rejects(rejects, len(rows))
                    continue
                rows.append(row)
                numbers.append(line + first)
        except csv.Error as error:
            rejects.append(Reject(name, line + at, f"{_QUOTES}: {error}.", (lines[at],)))
            at += 1
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    frame = pl.DataFrame(
        [pl.Series(n, column, dtype=pl.String) for n, column in zip(names, columns, strict=True)]
        + [pl.Series(LINE, numbers, dtype=pl.Int64)]
    )
    return frame, tuple(rejects)
