"""How a distortion looks: the form, what a second person is asked, and the note on every card it touches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import scoring.distortions
import scoring.periods
from cards.card import Block, Button, Buttons, Card, Choice, Divider, Field, Fields, Form, Input, Text
from scoring.distortions import Distortion

SHOWN = 8

KINDS = {"outage": "Outage", "rollout": "Roll-out", "short_staffing": "Short staffing"}
EFFECTS = {0: "Left out", 500: "Counts half"}
COUNTS = {0: "is left out", 500: "counts half"}


@dataclass(frozen=True, slots=True)
class Listed:
    """One in a list, with what whoever reads may do with it; `titles` of the metrics it names."""

    one: Distortion
    titles: tuple[str, ...] = ()
    decides: bool = False
    reverts: bool = False


def note(one: Distortion, titles: Sequence[str], *, team: bool = False) -> str:
    """The small print of a card it touches: Mail outage, 3–5 Aug: left out, approved by Mara."""
    where = f" ({one.team})" if team and one.team else ""
    what = f"{', '.join(titles)} " if titles else ""
    effect = "left out" if one.weight == 0 else "counted half"
    if one.working:
        effect = "being worked in" if one.state == "approved" else "being taken back"
        return f"{one.words}{where}, {scoring.distortions.span(one)}: {what}{effect}; figures change in a moment."
    return f"{one.words}{where}, {scoring.distortions.span(one)}: {what}{effect}, approved by {one.decided_name}."


def _facts(listed: Listed) -> Fields:
    one = listed.one
    rows = (
        ("What", f"{KINDS[one.kind]}: {one.words}"),
        ("Where", one.team or "The whole desk"),
        ("When", scoring.distortions.span(one)),
        ("Metrics", ", ".join(listed.titles) or "All"),
        ("Effect", EFFECTS.get(one.weight, f"Counts {one.weight / 10:g} %") + _working(one)),
        ("Declared by", one.declared_name),
        ("Approved by", one.decided_name if one.state == "approved" else ""),
    )
    return Fields(tuple(Field(label, text) for label, text in rows if text))


def _working(one: Distortion) -> str:
    return " (being worked in)" if one.working and one.state == "approved" else ""


def _buttons(listed: Listed) -> tuple[Button, ...]:
    values = {"distortion": str(listed.one.id)}
    found: list[Button] = []
    if listed.decides and listed.one.state == "asked":
        found.append(Button("Approve", "distortion_approve", values, style="primary", once=True))
        found.append(Button("Decline", "distortion_decline", values))  # opens a form, which may be closed again
    if listed.reverts and listed.one.state == "approved":
        found.append(Button("Take back", "distortion_revert", values))
    return tuple(found)


def to_decide(listed: Listed) -> Card:
    """What a second person is asked."""
    one = listed.one
    return Card(
        f"{one.declared_name} declares a distortion",
        (
            _facts(listed),
            Text("Approved, it is said on every card it touches, and can be taken back at any time.", "muted"),
            Buttons(_buttons(listed)),
        ),
        summary=f"{one.declared_name} declares: {one.words}, {scoring.distortions.span(one)}.",
    )


def listed(waiting: Sequence[Listed], in_force: Sequence[Listed], *, declares: bool) -> Card:
    """What waits for a second person and what is in force, with the way to declare another."""
    blocks: list[Block] = []
    for heading, group in (("Waiting for a second person", waiting), ("In force", in_force)):
        for index, one in enumerate(group[:SHOWN]):
            blocks += [Divider()] if blocks else []
            blocks += [Text(heading, "strong")] if not index else []
            blocks.append(_facts(one))
            buttons = _buttons(one)
            blocks += [Buttons(buttons)] if buttons else []
        if len(group) > SHOWN:
            blocks.append(Text(f"… and {len(group) - SHOWN} more.", "muted"))
    if not blocks:
        blocks.append(Text("Nothing is distorted: every figure counts as it is."))
    if declares:
        blocks.append(Buttons((Button("Declare one", "distortion_new", {}),)))
    return Card("Distortions", tuple(blocks), summary=f"{len(in_force)} in force, {len(waiting)} waiting.")


def form(scopes: Sequence[tuple[str, str]], metrics: Sequence[tuple[str, str]], today: int) -> Form:
    """What happened, where, when, and how it counts; a second person approves."""
    iso = scoring.periods.iso(today)
    return Form(
        "Declare a distortion",
        "distortion_asked",
        (
            Input("kind", "What was it?", "choice", tuple(Choice(text, key) for key, text in KINDS.items())),
            Input("words", "In a few words, for everybody to read", hint="Mail outage",
                  max_length=scoring.distortions.WORDS),
            Input("scope", "Where?", "choice", tuple(Choice(name, scope) for scope, name in scopes)),
            Input("first", "First day", "date", value=iso),
            Input("last", "Last day, included", "date", value=iso),
            Input("metric", "Which metrics?", "choice",
                  (Choice("All", "all"), *(Choice(title, name) for name, title in metrics[:99])), value="all"),
            Input("weight", "How do the facts of these days count?", "choice",
                  tuple(Choice(text, str(weight)) for weight, text in EFFECTS.items()), value="0"),
        ),
        submit="Ask",
        intro="It takes effect when a second person has approved it, and is said on every card it touches.",
    )  # fmt: skip


def asked(listed: Listed, told: Sequence[str]) -> Card:
    """The receipt of whoever declared it."""
    names = ", ".join(told)
    return Card(
        "Asked",
        (_facts(listed), Text(f"I have asked {names}. Until one of them approves it, every figure counts as it is.")),
        summary=f"I have asked {names} about: {listed.one.words}.",
    )


def decline(one: Distortion) -> Form:
    """A no needs a sentence."""
    return _reason("Decline", "distortion_declined", "Why not?", one)


def revert(one: Distortion) -> Form:
    """So does taking it back."""
    return _reason("Take back", "distortion_reverted", "Why is it taken back?", one)


def _reason(title: str, route: str, question: str, one: Distortion) -> Form:
    return Form(
        title,
        route,
        (Input("reason", question, "multiline", max_length=500),),
        submit=title,
        intro=f"{one.words}, {scoring.distortions.span(one)}.",
        values={"distortion": str(one.id)},
    )


def changed(listed: Listed, by: str, scores: int) -> Card:
    """What became of it, for whoever decided and whoever declared. `scores`: closed ones that have a new version."""
    one = listed.one
    when = scoring.distortions.span(one)
    words = {
        "approved": f"{by} approved it. {one.words}, {when}, {COUNTS[one.weight]} from now on.",
        "declined": f"{by} declined it: {one.answer}",
        "reverted": f"{by} took it back: {one.answer} The figures count as they are again.",
    }[one.state]
    if one.working:
        did = "approved it." if one.state == "approved" else f"took it back: {one.answer}"
        words = f"{by} {did} It is being worked into the figures, and I tell you when that is done."
    blocks: list[Block] = [_facts(listed), Text(words)]
    if scores:
        many = "One closed score has" if scores == 1 else f"{scores} closed scores have"
        blocks.append(Text(f"{many} a new version.", "muted"))
    return Card(f"Distortion {one.state}", tuple(blocks), summary=f"{one.words}, {when}. {words}")
