"""The cleaning of texts: the quick looks that most texts pass miss nothing that the long ones would find."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from cards import safe

PIECES = (
    ":", "//", "@", ".", "．", "。", "<", "{", "$", "/", " ", "\n", "a", "Z", "é", "7", "_", "#", "!", "?", "\u2060",
    "mailto", "TEL", "file:", "sip:x", "\u017f", "\u017fip:y", "\u212a", "http://", "example.com",
)  # fmt: skip


@settings(max_examples=800)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_whatever_could_come_alive_is_found_at_first_sight(text: str) -> None:
    """A mention at the end makes it look closely at all of the text."""
    assert safe.quiet(text) + " @" + safe.JOINER == safe.quiet(text + " @")
