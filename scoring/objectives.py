"""Objectives: what is to be reached, for whom, and the five questions that each must answer before it stands."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import scoring.tables
from scoring.metrics import Level, Metric, Perspective

Place = Literal["leadership", "team", "individual"]
PLACES: tuple[Place, ...] = get_args(Place)
"""The three levels of the cascade, from the top."""

Cadence = Literal["daily", "weekly", "fortnightly", "monthly", "quarterly", "yearly"]
CADENCES: tuple[Cadence, ...] = get_args(Cadence)
PERSPECTIVES: tuple[Perspective, ...] = get_args(Perspective)

MEASURED_AS: dict[Place, Level] = {"leadership": "organisation", "team": "team", "individual": "person"}
"""Level of the cascade → level of a metric."""

MOST_METRICS = 6
"""Metrics on one level of one subject, above which a reason is asked for."""

FEWEST_WORDS = 3
"""Words in an outcome, in a sentence of influence and in a justification, under which nothing is said."""

SHIPPED = "redfirst.toml"
"""Where an objective comes from that is changed in the file, and by nobody in the chat."""


@dataclass(frozen=True, slots=True)
class Objective:
    """One objective of one version.

    `subject` is "desk", "team:2" or "person:7"; "teams" is every team, for those of the configuration. `metrics`
    are names of the catalogue: one at most where it was added in the chat or by an import; `proxy` says in words
    what is looked at where no metric fits. `target` and `red` are in the metric's unit, None where the rubric's
    hold. Days are local days since 1970-01-01. `parent` is the key of the objective it supports. `weight` is its
    share among its siblings, relative to 1. `source` is "" for those kept in the database.
    """

    key: str
    title: str
    level: Place
    subject: str
    scope: str = ""
    perspective: str = ""
    owner_id: int | None = None
    owner: str = ""
    metrics: tuple[str, ...] = ()
    proxy: str = ""
    target: float | None = None
    red: float | None = None
    cadence: str = ""
    decision_day: int | None = None
    influence: str = ""
    time: str = ""
    people: str = ""
    tools: str = ""
    parent: str = ""
    weight: float = 1.0
    justification: str = ""
    id: int = 0
    version: int = 0
    state: Literal["open", "closed"] = "open"
    reason: str = ""
    source: str = ""

    @property
    def is_open(self) -> bool:
        return self.state == "open"


CONTENT = tuple(
    f.name
    for f in dataclasses.fields(Objective)
    if f.name not in ("key", "owner", "id", "version", "state", "reason", "source")
)
"""What a new version may change."""


def same(one: Objective, other: Objective) -> bool:
    """Whether two say the same, whoever wrote them and whichever version they are."""
    return all(getattr(one, name) == getattr(other, name) for name in CONTENT)


Question = Literal["specific", "measurable", "achievable", "relevant", "time-bound"]
QUESTIONS: tuple[Question, ...] = get_args(Question)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one of the five questions finds: `missing` must be put right, `doubts` put right or justified."""

    question: Question
    missing: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The five answers, in their order."""

    answers: tuple[Answer, ...]
    justified: bool

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(words for answer in self.answers for words in answer.missing)

    @property
    def doubts(self) -> tuple[str, ...]:
        return tuple(words for answer in self.answers for words in answer.doubts)

    @property
    def good(self) -> bool:
        return not self.missing and (self.justified or not self.doubts)

    @property
    def words(self) -> tuple[str, ...]:
        """What is still to be done, in plain words; empty where it is good."""
        if self.good:
            return ()
        ask = () if self.justified or not self.doubts else (
            "Put that right, or write one sentence of justification: it is kept and shown.",
        )  # fmt: skip
        return (*self.missing, *(() if self.justified else self.doubts), *ask)


def enough(text: str) -> bool:
    """Whether a text says something at all."""
    return len(text.split()) >= FEWEST_WORDS


def check(
    objective: Objective,
    existing: Iterable[Objective],
    metrics: Mapping[str, Metric],
    today: int,
    to_come: Iterable[Objective] = (),
) -> Verdict:
    """The five questions: specific, measurable, achievable, relevant, time-bound.

    `existing` are the objectives that stand already (an earlier version of this one is left out of account);
    `to_come` those that come with it and may be supported by it, but do not count against it yet.
    """
    standing = {one.key: one for one in existing if one.key != objective.key}
    known = {**{one.key: one for one in to_come if one.key != objective.key}, **standing}
    found: dict[Question, tuple[list[str], list[str]]] = {
        "specific": (_specific(objective), []),
        "measurable": _measurable(objective, standing.values(), metrics),
        "achievable": (_achievable(objective), []),
        "relevant": _relevant(objective, known),
        "time-bound": (_time_bound(objective, today), []),
    }
    answers = tuple(Answer(question, tuple(found[question][0]), tuple(found[question][1])) for question in QUESTIONS)
    return Verdict(answers, enough(objective.justification))


def _specific(one: Objective) -> list[str]:
    missing = []
    if not enough(one.title):
        missing.append("It does not name the outcome: say in three words or more what will be different.")
    if not one.scope.strip():
        missing.append("It does not say what it covers: name the clients, the work or the people it is about.")
    return missing


def _measurable(
    one: Objective, standing: Iterable[Objective], metrics: Mapping[str, Metric]
) -> tuple[list[str], list[str]]:
    missing: list[str] = []
    doubts: list[str] = []
    if not one.metrics and not one.proxy.strip():
        missing.append("Nothing measures it: choose a metric, or say what is looked at that costs nothing to collect.")
    if not one.metrics and one.proxy.strip() and not enough(one.influence):
        missing.append("Nothing says how somebody at this level moves it: write one sentence.")
    level = MEASURED_AS[one.level]
    for name in one.metrics:
        metric = metrics.get(name)
        if metric is None:
            missing.append(f"There is no metric “{name}”. {scoring.tables.nearest(name, metrics)}")
        elif not enough(one.influence) and not enough(metric.influence.get(level, "")):
            missing.append(
                f"Nothing says how {_who(one.level)} moves {metric.title}, so it is refused at this level: "
                "write one sentence, or choose another metric."
            )
        elif level not in metric.levels:
            doubts.append(f"{metric.title} is not made for {_who(one.level)}: the catalogue does not offer it there.")
        missing += _lines(one, metric)
    crowd = {what for other in standing if _beside(one, other) for what in measured(other)} | set(measured(one))
    if len(crowd) > MOST_METRICS:
        doubts.append(f"It would be number {len(crowd)} of the metrics here; more than {MOST_METRICS} at once divide.")
    return missing, doubts


def measured(one: Objective) -> tuple[str, ...]:
    """What an objective is measured by: its metrics, else its proxy."""
    return one.metrics or ((one.proxy.strip().casefold(),) if one.proxy.strip() else ())


def _beside(one: Objective, other: Objective) -> bool:
    return other.is_open and (other.level, other.subject) == (one.level, one.subject)


def _who(level: Place) -> str:
    return {"leadership": "leadership", "team": "a team", "individual": "a person"}[level]


def _lines(one: Objective, metric: Metric | None) -> list[str]:
    if one.red is not None and one.target is None:
        return ["It has a red line and no target: name both, or neither to keep the scorecard's."]
    if metric is None or one.target is None or one.red is None:
        return []
    if (one.red > one.target) if metric.direction == "up" else (one.red < one.target):
        better = "higher" if metric.direction == "up" else "lower"
        return [f"The red line lies on the wrong side of the target: for {metric.title}, {better} is better."]
    return []


def _achievable(one: Objective) -> list[str]:
    missing = []
    if one.owner_id is None:
        missing.append("Nobody owns it: name one person.")
    lacking = [name for name in ("time", "people", "tools") if not getattr(one, name).strip()]
    if lacking:
        listed = " and ".join(filter(None, (", ".join(lacking[:-1]), lacking[-1])))
        missing.append(f"It does not say where {listed} to reach it come from.")
    return missing


def _relevant(one: Objective, known: Mapping[str, Objective]) -> tuple[list[str], list[str]]:
    missing: list[str] = []
    if one.perspective not in PERSPECTIVES:
        missing.append(f"It has no perspective: choose {', '.join(PERSPECTIVES[:-1])} or {PERSPECTIVES[-1]}.")
    if not one.parent:
        orphan = "It supports no other objective: name one, so that people see what it is for."
        return missing, [] if one.level == "leadership" else [orphan]
    parent = known.get(one.parent)
    if parent is None:
        if one.parent == one.key:
            return [*missing, "It supports itself: name another objective."], []
        return [*missing, f"There is no objective “{one.parent}”. {scoring.tables.nearest(one.parent, known)}"], []
    if not parent.is_open:
        missing.append(f"“{parent.title}” is closed: name an objective that stands.")
    if parent.level == "individual" or PLACES.index(parent.level) > PLACES.index(one.level):
        missing.append(f"“{parent.title}” is {_kind(parent)}: an objective supports one further up.")
    if supports(one.parent, one.key, known):
        missing.append(f"“{parent.title}” supports this one already: a circle holds nothing up.")
    return missing, []


def _kind(one: Objective) -> str:
    return {"leadership": "leadership's", "team": "a team's", "individual": "one person's own"}[one.level]


def supports(key: str, other: str, known: Mapping[str, Objective]) -> bool:
    """Whether the objective `key` leads, by way of what it supports, to `other`. Circles on the way end it."""
    passed: set[str] = set()
    while key and key not in passed:
        if key == other:
            return True
        passed.add(key)
        key = known[key].parent if key in known else ""
    return False


def _time_bound(one: Objective, today: int) -> list[str]:
    missing = []
    if one.cadence not in CADENCES:
        missing.append(f"It does not say how often it is looked at: {', '.join(CADENCES[:-1])} or {CADENCES[-1]}.")
    if one.decision_day is None:
        missing.append("It has no decision point: name the day on which it is decided how to go on.")
    elif one.decision_day < today:
        missing.append("Its decision point has passed: name a day that is still to come.")
    return missing


def key_of(title: str, taken: Callable[[str], bool]) -> str:
    """A short name for an objective, from its title, that is not `taken` yet."""
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in title.casefold()).split()
    base = "_".join(words)[:60].strip("_") or "objective"
    key, number = base, 1
    while taken(key):
        number += 1
        key = f"{base}_{number}"
    return key
