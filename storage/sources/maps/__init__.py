"""The maps that come with Redfirst, and the loading of those that people write."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

import scoring.map_file
import scoring.maps
from scoring.maps import Map
from scoring.refused import Refused
from storage.sources.maps.places import Places

SHIPPED = ("standard", "servicenow-incident-log", "bpi2013")


def load(name: str) -> Map:
    """A shipped map by its name, or a map from a TOML file. Raises Refused with the place of a mistake."""
    if name in SHIPPED:
        text = files("storage.sources.maps").joinpath(f"{name}.toml").read_text(encoding="utf-8")
        return scoring.map_file.parse(tomllib.loads(text), f"{name}.toml", name)
    path = Path(name)
    if path.suffix.lower() != ".toml":
        raise Refused(f"There is no map {name!r}.", scoring.maps.nearest(name, SHIPPED) + " Or name a .toml file.")
    try:
        if path.stat().st_size > 1024 * 1024:
            raise Refused(f"{name} is larger than 1 MB, too large for a map.", "Check the name.")
        text = path.read_text(encoding="utf-8")
        parsed = tomllib.loads(text)
    except OSError as error:
        raise Refused(f"{name} cannot be read ({error.strerror}).", "Check the name.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(f"{name} is not valid TOML: {error}.", "Mend that line and try again.") from error
    return scoring.map_file.parse(parsed, path.name, path.stem, Places(text).line)
