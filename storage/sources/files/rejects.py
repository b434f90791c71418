"""The rejects file: every row left out with line and reason, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from scoring.refused import Refused
from storage.sources.files.pieces import Reject

HEADER = ("file", "line", "reason")
ENDING = ".rejects.csv"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


class RejectsFile:
    """Written only when there is something to reject; an earlier run's file is taken away first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self.first: Reject | None = None
        self._file: IO[str] | None = None
        self._writer: Any = None

    def __enter__(self) -> RejectsFile:
        try:
            with self.path.open(encoding="utf-8") as file:
                ours = file.readline().startswith(",".join(HEADER))
            if not ours:
                raise Refused(f"{self.path} is there and is no rejects file.", "Name another with --rejects.")
            self.path.unlink()
        except FileNotFoundError:
            pass
        except (OSError, UnicodeDecodeError) as error:
            raise Refused(
                f"{self.path} cannot be used for rejected rows ({error}).", "Name another with --rejects."
            ) from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, rejects: Iterable[Reject]) -> None:
        for one in rejects:
            self.first = self.first or one
            if self._file is None:
                try:
                    self._file = self.path.open("w", encoding="utf-8", newline="")
                except OSError as error:
                    raise Refused(
                        f"{self.path} cannot be written ({error.strerror}).", "Name another place with --rejects."
                    ) from error
                self._writer = csv.writer(self._file)
                self._writer.writerow((*HEADER, "row"))
            self._writer.writerow([safe(one.file), one.line, safe(one.reason), *(safe(cell) for cell in one.cells)])
            self.count += 1
