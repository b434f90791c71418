"""Closing a period: its score is kept with the version of its rules; later changes make a new version."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import handlers.groups
import handlers.sheets
import scoring.periods
import storage.loads
import storage.people
import storage.scores
from handlers.call import Ctx
from handlers.groups import Group
from scoring.people import Person, Team
from scoring.periods import Period
from scoring.refused import Refused
from scoring.scorecards import Score

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
    count = 0
    for period in await _unclosed(ctx, f"person:{person.id}", here):
        try:
            rubric = await handlers.sheets.rubric_of(ctx, person, period)
        except Refused:  # not in a team then, or in a role that nobody scores
            continue
        if handlers.sheets.matured(period, handlers.sheets.metrics_of(ctx, rubric), here):
            score = await handlers.sheets.compute(ctx, person, rubric, period, here)
            await _freeze(ctx, f"person:{person.id}", period, score)
            count += 1
    return count


async def freeze_group(ctx: Ctx, group: Group) -> int:
    """The same for a team, as its lead sees it or as everybody does, and for the desk."""
    here = await _known_until(ctx, handlers.groups.zone(ctx, group))
    if here is None:
        return 0
    count = 0
    for period in await _unclosed(ctx, group.subject, here):
        try:
            rubric = handlers.groups.rubric_of(ctx, group, period)
        except Refused:  # no rubric was in force yet
            continue
        if handlers.sheets.matured(period, handlers.sheets.metrics_of(ctx, rubric), here):
            score, _ = await handlers.groups.compute(ctx, group, rubric, period)
            await _freeze(ctx, group.subject, period, score)
            count += 1
    return count


def groups(teams: Iterable[Team]) -> list[Group]:
    """Everything beside people that has scores to close."""
    return [*(Group(team, whole) for team in teams for whole in (True, False)), Group(None)]


async def _unclosed(ctx: Ctx, subject: str, here: int) -> list[Period]:
    done = await storage.scores.periods(ctx.db, subject)
    return [period for period in closed(here) if period.key not in done]


async def _freeze(ctx: Ctx, subject: str, period: Period, score: Score) -> None:
    at = int(ctx.now.timestamp())
    version = ctx.rules.version
    await storage.scores.freeze(ctx.db, subject, period.key, score, rules_version=version, reason=REASON, at=at)


async def _known_until(ctx: Ctx, zone: str) -> int | None:
    """The local day up to which things are known; None while that cannot be said."""
    as_of = await storage.loads.as_of(ctx.db)
    if as_of is None or await storage.scores.loading(ctx.db, int(ctx.now.timestamp())):
        return None
    newest = min(datetime.fromtimestamp(as_of, UTC), ctx.now)
    return scoring.periods.day_of(scoring.periods.today(newest, zone))


async def _follow(ctx: Ctx, subject: str, period: Period, score: Score, reason: str) -> None:
    at = int(ctx.now.timestamp())
    version = ctx.rules.version
    await storage.scores.follow(ctx.db, subject, period.key, score, rules_version=version, reason=reason, at=at)


async def _touched(ctx: Ctx, subject: str, days: Collection[int]) -> list[Period]:
    """The closed periods of a subject that hold one of the days."""
    periods = map(scoring.periods.from_key, sorted(await storage.scores.periods(ctx.db, subject)))
    return [period for period in periods if any(period.first <= day <= period.last for day in days)]


async def renew(ctx: Ctx, person_id: int, days: Collection[int], reason: str) -> None:
    """A new version of every closed score, of a person, their teams and the desk, whose period holds a changed day.

    It is made by the rules it was closed with: a correction changes facts, not the rules of the time.
    """
    here = handlers.sheets.today(ctx, ctx.person.zone)
    person = await storage.people.get(ctx.db, person_id, here)
    if person is None:
        return
    subject = f"person:{person_id}"
    for period in await _touched(ctx, subject, days):
        kept = await handlers.sheets.closed(ctx, subject, "person", period)
        if kept is not None:
            then = replace(ctx, rules=kept[1])
            score = await handlers.sheets.compute(then, person, kept[2], period, here)
            await _follow(then, subject, period, score, reason)
    theirs = {held.team_id for held in person.memberships}
    for group in groups(team for team in await storage.people.teams(ctx.db) if team.id in theirs):
        await _renew_group(ctx, group, days, reason)


async def _renew_group(ctx: Ctx, group: Group, days: Collection[int], reason: str) -> None:
    for period in await _touched(ctx, group.subject, days):
        kept = await handlers.sheets.closed(ctx, group.subject, group.level, period)
        if kept is not None:
            then = replace(ctx, rules=kept[1])
            score, _ = await handlers.groups.compute(then, group, kept[2], period)
            if score != kept[0].score:  # a correction of one may leave what a group is told as it was
                await _follow(then, group.subject, period, score, reason)
