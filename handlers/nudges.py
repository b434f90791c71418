"""Nudges: one thing to try, in private, at most two a week, and every way to say no to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta

import cards.card
import cards.nudges
import handlers.effects
import handlers.focus
import handlers.outgoing
import handlers.people
import handlers.sheets
import handlers.tickets
import handlers.timetable
import scoring.calendars
import scoring.focus
import scoring.periods
import storage.loads
import storage.nudges
import storage.outbox
import storage.people
import storage.plans
import storage.quiet
from cards.card import Card
from handlers.call import Call, Ctx, Reply
from handlers.focus import Kept, Look
from scoring.behaviours import Behaviour
from scoring.calendars import Calendar
from scoring.people import Person
from scoring.refused import Refused
from scoring.schedules import Due
from storage.nudges import Nudge, Pause, Said

APART = 2
"""Days at least from one nudge of a person to the next."""

CHECK_BACK = 14
"""Days from a nudge to the look at how it went."""

NOT_MINE = 14
"""Days of quiet after somebody said what is in the way."""

FRESH = timedelta(hours=20)
"""A nudge that cannot be said within these is made again, with newer figures, by the next day's run."""

FURTHEST = 366
LONGEST = 500


async def make(ctx: Ctx, due: Due) -> None:
    """The maker of a team's nudges, daily: focuses are chosen again, and whoever may be nudged is nudged."""
    team = await handlers.timetable.team(ctx, due)
    if team is None or await stale(ctx):
        return
    everyone = await storage.people.everyone(ctx.db, handlers.sheets.today(ctx, team.zone))
    people = {one.id: one for one in everyone if one.active and one.team_id == team.id}
    plans = await storage.plans.of_subject(ctx.db, f"team:{team.id}")
    now = int(ctx.now.timestamp())
    told = await storage.nudges.said(ctx.db, people, f"digest|team|team:{team.id}|", now - 8 * 86_400, now)
    told = [one for one in told if not one.key.startswith(("nudge:", "focus:", "talk:"))]
    for person in people.values():
        heard = [one for one in told if one.person_id in (person.id, None)]
        await _person(ctx, person, handlers.focus.planned(plans, person.id), heard)


async def stale(ctx: Ctx) -> bool:
    """Whether the data are too old to nudge anybody about them."""
    as_of = await storage.loads.as_of(ctx.db)
    return as_of is None or ctx.now.timestamp() - as_of > 86_400 * ctx.rules.stale_days


async def _person(ctx: Ctx, person: Person, taken: Collection[str], told: Collection[Said]) -> None:
    seen = await handlers.focus.look(ctx, person)
    calendar = await storage.quiet.calendar(ctx.db, person.id, handlers.sheets.today(ctx, ctx.rules.zone))
    if seen is None or calendar is None:
        return
    pauses = await storage.nudges.pauses(ctx.db, person.id, seen.here)
    kept, finished = await handlers.focus.refresh(ctx, person, seen, pauses, taken)
    quiet = any(not one.behaviour for one in pauses)
    for ended in finished:
        reading, behaviour = seen.reading(ended.metric), ctx.rules.behaviours.get(ended.behaviour)
        if reading is not None and behaviour is not None and not quiet:
            card = cards.nudges.well_done(behaviour, ctx.rules.metrics[ended.metric], reading)
            await handlers.outgoing.suggest(ctx, person.id, card, f"focus:{ended.id}:done")
    paused = {one.behaviour: one for one in pauses}
    monday = scoring.periods.monday(seen.here)
    heard = [one.card for one in told if one.at >= _quiet_since(seen.here, calendar)]
    recent = await storage.nudges.since(ctx.db, person.id, min(monday, seen.here - APART))
    for one in kept:
        if not scoring.focus.asks(one.focus.status, one.focus.gain):
            continue
        if any(n.behaviour == one.focus.behaviour and n.day >= monday for n in recent):
            continue
        why = await _nudged(ctx, person, seen, one, paused, recent, heard)
        if why:
            lines = next(r.lines for r in seen.score.readings if r.metric == one.focus.metric)
            await storage.nudges.week(
                ctx.db, person.id, one.focus.behaviour, monday, one.focus.metric, why, lines.target, lines.red
            )
        if why == "nudged":
            recent = await storage.nudges.since(ctx.db, person.id, min(monday, seen.here - APART))


async def _nudged(
    ctx: Ctx, person: Person, seen: Look, one: Kept, paused: Mapping[str, Pause], recent: Collection[Nudge],
    heard: Collection[object],
) -> str:  # fmt: skip
    """Nudges if it may, and says "nudged" or why not; "" where another day of the week will tell."""
    off = paused.get("") or paused.get(one.focus.behaviour)
    if off is not None:
        return off.why
    monday = scoring.periods.monday(seen.here)
    if sum(n.day >= monday for n in recent) >= ctx.rules.quiet.nudges_per_week:
        return "budget"
    if any(n.day > seen.here - APART for n in recent):
        return ""
    behaviour, metric = ctx.rules.behaviours[one.focus.behaviour], ctx.rules.metrics[one.focus.metric]
    if any(_red(card, metric.title) for card in heard):
        return "digest"
    reading = seen.reading(metric.name)
    at = int(ctx.now.timestamp())
    number = await storage.nudges.add(ctx.db, person.id, metric.name, behaviour.name, seen.here, at)
    if number is None or reading is None:
        return ""
    card = cards.nudges.nudge(number, behaviour, metric, reading)
    said = await handlers.outgoing.offer(ctx, person.id, card, f"nudge:{number}", until=ctx.now + FRESH)
    if said != "said":
        await storage.nudges.drop(ctx.db, number)
        return said
    if one.held.check_day is None or one.held.check_day <= seen.here:
        await storage.nudges.check_on(ctx.db, one.held.id, seen.here + CHECK_BACK)
    return "nudged"


def _quiet_since(here: int, calendar: Calendar) -> int:
    """The instant at which somebody's last working day before today began: a red told since is not told again."""
    day = here - 1
    while day > here - 7 and not scoring.calendars.is_working_day(calendar, day):
        day -= 1
    return scoring.calendars.day_start(calendar.zone, scoring.periods.date_of(day))


def _red(body: object, title: str) -> bool:
    """Whether a card (as plain JSON) shows a metric as red."""
    if isinstance(body, list):
        return any(_red(one, title) for one in body)
    if not isinstance(body, dict):
        return False
    if body.get("is") == "Badge" and body.get("status") == "red":
        return title in str(body.get("text", ""))
    return any(_red(one, title) for one in body.values())



# What people answer


async def _own(ctx: Ctx, call: Call, person: Person) -> tuple[Nudge, Behaviour]:
    """The nudge whose button was pressed. Raises Refused, the same for one of somebody else and for none."""
    found = await storage.nudges.get(ctx.db, call.number("nudge") or 0)
    behaviour = ctx.rules.behaviours.get(found.behaviour) if found else None
    if found is None or found.person_id != person.id or behaviour is None or found.metric not in ctx.rules.metrics:
        raise Refused("That nudge is no longer good.", "See your focus with /redfirst nudges.")
    return found, behaviour


async def tickets(ctx: Ctx, call: Call, person: Person) -> Reply:
    """The tickets behind the figure, beside the nudge and not in its place."""
    found, _ = await _own(ctx, call, person)
    asked = scoring.periods.rolling("weeks4", found.day - 1)
    behind = replace(call, values={"period": asked.key, "metric": found.metric})
    reply = await handlers.tickets.tickets(ctx, behind, person)
    return Reply(tuple(replace(say, place="new") for say in reply.says))


async def _answered(ctx: Ctx, found: Nudge, card: Card) -> Reply:
    """The answer, in the place of the nudge: of the button pressed, and, as a form has no card, of the message."""
    at = int(ctx.now.timestamp())
    await storage.outbox.revise(ctx.db, f"nudge:{found.id}", cards.card.to_json(card), at)
    return Reply.card(card, update=True)


async def done(ctx: Ctx, call: Call, person: Person) -> Reply:
    """Tried: quiet about it until the check-back."""
    found, behaviour = await _own(ctx, call, person)
    here = handlers.sheets.today(ctx, person.zone)
    await storage.nudges.answer(ctx.db, found.id, "done", int(ctx.now.timestamp()))
    until = max(found.day + CHECK_BACK, here + 1)
    await storage.nudges.pause(ctx.db, person.id, found.behaviour, "done", until)
    return await _answered(ctx, found, cards.nudges.done(behaviour, until))


async def snooze(ctx: Ctx, call: Call, person: Person) -> Reply:
    """For how long: a form."""
    found, _ = await _own(ctx, call, person)
    return Reply.card(cards.nudges.snooze(found.id, handlers.sheets.today(ctx, person.zone)))


async def snoozed(ctx: Ctx, call: Call, person: Person) -> Reply:
    """The form came back."""
    found, behaviour = await _own(ctx, call, person)
    here = handlers.sheets.today(ctx, person.zone)
    until = _until(call, here)
    await storage.nudges.answer(ctx.db, found.id, "snoozed", int(ctx.now.timestamp()))
    await storage.nudges.pause(ctx.db, person.id, found.behaviour, "snoozed", until)
    return await _answered(ctx, found, cards.nudges.snoozed(behaviour, until))


def _until(call: Call, here: int) -> int:
    how = call.values.get("how", "")
    if how == "day":
        return here + 1
    if how == "week":
        return here + 7
    if how != "date":
        raise Refused("Something was left open.", "Choose for how long.")
    day = scoring.periods.from_iso(call.values.get("until", ""))
    if day is None:
        raise Refused("The date is missing.", "Choose the day on which I may ask again.")
    if not here < day <= here + FURTHEST:
        raise Refused("That day does not lie in the coming year.", "Choose a later one, or stop it altogether.")
    return day


async def not_mine(ctx: Ctx, call: Call, person: Person) -> Reply:
    """What is in the way: a form."""
    found, _ = await _own(ctx, call, person)
    return Reply.card(cards.nudges.not_mine(found.id, ctx.rules.metrics[found.metric]))


async def not_mine_said(ctx: Ctx, call: Call, person: Person) -> Reply:
    """The comment goes to the lead, and nobody else; quiet for two weeks."""
    found, _ = await _own(ctx, call, person)
    comment = call.values.get("comment", "").strip()[:LONGEST]
    if not comment:
        raise Refused("A sentence is missing.", "Write what is in the way.")
    lead = await handlers.people.lead_of(ctx, person)
    here, metric = handlers.sheets.today(ctx, person.zone), ctx.rules.metrics[found.metric]
    if not await storage.nudges.answer(ctx.db, found.id, "not_mine", int(ctx.now.timestamp()), comment):
        raise Refused("You have answered this nudge already.", "Talk to your lead; the next can be answered again.")
    await storage.nudges.pause(ctx.db, person.id, found.behaviour, "not_mine", here + NOT_MINE)
    card = cards.nudges.in_the_way(person.name, metric, comment, person.id, mine=False)
    await handlers.outgoing.tell(ctx, lead.id, call.where.platform, card, f"nudge:{found.id}:not_mine")
    mine = cards.nudges.in_the_way(person.name, metric, comment, person.id, mine=True)
    return await _answered(ctx, found, mine)


async def stop(ctx: Ctx, call: Call, person: Person) -> Reply:
    """This one or all: a form."""
    found, _ = await _own(ctx, call, person)
    return Reply.card(cards.nudges.stop(found.id))


async def stopped(ctx: Ctx, call: Call, person: Person) -> Reply:
    """The form came back: nothing more about this, or at all, until it is taken up again."""
    found, behaviour = await _own(ctx, call, person)
    what = call.values.get("what", "")
    if what not in cards.nudges.STOPS:
        raise Refused("Something was left open.", "Choose what I shall stop.")
    await storage.nudges.answer(ctx.db, found.id, "stopped", int(ctx.now.timestamp()))
    if what == "all":
        return await _answered(ctx, found, await _off(ctx, person))
    await storage.nudges.pause(ctx.db, person.id, found.behaviour, "stopped", None)
    await storage.nudges.stop(ctx.db, person.id, found.behaviour, handlers.sheets.today(ctx, person.zone))
    return await _answered(ctx, found, cards.nudges.stopped(behaviour, ctx.rules.commands))


async def _off(ctx: Ctx, person: Person) -> Card:
    await storage.nudges.pause(ctx.db, person.id, "", "stopped", None)
    return cards.nudges.stopped(None, ctx.rules.commands)


async def mine(ctx: Ctx, call: Call, person: Person) -> Reply:
    """/redfirst nudges [on|off|effect]: what one is nudged about, what is paused, and the switch."""
    word = call.text.strip().casefold()
    if word == "effect":
        return await handlers.effects.effect(ctx)
    if word == "off":
        return Reply.card(await _off(ctx, person))
    if word == "on":
        await storage.nudges.resume(ctx.db, person.id, "")
    elif word:
        raise Refused(f"I do not know “{word[:40]}” here.", "Write nudges, nudges on, or nudges off.")
    return Reply.card(await _settings(ctx, person))


async def _settings(ctx: Ctx, person: Person) -> Card:
    known, metrics = ctx.rules.behaviours, ctx.rules.metrics
    pauses = await storage.nudges.pauses(ctx.db, person.id, handlers.sheets.today(ctx, person.zone))
    held = [one for one in await storage.nudges.held(ctx.db, person.id) if one.behaviour in known]
    return cards.nudges.settings(
        [(known[one.behaviour], metrics[one.metric]) for one in held],
        [(one.behaviour, known[one.behaviour].title, one.until_day) for one in pauses if one.behaviour in known],
        on=not any(not one.behaviour for one in pauses),
    )


async def off(ctx: Ctx, call: Call, person: Person) -> Reply:
    """The switch, off."""
    await storage.nudges.pause(ctx.db, person.id, "", "stopped", None)
    return Reply.card(await _settings(ctx, person), update=True)


async def on(ctx: Ctx, call: Call, person: Person) -> Reply:
    """The switch, on; or one behaviour taken up again."""
    await storage.nudges.resume(ctx.db, person.id, call.values.get("behaviour", ""))
    return Reply.card(await _settings(ctx, person), update=True)
