"""Cards as accessible HTML fragments for the browser page: semantic, escaped, and usable without script."""

from __future__ import annotations

import html
from collections.abc import Sequence

from cards import card as model
from cards import safe, style, svg, text

STYLE = style.STYLE


def card(card: model.Card, *, form_action: str = "/press", nonce: str = "") -> str:
    """An <article class="rf-card">. Buttons submit forms to `form_action` with press={"route", "values"} as JSON, and
    carry data-route and data-values for a script; `nonce` goes as "_n" into the values of once-only buttons."""
    body: list[str] = []
    if not text.titled(card):
        body.append(_heading(model.Heading(card.title, 1)))
    if text.needs_status(card):
        body.append(f"<p>{_status(card.status)}</p>")
    body += [_block(b, form_action, nonce) for b in card.blocks]
    return f'<article class="rf-card rf-{card.status}" aria-label="{_words(card.title)}">{"".join(body)}</article>'


def form(form: model.Form, *, form_action: str = "/press") -> str:
    """A <form class="rf-form"> posting to `form_action`: each answer under its input's name, and the hidden field
    press={"route", "values"} as JSON."""
    route, values = safe.sound(form.route), safe.values(form.values)
    press = html.escape(safe.compact({"route": route, "values": values}))
    questions = {q.name: q for q in reversed(form.inputs)}
    intro = f'<p class="rf-text">{_lines(form.intro)}</p>' if safe.clean(form.intro) else ""
    return (
        f'<form class="rf-card rf-form" method="post" action="{html.escape(form_action)}"'
        f' aria-label="{_words(form.title)}"'
        f' data-route="{html.escape(route)}" data-values="{html.escape(safe.compact(values))}">'
        f'<h2 class="rf-title">{_words(form.title)}</h2>{intro}'
        f'<input type="hidden" name="press" value="{press}">'
        f"{''.join(_input(q) for q in reversed(questions.values()))}"
        f'<p class="rf-buttons"><button type="submit" class="rf-button rf-primary">{_words(form.submit) or "Send"}'
        "</button></p></form>"
    )


def _block(block: model.Block, action: str, nonce: str) -> str:
    match block:
        case model.Heading():
            return _heading(block)
        case model.Text():
            words = _lines(block.text)
            return f'<p class="rf-text rf-{block.tone}">{words}</p>' if words else ""
        case model.Badge():
            about = _words(block.text)
            about = f'<span class="rf-about">{about}</span>' if about else ""
            return f'<p class="rf-badge">{_status(block.status)} {about}</p>'
        case model.Fields():
            items = "".join(f"<div><dt>{_words(f.label)}</dt><dd>{_words(f.value)}</dd></div>" for f in block.items)
            long = " rf-long" if any(len(f.value) > text.SHORT for f in block.items) else ""
            return f'<dl class="rf-fields{long}">{items}</dl>' if items else ""
        case model.Table():
            return _table(block)
        case model.Gauge():
            return _gauge(block)
        case model.Trend():
            return _trend(block)
        case model.Buttons():
            return _buttons(block, action, nonce)
        case model.Links():
            items = "".join(f"<li>{_link(item)}</li>" for item in block.items)
            return f'<ul class="rf-links">{items}</ul>' if items else ""
        case model.Divider():
            return '<hr class="rf-divider">'


def _heading(block: model.Heading) -> str:
    words = _words(block.text)
    if not words:
        return ""
    return f'<h2 class="rf-title">{words}</h2>' if block.level == 1 else f'<h3 class="rf-part">{words}</h3>'


def _status(kind: model.Status) -> str:
    """Symbol and word; the symbol is an ornament to a screen reader, the word is what it reads."""
    return (
        f'<span class="rf-status rf-{kind}"><span class="rf-symbol" aria-hidden="true">{model.SYMBOL[kind]}</span> '
        f"{model.WORD[kind]}</span>"
    )


def _gauge(block: model.Gauge) -> str:
    mark = f" {_status(block.status)}" if block.status != "none" else ""
    return (
        f'<figure class="rf-figure rf-score">{svg.gauge(block)}'
        f'<figcaption><span class="rf-name">{_words(block.label)}</span>'
        f'<span class="rf-told">{_words(block.words)}</span>{mark}</figcaption></figure>'
    )


def _trend(block: model.Trend) -> str:
    return (
        f'<figure class="rf-figure"><figcaption class="rf-name">{_words(block.title)}</figcaption>{svg.trend(block)}'
        f'<p class="rf-text rf-muted">{_lines(block.words)}</p></figure>'
    )


def _table(block: model.Table) -> str:
    columns = max((len(block.head), *(len(r) for r in block.rows)))
    if not columns:
        return ""
    numeric = [bool(block.rows) and all(text.is_figure(_cell_text(r, i)) for r in block.rows) for i in range(columns)]
    side = ['class="rf-number"' if n else "" for n in numeric]
    caption = f"<caption>{_words(block.caption)}</caption>" if safe.line(block.caption) else ""
    head = "".join(f'<th scope="col" {side[i]}>{_words(h)}</th>' for i, h in enumerate(block.head))
    rows = "".join(f"<tr>{_row(row, side)}</tr>" for row in block.rows)
    return (
        f'<div class="rf-wide" role="region" aria-label="{_words(block.caption) or "Table"}" tabindex="0">'
        f'<table class="rf-table">{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _row(row: Sequence[str | model.Link], side: Sequence[str]) -> str:
    cells = []
    for i, place in enumerate(side):
        cell = row[i] if i < len(row) else ""
        said = _link(cell) if isinstance(cell, model.Link) else _words(cell)
        cells.append(f'<th scope="row" {place}>{said}</th>' if i == 0 else f"<td {place}>{said}</td>")
    return "".join(cells)


def _cell_text(row: Sequence[str | model.Link], column: int) -> str:
    cell = row[column] if column < len(row) else ""
    return cell if isinstance(cell, str) else cell.text


def _buttons(block: model.Buttons, action: str, nonce: str) -> str:
    said = "".join(_button(b, nonce) for b in block.items)
    return f'<form class="rf-buttons" method="post" action="{html.escape(action)}">{said}</form>' if said else ""


def _button(button: model.Button, nonce: str) -> str:
    route, values = safe.sound(button.route), safe.values(button.values)
    if button.once and nonce:
        values["_n"] = nonce
    press = html.escape(safe.compact({"route": route, "values": values}))
    look = f" rf-{button.style}" if button.style != "normal" else ""
    return (
        f'<button type="submit" class="rf-button{look}" name="press" value="{press}" data-route="{html.escape(route)}"'
        f' data-values="{html.escape(safe.compact(values))}">{_words(button.text) or "–"}</button>'
    )


def _input(question: model.Input) -> str:
    name, value = html.escape(safe.sound(question.name)), html.escape(safe.clean(question.value))
    must = "" if question.optional else " required"
    hint = f'<span class="rf-hint">{_words(question.hint)}</span>' if safe.line(question.hint) else ""
    maybe = ' <span class="rf-optional">(optional)</span>' if question.optional else ""
    longest = max(question.max_length, 1)
    match question.kind:
        case "choice":
            field = f'<select name="{name}"{must}>{_options(question)}</select>'
        case "multiline":
            field = f'<textarea name="{name}" rows="4" maxlength="{longest}"{must}>\n{value}</textarea>'
        case "date":
            field = f'<input type="date" name="{name}" value="{value}"{must}>'
        case "number":
            field = f'<input type="number" step="any" name="{name}" value="{value}"{must}>'
        case "text":
            field = f'<input type="text" name="{name}" value="{value}" maxlength="{longest}"{must}>'
    label = _words(question.label) or name
    return f'<label class="rf-input"><span class="rf-name">{label}{maybe}</span>{hint}{field}</label>'


def _options(question: model.Input) -> str:
    chosen = question.value
    first = "" if any(c.value == chosen for c in question.choices) else '<option value="">Please choose</option>'
    return first + "".join(
        f'<option value="{html.escape(safe.sound(c.value))}"{" selected" if c.value == chosen else ""}>'
        f"{_words(c.text) or '–'}</option>"
        for c in question.choices
    )


def _link(link: model.Link) -> str:
    address, words = safe.url(link.url), _words(link.text)
    if not address:
        return words
    target = 'target="_blank" rel="noopener noreferrer"'
    return f'<a href="{html.escape(address)}" {target}>{words or html.escape(address)}</a>'


def _words(words: str) -> str:
    return html.escape(safe.line(words))


def _lines(words: str) -> str:
    return html.escape(safe.clean(words)).replace("\n", "<br>")
