"""From parsed tables to the rules in force: catalogue, rubrics, objectives and settings, each checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import scoring.baselines
import scoring.behaviours
import scoring.catalogue
import scoring.fairness
import scoring.objectives_file
import scoring.pilots
import scoring.quiet
import scoring.redflags
import scoring.rubrics
import scoring.schedules_file
import scoring.tables
from scoring.metrics import Metric
from scoring.refused import Refused
from scoring.rules import Rules

SECTIONS = (
    "organisation", "commands", "fair", "metric", "objectives", "rubric", "lines", "behaviour", "quiet", "red_flags",
    "schedule", "pilot",
)  # fmt: skip
"""What of redfirst.toml is a rule: versioned, shown by `apply` before it holds."""

COMMANDS = ("myscore", "teamscore", "digest", "plans", "coach", "objectives", "redfirst")
"""The words that a platform offers as commands, and that may be renamed there."""

_SLASH_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,30}")
_OBJECTIVE = ("title", "level", "supports", "metrics")


def read(body: Mapping[str, Any], *, version: int, digest: str = "") -> Rules:
    """The rules of a stored body: {"catalogue": …, "rubrics": …, "behaviours": …, "own": …}, each as parsed TOML,
    and {"baselines": …}, which no file says: what is measured without a colour, and lines adopted in chat.

    Shipped tables are part of the body, so that a new release changes no score before it is applied.
    Raises Refused naming table, key and the nearest valid name.
    """
    own = scoring.tables.table(body, "own", "redfirst.toml")
    scoring.tables.only(own, SECTIONS, "redfirst.toml")
    fairness = scoring.fairness.load(scoring.tables.table(own, "fair", "[fair]"))
    shipped = scoring.tables.table(scoring.tables.table(body, "catalogue", "catalogue"), "metric", "[metric]")
    metrics = scoring.catalogue.load(shipped, scoring.tables.table(own, "metric", "[metric]"), fairness)
    rubrics = scoring.tables.table(body, "rubrics", "rubrics")
    known = scoring.tables.table(scoring.tables.table(body, "behaviours", "behaviours"), "behaviour", "[behaviour]")
    return replace(
        load(metrics, rubrics, own, version=version, adopted=scoring.baselines.adopted(body)),
        fairness=fairness,
        digest=digest,
        measuring=scoring.baselines.measured(body),
        pilots=scoring.pilots.load(metrics, own, scoring.baselines.ended(body)),
        behaviours=scoring.behaviours.load(metrics, known, scoring.tables.table(own, "behaviour", "[behaviour]")),
        quiet=scoring.quiet.load(scoring.tables.table(own, "quiet", "[quiet]")),
    )


def load(
    catalogue: dict[str, Metric], shipped: Mapping[str, Any], own: Mapping[str, Any], *, version: int,
    adopted: Sequence[Mapping[str, Any]] = (),
) -> Rules:
    """The rules made of a catalogue, the shipped tables (scoring/rubrics.toml) and the user's redfirst.toml.

    Both are parsed TOML, or the same after a passage through JSON with dates as text. Raises Refused
    naming table, key and the nearest valid name.
    """
    where = "[organisation]"
    desk = scoring.tables.table(own, "organisation", where)
    scoring.tables.only(desk, ("name", "zone", "stale_days", "prior_weight"), where)
    zone = scoring.tables.text(desk, "zone", where, "UTC")
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, KeyError):
        raise Refused(f"{where}: there is no time zone “{zone}”.", "Write an IANA zone: Europe/Berlin.") from None
    stale_days = scoring.tables.whole(desk, "stale_days", where, 2)
    if stale_days < 1:
        raise Refused(f"{where}: stale_days is {stale_days}.", "Data cannot be fresher than of today: write 1 or more.")
    prior_weight = scoring.tables.number(desk, "prior_weight", where, 10.0)
    if not 1.0 <= prior_weight <= 1000.0:
        raise Refused(f"{where}: prior_weight is {prior_weight:g}.", "Write a number of observations from 1 to 1000.")
    return Rules(
        version=version,
        metrics=catalogue,
        rubrics=scoring.rubrics.load(catalogue, shipped, own, adopted),
        organisation=scoring.tables.text(desk, "name", where, "Service desk"),
        zone=zone,
        stale_days=stale_days,
        prior_weight=prior_weight,
        commands=_commands(own),
        objectives=_objectives(catalogue, shipped, own),
        cascade=scoring.objectives_file.configured(catalogue, shipped, own),
        red_flags=scoring.redflags.load(scoring.tables.table(own, "red_flags", "[red_flags]")),
        schedules=scoring.schedules_file.load(own),
    )


def _commands(own: Mapping[str, Any]) -> dict[str, str]:
    given = scoring.tables.table(own, "commands", "[commands]")
    scoring.tables.only(given, COMMANDS, "[commands]")
    names = {word: scoring.tables.text(given, word, "[commands]", word).removeprefix("/") for word in COMMANDS}
    for word, name in names.items():
        if not _SLASH_NAME.fullmatch(name):
            raise Refused(
                f"[commands]: {word} is “{name}”.",
                "A command has at most 31 small letters, digits, - and _, and begins with a letter or digit.",
            )
        if list(names.values()).count(name) > 1:
            raise Refused(f"[commands]: “{name}” stands for two commands.", "Give each a name of its own.")
    return names


def _objectives(
    catalogue: Mapping[str, Metric], shipped: Mapping[str, Any], own: Mapping[str, Any]
) -> dict[str, tuple[str, ...]]:
    """Metric → titles of the objectives it serves, nearest first. An objective without a parent is refused,
    unless it is leadership's; so are circles, and a metric under two objectives."""
    both = {
        **scoring.tables.table(shipped, "objectives", "[objectives]"),
        **scoring.tables.table(own, "objectives", "[objectives]"),
    }
    parsed = {name: scoring.tables.table(both, name, f"[objectives.{name}]") for name in both}
    chains: dict[str, tuple[str, ...]] = {}
    for name, one in parsed.items():
        where = f"[objectives.{name}]"
        scoring.tables.only(one, _OBJECTIVE, where)
        chain = _chain(parsed, name)
        served = one.get("metrics", ())
        if not isinstance(served, (list, tuple)):
            raise Refused(f"{where}: metrics is not a list.", 'Write metrics = ["csat"].')
        for metric in served:
            if metric not in catalogue:
                raise Refused(
                    f"{where}: there is no metric “{metric}”.", scoring.tables.nearest(str(metric), catalogue)
                )
            if metric in chains:
                raise Refused(
                    f"{where}: {metric} already serves “{chains[metric][0]}”.", "Name it under one of the two."
                )
            chains[metric] = chain
    return chains


def _chain(parsed: Mapping[str, Mapping[str, Any]], name: str) -> tuple[str, ...]:
    titles: list[str] = []
    passed: list[str] = []
    while True:
        where = f"[objectives.{name}]"
        passed.append(name)
        one = parsed[name]
        titles.append(scoring.tables.text(one, "title", where))
        level = scoring.tables.text(one, "level", where, "team")
        if level not in ("team", "leadership"):
            raise Refused(f"{where}: level is “{level}”.", "Write “team” or “leadership”.")
        parent = scoring.tables.text(one, "supports", where, "")
        if not parent:
            if level != "leadership":
                raise Refused(
                    f"{where} supports no other objective.",
                    "Name the one it supports, or write level = “leadership”.",
                )
            return tuple(titles)
        if parent not in parsed:
            raise Refused(
                f"{where}: there is no objective “{parent}” to support.", scoring.tables.nearest(parent, parsed)
            )
        if parent in passed:
            raise Refused(f"{where} supports itself, by way of {parent}.", "Break the circle.")
        name = parent
