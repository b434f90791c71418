"""From objectives to the tree as somebody may see it: which are open to them, and where each stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import handlers.groups
import handlers.sheets
import scoring.access
import scoring.cascade
import scoring.figures
import scoring.periods
import scoring.privacy
import storage.objectives
import storage.people
from cards.objectives import Line
from handlers.call import Ctx
from handlers.groups import Group
from scoring.cascade import Standing
from scoring.metrics import Lines, Metric
from scoring.objectives import Objective
from scoring.people import Person, Team
from scoring.periods import Period
from scoring.rag import Status
from scoring.refused import Refused
from scoring.rules import Entry, Rubric
from scoring.scorecards import Reading

_ORDER: dict[Status, int] = {"red": 0, "amber": 1, "none": 2, "green": 3}


@dataclass(frozen=True, slots=True)
class View:
    """The cascade as one person may see it.

    `every` are all open objectives; `seen` those whose words are open to the asker; `standings` those whose status
    is; `figures` tell readings in words; `whom` are the names of subjects; `hidden` counts the people whose own
    objectives support one and are not open to the asker, where there are five or more.
    """

    every: tuple[Objective, ...]
    seen: Mapping[str, Objective]
    children: Mapping[str, tuple[Objective, ...]]
    standings: Mapping[str, Standing]
    figures: Mapping[str, str]
    whom: Mapping[str, str]
    hidden: Mapping[str, int]
    label: str

    def line(self, one: Objective) -> Line:
        return Line(
            one, self.whom.get(one.subject, "somebody"), self.standings.get(one.key), self.figures.get(one.key, ""),
            len(self.children.get(one.key, ())), self.hidden.get(one.key, 0),
        )  # fmt: skip

    def under(self, key: str) -> list[Line]:
        """The lines directly below an objective ("" is the top), reds first, then as they were added."""
        lines = [self.line(one) for one in self.children.get(key, ())]
        return sorted(lines, key=lambda line: _ORDER[line.standing.worst if line.standing else "none"])


async def view(ctx: Ctx) -> View:
    """The cascade as the asker may see it, with statuses of the last whole week from what is open to them.

    An individual objective is open to the person and their lead. A team's status is open to whom its scorecard is;
    the words of its objectives to everybody. What is rolled up is made of nothing else.
    """
    every = tuple(await storage.objectives.standing(ctx.db, ctx.rules.cascade))
    teams = {f"team:{team.id}": team for team in await storage.people.teams(ctx.db)}
    people = await _people(ctx, every)
    seen = {one.key: one for one in every if one.level != "individual" or _open(ctx, people.get(one.subject))}
    told: dict[str, Group | Person] = {"desk": Group(None), "teams": Group(None)}
    for subject, team in teams.items():
        standing = scoring.access.relation(ctx.person, team)
        if standing in scoring.access.MATRIX["team_scorecard"]:
            told[subject] = Group(team, standing == "lead")
    told |= {subject: person for subject, person in people.items() if _open(ctx, person)}
    own, figures = await _readings(ctx, [one for one in seen.values() if one.subject in told], told)
    # a lead sees what lies under a team's objective; what nobody may roll up for the asker is left out of it
    visible = [one for one in seen.values() if one.subject in told]
    standings = scoring.cascade.roll_up(_hung(visible, seen), own)
    names = {subject: team.name for subject, team in teams.items()}
    names |= {subject: person.name for subject, person in people.items() if _open(ctx, person)}
    names |= {"desk": ctx.rules.organisation, "teams": "every team"}
    return View(
        every, seen, scoring.cascade.below(seen.values()), standings, figures, names,
        _hidden(every, seen), _week(ctx, ctx.rules.zone).label,
    )  # fmt: skip


def _hung(visible: Sequence[Objective], seen: Mapping[str, Objective]) -> list[Objective]:
    """The objectives whose status is open, each hung on the nearest one above whose status is open too."""
    kept = {one.key for one in visible}
    found = []
    for one in visible:
        parent, passed = one.parent, {one.key}
        while parent in seen and parent not in kept and parent not in passed:
            passed.add(parent)
            parent = seen[parent].parent
        found.append(replace(one, parent=parent))
    return found


async def _people(ctx: Ctx, every: Sequence[Objective]) -> dict[str, Person]:
    """Whose objectives there are, by subject."""
    subjects = {one.subject for one in every if one.level == "individual"}
    if not subjects:
        return {}
    everyone = await storage.people.everyone(ctx.db, handlers.sheets.today(ctx, ctx.rules.zone))
    return {f"person:{one.id}": one for one in everyone if f"person:{one.id}" in subjects}


def _open(ctx: Ctx, person: Person | None) -> bool:
    """Whether the objectives of a person are open to the asker."""
    if person is None:
        return False
    return scoring.access.relation(ctx.person, person) in scoring.access.MATRIX["individual_objective"]


def _hidden(every: Sequence[Objective], seen: Mapping[str, Objective]) -> dict[str, int]:
    behind: dict[str, set[str]] = defaultdict(set)
    for one in every:
        if one.key not in seen and one.parent:
            behind[one.parent].add(one.subject)
    return {key: len(some) for key, some in behind.items() if len(some) >= scoring.privacy.MINIMUM}


def _week(ctx: Ctx, zone: str) -> Period:
    """The last week that is over, the newest that everybody may be told of."""
    return scoring.periods.week(scoring.periods.monday(handlers.sheets.today(ctx, zone)) - 1)


# ---- readings ----


async def _readings(
    ctx: Ctx, objectives: Sequence[Objective], told: Mapping[str, Group | Person]
) -> tuple[dict[str, Status], dict[str, str]]:
    """Key → status of its own metrics, and the figure in words; from the readings of the level it stands on."""
    by_subject: dict[str, list[Objective]] = defaultdict(list)
    for one in objectives:
        if one.metrics:
            by_subject[one.subject].append(one)
    statuses: dict[str, Status] = {}
    figures: dict[str, str] = {}
    for subject, some in by_subject.items():
        found = await _of_subject(ctx, told[subject], some)
        for one in some:
            readings = [found[one.key, name] for name in one.metrics if (one.key, name) in found]
            statuses[one.key] = scoring.cascade.worst(reading.status for reading in readings)
            figures[one.key] = " ".join(_told(ctx.rules.metrics[reading.metric], reading) for reading in readings[:6])
    return statuses, figures


def _told(metric: Metric, reading: Reading) -> str:
    if reading.value is None:
        return f"{metric.title}: {reading.missing}."
    value = scoring.figures.figure(metric, reading.value)
    if reading.measuring:
        return f"{metric.title}: {value}, {reading.measuring}."
    return f"{metric.title}: {value}, target {scoring.figures.line(metric, reading.lines.target)}."


async def _of_subject(
    ctx: Ctx, subject: Group | Person, objectives: Sequence[Objective]
) -> dict[tuple[str, str], Reading]:
    """(key of the objective, metric) → reading. The same metric with other lines takes a round of its own."""
    zone = subject.zone if isinstance(subject, Person) else handlers.groups.zone(ctx, subject)
    asked = _week(ctx, zone)
    rubric = await _rubric(ctx, subject, asked)
    rounds: list[dict[str, Lines]] = []
    placed: dict[tuple[str, str], int] = {}
    for one in objectives:
        for name in one.metrics:
            metric = ctx.rules.metrics.get(name)
            lines = None if metric is None else scoring.cascade.lines_of(one, metric, rubric)
            if lines is None:
                continue
            number = next((n for n, r in enumerate(rounds) if r.get(name, lines) == lines), len(rounds))
            if number == len(rounds):
                rounds.append({})
            rounds[number][name] = lines
            placed[one.key, name] = number
    scores = []
    for lines_by in rounds:
        entries = tuple(Entry(name, 1 / len(lines_by), lines) for name, lines in lines_by.items())
        level = "person" if isinstance(subject, Person) else subject.level
        made = Rubric("objectives", level, 0, entries)
        if isinstance(subject, Person):
            score = await handlers.sheets.compute(ctx, subject, made, asked, handlers.sheets.today(ctx, zone))
        else:
            score, _ = await handlers.groups.compute(ctx, subject, made, asked)
        scores.append({reading.metric: reading for reading in score.readings})
    return {(key, name): scores[number][name] for (key, name), number in placed.items()}


async def _rubric(ctx: Ctx, subject: Group | Person, asked: Period) -> Rubric | None:
    try:
        if isinstance(subject, Person):
            return await handlers.sheets.rubric_of(ctx, subject, asked)
        return handlers.groups.rubric_of(ctx, subject, asked)
    except Refused:  # a role that nobody scores may still have an objective with lines of its own
        return None


async def subject(ctx: Ctx, named: str) -> Person | Team | None:
    """The person or team of "person:7", "team:2"; None is the desk. Raises Refused for one that is gone."""
    kind, _, number = named.partition(":")
    found: Person | Team | None = None
    if named == "desk":
        return None
    if number.isascii() and number.isdecimal() and len(number) < 10:
        if kind == "team":
            found = await storage.people.team(ctx.db, int(number))
        elif kind == "person":
            found = await storage.people.get(ctx.db, int(number), handlers.sheets.today(ctx, ctx.person.zone))
    if found is None:
        raise Refused("I do not know for whom that is.", "Choose one of those offered.")
    return found
