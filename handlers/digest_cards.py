"""From figures, plans and what weighs on them to a digest, for each audience by what it may be told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import cards.digests
import handlers.groups
import handlers.margin
import handlers.plan_owners
import handlers.sheets
import scoring.access
import scoring.calendars
import scoring.digests
import scoring.figures
import scoring.periods
import scoring.scorecards
import storage.distortions
import storage.loads
import storage.people
import storage.plans
import storage.priorities
import storage.redflags
import storage.renewals
from cards.card import Card
from cards.digests import Helped, Lasting, Told
from handlers.call import Ctx
from handlers.groups import Group
from scoring.calendars import Calendar
from scoring.people import Person, Team
from scoring.periods import Period
from scoring.plans import Plan
from scoring.refused import Refused
from scoring.rules import Entry, Rubric
from scoring.scorecards import Reading, Score

BACK = scoring.digests.ESCALATED - 1
"""Periods before this one that a digest looks at."""

LONGEST = 13
"""Weeks, this one included, after which nobody looks any further for when a red began."""

RENEWALS_AHEAD = 90
NOT_CONNECTED = "not connected"

_OUTCOMES = (("Customer experience", "csat"), ("Capacity", "utilisation"))
"""Leadership's outcomes that a metric stands for; retention and margin stand on facts of their own."""


def period_of(kind: str, day: int) -> Period:
    """What a digest that is due on a local day is about: the last whole month for "month", else the last whole week."""
    return scoring.periods.previous(scoring.periods.month(day) if kind == "month" else scoring.periods.week(day))


async def of_team(ctx: Ctx, team: Team, asked: Period, late: str = "") -> Told:
    """What a team's channel is told: sums by the rule of five, and nobody's name."""
    group = Group(team)
    told = await _told(ctx, group, asked, late)
    return replace(told, title=f"{team.name}: the {asked.kind} in short", audience="team")


async def of_lead(ctx: Ctx, team: Team, asked: Period, late: str = "") -> Told:
    """What a team's lead is told: the whole team, and who of those that `ctx.person` leads may want help."""
    told = await _told(ctx, Group(team, whole=True), asked, late)
    return replace(
        told,
        title=f"{team.name}: the {asked.kind}, for its lead",
        audience="lead",
        named=True,
        people=() if told.stale else await _helped(ctx, team, asked),
        clients=tuple(await storage.redflags.open(ctx.db)),
    )


async def of_overseen(ctx: Ctx, team: Team, asked: Period) -> Told:
    """What whoever the team's leads report to is told of it: sums by the rule of five, and who sees to its plans."""
    return replace(await _told(ctx, Group(team), asked, ""), title=team.name, audience="manager", named=True)


async def of_leadership(ctx: Ctx, asked: Period, late: str = "") -> Told:
    """What leadership is told each month: the desk, what has lasted in teams, the four outcomes, priorities."""
    told = await _told(ctx, Group(None), asked, late)
    teams = await storage.people.teams(ctx.db)
    priorities = await storage.priorities.of(ctx.db, scoring.periods.month(told.here).key)
    said = [("Priorities", priorities.words), ("Given up for it", priorities.trade_offs)] if priorities else []
    return replace(
        told,
        title=f"{ctx.rules.organisation}: the {asked.kind} for leadership",
        audience="leadership",
        named=True,
        blockers=(*told.blockers, *await _handed_up(ctx, teams, asked)),
        clients=tuple(await storage.redflags.open(ctx.db)),
        lasting=() if told.stale else await _lasting(ctx, teams),
        outcomes=await _outcomes(ctx, asked, told.here),
        priorities=tuple((label, words) for label, words in said if words),
    )


async def _handed_up(ctx: Ctx, teams: Sequence[Team], asked: Period) -> list[tuple[str, Plan]]:
    """What stands in the way of teams' plans, by due day, of the figures that may be told of everywhere."""
    known = {handlers.plan_owners.subject(team): team for team in teams}
    found = await storage.plans.blockers(ctx.db, known)
    told: list[Plan] = []
    for subject in dict.fromkeys(plan.subject for plan in found):
        metrics = await handlers.groups.told(ctx, known[subject], asked)
        plans = [plan for plan in found if plan.subject == subject and plan.metric in metrics]
        told += await handlers.plan_owners.marked(ctx, known[subject], plans)
    return [(known[plan.subject].name, plan) for plan in sorted(told, key=lambda plan: (plan.due_day, plan.id))]


async def of_desk(ctx: Ctx, asked: Period, late: str = "") -> Told:
    """What everybody may read of the month: the golden figures as gauges."""
    told = await _told(ctx, Group(None), asked, late)
    return replace(told, title=f"{ctx.rules.organisation}: the {asked.kind}", audience="organisation", gauges=True)


def card(told: Told, *, everything: bool = False) -> Card:
    return cards.digests.card(told, everything=everything)


async def _told(ctx: Ctx, group: Group, asked: Period, late: str) -> Told:
    """What all digests have in common."""
    sheet, _ = await handlers.groups.sheet(ctx, group, asked)
    before = await _before(ctx, group, sheet.score, asked)
    subject = handlers.plan_owners.subject(group.team)
    here = handlers.sheets.today(ctx, handlers.groups.zone(ctx, group))
    plans = await handlers.plan_owners.open_plans(ctx, group.team)
    if group.team is not None and not group.whole:  # a plan tells of a red that may not be told of everywhere
        told = {reading.metric for reading in sheet.score.readings if not reading.missing}
        plans = [plan for plan in plans if plan.metric in told]
    return Told(
        title="",
        period=asked,
        score=sheet.score,
        digest=scoring.digests.compose(sheet.score, before, plans),
        metrics=sheet.metrics,
        here=here,
        values=sheet.values,
        plans=tuple(plan for plan in plans if plan.due_day <= here + 7 or (group.whole and not plan.owned)),
        blockers=tuple(("", plan) for plan in plans if plan.blocker),
        distortions=tuple(await storage.distortions.in_force(ctx.db, subject, asked.first, asked.last)),
        late=late,
        stale=await _stale(ctx, group, asked, here),
        notes=sheet.notes,
        comments=await handlers.groups.comments(ctx, group, sheet.score, asked),
    )


async def _before(ctx: Ctx, group: Group, now: Score, asked: Period, most: int = BACK + 1) -> list[Score]:
    """The scores of the periods before, newest first, as far back as there are rubrics.

    More are read, up to `most`, while something has been red in all of them, to tell since when.
    """
    found: list[Score] = []
    lasting = {r.metric for r in now.readings if r.status == "red"}
    for place in range(most):
        if place >= BACK and not lasting:
            break
        asked = scoring.periods.previous(asked)
        try:
            sheet, _rubric = await handlers.groups.sheet(ctx, group, asked)
        except Refused:  # no rubric was in force yet
            break
        found.append(sheet.score)
        lasting &= {r.metric for r in sheet.score.readings if r.status == "red"}
    return found


async def _stale(ctx: Ctx, group: Group, asked: Period, here: int) -> str:
    """A sentence where the newest fact is older than the desk's patience, in working days of the group; "" else.

    A weekend without tickets makes no data old: a Monday's digest rests on Friday's. A period that was over when
    the newest fact came rests on nothing that is missing.
    """
    as_of = await storage.loads.as_of(ctx.db)
    if as_of is None:
        return "No data has been loaded yet."
    calendar = scoring.calendars.of_team(group.team) if group.team else Calendar(ctx.rules.zone)
    newest = scoring.periods.day_of(
        scoring.periods.today(datetime.fromtimestamp(as_of, UTC), handlers.groups.zone(ctx, group))
    )
    missed = sum(scoring.calendars.is_working_day(calendar, day) for day in range(newest + 1, here))
    if missed < ctx.rules.stale_days or newest > asked.last:
        return ""
    at = scoring.periods.date_of(newest)
    return f"The newest data is of {at.day} {at:%b %Y}."


async def _helped(ctx: Ctx, team: Team, asked: Period) -> tuple[Helped, ...]:
    """Members with a red whose scorecard the asker may see, by name; looking them up shows nobody's figures."""
    here = handlers.sheets.today(ctx, team.zone)
    found: list[Helped] = []
    for number in await storage.people.members(ctx.db, team.id, asked.first, asked.last):
        person = await storage.people.get(ctx.db, number, here)
        if person is None or not person.active or not _leads(ctx.person, person):
            continue
        try:
            rubric = await handlers.sheets.rubric_of(ctx, person, asked)
        except Refused:  # a role that nobody scores
            continue
        score = await handlers.sheets.compute(ctx, person, rubric, asked, here)
        reds = tuple(ctx.rules.metrics[r.metric].title for r in score.readings if r.status == "red" and not r.missing)
        if reds:
            found.append(Helped(person.id, person.name, reds))
    return tuple(sorted(found, key=lambda one: (one.name.casefold(), one.person_id)))


def _leads(asker: Person, person: Person) -> bool:
    return scoring.access.relation(asker, person) in scoring.access.MATRIX["scorecard"] and asker.id != person.id


async def _lasting(ctx: Ctx, teams: Sequence[Team]) -> tuple[Lasting, ...]:
    """What has been red in a team for three weeks or longer, of what everybody may be told of it."""
    found: list[Lasting] = []
    for team in teams:
        found += (await lasting(ctx, team, period_of("week", handlers.sheets.today(ctx, team.zone)))).values()
    return tuple(found)


async def lasting(ctx: Ctx, team: Team, week: Period) -> dict[str, Lasting]:
    """The same of one team, up to a week, by metric; nothing on old data. No red is longer than `LONGEST` weeks."""
    group = Group(team)
    if await _stale(ctx, group, week, handlers.sheets.today(ctx, team.zone)):
        return {}
    try:
        sheet, _ = await handlers.groups.sheet(ctx, group, week)
    except Refused:  # no rubric was in force yet
        return {}
    before = await _before(ctx, group, sheet.score, week, LONGEST - 1)
    plans = await storage.plans.of_subject(ctx.db, handlers.plan_owners.subject(team))
    return {
        red.reading.metric: Lasting(
            team.name, sheet.metrics[red.reading.metric].title, red.periods, bool(red.plans)
        )
        for red in scoring.digests.escalated(scoring.digests.compose(sheet.score, before, plans))
    }


async def _outcomes(ctx: Ctx, asked: Period, here: int) -> tuple[tuple[str, str], ...]:
    """Leadership's four outcomes in a line each, and where a quarter has just ended, the checkpoint."""
    said = []
    if scoring.periods.quarter(asked.last).last == asked.last:
        said.append(("Quarterly checkpoint", await _checkpoint(ctx, scoring.periods.quarter(asked.last))))
    entries = [
        Entry(name, 1 / len(_OUTCOMES), lines)
        for _, name in _OUTCOMES
        if name in ctx.rules.metrics and (lines := ctx.rules.metrics[name].lines) is not None
    ]
    rubric = Rubric("outcomes", "organisation", asked.first, tuple(entries))
    score, _ = await handlers.groups.compute(ctx, Group(None), rubric, asked)
    readings = {reading.metric: reading for reading in score.readings}
    said += [(title, _outcome(ctx, readings.get(name))) for title, name in _OUTCOMES]
    said.append(("Retention", await _retention(ctx, here)))
    said.append(("Margin", await handlers.margin.words(ctx, asked) or NOT_CONNECTED))
    return tuple(said)


async def _checkpoint(ctx: Ctx, quarter: Period) -> str:
    score = (await handlers.groups.sheet(ctx, Group(None), quarter))[0].score
    words = f"{quarter.label}: no balanced score"
    if score.balanced is not None:
        words = f"{quarter.label}: balanced score {score.balanced:.0f} of 100"
        words += f", {score.change:+.0f} on the quarter before" if score.change is not None else ""
    margin = await handlers.margin.words(ctx, quarter, basis="")
    return words + (f"; margin: {margin}" if margin else "")


def _outcome(ctx: Ctx, reading: Reading | None) -> str:
    if reading is None:
        return NOT_CONNECTED
    if reading.missing:
        return reading.missing
    metric = ctx.rules.metrics[reading.metric]
    changed = scoring.figures.change(metric, reading.change)
    words = f"{metric.title} {scoring.figures.figure(metric, reading.value)}"
    return words + (f", {changed} on the month before" if changed else "")


async def _retention(ctx: Ctx, here: int) -> str:
    if not await storage.renewals.connected(ctx.db):
        return NOT_CONNECTED
    coming = await storage.renewals.coming(ctx.db, here, here + RENEWALS_AHEAD)
    if not coming:
        return f"No contract comes up for renewal within {RENEWALS_AHEAD} days"
    flagged = {flag.client for flag in await storage.redflags.open(ctx.db)}
    at_risk = [one for one in coming if one.client in flagged]
    words = f"{_contracts(len(coming))} for renewal within {RENEWALS_AHEAD} days{_worth(coming)}"
    return words + (f"; {len(at_risk)} with a red flag{_worth(at_risk)}" if at_risk else "; none with a red flag")


def _contracts(count: int) -> str:
    return "One contract comes up" if count == 1 else f"{count} contracts come up"


def _worth(renewals: Sequence[storage.renewals.Renewal]) -> str:
    """What they are worth, currency by currency; "" where that is not known."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in renewals:
        if one.value is not None:
            sums[one.currency] += one.value
    words = " and ".join(f"{currency} {value:,.0f}".strip() for currency, value in sorted(sums.items()))
    return f", worth {words}" if words else ""
