"""How tickets behind a figure look, and the correction that a person can ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cards.card import Block, Button, Buttons, Card, Choice, Field, Fields, Form, Input, Link, Table, Text

KINDS = {"not_mine": "This is not my work", "leave_out": "Leave it out: special circumstances"}


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket behind a figure: `counted` says how it counts there ("counts for you", "left out: …")."""

    id: str
    number: str
    title: str
    url: str
    counted: str


def behind(
    title: str, label: str, tickets: Sequence[Ticket], more: bool, values: Mapping[str, str], mine: bool,
    age: str = "",
) -> Card:  # fmt: skip
    """The tickets behind one figure, with links into the ticket system; `age` says how old what is known is."""
    dated: list[Block] = [Text(label, "muted"), *([Text(age, "muted")] if age else [])]
    back = dict(values)
    buttons = [Button("Why", "why", back), Button("Back", "score", back)]
    if not tickets:
        words = "No tickets stand behind this figure in this period."
        return Card(f"Tickets: {title}", (*dated, Text(words), Buttons(tuple(buttons))), summary=words)
    rows = tuple(
        (Link(t.number, t.url) if t.url else t.number, t.title or "–", t.counted) for t in tickets
    )
    blocks = [*dated, Table(("Ticket", "About", "Counts"), rows, f"Tickets behind {title}")]
    if more:
        blocks.append(Text(f"The latest {len(tickets)}; older ones are not shown.", "muted"))
    if mine:
        buttons.insert(0, Button("Something is not mine", "correct", back))
    blocks.append(Buttons(tuple(buttons)))
    return Card(f"Tickets: {title}", tuple(blocks), summary=f"{len(tickets)} tickets behind {title}, {label}.")


def correct(tickets: Sequence[Ticket], chosen: str, values: Mapping[str, str]) -> Form:
    """Which ticket, what is wrong, why; the lead confirms."""
    choices = tuple(Choice(f"{t.number} {t.title}"[:75], t.id) for t in tickets[:100])
    return Form(
        "Not mine, or leave out",
        "corrected",
        (
            Input("ticket", "Which ticket?", "choice", choices, value=chosen),
            Input("kind", "What is wrong?", "choice", tuple(Choice(text, key) for key, text in KINDS.items())),
            Input("reason", "Why?", "multiline", hint="Your lead reads this and confirms or answers.", max_length=500),
        ),
        submit="Ask",
        intro="Your lead confirms; your score changes then. This is no appeal and costs you nothing.",
        values=dict(values),
    )


def asked(number: str, lead: str) -> Card:
    """The person's receipt."""
    return Card(
        "Asked",
        (Text(f"I have asked {lead} about {number}. You will hear from me when it is decided."),),
        summary=f"I have asked {lead} about {number}.",
    )


def to_decide(correction_id: int, name: str, number: str, about: str, kind: str, reason: str) -> Card:
    """For the lead: what is asked, with the two answers."""
    values = {"correction": str(correction_id)}
    return Card(
        f"{name} asks for a correction",
        (
            Fields((Field("Ticket", f"{number} {about}".strip()), Field("Wish", KINDS[kind]), Field("Why", reason))),
            Text("Confirmed, the ticket no longer counts for them.", "muted"),
            Buttons(
                (
                    Button("Confirm", "confirm", values, style="primary", once=True),
                    Button("Answer no", "decline", values),  # opens a form, which may be closed and opened again
                )
            ),
        ),
        summary=f"{name} asks for a correction of {number}: {KINDS[kind].lower()}.",
    )


def decline(correction_id: int) -> Form:
    """A no needs a sentence."""
    return Form(
        "Answer no",
        "declined",
        (Input("answer", "What shall I tell them?", "multiline", max_length=500),),
        submit="Send",
        values={"correction": str(correction_id)},
    )


def decided(number: str, verdict: str, decider: str, answer: str) -> Card:
    """The outcome, for both."""
    text = (
        f"{number} no longer counts. {decider} confirmed it; figures of that time are renewed."
        if verdict == "confirmed"
        else f"{number} stays as it is. {decider} answers: {answer}"
    )
    return Card("Correction " + verdict, (Text(text),), summary=text)


def waiting(listed: Sequence[Card]) -> Card:
    """All that waits for a lead's decision, in one card."""
    if not listed:
        text = "Nothing waits for you."
        return Card("Corrections", (Text(text),), summary=text)
    blocks: list[Block] = []
    for one in listed[:8]:
        blocks += [Text(one.title, "strong"), *one.blocks]
    if len(listed) > 8:
        blocks.append(Text(f"… and {len(listed) - 8} more; decide these first.", "muted"))
    return Card("Corrections", tuple(blocks), summary=f"{len(listed)} corrections wait for you.")
