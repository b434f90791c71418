"""A coaching talk: what there is to thank for, and which day a check-back may be booked on."""

from __future__ import annotations

import scoring.periods
from scoring.refused import Refused
from scoring.scorecards import Reading, Score

BETTER = 0.1
"""A metric got better by this share of its scale: an improvement worth a word."""

SOONEST, LATEST, USUAL = 7, 56, 14
"""Days until a check-back: before that there is nothing new to see, after that it is no longer about this talk."""

LONGEST = 1000
"""Characters of a step or a note."""


def thanks(score: Score) -> Reading | None:
    """What to thank for first: the largest real improvement, else the green that weighs most; None where neither is."""
    better = [r for r in score.readings if r.status in ("green", "amber") and improved(r)]
    if better:
        return max(better, key=lambda r: (_gained(r), r.weight, r.metric))
    greens = [r for r in score.readings if r.status == "green"]
    return max(greens, key=lambda r: (r.weight, r.metric), default=None)


def improved(reading: Reading) -> bool:
    """Whether the thanks are for an improvement rather than for being on target."""
    return _gained(reading) >= BETTER - 1e-9


def _gained(reading: Reading) -> float:
    """By how much of its scale a metric got better; 0 where there is nothing to compare."""
    if reading.score is None or reading.previous_score is None:
        return 0.0
    return reading.score - reading.previous_score


def check_day(text: str, here: int) -> int:
    """The local day of a check-back, as a form gives it. Raises Refused for one that makes no sense."""
    day = scoring.periods.from_iso(text)
    if day is None:
        raise Refused("The date of the check-back is missing.", "Choose a day, say in two weeks.")
    if not here + SOONEST <= day <= here + LATEST:
        raise Refused(
            "A check-back lies one to eight weeks ahead.",
            "Sooner there is nothing new to see; later it is no longer about this talk.",
        )
    return day
