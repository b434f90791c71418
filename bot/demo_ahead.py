"""How the made-up desk goes on after today: what is in hand is finished and new work comes in, export by export."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from bot import demo_costs, demo_desk, demo_extras, demo_tickets, demo_world
from bot.demo_book import Book, Ledger, Piece, exported
from bot.demo_clock import DAY
from bot.demo_world import World

DAYS = 13 * 7
"""Days after today for which there is a story."""

_GROWING = ("worked_minutes", "estimated_minutes", "completion_due_at")
"""What an export says of a ticket that is not over, and a later one otherwise."""


@dataclass(frozen=True, slots=True)
class Rest:
    """What was not over when the first export was made: enough to go on from it. `machines`: client → how many."""

    world: World
    book: Book
    machines: dict[str, int]


def rest(world: World, book: Book, facts: dict[str, pl.DataFrame]) -> Rest:
    """The end of a story, as `demo_tickets.begun` told it, without what is over."""
    kept = Book(0, world.cut, numbers=dict(book.numbers))
    surveys = _rows(book.survey, ("sent_at", "answered_at"), world.cut)
    asked = {book.survey.columns["ticket"][row] for row in surveys}
    ids = book.ticket.columns["id"]
    tickets = [row for row, at in enumerate(book.ticket.columns["closed_at"]) if at > world.cut or ids[row] in asked]
    _copy(book.ticket, kept.ticket, tickets)
    _copy(book.survey, kept.survey, surveys)
    _copy(book.entry, kept.entry, _rows(book.entry, ("entered_at",), world.cut))
    _copy(book.escalation, kept.escalation, _rows(book.escalation, ("accepted_at", "resolved_at"), world.cut))
    place = {row: number for number, row in enumerate(tickets)}
    for one in book.pieces:
        if one.day >= world.until:
            ticket = None if one.ticket is None else place[one.ticket]
            kept.pieces.append(Piece(one.key, one.day, one.at, one.minutes, ticket, one.kind))
    for person, tasks in book.in_hand.items():
        for task in tasks:
            task.index = place[task.index]
        kept.in_hand[person] = tasks
    in_hand = {ids[tickets[task.index]] for tasks in kept.in_hand.values() for task in tasks}
    kept.later = [one for one in book.later if one[0] not in in_hand]  # those end otherwise
    machines = facts["endpoints"].sort("day").group_by("client").agg(pl.col("count").last())
    short = World(world.seed, world.first, world.today, world.until, world.file, world.usual)
    return Rest(short, kept, dict(machines.iter_rows()))


def _rows(ledger: Ledger, columns: Sequence[str], cut: int) -> list[int]:
    """The rows in which something happens after the cut."""
    found: set[int] = set()
    for name in columns:
        found.update(row for row, at in enumerate(ledger.columns[name]) if at is not None and at > cut)
    return sorted(found)


def _copy(ledger: Ledger, into: Ledger, rows: Sequence[int]) -> None:
    for name, column in ledger.columns.items():
        into.columns[name].extend([column[row] for row in rows])


class Ahead:
    """The story from today on. Days are since 1970-01-01; the rest that it is made of is used up by it."""

    def __init__(self, rest: Rest, days: int = DAYS) -> None:
        world = demo_world.ahead(rest.world, days + 2)
        book, seed = rest.book, f"{world.seed}:on"
        book.cut = world.cut
        later, book.later = book.later, []
        for ticket, told, steps in later:
            book.events(ticket, steps, told)
        known = {name: list(book.ticket.columns[name]) for name in _GROWING}
        written = len(book.entry)
        demo_tickets.tell(world, book, seed)
        self.first, self.last = world.today, world.today + days + 1
        self._whole = book.whole()
        self._alone = demo_extras.ahead(world, random.Random(f"{seed}:extras"), book, rest.machines)
        # the same stream with more months in it: those that were booked stay as they are
        long = replace(rest.world, today=world.until)
        self._alone["cost"] = demo_costs.frame(long, random.Random(f"{world.seed}:costs"))
        tickets = self._whole["ticket"]
        fresh = [None] * (tickets.height - len(known["worked_minutes"]))
        before = [pl.Series(f"{name}@", [*known[name], *fresh], dtype=pl.Int64) for name in _GROWING]
        self._whole["ticket"] = tickets.with_columns(before)
        self._work = self._whole["time_entry"][written:].select("ticket", "entered_at", "minutes").drop_nulls("ticket")

    def export(self, day: int) -> dict[str, pl.DataFrame]:
        """The tables as exported at the beginning of a day (UTC): of what was over before today there is nothing."""
        cut = day * DAY
        found = exported(self._whole, cut)
        work = self._work.filter(pl.col("entered_at") <= cut).group_by("ticket").agg(pl.col("minutes").sum())
        idle = pl.col("minutes").is_null()
        waits = pl.col("resolved_at").is_null() & pl.col("completion_due_at@").is_not_null()
        found["ticket"] = (
            found["ticket"]
            .join(work, left_on="id", right_on="ticket", how="left", maintain_order="left")
            .with_columns(
                pl.sum_horizontal("worked_minutes@", "minutes").replace(0, None).alias("worked_minutes"),
                pl.when(idle).then("estimated_minutes@").otherwise("estimated_minutes").alias("estimated_minutes"),
                pl.when(waits).then("completion_due_at@").otherwise("completion_due_at").alias("completion_due_at"),
            )
            .drop("minutes", *(f"{name}@" for name in _GROWING))
        )
        alone = self._alone
        found["complaint"] = alone["complaint"].filter(pl.col("at") <= cut)
        found["leave"] = alone["leave"].filter(pl.col("first_day") <= day + demo_desk.NOTICE)
        found["cost"] = alone["cost"].filter(pl.col("day") <= day)
        for name in ("endpoints", "training"):
            found[name] = alone[name].filter(pl.col("day") < day)
        return found

    def news(self, since: int, day: int) -> dict[str, pl.DataFrame]:
        """What the export of a day has that the one of an earlier day had not, or had otherwise; tables without any
        are left out."""
        before, after = self.export(since), self.export(day)
        found = {}
        for table, frame in after.items():
            new = frame.join(before[table], on=frame.columns, how="anti", nulls_equal=True, maintain_order="left")
            if not new.is_empty():
                found[table] = new
        return found
