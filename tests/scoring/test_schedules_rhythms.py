"""Any schedule, any zone, any rhythm of looking: each date is told once, or recorded with the reason."""

from __future__ import annotations

import calendar as almanac
import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

import scoring.periods
import scoring.schedules
from scoring.schedules import Schedule
from tests.scoring.by_foot import DAY, EVERY_DAY, SAMPLE, at, day, plainly, schedule, ticked

CRONS = (
    "0 9 * * mon-fri", "30 8 1,15 * *", "0 9,15 * * 6,0", "*/30 2 * * *", "15 6 29 2 *", "0 0 13 * 5", "5 4 * */3 2",
)  # fmt: skip

schedules = st.builds(
    Schedule,
    key=st.just("k"), maker=st.just("m"), target=st.just("desk"), zone=st.sampled_from(SAMPLE),
    cadence=st.sampled_from(["daily", "weekly", "fortnightly", "monthly", "quarterly", "yearly", "cron"]),
    at=st.integers(0, 95).map(lambda n: 15 * n), weekday=st.integers(0, 6), day=st.integers(1, 31),
    cron=st.sampled_from(CRONS),
    holidays=st.frozensets(st.integers(day("2026-01-01"), day("2027-12-31")), max_size=60),
    working=st.sampled_from([frozenset(range(5)), EVERY_DAY, frozenset({6, 0, 1, 2, 3})]),
    month=st.integers(1, 12), first=st.integers(20_000, 20_100),
)  # fmt: skip


def named(text: str) -> set[int]:
    """A field of the crons above, as a person would spell it out."""
    return {
        "*": set(range(60)), "0": {0}, "9": {9}, "30": {30}, "8": {8}, "1,15": {1, 15}, "9,15": {9, 15}, "2": {2},
        "6,0": {6, 0}, "*/30": {0, 30}, "15": {15}, "6": {6}, "29": {29}, "13": {13}, "5": {5}, "4": {4},
        "*/3": {1, 4, 7, 10}, "mon-fri": {1, 2, 3, 4, 5},
    }[text]  # fmt: skip


def is_on(one: Schedule, on: date) -> bool:
    """Whether a schedule names a date, said plainly."""
    last = min(one.day, almanac.monthrange(on.year, on.month)[1])
    match one.cadence:
        case "daily":
            return on.weekday() in one.working and scoring.periods.day_of(on) not in one.holidays
        case "weekly":
            return on.weekday() == one.weekday
        case "fortnightly":
            week = scoring.periods.date_of(one.first) - timedelta(days=(one.first + 3) % 7)
            return on.weekday() == one.weekday and (on - timedelta(days=on.weekday()) - week).days % 14 == 0
        case "monthly":
            return on.day == last
        case "quarterly":
            return on.day == last and on.month in {(one.month + 3 * i - 1) % 12 + 1 for i in range(4)}
        case "yearly":
            return on.day == last and on.month == one.month
    _, _, days, months, weekdays = one.cron.split()
    of_month, of_week = on.day in named(days), (on.weekday() + 1) % 7 in named(weekdays)
    both = of_month or of_week if "*" not in (days[0], weekdays[0]) else of_month and of_week
    return on.month in named(months) and both


def minutes_of(one: Schedule) -> list[int]:
    if one.cadence != "cron":
        return [one.at]
    minute, hour, *_ = one.cron.split()
    return sorted(60 * h + m for h in named(hour) for m in named(minute))


def told_on(one: Schedule, on: date) -> date:
    while on.weekday() not in one.working or scoring.periods.day_of(on) in one.holidays:
        on += timedelta(days=1)
    return on


def expected(one: Schedule, begin: int, end: int) -> tuple[list[tuple[int, str]], int]:
    """(instant, what it stands for) of everything that is said between two instants; how many stand for another."""
    start = datetime.fromtimestamp(begin, UTC).date() - timedelta(days=70)
    dates = [d for i in range((end - begin) // DAY + 80) if is_on(one, d := start + timedelta(days=i))]
    found, together = [], 0
    for index, on in enumerate(dates):
        told = told_on(one, on)
        merged = any(told_on(one, later) == told for later in dates[index + 1 : index + 15])
        moments = [plainly(one.zone, on if merged else told, minute) for minute in minutes_of(one)]
        for place, (minute, moment) in enumerate(zip(minutes_of(one), moments, strict=True)):
            if not begin < moment <= end:
                continue
            if merged or moment in moments[place + 1 :]:
                together += 1
                continue
            time = f" {minute // 60:02}:{minute % 60:02}" if one.cadence == "cron" else ""
            found.append((moment, f"{on.isoformat()}{time}"))
    return found, together


@given(schedules, st.integers(at("2026-01-01T00:00"), at("2026-12-31T00:00")), st.integers(1, 150),
       st.lists(st.sampled_from([20, 3600, 40_000, DAY, 9 * DAY]), min_size=1, max_size=6))  # fmt: skip
@settings(deadline=None, max_examples=120)
def test_whatever_the_rhythm_of_looking_each_date_is_told_once_and_what_falls_together_is_recorded(
    one: Schedule, begin: int, days: int, steps: list[int]
) -> None:
    one, end = replace(one, catch_up="all"), begin + days * DAY
    found = ticked(one, begin, end, itertools.chain(steps, itertools.cycle((*steps, DAY))))
    said, together = expected(one, begin, end)
    assert [(due.at, due.stands_for) for due in found if due.verdict != "skip"] == said
    assert sum(due.verdict == "skip" for due in found) == together
    assert all(due.why for due in found if due.verdict == "skip")
    assert len({due.mark for due in found}) == len(found)


@given(schedules, st.integers(at("2026-01-01T00:00"), at("2026-12-31T00:00")), st.integers(1, 90),
       st.sampled_from(["latest", "all", "skip"]))  # fmt: skip
@settings(deadline=None, max_examples=120)
def test_after_a_downtime_everything_missed_is_made_late_or_recorded(
    one: Schedule, begin: int, days: int, rule: str
) -> None:
    one, now = replace(one, catch_up=rule), begin + days * DAY  # type: ignore[arg-type]
    found = scoring.schedules.step(one, scoring.schedules.begins(one, begin), now).dues
    said, together = expected(one, begin, now)
    assert [due.at for due in found if "stands for both" not in due.why] == [moment for moment, _ in said]
    missed = [due for due in found if now - due.at > scoring.schedules.LATE and "stands for both" not in due.why]
    made = [due for due in missed if due.verdict == "make_late"]
    fresh = [due for due in found if now - due.at <= scoring.schedules.LATE and "stands for both" not in due.why]
    if rule == "all":
        assert made == missed
    elif rule == "skip":
        assert made == []
    else:
        assert made == ([] if fresh else missed[-1:])
    assert all(due.why for due in found if due.verdict == "skip")
    assert all(due.verdict == "make" for due in (fresh[-1:] if rule == "latest" else fresh))
    assert len(found) == len(said) + together


@given(schedules, st.integers(at("2026-01-01T00:00"), at("2027-06-30T00:00")))
@settings(deadline=None)
@example(schedule("monthly", day=31, zone="Africa/Cairo"), at("2026-04-24T00:00"))
def test_the_next_time_is_the_first_one_after_the_moment(one: Schedule, begin: int) -> None:
    upcoming = scoring.schedules.next_at(one, begin)
    assert upcoming is not None
    assert upcoming > begin
    mark = scoring.schedules.begins(one, begin)
    assert scoring.schedules.step(one, mark, upcoming - 1).dues == []
    assert scoring.schedules.step(one, mark, upcoming).dues[0].at == upcoming
