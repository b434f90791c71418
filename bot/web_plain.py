"""The demo page without script: forms that the browser itself sends, and answers that are part of the page."""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

import cards.html
from bot.web_guard import TurnedAway
from cards.card import Form
from handlers.call import Say

PATH = "/plain"
_FORM = "application/x-www-form-urlencoded"


def address(what: str, person_id: int, token: str, nonce: str) -> str:
    """Where a form of the page goes: who sends it, that it is ours, and what makes sending it again the same act."""
    return f"{PATH}/{what}?{urlencode({'as': person_id, 'page': token, 'n': nonce})}"


def body(raw: bytes, content_type: str, nonce: str) -> dict[str, Any]:
    """The fields of a form as the page's script would have sent them. Raises TurnedAway."""
    if content_type != _FORM:
        raise TurnedAway(415, "Send the page's form.")
    try:
        fields = dict(parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=100))
        pressed = json.loads(fields.pop("press", "{}"))
    except (ValueError, RecursionError):
        raise TurnedAway(400, "That is no form of ours.") from None
    if not isinstance(pressed, dict):
        raise TurnedAway(400, "That is no form of ours.")
    given = pressed.get("values")
    values = {**(given if isinstance(given, dict) else {}), **fields}
    mark = hashlib.sha256(raw).hexdigest()[:16]  # of one page several buttons may be pressed, each once
    return {"text": fields.get("text", ""), "route": pressed.get("route"), "values": values, "nonce": f"{nonce}-{mark}"}


def talk(asked: str, says: Sequence[Say], person_id: int, token: str, nonce: Callable[[], str]) -> str:
    """What was asked and what the answer is, as items of the conversation."""
    items = [f'<li class="me"><p class="bubble">{html.escape(asked)}</p></li>'] if asked else []
    for say in says:
        if isinstance(say.what, Form):
            shown = cards.html.form(say.what, form_action=address("form", person_id, token, nonce()))
        else:
            action = address("press", person_id, token, nonce())
            shown = cards.html.card(say.what, form_action=action, nonce=nonce())
        note = '<p class="note">Everybody in the channel sees:</p>' if say.to == "public" else ""
        items.append(f'<li class="bot">{note}<div class="views"><div class="view as-html">{shown}</div></div></li>')
    if not says:
        items.append('<li class="bot"><p class="bubble">That was done already.</p></li>')
    return "".join(items)
