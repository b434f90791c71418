"""How a pilot looks: what those who take part are asked, what they said in aggregate, and what was decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import scoring.periods
from cards.card import Block, Button, Buttons, Card, Choice, Divider, Form, Heading, Input, Text
from scoring.pilots import Part, Views
from scoring.rules import Pilot

SHOWN = 6
COMMENTS = 10
LONGEST = 500

VIEWS = {"yes": "Yes", "partly": "Partly", "no": "No"}
WHEN: dict[Part, str] = {"middle": "Half-way", "end": "At the end"}
STATES = {"adopted": "adopts it", "dropped": "drops it"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A pilot as somebody sees it: names of its teams, what was said in each part that is over (None: by too few)."""

    pilot: Pilot
    title: str
    teams: Sequence[str]
    views: Sequence[tuple[Part, Views | None]] = ()
    state: str = ""
    by: str = ""
    reason: str = ""


def _about(shown: Shown) -> str:
    pilot = shown.pilot
    first, last = (scoring.periods.day_month_year(day) for day in (pilot.first, pilot.last))
    return f"{', '.join(shown.teams)}, {first} to {last}." + (f" {pilot.question}" if pilot.question else "")


def asked(title: str, pilot: Pilot, part: Part) -> Card:
    """Somebody who takes part is asked for their view."""
    question = f" It is to find out: {pilot.question}" if pilot.question else ""
    when = "is half-way" if part == "middle" else "is over"
    values = {"pilot": pilot.key, "part": part}
    return Card(
        f"What do you think of {title}?",
        (
            Text(f"The pilot of {title} {when}.{question}"),
            Text("Answers are told in aggregate, from five people on; comments without names.", "muted"),
            Buttons((Button("Give your view", "pilot_view", values, style="primary"),)),
        ),
        summary=f"The pilot of {title} {when}: what do you think of it?",
    )


def view(title: str, pilot: Pilot, part: Part) -> Form:
    """Two questions and a comment."""
    choices = tuple(Choice(text, key) for key, text in VIEWS.items())
    return Form(
        "Your view",
        "pilot_said",
        (
            Input("useful", "Does it help you to do better work?", "choice", choices),
            Input("fair", "Is it fair to you?", "choice", choices),
            Input("comment", "What should be known before it is adopted?", "multiline", optional=True,
                  max_length=LONGEST),
        ),
        intro=f"{title}. Nobody is told who said what.",
        values={"pilot": pilot.key, "part": part},
    )  # fmt: skip


def thanked(title: str) -> Card:
    """The receipt."""
    words = f"Thank you. Your view of {title} counts without your name."
    return Card("Thank you", (Text(words),), summary=words)


def _counts(views: Views) -> str:
    def told(counts: Mapping[str, int]) -> str:
        return ", ".join(f"{counts.get(key, 0)} {text.lower()}" for key, text in VIEWS.items())

    return f"{views.answers} answers. Useful: {told(views.useful)}. Fair: {told(views.fair)}."


def listed(some: Sequence[Shown], *, decides: bool) -> list[Block]:
    """The part of the list of lines that is about pilots; what was said is for those who decide."""
    blocks: list[Block] = [Heading("Pilots")] if some else []
    for number, one in enumerate(some[:SHOWN]):
        blocks += [Divider()] if number else []
        blocks += [Text(one.title, "strong"), Text(_about(one))]
        for part, views in one.views if decides else ():
            if views is None:
                blocks.append(Text(f"{WHEN[part]}: fewer than five have answered, so nothing is told.", "muted"))
                continue
            blocks.append(Text(f"{WHEN[part]}: {_counts(views)}"))
            blocks += [Text(f"“{comment}”", "muted") for comment in views.comments[:COMMENTS]]
        if one.state:
            blocks.append(Text(f"{one.by} {STATES[one.state]}: “{one.reason}”"))
        elif decides:
            blocks.append(Buttons((Button("Decide", "pilot_decide", {"pilot": one.pilot.key}),)))
    if len(some) > SHOWN:
        blocks.append(Text(f"… and {len(some) - SHOWN} more pilots.", "muted"))
    return blocks


def decide(shown: Shown) -> Form:
    """Adopt or drop, with the reason."""
    return Form(
        "Decide on the pilot",
        "pilot_decided",
        (
            Input("state", "What becomes of it?", "choice", (Choice("Adopt", "adopted"), Choice("Drop", "dropped"))),
            Input("reason", "Why?", "multiline", max_length=LONGEST),
        ),
        submit="Decide",
        intro=f"{shown.title}, {_about(shown)}",
        values={"pilot": shown.pilot.key},
    )


def decided(shown: Shown) -> Card:
    """What was decided, and what is to be done for it."""
    words = f"{shown.by} {STATES[shown.state]}: “{shown.reason}”"
    blocks: list[Block] = [Text(shown.title, "strong"), Text(words)]
    if shown.state == "adopted":
        blocks.append(Text("An administrator gives it a weight in [rubric.weights] and runs redfirst apply; then it is "
                           "measured for four weeks, and lines are proposed."))  # fmt: skip
    else:
        blocks.append(Text("It is on no scorecard of a later period."))
    return Card("Pilot decided", tuple(blocks), summary=f"{shown.title}: {words}")
