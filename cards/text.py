"""Cards as plain text, for terminals, notifications and exports; and the spark characters the others fall back to."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from cards import card as model
from cards import safe

SPARKS = "▁▂▃▄▅▆▇█"
_STEPS = SPARKS + SPARKS[-1]  # the highest value is at the end of the scale
GAP = "·"
_FORMULA = "=+-@\t\r\n＝＋－＠"
_FIGURE = re.compile(r"[+\-−]?[\d.,]+(?: ?(?:%|h|min|d|×))?\Z|[–—]?\Z")
SHORT = 48
"""Values of fields up to this length stand side by side; a longer one needs lines of its own."""
_BAR = 20


def capital(words: str) -> str:
    """Words as a sentence begins with them."""
    return words[:1].upper() + words[1:]


def stopped(words: str) -> str:
    """The same as it ends."""
    return words if words.endswith((".", "!", "?", "…")) else f"{words}."


def spark(points: Sequence[model.Point]) -> str:
    """One character a point, lowest ▁ to highest █; · where there was no data; a flat line is ▄."""
    return sparks([p.value for p in points])


def sparks(values: Sequence[float | None]) -> str:
    """The same of mere values."""
    numbers = [safe.number(value) for value in values]
    known = [n for n in numbers if n is not None]
    if not known:
        return GAP * len(numbers)
    low, span = min(known), max(known) - min(known)
    if span == 0:
        return "".join([GAP if n is None else "▄" for n in numbers])
    return "".join([GAP if n is None else _STEPS[int((n - low) / span * 8)] for n in numbers])


def bar(gauge: model.Gauge, width: int = _BAR) -> str:
    """A gauge as a row of ▰ and ▱; empty when it has no value or no scale."""
    share = gauge_share(gauge)
    if share is None:
        return ""
    full = round(share * width)
    return "▰" * full + "▱" * (width - full)


def gauge_share(gauge: model.Gauge) -> float | None:
    """Where the value stands between low and high, 0..1; None without a value or a scale."""
    value, low, high = safe.number(gauge.value), safe.number(gauge.low), safe.number(gauge.high)
    if value is None or low is None or high is None or high <= low:
        return None
    return min(max((value - low) / (high - low), 0.0), 1.0)


def is_red_line(rule: model.Rule) -> bool:
    """Whether a rule of a trend is the line not to cross; the others are targets."""
    return "red" in rule.label.lower().split()


def is_figure(words: str) -> bool:
    """Whether a cell is a number with at most a short unit, or empty: such columns are aligned to the right."""
    return bool(_FIGURE.match(safe.line(words)))


def status(kind: str) -> str:
    """A status as symbol and word, e.g. ▼ Red."""
    return f"{model.SYMBOL[kind]} {model.WORD[kind]}"


def needs_status(card: model.Card) -> bool:
    """Whether the card's own status would be told by colour alone: no badge or gauge of it says it in words."""
    return card.status != "none" and not any(
        isinstance(b, (model.Badge, model.Gauge)) and b.status == card.status for b in card.blocks
    )


def titled(card: model.Card) -> bool:
    """Whether the first block is the card's title already, so that it is not said twice."""
    return bool(card.blocks) and isinstance(card.blocks[0], model.Heading) and card.blocks[0].level == 1


def card(card: model.Card) -> str:
    """The whole card as lines of text. Nothing in it is a control character or a live address of the data's own;
    only the addresses of `Link` blocks are spelt out."""
    lines: list[str] = []
    if not titled(card):
        lines += _heading(card.title, 1)
    if needs_status(card):
        lines += [status(card.status), ""]
    for block in card.blocks:
        lines += _block(block)
    text = "\n".join(lines)
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text.strip("\n") + "\n"


def form(form: model.Form) -> str:
    """A form as text: its questions with their choices, for those who cannot open a dialog."""
    lines = _heading(form.title, 1)
    if form.intro:
        lines += [_words(form.intro), ""]
    for question in form.inputs:
        lines.append(_one(question.label) + (" (optional)" if question.optional else ""))
        if question.hint:
            lines.append(f"  {_one(question.hint)}")
        lines += [f"  - {_one(choice.text)}" for choice in question.choices]
        if question.value:
            lines.append(f"  now: {_one(question.value)}")
    lines += ["", f"[{_one(form.submit)}]"]
    return "\n".join(lines).strip("\n") + "\n"


def safe_cell(text: str) -> str:
    """A cell of an export that no spreadsheet runs as a formula: a leading `'` where one would start."""
    cell = safe.clean(text)
    starts = text.lstrip(" ")[:1] + cell.lstrip()[:1]
    return "'" + cell if any(c in _FORMULA for c in starts) else cell


def _words(text: str) -> str:
    return safe.quiet(safe.clean(text))


def _one(text: str) -> str:
    return safe.quiet(safe.line(text))


def _heading(text: str, level: int) -> list[str]:
    words = _one(text)
    if not words:
        return []
    return ["", words, ("=" if level == 1 else "-") * min(_width(words), 78)] if level == 1 else ["", words]


def _block(block: model.Block) -> list[str]:
    match block:
        case model.Heading():
            return _heading(block.text, block.level)
        case model.Text():
            return [_words(block.text)]
        case model.Badge():
            return ["", f"{status(block.status)} · {_one(block.text)}"]
        case model.Fields():
            return [f"{_one(f.label)}: {_one(f.value)}" for f in block.items]
        case model.Table():
            return ["", *_table(block), ""]
        case model.Gauge():
            mark = f" {status(block.status)}" if block.status != "none" else ""
            return [" ".join(f"{_one(block.label)}: {_one(block.words)}{mark} {bar(block)}".split())]
        case model.Trend():
            picture = f"{_one(block.title)} {spark(block.points)}".strip()
            return [picture, *([_words(block.words)] if block.words else [])]
        case model.Buttons():
            return [" ".join(f"[{_one(b.text)}]" for b in block.items)]
        case model.Links():
            return [_link(item) for item in block.items]
        case model.Divider():
            return ["", "─" * 40, ""]


def _link(link: model.Link) -> str:
    address = safe.url(link.url)
    return f"{_one(link.text)} {address}".strip() if address else _one(link.text)


def _cell(cell: str | model.Link) -> str:
    return _one(cell) if isinstance(cell, str) else _link(cell)


def _table(table: model.Table) -> list[str]:
    rows = [[_one(h) for h in table.head], *([_cell(c) for c in row] for row in table.rows)]
    columns = max((len(row) for row in rows), default=0)
    rows = [row + [""] * (columns - len(row)) for row in rows]
    widths = [min(max(_width(row[i]) for row in rows), 40) for i in range(columns)]
    lines = [
        "  ".join(cell + " " * max(w - _width(cell), 0) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    rule = "  ".join("─" * w for w in widths)
    caption = _one(table.caption)
    return [*([caption] if caption else []), lines[0], rule, *lines[1:]]


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) or c == safe.JOINER else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
