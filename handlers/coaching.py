"""Coaching: /coach prepares a lead's talk with somebody, books the check-back, and keeps the notes both share."""

from __future__ import annotations

import cards.coaching
import handlers.focus
import handlers.outgoing
import handlers.people
import handlers.sheets
import scoring.behaviours
import scoring.coaching
import scoring.focus
import storage.audit
import storage.coaching
import storage.loads
import storage.looks
from cards.coaching import Agreed, Noted, Talk
from handlers.call import Call, Ctx, Reply
from handlers.focus import Look
from scoring.behaviours import Behaviour
from scoring.metrics import Metric
from scoring.people import Person
from scoring.refused import Refused


async def prepare(ctx: Ctx, call: Call, person: Person) -> Reply:
    """/coach PERSON: the talk, from the person's own figures of four weeks; the person can see that it was prepared."""
    seen = await _seen(ctx, person)
    at = int(ctx.now.timestamp())
    await storage.looks.add(ctx.db, ctx.person.id, person.id, f"A talk, {seen.asked.label}", at)
    reds = [r for r in seen.score.readings if r.status in ("red", "amber")]
    gains = scoring.focus.gains(seen.score)
    # by the figures alone: a focus and its nudges are the person's own
    area = max(reds, key=lambda r: gains.get(r.metric, 0.0), default=None)
    talk = Talk(
        person_id=person.id,
        name=person.name,
        period=seen.asked,
        metrics=ctx.rules.metrics,
        thanks=scoring.coaching.thanks(seen.score),
        reds=reds,
        area=area,
        behaviour=_behaviour(ctx, area.metric) if area else None,
        here=seen.here,
        zone=ctx.person.zone,
        agreed=await _agreed(ctx, person),
        notes=await _notes(ctx, person),
        small_print=handlers.sheets.notes(
            ctx, await storage.loads.as_of(ctx.db), seen.score, handlers.sheets.metrics_of(ctx, seen.rubric), seen.asked
        ),
    )
    return Reply.card(cards.coaching.prepared(talk))


async def _seen(ctx: Ctx, person: Person) -> Look:
    found = await handlers.focus.look(ctx, person)
    if found is None:
        raise Refused(f"Nobody keeps a scorecard of {person.name}.", "Talk anyway; there are no figures to show.")
    return found


def _behaviour(ctx: Ctx, metric: str) -> Behaviour | None:
    return next(iter(scoring.behaviours.of_metric(ctx.rules.behaviours, metric)), None)


async def _agreed(ctx: Ctx, person: Person) -> list[Agreed]:
    talks = await storage.coaching.talks(ctx.db, person.id)
    return [Agreed(one.area, one.step, one.day, one.check_day) for one in talks]


async def _notes(ctx: Ctx, person: Person) -> list[Noted]:
    return [Noted(one.author, one.words, one.at) for one in await storage.coaching.notes(ctx.db, person.id)]


async def book(ctx: Ctx, call: Call, person: Person) -> Reply:
    """One area, one step, one day: a form."""
    seen = await _seen(ctx, person)
    areas = _areas(ctx, seen)
    chosen = areas[0]
    behaviour = _behaviour(ctx, chosen.name)
    named = [(one.name, one.title) for one in areas]
    step = behaviour.what if behaviour else ""
    day = seen.here + scoring.coaching.USUAL
    return Reply.card(cards.coaching.book(person.id, person.name, named, chosen.name, step, day))


def _areas(ctx: Ctx, seen: Look) -> list[Metric]:
    """The person's metrics, reds first."""
    return [ctx.rules.metrics[reading.metric] for reading in seen.score.readings]


async def booked(ctx: Ctx, call: Call, person: Person) -> Reply:
    """The form came back: kept, and the person has it in writing."""
    seen = await _seen(ctx, person)
    area = next((one for one in _areas(ctx, seen) if one.name == call.values.get("area", "")), None)
    step = call.values.get("step", "").strip()[: scoring.coaching.LONGEST]
    if area is None:
        raise Refused("Something was left open.", "Choose the area.")
    if not step:
        raise Refused("The step is missing.", "Write what was agreed, in a sentence.")
    day = scoring.coaching.check_day(call.values.get("day", ""), seen.here)
    at = int(ctx.now.timestamp())
    number = await storage.coaching.book(ctx.db, person.id, ctx.person.id, area.name, step, seen.here, day)
    if number is None:
        raise Refused("That check-back is booked already.", "Write a note, or choose another day.")
    body = {"area": area.name, "day": day}
    await storage.audit.add(ctx.db, at, ctx.person.key, "check-back booked", person.key, body)
    names, lead = ctx.rules.commands, ctx.person.name
    theirs = cards.coaching.booked(person.name, lead, area, step, day, names, mine=True)
    await handlers.outgoing.suggest(ctx, person.id, theirs, f"talk:{number}:booked", urgent=True)
    return Reply.card(cards.coaching.booked(person.name, lead, area, step, day, names, mine=False))


async def write(ctx: Ctx, call: Call, person: Person) -> Reply:
    """A note: a form."""
    return Reply.card(cards.coaching.note(None if person.id == ctx.person.id else person.id))


async def written(ctx: Ctx, call: Call, person: Person) -> Reply:
    """The note came back: both see it, and the other one is told."""
    words = call.values.get("words", "").strip()[: scoring.coaching.LONGEST]
    if not words:
        raise Refused("The note is empty.", "Write a sentence.")
    number = await storage.coaching.note(ctx.db, person.id, ctx.person.id, words, int(ctx.now.timestamp()))
    mine = person.id == ctx.person.id
    other = (await handlers.people.lead_of(ctx, person)).id if mine else person.id
    card = cards.coaching.noted(ctx.person.name, words, person.id if mine else None)
    await handlers.outgoing.suggest(ctx, other, card, f"coach_note:{number}")
    return await notes(ctx, call, person)


async def notes(ctx: Ctx, call: Call, person: Person) -> Reply:
    """What was agreed and noted."""
    mine = person.id == ctx.person.id
    return Reply.card(
        cards.coaching.shared(
            person.name, person.id, ctx.rules.metrics, await _agreed(ctx, person), await _notes(ctx, person),
            ctx.person.zone, mine=mine,
        )
    )  # fmt: skip
