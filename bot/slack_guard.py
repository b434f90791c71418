"""The guard before Bolt: only requests that Slack signed, and that look as Slack documents them, get past it."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus, urlsplit

LIMIT = 1_000_000
"""Bytes of a request; Slack's own stay far below."""
WINDOW = 300
"""Seconds a signature is good for, before and after (docs.slack.dev, verifying requests from Slack)."""
FIELDS = 100
TEXT = 4_000
"""Characters of what somebody typed that are looked at."""

_TIMESTAMP = re.compile(r"[0-9]{1,11}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_ID = re.compile(r"[A-Za-z0-9_.\-]{1,100}")
_UNESCAPED = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))

Body = dict[str, Any]


class TurnedAway(Exception):
    """The request gets `status` (4xx) and a few words that tell an attacker nothing."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


def headers(timestamp: str, signature: str, now: float) -> None:
    """Raises TurnedAway where the headers alone show that Slack did not sign this, or long ago."""
    if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
        raise TurnedAway(401, "not signed")
    if abs(now - int(timestamp)) > WINDOW:
        raise TurnedAway(401, "signed too long ago")


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """`v0=` and the HMAC-SHA256 of "v0:timestamp:body" under the app's signing secret."""
    signed = b"v0:" + timestamp.encode("ascii") + b":" + body
    return "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def verify(secret: str, timestamp: str, given: str, body: bytes) -> None:
    """Raises TurnedAway where `given` is not the signature of this body; compares in constant time.

    An empty secret signs nothing: everybody could make such a signature.
    """
    if not secret or not hmac.compare_digest(signature(secret, timestamp, body).encode(), given.encode()):
        raise TurnedAway(401, "not signed")


def parse(content_type: str, body: bytes) -> Body:
    """The request's body as plain values. Raises TurnedAway where it is not what its type says."""
    kind = content_type.partition(";")[0].strip().lower()
    try:
        text = body.decode("utf-8")
        if kind == "application/json":
            found = json.loads(text)
        elif kind == "application/x-www-form-urlencoded":
            found = _fields(text)
            if "payload" in found:
                found = json.loads(found["payload"])
        else:
            raise TurnedAway(415, "not a type Slack sends")
    except (ValueError, RecursionError):
        raise TurnedAway(400, "malformed") from None
    if not isinstance(found, dict):
        raise TurnedAway(400, "malformed")
    return found


def _fields(text: str) -> Body:
    """The fields of a form, the last of each name. Raises ValueError where there are too many.

    As `parse_qsl` has it, which decodes each name and value whether anything in it is encoded or not.
    """
    if text.count("&") >= FIELDS:
        raise ValueError("too many fields")
    found: Body = {}
    for pair in text.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            found[_decoded(name)] = _decoded(value)
    return found


def _decoded(text: str) -> str:
    return unquote_plus(text, errors="replace") if "%" in text or "+" in text else text


def shape(body: Body) -> Body | None:
    """The fields of a payload that the product reads, each of the type Slack documents; nothing else is passed on.

    None where the payload is Slack's and nothing needs doing (a link pressed, a message edited, a bot's own words).
    Raises TurnedAway(400) where a field is missing or of another type.
    """
    if isinstance(body.get("command"), str):
        return _command(body)
    kind = body.get("type")
    if kind == "url_verification":
        return {"type": kind, "challenge": _text(body, "challenge")[:500]}
    if kind == "event_callback":
        return _event(body)
    if kind == "block_actions":
        return _action(body)
    if kind == "view_submission":
        return _submission(body)
    if isinstance(kind, str):
        return None
    raise TurnedAway(400, "malformed")


def _command(body: Body) -> Body:
    return {
        "command": _text(body, "command")[:100],
        "text": said(_text(body, "text", "")),
        **{k: _id(body, k) for k in ("team_id", "user_id", "channel_id", "trigger_id")},
        "response_url": _text(body, "response_url", ""),
    }


def _event(body: Body) -> Body | None:
    event = _dict(body, "event")
    found: Body = {
        "type": "event_callback",
        "team_id": _id(body, "team_id"),
        "event_id": _id(body, "event_id"),
    }
    match event.get("type"):
        case "message":
            if event.get("channel_type") != "im" or "subtype" in event or "bot_id" in event:
                return None
            said_by = {"user": _id(event, "user"), "channel": _id(event, "channel")}
            team = _id(event, "team") if "team" in event else found["team_id"]
            return found | {"event": {"type": "message", **said_by, "team": team, "text": said(_text(event, "text"))}}
        case "app_home_opened":
            if event.get("tab") != "home":
                return None
            return found | {"event": {"type": "app_home_opened", "user": _id(event, "user")}}
        case "app_uninstalled" | "tokens_revoked" as gone:
            return found | {"event": {"type": gone}}
        case str():
            return None
        case _:
            raise TurnedAway(400, "malformed")


def _who(body: Body) -> Body:
    """User and team of an interaction; somebody of a connected workspace brings their own team."""
    user = _dict(body, "user")
    team = _id(user, "team_id") if "team_id" in user else _id(_dict(body, "team"), "id")
    return {"user": {"id": _id(user, "id"), "team_id": team}}


def _action(body: Body) -> Body | None:
    actions = body.get("actions")
    if not isinstance(actions, list) or not actions or not isinstance(actions[0], dict):
        raise TurnedAway(400, "malformed")
    pressed = actions[0]
    name = _text(pressed, "action_id")[:255]
    if not name.startswith("go:"):
        return None
    found: Body = {
        "type": "block_actions",
        **_who(body),
        "trigger_id": _id(body, "trigger_id"),
        "actions": [{"action_id": name, "block_id": "", "value": _text(pressed, "value", "")}],
        "response_url": _text(body, "response_url", ""),
        "container": {},
    }
    container = body.get("container")
    if isinstance(container, dict):
        found["container"]["is_ephemeral"] = container.get("is_ephemeral") is True
    if body.get("channel") is not None:
        found["channel"] = {"id": _id(_dict(body, "channel"), "id")}
    if body.get("view") is not None:
        found["view"] = {"type": _text(_dict(body, "view"), "type")[:20]}
    return found


def _submission(body: Body) -> Body | None:
    view = _dict(body, "view")
    name = _text(view, "callback_id")[:255]
    if not name.startswith("form:"):
        return None
    return {
        "type": "view_submission",
        **_who(body),
        "trigger_id": _id(body, "trigger_id"),
        "view": {
            "type": "modal",
            "id": _id(view, "id"),
            "hash": _id(view, "hash"),
            "callback_id": name,
            "private_metadata": _text(view, "private_metadata", ""),
            "state": {"values": _dict(_dict(view, "state"), "values")},
        },
    }


def _dict(body: Mapping[str, Any], name: str) -> Body:
    found = body.get(name)
    if not isinstance(found, dict):
        raise TurnedAway(400, "malformed")
    return found


def _text(body: Mapping[str, Any], name: str, default: str | None = None) -> str:
    found = body.get(name, default)
    if not isinstance(found, str):
        raise TurnedAway(400, "malformed")
    return found


def _id(body: Mapping[str, Any], name: str) -> str:
    found = _text(body, name)
    if not _ID.fullmatch(found):
        raise TurnedAway(400, "malformed")
    return found


def plain(text: str) -> str:
    """Text that every database and every log takes: no NUL, no unpaired surrogate."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def said(text: str) -> str:
    """What somebody typed, without Slack's three escapes and not endless."""
    text = plain(text[:TEXT])
    for escape, character in _UNESCAPED:
        text = text.replace(escape, character)
    return text


def may_answer(url: str, api_url: str) -> bool:
    """Whether an answer may go to this response_url: Slack's own host, or the host that stands in for it."""
    try:
        given, api = urlsplit(url), urlsplit(api_url)
        _ = given.port
    except ValueError:
        return False
    if not url.isascii() or not url.isprintable() or "\\" in url or "@" in given.netloc:
        return False
    if api.netloc in ("slack.com", "slack-gov.com"):
        return given.scheme == "https" and given.netloc == f"hooks.{api.netloc}"
    return bool(api.netloc) and (given.scheme, given.netloc) == (api.scheme, api.netloc)
