"""What is said by itself, to whom and when: the built-in schedules, and the [[schedule]] tables of redfirst.toml."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import scoring.cron
import scoring.schedules
import scoring.tables
from scoring.refused import Refused
from scoring.schedules import Cadence, CatchUp, Schedule

Per = Literal["team", "desk"]


@dataclass(frozen=True, slots=True)
class Standing:
    """A standing order: `like` is its schedule before it is made out for a team ("" is every team) or the desk.

    `name` tells apart two of one maker for one team. `working_days`: never on a day off. Not listed where `off`, or
    where it needs a channel and `like.to` is empty.
    """

    like: Schedule
    per: Per
    team: str = ""
    name: str = ""
    working_days: bool = True
    needs_channel: bool = False
    off: bool = False

    @property
    def maker(self) -> str:
        return self.like.maker

    @property
    def id(self) -> tuple[str, str, str]:
        return self.like.maker, self.team, self.name


def _standing(
    maker: str, per: Per, cadence: Cadence, hour: int, minute: int = 0, *, day: int = 1, working_days: bool = True,
    needs_channel: bool = False,
) -> Standing:  # fmt: skip
    like = Schedule("", maker, "", "UTC", cadence, 60 * hour + minute, day=day)
    return Standing(like, per, working_days=working_days, needs_channel=needs_channel)


DEFAULTS: Mapping[str, Standing] = {
    one.maker: one
    for one in (
        _standing("team_digest", "team", "weekly", 9, needs_channel=True),
        _standing("lead_digest", "team", "weekly", 8, 30),
        _standing("manager_digest", "desk", "weekly", 9),
        _standing("leadership_digest", "desk", "monthly", 9, day=3),
        _standing("desk_page", "desk", "monthly", 9, day=3, needs_channel=True),
        _standing("plan_reminders", "team", "daily", 8, 30),
        _standing("desk_plan_reminders", "desk", "daily", 8, 30),
        _standing("check_backs", "team", "daily", 8, 45),
        _standing("nudges", "team", "daily", 9, 30),
        _standing("baselines", "desk", "daily", 6, working_days=False),
        _standing("red_flags", "desk", "daily", 8),
        _standing("objectives_report", "desk", "monthly", 9, day=3),
    )
}
"""Maker → the schedule that holds without a word in redfirst.toml. Weekly ones speak on Monday."""

AUDIENCES: Mapping[str, str] = {
    "team": "team_digest",
    "lead": "lead_digest",
    "manager": "manager_digest",
    "leadership": "leadership_digest",
    "organisation": "desk_page",
}
"""What an audience is called in redfirst.toml → the maker that speaks to it."""

_KEYS = (
    "audience", "name", "team", "cadence", "at", "weekday", "day", "month", "from", "cron", "working_days", "catch_up",
    "to", "off",
)  # fmt: skip
_USED: Mapping[str, tuple[Cadence, ...]] = {
    "weekday": ("weekly", "fortnightly"),
    "from": ("fortnightly",),
    "day": ("monthly", "quarterly", "yearly"),
    "month": ("quarterly", "yearly"),
}
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_TO = re.compile(r"(slack|teams|demo):[^\s]{1,250}")
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::00)?")


def load(own: Mapping[str, Any]) -> tuple[Standing, ...]:
    """The built-in standing orders with those of redfirst.toml in their place or beside them.

    One of the user's takes the place of the built-in one of the same maker (for its team, or for all); one with a
    name stands beside it. Raises Refused naming the table, the key and the nearest valid name.
    """
    given: dict[tuple[str, str, str], Standing] = {}
    for number, table in enumerate(scoring.tables.tables(own, "schedule", "[[schedule]]"), start=1):
        one = _read(table, f"[[schedule]] {number}")
        if one.id in given:
            whose = f" of team {one.team}" if one.team else ""
            raise Refused(f"[[schedule]] {number}: {one.maker}{whose} is there already.", "Give one of the two a name.")
        given[one.id] = one
    kept = [one for one in DEFAULTS.values() if one.id not in given]
    return tuple(sorted((*kept, *given.values()), key=lambda one: one.id))


def _read(table: Mapping[str, Any], where: str) -> Standing:
    scoring.tables.only(table, _KEYS, where)
    base = _base(table, where)
    where = f"{where} ({base.maker})"
    like = _times(table, base.like, where)
    team = scoring.tables.text(table, "team", where, "all")
    if team != "all" and base.per == "desk":
        raise Refused(f"{where}: team is “{team}”, and this is for the whole desk.", "Leave team out.")
    name = scoring.tables.text(table, "name", where, "")
    if name and not _NAME.fullmatch(name):
        raise Refused(f"{where}: name is “{name}”.", "Write small letters, digits, - and _; at most 40.")
    wanted = scoring.tables.text(table, "catch_up", where, base.like.catch_up)
    catch_up: CatchUp | None = next((one for one in get_args(CatchUp) if one == wanted), None)
    if catch_up is None:
        raise Refused(f"{where}: catch_up is “{wanted}”.", scoring.tables.nearest(wanted, get_args(CatchUp)))
    to = scoring.tables.text(table, "to", where, "")
    if to and not _TO.fullmatch(to):
        raise Refused(f"{where}: to is “{to}”.", "Write slack: or teams: and the channel's id: slack:C0123ABCD.")
    off = scoring.tables.truth(table, "off", where, default=False)
    if base.needs_channel and not to and not off:
        raise Refused(f"{where}: to is missing.", "Say which channel: to = “slack:C0123ABCD”.")
    return replace(
        base,
        like=replace(like, catch_up=catch_up, to=to),
        team="" if team == "all" else team,
        name=name,
        working_days=scoring.tables.truth(table, "working_days", where, default=base.working_days),
        off=off,
    )


def _base(table: Mapping[str, Any], where: str) -> Standing:
    audience = scoring.tables.text(table, "audience", where)
    maker = AUDIENCES.get(audience, audience)
    if maker not in DEFAULTS:
        known = (*AUDIENCES, *DEFAULTS)
        raise Refused(f"{where}: there is no audience “{audience}”.", scoring.tables.nearest(audience, known))
    return DEFAULTS[maker]


def _times(table: Mapping[str, Any], like: Schedule, where: str) -> Schedule:
    """The schedule with what the table says of its times."""
    cron = scoring.tables.text(table, "cron", where, "")
    wanted = scoring.tables.text(table, "cadence", where, "cron" if cron else like.cadence)
    cadence: Cadence | None = next((one for one in get_args(Cadence) if one == wanted), None)
    if cadence is None:
        raise Refused(f"{where}: cadence is “{wanted}”.", scoring.tables.nearest(wanted, get_args(Cadence)))
    if (cadence == "cron") != bool(cron) or (cron and "at" in table):
        raise Refused(f"{where}: cron text says dates and time, and nothing beside it does.",
                      "Write cron, or cadence and at; not both.")  # fmt: skip
    for key, cadences_of in _USED.items():
        if key in table and cadence not in cadences_of:
            raise Refused(f"{where}: {key} says nothing of a {cadence} schedule.",
                          f"Leave it out, or write cadence = “{cadences_of[0]}”.")  # fmt: skip
    if cron:
        try:
            scoring.cron.parse(cron)
        except Refused as no:
            raise Refused(f"{where}: {no.what}", no.remedy) from None
    return replace(
        like,
        cadence=cadence,
        cron=cron,
        at=_minute(table, where, like.at),
        weekday=_weekday(table, where, like.weekday),
        day=_number(table, "day", where, like.day, 31),
        month=_number(table, "month", where, like.month, 12),
        first=scoring.tables.day(table, "from", where) if "from" in table else like.first,
    )


def _minute(table: Mapping[str, Any], where: str, default: int) -> int:
    if "at" not in table:
        return default
    text = scoring.tables.text(table, "at", where)
    found = _TIME.fullmatch(text)
    if found is None:
        raise Refused(f"{where}: at is “{text}”.", "Write a time of day: “09:00”.")
    return 60 * int(found[1]) + int(found[2])


def _weekday(table: Mapping[str, Any], where: str, default: int) -> int:
    if "weekday" not in table:
        return default
    text = scoring.tables.text(table, "weekday", where)
    names = [name.lower() for name in scoring.schedules.WEEKDAYS]
    for number, name in enumerate(names):
        if text.lower() in (name, name[:3]):
            return number
    raise Refused(f"{where}: weekday is “{text}”.", scoring.tables.nearest(text.lower(), names))


def _number(table: Mapping[str, Any], key: str, where: str, default: int, most: int) -> int:
    found = scoring.tables.whole(table, key, where, default)
    if not 1 <= found <= most:
        raise Refused(f"{where}: {key} is {found}.", f"Write a number from 1 to {most}.")
    return found


def changes(old: Iterable[Standing], new: Iterable[Standing]) -> Iterable[str]:
    """What would be said otherwise, one sentence each."""
    before, after = ({one.id: one for one in standing} for standing in (old, new))
    for key in sorted(before.keys() | after.keys()):
        was, is_ = before.get(key), after.get(key)
        if was == is_:
            continue
        told = _subject(is_ or was or DEFAULTS[key[0]])
        if is_ is None:
            yield f"{told} is taken out."
        elif was is None:
            yield f"{told} is new: {words(is_)}."
        else:
            yield f"{told}: {words(was)} → {words(is_)}."


def _subject(one: Standing) -> str:
    named = f" “{one.name}”" if one.name else ""
    whose = "" if one.per == "desk" else f" of team {one.team}" if one.team else " of every team"
    return f"Schedule {one.maker}{named}{whose}"


def words(one: Standing) -> str:
    """When and where it speaks, for people."""
    if one.off:
        return "off"
    if one.needs_channel and not one.like.to:
        return "off, as it has no channel"
    parts = [scoring.schedules.words(one.like)]
    if not one.working_days:
        parts.append("on days off too")
    if one.like.to:
        parts.append(f"to {one.like.to}")
    if one.like.catch_up != "latest":
        parts.append({"all": "everything missed is made late", "skip": "what was missed is skipped"}[one.like.catch_up])
    return ", ".join(parts)
