"""How nudges look: one thing to try, with the figure, and every way to say no."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cards.notice
import cards.text
import scoring.figures
import scoring.periods
from cards.card import Badge, Block, Button, Buttons, Card, Choice, Divider, Field, Fields, Form, Heading, Input, Text
from scoring.behaviours import Behaviour
from scoring.metrics import Metric
from scoring.scorecards import Reading

SNOOZES = {"day": "Until tomorrow", "week": "For a week", "date": "Until a date (below)"}
STOPS = {"this": "This one", "all": "All nudges"}


def figure(metric: Metric, reading: Reading) -> tuple[Block, ...]:
    """The figure that it is about, with its sample, target and red line."""
    target = scoring.figures.line(metric, reading.lines.target)
    words = f"{cards.text.capital(reading.words)}; target {target}."
    return (
        Badge(reading.status, f"{metric.title}: {scoring.figures.figure(metric, reading.value)}"),
        Text(words, "muted"),
    )


def nudge(number: int, one: Behaviour, metric: Metric, reading: Reading) -> Card:
    """One thing to try this week."""
    values = {"nudge": str(number)}
    return Card(
        "One thing to try",
        (
            Text(one.title, "strong"),
            Text(one.what),
            Fields((Field("Why it helps", one.why), Field("It works when", one.worked))),
            *figure(metric, reading),
            Text("Only you get this message. Nobody is told whether you do it.", "muted"),
            Buttons(
                (
                    Button("Show me the tickets", "nudge_tickets", values),
                    Button("Done", "nudge_done", values, style="primary"),
                    Button("Snooze", "nudge_snooze", values),
                    Button("Not my fault", "nudge_not_mine", values),
                    Button("Stop", "nudge_stop", values),
                )
            ),
        ),
        summary=f"One thing to try: {one.title}. {one.what}",
    )


def done(one: Behaviour, check_day: int) -> Card:
    """Somebody has done it."""
    day = scoring.periods.near_day(check_day)
    text = f"Good. I look at the figures again on {day} and tell you how it went; until then I am quiet."
    return Card(one.title, (Text(text),), summary=text)


def snooze(number: int, here: int) -> Form:
    """For how long."""
    choices = tuple(Choice(text, key) for key, text in SNOOZES.items())
    later = scoring.periods.iso(here + 14)
    hint = "Only where you chose a date."
    return Form(
        "Snooze",
        "nudge_snoozed",
        (
            Input("how", "How long shall I be quiet about this?", "choice", choices, value="week"),
            Input("until", "Until which day?", "date", value=later, hint=hint, optional=True),
        ),
        submit="Snooze",
        values={"nudge": str(number)},
    )


def snoozed(one: Behaviour, until: int) -> Card:
    text = f"Quiet about this until {scoring.periods.near_day(until)}."
    return Card(one.title, (Text(text),), summary=text)


def not_mine(number: int, metric: Metric) -> Form:
    """What is in the way: a comment to the lead."""
    return Form(
        "Not my fault",
        "nudge_not_mine_said",
        (
            Input(
                "comment",
                "What is in the way?",
                "multiline",
                hint="Your lead reads this, with your name. Say what would help.",
                max_length=500,
            ),
        ),
        submit="Tell my lead",
        intro=f"About {metric.title}. A single ticket that is not yours is reported on /myscore instead.",
        values={"nudge": str(number)},
    )


def in_the_way(name: str, metric: Metric, comment: str, person_id: int, *, mine: bool) -> Card:
    """The comment, for the person and for their lead."""
    title = "Told" if mine else f"{name}: something is in the way"
    head = f"{name} writes about {metric.title}:"
    if mine:
        head = "Your lead has been told. I am quiet about this for two weeks."
    blocks: list[Block] = [Text(head), Text(f"“{comment}”", "strong")]
    if not mine:
        blocks.append(Text("What stands in somebody's way is yours to clear. Talk, and say what you will do.", "muted"))
        blocks.append(Buttons((Button("Prepare the talk", "coach_open", {"person": str(person_id)}),)))
    return Card(title, tuple(blocks), summary=f"{head} “{comment}”")


def stop(number: int) -> Form:
    """This one, or all."""
    choices = tuple(Choice(text, key) for key, text in STOPS.items())
    return Form(
        "Stop",
        "nudge_stopped",
        (Input("what", "What shall I stop?", "choice", choices, value="this"),),
        submit="Stop",
        intro="It costs you nothing, and nobody is told. You can take it up again at any time.",
        values={"nudge": str(number)},
    )


def stopped(one: Behaviour | None, names: Mapping[str, str]) -> Card:
    """What was stopped, and the way back; None is all of them."""
    text = f"No more about “{one.title}”." if one else "No more nudges."
    text += f" The way back: {cards.notice.command(names, 'redfirst', 'nudges')}."
    return Card("Stopped", (Text(text),), summary=text)


def well_done(one: Behaviour, metric: Metric, reading: Reading) -> Card:
    """Sustained green: the nudging ends by itself."""
    head = f"{metric.title} has been green at the end of three weeks in a row."
    text = "That is your work, and I stop nudging about it. Well done."
    return Card(
        "Well done",
        (Text(head, "strong"), *figure(metric, reading), Text(f"“{one.title}”"), Text(text),
         Text("Only you get this message.", "muted")),
        summary=f"{head} {text}",
        status="green",
    )  # fmt: skip


def settings(
    focuses: Sequence[tuple[Behaviour, Metric]], paused: Sequence[tuple[str, str, int | None]], on: bool
) -> Card:
    """What one is nudged about, what is paused ((behaviour, title, until)), and the switch."""
    blocks: list[Block] = []
    if focuses:
        blocks.append(Heading("Your focus"))
        blocks += [Text(f"{metric.title}: {one.title}. {one.what}") for one, metric in focuses]
    else:
        words = "You have no focus now. On working mornings I look for one thing that would mend a red or an amber."
        blocks.append(Text(words))
    if paused:
        blocks += [Divider(), Heading("Quiet about")]
        for behaviour, title, until in paused:
            quiet = "stopped" if until is None else f"until {scoring.periods.near_day(until)}"
            blocks.append(Text(f"{title}: {quiet}."))
            blocks.append(Buttons((Button("Take it up again", "nudges_on", {"behaviour": behaviour}),)))
    switch = Button("Nudges off", "nudges_off") if on else Button("Nudges on", "nudges_on")
    words = "Nudges are on: two a week at most, in your working hours." if on else "Nudges are off."
    blocks += [Divider(), Text(words, "strong"), Buttons((switch,))]
    seen = "Nobody but you sees your focus; of your answers your lead reads only what you write to them."
    blocks.append(Text(seen, "muted"))
    names = ", ".join(one.title for one, _ in focuses)
    return Card("Your nudges", tuple(blocks), summary=f"{words} Focus: {names or 'none'}.")
