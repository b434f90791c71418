"""A people file: rows of people, teams and dates in, a checked and consistent list out."""

from __future__ import annotations

import difflib
import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args
from zoneinfo import ZoneInfo, available_timezones

import scoring.periods
import scoring.working_hours
from scoring.people import ROLES, Hours, Role
from scoring.refused import Refused

COLUMNS = ("person", "name", "team", "role", "tier", "manager", "from", "to", "zone", "hours", "deputy_for")
"""Documented columns; any other column names a system, its cells that person's accounts there."""

CHATS = ("slack", "teams", "demo")
"""Systems whose accounts are written "slack:T1/U2"; accounts of ticket systems are "source/account"."""

_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Stay:
    """One dated row: in `team`, from `from_day` up to, not including, `to_day` (None is open-ended)."""

    team: str
    role: Role
    from_day: int
    to_day: int | None = None
    tier: int | None = None
    manager: str = ""  # the manager's key
    line: int = 0

    def covers(self, day: int) -> bool:
        return self.from_day <= day and (self.to_day is None or day < self.to_day)


@dataclass(frozen=True, slots=True)
class StandIn:
    """A deputy's dates: stands in for the person with the key `person`."""

    person: str
    from_day: int
    to_day: int | None = None


@dataclass(frozen=True, slots=True)
class PersonEntry:
    """One person. `accounts`: system → account keys; a system that is absent is left as it was."""

    key: str
    name: str
    zone: str
    hours: Hours | None
    stays: tuple[Stay, ...]
    stands_in: tuple[StandIn, ...] = ()
    accounts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TeamEntry:
    """One team; `settings` tells whether zone, hours and holidays were given or are mere defaults."""

    key: str
    name: str
    zone: str
    hours: Hours
    holidays: frozenset[int] = frozenset()
    agreed_small: bool = False
    settings: bool = True


@dataclass(frozen=True, slots=True)
class PeopleFile:
    """Checked people and teams. `shared`: accounts that several people use, scored for nobody."""

    people: tuple[PersonEntry, ...]
    teams: tuple[TeamEntry, ...]
    shared: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Known:
    """What the database already holds, for the checks: people not named in the file count too."""

    stays: Mapping[str, tuple[Stay, ...]] = field(default_factory=dict)  # person key → memberships
    teams: Mapping[str, TeamEntry] = field(default_factory=dict)
    accounts: Mapping[str, str] = field(default_factory=dict)  # account key → person key
    renamed: Mapping[str, str] = field(default_factory=dict)  # key that nobody has any more → the person's key now


class _Problems:
    """Collects what is wrong with its line, so that one run shows everything to mend."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[tuple[int, str]] = []

    def add(self, line: int, what: str) -> None:
        self.found.append((line, what))

    def refuse_if_any(self) -> None:
        if not self.found:
            return
        ordered = sorted(set(self.found))
        shown = [f"line {line}: {what}" for line, what in ordered[:_MOST_SHOWN]]
        more = len(ordered) - len(shown)
        if more:
            shown.append(f"and {more} more")
        raise Refused(
            f"{self.file} cannot be loaded; nothing was changed.\n  " + "\n  ".join(shown) + "\n",
            "Mend the lines named and run it again.",
        )


def account_key(system: str, name: str) -> str:
    """`slack` + `T1/U2` → `slack:T1/U2`; `servicenow` + `Resolved by 5` → `servicenow/Resolved by 5`."""
    return f"{system}:{name}" if system in CHATS else f"{system}/{name}"


def is_key(text: str) -> bool:
    """Whether a person can have this key: it stands in cells, and among others between semicolons."""
    return 0 < len(text) <= 200 and text == text.strip() and text.isprintable() and ";" not in text


def _day(text: str, line: int, column: str, problems: _Problems) -> int | None:
    day = scoring.periods.from_iso(text)
    if day is None:
        problems.add(line, f"column {column}: found {text!r}, expected a date like 2026-03-31.")
    return day


def _span(first: int, last: int | None) -> tuple[int, int | None]:
    return first, None if last is None else last + 1


def _stands_in(text: str, stay: tuple[int, int | None], line: int, problems: _Problems) -> Iterable[StandIn]:
    for part in filter(None, (p.strip() for p in text.split(";"))):
        dated = re.fullmatch(r"(.+?)\s+(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)", part)
        if dated is None:
            yield StandIn(part, *stay)
            continue
        first = _day(dated[2], line, "deputy_for", problems)
        last = _day(dated[3], line, "deputy_for", problems)
        if first is None or last is None:
            continue
        if last < first:
            problems.add(line, f"column deputy_for: {dated[3]} is before {dated[2]}; swap them.")
        yield StandIn(dated[1], *_span(first, last))


def _check_header(header: Sequence[str], problems: _Problems) -> list[str]:
    for needed in ("person", "team", "from"):
        if needed not in header:
            near = difflib.get_close_matches(needed, header, 1, 0.6)
            hint = f" Is it {near[0]!r}?" if near else ""
            problems.add(1, f"there is no column {needed!r}; found {', '.join(header) or 'nothing'}.{hint}")
    systems = [column for column in header if column not in COLUMNS]
    for system in systems:
        near = difflib.get_close_matches(system, COLUMNS, 1, 0.75)
        if near and system not in CHATS:
            problems.add(1, f"column {system!r} is unknown; did you mean {near[0]!r}?")
        elif not re.fullmatch(r"[a-z][a-z0-9_-]*", system):
            problems.add(1, f"column {system!r}: expected a system's name in lower case, like servicenow.")
    for column in {c for c in header if header.count(c) > 1}:
        problems.add(1, f"column {column!r} is there twice; keep one.")
    return systems


@dataclass(slots=True)
class _Gathering:
    """A person while the rows are read."""

    line: int
    name: str = ""
    zone: str = ""
    hours: Hours | None = None
    stays: list[Stay] = field(default_factory=list)
    stands_in: list[StandIn] = field(default_factory=list)
    accounts: dict[str, list[str]] = field(default_factory=dict)


def _role(text: str, line: int, problems: _Problems) -> Role:
    wanted = text.lower() or "technician"
    for role in get_args(Role):
        if role == wanted:
            return role  # type: ignore[no-any-return]
    near = difflib.get_close_matches(wanted, ROLES, 1, 0.5)
    hint = f" Did you mean {near[0]}?" if near else ""
    problems.add(line, f"column role: found {text!r}, expected one of {', '.join(ROLES)}.{hint}")
    return "technician"


def _zone(text: str, line: int, problems: _Problems) -> str:
    if text in available_timezones():
        return str(ZoneInfo(text))
    near = difflib.get_close_matches(text, available_timezones(), 1, 0.5)
    hint = f" Did you mean {near[0]}?" if near else ""
    problems.add(line, f"column zone: {text!r} is no time zone; expected a name like Europe/Berlin.{hint}")
    return "UTC"


def _read_row(
    one: _Gathering, line: int, row: Mapping[str, str], systems: Sequence[str], shared: set[str], problems: _Problems
) -> None:
    for what in ("name", "zone"):
        said = row.get(what, "")
        before = getattr(one, what)
        if said and before and said != before:
            problems.add(line, f"column {what}: {said!r}, but {before!r} on another line; a person has one {what}.")
        if said:
            setattr(one, what, _zone(said, line, problems) if what == "zone" else said)
    if row.get("hours"):
        try:
            one.hours = scoring.working_hours.parse(row["hours"])
        except ValueError as error:
            problems.add(line, f"column hours: {error}")
    if not row.get("team"):
        problems.add(line, "column team is empty; name the team.")
    first = _day(row["from"], line, "from", problems) if row.get("from") else None
    if not row.get("from"):
        problems.add(line, "column from is empty; give the first day, like 2026-01-01.")
    last = _day(row["to"], line, "to", problems) if row.get("to") else None
    tier = row.get("tier", "")
    if tier and not (tier.isascii() and tier.isdigit() and 1 <= int(tier) <= 9):
        problems.add(line, f"column tier: found {tier!r}, expected 1 to 9 or nothing.")
        tier = ""
    if first is not None and last is not None and last < first:
        problems.add(line, f"the last day {row['to']} is before the first {row['from']}; swap them.")
    elif first is not None:
        dates = _span(first, last)
        role = _role(row.get("role", ""), line, problems)
        number = int(tier) if tier else None
        one.stays.append(Stay(row.get("team", ""), role, *dates, number, row.get("manager", ""), line))
        one.stands_in.extend(_stands_in(row.get("deputy_for", ""), dates, line, problems))
    for system in systems:
        cell = row.get(system, "")
        if not cell:
            continue
        held = one.accounts.setdefault(system, [])
        for name in filter(None, (p.strip() for p in cell.split(";"))):
            if name == "-":
                continue
            if name.startswith("shared:"):
                shared.add(account_key(system, name.removeprefix("shared:").strip()))
            elif account_key(system, name) not in held:
                held.append(account_key(system, name))


def _check_claims(people: Mapping[str, _Gathering], shared: set[str], known: Known, problems: _Problems) -> None:
    holder: dict[str, str] = {}
    for key, one in people.items():
        for account in (a for held in one.accounts.values() for a in held):
            other = holder.setdefault(account, key)
            if other != key or account in shared:
                who = f"line {people[other].line} ({other})" if other != key else "a row that calls it shared"
                problems.add(
                    one.line,
                    f"account {account!r} is claimed twice, here and by {who}: give it to one of them, or write "
                    "shared:… in both if several people use it.",
                )
            before = known.accounts.get(account)
            if before is not None and before != key and before not in people:
                problems.add(
                    one.line,
                    f"account {account!r} belongs to {before!r}, who is not in this file: add their row, "
                    "or settle it with `redfirst attribution link`.",
                )


def _check_stays(people: Mapping[str, _Gathering], known: Known, problems: _Problems) -> None:
    everyone: dict[str, Sequence[Stay]] = {**known.stays, **{key: one.stays for key, one in people.items()}}
    for key, one in people.items():
        ordered = sorted(one.stays, key=lambda s: s.from_day)
        for earlier, later in itertools.pairwise(ordered):
            if earlier.covers(later.from_day):
                problems.add(
                    max(earlier.line, later.line),
                    f"{key!r} is in {earlier.team!r} (line {earlier.line}) and in {later.team!r} (line {later.line}) "
                    "at the same time: end the earlier row the day before the later begins.",
                )
        for stay in ordered:
            if stay.manager in known.renamed and stay.manager not in everyone:
                problems.add(stay.line, f"column manager: {_another(stay.manager, known)}")
            elif stay.manager and stay.manager not in everyone:
                near = difflib.get_close_matches(stay.manager, everyone, 1, 0.6)
                hint = f" Did you mean {near[0]!r}?" if near else " Add a row for them."
                problems.add(stay.line, f"column manager: nobody has the key {stay.manager!r}.{hint}")
            _check_chain(key, stay, everyone, problems)
        for stand_in in one.stands_in:
            if stand_in.person in known.renamed and stand_in.person not in everyone:
                problems.add(one.line, f"column deputy_for: {_another(stand_in.person, known)}")
            elif stand_in.person not in everyone:
                problems.add(one.line, f"column deputy_for: nobody has the key {stand_in.person!r}. Add their row.")
            elif stand_in.person == key:
                problems.add(one.line, "column deputy_for: nobody stands in for themselves; leave it empty.")


def _another(key: str, known: Known) -> str:
    return f"{key!r} has the key {known.renamed[key]!r} now; write that."


def _check_chain(key: str, stay: Stay, everyone: Mapping[str, Sequence[Stay]], problems: _Problems) -> None:
    """A circle of managers closes on the first day of one of its rows, so looking on that day is enough."""
    chain = [key]
    boss = stay.manager
    while boss:
        if boss == key:
            circle = " → ".join([*chain, key])
            problems.add(stay.line, f"managers go in a circle: {circle}. Leave the topmost one's manager empty.")
            return
        if boss in chain:
            return  # somebody else's circle, named on their line
        chain.append(boss)
        boss = next((s.manager for s in everyone.get(boss, ()) if s.covers(stay.from_day)), "")


def parse(
    file: str,
    header: Sequence[str],
    rows: Iterable[tuple[int, Mapping[str, str]]],
    teams: Sequence[TeamEntry] = (),
    known: Known | None = None,
    zone: str = "UTC",
) -> PeopleFile:
    """Checked people of `rows` (line number, column → trimmed cell), and their teams.

    `teams` come from the teams file; a team named only in a row keeps what the database knows, or
    starts with `zone`, office hours and no holidays. Raises Refused naming every line to mend.
    """
    known = known or Known()
    problems = _Problems(file)
    systems = _check_header(header, problems)
    problems.refuse_if_any()
    people: dict[str, _Gathering] = {}
    shared: set[str] = set()
    for line, row in rows:
        key = row.get("person", "")
        if not key or len(key) > 200:
            problems.add(line, "column person: give every row the person's key (staff number or address), under 200.")
            continue
        one = people.setdefault(key, _Gathering(line))
        _read_row(one, line, row, systems, shared, problems)
    for key, one in people.items():
        if key in known.renamed and known.renamed[key] not in people:  # beside them it is somebody else's
            problems.add(one.line, f"column person: {_another(key, known)}")
    _check_claims(people, shared, known, problems)
    _check_stays(people, known, problems)
    given = {team.key: team for team in teams}
    named = {team.name: team.key for team in (*known.teams.values(), *teams)}
    found: dict[str, TeamEntry] = dict(given)
    entries = []
    by_person: dict[str, list[Stay]] = defaultdict(list)
    for key, one in people.items():
        for stay in one.stays:
            team = stay.team if stay.team in given or stay.team in known.teams else named.get(stay.team, stay.team)
            if team not in found:
                default = TeamEntry(team, team, zone, scoring.working_hours.OFFICE, settings=False)
                found[team] = known.teams.get(team, default)
            by_person[key].append(Stay(team, stay.role, stay.from_day, stay.to_day, stay.tier, stay.manager, stay.line))
    for key, one in people.items():
        home = found[by_person[key][-1].team].zone if by_person[key] else zone
        accounts = {system: tuple(held) for system, held in one.accounts.items()}
        stays = tuple(sorted(by_person[key], key=lambda s: s.from_day))
        stands_in = tuple(dict.fromkeys(one.stands_in))
        entries.append(PersonEntry(key, one.name or key, one.zone or home, one.hours, stays, stands_in, accounts))
    if not entries and not teams:
        problems.add(1, "there is no row with a person.")
    problems.refuse_if_any()
    return PeopleFile(tuple(entries), tuple(found.values()), frozenset(shared))


def iso(day: int) -> str:
    """A stored day as 2026-03-31."""
    return scoring.periods.iso(day)
