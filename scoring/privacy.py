"""The rule of five: which sums about a group may be told, so that no question or set of questions tells of one.

The cell, one team in one ISO week for one metric, is the smallest thing ever told. A cell is told only
where at least five people have something in its denominator and none of them makes up most of it, and an
aggregate is a sum of such cells and of nothing else: a week belongs to the month and the quarter that its
Thursday lies in, teams add up to the organisation. So whatever is added and subtracted among permitted
answers, each person's share of a week appears together with those of at least four others, or not at all.
Suppressing a whole cell, and not the period that happens to be small, is the complementary suppression:
the months around a suppressed week cannot give it away, for they do not contain it.

The five include whoever asks; they know their own figure, and are left with the sum of four others.
A week in progress grows by what single people did today: callers that show aggregates over time ask for
weeks that are over. What remains told, as in any count: that all of a group made it, or that nobody did,
and how two metrics differ whose denominators hold different tickets of the same five people or more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import scoring.periods
from scoring.metrics import Series, Sums
from scoring.periods import Period

MINIMUM = 5
"""People with a denominator that a cell needs."""

MOST = 0.8
"""The share of a cell's denominator above which one person would be told by the sum alone."""

IN_PROGRESS = "The week in progress counts when it is over."


@dataclass(frozen=True, slots=True)
class Cell:
    """One team in one ISO week, for one metric.

    `week` is the Monday as days since 1970-01-01, `people` how many persons have a denominator above
    zero in it, `largest` the largest single person's denominator, in thousandths as in `sums`. For a
    stock the sums are the level at the end of the week.
    """

    team: int
    week: int
    people: int
    largest: int
    sums: Sums


@dataclass(frozen=True, slots=True)
class Published:
    """What may be told of the weeks asked for.

    `sums` is the total (for a stock: of the last week), `weeks` (Monday, sums) in the order asked for,
    empty where nothing may be told. `people` is the smallest number behind any cell that was used, 0 for
    none. `left_out` counts cells with data that too few people stand behind; `words` say what is missing, or "".
    """

    sums: Sums
    weeks: tuple[tuple[int, Sums], ...]
    people: int
    left_out: int
    words: str


def publishable(cell: Cell, agreed: Collection[int] = ()) -> bool:
    """Whether a cell may be told: five people, nobody above four fifths, or a small team whose members all agreed."""
    if cell.team in agreed:
        return True
    return cell.people >= MINIMUM and cell.largest <= MOST * cell.sums.den


def publish(cells: Iterable[Cell], weeks: Sequence[int], *, agreed: Collection[int] = (), stock: bool = False,
            over_before: int | None = None) -> Published:  # fmt: skip
    """The sums over the publishable cells of `weeks` (Mondays, oldest first), for one metric.

    `agreed` are the ids of teams under five whose members all agreed to be shown; `over_before` a day: weeks
    not over by then are left out. A stock is its last week alone, and nothing where that may not be told.
    """
    told: dict[int, Sums] = dict.fromkeys(weeks, Sums())
    people = left_out = 0
    in_progress = False
    for cell in cells:
        if cell.week not in told:
            continue
        if over_before is not None and cell.week + 7 > over_before:
            in_progress = in_progress or cell.people > 0
        elif publishable(cell, agreed):
            told[cell.week] = told[cell.week] + cell.sums
            people = cell.people if people == 0 else min(people, cell.people)
        elif cell.people > 0:
            left_out += 1
    total = sum((told[week] for week in (weeks[-1:] if stock else weeks)), Sums())
    return Published(total, tuple(told.items()), people, left_out, _words(left_out, in_progress))


def series(cells: Iterable[Cell], period: Period, *, agreed: Collection[int] = (), stock: bool = False,
           over_before: int | None = None, trend: int = 13) -> tuple[Series, str]:  # fmt: skip
    """A group's series for a reading, of publishable cells only, and the words about what the period leaves out.

    The cells need to cover the weeks of the period, of the one before and the `trend` weeks up to its end.
    """
    seen = list(cells)

    def told(weeks: Sequence[int]) -> Published:
        return publish(seen, weeks, agreed=agreed, stock=stock, over_before=over_before)

    now = told(scoring.periods.weeks_of(period))
    before = told(scoring.periods.weeks_of(scoring.periods.previous(period)))
    recent = told(scoring.periods.weeks_up_to(period, trend))
    used = [p.people for p in (now, before, recent) if p.people]
    return Series(now.sums, before.sums, recent.weeks, people=min(used, default=0)), now.words


def weeks_needed(period: Period, trend: int = 13) -> tuple[int, int]:
    """First and last day (days since 1970-01-01) of the cells that `series` needs for a period."""
    weeks = (
        *scoring.periods.weeks_of(period),
        *scoring.periods.weeks_of(scoring.periods.previous(period)),
        *scoring.periods.weeks_up_to(period, trend),
    )
    return min(weeks), max(weeks) + 6


def _words(left_out: int, in_progress: bool) -> str:
    said = []
    if left_out:
        weeks = "One week of a team is" if left_out == 1 else f"{left_out} weeks of teams are"
        said.append(f"{weeks} left out: an aggregate needs five people behind it.")
    if in_progress:
        said.append(IN_PROGRESS)
    return " ".join(said)
