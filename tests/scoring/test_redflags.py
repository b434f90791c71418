"""Which clients get a red flag, and in which words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scoring.redflags
from scoring.redflags import USUAL, Signals, Signs
from scoring.refused import Refused

TODAY = 20_500
CALM = Signs("Orchard", answers=12)

SIGNS = st.builds(
    Signs, st.just("Orchard"), answers=st.integers(0, 50), low=st.integers(0, 50), complaints=st.integers(0, 5),
    renewal_day=st.none() | st.integers(TODAY - 100, TODAY + 400),
)  # fmt: skip


@pytest.mark.parametrize(
    ("signs", "reason"),
    [
        (CALM, ""),
        (replace(CALM, low=2), ""),
        (replace(CALM, low=3), "3 of 12 answers in 28 days were 2 or less."),
        (replace(CALM, complaints=1), "One complaint."),
        (replace(CALM, renewal_day=TODAY + 20), ""),
        (replace(CALM, low=1, renewal_day=TODAY + 91), ""),
        (replace(CALM, low=1, renewal_day=TODAY - 1), ""),
        (replace(CALM, low=1, renewal_day=TODAY + 90),
         "1 of 12 answers in 28 days was 2 or less; renewal on 17 May 2026."),
        (replace(CALM, low=4, complaints=2, renewal_day=TODAY + 1),
         "4 of 12 answers in 28 days were 2 or less; 2 complaints; renewal on 17 Feb 2026."),
    ],
)  # fmt: skip
def test_low_answers_complaints_or_a_renewal_with_a_bad_sign_raise_a_flag(signs: Signs, reason: str) -> None:
    assert scoring.redflags.sentence(scoring.redflags.reasons(signs, USUAL, TODAY)) == reason


@given(SIGNS, st.integers(0, 10), st.integers(0, 3))
def test_worse_signs_never_take_a_flag_down(signs: Signs, low: int, complaints: int) -> None:
    worse = replace(signs, low=signs.low + low, complaints=signs.complaints + complaints)
    if scoring.redflags.reasons(signs, USUAL, TODAY):
        assert scoring.redflags.reasons(worse, USUAL, TODAY)


@given(SIGNS)
def test_a_client_without_a_bad_sign_has_no_flag(signs: Signs) -> None:
    assert not scoring.redflags.reasons(replace(signs, low=0, complaints=0), USUAL, TODAY)


def test_the_thresholds_are_settings() -> None:
    mine = scoring.redflags.load({"low_answers": 1, "days": 7})
    assert mine == Signals(days=7, low_answers=1)
    assert scoring.redflags.reasons(replace(CALM, low=1), mine, TODAY)


@pytest.mark.parametrize(
    ("parsed", "words"),
    [
        ({"low_answer": 1}, "no setting “low_answer”"),
        ({"low_rating": 5}, "from 1 to 4"),
        ({"days": 0}, "from 7 to 366"),
        ({"complaints": "many"}, "“many”"),
        ({"renewal_days": 1.5}, "1.5"),
    ],
)
def test_a_setting_that_means_nothing_is_refused(parsed: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        scoring.redflags.load(parsed)
