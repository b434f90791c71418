"""What putting new rules in force would change, in the words that an administrator reads before saying yes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

import scoring.baselines
import scoring.figures
import scoring.periods
import scoring.pilots
import scoring.rubrics
import scoring.schedules_file
from scoring.metrics import Metric
from scoring.rules import Rubric, Rules

ENDS = (("target", "target"), ("red", "red line"), ("worst", "worst"), ("best", "best"))


def between(old: Rules, new: Rules) -> tuple[str, ...]:
    """One sentence a change, metrics first; empty when nothing a person could notice is different."""
    return (*_metrics(old.metrics, new.metrics), *_rubrics(old, new), *_settings(old, new), *_nudges(old, new),
            *scoring.schedules_file.changes(old.schedules, new.schedules),
            *scoring.baselines.changes(old, new), *scoring.pilots.changes(old, new))  # fmt: skip


def recomputed(old: Rules, new: Rules) -> tuple[str, ...]:
    """The metrics whose history is to be computed (again): new ones, and those with a new definition."""
    return tuple(
        name for name, metric in new.metrics.items() if name not in old.metrics or
        old.metrics[name].digest != metric.digest
    )  # fmt: skip


def _metrics(old: Mapping[str, Metric], new: Mapping[str, Metric]) -> Iterable[str]:
    for name in sorted(old.keys() | new.keys()):
        if name not in old:
            yield f"Metric {name} is new: {new[name].formula}. Its history will be computed."
        elif name not in new:
            yield f"Metric {name} is no longer measured."
        elif old[name].digest != new[name].digest:
            yield f"Metric {name} counts differently: {new[name].formula}. Its history will be computed again."
        elif old[name] != new[name]:
            parts = [
                field.name.replace("_", " ")
                for field in dataclasses.fields(Metric)
                if getattr(old[name], field.name) != getattr(new[name], field.name)
            ]
            yield f"Metric {name}: other {_list(parts)}."


def _rubrics(old: Rules, new: Rules) -> Iterable[str]:
    before = {(r.name, r.from_day): r for r in old.rubrics}
    after = {(r.name, r.from_day): r for r in new.rubrics}
    moved: dict[tuple[int, str], list[str]] = {}
    for key in sorted(before.keys() | after.keys()):
        name, day = key
        head = f"Rubric “{name}”" + (f" from {scoring.periods.iso(day)}" if day > 0 else "")
        if key not in after:
            yield f"{head} is taken out."
        elif key not in before:
            earlier = _held_until(new.rubrics, after[key])
            if earlier is None:
                yield f"{head} is new, {_whom(after[key])}: {_whole(after[key], new.metrics)}."
                continue
            told = "; ".join(_differences(earlier, after[key], new.metrics)) or "the same as before"
            if earlier.name == name:  # the same lines often move in many rubrics: that is one sentence
                moved.setdefault((day, told), []).append(f"“{name}”")
            else:
                yield f"{head} follows “{earlier.name}”: {told}."
        elif before[key] != after[key]:
            told = "; ".join(_differences(before[key], after[key], new.metrics)) or f"it holds {_whom(after[key])}"
            yield f"{head} changes: {told}."
    for (day, told), names in sorted(moved.items()):
        yield f"From {scoring.periods.iso(day)} in {'rubric' if len(names) == 1 else 'rubrics'} {_list(names)}: {told}."


def _held_until(rubrics: Iterable[Rubric], rubric: Rubric) -> Rubric | None:
    whom = scoring.rubrics.scope(rubric)
    earlier = [r for r in rubrics if scoring.rubrics.scope(r) == whom and r.from_day < rubric.from_day]
    return max(earlier, key=lambda r: r.from_day, default=None)


def _whom(rubric: Rubric) -> str:
    if rubric.level == "organisation":
        return "for the organisation"
    team = f" of team {rubric.team}" if rubric.team else ""
    if rubric.level == "team":
        return f"for team {rubric.team}" if rubric.team else "for teams"
    tier = f" in tier {rubric.tier}" if rubric.tier is not None else ""
    return f"for every {rubric.role or 'person'}{tier}{team}"


def _whole(rubric: Rubric, metrics: Mapping[str, Metric]) -> str:
    return ", ".join(
        f"{entry.metric} {_percent(entry.weight)} (target "
        f"{scoring.figures.line(metrics[entry.metric], entry.lines.target)}, "
        f"red line {scoring.figures.line(metrics[entry.metric], entry.lines.red)})"
        for entry in rubric.entries
    )


def _differences(old: Rubric, new: Rubric, metrics: Mapping[str, Metric]) -> list[str]:
    before = {entry.metric: entry for entry in old.entries}
    after = {entry.metric: entry for entry in new.entries}
    told = []
    for name in [*after, *(name for name in before if name not in after)]:
        if name not in after:
            told.append(f"{name} no longer counts")
            continue
        if name not in before:
            told.append(_whole(dataclasses.replace(new, entries=(after[name],)), metrics))
            continue
        one, two = before[name], after[name]
        parts = []
        if one.weight != two.weight:
            parts.append(f"weight {_percent(one.weight)} → {_percent(two.weight)}")
        for end, words in ENDS:
            was, is_ = getattr(one.lines, end), getattr(two.lines, end)
            if was != is_:
                line = scoring.figures.line
                parts.append(f"{words} {line(metrics[name], was)} → {line(metrics[name], is_)}")
        if parts:
            told.append(f"{name} {', '.join(parts)}")
    return told


def _settings(old: Rules, new: Rules) -> Iterable[str]:
    for key, words in (("organisation", "The organisation's name"), ("zone", "The organisation's time zone")):
        was, is_ = getattr(old, key), getattr(new, key)
        if was != is_:
            yield f"{words}: {was} → {is_}."
    if old.stale_days != new.stale_days:
        yield f"Data counts as old after: {old.stale_days} → {new.stale_days} days."
    if old.prior_weight != new.prior_weight:
        yield f"The target is worth: {old.prior_weight:g} → {new.prior_weight:g} observations."
    for word in sorted(old.commands.keys() | new.commands.keys()):
        was, is_ = old.commands.get(word, word), new.commands.get(word, word)
        if was != is_:
            yield f"Command: /{was} → /{is_}; write the Slack manifest again and upload it."
    for metric in sorted(old.objectives.keys() | new.objectives.keys()):
        one, two = old.objectives.get(metric, ()), new.objectives.get(metric, ())
        if one != two:
            yield f"Objectives of {metric}: {_path(one)} → {_path(two)}."
    for field in dataclasses.fields(old.red_flags):
        before, after = getattr(old.red_flags, field.name), getattr(new.red_flags, field.name)
        if before != after:
            yield f"Red-flag customers, {field.name.replace('_', ' ')}: {before} → {after}."


def _nudges(old: Rules, new: Rules) -> Iterable[str]:
    if old.quiet.per_day != new.quiet.per_day:
        was, is_ = old.quiet.per_day, new.quiet.per_day
        yield f"Messages that nobody asked for, to a person on a day: {was} → {is_} at most."
    if old.quiet.nudges_per_week != new.quiet.nudges_per_week:
        yield f"Nudges to a person in a week: {old.quiet.nudges_per_week} → {new.quiet.nudges_per_week} at most."
    if not old.behaviours and new.behaviours:
        yield f"There are {len(new.behaviours)} behaviours to be nudged about."
        return
    for name in sorted(old.behaviours.keys() | new.behaviours.keys()):
        if name not in new.behaviours:
            yield f"Behaviour “{old.behaviours[name].title}” is retired."
        elif name not in old.behaviours:
            yield f"Behaviour “{new.behaviours[name].title}” is new, for {new.behaviours[name].metric}."
        elif old.behaviours[name] != new.behaviours[name]:
            yield f"Behaviour “{new.behaviours[name].title}” is told in other words."


def _path(chain: tuple[str, ...]) -> str:
    return " ‹ ".join(chain) or "none"


def _percent(share: float) -> str:
    return f"{100.0 * share:.6g} %"


def _list(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
