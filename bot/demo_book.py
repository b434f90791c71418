"""Where the made-up desk writes down what happened, column by column, and what the export of that looks like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

import scoring.facts
from bot.demo_clients import Work
from bot.demo_desk import SOURCE

TYPES: dict[str, type[pl.DataType]] = {
    "text": pl.String,
    "int": pl.Int64,
    "float": pl.Float64,
    "bool": pl.Boolean,
    "time": pl.Int64,
    "day": pl.Int64,
    "money": pl.String,
}


class Ledger:
    """One fact table in columns. `add` takes the fields that are known; the rest stay empty."""

    def __init__(self, table: str) -> None:
        self.table = table
        self.schema = {name: TYPES[kind] for name, kind in scoring.facts.SCHEMA[table].items()}
        self.columns: dict[str, list[Any]] = {name: [] for name in self.schema}
        self._fields = tuple(self.columns.items())

    def __len__(self) -> int:
        return len(self.columns["id"])

    def add(self, **values: Any) -> None:
        get = values.get
        for name, column in self._fields:
            column.append(get(name))

    def frame(self) -> pl.DataFrame:
        return pl.DataFrame(self.columns, schema=self.schema)


Step = tuple[int, str, str | None, str | None, str, int | None, str | None]
"""An event: at (epoch seconds), what, actor, owner, queue, tier, reason."""


@dataclass(slots=True)
class Piece:
    """Work somebody did on a ticket (an index into the tickets, or None): base minutes, to be fitted to their day."""

    key: str
    day: int
    at: int
    minutes: float
    ticket: int | None
    kind: str = "client"


@dataclass(slots=True)
class Task:
    """Planned work in somebody's hands: `left` minutes of it. `told`: how many of its events are written already."""

    work: Work
    client: int
    opened: int
    left: float
    index: int
    number: str
    told: int = 0


@dataclass(slots=True)
class Book:
    """Everything written down so far. `cut` is the instant of the export (epoch seconds): nothing is known after it.

    What is to come of it waits beside: events `later`, tasks `in_hand`, the numbers given last. `taken_up`: the
    instant from which the story is told, in a book that goes on where another ended.
    """

    cut: int
    taken_up: int = 0
    ticket: Ledger = field(default_factory=lambda: Ledger("ticket"))
    event: Ledger = field(default_factory=lambda: Ledger("ticket_event"))
    entry: Ledger = field(default_factory=lambda: Ledger("time_entry"))
    survey: Ledger = field(default_factory=lambda: Ledger("survey"))
    escalation: Ledger = field(default_factory=lambda: Ledger("escalation"))
    pieces: list[Piece] = field(default_factory=list)
    later: list[tuple[str, int, list[Step]]] = field(default_factory=list)
    in_hand: dict[str, list[Task]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=lambda: {"": 48_212, "P": 3_100, "A": 900, "t": 0})

    def number(self, letter: str) -> int:
        """The next number of tickets (""), projects (P), alignment visits (A) or time entries (t)."""
        self.numbers[letter] += 1
        return self.numbers[letter]

    def events(self, ticket: str, steps: list[Step], told: int = 0) -> None:
        """Writes a ticket's events in order of time, up to the cut; `told` of them are written already."""
        columns = self.event.columns
        steps.sort(key=_when)
        for seq, (at, what, actor, owner, queue, tier, reason) in enumerate(steps, told + 1):
            if at > self.cut:
                self.later.append((ticket, seq - 1, steps[seq - told - 1 :]))
                break
            columns["id"].append(f"{ticket}#{seq}")
            columns["ticket"].append(ticket)
            columns["at"].append(at)
            columns["seq"].append(seq)
            columns["what"].append(what)
            columns["actor"].append(actor)
            columns["owner"].append(owner)
            columns["queue"].append(queue)
            columns["tier"].append(tier)
            columns["reason"].append(reason)

    def whole(self) -> dict[str, pl.DataFrame]:
        """The tables with all that is known to the teller, also what is to come."""
        ledgers = (self.ticket, self.event, self.entry, self.survey, self.escalation)
        return {ledger.table: ledger.frame() for ledger in ledgers}


def exported(whole: Mapping[str, pl.DataFrame], cut: int) -> dict[str, pl.DataFrame]:
    """The tables as exported at an instant: what had not happened by then is empty, or not there."""
    return {
        "ticket": _tickets(whole["ticket"], cut),
        "ticket_event": whole["ticket_event"].filter(pl.col("at") <= cut),
        "time_entry": whole["time_entry"].filter(pl.col("entered_at") <= cut),
        "survey": _until(whole["survey"].filter(pl.col("sent_at") <= cut), cut, _ANSWER),
        "escalation": _until(whole["escalation"].filter(pl.col("raised_at") <= cut), cut, _ACCEPTED),
    }


_ANSWER = {"answered_at": ("answered_at", "rating", "recommend")}
_ACCEPTED = {"accepted_at": ("accepted_at",), "resolved_at": ("resolved_at", "reopened", "bounced")}
_HAPPENED = {
    "triaged_at": ("triaged_at", "dispatcher", "triage_met"),
    "responded_at": ("responded_at", "first_worker", "engagement_met"),
    "resolved_at": ("resolved_at", "resolver", "completion_met", "tier", "workaround", "knowledge"),
    "closed_at": ("closed_at",),
    "reopened_at": ("reopened_at", "reopen_reason"),
}


def _when(step: Step) -> int:
    return step[0]


def _until(frame: pl.DataFrame, cut: int, happened: Mapping[str, tuple[str, ...]]) -> pl.DataFrame:
    masks = [
        pl.when(pl.col(at) <= cut).then(pl.col(column)).alias(column)
        for at, columns in happened.items()
        for column in columns
    ]
    times = [pl.col(at) for at in happened if at in frame.columns]
    known = [pl.when(at <= cut).then(at) for at in times]
    return frame.with_columns(*masks, pl.max_horizontal("updated_at", *known).clip(upper_bound=cut).alias("updated_at"))


def _tickets(frame: pl.DataFrame, cut: int) -> pl.DataFrame:
    frame = _until(frame.filter(pl.col("opened_at") <= cut), cut, _HAPPENED)
    resolved, closed = pl.col("resolved_at").is_not_null(), pl.col("closed_at").is_not_null()
    status = pl.when(closed).then(pl.lit("closed")).when(resolved).then(pl.lit("resolved")).otherwise(pl.lit("open"))
    return frame.with_columns(
        status.alias("status"),
        pl.when(pl.col("reopened_at").is_null()).then(0).otherwise(pl.col("reopens")).alias("reopens"),
    )


def ticket_id(number: str) -> str:
    return f"{SOURCE}/{number}"
