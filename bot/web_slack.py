"""What Slack would show: the real Block Kit payload as HTML that looks like Slack, block by block."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from typing import Any

from bot import web_chart

Block = Mapping[str, Any]


def message(payload: Mapping[str, Any]) -> str:
    """`{"text", "blocks"}` of a message as a <div class="sl">. A block Slack would not know is named, not hidden."""
    return f'<div class="sl">{"".join(_block(block) for block in payload["blocks"])}</div>'


def modal(view: Mapping[str, Any]) -> str:
    """The view of a form as a <form class="sl sl-modal"> with data-route and data-values, and inputs by name."""
    try:
        values = json.loads(view["private_metadata"]).get("values", {})
    except (ValueError, AttributeError):
        values = {}
    route = view["callback_id"].removeprefix("form:")
    return (
        f'<form class="sl sl-modal" data-route="{_e(route)}" data-values="{_e(json.dumps(values))}"'
        f' aria-label="{_plain(view["title"])}"><h2 class="sl-top">{_plain(view["title"])}</h2>'
        f'<div class="sl-body">{"".join(_block(block) for block in view["blocks"])}</div>'
        f'<p class="sl-foot"><button type="button" class="sl-button" data-close>{_plain(view["close"])}</button>'
        f'<button type="submit" class="sl-button sl-primary">{_plain(view["submit"])}</button></p></form>'
    )


def _block(block: Block) -> str:
    kind = block["type"]
    match kind:
        case "header":
            return f'<h2 class="sl-header">{_plain(block["text"])}</h2>'
        case "divider":
            return '<hr class="sl-divider">'
        case "section":
            return _section(block)
        case "context":
            return f'<p class="sl-context">{" ".join(_plain(e) for e in block["elements"])}</p>'
        case "rich_text":
            return _rich(block)
        case "table":
            return _table(block)
        case "data_visualization":
            return _chart(block)
        case "actions":
            return f'<p class="sl-actions">{"".join(_button(e) for e in block["elements"])}</p>'
        case "input":
            return _input(block)
        case _:
            return f'<p class="sl-context">Slack shows a block of the kind {_e(str(kind))} here.</p>'


def _section(block: Block) -> str:
    text = f'<p class="sl-text">{_plain(block["text"])}</p>' if "text" in block else ""
    fields = "".join(f"<li>{_plain(f)}</li>" for f in block.get("fields", ()))
    return text + (f'<ul class="sl-fields">{fields}</ul>' if fields else "")


def _rich(block: Block) -> str:
    return "".join(
        f'<p class="sl-text">{"".join(_run(run) for run in section["elements"])}</p>' for section in block["elements"]
    )


def _run(run: Block) -> str:
    words = _lines(run["text"])
    if run["type"] == "link":
        return f'<a href="{_e(run["url"])}" target="_blank" rel="noopener noreferrer">{words}</a>'
    style = run.get("style", {})
    for name, tag in (("bold", "strong"), ("italic", "em"), ("strike", "s"), ("code", "code")):
        if style.get(name):
            words = f"<{tag}>{words}</{tag}>"
    return words


def _table(block: Block) -> str:
    settings = block.get("column_settings", ())
    sides = [' class="sl-right"' if s and s.get("align") == "right" else "" for s in settings]
    rows = []
    for number, row in enumerate(block["rows"]):
        tag, scope = ("th", ' scope="col"') if number == 0 else ("td", "")
        cells = "".join(
            f"<{tag}{scope}{sides[i] if i < len(sides) else ''}>{_cell(cell)}</{tag}>" for i, cell in enumerate(row)
        )
        rows.append(f"<tr>{cells}</tr>")
    return f'<div class="sl-wide" tabindex="0" role="region" aria-label="Table"><table>{"".join(rows)}</table></div>'


def _cell(cell: Block) -> str:
    if cell["type"] == "raw_text":
        return _lines(cell["text"])
    return "".join(_run(run) for section in cell["elements"] for run in section["elements"])


def _chart(block: Block) -> str:
    chart = block["chart"]
    series = [
        (one["name"], f"ch-s{i % 6}", [(point["label"], float(point["value"])) for point in one["data"]])
        for i, one in enumerate(chart["series"])
    ]
    return web_chart.lines(block["title"], series, chart["axis_config"].get("y_label", ""))


def _button(element: Block) -> str:
    route, _, index = element["action_id"].removeprefix("go:").rpartition(":")
    look = f" sl-{element['style']}" if "style" in element else ""
    return (
        f'<button type="button" class="sl-button{_e(look)}" data-route="{_e(route)}" data-index="{_e(index)}"'
        f' data-values="{_e(element["value"])}">{_plain(element["text"])}</button>'
    )


def _input(block: Block) -> str:
    element = block["element"]
    maybe = ' <span class="sl-optional">(optional)</span>' if block.get("optional") else ""
    hint = f'<span class="sl-hint">{_plain(block["hint"])}</span>' if "hint" in block else ""
    return (
        f'<label class="sl-input"><span class="sl-label">{_plain(block["label"])}{maybe}</span>'
        f"{_element(element, '' if block.get('optional') else ' required')}{hint}</label>"
    )


def _element(element: Block, must: str) -> str:
    name = _e(element["action_id"])
    match element["type"]:
        case "static_select":
            chosen = element.get("initial_option", {}).get("value")
            options = "".join(
                f'<option value="{_e(o["value"])}"{" selected" if o["value"] == chosen else ""}>'
                f"{_plain(o['text'])}</option>"
                for o in element["options"]
            )
            return f'<select name="{name}"{must}><option value="">Select an option</option>{options}</select>'
        case "datepicker":
            return f'<input type="date" name="{name}" value="{_e(element.get("initial_date", ""))}"{must}>'
        case "number_input":
            value = _e(element.get("initial_value", ""))
            return f'<input type="number" step="any" name="{name}" value="{value}"{must}>'
        case _:
            value, longest = _e(element.get("initial_value", "")), int(element.get("max_length", 3000))
            if element.get("multiline"):
                return f'<textarea name="{name}" rows="4" maxlength="{longest}"{must}>\n{value}</textarea>'
            return f'<input type="text" name="{name}" value="{value}" maxlength="{longest}"{must}>'


def _plain(text: Block) -> str:
    return _lines(text["text"])


def _lines(words: str) -> str:
    return _e(words).replace("\n", "<br>")


def _e(words: str) -> str:
    return html.escape(words)
