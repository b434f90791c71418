"""When a person works, when they are away, and how many unasked messages their day has room for."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Integer, and_, bindparam, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from scoring.calendars import Calendar
from scoring.people import OFFICE
from storage.db import Db, Prepared
from storage.models import account, leave, membership, person, team
from storage.models_told import unasked
from storage.people_file import hours_of


@dataclass(frozen=True, slots=True)
class Absence:
    """Leave on local days `first` to `last`, both included; `minutes` of each day, None for the whole day."""

    first: int
    last: int
    minutes: int | None


_TODAY = bindparam("today", type_=Integer)
_CALENDAR = Prepared(
    select(person.c.zone, person.c.hours, team.c.hours.label("usual"), team.c.holidays)
    .select_from(
        person.join(
            membership,
            and_(
                membership.c.person_id == person.c.id,
                membership.c.from_day <= _TODAY,
                or_(membership.c.to_day.is_(None), membership.c.to_day > _TODAY),
            ),
        ).join(team, team.c.id == membership.c.team_id)
    )
    .where(person.c.id == bindparam("person_id"))
    .order_by(membership.c.from_day.desc())
    .limit(1)
)
_last_day = func.coalesce(leave.c.last_day, leave.c.first_day)
_LEAVE = (
    select(leave.c.first_day, _last_day.label("last_day"), leave.c.minutes_per_day)
    .select_from(leave.join(account, account.c.key == leave.c.account))
    .where(
        account.c.person_id == bindparam("person_id"),
        account.c.state == "linked",
        leave.c.first_day <= bindparam("last"),
        _last_day >= bindparam("first"),
    )
)
_TAKEN = select(unasked.c.day).where(unasked.c.key == bindparam("said_as"))
_INSERTS = {
    "sqlite": sqlite.insert(unasked).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(unasked).on_conflict_do_nothing(),
}


async def calendar(db: Db, person_id: int, today: int) -> Calendar | None:
    """The zone, working hours and holidays of a person on a day; None for whoever does not work here on it."""
    found = await _CALENDAR.rows(db, {"person_id": person_id, "today": today})
    if not found:
        return None
    zone, own, usual, holidays = found[0]
    hours = hours_of(own or usual) if own or usual else OFFICE
    return Calendar(zone, hours, frozenset(json.loads(holidays)) if holidays else frozenset())


async def absences(db: Db, person_id: int, first: int, last: int) -> list[Absence]:
    """The leave of a person that touches the local days from `first` to `last`."""
    rows = await db.execute(_LEAVE, {"person_id": person_id, "first": first, "last": last})
    return [Absence(row.first_day, row.last_day, row.minutes_per_day) for row in rows]


def days_off(calendar: Calendar, absences: list[Absence], first: int, last: int) -> frozenset[int]:
    """The days of a span on which leave takes all the working time."""
    off: dict[int, int] = {}
    for one in absences:
        for day in range(max(first, one.first), min(last, one.last) + 1):
            off[day] = off.get(day, 0) + (24 * 60 if one.minutes is None else one.minutes)
    return frozenset(
        day for day, minutes in off.items() if minutes >= sum(b - a for a, b in calendar.hours.spans[(day + 3) % 7])
    )


async def take(db: Db, person_id: int, day: int, key: str, places: int) -> bool:
    """Takes one of the `places` of a person's local day for the message `key`; False where all are taken.

    Of replicas that do so at the same moment each takes another place.
    """
    statement = _INSERTS[db.dialect.name]
    for place in range(1, places + 1):
        values = {"person_id": person_id, "day": day, "place": place, "key": key}
        if (await db.execute(statement, values)).rowcount == 1:
            return True
    return False


async def taken(db: Db, key: str) -> bool:
    """Whether a message has a place already."""
    return (await db.execute(_TAKEN, {"said_as": key})).first() is not None
