"""The tables of what a desk is after: objectives and their versions, priorities of a month, red-flag customers."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from storage.models import metadata

objective = Table(
    "objective",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(64), nullable=False, unique=True),
    Column("version", Integer, nullable=False),  # the newest; what a change is compared with
)

objective_version = Table(
    "objective_version",
    metadata,
    # never edited: a change is a new row
    Column("objective_id", ForeignKey("objective.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("level", String(12), nullable=False),  # leadership, team, individual
    Column("subject", String(50), nullable=False),  # "desk", "team:2", "person:7"
    Column("title", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("perspective", String(12), nullable=False),
    Column("owner_id", ForeignKey("person.id")),
    Column("metric", String(100), nullable=False),  # empty where there is a proxy
    Column("proxy", Text, nullable=False),
    Column("target", Float),
    Column("red", Float),
    Column("cadence", String(12), nullable=False),
    Column("decision_day", Integer),
    Column("influence", Text, nullable=False),
    Column("time", Text, nullable=False),
    Column("people", Text, nullable=False),
    Column("tools", Text, nullable=False),
    Column("parent", String(64), nullable=False),  # key of the objective it supports; empty where none
    Column("weight", Float, nullable=False),
    Column("justification", Text, nullable=False),
    Column("state", String(10), nullable=False),  # open, closed
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),  # key of a person, or the command line
    Column("at", BigInteger, nullable=False),
)

priority = Table(
    "priority",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("month", String(7), nullable=False),  # 2026-08
    Column("version", Integer, nullable=False),  # the newest of a month holds; none is edited
    Column("words", Text, nullable=False),
    Column("trade_offs", Text, nullable=False),
    Column("by_id", ForeignKey("person.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("month", "version"),
)

red_flag = Table(
    "red_flag",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("client", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("raised_day", Integer, nullable=False),
    Column("owner_id", ForeignKey("person.id")),
    Column("next_contact", Integer),
    Column("state", String(10), nullable=False),  # open, closed
    Column("closing", Text, nullable=False),
    Column("closed_at", BigInteger),
    Column("version", Integer, nullable=False),
    Index(  # one flag a client at a time, however often it is raised
        "uq_red_flag_open",
        "client",
        unique=True,
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
)
