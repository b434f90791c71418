"""Cards as Slack Block Kit: data only in plain_text and rich_text, never in Slack's markup, cut to its limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cards import block_forms, limits, safe, text
from cards import card as model
from cards.block_text import NOTHING, Block, context, fallback, link, literal, piece, plain, rich, run, weight

modal = block_forms.modal
submitted = block_forms.submitted
carried = block_forms.carried

_Parts = list[tuple[model.Block | None, list[Block]]]
"""What each block of a card became; None is what the renderer added itself."""

_ROW_CUTS = ((99, 3000), (40, 1500), (20, 600), (10, 300), (5, 150))
"""Rows of a table and characters of a text, from what Slack takes down to what is left when a message is too long."""


@dataclass(slots=True)
class _Surface:
    """One rendering: what the surface allows and what has been used of it."""

    charts: int
    tables: int
    rows: int
    chars: int
    nonce: str | None
    buttons: int = 0


def message(card: model.Card, *, nonce: str | None = None) -> dict[str, Any]:
    """`{"text", "blocks"}` for chat.postMessage, chat.update and response_url. Never raises; what does not fit is
    cut with "… and N more". `nonce` goes as "_n" into the values of buttons that may be pressed once."""
    return {"text": fallback(card.summary or card.title), "blocks": _of_message(card, nonce)[0]}


def encoded(card: model.Card, more: Mapping[str, str], *, nonce: str | None = None) -> str:
    """The same message with `more` beside it, as JSON: what is encoded to be measured is not encoded again."""
    blocks, found = _of_message(card, nonce)
    rest = safe.compact({**more, "text": fallback(card.summary or card.title)})
    return f'{rest[:-1]},"blocks":{found or safe.compact(blocks)}}}'


def _of_message(card: model.Card, nonce: str | None) -> tuple[list[Block], str]:
    return _fitted(card, limits.SLACK_MESSAGE_BLOCKS, limits.SLACK_MESSAGE_CHARS, limits.SLACK_TABLES, nonce)


def home(card: model.Card, *, nonce: str | None = None) -> dict[str, Any]:
    """The App Home view of a card, for views.publish. Tables become lines: Slack shows `table` in messages only."""
    return {
        "type": "home",
        "blocks": _fitted(card, limits.SLACK_VIEW_BLOCKS, limits.SLACK_VIEW_CHARS, 0, nonce)[0],
    }


def _fitted(card: model.Card, most: int, chars: int, tables: int, nonce: str | None) -> tuple[list[Block], str]:
    """The blocks, and their JSON where it is known already."""
    parts: list[list[Block]] = []
    for rows, long in _ROW_CUTS:
        surface = _Surface(limits.SLACK_CHARTS, tables, rows, long, nonce)
        made = _parts(card, surface)
        for parts in _closer(made):
            blocks = [b for p in parts for b in p]
            # their JSON is never shorter than their texts, and much sooner measured
            if len(blocks) <= most and (len(found := safe.compact(blocks)) <= chars or weight(blocks) <= chars):
                return (blocks, found) if blocks else ([context(NOTHING)], "")
    # Buttons at the end (period ‹ ›, back) stay in reach, whatever else has to go.
    sizes = {id(p): weight(p) for p in parts}
    last = parts[-1]
    tail = 1 if last[0]["type"] == "actions" and len(last) == 1 and sizes[id(last)] <= chars // 3 else 0
    note = 60

    def fits(some: Sequence[list[Block]]) -> bool:
        return sum(map(len, some)) < most and sum(sizes[id(p)] for p in some) + note <= chars

    kept, left = safe.fitting(parts, tail, fits)
    blocks = [b for p in kept[: len(kept) - tail] for b in p]
    blocks.append(context(f"… and {left} more"))
    return blocks + [b for p in kept[len(kept) - tail :] for b in p], ""


def _parts(card: model.Card, surface: _Surface) -> _Parts:
    parts: _Parts = []
    if not text.titled(card):
        parts.append((None, _header(card.title)))
    if text.needs_status(card):
        parts.append((None, [context(text.status(card.status))]))
    parts += [(b, _block(b, surface)) for b in card.blocks]
    return [(b, p) for b, p in parts if p]


def _closer(parts: _Parts) -> Iterator[list[list[Block]]]:
    """The parts as they are, then ever closer together: texts joined, without what is spare, without lines between."""
    yield [p for _, p in parts]
    yield _joined(parts)
    parts = [(b, p) for b, p in parts if not (isinstance(b, model.Text) and b.spare)]
    yield _joined(parts)
    yield _joined([(b, p) for b, p in parts if not isinstance(b, model.Divider)])


def _joined(parts: _Parts) -> list[list[Block]]:
    """Rich texts that follow each other as one block, in which each keeps its own line."""
    found: list[list[Block]] = []
    for _, part in parts:
        runs, before = _runs(part), _runs(found[-1]) if found else []
        if runs and before:
            found[-1] = rich([*before, {"type": "text", "text": "\n"}, *runs])
        else:
            found.append(part)
    return found


def _runs(part: list[Block]) -> list[Block]:
    """What a part says in running text; nothing where it is more than that."""
    if len(part) != 1 or part[0]["type"] != "rich_text":
        return []
    [section] = part[0]["elements"]
    said: list[Block] = section["elements"]
    return said


def _block(block: model.Block, surface: _Surface) -> list[Block]:
    match block:
        case model.Heading():
            return _header(block.text) if block.level == 1 else rich([run(block.text, surface.chars, bold=True)])
        case model.Text():
            return _text(block, surface)
        case model.Badge():
            about = safe.line(block.text)
            runs = [piece(text.status(block.status), 100, bold=True)]
            return rich([*runs, piece(f" · {about}", surface.chars)] if about else runs)
        case model.Fields():
            return _fields(block, surface)
        case model.Table():
            return _table(block, surface)
        case model.Gauge():
            return _gauge(block, surface)
        case model.Trend():
            return _trend(block, surface)
        case model.Buttons():
            return _buttons(block, surface)
        case model.Links():
            runs = [r for item in block.items for r in (run(" · ", 3), *link(item, surface.chars))]
            return rich(runs[1:])
        case model.Divider():
            return [{"type": "divider"}]


def _header(words: str) -> list[Block]:
    return [{"type": "header", "text": plain(words, limits.SLACK_HEADER)}] if safe.line(words) else []


def _text(block: model.Text, surface: _Surface) -> list[Block]:
    words = safe.clean(block.text)
    if not words:
        return []
    if block.tone == "muted":
        return [context(words, surface.chars)]
    return rich([piece(words, surface.chars, bold=block.tone == "strong")])


def _fields(block: model.Fields, surface: _Surface) -> list[Block]:
    if any(len(f.value) > text.SHORT for f in block.items):
        return rich([r for i, f in enumerate(block.items) for r in _long_field(f, surface, first=i == 0)])
    limit = min(limits.SLACK_FIELD, surface.chars)
    cells = [literal(f"{safe.line(f.label) or NOTHING}\n{safe.line(f.value) or NOTHING}", limit) for f in block.items]
    step = limits.SLACK_FIELDS
    return [{"type": "section", "fields": cells[i : i + step]} for i in range(0, len(cells), step)]


def _long_field(field: model.Field, surface: _Surface, *, first: bool) -> list[Block]:
    label = safe.line(field.label)
    line = [] if first else [{"type": "text", "text": "\n"}]
    return [*line, run(f"{label}: " if label else "", surface.chars, bold=True), run(field.value, surface.chars)]


def _gauge(block: model.Gauge, surface: _Surface) -> list[Block]:
    limit = surface.chars
    label = safe.line(block.label)
    runs = [run(f"{label}: " if label else "", limit, bold=True), run(block.words, limit)]
    if block.status != "none":
        runs.append(run(f" · {text.status(block.status)}", 100))
    bar = text.bar(block)
    if bar:
        runs.append({"type": "text", "text": f"\n{bar}"})
    return rich(runs)


def _trend(block: model.Trend, surface: _Surface) -> list[Block]:
    words = [context(safe.clean(block.words), surface.chars)] if safe.clean(block.words) else []
    points = _known((p.label, p.value) for p in block.points[-limits.SLACK_CHART_POINTS :])
    if surface.charts <= 0 or len(points) < 2:
        title = safe.line(block.title)
        return rich([run(f"{title} ", surface.chars, bold=True), run(text.spark(block.points), 100)]) + words
    surface.charts -= 1
    # Every series needs a value for every category, so weeks without data are left out of the picture.
    labels = safe.unique((label for label, _ in points), limits.SLACK_CHART_LABEL)
    rules = _known((r.label, r.value) for r in block.rules[: limits.SLACK_CHART_SERIES - 1])
    names = safe.unique((block.title, *(label for label, _ in rules)), limits.SLACK_CHART_NAME)
    lines = [[n for _, n in points], *([n] * len(points) for _, n in rules)]
    series = [
        {"name": name, "data": [{"label": lb, "value": n} for lb, n in zip(labels, line, strict=True)]}
        for name, line in zip(names, lines, strict=True)
    ]
    axis: dict[str, Any] = {"categories": labels}
    if safe.line(block.unit):
        axis["y_label"] = safe.cut(safe.line(block.unit), limits.SLACK_CHART_AXIS)
    title = safe.cut(safe.line(block.title) or "Trend", limits.SLACK_CHART_TITLE)
    chart = {"type": "line", "series": series, "axis_config": axis}
    return [{"type": "data_visualization", "title": title, "chart": chart}, *words]


def _known(pairs: Iterable[tuple[str, float | None]]) -> list[tuple[str, float]]:
    return [(label, n) for label, value in pairs if (n := safe.number(value)) is not None]


def _table(block: model.Table, surface: _Surface) -> list[Block]:
    caption = rich([run(block.caption, surface.chars, bold=True)]) if safe.line(block.caption) else []
    rows = block.rows[: surface.rows]
    left = len(block.rows) - len(rows)
    columns = max((len(block.head), *(len(r) for r in rows)), default=0)
    more = [context(f"… and {left} more")] if left else []
    if not columns:
        return caption
    if surface.tables <= 0 or not block.head:
        return caption + [b for row in rows for b in _row_lines(block.head, row, surface)] + more
    surface.tables -= 1
    shown = min(columns, limits.SLACK_TABLE_COLUMNS)
    if columns > shown:
        more.append(context(f"… and {columns - shown} more columns"))
    head = [rich([run(safe.line(h) or NOTHING, 100, bold=True)])[0] for h in _padded(block.head, shown)]
    body = [[_table_cell(c, surface) for c in _padded(row, shown)] for row in rows]
    settings = [
        {"align": "right", "is_wrapped": True} if rows and all(_is_figure(r, i) for r in rows) else {"is_wrapped": True}
        for i in range(shown)
    ]
    return [*caption, {"type": "table", "column_settings": settings, "rows": [head, *body]}, *more]


def _row_lines(head: Sequence[str], row: Sequence[str | model.Link], surface: _Surface) -> list[Block]:
    runs: list[Block] = []
    for i, cell in enumerate(row):
        label = safe.line(head[i]) if i < len(head) else ""
        runs.append(run(" · " if i else "• ", 3))
        if label and i:
            runs.append(run(f"{label} ", 100))
        if isinstance(cell, model.Link):
            runs += link(cell, surface.chars)
        else:
            runs.append(run(cell, surface.chars, bold=i == 0))
    return rich(runs)


def _table_cell(cell: str | model.Link, surface: _Surface) -> Block:
    if isinstance(cell, model.Link):
        return rich(link(cell, surface.chars))[0]
    return {"type": "raw_text", "text": safe.cut(safe.line(cell) or NOTHING, surface.chars)}


def _padded(cells: Sequence[Any], width: int) -> list[Any]:
    return [*cells[:width], *([NOTHING] * (width - len(cells)))]


def _is_figure(row: Sequence[str | model.Link], column: int) -> bool:
    cell = row[column] if column < len(row) else ""
    return isinstance(cell, str) and text.is_figure(cell)


def _buttons(block: model.Buttons, surface: _Surface) -> list[Block]:
    elements, lost = [], []
    for button in block.items:
        if button.once and surface.nonce is not None:
            once = {**safe.values(button.values), "_n": surface.nonce}
            value = safe.compact(once)
        else:
            value = _value(tuple(button.values.items()))
        shown, start = _label(button.text, button.route)
        action = f"{start}{surface.buttons}"
        if len(value) > limits.SLACK_VALUE or len(action) > limits.SLACK_ID or not action.isprintable():
            lost.append(safe.cut(safe.line(button.text), limits.SLACK_BUTTON))
            continue
        surface.buttons += 1
        label = {"type": "plain_text", "text": shown, "emoji": False}
        element: Block = {"type": "button", "text": label, "action_id": action, "value": value}
        if button.style != "normal":
            element["style"] = button.style
        elements.append(element)
    step = limits.SLACK_ACTIONS
    rows: list[Block] = [{"type": "actions", "elements": elements[i : i + step]} for i in range(0, len(elements), step)]
    return rows + ([context(f"Not shown here: {', '.join(lost)}")] if lost else [])


@lru_cache(maxsize=2048)
def _value(values: tuple[tuple[str, str], ...]) -> str:
    """What a button sends: a metric and a period, so that many cards have the same."""
    return safe.compact(safe.values(dict(values)))


@lru_cache(maxsize=256)
def _label(words: str, route: str) -> tuple[str, str]:
    """What a button shows, and the start of its action."""
    shown: str = plain(words, limits.SLACK_BUTTON)["text"]
    return shown, f"go:{safe.sound(route)}:"
