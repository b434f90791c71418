"""The tables; fact tables are made from the fact schema, so that it stands in one place."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeEngine

import scoring.facts

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

TYPES: dict[str, type[TypeEngine[Any]]] = {
    "text": Text,
    "int": Integer,
    "float": Float,
    "bool": Boolean,
    "time": BigInteger,
    "day": Integer,
    "money": Text,
}


def _fact(name: str, *indexes: str) -> Table:
    columns = scoring.facts.SCHEMA[name]
    return Table(
        name,
        metadata,
        *(Column(c, TYPES[t](), primary_key=c == "id", nullable=c != "id") for c, t in columns.items()),
        *(Index(f"ix_{name}_{'_'.join(cols.split())}", *cols.split()) for cols in indexes),
    )


ticket = _fact(
    "ticket",
    "resolver resolved_at",
    "requester category opened_at",
    "requester category resolved_at",
    "owner",
    "first_worker responded_at",
    "dispatcher triaged_at",
    "escalated_by",
)
ticket_event = _fact("ticket_event", "ticket seq", "owner at")
time_entry = _fact("time_entry", "account started_at", "ticket")
survey = _fact("survey", "ticket", "account")
escalation = _fact("escalation", "ticket", "to_account")
leave = _fact("leave", "account")
endpoints = _fact("endpoints", "client day")
client = _fact("client")
complaint = _fact("complaint", "client")
cost = _fact("cost", "day")
certification = _fact("certification", "account")
training = _fact("training", "account day")

FACTS: dict[str, Table] = {name: metadata.tables[name] for name in scoring.facts.SCHEMA}

person = Table(
    "person",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(200), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("zone", String(64), nullable=False),
    Column("hours", Text),  # JSON; empty is the team's
    Column("made_up", Boolean, nullable=False, default=False),  # generated for the demo
)

team = Table(
    "team",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(200), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("zone", String(64), nullable=False),
    Column("hours", Text, nullable=False),  # JSON
    Column("holidays", Text, nullable=False),  # JSON list of days
    Column("agreed_small", Boolean, nullable=False, default=False),
)

membership = Table(
    "membership",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False, index=True),
    Column("team_id", ForeignKey("team.id"), nullable=False, index=True),
    Column("role", String(20), nullable=False),
    Column("tier", Integer),
    Column("manager_id", ForeignKey("person.id"), index=True),
    Column("from_day", Integer, nullable=False),
    Column("to_day", Integer),
)

deputy = Table(
    "deputy",
    metadata,
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    Column("for_id", ForeignKey("person.id"), primary_key=True),
    Column("from_day", Integer, primary_key=True),
    Column("to_day", Integer),
)

account = Table(
    "account",
    metadata,
    Column("key", String(300), primary_key=True),  # "slack:T1/U2", "servicenow/Resolved by 149"
    Column("person_id", ForeignKey("person.id"), index=True),  # empty: known, and belongs to nobody
    Column("state", String(20), nullable=False),  # linked, ignored, disputed
)

metric = Table(
    "metric",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("digest", String(64), nullable=False),
    Column("connected", Boolean, nullable=False, default=False),  # its denominator has had facts
)


def _rollup(name: str) -> Table:
    table = Table(
        name,
        metadata,
        # a person's id, or a client's, as the metric says
        Column("subject_id", Integer, primary_key=True, autoincrement=False),
        Column("metric_id", Integer, primary_key=True, autoincrement=False),
        Column("day", Integer, primary_key=True, autoincrement=False),
        Column("team_id", Integer, primary_key=True, autoincrement=False),  # on that day; 0 is none
        Column("num", BigInteger, nullable=False),
        Column("den", BigInteger, nullable=False),
        Column("n", BigInteger, nullable=False),
        Column("ss", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    Index(  # rows that came to nothing are found without a search
        f"ix_{name}_nothing",
        table.c.subject_id,
        sqlite_where=text("num = 0 AND den = 0 AND n = 0 AND ss = 0"),
        postgresql_where=text("num = 0 AND den = 0 AND n = 0 AND ss = 0"),
    )
    return table


rollup = _rollup("rollup")
rollup_week = _rollup("rollup_week")  # the same by ISO week, for reading; the day is its Monday

extent = Table(
    "extent",
    metadata,
    # days (UTC) between which facts of a table are known; they only ever widen
    Column("table_name", String(40), primary_key=True),
    Column("first_day", Integer, nullable=False),
    Column("last_day", Integer, nullable=False),
)

client_number = Table(
    "client_number",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("client", String(300), nullable=False, unique=True),
)

rules = Table(
    "rules",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
    Column("body", Text, nullable=False),  # JSON of the parsed configuration
    Column("applied_at", BigInteger, nullable=False),
    Column("applied_by", Text, nullable=False),
)

frozen_score = Table(
    "frozen_score",
    metadata,
    Column("subject", String(50), primary_key=True),  # "person:7", "team:2"
    Column("period", String(20), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("rules_version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
)

correction = Table(
    "correction",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ticket", Text, nullable=False, index=True),
    Column("person_id", ForeignKey("person.id"), nullable=False, index=True),
    Column("kind", String(20), nullable=False),  # not_mine, leave_out
    Column("reason", Text, nullable=False),
    Column("state", String(20), nullable=False),  # asked, confirmed, declined
    Column("asked_at", BigInteger, nullable=False),
    Column("decided_by", ForeignKey("person.id")),
    Column("decided_at", BigInteger),
    Column("answer", Text),
    UniqueConstraint("ticket", "person_id"),
)

look = Table(
    "look",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("viewer_id", ForeignKey("person.id"), nullable=False),
    Column("person_id", ForeignKey("person.id"), nullable=False, index=True),
    Column("what", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

inbox = Table(
    "inbox",
    metadata,
    Column("key", String(300), primary_key=True),
    Column("at", BigInteger, nullable=False, index=True),
    sqlite_with_rowid=False,
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    # in the order of its characters on PostgreSQL too, whatever the database's own: keys are found by how they begin
    Column("key", String(300).with_variant(String(300, "C"), "postgresql"), nullable=False, unique=True),
    Column("platform", String(10), nullable=False),
    Column("recipient", Text, nullable=False),  # channel or conversation on that platform, or an account
    Column("person_id", Integer),  # whom it is for, where it is for one person
    Column("unasked", Boolean, nullable=False, default=False),  # nobody waits for it
    Column("body", Text, nullable=False),  # JSON of a card
    Column("revision", Integer, nullable=False, default=0),  # how often the card has been replaced
    Column("state", String(10), nullable=False),  # due, claimed, posting, sent, held, failed, expired, cancelled
    Column("made_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),  # not to be said from then on
    Column("sent_at", BigInteger),  # last posted or updated
    Column("claim", Integer, nullable=False, default=0),  # which claim holds it: counts up for ever
    Column("claimed_until", BigInteger),
    Column("attempts", Integer, nullable=False, default=0),  # at this card
    Column("unsure", Boolean, nullable=False, default=False),  # it may have been posted, and nobody knows
    Column("check_at", BigInteger),  # when to look whether it was posted twice
    Column("copies", Integer, nullable=False, default=1),  # how often it stands on the platform
    Column("problem", Text),
    Column("reference", Text),  # the message's id on the platform
    Index("ix_outbox_turn", "state", "unasked", "due_at", "id"),  # in the order in which it is emptied
    Index(
        "ix_outbox_check_at",
        "check_at",
        sqlite_where=text("check_at IS NOT NULL"),
        postgresql_where=text("check_at IS NOT NULL"),
    ),
)

pace = Table(
    "pace",
    metadata,
    # what was sent lately to a platform, a workspace, a conversation: shared by all that send there
    Column("key", String(300), primary_key=True),
    Column("stamps", Text, nullable=False),  # JSON: the first instant in milliseconds, then the steps
    Column("last_at", BigInteger, nullable=False),  # the newest of them
    Column("free_at", BigInteger, nullable=False),  # milliseconds; nothing is sent before: the platform asked to wait
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("subject", Text, nullable=False, index=True),
    Column("body", Text, nullable=False),
)

conversation = Table(
    "conversation",
    metadata,
    Column("key", String(300), primary_key=True),  # tenant/conversation
    Column("account", String(300), index=True),  # "teams:tenant/object-id" of a 1:1 chat
    Column("kind", String(20), nullable=False),  # personal, group, channel
    Column("service_url", Text, nullable=False),
    Column("bot", Text, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

load = Table(
    "load",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", Text, nullable=False),
    Column("file", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("state", String(10), nullable=False),  # running, done, refused
    Column("started_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("rows", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("as_of", BigInteger),  # the newest instant in the data
    Column("tickets_as_of", BigInteger),  # the newest of its tickets and their events
)
