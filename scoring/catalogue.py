"""The catalogue: metrics declared as data, ours and the user's in one form, checked when they are loaded."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, get_args

import scoring.expressions
import scoring.facts
from scoring.fairness import DEFAULT, Fairness
from scoring.metrics import Direction, Kind, Level, Lines, Metric, Perspective, Shape, Side, SubjectKind
from scoring.refused import Refused

DERIVATION = "1"
"""Part of every digest: raised when a derived column comes to mean something else."""

_REQUIRED = ("title", "unit", "direction", "perspective", "kind", "numerator", "denominator", "levels", "influence",
             "formula")  # fmt: skip
_OPTIONAL = ("lines", "scale", "subject", "min_sample", "maturity_days", "cap", "decimals", "source", "excludes",
             "presses_hours", "i_know")  # fmt: skip
_CHOICES: dict[str, tuple[str, ...]] = {
    "direction": get_args(Direction),
    "perspective": get_args(Perspective),
    "kind": get_args(Kind),
    "subject": get_args(SubjectKind),
}
_SIDE = ("table", "value", "credit", "day", "where", "until", "shape")
_TYPES: dict[str, tuple[type, ...]] = {
    "scale": (int, float), "min_sample": (int,), "maturity_days": (int,), "cap": (int, float), "decimals": (int,),
    "presses_hours": (bool,),
}  # fmt: skip
_TABLE_NAMES = re.compile(r"[a-z][a-z0-9_]{0,60}")
_VANITY_NAMES = re.compile(
    r"kill.?rate|league|leader.?board|\brank(s|ed|ing|ings)?\b|tickets?.(closed|open|resolved|solved|handled|per.(day|hour|week))"
    r"|(closed|open|resolved|solved|number.of|count.of).(tickets?|knowledge.articles)",
    re.IGNORECASE,
)
_QUANTITIES = frozenset(
    {"complexity", "impact", "id", "number", "what", "status", "opened_at", "resolved_at", "closed_at", "closed_on"}
)
"""Columns that say how many and how large, and nothing of how well."""
_OF_TICKETS = frozenset({"ticket", "ticket_event", "span"})


def load(shipped: Mapping[str, Any], user: Mapping[str, Any], fairness: Fairness = DEFAULT) -> dict[str, Metric]:
    """Metrics by name from two parsed `[metric]` tables; the user's add to and override the shipped ones.

    An override names only what it changes, in lines and influence too. Raises Refused naming metric and what is
    wrong with it.
    """
    tables: dict[str, Any] = dict(shipped)
    for name, table in user.items():
        if not isinstance(table, Mapping):
            raise Refused(f"metric {name}: expected a table.", f"Write [metric.{name}].")
        tables[name] = _over(shipped.get(name, {}), table)
    return {name: parse(name, table, fairness) for name, table in tables.items()}


def _over(shipped: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    """A shipped metric with what the user's table changes; a side that reads another table is a side of its own."""
    found = {**shipped, **table}
    for key in ("lines", "influence", "numerator", "denominator"):
        before, after = shipped.get(key), table.get(key)
        if not isinstance(before, Mapping) or not isinstance(after, Mapping):
            continue
        if after.get("table", before.get("table")) == before.get("table"):
            found[key] = {**before, **after}
    return found


def parse(name: str, table: Mapping[str, Any], fairness: Fairness = DEFAULT) -> Metric:
    """One metric from its parsed table. What a side leaves out it takes from the denominator."""
    if not _TABLE_NAMES.fullmatch(name):
        raise Refused(f"metric {name!r} has no usable name.", "Use small letters, digits and _.")
    where = f"metric {name}"
    _check_keys(table, (*_REQUIRED, *_OPTIONAL), where)
    for key in _REQUIRED:
        if key not in table:
            raise Refused(f"{where}: {key} is missing.", "See `redfirst metrics show` of a shipped metric.")
    for key, choices in _CHOICES.items():
        if key in table and table[key] not in choices:
            raise Refused(f"{where}: {key} is {table[key]!r}.", f"Expected one of {', '.join(choices)}.")
    for key, types in _TYPES.items():
        if key in table and (not isinstance(table[key], types) or (bool not in types and table[key] is True)):
            raise Refused(f"{where}: {key} is {table[key]!r}.", f"Expected {types[0].__name__}.")
    for key in ("title", "unit", "formula", "source", "excludes", "i_know"):
        if not isinstance(table.get(key, ""), str):
            raise Refused(f"{where}: {key} is {table[key]!r}.", "Expected text.")
    subject: SubjectKind = table.get("subject", "person")
    denominator = _side(table["denominator"], {}, subject, f"{where}, denominator")
    numerator = _side(table["numerator"], table["denominator"], subject, f"{where}, numerator")
    levels = _levels(table, where)
    metric = Metric(
        name=name,
        title=table["title"],
        unit=table["unit"],
        direction=table["direction"],
        perspective=table["perspective"],
        kind=table["kind"],
        numerator=numerator,
        denominator=denominator,
        levels=levels,
        influence=dict(table["influence"]),
        formula=table["formula"],
        lines=_lines(table.get("lines"), table["direction"], where),
        scale=float(table.get("scale", 1.0)),
        subject=subject,
        min_sample=table.get("min_sample", 10),
        maturity_days=table.get("maturity_days", 0),
        cap=None if table.get("cap") is None else float(table["cap"]),
        decimals=table.get("decimals", 0),
        source=table.get("source", ""),
        excludes=table.get("excludes", ""),
        presses_hours=table.get("presses_hours", False),
        digest=digest(numerator, denominator, subject, fairness),
    )
    _refuse_vanity(metric, table)
    return metric


def digest(numerator: Side, denominator: Side, subject: SubjectKind, fairness: Fairness) -> str:
    """The hash of all that determines a metric's sums: both sides, the subject, the settings, the derivation."""
    parts = [[[getattr(side, key) for key in _SIDE] for side in (numerator, denominator)], subject]
    body = json.dumps([parts, fairness.digest, DERIVATION], sort_keys=True)
    return hashlib.sha256(body.encode()).hexdigest()


def _levels(table: Mapping[str, Any], where: str) -> tuple[Level, ...]:
    levels = table["levels"]
    known = get_args(Level)
    if not isinstance(levels, list) or not levels or any(level not in known for level in levels):
        raise Refused(f"{where}: levels is {levels!r}.", f"Expected a list of {', '.join(known)}.")
    influence = table["influence"]
    if not isinstance(influence, Mapping):
        raise Refused(f"{where}: influence is {influence!r}.", "Expected a sentence for each level.")
    for level in levels:
        sentence = influence.get(level)
        if not isinstance(sentence, str) or len(sentence.split()) < 3:
            raise Refused(
                f"{where}: nothing says how somebody at level {level} influences it, so it is refused there.",
                f"Write one sentence under [metric.….influence] {level}, or take {level} out of levels.",
            )
    if table.get("subject") == "client" and "person" in levels:
        raise Refused(f"{where}: it is about clients and cannot serve level person.", "Take person out of levels.")
    return tuple(levels)


def _lines(raw: Any, direction: str, where: str) -> Lines | None:
    if raw is None:
        return None
    names = ("target", "red", "worst", "best")
    if not isinstance(raw, Mapping) or set(raw) != set(names):
        raise Refused(f"{where}: lines is {raw!r}.", f"Expected {', '.join(names)}.")
    if not all(isinstance(raw[n], int | float) and not isinstance(raw[n], bool) for n in names):
        raise Refused(f"{where}: lines is {dict(raw)!r}.", "Expected numbers.")
    sign = 1 if direction == "up" else -1
    worst, red, target, best = (sign * raw[n] for n in ("worst", "red", "target", "best"))
    if not (worst <= red <= target <= best and worst < best):
        raise Refused(
            f"{where}: the lines are not in order.",
            f"For direction {direction}: worst, red, target, best, each at least as good as the one before.",
        )
    return Lines(*(float(raw[n]) for n in names))


def _check_keys(table: Any, known: tuple[str, ...], where: str) -> None:
    if not isinstance(table, Mapping):
        raise Refused(f"{where}: expected a table, found {table!r}.", f"It has {', '.join(known)}.")
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, 1)
            remedy = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}."
            raise Refused(f"{where}: there is no {key!r}.", remedy)


def _side(raw: Any, other: Any, subject: SubjectKind, where: str) -> Side:
    _check_keys(raw, _SIDE, where)
    whole = {**other, **raw} if raw.get("table", other.get("table")) == other.get("table") else dict(raw)
    for key in ("table", "value", "credit", "day"):
        if not isinstance(whole.get(key), str):
            raise Refused(f"{where}: {key} is missing.", f"A side has {', '.join(_SIDE)}.")
    table, shape = whole["table"], whole.get("shape", "flow")
    if table not in scoring.facts.TABLES:
        near = get_close_matches(table, scoring.facts.TABLES, 1)
        raise Refused(f"{where}: there is no table {table!r}.", f"Did you mean {near[0]!r}?" if near else
                      f"Known: {', '.join(scoring.facts.TABLES)}.")  # fmt: skip
    columns = scoring.facts.columns(table)
    if shape not in get_args(Shape):
        raise Refused(f"{where}: shape is {shape!r}.", f"Expected one of {', '.join(get_args(Shape))}.")
    if (shape == "flow") == bool(whole.get("until")):
        raise Refused(f"{where}: a flow has no until, a level and days have one.", "Mend shape or until.")
    credits = [c for c, t in columns.items() if t == "person" or c in scoring.facts.ACCOUNTS.get(table, ())]
    if subject == "client":
        credits = [c for c in columns if c == "client"]
    _choice(whole["credit"], credits, "credit", where)
    days = [c for c, t in columns.items() if t in ("time", "day")]
    _choice(whole["day"], days, "day", where)
    if whole.get("until"):
        _choice(whole["until"], days, "until", where)
    scoring.expressions.check(whole["value"], columns, f"{where}, value")
    if whole.get("where"):
        scoring.expressions.check(whole["where"], columns, f"{where}, where", boolean=True)
    return Side(table, whole["value"], whole["credit"], whole["day"], whole.get("where", ""),
                whole.get("until", ""), shape)  # fmt: skip


def _choice(name: Any, known: list[str], key: str, where: str) -> None:
    if name not in known:
        near = get_close_matches(str(name), known, 1)
        raise Refused(f"{where}: {key} cannot be {name!r}.", f"Did you mean {near[0]!r}?" if near else
                      f"Possible: {', '.join(known) or 'none of this table'}.")  # fmt: skip


def _refuse_vanity(metric: Metric, table: Mapping[str, Any]) -> None:
    """Counting and ranking people drives the wrong work; at individual level it takes a reason on record."""
    if "person" not in metric.levels or str(table.get("i_know", "")).strip():
        return
    if _VANITY_NAMES.search(f"{metric.name} {metric.title}".replace("_", " ")) or _counts(metric):
        raise Refused(
            f"metric {metric.name}: counting or ranking tickets, hours or articles of one person rewards picking easy "
            "work and closing early, not helping people.",
            'Measure the team (take person out of levels), add a quality denominator, or write i_know = "why".',
        )


def _counts(metric: Metric) -> bool:
    """Whether a metric says how much somebody did, whatever it is called, and not how well.

    So does anything of tickets for a day of work, a number of them for anything else, a side over itself, and two
    sides of tickets that are different people's or different days': such a ratio is no share of one's own work.
    """
    up, down = metric.numerator, metric.denominator
    used = scoring.expressions.check(up.value, scoring.facts.columns(up.table), f"metric {metric.name}")
    if up.table not in _OF_TICKETS:
        return up == down and not used
    if down.table not in _OF_TICKETS:
        return down.table == "capacity" or used <= _QUANTITIES
    if "span" in (up.table, down.table):
        return up == down and not used
    return (up == down and not used) or (up.credit, up.day) != (down.credit, down.day)
