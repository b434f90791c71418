"""JSON Lines in pieces: one object a line, inner values by their path, like fields.status.name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

import storage.sources.files.delimited
import storage.sources.files.guards
from scoring.maps import Map
from scoring.refused import Refused
from storage.sources.files.guards import Member
from storage.sources.files.pieces import (
    ENOUGH,
    LINE,
    MOST_CELLS,
    MOST_RECORD,
    Piece,
    Reject,
    check_header,
    check_rejects,
    too_long,
)

_MOST_DEPTH = 32
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""Half of a character that takes two; most texts that hold one hold the other half too."""

_PIECE_BYTES = 256 * 1024
"""Objects take many times the memory of their text."""


def _depth(text: str) -> int:
    """How deep brackets nest, at most; those inside strings count too, which no export minds."""
    deepest = depth = 0
    for sign in text:
        if sign in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif sign in "]}":
            depth -= 1
    return deepest


def _lone(found: object) -> str:
    r"""The first half character without its other half, in a key or a value, as \\ud800; no database takes it."""
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        return f"\\u{ord(error.object[error.start]):04x}"
    return ""


def _object(text: str) -> dict[str, Any] | str:
    """The object on a line, or why there is none."""
    if text.count("[") + text.count("{") > _MOST_DEPTH and _depth(text) > _MOST_DEPTH:
        return f"the object is nested deeper than {_MOST_DEPTH} levels."
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        return f"found no JSON ({error})."
    if _HALF.search(text) and (half := _lone(found)):
        return f"found {half}, which is half of a character; expected both halves, or neither."
    return found if isinstance(found, dict) else "found JSON that is no object, expected {…}."


def _cell(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)


def _flat(found: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, object]]:
    for key, value in found.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}".strip(), value


def _objects(text: str, line: int, name: str) -> tuple[list[tuple[int, dict[str, object]]], list[Reject]]:
    found: list[tuple[int, dict[str, object]]] = []
    rejects: list[Reject] = []
    for number, one in enumerate(text.split("\n"), start=line):
        if not one.strip():
            continue
        if len(one) > MOST_RECORD:
            raise too_long(name, number)
        parsed = _object(one)
        if isinstance(parsed, str):
            rejects.append(Reject(name, number, parsed, (one[:2000],)))
            if len(rejects) >= ENOUGH:
                check_rejects(rejects, len(found))
        else:
            found.append((number, dict(_flat(parsed))))
    return found, rejects


def _blocks(member: Member, map: Map) -> Iterator[tuple[int, str, int]]:
    """Number of the first line, text, bytes of the file done so far."""
    with member.open() as stream:
        for line, block in storage.sources.files.delimited.blocks(stream, member.name, _PIECE_BYTES, quoted=False):
            text = storage.sources.files.guards.to_utf8(block, map.encoding, line, member.name)
            yield line, text.decode(), stream.position


def _header(member: Member, map: Map) -> dict[str, int]:
    """Every key of the file, with the line of its first appearance.

    Exports leave out what is empty, so a column may begin anywhere; what tells two rows apart depends on which
    columns there are, so all must be known before the first row is taken.
    """
    header: dict[str, int] = {}
    for line, text, _ in _blocks(member, map):
        rows, rejects = _objects(text, line, member.name)
        known = len(header)
        for number, row in rows:
            for key in row:
                header.setdefault(key, number)
        if not header:
            first = rejects[0].reason if rejects else "found no object."
            raise Refused(f"{member.name}, line 1: {first}", "Expected one JSON object a line.")
        if len(header) > known:
            check_header(tuple(header), member.name)
    return header


def pieces(member: Member, map: Map) -> Iterator[Piece]:
    """The file's rows in pieces of some 256 KB, each in the columns of the whole file."""
    header = _header(member, map)
    most = MOST_CELLS // max(len(header), 1)  # few keys a row, and many in the file: no row need be long
    for line, text, done in _blocks(member, map):
        rows, rejects = _objects(text, line, member.name)
        for start in range(0, max(len(rows), 1), most):
            part = rows[start : start + most]
            columns = [pl.Series(key, [_cell(row.get(key)) for _, row in part], dtype=pl.String) for key in header]
            lines = pl.Series(LINE, [number for number, _ in part], dtype=pl.Int64)
            yield Piece(pl.DataFrame([*columns, lines]), tuple(rejects if start == 0 else ()), done, header)
