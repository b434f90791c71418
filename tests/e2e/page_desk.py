"""A served demo page without a scoring engine behind it: made-up people, and answers that show every kind of block."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

import bot.demo_desk
import bot.web
import storage.people
import storage.people_file
import storage.schema
from cards.card import (
    Badge,
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
from handlers.call import Call, Reply
from scoring.people_file import PeopleFile, PersonEntry
from storage.db import Store

NOW = dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC)

_VALUES = (81, 79, 83, None, 80, 77, 74, 76, 71, 70, 66, 68, 64)
_TREND = Trend(
    "CSAT",
    tuple(Point(f"{7 * i % 28 + 1} {'Aug' if i < 4 else 'Sep' if i < 8 else 'Oct'}", v) for i, v in enumerate(_VALUES)),
    "%",
    "81 % in the week of 1 Aug, 64 % last; target 85, red line 75.",
    (Rule("Target 85", 85), Rule("Red line 75", 75)),
)

SCORE = Card(
    "Owen Brady",
    (
        Text("Week 46, 9 to 15 November 2026", "muted"),
        Gauge("Balanced score", 71, 0, 100, "71 of 100, down 6, provisional"),
        Divider(),
        Badge("red", "Reopen rate: 14.9 %"),
        Text("Target 5 %, red line 10 %. 28 of 188 over four weeks; red line 10 %. +2.1 on the period before."),
        Text("▁▁▂▁▂▂▃▅▆▇▇█▇  13 weeks: 3.1 % in the week of 17 Aug, 14.9 % last", "muted"),
        Text("What helps: You check with the client that it works before you resolve."),
        Buttons((Button("Why", "why", {"metric": "reopen_rate"}), Button("Trend", "trend", {"metric": "csat"}))),
        Divider(),
        Badge("amber", "CSAT: 81 %"),
        Text("Target 85 %, red line 75 %. 39 of 48 over four weeks."),
        Divider(),
        Badge("green", "6 on target"),
        Text("Data as of 19 November 2026, 23:58.", "muted"),
        Buttons(
            (
                Button("‹ Before", "score", {"period": "2026-W45"}),
                Button("Something is not mine", "correct", {}, "danger"),
                Button("Once only", "once", {}, "primary", once=True),
            )
        ),
    ),
    "Owen Brady, week 46: 1 red (Reopen rate 14.9 %), 1 amber, 6 green; balanced score 71 of 100.",
    "red",
)

EVERYTHING = Card(
    "Every kind of block",
    (
        Heading("A part"),
        Text("Strong words", "strong"),
        Fields((Field("Sample", "61 of 98"), Field("Weight", "20 %"))),
        Table(
            ("Ticket", "Closed", "Minutes"),
            ((Link("48213", "https://desk.example/tickets/48213"), "3 Nov", "14"), ("48219", "4 Nov", "122")),
            "Tickets behind it",
        ),
        _TREND,
        Links((Link("The desk", "https://desk.example/"),)),
    ),
    "Every kind of block, once.",
)

FORM = Form(
    "Something is not mine",
    "corrected",
    (
        Input("ticket", "Which ticket?", "choice", (Choice("48213", "desk/48213"), Choice("48219", "desk/9"))),
        Input("reason", "Why?", "multiline", hint="One sentence is enough."),
        Input("seen", "Since when?", "date", optional=True),
        Input("count", "How many?", "number", optional=True),
        Input("name", "By whom?", optional=True),
    ),
    intro="Your lead decides; no appeal is needed.",
    values={"period": "2026-W46"},
)


def _long(greens: str) -> Card:
    """A card longer than a window, whose end unfolds."""
    lines = tuple(Text(f"Line {number}") for number in range(60))
    end = (Text("Unfolded"),) if greens else (Buttons((Button("Greens", "score", {"greens": "1"}),)),)
    return Card("Long", (*lines, *end), "A long card.")


class Desk:
    """Answers with fixed cards and remembers what it was asked; a key seen before gets an empty reply."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    async def answer(self, call: Call) -> Reply:
        if any(call.key == before.key for before in self.calls):
            return Reply()
        self.calls.append(call)
        if call.kind == "form":
            asked = Card("Asked", (Text(f"Your lead has been asked: {call.values['reason']}"),), "Asked.")
            return Reply.card(asked, update=call.values["reason"].startswith("In its place"))
        if call.name == "correct":
            return Reply.card(FORM)
        if call.name == "long" or call.values.get("greens"):
            return Reply.card(_long(call.values.get("greens", "")), update=call.kind == "action")
        if call.name in ("why", "trend", "score", "once"):
            return Reply.card(Card(f"You pressed {call.name}", (_TREND,), f"You pressed {call.name}."), update=True)
        if call.name == "everything":
            return Reply.card(EVERYTHING)
        if call.name == "myscore" or call.text.startswith("myscore"):
            return Reply.card(SCORE)
        return Reply.card(Card("I did not get that", (Text(f"You said: {call.text}"),), "I did not get that."))


async def fill(path: Path) -> None:
    """A database with the made-up people, and one more person who is imported."""
    store = Store(f"sqlite:///{path}")
    await storage.schema.upgrade(store)
    made_up = bot.demo_desk.people(NOW.date())
    someone = made_up.people[2]
    imported = PersonEntry("real.person", "Real Person", someone.zone, None, someone.stays)
    async with store.write() as db:
        await storage.people_file.load(db, made_up, made_up=True)
        await storage.people_file.load(db, PeopleFile((imported,), made_up.teams))
    await store.close()


@asynccontextmanager
async def served(
    database: Path, command_names: dict[str, str] | None = None
) -> AsyncIterator[tuple[str, bot.web.WebEdge, Desk, dict[str, int]]]:
    """(address, edge, desk, person's key → id) of a running page over a database made by `fill`."""
    store = Store(f"sqlite:///{database}")
    async with store.read() as db:
        ids = {one.key: one.id for one in await storage.people.everyone(db, NOW.date().toordinal() - 719_163)}
    desk = Desk()
    edge = bot.web.WebEdge(desk.answer, store, lambda: NOW, command_names=command_names)
    app = web.Application()
    edge.mount(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    await edge.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", edge, desk, ids
    finally:
        await edge.stop()
        await runner.cleanup()
        await store.close()
