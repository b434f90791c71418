"""From rollups to the sheet of a team or of the whole desk, by what the asker may be told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import handlers.sheets
import scoring.privacy
import scoring.rag
import scoring.scorecards
import storage.loads
import storage.people
import storage.series
from cards.scorecards import Sheet
from handlers.call import Ctx
from scoring.metrics import Level, Metric, Series
from scoring.people import Team
from scoring.periods import Period
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
    return scoring.scorecards.choose_rubric(ctx.rules, group.level, None, None, key, asked.last)


async def compute(ctx: Ctx, group: Group, rubric: Rubric, asked: Period) -> tuple[Score, str]:
    """The score from today's rollups, and the words about what is left out of it."""
    here = handlers.sheets.today(ctx, zone(ctx, group))
    metrics = handlers.sheets.metrics_of(ctx, rubric)
    left_out = ""
    if group.team is not None and group.whole:
        found = await storage.series.team_series(ctx.db, group.team.id, metrics, asked)
    else:
        teams = [group.team] if group.team else await storage.people.teams(ctx.db)
        found, left_out = await _published(ctx, teams, metrics, asked, here)
    known = await handlers.sheets.connected(ctx, found)
    readings = handlers.sheets.readings(ctx, rubric, found, asked, here, known)
    return scoring.scorecards.score(rubric, readings), left_out


async def _published(
    ctx: Ctx, teams: Sequence[Team], metrics: Sequence[Metric], asked: Period, here: int
) -> tuple[dict[str, Series], str]:
    """What everybody may be told: whole weeks that are over, with five people behind each team's."""
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
        said.add(words)
    return found, max(said, key=len, default="")


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
    made = Sheet(
        title=f"Team scorecard · {group.team.name}" if group.team else f"The desk · {ctx.rules.organisation}",
        period=asked,
        score=score,
        metrics=ctx.rules.metrics,
        level=group.level,
        values={"team": str(group.team.id)} if group.team else {},
        notes=tuple(note for note in (*small_print, last_note) if note),
        greens=greens,
        newest=asked.last >= here,
        mine=False,
    )
    return made, rubric
