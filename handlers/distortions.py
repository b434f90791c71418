"""Distortions: one declares what figures are not to be blamed for, a second person approves, anybody can read it."""

from __future__ import annotations

import cards.distortions
import handlers.outgoing
import handlers.sheets
import scoring.distortions
import scoring.plans
import storage.audit
import storage.distortions
import storage.people
from cards.distortions import Listed
from handlers.call import Call, Ctx, Reply
from scoring.distortions import Distortion
from scoring.people import Person
from scoring.refused import Refused

SECOND = ("manager", "leadership", "lead", "admin")
"""Whom to ask for an approval: the first of these roles that somebody who may approve it holds."""


def _titles(ctx: Ctx, one: Distortion) -> tuple[str, ...]:
    return tuple(ctx.rules.metrics[name].title if name in ctx.rules.metrics else name for name in one.metrics)


def _listed(ctx: Ctx, one: Distortion, reader: Person) -> Listed:
    """It as somebody may see and use it."""
    decides = scoring.distortions.decides(reader, one)
    return Listed(one, _titles(ctx, one), decides, decides or reader.id == one.declared_by)


def _today(ctx: Ctx) -> int:
    return handlers.sheets.today(ctx, ctx.rules.zone)


async def _scopes(ctx: Ctx) -> list[tuple[str, str]]:
    """What the asker may declare one for: (scope, name), the desk first."""
    found = [("desk", "The whole desk")] if scoring.distortions.declares(ctx.person, None) else []
    teams = await storage.people.teams(ctx.db)
    return found + [(f"team:{one.id}", one.name) for one in teams if scoring.distortions.declares(ctx.person, one.id)]


async def _kept(ctx: Ctx, call: Call) -> Distortion:
    found = await storage.distortions.get(ctx.db, call.number("distortion") or 0)
    if found is None:
        raise Refused("There is no such distortion.", "See what there is with /redfirst distortion.")
    return found


def _concerns(person: Person, one: Distortion) -> bool:
    """Whether somebody is told of it unasked: the desk's and their teams', or where they have a say."""
    team = scoring.plans.team_of(one.scope)
    mine = team is None or team == person.team_id or team in person.led_teams
    return mine or scoring.distortions.decides(person, one) or person.id == one.declared_by


async def listed(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """/redfirst distortion: what waits, what is in force, and the way to declare one."""
    waiting = [one for one in await storage.distortions.of_state(ctx.db, "asked") if _has_say(ctx.person, one)]
    here = _today(ctx)
    in_force = [
        one
        for one in await storage.distortions.of_state(ctx.db, "approved")
        if one.last_day > here - scoring.distortions.REACH and _concerns(ctx.person, one)
    ]
    newest = sorted(in_force, key=lambda one: (one.last_day, one.id), reverse=True)
    card = cards.distortions.listed(
        [_listed(ctx, one, ctx.person) for one in waiting],
        [_listed(ctx, one, ctx.person) for one in newest],
        declares=bool(await _scopes(ctx)),
    )
    return Reply.card(card)


def _has_say(person: Person, one: Distortion) -> bool:
    return person.id == one.declared_by or scoring.distortions.decides(person, one)


async def new(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """The form."""
    scopes = await _allowed(ctx)
    metrics = sorted(((one.name, one.title) for one in ctx.rules.metrics.values()), key=lambda pair: pair[1])
    return Reply.card(cards.distortions.form(scopes, metrics, _today(ctx)))


async def _allowed(ctx: Ctx) -> list[tuple[str, str]]:
    scopes = await _scopes(ctx)
    if not scopes:
        raise Refused(
            "A distortion is declared by a lead for their team, or by a manager.", "Tell your lead what happened."
        )
    return scopes


async def asked(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """The form came back: it is kept, and a second person is asked."""
    scopes = dict(await _allowed(ctx))
    scope, metric = call.values.get("scope", ""), call.values.get("metric", "")
    if scope not in scopes or (metric != "all" and metric not in ctx.rules.metrics):
        raise Refused("Something was left open.", "Choose where and which metrics, then send it again.")
    first, last = (scoring.plans.due_day(call.values.get(name, "")) for name in ("first", "last"))
    kind, weight, words = (call.values.get(name, "") for name in ("kind", "weight", "words"))
    metrics = () if metric == "all" else (metric,)
    one = scoring.distortions.declared(kind, scope, first, last, metrics, weight, words, ctx.person, _today(ctx))
    deciders = await _deciders(ctx, one)
    at = int(ctx.now.timestamp())
    number = await storage.distortions.declare(ctx.db, one, at)
    one = await storage.distortions.get(ctx.db, number) or one
    await _noted(ctx, "distortion declared", one)
    for person in deciders:
        card = cards.distortions.to_decide(_listed(ctx, one, person))
        key = f"distortion:{number}:ask:{person.id}"
        await handlers.outgoing.tell(ctx, person.id, call.where.platform, card, key)
    names = [person.name for person in deciders]
    return Reply.card(cards.distortions.asked(_listed(ctx, one, ctx.person), names))


async def _deciders(ctx: Ctx, one: Distortion) -> list[Person]:
    """Who is asked: all of the first kind of person that may approve it, by name. Raises Refused without anybody."""
    everyone = await storage.people.everyone(ctx.db, _today(ctx))
    may = [person for person in everyone if scoring.distortions.decides(person, one)]
    for role in SECOND:
        found = [person for person in may if person.role == role]
        if found:
            return found
    if not may:
        raise Refused("There is nobody who could approve it.", "It takes a second person: a manager or another lead.")
    return may


async def _noted(ctx: Ctx, act: str, one: Distortion) -> None:
    body = {
        "scope": one.scope, "first": one.first_day, "last": one.last_day, "metrics": list(one.metrics),
        "weight": one.weight, "words": one.words, "answer": one.answer,
    }  # fmt: skip
    await storage.audit.add(ctx.db, int(ctx.now.timestamp()), ctx.person.key, act, f"distortion:{one.id}", body)


async def approve(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """The second person says yes: it is worked into figures and closed scores next, and both are told when it is."""
    one = scoring.distortions.decided(await _kept(ctx, call), ctx.person, "approved", "")
    await _decided(ctx, one)
    return Reply.card(cards.distortions.changed(_listed(ctx, one, ctx.person), ctx.person.name, 0), update=True)


async def decline(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """A no needs a sentence: a form."""
    one = await _kept(ctx, call)
    scoring.distortions.decided(one, ctx.person, "declined", "to come")
    return Reply.card(cards.distortions.decline(one))


async def declined(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """The sentence came back."""
    reason = call.values.get("reason", "")
    one = scoring.distortions.decided(await _kept(ctx, call), ctx.person, "declined", reason)
    await _decided(ctx, one)
    card = cards.distortions.changed(_listed(ctx, one, ctx.person), ctx.person.name, 0)
    key = f"distortion:{one.id}:declined:{one.declared_by}"
    await handlers.outgoing.tell(ctx, one.declared_by, call.where.platform, card, key)
    return Reply.card(card, update=True)


async def _decided(ctx: Ctx, one: Distortion) -> None:
    if not await storage.distortions.decide(ctx.db, one, int(ctx.now.timestamp())):
        there = await storage.distortions.get(ctx.db, one.id)  # the other one decided since it was read
        if there is not None:
            scoring.distortions.decided(there, ctx.person, "declined", one.answer or "too late")
        raise Refused("Somebody has decided this at the same moment.", "See it with /redfirst distortion.")
    await _noted(ctx, f"distortion {one.state}", one)


async def revert(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """Taking it back needs a sentence too."""
    one = await _kept(ctx, call)
    scoring.distortions.reverted(one, ctx.person, "to come")
    return Reply.card(cards.distortions.revert(one))


async def reverted(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """The sentence came back: figures will count as they are again."""
    one = scoring.distortions.reverted(await _kept(ctx, call), ctx.person, call.values.get("reason", ""))
    if not await storage.distortions.revert(ctx.db, one, ctx.person.id, int(ctx.now.timestamp())):
        raise Refused("Somebody took it back at the same moment.", "See it with /redfirst distortion.")
    await _noted(ctx, "distortion reverted", one)
    return Reply.card(cards.distortions.changed(_listed(ctx, one, ctx.person), ctx.person.name, 0), update=True)


async def worked_in(ctx: Ctx, one: Distortion, scores: int) -> None:
    """Figures and closed scores are as was decided: whoever declared it and whoever decided are told, once each."""
    by = one.reverted_name if one.state == "reverted" else one.decided_name
    concerned = (one.declared_by, one.decided_by, one.reverted_by)
    for person_id in dict.fromkeys(number for number in concerned if number is not None):
        reader = await storage.people.get(ctx.db, person_id, _today(ctx))
        if reader is not None:
            card = cards.distortions.changed(_listed(ctx, one, reader), by, scores)
            await handlers.outgoing.tell(ctx, person_id, "", card, f"distortion:{one.id}:{one.state}:{person_id}")
