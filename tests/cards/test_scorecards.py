"""A scorecard says how old it is and tells of every metric, however many are red and wherever it is read."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cards.adaptive
import cards.block_kit
import cards.html
import cards.scorecards
import cards.text
from cards.card import Badge, Button, Buttons, Card, Text
from cards.safe import JOINER
from cards.scorecards import Sheet
from scoring.comments import Comment
from scoring.metrics import Sums
from scoring.scorecards import Reading, Score
from tests.cards.product import LINES, WEEK
from tests.fakes import adaptive_schema, slack_limits
from tests.scoring import desk

AGE = "Data as of Wed 5 Aug 2026, 06:00. That is 4 days old: newer work is not in these figures."
NOTES = (AGE, "Provisional until 10 Aug 2026: what happens until then can still change figures.",
         "Adjusted for an outage from 3 Aug to 5 Aug: Metric 1 left out.")  # fmt: skip
WORDS = "61 of 98 over four weeks; red line 70 %; the weeks together show a slide"
SAID = "Two analysts short since March, and the new one begins in May. " * 8


def reading(name: str, status: str, **changed: Any) -> Reading:
    weeks = tuple((WEEK.first - 7 * (12 - i), 60.0 + i) for i in range(13))
    found = Reading(name, 62.0, 65.2, -3.2, status, WORDS, Sums(61000, 98000, 98, 61000), weeks,  # type: ignore[arg-type]
                    LINES, 0.1, 0.5, 0.6, provisional=True)  # fmt: skip
    return replace(found, **changed)


def sheet(statuses: str, **changed: Any) -> Sheet:
    """A person's sheet with a metric for each letter: r, a, g, u (too few to colour), m (measured only)."""
    kinds = {"r": "red", "a": "amber", "g": "green", "u": "none", "m": "none"}
    titles = (f"Escalation response efficiency {number}" for number in range(100, 200))
    metrics = [desk.metric(f"metric_{i}", title=next(titles)) for i in range(len(statuses))]
    measured = {"words": "98 in four weeks; no lines yet", "measuring": "no lines yet"}
    readings = [
        reading(m.name, kinds[s], **(measured if s == "m" else {}))
        for m, s in zip(metrics, sorted(statuses, key="ragum".index), strict=True)
    ]
    score = Score("rubric", tuple(readings), 54.0, 51.0, 3.0, 1.0, (), True)
    found = Sheet("Your scorecard", WEEK, score, {m.name: m for m in metrics}, "person", notes=NOTES)
    return replace(found, **changed)


def of_team(made: Sheet) -> Sheet:
    """The same as a team's, each red and amber with its plan and a comment, in a lead's eyes."""
    missed = [r.metric for r in made.score.readings if r.status in ("red", "amber")]
    comment = Comment("team:2", "csat", WEEK.key, SAID[:300], "outage", 5, "Lena Moder", "lead", WEEK.last)
    plan = "Plan: ring every caller back before the ticket is closed. Lena Moder, by Fri 14 Aug, moved twice."
    return replace(
        made, level="team", values={"team": "2"}, mine=False, plannable=True, commentable=True,
        plans=dict.fromkeys(missed[::2], plan), comments=dict.fromkeys(missed, (comment,)),
    )  # fmt: skip


def texts(value: Any) -> Iterator[str]:
    """Every text in a platform's payload."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)


def everywhere(card: Card) -> dict[str, str]:
    """What a reader sees of a card, by surface."""
    message, home = cards.block_kit.message(card), cards.block_kit.home(card)
    teams = cards.adaptive.card(card)
    assert slack_limits.message_problems(message) == []
    assert slack_limits.view_problems(home) == []
    assert adaptive_schema.problems(teams) == []
    assert len(json.dumps(teams)) <= 25_000
    said = {
        "slack": " ".join(texts(message["blocks"])),
        "home": " ".join(texts(home["blocks"])),
        "teams": " ".join(texts(teams)),
        "page": html.unescape(cards.html.card(card)),
        "text": cards.text.card(card),
    }
    return {name: words.replace(JOINER, "").replace("\\", "") for name, words in said.items()}


def pressed(card: Card, words: str) -> bool:
    return any(b.text == words for block in card.blocks if isinstance(block, Buttons) for b in block.items)


def buttons(card: Card) -> list[Button]:
    return [b for block in card.blocks if isinstance(block, Buttons) for b in block.items]


def assert_whole(made: Sheet, card: Card) -> None:
    """How old it is, and each metric with its status or behind the button that shows it; nothing is cut off."""
    for surface, said in everywhere(card).items():
        assert AGE in said, surface
        assert "… and " not in said, surface
        for one in made.score.readings:
            title = made.metrics[one.metric].title
            assert title in said or (one.status == "green" and "Greens" in said), (surface, title)
        for way in ("‹ Before", "After ›"):
            assert way in said, surface


@pytest.mark.parametrize("statuses", ["rrrraaaagg", "rrrrraaaaa", "r" * 10, "a" * 10, "rrraaagggg", "rrraagggum"])
@pytest.mark.parametrize("greens", [False, True])
def test_a_technicians_worst_week_says_how_old_it_is_and_tells_of_every_metric(statuses: str, greens: bool) -> None:
    focus = {"metric_0": "Call before you close. Ring them back.", "metric_9": "Test it with them. Stay on the phone."}
    made = sheet(statuses, greens=greens, focus=focus)
    assert_whole(made, cards.scorecards.card(made))


@given(st.text("ragum", min_size=1, max_size=30), st.booleans(), st.booleans())
@settings(max_examples=30, deadline=None)
def test_no_metric_vanishes_without_a_button_that_shows_it(statuses: str, greens: bool, team: bool) -> None:
    made = sheet(statuses, greens=greens)
    if team:
        made = of_team(made)
    assert_whole(made, cards.scorecards.team(made) if team else cards.scorecards.card(made))


def test_how_old_the_figures_are_stands_right_under_the_period() -> None:
    card = cards.scorecards.card(sheet("rag"))
    assert [b.text for b in card.blocks[:4] if isinstance(b, Text)] == [WEEK.label, *NOTES]


def test_on_slack_the_weeks_of_ambers_give_way_before_anything_of_a_red() -> None:
    said = everywhere(cards.scorecards.card(sheet("rraaaaaaaaaa")))
    assert said["text"].count("13 weeks:") == 12
    assert said["slack"].count("13 weeks:") == 2
    assert said["slack"].count("What helps:") == 2


def test_what_is_too_many_to_be_told_in_full_keeps_its_figure_and_its_why() -> None:
    card = cards.scorecards.card(sheet("r" * 15))
    assert len([b for b in card.blocks if isinstance(b, Badge)]) == 15
    named = {b.values["metric"] for b in buttons(card) if b.route == "why" and b.values.get("metric")}
    assert len(named) == 15


@pytest.mark.parametrize("statuses", ["gggg", "uuuu"])
def test_greens_unfolded_and_what_has_no_colour_show_their_line_and_their_weeks(statuses: str) -> None:
    card = cards.scorecards.card(sheet(statuses, greens=True))
    said = cards.text.card(card)
    assert said.count("13 weeks: 60 %") == 4
    assert said.count("target 80 %") == 4


@pytest.mark.parametrize(("covered", "balanced"), [(0.75, 54.0), (0.55, None)])
def test_weight_goes_to_the_others_only_where_there_is_a_balanced_score(covered: float, balanced: float | None) -> None:
    made = sheet("rag")
    first, *rest = made.score.readings
    parts = (replace(first, score=None), *rest)
    score = replace(made.score, readings=parts, balanced=balanced, change=None, covered=covered)
    said = cards.text.card(cards.scorecards.balance(replace(made, score=score)))
    assert f"Without a score: {made.metrics[first.metric].title}." in said
    if balanced is None:
        assert "No balanced score: only 55 % of its weight" in said
        assert "Theirs is 45 % of the weight." in said
        assert "counts 1.82" not in said
    else:
        assert "25 % of the weight goes to the others, so that each of the others counts 1.33 times its weight." in said


def test_what_is_only_measured_shows_its_weeks_and_no_line() -> None:
    said = cards.text.card(cards.scorecards.card(sheet("m")))
    assert "13 weeks: 60 %" in said
    assert "target" not in said
