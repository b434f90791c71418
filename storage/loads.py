"""The ledger of loads: which file went in when, and how new the newest fact is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from sqlalchemy import bindparam, func, insert, select, update

import scoring.events
import scoring.facts
from storage.db import Db, Prepared
from storage.models import load, ticket, ticket_event

TICKETS = frozenset(["ticket", "ticket_event"])
NEWEST = select(func.coalesce(func.max(load.c.tickets_as_of), func.max(load.c.as_of)))
_AS_OF = Prepared(NEWEST)
_DONE = select(load.c.id).where(
    load.c.digest == bindparam("digest"), load.c.source == bindparam("source"), load.c.state == "done"
)
_MOST_IDS = 5000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a load has come: rows taken, rows left out, newest instant (UTC seconds) or None.

    `tickets_as_of`: the newest of its tickets and their events; None where it has none.
    """

    rows: int = 0
    rejected: int = 0
    as_of: int | None = None
    tickets_as_of: int | None = None


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def newest(table: str, frame: pl.DataFrame) -> int | None:
    """The newest observed instant among facts; due dates are plans, not observations."""
    schema = scoring.facts.SCHEMA[table]
    times = [c for c in frame.columns if schema[c] == "time" and not c.endswith("due_at")]
    found = [value for c in times if isinstance(value := frame[c].max(), int)]
    return max(found, default=None)


async def as_of(db: Db) -> int | None:
    """How new the data are, UTC seconds: as new as the tickets, where there are any, for most figures rest on them,
    and fresh surveys would hide that tickets stopped coming. None before the first load.
    """
    found: int | None = (await _AS_OF.rows(db, {}))[0][0]
    return found


async def begin(db: Db, source: str, file: str, digest: str, now: int) -> int:
    """Enters a load as running and gives its number."""
    values = {"source": source, "file": file, "digest": digest, "state": "running", "started_at": now}
    result = await db.execute(insert(load).values(**values, rows=0, rejected=0).returning(load.c.id))
    return int(result.scalar_one())


async def note(db: Db, number: int, progress: Progress) -> None:
    """Writes down how far a load has come, in the transaction of the batch."""
    await db.execute(
        update(load)
        .where(load.c.id == number)
        .values(
            rows=progress.rows,
            rejected=progress.rejected,
            as_of=progress.as_of,
            tickets_as_of=progress.tickets_as_of,
        )
    )


async def finish(db: Db, number: int, progress: Progress, now: int, state: str = "done") -> None:
    """Ends a load as "done" or "refused"."""
    await note(db, number, progress)
    await db.execute(update(load).where(load.c.id == number).values(state=state, finished_at=now))


async def give_up(db: Db, number: int, now: int) -> None:
    """Ends a load that broke off as "refused"; what its last transaction noted stands."""
    await db.execute(update(load).where(load.c.id == number).values(state="refused", finished_at=now))


async def is_done(db: Db, digest: str, source: str) -> bool:
    """Whether a file with these bytes has gone in whole by this map."""
    return (await db.execute(_DONE, {"digest": digest, "source": source})).first() is not None


async def known_events(db: Db, tickets: Sequence[str]) -> pl.DataFrame:
    """The stored events of these tickets, in the columns of `scoring.events.EVENT_TYPES`."""
    columns = [ticket_event.c[name] for name in scoring.events.EVENT_TYPES]
    rows: list[tuple[object, ...]] = []
    for start in range(0, len(tickets), _MOST_IDS):
        some = tickets[start : start + _MOST_IDS]
        found = await db.execute(select(*columns).where(ticket_event.c.ticket.in_(some)))
        rows += [tuple(row) for row in found]
    return pl.DataFrame(rows, schema=pl.Schema(scoring.events.EVENT_TYPES), orient="row")


async def known_tickets(db: Db, tickets: pl.DataFrame) -> pl.DataFrame:
    """Of the tickets in a frame those that are stored, in the frame's columns and `updated_at`."""
    names = [*tickets.columns, *(() if "updated_at" in tickets.columns else ("updated_at",))]
    ids = tickets["id"].to_list()
    rows: list[tuple[object, ...]] = []
    for start in range(0, len(ids), _MOST_IDS):
        some = ids[start : start + _MOST_IDS]
        found = await db.execute(select(*(ticket.c[name] for name in names)).where(ticket.c.id.in_(some)))
        rows += [tuple(row) for row in found]
    schema = pl.Schema([(name, tickets.schema.get(name, pl.Int64())) for name in names])
    return pl.DataFrame(rows, schema=schema, orient="row")
