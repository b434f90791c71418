"""Cards on Slack: every block kind, every surface, within Slack's limits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from cards import block_kit
from cards.card import Button, Buttons, Card, Choice, Field, Fields, Form, Input, Link, Links, Table, Text, Trend
from tests.cards import sample, strategies
from tests.fakes import slack_limits


def _kinds(blocks: list[dict[str, Any]]) -> list[str]:
    return [b["type"] for b in blocks]


def _said(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def test_the_sample_scorecard_is_taken_by_slack_everywhere() -> None:
    assert slack_limits.message_problems(block_kit.message(sample.CARD, nonce="n")) == []
    assert slack_limits.view_problems(block_kit.home(sample.CARD, nonce="n")) == []
    assert slack_limits.view_problems(block_kit.modal(sample.FORM, "edge")) == []


@pytest.mark.parametrize("card", [strategies.EMPTY, strategies.BLANK, strategies.LARGEST])
def test_the_smallest_and_the_largest_card_are_taken_by_slack(card: Card) -> None:
    assert slack_limits.message_problems(block_kit.message(card)) == []
    assert slack_limits.view_problems(block_kit.home(card)) == []


@pytest.mark.parametrize("form", [strategies.EMPTY_FORM, strategies.LARGEST_FORM])
def test_the_smallest_and_the_largest_form_are_taken_by_slack(form: Form) -> None:
    assert slack_limits.view_problems(block_kit.modal(form, "p" * 4000)) == []


@given(strategies.cards, strategies.forms)
@settings(max_examples=150, deadline=None)
def test_every_card_and_form_is_taken_by_slack(card: Card, form: Form) -> None:
    assert slack_limits.message_problems(block_kit.message(card, nonce="n")) == []
    assert slack_limits.view_problems(block_kit.home(card)) == []
    assert slack_limits.view_problems(block_kit.modal(form, "edge")) == []


def test_what_does_not_fit_is_counted_and_the_last_buttons_stay() -> None:
    blocks = block_kit.message(strategies.LARGEST)["blocks"]
    assert "… and " in _said(blocks)
    assert [e["text"]["text"] for e in blocks[-1]["elements"]] == ["‹ Before", "After ›"]


def test_a_status_is_told_in_symbol_and_word() -> None:
    blocks = block_kit.message(sample.CARD)["blocks"]
    assert "▼ Red" in _said(blocks)
    assert "◆ Amber" in _said(blocks)


def test_a_card_whose_colour_nothing_says_gets_its_status_in_words() -> None:
    assert "▼ Red" in _said(block_kit.message(Card("T", (Text("x"),), "s", "red"))["blocks"])


def test_a_message_has_at_most_two_pictures_and_the_third_trend_is_drawn_in_characters() -> None:
    blocks = block_kit.message(Card("T", (sample.TREND,) * 3, "s"))["blocks"]
    assert _kinds(blocks).count("data_visualization") == 2
    assert "▇▆██·▇▆▅▄▃▃▁▁" in _said(blocks)
    assert _said(blocks).count(sample.TREND.words) == 3


def test_a_picture_leaves_out_weeks_without_data_and_shows_target_and_red_line() -> None:
    block = next(b for b in block_kit.home(sample.CARD)["blocks"] if b["type"] == "data_visualization")
    assert [s["name"] for s in block["chart"]["series"]] == ["Customer satisfacti…", "Target", "Red line"]
    assert "W24" not in block["chart"]["axis_config"]["categories"]
    assert [p["value"] for p in block["chart"]["series"][2]["data"]] == [70.0] * 12


def test_a_trend_with_one_value_is_words_and_characters() -> None:
    trend = Trend("T", sample.TREND.points[:1], "%", "Only one week.")
    assert _kinds(block_kit.message(Card("C", (trend,), "s"))["blocks"]) == ["header", "rich_text", "context"]


def test_a_table_is_a_table_in_a_message_and_lines_on_the_home_tab() -> None:
    message, home = block_kit.message(sample.CARD)["blocks"], block_kit.home(sample.CARD)["blocks"]
    table = next(b for b in message if b["type"] == "table")
    assert len(table["rows"]) == 3
    assert [s.get("align", "left") for s in table["column_settings"]] == ["left", "left", "right"]
    assert "table" not in _kinds(home)
    assert "Northwind Dental" in _said(home)


def test_the_second_table_of_a_message_becomes_lines() -> None:
    assert _kinds(block_kit.message(Card("T", (sample.TABLE,) * 2, "s"))["blocks"]).count("table") == 1


def test_a_long_table_says_how_many_rows_are_left_out() -> None:
    table = Table(("A",), tuple((str(i),) for i in range(250)))
    blocks = block_kit.message(Card("T", (table,), "s"))["blocks"]
    assert len(blocks[1]["rows"]) == 100
    assert "… and 151 more" in _said(blocks)


def test_only_http_links_are_live() -> None:
    links = Links(
        (Link("good", sample.TICKET), Link("bad", "javascript:alert(1)"), Link("sly", "https://a@evil.example"))
    )
    said = _said(block_kit.message(Card("T", (links,), "s"))["blocks"])
    assert sample.TICKET in said
    assert "javascript" not in said
    assert "evil" not in said


def test_a_button_carries_its_route_its_values_and_the_nonce_when_pressed_once() -> None:
    actions = block_kit.message(sample.CARD, nonce="n1")["blocks"][-1]["elements"]
    assert [a["action_id"] for a in actions] == ["go:why:0", "go:correct:1"]
    assert json.loads(actions[0]["value"]) == {"metric": "csat"}
    assert json.loads(actions[1]["value"]) == {"ticket": "1042", "_n": "n1"}
    assert actions[1]["style"] == "danger"


def test_a_button_whose_values_slack_cannot_carry_is_named_instead_of_shown() -> None:
    buttons = Buttons((Button("Too much", "why", {"x": "y" * 2100}), Button("Fine", "why")))
    blocks = block_kit.message(Card("T", (buttons,), "s"))["blocks"]
    assert [e["text"]["text"] for b in blocks if b["type"] == "actions" for e in b["elements"]] == ["Fine"]
    assert "Not shown here: Too much" in _said(blocks)


def test_long_fields_get_lines_of_their_own() -> None:
    short, long = Fields((Field("A", "b"),)), Fields((Field("A", "b" * 60), Field("C", "d")))
    assert _kinds(block_kit.message(Card("T", (short, long), "s"))["blocks"]) == ["header", "section", "rich_text"]


def test_the_fallback_text_is_escaped_and_quiet() -> None:
    text = block_kit.message(Card("T", (), "<!channel> & https://evil.example @here"))["text"]
    assert "&lt;" in text
    assert "&amp;" in text
    assert "<" not in text
    assert "://" not in text
    assert "@here" not in text


def test_a_form_brings_back_answers_and_what_travelled_with_it() -> None:
    view = block_kit.modal(sample.FORM, "edge's own")
    assert view["callback_id"] == "form:correct.send"
    assert block_kit.carried(view["private_metadata"]) == ({"ticket": "1042"}, "edge's own")
    kind, day = view["blocks"][2]["element"], view["blocks"][3]["element"]
    assert kind["initial_option"]["value"] == "outage"
    assert day["initial_date"] == "2026-08-01"
    state = {
        "in:0": {"reason": {"type": "plain_text_input", "value": "Storm"}},
        "in:1": {"kind": {"type": "static_select", "selected_option": {"value": "outage"}}},
        "in:2": {"day": {"type": "datepicker", "selected_date": "2026-08-01"}},
        "in:3": {"hours": {"type": "number_input", "value": None}},
        "in:4": {"who": {"type": "static_select", "selected_option": None}},
    }
    expected = {"reason": "Storm", "kind": "outage", "day": "2026-08-01", "hours": "", "who": ""}
    assert block_kit.submitted(state) == expected


@pytest.mark.parametrize(
    "state", [{"a": None}, {"a": {"b": None}}, {"a": {"b": {"value": 3}}}, {"a": {"b": {"value": [1]}}}]
)
def test_a_tampered_state_gives_empty_answers_not_an_error(state: dict[str, Any]) -> None:
    assert set(block_kit.submitted(state).values()) <= {""}


@pytest.mark.parametrize(
    "metadata", ["", "x", "[]", "{}", '{"values": 3}', "[" * 100_000, '{"values": {"a": 1}, "private": 2}']
)
def test_tampered_metadata_carries_nothing(metadata: str) -> None:
    assert block_kit.carried(metadata) == ({}, "")


def test_values_too_long_for_the_metadata_are_left_out_longest_first() -> None:
    form = Form("T", "r", (), values={"long": "x" * 2900, "longer": "y" * 3100, "id": "7"})
    assert block_kit.carried(block_kit.modal(form, "p")["private_metadata"]) == ({"long": "x" * 2900, "id": "7"}, "p")


def test_a_question_with_more_choices_than_slack_takes_says_so() -> None:
    many = Input("q", "Which", "choice", tuple(Choice(f"Choice {i}", f"v{i}") for i in range(130)))
    block = block_kit.modal(Form("T", "r", (many,)), "")["blocks"][0]
    assert len(block["element"]["options"]) == 100
    assert "… and 30 more" in block["hint"]["text"]


def test_a_question_without_choices_is_asked_in_words() -> None:
    block = block_kit.modal(Form("T", "r", (Input("q", "Which", "choice"),)), "")["blocks"][0]
    assert block["element"]["type"] == "plain_text_input"


@given(strategies.cards)
@settings(max_examples=60, deadline=None)
def test_an_encoded_message_is_the_message_with_what_goes_beside_it(card: Card) -> None:
    said = json.loads(block_kit.encoded(card, {"response_type": "ephemeral"}, nonce="n"))
    assert said == {"response_type": "ephemeral", **block_kit.message(card, nonce="n")}


def test_a_message_too_long_to_be_sent_whole_is_encoded_as_it_is_cut() -> None:
    said = json.loads(block_kit.encoded(strategies.LARGEST, {}))
    assert said == block_kit.message(strategies.LARGEST)


def test_buttons_alike_but_for_their_nonce_are_told_apart() -> None:
    card = Card("T", (Buttons((Button("Approve", "approve", {"id": "7"}, once=True), Button("Why", "why"))),), "s")
    values = [[e["value"] for e in block_kit.message(card, nonce=n)["blocks"][-1]["elements"]] for n in "ab"]
    assert values == [['{"id":"7","_n":"a"}', "{}"], ['{"id":"7","_n":"b"}', "{}"]]
