"""Weekly working hours as people write them: "Mon-Fri 09:00-17:00, Sat 10:00-12:00"."""

from __future__ import annotations

import re

from scoring.people import OFFICE as OFFICE
from scoring.people import Hours

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PART = re.compile(
    r"(?P<first>[a-z]{3})[a-z]*(?:\s*-\s*(?P<last>[a-z]{3})[a-z]*)?\s+"
    r"(?P<begin>\d{1,2}:\d\d)\s*-\s*(?P<end>\d{1,2}:\d\d)"
)
_DAY_MINUTES = 24 * 60


def _minutes(text: str) -> int:
    hour, minute = text.split(":")
    value = int(hour) * 60 + int(minute)
    if int(minute) > 59 or value > _DAY_MINUTES:
        raise ValueError(f"{text} is no time of day.")
    return value


def _merge(spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def parse(text: str) -> Hours:
    """Hours from words; a span that ends before it begins goes over midnight. Raises ValueError with the reason."""
    week: list[list[tuple[int, int]]] = [[] for _ in _DAYS]
    for part in filter(None, (p.strip().lower() for p in re.split(r"[,;]", text))):
        match = _PART.fullmatch(part)
        if match is None or match["first"] not in _DAYS or (match["last"] or "mon") not in _DAYS:
            raise ValueError(f"found {part!r}, expected words like Mon-Fri 09:00-17:00.")
        first = _DAYS.index(match["first"])
        last = _DAYS.index(match["last"] or match["first"])
        begin, end = _minutes(match["begin"]), _minutes(match["end"])
        for offset in range((last - first) % 7 + 1):
            day = (first + offset) % 7
            if begin < end:
                week[day].append((begin, end))
            else:
                week[day].append((begin, _DAY_MINUTES))
                if end:
                    week[(day + 1) % 7].append((0, end))
    if not any(week):
        raise ValueError("no working time is given; expected words like Mon-Fri 09:00-17:00.")
    return Hours(tuple(_merge([span for span in day if span[0] < span[1]]) for day in week))


def words(hours: Hours) -> str:
    """The reverse of `parse`, one part a day."""
    return ", ".join(
        f"{_DAYS[day].title()} {start // 60:02d}:{start % 60:02d}-{end // 60:02d}:{end % 60:02d}"
        for day, spans in enumerate(hours.spans)
        for start, end in spans
    )
