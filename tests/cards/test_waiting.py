"""What a digest takes in is all shown, on both platforms, or is not taken in."""

from __future__ import annotations

import json

import pytest

import cards.adaptive
import cards.block_kit
import cards.waiting
from cards.card import Button, Buttons, Card, Text
from cards.waiting import Waiting
from tests.cards import product

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
