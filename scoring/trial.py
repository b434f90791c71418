"""A metric tried on facts alone, before anybody is measured by it: its value month by month."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

import scoring.derive
import scoring.directory
import scoring.facts
import scoring.periods
import scoring.rollups
from scoring.metrics import Metric, Shape, Sums
from scoring.people import Membership, Team
from scoring.periods import Period
from scoring.rules import Rules

_TEAM = 1


def by_month(metric: Metric, facts: Mapping[str, pl.DataFrame], rules: Rules) -> list[tuple[Period, Sums]]:
    """Sums of each month that the facts reach into, oldest first.

    Every account is taken for a person of one team with office hours in the organisation's zone. Stocks are
    counted to the end of the month of the last fact.
    """
    people = _accounts(facts)
    team = Team(_TEAM, "all", "All", rules.zone)
    named = {name: number for number, name in enumerate(people, 1)}
    directory = scoring.directory.build(
        [(number, rules.zone, None) for number in named.values()],
        [team],
        [Membership(number, _TEAM, "technician", -scoring.directory.EVER) for number in named.values()],
        named,
        {name: number for number, name in enumerate(_distinct(facts, ("client",)), 1)},
        rules.zone,
    )
    frames = scoring.derive.derive({**facts, "extent": _extent(facts)}, directory, rules.fairness)
    rows = scoring.rollups.contributions(frames, directory, [(1, metric)])
    if rows.is_empty():
        return []
    daily = rows.group_by("day").agg(pl.col(scoring.rollups.SUMS).sum()).sort("day")
    first, last = daily["day"][0], daily["day"][-1]
    found: list[tuple[Period, Sums]] = []
    month = scoring.periods.month(first)
    while month.first <= last:
        found.append((month, over(metric, daily, month.first, month.last)))
        month = scoring.periods.next(month)
    return found


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
