"""Finds what a client would make live out of data: mentions, links, markup, formulas, hidden characters."""

from __future__ import annotations

import html.parser
import re
import unicodedata
from collections.abc import Iterator, Set
from typing import Any

_LINK = re.compile(
    r"[a-z][a-z0-9+.-]*://\S|\bwww\.\w|[^\s.]\.[a-z]{2,}|\b(?:mailto|tel|javascript|data):\S", re.IGNORECASE
)
_MENTION = re.compile(r"@[^\s\u2060]|<[@#!/a-z]", re.IGNORECASE)
_DATE = re.compile(r"\{\{|\$\{")
_MARKDOWN = re.compile(r"(?<!\\)(?:\\\\)*[*_`~\[\]<>]|^\s*(?:[#>+\-=]|\d+[.)])", re.MULTILINE)
_ENTITY = re.compile(r"&(?!(?:amp|lt|gt);)")
_HIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2061-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_TAGS = {
    "article",
    "h2",
    "h3",
    "p",
    "span",
    "dl",
    "div",
    "dt",
    "dd",
    "figure",
    "figcaption",
    "table",
    "caption",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "form",
    "button",
    "ul",
    "li",
    "a",
    "hr",
    "br",
    "svg",
    "title",
    "desc",
    "path",
    "line",
    "text",
    "circle",
    "polyline",
    "polygon",
    "label",
    "input",
    "select",
    "option",
    "textarea",
}
_ATTRIBUTES = {
    "class",
    "aria-label",
    "aria-hidden",
    "role",
    "tabindex",
    "scope",
    "method",
    "action",
    "type",
    "name",
    "value",
    "data-route",
    "data-values",
    "href",
    "target",
    "rel",
    "viewbox",
    "d",
    "x",
    "y",
    "x1",
    "x2",
    "y1",
    "y2",
    "cx",
    "cy",
    "r",
    "points",
    "text-anchor",
    "maxlength",
    "rows",
    "step",
    "required",
    "selected",
}


def hidden(text: str) -> list[str]:
    return [f"hidden character in {text!r}"] if _HIDDEN.search(text) else []


def loose(text: str) -> list[str]:
    """A link or mention that a client finds in plain text by itself."""
    found = [f"{p.pattern[:12]}… in {text!r}" for p in (_LINK, _MENTION, _DATE) if p.search(text)]
    return found + hidden(text)


def slack_markup(text: str) -> list[str]:
    """What Slack reads in a message's `text` or in mrkdwn: <…>, entities, and what it links by itself."""
    found = [f"raw < or > in {text!r}"] if "<" in text or ">" in text else []
    if _ENTITY.search(text):
        found.append(f"raw & in {text!r}")
    return found + loose(text.replace("&lt;", " ").replace("&gt;", " ").replace("&amp;", " "))


def slack(payload: Any, addresses: Set[str]) -> list[str]:
    """Live things in a message or view, apart from link elements to `addresses`."""
    found = slack_markup(payload["text"]) if isinstance(payload.get("text"), str) else []
    for node in _nodes(payload.get("blocks", [])):
        match node.get("type"):
            case "plain_text":
                found += loose(node["text"])
                if node.get("emoji") is not False:
                    found.append("emoji codes are on")
            case "mrkdwn":
                found += slack_markup(node["text"])
            case "text" | "raw_text":
                found += hidden(node["text"])
            case "link":
                if node["url"] not in addresses:
                    found.append(f"link to {node['url']!r}")
                found += hidden(node["text"])
            case "user" | "usergroup" | "channel" | "broadcast" | "emoji" | "date" | "color":
                found.append(f"mention {node}")
    return found


def teams(card: Any, addresses: Set[str]) -> list[str]:
    """Live things in an Adaptive Card, apart from Action.OpenUrl to `addresses`."""
    found = ["mention entities"] if "entities" in card.get("msteams", {}) else []
    found += loose(card["fallbackText"])
    for node in _nodes(card["body"]):
        kind = node.get("type", "")
        if kind == "TextBlock":
            found += _markdown(node["text"])
        elif kind == "TextRun":
            found += loose(node["text"])
        elif "facts" in node:
            found += [p for f in node["facts"] for p in (*_markdown(f["title"]), *_markdown(f["value"]))]
        elif kind == "Action.OpenUrl" and node["url"] not in addresses:
            found.append(f"link to {node['url']!r}")
        for key in ("title", "legend", "x", "yAxisTitle"):
            if kind.startswith("Chart.") and isinstance(node.get(key), str):
                found += loose(node[key])
    return found


def _markdown(text: str) -> list[str]:
    found = [f"markdown in {text!r}"] if _MARKDOWN.search(text) else []
    return found + loose(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text))


class _Reader(html.parser.HTMLParser):
    def __init__(self, addresses: Set[str]) -> None:
        super().__init__()
        self.found: list[str] = []
        self.addresses = addresses

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            self.found.append(f"tag {tag}")
        names = [name for name, _ in attrs]
        self.found += [f"attribute {name}" for name in names if name not in _ATTRIBUTES]
        if len(set(names)) != len(names):
            self.found.append(f"attribute twice in {tag}")
        given = dict(attrs)
        if tag == "a":
            if given.get("href") not in self.addresses:
                self.found.append(f"link to {given.get('href')!r}")
            if "noopener" not in (given.get("rel") or ""):
                self.found.append("link without noopener")
        if tag == "form" and given.get("action") != "/press":
            self.found.append(f"form to {given.get('action')!r}")

    def handle_comment(self, data: str) -> None:
        self.found.append(f"comment {data!r}")

    def handle_decl(self, decl: str) -> None:
        self.found.append(f"declaration {decl!r}")

    def handle_pi(self, data: str) -> None:
        self.found.append(f"instruction {data!r}")

    def handle_data(self, data: str) -> None:
        self.found += hidden(data)


def page(fragment: str, addresses: Set[str]) -> list[str]:
    """Live things in an HTML fragment, apart from links to `addresses` and forms to /press."""
    reader = _Reader(addresses)
    reader.feed(fragment)
    reader.close()
    return reader.found


def plain(text: str, addresses: Set[str]) -> list[str]:
    """Live things in plain text, apart from the `addresses` spelt out."""
    for address in sorted(addresses, key=len, reverse=True):
        text = text.replace(address, "")
    return [p for line in text.split("\n") for p in loose(line)]


def formula(cell: str) -> list[str]:
    """Whether a spreadsheet would run the cell."""
    start = unicodedata.normalize("NFKC", cell).lstrip()[:1]
    return [f"formula {cell!r}"] if start in {"=", "+", "-", "@"} or cell[:1] in {"\t", "\r"} else []


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for key, inner in value.items():
            if key not in ("data", "value") or isinstance(inner, list):
                yield from _nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _nodes(inner)
