"""Closing a period: its score is kept with the version of its rules; later changes make a new version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import handlers.sheets
import scoring.periods
import storage.loads
import storage.people
import storage.scores
from handlers.call import Ctx
from scoring.people import Person
from scoring.periods import Period
from scoring.refused import Refused
from scoring.rules import Rubric

REASON = "closed"
WEEKS_BACK = 13


def closed(here: int) -> Iterator[Period]:
    """The weeks, months and quarters of the last thirteen weeks that are over on a day, newest first."""
    for period in (scoring.periods.week(here), scoring.periods.month(here), scoring.periods.quarter(here)):
        before = scoring.periods.previous(period)
        while before.last >= here - 7 * WEEKS_BACK:
            yield before
            before = scoring.periods.previous(before)


async def freeze_person(ctx: Ctx, person: Person) -> int:
    """Closes every matured period of a person that is not closed yet; returns how many.

    A period is mature when the data reach past its maturity, not when the calendar does: what a late export
    still brings must be in it. Nothing is closed while a load is under way.
    """
    here = await _known_until(ctx, person.zone)
    if here is None:
        return 0
    done = await storage.scores.periods(ctx.db, f"person:{person.id}")
    count = 0
    for period in closed(here):
        if period.key in done:
            continue
        try:
            rubric = await handlers.sheets.rubric_of(ctx, person, period)
        except Refused:  # not in a team then, or in a role that nobody scores
            continue
        if handlers.sheets.matured(period, handlers.sheets.metrics_of(ctx, rubric), here):
            score = await handlers.sheets.compute(ctx, person, rubric, period, here)
            await storage.scores.freeze(
                ctx.db,
                f"person:{person.id}",
                period.key,
                score,
                rules_version=ctx.rules.version,
                reason=REASON,
                at=int(ctx.now.timestamp()),
            )
            count += 1
    return count


async def _known_until(ctx: Ctx, zone: str) -> int | None:
    """The local day up to which things are known; None while that cannot be said."""
    as_of = await storage.loads.as_of(ctx.db)
    if as_of is None or await storage.scores.loading(ctx.db, int(ctx.now.timestamp())):
        return None
    newest = min(datetime.fromtimestamp(as_of, UTC), ctx.now)
    return scoring.periods.day_of(scoring.periods.today(newest, zone))


async def _follow(ctx: Ctx, person: Person, rubric: Rubric, period: Period, reason: str) -> None:
    here = handlers.sheets.today(ctx, person.zone)
    score = await handlers.sheets.compute(ctx, person, rubric, period, here)
    await storage.scores.follow(
        ctx.db,
        f"person:{person.id}",
        period.key,
        score,
        rules_version=ctx.rules.version,
        reason=reason,
        at=int(ctx.now.timestamp()),
    )


async def renew(ctx: Ctx, person_id: int, days: Iterable[int], reason: str) -> None:
    """A new version of every closed score of a person whose period holds one of the days that changed.

    It is made by the rules it was closed with: a correction changes facts, not the rules of the time.
    """
    person = await storage.people.get(ctx.db, person_id, handlers.sheets.today(ctx, ctx.person.zone))
    if person is None:
        return
    changed = set(days)
    for key in sorted(await storage.scores.periods(ctx.db, f"person:{person_id}")):
        period = scoring.periods.from_key(key)
        if not any(period.first <= day <= period.last for day in changed):
            continue
        kept = await handlers.sheets.closed(ctx, person, period)
        if kept is not None:
            _, rules, rubric = kept
            await _follow(replace(ctx, rules=rules), person, rubric, period, reason)
