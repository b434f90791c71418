"""Schedules in local time: every date once, in every zone, against a calendar that is walked by foot."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

import scoring.periods
import scoring.schedules
from tests.scoring.by_foot import (
    DAY,
    EVERY_DAY,
    FIRST,
    LAST,
    MINUTES,
    SAMPLE,
    at,
    changes,
    day,
    distinct_zones,
    first_shown,
    schedule,
    ticked,
    walked,
    wall,
)


def test_every_local_date_is_due_once_where_clocks_change_in_every_zone() -> None:
    seen = 0
    for name in distinct_zones():
        zone, about = ZoneInfo(name), changes(name)
        for second, minute in zip(about, itertools.cycle(MINUTES), strict=False):
            begin, end = second - 2 * DAY, second + 3 * DAY
            shown = walked(zone, begin, end)
            one = schedule("daily", zone=name, at=minute, working=EVERY_DAY)
            dates = [shown[0][1].date() + timedelta(days=i) for i in range(1, 5)]
            wanted = [datetime(d.year, d.month, d.day) + timedelta(minutes=minute) for d in dates]  # noqa: DTZ001
            expected = [(first_shown(shown, w), w.date()) for w in wanted if w <= shown[-1][1]]
            found = ticked(one, begin, expected[-1][0], itertools.repeat(7 * 3600))
            told = [(due.at, scoring.periods.date_of(due.day)) for due in found]
            assert [one for one in told if one[1] >= dates[0]] == expected, (name, minute)
            assert all(due.verdict != "skip" for due in found)
            seen += 1
    assert seen > 3000


@pytest.mark.parametrize("zone", ["Europe/London", "Australia/Lord_Howe", "Africa/Cairo", "America/Havana"])
@pytest.mark.parametrize("minute", [0, 30])
def test_fourteen_years_of_days_weeks_and_months_are_told_without_a_gap(zone: str, minute: int) -> None:
    begin, end = at("2023-12-31T12:00", zone), at("2037-12-31T12:00", zone)
    dates = [FIRST + timedelta(days=i) for i in range((LAST - FIRST).days + 1)]
    for cadence, wanted in (
        ("daily", dates),
        ("weekly", [d for d in dates if d.weekday() == 6]),
        ("monthly", [d for d in dates if (d + timedelta(days=1)).day == 1]),
    ):
        one = schedule(cadence, zone=zone, at=minute, weekday=6, day=31, working=EVERY_DAY, catch_up="all")
        found = ticked(one, begin, end, itertools.cycle((3 * DAY, 20, 5 * 3600, 40 * DAY)))
        assert [scoring.periods.date_of(due.day) for due in found] == wanted
        for due in found:
            shown = wall(ZoneInfo(zone), due.at)
            midnight = datetime.combine(scoring.periods.date_of(due.day), datetime.min.time())
            on_time = midnight + timedelta(minutes=minute)
            assert shown == on_time or (shown > on_time > wall(ZoneInfo(zone), due.at - 1))


@pytest.mark.parametrize("zone", SAMPLE)
def test_a_time_is_the_first_instant_at_which_the_clock_shows_it_or_a_later_one(zone: str) -> None:
    for second in changes(zone):
        shown = walked(ZoneInfo(zone), second - 2 * DAY, second + 3 * DAY)
        for days, minute in itertools.product((0, 1, 2), MINUTES):
            on = datetime.fromtimestamp(second, UTC).date() + timedelta(days=days - 1)
            wanted = datetime(on.year, on.month, on.day) + timedelta(minutes=minute)  # noqa: DTZ001
            if shown[0][1] < wanted <= shown[-1][1]:
                found = scoring.schedules.instant(zone, scoring.periods.day_of(on), minute)
                assert found == first_shown(shown, wanted), (zone, wanted)


def test_a_time_that_is_left_out_is_told_right_after_the_gap_and_one_that_comes_twice_the_first_time() -> None:
    berlin = schedule("daily", at=150, working=EVERY_DAY)
    [spring] = scoring.schedules.step(berlin, day("2026-03-29") * 1440 - 1, at("2026-03-29T12:00")).dues
    assert spring.at == at("2026-03-29T01:00")
    [autumn] = scoring.schedules.step(berlin, day("2026-10-25") * 1440 - 1, at("2026-10-25T12:00")).dues
    assert autumn.at == at("2026-10-25T00:30")
    midnight = schedule("daily", zone="Africa/Cairo", at=0, working=EVERY_DAY)
    [cairo] = scoring.schedules.step(midnight, day("2026-04-24") * 1440 - 1, at("2026-04-24T12:00")).dues
    assert (cairo.at, cairo.day) == (at("2026-04-23T22:00"), day("2026-04-24"))


# Single rules, said plainly


def test_a_new_schedule_begins_at_the_moment_it_was_added() -> None:
    weekly = schedule(weekday=0, at=9 * 60)
    monday = day("2026-08-03")
    assert scoring.schedules.step(weekly, scoring.schedules.begins(weekly, at("2026-08-03T08:59", weekly.zone)),
                                  at("2026-08-03T09:00", weekly.zone)).dues[0].day == monday  # fmt: skip
    late = scoring.schedules.step(weekly, scoring.schedules.begins(weekly, at("2026-08-03T09:00", weekly.zone)),
                                  at("2026-08-04T09:00", weekly.zone))  # fmt: skip
    assert late == ([], at("2026-08-10T09:00", weekly.zone))


def test_a_holiday_moves_a_digest_to_the_next_working_day_and_it_still_stands_for_its_own() -> None:
    easter = frozenset({day("2026-04-03"), day("2026-04-06")})
    friday = schedule(weekday=4, holidays=easter)
    [due] = scoring.schedules.step(friday, day("2026-04-03") * 1440 - 1, at("2026-04-07T12:00")).dues
    assert (due.at, due.day, due.verdict) == (at("2026-04-07T09:00", friday.zone), day("2026-04-03"), "make_late")
    third = schedule("monthly", day=3)
    [due] = scoring.schedules.step(third, day("2026-10-03") * 1440 - 1, at("2026-10-05T07:00")).dues
    assert (due.at, due.stands_for) == (at("2026-10-05T09:00", third.zone), "2026-10-03")


def test_a_schedule_added_on_a_weekend_still_tells_what_moved_over_it() -> None:
    easter = frozenset({day("2026-04-03"), day("2026-04-06")})
    friday = schedule(weekday=4, holidays=easter)
    mark = scoring.schedules.begins(friday, at("2026-04-04T12:00"))
    assert [d.stands_for for d in scoring.schedules.step(friday, mark, at("2026-04-07T12:00")).dues] == ["2026-04-03"]


def test_two_dates_that_fall_on_one_day_are_told_once_and_the_other_is_recorded() -> None:
    closed = frozenset(range(day("2026-12-24"), day("2027-01-04")))
    friday = schedule(weekday=4, holidays=closed)
    found = scoring.schedules.step(friday, day("2026-12-24") * 1440, at("2027-01-05T12:00")).dues
    assert [(d.stands_for, d.verdict) for d in found] == [("2026-12-25", "skip"), ("2027-01-01", "make_late")]
    assert found[0].why == "No working day; that of 2027-01-01, told on 2027-01-04, stands for both."


def test_two_times_that_the_clock_jumps_over_are_told_once() -> None:
    half_hourly = schedule("cron", cron="0,30 2 * * *", working=EVERY_DAY)
    found = scoring.schedules.step(half_hourly, day("2026-03-29") * 1440 - 1, at("2026-03-29T01:10")).dues
    assert [(d.stands_for, d.verdict) for d in found] == [("2026-03-29 02:00", "skip"), ("2026-03-29 02:30", "make")]


def test_a_daily_one_has_nothing_to_move() -> None:
    daily = schedule("daily", holidays=frozenset({day("2026-08-05")}))
    found = scoring.schedules.step(replace(daily, catch_up="all"), day("2026-08-03") * 1440, at("2026-08-11T12:00"))
    assert [d.stands_for[-2:] for d in found.dues] == ["04", "06", "07", "10", "11"]


def test_a_team_without_a_working_day_is_told_nothing_and_that_is_recorded() -> None:
    never = schedule(working=frozenset())
    [due] = scoring.schedules.step(never, day("2026-08-03") * 1440 - 1, at("2026-08-03T12:00")).dues
    assert (due.verdict, due.why) == ("skip", "There is no working day within a year.")
    assert scoring.schedules.next_at(schedule("daily", working=frozenset()), at("2026-08-03T12:00")) is None


def test_a_change_of_zone_or_holidays_repeats_no_date_and_loses_none() -> None:
    london = schedule(zone="Europe/London")
    [made] = scoring.schedules.step(london, day("2026-08-03") * 1440 - 1, at("2026-08-03T08:10")).dues
    for zone in ("Pacific/Auckland", "America/Los_Angeles"):
        moved = replace(london, zone=zone, holidays=frozenset({day("2026-08-10")}))
        found = scoring.schedules.step(moved, made.mark, at("2026-08-12T00:00")).dues
        assert [d.stands_for for d in found] == ["2026-08-10"]


def test_the_digest_follows_everything_times_come_from_and_nothing_else() -> None:
    one = schedule()
    for other in (
        replace(one, at=540 + 1), replace(one, weekday=1), replace(one, zone="UTC"), replace(one, working=EVERY_DAY),
        replace(one, holidays=frozenset({1})), replace(one, cadence="daily"),
    ):  # fmt: skip
        assert scoring.schedules.digest(other) != scoring.schedules.digest(one)
    same = replace(one, to="slack:C1", catch_up="all", day=4, cron="0 9 * * *")
    assert scoring.schedules.digest(same) == scoring.schedules.digest(one)
    assert scoring.schedules.pattern(replace(one, zone="UTC")) == scoring.schedules.pattern(one)
