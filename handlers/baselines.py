"""Baselines: each day what was measured long enough gets lines proposed, and a manager decides on them in the chat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cards.baselines
import cards.card
import cards.pilots
import handlers.groups
import handlers.outgoing
import handlers.pilots
import handlers.sheets
import scoring.baselines
import scoring.lines
import scoring.periods
import scoring.rubrics
import scoring.rulebook
import storage.audit
import storage.baselines
import storage.outbox
import storage.people
import storage.rules
import storage.series
from cards.baselines import Shown
from handlers.call import Call, Ctx, Reply
from handlers.groups import Group
from scoring.baselines import Proposal
from scoring.metrics import Level, Lines, Metric
from scoring.people import Person
from scoring.periods import Period
from scoring.refused import Refused
from scoring.rules import Rules
from scoring.schedules import Due
from storage.baselines import Baseline
from storage.rules import Applied


def _today(ctx: Ctx) -> int:
    return handlers.sheets.today(ctx, ctx.rules.zone)


async def _deciders(ctx: Ctx) -> list[Person]:
    """Those who are told, managers first."""
    managers = await storage.people.in_role(ctx.db, "manager", _today(ctx))
    return [*managers, *await storage.people.in_role(ctx.db, "leadership", _today(ctx))]


def _over(one: Baseline, today: int) -> bool:
    """Whether the four weeks have passed, so that somebody may decide."""
    return one.from_day + scoring.baselines.DAYS <= today


def _in_force(rules: Rules, level: Level, metric: str, day: int) -> Lines | None:
    """The lines of a metric at a level on a day; None where its rubrics differ, or none has it."""
    scopes = {scoring.rubrics.scope(one) for one in rules.rubrics if one.level == level}
    found = set()
    for scope in scopes:
        own = [one for one in rules.rubrics if scoring.rubrics.scope(one) == scope and one.from_day <= day]
        newest = max(own, key=lambda one: one.from_day, default=None)
        found |= {entry.lines for entry in (newest.entries if newest else ()) if entry.metric == metric}
    return found.pop() if len(found) == 1 else None


def _shown(ctx: Ctx, one: Baseline, versions: Sequence[tuple[int, Rules]] = ()) -> Shown:
    metric, today = ctx.rules.metrics[one.metric], _today(ctx)
    waits = [
        scoring.lines.may_tighten(scoring.lines.held(versions, scope, one.metric), metric.direction, today)
        for scope in sorted({scoring.rubrics.scope(r) for r in ctx.rules.rubrics if r.level == one.level}, key=str)
    ]
    return Shown(
        one.id, one.version, one.level, metric, one.from_day, one.until_day, one.state, one.proposal, one.lines,
        _in_force(ctx.rules, one.level, one.metric, today), one.decided_by, one.reason,
        max((day for day in waits if day is not None), default=None),
    )  # fmt: skip


async def listed(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """/redfirst lines."""
    today = _today(ctx)
    versions = await storage.rules.lately(ctx.db, ctx.now)
    some = [one for one in await storage.baselines.known(ctx.db) if one.metric in ctx.rules.metrics]
    over = [one.id for one in some if _over(one, today)]
    shown = [_shown(ctx, one, versions) for one in some]
    decides = scoring.baselines.decides(ctx.person)
    pilots = cards.pilots.listed(await handlers.pilots.shown(ctx), decides=decides)
    return Reply.card(cards.baselines.listed(shown, over, pilots, decides=decides))


# ---- a decision ----


async def _found(ctx: Ctx, call: Call) -> Baseline:
    """The one of a button or form, as it was seen there. Raises Refused where it has changed since."""
    if not scoring.baselines.decides(ctx.person):
        raise Refused("Lines are decided on by a manager or leadership.", "See what is measured with /redfirst lines.")
    one = await storage.baselines.get(ctx.db, call.number("baseline") or 0)
    if one is None or one.state == "dropped" or one.metric not in ctx.rules.metrics:
        raise Refused("That is not measured any more.", "See what is with /redfirst lines.")
    if call.values.get("version") != str(one.version):
        by = f" by {one.decided_by}" if one.decided_by and not one.waits else ""
        raise Refused(f"{ctx.rules.metrics[one.metric].title} was decided on or measured on since{by}.",
                      "Look again with /redfirst lines.")  # fmt: skip
    if not _over(one, _today(ctx)):
        raise Refused(f"It is measured until {cards.baselines.day(one.until_day)}.", "Decide on its lines after that.")
    return one


async def adopt(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """The proposed lines hold from today on."""
    one = await _found(ctx, call)
    if one.state != "proposed" or one.proposal is None:
        raise Refused("No lines are proposed.", "See what is measured with /redfirst lines.")
    return await _decided(ctx, one, "adopted", one.proposal.lines, "", update=True)


async def keep(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """The lines of the file hold from today on."""
    one = await _found(ctx, call)
    if not one.waits:
        raise Refused("That was decided on already.", "Look again with /redfirst lines.")
    return await _decided(ctx, one, "kept", None, "", update=True)


async def change(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """Asks for other lines."""
    one = await _found(ctx, call)
    shown = _shown(ctx, one)
    offered = one.proposal.lines if one.proposal and one.waits else one.lines or shown.file
    return Reply.card(cards.baselines.form(shown, offered))


async def put(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """Lines of a manager's own hold from today on."""
    one = await _found(ctx, call)
    target, red = (_number(call, name, words) for name, words in (("target", "target"), ("red", "red line")))
    lines = scoring.baselines.with_ends(ctx.rules.metrics[one.metric], target, red)
    reason = call.line("reason", cards.baselines.LONGEST)
    return await _decided(ctx, one, "adopted", lines, reason, update=False)


async def _in_force_now(ctx: Ctx) -> Applied:
    applied = await storage.rules.current(ctx.db)
    if applied is None:
        raise LookupError("the rules in force are gone")
    return applied


def _number(call: Call, name: str, words: str) -> float:
    text = call.values.get(name, "").strip().removesuffix("%").replace(",", ".").strip()
    try:
        found = float(text)
    except ValueError:
        raise Refused(f"The {words} is no number.", "Write one like 85 or 2.5.") from None
    if not abs(found) < 1e9:  # nan is no number either
        raise Refused(f"The {words} is no number.", "Write one like 85 or 2.5.")
    return found


async def measure_on(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """Four more weeks without a colour."""
    one = await _found(ctx, call)
    if one.state != "proposed":
        raise Refused("It is measured on already.", "Look again with /redfirst lines.")
    until = _today(ctx) + scoring.baselines.DAYS
    applied = await _in_force_now(ctx)
    body = scoring.baselines.prolong(applied.body, one.pair, until)
    after = replace(one, state="measuring", until_day=until, proposal=None, reason="")
    return await _keep(ctx, one, after, body, applied.version, update=True)


async def _decided(
    ctx: Ctx, one: Baseline, state: storage.baselines.State, lines: Lines | None, reason: str, *, update: bool
) -> Reply:
    """A new version of the rules with the decision. Raises Refused where they would not be right, or tightened again
    too soon."""
    today, now = _today(ctx), int(ctx.now.timestamp())
    applied = await _in_force_now(ctx)
    body = scoring.baselines.decide(applied.body, one.pair, lines, today)
    rules = scoring.rulebook.read(body, version=applied.version + 1)
    scoring.lines.check(await storage.rules.lately(ctx.db, ctx.now), rules, today)
    after = replace(one, state=state, lines=lines, reason=reason, decided_at=now)
    return await _keep(replace(ctx, rules=rules), one, after, body, applied.version, update=update)


async def _keep(
    ctx: Ctx, one: Baseline, after: Baseline, body: dict[str, object], version: int, *, update: bool
) -> Reply:
    """Puts the version in force, keeps what became of the baseline, and renews what others were asked."""
    now = int(ctx.now.timestamp())
    try:
        await storage.rules.store(ctx.db, body, ctx.person.key, ctx.now, after=version)
    except Refused as no:
        raise Refused("Somebody put other rules in force at the same moment.", "Press again.") from no
    if not await storage.baselines.change(ctx.db, one, after, ctx.person.id):
        raise Refused("Somebody decided at the same moment.", "Look again with /redfirst lines.")
    lines = cards.baselines.said(ctx.rules.metrics[one.metric], after.lines) if after.lines else ""
    told = {"level": one.level, "metric": one.metric, "state": after.state, "until": after.until_day, "lines": lines,
            "reason": after.reason}  # fmt: skip
    await storage.audit.add(ctx.db, now, ctx.person.key, f"lines {after.state}", f"baseline:{one.id}", told)
    card = cards.baselines.decided(replace(_shown(ctx, after), decided=ctx.person.name))
    for person in await _deciders(ctx):
        await storage.outbox.revise(ctx.db, _key(one, person), cards.card.to_json(card), now)
    return Reply.card(card, update=update)


def _key(one: Baseline, person: Person) -> str:
    return f"baseline:{one.id}:{one.until_day}:{person.id}"


# ---- what happens by itself ----


async def look(ctx: Ctx, due: Due) -> None:
    """Once a day: where the time is over, lines are proposed to managers and leadership; or it is measured on.

    Those who take part in a pilot are asked what they think of it.
    """
    await handlers.pilots.ask(ctx)
    today = _today(ctx)
    for one in await storage.baselines.waiting(ctx.db):
        if one.state != "measuring" or one.until_day > today or one.metric not in ctx.rules.metrics:
            continue
        proposal = await _proposal(ctx, one, today)
        if proposal is not None:
            after = replace(one, state="proposed", proposal=proposal, reason="", version=one.version + 1)
            card = cards.baselines.proposed(_shown(ctx, after))
        else:
            until = today + scoring.baselines.WEEK
            after = replace(one, until_day=until, reason="few", version=one.version + 1)
            card = cards.baselines.too_few(_shown(ctx, after))
        if await storage.baselines.change(ctx.db, one, after) and (proposal or one.reason != "few"):  # said once
            for person in await _deciders(ctx):
                await handlers.outgoing.suggest(ctx, person.id, card, _key(after, person), urgent=True)


async def _proposal(ctx: Ctx, one: Baseline, today: int) -> Proposal | None:
    metric = ctx.rules.metrics[one.metric]
    asked = scoring.periods.week(today - 7)  # the last that is over
    weeks = await (_people if one.level == "person" else _groups)(ctx, one.level, metric, asked)
    found = scoring.baselines.propose(metric, weeks, scoring.periods.monday(one.from_day))
    if found is not None and one.level == "person" and found.subjects < scoring.baselines.PEOPLE:
        return None  # what is told of them would be told of somebody
    return found


async def _people(ctx: Ctx, _level: Level, metric: Metric, asked: Period) -> list[scoring.baselines.Weeks]:
    """The weeks of everybody whose rubric has the metric."""
    found: list[scoring.baselines.Weeks] = []
    for person in await storage.people.everyone(ctx.db, _today(ctx)):
        try:
            rubric = await handlers.sheets.rubric_of(ctx, person, asked)
        except Refused:  # not in a team then, or in a role that nobody scores
            continue
        if any(entry.metric == metric.name for entry in rubric.entries):
            series = await storage.series.person_series(ctx.db, person.id, [metric], asked)
            found.append(series[metric.name].weeks)
    return found


async def _groups(ctx: Ctx, level: Level, metric: Metric, asked: Period) -> list[scoring.baselines.Weeks]:
    """What may be told of each team whose rubric has the metric, or of the desk: five people stand behind each week."""
    some = [Group(team) for team in await storage.people.teams(ctx.db)] if level == "team" else [Group(None)]
    found: list[scoring.baselines.Weeks] = []
    for group in some:
        try:
            rubric = handlers.groups.rubric_of(ctx, group, asked)
        except Refused:  # no rubric was in force
            continue
        if any(entry.metric == metric.name for entry in rubric.entries):
            series, _ = await handlers.groups.series(ctx, group, [metric], asked)
            found.append(series[metric.name].weeks)
    return found
