"""One card three ways: as the browser, Slack and Teams would show it, each from its real payload."""

from __future__ import annotations

from typing import TypedDict

import cards.adaptive
import cards.adaptive_forms
import cards.block_forms
import cards.block_kit
import cards.html
from bot import web_slack, web_teams
from cards.card import Card, Form
from handlers.call import Say


class Message(TypedDict):
    """A message for the page: `html`, `slack` and `teams` are fragments; `summary` is read to those who listen."""

    html: str
    slack: str
    teams: str
    summary: str
    form: bool
    update: bool
    public: bool


def of_say(say: Say, nonce: str) -> Message:
    """One message of a reply. `nonce` goes into buttons that may be pressed once."""
    found = of_form(say.what) if isinstance(say.what, Form) else of_card(say.what, nonce)
    return {**found, "update": say.place == "update", "public": say.to == "public"}


def of_card(card: Card, nonce: str) -> Message:
    return {
        "html": cards.html.card(card, nonce=nonce),
        "slack": web_slack.message(cards.block_kit.message(card, nonce=nonce)),
        "teams": web_teams.message(cards.adaptive.card(card, nonce=nonce)),
        "summary": card.summary or card.title,
        "form": False,
        "update": False,
        "public": False,
    }


def of_form(form: Form) -> Message:
    return {
        "html": cards.html.form(form, form_action="/form"),
        "slack": web_slack.modal(cards.block_forms.modal(form)),
        "teams": web_teams.dialog(cards.adaptive_forms.form(form)),
        "summary": form.title,
        "form": True,
        "update": False,
        "public": False,
    }
