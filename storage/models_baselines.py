"""The tables of what is measured before it has a colour, in the metadata of `storage.models`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, text

from storage.models import metadata

_OPEN = text("state IN ('measuring', 'proposed')")

baseline = Table(
    "baseline",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("level", String(12), nullable=False),  # person, team, organisation
    Column("metric", String(100), nullable=False),
    Column("from_day", Integer, nullable=False),  # local, of the organisation
    Column("until_day", Integer, nullable=False),
    Column("state", String(10), nullable=False),  # measuring, proposed, adopted, kept, dropped
    Column("proposal", Text, nullable=False),  # JSON of scoring.baselines.Proposal; empty where there is none
    Column("lines", Text, nullable=False),  # JSON of the lines that were adopted; empty where there are none
    Column("decided_by", ForeignKey("person.id")),
    Column("decided_at", BigInteger),
    Column("reason", Text, nullable=False),
    Column("version", Integer, nullable=False),  # counts every change
    Index("uq_baseline_open", "level", "metric", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
)

pilot_answer = Table(
    "pilot_answer",
    metadata,
    Column("pilot", String(130), primary_key=True),  # "glad:20500"
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    Column("part", String(6), primary_key=True),  # middle, end
    Column("useful", String(6), nullable=False),  # yes, partly, no
    Column("fair", String(6), nullable=False),
    Column("comment", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

pilot_decision = Table(
    "pilot_decision",
    metadata,
    Column("pilot", String(130), primary_key=True),
    Column("state", String(8), nullable=False),  # adopted, dropped
    Column("reason", Text, nullable=False),
    Column("decided_by", ForeignKey("person.id"), nullable=False),
    Column("decided_at", BigInteger, nullable=False),
)
