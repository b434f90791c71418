"""From derived facts to rollup rows: one pass over a table for all metrics that count on the same day and person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import polars as pl

import scoring.derive
import scoring.directory
import scoring.distortions
import scoring.expressions
import scoring.facts
from scoring.directory import EVER, NO_TEAM, Directory
from scoring.distortions import Window
from scoring.metrics import MILLI, Metric, Side
from scoring.refused import Refused

ROLLUP = {name: pl.Int64() for name in ("subject_id", "metric_id", "day", "team_id", "num", "den", "n", "ss")}
"""Columns of a rollup; the first four are the key, the others are sums in thousandths (`n` counts rows)."""

KEY = ("subject_id", "metric_id", "day", "team_id")
SUMS = ("num", "den", "n", "ss")

Numbered = Sequence[tuple[int, Metric]]
"""Metrics with the ids that their rollups carry."""

_DAYS, _ZERO = 1 << 21, 1 << 20
_Side = tuple[int, str, Side]  # metric id, "num" or "den", the side
# table, credit, day, until, whether the subject is a client, what is distorted
_Place = tuple[str, str, str, str, bool, tuple[Window, ...]]
_NOTHING = pl.DataFrame()


def contributions(frames: Mapping[str, pl.DataFrame], directory: Directory, metrics: Numbered) -> pl.DataFrame:
    """What the rows of `frames` (made by `scoring.derive.derive`) add to the rollups, columns ROLLUP.

    Each row's value is rounded to thousandths before it is added, so that the sums do not depend on
    order; sums that are all 0 are left out. Where `frames` has `distortion` (columns of
    `scoring.distortions.FRAME`), rows in such a window count by its weight: numerator and denominator of each row
    are that many thousandths of what they were, rounded down, so that these sums do not depend on order either. The
    count of rows and the squares of what counts at all stay as they are: certainty follows the denominator
    (`scoring.rag`). A span is cut at the ends of a window. Raises Refused where a value is not finite.
    """
    groups: dict[_Place, list[_Side]] = defaultdict(list)
    for number, metric in metrics:
        found = scoring.distortions.windows(frames.get("distortion"), metric)
        for role, side in (("num", metric.numerator), ("den", metric.denominator)):
            if not frames.get(side.table, _NOTHING).is_empty():
                place = (side.table, side.credit, side.day, side.until, metric.subject == "client", found)
                groups[place].append((number, role, side))
    _check_finite(frames, groups, {number: metric.name for number, metric in metrics})
    plans: list[pl.LazyFrame] = []
    told: list[tuple[Sequence[_Side], bool]] = []
    for place, sides in groups.items():
        for plan, weighted in _summed(frames[place[0]], place, sides, directory, frames.get("correction")):
            plans.append(plan)
            told.append((sides, weighted))
    parts: list[pl.LazyFrame] = []
    for summed, (members, weighted) in zip(pl.collect_all(plans), told, strict=True):
        if not summed.is_empty():
            parts += _long(summed, members, weighted=weighted)
    return add([part for part in pl.collect_all(parts) if not part.is_empty()])


def add(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Rollups added up by their key, without the rows that come to nothing."""
    if not parts:
        return pl.DataFrame(schema=ROLLUP)
    whole = pl.concat(parts)
    seen = pl.concat([part["metric_id"].unique() for part in parts])
    twice = seen.filter(seen.is_duplicated()).unique()
    once = whole.filter(~pl.col("metric_id").is_in(twice.implode())) if len(twice) else whole
    if len(twice):
        again = whole.filter(pl.col("metric_id").is_in(twice.implode())).group_by(KEY).agg(pl.col(SUMS).sum())
        once = pl.concat([once, again])
    return once.filter(pl.any_horizontal(pl.col(SUMS) != 0))


def difference(after: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """What must be added to `before` to make it `after`."""
    if before.is_empty():
        return after
    return (
        add([after, before.with_columns(-pl.col(SUMS)), after.clear()]) if after.is_empty() else _minus(after, before)
    )


def _minus(after: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    whole = pl.concat([after, before.with_columns(-pl.col(SUMS))])
    return whole.group_by(KEY).agg(pl.col(SUMS).sum()).filter(pl.any_horizontal(pl.col(SUMS) != 0))


def weeks(days: pl.DataFrame) -> pl.DataFrame:
    """The same rollups, or the same difference, by ISO week: the day is its Monday."""
    monday = pl.col("day") - (pl.col("day") + 3) % 7
    whole = days.with_columns(monday).group_by(KEY).agg(pl.col(SUMS).sum())
    return whole.filter(pl.any_horizontal(pl.col(SUMS) != 0)).select(list(ROLLUP))


@cache
def reads(side: Side, table: str, column: str) -> bool:
    """Whether a side reads, or credits by, a column of a table."""
    if side.table != table:
        return False
    columns = scoring.facts.columns(table)
    used = {side.credit, side.day, side.until, *scoring.expressions.check(side.value, columns, table)}
    if side.where:
        used |= scoring.expressions.check(side.where, columns, table)
    return column in used


def subjects(
    frame: pl.DataFrame, table: str, credit: str, directory: Directory, corrections: pl.DataFrame | None,
    *, of_client: bool,
) -> pl.Series:  # fmt: skip
    """Who is credited with each row: a person's id (a client's number), null for nobody."""
    if of_client:
        return scoring.directory.gather(directory.clients["number"], directory.clients["client"], frame[credit])
    kind = scoring.facts.columns(table)[credit]
    people = frame[credit] if kind == "person" else frame[f"@{credit}"]
    ticket = scoring.facts.TICKET_OF.get(table)
    if corrections is None or corrections.is_empty() or ticket is None:
        return people
    pairs = pl.DataFrame({"ticket": frame[ticket], "person": people})
    left_out = pairs.join(corrections.select("ticket", "person", gone=True), on=["ticket", "person"], how="left",
                          maintain_order="left")["gone"]  # fmt: skip
    return people.set(left_out.fill_null(False), None)


def days(
    frame: pl.DataFrame, table: str, column: str, who: pl.Series, directory: Directory, *, of_client: bool
) -> pl.Series:
    """The local day a row counts on: instants in the zone of who is credited, days as they are."""
    if scoring.facts.columns(table)[column] == "day":
        return frame[column]
    if of_client:
        return scoring.directory.zone_days(directory.home, frame[column])
    return scoring.directory.local_days(directory, who, frame[column])


@cache
def _kind(table: str, value: str) -> pl.DataType:
    return scoring.derive.blank(table).select(scoring.expressions.parse(value).alias("v")).schema["v"]


def milli(side: Side) -> pl.Expr:
    """A side's value of each row in thousandths, null where it does not count."""
    raw = scoring.expressions.parse(side.value)
    kind = _kind(side.table, side.value)
    if kind == pl.Boolean or kind.is_integer():
        scaled = raw.cast(pl.Int64) * MILLI
    else:
        scaled = (raw.cast(pl.Float64) * MILLI).round().cast(pl.Int64, strict=False)
    return pl.when(scoring.expressions.parse(side.where)).then(scaled) if side.where else scaled


def _summed(
    frame: pl.DataFrame, place: _Place, sides: Sequence[_Side], directory: Directory, corrections: pl.DataFrame | None
) -> list[tuple[pl.LazyFrame, bool]]:
    """Plans for the sums by `@subject`, `@day` and `@team` of all sides that count in one place, and which of them
    are weighted."""
    table, credit, day, until, of_client, windows = place
    who = subjects(frame, table, credit, directory, corrections, of_client=of_client)
    begin = days(frame, table, day, who, directory, of_client=of_client)
    placed = [who.cast(pl.Int64).alias("@subject"), begin.cast(pl.Int64).alias("@day")]
    if until:
        end = days(frame, table, until, who, directory, of_client=of_client)
        placed.append(end.cast(pl.Int64).fill_null(EVER).alias("@until"))
    values = [milli(side).alias(name) for side, name in _named(sides).items()]
    rows = frame.lazy().select(*(pl.lit(series) for series in placed), *values)
    rows = rows.filter(pl.col("@subject").is_not_null() & pl.col("@day").is_not_null())
    if windows:
        pieces = scoring.distortions.pieces(windows, None if of_client else directory.segments).lazy()
        if of_client:
            pieces = pieces.with_columns(pl.lit(NO_TEAM, pl.Int64).alias("team"))
        pieces = pieces.rename({"team": "@team", "weight": "@weight"} | ({} if of_client else {"person": "@subject"}))
        if until:
            return [(_stock(rows, pieces, sides, of_client=of_client, weighted=True), True)]
        low, high = min(first for _, first, _, _ in windows), max(last for _, _, last, _ in windows)
        near = pl.col("@day").is_between(low, high)
        return [
            (_flow(rows.filter(~near), sides, directory, of_client=of_client), False),
            (_weighed(rows.filter(near), pieces, sides, of_client=of_client), True),
        ]
    if until:
        return [(_stock(rows, _segments(directory), sides, of_client=of_client, weighted=False), False)]
    return [(_flow(rows, sides, directory, of_client=of_client), False)]


def _segments(directory: Directory) -> pl.LazyFrame:
    return directory.segments.lazy().select(
        pl.col("person").alias("@subject"), "from_day", "until_day", pl.col("team").alias("@team")
    )


def _flow(rows: pl.LazyFrame, sides: Sequence[_Side], directory: Directory, *, of_client: bool) -> pl.LazyFrame:
    """Rows that count on their day, in the team that their subject is in on it."""
    packed = (pl.col("@subject") * _DAYS + pl.col("@day") + _ZERO).alias("@key")
    summed = (
        rows.with_columns(packed)
        .group_by("@key")
        .agg(_sums(sides, pl.lit(1, pl.Int64), stock=False))
        .with_columns((pl.col("@key") // _DAYS).alias("@subject"), (pl.col("@key") % _DAYS - _ZERO).alias("@day"))
    )
    if of_client:
        return summed.with_columns(pl.lit(NO_TEAM, pl.Int64).alias("@team"))
    if directory.team is not None:
        fixed = directory.team.lazy().select(pl.col("person").alias("@subject"), pl.col("value").alias("@team"))
        return summed.join(fixed, on="@subject", how="inner")
    return summed.join(_segments(directory), on="@subject", how="inner").filter(
        (pl.col("@day") >= pl.col("from_day")) & (pl.col("@day") < pl.col("until_day"))
    )


def _weighed(rows: pl.LazyFrame, pieces: pl.LazyFrame, sides: Sequence[_Side], *, of_client: bool) -> pl.LazyFrame:
    """The same, each row by the weight of its day; what weighs nothing is left out."""
    placed = rows.join(pieces, how="cross") if of_client else rows.join(pieces, on="@subject", how="inner")
    within = (pl.col("@day") >= pl.col("from_day")) & (pl.col("@day") < pl.col("until_day"))
    return (
        placed.filter(within & (pl.col("@weight") > 0))
        .group_by("@subject", "@day", "@team")
        .agg(_sums(sides, pl.lit(1, pl.Int64), stock=False, weighted=True))
    )


def _stock(
    rows: pl.LazyFrame, pieces: pl.LazyFrame, sides: Sequence[_Side], *, of_client: bool, weighted: bool
) -> pl.LazyFrame:
    """A span adds its value on the day it begins and takes it away on the day it ends; it is cut at changes of team,
    and where its weight changes."""
    rows = rows.filter(pl.col("@day") < pl.col("@until"))
    if of_client and not weighted:
        rows = rows.with_columns(pl.lit(NO_TEAM, pl.Int64).alias("@team"))
    else:
        begin, end = pl.max_horizontal("@day", "from_day"), pl.min_horizontal("@until", "until_day")
        joined = rows.join(pieces, how="cross") if of_client else rows.join(pieces, on="@subject", how="inner")
        rows = joined.with_columns(begin.alias("@day"), end.alias("@until"))
        rows = rows.filter(pl.col("@day") < pl.col("@until"))
    if weighted:
        rows = rows.filter(pl.col("@weight") > 0)
    ends = rows.filter(pl.col("@until") < EVER).with_columns(
        pl.col("@until").alias("@day"), pl.lit(-1, pl.Int64).alias("@sign")
    )
    whole = pl.concat([rows.with_columns(pl.lit(1, pl.Int64).alias("@sign")), ends])
    return whole.group_by("@subject", "@day", "@team").agg(
        _sums(sides, pl.col("@sign"), stock=True, weighted=weighted)
    )


def _named(sides: Sequence[_Side]) -> dict[Side, str]:
    """A column for each value and condition; sides that differ only in what follows share it."""
    found: dict[Side, str] = {}
    for _, _, side in sides:
        found.setdefault(_bare(side), f"v{len(found)}")
    return found


def _bare(side: Side) -> Side:
    return replace(side, shape="flow")


def _sums(sides: Sequence[_Side], sign: pl.Expr, *, stock: bool, weighted: bool = False) -> list[pl.Expr]:
    names = _named(sides)
    wanted: dict[str, pl.Expr] = {}
    for _, role, side in sides:
        name = names[_bare(side)]
        value = pl.col(name)
        part = (value * pl.col("@weight")).floordiv(MILLI) if weighted else value
        if weighted or not (side.value == "1" and role == "den"):  # the sum of ones is MILLI times their count
            wanted[f"{name}s"] = (part * sign if stock else part).sum()
        if role == "den":
            wanted[f"{name}n"] = sign.filter(value.is_not_null()).sum() if stock else value.count()
        elif _kind(side.table, side.value) != pl.Boolean:
            square = (value.cast(pl.Float64) * value / MILLI).round().cast(pl.Int64)
            wanted[f"{name}q"] = (square * sign if stock else square).sum()
    return [expression.cast(pl.Int64).alias(name) for name, expression in wanted.items()]


def _long(summed: pl.DataFrame, sides: Sequence[_Side], *, weighted: bool) -> list[pl.LazyFrame]:
    """A plan a metric: its rows in the columns of a rollup."""
    names = _named(sides)
    found: dict[int, dict[str, pl.Expr]] = defaultdict(dict)
    for number, role, side in sides:
        name = names[_bare(side)]
        if role == "num":
            found[number]["num"] = pl.col(f"{name}s")
            boolean = _kind(side.table, side.value) == pl.Boolean  # then the square is the value
            found[number]["ss"] = pl.col(f"{name}s") if boolean else pl.col(f"{name}q")
        else:
            found[number]["n"] = pl.col(f"{name}n")
            ones = side.value == "1" and not weighted
            found[number]["den"] = pl.col(f"{name}n") * MILLI if ones else pl.col(f"{name}s")
    return [
        summed.lazy()
        .select(
            pl.col("@subject").alias("subject_id"),
            pl.lit(number, pl.Int64).alias("metric_id"),
            pl.col("@day").alias("day"),
            pl.col("@team").alias("team_id"),
            *(sums.get(name, pl.lit(0, pl.Int64)).alias(name) for name in SUMS),
        )
        .filter(pl.any_horizontal(pl.col(SUMS) != 0))
        for number, sums in found.items()
    ]


def _check_finite(
    frames: Mapping[str, pl.DataFrame], groups: Mapping[_Place, Sequence[_Side]], names: Mapping[int, str]
) -> None:
    sides: dict[str, dict[str, tuple[Side, str]]] = defaultdict(dict)
    for members in groups.values():
        for number, _, side in members:
            if _kind(side.table, side.value) in (pl.Float64, pl.Float32):
                sides[side.table].setdefault(side.value, (side, names[number]))
    for table, found in sides.items():
        wrong = [scoring.expressions.parse(value).is_finite().not_().any().alias(value) for value in found]
        for value, there in frames[table].select(wrong).row(0, named=True).items():
            if there:
                rows = frames[table].filter(scoring.expressions.parse(value).is_finite().not_().fill_null(False))
                row = rows["id"][0] if "id" in rows.columns else rows.row(0)
                raise Refused(f"metric {found[value][1]}: {value!r} is not a finite number for {table} {row!r}.",
                              "Correct the row, or guard the expression.")  # fmt: skip
