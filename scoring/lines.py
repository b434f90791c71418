"""How often lines may be tightened: at most once a quarter, whoever moves them and wherever they are written."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import scoring.periods
import scoring.rubrics
from scoring.metrics import Direction, Lines
from scoring.refused import Refused
from scoring.rubrics import Scope
from scoring.rules import Rubric, Rules

QUARTER = 91
"""Days from one tightening to the next, thirteen weeks; the first lines after measuring count as one."""

Held = list[tuple[int, Lines | None]]
"""The lines that hold from a day on, oldest first; None while the metric is measured without a colour."""


def tightened(before: Lines, after: Lines, direction: Direction) -> bool:
    """Whether a line moved to where it is harder to be green, or easier to be red."""
    sign = 1.0 if direction == "up" else -1.0
    return sign * (after.target - before.target) > 1e-9 or sign * (after.red - before.red) > 1e-9


def held(versions: Sequence[tuple[int, Rules]], scope: Scope, metric: str) -> Held:
    """The lines of a metric under the rubrics of a scope, through versions of the rules: (day applied, rules) each.

    Of several on one day the last counts, so that a mistake can be mended on its day.
    """
    found: dict[int, Lines | None] = {}
    for number, (start, rules) in enumerate(versions):
        end = versions[number + 1][0] if number + 1 < len(versions) else None
        own = [one for one in rules.rubrics if scoring.rubrics.scope(one) == scope]
        later = {one.from_day for one in own if one.from_day > start and (end is None or one.from_day < end)}
        measured = rules.measuring.get((scope[0], metric))
        if measured is not None and measured.decided is not None and measured.decided > start:
            later.add(measured.decided)
        for day in sorted({start} | later):
            lines = _lines(own, metric, day)
            if lines is not None:
                uncoloured = measured is not None and (measured.decided is None or day < measured.decided)
                found[day] = None if uncoloured else lines
    return sorted(found.items())


def _lines(rubrics: Iterable[Rubric], metric: str, day: int) -> Lines | None:
    rubric = max((one for one in rubrics if one.from_day <= day), key=lambda one: one.from_day, default=None)
    entries = () if rubric is None else rubric.entries
    return next((entry.lines for entry in entries if entry.metric == metric), None)


def _events(history: Held, direction: Direction) -> list[tuple[int, bool]]:
    """(day, whether it was a tightening and not the first lines after measuring), oldest first."""
    found: list[tuple[int, bool]] = []
    for (_, before), (day, after) in itertools.pairwise(history):
        if after is not None and (before is None or tightened(before, after, direction)):
            found.append((day, before is not None))
    return found


def may_tighten(history: Held, direction: Direction, day: int) -> int | None:
    """The first day on which lines may be tightened (again), seen from a day; None where they may be at once."""
    last = max((at for at, _ in _events(history, direction) if at <= day), default=None)
    return None if last is None or last + QUARTER <= day else last + QUARTER


def too_soon(history: Held, direction: Direction) -> dict[int, int]:
    """Day of each tightening that came too soon → the day from which it would have been allowed."""
    events = _events(history, direction)
    return {
        day: before + QUARTER
        for (before, _), (day, moved) in itertools.pairwise(events)
        if moved and day < before + QUARTER
    }


def check(versions: Sequence[tuple[int, Rules]], after: Rules, today: int) -> None:
    """Raises Refused where rules that follow others would tighten lines again within a quarter.

    `versions` are those of the last quarter, (day applied, rules) each, oldest first, with the one before them. What
    they held themselves is not held against anybody.
    """
    if not versions:
        return
    for scope in sorted({scoring.rubrics.scope(one) for one in after.rubrics}, key=str):
        own = [one for one in after.rubrics if scoring.rubrics.scope(one) == scope]
        for name in sorted({entry.metric for one in own for entry in one.entries}):
            direction = after.metrics[name].direction
            new = too_soon(held([*versions, (today, after)], scope, name), direction)
            old = too_soon(held(versions, scope, name), direction)
            for day, allowed in sorted(new.items()):
                if day >= today and day not in old:
                    raise Refused(
                        f"{after.metrics[name].title} would be tightened on {scoring.periods.iso(day)} in rubric "
                        f"“{own[0].name}”, less than a quarter after the last time.",
                        f"It may be from {scoring.periods.iso(allowed)} on.",
                    )
