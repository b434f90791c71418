"""What a metric is: a named ratio of sums over facts, declared as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Direction = Literal["up", "down"]
Shape = Literal["flow", "level", "days"]
Kind = Literal["rate", "mean", "ratio"]
Level = Literal["person", "team", "organisation"]
SubjectKind = Literal["person", "client"]
Perspective = Literal["financial", "customer", "process", "people"]

MILLI = 1000
"""Rollup sums are integers in thousandths, so that sums do not depend on the order of addition."""


@dataclass(frozen=True, slots=True)
class Side:
    """A numerator or denominator: which fact table, what each row adds, to whom, on which day.

    `value` is an SQL expression over one row (see `scoring.expressions`); a boolean adds 1 or 0.
    `where` drops rows before they count. `credit` names the column with the subject's key.
    Shape "flow": the row counts on `day`. Shape "level" and "days": the row is a span alive from
    `day` until `until` (exclusive; null is still alive); "level" reads the spans alive at the end of
    the last day of a period, "days" sums the daily levels over the days of the period.
    """

    table: str
    value: str
    credit: str
    day: str
    where: str = ""
    until: str = ""
    shape: Shape = "flow"


@dataclass(frozen=True, slots=True)
class Lines:
    """Target (green line), red line, and the ends of the score scale, in the metric's display unit."""

    target: float
    red: float
    worst: float
    best: float


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of the catalogue. Display value = scale × Σ numerator ÷ Σ denominator.

    kind "rate": numerator rows are a subset of denominator rows (binomial evidence);
    "mean": one numerator value a denominator row (t evidence from Σx and Σx²);
    "ratio": two different sums (weekly residuals give the evidence).
    `maturity_days`: later events change the value up to so many days after. `digest` is the hash of
    what determines its sums; rollups are kept per digest.
    """

    name: str
    title: str
    unit: str
    direction: Direction
    perspective: Perspective
    kind: Kind
    numerator: Side
    denominator: Side
    levels: tuple[Level, ...]
    influence: dict[Level, str]
    formula: str
    lines: Lines | None = None
    scale: float = 1.0
    subject: SubjectKind = "person"
    min_sample: int = 10
    maturity_days: int = 0
    cap: float | None = None
    decimals: int = 0
    source: str = ""
    excludes: str = ""
    presses_hours: bool = False
    digest: str = ""


class Sums(NamedTuple):
    """Numerator, denominator and sum of squared numerator values in thousandths; `n` denominator rows.

    Sums add; a Sums with den == 0 is "no data", never 0 %. A tuple, as a card is made of some hundred and
    thirty of them, and frozen dataclasses take several times as long to make.
    """

    num: int = 0
    den: int = 0
    n: int = 0
    ss: int = 0

    def __add__(self, other: Sums) -> Sums:  # type: ignore[override]
        return Sums(self.num + other.num, self.den + other.den, self.n + other.n, self.ss + other.ss)


NOTHING = Sums()


@dataclass(frozen=True, slots=True)
class Series:
    """What storage reads for one metric of one subject, ready for a reading.

    `period` is the period asked for, `before` the one before it; `weeks` are ISO weeks, oldest
    first, each with its Monday as days since 1970-01-01, up to the week of the period's last day;
    weeks without facts are present with empty sums. `prior` is the team's trailing 13 weeks before
    the period. `people` counts the persons behind an aggregate (1 for a person's own). `as_of` is the day on
    which levels were read where the last week is not over yet.
    """

    period: Sums
    before: Sums
    weeks: tuple[tuple[int, Sums], ...]
    prior: Sums = field(default=NOTHING)
    people: int = 1
    as_of: int | None = None
