"""Distortions: who may declare and approve one, what is refused, and which days weigh what."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scoring.distortions
from scoring.distortions import Distortion
from scoring.people import Person
from scoring.refused import Refused
from tests.scoring import desk

DAY = 20_668
"""Monday, 2026-08-03."""
LENA = Person(1, "lena", "Lena", "lead", 2, led_teams=frozenset({2}))
LEO = Person(2, "leo", "Leo", "lead", 3, led_teams=frozenset({3}))
MARA = Person(3, "mara", "Mara", "manager", 9)
ZOE = Person(4, "zoe", "Zoe", "leadership", 9)
ADAM = Person(5, "adam", "Adam", "admin", 9)
HUGO = Person(6, "hugo", "Hugo", "hr", 9)
ANA = Person(7, "ana", "Ana", "technician", 2)
CSAT, REOPEN = desk.metric("csat"), desk.metric("reopen_rate")
OF_CLIENTS = desk.metric("reactive", subject="client")


def one(**more: Any) -> Distortion:
    found = Distortion(1, "outage", "team:2", DAY, DAY + 2, 0, "Mail outage", LENA.id, declared_name="Lena")
    return replace(found, **more)


def declared(**more: Any) -> Distortion:
    given_ = {
        "kind": "outage", "scope": "team:2", "first": DAY, "last": DAY + 2, "metrics": (), "weight": "500",
        "words": " Mail  outage. ", "by": LENA, "today": DAY + 3,
    }  # fmt: skip
    return scoring.distortions.declared(**{**given_, **more})


def test_what_is_declared_waits_for_a_second_person() -> None:
    found = declared()
    assert (found.state, found.words, found.weight, found.declared_by) == ("asked", "Mail outage", 500, LENA.id)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"kind": "holiday"}, "left open"),
        ({"weight": "100"}, "left open"),
        ({"weight": "-5"}, "left open"),
        ({"words": " . "}, "sentence is missing"),
        ({"last": DAY - 1}, "before the first"),
        ({"last": DAY + 92}, "longer than 92"),
        ({"first": DAY - 500, "last": DAY - 499}, "too far away"),
    ],
)
def test_what_cannot_be_is_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said):
        declared(**more)


def test_a_lead_declares_for_their_team_and_managers_for_all() -> None:
    may = {who.key: scoring.distortions.declares(who, 2) for who in (LENA, LEO, MARA, ZOE, ADAM, HUGO, ANA)}
    assert [key for key, yes in may.items() if yes] == ["lena", "mara", "zoe", "adam"]
    whole = {who.key: scoring.distortions.declares(who, None) for who in (LENA, LEO, MARA, ZOE, ADAM, HUGO, ANA)}
    assert [key for key, yes in whole.items() if yes] == ["mara", "zoe", "adam"]


def test_a_second_person_who_does_not_gain_by_it_approves() -> None:
    everybody = (LENA, LEO, MARA, ZOE, ADAM, HUGO, ANA, replace(LEO, active=False))
    assert [who.key for who in everybody if scoring.distortions.decides(who, one())] == ["leo", "mara", "zoe", "adam"]
    by_mara = one(declared_by=MARA.id, scope="desk")
    assert [who.key for who in everybody if scoring.distortions.decides(who, by_mara)] == ["zoe", "adam"]
    for_lena = one(declared_by=MARA.id)  # whose team it is gains by it
    assert not scoring.distortions.decides(LENA, for_lena)


def test_nobody_approves_their_own_nor_what_is_decided() -> None:
    with pytest.raises(Refused, match="second person"):
        scoring.distortions.decided(one(), LENA, "approved", "")
    done = scoring.distortions.decided(one(), MARA, "approved", "")
    assert (done.state, done.decided_by) == ("approved", MARA.id)
    with pytest.raises(Refused, match="Mara has decided this already: approved"):
        scoring.distortions.decided(done, ZOE, "declined", "No.")
    with pytest.raises(Refused, match="sentence"):
        scoring.distortions.decided(one(), MARA, "declined", " ")


def test_it_can_be_taken_back_at_any_time_with_a_reason() -> None:
    done = one(state="approved", decided_by=MARA.id)
    assert scoring.distortions.reverted(done, LENA, "It was another day.").state == "reverted"
    assert scoring.distortions.reverted(done, ZOE, "It was another day.").state == "reverted"
    with pytest.raises(Refused, match="whoever declared it"):
        scoring.distortions.reverted(done, ANA, "It was another day.")
    with pytest.raises(Refused, match="sentence"):
        scoring.distortions.reverted(done, MARA, "")
    with pytest.raises(Refused, match="no effect"):
        scoring.distortions.reverted(one(), MARA, "It was another day.")


def test_the_window_is_said_as_people_write_it() -> None:
    assert scoring.distortions.span(one()) == "3–5 Aug"
    assert scoring.distortions.span(one(last_day=DAY)) == "3 Aug"
    assert scoring.distortions.span(one(first_day=DAY - 4)) == "30 Jul – 5 Aug"


def test_it_touches_what_overlaps_and_is_named() -> None:
    assert scoring.distortions.touches(one(), DAY + 2, DAY + 9, ["csat"])
    assert not scoring.distortions.touches(one(), DAY + 3, DAY + 9, ["csat"])
    assert not scoring.distortions.touches(one(metrics=("nps",)), DAY, DAY, ["csat"])
    assert scoring.distortions.touches(one(metrics=("nps", "csat")), DAY, DAY, ["csat"])


def test_a_teams_distortion_concerns_no_client_and_a_named_metric_no_other() -> None:
    known = scoring.distortions.frame([one(), one(id=2, scope="desk", metrics=("csat",), weight=500)])
    assert scoring.distortions.windows(known, CSAT) == ((None, DAY, DAY + 2, 500), (2, DAY, DAY + 2, 0))
    assert scoring.distortions.windows(known, REOPEN) == ((2, DAY, DAY + 2, 0),)
    assert scoring.distortions.windows(known, OF_CLIENTS) == ()
    assert scoring.distortions.windows(None, CSAT) == ()


_WINDOWS = st.lists(
    st.tuples(st.sampled_from([None, 1, 2]), st.integers(0, 30), st.integers(0, 9), st.sampled_from([0, 500])),
    min_size=1, max_size=4,
).map(lambda found: [(team, first, first + more, weight) for team, first, more, weight in found])  # fmt: skip


@given(_WINDOWS, st.integers(1, 39))
def test_every_day_has_the_smallest_weight_of_the_windows_that_hold_it(
    found: list[tuple[int | None, int, int, int]], moved: int
) -> None:
    segments = pl.DataFrame(
        [(7, -1_000_000, moved, 1), (7, moved, 1_000_000, 3)],
        schema=dict.fromkeys(("person", "from_day", "until_day", "team"), pl.Int64), orient="row",
    )  # fmt: skip
    pieces = scoring.distortions.pieces(found, segments)
    alone = scoring.distortions.pieces(found, None)
    for day in range(-2, 42):
        team = 1 if day < moved else 3
        within = (pl.col("from_day") <= day) & (day < pl.col("until_day"))
        [held] = pieces.filter(within).rows(named=True)
        weights = [weight for who, first, last, weight in found if who in (None, team) and first <= day <= last]
        assert (held["team"], held["weight"]) == (team, min(weights, default=1000))
        [held] = alone.filter(within).rows(named=True)
        everybody = [weight for who, first, last, weight in found if who is None and first <= day <= last]
        assert held["weight"] == min(everybody, default=1000)
