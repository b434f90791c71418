"""People, teams and memberships: who someone is on a day, and in which relation to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["technician", "coordinator", "lead", "manager", "leadership", "hr", "admin"]
ROLES: tuple[Role, ...] = ("technician", "coordinator", "lead", "manager", "leadership", "hr", "admin")


@dataclass(frozen=True, slots=True)
class Hours:
    """Weekly working time in local minutes after midnight: weekday (0 Monday) → (start, end) spans."""

    spans: tuple[tuple[tuple[int, int], ...], ...]  # seven entries


OFFICE = Hours(spans=(((540, 1020),),) * 5 + ((), ()))
"""Monday to Friday 09:00 to 17:00."""


@dataclass(frozen=True, slots=True)
class Team:
    """A team with its calendar. `agreed_small`: all members of a team under five agreed to show it."""

    id: int
    key: str
    name: str
    zone: str = "UTC"
    hours: Hours = OFFICE
    holidays: frozenset[int] = frozenset()  # days since 1970-01-01
    agreed_small: bool = False


@dataclass(frozen=True, slots=True)
class Membership:
    """From `from_day` up to, not including, `to_day` (days since 1970-01-01; None is open-ended)."""

    person_id: int
    team_id: int
    role: Role
    from_day: int
    to_day: int | None = None
    tier: int | None = None
    manager_id: int | None = None
    team_key: str = ""  # where it was read along


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks or is asked about, as of today. `memberships` are ordered by `from_day`.

    `managed` are the ids of people whose manager or lead this person is today (deputies included), `led_teams`
    the teams they lead, `over_teams` those whose leads they manage.
    """

    id: int
    key: str
    name: str
    role: Role
    team_id: int | None
    zone: str = "UTC"
    tier: int | None = None
    manager_id: int | None = None
    memberships: tuple[Membership, ...] = ()
    managed: frozenset[int] = frozenset()
    led_teams: frozenset[int] = frozenset()
    over_teams: frozenset[int] = frozenset()
    active: bool = True
