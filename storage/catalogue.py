"""The shipped catalogue, read from the package; what users add arrives parsed."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def shipped() -> dict[str, Any]:
    """The parsed `[metric]` tables of scoring/catalogue.toml, by name."""
    parsed: dict[str, Any] = tomllib.loads(files("scoring").joinpath("catalogue.toml").read_text(encoding="utf-8"))
    return dict(parsed["metric"])
