"""How a scorecard looks: reds first with the reason and what helps, ambers, greens as a count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import cards.comments
import cards.text
import scoring.figures
import scoring.periods
from cards.card import (
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
    Table,
    Text,
    Trend,
)
from scoring.comments import Comment
from scoring.metrics import Level, Metric
from scoring.periods import Period
from scoring.scorecards import Explanation, Reading, Score

FULL = 12
"""Readings of a person that one message has room to tell in full. Of the others it tells the figure and the way to
all else; the more of those there are, the less room is left."""

@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything a scorecard card says, and to whom its buttons refer.

    `values` travel with each button (who or which team); `routes` are the names of the routes for
    this kind of subject. `notes` are the small print: data age, what is provisional, what is left out.
    `plans`: the path to green of a metric in a line; `plannable`: whoever sees the sheet may add one to a red.
    `comments`: what is said of a red or an amber; `commentable`: whoever sees the sheet may say it.
    `focus`: the one or two things to do differently, by metric.
    """

    title: str
    period: Period
    score: Score
    metrics: Mapping[str, Metric]
    level: Level
    values: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    greens: bool = False
    newest: bool = False
    mine: bool = True
    plans: Mapping[str, str] = field(default_factory=dict)
    plannable: bool = False
    comments: Mapping[str, tuple[Comment, ...]] = field(default_factory=dict)
    commentable: bool = False
    focus: Mapping[str, str] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        return {"person": "", "team": "team_", "organisation": "desk_"}[self.level]


def _go(sheet: Sheet, text: str, route: str, **values: str) -> Button:
    return Button(text, sheet.prefix + route, {**sheet.values, "period": sheet.period.key, **values})


def _points(reading: Reading) -> tuple[Point, ...]:
    return tuple(Point(week(day), value) for day, value in reading.weeks)


def week(day: int) -> str:
    """A week by its Monday."""
    return scoring.periods.day_month(day)


def thirteen(metric: Metric, reading: Reading) -> str:
    """The last weeks as a line of characters with the figures in words; "" without two values."""
    seen = [(day, value) for day, value in reading.weeks if value is not None]
    if len(seen) < 2:
        return ""
    first, last = scoring.figures.figure(metric, seen[0][1]), scoring.figures.figure(metric, seen[-1][1])
    spark = cards.text.sparks([value for _, value in reading.weeks])
    return f"{spark}  {len(reading.weeks)} weeks: {first} in the week of {week(seen[0][0])}, {last} last"


def _figures(metric: Metric, reading: Reading) -> str:
    target = f"target {scoring.figures.line(metric, reading.lines.target)}"
    parts = [f"{cards.text.capital(f'{_sample(metric, reading)}{target}')}.", f"{cards.text.capital(reading.words)}."]
    if reading.change is not None:
        parts.append(f"{scoring.figures.change(metric, reading.change)} on the period before.")
    if reading.provisional:
        parts.append("Provisional.")
    return " ".join(parts)


def _sample(metric: Metric, reading: Reading) -> str:
    """How many stand behind the value of the period itself, where it is a share or an average of them."""
    if metric.kind == "rate":
        return f"{scoring.figures.amount(reading.sums.num)} of {scoring.figures.amount(reading.sums.den)}; "
    return f"from {reading.sums.n:,}; " if metric.kind == "mean" else ""


def _name(sheet: Sheet, reading: Reading) -> Badge:
    """Status, metric and figure; of what has no colour, why not."""
    metric = sheet.metrics[reading.metric]
    words = f"{metric.title}: {scoring.figures.figure(metric, reading.value)}"
    if reading.measuring:
        words += f", {reading.words}"
    elif reading.status == "none":
        words += ", too few to colour"
    return Badge(reading.status, words)


def _one(sheet: Sheet, reading: Reading, *, worst: bool) -> list[Block]:
    """A red or an amber; of the worst also what helps."""
    metric = sheet.metrics[reading.metric]
    blocks: list[Block] = [_name(sheet, reading), Text(_figures(metric, reading))]
    comments = sheet.comments.get(metric.name, ())
    blocks += cards.comments.blocks(comments, sheet.period, named=True)
    trend = thirteen(metric, reading)
    if trend:
        blocks.append(Text(trend, "muted", spare=not worst))
    influence = metric.influence.get(sheet.level, "")
    if worst and influence and metric.name not in sheet.focus:
        blocks.append(Text(f"What helps: {influence}"))
    buttons = [_go(sheet, "Why", "why", metric=metric.name)]
    if sheet.level == "person":
        buttons.append(_go(sheet, "Tickets", "tickets", metric=metric.name))
    buttons.append(_go(sheet, "Trend", "trend", metric=metric.name))
    values = {**sheet.values, "period": sheet.period.key, "metric": metric.name, "card": "1"}
    if reading.status == "red" and metric.name in sheet.plans:
        blocks.append(Text(sheet.plans[metric.name], "strong"))
    elif reading.status == "red" and sheet.plannable:
        buttons.append(Button("Add the plan", "plan_new", values))
    if sheet.commentable:
        buttons += cards.comments.buttons(comments, sheet.period, values)
    blocks.append(Buttons(tuple(buttons)))
    return blocks


def _balance(score: Score) -> list[Block]:
    if score.balanced is None:
        covered = round(100 * score.covered)
        if not covered:
            return [Text("There is nothing to show for this period.", "strong")]
        counts = "counts yet" if any(r.measuring for r in score.readings) else "has data"
        return [Text(f"No balanced score: only {covered} % of its weight {counts}; 60 % is needed.", "muted")]
    words = f"{score.balanced:.0f} of 100"
    if score.change is not None:
        by = round(score.change)
        words += f", {'up' if by > 0 else 'down'} {abs(by)}" if by else ", unchanged"
    if score.provisional:
        words += ", provisional"
    return [Gauge("Balanced score", score.balanced, 0.0, 100.0, words)]


def _with(score: Score, status: Status) -> list[Reading]:
    return [r for r in score.readings if r.status == status and not r.missing]


def _calm(sheet: Sheet, reading: Reading) -> list[Block]:
    """A green, or what has no colour."""
    metric = sheet.metrics[reading.metric]
    blocks: list[Block] = [_name(sheet, reading)]
    if not reading.measuring:
        blocks.append(Text(_figures(metric, reading), "muted"))
    trend = thirteen(metric, reading)
    if trend:
        blocks.append(Text(trend, "muted", spare=True))
    blocks.append(Buttons((_go(sheet, "Why", "why", metric=metric.name),)))
    return blocks


def _brief(sheet: Sheet, readings: Sequence[Reading]) -> list[Block]:
    """What there is no room to tell in full: its figure, and the way to all else."""
    if not readings:
        return []
    named = [(f"Why: {sheet.metrics[r.metric].title}", r.metric) for r in readings]
    ways = Buttons(tuple(_go(sheet, words, "why", metric=metric) for words, metric in named))
    return [Divider(), *(_name(sheet, r) for r in readings), ways]


def _room(sheet: Sheet, missed: int, calm: int) -> tuple[int, int]:
    """How many reds and ambers, and how many others, are told in full."""
    most, each = (FULL, 2) if sheet.level == "person" else (7, 3)  # those of a group carry plans and comments as well
    room = 2 * FULL - (each - 1) * max(0, missed + calm - FULL)
    full = min(missed, most, max(0, room // each))
    return full, 0 if full < missed else (room - full * each) // 2


def card(sheet: Sheet) -> Card:
    """The scorecard: how old it is, balanced score, reds with what helps, ambers, greens as a count that unfolds."""
    score = sheet.score
    reds, ambers, greens, unsure = (_with(score, s) for s in ("red", "amber", "green", "none"))
    missing = [r for r in score.readings if r.missing]
    blocks: list[Block] = [Text(sheet.period.label, "muted"), *(Text(note, "muted") for note in sheet.notes)]
    blocks += _balance(score)
    if sheet.focus:
        blocks += [Heading("Your focus"), *(Text(words) for words in sheet.focus.values())]
    missed = [*reds, *ambers]
    full, room = _room(sheet, len(missed), len(unsure) + (len(greens) if sheet.greens else 0))
    for index, reading in enumerate(missed[:full]):
        blocks += [Divider(), *_one(sheet, reading, worst=index < 2 and reading.status == "red")]
    blocks += _brief(sheet, missed[full:])
    if not missed and greens:
        blocks.append(Text("Nothing red, nothing amber.", "strong"))
    if greens and sheet.greens:
        blocks.append(Divider())
        for reading in greens[:room]:
            blocks += _calm(sheet, reading)
        blocks += _brief(sheet, greens[room:])
        blocks.append(Buttons((_go(sheet, "Fold greens", "score"),)))
        room = max(0, room - len(greens))
    elif greens:
        blocks += [Divider(), Badge("green", f"{len(greens)} on target")]
        blocks.append(Buttons((_go(sheet, "Greens", "score", greens="1"),)))
    if unsure:
        blocks.append(Divider())
        for reading in unsure[:room]:
            blocks += _calm(sheet, reading)
        blocks += _brief(sheet, unsure[room:])
        if any(reading.measuring for reading in unsure):
            blocks.append(Text("What is measured only does not count: it gives its weight to the others.", "muted"))
    if missing:
        blocks += _left_out(sheet, missing)
    blocks.append(Buttons(_steps(sheet)))
    return Card(sheet.title, tuple(blocks), _summary(sheet, reds, ambers, greens), _worst(reds, ambers, greens))


def _left_out(sheet: Sheet, missing: list[Reading]) -> list[Block]:
    """What has no figure, by the reason for it."""
    reasons = dict.fromkeys(r.missing for r in missing)
    named = {why: ", ".join(sheet.metrics[r.metric].title for r in missing if r.missing == why) for why in reasons}
    blocks: list[Block] = [Text(f"{cards.text.capital(why)}: {titles}.", "muted") for why, titles in named.items()]
    if len(missing) < len(sheet.score.readings):
        blocks.append(Text("What is left out gives its weight to the others.", "muted"))
    return blocks


def team(sheet: Sheet) -> Card:
    """A team's scorecard for its lead, with the way to its people."""
    found = card(sheet)
    ways = Buttons((*_steps(sheet), _go(sheet, "People", "people")))
    return replace(found, blocks=(*found.blocks[:-1], ways))


def _steps(sheet: Sheet) -> tuple[Button, ...]:
    before = scoring.periods.previous(sheet.period)
    values = dict(sheet.values)
    steps = [Button("‹ Before", sheet.prefix + "score", {**values, "period": before.key})]
    if not sheet.newest:
        after = scoring.periods.next(sheet.period)
        steps.append(Button("After ›", sheet.prefix + "score", {**values, "period": after.key}))
    if sheet.score.covered:
        steps.append(_go(sheet, "Why this score", "why"))
    if sheet.level == "person" and sheet.mine:
        steps.append(Button("Something is not mine", "correct", {**values, "period": sheet.period.key}))
    return tuple(steps)


def _worst(reds: list[Reading], ambers: list[Reading], greens: list[Reading]) -> Status:
    return "red" if reds else "amber" if ambers else "green" if greens else "none"


def _summary(sheet: Sheet, reds: list[Reading], ambers: list[Reading], greens: list[Reading]) -> str:
    named = ", ".join(
        f"{sheet.metrics[r.metric].title} {scoring.figures.figure(sheet.metrics[r.metric], r.value)}" for r in reds
    )
    counts = f"{len(reds)} red{f' ({named})' if named else ''}, {len(ambers)} amber, {len(greens)} green"
    balanced = sheet.score.balanced
    return f"{sheet.title}, {sheet.period.label}: {counts}" + (
        f"; balanced score {balanced:.0f} of 100." if balanced is not None else "."
    )


def why(sheet: Sheet, reading: Reading, found: Explanation) -> Card:
    """How one figure came about, in the order in which people ask."""
    metric = sheet.metrics[reading.metric]
    rows = (
        ("How it is counted", found.formula),
        ("With your figures" if sheet.mine else "With the figures", found.figures),
        ("Evidence", found.sample),
        ("Lines", found.lines),
        ("Weight", found.weight),
        ("Contribution", found.contribution),
        ("Left out", found.excludes),
        ("Source", found.source),
    )
    blocks: list[Block] = [
        Badge(reading.status, f"{found.title}: {scoring.figures.figure(metric, reading.value)}"),
        Text(sheet.period.label, "muted"),
        *(Text(note, "muted") for note in sheet.notes),
        Fields(tuple(Field(label, text) for label, text in rows if text)),
    ]
    if found.influence:
        blocks.append(Text(f"What helps: {found.influence}", "strong"))
    if found.objectives:
        blocks.append(Heading("What it is for"))
        blocks.append(Text(" → ".join(found.objectives)))
    buttons = [_go(sheet, "Trend", "trend", metric=metric.name), _go(sheet, "Back", "score")]
    if sheet.level == "person":
        buttons.insert(0, _go(sheet, "Tickets", "tickets", metric=metric.name))
    blocks.append(Buttons(tuple(buttons)))
    return Card(
        f"Why: {found.title}",
        tuple(blocks),
        f"{found.title}: {found.figures}. {cards.text.capital(found.sample)}. {found.lines}.",
        reading.status,
    )


def balance(sheet: Sheet) -> Card:
    """How the balanced score came about: each metric's weight and score, and what is left out of it."""
    score, label = sheet.score, sheet.period.label
    without = [r for r in score.readings if r.score is None]
    rows = tuple(
        (sheet.metrics[r.metric].title, f"{100 * r.weight:.4g} %", *_points_of(score, r))
        for r in sorted(score.readings, key=lambda r: -r.weight)
    )
    blocks: list[Block] = [Text(label, "muted"), *(Text(note, "muted") for note in sheet.notes), *_balance(score)]
    blocks.append(Text("Each metric scores 100 at its best line, 0 at its worst, and in between in proportion. "
                       "The balanced score is the sum of weight × score."))  # fmt: skip
    if rows:
        blocks.append(Table(("Metric", "Weight", "Score", "Points"), rows))
    if without and score.covered:
        share, counted = round(100 * (1 - score.covered)), 1 / score.covered
        names = ", ".join(sheet.metrics[r.metric].title for r in without)
        goes = f"Theirs is {share} % of the weight." if share else "Nothing rests on it."
        if share and score.balanced is not None:
            goes = (f"Their {share} % of the weight goes to the others, "
                    f"so that each of the others counts {counted:.2f} times its weight.")  # fmt: skip
        blocks.append(Text(f"Without a score: {names}. {goes}"))
    blocks.append(Buttons((_go(sheet, "Back", "score"),)))
    said = f"{score.balanced:.0f} of 100" if score.balanced is not None else "none"
    return Card("Why: balanced score", tuple(blocks), f"Balanced score, {label}: {said}.")


def _points_of(score: Score, reading: Reading) -> tuple[str, str]:
    """A metric's own score, and what it adds to the balanced one."""
    if reading.score is None or not score.covered:
        return "–", "–"
    points = 100 * reading.weight * reading.score / score.covered
    return f"{100 * reading.score:.0f}", "–" if score.balanced is None else f"{points:.1f}"


def trend(sheet: Sheet, reading: Reading, said: str) -> Card:
    """Thirteen weeks of one metric as a picture that carries its figures in words."""
    metric = sheet.metrics[reading.metric]
    values = ", ".join(f"{week(day)} {scoring.figures.figure(metric, value)}" for day, value in reading.weeks)
    picture = Trend(
        f"{metric.title} by week",
        _points(reading),
        metric.unit,
        f"By week: {values}.",
        () if reading.measuring else (
            Rule("Target", reading.lines.target), Rule("Red line", reading.lines.red),
        ),
    )
    blocks: tuple[Block, ...] = (
        Badge(reading.status, f"{metric.title}: {scoring.figures.figure(metric, reading.value)}"),
        picture,
        Text(said),
        *(Text(note, "muted") for note in sheet.notes),
        Buttons((_go(sheet, "Why", "why", metric=metric.name), _go(sheet, "Back", "score"))),
    )
    summary = f"{metric.title}: {thirteen(metric, reading)}. {said}"
    return Card(f"Trend: {metric.title}", blocks, summary, reading.status)
