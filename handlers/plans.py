"""Paths to green: from the red on a card to a plan with an owner and a day, and what is reported on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import cards.plans
import handlers.digests
import handlers.groups
import handlers.outgoing
import handlers.sheets
import scoring.access
import scoring.calendars
import scoring.periods
import scoring.plans
import scoring.privacy
import storage.audit
import storage.people
import storage.plans
from cards.card import Card
from cards.plans import Listed
from handlers.call import Call, Ctx, Reply
from handlers.groups import Group
from scoring.people import Person, Team
from scoring.periods import Period
from scoring.plans import Plan
from scoring.refused import Refused
from scoring.scorecards import Reading

IN = 14
"""Days after which a plan is due, unless its owner says otherwise."""

LATELY = 28
"""Days for which a list remembers plans that are closed."""

DESK_OWNERS = ("leadership", "manager", "lead")
"""Roles whose holders see to a plan of the whole desk."""


def title(ctx: Ctx, metric_name: str) -> str:
    """A metric's title; of one that the rules no longer know, its name."""
    metric = ctx.rules.metrics.get(metric_name)
    return metric.title if metric else metric_name.replace("_", " ").capitalize()


def group_of(team: Team | None) -> Group:
    """What a plan's red is looked for in: the team as its lead sees it, or the desk."""
    return Group(team, whole=team is not None)


def subject(team: Team | None) -> str:
    """The subject of a team's plans, or of the desk's."""
    return f"team:{team.id}" if team else "desk"


def name(ctx: Ctx, team: Team | None) -> str:
    """What the team, or the desk, is called."""
    return team.name if team else ctx.rules.organisation


def _today(ctx: Ctx, team: Team | None) -> int:
    return handlers.sheets.today(ctx, team.zone if team else ctx.rules.zone)


def keeps(ctx: Ctx, team: Team | None) -> bool:
    """Whether the asker adds and drops plans here: a team's lead, leadership for the desk."""
    return _may(ctx, "keep", team)


def _may(ctx: Ctx, what: str, team: Team | None) -> bool:
    act = f"{what}_{'team' if team else 'desk'}_plan"
    return scoring.access.relation(ctx.person, team) in scoring.access.MATRIX[act]


def allowed(ctx: Ctx, what: str, about: Person | Team | None) -> None:
    """Narrows the matrix to whose plan it is: the lead keeps the team's, leadership the desk's. Raises Refused."""
    scoring.access.allowed(ctx.person, f"{what}_{'desk' if about is None else 'team'}_plan", about)


async def _team(ctx: Ctx, whose: str) -> Team | None:
    number = scoring.plans.team_of(whose)
    return None if number is None else await storage.people.team(ctx.db, number)


async def _kept(ctx: Ctx, call: Call) -> Plan:
    found = await storage.plans.get(ctx.db, call.number("plan") or 0)
    if found is None:
        raise Refused("There is no such plan.", "See the plans with /plans.")
    return found


async def reported(ctx: Ctx, call: Call) -> Person | Team | None:
    """Whom a report is about, for the check of access: the owner's own plan, else the team's or the desk's."""
    plan = await _kept(ctx, call)
    if plan.owner_id == ctx.person.id:
        return ctx.person
    team = await _team(ctx, plan.subject)
    allowed(ctx, "report", team)
    return team


async def kept(ctx: Ctx, call: Call) -> Team | None:
    """Whose plan it is, for those who drop plans."""
    plan = await _kept(ctx, call)
    team = await _team(ctx, plan.subject)
    allowed(ctx, "keep", team)
    return team


async def _red(ctx: Ctx, call: Call, team: Team | None) -> tuple[Period, Reading]:
    """The red that a plan is asked for, as the keeper or as everybody sees it. Raises Refused where it is none."""
    asked = handlers.sheets.from_key(call.values.get("period", ""), _today(ctx, team))
    for group in (group_of(team), Group(team)):
        sheet, _ = await handlers.groups.sheet(ctx, group, asked)
        reading = handlers.sheets.one(sheet, call.values.get("metric", ""))
        if reading.status == "red":
            return asked, reading
    raise Refused(
        f"{title(ctx, reading.metric)} is not red in {asked.label}.", "A plan is for a red: see the scorecard."
    )


async def _owners(ctx: Ctx, team: Team | None) -> list[tuple[int, str]]:
    """Who may see to a plan: the team's members and leads; for the desk whoever leads something. By name."""
    everyone = await storage.people.everyone(ctx.db, _today(ctx, team))
    if team is None:
        return [(one.id, one.name) for one in everyone if one.active and one.role in DESK_OWNERS]
    leads = [one for one in everyone if one.active and team.id in one.led_teams and one.team_id != team.id]
    members = [one for one in everyone if one.active and one.team_id == team.id]
    return [(one.id, one.name) for one in (*leads, *members)]


async def keepers(ctx: Ctx, team: Team | None) -> list[int]:
    """The ids of those who add and drop plans here today."""
    act = f"keep_{'team' if team else 'desk'}_plan"
    everyone = await storage.people.everyone(ctx.db, _today(ctx, team))
    may = scoring.access.MATRIX[act]
    return [one.id for one in everyone if one.active and scoring.access.relation(one, team) in may]


async def _open(ctx: Ctx, team: Team | None, metric: str) -> Plan | None:
    plans = await storage.plans.of_subject(ctx.db, subject(team))
    return next((plan for plan in plans if plan.metric == metric), None)


def _taken(ctx: Ctx, team: Team | None, plan: Plan) -> Refused:
    words = cards.plans.line(plan, _today(ctx, team))
    return Refused(f"{title(ctx, plan.metric)} has a plan already. {words}", "Move or drop that one first: /plans.")


async def new(ctx: Ctx, call: Call, team: Team | None) -> Reply:
    """The form under a red."""
    asked, reading = await _red(ctx, call, team)
    there = await _open(ctx, team, reading.metric)
    if there is not None:
        raise _taken(ctx, team, there)
    values = {key: call.values[key] for key in ("team", "card") if key in call.values}
    values |= {"metric": reading.metric, "period": asked.key}
    words = f"{name(ctx, team)}, {asked.label}. {reading.words}"
    due = _today(ctx, team) + IN
    return Reply.card(cards.plans.form(title(ctx, reading.metric), words, await _owners(ctx, team), due, values))


async def added(ctx: Ctx, call: Call, team: Team | None) -> Reply:
    """The form came back: the plan is kept, its owner told, the card of the red shows it."""
    asked, reading = await _red(ctx, call, team)
    today = _today(ctx, team)
    owners = dict(await _owners(ctx, team))
    owner = call.number("owner") or 0
    if owner not in owners:
        raise Refused("Nobody is named who sees to it.", "Choose somebody of the team.")
    due = scoring.plans.due_day(call.values.get("due", ""))
    plan = scoring.plans.opened(
        subject(team), reading.metric, asked.key, call.values.get("action", ""), owner, owners[owner], due, today
    )
    number = await storage.plans.add(ctx.db, plan)
    if number is None:
        there = await _open(ctx, team, reading.metric)
        raise _taken(ctx, team, there or plan)
    plan = replace(plan, id=number)
    await _noted(ctx, "plan opened", plan)
    if owner != ctx.person.id:
        card = cards.plans.asked(ctx.person.name, name(ctx, team), title(ctx, plan.metric), plan, today)
        await handlers.outgoing.tell(ctx, owner, call.where.platform, card, f"plan:{number}:owner")
    if call.values.get("card") != "1":
        return Reply.card(cards.plans.saved(name(ctx, team), title(ctx, plan.metric), plan, today))
    group = group_of(team)
    sheet, _ = await handlers.groups.sheet(ctx, group, asked)
    return Reply.card(handlers.groups.card(await handlers.groups.planned(ctx, sheet, group), group), update=True)


async def _noted(ctx: Ctx, act: str, plan: Plan) -> None:
    body: Mapping[str, object] = {
        "subject": plan.subject, "metric": plan.metric, "action": plan.action, "owner": plan.owner_id,
        "due": plan.due_day, "reason": plan.reason, "blocker": plan.blocker, "version": plan.version,
    }  # fmt: skip
    await storage.audit.add(ctx.db, int(ctx.now.timestamp()), ctx.person.key, act, f"plan:{plan.id}", body)
    await handlers.digests.renew(ctx, plan.subject)


async def _change(ctx: Ctx, act: str, before: Plan, after: Plan, team: Team | None) -> Reply:
    """Keeps a change made from what was seen; of simultaneous ones the first holds, the others are told."""
    if not await storage.plans.change(ctx.db, before, after):
        raise Refused("Somebody changed that plan at the same moment.", "See how it stands now with /plans.")
    after = replace(after, version=before.version + 1)
    await _noted(ctx, act, after)
    return Reply.card(cards.plans.changed(title(ctx, after.metric), after, _today(ctx, team)), update=True)


async def done(ctx: Ctx, call: Call, _about: object) -> Reply:
    """It is done; the weeks that follow say whether it worked."""
    plan = await _kept(ctx, call)
    team = await _team(ctx, plan.subject)
    return await _change(ctx, "plan done", plan, scoring.plans.done(plan, _today(ctx, team)), team)


async def move(ctx: Ctx, call: Call, _about: object) -> Reply:
    """The form for another day."""
    plan = await _kept(ctx, call)
    return Reply.card(cards.plans.move(title(ctx, plan.metric), plan))


async def moved(ctx: Ctx, call: Call, _about: object) -> Reply:
    """The form came back."""
    plan = await _kept(ctx, call)
    team = await _team(ctx, plan.subject)
    due = scoring.plans.due_day(call.values.get("due", ""))
    after = scoring.plans.moved(plan, due, call.values.get("reason", ""), _today(ctx, team))
    return await _change(ctx, "plan moved", plan, after, team)


async def block(ctx: Ctx, call: Call, _about: object) -> Reply:
    """The form for what is in the way."""
    plan = await _kept(ctx, call)
    return Reply.card(cards.plans.block(title(ctx, plan.metric), plan))


async def blocked(ctx: Ctx, call: Call, _about: object) -> Reply:
    """The form came back: the next weekly card hands it up."""
    plan = await _kept(ctx, call)
    after = scoring.plans.blocked(plan, call.values.get("blocker", ""))
    return await _change(ctx, "plan blocked", plan, after, await _team(ctx, plan.subject))


async def unblock(ctx: Ctx, call: Call, _about: object) -> Reply:
    """Nothing is in the way any more."""
    plan = await _kept(ctx, call)
    return await _change(
        ctx, "plan unblocked", plan, scoring.plans.unblocked(plan), await _team(ctx, plan.subject)
    )


async def drop(ctx: Ctx, call: Call, _about: object) -> Reply:
    """The form for giving a plan up."""
    plan = await _kept(ctx, call)
    return Reply.card(cards.plans.drop(title(ctx, plan.metric), plan))


async def dropped(ctx: Ctx, call: Call, _about: object) -> Reply:
    """The form came back."""
    plan = await _kept(ctx, call)
    team = await _team(ctx, plan.subject)
    after = scoring.plans.dropped(plan, call.values.get("reason", ""), _today(ctx, team))
    return await _change(ctx, "plan dropped", plan, after, team)


async def listed(ctx: Ctx, call: Call, team: Team | None) -> Reply:
    """/plans [TEAM]: what is open, overdue first, and what was closed in the last four weeks."""
    return Reply.card(await list_card(ctx, team))


async def list_card(ctx: Ctx, team: Team | None) -> Card:
    """The plans of a team or the desk, with the buttons that the asker may press."""
    today, whose, keeper = _today(ctx, team), subject(team), keeps(ctx, team)

    def shown(plan: Plan) -> Listed:
        return Listed(plan, title(ctx, plan.metric), keeper or plan.owner_id == ctx.person.id, keeper)

    found = scoring.plans.order(await storage.plans.of_subject(ctx.db, whose), today)
    ended = await storage.plans.closed(ctx.db, whose, today - LATELY)
    if team is not None and not keeper and await _small(ctx, team, today):
        # a plan tells of a red, and so few people's figures are their lead's alone to see
        found = [plan for plan in found if plan.owner_id == ctx.person.id]
        ended = [plan for plan in ended if plan.owner_id == ctx.person.id]
    return cards.plans.listed(name(ctx, team), [shown(p) for p in found], [shown(p) for p in ended], today)


async def _small(ctx: Ctx, team: Team, today: int) -> bool:
    """Whether too few people are in the team for an aggregate, and they have not all agreed to one."""
    members = await storage.people.members(ctx.db, team.id, today, today)
    return len(members) < scoring.privacy.MINIMUM and not team.agreed_small
