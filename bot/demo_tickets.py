"""Thirteen months of the made-up desk: what comes in, day by day and hour by hour, and the facts of it all."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from datetime import date

import polars as pl

import scoring.periods
from bot import demo_costs, demo_extras, demo_life, demo_sheets, demo_tasks, demo_world
from bot.demo_book import Book, exported
from bot.demo_clients import CENTRAL_WORK, CLIENTS, DESK_WORK, OUTAGE, STORM_CLIENT, Work
from bot.demo_clock import DAY
from bot.demo_life import Life
from bot.demo_world import World
from scoring.people_file import PeopleFile

CALLS, ALERTS = 61.0, 20.0
"""Usual tickets of a working day: from people, from machines."""

_WEEKDAY = (1.24, 1.06, 1.0, 0.95, 0.86, 0.06, 0.04)
_MONTH = (1.10, 1.02, 1.0, 0.96, 0.97, 0.98, 0.90, 0.84, 1.14, 1.06, 1.02, 0.80)
_HOURS = (0, 0, 0, 0, 0, 0, 1, 6, 14, 16, 14, 11, 7, 10, 12, 11, 8, 4, 2, 1, 1, 0, 0, 0)
_ALL_DAY = (3, 3, 4, 4, 3, 3, 4, 5, 6, 6, 5, 5, 5, 5, 5, 5, 5, 4, 4, 4, 3, 3, 4, 4)
_CHANNELS, _CHANNEL_WEIGHTS = ("phone", "email", "portal", "chat"), (36, 30, 22, 12)


def facts(seed: int, people: PeopleFile, first_day: date, today: date) -> dict[str, pl.DataFrame]:
    """Every fact table as exported at the beginning of `today` (UTC), in the columns of `scoring.facts.SCHEMA`.

    The same arguments give equal frames.
    """
    return begun(seed, people, first_day, today)[0]


def begun(
    seed: int, people: PeopleFile, first_day: date, today: date
) -> tuple[dict[str, pl.DataFrame], World, Book]:
    """The same, and what a teller needs who goes on with it."""
    world = demo_world.build(seed, people, first_day, today)
    book = Book(world.cut)
    tell(world, book, str(seed))
    more = demo_extras.frames(world, random.Random(f"{seed}:extras"), book)
    costs = demo_costs.frame(world, random.Random(f"{seed}:costs"))
    return {**exported(book.whole(), world.cut), **more, "cost": costs}, world, book


def tell(world: World, book: Book, seed: str) -> None:
    """Writes what happens from the world's first day on into the book: tickets, planned work, time, surveys."""
    rng = random.Random(f"{seed}:tickets")
    for life, who in _arrivals(world, rng, book):
        demo_life.tell(world, rng, book, life, who)
    demo_tasks.tell(world, random.Random(f"{seed}:tasks"), book)
    demo_sheets.fill(world, random.Random(f"{seed}:sheets"), book)
    demo_extras.surveys(world, random.Random(f"{seed}:surveys"), book)


def _arrivals(world: World, rng: random.Random, book: Book) -> Iterator[tuple[Life, int]]:
    desk = list(itertools.accumulate(work.often for work in DESK_WORK))
    central = list(itertools.accumulate(work.often for work in CENTRAL_WORK))
    # small companies ask more often per machine than large ones
    sizes = list(itertools.accumulate(client.endpoints**0.85 for client in CLIENTS))
    holidays = next(team.holidays for team in world.file.teams if team.key == "help-desk")
    storm = demo_world.storm_days(world)
    for day in range(world.first, world.until):
        weekday, month = (day + 3) % 7, scoring.periods.date_of(day).month
        usual = _WEEKDAY[weekday if day not in holidays else 6] * _MONTH[month - 1]
        found: list[tuple[int, int, Work, str, str]] = []
        for _ in range(_about(rng, CALLS * usual)):
            work = rng.choices(DESK_WORK, cum_weights=desk)[0]
            channel = rng.choices(_CHANNELS, _CHANNEL_WEIGHTS)[0]
            client = rng.choices(range(len(CLIENTS)), cum_weights=sizes)[0]
            # hard matters go to tier 2 at once when a colleague has described them well
            pool = "tier2" if work.minutes > 30 and rng.random() < 0.30 else "tier1"
            found.append((_instant(rng, day, _HOURS), client, work, channel, pool))
        for _ in range(_about(rng, ALERTS * (0.55 + 0.45 * usual if weekday < 5 else 0.35))):
            work = rng.choices(CENTRAL_WORK, cum_weights=central)[0]
            client = rng.choices(range(len(CLIENTS)), cum_weights=sizes)[0]
            found.append((_instant(rng, day, _ALL_DAY), client, work, "monitoring", "centralised"))
        if day in storm:
            for _ in range(_about(rng, (150, 95, 40)[day - storm.start])):
                channel = "phone" if rng.random() < 0.75 else "email"
                found.append((_instant(rng, day, _HOURS), STORM_CLIENT, OUTAGE, channel, "tier1"))
        for at, client, work, channel, pool in sorted(found, key=_first):
            who = int(rng.random() ** 1.6 * min(CLIENTS[client].endpoints, 260))
            yield Life(str(book.number("")), at, CLIENTS[client], work, channel, _priority(rng, work), pool), who


def _first(call: tuple[int, int, Work, str, str]) -> int:
    return call[0]


def _about(rng: random.Random, mean: float) -> int:
    """A Poisson count, by its normal approximation."""
    return max(round(rng.gauss(mean, mean**0.5)), 0)


def _instant(rng: random.Random, day: int, hours: Sequence[int]) -> int:
    hour = rng.choices(range(24), hours)[0]
    return day * DAY + hour * 3600 + int(rng.random() * 3600)


def _priority(rng: random.Random, work: Work) -> int:
    luck = rng.random()
    for level, share in enumerate(work.priorities, 1):
        if luck < share:
            return level
        luck -= share
    return 4


