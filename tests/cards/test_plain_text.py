"""Cards as plain text, spark characters, cells for exports, and the cleaning everything starts from."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cards import safe, text
from cards.card import Card, Form, Gauge, Heading, Point, Text
from tests.cards import live, sample, strategies


def test_the_scorecard_reads_well_as_text() -> None:
    said = text.card(sample.CARD)
    for line in (
        "Your scorecard\n==============",
        "Balanced score: 74 of 100, up 3 ◆ Amber ▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱",
        "▼ Red · Customer satisfaction: 62 %",
        "Target: 85 %",
        "Customer satisfaction by week ▇▆██·▇▆▅▄▃▃▁▁",
        sample.TREND.words,
        f"INC-1042 {sample.TICKET}",
        "[Why] [Not mine]",
    ):
        assert line in said


def test_a_form_reads_well_as_text() -> None:
    assert "What is wrong\n  - Not mine\n  - Outage\n  now: outage" in text.form(sample.FORM)


@pytest.mark.parametrize(
    ("values", "drawn"),
    [((), ""), ((None, None), "··"), ((5.0, 5.0), "▄▄"), ((0.0, None, 100.0), "▁·█"), ((1.0, float("nan")), "▄·")],
)
def test_spark_characters_run_from_the_lowest_to_the_highest(values: tuple[float | None, ...], drawn: str) -> None:
    assert text.spark([Point("", v) for v in values]) == drawn


def test_a_title_is_not_said_twice() -> None:
    assert text.card(Card("Title", (Heading("Title", 1), Text("x")), "s")).count("Title") == 1


def test_a_bar_needs_a_scale() -> None:
    assert text.bar(Gauge("", 5, 0, 10, ""), 4) == "▰▰▱▱"
    assert text.bar(Gauge("", 5, 10, 0, "")) == ""


@given(strategies.cards, strategies.forms)
@settings(max_examples=100, deadline=None)
def test_every_card_and_form_becomes_encodable_text_without_controls(card: Card, form: Form) -> None:
    for said in (text.card(card), text.form(form)):
        said.encode("utf-8")
        assert live.hidden(said) == []


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "\x00=1", "\u200b=1", "\n@x"]
)
def test_a_cell_that_would_run_gets_a_quote(cell: str) -> None:
    assert text.safe_cell(cell).startswith("'")


def test_an_ordinary_cell_is_left_alone() -> None:
    assert text.safe_cell("Northwind = good, 3-4") == "Northwind = good, 3-4"


@given(st.text())
def test_cleaning_twice_changes_nothing_more(words: str) -> None:
    assert safe.clean(safe.clean(words)) == safe.clean(words)


@given(strategies.texts, st.integers(1, 60))
def test_a_cut_text_fits_and_says_that_it_was_cut(words: str, limit: int) -> None:
    kept = safe.cut(safe.clean(words), limit)
    assert safe.units(kept) <= limit
    assert kept == safe.clean(words) or kept.endswith("…")


def test_emoji_and_scripts_that_need_joiners_keep_them() -> None:
    for words in ("👩‍💻 done", "می‌خواهم", "José Ñandú", "価格", "שלום"):
        assert safe.clean(words) == words


def test_paired_surrogates_become_their_character_and_lone_ones_do_not_survive() -> None:
    assert safe.clean("\ud83d\ude00") == "😀"
    assert safe.clean("a\ud83db") == "a\ufffdb"


def test_figures_are_written_as_people_write_them() -> None:
    assert [safe.figure(v) for v in (74.0, 74.25, 0.25, 1234.5, 1e7)] == ["74", "74.2", "0.2", "1234", "1e07"]
