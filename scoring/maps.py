"""A map: what the columns of a file mean, as values."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from scoring.refused import Refused

Shape = Literal["row", "event"]
Encoding = Literal["utf-8", "cp1252", "latin-1", "iso8859-15", "cp850", "mac-roman"]
ENCODINGS: tuple[Encoding, ...] = ("utf-8", "cp1252", "latin-1", "iso8859-15", "cp850", "mac-roman")

_MOST_SHOWN = 50
_MOST_LISTED = 8

TRANSITIONS = (
    "opened",
    "triaged",
    "responded",
    "updated",
    "assigned",
    "escalated",
    "hold",
    "resumed",
    "resolved",
    "reopened",
    "closed",
)
"""What an event may be, as in `ticket_event.what`."""

ACCOUNTS = frozenset(
    [
        "dispatcher",
        "first_worker",
        "owner",
        "resolver",
        "escalated_by",
        "account",
        "actor",
        "from_account",
        "to_account",
    ]
)
"""Fact fields that hold an account of the source."""

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "ticket": ("number", "opened_at"),
    "ticket_event": ("ticket", "at", "what"),
    "time_entry": ("account", "started_at", "minutes"),
    "survey": ("ticket", "sent_at"),
    "escalation": ("ticket", "raised_at"),
    "leave": ("account", "first_day", "last_day"),
    "endpoints": ("client", "day", "count"),
    "client": ("name",),
    "complaint": ("client", "at"),
    "cost": ("day", "amount"),
    "certification": ("account", "name"),
    "training": ("account", "day", "minutes"),
}
"""Fields that a row cannot do without."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "ticket": ("number",),
    "ticket_event": ("ticket", "at", "what", "actor"),
    "time_entry": ("account", "started_at", "ticket"),
    "survey": ("ticket", "account", "sent_at"),
    "escalation": ("ticket", "from_account", "raised_at"),
    "leave": ("account", "first_day", "kind"),
    "endpoints": ("client", "day"),
    "client": ("name",),
    "complaint": ("client", "ticket", "at"),
    "cost": ("client", "day", "kind", "currency"),
    "certification": ("account", "name", "valid_from"),
    "training": ("account", "day", "subject"),
}
"""What tells two rows apart where a file gives no id."""


@dataclass(frozen=True, slots=True)
class Events:
    """How an event's row is read: which columns say when, who and what; state → transition.

    `columns` are joined by "/" before `transitions` are looked up; a pattern may hold *.
    """

    at: str
    columns: tuple[str, ...]
    transitions: tuple[tuple[str, str], ...]
    actor: str = ""
    owner: str = ""
    queue: str = ""
    tier: str = ""
    tiers: tuple[tuple[str, int], ...] = ()  # pattern of the tier column → support line

    def what(self, state: str) -> str | None:
        """The transition of a state; None where the map does not name it."""
        return next((what for pattern, what in self.transitions if fnmatch.fnmatchcase(state, pattern)), None)

    def line(self, found: str) -> int | None:
        """The support line that a value of the tier column means."""
        return next((line for pattern, line in self.tiers if fnmatch.fnmatchcase(found, pattern)), None)


@dataclass(frozen=True, slots=True)
class TableMap:
    """One kind of file: where its rows go, and which column feeds which field.

    `columns`: fact field → column of the file. `values`: field → found value → value meant ("*" for
    any other). `strict_columns`: a column that the map does not name is refused.
    """

    table: str
    files: tuple[str, ...] = ()
    shape: Shape = "row"
    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()  # columns that a file may lack
    strict_columns: bool = False
    link: str = ""
    group: str = ""
    order: tuple[str, ...] = ()
    wins: Literal["first", "last"] = "last"
    events: Events | None = None

    def used(self) -> tuple[str, ...]:
        """Every column of the file that this entry reads."""
        parts = [*self.columns.values(), self.group, *self.order]
        if self.events is not None:
            e = self.events
            parts += [e.at, *e.columns, e.actor, e.owner, e.queue, e.tier]
        return tuple(dict.fromkeys(part for part in parts if part))


@dataclass(frozen=True, slots=True)
class Map:
    """A whole map. `zone` is the zone of times that carry none."""

    name: str
    source: str
    tables: tuple[TableMap, ...]
    zone: str = "UTC"
    dates: tuple[str, ...] = ("iso",)
    nulls: frozenset[str] = frozenset({""})
    ignored: frozenset[str] = frozenset()
    encoding: Encoding = "utf-8"
    delimiter: str = ""

    def entry(self, file: str, table: str | None = None) -> TableMap:
        """The entry for a file's name, or for the table named. Raises Refused where none or several fit."""
        if table is not None:
            found = [t for t in self.tables if t.table == table]
            if found:
                return found[0]
            raise Refused(
                f"Map {self.name} has no entry for table {table!r}; it has {', '.join(t.table for t in self.tables)}.",
                nearest(table, (t.table for t in self.tables)),
            )
        stem = file.replace("\\", "/").rsplit("/", 1)[-1].lower()
        found = [t for t in self.tables if any(fnmatch.fnmatchcase(stem, pattern) for pattern in t.files)]
        if not found:
            found = [t for t in self.tables if not t.files]
        if len(found) == 1:
            return found[0]
        known = "; ".join(f"{t.table}: {', '.join(t.files) or 'any'}" for t in self.tables)
        raise Refused(
            f"Map {self.name} does not tell which table {file!r} is for ({known}).",
            "Rename the file, or name the table with --table.",
        )


def nearest(found: str, known: Iterable[str]) -> str:
    """A remedy naming the valid word nearest to `found`, or all of them where none is near."""
    words = sorted(set(known))
    folded = {w.casefold(): w for w in words}
    near = difflib.get_close_matches(found.casefold(), folded, 1, 0.55)
    if near:
        return f"Did you mean {folded[near[0]]!r}?"
    return f"Known are: {', '.join(words[:_MOST_SHOWN])}{' …' if len(words) > _MOST_SHOWN else '.'}"


def listed(found: str, known: Iterable[str]) -> str:
    """Known words in quotes, the nearest to `found` first, eight at most."""

    def far(word: str) -> tuple[float, str]:
        return -difflib.SequenceMatcher(None, found.casefold(), word.casefold()).ratio(), word

    words = sorted(set(known), key=far)
    more = len(words) - _MOST_LISTED
    return ", ".join(repr(word) for word in words[:_MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
