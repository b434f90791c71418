"""The quiet inbox: how much may be said unasked, and at which time it suits a person."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import scoring.calendars
import scoring.periods
import scoring.tables
from scoring.calendars import Calendar
from scoring.refused import Refused

AHEAD = 28
"""Days; what finds no time within them is not said at all."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """`per_day`: unasked messages to a person on a local day, over everything; `nudges_per_week`: nudges among them."""

    per_day: int = 3
    nudges_per_week: int = 2


STANDARD = Quiet()


def load(table: Mapping[str, Any]) -> Quiet:
    """The settings of a parsed `[quiet]`. Raises Refused naming the key."""
    where = "[quiet]"
    scoring.tables.only(table, ("per_day", "nudges_per_week"), where)
    per_day = scoring.tables.whole(table, "per_day", where, STANDARD.per_day)
    if not 1 <= per_day <= 20:
        raise Refused(f"{where}: per_day is {per_day}.", "Write a number from 1 to 20.")
    nudges = scoring.tables.whole(table, "nudges_per_week", where, STANDARD.nudges_per_week)
    if not 0 <= nudges <= 2:
        raise Refused(f"{where}: nudges_per_week is {nudges}.", "Write 0, 1 or 2: more would be noise.")
    return Quiet(per_day, nudges)


def next_time(
    calendar: Calendar, off: Collection[int], now: datetime, until: datetime | None = None
) -> datetime | None:
    """The first instant from `now` on that is working time on a day that is not `off` (local days since 1970-01-01).

    None where there is none before `until` (exclusive), or within four weeks. Raises ValueError for an instant
    without a zone.
    """
    last = now + timedelta(days=AHEAD) if until is None else until
    here = scoring.periods.day_of(scoring.periods.today(now, calendar.zone))
    end = scoring.periods.day_of(scoring.periods.today(last, calendar.zone))
    table = scoring.calendars.cumulative(calendar, here - 1, end + 1)
    at = int(now.timestamp()) if now.microsecond == 0 else int(now.timestamp()) + 1
    zone = ZoneInfo(calendar.zone)
    for begin, finish in zip(table["start"], table["end"], strict=True):
        moment = max(begin, at)
        while moment < finish and moment < last.timestamp():
            found = datetime.fromtimestamp(moment, UTC)
            day = scoring.periods.day_of(found.astimezone(zone).date())
            if day not in off:
                return found
            # a night shift may reach into a day that is not off
            moment = scoring.periods.midnight(day + 1, calendar.zone)
    return None
