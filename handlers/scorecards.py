"""A person's scorecard: /myscore and the buttons under it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import cards.scorecards
import handlers.sheets
import scoring.figures
import scoring.scorecards
import scoring.trend
import storage.looks
from cards.scorecards import Sheet
from handlers.call import Call, Ctx, Reply
from scoring.metrics import Metric
from scoring.people import Person
from scoring.periods import Period
from scoring.refused import Refused
from scoring.rules import Rubric
from scoring.scorecards import Reading

_QUESTIONS = ("why", "trend")


async def _looked(ctx: Ctx, person: Person, what: str) -> None:
    if person.id != ctx.person.id:
        await storage.looks.add(ctx.db, ctx.person.id, person.id, what, int(ctx.now.timestamp()))


def metric_named(metrics: Iterable[Metric], text: str) -> Metric:
    """The metric that a person means. Raises Refused with the nearest, or with all of them."""
    wanted = " ".join(text.casefold().replace("_", " ").split())
    known = {name: m for m in metrics for name in (m.name.replace("_", " "), m.title.casefold())}
    if wanted in known:
        return known[wanted]
    starting = {m.name: m for name, m in known.items() if wanted and name.startswith(wanted)}
    if len(starting) == 1:
        return next(iter(starting.values()))
    near = difflib.get_close_matches(wanted, known, 1, 0.6)
    titles = ", ".join(sorted({m.title for m in known.values()}))
    if not wanted:
        raise Refused("Which metric?", f"On your scorecard are: {titles}.")
    if near:
        raise Refused(f"I do not know the metric “{text}”.", f"Did you mean {known[near[0]].title}?")
    raise Refused(f"I do not know the metric “{text}”.", f"On your scorecard are: {titles}.")


def _period(text: str, here: int) -> Period:
    """The period that a person means. Raises Refused, with the question that was meant where a word is near one."""
    try:
        return handlers.sheets.period(text, here)
    except Refused:
        word, _, rest = text.strip().partition(" ")
        near = difflib.get_close_matches(word.casefold(), _QUESTIONS, 1, 0.6)
        if not near or len(text) > 60:
            raise
        meant = f"{near[0]} {rest}".strip()
        raise Refused(f"I do not know “{word}”.", f"Did you mean “{meant}”?") from None


async def mine(ctx: Ctx, call: Call, person: Person) -> Reply:
    """/myscore [PERIOD], /myscore why [METRIC], /myscore trend METRIC."""
    word, _, rest = call.text.strip().partition(" ")
    here = handlers.sheets.today(ctx, person.zone)
    if word.casefold() not in _QUESTIONS:
        sheet, _ = await handlers.sheets.of_person(ctx, person, _period(call.text, here))
        return Reply.card(cards.scorecards.card(sheet))
    sheet, rubric = await handlers.sheets.of_person(ctx, person, handlers.sheets.period("", here))
    if word.casefold() == "why" and not rest.strip():
        return Reply.card(cards.scorecards.balance(sheet))
    metric = metric_named(handlers.sheets.metrics_of(ctx, rubric), rest)
    reading = handlers.sheets.one(sheet, metric.name)
    return explained(ctx, sheet, rubric, reading) if word.casefold() == "why" else pictured(sheet, reading)


async def opened(ctx: Ctx, call: Call, person: Person) -> Reply:
    """/redfirst person NAME: the scorecard of somebody the asker leads."""
    here = handlers.sheets.today(ctx, person.zone)
    sheet, _ = await handlers.sheets.of_person(ctx, person, handlers.sheets.period("", here))
    await _looked(ctx, person, sheet.period.label)
    return Reply.card(cards.scorecards.card(sheet))


async def _pressed(ctx: Ctx, call: Call, person: Person, *, greens: bool = False) -> tuple[Sheet, Rubric]:
    asked = handlers.sheets.from_key(call.values.get("period", ""), handlers.sheets.today(ctx, person.zone))
    return await handlers.sheets.of_person(ctx, person, asked, greens=greens)


async def score(ctx: Ctx, call: Call, person: Person) -> Reply:
    """Another period, or the greens unfolded, in place of the card whose button was pressed."""
    sheet, _ = await _pressed(ctx, call, person, greens=call.values.get("greens") == "1")
    await _looked(ctx, person, sheet.period.label)
    return Reply.card(cards.scorecards.card(sheet), update=True)


async def why(ctx: Ctx, call: Call, person: Person) -> Reply:
    """How one figure came about; without a metric, how the balanced score did."""
    sheet, rubric = await _pressed(ctx, call, person)
    if not call.values.get("metric"):
        await _looked(ctx, person, f"Balanced score, {sheet.period.label}")
        return Reply.card(cards.scorecards.balance(sheet), update=True)
    reading = handlers.sheets.one(sheet, call.values.get("metric", ""))
    await _looked(ctx, person, f"{sheet.metrics[reading.metric].title}, {sheet.period.label}")
    return explained(ctx, sheet, rubric, reading, update=True)


async def trend(ctx: Ctx, call: Call, person: Person) -> Reply:
    """Thirteen weeks of one metric."""
    sheet, _ = await _pressed(ctx, call, person)
    reading = handlers.sheets.one(sheet, call.values.get("metric", ""))
    await _looked(ctx, person, f"{sheet.metrics[reading.metric].title}, {sheet.period.label}")
    return pictured(sheet, reading, update=True)


async def home(ctx: Ctx, call: Call, person: Person) -> Reply:
    """The first thing on the app's own page: the person's scorecard."""
    here = handlers.sheets.today(ctx, person.zone)
    sheet, _ = await handlers.sheets.of_person(ctx, person, handlers.sheets.period("", here))
    return Reply.card(cards.scorecards.card(sheet))


def explained(ctx: Ctx, sheet: Sheet, rubric: Rubric, reading: Reading, *, update: bool = False) -> Reply:
    """The card that says how a figure of a sheet came about."""
    entry = next(e for e in rubric.entries if e.metric == reading.metric)
    found = scoring.scorecards.explain(
        sheet.metrics[reading.metric],
        entry,
        reading,
        level=sheet.level,
        since=rubric.since,
        objectives=ctx.rules.objectives.get(reading.metric, ()),
        covered=sheet.score.covered,
    )
    return Reply.card(cards.scorecards.why(sheet, reading, found), update=update)


def pictured(sheet: Sheet, reading: Reading, *, update: bool = False) -> Reply:
    """The card with the thirteen weeks of a reading, and whether the last one is news; of a rate, its evidence."""
    metric = sheet.metrics[reading.metric]
    values = [value for _, value in reading.weeks if value is not None]
    if not scoring.trend.applies(metric):
        said = f"A week by itself says little of a share. What counts: {reading.words}."
    elif len(values) < scoring.trend.ENOUGH:
        said = "Too few weeks to tell a change from the usual ups and downs."
    elif scoring.trend.is_news(values):
        last = scoring.figures.figure(metric, values[-1])
        said = f"The last week, {last}, lies outside the usual ups and downs: something changed."
    else:
        said = "The last week lies within the usual ups and downs."
    return Reply.card(cards.scorecards.trend(sheet, reading, said), update=update)
