"""Where in a map's text a key stands, so that a mistake is told with its line."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict

from scoring.map_file import Keys

_WORD = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_KEY = re.compile(rf"\s*({_WORD}(?:\s*\.\s*{_WORD})*)\s*=")
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_WORD}(?:\s*\.\s*{_WORD})*)\s*\]\]?\s*(?:#.*)?$")


def _words(key: str) -> tuple[str, ...]:
    """The parts of a dotted key; none where it is not sound."""
    try:
        found: object = tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError:
        return ()
    words = []
    while isinstance(found, dict):
        [(word, found)] = found.items()
        words.append(word)
    return tuple(words)


class Places:
    """The lines of every key and table of a TOML text. What stands within a value is found with the value."""

    def __init__(self, text: str) -> None:
        self._lines: defaultdict[Keys, list[int]] = defaultdict(list)
        counts: defaultdict[Keys, int] = defaultdict(int)
        table: Keys = ()
        for number, line in enumerate(text.split("\n"), start=1):
            if header := _HEADER.match(line):
                table = ()
                *before, last = _words(header[2]) or ("",)
                for word in before:
                    table = (*table, word)
                    table = (*table, counts[table] - 1) if counts[table] else table
                table = (*table, last)
                if header[1] == "[[":
                    counts[table] += 1
                    table = (*table, counts[table] - 1)
                self._lines[table].append(number)
            elif key := _KEY.match(line):
                self._lines[(*table, *_words(key[1]))].append(number)

    def line(self, path: Keys) -> int | None:
        """The line of a key, else of what it belongs to; None where neither is there, or more than once."""
        for end in range(len(path), 0, -1):
            found = self._lines.get(path[:end], ())
            if found:
                return found[0] if len(found) == 1 else None
        return None
