"""How lines look before they hold: what is measured, what is proposed and why, and the form to set others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cards.text
import scoring.baselines
import scoring.figures
import scoring.periods
from cards.card import Block, Button, Buttons, Card, Divider, Field, Fields, Form, Heading, Input, Text
from scoring.baselines import Proposal
from scoring.metrics import Level, Lines, Metric

SHOWN = 8
LONGEST = 300
"""Characters of a reason."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A metric at a level as somebody sees it. `file` are the lines of the file, None where its rubrics differ.

    `number` and `version` find it again; `may_tighten` is the day from which its lines may be, None where at once.
    """

    number: int
    version: int
    level: Level
    metric: Metric
    from_day: int
    until_day: int
    state: str
    proposal: Proposal | None = None
    lines: Lines | None = None
    file: Lines | None = None
    decided: str = ""
    reason: str = ""
    may_tighten: int | None = None


def title(shown: Shown) -> str:
    return f"{shown.metric.title}, {scoring.baselines.WHOSE[shown.level]}"


def day(at: int) -> str:
    return scoring.periods.day_month_year(at)


def said(metric: Metric, lines: Lines | None) -> str:
    """Lines in words: target 82 %, red line 72 %."""
    if lines is None:
        return "as each rubric has them"
    line = scoring.figures.line
    return f"target {line(metric, lines.target)}, red line {line(metric, lines.red)}"


def _values(shown: Shown) -> dict[str, str]:
    return {"baseline": str(shown.number), "version": str(shown.version)}


def _buttons(shown: Shown, *, over: bool) -> list[Block]:
    """What a manager can do; before the four weeks are `over` there is nothing to decide."""
    values, found = _values(shown), []
    if shown.state == "proposed":
        found.append(Button("Adopt", "lines_adopt", values, style="primary", once=True))
    if shown.state in ("proposed", "measuring") and over:
        found.append(Button("Set others", "lines_change", values))
        found.append(Button("Keep the file's", "lines_keep", values, once=True))
    if shown.state == "proposed":
        found.append(Button("Measure on", "lines_measure", values, once=True))
    if shown.state in ("adopted", "kept"):
        found.append(Button("Change", "lines_change", values))
    return [Buttons(tuple(found))] if found else []


def _proposal(shown: Shown, found: Proposal) -> list[Block]:
    metric = shown.metric
    low, high = (scoring.figures.figure(metric, at) for at in found.middle)
    counts = found.counts
    who = {"person": f"{found.subjects} people", "team": _some(found.subjects, "team"), "organisation": "the desk"}
    line = scoring.figures.line
    rows = (
        ("Measured", f"{found.readings} readings of {who[shown.level]} from {_some(found.weeks, 'week')}"),
        ("Half of them lie", f"between {low} and {high}"),
        ("Proposed target", f"{line(metric, found.lines.target)}: half of the readings met it"),
        ("Proposed red line", line(metric, found.lines.red)),
        ("They would have been", f"{counts.red} red, {counts.amber} amber, {counts.green} green"),
        ("The file says", said(metric, shown.file)),
    )
    return [Fields(tuple(Field(label, text) for label, text in rows))]


def _some(count: int, word: str) -> str:
    return f"one {word}" if count == 1 else f"{count} {word}s"


def proposed(shown: Shown) -> Card:
    """What a manager decides on: the lines, where they come from and what they would have made of the readings."""
    found = shown.proposal
    blocks: list[Block] = [Text(title(shown), "strong")]
    if found is not None:
        blocks += _proposal(shown, found)
    blocks += [
        Text("Nothing has a colour until somebody decides. Lines hold from that day on: old scores stay as they are, "
             "and they may be tightened again a quarter later.", "muted"),
        *_buttons(shown, over=True),
    ]  # fmt: skip
    lines = found and said(shown.metric, found.lines)
    return Card("Lines are proposed", tuple(blocks), summary=f"{title(shown)}: {lines or 'no proposal'}.")


def too_few(shown: Shown) -> Card:
    """There is nothing to propose lines from; it is measured on, and a manager may set lines all the same."""
    words = (
        "There are too few readings to propose lines from: it takes twelve, and five people. It is measured on, and "
        "lines are proposed as soon as there are enough."
    )
    blocks: tuple[Block, ...] = (
        Text(title(shown), "strong"), Text(words), Text(f"The file says: {said(shown.metric, shown.file)}.", "muted"),
        *_buttons(shown, over=True),
    )  # fmt: skip
    return Card("Measured on", blocks, summary=f"{title(shown)}: too few readings to propose lines from.")


def decided(shown: Shown) -> Card:
    """What somebody decided, in place of what was proposed."""
    words = {
        "adopted": f"{shown.decided} set the lines: {said(shown.metric, shown.lines)}.",
        "kept": f"{shown.decided} keeps the lines of the file: {said(shown.metric, shown.file)}.",
        "measuring": f"It is measured on until {day(shown.until_day)}, as {shown.decided} asked.",
    }[shown.state]
    blocks: list[Block] = [Text(title(shown), "strong"), Text(words)]
    if shown.reason:
        blocks.append(Text(f"“{shown.reason}”", "muted"))
    if shown.state != "measuring":
        blocks.append(Text("They hold from today on; old scores stay as they are.", "muted"))
    return Card("Lines", tuple(blocks), summary=f"{title(shown)}. {words}")


def _state(shown: Shown) -> str:
    if shown.state == "measuring":
        until = f"until {day(shown.until_day)}"
        return f"Measured since {day(shown.from_day)} without a colour, {until}." + (
            " There were too few readings to propose lines from." if shown.reason == "few" else ""
        )
    if shown.state == "proposed":
        return "Lines are proposed and wait for a decision of a manager or leadership."
    lines = said(shown.metric, shown.lines if shown.state == "adopted" else shown.file)
    words = f"{cards.text.capital(lines)}, decided by {shown.decided}."
    when = "at any time" if shown.may_tighten is None else f"from {day(shown.may_tighten)} on"
    return f"{words} May be tightened {when}." + (f" “{shown.reason}”" if shown.reason else "")


GROUPS = (("Proposed", ("proposed",)), ("Measured without a colour", ("measuring",)), ("Decided", ("adopted", "kept")))


def listed(some: Sequence[Shown], over: Sequence[int], pilots: Sequence[Block] = (), *, decides: bool) -> Card:
    """All that is measured, proposed and decided; `over` are the numbers of those whose four weeks have passed."""
    blocks: list[Block] = []
    for heading, states in GROUPS:
        group = [one for one in some if one.state in states]
        blocks += [Heading(heading)] if group else []
        for number, one in enumerate(group[:SHOWN]):
            blocks += [Divider()] if number else []
            blocks += [Text(title(one), "strong"), Text(_state(one))]
            if decides:
                if one.state == "proposed" and one.proposal is not None:
                    blocks += _proposal(one, one.proposal)
                blocks += _buttons(one, over=one.number in over)
        if len(group) > SHOWN:
            blocks.append(Text(f"… and {len(group) - SHOWN} more.", "muted"))
    blocks += pilots
    if not blocks:
        blocks.append(Text("Nothing is being measured: every metric has its lines."))
    blocks.append(Text("A metric that is new at a level is measured for four weeks before it has a colour. "
                       "Lines are tightened once a quarter at most.", "muted"))  # fmt: skip
    counts = ", ".join(f"{sum(one.state in states for one in some)} {name.lower()}" for name, states in GROUPS)
    return Card("Lines", tuple(blocks), summary=f"Lines: {counts}.")


def form(shown: Shown, lines: Lines | None) -> Form:
    """Another target and red line; what there is stands in it."""
    value = scoring.figures.plain
    unit = f" in {shown.metric.unit}" if shown.metric.unit else ""
    better = "higher" if shown.metric.direction == "up" else "lower"
    return Form(
        "Set the lines",
        "lines_set",
        (
            Input("target", f"Target{unit}", "number", value=value(lines.target) if lines else "",
                  hint=f"From here on it is green; {better} is better."),
            Input("red", f"Red line{unit}", "number", value=value(lines.red) if lines else "",
                  hint="Beyond it, with enough evidence, it is red."),
            Input("reason", "Why?", "multiline", optional=True, max_length=LONGEST),
        ),
        submit="Set",
        intro=f"{title(shown)}. They hold from today on, and may be tightened again a quarter later.",
        values=_values(shown),
    )  # fmt: skip
