"""What the numbers of a sheet stand for: dates and times are numbers that only a format tells apart."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_DATES = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
"""Numbers of the built-in formats of dates and times (ECMA-376, part 1, 18.8.30)."""

_ELAPSED = 46
SINCE_1900 = datetime(1899, 12, 30, tzinfo=UTC).replace(tzinfo=None)
SINCE_1904 = datetime(1904, 1, 1, tzinfo=UTC).replace(tzinfo=None)
"""Cells hold times on the wall, without a zone."""

_NO_SIGN = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_WHOLE = re.compile("-?[0-9]+")
_ELAPSING = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Formats:
    """Of each cell style whether its numbers are dates; the day that they are counted from."""

    dates: tuple[bool, ...]
    elapsed: tuple[bool, ...]
    since: datetime

    def read(self, text: str, style: int) -> str:
        """A number as written, or the date and time that it stands for."""
        dated = style < len(self.dates) and self.dates[style]
        if not dated and _WHOLE.fullmatch(text):
            return text
        value = float(text)
        if not dated:
            return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
        try:
            return self._date(value, self.elapsed[style])
        except (OverflowError, ValueError):
            return text

    def _date(self, value: float, elapsed: bool) -> str:
        day, rest = divmod(value, 1)
        time = timedelta(milliseconds=round(rest * 86_400_000))
        if elapsed:
            return str(timedelta(days=day) + time)
        if not day and time.days == 0:
            return (self.since + time).time().isoformat()
        if 0 < value < 60 and self.since == SINCE_1900:
            day += 1  # Excel takes 1900 for a leap year
        return (self.since + timedelta(days=day) + time).isoformat(" ", "seconds")


def is_date(code: str) -> bool:
    """Whether a number format shows a date or a time."""
    return re.search("[dmyhs]", _NO_SIGN.sub("", code.partition(";")[0]), re.IGNORECASE) is not None


def of(styles: Sequence[str], codes: Mapping[str, str], since: datetime) -> Formats:
    """`styles`: the number of each cell style's format; `codes`: the workbook's own formats by their numbers."""
    dated = {str(number): True for number in _DATES} | {key: is_date(code) for key, code in codes.items()}
    elapsed = {str(_ELAPSED)} | {key for key, code in codes.items() if _ELAPSING.match(code)}
    return Formats(tuple(dated.get(key, False) for key in styles), tuple(key in elapsed for key in styles), since)
