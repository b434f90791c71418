"""A metric tried on facts alone, before anybody is measured by it: its value month by month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

import scoring.derive
import scoring.directory
import scoring.expressions
import scoring.facts
import scoring.periods
import scoring.rollups
from scoring.metrics import Metric, Shape, Side, Sums
from scoring.people import Membership, Team
from scoring.periods import Period
from scoring.rules import Rules

SOMEBODY = "somebody"
"""Whose work it is taken for where a file names nobody."""

_TEAM = 1
_SOMEBODY = 1
_NOTHING = pl.DataFrame()

_MADE_OF: dict[str, tuple[str, ...]] = {
    "rated": ("account",), "closed_on": ("resolved_at",), "closer": ("resolver",), "reopened": ("reopens",),
    "first_contact": ("interactions",), "first_contact_by": ("first_worker",), "fixer": ("first_worker",),
    "first_time_fix": ("first_worker", "resolver"), "keeper": ("resolver",), "same_day": ("resolved_at",),
    "handler": ("resolver",), "escalated": ("escalations",), "responder": ("first_worker",),
    "wait_minutes": ("responded_at",), "open_minutes": ("resolved_at",), "repeated": ("requester", "category"),
    "triage_ok": ("triage_met",), "triage_by": ("dispatcher",), "triage_on": ("triaged_at",),
    "engagement_ok": ("engagement_met",), "engagement_by": ("first_worker",), "engagement_on": ("responded_at",),
    "completion_ok": ("completion_met",), "completion_by": ("resolver",), "completion_on": ("resolved_at",),
    "on_time": ("entered_at",), "productive": ("kind",), "answered": ("due_at",), "succeeded": ("accepted_at",),
    "ended_at": ("resolved_at",), "required_until": ("required_to",), "held_day": ("valid_from",),
    "held_until": ("valid_to",),
}  # fmt: skip
"""Derived column → the columns of a file without which it is empty."""

_RAW: dict[str, str] = {"span": "ticket", "informed": "ticket", "capacity": "time_entry"}
"""Derived table → the one that a file would hold."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What facts say of a metric: the sums of each month, oldest first, and whatever kept them from saying more.

    `assumed`: columns that name nobody, so that all was taken for one person's work. `absent`: tables without
    facts; `empty`: columns ("survey.rating") that the metric needs and that hold nothing.
    """

    months: tuple[tuple[Period, Sums], ...]
    assumed: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()


def table_of(metric: Metric) -> str:
    """The table of facts that a file of unknown name most likely holds."""
    table = metric.numerator.table if metric.denominator.table == "capacity" else metric.denominator.table
    return _RAW.get(table, table)


def attempt(metric: Metric, facts: Mapping[str, pl.DataFrame], rules: Rules) -> Trial:
    """Sums of each month that the facts reach into.

    Every account is taken for a person of one team with office hours in the organisation's zone, and what names
    nobody for the work of one more. Stocks are counted to the end of the month of the last fact.
    """
    people = _accounts(facts) or [SOMEBODY]
    team = Team(_TEAM, "all", "All", rules.zone)
    named = {name: number for number, name in enumerate(people, _SOMEBODY)}
    directory = scoring.directory.build(
        [(number, rules.zone, None) for number in named.values()],
        [team],
        [Membership(number, _TEAM, "technician", -scoring.directory.EVER) for number in named.values()],
        named,
        {name: number for number, name in enumerate(_distinct(facts, ("client",)), 1)},
        rules.zone,
    )
    frames = scoring.derive.derive({**facts, "extent": _extent(facts)}, directory, rules.fairness)
    frames, assumed = _credited(metric, frames)
    rows = scoring.rollups.contributions(frames, directory, [(1, metric)])
    months = () if rows.is_empty() else _months(metric, rows)
    if any(sums.den > 0 for _, sums in months):
        return Trial(months, assumed)
    sides = (metric.denominator, metric.numerator)
    absent = [_RAW.get(side.table, side.table) for side in sides if frames.get(side.table, _NOTHING).is_empty()]
    empty = [name for side in sides for name in _empty(side, frames.get(side.table, _NOTHING))]
    return Trial((), assumed, tuple(dict.fromkeys(absent)), tuple(dict.fromkeys(empty)))


def _credited(
    metric: Metric, frames: Mapping[str, pl.DataFrame]
) -> tuple[dict[str, pl.DataFrame], tuple[str, ...]]:
    """The frames with somebody credited wherever nobody is, and the columns that name nobody."""
    found, assumed = dict(frames), []
    for side in (metric.denominator, metric.numerator):
        frame = found.get(side.table, _NOTHING)
        derived = metric.subject == "person" and scoring.facts.columns(side.table)[side.credit] == "person"
        column = side.credit if derived else f"@{side.credit}"
        if column in frame.columns and len(frame) and frame[column].null_count() == len(frame):
            somebody = pl.lit(_SOMEBODY, dtype=pl.Int64).alias(column)
            found[side.table] = frame.with_columns(somebody)
            table = _RAW.get(side.table, side.table)
            assumed += [f"{table}.{name}" for name in _MADE_OF.get(side.credit, (side.credit,))]
    return found, tuple(dict.fromkeys(assumed))


def _empty(side: Side, frame: pl.DataFrame) -> list[str]:
    """The columns of a file that a side cannot do without and that hold nothing."""
    if frame.is_empty():
        return []
    columns = scoring.facts.columns(side.table)
    used = [side.day, *sorted(scoring.expressions.check(side.value, columns, side.table))]
    if side.where:
        used += sorted(scoring.expressions.check(side.where, columns, side.table))
    bare = [name for name in used if name in frame.columns and frame[name].null_count() == len(frame)]
    return [f"{_RAW.get(side.table, side.table)}.{raw}" for name in bare for raw in _MADE_OF.get(name, (name,))]


def _months(metric: Metric, rows: pl.DataFrame) -> tuple[tuple[Period, Sums], ...]:
    daily = rows.group_by("day").agg(pl.col(scoring.rollups.SUMS).sum()).sort("day")
    first, last = daily["day"][0], daily["day"][-1]
    found: list[tuple[Period, Sums]] = []
    month = scoring.periods.month(first)
    while month.first <= last:
        found.append((month, over(metric, daily, month.first, month.last)))
        month = scoring.periods.next(month)
    return tuple(found)


def over(metric: Metric, daily: pl.DataFrame, first: int, last: int) -> Sums:
    """Sums over days `first` to `last` from rollups by day (day, num, den, n, ss), whatever the shapes."""

    def side(name: str, shape: Shape) -> int:
        if shape == "flow":
            return int(daily.filter(pl.col("day").is_between(first, last))[name].sum())
        until = daily.filter(pl.col("day") <= last)
        if shape == "level":
            return int(until[name].sum())
        days = last + 1 - until.select(pl.max_horizontal("day", pl.lit(first)))["day"]
        return int((until[name] * days).sum())

    up, down = metric.numerator.shape, metric.denominator.shape
    return Sums(side("num", up), side("den", down), side("n", down), side("ss", up))


def _accounts(facts: Mapping[str, pl.DataFrame]) -> list[str]:
    found: set[str] = set()
    for table, names in scoring.facts.ACCOUNTS.items():
        if table in facts:
            found |= set(_distinct({table: facts[table]}, names))
    return sorted(found)


def _distinct(facts: Mapping[str, pl.DataFrame], names: tuple[str, ...]) -> list[str]:
    found: set[str] = set()
    for frame in facts.values():
        for name in names:
            if name in frame.columns:
                found |= set(frame[name].drop_nulls().unique().to_list())
    return sorted(found)


def _extent(facts: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The days (UTC) between which tickets and time entries are known."""
    rows = []
    for table, names in scoring.facts.REACH.items():
        if table in facts:
            frame = facts[table]
            known = [frame[name].drop_nulls() for name in names if name in frame.columns]
            instants = pl.concat([one.cast(pl.Int64) for one in known]) if known else pl.Series([], dtype=pl.Int64)
            if len(instants):
                rows.append((table, instants.min() // 86_400, instants.max() // 86_400))  # type: ignore[operator]
    schema = {"table_name": pl.String, "first_day": pl.Int64, "last_day": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")
