"""Paths to green: from the red on a card to a plan with an owner and a day, and what is reported on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import wraps

import cards.card
import cards.plans
import handlers.digest_cards
import handlers.digests
import handlers.groups
import handlers.outgoing
import handlers.plan_owners
import handlers.sheets
import scoring.access
import scoring.periods
import scoring.plans
import storage.audit
import storage.outbox
import storage.people
import storage.plans
from cards.card import Card, Form
from cards.plans import Listed
from handlers.call import Call, Ctx, Reply
from handlers.groups import Group
from scoring.people import Person, Team
from scoring.periods import Period
from scoring.plans import Change, Plan
from scoring.refused import Refused
from scoring.scorecards import Reading

IN = 14
"""Days after which a plan is due, unless its owner says otherwise."""

LATELY = 28
"""Days for which a list remembers plans that are closed."""

_Act = Callable[[Ctx, Call, Plan, Team | None], Awaitable[Reply]]


def title(ctx: Ctx, metric_name: str) -> str:
    """A metric's title; of one that the rules no longer know, its name."""
    metric = ctx.rules.metrics.get(metric_name)
    return metric.title if metric else metric_name.replace("_", " ").capitalize()


def group_of(team: Team | None) -> Group:
    """What a plan's red is looked for in: the team as its lead sees it, or the desk."""
    return Group(team, whole=team is not None)


subject = handlers.plan_owners.subject
"""The subject of a team's plans, or of the desk's."""


def name(ctx: Ctx, team: Team | None) -> str:
    """What the team, or the desk, is called."""
    return team.name if team else ctx.rules.organisation


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
    if not _may(ctx, "report", team):
        await _handed_on(ctx, plan, team)
    allowed(ctx, "report", team)
    return team


async def _handed_on(ctx: Ctx, plan: Plan, team: Team | None) -> None:
    """Somebody who owned the plan once, and has an old card of it, is told who has it now. Raises Refused."""
    changes = await _history(ctx, plan, 0, team)
    mine = [place for place, one in enumerate(changes) if one.owner_id == ctx.person.id]
    if mine and mine[-1] + 1 < len(changes):
        since = cards.plans.happened(changes[mine[-1] + 1])
        raise Refused(f"That plan is yours no more. {since}", "Nothing was changed; see the plans with /plans.")


async def _history(ctx: Ctx, plan: Plan, since: int, team: Team | None) -> list[Change]:
    zone = team.zone if team else ctx.rules.zone
    found = await storage.plans.history(ctx.db, plan.id, since, zone)
    names = await storage.people.names(ctx.db, {one.owner_id for one in found})
    return [replace(one, owner=names.get(one.owner_id, "")) for one in found]


def _seen(act: _Act) -> Callable[[Ctx, Call, object], Awaitable[Reply]]:
    """The handler of a button or form of a plan: from a card that is behind, what happened since is told instead."""

    @wraps(act)
    async def handler(ctx: Ctx, call: Call, _about: object) -> Reply:
        plan = await _kept(ctx, call)
        team = await _team(ctx, plan.subject)
        if plan.version != call.number("version"):
            return await _since(ctx, call, plan, team)
        return await act(ctx, call, plan, team)

    return handler


async def _since(ctx: Ctx, call: Call, plan: Plan, team: Team | None) -> Reply:
    """What happened since the card that was pressed; what was written in a form comes back in it, to be sent again."""
    changes = await _history(ctx, plan, call.number("version") or 0, team)
    if plan.state == "open" and call.kind == "form":
        form = await _form(ctx, call, plan, team)
        return Reply.card(cards.plans.again(form, changes, call.values), update=True)
    [now] = await handlers.plan_owners.marked(ctx, team, [plan])
    listed = _listed(ctx, now, team)
    return Reply.card(cards.plans.since(listed, changes, handlers.plan_owners.today(ctx, team)), update=True)


async def _form(ctx: Ctx, call: Call, plan: Plan, team: Team | None) -> Form:
    """The form whose answer, or whose button, this is."""
    what, titled = call.name, title(ctx, plan.metric)
    if what in ("plan_move", "plan_moved"):
        return cards.plans.move(titled, plan)
    if what in ("plan_block", "plan_blocked"):
        return cards.plans.block(titled, plan, told=await _heard(ctx, plan, team))
    if what in ("plan_drop", "plan_dropped"):
        return cards.plans.drop(titled, plan)
    others = [one for one in await handlers.plan_owners.owners(ctx, team) if one[0] != plan.owner_id]
    if not others:
        raise Refused("There is nobody else who could see to it.", "A plan belongs to somebody of its team.")
    [now] = await handlers.plan_owners.marked(ctx, team, [plan])
    return cards.plans.hand(titled, now, others, handlers.plan_owners.today(ctx, team))


async def _heard(ctx: Ctx, plan: Plan, team: Team | None) -> bool:
    """Whether anybody above hears of what is in the way: of a figure that is withheld nobody does."""
    if team is None:
        return True
    today = handlers.plan_owners.today(ctx, team)
    for kind in ("week", "month"):  # of a manager, of leadership
        if plan.metric in await handlers.groups.told(ctx, team, handlers.digest_cards.period_of(kind, today)):
            return True
    return False


def _listed(ctx: Ctx, plan: Plan, team: Team | None) -> Listed:
    """It as the asker may see and use it."""
    reports = plan.owner_id == ctx.person.id or _may(ctx, "report", team)
    return Listed(plan, title(ctx, plan.metric), reports, keeps(ctx, team))


async def kept(ctx: Ctx, call: Call) -> Team | None:
    """Whose plan it is, for those who drop plans."""
    plan = await _kept(ctx, call)
    team = await _team(ctx, plan.subject)
    allowed(ctx, "keep", team)
    return team


async def _red(ctx: Ctx, call: Call, team: Team | None) -> tuple[Period, Reading]:
    """The red that a plan is asked for, as the keeper or as everybody sees it. Raises Refused where it is none."""
    asked = handlers.sheets.from_key(call.values.get("period", ""), handlers.plan_owners.today(ctx, team))
    for group in (group_of(team), Group(team)):
        sheet, _ = await handlers.groups.sheet(ctx, group, asked)
        reading = handlers.sheets.one(sheet, call.values.get("metric", ""))
        if reading.status == "red":
            return asked, reading
    raise Refused(
        f"{title(ctx, reading.metric)} is not red in {asked.label}.", "A plan is for a red: see the scorecard."
    )


async def _open(ctx: Ctx, team: Team | None, metric: str) -> Plan | None:
    plans = await storage.plans.of_subject(ctx.db, subject(team))
    return next((plan for plan in plans if plan.metric == metric), None)


async def _taken(ctx: Ctx, team: Team | None, plan: Plan) -> Refused:
    [now] = await handlers.plan_owners.marked(ctx, team, [plan])
    words = cards.plans.line(now, handlers.plan_owners.today(ctx, team))
    return Refused(f"{title(ctx, plan.metric)} has a plan already. {words}", "Move or drop that one first: /plans.")


async def new(ctx: Ctx, call: Call, team: Team | None) -> Reply:
    """The form under a red."""
    asked, reading = await _red(ctx, call, team)
    there = await _open(ctx, team, reading.metric)
    if there is not None:
        raise await _taken(ctx, team, there)
    values = {key: call.values[key] for key in ("team", "card") if key in call.values}
    values |= {"metric": reading.metric, "period": asked.key}
    words = f"{name(ctx, team)}, {asked.label}. {reading.words}"
    due = handlers.plan_owners.today(ctx, team) + IN
    owners = await handlers.plan_owners.owners(ctx, team)
    return Reply.card(cards.plans.form(title(ctx, reading.metric), words, owners, due, values))


async def added(ctx: Ctx, call: Call, team: Team | None) -> Reply:
    """The form came back: the plan is kept, its owner told, the card of the red shows it."""
    asked, reading = await _red(ctx, call, team)
    today = handlers.plan_owners.today(ctx, team)
    owners = dict(await handlers.plan_owners.owners(ctx, team))
    owner = call.number("owner") or 0
    if owner not in owners:
        raise Refused("Nobody is named who sees to it.", "Choose somebody of the team.")
    due = scoring.plans.due_day(call.values.get("due", ""))
    whose, action = subject(team), call.values.get("action", "")
    plan = scoring.plans.opened(whose, reading.metric, asked.key, action, owner, owners[owner], due, today)
    number = await storage.plans.add(ctx.db, plan)
    if number is None:
        there = await _open(ctx, team, reading.metric)
        raise await _taken(ctx, team, there or plan)
    plan = replace(plan, id=number)
    await _noted(ctx, "plan opened", plan, plan.action)
    if owner != ctx.person.id:
        card = cards.plans.asked(ctx.person.name, name(ctx, team), title(ctx, plan.metric), plan, today)
        await handlers.outgoing.tell(ctx, owner, call.where.platform, card, f"plan:{number}:owner")
    if call.values.get("card") != "1":
        return Reply.card(cards.plans.saved(name(ctx, team), title(ctx, plan.metric), plan, today))
    group = group_of(team)
    sheet, _ = await handlers.groups.sheet(ctx, group, asked)
    return Reply.card(handlers.groups.card(await handlers.groups.planned(ctx, sheet, group), group), update=True)


async def _noted(ctx: Ctx, act: str, plan: Plan, words: str) -> None:
    body: Mapping[str, object] = {
        "subject": plan.subject, "metric": plan.metric, "action": plan.action, "owner": plan.owner_id,
        "due": plan.due_day, "reason": plan.reason, "blocker": plan.blocker, "version": plan.version, "words": words,
    }  # fmt: skip
    await storage.audit.add(ctx.db, int(ctx.now.timestamp()), ctx.person.key, act, f"plan:{plan.id}", body)
    await handlers.digests.renew(ctx, plan.subject)


async def _keep(ctx: Ctx, act: str, before: Plan, after: Plan, words: str = "") -> Plan | None:
    """Keeps a change made from what was seen; None where somebody else's came first."""
    if not await storage.plans.change(ctx.db, before, after):
        return None
    after = replace(after, version=before.version + 1)
    if (after.state, after.owner_id, after.due_day) != (before.state, before.owner_id, before.due_day):
        await storage.plans.call_off(ctx.db, after.id)  # somebody on leave is not reminded of it later
    await _noted(ctx, act, after, words)
    return after


async def _change(
    ctx: Ctx, call: Call, act: str, before: Plan, after: Plan, team: Team | None, words: str = ""
) -> Reply:
    """The same with its answer; of simultaneous changes the first holds, the others are told."""
    kept = await _keep(ctx, act, before, after, words)
    if kept is None:
        return await _since(ctx, call, await _kept(ctx, call), team)
    return await _changed(ctx, kept, team)


async def _changed(ctx: Ctx, plan: Plan, team: Team | None) -> Reply:
    if plan.state == "open":
        [plan] = await handlers.plan_owners.marked(ctx, team, [plan])
    today = handlers.plan_owners.today(ctx, team)
    return Reply.card(cards.plans.changed(title(ctx, plan.metric), plan, today), update=True)


@_seen
async def done(ctx: Ctx, call: Call, plan: Plan, team: Team | None) -> Reply:
    """It is done; the weeks that follow say whether it worked."""
    after = scoring.plans.done(plan, handlers.plan_owners.today(ctx, team))
    return await _change(ctx, call, "plan done", plan, after, team)


@_seen
async def asked(ctx: Ctx, call: Call, plan: Plan, team: Team | None) -> Reply:
    """The form behind a button: another day, what is in the way, another owner, or giving it up."""
    return Reply.card(await _form(ctx, call, plan, team))


@_seen
async def moved(ctx: Ctx, call: Call, plan: Plan, team: Team | None) -> Reply:
    """Another day, with the reason."""
    due = scoring.plans.due_day(call.values.get("due", ""))
    today = handlers.plan_owners.today(ctx, team)
    after = scoring.plans.moved(plan, due, call.values.get("reason", ""), today)
    return await _change(ctx, call, "plan moved", plan, after, team, after.reason)


@_seen
async def blocked(ctx: Ctx, call: Call, plan: Plan, team: Team | None) -> Reply:
    """What is in the way: the next weekly card hands it up."""
    after = scoring.plans.blocked(plan, call.values.get("blocker", ""))
    return await _change(ctx, call, "plan blocked", plan, after, team, after.blocker)


@_seen
async def unblock(ctx: Ctx, call: Call, plan: Plan, team: Team | None) -> Reply:
    """Nothing is in the way any more."""
    return await _change(ctx, call, "plan unblocked", plan, scoring.plans.unblocked(plan), team)


@_seen
async def dropped(ctx: Ctx, call: Call, plan: Plan, team: Team | None) -> Reply:
    """Given up, with the reason."""
    today = handlers.plan_owners.today(ctx, team)
    after = scoring.plans.dropped(plan, call.values.get("reason", ""), today)
    return await _change(ctx, call, "plan dropped", plan, after, team, after.reason)


@_seen
async def handed(ctx: Ctx, call: Call, plan: Plan, team: Team | None) -> Reply:
    """Another owner: both are told, and what comes of the plan goes to the new one from now on."""
    owners = dict(await handlers.plan_owners.owners(ctx, team))
    number = call.number("owner") or 0
    if number not in owners:
        raise Refused("Nobody is named who sees to it.", "Choose somebody of the team.")
    words = call.line("words", scoring.plans.LONGEST)
    after = await _keep(ctx, "plan handed over", plan, scoring.plans.handed(plan, number, owners[number]), words)
    if after is None:
        return await _since(ctx, call, await _kept(ctx, call), team)
    by, whose, titled = ctx.person, name(ctx, team), title(ctx, plan.metric)
    key, today = f"plan:{plan.id}:owner:{after.version}", handlers.plan_owners.today(ctx, team)
    if number != by.id:
        card = cards.plans.handed(by.name, whose, titled, after, words, today)
        await handlers.outgoing.tell(ctx, number, call.where.platform, card, key)
    was = cards.plans.changed(titled, after, today)
    if plan.owner_id != by.id:
        was = cards.plans.given(by.name, whose, titled, after)
        await handlers.outgoing.tell(ctx, plan.owner_id, call.where.platform, was, f"{key}:before")
    await _unasked(ctx, await _asked_as(ctx, plan, team), was)
    return await _changed(ctx, after, team)


async def _unasked(ctx: Ctx, key: str, card: Card) -> None:
    """What the owner was asked is called off while nobody has read it; after that the card takes its place."""
    asked = await storage.outbox.one(ctx.db, key)
    if asked is None or (not asked.reference and await storage.outbox.cancel(ctx.db, asked.id)):
        return
    await storage.outbox.revise(ctx.db, key, cards.card.to_json(card), int(ctx.now.timestamp()))


async def _asked_as(ctx: Ctx, plan: Plan, team: Team | None) -> str:
    """The key of the message in which the owner was asked to see to the plan."""
    handed = [one.version for one in await _history(ctx, plan, 1, team) if one.act == "plan handed over"]
    before = [version for version in handed if version <= plan.version]
    return f"plan:{plan.id}:owner:{before[-1]}" if before else f"plan:{plan.id}:owner"


async def listed(ctx: Ctx, call: Call, team: Team | None) -> Reply:
    """/plans [TEAM]: what is open, overdue first, and what was closed in the last four weeks."""
    return Reply.card(await list_card(ctx, team))


async def list_card(ctx: Ctx, team: Team | None) -> Card:
    """The plans of a team or the desk, with the buttons that the asker may press."""
    today, whose = handlers.plan_owners.today(ctx, team), subject(team)
    found = scoring.plans.order(await handlers.plan_owners.open_plans(ctx, team), today)
    ended = await storage.plans.closed(ctx.db, whose, today - LATELY)
    if team is not None and not keeps(ctx, team):
        found, ended = await _told(ctx, team, found), await _told(ctx, team, ended)
    shown, over = ([_listed(ctx, plan, team) for plan in plans] for plans in (found, ended))
    return cards.plans.listed(name(ctx, team), shown, over, today)


async def _told(ctx: Ctx, team: Team, plans: Sequence[Plan]) -> list[Plan]:
    """The asker's own, and those on figures that everybody may be told of: a plan tells of a red."""
    others = [plan for plan in plans if plan.owner_id != ctx.person.id]
    open_to_all = {
        key: await handlers.groups.told(ctx, team, scoring.periods.from_key(key))
        for key in dict.fromkeys(plan.period for plan in others)
    }
    return [p for p in plans if p.owner_id == ctx.person.id or p.metric in open_to_all[p.period]]
