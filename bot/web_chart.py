"""Charts of real Slack and Teams payloads as inline SVG, in colours that the platform's style sheet chooses."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

_WIDTH, _HEIGHT = 480, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 14, 12, 26

Series = tuple[str, str, Sequence[tuple[str, float]]]
"""Name, class of its colour, (category, value) in order."""


def lines(title: str, series: Sequence[Series], unit: str = "") -> str:
    """A <figure> with the lines over the categories of the longest series, and a legend; "" without any value."""
    categories = max(([x for x, _ in points] for _, _, points in series), key=len, default=[])
    values = [value for _, _, points in series for _, value in points]
    if not categories or not values:
        return ""
    low, high = _range(min(values), max(values))
    column = {category: i for i, category in enumerate(categories)}
    step = (_WIDTH - _LEFT - _RIGHT) / max(len(categories) - 1, 1)

    def place(category: str, value: float) -> str:
        x = _LEFT + column.get(category, 0) * step
        y = _TOP + (high - value) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)
        return f"{x:.1f},{y:.1f}"

    body = [_grid(low, high)]
    for _, colour, points in series:
        body.append(f'<polyline class="ch-line {colour}" points="{" ".join(place(x, y) for x, y in points)}"/>')
    shown = sorted({0, (len(categories) - 1) // 2, len(categories) - 1})
    for i in shown:
        side = "start" if i == 0 else "end" if i == len(categories) - 1 else "middle"
        x = _LEFT + i * step
        y, words = _HEIGHT - 6, _e(categories[i])
        body.append(f'<text class="ch-tick" x="{x:.1f}" y="{y}" text-anchor="{side}">{words}</text>')
    legend = "".join(f'<li><span class="ch-key {colour}"></span>{_e(name)}</li>' for name, colour, _ in series)
    axis = f'<span class="ch-unit">{_e(unit)}</span>' if unit else ""
    return (
        f'<figure class="ch"><figcaption>{_e(title)}{axis}</figcaption>'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{_e(title)}">{"".join(body)}</svg>'
        f'<ul class="ch-legend">{legend}</ul></figure>'
    )


def gauge(title: str, value: float, low: float, high: float, segments: Sequence[tuple[str, float]]) -> str:
    """A <figure> with a half ring of coloured segments (class, size) and the value in it, as "74/100"."""
    span = high - low
    if span <= 0:
        return ""
    body, at = [], 0.0
    for colour, size in segments:
        share = size / span
        if share > 0:
            body.append(f'<path class="ch-arc {colour}" d="{_arc(at, min(at + share, 1.0))}"/>')
        at += share
    body.append(f'<text class="ch-score" x="100" y="88" text-anchor="middle">{value:.0f}/{high:g}</text>')
    body.append(f'<text class="ch-tick" x="24" y="112" text-anchor="middle">{low:g}</text>')
    body.append(f'<text class="ch-tick" x="176" y="112" text-anchor="middle">{high:g}</text>')
    return (
        f'<figure class="ch ch-gauge"><figcaption>{_e(title)}</figcaption>'
        f'<svg viewBox="0 0 200 118" role="img" aria-label="{_e(title)}">{"".join(body)}</svg></figure>'
    )


def _arc(begin: float, end: float) -> str:
    x1, y1 = 100 - 76 * math.cos(math.pi * begin), 96 - 76 * math.sin(math.pi * begin)
    x2, y2 = 100 - 76 * math.cos(math.pi * end), 96 - 76 * math.sin(math.pi * end)
    return f"M{x1:.2f} {y1:.2f}A76 76 0 0 1 {x2:.2f} {y2:.2f}"


def _range(low: float, high: float) -> tuple[float, float]:
    span = max(high - low, abs(high) * 0.05, 1e-6)
    step = 10.0 ** math.floor(math.log10(span))
    bottom, top = math.floor((low - span * 0.1) / step) * step, math.ceil((high + span * 0.1) / step) * step
    return (max(bottom, 0.0) if low >= 0 else bottom), top if top > bottom else bottom + 1


def _grid(low: float, high: float) -> str:
    rows = []
    for i in range(3):
        y = _TOP + i * (_HEIGHT - _TOP - _BOTTOM) / 2
        value = high - i * (high - low) / 2
        rows.append(
            f'<line class="ch-grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="ch-tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_tell(value)}</text>'
        )
    return "".join(rows)


def _tell(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}".removesuffix(".0")


def _e(words: str) -> str:
    return html.escape(words)
