"""What a digest is about: which reds are new or last, what got better, and what goes a level up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from scoring.plans import Plan
from scoring.rag import Status
from scoring.scorecards import Reading, Score

ESCALATED = 3
"""Periods in a row after which a team's red is told to the next level up; a person's never leaves person and lead."""

_RANK: dict[Status, int] = {"red": 0, "amber": 1, "green": 2}


@dataclass(frozen=True, slots=True)
class Red:
    """A red of this period. `new`: it had a colour in the period before, and another one. `periods` counts the
    periods in a row that it is red, this one included; `plans` are the open paths to green on it."""

    reading: Reading
    new: bool
    periods: int
    plans: tuple[Plan, ...] = ()


@dataclass(frozen=True, slots=True)
class Better:
    """A reading that has a better colour than in the period before."""

    reading: Reading
    was: Status


@dataclass(frozen=True, slots=True)
class Digest:
    """Readings of one period by what is to be said of them: reds and ambers in the order of the scorecard."""

    reds: tuple[Red, ...] = ()
    ambers: tuple[Reading, ...] = ()
    greens: tuple[Reading, ...] = ()
    unsure: tuple[Reading, ...] = ()
    missing: tuple[Reading, ...] = ()
    better: tuple[Better, ...] = ()

    @property
    def quiet(self) -> bool:
        """Whether nothing asks for anybody's attention."""
        return not self.reds and not self.ambers


def compose(now: Score, before: Sequence[Score], plans: Iterable[Plan] = ()) -> Digest:
    """The digest of a period from its score, the scores of the periods before it (newest first) and the open plans."""
    promised: dict[str, list[Plan]] = {}
    for plan in plans:
        promised.setdefault(plan.metric, []).append(plan)
    then = [_statuses(score) for score in before]
    told = [r for r in now.readings if not r.missing]
    return Digest(
        reds=tuple(_red(r, then, promised.get(r.metric, ())) for r in told if r.status == "red"),
        ambers=tuple(r for r in told if r.status == "amber"),
        greens=tuple(r for r in told if r.status == "green"),
        unsure=tuple(r for r in told if r.status == "none"),
        missing=tuple(r for r in now.readings if r.missing),
        better=tuple(
            Better(r, was)
            for r in told
            if (was := then[0].get(r.metric) if then else None) and _RANK.get(r.status, -1) > _RANK[was]
        ),
    )


def _statuses(score: Score) -> dict[str, Status]:
    """The colours of a score; what has none in it is left out."""
    return {r.metric: r.status for r in score.readings if not r.missing and r.status in _RANK}


def _red(reading: Reading, then: Sequence[Mapping[str, Status]], plans: Sequence[Plan]) -> Red:
    lasting = 1
    for statuses in then:
        if statuses.get(reading.metric) != "red":
            break
        lasting += 1
    was = then[0].get(reading.metric) if then else None
    return Red(reading, was is not None and was != "red", lasting, tuple(plans))


def escalated(digest: Digest) -> tuple[Red, ...]:
    """The reds of a team that the next level up is told of."""
    return tuple(red for red in digest.reds if red.periods >= ESCALATED)
