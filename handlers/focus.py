"""A person's focus: chosen from fresh figures, kept while it lasts, ended when it is green for good."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import handlers.sheets
import scoring.focus
import scoring.periods
import scoring.scorecards
import storage.nudges
import storage.series
from handlers.call import Ctx
from scoring.focus import Focus
from scoring.metrics import Series
from scoring.people import Person
from scoring.periods import Period
from scoring.plans import Plan
from scoring.refused import Refused
from scoring.rules import Rubric
from scoring.scorecards import Reading, Score
from storage.nudges import Held, Pause


@dataclass(frozen=True, slots=True)
class Look:
    """The last four weeks of a person, up to the week that yesterday was in; `here` is their local day."""

    here: int
    asked: Period
    rubric: Rubric
    score: Score
    series: Mapping[str, Series]

    def reading(self, metric: str) -> Reading | None:
        return next((r for r in self.score.readings if r.metric == metric), None)


@dataclass(frozen=True, slots=True)
class Kept:
    """A focus as it is stored and as today's figures see it."""

    held: Held
    focus: Focus


async def look(ctx: Ctx, person: Person) -> Look | None:
    """The figures that a focus is chosen from; None for whoever has no scorecard."""
    here = handlers.sheets.today(ctx, person.zone)
    asked = scoring.periods.rolling("weeks4", here - 1)
    try:
        rubric = await handlers.sheets.rubric_of(ctx, person, asked)
    except Refused:
        return None
    metrics = handlers.sheets.metrics_of(ctx, rubric)
    found = await storage.series.person_series(ctx.db, person.id, metrics, asked, here)
    known = await handlers.sheets.connected(ctx, found)
    score = scoring.scorecards.score(
        rubric, handlers.sheets.readings(ctx, rubric, found, asked, here, known)
    )
    return Look(here, asked, rubric, score, found)


def planned(plans: Collection[Plan], person_id: int) -> frozenset[str]:
    """The metrics that somebody else has under one of the open plans of the person's team."""
    return frozenset(plan.metric for plan in plans if plan.owner_id != person_id)


def stopped(pauses: Collection[Pause]) -> frozenset[str]:
    """The behaviours that a person never wants to hear of."""
    return frozenset(one.behaviour for one in pauses if one.until_day is None and one.behaviour)


async def refresh(
    ctx: Ctx, person: Person, seen: Look, pauses: Collection[Pause], taken: Collection[str]
) -> tuple[list[Kept], list[Held]]:
    """Chooses a person's focuses again: those that hold now, and those that ended because they stayed green."""
    finished: list[Held] = []
    current: list[Held] = []
    for one in await storage.nudges.held(ctx.db, person.id):
        if _sustained(ctx, seen, one):
            await storage.nudges.end(ctx.db, one.id, "done", seen.here)
            finished.append(one)
        else:
            current.append(one)
    chosen = scoring.focus.choose(
        seen.score,
        ctx.rules.metrics,
        ctx.rules.behaviours,
        [(one.metric, one.behaviour) for one in current],
        stopped=stopped(pauses),
        planned=taken,
    )
    wanted = {(one.metric, one.behaviour) for one in chosen}
    held = {(one.metric, one.behaviour) for one in current}
    for one in current:
        if (one.metric, one.behaviour) not in wanted:
            await storage.nudges.end(ctx.db, one.id, "replaced", seen.here)
    for metric, behaviour in sorted(wanted - held):
        await storage.nudges.begin(ctx.db, person.id, metric, behaviour, seen.here)
    if wanted - held:
        current = await storage.nudges.held(ctx.db, person.id)
    by_name = {(one.metric, one.behaviour): one for one in current}
    return [Kept(by_name[(one.metric, one.behaviour)], one) for one in chosen], finished


def _sustained(ctx: Ctx, seen: Look, one: Held) -> bool:
    reading = seen.reading(one.metric)
    if reading is None:
        return False
    weeks, prior = seen.series[one.metric].weeks, ctx.rules.prior_weight
    return scoring.focus.sustained(
        ctx.rules.metrics[one.metric], reading, weeks, one.since_day, seen.here, prior
    )
