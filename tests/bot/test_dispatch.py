"""The one door: once, in one transaction, and an answer whatever happens."""

from __future__ import annotations

import asyncio
import json
import logging
import re

import pytest

from cards.card import from_json
from handlers.call import Call, Where
from tests.handlers import desk as small
from tests.handlers.conftest import desk as desk
from tests.handlers.conftest import desk_file as desk_file
from tests.handlers.conftest import desk_template as desk_template
from tests.handlers.conftest import postgres_desk as postgres_desk
from tests.handlers.conftest import sqlite_desk as sqlite_desk
from tests.handlers.desk import Desk, words

LOOK = {"period": "2026-W31"}


async def test_two_hundred_deliveries_of_one_press_have_one_effect_and_one_answer(desk: Desk) -> None:
    values = {**LOOK, "person": str(desk.ids["ana"])}
    call = desk.call("lena", "action", "score", values=values, key="slack:one")
    replies = await asyncio.gather(*(desk.dispatch.answer(call) for _ in range(200)))
    answered = [reply for reply in replies if reply.says]
    assert len(answered) == 1
    assert small.card(answered[0]).title == "Scorecard of Ana Abel"
    assert await desk.one("SELECT count(*) FROM look") == 1
    assert await desk.one("SELECT count(*) FROM inbox") == 1


async def test_different_presses_at_the_same_moment_are_each_answered(sqlite_desk: Desk) -> None:
    values = {**LOOK, "person": str(sqlite_desk.ids["ana"])}
    calls = [sqlite_desk.call("lena", "action", "score", values=values) for _ in range(40)]
    replies = await asyncio.gather(*(sqlite_desk.dispatch.answer(call) for call in calls))
    assert [len(reply.says) for reply in replies] == [1] * 40
    assert await sqlite_desk.one("SELECT count(*) FROM look") == 40


async def test_what_cannot_be_answered_in_the_request_goes_out_once(desk: Desk) -> None:
    call = desk.call("ana", "message", "", "myscore last week", later=True, key="slack:E1", channel="D7")
    replies = await asyncio.gather(*(desk.dispatch.answer(call) for _ in range(20)))
    assert all(reply.says == () for reply in replies)
    [(recipient, body)] = await desk.said()
    assert recipient == "D7"
    assert from_json(json.loads(body)) == await desk.ask("ana", "/myscore last week")
    assert desk.kicked == 20


@pytest.mark.parametrize(("who", "said", "title"), [
    ("ana", "myscore in a year", "Not this time"),
    ("nobody", "hello", "We have not met yet"),
    ("ana", "teamscore tiny", "Not this time"),
])  # fmt: skip
async def test_a_no_goes_out_once_too(sqlite_desk: Desk, who: str, said: str, title: str) -> None:
    call = sqlite_desk.call(who, "message", "", said, later=True)
    for _ in range(3):
        assert (await sqlite_desk.dispatch.answer(call)).says == ()
    [(_, body)] = await sqlite_desk.said()
    assert from_json(json.loads(body)).title == title


async def test_a_private_answer_does_not_go_where_others_read_along(sqlite_desk: Desk) -> None:
    for channel, private in (("C1", False), ("", True)):
        where = Where("slack", small.WORKSPACE, channel, private=private)
        call = Call("", small.account("ana"), where, f"slack:{channel}", "message", "myscore", later=True)
        await sqlite_desk.dispatch.answer(call)
    assert [to for to, _ in await sqlite_desk.said()] == [small.account("ana")] * 2


async def test_something_unexpected_is_apologised_for_with_a_reference_that_the_log_has(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    await desk.change("ALTER TABLE look RENAME TO gone")
    values = {**LOOK, "person": str(desk.ids["ana"])}
    call = desk.call("lena", "action", "score", values=values, key="slack:broken")
    with caplog.at_level(logging.ERROR, "redfirst.dispatch"):
        card = small.card(await desk.dispatch.answer(call))
    assert card.title == "Sorry, that did not work"
    found = re.search(r"reference: ([0-9a-f]{8})", words(card))
    assert found
    assert [getattr(record, "reference", "") for record in caplog.records] == [found[1]]
    assert await desk.one("SELECT count(*) FROM inbox") == 0  # nothing was done, so it may be asked again
    await desk.change("ALTER TABLE gone RENAME TO look")
    assert small.card(await desk.dispatch.answer(call)).title == "Scorecard of Ana Abel"


async def test_an_apology_for_something_answered_later_goes_out_once(sqlite_desk: Desk) -> None:
    await sqlite_desk.change("ALTER TABLE rollup RENAME TO gone")
    call = sqlite_desk.call("ana", "message", "", "myscore", later=True)
    for _ in range(3):
        assert (await sqlite_desk.dispatch.answer(call)).says == ()
    [(_, body)] = await sqlite_desk.said()
    assert from_json(json.loads(body)).title == "Sorry, that did not work"


async def test_nothing_is_raised_even_without_a_database(sqlite_desk: Desk) -> None:
    await sqlite_desk.change("ALTER TABLE inbox RENAME TO gone")
    call = sqlite_desk.call("ana", "command", "myscore")
    assert small.card(await sqlite_desk.dispatch.answer(call)).title == "Sorry, that did not work"
    later = sqlite_desk.call("ana", "message", "", "myscore", later=True)
    assert (await sqlite_desk.dispatch.answer(later)).says == ()


async def test_what_an_act_did_is_undone_when_it_fails_at_its_end(desk: Desk) -> None:
    """A confirmation decides, renews figures and tells the person: all of it or nothing."""
    await desk.change(
        "INSERT INTO correction (id, ticket, person_id, kind, reason, state, asked_at) "
        "VALUES (1, :ticket, :who, 'not_mine', 'Because.', 'asked', 0)",
        ticket=small.of("ana", small.FIRST, small.TODAY)[0].id, who=desk.ids["ana"],
    )  # fmt: skip
    rollups = "SELECT * FROM rollup ORDER BY 1, 2, 3, 4"
    before = [tuple(row) for row in await desk.rows(rollups)]
    await desk.change("ALTER TABLE outbox RENAME TO gone")
    confirm = desk.call("lena", "action", "confirm", values={"correction": "1"})
    assert small.card(await desk.dispatch.answer(confirm)).title == "Sorry, that did not work"
    assert await desk.one("SELECT state FROM correction") == "asked"
    assert await desk.one("SELECT count(*) FROM audit WHERE act LIKE 'correction%'") == 0
    assert [tuple(row) for row in await desk.rows(rollups)] == before
    await desk.change("ALTER TABLE gone RENAME TO outbox")
    assert small.card(await desk.dispatch.answer(confirm)).title == "Correction confirmed"
    assert [tuple(row) for row in await desk.rows(rollups)] != before


async def test_endless_keys_and_strange_text_are_kept_in_a_form_that_fits(desk: Desk) -> None:
    for key in ("slack:" + "k" * 10_000, "slack:\0\ud800", "slack:" + "k" * 10_001):
        call = desk.call("ana", "message", "", "help", later=True, key=key, channel="D\0")
        for _ in range(2):
            await desk.dispatch.answer(call)
    assert await desk.one("SELECT count(*) FROM inbox") == 3
    assert await desk.one("SELECT count(*) FROM outbox") == 3


async def test_a_closed_pool_is_waited_for_not_broken(sqlite_desk: Desk) -> None:
    """More people at once than connections: they wait for each other."""
    whos = ("ana", "ben", "cem", "dua", "eli", "fay", "gus", "hua")
    cards = await asyncio.gather(*(sqlite_desk.ask(whos[i % 8], "/myscore last week") for i in range(64)))
    assert {card.title for card in cards} == {"Your scorecard"}
