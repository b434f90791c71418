"""What Redfirst says about plans by itself: reminders to the owner, and whether a plan that is done has worked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime

import cards.plans
import handlers.groups
import handlers.outgoing
import handlers.plan_owners
import handlers.plans
import handlers.timetable
import scoring.calendars
import scoring.periods
import scoring.plans
import storage.audit
import storage.loads
import storage.plans
from handlers.call import Ctx
from scoring.calendars import Calendar
from scoring.people import Team
from scoring.plans import Plan
from scoring.refused import Refused
from scoring.schedules import Due


async def remind(ctx: Ctx, due: Due) -> None:
    """The maker of `plan_reminders` (a team's) and `desk_plan_reminders`, on a local day."""
    team = await handlers.timetable.team(ctx, due)
    if team is None and due.schedule.target != "desk":
        return  # the team is gone
    await _owners(ctx, team, due.day)
    await _outcomes(ctx, team, due.day)


async def _owners(ctx: Ctx, team: Team | None, today: int) -> None:
    calendar = scoring.calendars.of_team(team) if team else Calendar(ctx.rules.zone)
    plans = await handlers.plan_owners.open_plans(ctx, team)
    keepers = await handlers.plan_owners.keepers(ctx, team) if any(not plan.owned for plan in plans) else []
    for plan in plans:
        if not plan.owned:
            await _nobodys(ctx, team, plan, keepers, today)
        found = scoring.plans.reminder(plan, calendar, today)
        if found is not None:
            await _reminded(ctx, team, plan, found, keepers, today)


async def _nobodys(ctx: Ctx, team: Team | None, plan: Plan, keepers: Collection[int], today: int) -> None:
    """Whoever keeps the plans is asked for another owner: once, and again only when the next one has left too."""
    name, title = handlers.plans.name(ctx, team), handlers.plans.title(ctx, plan.metric)
    card = cards.plans.orphaned(name, title, plan, today)
    for person_id in keepers:
        await handlers.outgoing.suggest(ctx, person_id, card, f"plan:{plan.id}:gone:{plan.owner_id}:{person_id}")


async def _reminded(
    ctx: Ctx, team: Team | None, plan: Plan, found: tuple[scoring.plans.Reminder, int], keepers: Collection[int],
    today: int,
) -> None:  # fmt: skip
    """To the owner; where there is none, to whoever keeps the plans."""
    kind, day = found
    name, title = handlers.plans.name(ctx, team), handlers.plans.title(ctx, plan.metric)
    card = cards.plans.reminder(kind, name, title, plan, today)
    key = f"plan:{plan.id}:remind:{day}"
    # on the day itself there is another one
    zone = team.zone if team else ctx.rules.zone
    until = scoring.calendars.day_start(zone, scoring.periods.date_of(plan.due_day))
    pointless = datetime.fromtimestamp(until, UTC) if kind == "soon" else None
    to = {plan.owner_id: key} if plan.owned else {one: f"{key}:{one}" for one in keepers}
    for person_id, said_as in to.items():
        await handlers.outgoing.suggest(ctx, person_id, card, said_as, urgent=kind == "today", until=pointless)


async def _outcomes(ctx: Ctx, team: Team | None, today: int) -> None:
    watched = await storage.plans.watched(ctx.db, handlers.plan_owners.subject(team))
    here = await _known_until(ctx, team) if watched else None
    if here is None:
        return
    for plan in watched:
        after = replace(plan, outcome=await _told(ctx, team, plan, min(here, today)))
        if after.outcome and await storage.plans.change(ctx.db, plan, after):
            at = int(ctx.now.timestamp())
            body = {
                "outcome": after.outcome, "version": plan.version + 1, "owner": plan.owner_id, "due": plan.due_day,
            }  # fmt: skip
            await storage.audit.add(ctx.db, at, ctx.person.key, "plan outcome", f"plan:{plan.id}", body)
            await _say(ctx, team, after, today)


async def _known_until(ctx: Ctx, team: Team | None) -> int | None:
    """The local day up to which figures are known; None without any."""
    as_of = await storage.loads.as_of(ctx.db)
    if as_of is None:
        return None
    zone = team.zone if team else ctx.rules.zone
    return scoring.periods.day_of(scoring.periods.today(min(datetime.fromtimestamp(as_of, UTC), ctx.now), zone))


async def _told(ctx: Ctx, team: Team | None, plan: Plan, here: int) -> scoring.plans.Outcome:
    group, week = handlers.plans.group_of(team), scoring.periods.week(here)
    metric = ctx.rules.metrics.get(plan.metric)
    try:
        entries = handlers.groups.rubric_of(ctx, group, week).entries
    except Refused:
        entries = ()
    entry = next((one for one in entries if one.metric == plan.metric), None)
    if metric is None or entry is None:  # nobody measures it any more
        return "cannot_tell"
    found, _ = await handlers.groups.series(ctx, group, [metric], week)
    return scoring.plans.outcome(plan, metric, entry.lines, found[metric.name].weeks, here)


async def _say(ctx: Ctx, team: Team | None, plan: Plan, today: int) -> None:
    """To the owner and to those who keep the plans, once each."""
    name, title = handlers.plans.name(ctx, team), handlers.plans.title(ctx, plan.metric)
    keepers = await handlers.plan_owners.keepers(ctx, team)
    again = {"metric": plan.metric, "period": scoring.periods.week(today - 1).key}
    if team is not None:
        again["team"] = str(team.id)
    for person_id in dict.fromkeys((plan.owner_id, *keepers)):
        offered = again if plan.outcome == "not_yet" and person_id in keepers else None
        card = cards.plans.outcome(name, title, plan, offered)
        await handlers.outgoing.suggest(ctx, person_id, card, f"plan:{plan.id}:outcome:{person_id}")
