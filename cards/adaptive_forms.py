"""Forms as Adaptive Cards with Input.* elements, for a Teams dialog or a card in the chat."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cards import card as model
from cards import limits, safe
from cards.adaptive_text import NOTHING, Element, envelope, heading, paragraph, rich, run, size

_CUTS = ((limits.TEAMS_CHOICES, 2000), (40, 400), (15, 200), (5, 80))
"""Choices of a question and characters of a text, from plenty to what is left in a huge form."""

_DATE = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])\Z")
_VALUES = 6_000


def form(form: model.Form) -> dict[str, Any]:
    """The form as a card with Input.* elements whose ids are the input names; submitting sends the answers together
    with the form's values and "_verb" (its route)."""
    questions = list({q.name: q for q in reversed(form.inputs)}.values())[::-1]
    parts: list[Element] = []
    for most, chars in _CUTS:
        parts = [_input(q, most, chars) for q in questions]
        if size(_form_envelope(form, parts)) <= limits.TEAMS_CARD_BYTES:
            return _form_envelope(form, parts)
    room = limits.TEAMS_CARD_BYTES - size(_form_envelope(form, [])) - 300
    sizes = {id(p): size(p) for p in parts}
    kept, left = safe.fitting(parts, 0, lambda some: sum(sizes[id(p)] for p in some) <= room)
    return _form_envelope(form, [*kept, rich([run(f"… and {left} more", 100, isSubtle=True)])[0]])


def _form_envelope(form: model.Form, questions: Sequence[Element]) -> dict[str, Any]:
    body = heading(model.Heading(form.title, 1)) + paragraph(model.Text(form.intro), 1500)
    title = safe.cut(safe.line(form.submit) or "Send", limits.TEAMS_TITLE)
    data = {**_carried(form.values), "_verb": safe.sound(form.route)}
    submit = {"type": "Action.Submit", "title": title, "data": data, "style": "positive"}
    return {**envelope(form.title, [*body, *questions]), "actions": [submit]}


def _carried(values: Mapping[str, str]) -> dict[str, str]:
    """The form's values, without the longest ones when they would crowd out the questions."""
    kept = safe.values(values)
    while len(safe.compact(kept)) > _VALUES:
        del kept[max(kept, key=lambda k: len(k) + len(kept[k]))]
    return kept


def _input(question: model.Input, most: int, chars: int) -> Element:
    label = safe.cut(safe.line(question.label) or safe.line(question.name) or "Answer", limits.TEAMS_LABEL)
    element: Element = {"id": safe.sound(question.name), "label": label, "isRequired": not question.optional}
    if not question.optional:
        element["errorMessage"] = "Please answer this."
    value, hint = safe.clean(question.value), safe.cut(safe.line(question.hint), min(chars, limits.TEAMS_LABEL))
    if question.kind == "choice":
        element |= {"type": "Input.ChoiceSet", "style": "compact", "choices": _choices(question, most)}
        value = safe.sound(question.value) if any(c["value"] == question.value for c in element["choices"]) else ""
    elif question.kind == "date":
        element |= {"type": "Input.Date"}
        value = value if _DATE.match(value) else ""
    elif question.kind == "number":
        element |= {"type": "Input.Number"}
        number = _number(value)
        if number is not None:
            element["value"] = number
        value = ""
    else:
        element |= {"type": "Input.Text", "maxLength": max(question.max_length, 1)}
        element["isMultiline"] = question.kind == "multiline"
        value = safe.cut(value, min(chars, max(question.max_length, 1)))
    if value:
        element["value"] = value
    if hint:
        element["placeholder"] = hint
    return element


def _choices(question: model.Input, most: int) -> list[Element]:
    shown = [c for c in question.choices if c.value][:most]
    return [{"title": _title(c.text), "value": safe.sound(c.value)} for c in shown]


def _title(words: str) -> str:
    return safe.cut(safe.quiet(safe.line(words)) or NOTHING, limits.TEAMS_TITLE)


def _number(words: str) -> float | None:
    try:
        return safe.number(float(words))
    except ValueError:
        return None
