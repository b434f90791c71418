"""Closing a period: its score is kept with the version of its rules; later changes make a new version."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import handlers.groups
import handlers.sheets
import scoring.periods
import storage.columnar
import storage.loads
import storage.people
import storage.scores
import storage.workings
from handlers.call import Ctx
from handlers.groups import Group
from scoring.people import Person, Team
from scoring.periods import Period
from scoring.refused import Refused
from scoring.rules import Rubric
from scoring.scorecards import Score

REASON = "closed"
WEEKS_BACK = 13


@dataclass(frozen=True, slots=True)
class Made:
    """A score that may be closed as long as no more is known than when it was made."""

    subject: str
    period: str
    score: Score
    known: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Renewal:
    """A closed score that is another one now, with the version of the rules it was closed with."""

    subject: str
    period: str
    score: Score
    rules_version: int


def closed(here: int) -> Iterator[Period]:
    """The weeks, months and quarters of the last thirteen weeks that are over on a day, newest first."""
    for period in (scoring.periods.week(here), scoring.periods.month(here), scoring.periods.quarter(here)):
        before = scoring.periods.previous(period)
        while before.last >= here - 7 * WEEKS_BACK:
            yield before
            before = scoring.periods.previous(before)


async def due(ctx: Ctx, some: Iterable[Person | Group]) -> list[Person | Group]:
    """Who of them has a matured period that is not closed yet; a few statements, however many there are."""
    until, asked = await _known_until(ctx), list(some)
    if until is None:
        return []
    zones = {_zone(ctx, one) for one in asked}
    keys = {period.key for zone in zones for period in closed(_day(until, zone))}
    done = await storage.scores.closed(ctx.db, map(_subject, asked), sorted(keys))
    found: list[Person | Group] = []
    for one in asked:
        known = done[_subject(one)]
        if isinstance(one, Group):
            waits = any(True for _ in _of_group(ctx, one, until, known))
        else:
            waits = bool([None async for _ in _of_person(ctx, one, until, known)])
        if waits:
            found.append(one)
    return found


def _subject(one: Person | Group) -> str:
    return one.subject if isinstance(one, Group) else f"person:{one.id}"


def _zone(ctx: Ctx, one: Person | Group) -> str:
    return handlers.groups.zone(ctx, one) if isinstance(one, Group) else one.zone


async def made(ctx: Ctx, one: Person | Group) -> list[Made]:
    """The scores of every matured period of a person, a team or the desk that is not closed yet; nothing is written.

    A period is mature when the data reach past its maturity, not when the calendar does: what a late export
    still brings must be in it. Nothing is closed while a load is under way.
    """
    until = await _known_until(ctx)
    if until is None:
        return []
    known = await storage.scores.known(ctx.db)
    subject = _subject(one)
    done = await storage.scores.periods(ctx.db, subject)
    found: list[Made] = []
    if isinstance(one, Group):
        for period, rubric in _of_group(ctx, one, until, done):
            score, _ = await handlers.groups.compute(ctx, one, rubric, period)
            found.append(Made(subject, period.key, score, known))
    else:
        async for period, rubric in _of_person(ctx, one, until, done):
            score = await handlers.sheets.compute(ctx, one, rubric, period, _day(until, one.zone))
            found.append(Made(subject, period.key, score, known))
    return found


async def freeze(ctx: Ctx, found: Collection[Made]) -> int:
    """Closes what was made, and returns how many; none where a load, a correction or an approval came in between,
    for then it is made again."""
    if not found:
        return 0
    await storage.columnar.lock(ctx.db)  # nothing comes in between what is known and what is kept
    if await _known_until(ctx) is None:
        return 0
    known = await storage.scores.known(ctx.db)
    still = [one for one in found if one.known == known]
    at, version = int(ctx.now.timestamp()), ctx.rules.version
    for one in still:
        await storage.scores.freeze(
            ctx.db, one.subject, one.period, one.score, rules_version=version, reason=REASON, at=at
        )
    return len(still)


async def _of_person(
    ctx: Ctx, person: Person, until: datetime, done: Collection[str]
) -> AsyncIterator[tuple[Period, Rubric]]:
    here = _day(until, person.zone)
    for period in closed(here):
        if period.key in done:
            continue
        try:
            rubric = await handlers.sheets.rubric_of(ctx, person, period)
        except Refused:  # not in a team then, or in a role that nobody scores
            continue
        if handlers.sheets.matured(period, handlers.sheets.metrics_of(ctx, rubric), here):
            yield period, rubric


def _of_group(ctx: Ctx, group: Group, until: datetime, done: Collection[str]) -> Iterator[tuple[Period, Rubric]]:
    here = _day(until, handlers.groups.zone(ctx, group))
    for period in closed(here):
        if period.key in done:
            continue
        try:
            rubric = handlers.groups.rubric_of(ctx, group, period)
        except Refused:  # no rubric was in force yet
            continue
        if handlers.sheets.matured(period, handlers.sheets.metrics_of(ctx, rubric), here):
            yield period, rubric


def groups(teams: Iterable[Team]) -> list[Group]:
    """Everything beside people that has scores to close."""
    return [*(Group(team, whole) for team in teams for whole in (True, False)), Group(None)]


async def _known_until(ctx: Ctx) -> datetime | None:
    """The instant up to which things are known; None while that cannot be said."""
    as_of = await storage.loads.as_of(ctx.db)
    if as_of is None or await storage.scores.loading(ctx.db, int(ctx.now.timestamp())):
        return None
    return min(datetime.fromtimestamp(as_of, UTC), ctx.now)


def _day(at: datetime, zone: str) -> int:
    return scoring.periods.day_of(scoring.periods.today(at, zone))


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
            await follow(ctx, [Renewal(subject, period.key, score, then.rules.version)], reason)
    theirs = {held.team_id for held in person.memberships}
    for group in groups(team for team in await storage.people.teams(ctx.db) if team.id in theirs):
        await _renew_group(ctx, group, days, reason)


async def renewals(ctx: Ctx, person_id: int, days: Collection[int]) -> list[Renewal]:
    """The closed scores of a person that rest on a changed day and are others now; nothing is written.

    A closed score rests on its period, and on the four weeks that its colours do.
    """
    here = handlers.sheets.today(ctx, ctx.person.zone)
    person = await storage.people.get(ctx.db, person_id, here)
    if person is None:
        return []
    subject = f"person:{person_id}"
    found: list[Renewal] = []
    for period in await _resting(ctx, subject, days):
        kept = await handlers.sheets.closed(ctx, subject, "person", period)
        if kept is not None:
            then = replace(ctx, rules=kept[1])
            score = await handlers.sheets.compute(then, person, kept[2], period, here)
            if score != kept[0].score:
                found.append(Renewal(subject, period.key, score, then.rules.version))
    return found


async def follow(ctx: Ctx, found: Collection[Renewal], reason: str) -> None:
    """A new version of each of them."""
    at = int(ctx.now.timestamp())
    for one in found:
        version = one.rules_version
        await storage.scores.follow(
            ctx.db, one.subject, one.period, one.score, rules_version=version, reason=reason, at=at
        )


async def whose(ctx: Ctx, days: Collection[int]) -> set[str]:
    """Everybody ("person:7", "team:2:open", "desk") with a closed score that rests on one of the days."""
    periods = map(scoring.periods.from_key, await storage.workings.periods(ctx.db))
    return await storage.workings.closed(ctx.db, [one.key for one in periods if _rests(one, days)])


async def resting(ctx: Ctx, group: Group, days: Collection[int]) -> list[Period]:
    """The closed periods of a group that rest on a changed day; `renewal` looks at one of them."""
    return await _resting(ctx, group.subject, days)


async def _resting(ctx: Ctx, subject: str, days: Collection[int]) -> list[Period]:
    """The closed periods of a subject whose figures or colours rest on one of the days."""
    periods = map(scoring.periods.from_key, sorted(await storage.scores.periods(ctx.db, subject)))
    return [one for one in periods if _rests(one, days)]


def _rests(period: Period, days: Collection[int]) -> bool:
    return any(scoring.periods.rests_on(period) <= day <= period.last for day in days)


async def _renew_group(ctx: Ctx, group: Group, days: Collection[int], reason: str) -> None:
    for period in await _touched(ctx, group.subject, days):
        await follow(ctx, await renewal(ctx, group, period), reason)


async def renewal(ctx: Ctx, group: Group, period: Period) -> list[Renewal]:
    """A group's closed score by the rules it was closed with, where it is another one now; nothing is written."""
    kept = await handlers.sheets.closed(ctx, group.subject, group.level, period)
    if kept is None:
        return []
    then = replace(ctx, rules=kept[1])
    score, _ = await handlers.groups.compute(then, group, kept[2], period)
    if score == kept[0].score:  # a correction of one may leave what a group is told as it was
        return []
    return [Renewal(group.subject, period.key, score, then.rules.version)]
