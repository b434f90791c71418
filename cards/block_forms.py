"""Forms as Slack modals: questions out through views.open, answers and what travelled with them back in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from cards import block_text, limits, safe
from cards import card as model
from cards.block_text import Block

_DATE = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])\Z")
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,6})?\Z")


_ROOM = limits.SLACK_VIEW_BLOCKS - 2  # the introduction and the line that says what is missing
_CUTS = ((limits.SLACK_OPTIONS, limits.SLACK_LABEL), (40, 300), (15, 150), (5, 75))
"""Choices of a question and characters of a label, from what Slack takes down to what is left in a huge form."""


def modal(form: model.Form, private: str = "") -> dict[str, Any]:
    """The view of a form for views.open; `private` is what the edge wants back with the answers.

    private_metadata is JSON {"values": form.values, "private": private}, read back by `carried`; values that do not
    fit its 3,000 characters are left out, the longest first. Of questions with the same name the first is asked.
    """
    questions = list({q.name: q for q in reversed(form.inputs)}.values())[::-1]
    blocks: list[Block] = []
    for most, long in _CUTS:
        blocks = [_input(q, i, most, long) for i, q in enumerate(questions)]
        if len(blocks) <= _ROOM and block_text.weight(blocks) <= limits.SLACK_VIEW_CHARS:
            break
    sizes = [block_text.weight(b) for b in blocks]
    kept, left = safe.fitting(
        range(len(blocks)), 0, lambda some: len(some) <= _ROOM and sum(sizes[: len(some)]) <= limits.SLACK_VIEW_CHARS
    )
    shown = [blocks[i] for i in kept]
    if safe.clean(form.intro):
        shown.insert(0, block_text.section(safe.clean(form.intro), limits.SLACK_TEXT))
    if left:
        shown.append(block_text.context(f"… and {left} more"))
    return {
        "type": "modal",
        "callback_id": safe.cut(f"form:{safe.line(form.route)}", limits.SLACK_ID),
        "private_metadata": _metadata(form.values, private),
        "title": block_text.plain(form.title, limits.SLACK_VIEW_TITLE, "Form"),
        "submit": block_text.plain(form.submit, limits.SLACK_VIEW_TITLE, "Send"),
        "close": block_text.plain("Cancel", limits.SLACK_VIEW_TITLE, "Cancel"),
        "blocks": shown or [block_text.context("Nothing to fill in.")],
    }


def submitted(view_state_values: Mapping[str, Any]) -> dict[str, str]:
    """Answers of a modal by input name, from `view["state"]["values"]`; empty answers are "". Never raises."""
    answers: dict[str, str] = {}
    for elements in view_state_values.values():
        if not isinstance(elements, Mapping):
            continue
        for name, state in elements.items():
            if isinstance(state, Mapping):
                answers[str(name)] = _answer(state)
    return answers


def carried(private_metadata: str) -> tuple[dict[str, str], str]:
    """What `modal` put into private_metadata: form values and the edge's own string; both empty when it is not ours."""
    try:
        body = json.loads(private_metadata)
    except (ValueError, RecursionError):
        return {}, ""
    if not isinstance(body, dict) or not isinstance(body.get("values"), dict):
        return {}, ""
    private = body.get("private")
    values = {str(k): v for k, v in body["values"].items() if isinstance(v, str)}
    return values, private if isinstance(private, str) else ""


def _input(question: model.Input, index: int, most: int, long: int) -> Block:
    block: Block = {
        "type": "input",
        "block_id": f"in:{index}",
        "optional": question.optional,
        "label": block_text.plain(question.label, long, question.name or "Answer"),
    }
    choices = [c for c in question.choices if safe.units(c.value) <= limits.SLACK_OPTION_VALUE and c.value]
    shown = choices[:most]
    hint = safe.line(question.hint)
    if len(shown) < len(question.choices):
        hint = f"{hint} … and {len(question.choices) - len(shown)} more".strip()
    if hint:
        block["hint"] = block_text.plain(hint, long)
    name = safe.cut(safe.sound(question.name) or "answer", limits.SLACK_ID)
    block["element"] = {**_element(question, shown), "action_id": name}
    return block


def _element(question: model.Input, choices: Sequence[model.Choice]) -> Block:
    value = safe.clean(question.value)
    if question.kind == "choice" and choices:
        options = [
            {"text": block_text.plain(c.text, limits.SLACK_OPTION), "value": safe.sound(c.value)} for c in choices
        ]
        chosen = [o for o, c in zip(options, choices, strict=True) if c.value == question.value]
        return {"type": "static_select", "options": options, **({"initial_option": chosen[0]} if chosen else {})}
    if question.kind == "date":
        return {"type": "datepicker", **({"initial_date": value} if _DATE.match(value) else {})}
    if question.kind == "number":
        initial = {"initial_value": value} if _NUMBER.match(value) else {}
        return {"type": "number_input", "is_decimal_allowed": True, **initial}
    longest = min(max(question.max_length, 1), limits.SLACK_INPUT)
    element: Block = {"type": "plain_text_input", "multiline": question.kind == "multiline", "max_length": longest}
    if value:
        element["initial_value"] = safe.cut(value, longest)
    return element


def _answer(state: Mapping[str, Any]) -> str:
    option = state.get("selected_option")
    found = option.get("value") if isinstance(option, Mapping) else state.get("selected_date", state.get("value"))
    return found if isinstance(found, str) else ""


def _metadata(form_values: Mapping[str, str], private: str) -> str:
    values = safe.values(form_values)
    body = safe.compact({"values": values, "private": private})
    while len(body) > limits.SLACK_METADATA and values:
        del values[max(values, key=lambda k: len(k) + len(values[k]))]
        body = safe.compact({"values": values, "private": private})
    return body if len(body) <= limits.SLACK_METADATA else safe.compact({"values": {}, "private": ""})
