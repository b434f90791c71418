"""Pilots: who sees what is tried, when they are asked, and what is told of the answers."""

from __future__ import annotations

from typing import Any

import pytest

import bot.config
import scoring.baselines
import scoring.changes
import scoring.periods
import scoring.pilots
import scoring.rulebook
import scoring.scorecards
from bot.config import Config
from scoring.pilots import Answer
from scoring.refused import Refused
from scoring.rules import Pilot, Rules

SHIPPED = bot.config.rules(Config())
FIRST = 20_500
ONE = {
    "metric": "average_wait", "teams": ["help-desk"], "from": scoring.periods.date_of(FIRST).isoformat(),
    "to": scoring.periods.date_of(FIRST + 27).isoformat(), "question": "Does it help?",
}  # fmt: skip


def read(*pilots: dict[str, Any]) -> Rules:
    return scoring.rulebook.read({**SHIPPED, "own": {"pilot": list(pilots)}}, version=1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"metric": "averge_wait"}, "average_wait"),
        ({"teams": []}, "teams is no list"),
        ({"teams": "help-desk"}, "teams is no list"),
        ({"to": ONE["from"]}, "ends within half a year"),
        ({"to": "2029-01-01"}, "ends within half a year"),
        ({"colour": "red"}, "no setting"),
    ],
)
def test_a_mistake_in_a_pilot_is_named(change: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        read({**ONE, **change})
    with pytest.raises(Refused, match="twice"):
        read(ONE, ONE)


def test_only_its_teams_see_what_is_tried_in_its_days_and_it_weighs_nothing() -> None:
    rules = read(ONE)

    def seen(team: str, day: int) -> dict[str, float]:
        asked = scoring.periods.week(day)
        chosen = scoring.scorecards.choose_rubric(rules, "person", "technician", 1, team, asked.last)
        return {e.metric: e.weight for e in scoring.pilots.joined(rules, chosen, team, asked).entries}

    assert seen("help-desk", FIRST + 3)["average_wait"] == 0.0
    for team, day in (("field", FIRST + 3), ("help-desk", FIRST - 7), ("help-desk", FIRST + 40)):
        assert "average_wait" not in seen(team, day)


def test_the_team_itself_is_not_shown_twice_what_its_rubric_weighs() -> None:
    rules, asked = read(ONE), scoring.periods.week(FIRST + 3)
    chosen = scoring.scorecards.choose_rubric(rules, "team", None, None, "help-desk", asked.last)
    assert scoring.pilots.joined(rules, chosen, "help-desk", asked) == chosen


def test_a_pilot_brings_nothing_to_a_level() -> None:
    body = {**SHIPPED, "own": {"pilot": [ONE]}}
    assert scoring.baselines.pairs(body) == scoring.baselines.pairs(SHIPPED)
    assert scoring.baselines.carry([SHIPPED], body, FIRST) == body
    [said] = scoring.changes.between(read(), read(ONE))
    assert said.startswith("Pilot of average_wait with help-desk, ")


def test_a_pilot_that_was_decided_on_is_over_and_stays_so() -> None:
    body = scoring.baselines.end_pilot({**SHIPPED, "own": {"pilot": [ONE]}}, "average_wait", FIRST, FIRST + 10)
    again = scoring.baselines.carry([SHIPPED, body], {**SHIPPED, "own": {"pilot": [ONE]}}, FIRST + 20)
    for one in (body, again):
        [pilot] = scoring.rulebook.read(one, version=1).pilots
        assert (pilot.first, pilot.last) == (FIRST, FIRST + 9)


def test_those_who_take_part_are_asked_half_way_and_the_day_after() -> None:
    pilot = Pilot("m", ("a",), FIRST, FIRST + 27)
    asked = {day - FIRST: scoring.pilots.part_of(pilot, day) for day in range(FIRST, FIRST + 40)}
    assert [day for day, part in asked.items() if part == "middle"] == list(range(14, 21))
    assert [day for day, part in asked.items() if part == "end"] == list(range(28, 35))
    short = Pilot("m", ("a",), FIRST, FIRST + 3)
    assert [scoring.pilots.part_of(short, FIRST + day) for day in range(5)] == [None, None, "middle", "middle", "end"]


def test_answers_are_told_from_five_people_on_and_comments_in_no_order_of_theirs() -> None:
    said = [Answer("yes", "no", f"{letter}") for letter in "dbca"]
    assert scoring.pilots.views(said) is None
    found = scoring.pilots.views([*said, Answer("partly", "yes")])
    assert found is not None
    assert (found.answers, dict(found.useful)) == (5, {"yes": 4, "partly": 1, "no": 0})
    assert found.comments == ("a", "b", "c", "d")
    with pytest.raises(Refused, match="missing"):
        scoring.pilots.answered("yes", "", "")
