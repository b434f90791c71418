"""The made-up desk: consistent, the same for the same seed, and with the stories that it is there to show."""

from __future__ import annotations

import itertools
from datetime import date

import polars as pl
import pytest

import bot.demo
import scoring.facts
import scoring.periods
from bot import demo_desk, demo_tickets, demo_world
from bot.demo_clock import DAY, Clock
from scoring.calendars import Calendar

TODAY = date(2026, 11, 20)
NOW = scoring.periods.day_of(TODAY)
CUT = NOW * DAY
Facts = dict[str, pl.DataFrame]


@pytest.fixture(scope="module")
def facts() -> Facts:
    people = demo_desk.people(TODAY)
    return demo_tickets.facts(7, people, bot.demo.first_day(TODAY), TODAY)


def _rate(frame: pl.DataFrame, condition: pl.Expr) -> float:
    value = frame.select(condition.fill_null(value=False).mean()).item()
    assert isinstance(value, float)
    return value


def _since(frame: pl.DataFrame, column: str, first: int, last: int) -> pl.DataFrame:
    """Rows between so many days before today."""
    return frame.filter(pl.col(column).is_between(CUT - first * DAY, CUT - last * DAY))


def _of(frame: pl.DataFrame, column: str, key: str) -> pl.DataFrame:
    return frame.filter(pl.col(column) == demo_desk.account(key))


def test_the_desk_has_24_people_in_tiers_in_four_teams_and_those_who_lead_them() -> None:
    file = demo_desk.people(TODAY)
    today = [(person, stay) for person in file.people for stay in person.stays if stay.covers(NOW)]
    tiers = [(stay.tier, stay.team) for _, stay in today if stay.tier]
    roles = [stay.role for _, stay in today]
    assert len(tiers) == 24
    assert {tier for tier, _ in tiers} == {1, 2, 3}
    assert {team for _, team in tiers} == {"help-desk", "projects", "centralised", "alignment"}
    assert [roles.count(r) for r in ("lead", "manager", "leadership", "hr", "admin")] == [4, 1, 2, 1, 1]
    assert len({person.zone for person, _ in today}) > 8


def test_people_join_leave_move_up_and_change_team() -> None:
    people = {person.key: person.stays for person in demo_desk.people(TODAY).people}
    year = NOW - 365
    assert people["kofi"][0].from_day > year
    assert people["victor"][-1].to_day is not None
    assert [stay.tier for stay in people["aylin"]] == [1, 2]
    assert [stay.team for stay in people["noor"]] == ["help-desk", "centralised"]


def test_the_same_seed_invents_the_same_desk_and_another_one_another() -> None:
    people, first = demo_desk.people(TODAY), date(2026, 10, 20)
    once, twice = (demo_tickets.facts(3, people, first, TODAY) for _ in range(2))
    other = demo_tickets.facts(4, people, first, TODAY)
    assert all(once[table].equals(twice[table], null_equal=True) for table in once)
    assert not once["ticket"].equals(other["ticket"], null_equal=True)


def test_every_fact_table_is_there_in_its_columns_with_unique_ids(facts: Facts) -> None:
    assert set(facts) == set(scoring.facts.SCHEMA)
    for table, frame in facts.items():
        assert frame.columns == list(scoring.facts.SCHEMA[table])
        assert frame["id"].null_count() == 0
        assert frame["id"].n_unique() == len(frame) > 0
    assert 25_000 <= len(facts["ticket"]) <= 40_000


def test_nothing_is_known_that_happened_after_the_export(facts: Facts) -> None:
    for table, frame in facts.items():
        kinds = scoring.facts.SCHEMA[table]
        for column in frame.columns:
            if kinds[column] == "time" and not column.endswith("due_at"):
                latest = frame[column].max()
                assert latest is None or latest <= CUT, (table, column)  # type: ignore[operator]


def test_a_ticket_goes_through_its_stages_in_order(facts: Facts) -> None:
    tickets = facts["ticket"]
    steps = ("opened_at", "triaged_at", "responded_at", "resolved_at", "closed_at")
    for before, after in itertools.pairwise(steps):
        assert tickets.filter(pl.col(before) > pl.col(after)).is_empty(), (before, after)
    closed = tickets.filter(pl.col("closed_at").is_not_null())
    assert closed.filter(pl.col("resolver").is_null() | (pl.col("status") != "closed")).is_empty()
    still_open = tickets.filter(pl.col("status") == "open")
    assert 30 < len(still_open) < 400
    assert still_open["resolver"].null_count() == len(still_open)


def test_events_are_numbered_in_order_of_time_and_belong_to_a_ticket(facts: Facts) -> None:
    events = facts["ticket_event"]
    assert events.join(facts["ticket"], left_on="ticket", right_on="id", how="anti").is_empty()
    ordered = events.sort("ticket", "seq").with_columns(pl.col("at").shift(1).over("ticket").alias("before"))
    assert ordered.filter(pl.col("at") < pl.col("before")).is_empty()
    assert ordered.filter((pl.col("what") == "opened") & (pl.col("seq") != 1)).is_empty()


def test_every_account_is_somebody_s(facts: Facts) -> None:
    known = {demo_desk.account(person.key) for person in demo_desk.people(TODAY).people}
    for table, columns in scoring.facts.ACCOUNTS.items():
        for column in columns:
            assert set(facts[table][column].drop_nulls()) <= known


def test_nobody_works_on_two_things_at_once_nor_while_on_leave(facts: Facts) -> None:
    entries = facts["time_entry"].sort("account", "started_at")
    overlapping = entries.with_columns(pl.col("ended_at").shift(1).over("account").alias("before")).filter(
        pl.col("started_at") < pl.col("before")
    )
    assert len(overlapping) < len(entries) * 0.001
    rafael = _since(_of(entries, "account", "rafael"), "started_at", demo_desk.ABSENT_SINCE - 1, 0)
    assert rafael.is_empty()


def test_the_week_and_the_day_have_their_usual_shape(facts: Facts) -> None:
    calls = facts["ticket"].filter(pl.col("channel").is_in(["phone", "email", "portal", "chat"]))
    weekday = (pl.col("opened_at") // DAY + 3) % 7
    by_day = dict(calls.group_by(weekday.alias("weekday")).len().iter_rows())
    assert by_day[0] > by_day[4] > 5 * by_day[6]
    hour = (pl.col("opened_at") % DAY // 3600).is_between(8, 16)
    assert _rate(calls, hour) > 0.75


def test_large_clients_ask_more_often_than_small_ones(facts: Facts) -> None:
    asked = dict(facts["ticket"].group_by("client").len().iter_rows())
    size = facts["endpoints"].group_by("client").agg(pl.col("count").last()).sort("count")["client"].to_list()
    assert asked[size[-1]] > 4 * asked[size[0]]


def test_the_outage_week_floods_one_client_s_queue(facts: Facts) -> None:
    world = demo_world.build(7, demo_desk.people(TODAY), date(2026, 8, 1), TODAY)
    storm = demo_world.storm_days(world)
    hit = facts["ticket"].filter(pl.col("client") == "Kestrel Logistics")
    day = pl.col("opened_at") // DAY
    during = len(hit.filter(day.is_between(storm.start, storm.stop - 1))) / len(storm)
    before = len(hit.filter(day.is_between(storm.start - 28, storm.start - 1))) / 28
    assert during > 10 * before


def test_one_person_closes_too_early_of_late_and_more_comes_back(facts: Facts) -> None:
    his = _of(facts["ticket"], "resolver", demo_desk.CLOSES_EARLY).filter(pl.col("status") == "closed")
    back = pl.col("reopen_reason") == "not_fixed"
    lately = _rate(_since(his, "opened_at", demo_desk.EARLY_SINCE, 0), back)
    before = _rate(_since(his, "opened_at", 300, demo_desk.EARLY_SINCE), back)
    assert lately > 0.09 > 2 * before


def test_one_person_improves_steadily(facts: Facts) -> None:
    theirs = _of(facts["time_entry"], "account", demo_desk.IMPROVES)
    on_time = (pl.col("entered_at") - pl.col("ended_at")) <= 300
    early, middle, late = (
        _rate(_since(theirs, "started_at", first, last), on_time) for first, last in ((335, 250), (220, 140), (60, 0))
    )
    assert early < middle - 0.05 < late - 0.1


def test_contacts_are_counted_on_what_was_passed_on_too_and_most_calls_need_one(facts: Facts) -> None:
    done = facts["ticket"].filter(
        (pl.col("queue") == "help-desk") & (pl.col("channel") != "monitoring") & (pl.col("status") == "closed")
    )
    passed = done.filter(pl.col("escalations") > 0)
    assert passed["interactions"].null_count() == 0
    assert passed["interactions"].min() == 2
    once = (pl.col("interactions") == 1) & (pl.col("escalations") == 0) & (pl.col("reopens") == 0)
    first_line = done.group_by("first_worker").agg(once.mean().alias("once"), pl.len()).filter(pl.col("len") > 200)
    assert len(first_line) > 5
    assert first_line["once"].is_between(0.55, 0.92).all()
    assert 0.65 < _rate(done, once) < 0.85


def test_escalations_wait_while_tier_three_is_short(facts: Facts) -> None:
    third = [demo_desk.account(key) for key in ("ingrid", "rafael", "victor")]
    to_third = facts["escalation"].filter(pl.col("to_account").is_in(third))
    in_time = pl.col("accepted_at") <= pl.col("due_at")
    short = _rate(_since(to_third, "raised_at", demo_desk.ABSENT_SINCE, 2), in_time)
    before = _rate(_since(to_third, "raised_at", 300, demo_desk.LEFT_SINCE), in_time)
    assert before > 0.8 > 0.65 > short


def test_the_first_day_is_the_first_of_the_month_thirteen_months_before() -> None:
    assert bot.demo.first_day(date(2026, 1, 31)) == date(2024, 12, 1)
    assert bot.demo.first_day(date(2026, 11, 20)) == date(2025, 10, 1)


def test_public_holidays_are_those_of_the_year() -> None:
    uk = [scoring.periods.date_of(day) for day in demo_desk.holidays("uk", 2026)]
    us = [scoring.periods.date_of(day) for day in demo_desk.holidays("us", 2026)]
    assert {date(2026, 4, 3), date(2026, 4, 6), date(2026, 8, 31)} < set(uk)
    assert {date(2026, 11, 26), date(2026, 9, 7)} < set(us)


def test_a_clock_counts_working_minutes_over_nights_and_weekends() -> None:
    clock = Clock(Calendar("Europe/London"), NOW - 10, NOW + 10)  # NOW is a Friday
    friday_four = CUT + 16 * 3600
    assert clock.add(friday_four, 90) == CUT + 3 * DAY + 9 * 3600 + 1800
    assert clock.snap(CUT) == CUT + 9 * 3600
    assert clock.minutes(friday_four, CUT + 3 * DAY + 10 * 3600) == 120
    assert NOW + 1 not in clock.begins
