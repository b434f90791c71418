"""Text from data made harmless: the cleaning every renderer starts from, before it escapes for its own platform."""

from __future__ import annotations

import json
import math
import re
import urllib.parse
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from cards import limits

T = TypeVar("T")

ELLIPSIS = "…"
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode
JOINER = "\u2060"
"""WORD JOINER: invisible and without a line break; put inside what a client would turn into a link or a mention."""

_BREAKS = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f]")
# Bidirectional overrides, zero-width and filler characters, annotations, tags, variation selectors supplement
# and noncharacters: what can hide or reorder text without being text.
_UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_INVISIBLE = re.compile(f"[{_UNSEEN}]")
_SURROGATES = re.compile("[\ud800-\udfff]")
# Joiners belong in emoji and in some scripts; beside ASCII they only split words from their look.
_STRAY_JOINERS = re.compile("(?<![^\x00-\x7f])[\u200c\u200d]+|[\u200c\u200d]+(?![^\x00-\x7f])|[\u200c\u200d]{2,}")
_COMBINING = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
_PILES = re.compile(f"([{_COMBINING}]{{3}})[{_COMBINING}]+")
# Anything the patterns above may act on; most text has none of it and is left alone after one look.
_SUSPECT = re.compile(f"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200c\u200d\u2028\u2029\ud800-\udfff{_UNSEEN}{_COMBINING}]")
_LIVE = re.compile(
    r":(?=//)"  # http:// and any other scheme
    r"|\b(?:mailto|tel|sip|callto|xmpp|javascript|data|file)(?=:\S)"
    r"|@"  # @here, name@host
    r"|[.．。｡](?=[^\W\d_])"  # example.com, www.example
    r"|<(?=[@#!/?a-zA-Z])"  # <!channel>, <at>
    r"|[{$](?=\{)",  # {{DATE(…)}}, ${…}
    re.IGNORECASE,
)
_MAYBE_LIVE = re.compile(  # a far quicker look, which most texts pass: those characters, and what makes them live
    r"[:@.．。｡<{$](?:(?<=[@<])|(?<=:)(?=\S)|(?<=[.．。｡])(?=[^\W\d_])|(?<=[{$])(?=\{))"
)
_JOINED = r"\g<0>" + JOINER
_URL = re.compile(r"https?://[^\s\"'<>\\^`{|}\x00-\x20\x7f]+\Z", re.IGNORECASE)
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]*:[0-9a-f:.]*)\Z")
_URL_KEEP = "!#$%&()*+,/:;=?@[]~-._"


def clean(text: str) -> str:
    """`text` without control, bidirectional, invisible and unpaired surrogate characters; line breaks are \\n.

    Always encodable as UTF-8. Paired surrogates become the character they stand for.
    """
    text = text[: limits.RAW_TEXT]
    if not _SUSPECT.search(text):
        return text.strip()
    if _SURROGATES.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    text = _BREAKS.sub("\n", text).replace("\t", " ")
    text = _CONTROLS.sub("", text)
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
        text = _STRAY_JOINERS.sub("", text)
        text = _PILES.sub(r"\1", text)
    return text.strip()


def line(text: str) -> str:
    """`clean` text on one line, with runs of white space as one space."""
    return " ".join(clean(text).split())


def units(text: str) -> int:
    """Length in UTF-16 code units, the larger of the ways platforms count."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, limit: int) -> str:
    """`text` in at most `limit` UTF-16 units, with … at the end where something is missing."""
    if 2 * len(text) <= limit or units(text) <= limit:
        return text
    kept = text[: max(limit - 1, 0)]
    while units(kept) > limit - 1:
        kept = kept[:-1]
    return (kept.rstrip("\u200d\ufe0f \n") + ELLIPSIS)[:limit]


def quiet(text: str) -> str:
    """`text` looking the same, in which no client finds a link, a mention or a date function of its own accord."""
    return _LIVE.sub(_JOINED, text) if _MAYBE_LIVE.search(text) else text


def url(address: str) -> str:
    """The address when it may be rendered live (http or https, a host, no user part), percent-encoded; else ""."""
    address = address.strip()
    if len(address) > limits.URL or not _URL.match(address) or clean(address) != address:
        return ""
    try:
        parts = urllib.parse.urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if not _HOST.match(host) or port == 0 or "@" in parts.netloc or parts.netloc.endswith(":"):
        return ""
    encoded = urllib.parse.quote(urllib.parse.urlunsplit(parts), safe=_URL_KEEP)
    return encoded if len(encoded) <= limits.URL else ""


def number(value: float | None) -> float | None:
    """A number every platform can draw: None for no data, NaN and infinities; huge ones are clamped to ±10¹²."""
    if value is None or not math.isfinite(value):
        return None
    return float(value) if -1e12 <= value <= 1e12 else math.copysign(1e12, value)


def figure(value: float) -> str:
    """A number as people write it: at most one decimal under a thousand, none above."""
    if abs(value) >= 1e6:
        return f"{value:.3g}".replace("e+", "e")
    digits = 0 if abs(value) >= 1000 else 1
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def compact(values: object) -> str:
    """Values of a button as the shortest JSON, ASCII and encodable whatever they hold."""
    return _encode(values)


def sound(key: str) -> str:
    """A name or value that is not shown but sent: as it is, with unpaired surrogates replaced."""
    return key if key.isascii() else key.encode("utf-8", "replace").decode()


def values(pairs: Mapping[str, str]) -> dict[str, str]:
    """Button or form values that survive every transport."""
    return {sound(k): sound(v) for k, v in pairs.items()}


def unique(names: Iterable[str], limit: int) -> list[str]:
    """Each name within the limit and different from those before it."""
    found: list[str] = []
    for name in names:
        base = said = cut(line(name) or "–", limit)
        n = 2
        while said in found:
            said = f"{cut(base, limit - len(str(n)) - 1)} {n}"
            n += 1
        found.append(said)
    return found


def fitting(parts: Sequence[T], tail: int, fits: Callable[[Sequence[T]], bool]) -> tuple[list[T], int]:
    """The longest prefix of `parts` that fits together with the last `tail` of them, and how many were left out.

    `fits` must be monotone: what fits still fits with less.
    """
    if fits(parts):
        return list(parts), 0
    body, end = list(parts[: len(parts) - tail]), list(parts[len(parts) - tail :])
    low, high = 0, len(body)
    while low < high:
        middle = (low + high + 1) // 2
        if fits(body[:middle] + end):
            low = middle
        else:
            high = middle - 1
    return body[:low] + end, len(body) - low
