"""Cron text: the five fields for what no cadence says, read as dates and times of a wall clock, never as instants."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import scoring.periods
from scoring.refused import Refused

MOST_A_DAY = 24
"""More often than this nobody wants to be told anything; and what was missed must stay countable."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST = 8 * 366
"""Days after which a date comes again, if it comes at all: 29 February can be eight years away."""
_EXAMPLE = "Write minute, hour, day, month and weekday: “30 8 * * mon-fri”."


@dataclass(frozen=True, slots=True)
class Cron:
    """The fields made out. `weekdays` 0 is Monday; `either`: day and weekday are both limited, and one suffices."""

    times: tuple[int, ...]  # minutes after midnight, in order
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool


@lru_cache(maxsize=1024)
def parse(text: str) -> Cron:
    """The meaning of five fields: lists, ranges, steps, names of months and weekdays; Sunday is 0 or 7.

    As in every cron: where both day and weekday are limited, a date that fits one of them counts. Raises Refused.
    """
    fields = text.lower().split()
    if len(fields) != 5:
        raise Refused(f"“{text}” has {len(fields)} fields, cron text has five.", _EXAMPLE)
    minutes = _field(fields[0], 0, 59, ())
    hours = _field(fields[1], 0, 23, ())
    days = _field(fields[2], 1, 31, ())
    months = _field(fields[3], 1, 12, _MONTHS, 1)
    weekdays = frozenset((day + 6) % 7 for day in _field(fields[4], 0, 7, _WEEKDAYS))
    if len(minutes) * len(hours) > MOST_A_DAY:
        raise Refused(
            f"“{text}” would speak {len(minutes) * len(hours)} times a day.", f"At most {MOST_A_DAY} times, please."
        )
    limited = not fields[2].startswith("*") and not fields[4].startswith("*")
    times = tuple(sorted(hour * 60 + minute for hour in hours for minute in minutes))
    made = Cron(times, days, months, weekdays, limited)
    if next_day(made, scoring.periods.day_of(date(2001, 1, 1))) is None:
        raise Refused(f"“{text}” never comes.", "No month it names has such a day.")
    return made


def next_day(cron: Cron, day: int) -> int | None:
    """The first date on or after `day` (days since 1970-01-01); None where there is none within eight years."""
    last = day + _LONGEST
    while day <= last:
        at = scoring.periods.date_of(day)
        if at.month not in cron.months:
            day = scoring.periods.month(day).last + 1
            continue
        of_month, of_week = at.day in cron.days, at.weekday() in cron.weekdays
        if (of_month or of_week) if cron.either else (of_month and of_week):
            return day
        day += 1
    return None


def _field(text: str, low: int, high: int, names: tuple[str, ...], base: int = 0) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"(?:(\*)|([a-z0-9]+)(?:-([a-z0-9]+))?)(?:/([0-9]{1,3}))?", part)
        if match is None:
            raise Refused(f"Cron text: “{part}” is no field.", _EXAMPLE)
        every, first, last, step = match.groups()
        begin = low if every else _value(first, low, high, names, base)
        # "5/10" is from five on, "5" is five alone
        end = high if every or (step and not last) else begin if not last else _value(last, low, high, names, base)
        if end < begin and names and low == 0 and end == 0:
            end = 7  # "fri-sun": Sunday ends a week as well as it begins one
        if end < begin or step == "0" or (step and int(step) == 0):
            raise Refused(f"Cron text: “{part}” is empty.", "A range goes from the smaller to the larger.")
        found.update(range(begin, end + 1, int(step or 1)))
    return frozenset(found)


def _value(text: str, low: int, high: int, names: tuple[str, ...], base: int) -> int:
    if text in names:
        return names.index(text) + base
    if text.isdecimal() and len(text) <= 2 and low <= int(text) <= high:
        return int(text)
    known = f" or {names[0]} … {names[-1]}" if names else ""
    raise Refused(f"Cron text: “{text}” does not fit.", f"Write {low} to {high}{known}.")
