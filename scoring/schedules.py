"""When something is to be said: schedules in local time, and which of their times are due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Cadence = Literal["daily", "weekly", "fortnightly", "monthly", "quarterly", "yearly", "cron"]
CatchUp = Literal["latest", "all", "skip"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """One timetable entry, already made out for one target ("team:2", "desk", "person:7").

    `key` is unique and stays the same while the entry means the same, e.g. "team_digest/team:2". `maker` names what
    is made (an entry of `handlers.timetable.MAKERS`). `at` is minutes after local midnight in `zone`; `weekday` 0 is
    Monday; `day` is the day of the month (1..31, the last day where a month is shorter). `holidays` are local days
    since 1970-01-01 on which nothing is said: it moves to the next working day (`working` weekdays).
    `to` is where it goes: a channel ("slack:C1", "teams:tenant/conversation"), or empty for the person or persons.
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


@dataclass(frozen=True, slots=True)
class Due:
    """A time at which a schedule must speak: `at` in UTC seconds, `day` the local day it stands for.

    `verdict` is "make", "make_late" (the card says so) or "skip" (recorded with the reason, never silent).
    """

    schedule: Schedule
    at: int
    day: int
    verdict: Literal["make", "make_late", "skip"]
