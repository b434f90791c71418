"""Comments on missed figures: from a red or an amber to a sentence about its cause, and back again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import cards.comments
import handlers.digests
import handlers.groups
import handlers.plan_owners
import handlers.plans
import handlers.sheets
import scoring.access
import scoring.comments
import storage.audit
import storage.comments
import storage.people
from cards.card import Card, Form
from handlers.call import Call, Ctx, Reply
from handlers.groups import Group
from scoring.comments import Comment, Voice
from scoring.people import Team
from scoring.periods import Period
from scoring.refused import Refused
from scoring.scorecards import Reading


def _asked(ctx: Ctx, call: Call, team: Team | None) -> Period:
    asked = handlers.sheets.from_key(call.values.get("period", ""), handlers.plan_owners.today(ctx, team))
    if asked.kind not in scoring.comments.KINDS:
        raise Refused("A comment is for a week or a month.", "Open the scorecard of one, and comment there.")
    return asked


def _group(ctx: Ctx, team: Team | None) -> Group:
    """The team as whoever comments sees it: whole for its lead, by the rule of five for those above."""
    return Group(team, team is not None and scoring.access.relation(ctx.person, team) == "lead")


async def _reading(ctx: Ctx, call: Call, group: Group, asked: Period) -> Reading:
    sheet, _ = await handlers.groups.sheet(ctx, group, asked)
    return handlers.sheets.one(sheet, call.values.get("metric", ""))


async def _missed(ctx: Ctx, call: Call, team: Team | None) -> tuple[Period, Reading]:
    """The red or amber that is commented on, as the asker or as everybody sees it. Raises Refused where it is none."""
    asked, mine = _asked(ctx, call, team), _group(ctx, team)
    for group in dict.fromkeys((mine, Group(team))):
        reading = await _reading(ctx, call, group, asked)
        if scoring.comments.missed(reading):
            return asked, reading
    title = handlers.plans.title(ctx, reading.metric)
    if reading.missing and not mine.whole:
        raise Refused(f"{title} is not told for that period.", "The scorecard says what is left out, and why.")
    raise Refused(
        f"{title} is neither red nor amber in {asked.label}.",
        "A comment is for a figure that missed its target: see the scorecard.",
    )


def _voice(ctx: Ctx, team: Team | None) -> Voice:
    if scoring.access.relation(ctx.person, team) == "lead":
        return "lead"
    return "leadership" if ctx.person.role == "leadership" else "manager"


async def _names(ctx: Ctx, team: Team | None, asked: Period) -> list[str]:
    """Whom a comment may not name: who is or was in the team since the period began, and its leads; of the desk
    everybody, those who have left too."""
    here = handlers.plan_owners.today(ctx, team)
    if team is None:
        return [one.name for one in await storage.people.everyone(ctx.db, here)]
    ids = await storage.people.members(ctx.db, team.id, asked.first, max(asked.last, here))
    found = await storage.people.names(ctx.db, ids)
    return sorted({*found.values(), *(one.name for one in await storage.people.leads(ctx.db, team, here))})


async def new(ctx: Ctx, call: Call, team: Team | None) -> Reply:
    """The form beside a red or an amber, filled in with what holds."""
    asked, reading = await _missed(ctx, call, team)
    return Reply.card(await _form(ctx, call, team, asked, reading))


async def _form(ctx: Ctx, call: Call, team: Team | None, asked: Period, reading: Reading) -> Form:
    held = await storage.comments.held(ctx.db, handlers.plan_owners.subject(team), reading.metric, asked.key)
    words = f"{handlers.plans.name(ctx, team)}, {asked.label}. {reading.words}"
    title = handlers.plans.title(ctx, reading.metric)
    return cards.comments.form(title, words, held, _values(call, team, reading.metric, asked))


def _values(call: Call, team: Team | None, metric: str, asked: Period) -> dict[str, str]:
    """What travels with form and buttons: whose and which figure, and whether its scorecard is renewed in place."""
    values = {"metric": metric, "period": asked.key}
    if team is not None:
        values["team"] = str(team.id)
    return values | ({"card": "1"} if call.values.get("card") == "1" else {})


async def kept(ctx: Ctx, call: Call, team: Team | None) -> Reply:
    """The form came back: from now on it is shown. What somebody has said since the form was opened is told first,
    and the form comes again with what was written."""
    asked, reading = await _missed(ctx, call, team)
    names = await _names(ctx, team, asked)
    words, cause = scoring.comments.written(call.values.get("words", ""), call.values.get("cause", ""), names)
    seen, person = call.number("version"), ctx.person
    made = Comment(
        handlers.plan_owners.subject(team), reading.metric, asked.key, words, cause, person.id, person.name,
        _voice(ctx, team), handlers.plan_owners.today(ctx, team), 0 if seen is None else seen + 1,
    )  # fmt: skip
    if not await _record(ctx, "comment made", made):
        held = await storage.comments.held(ctx.db, made.subject, made.metric, made.period)
        form = await _form(ctx, call, team, asked, reading)
        return Reply.card(cards.comments.again(form, held, made), update=True)
    title, values = handlers.plans.title(ctx, made.metric), _values(call, team, made.metric, asked)
    receipt = cards.comments.kept(handlers.plans.name(ctx, team), title, made, values)
    return await _shown(ctx, call, team, asked, receipt)


async def back(ctx: Ctx, call: Call, team: Team | None) -> Reply:
    """It is shown no more; what was said is kept."""
    asked, mine = _asked(ctx, call, team), _group(ctx, team)
    reading = await _reading(ctx, call, mine, asked)
    if not mine.whole and not scoring.comments.missed(reading):  # a comment that they are not shown is none to them
        raise _nothing()
    held = await storage.comments.held(ctx.db, handlers.plan_owners.subject(team), reading.metric, asked.key)
    if held is None or not held.words:
        raise _nothing()
    seen = call.number("version")
    gone = replace(
        held, words="", cause="", by_id=ctx.person.id, by=ctx.person.name, voice=_voice(ctx, team),
        day=handlers.plan_owners.today(ctx, team), version=0 if seen is None else seen + 1,
    )  # fmt: skip
    if not await _record(ctx, "comment taken back", gone):
        raise Refused("This comment has changed since you saw it.", "Open the scorecard again to read it.")
    title = handlers.plans.title(ctx, gone.metric)
    card = cards.comments.taken_back(handlers.plans.name(ctx, team), title, asked)
    return await _shown(ctx, call, team, asked, card, update=True)


def _nothing() -> Refused:
    return Refused("There is no comment to take back.", "Nothing was changed.")


async def _record(ctx: Ctx, act: str, made: Comment) -> bool:
    """Keeps what was made from what was seen; of simultaneous ones the first holds."""
    number = await storage.comments.record(ctx.db, made)
    if number is None:
        return False
    body: Mapping[str, object] = {
        "subject": made.subject, "metric": made.metric, "period": made.period, "words": made.words,
        "cause": made.cause, "version": made.version,
    }  # fmt: skip
    await storage.audit.add(ctx.db, int(ctx.now.timestamp()), ctx.person.key, act, f"comment:{number}", body)
    await handlers.digests.renew(ctx, made.subject)
    return True


async def _shown(
    ctx: Ctx, call: Call, team: Team | None, asked: Period, receipt: Card, *, update: bool = False
) -> Reply:
    """The scorecard that it was made on, renewed in place; elsewhere the receipt."""
    if call.values.get("card") != "1":
        return Reply.card(receipt, update=update)
    group = _group(ctx, team)
    sheet, _ = await handlers.groups.sheet(ctx, group, asked)
    return Reply.card(handlers.groups.card(await handlers.groups.planned(ctx, sheet, group), group), update=True)
