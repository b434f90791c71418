"""Cards on Teams: valid against the 1.5 schema, charts with fallbacks, at most 25 KB."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from cards import adaptive
from cards.card import Button, Buttons, Card, Divider, Field, Fields, Form, Gauge, Heading, Input, Table, Text, Trend
from tests.cards import sample, strategies
from tests.fakes import adaptive_schema


def _of(card: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [e for e in card["body"] if e["type"] == kind]


def test_the_sample_scorecard_is_taken_by_teams() -> None:
    assert adaptive_schema.problems(adaptive.card(sample.CARD, nonce="n")) == []
    assert adaptive_schema.problems(adaptive.form(sample.FORM)) == []


@pytest.mark.parametrize("card", [strategies.EMPTY, strategies.BLANK, strategies.LARGEST])
def test_the_smallest_and_the_largest_card_are_taken_by_teams(card: Card) -> None:
    assert adaptive_schema.problems(adaptive.card(card)) == []


@pytest.mark.parametrize("form", [strategies.EMPTY_FORM, strategies.LARGEST_FORM])
def test_the_smallest_and_the_largest_form_are_taken_by_teams(form: Form) -> None:
    assert adaptive_schema.problems(adaptive.form(form)) == []


@given(strategies.cards, strategies.forms)
@settings(max_examples=40, deadline=None)
def test_every_card_and_form_is_taken_by_teams(card: Card, form: Form) -> None:
    assert adaptive_schema.problems(adaptive.card(card, nonce="n")) == []
    assert adaptive_schema.problems(adaptive.form(form)) == []


def test_a_gauge_at_the_end_of_a_strange_scale_stays_inside_it() -> None:
    gauge = Gauge("Score", 0.0, -1.0, -1.5467890441238778e-142, "none")
    assert adaptive_schema.problems(adaptive.card(Card("Card", (gauge,), "Card"), nonce="n")) == []


def test_a_card_uses_the_full_width_and_has_a_summary_for_old_clients() -> None:
    card = adaptive.card(sample.CARD)
    assert card["msteams"] == {"width": "Full"}
    assert card["version"] == "1.5"
    assert card["fallbackText"] == sample.CARD.summary


def test_tables_are_cut_before_anything_else() -> None:
    long = Table(("A", "B"), tuple((f"row {i}", "x" * 80) for i in range(400)))
    card = adaptive.card(Card("T", (long, Text("the end"), Buttons((Button("Back", "score"),))), "s"))
    said = json.dumps(card, ensure_ascii=False)
    assert "… and " in said
    assert "the end" in said
    assert card["body"][-1]["type"] == "ActionSet"


def test_what_does_not_fit_is_counted_and_the_last_buttons_stay() -> None:
    card = adaptive.card(strategies.LARGEST)
    assert "… and " in json.dumps(card["body"][-2], ensure_ascii=False)
    assert [a["title"] for a in card["body"][-1]["actions"]] == ["‹ Before", "After ›"]


def test_a_button_executes_and_falls_back_to_a_submit_with_the_same_data() -> None:
    why, once = adaptive.card(sample.CARD, nonce="n1")["body"][-1]["actions"]
    assert why["verb"] == "why"
    assert why["data"] == {"metric": "csat", "_verb": "why"}
    assert why["fallback"] == {"type": "Action.Submit", "title": "Why", "data": why["data"]}
    assert once["data"] == {"ticket": "1042", "_verb": "correct", "_n": "n1"}
    assert once["style"] == "destructive"


def test_a_button_cannot_bring_its_own_route_in_its_values() -> None:
    card = adaptive.card(Card("T", (Buttons((Button("x", "why", {"_verb": "approve"}),)),), "s"))
    assert card["body"][-1]["actions"][0]["data"]["_verb"] == "why"


def test_a_trend_is_a_chart_with_characters_for_clients_that_cannot_draw() -> None:
    chart = _of(adaptive.card(sample.CARD), "Chart.Line")[0]
    assert [s["legend"] for s in chart["data"]] == [sample.TREND.title, "Target", "Red line"]
    assert [s["color"] for s in chart["data"]] == ["categoricalBlue", "good", "attention"]
    assert "▇▆██·▇▆▅▄▃▃▁▁" in json.dumps(chart["fallback"], ensure_ascii=False)
    assert sample.TREND.words in json.dumps(adaptive.card(sample.CARD)["body"], ensure_ascii=False)


def test_a_trend_without_values_is_words_only() -> None:
    card = adaptive.card(Card("T", (Trend("T", sample.TREND.points[:1], "", "One week."),), "s"))
    assert _of(card, "Chart.Line") == []
    assert "One week." in json.dumps(card)


def test_a_gauge_is_a_chart_with_its_words_and_a_bar_as_fallback() -> None:
    chart = _of(adaptive.card(sample.CARD), "Chart.Gauge")[0]
    assert (chart["min"], chart["value"], chart["max"]) == (0.0, 74.2, 100.0)
    assert "▰" in json.dumps(chart["fallback"], ensure_ascii=False)


def test_a_gauge_beyond_its_scale_stays_on_it() -> None:
    chart = _of(adaptive.card(Card("T", (Gauge("G", 130, 0, 100, "130"),), "s")), "Chart.Gauge")[0]
    assert chart["value"] == 100.0


def test_a_divider_is_the_separator_of_what_follows() -> None:
    card = adaptive.card(Card("T", (Text("a"), Divider(), Text("b")), "s"))
    assert [e.get("separator", False) for e in card["body"]] == [False, False, True]


def test_headings_are_headings_and_markdown_in_them_is_dead() -> None:
    block = adaptive.card(Card("T", (Heading("*loud* [x](y)"),), "s"))["body"][1]
    assert block["style"] == "heading"
    assert block["text"] == r"\*loud\* \[x\](y)"


@pytest.mark.parametrize(
    ("data", "escaped"), [("1. one", "1\u2060. one"), ("# x", r"\# x"), ("- x", r"\- x"), ("a-b 1.5", "a-b 1.5")]
)
def test_a_fact_cannot_start_a_list_or_a_heading(data: str, escaped: str) -> None:
    facts = adaptive.card(Card("T", (Fields((Field("L", data),)),), "s"))["body"][1]["facts"]
    assert facts == [{"title": "L", "value": escaped}]


def test_a_form_asks_with_ids_labels_and_required_answers() -> None:
    card = adaptive.form(sample.FORM)
    reason, kind, day, hours, who = [e for e in card["body"] if e["type"].startswith("Input.")]
    assert (reason["id"], reason["isRequired"], reason["isMultiline"]) == ("reason", True, True)
    assert reason["errorMessage"]
    assert kind["value"] == "outage"
    assert (day["type"], day["value"], day["isRequired"]) == ("Input.Date", "2026-08-01", False)
    assert hours["value"] == 2.5
    assert who["type"] == "Input.Text"
    assert card["actions"][0]["data"] == {"ticket": "1042", "_verb": "correct.send"}


def test_a_date_that_is_none_is_not_filled_in() -> None:
    card = adaptive.form(Form("T", "r", (Input("d", "Day", "date", value="soon"),)))
    assert "value" not in card["body"][-1]


def test_the_schema_check_knows_bad_cards() -> None:
    good = adaptive.card(sample.CARD)
    execute: dict[str, Any] = {"type": "Action.Execute", "verb": "v", "data": {"_verb": "v"}}
    bad: list[dict[str, Any]] = [
        {"type": "Mystery"},
        {"type": "TextBlock"},
        {"type": "TextBlock", "text": "x", "colour": "Good"},
        {"type": "Chart.Line", "data": [{"legend": "x", "values": [{"x": "a", "y": 1}]}]},
        {
            "type": "Chart.Line",
            "data": [{"legend": "x", "values": [{"x": "a", "y": "1"}]}],
            "fallback": good["body"][0],
        },
        {"type": "Chart.Gauge", "value": 9, "max": 5, "segments": [], "fallback": good["body"][0]},
        {"type": "Chart.Radar", "fallback": good["body"][0]},
        {"type": "Chart.Gauge", "value": 1, "max": 5, "segments": [], "fallback": {"type": "Mystery"}},
        {"type": "ActionSet", "actions": [execute]},
        {"type": "ActionSet", "actions": [{"type": "Action.OpenUrl", "url": "javascript:alert(1)"}]},
        {"type": "TextBlock", "text": "x" * 25_000},
        {"type": "TextBlock", "text": "\ud800"},
    ]
    assert [e for e in bad if adaptive_schema.problems({**good, "body": [e]}) == []] == []
    assert adaptive_schema.problems({**good, "body": [{"type": "TextBlock", "text": "x"}]}) == []
