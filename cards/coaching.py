"""How a coaching talk looks: prepared from the person's figures, agreed in a form, with notes that both share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import cards.notice
import cards.text
import scoring.coaching
import scoring.figures
import scoring.periods
from cards.card import Badge, Block, Button, Buttons, Card, Choice, Divider, Field, Fields, Form, Heading, Input, Text
from scoring.behaviours import Behaviour
from scoring.metrics import Metric
from scoring.periods import Period
from scoring.scorecards import Reading

SHOWN = 4
"""Figures in a talk; more is a lecture."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What was agreed before: area, step, the local days of the talk and of the check-back."""

    area: str
    step: str
    day: int
    check_day: int


@dataclass(frozen=True, slots=True)
class Noted:
    author: str
    words: str
    at: int  # UTC seconds


@dataclass(frozen=True, slots=True)
class Talk:
    """Everything a prepared talk says. `area` is the reading to pick, None where nothing is red or amber."""

    person_id: int
    name: str
    period: Period
    metrics: Mapping[str, Metric]
    thanks: Reading | None
    reds: Sequence[Reading]
    area: Reading | None
    behaviour: Behaviour | None
    here: int
    zone: str
    agreed: Sequence[Agreed] = ()
    notes: Sequence[Noted] = ()
    small_print: Sequence[str] = ()


def prepared(talk: Talk) -> Card:
    """The talk, step by step."""
    blocks: list[Block] = [
        Text(f"{talk.period.label}. Coaching, not policing: ask more than you tell.", "muted"),
        Heading("1. Thank"),
        *_thanks(talk),
        Heading("2. Show the data, together"),
    ]
    for reading in talk.reds[:SHOWN]:
        metric = talk.metrics[reading.metric]
        blocks.append(Badge(reading.status, f"{metric.title}: {scoring.figures.figure(metric, reading.value)}"))
        words = cards.text.capital(reading.words)
        blocks.append(Text(f"{words}; target {scoring.figures.line(metric, reading.lines.target)}.", "muted"))
    if not talk.reds:
        blocks.append(Text("Nothing is red or amber. Ask what went well, and what others could learn from it."))
    blocks += [
        Heading("3. Ask"),
        Text("“What would help you?” Then wait. “What gets in your way that I could clear?”"),
        Heading("4. Share a story"),
        Text(_story(talk)),
    ]
    if talk.area is not None:
        blocks += [Heading("5. Pick one area"), *_area(talk, talk.area)]
    blocks += [Divider(), *_agreed(talk.metrics, talk.agreed), *_noted(talk.notes, talk.zone)]
    blocks += [Text(line, "muted") for line in talk.small_print]
    blocks.append(Text(f"{talk.name} sees that you prepared this talk, and shares the notes.", "muted"))
    values = {"person": str(talk.person_id)}
    blocks.append(
        Buttons(
            (
                Button("Book the check-back", "coach_book", values, style="primary"),
                Button("Write a note", "coach_note", values),
                Button("Scorecard", "score", {**values, "period": talk.period.key}),
            )
        )
    )
    area = talk.metrics[talk.area.metric].title if talk.area else "what went well"
    return Card(f"Talk with {talk.name}", tuple(blocks), summary=f"Talk with {talk.name}: {area}.")


def _thanks(talk: Talk) -> list[Block]:
    if talk.thanks is None:
        seen = "a call, a handover, a patient answer"
        return [Text(f"No figure stands out. Thank for something you saw yourself: {seen}.")]
    reading, metric = talk.thanks, talk.metrics[talk.thanks.metric]
    now = scoring.figures.figure(metric, reading.value)
    if scoring.coaching.improved(reading):
        before = scoring.figures.figure(metric, reading.previous)
        return [Text(f"{metric.title} went from {before} to {now}. Say that you saw it, and ask how.")]
    return [Text(f"{metric.title} is on target: {now}. Say that you saw it; it is work.")]


def _story(talk: Talk) -> str:
    if talk.behaviour is None:
        return "Tell of a time when something went wrong for you, and what you did then."
    return (
        "Tell of a time when this was hard for you, and what changed it. "
        f"What a client has of it: {talk.behaviour.why[:1].lower()}{talk.behaviour.why[1:]}"
    )


def _area(talk: Talk, reading: Reading) -> list[Block]:
    metric = talk.metrics[reading.metric]
    target = scoring.figures.line(metric, reading.lines.target)
    goal = f"from {scoring.figures.figure(metric, reading.value)} to {target}"
    by = scoring.periods.near_day(talk.here + 4 * 7)
    blocks: list[Block] = [
        Fields(
            (
                Field("Area", metric.title),
                Field("Expected", f"{target}, of everybody with this work"),
                Field("Goal", goal),
                Field("By", f"{by}, with a look in between"),
            )
        )
    ]
    if talk.behaviour is not None:
        blocks.append(Text(f"A first step might be: {talk.behaviour.title}. {talk.behaviour.what}"))
    if len(talk.reds) > 1:
        others = ", ".join(talk.metrics[r.metric].title for r in talk.reds if r.metric != reading.metric)
        blocks.append(Text(f"The rest stays on the list, and is not for today: {others}.", "muted"))
    return blocks


def _agreed(metrics: Mapping[str, Metric], agreed: Sequence[Agreed]) -> list[Block]:
    if not agreed:
        return []
    blocks: list[Block] = [Heading("Agreed before")]
    for one in agreed:
        area = metrics[one.area].title if one.area in metrics else one.area
        day, check_day = (scoring.periods.near_day(at) for at in (one.day, one.check_day))
        blocks.append(Text(f"{day}, {area}: {one.step} Check-back {check_day}."))
    return blocks


def _noted(notes: Sequence[Noted], zone: str) -> list[Block]:
    if not notes:
        return []
    return [Heading("Notes"), *(Text(f"{_when(one.at, zone)}, {one.author}: {one.words}") for one in notes)]


def shared(
    name: str, person_id: int, metrics: Mapping[str, Metric], agreed: Sequence[Agreed], notes: Sequence[Noted],
    zone: str, *, mine: bool,
) -> Card:  # fmt: skip
    """What was agreed and noted, for the person or for their lead."""
    title = "Your talks" if mine else f"Talks with {name}"
    blocks: list[Block] = [*_agreed(metrics, agreed), *_noted(notes, zone)]
    if not blocks:
        blocks.append(Text("Nothing has been agreed or noted yet."))
    blocks.append(Text("You and your lead see this and can write here; nobody else does." if mine else
                       f"{name} sees this too and can write here; nobody else does.", "muted"))  # fmt: skip
    blocks.append(Buttons((Button("Write a note", "coach_note", {} if mine else {"person": str(person_id)}),)))
    return Card(title, tuple(blocks), summary=f"{title}: {len(agreed)} agreed, {len(notes)} notes.")


def book(person_id: int, name: str, areas: Sequence[tuple[str, str]], chosen: str, step: str, day: int) -> Form:
    """One area, one step, one day."""
    return Form(
        "Book the check-back",
        "coach_booked",
        (
            Input("area", "Which area?", "choice", tuple(Choice(t[:75], n) for n, t in areas[:100]), value=chosen),
            Input("step", "What was agreed?", "multiline", value=step, hint=f"{name} reads this.", max_length=500),
            Input("day", "When do you look at it again?", "date", value=scoring.periods.iso(day)),
        ),
        submit="Book",
        values={"person": str(person_id)},
    )


def booked(name: str, lead: str, metric: Metric, step: str, day: int, names: Mapping[str, str], *, mine: bool) -> Card:
    """What was agreed, for both."""
    head = f"Agreed with {lead if mine else name}: {metric.title}."
    when = f"On {scoring.periods.near_day(day)} you both get the fresh figures."
    where = cards.notice.command(names, "redfirst", "coaching") if mine else cards.notice.command(names, "coach", name)
    blocks = (Text(head, "strong"), Text(f"“{step}”"), Text(when), Text(f"Your shared notes: {where}.", "muted"))
    return Card("Agreed", blocks, summary=f"{head} {step} {when}")


def note(person_id: int | None) -> Form:
    """A note that both see."""
    return Form(
        "Write a note",
        "coach_noted",
        (Input("words", "Note", "multiline", hint="You both see it, with your name and the time.",
               max_length=scoring.coaching.LONGEST),),
        submit="Keep",
        values={} if person_id is None else {"person": str(person_id)},
    )  # fmt: skip


def noted(author: str, words: str, person_id: int | None) -> Card:
    """A note of the other one."""
    values = {} if person_id is None else {"person": str(person_id)}
    blocks = (Text(f"“{words}”"), Buttons((Button("Show the notes", "coach_notes", values),)))
    return Card(f"A note by {author}", blocks, summary=f"A note by {author}: {words}")


def _when(at: int, zone: str) -> str:
    local = datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%b %H:%M}"
