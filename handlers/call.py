"""Call, Reply, Ctx: the whole vocabulary between an edge and a handler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from cards.card import Card, Form

if TYPE_CHECKING:
    from scoring.people import Person
    from scoring.rules import Rules
    from storage.db import Db

Kind = Literal["command", "message", "action", "form", "home", "event"]
Platform = Literal["slack", "teams", "demo"]


@dataclass(frozen=True, slots=True)
class Where:
    """Where somebody asked. `private` is true where only the asker (and the bot) can read."""

    platform: Platform
    space: str  # Slack team id, Teams tenant id, "demo"
    channel: str = ""
    private: bool = True


@dataclass(frozen=True, slots=True)
class Call:
    """What somebody asked.

    For commands and messages `name` is the command's word ("myscore") and `text` what followed it;
    for buttons and forms `name` is the route and `values` what came back (hints, never authority).
    `account` is the asker's account on the platform, as the platform proved it
    ("slack:T1/U2", "teams:tenant/object-id", "demo:7"). `key` identifies this delivery for the inbox.
    """

    name: str
    account: str
    where: Where
    key: str
    kind: Kind
    text: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    later: bool = False
    """True where the platform cannot be answered in the request: the reply goes through the outbox."""

    def number(self, name: str, digits: int = 9) -> int | None:
        """The whole number that came back under a name; None for anything else, and for more digits."""
        text = self.values.get(name, "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) <= digits else None

    def line(self, name: str, longest: int) -> str:
        """The words that came back under a name as one line, cut after so many characters; "" without any."""
        return " ".join(self.values.get(name, "").split())[:longest]


@dataclass(frozen=True, slots=True)
class Say:
    """One message of a reply. `update` replaces the card whose button was pressed."""

    what: Card | Form
    to: Literal["private", "public"] = "private"
    place: Literal["new", "update"] = "new"


@dataclass(frozen=True, slots=True)
class Reply:
    """Up to two messages; an empty reply is an empty acknowledgement (a duplicate)."""

    says: tuple[Say, ...] = ()

    @classmethod
    def card(cls, card: Card | Form, *, update: bool = False) -> Reply:
        return cls((Say(card, "private", "update" if update else "new"),))

    def beside(self) -> Reply:
        """The same, with nothing put in the place of the card whose button was pressed."""
        return Reply(tuple(replace(say, place="new") for say in self.says))


@dataclass(frozen=True, slots=True)
class Ctx:
    """What a handler may touch: the transaction, who asks, the instant, and the rules in force."""

    db: Db
    person: Person
    now: datetime
    rules: Rules
    command_names: Mapping[str, str] = field(default_factory=dict)
