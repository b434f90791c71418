"""What somebody typed or pressed, and which route they mean; typos are forgiven with a question."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import handlers.routes
from handlers.call import Call
from handlers.routes import Route
from scoring.refused import Refused

HUB = "redfirst"
"""The command that takes the words which are no command of their own."""


def route(call: Call, names: Mapping[str, str]) -> tuple[Route, Call]:
    """The route of a call and the call as that route reads it (its word taken off the text).

    `names` maps the product's commands to what they are called in the chat. Raises Refused with the
    nearest word for one that is not understood, and for a button that no longer exists.
    """
    if call.kind == "home":
        return handlers.routes.HOME, call
    if call.kind in ("action", "form"):
        found = handlers.routes.BUTTONS.get(call.name)
        if found is None or call.kind not in found.kinds:
            raise Refused("That button is no longer good.", "Ask again with the command.")
        return found, call
    return _typed(call, names)


def _typed(call: Call, names: Mapping[str, str]) -> tuple[Route, Call]:
    text = call.text.strip()
    word = call.name.strip().removeprefix("/").casefold()
    if not word:
        word, text = _first(text)
    if word == HUB or word == names.get(HUB, HUB).casefold():
        word, text = _first(text)
    called = _called(frozenset(names.items()))
    meant = called.get(word or "help")
    if meant is None:
        near = difflib.get_close_matches(word, called, 1, 0.6)
        shown = word if len(word) <= 40 else word[:40] + "…"
        if near:
            raise Refused(f"I do not know “{shown}”.", f"Did you mean “{near[0]}”?")
        raise Refused(f"I do not know “{shown}”.", "Type help for what I understand.")
    return handlers.routes.WORDS[meant], replace(call, name=meant, text=text)


@lru_cache(maxsize=8)
def _called(names: frozenset[tuple[str, str]]) -> dict[str, str]:
    """What can be typed → the word of the product; its own words are always understood."""
    given = dict(names)
    return {given.get(w, w).casefold(): w for w in handlers.routes.WORDS} | {w: w for w in handlers.routes.WORDS}


def _first(text: str) -> tuple[str, str]:
    word, _, rest = text.strip().partition(" ")
    return word.removeprefix("/").casefold(), rest.strip()
