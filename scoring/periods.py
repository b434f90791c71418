"""Which days a question is about: the words people use for a period, and the days they stand for."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from scoring.refused import Refused

Kind = Literal["week", "month", "quarter", "weeks4", "weeks13"]

ROLLING: dict[Kind, int] = {"weeks4": 4, "weeks13": 13}
UNDERSTOOD = (
    "I understand: this week, last week, week 31, 2026-W31, october, oct 2025, 2026-10, "
    "quarter, last quarter, Q3 2025, 4 weeks, 13 weeks."
)

_EPOCH = date(1970, 1, 1)
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_BEFORE = frozenset({"in", "for", "the", "of", "during", "over"})
"""Small words before a period that say nothing: "in october", "for the last week"."""
_SPOKEN_NUMBERS = {"four": "4", "thirteen": "13"}


@dataclass(frozen=True, slots=True)
class Period:
    """Days `first` to `last`, both inclusive, as days since 1970-01-01 in the subject's zone.

    The rolling kinds are made of whole ISO weeks, the last one possibly in progress. `key` is short,
    sortable within its kind and read back by `from_key`; `label` is for people.
    """

    kind: Kind
    first: int
    last: int
    label: str
    key: str


def day_of(value: date) -> int:
    """A calendar date as days since 1970-01-01."""
    return (value - _EPOCH).days


def date_of(day: int) -> date:
    """The inverse of `day_of`."""
    return _EPOCH + timedelta(days=day)


def iso(day: int) -> str:
    """A day as dates are written in files and forms: "2026-08-14"."""
    return date_of(day).isoformat()


def from_iso(text: str) -> int | None:
    """The day of a date as people write it in files and forms, the inverse of `iso`; None where it is no date."""
    try:
        return day_of(date.fromisoformat(text.strip()))
    except ValueError:
        return None


@lru_cache(maxsize=1024)
def day_month(day: int) -> str:
    """A day for people, of a year that is clear: "14 Aug"."""
    at = date_of(day)
    return f"{at.day} {_short(at)}"


def day_month_year(day: int) -> str:
    """A day for people, of any year: "14 Aug 2026"."""
    return f"{day_month(day)} {date_of(day).year}"


def near_day(day: int) -> str:
    """A day that is near, for people: "Fri 14 Aug"."""
    return f"{date_of(day):%a} {day_month(day)}"


def monday(day: int) -> int:
    """The Monday of the ISO week that holds `day` (1970-01-01 was a Thursday)."""
    return day - (day + 3) % 7


def today(now_utc: datetime, zone: str) -> date:
    """The local date at an instant. Raises ValueError when the instant carries no zone."""
    if now_utc.tzinfo is None:
        raise ValueError("an instant needs a zone")
    return now_utc.astimezone(ZoneInfo(zone)).date()


def midnight(day: int, zone: str) -> int:
    """The instant, in UTC seconds since 1970-01-01, at which a local day begins."""
    return int(datetime.combine(date_of(day), time(), ZoneInfo(zone)).timestamp())


@lru_cache(maxsize=1024)
def week(day: int) -> Period:
    """The ISO week that holds `day`."""
    first = monday(day)
    iso = date_of(first).isocalendar()
    days = span(first, first + 6)
    return Period("week", first, first + 6, f"Week {iso.week}, {days}", f"{iso.year:04d}-W{iso.week:02d}")


def month(day: int) -> Period:
    """The calendar month that holds `day`."""
    at = date_of(day)
    first = day_of(at.replace(day=1))
    last = day_of(_month_start(at.year, at.month + 1)) - 1
    return Period("month", first, last, f"{_MONTHS[at.month - 1].title()} {at.year}", f"{at.year:04d}-{at.month:02d}")


def quarter(day: int) -> Period:
    """The calendar quarter that holds `day`."""
    at = date_of(day)
    number = (at.month + 2) // 3
    first = day_of(date(at.year, 3 * number - 2, 1))
    last = day_of(_month_start(at.year, 3 * number + 1)) - 1
    return Period("quarter", first, last, f"Q{number} {at.year}", f"{at.year:04d}-Q{number}")


def rolling(kind: Kind, day: int) -> Period:
    """Four or thirteen whole ISO weeks, up to and including the week that holds `day`."""
    weeks = ROLLING[kind]
    final = week(day)
    first = final.first - 7 * (weeks - 1)
    return Period(kind, first, final.last, f"{weeks} weeks, {span(first, final.last)}", f"{weeks}w-{final.key}")


def previous(period: Period) -> Period:
    """The period before; for the rolling kinds the one that does not overlap."""
    return _of_kind(period.kind, period.first - 1)


def next(period: Period) -> Period:
    """The period after; for the rolling kinds the one that does not overlap. It may be in the future."""
    if period.kind in ROLLING:
        return _of_kind(period.kind, period.last + 7 * ROLLING[period.kind])
    return _of_kind(period.kind, period.last + 1)


def so_far(period: Period, day: int) -> Period:
    """The period as far as the week of a day: what lies ahead of it says nothing about anybody yet."""
    end = monday(day) + 6
    return period if period.last <= end else replace(period, last=end)


def matured_on(period: Period, maturity_days: int) -> int:
    """The first day on which nothing that happens later can change the period's figures."""
    return period.last + maturity_days + 1


def rests_on(period: Period) -> int:
    """The first day that the period's figures or colours rest on: these look at the four weeks up to its end."""
    return min(period.first, monday(period.last) - 21)


def weeks_of(period: Period) -> tuple[int, ...]:
    """The Mondays of the ISO weeks that belong to the period: those whose Thursday lies in it."""
    first = monday(period.first + 3)
    return tuple(range(first, period.last - 2, 7))


def weeks_up_to(period: Period, count: int) -> tuple[int, ...]:
    """The Mondays of the last `count` ISO weeks, oldest first, up to the week of the period's last day."""
    final = monday(period.last)
    return tuple(range(final - 7 * (count - 1), final + 1, 7))


def from_key(key: str) -> Period:
    """The period that has this key. Raises Refused when no period has it."""
    found = re.fullmatch(r"(?:(4|13)w-)?([0-9]{4})-(?:W([0-9]{2})|Q([1-4])|([0-9]{2}))", key)
    if found is None:
        raise _not_understood(key)
    weeks, year, week_number, quarter_number, month_number = found.groups()
    if weeks is not None and week_number is None:
        raise _not_understood(key)
    period = _numbered(int(year), week_number, quarter_number, month_number, key)
    if weeks is None:
        return period
    return rolling("weeks4" if weeks == "4" else "weeks13", period.first)


def parse(text: str, today: date) -> Period:
    """What a person means by `text`, seen from their local date `today`.

    No text means the rolling four weeks, the window that statuses are made from. A bare month, week
    or quarter means the latest one that has begun. Raises Refused for anything else, and for the future.
    """
    words = " ".join(itertools.dropwhile(_BEFORE.__contains__, text.lower().replace(",", " ").split()))
    if len(words) > 40:
        raise _not_understood(words[:40] + "…")
    here = day_of(today)
    period = _relative(words, here) or _named(words, here)
    if period is None or (text.strip() and not words):
        raise _not_understood(text.strip(), _meant(words, here))
    if period.first > here:
        raise Refused(f"{period.label} has not begun yet.", "Ask for a period up to today.")
    return period


def _relative(words: str, here: int) -> Period | None:
    if words == "":
        return rolling("weeks4", here)
    found = re.fullmatch(r"(?:(this|current|last|previous|past) )?(week|month|quarter)", words)
    if found is not None:
        now = _calendar(found[2])(here)
        return previous(now) if found[1] in ("last", "previous", "past") else now
    found = re.fullmatch(r"(?:(?:the )?(?:last|past|rolling) )?([0-9]+|four|thirteen)[ -]?(?:weeks?|w)", words)
    if found is not None:
        count = _SPOKEN_NUMBERS.get(found[1], found[1])
        return {"4": rolling("weeks4", here), "13": rolling("weeks13", here)}.get(count)
    return None


def _named(words: str, here: int) -> Period | None:
    found = re.fullmatch(
        r"(?:week|wk|w) ?([0-9]{1,2})(?:[ -]([0-9]{4}))?|([0-9]{4})[ -]?w(?:eek ?)?([0-9]{1,2})", words
    )
    if found is not None:
        year, number = found[2] or found[3], found[1] or found[4]
        if year is not None:
            return _numbered(int(year), number, None, None, words)
        return _latest_week(int(number), here, words)
    found = re.fullmatch(r"q ?([1-4])(?:[ -/]?([0-9]{4}))?|([0-9]{4})[ -/]?q ?([1-4])", words)
    if found is not None:
        year, number = found[2] or found[3], found[1] or found[4]
        if year is not None:
            return _numbered(int(year), None, number, None, words)
        this_year = date_of(here).year
        latest = _numbered(this_year, None, number, None, words)
        return latest if latest.first <= here else _numbered(this_year - 1, None, number, None, words)
    found = re.fullmatch(r"([0-9]{4})[-/ ]([0-9]{1,2})", words)
    if found is not None:
        return _numbered(int(found[1]), None, None, found[2], words)
    found = re.fullmatch(r"([a-z]{3,9})\.?(?:[ -]([0-9]{4}))?", words)
    if found is not None:
        return _spoken_month(found[1], found[2], here, words)
    return None


def _latest_week(number: int, here: int, words: str) -> Period:
    this_year = date_of(here).isocalendar().year
    for year in range(this_year, this_year - 8, -1):  # week 53 comes at least every seventh year
        try:
            period = week(day_of(date.fromisocalendar(year, number, 1)))
        except ValueError:
            continue
        if period.first <= here:
            return period
    raise _not_understood(words)


def _spoken_month(name: str, year: str | None, here: int, words: str) -> Period | None:
    numbers = [i + 1 for i, full in enumerate(_MONTHS) if full.startswith(name) or (name, i) == ("sept", 8)]
    if len(numbers) != 1:
        return None
    if year is not None:
        return _numbered(int(year), None, None, str(numbers[0]), words)
    this_year = date_of(here).year
    latest = _numbered(this_year, None, None, str(numbers[0]), words)
    return latest if latest.first <= here else month(day_of(date(this_year - 1, numbers[0], 1)))


def _numbered(year: int, week_number: str | None, quarter_number: str | None, month_number: str | None,
              words: str) -> Period:  # fmt: skip
    if not 1970 <= year <= 9000:
        raise _not_understood(words)
    try:
        if week_number is not None:
            return week(day_of(date.fromisocalendar(year, int(week_number), 1)))
        if quarter_number is not None:
            return quarter(day_of(date(year, 3 * int(quarter_number), 1)))
        return month(day_of(date(year, int(month_number or 0), 1)))
    except ValueError:
        raise _not_understood(words) from None


def _of_kind(kind: Kind, day: int) -> Period:
    if kind in ROLLING:
        return rolling(kind, day)
    return _calendar(kind)(day)


def _calendar(kind: str) -> Callable[[int], Period]:
    return week if kind == "week" else month if kind == "month" else quarter


def _month_start(year: int, month_number: int) -> date:
    return date(year + (month_number - 1) // 12, (month_number - 1) % 12 + 1, 1)


def span(first: int, last: int) -> str:
    """Two days as people write them, e.g. "27 Jul – 2 Aug 2026"."""
    start, end = date_of(first), date_of(last)
    head = f"{start.day} {_short(start)}" + ("" if start.year == end.year else f" {start.year}")
    return f"{head} – {end.day} {_short(end)} {end.year}"


def _short(at: date) -> str:
    return _MONTHS[at.month - 1][:3].title()


def _meant(words: str, here: int) -> str:
    """The nearest words that are a period; "" where none resembles them."""
    known = (*_MONTHS, "this", "last", "previous", "past", "week", "weeks", "month", "quarter")
    near = [difflib.get_close_matches(word, known, 1, 0.7) if len(word) > 2 else [] for word in words.split()]
    meant = " ".join(found[0] if found else word for found, word in zip(near, words.split(), strict=True))
    return meant if meant != words and (_relative(meant, here) or _named(meant, here)) else ""


def _not_understood(text: str, meant: str = "") -> Refused:
    near = f"Did you mean “{meant}”? " if meant else ""
    return Refused(f"I do not know the period “{text}”.", f"{near}{UNDERSTOOD}")
