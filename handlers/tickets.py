"""Tickets behind a figure, and the correction of what is not somebody's own."""

from __future__ import annotations

import cards.card
import cards.notice
import cards.tickets
import handlers.freezing
import handlers.outgoing
import handlers.scorecards
import handlers.sheets
import scoring.access
import scoring.periods
import storage.audit
import storage.corrections
import storage.drilldown
import storage.facts
import storage.loads
import storage.looks
import storage.people
from cards.tickets import Ticket
from handlers.call import Call, Ctx, Reply
from scoring.metrics import Metric
from scoring.people import Person
from scoring.periods import Period
from scoring.refused import Refused
from storage.corrections import Correction

SHOWN = 15
OFFERED = 100
LONGEST = 500
STATES = {"asked": "still waits for an answer", "confirmed": "was confirmed", "declined": "was answered with no"}


async def _asked(ctx: Ctx, call: Call, person: Person) -> tuple[Period, list[Metric]]:
    here = handlers.sheets.today(ctx, person.zone)
    asked = handlers.sheets.from_key(call.values.get("period", ""), here)
    rubric = await handlers.sheets.rubric_of(ctx, person, asked)
    metrics = handlers.sheets.metrics_of(ctx, rubric)
    name = call.values.get("metric", "")
    if not name:
        return asked, metrics
    return asked, [handlers.scorecards.metric_named(metrics, name)]


async def tickets(ctx: Ctx, call: Call, person: Person) -> Reply:
    """The latest tickets behind one figure, and how each counts."""
    asked, metrics = await _asked(ctx, call, person)
    metric = metrics[0]
    here = handlers.sheets.today(ctx, person.zone)
    found = await storage.drilldown.tickets_behind(
        ctx.db, metric, person.id, asked, SHOWN + 1, ctx.rules.fairness, here
    )
    mine = person.id == ctx.person.id
    if not mine:
        at = int(ctx.now.timestamp())
        await storage.looks.add(ctx.db, ctx.person.id, person.id, f"Tickets of {metric.title}, {asked.label}", at)
    values = {"period": asked.key, "metric": metric.name} | ({} if mine else {"person": str(person.id)})
    shown = [Ticket(t.id, t.number, t.title, t.url, t.counted) for t in found[:SHOWN]]
    as_of = await storage.loads.as_of(ctx.db)
    age, _ = cards.notice.data_age(as_of, ctx.now, ctx.person.zone, ctx.rules.stale_days)
    return Reply.card(
        cards.tickets.behind(metric.title, asked.label, shown, len(found) > SHOWN, values, mine, age), update=True
    )


async def correct(ctx: Ctx, call: Call, person: Person) -> Reply:
    """The form for "this is not mine / leave it out"."""
    asked, metrics = await _asked(ctx, call, person)
    if call.values.get("metric"):
        found = await storage.drilldown.tickets_behind(
            ctx.db, metrics[0], person.id, asked, OFFERED, ctx.rules.fairness,
            handlers.sheets.today(ctx, person.zone),
        )  # fmt: skip
    else:  # all that they had a hand in: platforms do not wait for what every metric makes of every ticket
        begin, end = (scoring.periods.midnight(day, person.zone) for day in (asked.first, asked.last + 1))
        found = await storage.drilldown.parts(ctx.db, person.id, begin, end, OFFERED)
    if not found:
        raise Refused(f"No tickets count for you in {asked.label}.", "Go to the period the ticket was in.")
    chosen = call.values.get("ticket", "")
    offered = [Ticket(t.id, t.number, t.title, t.url, t.counted) for t in found]
    return Reply.card(cards.tickets.correct(offered, chosen if any(t.id == chosen for t in found) else "", {}))


async def corrected(ctx: Ctx, call: Call, person: Person) -> Reply:
    """The form came back: noted, and the lead is asked."""
    ticket, kind = call.values.get("ticket", ""), call.values.get("kind", "")
    reason = call.values.get("reason", "").strip()[:LONGEST]
    if kind not in cards.tickets.KINDS or not ticket:
        raise Refused("Something was left open.", "Choose the ticket and what is wrong, then send it again.")
    if not reason:
        raise Refused("A sentence is missing.", "Write why, so that your lead can decide.")
    if not await storage.drilldown.has_part(ctx.db, ticket, person.id):
        raise Refused("That ticket does not count for you.", "Nothing needs to be corrected.")
    deciders = await _deciders(ctx, person)
    at = int(ctx.now.timestamp())
    number = await storage.corrections.ask(ctx.db, ticket, person.id, kind, reason, at)
    if number is None:
        before = await storage.corrections.for_ticket(ctx.db, ticket, person.id)
        about, state = (before.number, STATES[before.state]) if before else (ticket, STATES["asked"])
        raise Refused(f"You have asked about {about} before; it {state}.", "Talk to your lead.")
    await storage.audit.add(ctx.db, at, person.key, "correction asked", ticket, {"kind": kind, "reason": reason})
    asked = await _kept(ctx, number)
    for one in deciders:
        key = f"correction:{number}:ask:{one.id}"
        await handlers.outgoing.tell(ctx, one.id, call.where.platform, _to_decide(asked), key)
    return Reply.card(cards.tickets.asked(asked.number, deciders[0].name))


async def _deciders(ctx: Ctx, person: Person) -> list[Person]:
    """Everybody who may decide on a person's corrections today, their own manager first, then who leads a team."""
    everyone = await storage.people.everyone(ctx.db, handlers.sheets.today(ctx, person.zone))
    found = [one for one in everyone if _decides(one, person)]
    if not found:
        raise Refused("Nobody is named as your lead.", "Ask your administrator to add one to the people file.")
    return sorted(found, key=lambda one: (one.id != person.manager_id, not one.led_teams, one.name, one.id))


def _decides(asker: Person, person: Person) -> bool:
    return scoring.access.relation(asker, person) in scoring.access.MATRIX["decide_correction"]


def _to_decide(asked: Correction) -> cards.card.Card:
    return cards.tickets.to_decide(asked.id, asked.name, asked.number, asked.title, asked.kind, asked.reason)


async def _open(ctx: Ctx, call: Call) -> Correction:
    return await _kept(ctx, _number(call))


def _number(call: Call) -> int:
    return call.number("correction") or 0


async def _kept(ctx: Ctx, number: int) -> Correction:
    found = await storage.corrections.get(ctx.db, number)
    if found is None:
        raise Refused("There is no such correction.", "See what waits with /redfirst corrections.")
    return found


async def subject(ctx: Ctx, call: Call) -> Person | None:
    """Whose correction it is, for the check of access; nobody's where there is none, which is refused alike."""
    found = await storage.corrections.get(ctx.db, _number(call))
    if found is None:
        return None
    return await storage.people.get(ctx.db, found.person_id, handlers.sheets.today(ctx, ctx.person.zone))


async def confirm(ctx: Ctx, call: Call, person: Person) -> Reply:
    """The lead says yes: the ticket no longer counts, and the figures of that time are renewed."""
    return await _decide(ctx, call, "confirmed", "")


async def decline(ctx: Ctx, call: Call, person: Person) -> Reply:
    """The lead says no, which needs a sentence: a form."""
    found = await _open(ctx, call)
    return Reply.card(cards.tickets.decline(found.id))


async def declined(ctx: Ctx, call: Call, person: Person) -> Reply:
    """The sentence came back."""
    answer = call.values.get("answer", "").strip()[:LONGEST]
    if not answer:
        raise Refused("A sentence is missing.", "Say why the ticket stays as it is.")
    return await _decide(ctx, call, "declined", answer)


async def _decide(ctx: Ctx, call: Call, verdict: str, answer: str) -> Reply:
    found = await _open(ctx, call)
    at = int(ctx.now.timestamp())
    if not await storage.corrections.decide(ctx.db, found.id, verdict, ctx.person.id, answer, at):
        found = await _kept(ctx, found.id)  # the other one may have decided since it was read
        who = (await storage.people.names(ctx.db, [found.decided_by or 0])).get(found.decided_by or 0, "Somebody")
        raise Refused(f"{who} has decided this already: {found.state}.", "Nothing was changed.")
    await storage.audit.add(ctx.db, at, ctx.person.key, f"correction {verdict}", found.ticket, {"answer": answer})
    if verdict == "confirmed":
        days = await storage.facts.renew_tickets(ctx.db, [found.ticket], ctx.rules, found.person_id)
        await handlers.freezing.renew(ctx, found.person_id, days, f"{found.number} corrected")
    card = cards.tickets.decided(found.number, verdict, ctx.person.name, answer)
    await handlers.outgoing.tell(ctx, found.person_id, call.where.platform, card, f"correction:{found.id}:{verdict}")
    return Reply.card(card, update=True)


async def waiting(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """/redfirst corrections: what waits for the asker's decision."""
    here = handlers.sheets.today(ctx, ctx.person.zone)
    mine: list[Correction] = []
    for found in await storage.corrections.waiting(ctx.db, ctx.person.managed):
        whose = await storage.people.get(ctx.db, found.person_id, here)
        if whose is not None and _decides(ctx.person, whose):
            mine.append(found)
    return Reply.card(cards.tickets.waiting([_to_decide(found) for found in mine]))
