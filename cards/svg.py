"""Trends and gauges as inline SVG for the HTML renderer; colours come from the page's style, so both themes fit."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from cards import card as model
from cards import limits, safe, text

_WIDTH, _HEIGHT = 560, 188
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 112, 14, 28


def trend(trend: model.Trend) -> str:
    """A line chart with its target and red line; weeks without data are gaps. Its words and figures are in
    <title> and <desc>. Empty when no point has a value."""
    points = trend.points[-limits.TREND_POINTS :]
    numbers = [safe.number(p.value) for p in points]
    rules = [(r, n) for r in trend.rules[:4] if (n := safe.number(r.value)) is not None]
    known = [n for n in numbers if n is not None]
    if not known:
        return ""
    low, high = _range([*known, *(n for _, n in rules)], percent=safe.line(trend.unit) == "%")
    x = [_LEFT + i * (_WIDTH - _LEFT - _RIGHT) / max(len(points) - 1, 1) for i in range(len(points))]

    def y(value: float) -> float:
        return _TOP + (high - value) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    body = [_grid(low, high, y(low), y((low + high) / 2), y(high))]
    body += _rules([(r, n, y(n)) for r, n in rules])
    for run in _runs(numbers):
        body.append(_segment([(x[i], y(n)) for i, n in run], y(low)))
    at, last = max((i, n) for i, n in enumerate(numbers) if n is not None)
    body.append(f'<circle class="rf-svg-last" cx="{x[at]:.1f}" cy="{y(last):.1f}" r="5"/>')
    above = y(last) - 11 if y(last) > _TOP + 14 else y(last) + 20
    told = _tell(last, trend.unit)
    body.append(f'<text class="rf-svg-value" x="{x[at]:.1f}" y="{above:.1f}" text-anchor="middle">{told}</text>')
    body += _ticks(points, x)
    said = ", ".join(
        f"{safe.line(p.label)} {'no data' if n is None else safe.figure(n)}"
        for p, n in zip(points, numbers, strict=True)
    )
    return _svg("rf-trend", _WIDTH, _HEIGHT, trend.title, f"{safe.line(trend.words)} {said}", body)


def gauge(gauge: model.Gauge) -> str:
    """A half circle filled up to the value, with the value in it; empty without a value or a scale."""
    share = text.gauge_share(gauge)
    value = safe.number(gauge.value)
    if share is None or value is None:
        return ""
    radius, cx, cy = 76, 100, 92
    track = _arc(cx, cy, radius, 1.0)
    body = [f'<path class="rf-svg-track" d="{track}"/>']
    if share > 0:
        body.append(f'<path class="rf-svg-fill" d="{_arc(cx, cy, radius, share)}"/>')
    low, high = safe.number(gauge.low) or 0.0, safe.number(gauge.high) or 0.0
    score = _tell(float(round(value))) if high - low >= 20 else _tell(value)
    body += [
        f'<text class="rf-svg-score" x="{cx}" y="{cy - 6}" text-anchor="middle">{score}</text>',
        f'<text class="rf-svg-tick" x="{cx - radius}" y="{cy + 18}" text-anchor="middle">{_tell(low)}</text>',
        f'<text class="rf-svg-tick" x="{cx + radius}" y="{cy + 18}" text-anchor="middle">{_tell(high)}</text>',
    ]
    return _svg(f"rf-gauge rf-{gauge.status}", 200, 118, gauge.label, safe.line(gauge.words), body)


def _svg(kind: str, width: int, height: int, title: str, words: str, body: Sequence[str]) -> str:
    name = html.escape(safe.line(title))
    return (
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" role="img" aria-label="{name}">'
        f"<title>{name}</title><desc>{html.escape(words.strip())}</desc>{''.join(body)}</svg>"
    )


def _range(numbers: Sequence[float], *, percent: bool) -> tuple[float, float]:
    """The ends of the scale: round numbers around all values, so that a small change does not look like a cliff."""
    low, high = min(numbers), max(numbers)
    span = max(high - low, abs(high) * 0.05, 1e-6)
    step = 10.0 ** math.floor(math.log10(span))
    step = next(s * step for s in (0.5, 1, 2, 5, 10) if span / (s * step) <= 4)
    low, high = math.floor((low - span * 0.08) / step) * step, math.ceil((high + span * 0.08) / step) * step
    if percent and min(numbers) >= 0 and max(numbers) <= 100:
        low, high = max(low, 0.0), min(high, 100.0)
    elif min(numbers) >= 0:
        low = max(low, 0.0)
    return (low, high) if high > low else (low, low + 1)


def _runs(numbers: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """Stretches of neighbouring points that have a value."""
    runs: list[list[tuple[int, float]]] = [[]]
    for i, n in enumerate(numbers):
        if n is None:
            runs.append([])
        else:
            runs[-1].append((i, n))
    return [run for run in runs if run]


def _segment(places: Sequence[tuple[float, float]], floor: float) -> str:
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(f'<circle class="rf-svg-dot" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in places)
    if len(places) == 1:
        return dots
    area = f"{places[0][0]:.1f},{floor:.1f} {line} {places[-1][0]:.1f},{floor:.1f}"
    return f'<polygon class="rf-svg-area" points="{area}"/><polyline class="rf-svg-line" points="{line}"/>{dots}'


def _grid(low: float, high: float, *heights: float) -> str:
    values = (low, (low + high) / 2, high)
    return "".join(
        f'<line class="rf-svg-grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="rf-svg-tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_tell(v)}</text>'
        for v, y in zip(values, heights, strict=True)
    )


def _rules(rules: Sequence[tuple[model.Rule, float, float]]) -> list[str]:
    """Each rule with its words at the right; words that would overlap are moved apart."""
    drawn, taken = [], _TOP - 20.0
    for rule, _, y in sorted(rules, key=lambda r: r[2]):
        kind = "rf-svg-red" if text.is_red_line(rule) else "rf-svg-target"
        taken = max(y + 4, taken + 15)
        words = html.escape(safe.cut(safe.line(rule.label), 18))
        drawn.append(
            f'<line class="{kind}" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="rf-svg-rule {kind}-words" x="{_WIDTH - _RIGHT + 10}" y="{taken:.1f}">{words}</text>'
        )
    return drawn


def _ticks(points: Sequence[model.Point], x: Sequence[float]) -> list[str]:
    """Labels under the first, a middle and the last point."""
    shown = sorted({0, (len(points) - 1) // 2, len(points) - 1})
    return [
        f'<text class="rf-svg-tick" x="{x[i]:.1f}" y="{_HEIGHT - 8}" text-anchor="middle">'
        f"{html.escape(safe.cut(safe.line(points[i].label), 14))}</text>"
        for i in shown
    ]


def _arc(cx: int, cy: int, radius: int, share: float) -> str:
    angle = math.pi * (1 - share)
    x, y = cx + radius * math.cos(angle), cy - radius * math.sin(angle)
    return f"M {cx - radius} {cy} A {radius} {radius} 0 0 1 {x:.2f} {y:.2f}"


def _tell(value: float, unit: str = "") -> str:
    unit = safe.line(unit)
    return html.escape(f"{safe.figure(value)} {unit}".rstrip() if len(unit) <= 4 else safe.figure(value))
