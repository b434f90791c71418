"""Check-backs: two weeks after a nudge, and on the day agreed in a talk, how it went by fresh data."""

from __future__ import annotations

from collections.abc import Mapping

import cards.check_backs
import handlers.focus
import handlers.nudges
import handlers.outgoing
import handlers.people
import handlers.sheets
import handlers.timetable
import scoring.effects
import scoring.periods
import scoring.rag
import storage.coaching
import storage.looks
import storage.nudges
import storage.people
from cards.check_backs import Change
from handlers.call import Ctx
from handlers.focus import Look
from scoring.metrics import NOTHING, Metric, Sums
from scoring.people import Person
from scoring.refused import Refused
from scoring.schedules import Due
from storage.coaching import Talk
from storage.nudges import Held


async def make(ctx: Ctx, due: Due) -> None:
    """The maker of a team's check-backs, daily."""
    team = await handlers.timetable.team(ctx, due)
    if team is None or await handlers.nudges.stale(ctx):
        return
    here = handlers.sheets.today(ctx, team.zone)
    people = {
        one.id: one
        for one in await storage.people.everyone(ctx.db, here)
        if one.active and one.team_id == team.id
    }
    for person_id, focus in await storage.nudges.to_check(ctx.db, people, here):
        await _of_focus(ctx, people[person_id], focus)
    for talk in await storage.coaching.due(ctx.db, people, here):
        if await storage.coaching.reminded(ctx.db, talk.id):
            await _of_talk(ctx, people[talk.person_id], talk)


async def _of_focus(ctx: Ctx, person: Person, focus: Held) -> None:
    """How it went, to the person; once for each look that is due, and not to whoever wants no nudges."""
    await storage.nudges.check_on(ctx.db, focus.id, None)
    seen, metric = await handlers.focus.look(ctx, person), ctx.rules.metrics.get(focus.metric)
    behaviour = ctx.rules.behaviours.get(focus.behaviour)
    if seen is None or metric is None or behaviour is None or seen.reading(focus.metric) is None:
        return
    pauses = await storage.nudges.pauses(ctx.db, person.id, seen.here)
    if any(not one.behaviour for one in pauses):
        return
    day = (focus.check_day or seen.here) - handlers.nudges.CHECK_BACK
    change = changed(seen, metric, day)
    values = {"metric": metric.name, "period": seen.asked.key}
    card = cards.check_backs.of_focus(change, behaviour.title, values)
    await handlers.outgoing.suggest(ctx, person.id, card, f"focus:{focus.id}:check:{focus.check_day}")


async def _of_talk(ctx: Ctx, person: Person, talk: Talk) -> None:
    """The fresh figures to both: the person, and whoever leads them now."""
    seen, metric = await handlers.focus.look(ctx, person), ctx.rules.metrics.get(talk.area)
    change = changed(seen, metric, talk.day) if seen and metric and seen.reading(talk.area) else None
    area = metric.title if metric else talk.area
    key = f"talk:{talk.id}:check"
    mine = cards.check_backs.of_talk(change, area, talk.step, person.name, person.id, mine=True)
    await handlers.outgoing.suggest(ctx, person.id, mine, f"{key}:person", urgent=True)
    try:
        lead = await handlers.people.lead_of(ctx, person)
    except Refused:  # nobody leads them any more: nobody else is told
        return
    theirs = cards.check_backs.of_talk(change, area, talk.step, person.name, person.id, mine=False)
    if await handlers.outgoing.suggest(ctx, lead.id, theirs, f"{key}:lead", urgent=True):
        await storage.looks.add(ctx.db, lead.id, person.id, f"Check-back: {area}", int(ctx.now.timestamp()))


def changed(seen: Look, metric: Metric, day: int) -> Change:
    """The four whole weeks before the week of a day against the weeks from it on that are over."""
    first = scoring.periods.monday(day)
    end = max(scoring.periods.monday(seen.here), first + 7)
    weeks = dict(seen.series[metric.name].weeks)
    start = first - 7 * scoring.effects.BEFORE
    before, since = _sums(metric, weeks, start, first), _sums(metric, weeks, first, end)
    went = scoring.effects.compared(metric, before, since)
    return Change(metric, before, since, (start, first - 1), (first, end - 1), went)


def _sums(metric: Metric, weeks: Mapping[int, Sums], first: int, end: int) -> Sums:
    """What the weeks from a Monday up to another come to; of a stock the last level."""
    if scoring.rag.is_stock(metric):
        return weeks.get(end - 7, NOTHING)
    return sum((weeks.get(monday, NOTHING) for monday in range(first, end, 7)), NOTHING)
