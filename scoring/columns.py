"""Columns of text become typed facts; what cannot be read is told row by row, with what was expected."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

import scoring.facts
import scoring.maps
from scoring.facts import ColumnType
from scoring.maps import Map, TableMap

ISO = (
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M%#z",
    "%Y-%m-%d %H:%M%#z",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d",
)
_TRUE, _FALSE = ("true", "yes", "1", "t", "y"), ("false", "no", "0", "f", "n")
_HOUR = 3600
_MOST = 2**31 - 1
_MOST_LIKENED = 20
"""Cells of a batch for which a map's words are put in order of likeness, which takes its time."""

_LAST_SECOND = 4_102_444_800  # 2100-01-01
RANGES: Mapping[str, tuple[int, int]] = {
    "rating": (1, 5),
    "recommend": (0, 10),
    "priority": (1, 9),
    "tier": (1, 9),
    "minutes_per_day": (0, 1440),
}
"""Whole numbers with limits of their own; all others are 0 or more."""

EXPECTED: Mapping[ColumnType, str] = {
    "text": "text",
    "int": "a whole number, 0 or more",
    "float": "a number",
    "bool": "true or false",
    "time": "a date and time",
    "day": "a date",
    "money": "an amount like 1250.00",
}
DTYPES: Mapping[ColumnType, type[pl.DataType]] = {
    "text": pl.String,
    "int": pl.Int64,
    "float": pl.Float64,
    "bool": pl.Boolean,
    "time": pl.Int64,
    "day": pl.Int64,
    "money": pl.String,
}


def _instants(text: pl.Series, form: str, zone: str) -> pl.Series:
    """UTC seconds of texts in one format; null where it does not fit."""
    if form in ("epoch", "epoch_ms"):
        number = text.cast(pl.Float64, strict=False)
        return (number / (1000 if form == "epoch_ms" else 1)).floor().cast(pl.Int64, strict=False)
    local = text.str.to_datetime(form, strict=False, time_unit="us") if "%H" in form or "%I" in form else None
    if local is None:
        local = text.str.to_date(form, strict=False).cast(pl.Datetime("us"))
    if isinstance(local.dtype, pl.Datetime) and local.dtype.time_zone is not None:
        return local.dt.epoch("s")
    if zone == "UTC":
        return local.dt.epoch("s")
    return _from_zone(local, zone)


def _from_zone(local: pl.Series, zone: str) -> pl.Series:
    """UTC seconds of wall-clock times. An hour that comes twice is its first; one that is skipped runs on
    with the offset before the gap (02:30 is then 03:30), so that no row is lost to a change of clocks."""
    column = pl.col("local")
    first = column.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.epoch("s")
    before = (
        (column - pl.duration(hours=3))
        .dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        .dt.epoch("s")
    ) + 3 * _HOUR
    frame = pl.DataFrame({"local": local})
    found = frame.select(first.alias("at")).to_series()
    if found.null_count() > local.null_count():
        found = frame.select(pl.coalesce(first, before).alias("at")).to_series()
    return found


def times(text: pl.Series, formats: tuple[str, ...], zone: str) -> pl.Series:
    """UTC seconds since 1970-01-01 (Int64) of texts, by the first of the formats that fits each."""
    found = pl.Series(text.name, [None], dtype=pl.Int64).new_from_index(0, len(text))
    for form in (f for name in formats for f in (ISO if name == "iso" else (name,))):
        left = text.is_not_null() & found.is_null()
        if not left.any():
            break
        found = found.zip_with(~left, _instants(text, form, zone))
    return found.set((found < 0) | (found > _LAST_SECOND), None)


def days(text: pl.Series, formats: tuple[str, ...]) -> pl.Series:
    """Days since 1970-01-01 of texts: the date as written, whatever the zone."""
    written = text.str.replace(r"(?i)(\d)\s*(z|[+-]\d\d:?\d\d)$", "${1}") if "iso" in formats else text
    return times(written, formats, "UTC") // 86_400


def _numbers(text: pl.Series) -> pl.Series:
    plain = text.str.replace(r"\.0+$", "")
    found = plain.cast(pl.Int64, strict=False)
    low, high = RANGES.get(text.name, (0, _MOST))
    return found.set((found < low) | (found > high), None)


def _amounts(text: pl.Series) -> pl.Series:
    fits = text.str.contains(r"^-?\d{1,15}(\.\d{1,6})?$").fill_null(False)
    return text.set(~fits, None)


def _booleans(text: pl.Series) -> pl.Series:
    lower = text.str.to_lowercase()
    found = pl.DataFrame({"t": lower}).select(
        pl.when(pl.col("t").is_in(_TRUE)).then(True).when(pl.col("t").is_in(_FALSE)).then(False).alias(text.name)
    )
    return found.to_series()


def convert(text: pl.Series, kind: ColumnType, map: Map) -> pl.Series:
    """One column of trimmed text as its fact type; null where it is empty or cannot be read."""
    if kind == "time":
        return times(text, map.dates, map.zone)
    if kind == "day":
        return days(text, map.dates)
    if kind == "int":
        return _numbers(text)
    if kind == "float":
        number = text.cast(pl.Float64, strict=False)
        return number.set(~number.is_finite().fill_null(True), None)
    if kind == "bool":
        return _booleans(text)
    if kind == "money":
        return _amounts(text)
    return text


def _translated(text: pl.Series, pairs: Mapping[str, str]) -> pl.Series:
    exact = {k: v for k, v in pairs.items() if k != "*"}
    found = text.replace(list(exact), list(exact.values())) if exact else text
    if "*" not in pairs:
        return found
    other = text.is_not_null() & ~text.is_in(list(exact))
    return found.set(other, pairs["*"])


@dataclass(frozen=True, slots=True)
class Converted:
    """`frame`: typed rows in fact columns. `bad`: row number (from 0), reason, of those left out."""

    frame: pl.DataFrame
    bad: pl.DataFrame


def _expected(kind: ColumnType, field: str, map: Map) -> str:
    if kind in ("time", "day"):
        example = "2026-03-31" if kind == "day" else "2026-03-31 10:15"
        return f"{EXPECTED[kind]} like {' or '.join(example if form == 'iso' else form for form in map.dates)}"
    if field in RANGES:
        low, high = RANGES[field]
        return f"a whole number from {low} to {high}"
    return EXPECTED[kind]


def _unnamed(
    strange: pl.Series, text: pl.Series, field: str, column: str, named: Mapping[str, str], map: Map
) -> pl.Series:
    """Why cells cannot be read that the map's values do not name: what they name instead, and where it is added."""
    remedy = f'Add it under [table.values.{field}], or "*" for all others.'
    by_name = scoring.maps.listed("", named)
    said: dict[str, str] = {}
    for number, cell in enumerate(strange.unique(maintain_order=True).to_list()):
        known = scoring.maps.listed(cell, named) if number < _MOST_LIKENED else by_name
        said[cell] = f"column {column}: found {cell[:80]!r}, map {map.name} knows {known}. {remedy}"
    return text.replace_strict(list(said), list(said.values()), default=None, return_dtype=pl.String).alias("reason")


def clean(raw: pl.DataFrame, map: Map) -> pl.DataFrame:
    """Trimmed text with the null marks taken out."""
    marks = sorted(map.nulls)
    column = pl.all().str.strip_chars()
    return raw.select(pl.when(~column.is_in(marks)).then(column).name.keep())


def to_facts(raw: pl.DataFrame, entry: TableMap, map: Map, latest: int | None = None) -> Converted:
    """Typed facts of rows of text (column names as the map says), already clean.

    `latest`: no observed time may lie after this UTC second (due times may). The result has the fact
    columns that the map feeds, with `id`; rows that cannot be read are in `bad`.
    """
    schema = scoring.facts.SCHEMA[entry.table]
    rows = raw.height
    columns: list[pl.Series] = []
    given: pl.Series | None = None
    reasons: pl.Series = pl.Series("reason", [None], dtype=pl.String).new_from_index(0, rows)

    def blame(bad: pl.Series, why: pl.Series | str) -> None:
        nonlocal reasons
        hit = bad.fill_null(False) & reasons.is_null()
        if hit.any():
            said = pl.Series("reason", [why], dtype=pl.String).new_from_index(0, rows) if isinstance(why, str) else why
            reasons = reasons.zip_with(~hit, said)

    for name, kind in schema.items():
        column = entry.columns.get(name, "")
        if column in raw.columns:
            text = raw.get_column(column).alias(name)
        elif name in entry.constants:
            text = pl.Series(name, [entry.constants[name]], dtype=pl.String).new_from_index(0, rows)
        else:
            continue
        meant = _translated(text, entry.values[name]) if name in entry.values else text
        typed = convert(meant, kind, map)
        unread = meant.is_not_null() & typed.is_null()
        named = entry.values.get(name, {})
        if named and (strange := unread & ~text.is_in(list(named))).any():
            blame(strange, _unnamed(text.filter(strange), text, name, column or name, named, map))
        if unread.any():
            shown = pl.DataFrame({"t": text.str.slice(0, 80)}).select(
                pl.format(
                    f"column {_safe(column or name)}: found '{{}}', expected {_safe(_expected(kind, name, map))}.", "t"
                )
            )
            blame(unread, shown.to_series().alias("reason"))
        if name in scoring.maps.REQUIRED[entry.table]:
            blame(meant.is_null(), f"column {column or name} is empty; every row needs it.")
        if latest is not None and kind == "time" and not name.endswith("due_at"):
            blame(typed > latest, f"column {column or name}: the time lies in the future.")
        if name == "id":
            given = meant
        columns.append(typed)
    frame = _keyed(pl.DataFrame(columns, height=rows), entry, map)
    if given is not None:  # all that have none would be taken for one row
        blame(given.is_null() | (given == ""), "the id is empty; give each row one of its own.")
    elif entry.table == "cost":  # nothing tells them apart: taken for one, money would be lost in silence
        same = "another row has the same client, day, kind and currency; give each an id of its own."
        blame(frame["id"].is_duplicated(), same)
    if {"first_day", "last_day"} <= set(frame.columns):
        blame(frame["last_day"] < frame["first_day"], "the last day is before the first day.")
    bad = pl.DataFrame({"row": pl.int_range(0, rows, eager=True), "reason": reasons})
    if reasons.null_count() == rows:
        return Converted(frame, bad.clear())
    good = reasons.is_null()
    return Converted(frame.filter(good), bad.filter(~good))


def _safe(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _keyed(frame: pl.DataFrame, entry: TableMap, map: Map) -> pl.DataFrame:
    """Ids, references to tickets and accounts carry the source, so that two systems never mix."""
    table = entry.table
    present = set(frame.columns)
    prefix = pl.lit(f"{map.source}/")
    changes: list[pl.Expr] = []
    for name in sorted(present & scoring.maps.ACCOUNTS):
        known = pl.col(name)
        if map.ignored:
            known = pl.when(~known.is_in(sorted(map.ignored))).then(known)
        changes.append((prefix + known).alias(name))
    if "ticket" in present:
        changes.append((prefix + pl.col("ticket")).alias("ticket"))
    parts = ["id"] if "id" in present else [name for name in scoring.maps.KEYS[table] if name in present]
    named = pl.concat_str([pl.col(p).cast(pl.String).fill_null("") for p in parts], separator="#")
    changes.append((named if table == "client" else prefix + named).alias("id"))
    if table == "ticket":
        changes.append(pl.lit(map.source).alias("source"))
    if table == "ticket" and entry.link and "number" in present:
        changes.append(_link(frame["number"], entry.link))
    keyed = frame.with_columns(changes)
    return keyed.select([name for name in scoring.facts.SCHEMA[table] if name in keyed.columns])


def _link(numbers: pl.Series, template: str) -> pl.Expr:
    before, _, after = template.partition("{number}")
    quoted = numbers
    plain = numbers.str.contains(r"^[A-Za-z0-9._~-]*$").fill_null(True)
    if not plain.all():
        quoted = numbers.map_elements(lambda n: urllib.parse.quote(n, safe=""), return_dtype=pl.String)
    return (pl.lit(before) + pl.lit(quoted) + pl.lit(after.replace("{number}", ""))).alias("url")
