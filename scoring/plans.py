"""Paths to green: what a team promises on a red, and what becomes of the promise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["open", "done", "dropped"]
Outcome = Literal["", "worked", "not_yet"]


@dataclass(frozen=True, slots=True)
class Plan:
    """A path to green on one metric of a team or of the desk.

    `subject` is "team:2" or "desk"; days are local days since 1970-01-01; `version` counts every change, and a
    change names the version it was made from. `blocker` is what somebody above must take away, empty where nothing.
    `period` is the key of the period in which the red was seen.
    """

    id: int
    subject: str
    metric: str
    period: str
    action: str
    owner_id: int
    owner: str
    due_day: int
    state: State = "open"
    outcome: Outcome = ""
    moved: int = 0  # how often the due day was moved
    reason: str = ""  # of the last move, or why it was dropped
    blocker: str = ""
    opened_day: int = 0
    closed_day: int | None = None
    version: int = 1
