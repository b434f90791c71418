"""The rules in force: catalogue, rubrics and settings as one frozen, versioned value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import scoring.periods
from scoring.behaviours import Behaviour
from scoring.fairness import DEFAULT, Fairness
from scoring.metrics import Level, Lines, Metric
from scoring.objectives import Objective
from scoring.people import Role
from scoring.quiet import STANDARD, Quiet
from scoring.redflags import USUAL, Signals
from scoring.schedules_file import DEFAULTS, Standing


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a rubric: a metric, its weight (fractions, totalling 1) and its lines."""

    metric: str
    weight: float
    lines: Lines


@dataclass(frozen=True, slots=True)
class Rubric:
    """Which metrics, weights and lines hold at a level, for a role, tier and team, from a day on.

    Empty role, tier or team means any; the most specific rubric that fits wins, then the newest.
    """

    name: str
    level: Level
    from_day: int
    entries: tuple[Entry, ...]
    role: Role | None = None
    tier: int | None = None
    team: str = ""
    shipped: bool = field(default=False, compare=False)

    @property
    def since(self) -> str:
        """Since when its lines hold, in words; those from the first day of all have no date that anybody meant."""
        if self.from_day > 0:
            return f"since {scoring.periods.iso(self.from_day)}"
        return "shipped lines" if self.shipped else "from the beginning"


@dataclass(frozen=True, slots=True)
class Pilot:
    """A metric tried with chosen teams on local days `first` to `last`, both included: shown, without a colour.

    `teams` are keys; `question` is what the pilot is to find out.
    """

    metric: str
    teams: tuple[str, ...]
    first: int
    last: int
    question: str = ""

    @property
    def key(self) -> str:
        return f"{self.metric}:{self.first}"


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric that a level was not coloured by before, measured on the local days from `since` up to `until`.

    It has no colour until somebody decides on its lines; these hold from the day `decided` on.
    """

    since: int
    until: int
    decided: int | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """Catalogue and rubrics of one version; `version` 0 is the shipped default, never stored."""

    version: int
    metrics: dict[str, Metric]
    rubrics: tuple[Rubric, ...]
    organisation: str = "Service desk"
    zone: str = "UTC"
    stale_days: int = 2
    prior_weight: float = 10.0
    commands: dict[str, str] = field(default_factory=dict)  # word of the product → name in the chat
    objectives: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Metric → chain of objectives, from the nearest up to the leadership objective."""
    cascade: tuple[Objective, ...] = ()
    """The same objectives as a tree, for reading only."""
    red_flags: Signals = USUAL
    digest: str = ""
    fairness: Fairness = DEFAULT
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    quiet: Quiet = STANDARD
    schedules: tuple[Standing, ...] = tuple(DEFAULTS.values())
    pilots: tuple[Pilot, ...] = ()
    measuring: Mapping[tuple[Level, str], Measured] = field(default_factory=dict)
    """(Level, metric) → since when it has no colour; empty nearly always."""
