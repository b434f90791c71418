"""What Teams would refuse: Adaptive Cards checked against the published 1.5 schema, charts against one of our own."""

from __future__ import annotations

import copy
import functools
import importlib.resources
import json
from typing import Any

import jsonschema

LARGEST = 25 * 1000

_COLORS = [
    "good",
    "warning",
    "attention",
    "neutral",
    "categoricalRed",
    "categoricalPurple",
    "categoricalLavender",
    "categoricalBlue",
    "categoricalLightBlue",
    "categoricalTeal",
    "categoricalGreen",
    "categoricalLime",
    "categoricalMarigold",
]
_SHARED = {
    "title": {"type": "string", "minLength": 1},
    "fallback": {"type": "object"},
    "separator": {"type": "boolean"},
    "spacing": {"enum": ["None", "Small", "Default", "Medium", "Large", "ExtraLarge", "Padding"]},
    "colorSet": {"enum": ["categorical", "sequential", "diverging"]},
}
_CHARTS: dict[str, dict[str, Any]] = {
    "Chart.Line": {
        "type": "object",
        "required": ["type", "data", "fallback"],
        "additionalProperties": False,
        "properties": {
            **_SHARED,
            "type": {"const": "Chart.Line"},
            "xAxisTitle": {"type": "string"},
            "yAxisTitle": {"type": "string"},
            "color": {"enum": _COLORS},
            "data": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["legend", "values"],
                    "additionalProperties": False,
                    "properties": {
                        "legend": {"type": "string", "minLength": 1},
                        "color": {"enum": _COLORS},
                        "values": {
                            "type": "array",
                            "minItems": 1,
                            "items": {
                                "type": "object",
                                "required": ["x", "y"],
                                "additionalProperties": False,
                                "properties": {"x": {"type": ["string", "number"]}, "y": {"type": "number"}},
                            },
                        },
                    },
                },
            },
        },
    },
    "Chart.Gauge": {
        "type": "object",
        "required": ["type", "value", "max", "segments", "fallback"],
        "additionalProperties": False,
        "properties": {
            **_SHARED,
            "type": {"const": "Chart.Gauge"},
            "value": {"type": "number"},
            "min": {"type": "number"},
            "max": {"type": "number"},
            "subLabel": {"type": "string"},
            "showMinMax": {"type": "boolean"},
            "showLegend": {"type": "boolean"},
            "valueFormat": {"enum": ["Percentage", "Fraction"]},
            "segments": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["size"],
                    "additionalProperties": False,
                    "properties": {
                        "legend": {"type": "string"},
                        "size": {"type": "number", "minimum": 0},
                        "color": {"enum": _COLORS},
                    },
                },
            },
        },
    },
}


def problems(card: dict[str, Any]) -> list[str]:
    """What is wrong with the card; empty when Teams would take it and a client without charts could show it."""
    found: list[str] = []
    plain = _without_charts(copy.deepcopy(card), found)
    for error in _published().iter_errors(plain):
        found.append(f"{error.json_path}: {error.message[:200]}")
    try:
        size = len(json.dumps(card, allow_nan=False))
        json.dumps(card, ensure_ascii=False).encode("utf-8")
    except ValueError as error:
        return [*found, f"not encodable: {error}"]
    if size > LARGEST:
        found.append(f"{size} bytes, at most {LARGEST}")
    return found + _actions(card)


def _without_charts(value: Any, found: list[str]) -> Any:
    """`value` with every chart checked and replaced by its fallback; the 1.5 schema knows no charts at all."""
    if isinstance(value, list):
        return [_without_charts(v, found) for v in value]
    if not isinstance(value, dict):
        return value
    kind = str(value.get("type", ""))
    if kind.startswith("Chart."):
        schema = _CHARTS.get(kind)
        if schema is None:
            found.append(f"unknown chart {kind}")
        else:
            errors = jsonschema.Draft7Validator(schema).iter_errors(value)
            found += [f"{kind}: {e.json_path} {e.message[:200]}" for e in errors]
            if kind == "Chart.Gauge" and not value.get("min", 0) <= value.get("value", 0) <= value.get("max", 0):
                found.append("Chart.Gauge: value outside its scale")
        return _without_charts(value.get("fallback", {}), found)
    return {k: _without_charts(v, found) for k, v in value.items()}


def _actions(value: Any) -> list[str]:
    """Rules the schema does not know: Execute has a Submit with the same data as fallback, at most 6 in a row,
    addresses are http or https."""
    found: list[str] = []
    if isinstance(value, list):
        return [p for v in value for p in _actions(v)]
    if isinstance(value, dict):
        kind = value.get("type")
        if kind == "Action.Execute":
            spare = value.get("fallback", {})
            if spare.get("type") != "Action.Submit" or spare.get("data") != value.get("data"):
                found.append(f"Action.Execute {value.get('verb')!r} without an equal Action.Submit")
            if value.get("data", {}).get("_verb") != value.get("verb"):
                found.append(f"Action.Execute {value.get('verb')!r} does not carry its verb in its data")
        if kind == "ActionSet" and len(value.get("actions", [])) > 6:
            found.append("more than 6 actions in a row")
        if kind == "Action.OpenUrl" and not value["url"].startswith(("http://", "https://")):
            found.append(f"address {value['url']!r}")
        found += [p for v in value.values() for p in _actions(v)]
    return found


@functools.cache
def _published() -> jsonschema.Draft7Validator:
    """The published schema, with `msteams` allowed, which Teams documents beside it."""
    file = importlib.resources.files("adaptive_cards") / "schemas" / "schema-1.5.json"
    schema = json.loads(file.read_text("utf-8"))
    schema["definitions"]["AdaptiveCard"]["properties"].setdefault("msteams", {"type": "object"})
    return jsonschema.Draft7Validator(schema)
