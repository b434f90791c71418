"""Cards in the browser: semantic, escaped, with pictures that carry their figures."""

from __future__ import annotations

import html
import json
import re

import defusedxml.ElementTree as ET
from hypothesis import given, settings

from cards import html as renderer
from cards import svg
from cards.card import Card, Field, Fields, Form, Gauge, Link, Links, Point, Trend
from tests.cards import live, sample, strategies


def test_a_card_is_an_article_with_a_heading_and_status_in_words() -> None:
    page = renderer.card(sample.CARD)
    assert page.startswith('<article class="rf-card rf-red" aria-label="Your scorecard">')
    assert '<h2 class="rf-title">Your scorecard</h2>' in page
    assert '<span class="rf-symbol" aria-hidden="true">▼</span> Red' in page


def test_a_table_has_a_caption_and_scopes() -> None:
    page = renderer.card(sample.CARD)
    assert "<caption>Tickets behind the red</caption>" in page
    assert 'scope="col"' in page
    assert 'scope="row"' in page


def test_only_http_links_are_live_and_open_without_opener() -> None:
    page = renderer.card(sample.CARD)
    assert f'<a href="{html.escape(sample.TICKET)}" target="_blank" rel="noopener noreferrer">' in page
    assert "javascript" not in page
    assert "INC-1077" in page


def test_a_button_works_with_and_without_script() -> None:
    page = renderer.card(sample.CARD, form_action="/press", nonce="n1")
    values = [json.loads(html.unescape(v)) for v in re.findall(r'name="press" value="([^"]*)"', page)]
    assert values == [
        {"route": "why", "values": {"metric": "csat"}},
        {"route": "correct", "values": {"ticket": "1042", "_n": "n1"}},
    ]
    assert 'data-route="why"' in page
    assert '<form class="rf-buttons" method="post" action="/press">' in page


def test_a_form_labels_every_question_and_carries_its_values() -> None:
    page = renderer.form(sample.FORM)
    assert page.count("<label") == len(sample.FORM.inputs)
    press = re.search(r'type="hidden" name="press" value="([^"]*)"', page)
    assert press is not None
    assert json.loads(html.unescape(press[1])) == {"route": "correct.send", "values": {"ticket": "1042"}}
    assert '<option value="outage" selected>' in page


def test_long_fields_are_laid_out_in_lines() -> None:
    assert "rf-long" in renderer.card(Card("T", (Fields((Field("A", "b" * 60),)),), "s"))


def test_a_trend_is_a_picture_with_title_description_gap_and_rules() -> None:
    root = ET.fromstring(svg.trend(sample.TREND))
    assert root.attrib["role"] == "img"
    assert root.findtext("title") == sample.TREND.title
    described = root.findtext("desc") or ""
    assert "W24 no data" in described
    assert "W32 62" in described
    assert len(root.findall("polyline")) == 2
    assert len([e for e in root.iter("line") if e.attrib["class"] == "rf-svg-red"]) == 1


def test_a_trend_without_values_draws_nothing() -> None:
    assert svg.trend(Trend("T", (Point("a", None), Point("b", float("nan"))), "", "")) == ""


def test_the_same_trend_is_always_the_same_picture() -> None:
    assert svg.trend(sample.TREND) == svg.trend(sample.TREND)


def test_a_gauge_without_a_scale_is_words_only() -> None:
    page = renderer.card(Card("T", (Gauge("Score", 5, 10, 10, "five"),), "s"))
    assert "<svg" not in page
    assert "five" in page


@given(strategies.cards, strategies.forms)
@settings(max_examples=100, deadline=None)
def test_every_card_and_form_is_well_formed_and_safe(card: Card, form: Form) -> None:
    addresses = {"https://desk.example.com/t/1?a=b&c=d#e"}
    for page in (renderer.card(card), renderer.form(form)):
        page.encode("utf-8")
        allowed = addresses | {u for u in re.findall(r'href="([^"]*)"', page) if u.startswith("https://e.example/")}
        assert live.page(page, allowed) == []


def test_the_largest_card_is_rendered() -> None:
    assert "‹ Before" in renderer.card(strategies.LARGEST)
    assert renderer.form(strategies.LARGEST_FORM).count("<label") == 200


def test_addresses_with_users_odd_schemes_or_hosts_are_words() -> None:
    bad = (
        "https://good.example@evil.example/",
        "javascript:alert(1)",
        "//evil.example",
        "https://",
        "https:///x",
        "data:x",
        "https://ex ample.com",
        'https://a.example/"onx=',
        "http://[::1",
        "https://a.example:0/",
        "https://xn\u2024.example",
        "https://a.example:99999/",
        "\u202ehttps://a.example",
        "https://" + "a" * 3000,
    )
    page = renderer.card(Card("T", (Links(tuple(Link("x", u) for u in bad)),), "s"))
    assert "href" not in page


def test_the_style_has_both_themes_and_every_class_is_prefixed() -> None:
    assert "prefers-color-scheme: dark" in renderer.STYLE
    assert set(re.findall(r"\.([a-z][a-z-]*)[\s.:,{>]", re.sub(r"\{[^}]*\}", "{", renderer.STYLE))) != set()
    classes = set(re.findall(r'class="([^"]*)"', renderer.card(sample.CARD) + renderer.form(sample.FORM)))
    assert [c for names in classes for c in names.split() if not c.startswith("rf-")] == []


def _luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_text_has_the_contrast_of_wcag_aa_in_both_themes() -> None:
    light, dark = renderer.STYLE.split("@media (prefers-color-scheme: dark)", 1)
    for theme in (light, dark):
        color = dict(re.findall(r"--rf-([a-z-]+): (#[0-9a-f]{6})", theme))
        pairs = [("ink", "paper"), ("soft", "paper"), ("accent", "paper"), ("on-accent", "accent"), ("ink", "field")]
        pairs += [(s, "paper") for s in ("red", "green")]
        pairs += [(s, f"{s}-tint") for s in ("red", "amber", "green", "none")]
        for front, back in pairs:
            high, low = sorted((_luminance(color[front]), _luminance(color[back])), reverse=True)
            assert (high + 0.05) / (low + 0.05) >= 4.5, (front, back)
