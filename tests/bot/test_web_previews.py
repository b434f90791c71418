"""The Slack and Teams views are drawn from the real payloads, block for block, with nothing live by accident."""

from __future__ import annotations

import html.parser
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cards.adaptive
import cards.block_kit
from bot import web_chart, web_slack, web_teams, web_views
from cards.card import Button, Buttons, Card, Field, Fields, Form, Input, Link, Links, Point, Rule, Table, Text, Trend
from handlers.call import Say
from tests.e2e import page_desk


class Reader(html.parser.HTMLParser):
    """Collects what a browser would see: elements with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for found, attributes in self.tags if found == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.mark.parametrize("card", [page_desk.SCORE, page_desk.EVERYTHING], ids=["score", "everything"])
@pytest.mark.parametrize("view", ["slack", "teams"])
def test_every_block_of_a_card_is_drawn(card: Card, view: str) -> None:
    drawn = Reader(web_views.of_card(card, "n1")[view])  # type: ignore[literal-required]
    assert "of the kind" not in drawn.text
    assert card.title in drawn.text
    for block in card.blocks:
        if isinstance(block, Text):
            assert block.text.split("  ")[-1] in drawn.text
        if isinstance(block, Buttons):
            for button in block.items:
                assert button.text in drawn.text


@pytest.mark.parametrize("view", ["html", "slack", "teams"])
def test_buttons_carry_the_same_route_and_values_in_every_view(view: str) -> None:
    drawn = Reader(web_views.of_card(page_desk.SCORE, "n1")[view])  # type: ignore[literal-required]
    pressed = [(b["data-route"], json.loads(b["data-values"] or "")) for b in drawn.all("button")]
    assert pressed == [
        ("why", {"metric": "reopen_rate"}),
        ("trend", {"metric": "csat"}),
        ("score", {"period": "2026-W45"}),
        ("correct", {}),
        ("once", {"_n": "n1"}),
    ]


@pytest.mark.parametrize("view", ["html", "slack", "teams"])
def test_a_form_asks_the_same_in_every_view(view: str) -> None:
    drawn = Reader(web_views.of_form(page_desk.FORM)[view])  # type: ignore[literal-required]
    (form,) = drawn.all("form")
    fields = [*drawn.all("input"), *drawn.all("select"), *drawn.all("textarea")]
    assert form["data-route"] == "corrected"
    assert json.loads(form["data-values"] or "") == {"period": "2026-W46"}
    assert {"ticket", "reason", "seen", "count", "name"} <= {f["name"] for f in fields}
    required = {f["name"] for f in fields if "required" in f}
    assert required == {"ticket", "reason"}
    assert {o["value"] for o in drawn.all("option")} >= {"desk/48213", "desk/9"}


def test_a_trend_is_drawn_as_a_line_with_its_target_and_red_line() -> None:
    for drawn in map(Reader, (web_slack.message(cards.block_kit.message(page_desk.EVERYTHING)),
                              web_teams.message(cards.adaptive.card(page_desk.EVERYTHING)))):  # fmt: skip
        lines = drawn.all("polyline")
        assert len(lines) == 3
        assert len((lines[0]["points"] or "").split()) == 12  # one of thirteen weeks has no data
        assert all(word in drawn.text for word in ("CSAT", "Target 85", "Red line 75"))


def test_higher_values_are_drawn_higher() -> None:
    drawn = Reader(web_chart.lines("T", [("a", "ch-s0", [("x", 1.0), ("y", 3.0), ("z", 2.0)])]))
    heights = [float(point.split(",")[1]) for point in (drawn.all("polyline")[0]["points"] or "").split()]
    assert heights[1] < heights[2] < heights[0]
    assert web_chart.lines("T", []) == ""


def test_a_gauge_is_filled_by_its_share() -> None:
    drawn = Reader(web_chart.gauge("Score", 50, 0, 100, [("ch-blue", 50), ("ch-neutral", 50)]))
    assert "50/100" in drawn.text
    first, second = (arc["d"] or "" for arc in drawn.all("path"))
    assert first.split()[-1] == second.split("A")[0].split()[-1]  # the second begins where the first ends
    assert web_chart.gauge("Score", 5, 3, 3, []) == ""


def test_a_block_the_view_does_not_know_is_named() -> None:
    assert "hologram" in web_slack.message({"blocks": [{"type": "hologram"}]})
    assert "Hologram" in web_teams.message({"body": [{"type": "Hologram"}]})


def test_where_a_message_belongs_is_told() -> None:
    found = web_views.of_say(Say(page_desk.SCORE, "public", "update"), "n")
    assert (found["update"], found["public"], found["form"]) == (True, True, False)
    assert found["summary"] == page_desk.SCORE.summary


_LIVE = st.sampled_from(
    ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onclick='x", "<!channel>", "</p>",
     "javascript:x", "&lt;b&gt;", "\u202e\u0000", "<svg onload=x>")
)  # fmt: skip
_WORDS = st.one_of(st.text(max_size=30), _LIVE, st.tuples(st.text(max_size=5), _LIVE).map("".join))


@settings(max_examples=60, deadline=None)
@given(_WORDS, _WORDS, _WORDS)
def test_no_text_becomes_an_element_or_a_handler(one: str, two: str, three: str) -> None:
    card = Card(
        one,
        (
            Text(two),
            Fields((Field(one, three),)),
            Table((one, two), ((Link(three, two), one),), three),
            Trend(one, (Point(two, 1), Point(three, 2)), three, two, (Rule(one, 1),)),
            Links((Link(one, three),)),
            Buttons((Button(two, "route", {one: three}),)),
        ),
        three,
    )
    form = Form(one, "route", (Input("name", two, "multiline", value=three, hint=one),), two, three, {one: two})
    for message in (web_views.of_card(card, "n"), web_views.of_form(form)):
        for view in ("html", "slack", "teams"):
            drawn = Reader(message[view])  # type: ignore[literal-required]
            for tag, attributes in drawn.tags:
                assert tag not in ("script", "img", "iframe", "object", "style", "b")
                assert not any(name.startswith("on") or name == "style" for name in attributes)
                assert not (attributes.get("href") or "").lower().startswith(("javascript:", "data:"))
