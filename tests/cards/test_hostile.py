"""100,000 hostile strings through every renderer and the fallback texts: no live mention, link, markup or formula."""

from __future__ import annotations

import functools
import html as stdlib_html
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cards import adaptive, block_kit, safe, text
from cards import html as renderer
from cards.card import (
    Badge,
    Button,
    Buttons,
    Card,
    Choice,
    Field,
    Fields,
    Form,
    Gauge,
    Heading,
    Input,
    Link,
    Links,
    Point,
    Rule,
    Table,
    Text,
    Trend,
)
from tests.cards import hostile, live
from tests.fakes import slack_limits

_A_CARD = 70
COUNT = 1430 * _A_CARD  # 100,100
_GOOD = "https://desk.example.com/t/1"


@functools.cache
def _cards() -> tuple[Card, ...]:
    words = list(hostile.strings(COUNT, seed=7))
    return tuple(_card(words[i : i + _A_CARD]) for i in range(0, COUNT, _A_CARD))


def _card(words: list[str]) -> Card:
    """Each string in one place where data could stand."""
    w: Iterator[str] = iter(words)

    def some(n: int) -> list[str]:
        return [next(w) for _ in range(n)]

    title, summary, unit, caption = some(4)
    return Card(
        title,
        (
            Heading(next(w)),
            *(Text(s, "normal") for s in some(5)),
            *(Text(s, "muted") for s in some(5)),
            Text(next(w), "strong"),
            Badge("red", next(w)),
            Fields(tuple(Field(a, b) for a, b in zip(some(6), some(6), strict=True))),
            Fields((Field(next(w), "x" * 60 + next(w)),)),
            Gauge(next(w), 5, 0, 10, next(w), "amber"),
            Trend(
                next(w), tuple(Point(s, float(i)) for i, s in enumerate(some(5))), unit, next(w), (Rule(next(w), 2.0),)
            ),
            Links((Link(next(w), _GOOD), Link(next(w), next(w)), Link("x", "https://a.example/" + next(w)))),
            Buttons(tuple(Button(s, "why", {"v": s}) for s in some(5))),
            Table(tuple(some(4)), tuple(tuple(some(4)) for _ in range(4)), caption),
        ),
        summary,
        "red",
    )


def _form(words: list[str]) -> Form:
    kinds: tuple[Any, ...] = ("text", "multiline", "choice", "date", "number")
    inputs = tuple(
        Input(f"q{i}", words[i], kind, (Choice(words[i + 20], words[i + 40]),), words[i + 60], words[i + 80])
        for i, kind in enumerate(kinds)
    )
    return Form(words[100], "send", inputs, words[101], words[102], {"v": words[103]})


def _allowed(card: Card) -> set[str]:
    """The addresses of the card's own links that may be live, for which there is a test of its own."""
    return {safe.url(link.url) for block in card.blocks if isinstance(block, Links) for link in block.items} - {""}


def _live(
    render: Callable[[Card], Any], check: Callable[[Any, set[str]], list[str]], shown: Callable[[Any], str]
) -> list[str]:
    """What is live in any of the cards, all of which are shown whole."""
    problems: list[str] = []
    seen = 0
    for card in _cards():
        out = render(card)
        said = shown(out)
        said.encode("utf-8")
        seen += card.blocks[-1].rows[-1] != () and "… and " not in said  # type: ignore[union-attr]
        problems += check(out, _allowed(card))
    assert seen == len(_cards()), "a card was cut, so some strings were not shown"
    return problems


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def test_no_hostile_string_is_live_in_a_slack_message_or_its_fallback() -> None:
    assert _live(block_kit.message, live.slack, _json)[:5] == []


def test_no_hostile_string_is_live_on_the_slack_home_tab() -> None:
    assert _live(block_kit.home, live.slack, _json)[:5] == []


def test_no_hostile_string_is_live_in_teams_or_its_fallback() -> None:
    assert _live(adaptive.card, live.teams, _json)[:5] == []


def test_no_hostile_string_is_live_in_the_browser() -> None:
    assert _live(renderer.card, live.page, str)[:5] == []


def test_no_hostile_string_is_live_in_plain_text() -> None:
    assert _live(text.card, live.plain, str)[:5] == []


def test_no_hostile_string_is_live_in_a_fallback_text_of_its_own() -> None:
    words = list(hostile.strings(COUNT, seed=8))
    assert [p for w in words for p in live.slack_markup(block_kit.fallback(w))][:5] == []


def test_no_hostile_string_is_a_formula_in_an_export() -> None:
    words = list(hostile.strings(COUNT, seed=9))
    cells = [text.safe_cell(w) for w in words]
    assert [p for c in cells for p in (*live.formula(c), *live.hidden(c))][:5] == []


def test_no_hostile_string_is_live_in_a_form() -> None:
    words = list(hostile.strings(200 * 104, seed=10))
    for i in range(0, len(words), 104):
        form = _form(words[i : i + 104])
        view, card = block_kit.modal(form), adaptive.form(form)
        assert slack_limits.view_problems(view) == []
        assert live.slack(view, set()) == []
        assert live.teams(card, set()) == []
        assert live.page(renderer.form(form), set()) == []
        assert live.plain(text.form(form), set()) == []


def test_a_hostile_address_never_becomes_live() -> None:
    live_ones = {u for w in hostile.strings(COUNT, seed=11) if (u := safe.url(w))}
    sound = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d+)?(?:[/?#][!#-&(-;=?-\[\]_a-z~]*)?")
    assert {u for u in live_ones if not sound.fullmatch(u)} == set()


@pytest.mark.parametrize(
    ("naive", "check"),
    [
        (lambda w: {"text": w, "blocks": []}, live.slack),
        (
            lambda w: {"text": "x", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": f"*{w}*"}}]},
            live.slack,
        ),
        (
            lambda w: {"text": "x", "blocks": [{"type": "section", "text": {"type": "plain_text", "text": w}}]},
            live.slack,
        ),
        (lambda w: {"fallbackText": w, "body": []}, live.teams),
        (lambda w: {"fallbackText": "x", "body": [{"type": "TextBlock", "text": w}]}, live.teams),
        (lambda w: {"fallbackText": "x", "body": [{"facts": [{"title": "x", "value": w}]}]}, live.teams),
        (lambda w: f"<p>{w}</p>", live.page),
        (lambda w: f'<a href="{stdlib_html.escape(w)}" rel="noopener">x</a>', live.page),
        (lambda w: f"Hello {w}", live.plain),
        (lambda w: w, lambda w, _: live.formula(w)),
    ],
)
def test_a_naive_renderer_is_caught_by_the_same_checks(
    naive: Callable[[str], Any], check: Callable[[Any, set[str]], list[str]]
) -> None:
    caught = [w for w in hostile.ATTACKS if check(naive(w), set())]
    assert len(caught) >= 6
    assert check(naive("<!channel> <script>x</script>" if check is live.page else hostile.ATTACKS[0]), set()) or caught
