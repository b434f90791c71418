"""What Teams would show: the real Adaptive Card as HTML that looks like Teams, element by element."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any

from bot import web_chart

Element = Mapping[str, Any]

_ESCAPED = re.compile(r"\\([\\`*_\[\]<>~|&#+\-=])")
_COLOURS = {
    "good": "ch-good",
    "warning": "ch-warning",
    "attention": "ch-attention",
    "neutral": "ch-neutral",
    "categoricalBlue": "ch-blue",
}


def message(card: Element) -> str:
    """An Adaptive Card as a <div class="tm">. An element Teams would not know is named, not hidden."""
    body = "".join(_element(element) for element in card["body"])
    actions = card.get("actions")
    return f'<div class="tm">{body}{_actions(actions) if actions else ""}</div>'


def dialog(card: Element) -> str:
    """A card with Input.* elements as a <form class="tm tm-dialog"> with data-route and data-values."""
    submit = card["actions"][0]
    data = dict(submit["data"])
    route = str(data.pop("_verb", ""))
    title = str(card.get("fallbackText", "Form"))
    return (
        f'<form class="tm tm-dialog" data-route="{_e(route)}" data-values="{_e(json.dumps(data))}"'
        f' aria-label="{_e(title)}">{"".join(_element(element) for element in card["body"])}'
        f'<p class="tm-actions"><button type="submit" class="tm-button tm-positive">{_e(submit["title"])}</button>'
        '<button type="button" class="tm-button" data-close>Close</button></p></form>'
    )


def _element(element: Element) -> str:
    said = _inner(element)
    if not said:
        return ""
    space = f" tm-space-{_e(str(element['spacing']).lower())}" if "spacing" in element else ""
    line = " tm-separator" if element.get("separator") else ""
    return f'<div class="tm-item{space}{line}">{said}</div>'


def _inner(element: Element) -> str:
    kind = element["type"]
    match kind:
        case "TextBlock":
            tag = "h2" if element.get("style") == "heading" and element.get("size") == "Large" else "p"
            return f'<{tag} class="tm-text{_look(element)}">{_markdown(element["text"])}</{tag}>'
        case "RichTextBlock":
            return f'<p class="tm-text">{"".join(_run(run) for run in element["inlines"])}</p>'
        case "FactSet":
            facts = "".join(
                f"<div><dt>{_markdown(f['title'])}</dt><dd>{_markdown(f['value'])}</dd></div>" for f in element["facts"]
            )
            return f'<dl class="tm-facts">{facts}</dl>'
        case "Table":
            return _table(element)
        case "ColumnSet":
            columns = "".join(
                f'<div class="tm-column">{"".join(_element(e) for e in c["items"])}</div>' for c in element["columns"]
            )
            return f'<div class="tm-columns">{columns}</div>'
        case "Container":
            return "".join(_element(e) for e in element["items"])
        case "ActionSet":
            return _actions(element["actions"])
        case "Chart.Line":
            return _line(element)
        case "Chart.Gauge":
            return _gauge(element)
        case "Input.Text" | "Input.Number" | "Input.Date" | "Input.ChoiceSet":
            return _input(element)
        case _:
            return f'<p class="tm-text tm-subtle">Teams shows an element of the kind {_e(str(kind))} here.</p>'


def _look(element: Element) -> str:
    parts = [
        "tm-bold" if element.get("weight") == "Bolder" else "",
        f"tm-{str(element['size']).lower()}" if "size" in element else "",
        f"tm-{str(element['color']).lower()}" if "color" in element else "",
        "tm-subtle" if element.get("isSubtle") else "",
    ]
    return "".join(f" {_e(part)}" for part in parts if part)


def _run(run: Element) -> str:
    words = _e(run["text"])
    action = run.get("selectAction")
    if action is not None and action["type"] == "Action.OpenUrl":
        return f'<a href="{_e(action["url"])}" target="_blank" rel="noopener noreferrer">{words}</a>'
    look = _look(run).strip()
    return f'<span class="{look}">{words}</span>' if look else words


def _table(element: Element) -> str:
    heads = element.get("firstRowAsHeader", False)
    rows = []
    for number, row in enumerate(element["rows"]):
        tag, scope = ("th", ' scope="col"') if heads and number == 0 else ("td", "")
        cells = "".join(
            f"<{tag}{scope}>{''.join(_inner(item) for item in cell['items'])}</{tag}>" for cell in row["cells"]
        )
        rows.append(f"<tr>{cells}</tr>")
    return f'<div class="tm-wide" tabindex="0" role="region" aria-label="Table"><table>{"".join(rows)}</table></div>'


def _line(element: Element) -> str:
    series = [
        (str(one["legend"]), _colour(one.get("color"), i), [(str(v["x"]), float(v["y"])) for v in one["values"]])
        for i, one in enumerate(element["data"])
    ]
    return web_chart.lines(str(element.get("title", "")), series, str(element.get("yAxisTitle", "")))


def _gauge(element: Element) -> str:
    segments = [(_colour(s.get("color"), 0), float(s["size"])) for s in element["segments"]]
    low, high = float(element["min"]), float(element["max"])
    return web_chart.gauge(str(element.get("title", "")), float(element["value"]), low, high, segments)


def _colour(name: object, index: int) -> str:
    return _COLOURS.get(str(name), f"ch-s{index % 6}")


def _actions(actions: list[Element]) -> str:
    return f'<p class="tm-actions">{"".join(_action(action) for action in actions)}</p>'


def _action(action: Element) -> str:
    title = _e(action["title"])
    if action["type"] == "Action.OpenUrl":
        return f'<a class="tm-button" href="{_e(action["url"])}" target="_blank" rel="noopener noreferrer">{title}</a>'
    data = dict(action.get("data", {}))
    route = str(data.pop("_verb", action.get("verb", "")))
    look = f" tm-{action['style']}" if "style" in action else ""
    return (
        f'<button type="button" class="tm-button{_e(look)}" data-route="{_e(route)}"'
        f' data-values="{_e(json.dumps(data))}">{title}</button>'
    )


def _input(element: Element) -> str:
    name, value = _e(element["id"]), _e(str(element.get("value", "")))
    must = " required" if element.get("isRequired") else ""
    hint = f' placeholder="{_e(element["placeholder"])}"' if "placeholder" in element else ""
    star = ' <span class="tm-must" aria-hidden="true">*</span>' if must else ""
    match element["type"]:
        case "Input.ChoiceSet":
            options = "".join(
                f'<option value="{_e(c["value"])}"{" selected" if c["value"] == element.get("value") else ""}>'
                f"{_e(c['title'])}</option>"
                for c in element["choices"]
            )
            first = _e(element.get("placeholder", "Select one"))
            field = f'<select name="{name}"{must}><option value="">{first}</option>{options}</select>'
        case "Input.Date":
            field = f'<input type="date" name="{name}" value="{value}"{must}>'
        case "Input.Number":
            field = f'<input type="number" step="any" name="{name}" value="{value}"{hint}{must}>'
        case _:
            longest = int(element.get("maxLength", 3000))
            if element.get("isMultiline"):
                field = f'<textarea name="{name}" rows="4" maxlength="{longest}"{hint}{must}>\n{value}</textarea>'
            else:
                field = f'<input type="text" name="{name}" value="{value}" maxlength="{longest}"{hint}{must}>'
    return f'<label class="tm-input"><span>{_e(element["label"])}{star}</span>{field}</label>'


def _markdown(words: str) -> str:
    """Text of a TextBlock or fact, of whose Markdown our cards use only escapes."""
    return _e(_ESCAPED.sub(r"\1", words)).replace("\n", "<br>")


def _e(words: str) -> str:
    return html.escape(words)
