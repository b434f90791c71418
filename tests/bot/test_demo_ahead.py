"""The made-up desk after today: the same for the same seed, in one piece with what was before, its stories told on."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

import scoring.facts
import scoring.periods
from bot import demo_ahead, demo_desk, demo_tickets
from bot.demo_ahead import Ahead
from bot.demo_clock import DAY

TODAY = date(2026, 11, 20)
NOW = scoring.periods.day_of(TODAY)
FIRST = date(2026, 8, 1)
Facts = dict[str, pl.DataFrame]


def begun(seed: int = 7) -> tuple[Facts, Ahead]:
    facts, world, book = demo_tickets.begun(seed, demo_desk.people(TODAY), FIRST, TODAY)
    return facts, Ahead(demo_ahead.rest(world, book, facts))


@pytest.fixture(scope="module")
def told() -> tuple[Facts, Ahead]:
    return begun()


@pytest.fixture(scope="module")
def end(told: tuple[Facts, Ahead]) -> Facts:
    return told[1].export(NOW + demo_ahead.DAYS)


def _rate(frame: pl.DataFrame, condition: pl.Expr) -> float:
    value = frame.select(condition.fill_null(value=False).mean()).item()
    assert isinstance(value, float)
    return value


def _between(frame: pl.DataFrame, column: str, first: int, last: int) -> pl.DataFrame:
    """Rows between so many days after today."""
    return frame.filter(pl.col(column).is_between((NOW + first) * DAY, (NOW + last) * DAY))


def test_the_story_is_taken_up_exactly_where_the_first_export_left_it(told: tuple[Facts, Ahead]) -> None:
    facts, ahead = told
    here = ahead.export(NOW)
    assert len(here["ticket"]) > 100
    for table, frame in here.items():
        left = frame.join(facts[table], on=frame.columns, how="anti", nulls_equal=True)
        assert left.is_empty(), table


def test_nothing_that_was_open_is_forgotten(told: tuple[Facts, Ahead], end: Facts) -> None:
    facts, _ = told
    still_open = facts["ticket"].filter(pl.col("closed_at").is_null() & (pl.col("opened_at") > (NOW - 60) * DAY))
    later = end["ticket"].filter(pl.col("closed_at").is_not_null())
    assert still_open.join(later, on="id", how="anti").is_empty()
    waiting = facts["escalation"].filter(pl.col("accepted_at").is_null())
    accepted = end["escalation"].filter(pl.col("accepted_at").is_not_null())
    assert waiting.join(accepted, on="id", how="anti").is_empty()


def test_the_same_seed_goes_on_in_the_same_way(told: tuple[Facts, Ahead], end: Facts) -> None:
    again = begun()[1].export(NOW + demo_ahead.DAYS)
    assert all(again[table].equals(frame, null_equal=True) for table, frame in end.items())
    assert not begun(8)[1].export(NOW + 7)["ticket"].equals(told[1].export(NOW + 7)["ticket"], null_equal=True)


def test_night_by_night_or_all_at_once_comes_to_the_same(told: tuple[Facts, Ahead]) -> None:
    _, ahead = told
    known = ahead.export(NOW)
    for day in range(NOW, NOW + 14):
        for table, news in ahead.news(day, day + 1).items():
            stayed = known[table].join(news, on="id", how="anti", maintain_order="left")
            known[table] = pl.concat([stayed, news])
    for table, frame in ahead.export(NOW + 14).items():
        assert known[table].sort("id").equals(frame.sort("id"), null_equal=True), table


def test_a_later_version_of_a_row_is_never_dated_before_an_earlier_one(told: tuple[Facts, Ahead]) -> None:
    _, ahead = told
    before, after = ahead.export(NOW + 3), ahead.export(NOW + 9)
    for table in ("ticket", "survey", "escalation", "time_entry"):
        both = before[table].join(after[table], on="id", how="inner", suffix="@")
        assert len(both) == len(before[table])
        assert both.filter(pl.col("updated_at@") < pl.col("updated_at")).is_empty(), table


def test_what_is_ahead_has_the_columns_of_facts_with_ids_that_were_not_there(told: tuple[Facts, Ahead]) -> None:
    facts, ahead = told
    day = NOW + 30
    for table, frame in ahead.export(day).items():
        assert frame.columns == list(scoring.facts.SCHEMA[table])
        assert frame["id"].n_unique() == len(frame)
        for column, kind in scoring.facts.SCHEMA[table].items():
            if kind == "time" and not column.endswith("due_at"):
                latest = frame[column].max()
                assert latest is None or latest <= day * DAY, (table, column)  # type: ignore[operator]
    new = ahead.export(day)["time_entry"].filter(pl.col("started_at") > NOW * DAY)
    assert len(new) > 2_000
    assert new.join(facts["time_entry"], on="id", how="inner").is_empty()


def test_weeks_to_come_are_as_busy_as_weeks_before(told: tuple[Facts, Ahead]) -> None:
    facts, ahead = told
    was = _between(facts["ticket"], "opened_at", -28, 0)
    comes = _between(ahead.export(NOW + 28)["ticket"], "opened_at", 0, 28)
    assert 0.7 < len(comes) / len(was) < 1.3


def test_who_closed_too_early_takes_it_to_heart(told: tuple[Facts, Ahead], end: Facts) -> None:
    facts, _ = told
    back, his = pl.col("reopen_reason") == "not_fixed", pl.col("resolver") == demo_desk.account(demo_desk.CLOSES_EARLY)
    before = _rate(_between(facts["ticket"].filter(his), "opened_at", -56, -7), back)
    since = _rate(_between(end["ticket"].filter(his), "opened_at", 7, 56), back)
    assert before > 0.08 > 0.05 > since


def test_who_wrote_time_down_in_the_evening_does_so_at_once(told: tuple[Facts, Ahead], end: Facts) -> None:
    facts, _ = told
    hers, at_once = pl.col("account") == demo_desk.account(demo_desk.WRITES_LATE), (
        pl.col("entered_at") - pl.col("ended_at") <= 300
    )
    before = _rate(_between(facts["time_entry"].filter(hers), "started_at", -28, 0), at_once)
    since = _rate(_between(end["time_entry"].filter(hers), "started_at", 7, 35), at_once)
    assert before < 0.8 < 0.9 < since


def test_the_shortage_at_tier_three_eases_when_one_comes_back(told: tuple[Facts, Ahead], end: Facts) -> None:
    facts, _ = told
    third = pl.col("to_account").is_in([demo_desk.account(key) for key in ("ingrid", "rafael")])
    in_time = pl.col("accepted_at") <= pl.col("due_at")
    short = _rate(_between(facts["escalation"].filter(third), "raised_at", -35, -2), in_time)
    after = _rate(_between(end["escalation"].filter(third), "raised_at", 20, 80), in_time)
    assert after > short + 0.1
