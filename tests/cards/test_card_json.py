"""Cards survive the outbox: to JSON and back without loss."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given, settings

from cards import card as model
from tests.cards import sample, strategies


def test_a_card_comes_back_from_json_as_it_was() -> None:
    assert model.from_json(json.loads(json.dumps(model.to_json(sample.CARD)))) == sample.CARD


def test_a_form_comes_back_from_json_as_it_was() -> None:
    assert model.from_json(json.loads(json.dumps(model.to_json(sample.FORM)))) == sample.FORM


@given(strategies.cards)
@settings(max_examples=60, deadline=None)
def test_every_card_comes_back_from_json_as_it_was(card: model.Card) -> None:
    assume("\\ud800\\udc00" not in repr(card))  # JSON has no way to tell a split sign from a whole one
    back = model.from_json(json.loads(json.dumps(model.to_json(card))))
    assert repr(back) == repr(card)  # repr, since NaN differs from itself


def test_a_block_of_a_later_version_is_named_in_the_error() -> None:
    with pytest.raises(ValueError, match="Hologram"):
        model.from_json({"is": "Hologram"})
