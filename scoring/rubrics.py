"""From parsed tables to rubrics: weights and lines for a level, role, tier and team, each from its day on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

import scoring.periods
import scoring.scorecards
import scoring.tables
from scoring.metrics import Level, Lines, Metric
from scoring.people import ROLES
from scoring.refused import Refused
from scoring.rules import Entry, Rubric

KEYS = ("name", "level", "role", "tier", "team", "from", "weights", "lines")
ENDS = ("target", "red", "worst", "best")
LEVELS: tuple[Level, ...] = get_args(Level)

Scope = tuple[Level, str | None, int | None, str]


@dataclass(frozen=True, slots=True)
class Moved:
    """Lines of a metric that hold from a day on in every rubric that does not set its own.

    Those with a level were adopted in chat from what was measured: they go before what a rubric set earlier.
    """

    metric: str
    from_day: int
    ends: Mapping[str, float]
    level: Level | None = None  # adopted in chat, for this level alone


@dataclass(frozen=True, slots=True)
class _Draft:
    rubric: Rubric
    own: Mapping[str, Mapping[str, float]]  # metric → ends that this rubric sets itself


def load(
    metrics: Mapping[str, Metric], shipped: Mapping[str, Any], own: Mapping[str, Any],
    adopted: Sequence[Mapping[str, Any]] = (),
) -> tuple[Rubric, ...]:
    """Every rubric of the shipped and the user's tables, ordered by name and day, each checked.

    A user's [[rubric]] replaces a shipped one of the same name and day; [[lines]] make a further version
    of each rubric they touch, and so do `adopted` ones, each for its level. Raises Refused naming table, key and the
    nearest valid name.
    """
    drafts = {**_drafts(metrics, shipped, shipped=True), **_drafts(metrics, own, shipped=False)}
    _unambiguous([draft.rubric for draft in drafts.values()])
    moved = sorted(
        (*_moved(metrics, shipped), *_adopted(metrics, adopted), *_moved(metrics, own)), key=lambda m: m.from_day
    )
    found = _versions(metrics, list(drafts.values()), moved)
    for rubric in found:
        scoring.scorecards.check_rubric(rubric, metrics)
    return tuple(sorted(found, key=lambda r: (r.name, r.from_day)))


def scope(rubric: Rubric) -> Scope:
    """For whom a rubric holds; of two with the same scope the newer one holds."""
    return rubric.level, rubric.role, rubric.tier, rubric.team


def _drafts(
    metrics: Mapping[str, Metric], parsed: Mapping[str, Any], *, shipped: bool
) -> dict[tuple[str, int], _Draft]:
    found: dict[tuple[str, int], _Draft] = {}
    for number, one in enumerate(scoring.tables.tables(parsed, "rubric", "[[rubric]]"), 1):
        draft = _draft(metrics, one, number, shipped=shipped)
        key = (draft.rubric.name, draft.rubric.from_day)
        if key in found:
            raise Refused(
                f"[[rubric]] {number} “{draft.rubric.name}” stands twice for the same day.",
                "Give one of them another day, or take it out.",
            )
        found[key] = draft
    return found


def _unambiguous(rubrics: Sequence[Rubric]) -> None:
    held: dict[tuple[Scope, int], Rubric] = {}
    for rubric in rubrics:
        other = held.setdefault((scope(rubric), rubric.from_day), rubric)
        if other is not rubric:
            since = scoring.periods.iso(rubric.from_day)
            raise Refused(
                f"[[rubric]] “{other.name}” and “{rubric.name}” hold for the same people from the same day, {since}.",
                "Give one of them another day, or both the same name.",
            )


def _draft(metrics: Mapping[str, Metric], one: Mapping[str, Any], number: int, *, shipped: bool) -> _Draft:
    name = scoring.tables.text(one, "name", f"[[rubric]] {number}")
    where = f"[[rubric]] {number} “{name}”"
    scoring.tables.only(one, KEYS, where)
    level = scoring.tables.text(one, "level", where)
    if level not in LEVELS:
        raise Refused(f"{where}: level is “{level}”.", scoring.tables.nearest(level, LEVELS))
    role = scoring.tables.text(one, "role", where, "")
    if role and role not in ROLES:
        raise Refused(f"{where}: role is “{role}”.", scoring.tables.nearest(role, ROLES))
    tier = scoring.tables.whole(one, "tier", where) if "tier" in one else None
    team = scoring.tables.text(one, "team", where, "")
    if level != "person" and (role or tier is not None):
        raise Refused(f"{where}: role and tier choose among people.", f"Take them out of a rubric for a {level}.")
    if level == "organisation" and team:
        raise Refused(f"{where}: team chooses among teams.", "Take it out of a rubric for the organisation.")
    weights = scoring.tables.table(one, "weights", f"{where}: weights")
    lines = scoring.tables.table(one, "lines", f"{where}: lines")
    for metric in lines:
        if metric not in weights:
            raise Refused(
                f"{where} has lines for {metric}, which has no weight.", scoring.tables.nearest(metric, weights)
            )
    own = {m: _ends(scoring.tables.table(lines, m, f"{where}: lines.{m}"), f"{where}: lines.{m}") for m in lines}
    entries = []
    for metric in weights:
        if metric not in metrics:
            raise Refused(f"{where}: there is no metric “{metric}”.", scoring.tables.nearest(metric, metrics))
        weight = scoring.tables.number(weights, metric, f"{where}: weights")
        if not 0 < weight <= 100:
            raise Refused(f"{where}: the weight of {metric} is {weight:g}.", "Weights are per cent and total 100.")
        entries.append(Entry(metric, weight / 100.0, Lines(0.0, 0.0, 0.0, 0.0)))
    from_day = scoring.tables.day(one, "from", where)
    found = next(level_ for level_ in LEVELS if level_ == level)
    held = next((role_ for role_ in ROLES if role_ == role), None)
    return _Draft(Rubric(name, found, from_day, tuple(entries), held, tier, team, shipped), own)


def _moved(metrics: Mapping[str, Metric], parsed: Mapping[str, Any]) -> Iterable[Moved]:
    seen: set[tuple[str, int]] = set()
    for number, one in enumerate(scoring.tables.tables(parsed, "lines", "[[lines]]"), 1):
        metric = scoring.tables.text(one, "metric", f"[[lines]] {number}")
        where = f"[[lines]] {number} “{metric}”"
        scoring.tables.only(one, ("metric", "from", *ENDS), where)
        if metric not in metrics:
            raise Refused(f"{where}: there is no metric “{metric}”.", scoring.tables.nearest(metric, metrics))
        moved = Moved(
            metric, scoring.tables.day(one, "from", where),
            _ends({k: v for k, v in one.items() if k in ENDS}, where),
        )  # fmt: skip
        if (metric, moved.from_day) in seen:
            raise Refused(f"{where} stands twice for the same day.", "Keep one of them.")
        if not moved.ends:
            raise Refused(f"{where} moves nothing.", f"Name at least one of {', '.join(ENDS)}.")
        seen.add((metric, moved.from_day))
        yield moved


def _adopted(metrics: Mapping[str, Metric], tables: Sequence[Mapping[str, Any]]) -> Iterable[Moved]:
    for one in tables:
        level = next((known for known in LEVELS if known == one.get("level")), None)
        if one.get("metric") in metrics and level is not None:  # else the file measures it no more
            ends = _ends({end: one[end] for end in ENDS if end in one}, "adopted lines")
            yield Moved(one["metric"], scoring.tables.day(one, "from", "adopted lines"), ends, level)


def _ends(table: Mapping[str, Any], where: str) -> dict[str, float]:
    scoring.tables.only(table, ENDS, where)
    return {end: scoring.tables.number(table, end, where) for end in table}


def _versions(metrics: Mapping[str, Metric], drafts: Sequence[_Draft], moved: Sequence[Moved]) -> list[Rubric]:
    """Each draft on its own day, and again on each later day on which its lines move while it still holds."""
    found: list[Rubric] = []
    for draft in drafts:
        start = draft.rubric.from_day
        later = [d.rubric.from_day for d in drafts if scope(d.rubric) == scope(draft.rubric)]
        end = min((day for day in later if day > start), default=None)
        weighed = {entry.metric for entry in draft.rubric.entries}
        days = {m.from_day for m in moved if m.metric in weighed and m.from_day > start and _fits(m, draft)}
        for day in sorted({start} | {day for day in days if end is None or day < end}):
            entries = tuple(
                replace(entry, lines=_lines(metrics[entry.metric], draft, moved, day)) for entry in draft.rubric.entries
            )
            if not found or found[-1].name != draft.rubric.name or found[-1].entries != entries:
                found.append(replace(draft.rubric, from_day=day, entries=entries))
    return found


def _fits(one: Moved, draft: _Draft) -> bool:
    return one.level is None or one.level == draft.rubric.level


def _lines(metric: Metric, draft: _Draft, moved: Sequence[Moved], day: int) -> Lines:
    """The metric's own lines, moved by every [[lines]] up to `day`, and then by what the rubric itself says.

    Last come lines that were adopted after the rubric began, and [[lines]] of the file that are newer than these.
    """
    base = metric.lines
    ends = {} if base is None else {end: getattr(base, end) for end in ENDS}
    mine = [one for one in moved if one.metric == metric.name and one.from_day <= day and _fits(one, draft)]
    for one in mine:
        ends.update(one.ends)
    ends.update(draft.own.get(metric.name, {}))
    decided = [n for n, one in enumerate(mine) if one.level is not None and one.from_day > draft.rubric.from_day]
    for one in mine[decided[-1] :] if decided else ():
        ends.update(one.ends)
    for end in ENDS:
        if end not in ends:
            raise Refused(
                f"Rubric “{draft.rubric.name}”: {metric.name} has no {end}.",
                f"Add [rubric.lines.{metric.name}] with {', '.join(ENDS)}.",
            )
    return Lines(**ends)
