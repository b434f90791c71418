"""When something is to be said: schedules in local time, and which of their times are due."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

import scoring.cron
import scoring.periods

Cadence = Literal["daily", "weekly", "fortnightly", "monthly", "quarterly", "yearly", "cron"]
CatchUp = Literal["latest", "all", "skip"]

LATE = 900
"""Seconds after which what is made is called late: longer than a restart takes, or clocks may be apart."""

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MINUTES = 1440
_LONGEST_HOLIDAY = 370
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  a reading of a wall clock
_EVERY = {"monthly": 1, "quarterly": 3, "yearly": 12}


@dataclass(frozen=True, slots=True)
class Schedule:
    """One timetable entry, already made out for one target ("team:2", "desk", "person:7").

    `key` is unique and stays the same while the entry means the same, e.g. "team_digest/team:2". `maker` names what
    is made (an entry of `handlers.makers.MAKERS`). `at` is minutes after local midnight in `zone`; `weekday` 0 is
    Monday; `day` is the day of the month (1..31, the last day where a month is shorter). `holidays` are local days
    since 1970-01-01 on which nothing is said: it moves to the next working day (`working` weekdays).
    `to` is where it goes: a channel ("slack:C1", "teams:tenant/conversation"), or empty for the person or persons.
    `month` is the month of a yearly one, the first of a quarterly one; `first` is any day of a week in which a
    fortnightly one speaks.
    """

    key: str
    maker: str
    target: str
    zone: str
    cadence: Cadence
    at: int = 9 * 60
    weekday: int = 0
    day: int = 1
    cron: str = ""
    holidays: frozenset[int] = frozenset()
    working: frozenset[int] = frozenset(range(5))
    catch_up: CatchUp = "latest"
    to: str = ""
    month: int = 1
    first: int = 4


@dataclass(frozen=True, slots=True)
class Due:
    """A time at which a schedule must speak: `at` in UTC seconds, `day` the local day it stands for.

    `verdict` is "make", "make_late" (the card says so) or "skip" (recorded with the reason, never silent).
    `why` is the reason of a skip. `mark` puts the times of one schedule in order whatever its zone and holidays
    become: minutes of the wall clock since 1970-01-01, of the date alone where a date has one time only.
    """

    schedule: Schedule
    at: int
    day: int
    verdict: Literal["make", "make_late", "skip"]
    why: str = ""
    mark: int = 0

    @property
    def stands_for(self) -> str:
        """The local date ("2026-08-03"), with the time where a date may have several ("2026-08-03 09:30")."""
        if self.schedule.cadence != "cron":
            return scoring.periods.iso(self.day)
        return f"{scoring.periods.iso(self.day)} {_clock(self.mark % _MINUTES)}"


class Step(NamedTuple):
    """What is due of one schedule, in order, and when (UTC seconds) it speaks next; None: never again."""

    dues: list[Due]
    next_at: int | None


class _Time(NamedTuple):
    at: int
    day: int
    mark: int
    why: str


def step(schedule: Schedule, done: int, now: int) -> Step:
    """The times after the mark `done` that have come by `now` (UTC seconds), with a verdict each; and the next time.

    `done` is the mark of the last time that was made or recorded as skipped; `begins` gives the first one.
    Where several dates come to fall on one working day, only the last of them speaks; the others are skips that
    say so. Of what was missed, `latest` makes the newest late and skips the rest, `all` makes each late, `skip`
    none. What is not more than LATE seconds old is not late.
    """
    passed: list[_Time] = []
    next_at = None
    for one in _times(schedule, done):
        if one.at > now:
            next_at = one.at
            break
        passed.append(one)
    newest = max((one.mark for one in passed if not one.why), default=None)
    return Step([_verdict(schedule, one, newest, now) for one in passed], next_at)


def begins(schedule: Schedule, since: int) -> int:
    """The mark with which a schedule starts that is new, or changed, at `since` (UTC seconds): nothing due before."""
    today = (since + _offset(ZoneInfo(schedule.zone), since)) // 86_400
    day = today  # what fell on the free days just before may still be to come
    while today - day < _LONGEST_HOLIDAY and not _works(schedule, day - 1):
        day -= 1
    for one in _times(schedule, day * _MINUTES - 1):
        if one.at > since:
            return one.mark - 1
    return today * _MINUTES


def first_after(schedule: Schedule, done: int) -> int | None:
    """When (UTC seconds) the first time after a mark comes, which may be over; None: never again."""
    return next((one.at for one in _times(schedule, done)), None)


def next_at(schedule: Schedule, after: int) -> int | None:
    """The first time (UTC seconds) after an instant at which a schedule speaks; None: never again."""
    return step(schedule, begins(schedule, after), after).next_at


@lru_cache(maxsize=4096)
def instant(zone: str, day: int, minute: int) -> int:
    """The UTC second at which a wall clock first shows a local time or a later one.

    So a time that does not exist is the first instant after the gap, and one that exists twice is the first.
    """
    info, wall = ZoneInfo(zone), day * 86_400 + minute * 60
    local = _EPOCH + timedelta(seconds=wall)
    before, after = _seconds(local.replace(tzinfo=info)), _seconds(local.replace(tzinfo=info, fold=1))
    if before >= after:
        return wall - before
    left, right = wall - after, wall - before  # clocks go forward between the two
    while right - left > 1:
        middle = (left + right) // 2
        if _offset(info, middle) == before:
            left = middle
        else:
            right = middle
    return right


def pattern(schedule: Schedule) -> str:
    """What somebody decided of its times: a change of this counts from the moment it is made."""
    if schedule.cadence == "cron":
        return f"cron {' '.join(schedule.cron.lower().split())}"
    parts = {
        "daily": "",
        "weekly": f" weekday {schedule.weekday}",
        "fortnightly": f" weekday {schedule.weekday} from {scoring.periods.monday(schedule.first) // 7 % 2}",
        "monthly": f" day {schedule.day}",
        "quarterly": f" day {schedule.day} month {schedule.month % 3}",
        "yearly": f" day {schedule.day} month {schedule.month}",
    }
    return f"{schedule.cadence} {_clock(schedule.at)}{parts[schedule.cadence]}"


def digest(schedule: Schedule) -> str:
    """A hash of all that its times come from: the pattern, the zone, the working days and the holidays."""
    free = ",".join(map(str, sorted(schedule.holidays)))
    days = "".join(map(str, sorted(schedule.working)))
    text = f"{pattern(schedule)}|{schedule.zone}|{days}|{free}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def words(schedule: Schedule) -> str:
    """When it speaks, for people: "weekly on Monday at 09:00"."""
    at = f"at {_clock(schedule.at)}"
    day = f"on day {schedule.day}"
    return {
        "daily": f"daily {at}",
        "weekly": f"weekly on {WEEKDAYS[schedule.weekday]} {at}",
        "fortnightly": f"fortnightly on {WEEKDAYS[schedule.weekday]} {at}",
        "monthly": f"monthly {day} {at}",
        "quarterly": f"quarterly {day} {at}",
        "yearly": f"yearly {day} of {datetime(1970, schedule.month, 1, tzinfo=UTC):%B} {at}",
        "cron": f"by cron “{schedule.cron}”",
    }[schedule.cadence]


def _verdict(schedule: Schedule, one: _Time, newest: int | None, now: int) -> Due:
    if one.why:
        return Due(schedule, one.at, one.day, "skip", one.why, one.mark)
    late = now - one.at > LATE
    if late and schedule.catch_up == "skip":
        return Due(schedule, one.at, one.day, "skip", "Missed, and too late to be of use.", one.mark)
    if late and schedule.catch_up == "latest" and one.mark != newest:
        return Due(schedule, one.at, one.day, "skip", "Missed; a later one is made instead.", one.mark)
    return Due(schedule, one.at, one.day, "make_late" if late else "make", "", one.mark)


def _times(schedule: Schedule, done: int) -> Iterator[_Time]:
    """All times after a mark, in order of mark, which is also the order of `at`."""
    exact = schedule.cadence == "cron"
    minutes = scoring.cron.parse(schedule.cron).times if exact else (schedule.at,)
    day = _next_day(schedule, done // _MINUTES if exact else done // _MINUTES + 1)
    while day is not None:
        spoken = _working_day(schedule, day)
        why = ""
        if spoken is None:
            why = "There is no working day within a year."
        elif spoken != day:
            following = _next_day(schedule, day + 1)
            if following is not None and _working_day(schedule, following) == spoken:
                other, told = (scoring.periods.iso(at) for at in (following, spoken))
                why = f"No working day; that of {other}, told on {told}, stands for both."
        on = day if why or spoken is None else spoken
        instants = [instant(schedule.zone, on, minute) for minute in minutes]
        for place, minute in enumerate(minutes):
            mark = day * _MINUTES + (minute if exact else 0)
            if mark <= done:
                continue
            swallowed = place + 1 < len(minutes) and instants[place + 1] == instants[place]
            reason = why or (f"Clocks went forward; that of {_clock(minutes[place + 1])} stands for both."
                             if swallowed else "")  # fmt: skip
            yield _Time(instants[place], day, mark, reason)
        day = _next_day(schedule, day + 1)


def _next_day(schedule: Schedule, day: int) -> int | None:
    """The first date of the pattern on or after `day`. A daily one has the working days, and nothing to move."""
    match schedule.cadence:
        case "daily":
            return _working_day(schedule, day)
        case "weekly":
            return day + (schedule.weekday - day - 3) % 7
        case "fortnightly":
            return day + (scoring.periods.monday(schedule.first) + schedule.weekday - day) % 14
        case "cron":
            return scoring.cron.next_day(scoring.cron.parse(schedule.cron), day)
    month = scoring.periods.month(day)
    while True:
        at = scoring.periods.date_of(month.first)
        found = min(month.first + schedule.day - 1, month.last)
        if found >= day and (at.month - schedule.month) % _EVERY[schedule.cadence] == 0:
            return found
        month = scoring.periods.next(month)


def _working_day(schedule: Schedule, day: int) -> int | None:
    """The first working day on or after `day`; None where there is none within a year."""
    for found in range(day, day + _LONGEST_HOLIDAY):
        if _works(schedule, found):
            return found
    return None


def _works(schedule: Schedule, day: int) -> bool:
    return (day + 3) % 7 in schedule.working and day not in schedule.holidays


def _offset(info: ZoneInfo, at: int) -> int:
    return _seconds(datetime.fromtimestamp(at, info))


def _seconds(local: datetime) -> int:
    shift = local.utcoffset()
    return 0 if shift is None else int(shift.total_seconds())


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
