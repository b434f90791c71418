"""A calendar walked by foot: what a wall clock shows in a zone, one quarter of an hour after the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, available_timezones

import scoring.periods
import scoring.schedules
from scoring.schedules import Due, Schedule

QUARTER = 900
DAY = 86_400
FIRST, LAST = date(2024, 1, 1), date(2037, 12, 31)
EVERY_DAY = frozenset(range(7))
MINUTES = (0, 30, 60, 90, 120, 150, 180, 9 * 60, 23 * 60 + 30)
SAMPLE = (
    "Europe/Berlin", "America/New_York", "America/St_Johns", "America/Asuncion", "America/Santiago", "Africa/Cairo",
    "Africa/Casablanca", "Asia/Beirut", "Asia/Gaza", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham",
    "Pacific/Apia", "Antarctica/Troll", "Atlantic/Azores", "America/Havana",
)  # fmt: skip


def at(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


def day(text: str) -> int:
    return scoring.periods.day_of(date.fromisoformat(text))


def schedule(cadence: str = "weekly", **more: object) -> Schedule:
    values = {"key": "k", "maker": "m", "target": "desk", "zone": "Europe/Berlin", "cadence": cadence, **more}
    return Schedule(**values)  # type: ignore[arg-type]


def wall(zone: ZoneInfo, second: int) -> datetime:
    return datetime.fromtimestamp(second, zone).replace(tzinfo=None)


@cache
def distinct_zones() -> tuple[str, ...]:
    """One name for each zone of the database: links have the same content."""
    found: dict[bytes, str] = {}
    for name in sorted(available_timezones()):
        path = files("tzdata").joinpath("zoneinfo", *name.split("/"))
        found.setdefault(path.read_bytes() if path.is_file() else name.encode(), name)
    return tuple(sorted(found.values()))


def changes(name: str) -> list[int]:
    """The UTC midnights after which, within a day, a clock changes."""
    zone, found = ZoneInfo(name), []
    first, last = (int(datetime(d.year, d.month, d.day, tzinfo=UTC).timestamp()) for d in (FIRST, LAST))
    before = datetime.fromtimestamp(first, zone).utcoffset()
    for second in range(first, last, DAY):
        after = datetime.fromtimestamp(second + DAY, zone).utcoffset()
        if after != before:
            found.append(second)
        before = after
    return found


def walked(zone: ZoneInfo, begin: int, end: int) -> list[tuple[int, datetime]]:
    """What the clock shows every quarter of an hour; all clocks of these years change on a quarter."""
    return [(second, wall(zone, second)) for second in range(begin, end, QUARTER)]


def first_shown(shown: list[tuple[int, datetime]], wanted: datetime) -> int:
    """The instant at which a clock first shows a time, or a later one."""
    return next(second for second, what in shown if what >= wanted)


def plainly(zone: str, on: date, minute: int) -> int:
    """The same for any date, walking from the day before."""
    wanted = datetime(on.year, on.month, on.day) + timedelta(minutes=minute)  # noqa: DTZ001
    around = int(wanted.replace(tzinfo=UTC).timestamp())
    quarter = around - around % QUARTER
    rest = timedelta(seconds=around - quarter)
    return first_shown(walked(ZoneInfo(zone), quarter - 30 * 3600, quarter + 30 * 3600), wanted - rest) + rest.seconds


def ticked(one: Schedule, begin: int, end: int, steps: Iterator[int]) -> list[Due]:
    """What comes of a timetable that is looked at again and again, from its adding at `begin` on."""
    done, now, found = scoring.schedules.begins(one, begin), begin, []
    while now < end:
        now = min(now + next(steps), end)
        for due in scoring.schedules.step(one, done, now).dues:
            assert due.at <= now
            assert due.mark > done
            done = due.mark
            found.append(due)
    return found
