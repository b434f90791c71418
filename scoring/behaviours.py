"""The catalogue of behaviours: what a person can do differently about a metric, as data, ours and the user's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import scoring.tables
from scoring.metrics import Metric
from scoring.refused import Refused

PARTS = ("title", "what", "why", "worked")
LONGEST = {"title": 80, "what": 300, "why": 200, "worked": 200}
"""Characters; what is longer is not read on the way to a ticket."""

_KEYS = ("metric", *PARTS, "retired")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One thing to do: `what`, `why` it helps the customer, and how one knows that it `worked`."""

    name: str
    metric: str
    title: str
    what: str
    why: str
    worked: str


def load(
    metrics: Mapping[str, Metric], shipped: Mapping[str, Any], own: Mapping[str, Any]
) -> dict[str, Behaviour]:
    """Behaviours by name from two parsed `[behaviour]` tables, the shipped ones first, in the order they stand.

    A user's table of a shipped name names only what it changes; `retired = true` takes one out. A shipped one
    whose metric measures nobody here is left out. Raises Refused naming table, key and the nearest valid name.
    """
    found: dict[str, Behaviour] = {}
    for name in (*shipped, *(n for n in own if n not in shipped)):
        mine = scoring.tables.table(own, name, f"[behaviour.{name}]")
        table = {**scoring.tables.table(shipped, name, f"[behaviour.{name}]"), **mine}
        one, retired = _one(name, table)
        if retired:
            continue
        metric = metrics.get(one.metric)
        if metric is not None and "person" in metric.levels and metric.subject == "person":
            found[name] = one
        elif "metric" in mine:
            raise _no_measure(name, one.metric, metrics)
    return found


def of_metric(behaviours: Mapping[str, Behaviour], metric: str) -> tuple[Behaviour, ...]:
    """What can be done about a metric, in the order in which it is tried."""
    return tuple(one for one in behaviours.values() if one.metric == metric)


def _one(name: str, table: Mapping[str, Any]) -> tuple[Behaviour, bool]:
    where = f"[behaviour.{name}]"
    if not _NAME.fullmatch(name):
        raise Refused(f"{where} has no usable name.", "Use small letters, digits and _, at most 60.")
    scoring.tables.only(table, _KEYS, where)
    retired = scoring.tables.truth(table, "retired", where, default=False)
    words = {part: scoring.tables.text(table, part, where) for part in PARTS}
    for part, text in words.items():
        if len(text) > LONGEST[part]:
            raise Refused(
                f"{where}: {part} has {len(text)} characters.",
                f"Say it in {LONGEST[part]}: people read it between two tickets.",
            )
    return Behaviour(name, scoring.tables.text(table, "metric", where), **words), retired


def _no_measure(name: str, metric: str, metrics: Mapping[str, Metric]) -> Refused:
    if metric not in metrics:
        return Refused(
            f"[behaviour.{name}]: there is no metric “{metric}”.", scoring.tables.nearest(metric, metrics)
        )
    return Refused(
        f"[behaviour.{name}]: {metric} measures no single person.",
        "Name a metric that has “person” among its levels.",
    )
