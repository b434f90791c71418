"""What every reader of files yields: pieces of a table as text, with line numbers, and lines left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from scoring.refused import Refused

LINE = " line"
"""Column of line numbers; no header can have this name, for headers are trimmed."""

PIECE_BYTES = 2 * 1024 * 1024
MOST_RECORD = 1024 * 1024
MOST_COLUMNS = 1000
MOST_CELLS = 500_000
"""Cells of a piece where a row need not hold each of its columns."""

MOST_REJECTS = 20_000
ENOUGH = 1000


@dataclass(frozen=True, slots=True)
class Reject:
    """A row left out: where it stands, why, and its cells as found."""

    file: str
    line: int
    reason: str
    cells: tuple[str, ...]

    def __str__(self) -> str:
        """For a terminal: what a cell holds beyond letters must not move its cursor."""
        told = f"{self.file}, line {self.line}: {self.reason}"
        return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in told)


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows as text in the file's columns, plus LINE. `done`: bytes of the file on disk read so far.

    `first`: the line where a column first stands, where that is not line 1.
    """

    frame: pl.DataFrame
    rejects: tuple[Reject, ...]
    done: int
    first: Mapping[str, int] = field(default_factory=dict)


def too_long(name: str, line: int) -> Refused:
    return Refused(
        f"{name}, line {line}: the row is longer than {MOST_RECORD // 1024 // 1024} MB.",
        "Look for a missing line end or a quote that is never closed, and export it again.",
    )


def check_header(header: Sequence[str], name: str) -> None:
    """Raises Refused for a header that no export has."""
    if len(header) > MOST_COLUMNS:
        raise Refused(f"{name}, line 1: found {len(header)} columns, expected at most {MOST_COLUMNS}.", "Export fewer.")
    twice = sorted({column for column in header if column and header.count(column) > 1})
    if twice:
        raise Refused(f"{name}, line 1: column {twice[0]!r} is there twice.", "Rename one of them in the export.")
    if not any(header):
        raise Refused(f"{name}, line 1: found no column names.", "The first line must name the columns.")


def check_rejects(rejects: Sequence[Reject], rows: int) -> None:
    """Raises Refused where a piece is so bad that it cannot be the file that was meant."""
    if len(rejects) > MOST_REJECTS or (len(rejects) >= ENOUGH and not rows):
        first = rejects[0]
        raise Refused(
            f"{first} {len(rejects):,} rows here are like it"
            + ("." if rows else ", and none can be read."),
            "Check that this is the right file, map and delimiter.",
        )
