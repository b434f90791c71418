"""No person-level value of a peer reaches me: not in my own figures, and in no set of aggregates."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest

import bot.config
import cards.scorecards
import scoring.people_file
import scoring.periods
import storage.rules
import storage.schema
from bot.config import Config
from cards.card import Button, Trend
from storage.db import Store
from tests.handlers import desk as small
from tests.handlers.desk import Desk, Work, button, words
from tests.scoring.test_privacy import rank

OWN = ("/myscore", "/myscore last week", "/myscore 2026-W30", "/myscore july", "/myscore quarter", "/myscore 13 weeks",
       "/myscore why csat", "/myscore trend csat", "/redfirst whoami", "/redfirst looked")  # fmt: skip


async def everything_of(desk: Desk, who: str) -> list[object]:
    """Every card that a person can get about themselves."""
    found: list[object] = [await desk.ask(who, said) for said in OWN]
    card = await desk.ask(who, "/myscore last week")
    for label in ("Greens", "‹ Before", "Something is not mine"):
        found.append(await desk.press(who, button(card, label)))
    for route in ("why", "trend", "tickets"):
        found.append(await desk.press(who, Button("", route, {"period": "2026-W31", "metric": "csat"})))
    return found


async def worse(desk: Desk, who: str) -> None:
    """Every fact of somebody's work becomes another, and more work comes."""
    done = [
        small.again(one, rating=1, on_time=not one.on_time, met=not one.met) for one in small.of(who, 0, small.TODAY)
    ]
    more = [Work(50_000 + i, who, small.THIS_WEEK - 7 + i % 5, 1) for i in range(40)]
    for table, rows in (("ticket", small.tickets), ("survey", small.surveys), ("time_entry", small.entries)):
        await desk.put(table, rows([*done, *more]))


async def test_a_peers_facts_change_nothing_of_what_i_am_shown_of_myself(desk: Desk) -> None:
    before = await everything_of(desk, "ana")
    peers = await everything_of(desk, "eli")
    await worse(desk, "eli")
    assert await everything_of(desk, "ana") == before
    assert await everything_of(desk, "eli") != peers


async def test_a_peers_facts_reach_members_only_where_five_people_are_behind(sqlite_desk: Desk) -> None:
    periods = ("this week", "last week", "2026-W30", "july", "13 weeks")
    asked = [f"/teamscore {period}" for period in periods]
    tiny = [await sqlite_desk.ask("ute", said) for said in asked]
    field = [await sqlite_desk.ask("gus", said) for said in asked]
    mine = [await sqlite_desk.ask("cem", said) for said in asked]
    await worse(sqlite_desk, "vic")
    assert [await sqlite_desk.ask("ute", said) for said in asked] == tiny
    await worse(sqlite_desk, "eli")
    changed = [await sqlite_desk.ask("cem", said) for said in asked]
    assert changed[0] == mine[0]  # the week in progress is told of nobody
    assert all(one != before for one, before in zip(changed[1:], mine[1:], strict=True))
    assert [await sqlite_desk.ask("gus", said) for said in asked] == field  # another team's


TEAMS = ("help-desk", "field", "tiny")


MONDAYS = {cards.scorecards.week(day): day for day in range(small.FIRST - 7 * 20, small.THIS_WEEK + 7 * 12, 7)}
"""Which week a point of a trend is of."""


def random_people(rng: random.Random) -> dict[str, str]:
    """Person → team: one large enough for an aggregate, and two of three to eight."""
    return {f"{team[0]}{i}": team for team in TEAMS for i in range(8 if team == "help-desk" else rng.randint(3, 8))}


def random_work(rng: random.Random, people: dict[str, str]) -> list[Work]:
    """Fourteen weeks in which some are away, and some have one answer and some many."""
    done: list[Work] = []
    for who in people:
        absent = rng.choice([0.05, 0.2, 0.4])
        for monday in range(small.FIRST, small.THIS_WEEK, 7):
            if rng.random() < absent:
                continue
            for _ in range(rng.choice([1, 3, 5, 20])):
                done.append(Work(len(done), who, monday + rng.randrange(5), rng.choice([1, 5])))
    return done


async def random_desk(store: Store, people: dict[str, str], done: list[Work]) -> Desk:
    since = {"from": scoring.people_file.iso(small.FIRST - 30)}
    rows = [{"person": "zoe", "name": "Zoe", "team": "office", "role": "leadership", **since}]
    rows += [{"person": who, "name": who, "team": team, "role": "technician", **since} for who, team in people.items()]
    for row in rows:
        row |= {"slack": f"{small.WORKSPACE}/U{row['person'].upper()}", "desk": row["person"]}
    answers = small.surveys(done).with_columns(
        pl.Series("account", [f"desk/{one.who}" for one in done]), pl.lit(None, pl.String).alias("ticket")
    )
    async with store.write() as db:
        await storage.rules.ensure(db, bot.config.rules(Config()), small.NOW)
        await small.load_people(db, rows)
        await small.put(db, "survey", answers)
        await small.loaded(db, small.AS_OF)
    return await Desk(store).learn()


Atom = tuple[str, int]


def cells(people: dict[str, str], done: list[Work]) -> dict[tuple[str, int], dict[str, int]]:
    """(team, Monday) → answers by person."""
    found: dict[tuple[str, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in done:
        found[people[one.who], scoring.periods.monday(one.day)][one.who] += 1
    return found


def summed(
    known: dict[tuple[str, int], dict[str, int]], team: str, weeks: tuple[int, ...]
) -> tuple[dict[Atom, Fraction], int]:
    """The atoms of those weeks that may be told, and how many answers they are."""
    row: dict[Atom, Fraction] = {}
    count = 0
    for monday in weeks:
        inside = known.get((team, monday), {})
        if len(inside) >= 5 and max(inside.values()) <= 0.8 * sum(inside.values()):
            row |= {(who, monday): Fraction(1) for who in inside}
            count += sum(inside.values())
    return row, count


@pytest.mark.parametrize("seed", [1, 2])
async def test_two_hundred_permitted_questions_derive_no_individuals_value(tmp_path: Path, seed: int) -> None:
    """Asked through the door; each figure told is found again as a sum of cells, and their rank tells what follows."""
    rng = random.Random(seed)
    store = Store(f"sqlite:///{tmp_path / 'random.db'}")
    await storage.schema.upgrade(store)
    people = random_people(rng)
    done = random_work(rng, people)
    desk = await random_desk(store, people, done)
    known = cells(people, done)
    rows: dict[frozenset[Atom], dict[Atom, Fraction]] = {}
    for _ in range(200):
        me = rng.choice(["h0", "zoe"])
        team = "help-desk" if me == "h0" else rng.choice(TEAMS)
        day = rng.randrange(small.FIRST, small.TODAY)
        kinds = (scoring.periods.week, scoring.periods.month, scoring.periods.quarter)
        period = rng.choice(kinds)(day)
        values = {"team": str(desk.teams[team]), "period": period.key, "metric": "csat"}
        card = small.card(
            await desk.dispatch.answer(desk.call(me, "action", rng.choice(("team_why", "team_trend")), values=values))
        )
        for picture in (block for block in card.blocks if isinstance(block, Trend)):
            assert len(picture.points) == 13
            for point in picture.points:
                monday = MONDAYS[point.label]
                row, _ = summed(known, team, (monday,))
                assert (point.value is None) is not bool(row), (team, monday)
                rows[frozenset(row)] = row
        if card.title.startswith("Why"):
            row, count = summed(known, team, scoring.periods.weeks_of(period))
            said = re.search(r"(\d+) ÷ (\d+) × 100", words(card))
            assert (int(said[2]) if said else 0) == count, (team, period.key)
            rows[frozenset(row)] = row
    await store.close()
    answers = [row for row in rows.values() if row]
    assert len(answers) > 10
    own = [
        {("h0", monday): Fraction(1)}
        for (team, monday), inside in known.items()
        if team == "help-desk" and "h0" in inside
    ]
    size, basis = rank([*answers, *own])  # type: ignore[arg-type]
    for (_, monday), inside in known.items():
        for who in inside:
            if who != "h0":
                assert rank([*basis, {(who, monday): Fraction(1)}])[0] == size + 1, (who, monday)  # type: ignore[arg-type, dict-item]
