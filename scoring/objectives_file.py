"""Objectives as text: rows of an import, answers of a form, cascades to pick from, and those of redfirst.toml."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import scoring.figures
import scoring.objectives
import scoring.periods
import scoring.tables
from scoring.metrics import Metric
from scoring.objectives import CADENCES, PERSPECTIVES, PLACES, SHIPPED, Objective, Place
from scoring.refused import Refused

SAID = ("title", "scope", "perspective", "metric", "proxy", "target", "red", "cadence", "decision", "influence",
        "time", "people", "tools", "supports", "weight", "justification")  # fmt: skip
"""What is written of an objective beside its key, for whom it is, and who owns it."""

COLUMNS = ("key", "level", "for", "owner", *SAID)
"""The columns of an import, and the keys of [[objective]] in one as TOML."""

NEEDED = ("key", "title", "level")
LONGEST = 500
"""Characters of a text."""

_KEY = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_WEIGHT = (0.0, 100.0)


@dataclass(frozen=True, slots=True)
class Misfit:
    """A cell that is not what it should be."""

    column: str
    found: str
    expected: str
    hint: str = ""

    @property
    def words(self) -> str:
        found = self.found if len(self.found) <= 60 else self.found[:59] + "…"
        return f"column {self.column}: found {found!r}, expected {self.expected}. {self.hint}".rstrip()


@dataclass(frozen=True, slots=True)
class Directory:
    """Who and what can be named: key → id of a team; key → (id, name) of a person; the metrics."""

    teams: Mapping[str, int]
    people: Mapping[str, tuple[int, str]]
    metrics: Mapping[str, Metric]


@dataclass(frozen=True, slots=True)
class Row:
    """One objective of a file: what was read, and what is wrong with it (sentences; empty where nothing is)."""

    line: int
    objective: Objective
    wrong: tuple[str, ...] = ()


def parse(cells: Mapping[str, str], base: Objective) -> tuple[Objective, tuple[Misfit, ...]]:
    """`base` (key, level, subject, owner) with what the cells say of it, and the cells that say nothing good."""
    wrong: list[Misfit] = []
    text = {name: " ".join(cells.get(name, "").split()) for name in SAID}
    for name, value in text.items():
        if len(value) > LONGEST:
            wrong.append(Misfit(name, f"{len(value)} characters", f"{LONGEST} at most"))
            text[name] = value[:LONGEST]
    for name, known in (("perspective", PERSPECTIVES), ("cadence", CADENCES)):
        text[name] = text[name].casefold()
        if text[name] and text[name] not in known:
            wrong.append(Misfit(name, text[name], f"one of {', '.join(known)}"))
            text[name] = ""
    target = _number("target", text["target"], wrong)
    red = _number("red", text["red"], wrong)
    weight = _number("weight", text["weight"], wrong)
    if weight is not None and not _WEIGHT[0] < weight <= _WEIGHT[1]:
        wrong.append(Misfit("weight", text["weight"], f"a number above {_WEIGHT[0]:g} and up to {_WEIGHT[1]:g}"))
        weight = None
    made = replace(
        base,
        title=text["title"],
        scope=text["scope"],
        perspective=text["perspective"],
        metrics=(text["metric"],) if text["metric"] else (),
        proxy=text["proxy"],
        target=target,
        red=red,
        cadence=text["cadence"],
        decision_day=_day("decision", text["decision"], wrong),
        influence=text["influence"],
        time=text["time"],
        people=text["people"],
        tools=text["tools"],
        parent=text["supports"],
        weight=1.0 if weight is None else weight,
        justification=text["justification"],
    )
    return made, tuple(wrong)


def answers(one: Objective) -> dict[str, str]:
    """The inverse of `parse`: an objective as the texts that a form is filled in with."""
    return {
        "title": one.title, "scope": one.scope, "perspective": one.perspective,
        "metric": one.metrics[0] if one.metrics else "", "proxy": one.proxy, "target": _plain(one.target),
        "red": _plain(one.red), "cadence": one.cadence,
        "decision": "" if one.decision_day is None else scoring.periods.iso(one.decision_day),
        "influence": one.influence, "time": one.time, "people": one.people, "tools": one.tools,
        "supports": one.parent, "weight": _plain(one.weight), "justification": one.justification,
    }  # fmt: skip


def _plain(number: float | None) -> str:
    return "" if number is None else scoring.figures.plain(number)


def _number(column: str, text: str, wrong: list[Misfit]) -> float | None:
    if not text:
        return None
    try:
        number = float(text.rstrip("%").strip())
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or abs(number) >= 1e9:
        wrong.append(Misfit(column, text, "a number like 85 or 2.5"))
        return None
    return round(number, 6)


def _day(column: str, text: str, wrong: list[Misfit]) -> int | None:
    if not text:
        return None
    day = scoring.periods.from_iso(text)
    if day is None:
        wrong.append(Misfit(column, text, "a date like 2026-03-31"))
    return day


# ---- an import ----


def read(
    file: str, header: Sequence[str], rows: Iterable[tuple[int, Mapping[str, str]]], known: Directory
) -> list[Row]:
    """The rows of a file, each with what is wrong with its cells. Raises Refused for columns that cannot be read."""
    for column in header:
        if column not in COLUMNS:
            raise Refused(f"{file}, line 1: there is no column “{column}”.", scoring.tables.nearest(column, COLUMNS))
    lacking = [column for column in NEEDED if column not in header]
    if lacking:
        raise Refused(f"{file}, line 1: column {lacking[0]} is missing.", f"It needs {', '.join(NEEDED)}.")
    found: list[Row] = []
    lines: dict[str, int] = {}
    for line, cells in rows:
        row = _row(line, cells, known)
        if row.objective.key in lines:
            before = f"another key than that of line {lines[row.objective.key]}"
            row = replace(row, wrong=(*row.wrong, Misfit("key", row.objective.key, before).words))
        lines.setdefault(row.objective.key, line)
        found.append(row)
    return found


def _row(line: int, cells: Mapping[str, str], known: Directory) -> Row:
    wrong: list[Misfit] = []
    key = cells.get("key", "").strip().casefold()
    if not _KEY.fullmatch(key):
        wrong.append(Misfit("key", key, "small letters, digits, _, - and ., 64 at most"))
    level, subject = _for(cells.get("level", "").strip().casefold(), cells.get("for", "").strip(), known, wrong)
    owner_key = cells.get("owner", "").strip()
    owner_id, owner = known.people.get(owner_key, (None, ""))
    if owner_key and owner_id is None:
        wrong.append(Misfit("owner", owner_key, "the key of a person", _near(owner_key, known.people)))
    if level == "individual" and not owner_key and subject:
        owner_id = int(subject.partition(":")[2])
    named = dict(cells)
    metric = cells.get("metric", "").strip()
    titles = {one.title.casefold(): name for name, one in known.metrics.items()}
    named["metric"] = titles.get(metric.casefold(), metric)
    if metric and named["metric"] not in known.metrics:
        wrong.append(Misfit("metric", metric, "the name of a metric", _near(metric, known.metrics)))
    made, more = parse(named, Objective(key, "", level, subject, owner_id=owner_id, owner=owner))
    return Row(line, made, tuple(one.words for one in (*wrong, *more)))


def _near(word: str, known: Iterable[str]) -> str:
    return scoring.tables.nearest(word, known) if known else "None is known yet."


def _for(level: str, whom: str, known: Directory, wrong: list[Misfit]) -> tuple[Place, str]:
    """The level and the subject that two cells name."""
    place = next((one for one in PLACES if one == level), None)
    if place is None:
        wrong.append(Misfit("level", level, f"one of {', '.join(PLACES)}"))
        return "leadership", ""
    if place == "leadership":
        if whom not in ("", "desk"):
            wrong.append(Misfit("for", whom, "desk, or nothing, at level leadership"))
        return place, "desk"
    if place == "team":
        if whom in known.teams:
            return place, f"team:{known.teams[whom]}"
        wrong.append(Misfit("for", whom, "the key of a team", _near(whom, known.teams)))
        return place, ""
    if whom in known.people:
        return place, f"person:{known.people[whom][0]}"
    wrong.append(Misfit("for", whom, "the key of a person", _near(whom, known.people)))
    return place, ""


def sift(
    rows: Sequence[Row], existing: Sequence[Objective], metrics: Mapping[str, Metric], today: int
) -> tuple[list[Row], list[Row]]:
    """(the good rows, the others with what is wrong), after the five questions.

    What an objective supports may stand anywhere in the file; one that is refused holds up none of the others.
    """
    refused = [row for row in rows if row.wrong]
    good = [row for row in rows if not row.wrong]
    while True:
        kept: list[Row] = []
        for row in good:
            # of those that come with it only the ones above count against the number of metrics
            replaced = {one.objective.key for one in good}
            before = [one for one in existing if one.key not in replaced] + [one.objective for one in kept]
            verdict = scoring.objectives.check(row.objective, before, metrics, today, [one.objective for one in good])
            if verdict.good:
                kept.append(row)
            else:
                refused.append(replace(row, wrong=verdict.words))
        if len(kept) == len(good):
            return kept, sorted(refused, key=lambda row: row.line)
        good = kept


def toml_rows(parsed: Mapping[str, Any], text: str, file: str) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Columns and rows of [[objective]] tables, each with the line it begins on."""
    scoring.tables.only(parsed, ("objective",), file)
    tables = scoring.tables.tables(parsed, "objective", f"{file}: [[objective]]")
    begins = [n for n, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\[\[\s*objective\s*\]\]", line)]
    rows = []
    for number, table in enumerate(tables):
        line = begins[number] if number < len(begins) else 0
        for name, value in table.items():
            if not isinstance(value, str | int | float | date) or isinstance(value, bool):
                raise Refused(f"{file}, line {line}: {name} is {value!r}.", "Write a text, a number or a date.")
        rows.append((line, {name: _cell(value) for name, value in table.items()}))
    header = list(dict.fromkeys(name for _, cells in rows for name in cells)) or list(NEEDED)
    return header, rows


def _cell(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


# ---- what comes with Redfirst ----


@dataclass(frozen=True, slots=True)
class Cascade:
    """An example to pick from: mini scorecards of the three levels, each objective without owner, subject and day."""

    name: str
    title: str
    about: str
    objectives: tuple[Objective, ...] = field(default=())


def cascades(parsed: Mapping[str, Any]) -> tuple[Cascade, ...]:
    """The [[cascade]] tables of scoring/objectives.toml. Raises Refused naming table and key."""
    found = []
    for table in scoring.tables.tables(parsed, "cascade", "[[cascade]]"):
        name = scoring.tables.text(table, "name", "[[cascade]]")
        where = f"[[cascade]] “{name}”"
        scoring.tables.only(table, ("name", "title", "about", "objective"), where)
        objectives = []
        for one in scoring.tables.tables(table, "objective", f"{where}: objective"):
            scoring.tables.only(one, ("key", "level", *SAID), where)
            key = scoring.tables.text(one, "key", where)
            level = next((p for p in PLACES if p == one.get("level")), None)
            if level is None:
                raise Refused(f"{where}: {key} is of no level.", f"Write one of {', '.join(PLACES)}.")
            cells = {name: _cell(value) for name, value in one.items()}
            made, wrong = parse(cells, Objective(key, "", level, ""))
            if wrong:
                raise Refused(f"{where}: {key}, {wrong[0].words}", "Mend it.")
            objectives.append(made)
        title, about = (scoring.tables.text(table, part, where) for part in ("title", "about"))
        found.append(Cascade(name, title, about, tuple(objectives)))
    return tuple(found)


def configured(catalogue: Mapping[str, Metric], *parts: Mapping[str, Any]) -> tuple[Objective, ...]:
    """The [objectives.NAME] tables of parsed configurations, later ones first, for the tree; already checked.

    Those that are not leadership's hold for every team; they are measured by the desk's figures.
    """
    both = {name: table for part in parts for name, table in part.get("objectives", {}).items()}
    found = []
    for name, table in both.items():
        metrics = tuple(table.get("metrics", ()))
        leads = table.get("level", "team") == "leadership"
        views = [catalogue[metric].perspective for metric in metrics]
        found.append(
            Objective(
                name, table["title"].strip(), "leadership" if leads else "team", "desk" if leads else "teams",
                perspective=max(views, key=views.count, default=""), metrics=metrics,
                parent=table.get("supports", ""), source=SHIPPED,
            )
        )  # fmt: skip
    return tuple(found)
