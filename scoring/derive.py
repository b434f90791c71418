"""Derived columns: what needs zones, calendars or neighbouring rows, made once for every metric to use."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import polars as pl

import scoring.capacity
import scoring.directory
import scoring.expressions
import scoring.facts
import scoring.spans
from scoring.directory import Directory
from scoring.fairness import Fairness

_HOUR = 60
_AGES = 1 << 34  # makes any instant positive
_SPAN = 1 << 36  # more than two instants can be apart


def typed(table: str) -> dict[str, pl.DataType]:
    """Polars types of a table's raw columns."""
    return {name: scoring.expressions.POLARS[kind] for name, kind in scoring.facts.SCHEMA[table].items()}


def whole(table: str, frame: pl.DataFrame | None) -> pl.DataFrame:
    """A raw fact frame with every column of its table, typed; columns it lacks are null."""
    schema = typed(table)
    if frame is None:
        return pl.DataFrame(schema=schema)
    if frame.schema == schema:
        return frame
    return frame.select(
        pl.col(name).cast(kind) if name in frame.columns else pl.lit(None, kind).alias(name)
        for name, kind in schema.items()
    )


def derive(
    facts: Mapping[str, pl.DataFrame], directory: Directory, fairness: Fairness, *, spans: bool = True
) -> dict[str, pl.DataFrame]:
    """Every derived table from raw facts (by table, columns of `scoring.facts.SCHEMA`).

    Besides fact tables, `facts` may hold `correction` (ticket, person: that person's credit is left out),
    `distortion` (columns of `scoring.distortions.FRAME`: both are handed on to `scoring.rollups`),
    `extent` (table_name, first_day, last_day: days between which facts are known) and `person_day`
    (person, day: limits capacity to these). Without `spans`, span and informed stay empty. No clock is read: what is
    open is a span without an end.
    """
    raw = {table: _linked(table, facts.get(table), directory) for table in scoring.facts.SCHEMA}
    events = raw["ticket_event"]
    made = dict(raw)
    for table in ("span", "informed", "capacity"):
        made[table] = blank(table)
    if not raw["ticket"].is_empty():
        stretch = scoring.spans.stretches(raw["ticket"], events)
        made["ticket"] = _tickets(raw["ticket"], events, stretch, directory, fairness)
        if spans:
            span = _spans(made["ticket"], events, stretch, directory, fairness)
            made["span"] = span.select(list(scoring.facts.DERIVED["span"]))
            if span["watched"].any():
                made["informed"] = _informed(span, events, directory, fairness)
    tickets = made["ticket"]
    for table, derived in (("survey", _surveys), ("escalation", _escalations)):
        if not raw[table].is_empty():
            made[table] = derived(raw[table], tickets)
    if not raw["time_entry"].is_empty():
        made["time_entry"] = _entries(raw["time_entry"], tickets, directory, fairness)
    if not raw["endpoints"].is_empty():
        made["endpoints"] = (
            raw["endpoints"]
            .sort("client", "day", "id", nulls_last=True)
            .with_columns(pl.col("day").shift(-1).over("client").alias("until_day"))
        )
    if not raw["certification"].is_empty():
        made["certification"] = _certifications(raw["certification"])
    made["capacity"] = scoring.capacity.capacity(
        directory,
        facts.get("extent"),
        raw["leave"],
        raw["time_entry"],
        raw["training"],
        facts.get("person_day"),
        fairness,
    )
    for named in ("correction", "distortion"):
        if named in facts:
            made[named] = facts[named]
    return made


@cache
def blank(table: str) -> pl.DataFrame:
    """A table without rows, with raw, derived and linked columns."""
    names = scoring.facts.columns(table)
    linked: dict[str, pl.DataType] = {f"@{name}": pl.Int64() for name in scoring.facts.ACCOUNTS.get(table, ())}
    return pl.DataFrame(schema={name: scoring.expressions.POLARS[kind] for name, kind in names.items()} | linked)


def _linked(table: str, frame: pl.DataFrame | None, directory: Directory) -> pl.DataFrame:
    """Beside each account column `x` the person it is linked to, as `@x`."""
    if frame is None or frame.is_empty():
        return blank(table)
    frame = whole(table, frame)
    return frame.with_columns(
        scoring.directory.persons(directory, frame[name]).alias(f"@{name}")
        for name in scoring.facts.ACCOUNTS.get(table, ())
    )


def _tickets(
    raw: pl.DataFrame, events: pl.DataFrame, stretch: pl.DataFrame, directory: Directory, fairness: Fairness
) -> pl.DataFrame:
    first = pl.when(pl.col("first_worker").is_not_null()).then("@first_worker")
    t = raw.with_columns(
        pl.when(pl.col("resolver").is_not_null()).then("@resolver").otherwise("@owner").alias("keeper")
    )
    t = t.with_columns(
        pl.when(pl.col("first_worker").is_not_null()).then("@first_worker").otherwise("keeper").alias("responder"),
        first.alias("fixer"),
    )
    t = _reopenings(t, events, fairness)
    life = scoring.directory.business_minutes(directory, t["@resolver"], t["opened_at"], t["resolved_at"])
    wait = scoring.directory.business_minutes(directory, t["responder"], t["opened_at"], t["responded_at"])
    over = t.select(pl.coalesce("resolved_at", "closed_at")).to_series()
    same = scoring.directory.local_days(directory, t["keeper"], t["opened_at"]) == scoring.directory.local_days(
        directory, t["keeper"], over
    )
    keeper = t.select(pl.col("id").alias("ticket"), "keeper")
    held = scoring.spans.hold_minutes(stretch, keeper, directory)
    hold = pl.coalesce("hold_minutes", scoring.directory.gather(held["held"], held["ticket"], t["id"])).fill_null(0)
    t = t.with_columns(
        life.alias("@life"),
        hold.alias("@hold"),
        wait.alias("wait_minutes"),
        same.fill_null(False).alias("same_day"),
        repeated(t, fairness).alias("repeated"),
        pl.when(pl.col("escalations").is_not_null()).then(pl.col("escalations") > 0)
        .when(pl.col("escalated_by").is_not_null()).then(True).alias("escalated"),
    )  # fmt: skip
    t = t.with_columns(
        (pl.col("@life") - pl.col("@hold")).clip(lower_bound=0).alias("open_minutes"),
        pl.when(pl.col("escalated") & pl.col("escalated_by").is_not_null()).then("@escalated_by").otherwise("@resolver")
        .alias("handler"),
        _first_contact(fairness).alias("first_contact"),
        _first_contact_by().alias("first_contact_by"),
        _first_time_fix().alias("first_time_fix"),
    )  # fmt: skip
    return _stages(t, stretch, directory, fairness)


def _first_contact_by() -> pl.Expr:
    """The first worker, else the resolver of what was not passed on: who receives the rest had no first contact."""
    passed_on = (pl.col("escalations").fill_null(0) > 0) | (pl.col("reassignments").fill_null(0) > 0)
    return pl.when(pl.col("first_worker").is_not_null()).then("@first_worker").when(~passed_on).then("@resolver")


def _first_contact(fairness: Fairness) -> pl.Expr:
    """True, false, or null where it is not known or the ticket is not eligible."""
    known = (
        pl.col("resolved_at").is_not_null()
        & pl.col("interactions").is_not_null()
        & (pl.col("channel").fill_null("") != "monitoring")
        & ~pl.col("mandated").fill_null(False)
    )
    slow = pl.col("channel").is_in(list(fairness.slow_channels)) & (
        pl.col("@life").fill_null(0) > fairness.first_contact_minutes
    )
    fails = (
        (pl.col("interactions") > 1)
        | (pl.col("escalations").fill_null(0) > 0)
        | (pl.col("reassignments").fill_null(0) > 0)
        | pl.col("reopened").fill_null(False)
        | slow.fill_null(False)
    )
    return pl.when(known).then(~fails)


def _first_time_fix() -> pl.Expr:
    handed_on = pl.col("first_worker") != pl.col("resolver")
    unfair = handed_on & (
        (pl.col("first_worker") == pl.col("dispatcher")).fill_null(False) | pl.col("mandated").fill_null(False)
    )
    known = (
        pl.col("resolved_at").is_not_null() & pl.col("first_worker").is_not_null() & pl.col("resolver").is_not_null()
    )
    return pl.when(known & ~unfair).then(~handed_on & ~pl.col("reopened").fill_null(False))


def _reopenings(t: pl.DataFrame, events: pl.DataFrame, fairness: Fairness) -> pl.DataFrame:
    """reopened, closer, closed_on: from events where they tell, else from the ticket's own columns.

    A reopening before the last resolution belongs to an earlier one whose time is not known, and counts.
    """
    told = scoring.spans.early_closures(events, fairness)
    gap = pl.col("reopened_at") - pl.col("resolved_at")
    own = (
        pl.when(pl.col("reopen_reason").is_in(list(fairness.not_reopened))).then(False)
        .when(pl.col("reopened_at").is_not_null() & pl.col("resolved_at").is_not_null())
        .then(gap <= fairness.reopen_days * 86_400)
        .when(pl.col("reopened_at").is_not_null()).then(True)
        .when(pl.col("reopens").is_not_null()).then(pl.col("reopens") > 0)
    )  # fmt: skip
    names = {"reopened": "@reopened", "closer": "@closer", "closed_on": "@closed_on"}
    joined = t.join(told.rename(names), left_on="id", right_on="ticket", how="left", maintain_order="left")
    early = pl.col("@reopened").fill_null(False)
    return joined.with_columns(
        pl.coalesce(pl.col("@reopened"), own).alias("reopened"),
        pl.when(early).then("@closer").otherwise("@resolver").alias("closer"),
        pl.when(early).then("@closed_on").otherwise("resolved_at").alias("closed_on"),
    ).drop(names.values())


def repeated(t: pl.DataFrame, fairness: Fairness) -> pl.Series:
    """For each ticket (raw columns): whether its requester opened another of the category within the window after it.

    The window begins with the resolution; null where it is not resolved, or requester or category are unknown.
    """
    known = pl.all_horizontal(pl.col("requester", "category").is_not_null())
    keyed = t.lazy().select("requester", "category", "opened_at", "resolved_at").with_row_index("row").filter(known)
    groups = (
        keyed.group_by("requester", "category")
        .agg("row", "opened_at", "resolved_at")
        .filter(pl.col("row").list.len() > 1)
    )
    kept = (
        groups.with_row_index("who")
        .select("who", "row", "opened_at", "resolved_at")
        .explode("row", "opened_at", "resolved_at")
        .collect()
    )
    who = pl.col("who").cast(pl.Int64) * _SPAN
    keys = kept.filter(pl.col("opened_at").is_not_null()).select(who + pl.col("opened_at") + _AGES).to_series().sort()
    asked = kept.filter(pl.col("resolved_at").is_not_null()).with_columns(
        (who + pl.col("resolved_at") + _AGES).alias("at")
    )
    window = fairness.repeat_days * 86_400
    opened = keys.search_sorted(asked["at"] + window, side="right") - keys.search_sorted(asked["at"], side="right")
    gap = pl.col("opened_at") - pl.col("resolved_at")
    itself = ((gap > 0) & (gap <= window)).fill_null(False)  # clocks that disagree make no repeat
    hits = asked.select("row", hit=opened.cast(pl.Int64) > itself.cast(pl.Int64))
    once = t.select(pl.when(known & pl.col("resolved_at").is_not_null()).then(False).alias("hit"))["hit"]
    return once.scatter(hits["row"], hits["hit"])


def _stages(t: pl.DataFrame, stretch: pl.DataFrame, directory: Directory, fairness: Fairness) -> pl.DataFrame:
    """Each stage of the SLA: met or not, when it counts, and who is credited."""
    late = scoring.directory.business_minutes(directory, t["keeper"], t["completion_due_at"], t["resolved_at"])
    in_time = pl.col("resolved_at") <= pl.col("completion_due_at")
    if fairness.holds_extend_due:
        in_time = in_time | (
            pl.when(late.is_not_null()).then(late <= pl.col("@hold")).otherwise(False) & (pl.col("@hold") > 0)
        )
    t = t.with_columns(
        pl.coalesce("triage_met", pl.col("triaged_at") <= pl.col("triage_due_at")).alias("triage_ok"),
        pl.coalesce("engagement_met", pl.col("responded_at") <= pl.col("engagement_due_at")).alias("engagement_ok"),
        pl.coalesce("completion_met", in_time).alias("completion_ok"),
        pl.coalesce("triaged_at", "resolved_at").alias("triage_on"),
        pl.coalesce("responded_at", "resolved_at").alias("engagement_on"),
        pl.coalesce("resolved_at", "closed_at").alias("completion_on"),
        pl.when(pl.col("dispatcher").is_not_null()).then("@dispatcher").otherwise("responder").alias("triage_by"),
    )
    for stage, otherwise in (("engagement", "responder"), ("completion", "keeper")):
        if stretch.is_empty():
            t = t.with_columns(pl.col(otherwise).alias(f"{stage}_by"))
            continue
        missed = t.filter(~pl.col(f"{stage}_ok") & pl.col(f"{stage}_due_at").is_not_null()).select(
            pl.col("id").alias("ticket"), pl.col(f"{stage}_due_at").alias("due")
        )
        found = scoring.spans.longest_holders(stretch, missed, directory).with_columns(told=True)
        t = (
            t.join(found, left_on="id", right_on="ticket", how="left", maintain_order="left")
            .with_columns(pl.when("told").then("person").otherwise(otherwise).alias(f"{stage}_by"))
            .drop("person", "told")
        )
    return t


def _spans(
    tickets: pl.DataFrame, events: pl.DataFrame, stretch: pl.DataFrame, directory: Directory, fairness: Fairness
) -> pl.DataFrame:
    held = scoring.spans.holding(tickets, events, stretch)
    held = held.join(scoring.spans.aged_at(tickets, stretch, directory, fairness), on="ticket", how="left")
    day = {
        name: scoring.directory.local_days(directory, held["holder"], held[at])
        for name, at in (("from_day", "at"), ("until_day", "until"), ("old", "aged_at"))
    }
    made = held.with_columns(series.alias(name) for name, series in day.items())
    aged = pl.when(pl.col("old").is_not_null()).then(pl.max_horizontal("old", "from_day"))
    return made.with_columns(aged.alias("aged_day"))


def _informed(span: pl.DataFrame, events: pl.DataFrame, directory: Directory, fairness: Fairness) -> pl.DataFrame:
    """Stretches of watched spans after an update by a person: its day, and on until its business hours are over."""
    updates = (
        events.filter(
            pl.col("what").is_in(["responded", "updated"]) & pl.col("@actor").is_not_null() & pl.col("at").is_not_null()
        )
        .sort("ticket", "at", "seq", "id", nulls_last=True)
        .select("ticket", pl.col("at").alias("said"), pl.col("at").shift(-1).over("ticket").alias("next"))
    )
    pairs = span.filter("watched").select("ticket", "holder", "from_day", "until_day").join(updates, on="ticket")
    deadline = scoring.directory.business_deadlines(
        directory, pairs["holder"], pairs["said"], fairness.informed_hours * _HOUR
    )
    said, due, following = (
        scoring.directory.local_days(directory, pairs["holder"], at) for at in (pairs["said"], deadline, pairs["next"])
    )
    return (
        pairs.with_columns(said.alias("said"), due.alias("due"), following.alias("next"))
        .with_columns(pl.max_horizontal(pl.col("said") + 1, "due").alias("due"))
        .select(
            "ticket", "holder", pl.max_horizontal("from_day", "said").alias("from_day"),
            pl.min_horizontal("until_day", "due", "next").alias("until_day"),
        )
        .filter(pl.col("from_day") < pl.col("until_day"))
    )  # fmt: skip


def _entries(raw: pl.DataFrame, tickets: pl.DataFrame, directory: Directory, fairness: Fairness) -> pl.DataFrame:
    """on_time, elsewhere, productive; work is elsewhere when another team's person kept the ticket that day."""
    lag = pl.col("entered_at") - pl.col("ended_at")
    keeper = scoring.directory.gather(tickets["keeper"], tickets["id"], raw["ticket"])
    day = scoring.directory.local_days(directory, raw["@account"], raw["started_at"])
    mine = scoring.directory.teams_on(directory, raw["@account"], day)
    theirs = scoring.directory.teams_on(directory, keeper, day)
    other = (mine != theirs) & (mine != scoring.directory.NO_TEAM) & (theirs != scoring.directory.NO_TEAM)
    working = pl.col("kind").is_in(list(fairness.client_kinds)).fill_null(False)
    return raw.with_columns(
        (lag <= fairness.entry_minutes * 60).alias("on_time"),
        ((pl.col("kind") == "internal_support").fill_null(False) | (other.fill_null(False) & working)).alias(
            "elsewhere"
        ),
        working.alias("productive"),
    )


def _surveys(raw: pl.DataFrame, tickets: pl.DataFrame) -> pl.DataFrame:
    resolver = scoring.directory.gather(tickets["@resolver"], tickets["id"], raw["ticket"])
    return raw.with_columns(
        pl.when(pl.col("account").is_not_null()).then("@account").otherwise(resolver).alias("rated")
    )


def _escalations(raw: pl.DataFrame, tickets: pl.DataFrame) -> pl.DataFrame:
    reopened = scoring.directory.gather(tickets["reopened"], tickets["id"], raw["ticket"])
    ended = pl.col("resolved_at").is_not_null() | pl.col("bounced").fill_null(False)
    again = pl.coalesce(pl.col("reopened"), reopened).fill_null(False)
    return raw.with_columns(
        pl.when(pl.col("due_at").is_not_null())
        .then((pl.col("accepted_at") <= pl.col("due_at")).fill_null(False)).alias("answered"),
        pl.when(pl.col("accepted_at").is_not_null() & ended)
        .then(pl.col("resolved_at").is_not_null() & ~pl.col("bounced").fill_null(False) & ~again).alias("succeeded"),
        pl.coalesce("resolved_at", "accepted_at").alias("ended_at"),
    )  # fmt: skip


def _certifications(raw: pl.DataFrame) -> pl.DataFrame:
    """Last days are included, so spans end on the day after; held counts only while it is required."""
    until = pl.col("required_to") + 1
    return raw.with_columns(
        until.alias("required_until"),
        pl.when(pl.col("valid_from").is_not_null() & pl.col("required_from").is_not_null())
        .then(pl.max_horizontal("required_from", "valid_from")).alias("held_day"),
        pl.min_horizontal(until, pl.col("valid_to") + 1).alias("held_until"),
    )  # fmt: skip
