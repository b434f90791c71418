"""Paths to green: what a team promises on a red, and what becomes of the promise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import scoring.calendars
import scoring.periods
import scoring.rag
from scoring.calendars import Calendar
from scoring.metrics import Lines, Metric, Sums
from scoring.refused import Refused

State = Literal["open", "done", "dropped"]
Outcome = Literal["", "worked", "not_yet", "cannot_tell"]
Reminder = Literal["soon", "today", "overdue"]

BEFORE = 2
"""Working days before the due day on which the owner is reminded."""

EVERY = 7
"""Days from one reminder of an overdue plan to the next."""

LONGEST = 500
"""Characters of an action, a reason or a blocker."""

FURTHEST = 366
"""Days from today within which a plan is due."""

PATIENCE = 8
"""Whole weeks after which a plan whose effect cannot be seen is no longer watched."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A path to green on one metric of a team or of the desk.

    `subject` is "team:2" or "desk"; days are local days since 1970-01-01; `version` counts every change, and a
    change names the version it was made from. `blocker` is what somebody above must take away, empty where nothing.
    `period` is the key of the period in which the red was seen. `set_day` is when the due day was last set. `owned`
    is false where the owner has left, or may own it no more: whoever reads a plan for people finds that out.
    """

    id: int
    subject: str
    metric: str
    period: str
    action: str
    owner_id: int
    owner: str
    due_day: int
    state: State = "open"
    outcome: Outcome = ""
    moved: int = 0  # how often the due day was moved
    reason: str = ""  # of the last move, or why it was dropped
    blocker: str = ""
    opened_day: int = 0
    closed_day: int | None = None
    version: int = 1
    set_day: int = 0
    owned: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a plan once: `act` as the record calls it ("plan moved"), by whom, on which local day, and the
    version that came of it. `owner` and `due_day` are those from then on, `words` what was said with it."""

    act: str
    by: str
    day: int
    version: int
    owner_id: int = 0
    owner: str = ""
    due_day: int = 0
    words: str = ""


def team_of(subject: str) -> int | None:
    """The team that a subject names ("team:2"); None for the desk."""
    kind, _, number = subject.partition(":")
    return int(number) if kind == "team" else None


def opened(
    subject: str, metric: str, period: str, action: str, owner_id: int, owner: str, due_day: int, today: int
) -> Plan:
    """A new plan, not yet kept (its id is 0). Raises Refused where a part of it is missing or cannot be."""
    said = _sentence(action, "The plan says nothing yet.", "Write what you will do, in a sentence.")
    _check_day(due_day, today)
    return Plan(0, subject, metric, period, said, owner_id, owner, due_day, opened_day=today, set_day=today)


def moved(plan: Plan, due_day: int, reason: str, today: int) -> Plan:
    """The plan with another due day. Raises Refused without a reason, or where it is not open."""
    _check_open(plan)
    _check_day(due_day, today)
    if due_day == plan.due_day:
        raise Refused("That is the day it is due already.", "Choose another day.")
    why = _sentence(reason, "A sentence is missing.", "Say why it moves.")
    return replace(plan, due_day=due_day, reason=why, moved=plan.moved + 1, set_day=today)


def handed(plan: Plan, owner_id: int, owner: str) -> Plan:
    """The plan with another owner. Raises Refused where that is nobody else."""
    _check_open(plan)
    if owner_id == plan.owner_id:
        raise Refused(f"{owner} sees to that plan already.", "Choose somebody else.")
    return replace(plan, owner_id=owner_id, owner=owner, owned=True)


def done(plan: Plan, today: int) -> Plan:
    """The plan as done; whether it worked is for fresh figures to say."""
    _check_open(plan)
    return replace(plan, state="done", blocker="", closed_day=today)


def dropped(plan: Plan, reason: str, today: int) -> Plan:
    """The plan given up. Raises Refused without a reason."""
    _check_open(plan)
    why = _sentence(reason, "A sentence is missing.", "Say why the plan is dropped.")
    return replace(plan, state="dropped", reason=why, blocker="", closed_day=today)


def blocked(plan: Plan, what: str) -> Plan:
    """The plan with what stands in its way, for somebody above to take away."""
    _check_open(plan)
    return replace(plan, blocker=_sentence(what, "A sentence is missing.", "Say what stands in the way."))


def unblocked(plan: Plan) -> Plan:
    """The plan with nothing in its way."""
    _check_open(plan)
    if not plan.blocker:
        raise Refused("Nothing stands in the way of this plan.", "See the plans with /plans.")
    return replace(plan, blocker="")


def overdue(plan: Plan, today: int) -> bool:
    """Whether an open plan's due day is over."""
    return plan.state == "open" and plan.due_day < today


def order(plans: Sequence[Plan], today: int) -> list[Plan]:
    """What nobody sees to first, then overdue plans, then what stands still, then by due day."""
    return sorted(plans, key=lambda p: (p.owned, not overdue(p, today), not p.blocker, p.due_day, p.id))


def reminder(plan: Plan, calendar: Calendar, today: int) -> tuple[Reminder, int] | None:
    """The latest reminder that is due on a local day and the day it stands for; None where there is none.

    Two working days before the due day, on it (a day off: the working day before), then weekly while it is
    overdue. What lay before the day was set was never due: nobody is reminded of what they have just said.
    """
    if plan.state != "open":
        return None
    on = _working(calendar, plan.due_day, -1)
    soon = on
    for _ in range(BEFORE):
        soon = _working(calendar, soon - 1, -1)
    days: list[tuple[Reminder, int]] = [("soon", soon), ("today", on)]
    weeks = max(0, (today - plan.due_day) // EVERY)
    days += [
        ("overdue", _working(calendar, plan.due_day + EVERY * week, 1)) for week in range(max(1, weeks - 1), weeks + 1)
    ]
    passed = [(kind, day) for kind, day in days if plan.set_day < day <= today]
    return max(passed, key=lambda item: item[1], default=None)


def _working(calendar: Calendar, day: int, step: int) -> int:
    """The day itself if it is a working day, else the nearest one in a direction (within a month)."""
    for at in range(day, day + 31 * step, step):
        if scoring.calendars.is_working_day(calendar, at):
            return at
    return day


def fresh(plan: Plan, weeks: Sequence[tuple[int, Sums]], today: int) -> list[tuple[int, Sums]]:
    """The whole weeks (Monday, sums) that began after the plan was done and are over."""
    after = plan.closed_day if plan.closed_day is not None else today
    return [(monday, sums) for monday, sums in weeks if monday > after and monday + 7 <= today]


def outcome(plan: Plan, metric: Metric, lines: Lines, weeks: Sequence[tuple[int, Sums]], today: int) -> Outcome:
    """What fresh figures say of a plan that is done; "" while they do not say anything yet.

    Only weeks that began after it was done count, together: red is not yet; green, or more than half of the way
    from the red line to the target, has worked. What lies between, or is too little to tell, waits for
    the next week, eight weeks at most.
    """
    seen = fresh(plan, weeks, today)
    found = scoring.rag.status(metric, lines, seen)
    if found.status == "red":
        return "not_yet"
    if found.status != "none":
        at = metric.scale * found.sums.num / found.sums.den
        if found.status == "green" or 2.0 * abs(lines.target - at) < abs(lines.target - lines.red):
            return "worked"
    return "cannot_tell" if len(seen) >= PATIENCE else ""


def _check_open(plan: Plan) -> None:
    if plan.state != "open":
        raise Refused(f"That plan is {plan.state} already.", "Nothing was changed; see the plans with /plans.")


def _check_day(due_day: int, today: int) -> None:
    if due_day < today:
        raise Refused("A plan cannot be due in the past.", "Choose today or a later day.")
    if due_day > today + FURTHEST:
        raise Refused("That is more than a year away.", "Choose a day by which the first step is done.")


def _sentence(text: str, what: str, remedy: str) -> str:
    words = " ".join(text.split())[:LONGEST]
    if not words:
        raise Refused(what, remedy)
    return words


def due_day(text: str) -> int:
    """The day of a form's date ("2026-08-14"). Raises Refused for anything else."""
    day = scoring.periods.from_iso(text)
    if day is None:
        raise Refused("I do not understand that day.", "Choose it from the calendar, or write 2026-08-14.")
    return day
