"""Business time: how long something took in a team's working hours, exact across zones, holidays and DST."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import polars as pl

import scoring.periods
from scoring.people import OFFICE, Hours, Team
from scoring.refused import Refused

_DAY = 86_400
_HORIZON_DAYS = 3_660
"""A due date further away than ten years means a calendar without working time."""

_Table = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Calendar:
    """An IANA zone, weekly working hours and holidays (local days since 1970-01-01).

    Spans are wall-clock minutes 0..1440 of a local day; a minute of real time is working time when the
    wall clock then shows a minute inside a span, so a night shift has seven or nine hours when clocks change.
    """

    zone: str = "UTC"
    hours: Hours = OFFICE
    holidays: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if len(self.hours.spans) != 7:
            raise ValueError("hours have seven weekdays")
        for spans in self.hours.spans:
            for start, end in spans:
                if not 0 <= start < end <= 1440:
                    raise ValueError(f"a span of working time runs from 0 up to 1440 minutes, not {start} to {end}")


def of_team(team: Team) -> Calendar:
    """The calendar a team works by."""
    return Calendar(team.zone, team.hours, team.holidays)


def business_minutes(calendar: Calendar, start: datetime, end: datetime) -> float:
    """Working minutes between two instants (with zones); 0 when the end is not after the start."""
    begin, finish = _epoch(start), _epoch(end)
    if finish <= begin:
        return 0.0
    table = _table_around(calendar, begin, finish)
    return (_worked(table, finish) - _worked(table, begin)) / 60


def add_business_minutes(calendar: Calendar, start: datetime, minutes: float) -> datetime:
    """The first instant (UTC) by which so many working minutes have passed since `start`.

    No minutes: `start` itself. Raises Refused when the calendar has no such time within ten years.
    """
    begin = _epoch(start)
    if minutes <= 0:
        return datetime.fromtimestamp(begin, UTC)
    wanted = round(minutes * 60)
    for days in (30, 370, _HORIZON_DAYS):
        table = _table_around(calendar, begin, begin + days * _DAY)
        starts, ends, before = table
        reached = _worked(table, begin) + wanted
        at = bisect_left(before, reached) - 1  # the last span with less than that behind it
        if at >= 0 and before[at] + ends[at] - starts[at] >= reached:
            return datetime.fromtimestamp(starts[at] + reached - before[at], UTC)
    raise Refused("This calendar has no working time left for that.", "Check the team's working hours and holidays.")


def add_business_days(calendar: Calendar, day: date, count: int) -> date:
    """The `count`-th working day after `day`; the day of the trigger is not counted.

    Raises Refused when the calendar has no such day within ten years.
    """
    at, left = scoring.periods.day_of(day), count
    for _ in range(_HORIZON_DAYS):
        if left <= 0:
            return scoring.periods.date_of(at)
        at += 1
        if is_working_day(calendar, at):
            left -= 1
    raise Refused("This calendar has too few working days.", "Check the team's working hours and holidays.")


def is_working_day(calendar: Calendar, day: int) -> bool:
    """Whether a local day (since 1970-01-01) has working hours and is no holiday."""
    return bool(calendar.hours.spans[(day + 3) % 7]) and day not in calendar.holidays


def hours_in_day(zone: str, day: date) -> float:
    """Real hours from one local midnight to the next: 23 or 25 when clocks change."""
    return (day_start(zone, day + timedelta(days=1)) - day_start(zone, day)) / 3600


def day_start(zone: str, day: date) -> int:
    """The epoch second at which a local day begins."""
    return scoring.periods.midnight(scoring.periods.day_of(day), zone)


def cumulative(calendar: Calendar, first_day: int, last_day: int) -> pl.DataFrame:
    """Every stretch of working time on the local days `first_day` to `last_day`, in order.

    Columns, all Int64: `start` and `end` in UTC epoch seconds, `before` the working seconds of all earlier rows.
    """
    starts, ends, before = _table(calendar, first_day, last_day)
    return pl.DataFrame({"start": starts, "end": ends, "before": before}, schema=dict.fromkeys(
        ("start", "end", "before"), pl.Int64))  # fmt: skip


def business_minutes_between(calendar: Calendar, starts: pl.Series, ends: pl.Series) -> pl.Series:
    """Working minutes between two columns of UTC epoch seconds (integers, nullable), as Float64.

    Null where either is null, 0 where the end is not after the start.
    """
    begin, finish = starts.cast(pl.Int64), ends.cast(pl.Int64)
    low = min((v for v in (begin.min(), finish.min()) if isinstance(v, int)), default=0)
    high = max((v for v in (begin.max(), finish.max()) if isinstance(v, int)), default=0)
    table = cumulative(calendar, *_days_around(low, high))
    minutes = (_worked_column(table, finish) - _worked_column(table, begin)) / 60
    return minutes.clip(lower_bound=0.0).alias(starts.name)


def _worked_column(table: pl.DataFrame, at: pl.Series) -> pl.Series:
    """Working seconds from the start of the table up to each instant (Int64, null for null)."""
    if table.is_empty():
        return at * 0
    last = table["start"].search_sorted(at.fill_null(0), side="right").cast(pl.Int64) - 1
    found = last >= 0
    row = table[last.clip(lower_bound=0)]
    upto = pl.select(pl.min_horizontal(at, row["end"])).to_series()
    worked = (row["before"] + upto - row["start"]) * found.cast(pl.Int64)
    return worked.set(at.is_null(), None)


def offsets(zone: str, low: int, high: int) -> list[tuple[int, int]]:
    """(begin, offset from UTC) in seconds of every stretch with one offset, in order, from `low` to `high`."""
    return [(begin, offset) for begin, _, offset in _pieces(zone, low, high)]


def _worked(table: _Table, at: int) -> int:
    """Working seconds from the start of the table up to an instant."""
    starts, ends, before = table
    row = bisect_right(starts, at) - 1
    return 0 if row < 0 else before[row] + min(at, ends[row]) - starts[row]


def _table_around(calendar: Calendar, low: int, high: int) -> _Table:
    return _table(calendar, *_days_around(low, high))


def _days_around(low: int, high: int) -> tuple[int, int]:
    """Local days that surely hold two instants, widened to blocks of days so that few tables are made."""
    block = 128
    return (low // _DAY - 1) // block * block, ((high // _DAY + 1) // block + 1) * block - 1


@lru_cache(maxsize=256)
def _table(calendar: Calendar, first_day: int, last_day: int) -> _Table:
    """Starts, ends and cumulated seconds before each stretch, over local days, in order of time.

    Real time is cut where the offset from UTC changes; inside a piece wall clock and real time run alike.
    """
    spans = [_merged(day) for day in calendar.hours.spans]
    starts: list[int] = []
    ends: list[int] = []
    for begin, finish, offset in _pieces(calendar.zone, (first_day - 1) * _DAY, (last_day + 2) * _DAY):
        for day in range((begin + offset) // _DAY, (finish + offset - 1) // _DAY + 1):
            if not first_day <= day <= last_day or day in calendar.holidays:
                continue
            midnight = day * _DAY - offset
            for a, b in spans[(day + 3) % 7]:
                start, end = max(begin, midnight + a * 60), min(finish, midnight + b * 60)
                if start >= end:
                    continue
                if ends and ends[-1] == start:
                    ends[-1] = end
                else:
                    starts.append(start)
                    ends.append(end)
    before: list[int] = []
    total = 0
    for start, end in zip(starts, ends, strict=True):
        before.append(total)
        total += end - start
    return tuple(starts), tuple(ends), tuple(before)


def _pieces(zone: str, low: int, high: int) -> list[tuple[int, int, int]]:
    """(begin, end, offset) in seconds: stretches of real time over which the zone's offset stays the same."""
    info = ZoneInfo(zone)
    pieces: list[tuple[int, int, int]] = []
    begin, offset = low, _offset(info, low)
    for day in range(low, high, _DAY):
        later = min(day + _DAY, high)
        if _offset(info, later) == offset:
            continue
        left, right = day, later
        while right - left > 1:
            middle = (left + right) // 2
            if _offset(info, middle) == offset:
                left = middle
            else:
                right = middle
        pieces.append((begin, right, offset))
        begin, offset = right, _offset(info, later)
    pieces.append((begin, high, offset))
    return pieces


def _offset(info: ZoneInfo, at: int) -> int:
    shift = datetime.fromtimestamp(at, info).utcoffset()
    return 0 if shift is None else int(shift.total_seconds())


def _merged(spans: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _epoch(at: datetime) -> int:
    if at.tzinfo is None:
        raise ValueError("an instant needs a zone")
    return int(at.timestamp() // 1)
