"""The tables of what Redfirst says by itself and of what people agree on, in the metadata of `storage.models`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
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

from storage import models_baselines as models_baselines
from storage import models_objectives as models_objectives  # its tables belong to the same metadata
from storage import models_timetable as models_timetable
from storage.models import metadata

unasked = Table(
    "unasked",
    metadata,
    # the places on a local day at which something unasked may be said to a person: one budget over all features
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("key", String(300), nullable=False, unique=True),  # of the message in the outbox
)

focus = Table(
    "focus",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False, index=True),
    Column("metric", String(100), nullable=False),
    Column("behaviour", String(100), nullable=False),
    Column("since_day", Integer, nullable=False),
    Column("state", String(10), nullable=False),  # on, done, stopped, replaced
    Column("ended_day", Integer),
    Column("check_day", Integer),  # when the person is told how it went; empty until they were nudged
    Index(
        "uq_focus_on",
        "person_id",
        "metric",
        unique=True,
        sqlite_where=text("state = 'on'"),
        postgresql_where=text("state = 'on'"),
    ),
)

nudge = Table(
    "nudge",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("metric", String(100), nullable=False),
    Column("behaviour", String(100), nullable=False),
    Column("day", Integer, nullable=False),  # local
    Column("at", BigInteger, nullable=False),
    Column("answer", String(10)),  # done, snoozed, not_mine, stopped
    Column("answered_at", BigInteger),
    Column("comment", Text),
    UniqueConstraint("person_id", "day"),
)

nudge_week = Table(
    "nudge_week",
    metadata,
    # whoever had a gap in a week, and whether they were nudged or why not: what the effect is measured from
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    Column("behaviour", String(100), primary_key=True),
    Column("week", Integer, primary_key=True, autoincrement=False),  # its Monday
    Column("metric", String(100), nullable=False),
    Column("nudged", Boolean, nullable=False),
    Column("why", String(10), nullable=False),
    Column("target", Float, nullable=False),
    Column("red", Float, nullable=False),
)

nudge_pause = Table(
    "nudge_pause",
    metadata,
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    Column("behaviour", String(100), primary_key=True),  # empty: all of them
    Column("why", String(10), nullable=False),  # snoozed, not_mine, stopped, done
    Column("until_day", Integer),  # the first day on which it is over; empty: until taken up again
)

coach_talk = Table(
    "coach_talk",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False, index=True),
    Column("lead_id", ForeignKey("person.id"), nullable=False),
    Column("area", String(100), nullable=False),  # a metric
    Column("step", Text, nullable=False),
    Column("day", Integer, nullable=False),
    Column("check_day", Integer, nullable=False),
    Column("state", String(10), nullable=False),  # booked, reminded
    UniqueConstraint("person_id", "area", "check_day"),
)

coach_note = Table(
    "coach_note",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False, index=True),
    Column("author_id", ForeignKey("person.id"), nullable=False),
    Column("words", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

plan = Table(
    "plan",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subject", String(50), nullable=False),  # "team:2", "desk"
    Column("metric", String(100), nullable=False),
    Column("period", String(20), nullable=False),
    Column("action", Text, nullable=False),
    Column("owner_id", ForeignKey("person.id"), nullable=False),
    Column("due_day", Integer, nullable=False),
    Column("state", String(10), nullable=False),  # open, done, dropped
    Column("outcome", String(12), nullable=False),  # empty, worked, not_yet, cannot_tell
    Column("moved", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("blocker", Text, nullable=False),
    Column("opened_day", Integer, nullable=False),
    Column("set_day", Integer, nullable=False),
    Column("closed_day", Integer),
    Column("version", Integer, nullable=False),
    Index("ix_plan_subject_state", "subject", "state"),
    Index(  # one path to green at a time
        "uq_plan_open",
        "subject",
        "metric",
        unique=True,
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
)

comment = Table(
    "comment",
    metadata,
    # never edited: what is said instead, or that it was taken back, is a new row
    Column("id", Integer, primary_key=True),
    Column("subject", String(50), nullable=False),  # "team:2", "desk"
    Column("metric", String(100), nullable=False),
    Column("period", String(20), nullable=False),  # key of a week or a month
    Column("version", Integer, nullable=False),  # the newest holds
    Column("words", Text, nullable=False),  # empty: taken back
    Column("cause", String(20), nullable=False),  # empty where none is known
    Column("by_id", ForeignKey("person.id"), nullable=False),
    Column("voice", String(12), nullable=False),  # lead, manager, leadership
    Column("day", Integer, nullable=False),  # local
    UniqueConstraint("subject", "period", "metric", "version"),
)

distortion = Table(
    "distortion",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(20), nullable=False),  # outage, rollout, short_staffing
    Column("scope", String(50), nullable=False),  # "team:2", "desk"
    Column("first_day", Integer, nullable=False),
    Column("last_day", Integer, nullable=False),
    Column("metrics", Text, nullable=False),  # JSON list of names; an empty one is all
    Column("weight", Integer, nullable=False),  # thousandths
    Column("words", Text, nullable=False),
    Column("state", String(10), nullable=False, index=True),  # asked, approved, declined, reverted
    Column("declared_by", ForeignKey("person.id"), nullable=False),
    Column("declared_at", BigInteger, nullable=False),
    Column("decided_by", ForeignKey("person.id")),
    Column("decided_at", BigInteger),
    Column("answer", Text, nullable=False),  # why it was declined or reverted
    Column("reverted_by", ForeignKey("person.id")),
    Column("reverted_at", BigInteger),
    Column("effective", Boolean, nullable=False),  # whether figures are kept by its weight
    Column("work", String(10), nullable=False),  # what is left to be worked in: empty, figures, scores
    Column("work_mark", String(32)),  # of whoever is at it, until work_until
    Column("work_until", BigInteger),
    Index(
        "ix_distortion_work",
        "work",
        sqlite_where=text("work <> ''"),
        postgresql_where=text("work <> ''"),
    ),
)

distortion_score = Table(
    "distortion_score",
    metadata,
    # whose closed scores are looked at once a distortion is worked in: a person, a team, the desk
    Column("distortion_id", ForeignKey("distortion.id"), primary_key=True),
    Column("subject", String(50), primary_key=True),
    Column("done", Boolean, nullable=False),
    Column("renewed", Integer, nullable=False),  # scores of it that have a new version
)
