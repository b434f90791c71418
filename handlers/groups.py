"""From rollups to the card of a team or of the whole desk, by what the asker may be told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cards.plans
import cards.scorecards
import handlers.plan_owners
import handlers.scorecards
import handlers.sheets
import scoring.access
import scoring.comments
import scoring.periods
import scoring.pilots
import scoring.privacy
import scoring.rag
import scoring.scorecards
import storage.comments
import storage.loads
import storage.people
import storage.plans
import storage.series
from cards.card import Card
from cards.scorecards import Sheet
from handlers.call import Call, Ctx, Reply
from scoring.comments import Comment
from scoring.metrics import Level, Metric, Series
from scoring.people import Team
from scoring.periods import Period
from scoring.refused import Refused
from scoring.rules import Rubric
from scoring.scorecards import Score


@dataclass(frozen=True, slots=True)
class Group:
    """A team, or the desk (`team` is None). `whole`: for those who may see its people; the rule of five else."""

    team: Team | None
    whole: bool = False

    @property
    def level(self) -> Level:
        return "organisation" if self.team is None else "team"

    @property
    def subject(self) -> str:
        """The name of its closed scores: what may be told to everybody is another score than the whole."""
        if self.team is None:
            return "desk"
        return f"team:{self.team.id}" + ("" if self.whole else ":open")


def zone(ctx: Ctx, group: Group) -> str:
    """The time zone whose days a group's periods are made of."""
    return ctx.rules.zone if group.team is None else group.team.zone


def rubric_of(ctx: Ctx, group: Group, asked: Period) -> Rubric:
    """The rubric that holds for a group at the end of a period."""
    key = group.team.key if group.team else ""
    found = scoring.scorecards.choose_rubric(ctx.rules, group.level, None, None, key, asked.last)
    return scoring.pilots.joined(ctx.rules, found, key, asked)


def period(ctx: Ctx, group: Group, text: str) -> Period:
    """What somebody means by `text`; without words the newest that has something to tell them.

    That is the week that yesterday was in for those who see its people, the last whole week for others.
    """
    here = handlers.sheets.today(ctx, zone(ctx, group))
    if text.strip() or group.whole:
        return handlers.sheets.period(text, here)
    return scoring.periods.week(here - 7)


async def compute(ctx: Ctx, group: Group, rubric: Rubric, asked: Period) -> tuple[Score, str]:
    """The score from today's rollups, and the words about what is left out of it."""
    here = handlers.sheets.today(ctx, zone(ctx, group))
    found, left_out = await series(ctx, group, handlers.sheets.metrics_of(ctx, rubric), asked)
    known = await handlers.sheets.connected(ctx, found)
    readings = handlers.sheets.readings(ctx, rubric, found, asked, here, known)
    return scoring.scorecards.score(rubric, readings), left_out


async def series(
    ctx: Ctx, group: Group, metrics: Sequence[Metric], asked: Period
) -> tuple[dict[str, Series], str]:
    """What may be told of a group's metrics, by name, and the words about what is left out of it."""
    here = handlers.sheets.today(ctx, zone(ctx, group))
    if group.team is not None and group.whole:
        upto = scoring.periods.so_far(asked, here)
        return await storage.series.team_series(ctx.db, group.team.id, metrics, upto, here), ""
    teams = [group.team] if group.team else await storage.people.teams(ctx.db)
    return await _published(ctx, teams, metrics, asked, here)


async def _published(
    ctx: Ctx, teams: Sequence[Team], metrics: Sequence[Metric], asked: Period, here: int
) -> tuple[dict[str, Series], str]:
    """What everybody may be told: whole weeks that are over, with five people behind each team's."""
    in_progress = asked.last >= here
    over = scoring.periods.so_far(asked, here - 7)  # a level is that of the last week that is over
    asked = over if over.last > asked.first else asked
    first, last = scoring.privacy.weeks_needed(asked)
    cells = await storage.series.team_cells(ctx.db, [team.id for team in teams], metrics, first, last)
    agreed = {team.id for team in teams if team.agreed_small}
    found: dict[str, Series] = {}
    said: set[str] = set()
    for metric in metrics:
        stock = scoring.rag.is_stock(metric)
        found[metric.name], words = scoring.privacy.series(
            cells[metric.name], asked, agreed=agreed, stock=stock, over_before=here
        )
        said.add(words.removesuffix(scoring.privacy.IN_PROGRESS).strip())
    words = max(said, key=len, default="")
    return found, f"{words} {scoring.privacy.IN_PROGRESS}".strip() if in_progress else words


def _made_of(asked: Period) -> str:
    """Which days a month or quarter is made of where only whole weeks may be told; "" where it is made of weeks."""
    weeks = scoring.periods.weeks_of(asked)
    first, last = weeks[0], weeks[-1] + 6
    if (first, last) == (asked.first, asked.last):
        return ""
    return f"Counted in whole weeks: {scoring.periods.span(first, last)}."


async def sheet(ctx: Ctx, group: Group, asked: Period, *, greens: bool = False) -> tuple[Sheet, Rubric]:
    """A group's sheet and its rubric: as it was closed where the period has been closed, computed otherwise."""
    here = handlers.sheets.today(ctx, zone(ctx, group))
    kept = None
    if asked.last < here:
        kept = await handlers.sheets.closed(ctx, group.subject, group.level, asked)
    if kept:
        frozen, rules, rubric = kept
        ctx, score, last_note = replace(ctx, rules=rules), frozen.score, handlers.sheets.closed_words(frozen)
    else:
        rubric = rubric_of(ctx, group, asked)
        score, last_note = await compute(ctx, group, rubric, asked)
    metrics = handlers.sheets.metrics_of(ctx, rubric)
    small_print = handlers.sheets.notes(ctx, await storage.loads.as_of(ctx.db), score, metrics, asked)
    scopes = {f"team:{group.team.id}"} if group.team else None
    small_print += await handlers.sheets.distorted(ctx, scopes, asked, metrics)
    small_print.append("" if group.whole else _made_of(asked))
    after = scoring.periods.next(asked)
    made = Sheet(
        title=f"Team scorecard · {group.team.name}" if group.team else f"The desk · {ctx.rules.organisation}",
        period=asked,
        score=score,
        metrics=ctx.rules.metrics,
        level=group.level,
        values={"team": str(group.team.id)} if group.team else {},
        notes=tuple(note for note in (*small_print, last_note) if note),
        greens=greens,
        newest=asked.last >= here if group.whole else after.first + 7 > here,
        mine=False,
    )
    return made, rubric


async def told(ctx: Ctx, team: Team, asked: Period) -> set[str]:
    """The metrics of a team of which everybody may be told in a period; none where no rubric was in force."""
    try:
        found, _ = await sheet(ctx, Group(team), asked)
    except Refused:
        return set()
    return {reading.metric for reading in found.score.readings if not reading.missing}


async def planned(ctx: Ctx, sheet: Sheet, group: Group) -> Sheet:
    """The sheet with comments and the plan under each red, and the way to add them for those who may.

    A team's plans are its own business: those of the desk are shown to leadership alone.
    """
    sheet = await _commented(ctx, sheet, group)
    act = "keep_team_plan" if group.team else "keep_desk_plan"
    keeps = scoring.access.relation(ctx.person, group.team) in scoring.access.MATRIX[act]
    if group.team is None and not keeps:
        return sheet
    here = handlers.sheets.today(ctx, zone(ctx, group))
    reds = {reading.metric for reading in sheet.score.readings if reading.status == "red"}
    open_ones = [
        plan
        for plan in await storage.plans.of_subject(ctx.db, handlers.plan_owners.subject(group.team))
        if plan.metric in reds and scoring.periods.from_key(plan.period).first <= sheet.period.last
    ]
    marked = await handlers.plan_owners.marked(ctx, group.team, open_ones)
    lines = {plan.metric: cards.plans.line(plan, here) for plan in marked}
    return replace(sheet, plans=lines, plannable=keeps)


async def comments(ctx: Ctx, group: Group, score: Score, asked: Period) -> Mapping[str, tuple[Comment, ...]]:
    """What is said of each red and amber that a score of the group tells of, by metric."""
    if not any(map(scoring.comments.missed, score.readings)):
        return {}
    subject = handlers.plan_owners.subject(group.team)
    found = await storage.comments.of(ctx.db, subject, scoring.comments.told_in(asked))
    return scoring.comments.shown(found, score, asked)


async def _commented(ctx: Ctx, sheet: Sheet, group: Group) -> Sheet:
    may = scoring.access.relation(ctx.person, group.team) in scoring.access.MATRIX["comment"]
    found = await comments(ctx, group, sheet.score, sheet.period)
    return replace(sheet, comments=found, commentable=may and sheet.period.kind in scoring.comments.KINDS)


def card(sheet: Sheet, group: Group) -> Card:
    """The card of a group's sheet, with the way to its people for those who may see them."""
    return cards.scorecards.team(sheet) if group.team and group.whole else cards.scorecards.card(sheet)


async def asked_for(ctx: Ctx, group: Group, text: str) -> Reply:
    """The scorecard of what somebody typed."""
    found, _ = await sheet(ctx, group, period(ctx, group, text))
    return Reply.card(card(await planned(ctx, found, group), group))


async def _pressed(ctx: Ctx, call: Call, group: Group) -> tuple[Sheet, Rubric]:
    key = call.values.get("period", "")
    here = handlers.sheets.today(ctx, zone(ctx, group))
    asked = handlers.sheets.from_key(key, here) if key else period(ctx, group, "")
    return await sheet(ctx, group, asked, greens=call.values.get("greens") == "1")


async def score(ctx: Ctx, call: Call, group: Group) -> Reply:
    """Another period, or the greens unfolded, in place of the card whose button was pressed."""
    found, _ = await _pressed(ctx, call, group)
    return Reply.card(card(await planned(ctx, found, group), group), update=True)


async def why(ctx: Ctx, call: Call, group: Group) -> Reply:
    """How one figure of a group came about; without a metric, how the balanced score did."""
    found, rubric = await _pressed(ctx, call, group)
    if not call.values.get("metric"):
        return Reply.card(cards.scorecards.balance(found), update=True)
    reading = handlers.sheets.one(found, call.values.get("metric", ""))
    return handlers.scorecards.explained(ctx, found, rubric, reading, update=True)


async def trend(ctx: Ctx, call: Call, group: Group) -> Reply:
    """Thirteen weeks of one figure of a group."""
    found, _ = await _pressed(ctx, call, group)
    reading = handlers.sheets.one(found, call.values.get("metric", ""))
    return handlers.scorecards.pictured(found, reading, update=True)
