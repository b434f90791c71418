"""The made-up desk as its tickets meet it: who is at work on a day, how loaded they are, and whose habits hold."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from statistics import NormalDist, median

import scoring.periods
from bot import demo_clients, demo_desk
from bot.demo_clock import DAY, Clock
from bot.demo_desk import Habits
from scoring.calendars import Calendar
from scoring.people import OFFICE
from scoring.people_file import PeopleFile, PersonEntry, Stay

POOLS = ("tier1", "tier2", "tier3", "projects", "centralised", "alignment")
HOME = {"tier1": "help-desk", "tier2": "help-desk", "tier3": "help-desk"}

SLA: dict[int, tuple[int, int, int]] = {1: (10, 15, 240), 2: (20, 45, 480), 3: (45, 75, 1440), 4: (90, 150, 2880)}
"""Priority → working minutes until triage, first answer and completion are due."""

_NORMAL = NormalDist()


@lru_cache(maxsize=4096)
def _z(share: float) -> float:
    return _NORMAL.inv_cdf(share)


def ratio(gauss: float, share: float, sigma: float) -> float:
    """A lognormal multiple of a limit that stays within it with the chance `share`; `gauss` is standard normal."""
    return math.exp(sigma * (gauss - _z(round(min(max(share, 0.03), 0.995), 3))))


@dataclass(slots=True)
class World:
    """Days are since 1970-01-01. What happens from `first` on is told, up to the beginning of `until` (UTC).

    The stories are told around `today`. `usual`: a pool's working days in a usual week.
    """

    seed: int
    first: int
    today: int
    until: int
    file: PeopleFile
    usual: dict[str, float] = field(default_factory=dict)
    clocks: dict[str, Clock] = field(default_factory=dict)
    teams: dict[str, Clock] = field(default_factory=dict)
    leave: dict[str, list[tuple[int, int, str]]] = field(default_factory=dict)
    present: dict[str, dict[int, tuple[str, ...]]] = field(default_factory=dict)
    _load: dict[tuple[str, int], float] = field(default_factory=dict)
    _habits: dict[tuple[str, int], Habits] = field(default_factory=dict)

    @property
    def cut(self) -> int:
        return self.until * DAY

    def habits(self, key: str, day: int) -> Habits:
        found = self._habits.get((key, day))
        if found is None:
            found = self._habits[key, day] = demo_desk.habits(key, self.today - day)
        return found

    def load(self, pool: str, day: int) -> float:
        """How much more than usual falls on each of a pool's people in that week; 1 is as usual."""
        return self._load.get((pool, scoring.periods.monday(day)), 1.0)

    def on_duty(self, pool: str, at: int) -> tuple[tuple[str, ...], int]:
        """Who of the pool works on the day of `at` or the next day anybody does, and that instant or later."""
        days = self.present[pool]
        clock = self.teams[HOME.get(pool, pool)]
        at = clock.snap(at)
        for _ in range(30):
            keys = days.get(clock.day(at))
            if keys:
                return keys, at
            at = clock.snap((clock.day(at) + 1) * DAY)
        return days[max(days)], at


def build(seed: int, file: PeopleFile, first_day: date, today: date) -> World:
    """The world between two days, with everybody's working time from a month before until two months after."""
    here = scoring.periods.day_of(today)
    first = scoring.periods.day_of(first_day)
    return _built(World(seed, first, here, here, file), first)


def ahead(before: World, days: int) -> World:
    """The same world for so many days more. What is usual is what was usual before."""
    here = before.today
    return _built(World(before.seed, here, here, here + days, before.file, before.usual), before.first)


def _built(world: World, since: int) -> World:
    seed, file, first, last = world.seed, world.file, world.first, world.until
    calendars = {team.key: Calendar(team.zone, team.hours, team.holidays) for team in file.teams}
    for key, calendar in calendars.items():
        world.teams[key] = Clock(calendar, first - 30, last + 60)
    for person in file.people:
        away = demo_desk.absences(seed, person.key, since, world.today, last)
        world.leave[person.key] = away
        off = frozenset(day for begin, end, _ in away for day in range(begin, end + 1))
        team = calendars[person.stays[-1].team]
        calendar = Calendar(person.zone, person.hours or OFFICE, team.holidays | off)
        world.clocks[person.key] = Clock(calendar, first - 30, last + 60)
    for pool in POOLS:
        world.present[pool] = _presence(world, pool)
        _weigh(world, pool)
    return world


def stay_on(person: PersonEntry, day: int) -> Stay | None:
    return next((stay for stay in person.stays if stay.covers(day)), None)


def pool_of(stay: Stay) -> str:
    """The pool somebody works in; "" for those who take no tickets."""
    if stay.tier is None:
        return ""
    return f"tier{stay.tier}" if stay.team == "help-desk" else stay.team


def _presence(world: World, pool: str) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for day in range(world.first - 20, world.until + 60):
        keys = []
        for person in world.file.people:
            stay = stay_on(person, day)
            if stay is not None and pool_of(stay) == pool and day in world.clocks[person.key].begins:
                keys.append(person.key)
        if keys:
            found[day] = tuple(keys)
    return found


def _weigh(world: World, pool: str) -> None:
    weeks: dict[int, int] = {}
    for day, keys in world.present[pool].items():
        monday = scoring.periods.monday(day)
        weeks[monday] = weeks.get(monday, 0) + len(keys)
    usual = world.usual.setdefault(pool, median(weeks.values()) if weeks else 1)
    for monday, hands in weeks.items():
        world._load[pool, monday] = max(usual / max(hands, 1), 0.7)
    if pool == "tier1":  # the outage: several times the usual calls for three days
        storm = scoring.periods.monday(world.today - demo_desk.STORM)
        world._load[pool, storm] = world._load.get((pool, storm), 1.0) + 0.9


def storm_days(world: World) -> range:
    """Tuesday to Thursday of the outage week."""
    monday = scoring.periods.monday(world.today - demo_desk.STORM)
    return range(monday + 1, monday + 4)


def requester(client: demo_clients.Client, number: int) -> tuple[str, str]:
    """(address, name) of one of a client's people; the same number is always the same person."""
    given = demo_clients.GIVEN[number % len(demo_clients.GIVEN)]
    family = demo_clients.FAMILY[(number * 7 + len(client.name)) % len(demo_clients.FAMILY)]
    return f"{given}.{family}{number}@{client.domain}".lower().replace("ë", "e"), f"{given} {family}"
