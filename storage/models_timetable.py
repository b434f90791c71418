"""The tables of the timetable: what must be said when, and the ledger of what became of each time."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from storage.models import metadata

timetable = Table(
    "timetable",
    metadata,
    Column("key", String(300), primary_key=True),  # "team_digest/team:2"
    Column("pattern", String(200), nullable=False),  # what somebody decided: a change counts from now on
    Column("digest", String(32), nullable=False),  # of all that its times come from; empty: no longer listed
    # the last time that is over, in minutes of the wall clock since 1970-01-01, so that no change of zone repeats a day
    Column("done", BigInteger, nullable=False),
    Column("next_due", BigInteger),
    Column("wake_at", BigInteger, index=True),  # when to look: next_due, or later after a failure
    Column("failures", Integer, nullable=False),
    Column("problem", Text),
    Column("since", BigInteger, nullable=False),  # added, or its pattern changed
)

run = Table(
    "run",
    metadata,
    # what became of each local date, once
    Column("schedule", String(300), primary_key=True),
    Column("due", String(20), primary_key=True),  # "2026-08-03", "2026-08-03 09:30"
    Column("at", BigInteger, nullable=False),
    Column("state", String(10), nullable=False),  # made, late, skipped, failed
    Column("made_at", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Index("ix_run_state_made_at", "state", "made_at"),
    sqlite_with_rowid=False,
)
