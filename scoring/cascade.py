"""The cascade: how statuses roll up from person to team to leadership, and what hangs in the air."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import scoring.objectives
import scoring.rag
from scoring.metrics import Lines, Metric
from scoring.objectives import Objective
from scoring.rag import Status
from scoring.rules import Rubric

POINTS: dict[Status, float] = {"red": 0.0, "amber": 0.5, "green": 1.0}
GREEN_FROM, RED_BELOW = 0.75, 0.25
"""Of the weighted mean of points; two thirds green and one third red is amber."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an objective stands with all that supports it.

    `own` comes from its own metrics; `worst` is the worst of its own and all below; `by_weight` the colour of
    `balance`, the mean of points (red 0, amber ½, green 1) over its own status (weight 1) and the balances of those
    directly below by their weights, None without any colour. `coloured` counts the statuses that went in.
    """

    own: Status
    worst: Status
    by_weight: Status
    balance: float | None
    coloured: int


def worst(statuses: Iterable[Status]) -> Status:
    """The worst of some statuses; "none" where none has a colour."""
    return min(statuses, key=lambda s: scoring.rag.RANK[s], default="none")


def colour(balance: float | None) -> Status:
    """The status of a weighted mean of points."""
    if balance is None:
        return "none"
    return "green" if balance >= GREEN_FROM else "red" if balance < RED_BELOW else "amber"


def below(objectives: Iterable[Objective]) -> dict[str, tuple[Objective, ...]]:
    """Key → the objectives that directly support it, in the order given; "" → those at the top.

    At the top is whatever supports nothing that is among them. What is in a circle is at the top too.
    """
    every = list(objectives)
    known = {one.key: one for one in every}
    found: dict[str, list[Objective]] = defaultdict(list)
    for one in every:
        circle = one.parent in known and scoring.objectives.supports(one.parent, one.key, known)
        found[one.parent if one.parent in known and not circle else ""].append(one)
    return {key: tuple(some) for key, some in found.items()}


def roll_up(objectives: Sequence[Objective], own: Mapping[str, Status]) -> dict[str, Standing]:
    """Key → where each stands; `own` are the statuses of their own metrics, "none" where absent."""
    children = below(objectives)
    found: dict[str, Standing] = {}
    for one in _from_the_leaves(children):
        under = children.get(one.key, ())
        mine = own.get(one.key, "none")
        parts = [(1.0, POINTS[mine])] if mine in POINTS else []
        for child in under:
            reached = found[child.key].balance
            if reached is not None and child.weight > 0:
                parts.append((child.weight, reached))
        total = sum(weight for weight, _ in parts)
        balance = sum(weight * points for weight, points in parts) / total if parts else None
        low = worst([mine, *(found[child.key].worst for child in under)])
        coloured = (mine in POINTS) + sum(found[child.key].coloured for child in under)
        found[one.key] = Standing(mine, low, colour(balance), balance, coloured)
    return found


def _from_the_leaves(children: Mapping[str, tuple[Objective, ...]]) -> list[Objective]:
    """Every objective, each after all that support it."""
    order: list[Objective] = []
    waiting = list(children.get("", ()))
    while waiting:
        one = waiting.pop()
        order.append(one)
        waiting += children.get(one.key, ())
    return order[::-1]


def unlinked(objectives: Iterable[Objective]) -> tuple[Objective, ...]:
    """Open objectives of teams and people that support nothing which stands."""
    standing = {one.key: one for one in objectives if one.is_open}
    return tuple(one for one in standing.values() if one.level != "leadership" and one.parent not in standing)


def uncarried(objectives: Iterable[Objective]) -> tuple[Objective, ...]:
    """Open objectives of leadership that no team and no person carries, not by way of another one either."""
    standing = [one for one in objectives if one.is_open]
    known = {one.key: one for one in standing}
    carried: set[str] = set()
    for one in standing:
        if one.level == "leadership":
            continue
        key = one.parent
        while key in known and key not in carried:
            carried.add(key)
            key = known[key].parent
    return tuple(one for one in standing if one.level == "leadership" and one.key not in carried)


def lines_of(one: Objective, metric: Metric, rubric: Rubric | None) -> Lines | None:
    """The lines an objective is measured by: its own, else the scorecard's, else the metric's; None without any."""
    entries = () if rubric is None else rubric.entries
    base = next((entry.lines for entry in entries if entry.metric == metric.name), metric.lines)
    if one.target is None:
        return base
    sign = 1.0 if metric.direction == "up" else -1.0
    red = one.red if one.red is not None else base.red if base else None
    if red is None:
        return None
    red = min(red * sign, one.target * sign) * sign
    best = base.best if base else one.target
    worst = base.worst if base else red
    best, worst = max(best * sign, one.target * sign) * sign, min(worst * sign, red * sign) * sign
    if best == worst:
        worst = best - sign
    return Lines(one.target, red, worst, best)
