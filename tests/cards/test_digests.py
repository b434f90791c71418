"""A digest says of each amber why it is one, also where its figure reached the target this time."""

from __future__ import annotations

from dataclasses import replace

import pytest

import cards.digests
import cards.text
import scoring.digests
from tests.cards import product
from tests.cards.product_digests import told


@pytest.mark.parametrize(("value", "explained"), [(100.0, True), (product.LINES.target, True), (1.0, False)])
def test_an_amber_that_reached_its_target_is_told_with_the_weeks_that_count(value: float, explained: bool) -> None:
    sheet = product.sheet(4, "")
    first = replace(sheet.score.readings[0], status="amber", value=value, words="17 of 24 over four weeks")
    score = replace(sheet.score, readings=(first,))
    made = replace(told(0, "", sheet, audience="team"), score=score, digest=scoring.digests.compose(score, [], []))
    said = cards.text.card(cards.digests.card(made))
    assert cards.digests.figure(made, first) in said
    assert ("17 of 24 over four weeks" in said) == explained
