"""Brings the rows of one ticket together, wherever they stand in files larger than memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import polars as pl

_PART_BYTES = 64 * 1024 * 1024
_HELD_BYTES = 1024 * 1024
_MOST_PARTS = 64


class Spool:
    """Rows spread over parts on disk by their ticket; each part is small enough to be read at once.

    `size` is the expected number of bytes of text. A context manager: the parts go with it.
    """

    def __init__(self, group: str, size: int) -> None:
        self._group = group
        self._parts = max(1, min(_MOST_PARTS, size // _PART_BYTES + 1))
        self._directory = tempfile.TemporaryDirectory(prefix="redfirst-")
        self._held: list[list[pl.DataFrame]] = [[] for _ in range(self._parts)]
        self._bytes = [0] * self._parts
        self._files: list[list[Path]] = [[] for _ in range(self._parts)]

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._directory.cleanup()

    def add(self, frame: pl.DataFrame) -> None:
        """Takes rows in the order of the file; rows without a ticket go with any part."""
        if self._parts == 1:
            return self._hold(0, frame)
        part = (frame[self._group].hash(seed=0) % self._parts).cast(pl.Int64)
        for number in range(self._parts):
            rows = frame.filter(part == number)
            if rows.height:
                self._hold(number, rows)
        return None

    def _hold(self, number: int, rows: pl.DataFrame) -> None:
        self._held[number].append(rows)
        self._bytes[number] += int(rows.estimated_size())
        if self._bytes[number] > _HELD_BYTES:
            path = Path(self._directory.name) / f"{number}-{len(self._files[number])}"
            pl.concat(self._held[number], how="diagonal").write_ipc(path, compression="lz4")
            self._files[number].append(path)
            self._held[number] = []
            self._bytes[number] = 0

    def parts(self) -> Iterator[pl.DataFrame]:
        """Each part once, its rows in the order they were added."""
        for number in range(self._parts):
            frames = [pl.read_ipc(path) for path in self._files[number]] + self._held[number]
            self._held[number] = []
            if frames:
                yield pl.concat(frames, how="diagonal")
