"""From sums to a scorecard: readings with their status, the balanced score, and how each explains itself."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import scoring.figures
import scoring.noise
import scoring.periods
import scoring.rag
from scoring.metrics import MILLI, Level, Lines, Metric, Series, Sums
from scoring.people import Role
from scoring.rag import Status
from scoring.refused import Refused
from scoring.rules import Entry, Rubric, Rules

COVER = 0.6
"""Under this share of the rubric's weight there is no balanced score."""

GREEN_SCORES = 90.0
"""A rubric is accepted only if a person who is green everywhere scores at least this."""

NOT_CONNECTED = "not connected"
NO_DATA = "no data in this period"


@dataclass(frozen=True, slots=True)
class Reading:
    """One metric of a subject over a period.

    `value`, `previous`, `change` and the weeks' values are in the metric's display unit, None without
    data; `weeks` are (Monday as days since 1970-01-01, value), oldest first. `score` is the metric score
    0..1. `words` tell the evidence. `missing` says why there is no value; "" when there is one.
    """

    metric: str
    value: float | None
    previous: float | None
    change: float | None
    status: Status
    words: str
    sums: Sums
    weeks: tuple[tuple[int, float | None], ...]
    lines: Lines
    weight: float
    score: float | None
    previous_score: float | None
    people: int = 1
    provisional: bool = False
    missing: str = ""
    measuring: str = ""
    """Why it has neither colour nor score although there is a value: its lines are still to be found."""


@dataclass(frozen=True, slots=True)
class Score:
    """Readings, reds first, with the balanced score 0..100 of this period and the one before.

    `covered` is the share of the rubric's weight that has data; under 0.6 `balanced` is None.
    `missing` names the metrics without a value, whose weights the others share.
    """

    rubric: str
    readings: tuple[Reading, ...]
    balanced: float | None
    previous: float | None
    change: float | None
    covered: float
    missing: tuple[str, ...]
    provisional: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything a number says about itself, each part a phrase for people; empty where it does not apply."""

    title: str
    formula: str
    figures: str
    sample: str
    lines: str
    weight: str
    contribution: str
    influence: str
    excludes: str
    objectives: tuple[str, ...]
    source: str


def metric_score(actual: float, worst: float, best: float) -> float:
    """(worst − actual) ÷ (worst − best), clamped to 0..1; serves both directions.

    Source: NICE inContact WFO help, "Scorecard Calculations". Raises Refused when worst equals best.
    """
    if worst == best:
        raise Refused("A score needs a worst and a best value that differ.", "Set worst and best apart.")
    share = (worst - actual) / (worst - best)
    return 0.0 if share <= 0.0 else 1.0 if share > 1.0 else share


def balanced_score(parts: Iterable[tuple[float, float | None]]) -> tuple[float | None, float]:
    """(Σ weight × score × 100 over those that have a score, renormalised; share of the weight they cover).

    `parts` are (weight, metric score or None). Under 60 % of the weight the score is None.
    """
    total = covered = gained = 0.0
    for weight, score in parts:
        total += weight
        if score is not None:
            covered += weight
            gained += weight * score
    share = covered / total if total > 0.0 else 0.0
    if covered <= 0.0 or share < COVER - 1e-9:
        return None, share
    return 100.0 * gained / covered, share


def reading(metric: Metric, entry: Entry, series: Series, *, provisional: bool = False, connected: bool = True,
            prior: float = scoring.noise.PRIOR, measuring: str = "") -> Reading:  # fmt: skip
    """The reading of a metric under an entry of a rubric; `measuring` says why it has no colour yet.

    `connected` is false for a metric whose facts have never been loaded. Raises Refused when the entry's
    worst equals its best.
    """
    lines = entry.lines
    value = scoring.figures.value(metric, series.period)
    previous = scoring.figures.value(metric, series.before)
    evidence = scoring.rag.status(metric, lines, series.weeks, prior=prior, as_of=series.as_of)
    scale = metric.scale
    if metric.cap is None:
        weeks = [(monday, scale * sums.num / sums.den if sums.den else None) for monday, sums in series.weeks]
    else:
        weeks = [(monday, scoring.figures.value(metric, sums)) for monday, sums in series.weeks]
    missing = "" if value is not None else NO_DATA if connected else NOT_CONNECTED
    return Reading(
        metric=metric.name,
        value=value,
        previous=previous,
        change=None if value is None or previous is None else value - previous,
        status=evidence.status if value is not None and not measuring else "none",
        words=NOT_CONNECTED if not connected else _without_lines(evidence.words, measuring),
        sums=series.period,
        weeks=tuple(weeks),
        lines=lines,
        weight=entry.weight,
        score=None if value is None or measuring else metric_score(value, lines.worst, lines.best),
        previous_score=None if previous is None or measuring else metric_score(previous, lines.worst, lines.best),
        people=series.people,
        provisional=provisional,
        missing=missing,
        measuring=measuring,
    )


def _without_lines(words: str, measuring: str) -> str:
    return f"{words.partition(';')[0]}; {measuring}" if measuring else words


def score(rubric: Rubric, readings: Sequence[Reading]) -> Score:
    """The scorecard: readings in the order they are spoken of, and the balanced score with its change."""
    balanced, covered = balanced_score((r.weight, r.score) for r in readings)
    previous, _ = balanced_score((r.weight, r.previous_score) for r in readings)
    ordered = tuple(sorted(readings, key=_urgency))
    return Score(
        rubric=rubric.name,
        readings=ordered,
        balanced=balanced,
        previous=previous,
        change=None if balanced is None or previous is None else balanced - previous,
        covered=covered,
        missing=tuple(r.metric for r in ordered if r.missing),
        provisional=any(r.provisional for r in readings),
    )


def _urgency(r: Reading) -> tuple[int, float, str]:
    gap = 0.0 if r.score is None else 1.0 - r.score
    return scoring.rag.RANK[r.status], -r.weight * gap, r.metric


def choose_rubric(rules: Rules, level: Level, role: Role | None, tier: int | None, team_key: str,
                  day: int) -> Rubric:  # fmt: skip
    """The rubric in force on a day: the most specific that fits, then the newest. Raises Refused if none fits."""
    fitting = [
        r
        for r in rules.rubrics
        if r.level == level
        and r.from_day <= day
        and (r.role is None or r.role == role)
        and (r.tier is None or r.tier == tier)
        and (not r.team or r.team == team_key)
    ]
    if not fitting:
        who = f"a {role or 'person'}" + (f" of tier {tier}" if tier else "") if level == "person" else f"a {level}"
        raise Refused(
            f"No rubric holds for {who} on {scoring.periods.iso(day)}.",
            "An administrator can add one to redfirst.toml and run “redfirst apply”.",
        )
    return max(fitting, key=_specific)


def _specific(r: Rubric) -> tuple[int, bool, bool, int, str]:
    team, tier, role = bool(r.team), r.tier is not None, r.role is not None
    return team + tier + role, team, tier, r.from_day, r.name


def check_rubric(rubric: Rubric, metrics: Mapping[str, Metric]) -> None:
    """Raises Refused, naming rubric, metric and mend, unless the rubric can be fair.

    Weights are positive and total 100 %; no metric stands twice; each is known, may serve the level, and
    has a sentence of influence there; its lines lie in order; green everywhere scores at least 90.
    """
    where = f"Rubric “{rubric.name}”"
    if not rubric.entries:
        raise Refused(f"{where} has no metrics.", "Name at least one, with its weight.")
    seen: set[str] = set()
    for entry in rubric.entries:
        if entry.metric in seen:
            raise Refused(f"{where} names {entry.metric} twice.", "Keep one and add up the weights.")
        seen.add(entry.metric)
        metric = metrics.get(entry.metric)
        if metric is None:
            raise Refused(f"{where}: there is no metric {entry.metric}.", _nearest(entry.metric, metrics))
        if not entry.weight > 0:
            raise Refused(f"{where}: the weight of {entry.metric} is {_percent(entry.weight)}.",
                          "Give it a weight above zero or take it out.")  # fmt: skip
        _check_level(where, rubric, metric)
        _check_lines(f"{where}, {entry.metric}", metric, entry.lines)
    total = sum(entry.weight for entry in rubric.entries)
    if abs(total - 1.0) > 1e-6:
        raise Refused(f"{where}: the weights total {_percent(total)}.", "They must total 100 %.")
    _check_green(where, rubric)


def _check_level(where: str, rubric: Rubric, metric: Metric) -> None:
    if rubric.level not in metric.levels:
        levels = " and ".join(metric.levels) or "no"
        raise Refused(f"{where}: {metric.name} is no measure of a {rubric.level}.",
                      f"It serves the {levels} level; take it out here.")  # fmt: skip
    if not metric.influence.get(rubric.level, "").strip():
        raise Refused(
            f"{where}: nothing says how a {rubric.level} influences {metric.name}.",
            f"Write one sentence under influence.{rubric.level} of the metric, or take it out.",
        )


def _check_lines(where: str, metric: Metric, lines: Lines) -> None:
    if lines.worst == lines.best:
        raise Refused(f"{where}: worst and best are both {lines.best:g}.", "Set them apart.")
    sign = 1.0 if metric.direction == "up" else -1.0
    worst, red, target, best = (sign * v for v in (lines.worst, lines.red, lines.target, lines.best))
    order = "worst, red, target, best must rise" if sign > 0 else "worst, red, target, best must fall"
    if not (worst <= red < target <= best):
        raise Refused(
            f"{where}: worst {lines.worst:g}, red {lines.red:g}, target {lines.target:g}, best {lines.best:g} "
            "are out of order.",
            f"{metric.title} is better {'higher' if sign > 0 else 'lower'}, so {order}.",
        )


def _check_green(where: str, rubric: Rubric) -> None:
    at_target = [
        (entry.weight, metric_score(entry.lines.target, entry.lines.worst, entry.lines.best), entry)
        for entry in rubric.entries
    ]
    points = 100.0 * sum(weight * share for weight, share, _ in at_target)
    if points >= GREEN_SCORES - 1e-6:
        return
    _, share, entry = max(at_target, key=lambda part: part[0] * (1.0 - part[1]))
    lines = entry.lines
    best = lines.worst + (lines.target - lines.worst) / (GREEN_SCORES / 100.0)
    raise Refused(
        f"{where}: somebody green everywhere would score only {points:.1f}.",
        f"{entry.metric} gives {100.0 * share:.0f} of 100 at its target {lines.target:g}; "
        f"a best of {best:.4g} instead of {lines.best:g} would give 90.",
    )


def _nearest(name: str, metrics: Mapping[str, Metric]) -> str:
    near = difflib.get_close_matches(name, metrics, 1, 0.5)
    return f"Did you mean {near[0]}?" if near else "“redfirst metrics” lists them."


def _percent(share: float) -> str:
    return f"{100.0 * share:.6g} %"


def explain(metric: Metric, entry: Entry, found: Reading, *, level: Level, since: str,
            objectives: Sequence[str] = (), covered: float = 1.0) -> Explanation:  # fmt: skip
    """How the figure came about: formula with the figures filled in, evidence, lines and their date, weight.

    `since` says since when the rubric holds, `covered` the share of the weight that had data,
    `objectives` the chain from the nearest objective up to the leadership objective.
    """
    lines = entry.lines
    points = 100.0 * entry.weight / covered if covered > 0.0 else 0.0
    if found.score is None:
        contribution = f"no points: {found.missing or found.measuring}; the other metrics share its weight"
    else:
        contribution = f"{points * found.score:.1f} of {points:.1f} points"
    return Explanation(
        title=metric.title,
        formula=metric.formula,
        figures=_filled_in(metric, found),
        sample=found.words,
        lines=f"none yet: {found.measuring}" if found.measuring else (
            f"target {scoring.figures.line(metric, lines.target)}, red line {scoring.figures.line(metric, lines.red)}, "
            f"scale {scoring.figures.line(metric, lines.worst)} to {scoring.figures.line(metric, lines.best)}, {since}"
        ),
        weight=f"{100.0 * entry.weight:.4g} % of the score",
        contribution=contribution,
        influence=metric.influence.get(level, ""),
        excludes=metric.excludes,
        objectives=tuple(objectives),
        source=metric.source,
    )


def _filled_in(metric: Metric, found: Reading) -> str:
    if found.value is None:
        return found.missing
    sums = found.sums
    factor = "" if metric.scale == 1 else f" × {metric.scale:g}"
    raw = metric.scale * sums.num / sums.den
    text = (
        f"{scoring.figures.amount(sums.num)} ÷ {scoring.figures.amount(sums.den)}{factor} "
        f"= {scoring.figures.figure(metric, raw)}"
    )
    if metric.cap is not None and raw > metric.cap:
        text += f", counted as {scoring.figures.line(metric, metric.cap)} at most"
    return text


def estimate(sums: Sums, prior_alpha: float, prior_beta: float) -> float:
    """The proportion that pay goes by: drawn towards the team's by a prior; without data the prior's mean."""
    return scoring.noise.shrunk(sums.num / MILLI, sums.den / MILLI, prior_alpha, prior_beta)


def to_json(value: Score) -> dict[str, Any]:
    """A score as plain JSON values, to be frozen; `from_json` gives back an equal one."""
    readings = [{**dataclasses.asdict(r), "sums": r.sums._asdict()} for r in value.readings]
    return {**dataclasses.asdict(dataclasses.replace(value, readings=())), "readings": readings}


def from_json(body: dict[str, Any]) -> Score:
    """The inverse of `to_json`, also after a passage through JSON text. Raises KeyError or TypeError on others."""
    readings = tuple(
        Reading(
            **{
                **r,
                "sums": Sums(**r["sums"]),
                "lines": Lines(**r["lines"]),
                "weeks": tuple((monday, value) for monday, value in r["weeks"]),
            }
        )
        for r in body["readings"]
    )
    return Score(**{**body, "readings": readings, "missing": tuple(body["missing"])})
