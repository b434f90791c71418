"""What a decision on a distortion means for closed scores: looked at one after the other, each in a step of its own."""

from __future__ import annotations

import handlers.distortions
import handlers.freezing
import handlers.groups
import handlers.sheets
import scoring.distortions
import storage.audit
import storage.distortions
import storage.people
import storage.workings
from handlers.call import Ctx
from handlers.groups import Group
from scoring.distortions import Distortion
from scoring.periods import Period
from storage.workings import Working

DESK = "desk"


async def figures_kept(ctx: Ctx, one: Working) -> None:
    """Notes that the figures are as was decided, and whose closed scores rest on them: people, their teams, the desk.

    With this entry in the record nobody closes a period by figures that were read before it.
    """
    people = [subject for subject in await storage.workings.subjects(ctx.db, one.number) if ":" in subject]
    here = handlers.sheets.today(ctx, ctx.rules.zone)
    ids = {int(subject.partition(":")[2]) for subject in people if subject.startswith("person:")}
    everyone = [person for person in await storage.people.everyone(ctx.db, here) if person.id in ids]
    teams = {held.team_id for person in everyone for held in person.memberships}
    await storage.workings.touched(ctx.db, one.number, [DESK, *(f"team:{number}" for number in teams)])
    body = {"people": len(ids)}
    at = int(ctx.now.timestamp())
    await storage.audit.add(ctx.db, at, ctx.person.key, "distortion worked in", f"distortion:{one.number}", body)


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


async def look_at_person(ctx: Ctx, one: Working, subject: str) -> None:
    """New versions of a person's closed scores, where they are others now."""
    found = await storage.distortions.get(ctx.db, one.number)
    if found is not None:
        number = int(subject.partition(":")[2])
        renewed = await handlers.freezing.renew_person(ctx, number, _days(found), _reason(found))
        await storage.workings.looked(ctx.db, one, subject, renewed)


async def look_at_group(ctx: Ctx, one: Working, subject: str, group: Group, period: Period) -> None:
    """The same of one closed score of a team or the desk; there may be more to look at."""
    found = await storage.distortions.get(ctx.db, one.number)
    if found is not None:
        renewed = await handlers.freezing.renew_period(ctx, group, period, _reason(found))
        await storage.workings.looked(ctx.db, one, subject, int(renewed), whole=False)


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
