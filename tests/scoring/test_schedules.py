"""Schedules in local time: every date once, in every zone, against a calendar that is walked by foot."""

from __future__ import annotations

import calendar as almanac
import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import scoring.cron
import scoring.periods
import scoring.schedules
from scoring.refused import Refused
from scoring.schedules import Due, Schedule

QUARTER = 900
DAY = 86_400
FIRST, LAST = date(2024, 1, 1), date(2037, 12, 31)
EVERY_DAY = frozenset(range(7))
MINUTES = (0, 30, 60, 90, 120, 150, 180, 9 * 60, 23 * 60 + 30)
SAMPLE = (
    "Europe/Berlin", "America/New_York", "America/St_Johns", "America/Asuncion", "America/Santiago", "Africa/Cairo",
    "Africa/Casablanca", "Asia/Beirut", "Asia/Gaza", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham",
    "Pacific/Apia", "Antarctica/Troll", "Atlantic/Azores", "America/Havana",
)  # fmt: skip


def at(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


def day(text: str) -> int:
    return scoring.periods.day_of(date.fromisoformat(text))


def schedule(cadence: str = "weekly", **more: object) -> Schedule:
    values = {"key": "k", "maker": "m", "target": "desk", "zone": "Europe/Berlin", "cadence": cadence, **more}
    return Schedule(**values)  # type: ignore[arg-type]


# The calendar walked by foot: what a wall clock shows, one quarter of an hour after the other


def wall(zone: ZoneInfo, second: int) -> datetime:
    return datetime.fromtimestamp(second, zone).replace(tzinfo=None)


@cache
def distinct_zones() -> tuple[str, ...]:
    """One name for each zone of the database: links have the same content."""
    found: dict[bytes, str] = {}
    for name in sorted(available_timezones()):
        path = files("tzdata").joinpath("zoneinfo", *name.split("/"))
        found.setdefault(path.read_bytes() if path.is_file() else name.encode(), name)
    return tuple(sorted(found.values()))


def changes(name: str) -> list[int]:
    """The UTC midnights after which, within a day, a clock changes."""
    zone, found = ZoneInfo(name), []
    first, last = (int(datetime(d.year, d.month, d.day, tzinfo=UTC).timestamp()) for d in (FIRST, LAST))
    before = datetime.fromtimestamp(first, zone).utcoffset()
    for second in range(first, last, DAY):
        after = datetime.fromtimestamp(second + DAY, zone).utcoffset()
        if after != before:
            found.append(second)
        before = after
    return found


def walked(zone: ZoneInfo, begin: int, end: int) -> list[tuple[int, datetime]]:
    """What the clock shows every quarter of an hour; all clocks of these years change on a quarter."""
    return [(second, wall(zone, second)) for second in range(begin, end, QUARTER)]


def first_shown(shown: list[tuple[int, datetime]], wanted: datetime) -> int:
    """The instant at which a clock first shows a time, or a later one."""
    return next(second for second, what in shown if what >= wanted)


def plainly(zone: str, on: date, minute: int) -> int:
    """The same for any date, walking from the day before."""
    wanted = datetime(on.year, on.month, on.day) + timedelta(minutes=minute)  # noqa: DTZ001
    around = int(wanted.replace(tzinfo=UTC).timestamp())
    quarter = around - around % QUARTER
    rest = timedelta(seconds=around - quarter)
    return first_shown(walked(ZoneInfo(zone), quarter - 30 * 3600, quarter + 30 * 3600), wanted - rest) + rest.seconds


def ticked(one: Schedule, begin: int, end: int, steps: Iterator[int]) -> list[Due]:
    """What comes of a timetable that is looked at again and again, from its adding at `begin` on."""
    done, now, found = scoring.schedules.begins(one, begin), begin, []
    while now < end:
        now = min(now + next(steps), end)
        for due in scoring.schedules.due([one], {one.key: done}, now):
            assert due.at <= now
            assert due.mark > done
            done = due.mark
            found.append(due)
    return found


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


# Any schedule, any zone, any rhythm of looking


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


# Cron text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0 9 * *", "4 fields"),
        ("60 9 * * *", "“60” does not fit"),
        ("0 9 * * funday", "“funday” does not fit"),
        ("0 9 30 2 *", "never comes"),
        ("* 9 * * *", "60 times a day"),
        ("0 9-8 * * *", "empty"),
        ("*/0 9 * * *", "empty"),
        ("0 9 * * mon#1", "no field"),
        ("0 ９ * * *", "no field"),
    ],
)
def test_cron_text_that_is_wrong_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        scoring.cron.parse(text)


def test_cron_text_knows_names_ranges_steps_and_both_sundays() -> None:
    assert scoring.cron.parse("15 8-10/2 * jan,mar-apr FRI-SUN") == scoring.cron.Cron(
        (495, 615), frozenset(range(1, 32)), frozenset({1, 3, 4}), frozenset({4, 5, 6}), False
    )
    assert scoring.cron.parse("0 9 * * 7") == scoring.cron.parse("0 9 * * sun") == scoring.cron.parse("0 9 * * 0")
    assert scoring.cron.parse("0 5/6 * * *").times == (300, 660, 1020, 1380)
    assert scoring.cron.parse("0 9 13 * 5").either
