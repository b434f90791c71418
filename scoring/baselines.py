"""Baselines: a metric that is new at a level is measured first, and its lines are proposed from what really happens."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import scoring.figures
import scoring.periods
import scoring.privacy
import scoring.rag
import scoring.scorecards
import scoring.tables
import scoring.trend
from scoring.metrics import NOTHING, Level, Lines, Metric, Sums
from scoring.people import Person
from scoring.refused import Refused
from scoring.rules import Measured, Rules

PART = "baselines"
"""The part of a version's body that holds what is measured and which lines were adopted; no file says it."""

DAYS = 28
"""Local days that a metric is measured without a colour."""

WEEK = 7
"""Days by which measuring goes on where the readings are too few."""

ENOUGH = 12
"""Readings from which lines are proposed."""

PEOPLE = scoring.privacy.MINIMUM
"""Persons behind figures of people that somebody else is told."""

KEPT = 366
"""Days that a decision is remembered: no period that ended before it gets a colour by it."""

DECIDERS = ("manager", "leadership")
"""The roles that decide on lines and pilots."""

WHOSE: Mapping[Level, str] = {"person": "people", "team": "teams", "organisation": "the desk"}

Pair = tuple[Level, str]
Weeks = Sequence[tuple[int, Sums]]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many readings would have had each colour."""

    red: int = 0
    amber: int = 0
    green: int = 0


@dataclass(frozen=True, slots=True)
class Proposal:
    """Lines drawn from readings. Half of the readings lie within `middle`; `subjects` are the people or teams behind
    them, `weeks` the weeks that they are of; `counts` is what the lines would have made of them."""

    lines: Lines
    middle: tuple[float, float]
    readings: int
    subjects: int
    weeks: int
    counts: Counts


def decides(person: Person) -> bool:
    """Whether somebody decides on lines and pilots."""
    return person.active and person.role in DECIDERS


# ---- what is measured ----


def pairs(body: Mapping[str, Any]) -> frozenset[Pair]:
    """Each (level, metric) that a stored body's rubrics weigh; whatever this program cannot read is left out."""
    found: dict[tuple[str, str], list[Pair]] = {}
    for part in ("rubrics", "own"):
        for one in _tables(body.get(part), "rubric"):
            level, weights = one.get("level"), one.get("weights")
            named = next((known for known in get_args(Level) if known == level), None)
            if named is not None and isinstance(weights, Mapping):
                found[(str(one.get("name")), str(one.get("from")))] = [(named, str(metric)) for metric in weights]
    return frozenset(pair for some in found.values() for pair in some)


def _tables(parent: object, key: str) -> list[Mapping[str, Any]]:
    found = parent.get(key, ()) if isinstance(parent, Mapping) else ()
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, (list, tuple)) else []


def measured(body: Mapping[str, Any]) -> dict[Pair, Measured]:
    """What a stored body measures without a colour, or did until somebody decided."""
    found: dict[Pair, Measured] = {}
    part = scoring.tables.table(body, PART, PART)
    for one in scoring.tables.tables(part, "measured", "[[measured]]"):
        level = next((known for known in get_args(Level) if known == one.get("level")), None)
        if level is not None:
            days = {name: scoring.tables.day(one, name, "[[measured]]") for name in ("since", "until")}
            decided = scoring.tables.day(one, "decided", "[[measured]]") if "decided" in one else None
            found[(level, str(one.get("metric")))] = Measured(**days, decided=decided)
    return found


def adopted(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The lines that were adopted in chat, oldest first: tables like [[lines]] with a level."""
    return scoring.tables.tables(scoring.tables.table(body, PART, PART), "lines", "[[lines]]")


def ended(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The pilots that somebody decided on before their last day: {"metric", "from", "ended"} each."""
    return scoring.tables.tables(scoring.tables.table(body, PART, PART), "pilots", "[[pilots]]")


def carry(history: Sequence[Mapping[str, Any]], wanted: Mapping[str, Any], today: int) -> dict[str, Any]:
    """The body that follows those of `history` (oldest first): with what was adopted, and what is new measured.

    New at a level is what no version weighed there before, or what was taken out before anybody decided.
    """
    now = pairs(wanted)
    known: set[Pair] = set()
    for body in history:
        waiting = {pair for pair, one in measured(body).items() if one.decided is None}
        known |= pairs(body) - waiting
    before = history[-1] if history else {}
    kept = {
        pair: one
        for pair, one in measured(before).items()
        if pair in now and (one.decided is None or one.decided + KEPT > today)
    }
    fresh = {pair: Measured(today, today + DAYS) for pair in now - known - kept.keys()} if history else {}
    return _with(wanted, kept | fresh, adopted(before), ended(before))


def _with(
    body: Mapping[str, Any], some: Mapping[Pair, Measured], lines: Sequence[Mapping[str, Any]],
    pilots: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    part = {
        "measured": [_table(pair, some[pair]) for pair in sorted(some)],
        "lines": [dict(one) for one in lines],
        "pilots": [dict(one) for one in pilots],
    }
    held = {name: tables for name, tables in part.items() if tables}
    return {key: value for key, value in body.items() if key != PART} | ({PART: held} if held else {})


def _table(pair: Pair, one: Measured) -> dict[str, str]:
    days = {"since": scoring.periods.iso(one.since), "until": scoring.periods.iso(one.until)}
    if one.decided is not None:
        days["decided"] = scoring.periods.iso(one.decided)
    return {"level": pair[0], "metric": pair[1], **days}


def decide(body: Mapping[str, Any], pair: Pair, lines: Lines | None, today: int) -> dict[str, Any]:
    """The body in which lines hold at a level from today on; None keeps those of the file. Colours begin today."""
    some = measured(body)
    held = some.get(pair)
    if held is not None and held.decided is None:
        some[pair] = Measured(held.since, held.until, today)
    tables = list(adopted(body))
    if lines is not None:
        level, metric = pair
        ends = {end: getattr(lines, end) for end in ("target", "red", "worst", "best")}
        tables = [one for one in tables if (one.get("level"), one.get("metric"), one.get("from"))
                  != (level, metric, scoring.periods.iso(today))]  # fmt: skip
        tables.append({"metric": metric, "level": level, "from": scoring.periods.iso(today), **ends})
    return _with(body, some, tables, ended(body))


def prolong(body: Mapping[str, Any], pair: Pair, until: int) -> dict[str, Any]:
    """The body in which a metric is measured until a later day."""
    some = measured(body)
    some[pair] = Measured(some[pair].since, until)
    return _with(body, some, adopted(body), ended(body))


def end_pilot(body: Mapping[str, Any], metric: str, first: int, today: int) -> dict[str, Any]:
    """The body in which the pilot that began on a day is over."""
    over = {"metric": metric, "from": scoring.periods.iso(first), "ended": scoring.periods.iso(today)}
    return _with(body, measured(body), adopted(body), (*ended(body), over))


def day(at: int) -> str:
    """A day as people say it: "12 March"."""
    found = scoring.periods.date_of(at)
    return f"{found.day} {found:%B}"


def words(one: Measured, last: int, here: int) -> str:
    """Why a reading of a period up to `last` has no colour, seen from the day `here`; "" where it may have one."""
    if one.decided is not None:
        return f"measured without a colour until {day(one.decided)}" if last < one.decided else ""
    return f"measuring until {day(one.until)}" if here < one.until else "measured; its lines wait for a decision"


def uncoloured(rules: Rules, level: Level, last: int, here: int) -> dict[str, str]:
    """Metric → why it has no colour, of those measured at a level in a period up to `last`."""
    if not rules.measuring:
        return {}
    found = {metric: words(one, last, here) for (at, metric), one in rules.measuring.items() if at == level}
    return {metric: why for metric, why in found.items() if why}


def changes(old: Rules, new: Rules) -> Iterable[str]:
    """One sentence for each metric that begins to be measured."""
    for (level, metric), one in sorted(new.measuring.items()):
        if (level, metric) not in old.measuring and one.decided is None:
            yield (f"{metric} is new for {WHOSE[level]}: measured for four weeks, without colour, until "
                   f"{day(one.until)}; then lines are proposed.")  # fmt: skip


# ---- what lines are proposed ----


def window(metric: Metric, weeks: Weeks) -> Sums:
    """The sums that a colour at the end of these weeks rests on."""
    recent = weeks[-scoring.rag.WINDOW :]
    if scoring.rag.is_stock(metric):
        return recent[-1][1] if recent else NOTHING
    return sum((sums for _, sums in recent), NOTHING)


def readings(metric: Metric, weeks: Weeks, first: int) -> list[float]:
    """The values that would have been shown at the end of each week from the Monday `first` on, where the sample
    was enough for a colour: over four weeks each, as colours are."""
    found: list[float] = []
    for number, (monday, _) in enumerate(weeks):
        if monday >= first:
            sums = window(metric, weeks[: number + 1])
            value = scoring.figures.value(metric, sums)
            if value is not None and sums.den > 0 and sums.n >= metric.min_sample:
                found.append(value)
    return found


def propose(metric: Metric, subjects: Sequence[Weeks], first: int) -> Proposal | None:
    """Lines from the readings of each subject since the Monday `first`; from all weeks known where these are fewer
    than twelve; None where those are too.

    Target: the median. Red line: the worse of the tenth percentile on the bad side and the natural process limit of
    all weekly values together (Wheeler's XmR, not of rates, from six weeks on and where it is a possible value). A
    manager decides.
    """
    seen, since = [readings(metric, weeks, first) for weeks in subjects], first
    if sum(map(len, seen)) < ENOUGH:
        since = min((weeks[0][0] for weeks in subjects if weeks), default=first)
        seen = [readings(metric, weeks, since) for weeks in subjects]
    values = sorted(value for some in seen for value in some)
    if len(values) < ENOUGH:
        return None
    found = drawn(metric, values, _limit(metric, subjects))
    behind = [weeks for weeks, some in zip(subjects, seen, strict=True) if some]
    weeks = len({monday for some in behind for monday, sums in some if monday >= since and sums.den})
    middle = (_percentile(values, 0.25), _percentile(values, 0.75))
    counts = would_have_been(metric, found, behind, since)
    return Proposal(found, middle, len(values), len(behind), weeks, counts)


def would_have_been(metric: Metric, lines: Lines, subjects: Sequence[Weeks], first: int) -> Counts:
    """How many readings since the Monday `first` would have had each colour by these lines."""
    seen = [
        scoring.rag.status(metric, lines, weeks[: number + 1]).status
        for weeks in subjects
        for number, (monday, _) in enumerate(weeks)
        if monday >= first
    ]
    return Counts(seen.count("red"), seen.count("amber"), seen.count("green"))


def _limit(metric: Metric, subjects: Sequence[Weeks]) -> float | None:
    """The natural process limit on the bad side of all subjects' weekly values taken together; none of rates."""
    if not scoring.trend.applies(metric):
        return None
    together: dict[int, Sums] = {}
    for weeks in subjects:
        for monday, sums in weeks:
            together[monday] = together.get(monday, NOTHING) + sums
    weekly = [scoring.figures.value(metric, together[monday]) for monday in sorted(together)]
    values = [value for value in weekly if value is not None]
    if len(values) < scoring.trend.ENOUGH:
        return None
    limits = scoring.trend.limits(values)
    at = limits.lower if metric.direction == "up" else limits.upper
    low, high = _bounds(metric, min(values))
    return at if low < at < high else None


def _bounds(metric: Metric, least: float) -> tuple[float, float]:
    """The values that can be; what was never negative is taken to be never negative."""
    if metric.kind == "rate":
        return 0.0, metric.scale
    return (0.0 if least >= 0.0 else -math.inf), (math.inf if metric.cap is None else metric.cap)


def drawn(metric: Metric, values: Sequence[float], limit: float | None = None) -> Lines:
    """Lines from sorted values that a rubric accepts, in round figures. Raises ValueError without values."""
    if not values:
        raise ValueError("lines are drawn from values")
    sign = 1.0 if metric.direction == "up" else -1.0
    low, high = _bounds(metric, values[0])
    target = _percentile(values, 0.5)
    tail = [_percentile(values, 0.1 if sign > 0 else 0.9)] + ([] if limit is None else [limit])
    red = min(tail, key=lambda at: sign * at)
    gap = max(sign * (target - red), 10.0**-metric.decimals)
    step = 10.0 ** math.floor(math.log10(gap / 5.0))
    target = _inside(round(target / step) * step, low, high)
    red = _inside(sign * math.floor(sign * (target - sign * gap) / step + 1e-9) * step, low, high)
    if sign * (target - red) <= 0:  # everybody stands at the bad end of what can be
        target = red + sign * step
    return with_ends(metric, target, red)


def with_ends(metric: Metric, target: float, red: float) -> Lines:
    """Target and red line with ends of the scale: worst lies twice as far beyond the red line as this from the target,
    and the target scores 90 of 100, or more where best would be impossible. Raises Refused where a line cannot be."""
    sign = 1.0 if metric.direction == "up" else -1.0
    low, high = _bounds(metric, min(target, red))
    if not (math.isfinite(target) and math.isfinite(red) and low <= target <= high and low <= red <= high):
        span = f"from {low:g} to {high:g}" if math.isfinite(high) else f"{low:g} or more"
        raise Refused(f"{metric.title} cannot reach those lines.", f"Its values go {span}.")
    if sign * (target - red) <= 0:
        better = "above" if sign > 0 else "below"
        raise Refused(f"The target of {metric.title} must lie {better} its red line.",
                      f"It is better {'higher' if sign > 0 else 'lower'}: set them that way round.")  # fmt: skip
    target, red = round(target, 6), round(red, 6)
    worst = round(_inside(red - 2.0 * (target - red), low, high), 6)
    ninth = (target - worst) / 9.0
    step = 10.0 ** (math.floor(math.log10(abs(ninth))) - 1)
    best = target + sign * math.floor(abs(ninth) / step + 1e-9) * step  # towards the target: that may score more
    best = _inside(round(best, 6), low, high)
    return Lines(target=target, red=red, worst=worst, best=best)


def _inside(at: float, low: float, high: float) -> float:
    return low if at < low else high if at > high else at


def _percentile(values: Sequence[float], share: float) -> float:
    """Of sorted values, with interpolation between neighbours."""
    place = share * (len(values) - 1)
    below = math.floor(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)
