"""How a check-back looks: before and since, in figures with their sample, and kindly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import scoring.figures
import scoring.periods
from cards.card import Block, Button, Buttons, Card, Field, Fields, Text
from scoring.effects import Went
from scoring.metrics import Metric, Sums

WORDS: dict[Went, str] = {
    "better": "Better, and by more than chance explains. That was you.",
    "same": "Within the usual ups and downs, so nothing can be said yet. Keep at it if it feels right.",
    "worse": "Not better so far. That happens, and it need not be you: talk about what is in the way.",
    "too_few": "Too little has happened to tell. That says nothing about you.",
}


@dataclass(frozen=True, slots=True)
class Change:
    """A figure over whole weeks before and since: local days, first and last included."""

    metric: Metric
    before: Sums
    since: Sums
    before_days: tuple[int, int]
    since_days: tuple[int, int]
    went: Went


def _figures(change: Change) -> Fields:
    return Fields(
        tuple(
            Field(f"{label}, {scoring.periods.span(*days)}", _figure(change.metric, sums))
            for label, sums, days in (
                ("Before", change.before, change.before_days),
                ("Since", change.since, change.since_days),
            )
        )
    )


def _figure(metric: Metric, sums: Sums) -> str:
    shown = scoring.figures.figure(metric, scoring.figures.value(metric, sums))
    if not sums.den:
        return "nothing counted"
    if metric.kind == "rate":
        return f"{shown} ({scoring.figures.amount(sums.num)} of {scoring.figures.amount(sums.den)})"
    return f"{shown} (from {sums.n:,})"


def of_focus(change: Change, title: str, values: Mapping[str, str]) -> Card:
    """Two weeks after a nudge, for the person."""
    metric = change.metric
    blocks: tuple[Block, ...] = (
        Text(f"Two weeks ago: “{title}”."),
        _figures(change),
        Text(WORDS[change.went], "strong"),
        Text("Only you get this message.", "muted"),
        Buttons((Button("Tickets", "tickets", dict(values)), Button("Trend", "trend", dict(values)))),
    )
    return Card(f"How it went: {metric.title}", blocks, summary=_summary(change))


def of_talk(change: Change | None, area: str, step: str, name: str, person_id: int, *, mine: bool) -> Card:
    """On the day that was agreed in a talk, for the person and for their lead."""
    title = f"Check-back: {area}" if mine else f"Check-back with {name}: {area}"
    blocks: list[Block] = [Text(f"Agreed: “{step}”")]
    if change is not None:
        said = WORDS[change.went] if mine else WORDS[change.went].replace("That was you.", f"Thank {name}.")
        said = said if mine else said.replace("it need not be you", f"it need not be {name}")
        said = said if mine else said.replace("about you", f"about {name}")
        blocks += [_figures(change), Text(said, "strong")]
    values = {} if mine else {"person": str(person_id)}
    buttons = [Button("Show the notes", "coach_notes", values), Button("Write a note", "coach_note", values)]
    if not mine:
        buttons.insert(0, Button("Prepare the talk", "coach_open", values))
    blocks.append(Text("Both of you get this today. Take ten minutes for it.", "muted"))
    blocks.append(Buttons(tuple(buttons)))
    return Card(title, tuple(blocks), summary=f"{title}. {_summary(change) if change else step}")


def _summary(change: Change) -> str:
    before, since = _figure(change.metric, change.before), _figure(change.metric, change.since)
    return f"{change.metric.title}: {before} before, {since} since. {WORDS[change.went]}"
