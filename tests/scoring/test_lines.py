"""Lines are tightened once a quarter at most, wherever they are written."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scoring.lines
import scoring.periods
from scoring.lines import QUARTER
from scoring.metrics import Lines
from scoring.refused import Refused
from scoring.rules import Entry, Measured, Rules
from tests.scoring import desk

D = 20_500
SCOPE = ("person", None, None, "")


def rules(*dated: tuple[int, float, float], **more: object) -> Rules:
    """One rubric of SLA, with (from day, target, red) each."""
    rubrics = [
        desk.rubric(Entry("sla", 1.0, replace(desk.SHARE, target=target, red=red)), from_day=day)
        for day, target, red in dated
    ]
    found = Rules(version=1, metrics={"sla": desk.metric("sla")}, rubrics=tuple(rubrics))
    return replace(found, **more)  # type: ignore[arg-type]


def refused(versions: list[tuple[int, Rules]], after: Rules, today: int) -> str:
    with pytest.raises(Refused) as caught:
        scoring.lines.check(versions, after, today)
    return str(caught.value)


def test_a_line_is_tightened_where_it_is_harder_to_be_green_or_easier_to_be_red() -> None:
    up, down = desk.SHARE, desk.WAIT
    assert scoring.lines.tightened(up, replace(up, target=81.0), "up")
    assert scoring.lines.tightened(up, replace(up, red=71.0, target=79.0), "up")
    assert not scoring.lines.tightened(up, replace(up, target=79.0, red=69.0), "up")
    assert scoring.lines.tightened(down, replace(down, red=44.0), "down")
    assert not scoring.lines.tightened(down, replace(down, red=46.0), "down")
    assert not scoring.lines.tightened(up, replace(up, worst=0.0, best=90.0), "up")


@given(st.floats(0, 100), st.floats(0, 100), st.floats(0, 100), st.floats(0, 100))
@settings(deadline=None)
def test_what_is_not_the_same_is_tightened_one_way_or_the_other(a: float, b: float, c: float, d: float) -> None:
    one, other = Lines(a, b, 0.0, 100.0), Lines(c, d, 0.0, 100.0)
    differs = abs(a - c) > 1e-6 or abs(b - d) > 1e-6
    ways = [scoring.lines.tightened(one, other, "up"), scoring.lines.tightened(other, one, "up")]
    assert any(ways) or not differs
    assert ways == [scoring.lines.tightened(other, one, "down"), scoring.lines.tightened(one, other, "down")]


def test_the_first_tightening_is_allowed_and_the_second_only_a_quarter_later() -> None:
    before = [(D - 300, rules((0, 80, 70)))]
    once = rules((0, 80, 70), (D, 85, 75))
    scoring.lines.check(before, once, D)
    both = [*before, (D, once)]
    said = refused(both, rules((0, 80, 70), (D, 85, 75), (D + 60, 90, 75)), D + 30)
    allowed = scoring.periods.date_of(D + QUARTER).isoformat()
    assert "Sla would be tightened" in said
    assert f"from {allowed} on" in said
    scoring.lines.check(both, rules((0, 80, 70), (D, 85, 75), (D + QUARTER, 90, 75)), D + 30)
    scoring.lines.check(both, rules((0, 80, 70), (D, 85, 75), (D + 60, 70, 60)), D + 30)  # loosening


def test_two_tightenings_within_a_quarter_in_one_file_are_refused() -> None:
    refused([(D - 300, rules((0, 80, 70)))], rules((0, 80, 70), (D, 81, 70), (D + 40, 82, 70)), D)


def test_a_tightening_without_a_date_counts_from_the_day_it_is_applied() -> None:
    versions = [(D - 300, rules((0, 80, 70))), (D - 10, rules((0, 85, 70)))]
    refused(versions, rules((0, 86, 70)), D)
    scoring.lines.check(versions, rules((0, 86, 70)), D - 10 + QUARTER)


def test_what_the_version_in_force_holds_already_is_not_held_against_anybody() -> None:
    hasty = rules((0, 80, 70), (D + 10, 82, 70), (D + 20, 84, 70))
    scoring.lines.check([(D - 300, hasty)], hasty, D)


def test_a_mistake_is_mended_on_its_day() -> None:
    versions = [(D - 300, rules((0, 80, 70))), (D, rules((0, 95, 70)))]
    scoring.lines.check(versions, rules((0, 82, 70)), D)


def test_the_first_lines_after_measuring_are_no_tightening_but_begin_the_quarter() -> None:
    measured = {("person", "sla"): Measured(D - 28, D)}
    decided = {("person", "sla"): Measured(D - 28, D, D)}
    versions = [(D - 300, rules((0, 80, 70))), (D - 28, rules((0, 80, 70), measuring=measured))]
    adopted = rules((0, 80, 70), (D, 90, 85), measuring=decided)  # type: ignore[arg-type]
    scoring.lines.check(versions, adopted, D)
    after = [*versions, (D, adopted)]
    history = scoring.lines.held(after, SCOPE, "sla")  # type: ignore[arg-type]
    assert scoring.lines.may_tighten(history, "up", D + 5) == D + QUARTER
    assert scoring.lines.may_tighten(history, "up", D + QUARTER) is None
    refused(after, rules((0, 80, 70), (D, 91, 85), measuring=decided), D + 5)  # type: ignore[arg-type]


def test_where_nothing_was_tightened_it_may_be_at_once() -> None:
    history = scoring.lines.held([(D - 300, rules((0, 80, 70), (D - 30, 75, 60)))], SCOPE, "sla")  # type: ignore[arg-type]
    assert scoring.lines.may_tighten(history, "up", D) is None
