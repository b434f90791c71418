"""Every card of the product, at its smallest and largest, fits both platforms and says the same in words."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

import cards.adaptive
import cards.block_kit
import cards.card
import cards.html
import cards.notice
import cards.scorecards
import cards.text
from cards.card import Card, Form
from tests.cards import product
from tests.fakes import adaptive_schema, slack_limits

ALL = dict(product.everything())


@pytest.mark.parametrize("name", ALL)
def test_slack_accepts_it(name: str) -> None:
    said = ALL[name]
    if isinstance(said, Form):
        assert slack_limits.view_problems(cards.block_kit.modal(said, "{}")) == []
        return
    assert slack_limits.message_problems(cards.block_kit.message(said, nonce="n" * 22)) == []
    assert slack_limits.view_problems(cards.block_kit.home(said)) == []


@pytest.mark.parametrize("name", ALL)
def test_teams_accepts_it(name: str) -> None:
    said = ALL[name]
    made = cards.adaptive.form(said) if isinstance(said, Form) else cards.adaptive.card(said, nonce="n" * 22)
    assert adaptive_schema.problems(made) == []
    assert len(json.dumps(made)) <= 25 * 1024


@pytest.mark.parametrize("name", ALL)
def test_it_survives_the_outbox(name: str) -> None:
    assert cards.card.from_json(json.loads(json.dumps(cards.card.to_json(ALL[name])))) == ALL[name]


@pytest.mark.parametrize("name", ALL)
def test_it_can_be_read_without_seeing(name: str) -> None:
    said = ALL[name]
    text = cards.text.card(said) if isinstance(said, Card) else cards.text.form(said)
    page = cards.html.card(said) if isinstance(said, Card) else cards.html.form(said)
    assert text.strip()
    assert "<" in page
    if isinstance(said, Card):
        assert said.summary.strip()


def test_reds_come_first_and_greens_are_only_counted() -> None:
    text = cards.text.card(cards.scorecards.card(product.sheet(2, "Answer the survey.", greens=False)))
    assert text.index("Red") < text.index("Amber") < text.index("2 on target")
    assert "Green" in text
    assert "metric_200" not in text


def test_a_green_unfolds_when_asked_for() -> None:
    folded = cards.scorecards.card(product.sheet(2, "", greens=False))
    unfolded = cards.scorecards.card(product.sheet(2, "", greens=True))
    assert "Metric 200" not in cards.text.card(folded)
    assert "Metric 200" in cards.text.card(unfolded)


def test_what_helps_is_said_for_two_reds_at_most() -> None:
    text = cards.text.card(cards.scorecards.card(product.sheet(5, "Answer the survey.")))
    assert text.count("What helps") == 2


def test_data_older_than_two_days_says_so() -> None:
    now = datetime(2026, 2, 16, 9, 0, tzinfo=UTC)
    fresh, old = now - timedelta(hours=47), now - timedelta(days=3)
    assert cards.notice.data_age(int(fresh.timestamp()), now, "Europe/London", 2)[1] is False
    words, stale = cards.notice.data_age(int(old.timestamp()), now, "Europe/London", 2)
    assert stale
    assert "3 days old" in words
    assert cards.notice.data_age(None, now, "UTC", 2) == ("No data has been loaded yet.", True)
