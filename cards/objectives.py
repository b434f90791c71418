"""How objectives look: the tree with both roll-ups, one branch of it, the form to add one, examples, reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cards.text
import scoring.objectives
import scoring.objectives_file
import scoring.periods
from cards.card import (
    SYMBOL,
    WORD,
    Badge,
    Block,
    Button,
    Buttons,
    Card,
    Choice,
    Divider,
    Field,
    Fields,
    Form,
    Heading,
    Input,
    Text,
)
from scoring.cascade import Standing
from scoring.objectives import Objective
from scoring.objectives_file import LONGEST, Cascade

PAGE = 6
"""Objectives a card shows before it offers the next ones."""

KIND = {"leadership": "Leadership", "team": "Team", "individual": "Individual"}
PERSPECTIVE = {"financial": "Financial", "customer": "Customer", "process": "Internal process",
               "people": "People and learning"}  # fmt: skip
ALONE = "Individual objectives are open to each person and their lead only."


@dataclass(frozen=True, slots=True)
class Line:
    """One objective as the asker may see it.

    `standing` is None where its status is not theirs to see; `figure` tells its own reading. `below` counts the
    objectives directly below that the asker may see, `people` whoever else's own objectives support it, 0 under five.
    """

    objective: Objective
    whom: str
    standing: Standing | None = None
    figure: str = ""
    below: int = 0
    people: int = 0


def _date(day: int | None) -> str:
    return "–" if day is None else scoring.periods.day_month_year(day)


def _status(status: str) -> str:
    return f"{SYMBOL[status]} {WORD[status]}"


def stands(standing: Standing) -> str:
    """Both roll-ups in words."""
    if standing.balance is None:
        return "No status yet: nothing below has enough data."
    by_weight = f"{_status(standing.by_weight)} ({round(100 * standing.balance)} of 100)"
    behind = "one status" if standing.coloured == 1 else f"{standing.coloured} statuses"
    return f"By worst child {_status(standing.worst)}, by weight {by_weight}, from {behind}."


def _head(line: Line) -> Block:
    if line.standing is None:
        return Text(line.objective.title, "strong")
    return Badge(line.standing.worst, line.objective.title)


def _about(line: Line) -> str:
    one = line.objective
    parts = [f"{KIND[one.level]}: {line.whom}"]
    if one.owner:
        parts.append(f"owner {one.owner}")
    if one.decision_day is not None:
        parts.append(f"decided on {_date(one.decision_day)}")
    if line.below:
        parts.append("one objective below" if line.below == 1 else f"{line.below} objectives below")
    if line.people:
        parts.append(f"carried by {line.people} people")
    return " · ".join(parts) + "."


def _item(line: Line) -> list[Block]:
    told = _about(line) if line.standing is None else f"{stands(line.standing)} {_about(line)}"
    return [_head(line), Text(told, "muted"), _open(line.objective)]


def _open(one: Objective) -> Buttons:
    return Buttons((Button("Open", "objective_open", {"objective": one.key}),))


def _page(lines: Sequence[Line], page: int, route: str, values: Mapping[str, str]) -> list[Block]:
    first = page * PAGE
    blocks = [block for line in lines[first : first + PAGE] for block in _item(line)]
    turn = []
    if page:
        turn.append(Button("‹ Earlier", route, {**values, "page": str(page - 1)}))
    if len(lines) > first + PAGE:
        turn.append(Button(f"{len(lines) - first - PAGE} more ›", route, {**values, "page": str(page + 1)}))
    if turn:
        blocks.append(Buttons(tuple(turn)))
    return blocks


def tree(
    lines: Sequence[Line], page: int, label: str, *, priorities: Sequence[Block] = (), leads: bool = False
) -> Card:
    """The top of the cascade, reds first. `leads` offers the form for the priorities of the month."""
    blocks: list[Block] = [*priorities]
    if not lines:
        blocks.append(Text("There are no objectives yet. Add one, or begin with an example."))
    blocks += _page(lines, page, "objective_tree", {})
    blocks.append(Divider())
    buttons = [Button("Add an objective", "objective_new"), Button("Examples", "objective_examples")]
    if leads:
        buttons.append(Button("Priorities of the month", "priorities"))
    blocks.append(Buttons(tuple(buttons)))
    blocks.append(Text(f"Statuses of {label}, from what is open to you. {ALONE}", "muted"))
    counted = _counted([line.standing.worst for line in lines if line.standing])
    return Card("Objectives", tuple(blocks), summary=f"{len(lines)} objectives at the top{counted}.")


def _counted(statuses: Sequence[str]) -> str:
    parts = [f"{statuses.count(s)} {WORD[s].lower()}" for s in ("red", "amber", "green") if s in statuses]
    return f": {', '.join(parts)}" if parts else ""


def _measure(one: Objective, titles: Mapping[str, str]) -> str:
    named = ", ".join(titles.get(name, name) for name in one.metrics)
    return named or one.proxy or "–"


def _lines_of(one: Objective) -> str:
    if one.target is None:
        return "as on the scorecard" if one.metrics else "–"
    red = "" if one.red is None else f", red line {one.red:g}"
    return f"target {one.target:g}{red}"


def branch(
    line: Line, parent: Line | None, children: Sequence[Line], page: int, label: str, titles: Mapping[str, str],
    *, may_change: bool
) -> Card:  # fmt: skip
    """One objective with what it supports and what supports it."""
    one = line.objective
    back = {"objective": one.key}
    blocks: list[Block] = [_head(line) if line.standing else Text("Its status is not open to you.", "muted")]
    if line.standing:
        own = f"Its own status: {_status(line.standing.own)}. " if one.metrics else ""
        blocks.append(Text(f"{own}{stands(line.standing)}"))
    if line.figure:
        blocks.append(Text(line.figure))
    fields = [
        Field(KIND[one.level], line.whom), Field("Perspective", PERSPECTIVE.get(one.perspective, "–")),
        Field("Owner", one.owner or "–"), Field("Measured by", _measure(one, titles)), Field("Lines", _lines_of(one)),
        Field("Looked at", one.cadence or "–"), Field("Next decision", _date(one.decision_day)),
        Field("Supports", parent.objective.title if parent else "nothing further up"),
    ]  # fmt: skip
    if one.source:  # the configuration says no more than this of one
        fields = [field for field in fields if field.value != "–"]
    if one.weight != 1.0:
        fields.append(Field("Weight", f"{one.weight:g}"))
    blocks.append(Fields(tuple(fields)))
    said = {"Covers": one.scope, "How it is influenced": one.influence, "Time": one.time, "People": one.people,
            "Tools": one.tools, "Justified by": one.justification}  # fmt: skip
    blocks += [Text(f"{name}: {text}") for name, text in said.items() if text]
    if children or line.people:
        blocks.append(Heading("What supports it"))
    blocks += _page(children, page, "objective_open", back)
    if line.people:
        blocks.append(Text(f"{line.people} people carry it with objectives of their own."))
    blocks.append(Divider())
    buttons = [Button("Up", "objective_open", {"objective": parent.objective.key})] if parent else []
    buttons.append(Button("All objectives", "objective_tree"))
    if one.level != "individual":
        buttons.append(Button("Add one that supports it", "objective_new", {"supports": one.key}))
    if may_change:
        buttons += [Button("Change", "objective_change", back), Button("Close", "objective_close", back)]
    blocks.append(Buttons(tuple(buttons)))
    kept = f"It is kept in {one.source}, and changed there." if one.source else f"Version {one.version}."
    blocks.append(Text(f"Statuses of {label}, from what is open to you. {kept} {ALONE}", "muted"))
    status = line.standing.worst if line.standing else "none"
    told = stands(line.standing) if line.standing else ""
    return Card(one.title, tuple(blocks), summary=f"{one.title}. {told}".strip(), status=status)


# ---- forms ----


@dataclass(frozen=True, slots=True)
class Offer:
    """What a form lets somebody choose from: (value, text) each."""

    subjects: Sequence[tuple[str, str]]
    owners: Sequence[tuple[str, str]]
    metrics: Sequence[tuple[str, str]]
    parents: Sequence[tuple[str, str]]


def _choose(name: str, label: str, offered: Sequence[tuple[str, str]], value: str, hint: str = "", *,
            optional: bool = False) -> Input:  # fmt: skip
    choices = tuple(Choice(text[:75], key) for key, text in offered[:100])
    return Input(name, label, "choice", choices, value=value, hint=hint, optional=optional)


def form(offer: Offer, filled: Mapping[str, str], route: str, values: Mapping[str, str], wrong: Sequence[str]) -> Form:
    """The form of an objective, with what is missing said above it and what was written kept in it."""

    def said(name: str) -> str:
        return filled.get(name, "")

    def write(name: str, label: str, hint: str = "", *, optional: bool = False) -> Input:
        return Input(name, label, "text", value=said(name), hint=hint, optional=optional, max_length=LONGEST)

    perspectives = [(key, PERSPECTIVE[key]) for key in scoring.objectives.PERSPECTIVES]
    cadences = [(key, key) for key in scoring.objectives.CADENCES]
    inputs = [
        write("title", "What will be different?", "Three words or more: Clients rate our help as good"),
        write("scope", "What does it cover?", "Which clients, which work, which people", optional=True),
        _choose("for", "For whom?", offer.subjects, said("for")),
        _choose("perspective", "Perspective", perspectives, said("perspective")),
        _choose("owner", "Owner", offer.owners, said("owner")),
        _choose("metric", "Metric", offer.metrics, said("metric"), "Or say below what is looked at", optional=True),
        write("proxy", "Without a metric: what is looked at?", "It must cost nothing to collect", optional=True),
        write("target", "Target", "A number; empty keeps the scorecard's lines", optional=True),
        write("red", "Red line", optional=True),
        _choose("cadence", "How often is it looked at?", cadences, said("cadence")),
        Input("decision", "When is it decided how to go on?", "date", value=said("decision"), optional=True),
        write("influence", "How do they influence it?", "One sentence; a metric brings its own", optional=True),
        write("time", "Time: where does it come from?", optional=True),
        write("people", "People: who does it?", optional=True),
        write("tools", "Tools: with what?", optional=True),
        _choose("supports", "What does it support?", offer.parents, said("supports"), optional=True),
        write("weight", "Weight among its siblings", "1 is as much as the others", optional=True),
        write("justification", "Justification, where one is asked for", "It is kept and shown", optional=True),
    ]
    intro = "\n".join(f"• {words}" for words in wrong)
    return Form(
        "Objective", route, tuple(inputs), submit="Keep", values=dict(values),
        intro=f"It cannot stand yet:\n{intro}" if wrong else "Five questions: specific, measurable, achievable, "
        "relevant, time-bound. What is missing is said before anything is kept.",
    )  # fmt: skip


def close(one: Objective) -> Form:
    """Why it ends."""
    return Form(
        "Close the objective",
        "objective_closed",
        (Input("reason", "Why does it end?", "multiline", hint="Reached, given up, or replaced by what?",
               max_length=LONGEST),),
        submit="Close it",
        intro=one.title,
        values={"objective": one.key, "version": str(one.version)},
    )  # fmt: skip


def closed(one: Objective, loose: int) -> Card:
    """It has ended; what supported it is said."""
    text = f"“{one.title}” is closed: {one.reason}"
    blocks: list[Block] = [Text(text)]
    if loose:
        hang = "One objective supported it and now hangs" if loose == 1 else f"{loose} objectives supported it and hang"
        blocks.append(Text(f"{hang} in the air: give it something else to support."))
    blocks.append(Buttons((Button("All objectives", "objective_tree"),)))
    return Card("Closed", tuple(blocks), summary=text)


def told(one: Objective, by: str) -> Card:
    """For the person whose objective somebody else has set or changed."""
    text = f"{by} {'set' if one.version == 1 else 'changed'} an objective with you: {one.title}"
    return Card(
        "An objective of yours",
        (Text(text), Text(ALONE, "muted"), _open(one)),
        summary=text,
    )


# ---- examples ----


def examples(cascades: Sequence[Cascade]) -> Card:
    """The example cascades to pick from."""
    blocks: list[Block] = []
    for one in cascades:
        look = Button("Look", "objective_example", {"example": one.name})
        blocks += [Text(one.title, "strong"), Text(one.about), Buttons((look,))]
    return Card("Examples", tuple(blocks), summary=f"{len(cascades)} example cascades to pick from.")


def example(cascade: Cascade, titles: Mapping[str, str]) -> Card:
    """A cascade as mini scorecards, each objective with a way to take it."""
    blocks: list[Block] = [Text(cascade.about)]
    for level in scoring.objectives.PLACES:
        blocks.append(Heading(KIND[level]))
        for one in (o for o in cascade.objectives if o.level == level):
            take = Button("Take it", "objective_new", {"example": cascade.name, "take": one.key})
            told = f"{cards.text.capital(one.scope)}. Measured by {_measure(one, titles)}, looked at {one.cadence}."
            blocks += [Text(one.title, "strong"), Text(told), Buttons((take,))]
    blocks.append(Buttons((Button("Other examples", "objective_examples"),)))
    return Card(cascade.title, tuple(blocks), summary=f"{cascade.title}: {len(cascade.objectives)} objectives.")


# ---- reports ----


def report(unlinked: Sequence[tuple[str, Objective]], uncarried: Sequence[Objective]) -> Card:
    """The monthly word about what hangs in the air: (name, objective) of one's people, or leadership's own."""
    blocks: list[Block] = []
    for name, one in unlinked[:PAGE]:
        blocks += [Text(f"{name}: {one.title}"), _open(one)]
    for one in uncarried[:PAGE]:
        blocks += [Text(one.title), _open(one)]
    more = len(unlinked) + len(uncarried) - len(unlinked[:PAGE]) - len(uncarried[:PAGE])
    if more:
        blocks.append(Text(f"… and {more} more.", "muted"))
    if unlinked:
        title = "Objectives that support nothing"
        text = "These objectives of people you lead support no other. Talk with them about what each is for."
    else:
        title = "Objectives that nobody carries"
        text = "No team and no person has an objective that supports these."
    return Card(title, (Text(text), *blocks), summary=f"{title}: {len(unlinked) + len(uncarried)}.")
