"""The small pieces of an Adaptive Card: text runs and escaped text that no data can turn into markup."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from cards import card as model
from cards import limits, safe, text

Element = dict[str, Any]

NOTHING = "–"

_COLOR = {"red": "Attention", "amber": "Warning", "green": "Good", "none": "Default"}
_TONE: dict[model.Tone, Element] = {
    "normal": {},
    "strong": {"weight": "Bolder"},
    "muted": {"isSubtle": True, "size": "Small"},
}
_MARKDOWN = re.compile(r"[\\`*_\[\]<>~|&]")
_LINE_START = re.compile(r"^(\s*)([#+\-=]|\d{1,9}(?=[.)]))", re.MULTILINE)


def escape(words: str) -> str:
    """Text for a TextBlock or a fact, in which no markdown, mention, link or date function is live."""
    escaped = _MARKDOWN.sub(r"\\\g<0>", safe.quiet(words))
    return _LINE_START.sub(_escaped_start, escaped)


def _escaped_start(found: re.Match[str]) -> str:
    mark = found[2]
    return f"{found[1]}{mark}{safe.JOINER}" if mark.isdigit() else f"{found[1]}\\{mark}"


def envelope(summary: str, body: Sequence[Element]) -> dict[str, Any]:
    """A whole card around `body`; `summary` is what a client shows that cannot show the card."""
    return {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.5",
        "fallbackText": safe.cut(safe.quiet(safe.line(summary)), 500) or NOTHING,
        "msteams": {"width": "Full"},
        "body": list(body),
    }


def size(value: Any) -> int:
    """Bytes of JSON in its longest usual form: spaces after separators, other than ASCII escaped."""
    return len(json.dumps(value, ensure_ascii=True))


def heading(block: model.Heading) -> list[Element]:
    """A TextBlock, since only these are headings for a screen reader; so it is escaped."""
    words = safe.cut(safe.line(block.text), limits.TEAMS_LABEL)
    if not words:
        return []
    look = {"style": "heading", "size": "Large" if block.level == 1 else "Medium", "weight": "Bolder", "wrap": True}
    return [{"type": "TextBlock", "text": escape(words), **look}]


def paragraph(block: model.Text, limit: int) -> list[Element]:
    """A block a line; `limit` characters in all."""
    words = safe.cut(safe.clean(block.text), limit)
    return [e for part in words.split("\n") for e in rich([run(part, limit, **_TONE[block.tone])])]


def status(kind: model.Status) -> Element:
    """Symbol and word, coloured."""
    return run(text.status(kind), 100, weight="Bolder", color=_COLOR[kind])


def fact(words: str, limit: int) -> str:
    """Text of a FactSet, which reads markdown."""
    return escape(safe.cut(safe.line(words), limit)) or NOTHING


def link(link: model.Link, chars: int) -> Element:
    """A run that opens the address, or the words alone when the address may not be live."""
    words = run(safe.line(link.text) or NOTHING, chars)
    address = safe.url(link.url)
    if address:
        words |= {"color": "Accent", "underline": True, "selectAction": {"type": "Action.OpenUrl", "url": address}}
    return words


def run(words: str, limit: int, **how: Any) -> Element:
    """A TextRun, which reads no markdown; a space at either end is kept."""
    said = safe.line(words)
    lead, trail = (" " if said and words[:1] == " " else ""), (" " if said and words[-1:] == " " else "")
    return {"type": "TextRun", "text": safe.cut(safe.quiet(lead + said + trail), limit), **how}


def rich(runs: Sequence[Element], **how: Any) -> list[Element]:
    """One RichTextBlock of the runs that say something; none when none does."""
    said = [r for r in runs if r["text"]]
    return [{"type": "RichTextBlock", "inlines": said, **how}] if said else []
