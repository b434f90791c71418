"""The facts: what happened, as rows; one schema serves maps, tables and metric expressions."""

from __future__ import annotations

from typing import Literal

ColumnType = Literal["text", "int", "float", "bool", "time", "day", "money", "person"]
"""time: UTC seconds since 1970-01-01 (int); day: days since 1970-01-01 (int); money: exact decimal text;
person: a person's id (derived columns only)."""

SCHEMA: dict[str, dict[str, ColumnType]] = {
    "ticket": {
        "id": "text",  # "<source>/<number>"
        "source": "text",
        "number": "text",
        "title": "text",
        "client": "text",
        "requester": "text",
        "asset": "text",
        "category": "text",
        "queue": "text",
        "channel": "text",  # portal, phone, email, chat, monitoring
        "kind": "text",  # incident, request, problem, task
        "priority": "int",  # 1 is the most urgent
        "status": "text",
        "opened_at": "time",
        "triaged_at": "time",
        "responded_at": "time",  # by a person; an automatic reply does not count
        "resolved_at": "time",
        "closed_at": "time",
        "dispatcher": "text",  # accounts are "<source>/<account>"
        "first_worker": "text",
        "owner": "text",
        "resolver": "text",
        "tier": "int",  # support line that resolved it
        "interactions": "int",
        "reopens": "int",
        "reopened_at": "time",
        "reopen_reason": "text",  # thanks, new_request, not_fixed …
        "reassignments": "int",
        "escalations": "int",
        "escalated_by": "text",
        "mandated": "bool",  # the escalation is required (security, priority 1)
        "hold_minutes": "int",  # business minutes spent waiting for client or vendor
        "triage_due_at": "time",
        "engagement_due_at": "time",
        "completion_due_at": "time",
        "triage_met": "bool",
        "engagement_met": "bool",
        "completion_met": "bool",
        "estimated_minutes": "int",
        "worked_minutes": "int",
        "complexity": "float",
        "impact": "float",
        "ownership": "text",
        "workaround": "text",
        "knowledge": "text",
        "url": "text",
        "updated_at": "time",
    },
    "ticket_event": {
        "id": "text",
        "ticket": "text",
        "at": "time",
        "seq": "int",
        "what": "text",  # opened triaged responded updated assigned escalated hold resumed resolved reopened closed
        "actor": "text",
        "owner": "text",  # who holds it after the event
        "queue": "text",
        "tier": "int",
        "reason": "text",
    },
    "time_entry": {
        "id": "text",
        "account": "text",
        "ticket": "text",
        "client": "text",
        "kind": "text",  # client internal_support training peer_review root_cause improvement admin
        "reactive": "bool",
        "started_at": "time",
        "ended_at": "time",
        "entered_at": "time",
        "minutes": "int",
        "updated_at": "time",
    },
    "survey": {
        "id": "text",
        "ticket": "text",
        "account": "text",  # whose work is rated; empty means the ticket's resolver
        "sent_at": "time",
        "answered_at": "time",
        "rating": "int",  # 1 to 5
        "recommend": "int",  # 0 to 10
        "updated_at": "time",
    },
    "escalation": {
        "id": "text",
        "ticket": "text",
        "kind": "text",
        "from_account": "text",
        "to_account": "text",
        "raised_at": "time",
        "due_at": "time",  # internal SLA to accept
        "accepted_at": "time",
        "resolved_at": "time",
        "bounced": "bool",
        "reopened": "bool",
        "mandated": "bool",
        "updated_at": "time",
    },
    "leave": {
        "id": "text",
        "account": "text",
        "first_day": "day",
        "last_day": "day",
        "kind": "text",
        "minutes_per_day": "int",  # empty is the whole working day
    },
    "endpoints": {"id": "text", "client": "text", "day": "day", "count": "int"},
    "client": {
        "id": "text",
        "name": "text",
        "contract_value": "money",  # a year
        "currency": "text",
        "renewal_day": "day",
    },
    "complaint": {"id": "text", "client": "text", "ticket": "text", "at": "time", "updated_at": "time"},
    "cost": {
        "id": "text",
        "client": "text",  # empty: of the desk as a whole
        "day": "day",  # any of the month that it belongs to
        "amount": "money",  # a credit is negative
        "currency": "text",  # as contracts have it
        "kind": "text",  # labour, licence, vendor, other
    },
    "certification": {
        "id": "text",
        "account": "text",
        "name": "text",
        "required_from": "day",
        "required_to": "day",
        "valid_from": "day",
        "valid_to": "day",
    },
    "training": {"id": "text", "account": "text", "day": "day", "minutes": "int", "subject": "text"},
}
"""Raw facts: table → column → type. Every table has `id` as its key; every other column may be empty."""

Derived = dict[str, dict[str, ColumnType]]

DERIVED: Derived = {
    "ticket": {
        "reopened": "bool",  # within the reopen window, for a reason that counts; empty is unknown
        "closer": "person",  # who resolved it before that reopening, else the resolver
        "closed_on": "time",  # when the closer resolved it
        "repeated": "bool",  # same requester and category opened another after the resolution, within the window
        "first_contact": "bool",
        "first_contact_by": "person",  # who had the first contact; nobody where it was passed on by who knows whom
        "fixer": "person",  # who worked it first and so had the chance of a first time fix
        "first_time_fix": "bool",
        "keeper": "person",  # the resolver, else the owner
        "same_day": "bool",  # resolved on the keeper's local day of opening
        "handler": "person",  # who escalated it, else the resolver
        "escalated": "bool",
        "responder": "person",
        "wait_minutes": "float",  # business minutes until a person answered
        "open_minutes": "float",  # business minutes from opening to resolution, without holds
        "triage_ok": "bool",
        "triage_by": "person",
        "triage_on": "time",
        "engagement_ok": "bool",
        "engagement_by": "person",
        "engagement_on": "time",
        "completion_ok": "bool",
        "completion_by": "person",  # of a breach: who held it longest before it was due
        "completion_on": "time",
    },
    "span": {  # a stretch of an open ticket's life in one person's hands
        "ticket": "text",
        "holder": "person",
        "from_day": "day",
        "until_day": "day",
        "aged_day": "day",  # the first day on which it is aged while in these hands
        "watched": "bool",  # the ticket's events are known
    },
    "informed": {  # a stretch of such a span during which the client has heard from a person lately
        "ticket": "text",
        "holder": "person",
        "from_day": "day",
        "until_day": "day",
    },
    "time_entry": {
        "on_time": "bool",  # entered soon after the work ended
        "elsewhere": "bool",  # internal support: on a ticket held by another team
        "productive": "bool",  # for clients, or internal support
    },
    "survey": {"rated": "person"},
    "escalation": {"answered": "bool", "succeeded": "bool", "ended_at": "time"},
    "endpoints": {"until_day": "day"},
    "certification": {"required_until": "day", "held_day": "day", "held_until": "day"},
    "capacity": {  # what a person had to give on a day; entries and trainings that leave it are negative
        "person": "person",
        "day": "day",
        "minutes": "float",
        "part": "text",  # calendar, entry, training
        "entries_known": "bool",  # time entries are known around that day
        "tickets_known": "bool",
    },
}
"""Derived tables and columns, made by `scoring.derive`; metrics may use them like raw ones."""

LOOKS_AT: dict[str, dict[str, tuple[str, ...]]] = {
    "ticket": {
        "repeated": ("ticket of the same requester and category",),
        "reopened": ("ticket_event of the ticket",),
        "closer": ("ticket_event of the ticket",),
        "closed_on": ("ticket_event of the ticket",),
        "open_minutes": ("ticket_event of the ticket",),
        "engagement_by": ("ticket_event of the ticket",),
        "completion_ok": ("ticket_event of the ticket",),
        "completion_by": ("ticket_event of the ticket",),
    },
    "span": {"*": ("ticket of the row", "ticket_event of the ticket")},
    "informed": {"*": ("ticket of the row", "ticket_event of the ticket")},
    "time_entry": {"elsewhere": ("ticket of the row",), "productive": ("ticket of the row",)},
    "survey": {"rated": ("ticket of the row",)},
    "escalation": {"succeeded": ("ticket of the row", "ticket_event of the ticket")},
    "endpoints": {"until_day": ("endpoints of the same client",)},
    "capacity": {"*": ("leave of the person", "time_entry of the row", "training of the row")},
}
"""Derived column → the neighbouring rows it is made from; a change of those re-computes it."""

ACCOUNTS: dict[str, tuple[str, ...]] = {
    "ticket": ("dispatcher", "first_worker", "owner", "resolver", "escalated_by"),
    "ticket_event": ("actor", "owner"),
    "time_entry": ("account",),
    "survey": ("account",),
    "escalation": ("from_account", "to_account"),
    "leave": ("account",),
    "certification": ("account",),
    "training": ("account",),
}
"""Columns that hold an account: work is credited to the person it is linked to, or to nobody."""

REACH: dict[str, tuple[str, ...]] = {"ticket": ("opened_at", "resolved_at"), "time_entry": ("started_at",)}
"""The tables whose reach in time says on which days people had capacity, and the instants that make it."""

TICKET_OF: dict[str, str] = {
    "ticket": "id",
    "ticket_event": "ticket",
    "time_entry": "ticket",
    "survey": "ticket",
    "escalation": "ticket",
    "complaint": "ticket",
    "span": "ticket",
    "informed": "ticket",
}
"""The column that names a row's ticket, by which a person's correction leaves it out."""


def columns(table: str) -> dict[str, ColumnType]:
    """Raw and derived columns of a table, in order. Raises KeyError for a table that is neither."""
    if table not in SCHEMA and table not in DERIVED:
        raise KeyError(table)
    return {**SCHEMA.get(table, {}), **DERIVED.get(table, {})}


TABLES: tuple[str, ...] = tuple(dict.fromkeys((*SCHEMA, *DERIVED)))
"""Every table that a metric may read."""
