"""The rules in force: catalogue, rubrics and settings as one frozen, versioned value."""

from __future__ import annotations

from dataclasses import dataclass, field

from scoring.fairness import DEFAULT, Fairness
from scoring.metrics import Level, Lines, Metric
from scoring.people import Role


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
    digest: str = ""
    fairness: Fairness = DEFAULT
