"""The hours a person had to give on a day: the calendar without leave; training and improvement leave it."""

from __future__ import annotations

import polars as pl

import scoring.directory
import scoring.facts
from scoring.directory import Directory
from scoring.fairness import Fairness

SCHEMA = {
    "person": pl.Int64, "day": pl.Int64, "minutes": pl.Float64, "part": pl.String,
    "entries_known": pl.Boolean, "tickets_known": pl.Boolean,
}  # fmt: skip


def capacity(
    directory: Directory, extent: pl.DataFrame | None, leave: pl.DataFrame, entries: pl.DataFrame,
    training: pl.DataFrame, person_day: pl.DataFrame | None, fairness: Fairness,
) -> pl.DataFrame:  # fmt: skip
    """One row a person and working day of membership within the days known, less leave (part "calendar"),
    and a negative row for each entry and training that leaves the denominator.

    `person_day` (person, day) limits the calendar rows; without `extent` there are none.
    """
    return pl.concat(
        [
            _calendar(directory, extent, leave, person_day),
            _less(directory, entries.filter(pl.col("kind").is_in(list(fairness.off_kinds))), "started_at", "entry"),
            _less(directory, training, "day", "training"),
        ]
    )


def _calendar(
    directory: Directory, extent: pl.DataFrame | None, leave: pl.DataFrame, person_day: pl.DataFrame | None
) -> pl.DataFrame:
    known = {} if extent is None else {name: (first, last) for name, first, last in extent.iter_rows()}
    known = {name: days for name, days in known.items() if name in scoring.facts.REACH}
    if not known or (person_day is not None and person_day.is_empty()):
        return pl.DataFrame(schema=SCHEMA)
    first, last = min(f for f, _ in known.values()), max(t for _, t in known.values())
    members = directory.segments.filter("member")
    if person_day is None:
        rows = (
            members.with_columns(pl.max_horizontal("from_day", first), pl.min_horizontal("until_day", last + 1))
            .filter(pl.col("from_day") < pl.col("until_day"))
            .with_columns(pl.int_ranges("from_day", "until_day").alias("day"))
            .explode("day", empty_as_null=True, keep_nulls=True)
        )
    else:
        rows = (
            person_day.select(pl.col("person").cast(pl.Int64), pl.col("day").cast(pl.Int64)).unique()
            .filter(pl.col("day").is_between(first, last))
            .join(members, on="person")
            .filter((pl.col("day") >= pl.col("from_day")) & (pl.col("day") < pl.col("until_day")))
        )  # fmt: skip
    minutes = _minutes(directory)
    holidays = pl.DataFrame(
        [(index, day) for index, c in enumerate(directory.calendars) for day in sorted(c.holidays)],
        schema={"calendar": pl.Int64, "day": pl.Int64}, orient="row",
    )  # fmt: skip
    rows = (
        rows.select("person", "day", "calendar")
        .join(holidays, on=["calendar", "day"], how="anti")
        .with_columns(((pl.col("day") + 3) % 7).alias("weekday"))
        .join(minutes, on=["calendar", "weekday"])
        .join(_leave(leave), on=["person", "day"], how="left")
        .with_columns((pl.col("minutes") - pl.col("off").fill_null(0)).clip(lower_bound=0).cast(pl.Float64))
        .filter(pl.col("minutes") > 0)
    )
    within = {
        name: pl.col("day").is_between(*known[name]) if name in known else pl.lit(False)
        for name in ("ticket", "time_entry")
    }
    return rows.select(
        "person", "day", "minutes", pl.lit("calendar").alias("part"),
        within["time_entry"].alias("entries_known"), within["ticket"].alias("tickets_known"),
    )  # fmt: skip


def _minutes(directory: Directory) -> pl.DataFrame:
    rows = [
        (index, weekday, sum(end - start for start, end in spans))
        for index, calendar in enumerate(directory.calendars)
        for weekday, spans in enumerate(calendar.hours.spans)
    ]
    return pl.DataFrame(rows, schema={"calendar": pl.Int64, "weekday": pl.Int64, "minutes": pl.Int64}, orient="row")


def _leave(leave: pl.DataFrame) -> pl.DataFrame:
    """person, day, off: minutes of leave; a leave without minutes is the whole day."""
    days = pl.int_ranges("first_day", pl.col("last_day").fill_null(pl.col("first_day")) + 1)
    return (
        leave.filter(pl.col("@account").is_not_null() & pl.col("first_day").is_not_null())
        .select(
            pl.col("@account").alias("person"),
            days.alias("day"),
            pl.col("minutes_per_day").fill_null(1440).alias("off"),
        )
        .explode("day", empty_as_null=True, keep_nulls=True)
        .filter(pl.col("day").is_not_null())
        .group_by("person", "day")
        .agg(pl.col("off").sum())
    )


def _less(directory: Directory, rows: pl.DataFrame, at: str, part: str) -> pl.DataFrame:
    if rows.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    day = rows[at] if at == "day" else scoring.directory.local_days(directory, rows["@account"], rows[at])
    made = rows.select(
        pl.col("@account").alias("person"), day.alias("day"), (-pl.col("minutes")).cast(pl.Float64).alias("minutes"),
        pl.lit(part).alias("part"), pl.lit(True).alias("entries_known"), pl.lit(False).alias("tickets_known"),
    )  # fmt: skip
    return made.filter(pl.col("person").is_not_null() & pl.col("day").is_not_null() & pl.col("minutes").is_not_null())
