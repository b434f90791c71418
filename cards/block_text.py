"""The small pieces of Block Kit: text objects and rich text runs that no data can turn into a mention or a link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cards import card as model
from cards import limits, safe

Block = dict[str, Any]

NOTHING = "–"
_NOT_COUNTED = {"type", "style", "action_id", "block_id", "align", "emoji", "is_wrapped"}


def fallback(words: str) -> str:
    """Notification text: `& < >` escaped, and nothing in it that Slack would turn into a mention or a link."""
    quiet = safe.quiet(safe.clean(words)) or "Redfirst"
    limit = limits.SLACK_FALLBACK
    escaped = _escape(safe.cut(quiet, limit))
    while safe.units(escaped) > limits.SLACK_FALLBACK:
        limit = limit * 3 // 4
        escaped = _escape(safe.cut(quiet, limit))
    return escaped


def weight(blocks: Any) -> int:
    """Characters of all texts, addresses and values in a payload, as Slack's limit on a whole message counts them."""
    total, left = 0, [blocks]
    while left:
        value = left.pop()
        if isinstance(value, str):
            total += safe.units(value)
        elif isinstance(value, list):
            left += value
        elif isinstance(value, dict):
            left += [v for k, v in value.items() if k not in _NOT_COUNTED]
    return total


def link(link: model.Link, limit: int) -> list[Block]:
    """A link element, or the words alone when the address may not be live."""
    address = safe.url(link.url)
    if not address:
        return [run(safe.line(link.text) or NOTHING, limit)]
    return [{"type": "link", "url": address, "text": safe.cut(safe.line(link.text) or address, limit)}]


def run(words: str, limit: int, *, bold: bool = False, lines: bool = False) -> Block:
    """A piece of rich text, which Slack shows as it is; `lines` keeps line breaks."""
    return piece(safe.clean(words) if lines else _spaced(words), limit, bold=bold)


def piece(said: str, limit: int, *, bold: bool = False) -> Block:
    """The same of words that are clean already."""
    if bold:
        return {"type": "text", "text": safe.cut(said, limit), "style": {"bold": True}}
    return {"type": "text", "text": safe.cut(said, limit)}


def _spaced(words: str) -> str:
    """One line that keeps a space at either end, which separates it from the next run."""
    said = safe.line(words)
    if not said:
        return ""
    return (" " if words[:1] == " " else "") + said + (" " if words[-1:] == " " else "")


def rich(runs: Sequence[Block]) -> list[Block]:
    """One rich_text block of the runs that say something; none when none does."""
    said = [r for r in runs if r["text"]]
    if not said:
        return []
    return [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": said}]}]


def plain(words: str, limit: int, otherwise: str = NOTHING) -> Block:
    """A plain_text object on one line, never empty."""
    return literal(safe.line(words) or safe.line(otherwise) or NOTHING, limit)


def literal(words: str, limit: int) -> Block:
    """A plain_text object of clean words; no emoji codes, and no address a client would find by itself."""
    return {"type": "plain_text", "text": safe.cut(safe.quiet(words), limit), "emoji": False}


def section(words: str, limit: int) -> Block:
    return {"type": "section", "text": literal(words, limit)}


def context(words: str, limit: int = limits.SLACK_TEXT) -> Block:
    return {"type": "context", "elements": [literal(words, limit)]}


def _escape(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
