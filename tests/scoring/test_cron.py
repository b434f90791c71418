"""Cron text: read as people write it, and refused in words where it is wrong."""

from __future__ import annotations

import pytest

import scoring.cron
from scoring.refused import Refused


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0 9 * *", "4 fields"),
        ("60 9 * * *", "“60” does not fit"),
        ("0 9 * * funday", "“funday” does not fit"),
        ("0 9 30 2 *", "never comes"),
        ("* 9 * * *", "60 times a day"),
        ("0 9-8 * * *", "empty"),
        ("*/0 9 * * *", "empty"),
        ("0 9 * * mon#1", "no field"),
        ("0 ９ * * *", "no field"),
    ],
)
def test_cron_text_that_is_wrong_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        scoring.cron.parse(text)


def test_cron_text_knows_names_ranges_steps_and_both_sundays() -> None:
    assert scoring.cron.parse("15 8-10/2 * jan,mar-apr FRI-SUN") == scoring.cron.Cron(
        (495, 615), frozenset(range(1, 32)), frozenset({1, 3, 4}), frozenset({4, 5, 6}), False
    )
    assert scoring.cron.parse("0 9 * * 7") == scoring.cron.parse("0 9 * * sun") == scoring.cron.parse("0 9 * * 0")
    assert scoring.cron.parse("0 5/6 * * *").times == (300, 660, 1020, 1380)
    assert scoring.cron.parse("0 9 13 * 5").either
