"""How a comment on a missed figure looks: the line under it, the buttons beside it, and the form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import cards.text
import scoring.comments
import scoring.periods
from cards.card import Block, Button, Buttons, Card, Choice, Form, Input, Text
from scoring.comments import Comment, Voice
from scoring.periods import Period

CAUSES = {
    "short_staffing": "Short staffing",
    "outage": "Outage",
    "rollout": "Roll-out",
    "client": "A client",
    "data": "The data",
    "other": "Something else",
}

VOICES: dict[Voice, str] = {"lead": "The team's lead", "manager": "A manager", "leadership": "Leadership"}


def line(comment: Comment, asked: Period, *, named: bool) -> str:
    """It under a figure of a period: Comment (short staffing): Two analysts short. Lena Moder, Wed 5 Aug.

    One on a week says so where a month is told. Without `named` the office stands for the name: a channel reads it.
    """
    about = "" if comment.period == asked.key else f" on {_week(comment.period)}"
    cause = f" ({CAUSES[comment.cause].lower()})" if comment.cause in CAUSES and comment.cause != "other" else ""
    who = comment.by if named else VOICES[comment.voice]
    return f"Comment{about}{cause}: {cards.text.stopped(comment.words)} {who}, {scoring.periods.near_day(comment.day)}."


def _week(key: str) -> str:
    return scoring.periods.from_key(key).label.partition(",")[0].lower()


def blocks(comments: Sequence[Comment], asked: Period, *, named: bool) -> list[Block]:
    """What is said of a figure, in one block: a message has room for fifty."""
    return [Text("\n".join(line(one, asked, named=named) for one in comments))] if comments else []


def button(comments: Sequence[Comment], asked: Period, values: Mapping[str, str], title: str = "") -> Button:
    """The way to the form; `values` say whose and which figure it is, `title` where it does not stand beside it."""
    word = "Change comment" if own(comments, asked) else "Comment"
    return Button(f"{word}: {title}" if title else word, "comment_new", dict(values))


def buttons(comments: Sequence[Comment], asked: Period, values: Mapping[str, str]) -> list[Button]:
    """The same, and the way back where there is a comment on the period itself."""
    found = own(comments, asked)
    return [button(comments, asked, values), *([back(found, values)] if found else [])]


def own(comments: Sequence[Comment], asked: Period) -> Comment | None:
    """The comment on the period itself, which another would replace."""
    return next((one for one in comments if one.period == asked.key), None)


def back(comment: Comment, values: Mapping[str, str]) -> Button:
    return Button("Take back", "comment_back", {**values, "version": str(comment.version)}, once=True)


def form(title: str, words: str, found: Comment | None, values: Mapping[str, str]) -> Form:
    """What lies behind a figure; `words` say how it missed, `found` is the version that another would replace."""
    return Form(
        "Comment",
        "comment_kept",
        (
            Input("words", "What lies behind it?", "multiline", value=found.words if found else "",
                  max_length=scoring.comments.LONGEST,
                  hint="One or two honest sentences, without names: the team's channel reads them."),
            Input("cause", "A known cause", "choice", tuple(Choice(text, key) for key, text in CAUSES.items()),
                  value=found.cause if found else "", optional=True),
        ),
        submit="Comment",
        intro=f"{title}: {words}",
        values={**values, "version": str(found.version if found else 0)},
    )  # fmt: skip


def again(form: Form, held: Comment | None, wrote: Comment) -> Form:
    """The form of a comment that others were faster than: with what they said, and what was written in it."""
    told = "Nothing stands there yet."
    if held is not None:
        told = f"{held.by} {f'said: {cards.text.stopped(held.words)}' if held.words else 'took the comment back.'}"
    answers = {"words": wrote.words, "cause": wrote.cause}
    inputs = tuple(replace(one, value=answers.get(one.name, one.value)) for one in form.inputs)
    intro = f"Since you opened this: {told} Look again, and send it once more. {form.intro}"
    return replace(form, inputs=inputs, intro=intro)


def kept(team: str, title: str, comment: Comment, values: Mapping[str, str]) -> Card:
    """The receipt of whoever made it."""
    asked = scoring.periods.from_key(comment.period)
    words = line(comment, asked, named=True)
    return Card(
        "Comment kept",
        (
            Text(f"{team} · {title}", "strong"),
            Text(asked.label, "muted"),
            Text(words),
            Text("It stands under the figure on scorecards and digests of that time.", "muted"),
            Buttons((back(comment, values),)),
        ),
        summary=f"{team}, {title}, {asked.label}. {words}",
    )


def taken_back(team: str, title: str, asked: Period) -> Card:
    """It is shown no more."""
    words = f"{title} has no comment in {asked.label}."
    return Card("Comment taken back", (Text(f"{team} · {title}", "strong"), Text(words)), f"{team}: {words}")
