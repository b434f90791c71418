"""Cards and forms of every shape for hypothesis, and the smallest and largest ones by hand."""

from __future__ import annotations

import hypothesis.strategies as st

from cards.card import (
    Badge,
    Block,
    Button,
    Buttons,
    Card,
    Choice,
    Divider,
    Field,
    Fields,
    Form,
    Gauge,
    Heading,
    Input,
    Link,
    Links,
    Point,
    Rule,
    Table,
    Text,
    Trend,
)

_STRANGE = "\x00\x1b\u202e\u2066\u200b\u200d\ufeff\ud800\udc00\U0001f600\U000e0041<>&@*_[]()`~#=+-|\\{}$:/.\"'\n\t"
texts = st.one_of(
    st.text(max_size=30),
    st.text(alphabet=_STRANGE, max_size=30),
    st.sampled_from(["", " ", "\x00", "x" * 4000, "𝔛" * 3500, "<@U1> " * 900, "https://e.example/" * 200, "\n" * 500]),
)
names = st.from_regex(r"[a-z][a-z_.]{0,20}", fullmatch=True)
numbers = st.one_of(st.floats(), st.floats(-100, 200), st.just(0.0))
statuses = st.sampled_from(["red", "amber", "green", "none"])
values = st.dictionaries(names, texts, max_size=3)
links = st.builds(Link, texts, st.one_of(texts, st.just("https://desk.example.com/t/1?a=b&c=d#e")))

blocks: st.SearchStrategy[Block] = st.one_of(
    st.builds(Heading, texts, st.sampled_from([1, 2])),
    st.builds(Text, texts, st.sampled_from(["normal", "muted", "strong"])),
    st.builds(Badge, statuses, texts),
    st.builds(Fields, st.lists(st.builds(Field, texts, texts), max_size=12).map(tuple)),
    st.builds(
        Table,
        st.lists(texts, max_size=4).map(tuple),
        st.lists(st.lists(st.one_of(texts, links), max_size=5).map(tuple), max_size=5).map(tuple),
        texts,
    ),
    st.builds(Gauge, texts, numbers, numbers, numbers, texts, statuses),
    st.builds(
        Trend,
        texts,
        st.lists(st.builds(Point, texts, st.none() | numbers), max_size=25).map(tuple),
        texts,
        texts,
        st.lists(st.builds(Rule, texts, numbers), max_size=7).map(tuple),
    ),
    st.builds(
        Buttons,
        st.lists(
            st.builds(Button, texts, names, values, st.sampled_from(["normal", "primary", "danger"]), st.booleans()),
            max_size=30,
        ).map(tuple),
    ),
    st.builds(Links, st.lists(links, max_size=5).map(tuple)),
    st.just(Divider()),
)
cards = st.builds(Card, texts, st.lists(blocks, max_size=8).map(tuple), texts, statuses)
inputs = st.builds(
    Input,
    names,
    texts,
    st.sampled_from(["text", "multiline", "choice", "date", "number"]),
    st.lists(st.builds(Choice, texts, texts), max_size=6).map(tuple),
    st.one_of(texts, st.sampled_from(["2026-08-01", "2.5", "nan", "1e400"])),
    texts,
    st.booleans(),
    st.integers(-1, 5000),
)
forms = st.builds(Form, texts, names, st.lists(inputs, max_size=6).map(tuple), texts, texts, values)

EMPTY = Card("", (), "")
BLANK = Card(
    " ",
    (
        Heading("", 1),
        Heading(""),
        Text(""),
        Badge("red", ""),
        Fields(()),
        Fields((Field("", ""),)),
        Table((), ()),
        Table((), (("",),)),
        Table(("", " "), ((Link("", ""), ""), ())),
        Gauge("", 0, 0, 0, ""),
        Gauge("", float("nan"), 0, 1, ""),
        Trend("", (), "", ""),
        Trend("", (Point("", None),) * 3, "", ""),
        Buttons(()),
        Links(()),
        Links((Link("", "https://desk.example.com"),)),
        Divider(),
    ),
    "",
    "red",
)
_LONG = "A sentence that goes on for some time, with ünïcode and 𝔛. " * 60
LARGEST = Card(
    _LONG,
    (
        *(Heading(_LONG) for _ in range(10)),
        *(Text(_LONG) for _ in range(10)),
        Table(
            tuple(f"Column {i}" for i in range(30)),
            tuple(tuple(f"{r}.{c} {_LONG[:50]}" for c in range(30)) for r in range(500)),
            _LONG,
        ),
        *(
            Trend(_LONG, tuple(Point(_LONG, float(i)) for i in range(60)), _LONG, _LONG, (Rule(_LONG, 5.0),) * 9)
            for _ in range(9)
        ),
        Fields(tuple(Field(_LONG, _LONG) for _ in range(40))),
        *(Badge("amber", f"Metric {i}") for i in range(120)),
        Buttons(tuple(Button(_LONG, "why", {"metric": _LONG[:200]}) for _ in range(60))),
        Links(tuple(Link(_LONG, "https://desk.example.com/" + "x" * 1900) for _ in range(40))),
        Buttons((Button("‹ Before", "score", {"p": "2026-W30"}), Button("After ›", "score", {"p": "2026-W32"}))),
    ),
    _LONG,
    "red",
)
EMPTY_FORM = Form("", "send", ())
LARGEST_FORM = Form(
    _LONG,
    "send",
    tuple(
        Input(
            f"q{i}", _LONG, kind, tuple(Choice(_LONG[:200], f"v{c}") for c in range(150)), _LONG, _LONG, max_length=3000
        )
        for i, kind in enumerate(["text", "multiline", "choice", "date", "number"] * 40)
    ),
    _LONG,
    _LONG,
    {f"v{i}": _LONG for i in range(10)},
)
