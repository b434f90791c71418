"""Says as what Teams takes: messages with a card, answers to a button, dialogs, and the few words of the edge."""

from __future__ import annotations

import hashlib
from typing import Any

from botbuilder.core import CardFactory

import cards.adaptive
import cards.notice
from cards.card import Card, Form, Link, Links, Text

Json = dict[str, Any]

SENT_PRIVATELY = cards.notice.private_elsewhere().summary
BELOW = "The answer is in a new message."
ALREADY = "That is done already; nothing was done twice."
WORKING = "This takes a little longer. The answer comes as a message."
NOT_DELIVERED = "The answer could not be delivered. Please try again in a moment."
NO_ACCOUNT = "I can only answer people who are signed in to this organisation."


def nonce(key: str) -> str:
    """The mark of a card's buttons that may be pressed once: the same for the same delivery."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:16]


def revised(key: str, card: Card) -> str:
    """The delivery's key where its card has been replaced: buttons of another card may be pressed once more."""
    return f"{key} {hashlib.sha256(repr(card).encode('utf-8', 'replace')).hexdigest()[:16]}"


def content(what: Card | Form, key: str) -> Json:
    """The Adaptive Card; `key` is the delivery's, so that a card sent again carries the same nonce."""
    if isinstance(what, Card):
        return cards.adaptive.card(what, nonce=nonce(key))
    form = cards.adaptive.form(what)
    for action in form.get("actions", ()):
        for one in (action, action.get("fallback")):
            if isinstance(one, dict) and "data" in one:
                one["data"] = {**one["data"], "_form": "1"}
    return form


def message(what: Card | Form, key: str) -> Json:
    """An activity that posts the card; its summary is what a notification shows."""
    card = content(what, key)
    return {"type": "message", "summary": card["fallbackText"], "attachments": [_attachment(card)]}


def text(words: str) -> Json:
    """An activity that posts plain words of the edge's own."""
    return {"type": "message", "text": words, "textFormat": "plain"}


def replacement(card: Json) -> Json:
    """The answer to a pressed button that puts `card` in the place of the old one."""
    return {"statusCode": 200, "type": "application/vnd.microsoft.card.adaptive", "value": card}


def toast(words: str) -> Json:
    """The answer to a pressed button that shows a line of words to whoever pressed it."""
    return {"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": words}


def dialog(what: Card | Form, key: str) -> Json:
    """The answer that opens a dialog, or goes on in it. A dialog is seen by whoever opened it alone."""
    card = content(what, key)
    for part in (card, *card.get("body", ())):
        if "actions" in part:
            part["actions"] = [_in_dialog(action) for action in part["actions"]]
    title = what.title[:64]
    return {
        "task": {
            "type": "continue",
            "value": {"title": title, "height": "medium", "width": "medium", "card": _attachment(card)},
        }
    }


def dialog_end(words: str) -> Json:
    """The answer that closes a dialog with a line of words."""
    return {"task": {"type": "message", "value": words}}


def _in_dialog(action: Json) -> Json:
    """Dialogs answer Action.Submit only."""
    fallback = action.get("fallback")
    return fallback if action["type"] == "Action.Execute" and isinstance(fallback, dict) else action


def open_chat(app_id: str) -> Card:
    """Said in public where the answer is private and the asker has no 1:1 chat with the bot yet."""
    words = (
        "The answer is for you alone, and the two of us have no chat yet. "
        "Open the chat with me in Teams (add the app if Teams asks), then ask again."
    )
    link = Link("Open our chat", f"https://teams.microsoft.com/l/chat/0/0?users=28:{app_id}")
    return Card("Open our chat first", (Text(words), Links((link,))), words)


def _attachment(card: Json) -> Json:
    made = CardFactory.adaptive_card(card)
    return {"contentType": made.content_type, "content": made.content}
