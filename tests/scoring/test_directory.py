"""Two readings of who is who tell the same, or the work that rests on the first is done again."""

from __future__ import annotations

import polars as pl
import pytest

import scoring.directory
from scoring.directory import Directory
from scoring.people import OFFICE, Membership, Team


def read(
    zone: str = "Europe/London", until: int | None = None, account: int = 1, holidays: frozenset[int] = frozenset()
) -> Directory:
    team = Team(7, "desk", "Desk", "Europe/London", OFFICE, holidays)
    held = [Membership(1, 7, "technician", 0, until)]
    return scoring.directory.build([(1, zone, None), (2, "UTC", None)], [team], held, {"s/ann": account}, {"acme": 3})


def test_what_was_read_twice_is_the_same() -> None:
    assert scoring.directory.same(read(), read())


@pytest.mark.parametrize(
    "other",
    [read(zone="Asia/Tokyo"), read(until=100), read(account=2), read(holidays=frozenset({20_000}))],
    ids=["zone", "membership", "account", "holiday"],
)
def test_any_change_of_people_is_seen(other: Directory) -> None:
    assert not scoring.directory.same(read(), other)


def test_work_of_people_nobody_knows_yet_has_no_day_whatever_the_number_of_its_rows() -> None:
    instants = pl.Series("at", [1_780_000_000, 1_780_100_000, None], dtype=pl.Int64)
    nobody = pl.Series("who", [None] * 3, dtype=pl.Int64)
    nowhere = scoring.directory.build([], [], [], {}, {})
    for known in (read(), nowhere):
        assert scoring.directory.local_days(known, nobody, instants).to_list() == [None] * 3
