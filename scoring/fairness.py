"""The settings that make metrics fair: visible, editable in redfirst.toml under [fair], and part of every digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from typing import Any

from scoring.refused import Refused


@dataclass(frozen=True, slots=True)
class Fairness:
    """What the derived columns may count, in the units their names say.

    `not_reopened`: reasons of a reopening that do not count as one. `holds_extend_due`: business minutes
    on hold are added to a due date before a completion counts as late (false where the source system
    moves the due date itself). `client_kinds` credit utilisation; `off_kinds` leave its denominator.
    """

    reopen_days: int = 7
    not_reopened: tuple[str, ...] = ("thanks", "new_request")
    repeat_days: int = 30
    aged_days: int = 14
    informed_hours: float = 8.0
    entry_minutes: int = 5
    first_contact_minutes: int = 60
    slow_channels: tuple[str, ...] = ("email", "portal", "web")
    holds_extend_due: bool = True
    client_kinds: tuple[str, ...] = ("client", "internal_support")
    off_kinds: tuple[str, ...] = ("training", "peer_review", "root_cause", "improvement")

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


DEFAULT = Fairness()


def load(parsed: Mapping[str, Any]) -> Fairness:
    """Settings from the parsed `[fair]` table. Raises Refused naming the setting and what was expected."""
    known = {field.name: getattr(DEFAULT, field.name) for field in fields(Fairness)}
    values: dict[str, Any] = {}
    for name, value in parsed.items():
        if name not in known:
            near = get_close_matches(name, known, 1)
            raise Refused(
                f"[fair] has no setting {name!r}.",
                f"Did you mean {near[0]!r}?" if near else f"Known settings: {', '.join(known)}.",
            )
        values[name] = _checked(name, value, known[name])
    return Fairness(**values)


def _checked(name: str, value: Any, default: Any) -> Any:
    if isinstance(default, bool):
        if isinstance(value, bool):
            return value
        expected = "true or false"
    elif isinstance(default, tuple):
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        expected = "a list of words"
    else:
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100_000:
            return type(default)(value)
        expected = "a number from 0 up"
    raise Refused(f"[fair] {name} is {value!r}.", f"Expected {expected}.")
