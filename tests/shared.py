"""Where the tests find the reference data that lies beside the repository, and how they skip without it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"
"""The folder `shared` next to the checkout: worked examples and real ticket logs."""


def path(*parts: str) -> Path:
    """A file of the shared folder; skips the test with a sentence when it is not there."""
    found = SHARED.joinpath(*parts)
    if not found.exists():
        pytest.skip(f"The reference file {'/'.join(parts)} is not beside this checkout.", allow_module_level=True)
    return found


def vectors(*areas: str) -> list[Any]:
    """The worked examples of these areas as pytest parameters named by their ids; none when the file is absent."""
    file = SHARED / "vectors" / "vectors.json"
    if not file.exists():
        return []
    every = json.loads(file.read_text())["vectors"]
    return [pytest.param(v, id=v["id"]) for v in every if v["area"] in areas]
