"""What Slack would refuse: Block Kit payloads checked against the published limits and surfaces, for tests and the
fake Web API. The numbers are written out here a second time on purpose, so that a wrong one in `cards` is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Any

MESSAGE, MODAL, HOME = "message", "modal", "home"
_BLOCKS = {MESSAGE: 50, MODAL: 100, HOME: 100}
_MESSAGE_CHARS = 10_000
_VIEW_JSON = 250_000
_NOT_COUNTED = {"type", "style", "action_id", "block_id", "align", "callback_id"}


def message_problems(payload: Mapping[str, Any]) -> list[str]:
    """What is wrong with `{"text", "blocks", …}` for chat.postMessage; empty when Slack would take it."""
    found: list[str] = []
    text = payload.get("text")
    if not isinstance(text, str) or not text.strip():
        found.append("text: a fallback text is needed")
    elif len(text) > 4000:
        found.append(f"text: {len(text)} characters, at most 4000")
    blocks = payload.get("blocks", [])
    found += _blocks(blocks, MESSAGE)
    size = sum(len(s) for s in _strings(blocks))
    if size > _MESSAGE_CHARS:
        found.append(f"blocks: {size} characters in all, at most {_MESSAGE_CHARS}")
    return found + _encodable(payload)


def view_problems(view: Mapping[str, Any]) -> list[str]:
    """What is wrong with a view for views.open, views.update or views.publish; empty when Slack would take it."""
    kind = view.get("type")
    if kind not in (MODAL, HOME):
        return [f"type: {kind!r} is not a view"]
    optional = {"private_metadata", "callback_id", "external_id"} | _MODAL_ONLY[kind]
    found = _keys("view", view, {"type", "blocks"}, optional)
    if kind == MODAL:
        for name in ("title", "submit", "close"):
            if name in view or name == "title":
                found += _text(name, view.get(name), 24, plain_only=True)
        inputs = any(isinstance(b, Mapping) and b.get("type") == "input" for b in view.get("blocks", []))
        if inputs and "submit" not in view:
            found.append("submit: needed when there is an input")
    found += _string("private_metadata", view.get("private_metadata", ""), 3000, least=0)
    found += _string("callback_id", view.get("callback_id", "x"), 255)
    found += _blocks(view.get("blocks", []), str(kind))
    size = sum(len(s) for s in _strings(view))
    if size > _VIEW_JSON:
        found.append(f"view: {size} characters, at most {_VIEW_JSON}")
    return found + _encodable(view)


_MODAL_ONLY: dict[Any, set[str]] = {
    MODAL: {"title", "submit", "close", "clear_on_close", "notify_on_close", "submit_disabled"},
    HOME: set(),
}


def _blocks(blocks: Any, surface: str) -> list[str]:
    if not isinstance(blocks, list):
        return ["blocks: a list is needed"]
    found: list[str] = []
    if not 1 <= len(blocks) <= _BLOCKS[surface]:
        found.append(f"blocks: {len(blocks)}, 1 to {_BLOCKS[surface]} in a {surface}")
    for i, block in enumerate(blocks):
        found += _block(f"blocks[{i}]", block, surface)
    kinds = [b.get("type") for b in blocks if isinstance(b, Mapping)]
    if kinds.count("table") > 1:
        found.append("blocks: only one table allowed")
    if kinds.count("data_visualization") > 2:
        found.append("blocks: at most 2 data_visualization")
    ids = [e["action_id"] for b in blocks for e in _elements(b) if "action_id" in e]
    found += [f"action_id {a!r} is used twice" for a in sorted({a for a in ids if ids.count(a) > 1})]
    names = [b["block_id"] for b in blocks if isinstance(b, Mapping) and "block_id" in b]
    found += [f"block_id {a!r} is used twice" for a in sorted({a for a in names if names.count(a) > 1})]
    return found


def _elements(block: Any) -> list[Mapping[str, Any]]:
    if not isinstance(block, Mapping):
        return []
    inside = block.get("elements", []) if block.get("type") == "actions" else []
    return [e for e in [*inside, block.get("element"), block.get("accessory")] if isinstance(e, Mapping)]


def _block(at: str, block: Any, surface: str) -> list[str]:
    if not isinstance(block, Mapping):
        return [f"{at}: an object is needed"]
    kind = block.get("type")
    check, surfaces = _KINDS.get(str(kind), (None, ()))
    if check is None:
        return [f"{at}: unknown block {kind!r}"]
    found = [] if surface in surfaces else [f"{at}: {kind} is not allowed in a {surface}"]
    return found + _string(f"{at}.block_id", block.get("block_id", "x"), 255) + check(at, block)


def _header(at: str, block: Mapping[str, Any]) -> list[str]:
    return _keys(at, block, {"type", "text"}) + _text(f"{at}.text", block.get("text"), 150, plain_only=True)


def _divider(at: str, block: Mapping[str, Any]) -> list[str]:
    return _keys(at, block, {"type"})


def _section(at: str, block: Mapping[str, Any]) -> list[str]:
    found = _keys(at, block, {"type"}, {"text", "fields", "accessory", "expand"})
    if "text" not in block and "fields" not in block:
        found.append(f"{at}: text or fields is needed")
    if "text" in block:
        found += _text(f"{at}.text", block["text"], 3000)
    if "fields" in block:
        found += _count(f"{at}.fields", block["fields"], 1, 10)
        found += _each(f"{at}.fields", block["fields"], lambda a, f: _text(a, f, 2000))
    if "accessory" in block:
        found += _element(f"{at}.accessory", block["accessory"], ("button",))
    return found


def _context(at: str, block: Mapping[str, Any]) -> list[str]:
    found = _keys(at, block, {"type", "elements"}) + _count(f"{at}.elements", block.get("elements"), 1, 10)
    return found + _each(f"{at}.elements", block.get("elements"), lambda a, e: _text(a, e, 3000))


def _actions(at: str, block: Mapping[str, Any]) -> list[str]:
    found = _keys(at, block, {"type", "elements"}) + _count(f"{at}.elements", block.get("elements"), 1, 25)
    return found + _each(f"{at}.elements", block.get("elements"), lambda a, e: _element(a, e, ("button",)))


def _input(at: str, block: Mapping[str, Any]) -> list[str]:
    found = _keys(at, block, {"type", "label", "element"}, {"hint", "optional", "dispatch_action"})
    found += _text(f"{at}.label", block.get("label"), 2000, plain_only=True)
    if "hint" in block:
        found += _text(f"{at}.hint", block["hint"], 2000, plain_only=True)
    kinds = ("plain_text_input", "number_input", "static_select", "datepicker")
    return found + _element(f"{at}.element", block.get("element"), kinds)


def _rich_text(at: str, block: Mapping[str, Any]) -> list[str]:
    found = _keys(at, block, {"type", "elements"}) + _count(f"{at}.elements", block.get("elements"), 1, 100)
    return found + _each(f"{at}.elements", block.get("elements"), _rich_section)


def _rich_section(at: str, section: Any) -> list[str]:
    if not isinstance(section, Mapping) or section.get("type") != "rich_text_section":
        return [f"{at}: a rich_text_section is needed"]
    found = _count(f"{at}.elements", section.get("elements"), 1, 1000)
    return found + _each(f"{at}.elements", section.get("elements"), _rich_run)


def _rich_run(at: str, run: Any) -> list[str]:
    if not isinstance(run, Mapping) or run.get("type") not in ("text", "link"):
        return [f"{at}: a text or link is needed, mentions are not made here"]
    if run["type"] == "text":
        return _keys(at, run, {"type", "text"}, {"style"}) + _string(f"{at}.text", run.get("text"), 3000)
    found = _keys(at, run, {"type", "url"}, {"text", "style"}) + _string(f"{at}.url", run.get("url"), 3000)
    if not str(run.get("url")).startswith(("http://", "https://")):
        found.append(f"{at}.url: not http or https")
    return found + _string(f"{at}.text", run.get("text", "x"), 3000)


def _table(at: str, block: Mapping[str, Any]) -> list[str]:
    found = _keys(at, block, {"type", "rows"}, {"column_settings"}) + _count(f"{at}.rows", block.get("rows"), 1, 100)
    rows = [r for r in block.get("rows", []) if isinstance(r, list)] if isinstance(block.get("rows"), list) else []
    if len({len(r) for r in rows}) > 1:
        found.append(f"{at}.rows: rows differ in length")
    for i, row in enumerate(rows):
        found += _count(f"{at}.rows[{i}]", row, 1, 20) + _each(f"{at}.rows[{i}]", row, _cell)
    if "column_settings" in block:
        found += _count(f"{at}.column_settings", block["column_settings"], 1, 20)
    return found


def _cell(at: str, cell: Any) -> list[str]:
    if isinstance(cell, Mapping) and cell.get("type") == "raw_text":
        return _keys(at, cell, {"type", "text"}) + _string(f"{at}.text", cell.get("text"), 10_000)
    if isinstance(cell, Mapping) and cell.get("type") == "rich_text":
        return _rich_text(at, cell)
    return [f"{at}: raw_text or rich_text is needed"]


def _chart(at: str, block: Mapping[str, Any]) -> list[str]:
    found = _keys(at, block, {"type", "title", "chart"}) + _string(f"{at}.title", block.get("title"), 50)
    chart = block.get("chart")
    if not isinstance(chart, Mapping) or chart.get("type") not in ("line", "bar", "area"):
        return [*found, f"{at}.chart: line, bar or area is needed"]
    found += _keys(f"{at}.chart", chart, {"type", "series", "axis_config"})
    axis, series = chart.get("axis_config"), chart.get("series")
    if not isinstance(axis, Mapping) or not isinstance(series, list):
        return [*found, f"{at}.chart: series and axis_config are needed"]
    found += _keys(f"{at}.axis", axis, {"categories"}, {"x_label", "y_label"})
    categories = axis.get("categories")
    found += _count(f"{at}.categories", categories, 1, 20)
    found += _each(f"{at}.categories", categories, lambda a, c: _string(a, c, 20))
    for name in ("x_label", "y_label"):
        found += _string(f"{at}.{name}", axis.get(name, "x"), 50)
    found += _count(f"{at}.series", series, 1, 6)
    names = [s.get("name") for s in series if isinstance(s, Mapping)]
    if len(set(names)) != len(names):
        found.append(f"{at}.series: names must differ")
    return found + _each(f"{at}.series", series, lambda a, s: _series(a, s, categories))


def _series(at: str, series: Any, categories: Any) -> list[str]:
    if not isinstance(series, Mapping) or not isinstance(series.get("data"), list):
        return [f"{at}: name and data are needed"]
    found = _keys(at, series, {"name", "data"}) + _string(f"{at}.name", series["name"], 20)
    points = [p for p in series["data"] if isinstance(p, Mapping)]
    if [p.get("label") for p in points] != categories or len(set(categories)) != len(categories):
        found.append(f"{at}.data: one point for each category, in order, labels different")
    for p in points:
        number = p.get("value")
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not abs(number) < float("inf"):
            found.append(f"{at}.data: {number!r} is not a number")
    return found


def _element(at: str, element: Any, kinds: Sequence[str]) -> list[str]:
    if not isinstance(element, Mapping) or element.get("type") not in kinds:
        return [f"{at}: one of {', '.join(kinds)} is needed"]
    return _string(f"{at}.action_id", element.get("action_id"), 255) + _ELEMENTS[element["type"]](at, element)


def _button(at: str, button: Mapping[str, Any]) -> list[str]:
    found = _keys(at, button, {"type", "text", "action_id"}, {"value", "url", "style", "confirm"})
    found += _text(f"{at}.text", button.get("text"), 75, plain_only=True)
    found += _string(f"{at}.value", button.get("value", ""), 2000, least=0)
    found += _string(f"{at}.url", button.get("url", "x"), 3000)
    if button.get("style", "primary") not in ("primary", "danger"):
        found.append(f"{at}.style: primary or danger")
    return found


def _text_input(at: str, element: Mapping[str, Any]) -> list[str]:
    optional = {"initial_value", "multiline", "max_length", "min_length", "placeholder"}
    found = _keys(at, element, {"type", "action_id"}, optional)
    longest = element.get("max_length", 3000)
    if not isinstance(longest, int) or not 1 <= longest <= 3000:
        return [*found, f"{at}.max_length: 1 to 3000"]
    return found + _string(f"{at}.initial_value", element.get("initial_value", ""), longest, least=0)


def _number_input(at: str, element: Mapping[str, Any]) -> list[str]:
    found = _keys(at, element, {"type", "action_id", "is_decimal_allowed"}, {"initial_value", "min_value", "max_value"})
    try:
        float(element.get("initial_value", "0"))
    except ValueError:
        found.append(f"{at}.initial_value: not a number")
    return found


def _select(at: str, element: Mapping[str, Any]) -> list[str]:
    found = _keys(at, element, {"type", "action_id", "options"}, {"initial_option", "placeholder"})
    options = element.get("options")
    found += _count(f"{at}.options", options, 1, 100) + _each(f"{at}.options", options, _option)
    if "initial_option" in element and element["initial_option"] not in (options or []):
        found.append(f"{at}.initial_option: not one of the options")
    return found


def _option(at: str, option: Any) -> list[str]:
    if not isinstance(option, Mapping):
        return [f"{at}: an object is needed"]
    found = _keys(at, option, {"text", "value"}, {"description"})
    return found + _text(f"{at}.text", option.get("text"), 75) + _string(f"{at}.value", option.get("value"), 150)


def _date(at: str, element: Mapping[str, Any]) -> list[str]:
    found = _keys(at, element, {"type", "action_id"}, {"initial_date", "placeholder"})
    day = element.get("initial_date", "2026-01-01")
    parts = day.split("-") if isinstance(day, str) else []
    if [len(p) for p in parts] != [4, 2, 2] or not all(p.isascii() and p.isdigit() for p in parts):
        found.append(f"{at}.initial_date: YYYY-MM-DD is needed")
    return found


def _text(at: str, text: Any, longest: int, *, plain_only: bool = False) -> list[str]:
    kinds = ("plain_text",) if plain_only else ("plain_text", "mrkdwn")
    if not isinstance(text, Mapping) or text.get("type") not in kinds:
        return [f"{at}: {' or '.join(kinds)} is needed"]
    extra = {"emoji"} if text["type"] == "plain_text" else {"verbatim"}
    return _keys(at, text, {"type", "text"}, extra) + _string(f"{at}.text", text.get("text"), longest)


def _string(at: str, value: Any, longest: int, *, least: int = 1) -> list[str]:
    if not isinstance(value, str):
        return [f"{at}: a string is needed"]
    size = len(value.encode("utf-16-le", "surrogatepass")) // 2
    return [] if least <= size <= longest else [f"{at}: {size} characters, {least} to {longest}"]


def _count(at: str, items: Any, least: int, most: int) -> list[str]:
    if not isinstance(items, list):
        return [f"{at}: a list is needed"]
    return [] if least <= len(items) <= most else [f"{at}: {len(items)} items, {least} to {most}"]


def _each(at: str, items: Any, check: Callable[[str, Any], list[str]]) -> list[str]:
    return [p for i, item in enumerate(items if isinstance(items, list) else []) for p in check(f"{at}[{i}]", item)]


def _keys(at: str, value: Mapping[str, Any], needed: Set[str], allowed: Set[str] = frozenset()) -> list[str]:
    missing, extra = needed - set(value), set(value) - needed - allowed - {"block_id"}
    return [f"{at}: {k} is missing" for k in sorted(missing)] + [f"{at}: {k} is unknown" for k in sorted(extra)]


def _encodable(payload: Any) -> list[str]:
    try:
        for s in _strings(payload):
            s.encode("utf-8")
    except UnicodeEncodeError:
        return ["payload: not encodable as UTF-8"]
    return []


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for k, v in value.items():
            if k not in _NOT_COUNTED:
                yield from _strings(v)
    elif isinstance(value, list):
        for v in value:
            yield from _strings(v)


_EVERYWHERE = (MESSAGE, MODAL, HOME)
_KINDS: dict[str, tuple[Callable[[str, Mapping[str, Any]], list[str]], tuple[str, ...]]] = {
    "header": (_header, _EVERYWHERE),
    "divider": (_divider, _EVERYWHERE),
    "section": (_section, _EVERYWHERE),
    "context": (_context, _EVERYWHERE),
    "actions": (_actions, _EVERYWHERE),
    "rich_text": (_rich_text, _EVERYWHERE),
    "input": (_input, _EVERYWHERE),
    "table": (_table, (MESSAGE,)),
    "data_visualization": (_chart, (MESSAGE, HOME)),
}
_ELEMENTS: dict[str, Callable[[str, Mapping[str, Any]], list[str]]] = {
    "button": _button,
    "plain_text_input": _text_input,
    "number_input": _number_input,
    "static_select": _select,
    "datepicker": _date,
}
