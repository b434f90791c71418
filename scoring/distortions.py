"""Declared distortions: an outage, a roll-out or short staffing that figures are not to be blamed for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, get_args

import polars as pl

import scoring.periods
import scoring.plans
from scoring.metrics import MILLI, Metric
from scoring.people import Person
from scoring.refused import Refused

Kind = Literal["outage", "rollout", "short_staffing"]
State = Literal["asked", "approved", "declined", "reverted"]

WEIGHTS = (0, 500)
"""What facts may count, in thousandths: not at all, or half."""

LONGEST = 92
"""Days of a window: what lasts longer is no distortion but how things are."""

REACH = 400
"""Days from today, back and ahead, within which a window lies."""

WORDS = 200

_EVER = 1_000_000


@dataclass(frozen=True, slots=True)
class Distortion:
    """A window (local days of the scope's zone, both included) in which facts count less or not at all.

    `scope` is "desk" or "team:2"; `metrics` are names, empty is all; `weight` is in thousandths: 0 leaves facts out,
    500 counts them half. Only an approved one has an effect, and only a second person approves. `answer` says why it
    was declined or reverted. A decision takes effect a moment after it was taken: figures are kept by its weight while
    it is `effective`, and some are not yet as they will be while it is `working`.
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
    declared_name: str = ""
    decided_name: str = ""
    team: str = ""  # the name of the scope's team
    answer: str = ""
    reverted_by: int | None = None
    reverted_name: str = ""
    effective: bool = False
    working: bool = False


def declared(
    kind: str, scope: str, first: int, last: int, metrics: Sequence[str], weight: str, words: str, by: Person,
    today: int,
) -> Distortion:  # fmt: skip
    """A new one, not yet kept (its id is 0). Raises Refused where a part of it is missing or cannot be."""
    what: Kind | None = next((one for one in get_args(Kind) if one == kind), None)
    if what is None or not weight.isdecimal() or int(weight) not in WEIGHTS:
        raise Refused("Something was left open.", "Choose what happened and how it counts, then send it again.")
    said = " ".join(words.split()).rstrip(".")[:WORDS]
    if not said:
        raise Refused("A sentence is missing.", "Say what happened, as everybody may read it: “Mail outage”.")
    if last < first:
        raise Refused("The last day is before the first.", "Give the first day and the last, both included.")
    if last - first >= LONGEST:
        raise Refused(f"That is longer than {LONGEST} days.", "What lasts so long is how things are: change the lines.")
    if first < today - REACH or last > today + REACH:
        raise Refused("That is too far away.", "Declare what happened in the last year.")
    return Distortion(0, what, scope, first, last, int(weight), said, by.id, tuple(metrics), declared_name=by.name)


def declares(person: Person, team: int | None) -> bool:
    """Whether somebody may declare one: a lead for their team; managers, leadership and administrators for any."""
    if person.role in ("manager", "leadership", "admin"):
        return True
    return team is not None and team in person.led_teams


def decides(person: Person, one: Distortion) -> bool:
    """Whether somebody may be the second person: not who declared it, nor who leads the team that gains by it.

    Managers, leadership and administrators may; for a team also the lead of another one.
    """
    team = scoring.plans.team_of(one.scope)
    if not person.active or person.id == one.declared_by or (team is not None and team in person.led_teams):
        return False
    if person.role in ("manager", "leadership", "admin"):
        return True
    return team is not None and bool(person.led_teams)


def decided(one: Distortion, by: Person, verdict: Literal["approved", "declined"], answer: str) -> Distortion:
    """It with a decision. Raises Refused where that was made before, by whom it may not be, or without a word."""
    if one.state != "asked":
        who = one.decided_name or "Somebody"
        raise Refused(f"{who} has decided this already: {one.state}.", "Nothing was changed.")
    if not decides(by, one):
        raise Refused(
            "A distortion is approved by a second person, who does not gain by it.",
            "Leads of other teams, managers, leadership and administrators can; the one who declared it cannot.",
        )
    said = " ".join(answer.split())[:500]
    if verdict == "declined" and not said:
        raise Refused("A sentence is missing.", "Say why it is declined.")
    working = verdict == "approved"
    return replace(one, state=verdict, decided_by=by.id, decided_name=by.name, answer=said, working=working)


def reverted(one: Distortion, by: Person, reason: str) -> Distortion:
    """It taken back. Raises Refused where it has no effect, by whom it may not be, or without a word."""
    if one.state != "approved":
        raise Refused(f"That distortion is {one.state}: it has no effect.", "Nothing was changed.")
    if by.id != one.declared_by and not decides(by, one):
        raise Refused(
            "A distortion is taken back by whoever declared it, or by whoever may approve it.", "Talk to them."
        )
    said = " ".join(reason.split())[:500]
    if not said:
        raise Refused("A sentence is missing.", "Say why it is taken back.")
    return replace(one, state="reverted", answer=said, reverted_by=by.id, reverted_name=by.name, working=True)


def touches(one: Distortion, first: int, last: int, metrics: Collection[str]) -> bool:
    """Whether it changes any of these metrics on days from `first` to `last`."""
    if one.last_day < first or one.first_day > last:
        return False
    return not one.metrics or bool(set(one.metrics) & set(metrics))


def span(one: Distortion) -> str:
    """The window for people: "3–5 Aug", "30 Jul – 2 Aug", "5 Aug"."""
    first, last = scoring.periods.date_of(one.first_day), scoring.periods.date_of(one.last_day)
    until = scoring.periods.day_month(one.last_day)
    if first == last:
        return until
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{until}"
    return f"{scoring.periods.day_month(one.first_day)} – {until}"


# ---- what they do to rollups ----

FRAME = {name: pl.Int64() for name in ("team", "first_day", "last_day", "weight")} | {"metric": pl.String()}
"""Columns of the distortions in force as rollups take them; no team is the whole desk, no metric is all."""

Window = tuple[int | None, int, int, int]
"""team (None: everybody), first and last day (included), weight in thousandths."""


def frame(approved: Iterable[Distortion]) -> pl.DataFrame:
    """The distortions in force, one row a metric they name."""
    rows = [
        (scoring.plans.team_of(one.scope), one.first_day, one.last_day, one.weight, metric)
        for one in approved
        for metric in (one.metrics or (None,))
    ]
    return pl.DataFrame(rows, schema=FRAME, orient="row")


def windows(known: pl.DataFrame | None, metric: Metric) -> tuple[Window, ...]:
    """What holds for a metric; a team's does not concern metrics about clients, who belong to no team."""
    if known is None or known.is_empty():
        return ()
    found = {
        (team, first, last, weight)
        for team, first, last, weight, name in known.iter_rows()
        if name in (None, metric.name) and (team is None or metric.subject == "person")
    }
    return tuple(sorted(found, key=lambda one: (one[0] or 0, *one[1:])))


def pieces(found: Sequence[Window], segments: pl.DataFrame | None) -> pl.DataFrame:
    """from_day, until_day (exclusive), team and weight of every stretch of days, by person where there are segments.

    Where windows overlap the smallest weight counts. `segments` are a directory's; without them everybody's.
    """
    teams = sorted({team for team, *_ in found if team is not None})
    rows = [(-1, *step) for step in _steps([one for one in found if one[0] is None])]
    for team in teams:
        rows += [(team, *step) for step in _steps([one for one in found if one[0] in (None, team)])]
    steps = pl.DataFrame(rows, schema=dict.fromkeys(("key", "begin", "end", "weight"), pl.Int64), orient="row")
    if segments is None:
        return steps.filter(pl.col("key") == -1).select(
            pl.col("begin").alias("from_day"), pl.col("end").alias("until_day"), "weight"
        )
    key = pl.when(pl.col("team").is_in(teams)).then("team").otherwise(pl.lit(-1, pl.Int64)).alias("key")
    return (
        segments.with_columns(key)
        .join(steps, on="key", how="inner")
        .select(
            "person",
            pl.max_horizontal("from_day", "begin").alias("from_day"),
            pl.min_horizontal("until_day", "end").alias("until_day"),
            "team",
            "weight",
        )
        .filter(pl.col("from_day") < pl.col("until_day"))
    )


def _steps(found: Sequence[Window]) -> list[tuple[int, int, int]]:
    """(begin, end, weight) of all days, cut where a window begins or ends."""
    cuts = sorted({-_EVER, _EVER, *(first for _, first, _, _ in found), *(last + 1 for _, _, last, _ in found)})
    return [
        (begin, end, min([weight for _, first, last, weight in found if first <= begin <= last], default=MILLI))
        for begin, end in pairwise(cuts)
    ]
