"""Objectives in the chat: the tree and its branches, adding, changing and closing one, and the monthly report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import cards.objectives
import cards.priorities
import handlers.cascade
import handlers.outgoing
import handlers.people
import handlers.priorities
import handlers.sheets
import scoring.access
import scoring.cascade
import scoring.objectives
import scoring.objectives_file
import storage.looks
import storage.objectives
import storage.people
from cards.card import Card
from cards.objectives import Line, Offer
from handlers.call import Call, Ctx, Reply
from handlers.cascade import View
from scoring.objectives import Objective, Place
from scoring.objectives_file import LONGEST
from scoring.people import Person, Team
from scoring.refused import Refused
from scoring.schedules import Due

SETS = {"leadership": "desk_objective", "team": "team_objective", "individual": "individual_objective"}
"""Level → the act of adding, changing and closing one there."""

_GONE = ("There is no such objective, or it is not open to you.", "See those that are with /objectives.")
_OWNERS = ("lead", "manager", "leadership")


def _titles(ctx: Ctx) -> dict[str, str]:
    return {name: metric.title for name, metric in ctx.rules.metrics.items()}


def _page(call: Call) -> int:
    return call.number("page", 4) or 0


# ---- looking ----


async def tree(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """/objectives: the top of the cascade."""
    view = await handlers.cascade.view(ctx)
    lines = view.under("")
    leads = scoring.access.relation(ctx.person, None) == "leadership"
    told = cards.priorities.blocks(await handlers.priorities.now(ctx))
    await _looked(ctx, lines[_page(call) * cards.objectives.PAGE :][: cards.objectives.PAGE])
    card = cards.objectives.tree(lines, _page(call), view.label, priorities=told, leads=leads)
    return Reply.card(card, update=call.kind == "action")


async def opened(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """One objective with what it supports and what supports it, in place of the card whose button was pressed."""
    view = await handlers.cascade.view(ctx)
    return Reply.card(await _branch(ctx, view, call.values.get("objective", ""), _page(call)), update=True)


async def _branch(ctx: Ctx, view: View, key: str, page: int = 0) -> Card:
    one = view.seen.get(key)
    if one is None:
        raise Refused(*_GONE)
    children = view.under(key)
    await _looked(ctx, [view.line(one), *children[page * cards.objectives.PAGE :][: cards.objectives.PAGE]])
    parent = view.seen.get(one.parent)
    may = not one.source and _may(ctx, one.level, await _found(ctx, one.subject))
    return cards.objectives.branch(
        view.line(one), view.line(parent) if parent else None, children, page, view.label, _titles(ctx), may_change=may
    )


async def _looked(ctx: Ctx, lines: list[Line]) -> None:
    """People see who has looked at their objectives, as at their scorecards."""
    at = int(ctx.now.timestamp())
    for line in lines:
        if line.objective.level == "individual":
            owner = int(line.objective.subject.partition(":")[2])
            if owner != ctx.person.id:
                await storage.looks.add(ctx.db, ctx.person.id, owner, f"Objective: {line.objective.title}", at)


async def _found(ctx: Ctx, subject: str) -> Person | Team | Refused | None:
    try:
        return await handlers.cascade.subject(ctx, subject)
    except Refused as gone:  # a team or person that is no more: nobody changes what was agreed with them
        return gone


def _may(ctx: Ctx, level: Place, subject: Person | Team | Refused | None) -> bool:
    if isinstance(subject, Refused):
        return False
    return scoring.access.relation(ctx.person, subject) in scoring.access.MATRIX[SETS[level]]


# ---- adding and changing ----


async def new(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """The form of a new objective: empty, under another one, or begun with an example."""
    filled = {"supports": call.values.get("supports", ""), "owner": str(ctx.person.id), "weight": "1"}
    for cascade in storage.objectives.cascades():
        for one in cascade.objectives:
            if (cascade.name, one.key) == (call.values.get("example"), call.values.get("take")):
                filled |= scoring.objectives_file.answers(one) | {"supports": ""}
    return await _form(ctx, filled, "objective_added", {}, ())


async def _form(
    ctx: Ctx, filled: Mapping[str, str], route: str, values: Mapping[str, str], wrong: tuple[str, ...]
) -> Reply:
    standing = await storage.objectives.standing(ctx.db, ctx.rules.cascade)
    parents = [
        (one.key, f"{cards.objectives.KIND[one.level]}: {one.title}")
        for place in ("leadership", "team")
        for one in standing
        if one.level == place and one.key != values.get("objective")
    ]
    offer = Offer(
        await _subjects(ctx),
        await _owners(ctx, filled.get("owner", "")),
        sorted(_titles(ctx).items(), key=lambda pair: pair[1]),
        parents,
    )
    return Reply.card(cards.objectives.form(offer, filled, route, values, wrong))


async def _subjects(ctx: Ctx) -> list[tuple[str, str]]:
    """For whom the asker may set an objective: themselves, the desk, teams, the people they lead."""
    me = f"person:{ctx.person.id}"
    found = [(me, "Myself")] if _may(ctx, "individual", ctx.person) else []
    if _may(ctx, "leadership", None):
        found.append(("desk", f"Leadership: {ctx.rules.organisation}"))
    teams = await storage.people.teams(ctx.db)
    found += [(f"team:{team.id}", f"Team: {team.name}") for team in teams if _may(ctx, "team", team)]
    if scoring.access.relation(ctx.person, None) == "known":  # leadership, HR and administrators are nobody's lead
        names = await storage.people.names(ctx.db, ctx.person.managed)
        found += [(f"person:{i}", name) for i, name in sorted(names.items(), key=lambda pair: pair[1].casefold())]
    return found


async def _owners(ctx: Ctx, held: str) -> list[tuple[str, str]]:
    ids = {ctx.person.id, *ctx.person.managed}
    if held.isascii() and held.isdecimal() and len(held) < 10:
        ids.add(int(held))
    if scoring.access.relation(ctx.person, None) == "leadership":
        everyone = await storage.people.everyone(ctx.db, handlers.sheets.today(ctx, ctx.rules.zone))
        ids |= {one.id for one in everyone if one.active and one.role in _OWNERS}
    names = await storage.people.names(ctx.db, ids)
    return [(str(i), name) for i, name in sorted(names.items(), key=lambda pair: (pair[0] != ctx.person.id, pair[1]))]


async def _read(ctx: Ctx, call: Call, base: Objective) -> tuple[Objective, tuple[str, ...]]:
    """What a form says, with what is still missing; who may set it for whom is checked. Raises Refused for a no."""
    named = call.values.get("for", "") or base.subject
    subject = await handlers.cascade.subject(ctx, named)
    level: Place = "leadership" if subject is None else "team" if isinstance(subject, Team) else "individual"
    scoring.access.allowed(ctx.person, SETS[level], subject)
    offered = dict(await _owners(ctx, str(base.owner_id or "")))
    owner = call.values.get("owner", "")
    owner_id = int(owner) if owner in offered else None
    base = replace(base, level=level, subject=named, owner_id=owner_id, owner=offered.get(owner, ""))
    made, misfits = scoring.objectives_file.parse(call.values, base)
    # what others have agreed with their lead is neither named nor hinted at, whatever a form says it supports
    standing = [
        one
        for one in await storage.objectives.standing(ctx.db, ctx.rules.cascade)
        if one.level != "individual" or one.subject == named
    ]
    today = handlers.sheets.today(ctx, ctx.rules.zone)
    verdict = scoring.objectives.check(made, standing, ctx.rules.metrics, today)
    wrong = [f"{one.column.capitalize()}: expected {one.expected}, not “{one.found}”." for one in misfits]
    twin = [one for one in standing if _alike(one, made)]
    wrong += ["An objective with these words stands there already."] if twin else []
    return made, (*wrong, *verdict.words)


def _alike(one: Objective, made: Objective) -> bool:
    same = one.title.casefold() == made.title.casefold() and one.subject == made.subject
    return same and one.key != made.key


async def added(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """The form came back: kept where it answers the five questions, else shown again with what is missing."""
    made, wrong = await _read(ctx, call, Objective("", "", "leadership", ""))
    if wrong:
        return await _form(ctx, call.values, "objective_added", {}, wrong)
    taken = await storage.objectives.keys(ctx.db) | {one.key for one in ctx.rules.cascade}
    made = replace(made, key=scoring.objectives.key_of(made.title, taken.__contains__))
    kept = await storage.objectives.add(ctx.db, made, ctx.person.key, int(ctx.now.timestamp()))
    if kept is None:
        raise Refused("Somebody has added an objective with these words just now.", "See it with /objectives.")
    return await _kept(ctx, call, kept)


async def _kept(ctx: Ctx, call: Call, kept: Objective) -> Reply:
    if kept.level == "individual" and kept.subject != f"person:{ctx.person.id}":
        key = f"objective:{kept.key}:{kept.version}"
        card = cards.objectives.told(kept, ctx.person.name)
        await handlers.outgoing.tell(ctx, int(kept.subject.partition(":")[2]), call.where.platform, card, key)
    return Reply.card(await _branch(ctx, await handlers.cascade.view(ctx), kept.key))


async def _mine(ctx: Ctx, call: Call) -> Objective:
    """The objective of a button or form, where the asker may change it. Raises Refused, alike where there is none."""
    view = await handlers.cascade.view(ctx)
    one = view.seen.get(call.values.get("objective", ""))
    if one is None:
        raise Refused(*_GONE)
    if one.source:
        raise Refused(f"“{one.title}” is kept in {one.source}.", "Change it there, and run `redfirst apply`.")
    scoring.access.allowed(ctx.person, SETS[one.level], await handlers.cascade.subject(ctx, one.subject))
    return one


async def change(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """The form, filled in with what holds now."""
    one = await _mine(ctx, call)
    filled = {**scoring.objectives_file.answers(one), "for": one.subject, "owner": str(one.owner_id or "")}
    return await _form(ctx, filled, "objective_changed", {"objective": one.key, "version": str(one.version)}, ())


async def changed(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """The form came back: a new version, made from the one that was seen."""
    one = _seen_version(await _mine(ctx, call), call)
    made, wrong = await _read(ctx, call, one)
    if wrong:
        return await _form(ctx, call.values, "objective_changed",
                           {"objective": one.key, "version": str(one.version)}, wrong)  # fmt: skip
    if scoring.objectives.same(made, one):
        return Reply.card(await _branch(ctx, await handlers.cascade.view(ctx), one.key))
    kept = await storage.objectives.change(ctx.db, made, ctx.person.key, int(ctx.now.timestamp()))
    if kept is None:
        raise _overtaken(one)
    return await _kept(ctx, call, kept)


def _seen_version(one: Objective, call: Call) -> Objective:
    if call.values.get("version") != str(one.version):
        raise _overtaken(one)
    return one


def _overtaken(one: Objective) -> Refused:
    return Refused(
        f"Somebody has changed “{one.title}” since you opened it.", "Nothing was changed; open it again to see."
    )


async def close(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """Asks why it ends."""
    return Reply.card(cards.objectives.close(await _mine(ctx, call)))


async def closed(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """It ends, with the reason; what supported it is told to hang in the air."""
    one = _seen_version(await _mine(ctx, call), call)
    reason = call.line("reason", LONGEST)
    if not reason:
        raise Refused("A sentence is missing.", "Say why it ends.")
    kept = await storage.objectives.close(ctx.db, one, reason, ctx.person.key, int(ctx.now.timestamp()))
    if kept is None:
        raise _overtaken(one)
    view = await handlers.cascade.view(ctx)
    loose = sum(other.parent == one.key for other in view.seen.values())
    return Reply.card(cards.objectives.closed(kept, loose))


# ---- examples ----


async def examples(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """The example cascades to pick from."""
    return Reply.card(cards.objectives.examples(storage.objectives.cascades()), update=True)


async def example(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """One of them, as mini scorecards."""
    for cascade in storage.objectives.cascades():
        if cascade.name == call.values.get("example"):
            return Reply.card(cards.objectives.example(cascade, _titles(ctx)), update=True)
    raise Refused("There is no such example.", "See them with /objectives, button Examples.")


# ---- by itself ----


async def report(ctx: Ctx, due: Due) -> None:
    """Once a month: unlinked objectives of people to their lead and nobody above, uncarried ones to leadership."""
    standing = await storage.objectives.standing(ctx.db, ctx.rules.cascade)
    here = handlers.sheets.today(ctx, ctx.rules.zone)
    everyone = {one.id: one for one in await storage.people.everyone(ctx.db, here)}
    for_leads: dict[int, list[tuple[str, Objective]]] = {}
    for one in scoring.cascade.unlinked(standing):
        person = everyone.get(int(one.subject.partition(":")[2])) if one.level == "individual" else None
        if person is None or not person.active:
            continue
        try:
            lead = await handlers.people.lead_of(ctx, person)
        except Refused:  # nobody leads them: there is nobody to whom it may be told
            continue
        for_leads.setdefault(lead.id, []).append((person.name, one))
    for lead_id, unlinked in for_leads.items():
        key = f"objectives_report:{due.day}:lead:{lead_id}"
        await handlers.outgoing.suggest(ctx, lead_id, cards.objectives.report(unlinked, ()), key)
    uncarried = scoring.cascade.uncarried(standing)
    for person in everyone.values():
        if uncarried and person.active and person.role == "leadership":
            key = f"objectives_report:{due.day}:leadership:{person.id}"
            await handlers.outgoing.suggest(ctx, person.id, cards.objectives.report((), uncarried), key)
