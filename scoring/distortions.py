"""Declared distortions: an outage, a roll-out or short staffing that figures are not to be blamed for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["outage", "rollout", "short_staffing"]
State = Literal["asked", "approved", "declined", "reverted"]


@dataclass(frozen=True, slots=True)
class Distortion:
    """A window (local days of the scope's zone, both included) in which facts count less or not at all.

    `scope` is "desk" or "team:2"; `metrics` are names, empty is all; `weight` is in thousandths: 0 leaves facts out,
    500 counts them half. Only an approved one has an effect, and only a second person approves.
    """

    id: int
    kind: Kind
    scope: str
    first_day: int
    last_day: int
    weight: int
    words: str  # for people: "mail outage at Contoso"
    declared_by: int
    metrics: tuple[str, ...] = ()
    state: State = "asked"
    decided_by: int | None = None
