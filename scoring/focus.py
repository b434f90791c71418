"""The one or two things to do differently: which help a person's balanced score most, and are kept long enough."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import scoring.behaviours
import scoring.rag
import scoring.scorecards
from scoring.behaviours import Behaviour
from scoring.metrics import Metric, Sums
from scoring.rag import Status
from scoring.scorecards import Reading, Score

MOST = 2
"""Behaviours that a person is asked to think of at the same time."""

LARGER = 1.5
MARGIN = 1.0
"""A focus gives way to another only where that one would bring half as much again, and a point more."""

WORTH = 0.5
"""Points of the balanced score under which an amber is too close to its target to ask anything of anybody."""

GREEN_WEEKS = 3
"""So many green week-ends in a row are sustained."""


@dataclass(frozen=True, slots=True)
class Focus:
    """A behaviour chosen for a metric; `gain` in points of the balanced score (0 while nothing is missing)."""

    metric: str
    behaviour: str
    gain: float
    status: Status


def gains(score: Score) -> dict[str, float]:
    """Points of the balanced score that each metric would bring at its target line, by metric.

    weight × (score at the line − score now) × 100 ÷ the weight that has data, as the balanced score itself is
    renormalised; only where something is missing. Metrics without data have no gain.
    """
    covered = sum(r.weight for r in score.readings if r.score is not None)
    found: dict[str, float] = {}
    for reading in score.readings:
        if reading.score is None:
            continue
        lines = reading.lines
        at_line = scoring.scorecards.metric_score(lines.target, lines.worst, lines.best)
        gain = 100.0 * reading.weight * (at_line - reading.score) / covered
        if gain > 0.0:
            found[reading.metric] = gain
    return found


def choose(
    score: Score,
    metrics: Mapping[str, Metric],
    behaviours: Mapping[str, Behaviour],
    current: Sequence[tuple[str, str]] = (),
    *,
    stopped: Collection[str] = (),
    planned: Collection[str] = (),
) -> tuple[Focus, ...]:
    """At most two focuses, the larger gain first.

    Chosen among metrics that the person influences, red or amber by more than a trifle (so with enough sample),
    with a behaviour that is not `stopped`, and not among the `planned`, which somebody else has under a plan.
    `current` are (metric, behaviour) held so far: one stays until it is stopped or planned, or until another would
    bring clearly more; one that has turned green stays, for the caller to end it when that lasts.
    """
    worth = gains(score)
    readings = {r.metric: r for r in score.readings}
    held: list[Focus] = []
    for metric, behaviour in current:
        reading = readings.get(metric)
        if reading is None or metric in planned or behaviour in stopped or behaviour not in behaviours:
            continue
        if behaviours[behaviour].metric == metric and metric not in {one.metric for one in held}:
            gain = worth.get(metric, 0.0) if reading.status in ("red", "amber") else 0.0
            held.append(Focus(metric, behaviour, gain, reading.status))
    held = held[:MOST]
    taken = {one.metric for one in held}
    others = [
        Focus(r.metric, name, worth[r.metric], r.status)
        for r in score.readings
        if r.metric not in taken and r.metric not in planned and r.metric in worth
        and asks(r.status, worth[r.metric]) and _influenced(r.metric, metrics)
        and (name := _first(behaviours, r.metric, stopped))
    ]  # fmt: skip
    others.sort(key=lambda one: (-one.gain, one.metric))
    while others and len(held) < MOST:
        held.append(others.pop(0))
    while others:
        weak = min((one for one in held if one.status != "green"), key=lambda one: one.gain, default=None)
        if weak is None or not _clearly(others[0].gain, weak.gain):
            break
        held[held.index(weak)] = others.pop(0)
    return tuple(sorted(held, key=lambda one: (-one.gain, one.metric)))


def asks(status: Status, gain: float) -> bool:
    """Whether a figure asks for something to be done: a red, or an amber that is worth it."""
    return status == "red" or (status == "amber" and gain >= WORTH - 1e-9)


def _influenced(name: str, metrics: Mapping[str, Metric]) -> bool:
    metric = metrics.get(name)
    return metric is not None and bool(metric.influence.get("person"))


def _first(behaviours: Mapping[str, Behaviour], metric: str, stopped: Collection[str]) -> str:
    for one in scoring.behaviours.of_metric(behaviours, metric):
        if one.name not in stopped:
            return one.name
    return ""


def _clearly(gain: float, held: float) -> bool:
    return gain > held * LARGER and gain > held + MARGIN


def sustained(
    metric: Metric, reading: Reading, weeks: Sequence[tuple[int, Sums]], since_day: int, here: int, prior: float
) -> bool:
    """Whether the metric was green at the end of each of the last three weeks, all of them under the focus.

    `weeks` are (Monday, sums), oldest first; only weeks that are over on the day `here` count.
    """
    over = [week for week in weeks if week[0] + 7 <= here]
    if len(over) < GREEN_WEEKS or over[-GREEN_WEEKS][0] + 7 <= since_day:
        return False
    return all(
        scoring.rag.status(metric, reading.lines, over[: len(over) - back], prior=prior).status == "green"
        for back in range(GREEN_WEEKS)
    )
