"""Plans: what can be promised, when its owner is reminded, and what the weeks after it say."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scoring.calendars
import scoring.plans
from scoring.calendars import Calendar
from scoring.metrics import Lines, Sums
from scoring.plans import Plan
from scoring.refused import Refused
from tests.scoring import desk

MONDAY = 20_668
"""2026-08-03."""
FRIDAY = MONDAY + 4
OFFICE = Calendar("Europe/London", holidays=frozenset({MONDAY + 2}))
"""The Wednesday is a holiday."""
LINES = Lines(target=85.0, red=75.0, worst=50.0, best=95.0)
CSAT = desk.metric("csat", kind="rate", min_sample=10)


def plan(**more: object) -> Plan:
    first = Plan(7, "team:2", "csat", "2026-W31", "Ring back the same day.", 5, "Dua", FRIDAY, set_day=MONDAY - 20)
    return replace(first, **more)  # type: ignore[arg-type]


def week(number: int, good: int, of: int = 20) -> tuple[int, Sums]:
    """A week after the Monday with so many good answers."""
    return MONDAY + 7 * number, Sums(good * 1000, of * 1000, of, good * 1000)


def test_a_plan_says_what_who_and_by_when() -> None:
    made = scoring.plans.opened("desk", "csat", "2026-W31", "  Ring   back. ", 5, "Dua", FRIDAY, MONDAY)
    assert (made.action, made.owner, made.due_day, made.state, made.version) == (
        "Ring back.", "Dua", FRIDAY, "open", 1,
    )  # fmt: skip
    assert made.opened_day == made.set_day == MONDAY


@pytest.mark.parametrize(
    ("action", "due", "said"),
    [
        ("   ", FRIDAY, "says nothing yet"),
        ("Ring back.", MONDAY - 1, "in the past"),
        ("Ring back.", MONDAY + 400, "more than a year"),
    ],
)
def test_a_plan_without_words_or_with_an_impossible_day_is_refused(action: str, due: int, said: str) -> None:
    with pytest.raises(Refused, match=said):
        scoring.plans.opened("desk", "csat", "2026-W31", action, 5, "Dua", due, MONDAY)


@pytest.mark.parametrize("text", ["", "14.8.2026", "2026-13-01", "tomorrow", "2026-08-14T00:00"])
def test_a_day_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="do not understand that day"):
        scoring.plans.due_day(text)


def test_a_day_of_the_form_is_read() -> None:
    assert scoring.plans.due_day(" 2026-08-03 ") == MONDAY


def test_a_move_needs_a_reason_another_day_and_an_open_plan() -> None:
    later = scoring.plans.moved(plan(), FRIDAY + 7, "Dua is ill.", MONDAY)
    assert (later.due_day, later.moved, later.reason, later.set_day) == (FRIDAY + 7, 1, "Dua is ill.", MONDAY)
    with pytest.raises(Refused, match="sentence"):
        scoring.plans.moved(plan(), FRIDAY + 7, " ", MONDAY)
    with pytest.raises(Refused, match="due already"):
        scoring.plans.moved(plan(), FRIDAY, "Dua is ill.", MONDAY)
    with pytest.raises(Refused, match="done already"):
        scoring.plans.moved(plan(state="done"), FRIDAY + 7, "Dua is ill.", MONDAY)


def test_what_is_closed_stays_closed() -> None:
    for closed in (scoring.plans.done(plan(), MONDAY), scoring.plans.dropped(plan(), "No time.", MONDAY)):
        assert closed.closed_day == MONDAY
        with pytest.raises(Refused, match="already"):
            scoring.plans.done(closed, MONDAY)
        with pytest.raises(Refused, match="already"):
            scoring.plans.dropped(closed, "No time.", MONDAY)
        with pytest.raises(Refused, match="already"):
            scoring.plans.blocked(closed, "No licences.")


def test_a_blocker_is_set_taken_away_and_gone_with_the_plan() -> None:
    stuck = scoring.plans.blocked(plan(), "No licences.")
    assert stuck.blocker == "No licences."
    assert scoring.plans.unblocked(stuck).blocker == ""
    assert scoring.plans.done(stuck, MONDAY).blocker == ""
    with pytest.raises(Refused, match="Nothing stands"):
        scoring.plans.unblocked(plan())


def test_overdue_plans_come_first_then_what_is_blocked_then_by_day() -> None:
    late, stuck = plan(id=1, due_day=MONDAY - 1), plan(id=2, due_day=FRIDAY + 9, blocker="No licences.")
    soon, later = plan(id=3), plan(id=4, due_day=FRIDAY + 1)
    assert [p.id for p in scoring.plans.order([later, soon, stuck, late], MONDAY)] == [1, 2, 3, 4]


def test_the_owner_is_reminded_two_working_days_before_on_the_day_and_weekly_afterwards() -> None:
    due = plan(due_day=FRIDAY)
    said = {day: scoring.plans.reminder(due, OFFICE, day) for day in range(MONDAY - 7, FRIDAY + 22)}
    assert said[MONDAY] is None
    assert said[MONDAY + 1] == ("soon", MONDAY + 1)  # the Wednesday is a holiday
    assert said[MONDAY + 3] == ("soon", MONDAY + 1)
    assert said[FRIDAY] == ("today", FRIDAY)
    assert said[FRIDAY + 6] == ("today", FRIDAY)
    assert said[FRIDAY + 7] == ("overdue", FRIDAY + 7)
    assert said[FRIDAY + 14] == ("overdue", FRIDAY + 14)
    assert {found for found in said.values() if found} == {
        ("soon", MONDAY + 1), ("today", FRIDAY), ("overdue", FRIDAY + 7), ("overdue", FRIDAY + 14),
        ("overdue", FRIDAY + 21),
    }  # fmt: skip


def test_a_plan_that_is_due_on_a_day_off_is_reminded_of_on_the_working_day_before() -> None:
    assert scoring.plans.reminder(plan(due_day=FRIDAY + 2), OFFICE, FRIDAY) == ("today", FRIDAY)


def test_nobody_is_reminded_of_what_they_have_just_said_nor_of_what_is_closed() -> None:
    fresh = plan(due_day=MONDAY + 1, set_day=MONDAY)
    assert scoring.plans.reminder(fresh, OFFICE, MONDAY) is None
    assert scoring.plans.reminder(fresh, OFFICE, MONDAY + 1) == ("today", MONDAY + 1)
    assert scoring.plans.reminder(plan(state="done"), OFFICE, FRIDAY) is None


@given(st.integers(0, 60), st.integers(0, 60), st.frozensets(st.integers(MONDAY - 80, MONDAY + 80), max_size=20))
def test_reminders_fall_on_working_days_after_the_day_was_set(due: int, here: int, holidays: frozenset[int]) -> None:
    calendar = Calendar("UTC", holidays=holidays)
    one = plan(due_day=MONDAY + due, set_day=MONDAY)
    found = scoring.plans.reminder(one, calendar, MONDAY + here)
    if found is not None:
        assert MONDAY < found[1] <= MONDAY + here
        assert scoring.calendars.is_working_day(calendar, found[1])


def test_a_plan_has_worked_when_the_weeks_that_began_after_it_are_back_from_red() -> None:
    done = plan(state="done", closed_day=MONDAY + 2)
    before = [week(-1, 10), week(0, 10)]  # the week in which it was done does not count
    assert scoring.plans.outcome(done, CSAT, LINES, [*before, week(1, 18)], MONDAY + 14) == "worked"
    assert scoring.plans.outcome(done, CSAT, LINES, [*before, week(1, 12)], MONDAY + 14) == "not_yet"


def test_a_plan_is_watched_until_there_is_enough_to_tell() -> None:
    done = plan(state="done", closed_day=MONDAY + 2)
    assert scoring.plans.outcome(done, CSAT, LINES, [week(1, 18)], MONDAY + 13) == ""  # that week is not over
    assert scoring.plans.outcome(done, CSAT, LINES, [week(1, 9, of=9)], MONDAY + 14) == ""  # too few
    assert scoring.plans.outcome(done, CSAT, LINES, [week(1, 9, of=9), week(2, 9, of=9)], MONDAY + 21) == "worked"
    between = [week(1, 77, of=100)]  # neither red again nor half of the way back
    assert scoring.plans.outcome(done, CSAT, LINES, between, MONDAY + 14) == ""
    empty = [(MONDAY + 7 * n, Sums()) for n in range(1, 9)]
    assert scoring.plans.outcome(done, CSAT, LINES, empty, MONDAY + 63) == "cannot_tell"
    assert scoring.plans.outcome(done, CSAT, LINES, empty[:7], MONDAY + 56) == ""


def test_a_plan_is_handed_to_somebody_else_and_only_while_it_is_open() -> None:
    other = scoring.plans.handed(plan(owned=False), 6, "Eli")
    assert (other.owner_id, other.owner, other.owned, other.due_day) == (6, "Eli", True, FRIDAY)
    with pytest.raises(Refused, match="Dua sees to that plan already"):
        scoring.plans.handed(plan(), 5, "Dua")
    with pytest.raises(Refused, match="done already"):
        scoring.plans.handed(plan(state="done"), 6, "Eli")


def test_what_nobody_sees_to_comes_first() -> None:
    late, lost = plan(id=1, due_day=MONDAY - 9), plan(id=2, owned=False)
    assert [one.id for one in scoring.plans.order([late, lost], MONDAY)] == [2, 1]
