"""Reading parsed TOML strictly: every mistake is named with its table and key, and the nearest valid name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import scoring.periods
from scoring.refused import Refused


def nearest(word: str, known: Iterable[str]) -> str:
    """A sentence that helps somebody who wrote `word` where one of `known` was expected."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, 1, 0.5)
    return f"Did you mean “{near[0]}”?" if near else f"Known are: {', '.join(names)}."


def only(table: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    """Raises Refused for the first key of `table` that is not one of `known`."""
    names = tuple(known)
    for key in table:
        if key not in names:
            raise Refused(f"{where}: there is no setting “{key}” here.", nearest(str(key), names))


def table(parent: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    """The table under `key`, empty when absent."""
    found = parent.get(key, {})
    if not isinstance(found, Mapping):
        raise Refused(f"{where} is {_shown(found)}.", f"Write it as a table: [{key}].")
    return found


def tables(parent: Mapping[str, Any], key: str, where: str) -> tuple[Mapping[str, Any], ...]:
    """The array of tables under `key`, empty when absent."""
    found = parent.get(key, ())
    if not isinstance(found, (list, tuple)) or not all(isinstance(one, Mapping) for one in found):
        raise Refused(f"{where} is not a list of tables.", f"Write each as a table of its own: [[{key}]].")
    return tuple(found)


def text(table: Mapping[str, Any], key: str, where: str, default: str | None = None) -> str:
    """A text that is not empty; `default` when absent, Refused when there is none."""
    found = _given(table, key, where, default)
    if not isinstance(found, str) or (not found.strip() and found != default):
        raise Refused(f"{where}: {key} is {_shown(found)}.", "Write a text between quotation marks.")
    return found.strip()


def number(table: Mapping[str, Any], key: str, where: str, default: float | None = None) -> float:
    """A finite number; `default` when absent, Refused when there is none."""
    found = _given(table, key, where, default)
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not abs(found) < 1e15:
        raise Refused(f"{where}: {key} is {_shown(found)}.", "Write a number.")
    return float(found)


def whole(table: Mapping[str, Any], key: str, where: str, default: int | None = None) -> int:
    """A whole number; `default` when absent, Refused when there is none."""
    found = number(table, key, where, default)
    if found != int(found):
        raise Refused(f"{where}: {key} is {_shown(found)}.", "Write a whole number.")
    return int(found)


def truth(table: Mapping[str, Any], key: str, where: str, *, default: bool) -> bool:
    """True or false; `default` when absent."""
    found = table.get(key, default)
    if not isinstance(found, bool):
        raise Refused(f"{where}: {key} is {found!r}.", "Write true or false.")
    return found


def day(table: Mapping[str, Any], key: str, where: str) -> int:
    """A date, as days since 1970-01-01; TOML's own date, or the same as text (stored rules are JSON)."""
    found = _given(table, key, where, None)
    try:
        at = date.fromisoformat(found) if isinstance(found, str) else found
    except ValueError:
        at = None
    if not isinstance(at, date) or isinstance(at, datetime):
        raise Refused(f"{where}: {key} is {_shown(found)}.", "Write a date: 2026-01-31.")
    return scoring.periods.day_of(at)


def _given(table: Mapping[str, Any], key: str, where: str, default: object) -> Any:
    found = table.get(key, default)
    if found is None:
        raise Refused(f"{where}: {key} is missing.", f"Add a line “{key} = …”.")
    return found


def _shown(value: object) -> str:
    words = {True: "true", False: "false"}.get(value) if isinstance(value, bool) else None
    shown = words or (f"“{value}”" if isinstance(value, str) else str(value))
    return shown if len(shown) <= 60 else shown[:59] + "…"
