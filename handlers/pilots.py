"""Pilots in the chat: those who take part are asked half-way and at the end, and a manager adopts or drops."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import cards.pilots
import handlers.outgoing
import handlers.sheets
import scoring.baselines
import scoring.periods
import scoring.pilots
import scoring.rulebook
import storage.audit
import storage.people
import storage.pilots
import storage.rules
from cards.pilots import Shown
from handlers.call import Call, Ctx, Reply
from scoring.people import Person
from scoring.pilots import Part
from scoring.refused import Refused
from scoring.rules import Pilot

_STATES: dict[str, storage.pilots.State] = {"adopted": "adopted", "dropped": "dropped"}


def _today(ctx: Ctx) -> int:
    return handlers.sheets.today(ctx, ctx.rules.zone)


def _title(ctx: Ctx, pilot: Pilot) -> str:
    return ctx.rules.metrics[pilot.metric].title


def _pilot(ctx: Ctx, call: Call) -> Pilot:
    found = next((one for one in ctx.rules.pilots if one.key == call.values.get("pilot")), None)
    if found is None:
        raise Refused("That pilot is gone.", "See what there is with /redfirst lines.")
    return found


def _takes_part(person: Person, pilot: Pilot) -> bool:
    """Whether somebody was in one of its teams while it ran."""
    return any(
        held.team_key in pilot.teams and held.from_day <= pilot.last
        and (held.to_day is None or held.to_day > pilot.first)
        for held in person.memberships
    )  # fmt: skip


async def shown(ctx: Ctx) -> list[Shown]:
    """Every pilot with what became of it, the newest first; what was said is told when the asking is over."""
    today = _today(ctx)
    names = {team.key: team.name for team in await storage.people.teams(ctx.db)}
    decisions = await storage.pilots.decisions(ctx.db) if ctx.rules.pilots else {}
    found = []
    for pilot in sorted(ctx.rules.pilots, key=lambda one: (-one.first, one.metric)):
        views = [
            (part, scoring.pilots.views(await storage.pilots.answers(ctx.db, pilot.key, part)))
            for part in scoring.pilots.PARTS
            if scoring.pilots.begins(pilot, part) + scoring.pilots.ASKING <= today
        ]
        teams = [names.get(key, key) for key in pilot.teams]
        one = Shown(pilot, _title(ctx, pilot), teams, views)
        made = decisions.get(pilot.key)
        found.append(one if made is None else replace(one, state=made.state, by=made.by, reason=made.reason))
    return found


# ---- those who take part ----


async def ask(ctx: Ctx) -> None:
    """Half-way and at the end: those who take part are asked for their view, once each."""
    today = _today(ctx)
    decisions = await storage.pilots.decisions(ctx.db) if ctx.rules.pilots else {}
    for pilot in ctx.rules.pilots:
        part = scoring.pilots.part_of(pilot, today)
        if part is None or pilot.key in decisions:
            continue
        card = cards.pilots.asked(_title(ctx, pilot), pilot, part)
        over = scoring.pilots.begins(pilot, part) + scoring.pilots.ASKING
        until = datetime.fromtimestamp(scoring.periods.midnight(over, ctx.rules.zone), UTC)
        for person in await storage.people.everyone(ctx.db, today):
            if person.active and _takes_part(person, pilot):
                key = f"pilot:{pilot.key}:{part}:{person.id}"
                await handlers.outgoing.suggest(ctx, person.id, card, key, until=until)


def _asked(ctx: Ctx, call: Call) -> tuple[Pilot, Part]:
    """The pilot and the part that somebody is asked about. Raises Refused for others, and when the asking is over."""
    pilot = _pilot(ctx, call)
    if not _takes_part(ctx.person, pilot):
        raise Refused("Your team takes no part in that pilot.", "See which do with /redfirst lines.")
    part = scoring.pilots.part_of(pilot, _today(ctx))
    if part is None or part != call.values.get("part"):
        raise Refused("The asking is over.", "Tell your lead what you think of it.")
    return pilot, part


async def view(ctx: Ctx, call: Call, _person: Person) -> Reply:
    """The form."""
    pilot, part = _asked(ctx, call)
    return Reply.card(cards.pilots.view(_title(ctx, pilot), pilot, part))


async def said(ctx: Ctx, call: Call, _person: Person) -> Reply:
    """The form came back."""
    pilot, part = _asked(ctx, call)
    useful, fair, comment = (call.values.get(name, "") for name in ("useful", "fair", "comment"))
    answer = scoring.pilots.answered(useful, fair, comment)
    await storage.pilots.answer(ctx.db, pilot.key, ctx.person.id, part, answer, int(ctx.now.timestamp()))
    return Reply.card(cards.pilots.thanked(_title(ctx, pilot)))


# ---- those who decide ----


async def _undecided(ctx: Ctx, call: Call) -> Shown:
    if not scoring.baselines.decides(ctx.person):
        raise Refused("On a pilot decide managers and leadership alone.", "See what there is with /redfirst lines.")
    pilot = _pilot(ctx, call)
    one = next(one for one in await shown(ctx) if one.pilot.key == pilot.key)
    if one.state:
        raise Refused(f"{one.by} {cards.pilots.STATES[one.state]} already: “{one.reason}”", "Nothing was changed.")
    return one


async def decide(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """Asks for the decision and its reason."""
    return Reply.card(cards.pilots.decide(await _undecided(ctx, call)))


async def decided(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """The decision is kept; the pilot is on no scorecard of a later period."""
    one = await _undecided(ctx, call)
    state = _STATES.get(call.values.get("state", ""))
    reason = call.line("reason", cards.pilots.LONGEST)
    if state is None or not reason:
        raise Refused("A part is missing.", "Say what becomes of it, and why.")
    now, pilot = int(ctx.now.timestamp()), one.pilot
    if not await storage.pilots.decide(ctx.db, pilot.key, state, reason, ctx.person.id, now):
        raise Refused("Somebody decided at the same moment.", "Look again with /redfirst lines.")
    applied = await storage.rules.current(ctx.db)
    if applied is None:
        raise LookupError("the rules in force are gone")
    if pilot.last >= _today(ctx):
        body = scoring.baselines.end_pilot(applied.body, pilot.metric, pilot.first, _today(ctx))
        scoring.rulebook.read(body, version=applied.version + 1)
        try:
            await storage.rules.store(ctx.db, body, ctx.person.key, ctx.now, after=applied.version)
        except Refused as no:
            raise Refused("Somebody put other rules in force at the same moment.", "Send it again.") from no
    told = {"metric": pilot.metric, "first": pilot.first, "last": pilot.last, "reason": reason}
    await storage.audit.add(ctx.db, now, ctx.person.key, f"pilot {state}", f"pilot:{pilot.key}", told)
    return Reply.card(cards.pilots.decided(replace(one, state=state, by=ctx.person.name, reason=reason)))
