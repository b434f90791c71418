"""How the effect of nudges looks: figures with their interval, and the words for what they cannot show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import scoring.effects
import scoring.figures
from cards.card import Block, Card, Divider, Text
from scoring.behaviours import Behaviour
from scoring.effects import Effect
from scoring.metrics import Metric

SAID = {
    "helps": "It helps.",
    "no_effect": "Without a useful effect: think of retiring it.",
    "open": "It cannot be told yet.",
}


def shown(effects: Sequence[Effect], behaviours: Mapping[str, Behaviour], metrics: Mapping[str, Metric]) -> Card:
    """Every behaviour with five people on either side; the others as a count."""
    told = [one for one in effects if one.verdict != "too_few"]
    retired = [one for one in told if one.verdict == "no_effect"]
    blocks: list[Block] = [
        Text("By how much more those who were nudged got better than others with the same gap who were not, that week, "
             "because of the budget, a snooze or leave.", "muted")
    ]  # fmt: skip
    for one in told:
        metric = metrics[one.metric]
        points = f"{scoring.figures.change(metric, one.size)} ({_interval(metric, one)})"
        unit = "points" if metric.unit == "%" else metric.unit
        blocks += [
            Divider(),
            Text(f"{metric.title}: {behaviours[one.behaviour].title}", "strong"),
            Text(f"{points} {unit} better, with 95 % confidence between the two. {SAID[one.verdict]}"),
            Text(f"{one.nudged} people nudged, {one.others} not; {one.weeks} weeks of people.", "muted"),
        ]
    few = len(effects) - len(told)
    if few:
        blocks.append(Text(f"{few} more cannot be told: that needs five people on either side.", "muted"))
    if not effects:
        blocks.append(Text("Nothing yet: a nudge shows its effect two weeks later at the earliest."))
    if retired:
        blocks += [Divider(), Text("To retire one, an administrator writes into redfirst.toml:")]
        blocks += [Text(f"[behaviour.{one.behaviour}]  retired = true") for one in retired]
    blocks += [Divider(), Text(scoring.effects.CANNOT_SHOW, "muted")]
    return Card("What nudges do", tuple(blocks), summary=_summary(told, retired, few))


def _interval(metric: Metric, one: Effect) -> str:
    return f"{scoring.figures.change(metric, one.low)} to {scoring.figures.change(metric, one.high)}"


def _summary(told: Sequence[Effect], retired: Sequence[Effect], few: int) -> str:
    helping = sum(one.verdict == "helps" for one in told)
    unknown = few + len(told) - helping - len(retired)
    return f"{helping} behaviours help, {len(retired)} have no useful effect, {unknown} cannot be told yet."
