"""The people of the made-up service desk: who is in which team since when, how they work, and the stories in it."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta

import scoring.periods
from scoring.people import OFFICE, Role
from scoring.people_file import PeopleFile, PersonEntry, Stay, TeamEntry

SOURCE = "desk"
"""The made-up ticket system: accounts are "desk/<key>"."""

MONTHS_BACK = 13


@dataclass(frozen=True, slots=True)
class Habits:
    """How somebody works, as chances 0..1; `spread` is the standard deviation of log(actual ÷ estimated)."""

    busy: float = 0.845  # client time of the working day
    prompt: float = 0.925  # time entered within five minutes
    engaged: float = 0.965  # first answer in time
    done: float = 0.93  # completed in time
    spread: float = 0.17
    passes_on: float = 0.19  # escalated
    comes_back: float = 0.035  # reopened because it was not fixed
    at_once: float = 0.85  # done in the first contact
    pleased: float = 0.89  # answers of 4 or 5
    quick: float = 1.0  # factor on the time until it is closed


@dataclass(frozen=True, slots=True)
class Spell:
    """A stay in a team; days are counted back from today, `until` is the day it ended."""

    team: str
    role: Role
    since: int
    until: int | None = None
    tier: int | None = None
    manager: str = ""


@dataclass(frozen=True, slots=True)
class Worker:
    key: str
    name: str
    zone: str
    spells: tuple[Spell, ...]
    habits: Habits = Habits()
    story: str = ""


LONG_AGO = 1500
_LONDON, _NEW_YORK = "Europe/London", "America/New_York"

TEAMS: dict[str, tuple[str, str, str]] = {
    "help-desk": ("Help desk", _LONDON, "uk"),
    "projects": ("Projects", _NEW_YORK, "us"),
    "centralised": ("Centralised services", _LONDON, "uk"),
    "alignment": ("Technical alignment", "America/Chicago", "us"),
    "office": ("Office", _LONDON, "uk"),
}
"""Team key → name, zone, whose public holidays."""


def _one(key: str, name: str, zone: str, team: str, tier: int | None, habits: Habits | None = None, *,
         role: Role = "technician", since: int = LONG_AGO, until: int | None = None, manager: str = "",
         story: str = "") -> Worker:  # fmt: skip
    boss = manager if role != "technician" else manager or TEAM_LEADS[team]
    return Worker(key, name, zone, (Spell(team, role, since, until, tier, boss),), habits or Habits(), story)


TEAM_LEADS = {"help-desk": "ngozi", "projects": "marcus", "centralised": "fatima", "alignment": "teresa"}

CLOSES_EARLY, IMPROVES, HOLDS_THE_FORT = "owen", "kofi", "ingrid"
EARLY_SINCE, ABSENT_SINCE, LEFT_SINCE, STORM = 63, 37, 51, 68
"""Days before today: early closing begins, a tier 3 goes on leave, another leaves, the outage week begins."""

MISJUDGES, MISJUDGED = "projects", range(-9, 45)
"""A team whose estimates are far off, with work of a kind that is new to them, and on which days before today."""

WRITES_LATE = "samir"
LEARNS = {CLOSES_EARLY: (1, 5), WRITES_LATE: (1, 6)}
"""Who takes to heart what they are nudged about: days after today on which it begins to show, and is habit."""

ROSTER: tuple[Worker, ...] = (
    _one("ngozi", "Ngozi Adeyemi", _LONDON, "help-desk", None, role="lead", manager="eleanor",
         story="leads the help desk: her people, one by one, and the team"),
    _one("tomasz", "Tomasz Wójcik", "Europe/Warsaw", "help-desk", None, role="coordinator", manager="ngozi"),
    _one("priya", "Priya Raman", _LONDON, "help-desk", 1,
         Habits(busy=0.855, prompt=0.95, engaged=0.978, done=0.955, spread=0.14, comes_back=0.024, at_once=0.88,
                pleased=0.93)),
    _one(CLOSES_EARLY, "Owen Brady", "Europe/Dublin", "help-desk", 1, Habits(pleased=0.88, at_once=0.85),
         story="tier 1, quick of late, and more of his tickets come back"),
    _one("lucia", "Lucía Fernández", "Europe/Madrid", "help-desk", 1,
         Habits(engaged=0.955, passes_on=0.26, at_once=0.80, pleased=0.90)),
    _one(IMPROVES, "Kofi Mensah", _LONDON, "help-desk", 1, Habits(), since=335,
         story="tier 1 for eleven months, and better every month"),
    _one("samir", "Samir Haddad", _LONDON, "help-desk", 1,
         Habits(busy=0.77, prompt=0.70, engaged=0.955, done=0.915, passes_on=0.24, at_once=0.83, pleased=0.90),
         since=92, story="tier 1, three months in; writes his time down in the evening"),
    _one("declan", "Declan O’Shea", "Europe/Dublin", "help-desk", 2, Habits(passes_on=0.15, pleased=0.88)),
    Worker("aylin", "Aylin Demir", _LONDON,
           (Spell("help-desk", "technician", LONG_AGO, 152, 1, "ngozi"),
            Spell("help-desk", "technician", 152, None, 2, "ngozi")),
           Habits(busy=0.85, prompt=0.94, engaged=0.97, passes_on=0.13, pleased=0.91),
           "moved up to tier 2 five months ago"),
    _one("pieter", "Pieter van den Berg", "Europe/Amsterdam", "help-desk", 2,
         Habits(spread=0.33, passes_on=0.14, comes_back=0.045, pleased=0.86, at_once=0.76)),
    _one("hannah", "Hannah Lindqvist", "Europe/Stockholm", "help-desk", 2,
         Habits(busy=0.84, prompt=0.96, passes_on=0.12, comes_back=0.02, pleased=0.94)),
    _one(HOLDS_THE_FORT, "Ingrid Solheim", "Europe/Oslo", "help-desk", 3,
         Habits(busy=0.86, passes_on=0.03, comes_back=0.025, pleased=0.90, at_once=0.72),
         story="the one tier 3 left while one is away and one has gone"),
    _one("rafael", "Rafael Costa", "Europe/Lisbon", "help-desk", 3, Habits(passes_on=0.03, at_once=0.72)),
    _one("victor", "Victor Petrescu", "Europe/Bucharest", "help-desk", 3, Habits(passes_on=0.03), until=LEFT_SINCE),
    _one("marcus", "Marcus Whitfield", _NEW_YORK, "projects", None, role="lead", manager="eleanor"),
    _one("dana", "Dana Kowalczyk", _NEW_YORK, "projects", 3, Habits(busy=0.855, spread=0.15, passes_on=0.05)),
    _one("jamal", "Jamal Thornton", _NEW_YORK, "projects", 2, Habits(spread=0.42, passes_on=0.06)),
    _one("sofia", "Sofia Marchetti", _NEW_YORK, "projects", 2, Habits(prompt=0.95, passes_on=0.06), since=214),
    _one("liam", "Liam Tremblay", "America/Toronto", "projects", 2, Habits(passes_on=0.06)),
    _one("mei", "Mei-Ling Zhou", "America/Los_Angeles", "projects", 3, Habits(busy=0.81, passes_on=0.04)),
    _one("grace", "Grace Okafor", _NEW_YORK, "projects", 2, Habits(), until=241),
    _one("fatima", "Fatima Benali", "Europe/Paris", "centralised", None, role="lead", manager="eleanor"),
    _one("arjun", "Arjun Mehta", "Asia/Kolkata", "centralised", 2, Habits(busy=0.855, passes_on=0.10, at_once=0.80)),
    _one("chiara", "Chiara Romano", "Europe/Rome", "centralised", 2, Habits(passes_on=0.12, comes_back=0.03)),
    _one("ewan", "Ewan MacLeod", _LONDON, "centralised", 3, Habits(passes_on=0.05, done=0.95)),
    _one("yuki", "Yuki Sato", _LONDON, "centralised", 1, Habits(prompt=0.94, passes_on=0.20, at_once=0.78)),
    Worker("noor", "Noor Jansen", "Europe/Amsterdam",
           (Spell("help-desk", "technician", LONG_AGO, 122, 2, "ngozi"),
            Spell("centralised", "technician", 122, None, 2, "fatima")),
           Habits(passes_on=0.13, pleased=0.90), "went from the help desk to centralised services four months ago"),
    _one("teresa", "Teresa Álvarez", "America/Chicago", "alignment", None, role="lead", manager="eleanor",
         story="leads a team of three: too few for an aggregate that others may see"),
    _one("ben", "Ben Whitaker", "America/Chicago", "alignment", 2, Habits(passes_on=0.05)),
    _one("amara", "Amara Diallo", _NEW_YORK, "alignment", 3, Habits(passes_on=0.04, busy=0.78)),
    _one("joaquin", "Joaquín Rivera", "America/Denver", "alignment", 2, Habits(passes_on=0.06, prompt=0.90)),
    _one("eleanor", "Eleanor Hartley", _LONDON, "office", None, role="manager", manager="stephen"),
    _one("stephen", "Stephen Oduya", _LONDON, "office", None, role="leadership",
         story="managing director: sees teams, never a person"),
    _one("renata", "Renata Kovács", _LONDON, "office", None, role="leadership"),
    _one("helen", "Helen Marsh", _LONDON, "office", None, role="hr", manager="stephen"),
    _one("dev", "Dev Chatterjee", _LONDON, "office", None, role="admin", manager="eleanor"),
)  # fmt: skip

WORKERS: dict[str, Worker] = {worker.key: worker for worker in ROSTER}


def stories() -> dict[str, str]:
    """Person's key → one sentence, of those worth being first."""
    order = (IMPROVES, CLOSES_EARLY, HOLDS_THE_FORT, "samir", "ngozi", "teresa", "stephen", "aylin", "noor")
    return {key: WORKERS[key].story for key in order}


def people(today: date) -> PeopleFile:
    """Everybody with dated stays, and the teams with their calendars, as a people file would say it."""
    at = scoring.periods.day_of(today)
    years = range(today.year - 2, today.year + 2)
    teams = tuple(
        TeamEntry(key, name, zone, OFFICE, frozenset(d for year in years for d in holidays(region, year)))
        for key, (name, zone, region) in TEAMS.items()
    )
    entries = tuple(
        PersonEntry(
            key=worker.key,
            name=worker.name,
            zone=worker.zone,
            hours=None,
            stays=tuple(_stay(spell, at) for spell in worker.spells),
            accounts={SOURCE: (account(worker.key),)},
        )
        for worker in ROSTER
    )
    return PeopleFile(entries, teams)


def account(key: str) -> str:
    """A person's account in the made-up ticket system."""
    return f"{SOURCE}/{key}"


def _stay(spell: Spell, today: int) -> Stay:
    until = None if spell.until is None else today - spell.until
    return Stay(spell.team, spell.role, today - spell.since, until, spell.tier, spell.manager)


def habits(key: str, ago: int) -> Habits:
    """How somebody worked so many days before today, their story told."""
    base = WORKERS[key].habits if key in WORKERS else Habits()
    begins, settled = LEARNS.get(key, (0, 1))
    learnt = min(max((-ago - begins) / (settled - begins), 0.0), 1.0)
    if key == CLOSES_EARLY and ago < EARLY_SINCE:
        return replace(
            base,
            done=0.975,
            comes_back=0.15 - 0.13 * learnt,
            quick=0.45 + 0.4 * learnt,
            at_once=0.93,
            passes_on=base.passes_on - 0.12 * learnt,
            pleased=0.80 + 0.12 * learnt,
        )
    if key == WRITES_LATE:
        return replace(
            base,
            prompt=base.prompt + 0.27 * learnt,
            at_once=base.at_once + 0.12 * learnt,
            passes_on=base.passes_on - 0.16 * learnt,
            pleased=base.pleased + 0.06 * learnt,
        )
    if key == IMPROVES:
        grown = min(max((335 - ago) / 300, 0.0), 1.0)
        return replace(
            base,
            prompt=0.62 + 0.33 * grown,
            engaged=0.90 + 0.08 * grown,
            done=0.84 + 0.11 * grown,
            spread=0.36 - 0.22 * grown,
            passes_on=0.36 - 0.17 * grown,
            comes_back=0.085 - 0.06 * grown,
            at_once=0.62 + 0.26 * grown,
            pleased=0.74 + 0.18 * grown,
        )
    if ago in MISJUDGED and key in WORKERS and WORKERS[key].spells[-1].team == MISJUDGES:
        return replace(base, spread=base.spread + 0.5)
    if key == HOLDS_THE_FORT and ago < ABSENT_SINCE:
        return replace(base, busy=0.95, prompt=0.84)
    return base


NOTICE = 40
"""Days ahead for which leave is known."""


def absences(seed: int, key: str, first: int, today: int, until: int) -> list[tuple[int, int, str]]:
    """Leave of somebody as (first day, last day, kind): holidays in summer and winter, long weekends, sick days.

    What is known by the day `until`; the stories are told around `today`.
    """
    rng = random.Random(f"{seed}:leave:{key}")
    found: list[tuple[int, int, str]] = []
    for year in range(scoring.periods.date_of(first).year, scoring.periods.date_of(until).year + 1):
        summer = scoring.periods.monday(scoring.periods.day_of(date(year, 6, 22)) + rng.randrange(70))
        found.append((summer, summer + rng.choice((4, 11, 11)), "holiday"))
        spring = scoring.periods.monday(scoring.periods.day_of(date(year, 2, 8)) + rng.randrange(90))
        found.append((spring, spring + rng.choice((2, 4, 4)), "holiday"))
        if rng.random() < 0.6:
            winter = scoring.periods.day_of(date(year, 12, 22)) + rng.randrange(4)
            found.append((winter, winter + 6, "holiday"))
        for _ in range(rng.randrange(2, 5)):
            begin = scoring.periods.day_of(date(year, 1, 8)) + rng.randrange(345)
            found.append((begin, begin + rng.choice((0, 0, 1, 2)), "sick"))
    if key == HOLDS_THE_FORT:  # whoever holds the fort takes no holiday while it must be held
        found = [a for a in found if a[1] < today - LEFT_SINCE]
    if key == "rafael":
        found = [a for a in found if a[1] < today - ABSENT_SINCE]
        found.append((today - ABSENT_SINCE, today + 16, "parental"))
    recent = {CLOSES_EARLY, IMPROVES, "samir", "priya"}  # a first look should find them at work
    if key in recent:
        found = [a for a in found if not today - 20 < a[1] < today + 40]
    kept: list[tuple[int, int, str]] = []
    for absence in sorted(a for a in found if a[1] >= first and a[0] <= until + NOTICE):
        if not kept or absence[0] > kept[-1][1]:  # nobody is away twice on a day
            kept.append(absence)
    return kept


def holidays(region: str, year: int) -> list[int]:
    """Public holidays of England ("uk") or the United States ("us") as days since 1970-01-01."""
    easter = _easter(year)
    if region == "uk":
        days = [date(year, 1, 1), easter - timedelta(2), easter + timedelta(1), _nth(year, 5, 0, 1),
                _last(year, 5, 0), _last(year, 8, 0), date(year, 12, 25), date(year, 12, 26)]  # fmt: skip
    else:
        days = [date(year, 1, 1), _nth(year, 1, 0, 3), _last(year, 5, 0), date(year, 6, 19), date(year, 7, 4),
                _nth(year, 9, 0, 1), _nth(year, 11, 3, 4), date(year, 12, 25)]  # fmt: skip
    return [scoring.periods.day_of(day) for day in days]


def _nth(year: int, month: int, weekday: int, count: int) -> date:
    first = date(year, month, 1)
    return first + timedelta((weekday - first.weekday()) % 7 + 7 * (count - 1))


def _last(year: int, month: int, weekday: int) -> date:
    last = date(year, month + 1, 1) - timedelta(1)
    return last - timedelta((last.weekday() - weekday) % 7)


def _easter(year: int) -> date:
    """Easter Sunday by the anonymous Gregorian computus (Meeus, Jones, Butcher)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    n = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * n) // 451
    month, day = divmod(h + n - 7 * m + 114, 31)
    return date(year, month, day + 1)
