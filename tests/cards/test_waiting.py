"""What a digest takes in is all shown, on both platforms, or is not taken in."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import cards.adaptive
import cards.block_kit
import cards.card
import cards.digests
import cards.plans
import cards.redflags
import cards.waiting
from cards.card import Button, Buttons, Card, Text
from cards.waiting import Waiting
from scoring.comments import Comment
from scoring.plans import Plan
from scoring.redflags import RedFlag
from tests.cards import product, product_digests

DIGESTS = {
    name: said
    for name, said in product.everything()
    if isinstance(said, Card) and name.startswith(("digest for lead", "digest for managers", "stale digest"))
}
SOME = [Waiting(f"Thought {n}", product.LONG[:240], Button("Done", "plan_done", {"plan": str(n)})) for n in range(12)]


@pytest.mark.parametrize("name", DIGESTS)
def test_all_that_is_taken_in_is_shown(name: str) -> None:
    card = DIGESTS[name]
    count = cards.waiting.room(card, SOME)
    assert count <= cards.waiting.MOST
    made = cards.waiting.added(card, SOME[:count])
    for shown in (cards.block_kit.message(made, nonce="n" * 22), cards.adaptive.card(made, nonce="n" * 22)):
        text = json.dumps(shown, ensure_ascii=False)
        assert [one.title for one in SOME if f"{one.title}:" in text] == [one.title for one in SOME[:count]]


@pytest.mark.parametrize("name", [name for name in DIGESTS if "usual" in name or "smallest" in name])
def test_an_ordinary_digest_has_room(name: str) -> None:
    assert cards.waiting.room(DIGESTS[name], SOME[:3]) == 3


LINES = [replace(one, words=f"{'Ring back before noon ' * 10}end{n}end") for n, one in enumerate(SOME[:8])]


def shown(card: Card) -> list[int]:
    """How many of those lines are whole, on either platform."""
    drawn = (cards.block_kit.message(card, nonce="n" * 22), cards.adaptive.card(card, nonce="n" * 22))
    texts = [json.dumps(one, ensure_ascii=False) for one in drawn]
    return [sum(f"Thought {n}:" in text and f"end{n}end" in text for n in range(len(LINES))) for text in texts]


@pytest.mark.parametrize("name", DIGESTS)
def test_all_that_was_taken_in_is_shown_however_much_the_digest_has_grown(name: str) -> None:
    card = DIGESTS[name]
    made = cards.waiting.kept(card, LINES)
    assert shown(made) == [8, 8]
    assert made.blocks[0] == card.blocks[0], "it begins as it did"
    assert not isinstance(card.blocks[-1], Buttons) or made.blocks[-1] == card.blocks[-1]


@pytest.mark.parametrize("long", [300, 100])
def test_comments_become_shorter_before_anything_else_is_cut(long: int) -> None:
    sheet = product.sheet(2, "Answer the survey.")
    usual = product_digests.told(2, "Answer the survey.", sheet, audience="lead")
    card = cards.digests.card(replace(usual, comments={}))
    assert cards.waiting.room(card, LINES) == 8
    words = "Two analysts are away, and the roll-out took the third. " * 6
    said = {
        reading.metric: tuple(
            Comment("team:2", reading.metric, f"2026-W{week}", words[:long], "", 7, "Ada", "lead", sheet.period.last)
            for week in (31, 30, 29, 28)
        )
        for reading in (*(red.reading for red in usual.digest.reds), *usual.digest.ambers)
    }
    grown = cards.digests.card(replace(usual, comments=said))
    assert cards.waiting.room(grown, LINES) < 8
    made = cards.waiting.kept(grown, LINES)
    assert shown(made) == [8, 8]
    assert json.dumps(cards.card.to_json(made)).count("Comment on") >= 1
    assert cards.waiting.CUT not in made.blocks


def test_a_digest_with_room_stays_as_it_is() -> None:
    card = DIGESTS["digest for lead usual"]
    assert cards.waiting.kept(card, SOME[:2]) == cards.waiting.added(card, SOME[:2])
    assert cards.waiting.kept(card, []) is card


def test_of_several_clients_the_way_to_all_of_them_comes_along_and_of_one_the_way_to_take_it() -> None:
    flags = [RedFlag(number, "Contoso", "2 complaints.", 20_500) for number in range(3)]
    several, one = (cards.waiting.of(cards.redflags.raised(some, 20_500)) for some in (flags, flags[:1]))
    assert several.button is not None
    assert one.button is not None
    assert (several.button.text, several.button.route) == ("See them", "client_list")
    assert (one.button.text, one.button.values["flag"]) == ("Take it", "0")


def test_a_plan_without_an_owner_comes_along_with_the_way_to_hand_it_over_and_its_title_once() -> None:
    plan = Plan(7, "team:2", "csat", "2026-W31", "Ring back.", 5, "Ada", 20_500, owned=False)
    found = cards.waiting.of(cards.plans.orphaned("Help Desk", "CSAT", plan, 20_490))
    assert found.button is not None
    assert (found.button.text, found.button.route) == ("Hand over", "plan_hand")
    assert found.title == "A plan needs an owner"
    assert found.words.startswith("Help Desk, CSAT. Ada sees to it no more.")
    assert "needs an owner" not in found.words


def test_the_button_that_a_card_puts_forward_comes_along() -> None:
    other, done = Button("Other", "help"), Button("Done", "plan_done", {"plan": "7"}, style="primary", once=True)
    card = Card("A plan is due", (Text("Long."), Buttons((other, done))), "A plan is due. Ring back.")
    found = cards.waiting.of(card)
    assert (found.title, found.words) == ("A plan is due", "Ring back.")
    assert found.button is not None
    assert (found.button.route, found.button.once) == ("plan_done", True)
    assert found.button.values == {"plan": "7", "beside": "1"}
    assert cards.waiting.of(Card("Well done", (Text("It is green."),), "Well done")).button is None


def test_a_card_that_nothing_waits_beside_stays_as_it_is() -> None:
    card = DIGESTS["digest for lead usual"]
    assert cards.waiting.added(card, []) is card
    assert cards.waiting.room(card, []) == 0
