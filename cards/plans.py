"""How a path to green looks: the form, the line under a red, the list, and what the owner is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cards.text
import scoring.periods
import scoring.plans
from cards.card import Block, Button, Buttons, Card, Choice, Divider, Field, Fields, Form, Input, Text
from scoring.plans import Change, Plan, Reminder

SHOWN = 8
"""Plans of a list that keep their buttons; a card has room for no more."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A plan in a list: the title of its metric, and what whoever reads may do with it."""

    plan: Plan
    title: str
    reports: bool = False  # the owner, or who keeps the plans
    keeps: bool = False


def line(plan: Plan, today: int, *, owner: bool = True) -> str:
    """The plan in a line, as it stands under its red; without the owner where others read along."""
    day = scoring.periods.near_day(plan.due_day)
    due = f"overdue since {day}" if scoring.plans.overdue(plan, today) else f"due {day}"
    who = plan.owner if plan.owned else f"Needs an owner (it was {plan.owner}’s)"
    parts = [f"Plan: {cards.text.stopped(plan.action)}", f"{who}, {due}." if owner else f"{cards.text.capital(due)}."]
    if plan.moved:
        parts.append(f"Moved {'once' if plan.moved == 1 else f'{plan.moved} times'}.")
    if plan.blocker:
        parts.append(f"Blocked: {cards.text.stopped(plan.blocker)}")
    return " ".join(parts)


def owner(plan: Plan) -> str:
    """Who sees to it, as it stands in brackets."""
    return plan.owner if plan.owned else f"needs an owner, it was {plan.owner}’s"


def form(
    title: str, words: str, owners: Sequence[tuple[int, str]], due_day: int, values: Mapping[str, str]
) -> Form:
    """What will be done, by whom, by when; `words` say what is red."""
    return Form(
        "Path to green",
        "plan_added",
        (
            Input("action", "What will you do?", "multiline", max_length=scoring.plans.LONGEST,
                  hint="One thing, in a sentence, without names: the team reads it."),
            Input("owner", "Who sees to it?", "choice", tuple(Choice(name, str(number)) for number, name in owners)),
            Input("due", "By when?", "date", value=scoring.periods.iso(due_day)),
        ),
        submit="Add the plan",
        intro=f"{title}: {words}",
        values=dict(values),
    )  # fmt: skip


def saved(team: str, title: str, plan: Plan, today: int) -> Card:
    """The receipt of whoever added it."""
    return Card(
        "Plan added",
        (Text(f"{team} · {title}", "strong"), Text(line(plan, today)), Text(_what_follows(plan), "muted")),
        summary=f"{team}, {title}. {line(plan, today)}",
    )


def _what_follows(plan: Plan) -> str:
    return f"{plan.owner} is reminded before and on the day; when it is done, the weeks after it say whether it worked."


def asked(by: str, team: str, title: str, plan: Plan, today: int) -> Card:
    """The owner is told what somebody else promised for them."""
    words = line(plan, today, owner=False)
    return Card(f"{by} asks you to see to a plan", _yours(team, title, plan, words), f"{by} asks you: {words}")


def _yours(team: str, title: str, plan: Plan, words: str) -> tuple[Block, ...]:
    """A plan as its owner is shown it, with what they can report."""
    buttons = _buttons(Listed(plan, title, reports=True))
    return (Text(f"{team} · {title}", "strong"), Text(words), Buttons(buttons))


def handed(by: str, team: str, title: str, plan: Plan, words: str, today: int) -> Card:
    """The new owner is told whose plan it was handed on by, and what was said with it."""
    said = line(plan, today, owner=False)
    first, *rest = _yours(team, title, plan, said)
    note = (Text(f"{by}: “{words}”"),) if words else ()
    return Card(f"{by} hands a plan to you", (first, *note, *rest), f"{by} hands you a plan: {said}")


def given(by: str, team: str, title: str, plan: Plan) -> Card:
    """Whose plan it was is told that it is somebody else's now."""
    words = f"{by} has handed it to {plan.owner}. Nothing is left for you to do."
    blocks = (Text(f"{team} · {title}", "strong"), Text(cards.text.stopped(plan.action)), Text(words))
    return Card("A plan of yours has another owner", blocks, f"{team}, {title}: {words}")


def orphaned(team: str, title: str, plan: Plan, today: int) -> Card:
    """Whoever keeps the plans is asked, once, to hand it to somebody."""
    words = f"{plan.owner} sees to it no more. Until somebody does, its reminders come to you."
    buttons = tuple(
        replace(one, style="primary" if one.route == "plan_hand" else "normal")
        for one in _buttons(Listed(plan, title, reports=True, keeps=True))
    )
    blocks = (Text(f"{team} · {title}", "strong"), Text(line(plan, today, owner=False)), Text(words), Buttons(buttons))
    return Card("A plan needs an owner", blocks, f"A plan needs an owner. {team}, {title}. {words}")


def _values(plan: Plan) -> dict[str, str]:
    return {"plan": str(plan.id), "version": str(plan.version)}


def _buttons(one: Listed) -> tuple[Button, ...]:
    """What can be done with a plan by whom it is shown to; forms may be closed and opened again."""
    values = _values(one.plan)
    found: list[Button] = []
    if one.reports:
        found.append(Button("Done", "plan_done", values, style="primary", once=True))
        found.append(Button("Move", "plan_move", values))
        if one.plan.blocker:
            found.append(Button("No longer blocked", "plan_unblock", values, once=True))
        else:
            found.append(Button("Blocked", "plan_block", values))
        found.append(Button("Hand over", "plan_hand", values))
    if one.keeps:
        found.append(Button("Drop", "plan_drop", values))
    return tuple(found)


def listed(team: str, plans: Sequence[Listed], closed: Sequence[Listed], today: int) -> Card:
    """The plans of a team or the desk, overdue ones first, then what was closed lately."""
    late = sum(scoring.plans.overdue(one.plan, today) for one in plans)
    blocks: list[Block] = []
    if not plans:
        blocks.append(Text("No plan is open."))
    for index, one in enumerate(plans):
        if index:
            blocks.append(Divider())
        blocks += [Text(f"{_mark(one.plan, today)}{one.title}", "strong"), Text(line(one.plan, today))]
        if one.plan.reason:
            blocks.append(Text(f"Moved because: {cards.text.stopped(one.plan.reason)}", "muted"))
        buttons = _buttons(one)
        if buttons and index < SHOWN:
            blocks.append(Buttons(buttons))
    if len(plans) > SHOWN:
        blocks.append(Text("Buttons are under the first ones; see to these first.", "muted"))
    if closed:
        blocks += [Divider(), Text("Closed lately", "strong")]
        blocks += [Text(f"{one.title}: {_ended(one.plan)}", "muted") for one in closed[:SHOWN]]
    counted = f"{len(plans)} open" + (f", {late} overdue" if late else "")
    return Card(f"Plans · {team}", tuple(blocks), summary=f"Plans of {team}: {counted}.")


def _mark(plan: Plan, today: int) -> str:
    """What a plan is most in need of, in front of its title."""
    if not plan.owned:
        return "Needs an owner · "
    if scoring.plans.overdue(plan, today):
        return "Overdue · "
    return "Blocked · " if plan.blocker else ""


_OUTCOMES = {
    "": "fresh figures will tell whether it worked",
    "worked": "it worked",
    "not_yet": "it has not worked yet",
    "cannot_tell": "the figures cannot tell whether it worked",
}


def _ended(plan: Plan) -> str:
    when = f" on {scoring.periods.near_day(plan.closed_day)}" if plan.closed_day is not None else ""
    if plan.state == "dropped":
        return f"dropped{when}. {cards.text.stopped(plan.reason)}"
    return f"{cards.text.stopped(plan.action)} Done{when}; {_OUTCOMES[plan.outcome]}."


def changed(title: str, plan: Plan, today: int) -> Card:
    """A plan after something was reported on it."""
    if plan.state == "open":
        words = line(plan, today)
        return Card("Plan changed", (Text(title, "strong"), Text(words)), summary=f"{title}. {words}")
    return Card(f"Plan {plan.state}", (Text(title, "strong"), Text(cards.text.capital(_ended(plan)))),
                summary=f"{title}: {_ended(plan)}")  # fmt: skip


def move(title: str, plan: Plan) -> Form:
    """Another day, with the reason."""
    return Form(
        "Move the plan",
        "plan_moved",
        (
            Input("due", "To which day?", "date", value=scoring.periods.iso(plan.due_day)),
            Input("reason", "Why does it move?", "multiline", max_length=scoring.plans.LONGEST),
        ),
        submit="Move",
        intro=f"{title}: {cards.text.stopped(plan.action)} Due {scoring.periods.near_day(plan.due_day)}.",
        values=_values(plan),
    )


def drop(title: str, plan: Plan) -> Form:
    """A plan is not given up without a word."""
    return Form(
        "Drop the plan",
        "plan_dropped",
        (Input("reason", "Why is it dropped?", "multiline", max_length=scoring.plans.LONGEST),),
        submit="Drop",
        intro=f"{title}: {cards.text.stopped(plan.action)}",
        values=_values(plan),
    )


def block(title: str, plan: Plan, *, told: bool = True) -> Form:
    """What somebody above must take away; unless `told`, nobody above hears of it by itself."""
    hint = "Without names: it is handed up, and the weekly card lists it until it is gone."
    intro = f"{title}: {cards.text.stopped(plan.action)}"
    if not told:
        hint = "Without names: the lead’s weekly card lists it until it is gone."
        intro += " Too few people stand behind this figure for anybody above to be told of it: tell them yourself."
    return Form(
        "What is in the way?",
        "plan_blocked",
        (
            Input("blocker", "What must be taken away?", "multiline", max_length=scoring.plans.LONGEST,
                  hint=hint),
        ),
        submit="Hand it up" if told else "Note it",
        intro=intro,
        values=_values(plan),
    )  # fmt: skip


def hand(title: str, plan: Plan, owners: Sequence[tuple[int, str]], today: int) -> Form:
    """To whom, and a sentence where there is one to say."""
    return Form(
        "Hand the plan over",
        "plan_handed",
        (
            Input("owner", "Who sees to it from now on?", "choice",
                  tuple(Choice(name, str(number)) for number, name in owners)),
            Input("words", "What should they know?", "multiline", max_length=scoring.plans.LONGEST, optional=True),
        ),
        submit="Hand over",
        intro=f"{title}: {line(plan, today).removeprefix('Plan: ')}",
        values=_values(plan),
    )  # fmt: skip


_DID = {
    "plan opened": "added it",
    "plan moved": "moved it to {due}",
    "plan done": "reported it done",
    "plan dropped": "dropped it",
    "plan blocked": "said what is in the way",
    "plan unblocked": "took what was in the way away",
    "plan handed over": "handed it to {owner}",
    "plan outcome": "looked at whether it worked",
}


def happened(change: Change) -> str:
    """One change in a line: who did what, when, and what they said."""
    due = scoring.periods.near_day(change.due_day)
    did = _DID.get(change.act, "changed it").format(due=due, owner=change.owner or "somebody else")
    words = f": {cards.text.stopped(change.words)}" if change.words else "."
    return f"{change.by} {did} on {scoring.periods.near_day(change.day)}{words}"


def since(one: Listed, changes: Sequence[Change], today: int) -> Card:
    """For whoever pressed on a card that was behind: what happened, and how the plan stands now."""
    plan = one.plan
    over = plan.state != "open"
    heading = f"That plan is {plan.state} already" if over else "That plan has changed since"
    now = cards.text.capital(_ended(plan)) if over else line(plan, today)
    blocks: list[Block] = [Text(one.title, "strong"), *(Text(happened(change)) for change in changes[-SHOWN:])]
    blocks += [Divider(), Text("What you pressed changed nothing. This is how it stands:", "muted"), Text(now)]
    if not over:
        blocks.append(Buttons(_buttons(one)))
    return Card(heading, tuple(blocks), summary=f"{heading}. {one.title}: {now}")


def again(form: Form, changes: Sequence[Change], wrote: Mapping[str, str]) -> Form:
    """A form that came back from a card that was behind: once more with what was written in it, and what happened."""
    told = " ".join(("This plan has changed since you opened it.", *map(happened, changes[-SHOWN:])))
    inputs = tuple(replace(one, value=wrote.get(one.name, one.value)) for one in form.inputs)
    return replace(form, inputs=inputs, intro=f"{told} Look again, and send it once more. {form.intro}")


_REMINDERS: dict[Reminder, str] = {"soon": "due soon", "today": "due", "overdue": "overdue"}


def reminder(kind: Reminder, team: str, title: str, plan: Plan, today: int) -> Card:
    """The owner is reminded, or where there is none whoever keeps the plans; the answer is a button away."""
    words = line(plan, today, owner=not plan.owned)
    heading = f"A plan {'of yours' if plan.owned else 'that needs an owner'} is {_REMINDERS[kind]}"
    return Card(heading, _yours(team, title, plan, words), f"{heading}. {team}, {title}. {words}")


_SAID = {
    "worked": ("It worked", "The weeks since it was done are back from red. Well done."),
    "not_yet": ("Not yet", "The weeks since it was done are still red."),
    "cannot_tell": ("The figures cannot tell", "There was too little work since to tell whether it helped."),
}


def outcome(team: str, title: str, plan: Plan, again: Mapping[str, str] | None) -> Card:
    """What fresh figures say of a plan that is done. `again`: values of the button that adds another one."""
    heading, words = _SAID[plan.outcome]
    done = f" on {scoring.periods.near_day(plan.closed_day)}" if plan.closed_day is not None else ""
    blocks: list[Block] = [
        Text(f"{team} · {title}", "strong"),
        Fields((Field("Plan", plan.action), Field("Done", f"by {plan.owner}{done}"))),
        Text(words),
    ]
    if again is not None:
        blocks.append(Buttons((Button("Add another plan", "plan_new", dict(again), style="primary"),)))
    return Card(f"{heading}: {title}", tuple(blocks), summary=f"{team}, {title}: {plan.action} {words}")
