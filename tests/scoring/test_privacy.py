"""The rule of five, attacked by linear algebra over everything that was answered."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scoring.periods
import scoring.privacy
import scoring.rag
import scoring.scorecards
from scoring.metrics import Sums
from scoring.periods import Period
from scoring.privacy import Cell
from scoring.rules import Entry
from tests.scoring import desk

FIRST = scoring.periods.monday(20_460)
WEEKS = tuple(FIRST + 7 * i for i in range(20))
Atom = tuple[int, int, int]  # person, team, week
Row = dict[Atom, Fraction]


@dataclass
class Desk:
    """Who worked where and when: (person, team, week) → sums."""

    teams: int
    work: dict[Atom, Sums] = field(default_factory=dict)

    def cells(self, teams: list[int]) -> list[Cell]:
        found = []
        for team in teams:
            for week in WEEKS:
                inside = [s for (_, t, w), s in self.work.items() if (t, w) == (team, week)]
                if inside:
                    total = sum(inside, Sums())
                    dens = [s.den for s in inside]
                    found.append(Cell(team, week, sum(d > 0 for d in dens), max(dens), total))
        return found

    def naive(self, teams: list[int], weeks: tuple[int, ...]) -> Row | None:
        """What a check of each answer by itself would answer: five people somewhere in the period."""
        row = {a: Fraction(1) for a, s in self.work.items() if a[1] in teams and a[2] in weeks and s.den > 0}
        return row if len({person for person, _, _ in row}) >= 5 else None

    def ruled(self, teams: list[int], weeks: tuple[int, ...]) -> Row | None:
        """What `scoring.privacy` answers, as the atoms it sums; checked against the sums themselves."""
        cells = self.cells(teams)
        published = scoring.privacy.publish(cells, weeks)
        used = {(c.team, c.week) for c in cells if c.week in weeks and scoring.privacy.publishable(c)}
        row = {a: Fraction(1) for a, s in self.work.items() if a[1:] in used and s.den > 0}
        assert published.sums == sum((self.work[a] for a in row), Sums())
        assert published.people == 0 or published.people >= 5
        return row or None


def rank(rows: list[Row]) -> tuple[int, list[Row]]:
    """The rank of rows over the rationals, with the reduced basis."""
    basis: list[tuple[Atom, Row]] = []
    for row in rows:
        rest = dict(row)
        for pivot, known in basis:
            if factor := rest.get(pivot, Fraction(0)):
                for atom, value in known.items():
                    rest[atom] = rest.get(atom, Fraction(0)) - factor * value
        rest = {a: v for a, v in rest.items() if v}
        if rest:
            pivot = next(iter(rest))
            lead = rest[pivot]
            basis.append((pivot, {a: v / lead for a, v in rest.items()}))
    return len(basis), [row for _, row in basis]


def derivable(answers: list[Row], atom: Atom) -> bool:
    """Whether a sum of multiples of the answers is this one person's week in a team."""
    known, basis = rank(answers)
    return rank([*basis, {atom: Fraction(1)}])[0] == known


@st.composite
def desks(draw: st.DrawFn) -> Desk:
    """Teams of three to nine with leave, joiners, movers and leavers, and people with nothing to count."""
    rng = draw(st.randoms(use_true_random=False))
    made = Desk(teams=rng.randint(1, 3))
    person = 0
    for team in range(made.teams):
        for _ in range(rng.randint(3, 9)):
            person += 1
            here, joined, left = team, rng.choice([0, 0, 0, 5]), rng.choice([20, 20, 20, 14])
            moves = rng.choice([None, None, None, rng.randrange(20)])
            absent = rng.choice([0.02, 0.1, 0.4])
            for i, week in enumerate(WEEKS):
                if i == moves:
                    here = rng.randrange(made.teams)
                if not joined <= i < left or rng.random() < absent:
                    continue
                den = rng.choice([0, 1, 4, 9, 30])
                made.work[person, here, week] = desk.rate(rng.randint(0, den), den)
    return made


def questions(rng: random.Random, teams: int, count: int) -> list[tuple[list[int], Period]]:
    """Teams and periods as people may ask for them: one team, or all of them for leadership."""
    asked = []
    for _ in range(count):
        day = FIRST + rng.randrange(7 * len(WEEKS))
        period = rng.choice(
            [scoring.periods.week(day), scoring.periods.month(day), scoring.periods.quarter(day),
             scoring.periods.rolling("weeks4", day), scoring.periods.rolling("weeks13", day)]
        )  # fmt: skip
        asked.append(([rng.randrange(teams)] if rng.random() < 0.6 else list(range(teams)), period))
    return asked


@settings(max_examples=12, deadline=None)
@given(desks(), st.randoms(use_true_random=False))
def test_two_hundred_permitted_questions_derive_no_individuals_value(made: Desk, rng: random.Random) -> None:
    rows = [made.ruled(teams, scoring.periods.weeks_of(p)) for teams, p in questions(rng, made.teams, 200)]
    answers = [row for row in rows if row]
    # whoever asks knows their own figures, each week of them
    asker = 1
    own: list[Row] = [{atom: Fraction(1)} for atom in made.work if atom[0] == asker]
    known, basis = rank([*answers, *own])
    for atom in made.work:
        if atom[0] != asker:
            assert rank([*basis, {atom: Fraction(1)}])[0] == known + 1, f"person {atom[0]} in week {atom[2]} is told"
    # and no combination singles out fewer than five: in every answer the atoms of a cell have one coefficient
    for row in answers:
        for atom in row:
            inside = {a for a, s in made.work.items() if a[1:] == atom[1:] and s.den > 0}
            assert len(inside) >= 5
            assert {row.get(a) for a in inside} == {row[atom]}


def quiet_christmas() -> Desk:
    """Six people in a team; in one week of the month five are away."""
    made = Desk(teams=1)
    for person in range(1, 7):
        for i, week in enumerate(WEEKS):
            if i != 10 or person == 6:
                made.work[person, 0, week] = desk.rate(3, 4)
    return made


def month_and_its_weeks() -> list[tuple[int, ...]]:
    month = next(
        scoring.periods.weeks_of(p)
        for p in map(scoring.periods.month, WEEKS)
        if WEEKS[10] in scoring.periods.weeks_of(p)
    )
    return [month, *((week,) for week in month)]


def test_checking_each_answer_by_itself_gives_a_lonely_week_away() -> None:
    made = quiet_christmas()
    rows = [made.naive([0], weeks) for weeks in month_and_its_weeks()]
    assert rows.count(None) == 1
    assert derivable([row for row in rows if row], (6, 0, WEEKS[10]))


def test_whole_cells_left_out_do_not() -> None:
    made = quiet_christmas()
    rows = [made.ruled([0], weeks) for weeks in month_and_its_weeks()]
    assert rows.count(None) == 1
    assert not derivable([row for row in rows if row], (6, 0, WEEKS[10]))


def test_two_hundred_questions_break_the_naive_check_and_not_the_rule() -> None:
    made = quiet_christmas()
    asked = questions(random.Random(3), made.teams, 200)
    for answer, told in ((made.naive, True), (made.ruled, False)):
        rows = [answer(teams, scoring.periods.weeks_of(p)) for teams, p in asked]
        assert derivable([row for row in rows if row], (6, 0, WEEKS[10])) is told


def test_a_small_team_beside_a_large_one_is_not_the_difference_of_all_and_the_large_one() -> None:
    made = Desk(teams=2)
    for person in range(1, 9):
        for week in WEEKS:
            made.work[person, int(person > 7), week] = desk.rate(3, 4)
    for answer, told in ((made.naive, True), (made.ruled, False)):
        rows = [answer(teams, (WEEKS[3],)) for teams in ([0], [0, 1])]
        assert derivable([row for row in rows if row], (8, 1, WEEKS[3])) is told


def cell(week: int, people: int = 6, *, team: int = 1, largest: int = 4_000, x: float = 18, n: float = 24) -> Cell:
    return Cell(team, week, people, largest, desk.rate(x, n))


@pytest.mark.parametrize(("people", "largest", "told"), [(5, 4_000, True), (4, 4_000, False), (0, 0, False),
                                                         (9, 19_200, True), (9, 19_300, False)])  # fmt: skip
def test_five_people_and_nobody_who_is_nearly_all_of_it(people: int, largest: int, told: bool) -> None:
    assert scoring.privacy.publishable(cell(WEEKS[0], people, largest=largest)) is told


def test_a_small_team_whose_members_all_agreed_is_told() -> None:
    small = cell(WEEKS[0], 3, team=7)
    assert not scoring.privacy.publishable(small, {8})
    assert scoring.privacy.publishable(small, {7})


def test_what_is_left_out_is_said() -> None:
    cells = [cell(WEEKS[0]), cell(WEEKS[1], 4), cell(WEEKS[2], 1), cell(WEEKS[9])]
    found = scoring.privacy.publish(cells, WEEKS[:3])
    assert found.sums == desk.rate(18, 24)
    assert found.weeks == ((WEEKS[0], desk.rate(18, 24)), (WEEKS[1], Sums()), (WEEKS[2], Sums()))
    assert (found.people, found.left_out) == (6, 2)
    assert found.words == "2 weeks of teams are left out: an aggregate needs five people behind it."
    assert scoring.privacy.publish(cells, WEEKS[:1]).words == ""


def test_the_people_behind_an_aggregate_are_those_of_its_smallest_cell() -> None:
    for people in ([7, 5, 9], [5, 7], [9, 8, 5]):
        cells = [cell(week, n) for week, n in zip(WEEKS, people, strict=False)]
        assert scoring.privacy.publish(cells, WEEKS).people == 5


def test_nothing_to_tell_is_no_data() -> None:
    found = scoring.privacy.publish([cell(WEEKS[0], 4)], WEEKS[:1])
    assert (found.sums, found.people) == (Sums(), 0)
    assert scoring.privacy.publish([], ()).sums == Sums()


def test_a_stock_is_its_last_week_or_nothing() -> None:
    cells = [cell(WEEKS[0], x=1), cell(WEEKS[1], x=2)]
    assert scoring.privacy.publish(cells, WEEKS[:2], stock=True).sums == desk.rate(2, 24)
    assert scoring.privacy.publish([cells[0], cell(WEEKS[1], 4)], WEEKS[:2], stock=True).sums == Sums()


def test_a_week_in_progress_is_left_out_when_asked_to() -> None:
    cells = [cell(WEEKS[0]), cell(WEEKS[1])]
    found = scoring.privacy.publish(cells, WEEKS[:2], over_before=WEEKS[1] + 6)
    assert found.sums == desk.rate(18, 24)
    assert found.words == "The week in progress counts when it is over."
    assert scoring.privacy.publish(cells, WEEKS[:2], over_before=WEEKS[1] + 7).sums == desk.rate(36, 48)


def test_a_groups_series_makes_a_reading_of_publishable_weeks_only() -> None:
    month = scoring.periods.month(WEEKS[12])
    first, last = scoring.privacy.weeks_needed(month)
    cells = [cell(week) for week in range(first, last, 7)]
    dark = scoring.periods.weeks_of(month)[1]
    cells = [c if c.week != dark else cell(dark, 4) for c in cells]
    found, words = scoring.privacy.series(cells, month)
    told = len(scoring.periods.weeks_of(month)) - 1
    assert found.period == desk.rate(18 * told, 24 * told)
    assert found.before.n == 24 * len(scoring.periods.weeks_of(scoring.periods.previous(month)))
    assert dict(found.weeks)[dark] == Sums()
    assert len(found.weeks) == 13
    assert found.people == 6
    assert words.startswith("One week of a team is left out")
    reading = scoring.scorecards.reading(desk.metric("sla"), Entry("sla", 1.0, desk.SHARE), found)
    assert reading.value == 75.0
    assert reading.people == 6
