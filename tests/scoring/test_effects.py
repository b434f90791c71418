"""What nudges do: a planted effect is found, none is not invented, and what cannot be told is said."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scoring.effects
from scoring.behaviours import Behaviour
from scoring.effects import Effect, Unit
from scoring.metrics import Sums
from tests.scoring import desk

UP = desk.metric("csat", min_sample=5)
DOWN = desk.metric("reopen", direction="down", min_sample=5)
BEHAVIOURS = {
    name: Behaviour(name, metric, "Title", "What.", "Why.", "Worked.")
    for name, metric in (("a", "csat"), ("b", "reopen"))
}
METRICS = {"csat": UP, "reopen": DOWN}


def desk_of(
    chance: random.Random, people: int, effect: float, *, share: float = 0.6, behaviour: str = "a", weeks: int = 3
) -> Iterator[Unit]:
    """People who are nudged in some weeks and not in others; a nudge lifts the share by `effect`.

    Everybody drifts back towards the mean by some points, nudged or not.
    """
    for person in range(people):
        for week in range(weeks):
            nudged = chance.random() < 0.6
            after = min(1.0, share + 0.05 + (effect if nudged else 0.0))
            x0 = sum(chance.random() < share for _ in range(60))
            x1 = sum(chance.random() < after for _ in range(30))
            yield Unit(person, behaviour, week * 21, nudged, 80.0, 70.0, desk.rate(x0, 60), desk.rate(x1, 30))


def measured(units: list[Unit]) -> Effect:
    [found] = scoring.effects.measure(BEHAVIOURS, METRICS, units)
    return found


def test_a_planted_effect_is_found_and_what_everybody_gains_is_not_called_one() -> None:
    found = measured(list(desk_of(random.Random(8), 60, 0.15)))
    assert found.verdict == "helps"
    assert found.low < 15.0 < found.high
    assert found.low > 0.0
    none = measured(list(desk_of(random.Random(2), 60, 0.0)))
    assert none.verdict in ("open", "no_effect")
    assert none.low < 0.0 < none.high


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    chance = random.Random(3)
    held = sum(
        found.low <= 10.0 <= found.high
        for found in (measured(list(desk_of(chance, 30, 0.10, share=0.55))) for _ in range(150))
    )
    assert 0.88 <= held / 150 <= 1.0


def test_without_effect_it_is_rarely_said_to_help() -> None:
    chance = random.Random(4)
    said = [measured(list(desk_of(chance, 30, 0.0, share=0.55))).verdict for _ in range(150)]
    assert said.count("helps") / 150 <= 0.07


def test_with_enough_people_a_behaviour_without_effect_is_proposed_for_retirement() -> None:
    found = measured(list(desk_of(random.Random(5), 900, 0.0, weeks=4)))
    assert found.verdict == "no_effect"
    assert found.high < found.useful == pytest.approx(2.0)


def test_fewer_than_five_people_on_a_side_tell_nothing() -> None:
    few = measured([u for u in desk_of(random.Random(6), 60, 0.2) if u.nudged or u.person < 4])
    assert (few.verdict, few.size, few.low, few.high) == ("too_few", 0.0, 0.0, 0.0)
    assert few.others < 5


def test_one_person_with_many_weeks_counts_as_one() -> None:
    units = [
        Unit(1 if nudged else person, "a", week * 21, nudged, 80.0, 70.0, desk.rate(36, 60), desk.rate(25, 30))
        for nudged in (True, False) for person in range(10) for week in range(5)
    ]  # fmt: skip
    assert measured(units).verdict == "too_few"


def test_lower_is_better_where_the_metric_runs_down() -> None:
    chance = random.Random(7)
    units = [
        Unit(u.person, "b", u.week, u.nudged, 10.0, 20.0, desk.rate(60 - u.before.num / 1000, 60),
             desk.rate(30 - u.after.num / 1000, 30))
        for u in desk_of(chance, 60, 0.15)
    ]  # fmt: skip
    found = measured(units)
    assert found.verdict == "helps"
    assert found.size > 0.0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.floats(-0.2, 0.2))
def test_the_order_of_weeks_and_the_names_of_people_do_not_matter(seed: int, effect: float) -> None:
    units = list(desk_of(random.Random(seed), 14, effect))
    other = units[:]
    random.Random(seed + 1).shuffle(other)
    assert measured(units) == measured(other)


@pytest.mark.parametrize(("df", "expected"), [(1.0, 12.706), (4.0, 2.776), (10.0, 2.228), (60.0, 2.000)])
def test_the_quantile_is_that_of_the_tables(df: float, expected: float) -> None:
    assert scoring.effects.t_quantile(0.975, df) == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (desk.rate(20, 40), desk.rate(18, 20), "better"),
        (desk.rate(20, 40), desk.rate(12, 20), "same"),
        (desk.rate(36, 40), desk.rate(8, 20), "worse"),
        (desk.rate(20, 40), desk.rate(2, 2), "too_few"),
        (desk.rate(2, 4), desk.rate(20, 20), "too_few"),
        (Sums(), desk.rate(20, 20), "too_few"),
    ],
)
def test_one_persons_change_is_called_one_only_beyond_chance(before: Sums, after: Sums, said: str) -> None:
    assert scoring.effects.compared(UP, before, after) == said


def test_a_mean_moves_by_its_own_spread() -> None:
    wait = desk.wait("wait", min_sample=5)
    slow, quick = desk.values([50.0, 60.0, 55.0, 65.0, 45.0]), desk.values([20.0, 25.0, 30.0, 15.0])
    assert scoring.effects.compared(wait, slow, quick) == "better"
    assert scoring.effects.compared(wait, quick + quick, slow) == "worse"
    assert scoring.effects.compared(wait, slow, desk.values([30.0, 90.0, 50.0])) == "same"
