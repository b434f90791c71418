"""The catalogue of behaviours: complete, short, and the user's own checked as strictly as metrics are."""

from __future__ import annotations

from typing import Any

import pytest

import bot.config
import scoring.behaviours
import scoring.changes
import scoring.rulebook
from bot.config import Config
from scoring.refused import Refused
from scoring.rules import Rules


def rules(own: dict[str, Any]) -> Rules:
    return scoring.rulebook.read(bot.config.rules(Config(parsed=own)), version=1)


MINE = {
    "metric": "csat",
    "title": "Smile",
    "what": "Smile before you pick up.",
    "why": "It is heard.",
    "worked": "Clients smile back.",
}


def test_every_metric_that_a_person_can_be_measured_by_has_something_to_do() -> None:
    found = rules({})
    measured = {m.name for m in found.metrics.values() if "person" in m.levels}
    assert {one.metric for one in found.behaviours.values()} == measured


def test_nothing_shipped_tells_anybody_to_close_more_or_to_work_longer() -> None:
    for one in rules({}).behaviours.values():
        said = f"{one.title} {one.what} {one.worked}".casefold()
        for word in ("close more", "overtime", "hours longer", "faster than", "tickets per", "colleagues' score"):
            assert word not in said, one.name


def test_an_override_names_only_what_it_changes() -> None:
    found = rules({"behaviour": {"oldest_first": {"title": "Oldest first, with coffee"}}}).behaviours["oldest_first"]
    shipped = rules({}).behaviours["oldest_first"]
    assert found.title == "Oldest first, with coffee"
    assert (found.what, found.why, found.metric) == (shipped.what, shipped.why, shipped.metric)


def test_ones_own_is_tried_after_the_shipped_ones_of_the_same_metric() -> None:
    found = rules({"behaviour": {"smile": MINE}})
    names = [one.name for one in scoring.behaviours.of_metric(found.behaviours, "csat")]
    assert names[-1] == "smile"
    assert len(names) == 3


def test_one_can_be_retired() -> None:
    assert "oldest_first" not in rules({"behaviour": {"oldest_first": {"retired": True}}}).behaviours


def test_a_shipped_one_goes_when_its_metric_measures_no_person_any_more() -> None:
    influence = {"team": "You look at it together."}
    own = {"metric": {"repeat_incidents": {"levels": ["team"], "influence": influence}}}
    assert "look_for_the_cause" not in rules(own).behaviours


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"smile": {**MINE, "metric": "cast"}}, "there is no metric “cast”. Did you mean “csat”?"),
        ({"smile": {**MINE, "metric": "nps"}}, "nps measures no single person."),
        ({"smile": {**MINE, "wat": "x"}}, "there is no setting “wat” here. Did you mean “what”?"),
        ({"smile": {k: v for k, v in MINE.items() if k != "why"}}, "why is missing."),
        ({"smile": {**MINE, "what": "x" * 301}}, "what has 301 characters."),
        ({"smile": {**MINE, "retired": "yes"}}, "Write true or false."),
        ({"Smile!": MINE}, "has no usable name."),
        ({"smile": 3}, "[behaviour.smile] is 3."),
    ],
)
def test_a_mistake_is_named_with_its_table_and_a_remedy(own: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused) as no:
        rules({"behaviour": own})
    assert said in str(no.value)


@pytest.mark.parametrize("own", [{"per_day": 0}, {"per_day": 2.5}, {"nudges_per_week": 3}, {"perday": 3}])
def test_the_inbox_cannot_be_made_loud(own: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=r"\[quiet\]"):
        rules({"quiet": own})


def test_apply_says_what_changes() -> None:
    before = rules({})
    own = {"behaviour": {"smile": MINE, "oldest_first": {"retired": True}}, "quiet": {"per_day": 2}}
    said = scoring.changes.between(before, rules(own))
    assert "Behaviour “Smile” is new, for csat." in said
    assert "Behaviour “Begin the day with your oldest ticket” is retired." in said
    assert "Messages that nobody asked for, to a person on a day: 3 → 2 at most." in said


def test_rules_applied_by_an_earlier_release_have_no_behaviours_until_the_next_apply() -> None:
    body = {key: one for key, one in bot.config.rules(Config()).items() if key != "behaviours"}
    old = scoring.rulebook.read(body, version=1)
    assert old.behaviours == {}
    assert "There are 26 behaviours to be nudged about." in scoring.changes.between(old, rules({}))
