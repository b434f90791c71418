"""Bodies of Slack's requests: forms are read as the standard library reads them, only sooner."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot import slack_guard

FORM = "application/x-www-form-urlencoded; charset=utf-8"
PIECES = ("&", "=", "+", "%", ";", "a", " ", "ü", "\0", "%41", "%C3%A9", "%ff", "%zz", "text", "a=b", "%26", "%3D")
TEXTS = st.lists(st.sampled_from(PIECES), max_size=20).map("".join)


@settings(max_examples=500, deadline=None)
@given(TEXTS)
@example("&" * (slack_guard.FIELDS - 1))
@example("a=1&" * (slack_guard.FIELDS - 1) + "b=%2B")
def test_a_form_is_read_as_the_standard_library_reads_it(text: str) -> None:
    expected = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=slack_guard.FIELDS, errors="replace"))
    assert slack_guard.parse(FORM, text.encode()) == expected


@given(st.dictionaries(st.text(min_size=1).filter(lambda name: name != "payload"), st.text(), max_size=12))
def test_what_was_sent_as_a_form_arrives(fields: dict[str, str]) -> None:
    sent = {name: value for name, value in fields.items() if (name + value).isprintable()}
    assert slack_guard.parse(FORM, urlencode(sent).encode()) == sent


def test_a_form_of_too_many_fields_is_turned_away() -> None:
    with pytest.raises(slack_guard.TurnedAway) as no:
        slack_guard.parse(FORM, b"a=1&" * slack_guard.FIELDS)
    assert no.value.status == 400
