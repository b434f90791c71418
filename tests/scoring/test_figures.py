"""How figures are written for people."""

from __future__ import annotations

import pytest

import scoring.figures
from scoring.metrics import Sums
from tests.scoring import desk


@pytest.mark.parametrize(
    ("shown", "decimals", "expected"),
    [(62.24, 0, "62 %"), (62.24, 1, "62.2 %"), (None, 0, "–"), (-0.2, 0, "0 %"), (1234.5, 1, "1,234.5 %"),
     (-40.0, 0, "-40 %")],
)  # fmt: skip
def test_a_figure_has_its_decimals_and_unit(shown: float | None, decimals: int, expected: str) -> None:
    assert scoring.figures.figure(desk.metric("m", decimals=decimals), shown) == expected


@pytest.mark.parametrize(("at", "expected"), [(70.0, "70 %"), (2.5, "2.5 %"), (0.25, "0.25 %"), (100.0, "100 %"),
                                              (1500.0, "1,500 %"), (0.0, "0 %")])  # fmt: skip
def test_a_line_is_written_as_it_was_set(at: float, expected: str) -> None:
    assert scoring.figures.line(desk.metric("m"), at) == expected


@pytest.mark.parametrize(("by", "expected"), [(3.2, "+3"), (-2.0, "−2"), (0.0, "±0"), (0.3, "±0"), (None, "")])
def test_a_change_carries_its_sign(by: float | None, expected: str) -> None:
    assert scoring.figures.change(desk.metric("m"), by) == expected


@pytest.mark.parametrize(
    ("sum_", "expected"),
    [(61_000, "61"), (1_500, "1.5"), (0, "0"), (1_234_000, "1,234"), (1, "0.001"), (100_000, "100")],
)
def test_sums_are_plain_numbers(sum_: int, expected: str) -> None:
    assert scoring.figures.amount(sum_) == expected


def test_no_denominator_is_no_value() -> None:
    assert scoring.figures.value(desk.metric("m"), Sums(5, 0, 0, 0)) is None
    assert scoring.figures.value(desk.metric("m"), Sums(0, 5, 1, 0)) == 0.0
