"""The check of Slack's limits bites: every kind of bad payload is found, and a good one passes."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.fakes import slack_limits


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _button(**more: Any) -> dict[str, Any]:
    return {"type": "button", "text": _plain("Why"), "action_id": "go:why:0", "value": "{}", **more}


def _rich(*runs: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(runs)}]}


def _chart(**more: Any) -> dict[str, Any]:
    series = [{"name": "A", "data": [{"label": "W1", "value": 1}, {"label": "W2", "value": 2.5}]}]
    axis = {"categories": ["W1", "W2"], "y_label": "%"}
    chart = {"type": "line", "series": series, "axis_config": axis, **more}
    return {"type": "data_visualization", "title": "T", "chart": chart}


def _actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


_CELL = {"type": "raw_text", "text": "x"}
_SECTION = {"type": "section", "text": _plain("x")}
_TEXT = {"type": "text", "text": "x"}
GOOD = [
    {"type": "header", "text": _plain("T")},
    {"type": "divider"},
    _SECTION,
    {"type": "section", "fields": [_plain("a"), {"type": "mrkdwn", "text": "b", "verbatim": True}]},
    {"type": "context", "elements": [_plain("x")]},
    _actions(_button(), _button(action_id="go:why:1", style="danger")),
    _rich(
        {"type": "text", "text": "x", "style": {"bold": True}},
        {"type": "link", "url": "https://a.example", "text": "y"},
    ),
    {"type": "table", "rows": [[_CELL, _rich(_TEXT)]], "column_settings": [{"align": "right"}]},
    _chart(),
]
BAD_BLOCKS: dict[str, list[Any]] = {
    "no blocks": [],
    "51 blocks": [{"type": "divider"}] * 51,
    "not an object": ["divider"],
    "unknown block": [{"type": "mystery"}],
    "question without a label": [{"type": "input", "element": {"type": "datepicker", "action_id": "d"}}],
    "markdown in a header": [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
    "empty header": [{"type": "header", "text": _plain("")}],
    "long header": [{"type": "header", "text": _plain("x" * 151)}],
    "header in astral characters": [{"type": "header", "text": _plain("😀" * 76)}],
    "section of nothing": [{"type": "section"}],
    "long section": [{"type": "section", "text": _plain("x" * 3001)}],
    "11 fields": [{"type": "section", "fields": [_plain("x")] * 11}],
    "long field": [{"type": "section", "fields": [_plain("x" * 2001)]}],
    "unknown key": [{**_SECTION, "colour": "red"}],
    "emoji on markdown": [{"type": "section", "text": {"type": "mrkdwn", "text": "x", "emoji": True}}],
    "11 context elements": [{"type": "context", "elements": [_plain("x")] * 11}],
    "26 buttons": [_actions(*(_button(action_id=f"a{i}") for i in range(26)))],
    "long button": [_actions(_button(text=_plain("x" * 76)))],
    "long value": [_actions(_button(value="x" * 2001))],
    "long action id": [_actions(_button(action_id="x" * 256))],
    "no action id": [_actions({"type": "button", "text": _plain("x")})],
    "same action id twice": [_actions(_button()), _actions(_button())],
    "unknown style": [_actions(_button(style="calm"))],
    "long block id": [{**_SECTION, "block_id": "x" * 256}],
    "same block id twice": [{**_SECTION, "block_id": "x"}] * 2,
    "empty rich text": [{"type": "rich_text", "elements": []}],
    "empty run": [_rich({"type": "text", "text": ""})],
    "mention": [_rich({"type": "user", "user_id": "U1"})],
    "broadcast": [_rich({"type": "broadcast", "range": "here"})],
    "script link": [_rich({"type": "link", "url": "javascript:alert(1)", "text": "x"})],
    "two tables": [{"type": "table", "rows": [[_CELL]]}] * 2,
    "101 rows": [{"type": "table", "rows": [[_CELL]] * 101}],
    "21 columns": [{"type": "table", "rows": [[_CELL] * 21]}],
    "rows of different length": [{"type": "table", "rows": [[_CELL], [_CELL] * 2]}],
    "empty cell": [{"type": "table", "rows": [[{"type": "raw_text", "text": ""}]]}],
    "three charts": [_chart()] * 3,
    "long chart title": [{**_chart(), "title": "x" * 51}],
    "no series": [_chart(series=[])],
    "7 series": [_chart(series=[{"name": str(i), "data": [{"label": "W1", "value": 1}]} for i in range(7)])],
    "series of one name": [_chart(series=_chart()["chart"]["series"] * 2)],
    "a category without a point": [_chart(series=[{"name": "A", "data": [{"label": "W1", "value": 1}]}])],
    "no number": [_chart(series=[{"name": "A", "data": [{"label": w, "value": None} for w in ("W1", "W2")]}])],
    "infinite": [_chart(series=[{"name": "A", "data": [{"label": w, "value": float("inf")} for w in ("W1", "W2")]}])],
    "same category twice": [
        _chart(series=[{"name": "A", "data": [{"label": "W", "value": 1}] * 2}], axis_config={"categories": ["W", "W"]})
    ],
    "21 points": [
        _chart(
            series=[{"name": "A", "data": [{"label": f"{i}", "value": 1} for i in range(21)]}],
            axis_config={"categories": [f"{i}" for i in range(21)]},
        )
    ],
    "too much in all": [{"type": "section", "text": _plain("x" * 2600)}] * 4,
    "lone surrogate": [{"type": "section", "text": _plain("\ud800")}],
}


def test_a_good_message_passes() -> None:
    assert slack_limits.message_problems({"text": "x", "blocks": copy.deepcopy(GOOD)}) == []


@pytest.mark.parametrize("name", BAD_BLOCKS)
def test_a_bad_message_is_found(name: str) -> None:
    assert slack_limits.message_problems({"text": "x", "blocks": BAD_BLOCKS[name]})


@pytest.mark.parametrize("text", [None, "", " ", "x" * 4001])
def test_a_message_without_a_fitting_fallback_is_found(text: str | None) -> None:
    assert slack_limits.message_problems({"text": text, "blocks": [{"type": "divider"}]})


def _question(element: dict[str, Any]) -> dict[str, Any]:
    return {"type": "input", "label": _plain("L"), "element": {"action_id": "a", **element}}


def _modal(*blocks: Any, **more: Any) -> dict[str, Any]:
    return {"type": "modal", "title": _plain("T"), "submit": _plain("S"), "blocks": list(blocks), **more}


_OPTION = {"text": _plain("o"), "value": "v"}


def test_a_good_form_and_a_good_home_tab_pass() -> None:
    questions = [
        {"type": "plain_text_input", "action_id": "a1", "max_length": 5, "initial_value": "12345"},
        {"type": "number_input", "action_id": "a2", "is_decimal_allowed": True, "initial_value": "2.5"},
        {"type": "static_select", "action_id": "a3", "options": [_OPTION], "initial_option": _OPTION},
        {"type": "datepicker", "action_id": "a4", "initial_date": "2026-08-01"},
    ]
    assert slack_limits.view_problems(_modal(*(_question(q) for q in questions))) == []
    assert slack_limits.view_problems({"type": "home", "blocks": [_SECTION, _chart()]}) == []


@pytest.mark.parametrize(
    "view",
    [
        {"type": "page", "blocks": [_SECTION]},
        {"type": "home", "blocks": [_SECTION], "title": _plain("T")},
        {"type": "home", "blocks": [{"type": "table", "rows": [[_CELL]]}]},
        {"type": "home", "blocks": [_SECTION] * 101},
        _modal(_chart()),
        _modal({"type": "table", "rows": [[_CELL]]}),
        _modal(_SECTION, title=_plain("x" * 25)),
        _modal(_SECTION, submit=_plain("x" * 25)),
        _modal(_SECTION, private_metadata="x" * 3001),
        _modal(_SECTION, callback_id="x" * 256),
        {k: v for k, v in _modal(_question({"type": "datepicker"})).items() if k != "submit"},
        _modal(_question({"type": "mystery"})),
        _modal(_question({"type": "datepicker", "initial_date": "soon"})),
        _modal(_question({"type": "static_select", "options": []})),
        _modal(_question({"type": "static_select", "options": [_OPTION] * 101})),
        _modal(_question({"type": "static_select", "options": [{"text": _plain("x" * 76), "value": "v"}]})),
        _modal(_question({"type": "static_select", "options": [{"text": _plain("x"), "value": "v" * 151}]})),
        _modal(_question({"type": "static_select", "options": [_OPTION], "initial_option": {**_OPTION, "value": "w"}})),
        _modal(_question({"type": "plain_text_input", "max_length": 3001})),
        _modal(_question({"type": "plain_text_input", "max_length": 3, "initial_value": "1234"})),
        _modal(_question({"type": "number_input", "is_decimal_allowed": True, "initial_value": "many"})),
        _modal({**_question({"type": "datepicker"}), "label": _plain("x" * 2001)}),
        _modal({**_question({"type": "datepicker"}), "hint": _plain("")}),
    ],
)
def test_a_bad_view_is_found(view: dict[str, Any]) -> None:
    assert slack_limits.view_problems(view)
