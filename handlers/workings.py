"""What a decision on a distortion means for closed scores: looked at one after the other, each in a step of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import handlers.distortions
import handlers.freezing
import scoring.distortions
import scoring.plans
import storage.audit
import storage.distortions
import storage.people
import storage.scores
import storage.workings
from handlers.call import Ctx
from handlers.freezing import Renewal
from handlers.groups import Group
from scoring.distortions import Distortion
from scoring.periods import Period
from storage.workings import Working

DESK = "desk"


@dataclass(frozen=True, slots=True)
class Looked:
    """What became of somebody's closed scores, good as long as no more is known than when it was looked."""

    known: tuple[int, int]
    scores: Sequence[Renewal]


async def figures_kept(ctx: Ctx, one: Working) -> None:
    """Notes that the figures are as was decided, and who has closed scores that rest on its days.

    Whoever brought the figures to where they are, working it in or making all of them anew, these scores are looked
    at. With this entry in the record nobody closes a period by figures that were read before it.
    """
    found = await storage.distortions.get(ctx.db, one.number)
    subjects = await _concerned(ctx, found) if found is not None else set()
    await storage.workings.touched(ctx.db, one.number, subjects)
    body = {"people": sum(subject.startswith("person:") for subject in subjects)}
    at = int(ctx.now.timestamp())
    await storage.audit.add(ctx.db, at, ctx.person.key, "distortion worked in", f"distortion:{one.number}", body)


async def _concerned(ctx: Ctx, one: Distortion) -> set[str]:
    """The people, teams and desk in its scope with closed scores that rest on its days."""
    days = _days(one)
    closed = {subject.removesuffix(":open") for subject in await handlers.freezing.whose(ctx, days)}
    team = scoring.plans.team_of(one.scope)
    if team is None:
        return closed
    members = await storage.people.members(ctx.db, team, days[0], days[-1])
    return closed & {DESK, f"team:{team}", *(f"person:{number}" for number in members)}


async def steps(ctx: Ctx, one: Working, subject: str) -> list[tuple[Group, Period]]:
    """What there is to look at for a team or the desk; each of them takes a while. Nothing for a person."""
    found = await storage.distortions.get(ctx.db, one.number)
    if found is None or subject.startswith("person:"):
        return []
    team = None
    if subject != DESK:
        team = await storage.people.team(ctx.db, int(subject.partition(":")[2]))
        if team is None:
            return []
    groups = [group for group in handlers.freezing.groups([team] if team else []) if (group.team is None) == (not team)]
    days = _days(found)
    return [(group, period) for group in groups for period in await handlers.freezing.resting(ctx, group, days)]


async def look_at_person(ctx: Ctx, one: Working, subject: str) -> Looked:
    """A person's closed scores that are others now; nothing is written, and it takes a while."""
    known = await storage.scores.known(ctx.db)
    found = await storage.distortions.get(ctx.db, one.number)
    if found is None:
        return Looked(known, ())
    number = int(subject.partition(":")[2])
    return Looked(known, await handlers.freezing.renewals(ctx, number, _days(found)))


async def look_at_group(ctx: Ctx, group: Group, period: Period) -> Looked:
    """The same of one closed score of a team or the desk."""
    known = await storage.scores.known(ctx.db)
    return Looked(known, await handlers.freezing.renewal(ctx, group, period))


async def holds(ctx: Ctx, looked: Looked) -> bool:
    """Whether no more is known than when it was looked."""
    return await storage.scores.known(ctx.db) == looked.known


async def keep(ctx: Ctx, one: Working, subject: str, looked: Looked, *, whole: bool) -> None:
    """New versions of what was looked at; `whole`: there is no more of this subject."""
    found = await storage.distortions.get(ctx.db, one.number)
    if found is not None:
        await handlers.freezing.follow(ctx, looked.scores, _reason(found))
        await storage.workings.looked(ctx.db, one, subject, len(looked.scores), whole=whole)


async def finish(ctx: Ctx, one: Working) -> None:
    """Everything is looked at: whoever declared and decided is told."""
    scores = await storage.workings.over(ctx.db, one)
    found = await storage.distortions.get(ctx.db, one.number)
    if found is not None:
        await handlers.distortions.worked_in(ctx, found, scores)


def _days(one: Distortion) -> range:
    """The days on which figures may have changed; levels come back on the day after the last."""
    return range(one.first_day, one.last_day + 2)


def _reason(one: Distortion) -> str:
    return f"{one.words}, {scoring.distortions.span(one)}{', taken back' if one.state == 'reverted' else ''}"
