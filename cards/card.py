"""The neutral card: a small union of blocks that every renderer knows, and its JSON form.

Cards carry only plain text (no markup of any platform); renderers escape it. A card is a value:
it can be stored in the outbox, compared in tests and rendered to four platforms from one model.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["red", "amber", "green", "none"]
Tone = Literal["normal", "muted", "strong"]
ButtonStyle = Literal["normal", "primary", "danger"]
InputKind = Literal["text", "multiline", "choice", "date", "number"]

SYMBOL: dict[str, str] = {"red": "▼", "amber": "◆", "green": "●", "none": "○"}
"""Shape beside the word: status is never told by colour alone."""

WORD: dict[str, str] = {"red": "Red", "amber": "Amber", "green": "Green", "none": "No colour yet"}


@dataclass(frozen=True, slots=True)
class Link:
    """A piece of text that opens `url`; only http and https addresses are ever rendered live."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A title inside a card; `level` 1 is the card's own title, 2 a part of it."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph. `muted` is for the small print (data as of, sample).

    What is `spare` is told elsewhere too, and goes first where a platform has no room for everything.
    """

    text: str
    tone: Tone = "normal"
    spare: bool = False


@dataclass(frozen=True, slots=True)
class Badge:
    """A status in word and symbol with what it is about, e.g. ▼ Red · Customer satisfaction."""

    status: Status
    text: str


@dataclass(frozen=True, slots=True)
class Field:
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Fields:
    """Label and value pairs, shown in two columns where the platform can."""

    items: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells (text or links) under a head; renderers cut to the platform's size and say so."""

    head: tuple[str, ...]
    rows: tuple[tuple[str | Link, ...], ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Gauge:
    """One value on a scale (a balanced score of 0..100) with its words, e.g. "74 of 100, up 3"."""

    label: str
    value: float
    low: float
    high: float
    words: str
    status: Status = "none"


@dataclass(frozen=True, slots=True)
class Point:
    """One step of a trend; `value` is None where there was no data (drawn as a gap)."""

    label: str
    value: float | None


@dataclass(frozen=True, slots=True)
class Rule:
    """A horizontal line on a trend: the target, the red line."""

    label: str
    value: float


@dataclass(frozen=True, slots=True)
class Trend:
    """A line over time (at most 20 points). `words` carries the figures for those who cannot see it."""

    title: str
    points: tuple[Point, ...]
    unit: str
    words: str
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Button:
    """Something to press. `route` names an entry of `handlers.routes`; `values` come back as Call.values.

    Values are hints, never authority: whoever presses is checked again. `once` asks the edge for a
    nonce, so that a second press of the same button is a duplicate and not a second act.
    """

    text: str
    route: str
    values: dict[str, str] = field(default_factory=dict)
    style: ButtonStyle = "normal"
    once: bool = False


BESIDE: dict[str, str] = {"beside": "1"}
"""Among the values of a button: what it shows stands beside the card that it is on, and never in its place."""


@dataclass(frozen=True, slots=True)
class Buttons:
    items: tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class Links:
    """Links in a row, e.g. to the ticket system."""

    items: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Divider:
    pass


Block = Heading | Text | Badge | Fields | Table | Gauge | Trend | Buttons | Links | Divider


@dataclass(frozen=True, slots=True)
class Card:
    """What is said. `summary` is the notification and fallback text: plain, short, complete in itself."""

    title: str
    blocks: tuple[Block, ...]
    summary: str
    status: Status = "none"


@dataclass(frozen=True, slots=True)
class Choice:
    text: str
    value: str


@dataclass(frozen=True, slots=True)
class Input:
    """One question of a form; `name` is the key in Call.values."""

    name: str
    label: str
    kind: InputKind = "text"
    choices: tuple[Choice, ...] = ()
    value: str = ""
    hint: str = ""
    optional: bool = False
    max_length: int = 1000


@dataclass(frozen=True, slots=True)
class Form:
    """A dialog. `route` receives the answers; `values` travel with it (hints, never authority)."""

    title: str
    route: str
    inputs: tuple[Input, ...]
    submit: str = "Send"
    intro: str = ""
    values: dict[str, str] = field(default_factory=dict)


_KINDS: dict[str, type] = {
    c.__name__: c
    for c in (
        Link, Heading, Text, Badge, Field, Fields, Table, Gauge, Point, Rule, Trend, Button,
        Buttons, Links, Divider, Card, Choice, Input, Form,
    )
}


def to_json(value: Any) -> Any:
    """A card, form or block as plain JSON values; `from_json` gives back an equal one."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        body = {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"is": type(value).__name__, **body}
    if isinstance(value, (tuple, list)):
        return [to_json(v) for v in value]
    if isinstance(value, dict):
        return {str(k): to_json(v) for k, v in value.items()}
    return value


def from_json(value: Any) -> Any:
    """The inverse of `to_json`. Raises ValueError on a kind this version does not know."""
    if isinstance(value, list):
        return tuple(from_json(v) for v in value)
    if isinstance(value, dict):
        if "is" not in value:
            return {k: from_json(v) for k, v in value.items()}
        kind = _KINDS.get(value["is"])
        if kind is None:
            raise ValueError(f"unknown card block {value['is']!r}")
        return kind(**{k: from_json(v) for k, v in value.items() if k != "is"})
    return value
