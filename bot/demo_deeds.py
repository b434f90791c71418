"""What the people of the made-up desk have done with Redfirst already, through the same door as everybody."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import handlers.groups
import handlers.plans
import handlers.priorities
import handlers.redflags
import handlers.words
import scoring.access
import scoring.objectives_file
import scoring.periods
import scoring.schedules
import scoring.schedules_file
import storage.distortions
import storage.inbox
import storage.loads
import storage.objectives
import storage.outbox
import storage.people
import storage.plans
import storage.redflags
import storage.rules
from bot import demo_desk
from bot.demo_clients import CLIENTS, STORM_CLIENT
from bot.scheduler import REDFIRST
from handlers.call import Call, Ctx, Reply, Where
from scoring.people import Person, Team
from scoring.refused import Refused
from storage.db import Db, Store

log = logging.getLogger("redfirst.demo")

NEWS = 4
"""Days for which what was said about a deed is still news; of older ones nothing is shown."""

_HERE = Where("demo", "demo")

_ACTIONS: Mapping[str, str] = {
    "csat": "Whoever answered with three or less is rung up within a day, and we read the answers together on Friday.",
    "nps": "We ask the three least happy clients what one thing they would change, and change one.",
    "same_day_closure": "Half an hour before lunch and before going home is kept for what takes ten minutes.",
    "first_time_fix": "Whoever opens a ticket keeps it and brings the help to it, for two weeks, and we count.",
    "escalation_response": "One person a day is named for escalations and looks at them three times.",
    "escalated_time_to_resolve": "A quarter of an hour each morning: an escalation older than a day gets a next step.",
    "average_wait": "The first answer comes before the work: one line within half an hour, whatever else there is.",
    "aged_tickets": "Each Monday the ten oldest tickets are opened together, and each gets an owner and a day.",
    "survey_return_rate": "We say at the end of each call that there is one question, and that we read the answers.",
    "estimate_variance": "After the first look the estimate is written anew, and the client is told if it is more.",
    "internal_support": "Each of us offers one hour a week to the help desk, and enters it on their ticket.",
    "utilisation": "Help on the side is entered on a ticket like everything else.",
    "escalation_success": "Whoever accepts an escalation ends it, with a note to the sender of what solved it.",
}
_ACTION = "We go through the last twenty of them together, and agree on one thing to do differently."


class Hand:
    """Somebody acting at a moment: what they ask and press goes where every question goes, access checked."""

    def __init__(self, ctx: Ctx, today: int) -> None:
        self.ctx, self.today = ctx, today

    async def fills(self, route: str, values: Mapping[str, str]) -> Reply:
        return await self._does(Call(route, "", _HERE, "", "form", values=values))

    async def presses(self, route: str, values: Mapping[str, str]) -> Reply:
        return await self._does(Call(route, "", _HERE, "", "action", values=values))

    async def _does(self, call: Call) -> Reply:
        route, meant = handlers.words.route(call, self.ctx.rules.commands)
        subject = await route.subject(self.ctx, meant)
        scoring.access.allowed(self.ctx.person, route.act, subject)
        return await route.handler(self.ctx, meant, subject)

    async def person(self, key: str) -> Person:
        found = await storage.people.by_key(self.ctx.db, key, self.today)
        if found is None:
            raise LookupError(key)
        return found

    async def team(self, key: str) -> Team:
        return next(team for team in await storage.people.teams(self.ctx.db) if team.key == key)


Act = Callable[[Hand], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that `who` did so many days `ago`, in the morning of that day or the working day before."""

    key: str
    who: str
    ago: int
    act: Act


def _objective(cascade: str, key: str, subject: str, owner: str, supports: str = "") -> Act:
    """One from the templates. `subject`: "desk", or the key of a team or person; `supports`: the title of another."""

    async def act(hand: Hand) -> None:
        [one] = [o for c in storage.objectives.cascades() if c.name == cascade for o in c.objectives if o.key == key]
        standing = await storage.objectives.standing(hand.ctx.db, hand.ctx.rules.cascade)
        above = next((other.key for other in standing if other.title == supports), "")
        if subject in demo_desk.TEAMS:
            whose = f"team:{(await hand.team(subject)).id}"
        else:
            whose = "desk" if subject == "desk" else f"person:{(await hand.person(subject)).id}"
        decided = scoring.periods.iso(hand.today + 75)
        given = {"for": whose, "owner": str((await hand.person(owner)).id), "decision": decided, "supports": above}
        await hand.fills("objective_added", {**scoring.objectives_file.answers(one), **given})

    return act


def _plan(order: Iterable[str], weeks: Iterable[int], owner: Mapping[str, str], due: int) -> Act:
    """A path to green for the first red of these weeks (ago), of teams in an order. `due`: days from today."""
    places = [(ago, key) for ago in weeks for key in order]

    async def act(hand: Hand) -> None:
        for ago, key in places:
            asked = scoring.periods.week(scoring.periods.monday(hand.today) - 7 * ago)
            team = await hand.team(key)
            lead = await hand.person(demo_desk.TEAM_LEADS[key])
            led = Hand(replace(hand.ctx, person=lead), hand.today)
            sheet, _ = await handlers.groups.sheet(led.ctx, handlers.plans.group_of(team), asked)
            for reading in sheet.score.readings:
                if reading.status == "red" and not await _planned(led, team, reading.metric):
                    values = {
                        "team": str(team.id), "metric": reading.metric, "period": asked.key,
                        "action": _ACTIONS.get(reading.metric, _ACTION),
                        "owner": str((await hand.person(owner[key])).id),
                        "due": scoring.periods.iso(_working(hand.today + due)),
                    }  # fmt: skip
                    await led.fills("plan_added", values)
                    return

    return act


async def _planned(hand: Hand, team: Team, metric: str) -> bool:
    plans = await storage.plans.of_subject(hand.ctx.db, handlers.plans.subject(team))
    return any(plan.metric == metric for plan in plans)


def _distortion(kind: str, first: int, last: int, weight: int, words: str) -> Act:
    async def act(hand: Hand) -> None:
        values = {
            "kind": kind, "scope": f"team:{(await hand.team('help-desk')).id}", "metric": "all",
            "first": scoring.periods.iso(hand.today - first), "last": scoring.periods.iso(hand.today - last),
            "weight": str(weight), "words": words,
        }  # fmt: skip
        await hand.fills("distortion_asked", values)

    return act


async def _approve(hand: Hand) -> None:
    for one in await storage.distortions.of_state(hand.ctx.db, "asked"):
        await hand.presses("distortion_approve", {"distortion": str(one.id)})


async def _look(hand: Hand) -> None:
    like = scoring.schedules_file.DEFAULTS["red_flags"].like
    due = scoring.schedules.Due(like, int(hand.ctx.now.timestamp()), hand.today, "make")
    await handlers.redflags.look(replace(hand.ctx, person=REDFIRST), due)


async def _take(hand: Hand) -> None:
    for flag in (await storage.redflags.open(hand.ctx.db))[:1]:
        await hand.presses("client_take", {"flag": str(flag.id), "version": str(flag.version)})
        again = await storage.redflags.get(hand.ctx.db, flag.id)
        if again is not None:
            day = scoring.periods.iso(_working(hand.today + 4))
            await hand.fills("client_contacted", {"flag": str(again.id), "version": str(again.version), "day": day})


async def _talk(hand: Hand) -> None:
    person = await hand.person(demo_desk.WRITES_LATE)
    day = scoring.periods.iso(_working(hand.today + 16))
    step = "You stop the clock and write the entry before you open the next ticket, also on busy days."
    values = {"person": str(person.id), "area": "real_time_entry", "step": step, "day": day}
    await hand.fills("coach_booked", values)
    note = "You know it and find it tiresome on busy days; we look at the calm ones first."
    await hand.fills("coach_noted", {"person": str(person.id), "words": note})


async def _first(hand: Hand) -> None:
    month = handlers.priorities.month(hand.ctx)
    words = "A word to every client whose agreement is renewed soon, and a second tier 3 before the year ends."
    given_up = "New alignment visits wait until then."
    values = {"month": month.key, "version": "0", "words": words, "trade_offs": given_up}
    await hand.fills("priorities_kept", values)


def _working(day: int) -> int:
    """The day itself, or the Monday after a weekend."""
    return day if (day + 3) % 7 < 5 else scoring.periods.monday(day) + 7


def deeds(today: int) -> tuple[Deed, ...]:
    """All of them, in the order in which they were done."""
    storm = scoring.periods.monday(today - demo_desk.STORM)
    outage = f"Outage at {CLIENTS[STORM_CLIENT].name}"
    owners = {"help-desk": "ngozi", "centralised": "ewan", "projects": "dana"}
    coming = scoring.periods.monday(today) + 8 - today
    return (
        Deed("outage", "ngozi", 9, _distortion("outage", today - storm - 1, today - storm - 3, 0, outage)),
        Deed("outage approved", "eleanor", 2, _approve),
        Deed("retention", "stephen", 40, _objective("customer", "retention", "desk", "stephen")),
        Deed("hours", "stephen", 40, _objective("margin", "hours", "desk", "renata")),
        Deed("rating", "ngozi", 38, _objective(
            "customer", "rating", "help-desk", "ngozi", "Every managed client renews this year")),
        Deed("told", "ngozi", 38, _objective(
            "customer", "told", "help-desk", "ngozi", "Every managed client renews this year")),
        Deed("rework", "ngozi", 38, _objective(
            "margin", "rework", "help-desk", "ngozi", "Reactive hours fall at every client")),
        Deed("repeats", "fatima", 36, _objective(
            "margin", "failure_demand", "centralised", "fatima", "Reactive hours fall at every client")),
        Deed("word", "ngozi", 30, _objective(
            "customer", "word", demo_desk.IMPROVES, demo_desk.IMPROVES, "Nobody has to ask how far we are")),
        Deed("first level", "ngozi", 30, _objective(
            "margin", "first_level", "lucia", "lucia", "What is solved stays solved")),
        Deed("plan overdue", "ngozi", 13, _plan(("help-desk", "centralised", "projects"), range(3, 27), owners, -5)),
        Deed("red flags", "dev", 6, _look),
        Deed("client taken", "ngozi", 3, _take),
        Deed("plan", "fatima", 3, _plan(("centralised", "projects", "help-desk"), range(1, 27), owners, coming)),
        Deed("talk", "ngozi", 2, _talk),
        Deed("short", "ngozi", 1, _distortion(
            "short_staffing", demo_desk.ABSENT_SINCE, 1, 500, "Tier 3 is two people short")),
        Deed("priorities", "stephen", 0, _first),
    )  # fmt: skip


async def do(
    store: Store, in_force: storage.rules.InForce, today: date, stamp: str, source: str, clock: Callable[[], datetime]
) -> None:
    """Does what is still to be done, one transaction each: killed in between, the rest is done another time."""
    stamp, here = f"{stamp}/deeds", scoring.periods.day_of(today)
    async with store.read() as db:
        if await storage.loads.is_done(db, stamp, source):
            return
    for deed in deeds(here):
        now = int(clock().timestamp())
        try:
            async with store.write() as db:
                if await storage.inbox.first(db, f"{stamp}/{deed.key}", now):
                    await _done(db, in_force, deed, here, clock)
        except Refused as no:  # on another seed or day there may be nothing to do it to
            log.info("not done: %s (%s)", deed.key, no)
        await asyncio.sleep(0)
    async with store.write() as db:
        number = await storage.loads.begin(db, source, "made up, what people have done", stamp, now)
        await storage.loads.finish(db, number, storage.loads.Progress(), now)


async def _done(
    db: Db, in_force: storage.rules.InForce, deed: Deed, today: int, clock: Callable[[], datetime]
) -> None:
    day = today - deed.ago
    day -= max((day + 3) % 7 - 4, 0) if deed.ago else 0  # of a weekend the Friday before
    person = await storage.people.by_key(db, deed.who, today)
    if person is None:
        raise LookupError(deed.who)
    now = min(datetime.fromtimestamp(scoring.schedules.instant(person.zone, day, 10 * 60), UTC), clock())
    rules = await in_force.get(db, clock())
    await deed.act(Hand(Ctx(db, person, now, rules, rules.commands), today))
    old = (today - NEWS) * 86_400
    for message in await storage.outbox.listed(db, ("due",)):
        if message.made_at < old:
            await storage.outbox.cancel(db, message.id)
