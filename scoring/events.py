"""A log with several rows a ticket becomes one ticket row and its events; later parts of a log add to it."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

import scoring.columns
import scoring.maps
from scoring.maps import Events, Map, TableMap

_SIDES = ("resolved", "closed")
_SUB = 4  # up to so many events come from one row of a log
_MOST_COUNT = 2**28  # greater numbers are times, and would not fit `seq`
DERIVED = (
    "opened_at",
    "triaged_at",
    "responded_at",
    "resolved_at",
    "closed_at",
    "first_worker",
    "owner",
    "resolver",
    "tier",
    "queue",
    "reopens",
    "reopened_at",
    "reassignments",
    "escalations",
    "escalated_by",
    "updated_at",
)
"""Ticket fields that events can tell where no column does."""

EVENT_TYPES: dict[str, type[pl.DataType]] = {
    "id": pl.String,
    "ticket": pl.String,
    "at": pl.Int64,
    "seq": pl.Int64,
    "what": pl.String,
    "actor": pl.String,
    "owner": pl.String,
    "queue": pl.String,
    "tier": pl.Int64,
}


@dataclass(frozen=True, slots=True)
class Reduced:
    """`rows`: numbers of the rows that win, one a ticket. `events`: ticket_event facts.

    `bad`: row number and reason, of rows without a ticket or a readable order.
    """

    rows: pl.Series
    events: pl.DataFrame
    bad: pl.DataFrame


def _order(raw: pl.DataFrame, entry: TableMap, map: Map) -> tuple[list[pl.Series], bool]:
    """The order columns as numbers, and whether the first one counts (rather than tells the time)."""
    keys = []
    counts = False
    for position, column in enumerate(entry.order):
        text = raw.get_column(column)
        number = text.cast(pl.Int64, strict=False)
        dated = number.clear()
        if number.count() < text.count():
            dated = scoring.columns.times(text, map.dates, map.zone)
        if dated.count() > number.count():
            number = dated
        elif position == 0:
            highest = number.max()
            counts = isinstance(highest, int) and highest < _MOST_COUNT
        keys.append(number.alias(f"_order{position}"))
    return keys, counts


def reduce(raw: pl.DataFrame, entry: TableMap, map: Map) -> Reduced:
    """Of clean text rows (whole tickets, in the file's order): which rows win, and the events in them."""
    keys, counts = _order(raw, entry, map)
    names = [key.name for key in keys]
    rows = raw.with_columns(*keys, pl.int_range(0, raw.height).alias("_row"))
    unread = pl.any_horizontal(pl.col(names[0]).is_null(), pl.col(entry.group).is_null())
    bad = rows.filter(unread).select(
        pl.col("_row").alias("row"),
        pl.when(pl.col(entry.group).is_null())
        .then(pl.lit(f"column {entry.group} is empty; every row needs it."))
        .otherwise(pl.lit(f"column {entry.order[0]}: expected a number or a date and time to order rows by."))
        .alias("reason"),
    )
    rows = rows.filter(~unread).sort([entry.group, *names, "_row"], nulls_last=False)
    one = rows.group_by(entry.group, maintain_order=True)
    winners = (one.last() if entry.wins == "last" else one.first())["_row"].sort()
    if entry.events is None:
        return Reduced(winners, pl.DataFrame(schema=EVENT_TYPES), bad)
    events = _events(rows, entry, entry.events, map, names, counts)
    return Reduced(winners, events, bad)


def _state(rows: pl.DataFrame, says: Events) -> pl.Series:
    states = rows.select(pl.concat_str([pl.col(c).fill_null("") for c in says.columns], separator="/")).to_series()
    known = states.unique().to_list()
    return states.replace_strict(known, [says.what(state) for state in known], return_dtype=pl.String)


def _account(column: str, map: Map) -> pl.Expr:
    if not column:
        return pl.lit(None, dtype=pl.String)
    known = pl.when(~pl.col(column).is_in(sorted(map.ignored))).then(pl.col(column))
    return pl.lit(f"{map.source}/") + known


def _tier(rows: pl.DataFrame, says: Events) -> pl.Series:
    if not says.tier:
        return pl.Series([None], dtype=pl.Int64).new_from_index(0, rows.height)
    text = rows.get_column(says.tier)
    if not says.tiers:
        return text.cast(pl.Int64, strict=False)
    known = text.unique().to_list()
    lines = [None if value is None else says.line(value) for value in known]
    return text.replace_strict(known, lines, return_dtype=pl.Int64)


def _events(
    rows: pl.DataFrame, entry: TableMap, says: Events, map: Map, order: list[str], counts: bool
) -> pl.DataFrame:
    """Main events, and beside them "assigned" where the owner changes and "escalated" where the line rises."""
    at = scoring.columns.times(rows.get_column(says.at), map.dates, map.zone)
    base = rows.select(
        (pl.lit(f"{map.source}/") + pl.col(entry.group)).alias("ticket"),
        at.alias("at"),
        _state(rows, says).alias("state"),
        _account(says.actor, map).alias("actor"),
        _account(says.owner, map).alias("owner"),
        (pl.col(says.queue) if says.queue else pl.lit(None, dtype=pl.String)).alias("queue"),
        _tier(rows, says).alias("tier"),
        *order,
    ).filter(pl.col("at").is_not_null() & pl.col("state").is_not_null())
    tie = pl.int_range(pl.len()).over(["ticket", *order])
    base = base.with_columns(
        tie.alias("tie"),
        pl.col("state").shift(1).over("ticket").alias("before"),
        pl.col("owner").forward_fill().shift(1).over("ticket").alias("from_owner"),
        pl.col("actor").forward_fill().shift(1).over("ticket").alias("from_actor"),
        pl.col("tier").forward_fill().shift(1).over("ticket").alias("from_tier"),
    )
    state, before = pl.col("state"), pl.col("before")
    main = base.with_columns(
        pl.when(before.is_in(_SIDES) & ~state.is_in(_SIDES))
        .then(pl.lit("reopened"))
        .when((before == "hold") & ~state.is_in((*_SIDES, "hold", "resumed")))
        .then(pl.lit("resumed"))
        .when(state == before)
        .then(pl.lit("updated"))
        .otherwise(state)
        .alias("what"),
        pl.lit(2).alias("sub"),
    )
    # a rise to a higher line by somebody's hand is that person's escalation
    assigned = base.filter(pl.col("owner") != pl.col("from_owner")).with_columns(
        pl.lit("assigned").alias("what"), pl.lit(0).alias("sub")
    )
    escalated = base.filter(pl.col("tier") > pl.col("from_tier")).with_columns(
        pl.lit("escalated").alias("what"), pl.col("from_actor").alias("actor"), pl.lit(1).alias("sub")
    )
    all_events = pl.concat([main, assigned, escalated]).sort(["ticket", *order, "tie", "sub"])
    rank = pl.int_range(pl.len()).over("ticket")
    number = pl.col(order[0]) * _SUB + pl.col("sub") if counts else rank
    place = pl.concat_str([pl.col(c).cast(pl.String).fill_null("") for c in (*order, "tie", "what")], separator=".")
    return all_events.with_columns(number.alias("seq"), (pl.col("ticket") + pl.lit("#") + place).alias("id")).select(
        [pl.col(c).cast(t) for c, t in EVENT_TYPES.items()]
    )


def merged(stored: pl.DataFrame, fresh: pl.DataFrame) -> pl.DataFrame:
    """Events known before and events just read, each once (the fresh one wins), in order of time."""
    both = pl.concat([stored.select(list(EVENT_TYPES)).cast(pl.Schema(EVENT_TYPES)), fresh])
    return both.unique("id", keep="last", maintain_order=True).sort(["ticket", "at", "seq", "id"])


def summary(events: pl.DataFrame) -> pl.DataFrame:
    """One row a ticket (`id`) with the fields in `DERIVED`, of ticket_event facts.

    Time on hold is no such field: it is counted from the events, by the working hours of who keeps the ticket.
    """
    ordered = events.sort(["ticket", "at", "seq"])
    what, at, actor = pl.col("what"), pl.col("at"), pl.col("actor")
    worked = what.is_in(["responded", "updated", "resolved"])
    return (
        ordered.group_by("ticket", maintain_order=True)
        .agg(
            pl.coalesce(at.filter(what == "opened").min(), at.min()).alias("opened_at"),
            at.filter(what == "triaged").min().alias("triaged_at"),
            at.filter(what == "responded").min().alias("responded_at"),
            at.filter(what == "resolved").max().alias("resolved_last"),
            at.filter(what == "closed").max().alias("closed_at"),
            actor.filter(worked & actor.is_not_null()).first().alias("first_worker"),
            pl.col("owner").drop_nulls().last().alias("owner"),
            pl.coalesce(
                actor.filter((what == "resolved") & actor.is_not_null()).last(),
                actor.filter((what == "closed") & actor.is_not_null()).last(),
            ).alias("resolver"),
            pl.col("tier").drop_nulls().last().alias("tier"),
            pl.col("queue").drop_nulls().last().alias("queue"),
            (what == "reopened").sum().cast(pl.Int64).alias("reopens"),
            at.filter(what == "reopened").max().alias("reopened_at"),
            (what == "assigned").sum().cast(pl.Int64).alias("reassignments"),
            (what == "escalated").sum().cast(pl.Int64).alias("escalations"),
            actor.filter(what == "escalated").first().alias("escalated_by"),
            at.max().alias("updated_at"),
        )
        .with_columns(pl.coalesce("resolved_last", "closed_at").alias("resolved_at"))
        .drop("resolved_last")
        .rename({"ticket": "id"})
    )


def told(tickets: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Ticket facts with what the events tell where no column did; a column of the file always wins.

    Without a reopening by the file's own counter there is no moment of it either.
    """
    if events.is_empty():
        return tickets
    joined = tickets.join(summary(events), on="id", how="left", suffix="_told", maintain_order="left")
    filled = [
        pl.coalesce(name, f"{name}_told").alias(name) if name in tickets.columns else pl.col(name) for name in DERIVED
    ]
    full = joined.select(*(c for c in tickets.columns if c not in DERIVED), *filled)
    if "reopens" in tickets.columns:
        full = full.with_columns(pl.when(pl.col("reopens") > 0).then(pl.col("reopened_at")).alias("reopened_at"))
    return full


def untold(tickets: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Stored tickets without what only their stored events told, to be told again with more of them.

    Counters stay: a file's own counter of 0 is not to be outvoted by events.
    """
    names = [c for c in DERIVED if c in tickets.columns and c not in ("reopens", "reassignments", "escalations")]
    if events.is_empty() or tickets.is_empty() or not names:
        return tickets
    joined = tickets.join(summary(events), on="id", how="left", suffix="_told", maintain_order="left")
    kept = [pl.when(pl.col(c).ne_missing(pl.col(f"{c}_told"))).then(pl.col(c)).alias(c) for c in names]
    return joined.with_columns(kept).select(tickets.columns)
