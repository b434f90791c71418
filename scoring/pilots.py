"""Pilots: a new metric is tried with chosen teams, shown to them without a colour, before anybody is measured by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import scoring.baselines
import scoring.periods
import scoring.privacy
import scoring.tables
from scoring.metrics import Metric
from scoring.periods import Period
from scoring.refused import Refused
from scoring.rules import Entry, Pilot, Rubric, Rules

KEYS = ("metric", "teams", "from", "to", "question")
LONGEST = 183
"""Days that a pilot may take: half a year."""

ASKING = 7
"""Days in which those who take part are asked, and may answer."""

PEOPLE = scoring.privacy.MINIMUM
"""Answers under which nothing of them is told."""

Part = Literal["middle", "end"]
PARTS: tuple[Part, ...] = ("middle", "end")
VIEWS = ("yes", "partly", "no")


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody thinks of a pilot: whether it is useful, whether it is fair, and a comment that may be empty."""

    useful: str
    fair: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Views:
    """The answers of at least five people, in aggregate; comments in an order that says nothing of who wrote them."""

    answers: int
    useful: Mapping[str, int]
    fair: Mapping[str, int]
    comments: tuple[str, ...]


def load(
    metrics: Mapping[str, Metric], own: Mapping[str, Any], ended: Sequence[Mapping[str, Any]] = ()
) -> tuple[Pilot, ...]:
    """The [[pilot]] tables, each up to the day on which it was decided on. Raises Refused naming table and key."""
    over = {(str(one.get("metric")), str(one.get("from"))): one for one in ended}
    found: dict[str, Pilot] = {}
    for number, one in enumerate(scoring.tables.tables(own, "pilot", "[[pilot]]"), 1):
        pilot = _pilot(metrics, one, f"[[pilot]] {number}")
        if pilot.key in found:
            raise Refused(f"[[pilot]] {number} stands twice for the same metric and day.", "Name all teams in one.")
        end = over.get((pilot.metric, scoring.periods.iso(pilot.first)))
        if end is not None:
            pilot = replace(pilot, last=min(pilot.last, scoring.tables.day(end, "ended", "pilots") - 1))
        found[pilot.key] = pilot
    return tuple(found[key] for key in sorted(found))


def _pilot(metrics: Mapping[str, Metric], one: Mapping[str, Any], where: str) -> Pilot:
    scoring.tables.only(one, KEYS, where)
    name = scoring.tables.text(one, "metric", where)
    if name not in metrics:
        raise Refused(f"{where}: there is no metric “{name}”.", scoring.tables.nearest(name, metrics))
    if metrics[name].lines is None:
        raise Refused(f"{where}: {name} has no lines.", "Give it starting lines; nobody is coloured by them.")
    teams = one.get("teams")
    if not isinstance(teams, (list, tuple)) or not teams or not all(isinstance(t, str) and t.strip() for t in teams):
        raise Refused(f"{where}: teams is no list of teams.", 'Write their keys: teams = ["help-desk"].')
    first, last = (scoring.tables.day(one, key, where) for key in ("from", "to"))
    if not first < last <= first + LONGEST:
        raise Refused(f"{where} goes from {one['from']} to {one['to']}.", "A pilot ends within half a year.")
    return Pilot(name, tuple(dict.fromkeys(teams)), first, last, scoring.tables.text(one, "question", where, ""))


def joined(rules: Rules, rubric: Rubric, team: str, asked: Period) -> Rubric:
    """The rubric with what the team tries in a period beside it, without weight."""
    if not rules.pilots:
        return rubric
    tried = [
        one.metric
        for one in rules.pilots
        if team in one.teams and one.first <= asked.last and one.last >= asked.first
        and rubric.level in rules.metrics[one.metric].levels
    ]  # fmt: skip
    return _beside(rules, rubric, tried)


def without(rules: Rules, rubric: Rubric, read: Collection[str]) -> set[str]:
    """What of the metrics of a closed score is not there by a pilot alone."""
    weighed = {entry.metric for entry in rubric.entries}
    return set(read) - ({one.metric for one in rules.pilots} - weighed)


def again(rules: Rules, rubric: Rubric, read: Collection[str]) -> Rubric:
    """The rubric with the pilots that a closed score was made with."""
    return _beside(rules, rubric, [one.metric for one in rules.pilots if one.metric in read])


def _beside(rules: Rules, rubric: Rubric, tried: Iterable[str]) -> Rubric:
    weighed = {entry.metric for entry in rubric.entries}
    more = []
    for name in dict.fromkeys(tried):
        lines = rules.metrics[name].lines
        if name not in weighed and lines is not None:
            more.append(Entry(name, 0.0, lines))
    return replace(rubric, entries=(*rubric.entries, *more)) if more else rubric


def words(rules: Rules, entry: Entry) -> str:
    """Why a metric that is only tried has no colour; "" for one that has a weight."""
    if entry.weight > 0.0:
        return ""
    last = max((one.last for one in rules.pilots if one.metric == entry.metric), default=None)
    return "pilot" if last is None else f"pilot until {scoring.baselines.day(last)}"


def part_of(pilot: Pilot, today: int) -> Part | None:
    """Which view of those who take part is asked for on a day; None on most."""
    middle, end = begins(pilot, "middle"), begins(pilot, "end")
    if end <= today < end + ASKING:
        return "end"
    return "middle" if middle <= today < min(middle + ASKING, end) else None


def begins(pilot: Pilot, part: Part) -> int:
    """The first day of asking: half-way, or the day after the last."""
    return pilot.last + 1 if part == "end" else pilot.first + (pilot.last - pilot.first + 1) // 2


def answered(useful: str, fair: str, comment: str) -> Answer:
    """An answer as it is kept. Raises Refused where a part is missing."""
    if useful not in VIEWS or fair not in VIEWS:
        raise Refused("An answer is missing.", "Say whether it is useful and whether it is fair.")
    return Answer(useful, fair, " ".join(comment.split())[:500])


def views(answers: Sequence[Answer]) -> Views | None:
    """The answers in aggregate; None from fewer than five people."""
    if len(answers) < PEOPLE:
        return None
    useful, fair = Counter(one.useful for one in answers), Counter(one.fair for one in answers)
    return Views(
        len(answers), {view: useful[view] for view in VIEWS}, {view: fair[view] for view in VIEWS},
        tuple(sorted(one.comment for one in answers if one.comment)),
    )  # fmt: skip


def changes(old: Rules, new: Rules) -> Iterable[str]:
    """One sentence for each pilot that begins, ends or becomes another."""
    before, after = ({one.key: one for one in rules.pilots} for rules in (old, new))
    for key in sorted(before.keys() | after.keys()):
        if key not in after:
            yield f"The pilot of {before[key].metric} is taken out."
        elif before.get(key) != after[key]:
            one = after[key]
            first, last = (scoring.periods.iso(day) for day in (one.first, one.last))
            begun = "Pilot" if key not in before else "Another pilot"
            yield f"{begun} of {one.metric} with {', '.join(one.teams)}, {first} to {last}, without colour or weight."
