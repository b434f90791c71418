"""A map's file, read strictly: every mistake is named with its place and the nearest valid word."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

import scoring.facts
from scoring.maps import ENCODINGS, REQUIRED, TRANSITIONS, Events, Map, TableMap, nearest
from scoring.refused import Refused

Keys = tuple[str | int, ...]
"""The keys that lead to a value; of tables in a list their number, from 0."""

Line = Callable[[Keys], int | None]
"""The line of a value in the text that it was parsed from, where it is known."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in a map, in words and as a path."""

    words: str
    path: Keys = ()

    def within(self, key: str) -> _Place:
        return _Place(f"{self.words}, {key}", (*self.path, key))


_TOP = _Place("at the top")


class _Reader:
    """Takes values out of parsed TOML; every refusal names the file, the place in it, and its line where known."""

    def __init__(self, where: str, line: Line) -> None:
        self._where = where
        self._line = line

    def where(self, *path: str | int) -> str:
        line = self._line(path)
        return self._where if line is None else f"{self._where}:{line}"

    def no(self, place: _Place, what: str, remedy: str, *keys: str) -> Refused:
        """`keys` lead from the place to what is wrong in it."""
        return Refused(f"{self.where(*place.path, *keys)}: {place.words}: {what}", remedy)

    def only(self, place: _Place, found: Mapping[str, Any], known: Sequence[str]) -> None:
        for key in found:
            if key not in known:
                raise self.no(place, f"unknown key {key!r}.", nearest(key, known), key)

    def text(self, place: _Place, found: Mapping[str, Any], key: str, default: str | None = None) -> str:
        value = found.get(key, default)
        if not isinstance(value, str) or (default is None and not value):
            raise self.no(place, f"{key} is {value!r}, expected text.", f'Write {key} = "…".', key)
        return value

    def texts(self, place: _Place, found: Mapping[str, Any], key: str) -> tuple[str, ...]:
        value = found.get(key, [])
        value = [value] if isinstance(value, str) else value
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise self.no(place, f"{key} is {value!r}, expected a list of texts.", f'Write {key} = ["…"].', key)
        return tuple(value)

    def table(self, place: _Place, found: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        value = found.get(key, {})
        if not isinstance(value, Mapping):
            raise self.no(place, f"{key} is {value!r}, expected a table.", f"Write [table.{key}].", key)
        return value


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _columns(read: _Reader, place: _Place, table: str, found: Mapping[str, Any]) -> dict[str, str]:
    """Column → field(s) as written, turned into field → column."""
    fields = scoring.facts.SCHEMA[table]
    columns: dict[str, str] = {}
    for column, said in found.items():
        for name in [said] if isinstance(said, str) else said if isinstance(said, list) else [said]:
            if not isinstance(name, str) or name not in fields:
                raise read.no(
                    place,
                    f"column {column!r} feeds {name!r}, no field of {table}.",
                    nearest(str(name), fields),
                    column,
                )
            if name in columns:
                raise read.no(
                    place, f"field {name!r} is fed by {columns[name]!r} and by {column!r}.", "Keep one of them.", column
                )
            columns[name] = column
    return columns


def _events(read: _Reader, place: _Place, found: Mapping[str, Any]) -> Events:
    read.only(place, found, ("at", "column", "actor", "owner", "queue", "tier", "tiers", "transitions"))
    transitions = []
    for state, what in read.table(place, found, "transitions").items():
        if what not in TRANSITIONS:
            remedy = nearest(str(what), TRANSITIONS)
            raise read.no(place.within("transitions"), f"{state!r} means {what!r}.", remedy, state)
        transitions.append((state, str(what)))
    tiers = []
    for pattern, tier in read.table(place, found, "tiers").items():
        if not isinstance(tier, int) or isinstance(tier, bool):
            what = f"{pattern!r} is {tier!r}, expected a number."
            raise read.no(place.within("tiers"), what, "Write 1, 2 or 3.", pattern)
        tiers.append((pattern, tier))
    # the longest pattern without a star first, so that an exact state wins over a pattern
    transitions.sort(key=lambda pair: ("*" in pair[0], -len(pair[0])))
    tiers.sort(key=lambda pair: ("*" in pair[0], -len(pair[0])))
    columns = read.texts(place, found, "column")
    if not columns or not transitions:
        raise read.no(
            place, "column or transitions are missing.", "Say which column holds the state and what it means."
        )
    optional = {key: read.text(place, found, key, "") for key in ("actor", "owner", "queue", "tier")}
    return Events(read.text(place, found, "at"), columns, tuple(transitions), tiers=tuple(tiers), **optional)


def _entry(read: _Reader, number: int, found: Mapping[str, Any]) -> TableMap:
    place = _Place(f"table {number}", ("table", number - 1))
    keys = [
        "table",
        "files",
        "shape",
        "columns",
        "constants",
        "values",
        "optional",
        "all_fields",
        "link",
        "group",
        "order",
        "wins",
        "events",
    ]
    read.only(place, found, keys)
    table = read.text(place, found, "table")
    if table not in scoring.facts.SCHEMA:
        raise read.no(place, f"there is no fact table {table!r}.", nearest(table, scoring.facts.SCHEMA), "table")
    place = _Place(f"table {number} ({table})", place.path)
    fields = scoring.facts.SCHEMA[table]
    shape = read.text(place, found, "shape", "row")
    wins = read.text(place, found, "wins", "last")
    if shape not in ("row", "event") or wins not in ("first", "last"):
        key = "wins" if shape in ("row", "event") else "shape"
        said = 'shape is "row" or "event", wins "first" or "last".'
        raise read.no(place, f"shape is {shape!r} and wins {wins!r}.", said, key)
    columns = _columns(read, place.within("columns"), table, read.table(place, found, "columns"))
    all_fields = found.get("all_fields", False) is True
    if all_fields:
        made = {"source", "id"} if table == "ticket" else {"source"}  # made from the map and the number
        columns = {**{name: name for name in fields if name not in made}, **columns}
    values: dict[str, dict[str, str]] = {}
    for name, pairs in read.table(place, found, "values").items():
        if name not in fields:
            raise read.no(place.within("values"), f"{name!r} is no field of {table}.", nearest(name, fields), name)
        if not isinstance(pairs, Mapping):
            remedy = f"Write [table.values.{name}]."
            raise read.no(place.within("values"), f"{name!r} is {pairs!r}, expected a table.", remedy, name)
        values[name] = {str(k): _plain(v) for k, v in pairs.items()}
    constants = {name: _plain(value) for name, value in read.table(place, found, "constants").items()}
    for name in constants:
        if name not in fields:
            raise read.no(place.within("constants"), f"{name!r} is no field of {table}.", nearest(name, fields), name)
    link = read.text(place, found, "link", "")
    if link and (not re.match(r"https?://[^\s{}]+", link) or "{number}" not in link):
        remedy = 'Expected an address like "https://desk.example.com/{number}".'
        raise read.no(place, f"link is {link!r}.", remedy, "link")
    group, order = read.text(place, found, "group", ""), read.texts(place, found, "order")
    events = None
    if shape == "event":
        if table != "ticket" or not group or not order:
            what = 'shape "event" needs table "ticket", group and order.'
            raise read.no(place, what, "Add what is missing.", "shape")
        if "number" not in columns:
            columns["number"] = group
        if read.table(place, found, "events"):
            events = _events(read, place.within("events"), read.table(place, found, "events"))
    for name in REQUIRED[table]:
        if name not in columns and name not in constants and not (shape == "event" and name == "opened_at"):
            remedy = f'Add a column: "…" = "{name}".'
            raise read.no(place, f"no column feeds {name!r}, which {table} needs.", remedy, "columns")
    optional = read.texts(place, found, "optional")
    return TableMap(
        table=table,
        files=tuple(pattern.lower() for pattern in read.texts(place, found, "files")),
        shape="event" if shape == "event" else "row",
        columns=columns,
        constants=constants,
        values=values,
        optional=frozenset(set(columns.values()) - set(REQUIRED[table]) if all_fields else optional),
        strict_columns=all_fields,
        link=link,
        group=group,
        order=order,
        wins="first" if wins == "first" else "last",
        events=events,
    )


def source_name(text: str, where: str) -> str:
    """The name of a source, proven. Raises Refused."""
    if re.fullmatch(r"[a-z][a-z0-9_-]{0,49}", text):
        return text
    raise Refused(f"{where}: found {text!r}.", "Expected lower case letters, digits, - and _, like servicenow.")


def _nowhere(_: Keys) -> None:
    return None


def parse(parsed: Mapping[str, Any], where: str, name: str, line: Line = _nowhere) -> Map:
    """The map of parsed TOML; `where` is its file's name for refusals, `line` finds a place in it. Raises Refused."""
    read = _Reader(where, line)
    keys = ["source", "zone", "dates", "nulls", "ignore_accounts", "encoding", "delimiter", "table"]
    read.only(_TOP, parsed, keys)
    zone = read.text(_Place("zone"), parsed, "zone", "UTC")
    if zone not in available_timezones():
        raise read.no(_Place("zone"), f"{zone!r} is no time zone.", nearest(zone, available_timezones()), "zone")
    said = read.text(_Place("encoding"), parsed, "encoding", "utf-8")
    encoding = next((e for e in ENCODINGS if e == said), None)
    if encoding is None:
        raise read.no(_Place("encoding"), f"{said!r} is not supported.", nearest(said, ENCODINGS), "encoding")
    delimiter = read.text(_Place("delimiter"), parsed, "delimiter", "")
    if delimiter not in ("", ",", ";", "\t", "|"):
        remedy = 'Expected ",", ";", "\\t" or "|".'
        raise read.no(_Place("delimiter"), f"found {delimiter!r}.", remedy, "delimiter")
    source = source_name(read.text(_Place("source"), parsed, "source"), f"{read.where('source')}: source")
    entries = parsed.get("table", [])
    if not isinstance(entries, list) or not entries or not all(isinstance(one, Mapping) for one in entries):
        raise read.no(_Place("table"), "there is none.", "Write [[table]] once for each kind of file.", "table")
    dates = read.texts(_Place("dates"), parsed, "dates") or ("iso",)
    for text in dates:
        if text not in ("iso", "epoch", "epoch_ms") and "%" not in text:
            remedy = 'Expected "iso", "epoch", "epoch_ms" or like "%d/%m/%Y %H:%M".'
            raise read.no(_Place("dates"), f"{text!r} is no format.", remedy, "dates")
    return Map(
        name=name,
        source=source,
        tables=tuple(_entry(read, number, entry) for number, entry in enumerate(entries, start=1)),
        zone=zone,
        dates=dates,
        nulls=frozenset(read.texts(_Place("nulls"), parsed, "nulls")) | {""},
        ignored=frozenset(read.texts(_Place("ignore_accounts"), parsed, "ignore_accounts")),
        encoding=encoding,
        delimiter=delimiter,
    )
