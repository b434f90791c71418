"""A teams file: names, zones, working hours and holidays of teams."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import available_timezones

import scoring.maps
import scoring.periods
import scoring.working_hours
from scoring.people_file import TeamEntry
from scoring.refused import Refused

KEYS = ("name", "key", "zone", "hours", "holidays", "agreed_small")


def _text(place: str, found: Mapping[str, Any], key: str, default: str) -> str:
    value = found.get(key, default)
    if not isinstance(value, str) or not value or len(value) > 200:
        raise Refused(f"{place}: {key} is {value!r}, expected text.", f'Write {key} = "…".')
    return value


def _day(place: str, value: object) -> int:
    if isinstance(value, date) and not isinstance(value, datetime):
        return scoring.periods.day_of(value)
    day = scoring.periods.from_iso(value) if isinstance(value, str) else None
    if day is not None:
        return day
    raise Refused(f"{place}: the holiday {value!r} is no date.", "Write it like 2026-12-25.")


def _team(place: str, found: Mapping[str, Any], zone: str) -> TeamEntry:
    for key in found:
        if key not in KEYS:
            raise Refused(f"{place}: unknown key {key!r}.", scoring.maps.nearest(key, KEYS))
    name = _text(place, found, "name", "")
    place = f"{place} ({name})"
    zone = _text(place, found, "zone", zone)
    if zone not in available_timezones():
        raise Refused(f"{place}: {zone!r} is no time zone.", scoring.maps.nearest(zone, available_timezones()))
    try:
        hours = scoring.working_hours.parse(_text(place, found, "hours", "Mon-Fri 09:00-17:00"))
    except ValueError as error:
        raise Refused(f"{place}: hours: {error}", "Write them like Mon-Fri 09:00-17:00.") from None
    holidays = found.get("holidays", [])
    if not isinstance(holidays, list):
        raise Refused(f"{place}: holidays is {holidays!r}, expected a list.", "Write holidays = [2026-12-25].")
    small = found.get("agreed_small", False)
    if not isinstance(small, bool):
        raise Refused(f"{place}: agreed_small is {small!r}.", "Write true, or leave it out.")
    days = frozenset(_day(place, day) for day in holidays)
    return TeamEntry(_text(place, found, "key", name), name, zone, hours, days, small)


def parse(parsed: Mapping[str, Any], where: str, zone: str = "UTC") -> tuple[TeamEntry, ...]:
    """Teams of parsed TOML, one [[team]] each. Raises Refused naming the place of a mistake."""
    for key in parsed:
        if key != "team":
            raise Refused(f"{where}: unknown key {key!r}.", "Write [[team]] once for each team.")
    found = parsed.get("team", [])
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise Refused(f"{where}: team is no list.", "Write [[team]] once for each team.")
    teams = tuple(_team(f"{where}: team {n}", one, zone) for n, one in enumerate(found, start=1))
    keys = [team.key for team in teams]
    for team in teams:
        if keys.count(team.key) > 1:
            raise Refused(f"{where}: team {team.key!r} is there twice.", "Keep one.")
    return teams
