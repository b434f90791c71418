"""Values that were tampered with on the way back: no effect that was not allowed, and never a breakdown."""

from __future__ import annotations

import itertools

import pytest

import handlers.routes
from cards.card import Card, Form
from tests.handlers import desk as small
from tests.handlers.desk import Desk, words
from tests.handlers.test_access import corrections_of

STRANGE = (
    "", "-1", "1e3", "9" * 400, "٣", "１", "1; DROP TABLE person", "' OR 1=1 --",
    "[1]", "1\0", "\ud800", "a" * 100_000, "%s%n",
)  # fmt: skip
PERIODS = (*STRANGE, "2026-W99", "2026-W40", "9999-W01", "1969-W52", "0001-01", "13w-2026-07", "2026-W31 ", "٢٠٢٦-W31")
METRICS = (*STRANGE, "__class__", "reassignments", "csat\0")

FIELDS = {
    "correct": ("period", "metric", "ticket"),
    "corrected": ("ticket", "kind", "reason"),
    "confirm": ("correction",), "decline": ("correction",), "declined": ("correction", "answer"),
    "nudge_tickets": ("nudge",), "nudge_done": ("nudge",), "nudge_snooze": ("nudge",), "nudge_not_mine": ("nudge",),
    "nudge_snoozed": ("nudge", "how", "until"), "nudge_not_mine_said": ("nudge", "comment"), "nudge_stop": ("nudge",),
    "nudge_stopped": ("nudge", "what"), "nudges_on": ("behaviour",), "nudges_off": (),
    "coach_booked": ("person", "metric", "step", "until"),
}  # fmt: skip
"""What each button reads; those of cards about a person or a team read the rest."""


def sound(found: Card | Form, about: object) -> str:
    """The words of an answer that is no apology."""
    said = words(found)
    assert isinstance(found, Form) or found.title != "Sorry, that did not work", about
    assert "Gus" not in said, about
    assert "Field Services" not in said, about
    return said


@pytest.mark.parametrize("name", handlers.routes.BUTTONS)
async def test_no_value_of_a_button_breaks_it_or_gets_it_further(sqlite_desk: Desk, name: str) -> None:
    desk = sqlite_desk
    await corrections_of(desk)
    before = await desk.everything()
    kind = handlers.routes.BUTTONS[name].kinds[0]
    good = {
        "person": str(desk.ids["ana"]),
        "team": str(desk.teams["help-desk"]),
        "period": "2026-W31",
        "metric": "csat",
    }
    hostile = {
        "person": (*STRANGE, str(desk.ids["gus"]), str(desk.ids["gus"]) + " ", "0" * 3 + str(desk.ids["gus"])),
        "team": (*STRANGE, str(desk.teams["field"])),
        "period": PERIODS,
        "metric": METRICS,
        "greens": STRANGE[:3],
        "correction": (*STRANGE, "2"),
        "ticket": (*STRANGE, small.of("gus", small.FIRST, small.TODAY)[0].id),
        "kind": STRANGE,
        "reason": STRANGE,
        "answer": STRANGE,
        **dict.fromkeys(("nudge", "how", "until", "comment", "what", "behaviour", "step"), STRANGE),
    }
    about = "team" if name.startswith("team_") else "person"
    for field in FIELDS.get(name, (about, "period", "metric", "greens")):
        for value in hostile[field]:
            found = await desk.dispatch.answer(desk.call("ana", kind, name, values={**good, field: value}))
            sound(small.shown(found), (name, field, value[:50]))
    for missing in ({}, *({k: v for k, v in good.items() if k != gone} for gone in good)):
        sound(small.shown(await desk.dispatch.answer(desk.call("ana", kind, name, values=missing))), (name, missing))
    own = ("inbox", "nudge_pause") if name == "nudges_off" else ("inbox",)  # the switch is for whoever presses it
    assert await desk.everything(own) == {table: rows for table, rows in before.items() if table not in own}
    assert {row[0] for row in await desk.rows("SELECT person_id FROM nudge_pause")} <= {desk.ids["ana"]}


async def test_what_a_person_types_breaks_nothing_on_either_database(desk: Desk) -> None:
    before = await desk.everything()
    for word, text in itertools.product(("myscore", "teamscore", "person", ""), STRANGE):
        found = await desk.dispatch.answer(desk.call("ana", "command", word, text))
        sound(small.shown(found), (word, text[:50]))
    assert await desk.everything() == before


async def test_hostile_values_break_nothing_on_either_database(desk: Desk) -> None:
    for (name, field), value in itertools.product(
        (("score", "person"), ("confirm", "correction"), ("corrected", "ticket")), STRANGE
    ):
        kind = handlers.routes.BUTTONS[name].kinds[0]
        values = {"kind": "not_mine", "reason": value, "ticket": "x", field: value}
        sound(
            small.shown(await desk.dispatch.answer(desk.call("ana", kind, name, values=values))),
            (name, field, value[:50]),
        )
    assert await desk.one("SELECT count(*) FROM correction") == 0


async def test_a_metric_that_is_not_on_the_scorecard_is_refused_with_those_that_are(sqlite_desk: Desk) -> None:
    for route in ("why", "trend"):
        values = {"period": "2026-W31", "metric": "reassignments"}
        said = words(
            small.shown(await sqlite_desk.dispatch.answer(sqlite_desk.call("ana", "action", route, values=values)))
        )
        assert "That metric is not on this scorecard." in said
        assert "CSAT" in said


@pytest.mark.parametrize("name", ["nothing", "__init__", "myscore", "team_salary", "corrected", ""])
async def test_a_button_that_does_not_exist_is_no_longer_good(sqlite_desk: Desk, name: str) -> None:
    said = words(small.shown(await sqlite_desk.dispatch.answer(sqlite_desk.call("ana", "action", name))))
    assert "That button is no longer good." in said


async def test_a_lead_of_another_team_decides_nothing_whatever_the_form_says(sqlite_desk: Desk) -> None:
    await corrections_of(sqlite_desk)
    for who, name in itertools.product(("leo", "zoe", "hugo", "adam", "ana"), ("confirm", "decline", "declined")):
        kind = handlers.routes.BUTTONS[name].kinds[0]
        for number in "13":
            values = {"correction": number, "answer": "No.", "person": str(sqlite_desk.ids[who])}
            found = small.shown(await sqlite_desk.dispatch.answer(sqlite_desk.call(who, kind, name, values=values)))
            assert "decided by the lead of the person who asked" in words(found)
    assert await sqlite_desk.rows("SELECT 1 FROM correction WHERE state <> 'asked'") == []


async def test_a_nonce_that_was_used_is_used_up(desk: Desk) -> None:
    await corrections_of(desk)
    answer = desk.dispatch.answer
    first = await answer(desk.call("lena", "action", "confirm", values={"correction": "1"}, key="slack:n:abc:0"))
    assert small.card(first).title == "Correction confirmed"
    for number in ("1", "3"):  # pressed again, and with another correction put into it
        again = await answer(desk.call("lena", "action", "confirm", values={"correction": number}, key="slack:n:abc:0"))
        assert again.says == ()
    states = dict(tuple(row) for row in await desk.rows("SELECT id, state FROM correction"))
    assert states == {1: "confirmed", 2: "asked", 3: "asked", 4: "asked"}
