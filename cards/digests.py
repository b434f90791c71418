"""How a digest looks: the reds with the plan for each, then ambers, greens only counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import cards.comments
import cards.plans
import cards.redflags
import cards.scorecards
import cards.text
import scoring.digests
import scoring.figures
import scoring.periods
from cards.card import (
    BESIDE,
    Badge,
    Block,
    Button,
    Buttons,
    Card,
    Divider,
    Field,
    Fields,
    Gauge,
    Heading,
    Point,
    Rule,
    Status,
    Trend,
)
from cards.card import Text as Words
from scoring.comments import Comment
from scoring.digests import Digest, Red
from scoring.distortions import Distortion
from scoring.metrics import Metric
from scoring.periods import Period
from scoring.plans import Plan
from scoring.redflags import RedFlag
from scoring.scorecards import Reading, Score

REDS, AMBERS, LINES = 5, 8, 5
"""How many of each a digest shows; the rest is behind a button."""

LONGEST = 240
"""Characters of what people wrote that a digest repeats."""

_TURNED = {("red", "amber"): "red → amber", ("red", "green"): "red → green", ("amber", "green"): "amber → green"}


@dataclass(frozen=True, slots=True)
class Helped:
    """Somebody whom their lead may want to help: the metrics that are red for them, never in an order of merit."""

    person_id: int
    name: str
    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lasting:
    """A team's figure that has been red for so many weeks that the next level is told."""

    team: str
    metric: str
    weeks: int
    planned: bool


@dataclass(frozen=True, slots=True)
class Told:
    """Everything one digest says. `values` say whose figures they are (team, or none for the desk).

    `named`: whether names of plan owners may be told where it is read. `here` is the local day it is made on. `late`
    and `stale` are sentences, empty where it is neither.
    """

    title: str
    period: Period
    score: Score
    digest: Digest
    metrics: Mapping[str, Metric]
    here: int
    values: Mapping[str, str] = field(default_factory=dict)
    audience: str = "team"
    named: bool = False
    plans: tuple[Plan, ...] = ()
    blockers: tuple[tuple[str, Plan], ...] = ()  # (whose: a team's name, or "" for one's own, plan)
    distortions: tuple[Distortion, ...] = ()
    people: tuple[Helped, ...] = ()
    clients: tuple[RedFlag, ...] = ()
    lasting: tuple[Lasting, ...] = ()
    outcomes: tuple[tuple[str, str], ...] = ()
    priorities: tuple[tuple[str, str], ...] = ()
    gauges: bool = False
    late: str = ""
    stale: str = ""
    notes: tuple[str, ...] = ()
    comments: Mapping[str, tuple[Comment, ...]] = field(default_factory=dict)

    @property
    def more(self) -> str:
        return "digest_more" if "team" in self.values else "desk_digest_more"

    @property
    def _prefix(self) -> str:
        return "team_" if "team" in self.values else "desk_"


def card(told: Told, *, everything: bool = False) -> Card:
    """The digest. `everything` shows what is otherwise behind the button "More"."""
    digest = told.digest
    most = (100, 100, 100) if everything else (REDS, AMBERS, LINES)
    blocks: list[Block] = [Words(told.period.label + (f" · {told.late}" if told.late else ""), "muted")]
    if told.stale:
        blocks.append(Words(f"{told.stale} No colours until newer data is in.", "strong"))
    blocks.append(Words(_counts(told), "strong"))
    if told.gauges:
        blocks += _gauges(told)
    blocks += _reds(told, digest.reds[: most[0]])
    blocks += picture(told)
    blocks += _ambers(told, digest.ambers[: most[1]])
    blocks += _better(told)
    blocks += section("Red for three weeks or longer", map(_lasting, told.lasting[: most[2]]))
    blocks += _pairs("Where the objectives stand", told.outcomes)
    blocks += _pairs("This month", told.priorities)
    blocks += section("Plans", (planned(told, plan) for plan in told.plans[: most[2]]))
    blocks += section("To be taken out of the way", (_blocker(told, *one) for one in told.blockers[: most[2]]))
    blocks += section("Figures are adjusted for", map(distortion, told.distortions[: most[2]]))
    blocks += _people(told, told.people[: most[2] * 2])
    clients = (short(cards.redflags.line(one, told.here)) for one in told.clients[: most[2]])
    blocks += section("Clients to speak with", clients)
    blocks += [Words("\n".join(told.notes), "muted")] if told.notes else []
    buttons = [Button("All figures", told._prefix + "score", {**told.values, "period": told.period.key, **BESIDE})]
    if told.audience == "leadership":
        buttons.append(Button("Priorities", "priorities"))
    if told.clients:
        buttons.append(Button("Clients", "client_list", {**BESIDE}))
    if not everything and _cut(told):
        values = {**told.values, "period": told.period.key}
        buttons.insert(0, Button("More", told.more, values))
    blocks.append(Buttons(tuple(buttons)))
    return Card(told.title, tuple(blocks), f"{told.title}, {told.period.label}: {_summary(told)}", _worst(told))


def lasting(team: str, period: Period, found: Sequence[Lasting], values: Mapping[str, str]) -> Card:
    """For the next level up: what has been red for three weeks, and whether there is a plan."""
    lines = [f"{one.metric}: {'a path to green is there' if one.planned else 'no path to green yet'}" for one in found]
    named = ", ".join(one.metric for one in found)
    return Card(
        f"{team}: red for {found[0].weeks} weeks",
        (
            Words(period.label, "muted"),
            *(Badge("red", line) for line in lines),
            Words("Ask the lead what you can take out of the way.", "strong"),
            Buttons((Button("The team's figures", "team_score", {**values, "period": period.key, **BESIDE}),)),
        ),
        summary=f"{team}, red for {found[0].weeks} weeks in a row: {named}.",
        status="red",
    )


def _cut(told: Told) -> bool:
    lengths = (len(told.plans), len(told.blockers), len(told.distortions), len(told.clients), len(told.lasting))
    digest = told.digest
    return (
        len(digest.reds) > REDS
        or len(digest.ambers) > AMBERS
        or len(told.people) > 2 * LINES
        or max(lengths) > LINES
    )


def _worst(told: Told) -> Status:
    if told.stale:
        return "none"
    return "red" if told.digest.reds else "amber" if told.digest.ambers else "green" if told.digest.greens else "none"


def _counts(told: Told) -> str:
    digest = told.digest
    if told.stale:
        off = len(digest.reds) + len(digest.ambers)
        return f"{'One figure was' if off == 1 else f'{off} figures were'} off target in the data there is."
    if not (digest.reds or digest.ambers or digest.greens):
        return "Nothing can be coloured yet: there are too few observations."
    if digest.quiet:
        return f"Nothing red, nothing amber: {len(digest.greens)} on target."
    return f"{len(digest.reds)} red, {len(digest.ambers)} amber, {len(digest.greens)} on target."


def _summary(told: Told) -> str:
    reds = ", ".join(figure(told, red.reading) for red in told.digest.reds[:REDS])
    return told.stale or (_counts(told) + (f" Red: {reds}." if reds else ""))


def figure(told: Told, reading: Reading) -> str:
    """A metric with its value, e.g. "CSAT 61 %"."""
    metric = told.metrics[reading.metric]
    return f"{metric.title} {scoring.figures.figure(metric, reading.value)}"


def _gauges(told: Told) -> list[Block]:
    """The balanced score and each figure as a gauge from its worst to its best."""
    shown: list[Block] = []
    if told.score.balanced is not None:
        words = f"{told.score.balanced:.0f} of 100"
        shown.append(Gauge("Balanced score", told.score.balanced, 0.0, 100.0, words))
    for reading in told.score.readings:
        if reading.score is None:
            continue
        metric = told.metrics[reading.metric]
        target = scoring.figures.line(metric, reading.lines.target)
        words = f"{scoring.figures.figure(metric, reading.value)}, target {target}"
        status: Status = "none" if told.stale else reading.status
        shown.append(Gauge(metric.title, 100 * reading.score, 0.0, 100.0, words, status))
    return shown


def _reds(told: Told, reds: Sequence[Red]) -> list[Block]:
    blocks: list[Block] = []
    for red in reds:
        reading = red.reading
        if told.stale:
            blocks.append(Words(f"{figure(told, reading)}, {_target(told, reading)}"))
            continue
        blocks += [Divider(), Badge("red", ("New: " if red.new else "") + figure(told, reading))]
        paths = [f"Path to green: {promise(told, plan)}" for plan in red.plans[:2]] or ["No path to green yet."]
        blocks.append(Words("\n".join((_evidence(told, red), *said_of(told, reading), *paths))))
        buttons = _comment(told, reading)
        if not red.plans:
            buttons.insert(0, _add(told, reading))
        blocks += [Buttons(tuple(buttons))] if buttons else []
    return blocks


def said_of(told: Told, reading: Reading, *, named: bool | None = None) -> list[str]:
    """The comments on a figure, a line each."""
    found = told.comments.get(reading.metric, ())
    return [cards.comments.line(one, told.period, named=told.named if named is None else named) for one in found]


def _comment(told: Told, reading: Reading, title: str = "") -> list[Button]:
    """The way to comment, for those of whose figures it is; `title` where it does not stand beside the figure."""
    if told.audience not in ("lead", "leadership"):
        return []
    values = {**told.values, "metric": reading.metric, "period": told.period.key}
    return [cards.comments.button(told.comments.get(reading.metric, ()), told.period, values, title)]


def _add(told: Told, reading: Reading) -> Button:
    values = {**told.values, "metric": reading.metric, "period": told.period.key}
    return Button("Add the plan", "plan_new", values, style="primary")


def _evidence(told: Told, red: Red) -> str:
    metric, reading = told.metrics[red.reading.metric], red.reading
    words = f"Target {scoring.figures.line(metric, reading.lines.target)}. "
    words += f"{cards.text.capital(reading.words)}."
    return f"{words} {since(told, red)}".rstrip()


def since(told: Told, red: Red) -> str:
    """For how long it has been red, as far as a digest looks back; "" where it is red for the first time."""
    longer = " or longer" if red.periods > scoring.digests.ESCALATED else ""
    return f"Red for {red.periods} {_periods(told, red.periods)} in a row{longer}." if red.periods > 1 else ""


def _periods(told: Told, count: int) -> str:
    noun = told.period.kind if told.period.kind in ("week", "month", "quarter") else "period"
    return noun if count == 1 else f"{noun}s"


def picture(told: Told) -> list[Block]:
    """One picture a digest: thirteen weeks of the first red, else of the first amber."""
    first = [red.reading for red in told.digest.reds[:1]] or list(told.digest.ambers[:1])
    if told.stale or not first or len([v for _, v in first[0].weeks if v is not None]) < 2:
        return []
    reading = first[0]
    metric = told.metrics[reading.metric]
    points = tuple(Point(cards.scorecards.week(day), value) for day, value in reading.weeks)
    words = cards.scorecards.thirteen(metric, reading)
    lines = (Rule("Target", reading.lines.target), Rule("Red line", reading.lines.red))
    return [Trend(f"{metric.title} by week", points, metric.unit, words, lines)]


def _ambers(told: Told, ambers: Sequence[Reading]) -> list[Block]:
    if not ambers:
        return []
    lines = [f"{figure(told, one)}, {_target(told, one)}{_nonetheless(told, one)}" for one in ambers]
    if told.stale:
        return [Words(line) for line in lines]
    blocks: list[Block] = [Divider(), Words("Being watched", "strong")]
    for one, line in zip(ambers, lines, strict=True):
        blocks += [Badge("amber", line), *map(Words, said_of(told, one))]
    buttons = [button for one in ambers for button in _comment(told, one, told.metrics[one.metric].title)]
    return [*blocks, Buttons(tuple(buttons))] if buttons else blocks


def _nonetheless(told: Told, reading: Reading) -> str:
    """Why a figure is amber that reached its target this time: it is the weeks together that count."""
    if reading.value is None or told.stale:
        return ""
    up = told.metrics[reading.metric].direction == "up"
    reached = reading.value >= reading.lines.target if up else reading.value <= reading.lines.target
    return f"; {reading.words}" if reached else ""


def _target(told: Told, reading: Reading) -> str:
    return f"target {scoring.figures.line(told.metrics[reading.metric], reading.lines.target)}"


def _better(told: Told) -> list[Block]:
    if told.stale or not told.digest.better:
        return []
    turned = ", ".join(
        f"{figure(told, one.reading)} ({_TURNED[one.was, one.reading.status]})" for one in told.digest.better
    )
    return [Divider(), Words(f"Better than the {told.period.kind} before: {turned}.")]


def section(title: str, lines: Iterable[str]) -> list[Block]:
    """Lines under a heading; nothing where there are none. They are one block: a message has room for fifty."""
    said = [" ".join(line.split()) for line in lines]
    listed = said if len(said) < 2 else [f"• {line}" for line in said]
    return [Heading(title), Words("\n".join(listed))] if said else []


def _pairs(title: str, pairs: Sequence[tuple[str, str]]) -> list[Block]:
    return [Heading(title), Fields(tuple(Field(label, words) for label, words in pairs))] if pairs else []


def planned(told: Told, plan: Plan) -> str:
    """A plan in a line, with what it is about."""
    metric = told.metrics.get(plan.metric)
    return f"{f'{metric.title}: ' if metric else ''}{promise(told, plan)}"


def promise(told: Told, plan: Plan) -> str:
    """The same where it stands under its red."""
    return short(cards.plans.line(plan, told.here, owner=told.named).removeprefix("Plan: "))


def _blocker(told: Told, whose: str, plan: Plan) -> str:
    owner = f" ({cards.plans.owner(plan)})" if told.named else ""
    return f"{f'{whose}: ' if whose else ''}{short(plan.blocker)}{owner}"


def _lasting(one: Lasting) -> str:
    plan = "with a path to green" if one.planned else "without a path to green"
    return f"{one.team}: {one.metric}, {one.weeks} weeks in a row, {plan}"


def distortion(one: Distortion) -> str:
    """What figures are adjusted for, when, and how, in a line."""
    effect = "left out" if one.weight == 0 else f"counted {one.weight / 10:g} %"
    first, last = (scoring.periods.day_month(day) for day in (one.first_day, one.last_day))
    return f"{short(one.words)}, {first} to {last}: {effect}"


def _people(told: Told, people: Sequence[Helped]) -> list[Block]:
    """Names in the order of the alphabet, each with the way to the scorecard, which notes that it was looked at."""
    if not people:
        return []
    blocks = section("Who could use your help", (f"{one.name}: {', '.join(one.metrics)}" for one in people))
    values = {"period": told.period.key, **BESIDE}
    shown = [Button(one.name, "score", {**values, "person": str(one.person_id)}) for one in people]
    return [*blocks, Words("For your eyes only. Ask what would help before you tell.", "muted"), Buttons(tuple(shown))]


def short(words: str) -> str:
    """What people wrote, in a line that a digest has room for."""
    plain = " ".join(words.split())
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"
