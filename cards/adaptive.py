"""Cards as Adaptive Cards 1.5 for Teams: data in text runs or escaped, charts with a fallback, at most 25 KB."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cards import adaptive_forms, limits, safe, text
from cards import card as model
from cards.adaptive_text import (
    NOTHING,
    Element,
    envelope,
    fact,
    heading,
    link,
    paragraph,
    rich,
    run,
    size,
    status,
)

form = adaptive_forms.form

_CUTS = ((60, 3000), (30, 1500), (15, 600), (8, 300), (4, 120))
"""Rows of a table and characters of a text, from plenty to what is left when a card would be too large."""

_CHART_COLOR = {"red": "attention", "amber": "warning", "green": "good", "none": "neutral"}
_STYLE = {"primary": "positive", "danger": "destructive"}


@dataclass(slots=True)
class _Room:
    """How much one rendering may show, the spare or not, and the nonce for buttons that may be pressed once."""

    rows: int
    chars: int
    nonce: str
    spare: bool


def card(card: model.Card, *, nonce: str = "") -> dict[str, Any]:
    """The card as JSON values. Never raises; what does not fit 25 KB is cut, tables first, with "… and N more".

    A button is an Action.Execute whose data is its values and "_verb" (its route), with an Action.Submit carrying the
    same data as fallback; `nonce`, when given, goes as "_n" into the data of buttons that may be pressed once.
    """
    parts: list[list[Element]] = []
    for (rows, chars), spare in itertools.product(_CUTS, (True, False)):
        parts = [p for p in _parts(card, _Room(rows, chars, nonce, spare)) if p]
        whole = envelope(card.summary or card.title, [e for p in parts for e in p])
        if size(whole) <= limits.TEAMS_CARD_BYTES:
            return whole
    sizes = {id(p): size(p) for p in parts}
    # Buttons at the end (period ‹ ›, back) stay in reach, whatever else has to go.
    last = parts[-1]
    tail = 1 if last[0]["type"] == "ActionSet" and sizes[id(last)] <= limits.TEAMS_CARD_BYTES // 3 else 0
    room = limits.TEAMS_CARD_BYTES - size(envelope(card.summary or card.title, [])) - 300
    kept, left = safe.fitting(parts, tail, lambda some: sum(sizes[id(p)] for p in some) <= room)
    body = [e for p in kept[: len(kept) - tail] for e in p]
    body.append(rich([run(f"… and {left} more", 100, isSubtle=True)])[0])
    return envelope(card.summary or card.title, body + [e for p in kept[len(kept) - tail :] for e in p])


def _parts(card: model.Card, room: _Room) -> list[list[Element]]:
    parts: list[list[Element]] = []
    if not text.titled(card):
        parts.append(heading(model.Heading(card.title, 1)))
    if text.needs_status(card):
        parts.append(rich([status(card.status)]))
    divided = False
    for block in card.blocks:
        part = _block(block, room)
        if divided and part:
            part[0] |= {"separator": True, "spacing": "Medium"}
        divided = isinstance(block, model.Divider) or (divided and not part)
        parts.append(part)
    return parts


def _block(block: model.Block, room: _Room) -> list[Element]:
    match block:
        case model.Heading():
            return heading(block)
        case model.Text():
            return paragraph(block, room.chars) if room.spare or not block.spare else []
        case model.Badge():
            about = safe.line(block.text)
            said = [run(f" · {about}", room.chars, weight="Bolder")] if about else []
            return rich([status(block.status), *said], spacing="Medium")
        case model.Fields():
            facts = [{"title": fact(f.label, room.chars), "value": fact(f.value, room.chars)} for f in block.items]
            return [{"type": "FactSet", "facts": facts}] if facts else []
        case model.Table():
            return _table(block, room)
        case model.Gauge():
            return _gauge(block, room)
        case model.Trend():
            return _trend(block, room)
        case model.Buttons():
            return _buttons(block, room)
        case model.Links():
            runs = [r for item in block.items for r in (run(" · ", 3), link(item, room.chars))]
            return rich(runs[1:])
        case model.Divider():
            return []  # drawn as the separator of what follows


def _gauge(block: model.Gauge, room: _Room) -> list[Element]:
    label = safe.line(block.label)
    runs = [run(f"{label}: " if label else "", limits.TEAMS_LABEL, weight="Bolder"), run(block.words, room.chars)]
    if block.status != "none":
        runs += [run(" · ", 3), status(block.status)]
    words = rich(runs)
    share = text.gauge_share(block)
    if share is None:
        return words
    low, high = safe.number(block.low) or 0.0, safe.number(block.high) or 0.0
    value = min(max(low + share * (high - low), low), high)  # rounding may step over an end of the scale
    color = _CHART_COLOR[block.status]
    chart: Element = {
        "type": "Chart.Gauge",
        "value": value,
        "min": low,
        "max": high,
        "showMinMax": True,
        "valueFormat": "Fraction",
        "segments": [
            {"legend": "Reached", "size": value - low, "color": "categoricalBlue" if block.status == "none" else color},
            {"legend": "Open", "size": high - value, "color": "neutral"},
        ],
        "fallback": rich([run(text.bar(block), 100)])[0],
    }
    if label:
        chart["title"] = safe.cut(safe.quiet(label), limits.TEAMS_TITLE)
    return [chart, *words]


def _trend(block: model.Trend, room: _Room) -> list[Element]:
    title = safe.cut(safe.quiet(safe.line(block.title) or "Trend"), limits.TEAMS_TITLE)
    spark = rich([run(f"{title} ", limits.TEAMS_LABEL, weight="Bolder"), run(text.spark(block.points), 100)])
    words = rich([run(block.words, room.chars, isSubtle=True)])
    shown = block.points[-limits.TREND_POINTS :]
    known = [(p.label, n) for p in shown if (n := safe.number(p.value)) is not None]
    if len(known) < 2:
        return spark + words
    labels = safe.unique((safe.quiet(safe.line(label)) for label, _ in known), 40)
    points = list(zip(labels, (n for _, n in known), strict=True))
    series = [(title, "categoricalBlue", points)]
    for rule in block.rules[:4]:
        value = safe.number(rule.value)
        if value is not None:
            ends = [(points[0][0], value), (points[-1][0], value)]
            name = safe.cut(safe.quiet(safe.line(rule.label)) or "Line", 40)
            series.append((name, "attention" if text.is_red_line(rule) else "good", ends))
    chart: Element = {
        "type": "Chart.Line",
        "title": title,
        "data": [
            {"legend": name, "color": color, "values": [{"x": x, "y": y} for x, y in values]}
            for name, color, values in series
        ],
        "fallback": spark[0],
    }
    unit = safe.line(block.unit)
    if unit:
        chart["yAxisTitle"] = safe.cut(safe.quiet(unit), limits.TEAMS_TITLE)
    return [chart, *words]


def _table(block: model.Table, room: _Room) -> list[Element]:
    caption = rich([run(block.caption, limits.TEAMS_LABEL, weight="Bolder")])
    rows = block.rows[: room.rows]
    columns = min(max((len(block.head), *(len(r) for r in rows))), limits.TEAMS_TABLE_COLUMNS)
    if not columns:
        return caption
    said = [_row([run(h, limits.TEAMS_LABEL, weight="Bolder") for h in block.head], columns)] if block.head else []
    said += [_row([_cell(c, room.chars) for c in r], columns) for r in rows]
    left = len(block.rows) - len(rows)
    more = rich([run(f"… and {left} more", 100, isSubtle=True)]) if left else []
    if not said:
        return caption + more
    return [
        *caption,
        {
            "type": "Table",
            "columns": [{"width": 2 if i == 0 else 1} for i in range(columns)],
            "rows": said,
            "firstRowAsHeader": bool(block.head),
            "showGridLines": False,
        },
        *more,
    ]


def _cell(cell: str | model.Link, limit: int) -> Element:
    return link(cell, limit) if isinstance(cell, model.Link) else run(cell, limit)


def _row(runs: Sequence[Element], columns: int) -> Element:
    filled = [*runs[:columns], *([run(NOTHING, 1)] * (columns - len(runs)))]
    cells = [{"type": "TableCell", "items": rich([r]) or rich([run(NOTHING, 1)])} for r in filled]
    return {"type": "TableRow", "cells": cells}


def _buttons(block: model.Buttons, room: _Room) -> list[Element]:
    actions: list[Element] = []
    lost: list[str] = []
    for button in block.items:
        route = safe.sound(button.route)
        data = {**safe.values(button.values), "_verb": route}
        if button.once and room.nonce:
            data["_n"] = room.nonce
        title = safe.cut(safe.line(button.text) or NOTHING, limits.TEAMS_TITLE)
        if len(safe.compact(data)) > limits.TEAMS_DATA:
            lost.append(title)
            continue
        style = {"style": _STYLE[button.style]} if button.style in _STYLE else {}
        fallback = {"type": "Action.Submit", "title": title, "data": data, **style}
        actions.append({**fallback, "type": "Action.Execute", "verb": route, "fallback": fallback})
    step = limits.TEAMS_ACTIONS
    sets: list[Element] = [
        {"type": "ActionSet", "actions": actions[i : i + step]} for i in range(0, len(actions), step)
    ]
    return sets + (rich([run(f"Not shown here: {', '.join(lost)}", 300, isSubtle=True)]) if lost else [])
