"""`redfirst metrics`: which metrics there are, what each means, and what one would say of a file."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import bot.config
from bot.config import Config
from scoring.refused import Refused

if TYPE_CHECKING:
    from scoring.metrics import Metric
    from scoring.rules import Rules
    from scoring.trial import Trial
    from storage.sources import Batch

LEVELS = {"person": "a person", "team": "a team", "organisation": "the organisation"}
BETTER = {"up": "higher is better", "down": "lower is better"}


def arguments(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(dest="act", metavar="")
    show = acts.add_parser("show", help="what a metric means, its lines, its source, who may be measured by it")
    show.add_argument("name", metavar="NAME")
    attempt = acts.add_parser("try", help="the value of a metric on a file, before it is adopted")
    attempt.add_argument("name", metavar="NAME")
    attempt.add_argument("file", metavar="FILE", type=Path, nargs="+")
    attempt.add_argument("--map", default="standard", help="how the file is read (default: standard)")
    attempt.add_argument("--table", help="which kind of facts the file holds (default: the map says it by file name)")


def run(args: argparse.Namespace, config: Config) -> int:
    import scoring.rulebook

    rules = scoring.rulebook.read(bot.config.rules(config), version=0)
    if args.act == "show":
        lines = shown(_named(rules, args.name))
    elif args.act == "try":
        lines = _tried(_named(rules, args.name), rules, args)
    else:
        lines = listed(rules)
    print("\n".join(lines))
    return 0


def listed(rules: Rules) -> list[str]:
    """A line a metric: name, title, unit, direction, levels."""
    width = max(len(name) for name in rules.metrics)
    wide = max(len(one.title) for one in rules.metrics.values())
    return [
        f"{name:{width}}  {one.title:{wide}}  {one.unit:10}  {BETTER[one.direction]:16}  {', '.join(one.levels)}"
        for name, one in rules.metrics.items()
    ]


def shown(metric: Metric) -> list[str]:
    """Everything that is to be known about a metric, in words."""
    found = [f"{metric.title} ({metric.name}), in {metric.unit}, {BETTER[metric.direction]}", "", metric.formula]
    if metric.lines is not None:
        at = metric.lines
        found.append(f"Lines: target {at.target:g}, red {at.red:g}; the scale runs from {at.worst:g} to {at.best:g}.")
    if metric.source:
        found.append(f"Source: {metric.source}.")
    if metric.excludes:
        found.append(f"Left out: {metric.excludes}.")
    if metric.maturity_days:
        found.append(f"What happens up to {metric.maturity_days} days later can still change it.")
    found.append(f"A colour needs {metric.min_sample} observations.")
    if metric.presses_hours:
        found.append("It presses on hours: in pay it needs counsel's name and date.")
    found += ["", f"It may measure {', '.join(LEVELS[level] for level in metric.levels)}:"]
    found += [f"  {LEVELS[level]}: {metric.influence[level]}" for level in metric.levels]
    for name, side in (("Counted", metric.numerator), ("Divided by", metric.denominator)):
        condition = f" where {side.where}" if side.where else ""
        span = f" until {side.until} ({side.shape})" if side.until else ""
        found += ["", f"{name}: {side.value} of {side.table}{condition}, for {side.credit}, on {side.day}{span}"]
    return found


def _named(rules: Rules, name: str) -> Metric:
    from difflib import get_close_matches

    if name in rules.metrics:
        return rules.metrics[name]
    near = get_close_matches(name, rules.metrics, 1, 0.4)
    raise Refused(f"There is no metric {name!r}.", f"Did you mean {near[0]!r}?" if near else "See `redfirst metrics`.")


def _tried(metric: Metric, rules: Rules, args: argparse.Namespace) -> list[str]:
    import polars as pl

    import scoring.derive
    import scoring.trial

    parts: dict[str, list[pl.DataFrame]] = {}
    rejected = 0
    for batch in _batches(args, scoring.trial.table_of(metric)):
        parts.setdefault(batch.table, []).append(scoring.derive.whole(batch.table, batch.frame))
        if batch.events is not None:
            parts.setdefault("ticket_event", []).append(scoring.derive.whole("ticket_event", batch.events))
        rejected += len(batch.rejects)
    facts = {table: pl.concat(frames).unique("id", keep="last", maintain_order=True) for table, frames in parts.items()}
    read = ", ".join(f"{len(frame):,} of {table}" for table, frame in facts.items())
    read = f"{read or 'no facts'}{f'; {rejected:,} rows rejected' if rejected else ''}"
    found = scoring.trial.attempt(metric, facts, rules)
    months = [(month, sums) for month, sums in found.months if sums.den > 0]
    if not months:
        raise Refused(f"These facts say nothing about {metric.title} (read: {read}).", _lacking(found))
    said = [f"{metric.title}, from {read}"]
    if found.assumed:
        said.append(f"Nobody is named in {', '.join(found.assumed)}: all is taken for one person's work.")
    for month, sums in months:
        value = metric.scale * sums.num / sums.den
        value = value if metric.cap is None else min(value, metric.cap)
        said.append(f"{month.label:16} {value:>12,.{max(metric.decimals, 1)}f} {metric.unit}  (sample {sums.n:,})")
    return said


def _batches(args: argparse.Namespace, table: str) -> Iterator[Batch]:
    """What the files hold; one whose name tells the map nothing is taken for what the metric is made of."""
    import storage.sources
    import storage.sources.maps

    read_by = storage.sources.maps.load(args.map)
    told: list[Path] = []
    for file in args.file:
        try:
            read_by.entry(file.name, args.table)
        except Refused:
            if args.table or file.suffix.lower() == ".zip" or table not in {one.table for one in read_by.tables}:
                raise
            yield from storage.sources.read([file], read_by, table)
        else:
            told.append(file)
    if told:
        yield from storage.sources.read(told, read_by, args.table)


def _lacking(found: Trial) -> str:
    """What a file would have to hold."""
    if found.absent:
        return f"It is made of {' and '.join(found.absent)}: name a file of that kind as well, or --table."
    if found.empty:
        return f"Nothing stands in {', '.join(found.empty)}: fill that column, or map one of yours to it."
    return "No row meets its condition: see `redfirst metrics show`."
