"""What the process writes about itself: one JSON object a line on stderr, without secrets, bodies or figures."""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from typing import IO

HIDDEN = "[hidden]"

_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\bx(?:ox[a-z]|app)(?:\.xox[a-z])?-[A-Za-z0-9-]+"), HIDDEN),  # Slack's tokens
    (re.compile(r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?"), HIDDEN),  # JSON web tokens
    (re.compile(r"(?i)\b(bearer|basic)\s+(?!\[hidden\])[A-Za-z0-9._~+/=-]{6,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"(?i)(hooks\.slack(?:-gov)?\.com/)[^\s\"'<>]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)([a-z][a-z0-9+.-]{0,30}://[^\s:/@\"']{0,100}):[^\s/\"']{1,300}@"), rf"\1:{HIDDEN}@"),
    (
        re.compile(
            r"(?i)([\"']?[a-z0-9_-]{0,40}(?:signing_?secret|client_?secret|app_?password|password|passwd|api_?key|"
            r"(?:bot|app|access|refresh|id)_?token|\btoken|x-slack-signature|authorization)[\"']?\s*[:=]\s*)"
            r"(?!(?:bearer|basic)\b)([\"']?)(?!\[hidden\])[^\s\"',;&}\])]+\2"
        ),
        rf"\1\2{HIDDEN}\2",
    ),
    (re.compile(r"\bv0=[0-9a-f]{16,}"), HIDDEN),  # a request's signature
)

_PLAIN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
"""What every record carries; all else was given as `extra` and is written as fields of its own."""

_ALLOWED = frozenset(
    {"reference", "route", "kind", "platform", "outcome", "seconds", "status", "attempts", "rows", "version"}
)
"""Names of `extra` that are written. Others may hold what somebody said or scored, and are left out."""

LONGEST = 2000
"""Characters of a message or of a trace; a line must not carry a whole body by accident."""


def redact(text: str) -> str:
    """`text` without anything that opens a door: tokens, signatures, passwords, incoming-webhook addresses."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


class Lines(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, allowed extras, and where it failed.

    Of an exception only type and places are told: its text may quote a statement's parameters or a body.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _short(redact(_message(record)[: 2 * LONGEST])),
        }
        for name, value in record.__dict__.items():
            if name in _ALLOWED and name not in _PLAIN:
                line[name] = redact(value) if isinstance(value, str) else _number(value)
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = type(record.exc_info[1]).__qualname__
            line["where"] = _places(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # logging itself would print the arguments, unredacted
        return f"{record.msg} (its arguments do not fit)"


def _number(value: object) -> object:
    return value if isinstance(value, (bool, int, float)) else str(type(value).__name__)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _places(error: BaseException) -> list[str]:
    """file:line in function, innermost last, of the error and of what caused it."""
    places: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen and len(places) < 60:
        seen.add(id(current))
        frames = traceback.extract_tb(current.__traceback__)[-15:]
        places.extend(f"{f.filename.rsplit('site-packages/', 1)[-1]}:{f.lineno} in {f.name}" for f in frames)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
        if current is not None:
            places.append(f"caused by {type(current).__qualname__}")
    return places


def setup(level: str = "info", stream: IO[str] | None = None) -> None:
    """Sends every logger of the process to `stream` (stderr) as JSON lines, from `level` on.

    Libraries that log bodies, parameters or every request are kept at WARNING, whatever the level.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("slack_bolt", "slack_sdk", "botbuilder", "botframework", "msrest", "urllib3", "requests_oauthlib",
                  "aiohttp.access", "sqlalchemy", "aiosqlite", "asyncio", "apscheduler", "alembic"):  # fmt: skip
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.captureWarnings(True)
