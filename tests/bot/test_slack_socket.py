"""Socket Mode: the same calls and answers through a connection that the bot opened."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from cards.card import Card, Form, Input, Text
from handlers.call import Call, Reply
from tests.fakes.slack import ACCOUNT, APP_TOKEN, BOT_TOKEN, Desk, Planned, Workspace, recorded, workspace

SOCKET = {"app_token": APP_TOKEN, "signing_secret": ""}
SCORE = Card("Your scorecard", (Text("All is well."),), "All is well.")
FORM = Form("Leave it out", "correction.send", (Input("reason", "Why?"),))


async def test_a_command_is_answered_in_its_acknowledgement() -> None:
    desk = Desk(Reply.card(SCORE))
    async with workspace(desk, SOCKET) as slack:
        answer = await slack.slack.send("slash_commands", recorded("command"), "e-7")
        tokens = {c.method: c.token for c in slack.slack.calls}
        assert slack.edge.problem == ""
    assert answer["envelope_id"] == "e-7"
    assert (answer["payload"]["response_type"], answer["payload"]["text"]) == ("ephemeral", "All is well.")
    assert [(c.name, c.account) for c in desk.calls] == [("myscore", ACCOUNT)]
    assert tokens == {"auth.test": BOT_TOKEN, "apps.connections.open": APP_TOKEN}


async def test_buttons_forms_messages_and_home_come_through_too() -> None:
    desk = Desk(Reply.card(SCORE), Reply.card(FORM), Reply(), Reply.card(SCORE))
    async with workspace(desk, SOCKET) as slack:
        fake = slack.slack
        action = recorded("action") | {"response_url": fake.response_url}
        assert "payload" not in await fake.send("interactive", action)
        await fake.until("response_url")
        form = await fake.send("interactive", recorded("submission"))
        assert form["payload"]["response_action"] == "update"
        assert "payload" not in await fake.send("events_api", recorded("message"))
        await fake.send("events_api", recorded("home"))
        await fake.until("views.publish")
    assert [c.kind for c in desk.calls] == ["action", "form", "message", "home"]


@pytest.mark.parametrize(
    "payload", [{}, {"type": "event_callback"}, {"type": "block_actions", "actions": 7}, {"command": "/myscore"}]
)
async def test_a_malformed_request_is_acknowledged_and_does_nothing(payload: dict[str, Any]) -> None:
    desk = Desk()
    async with workspace(desk, SOCKET) as slack:
        assert await slack.slack.send("interactive", payload) == {"envelope_id": "e-1"}
        await slack.slack.send("slash_commands", recorded("command"))
    assert len(desk.calls) == 1


async def test_there_is_no_http_route_beside_it() -> None:
    desk = Desk()
    async with workspace(desk, SOCKET) as slack:
        status, _ = await slack.recorded("command")
    assert (status, desk.calls) == (404, [])


async def test_when_slack_moves_the_connection_the_next_one_is_used() -> None:
    desk = Desk()
    async with workspace(desk, SOCKET) as slack:
        fake = slack.slack
        await fake.connected.wait()
        fake.connected.clear()
        await fake.sockets[-1].send_json({"type": "disconnect", "reason": "refresh_requested"})
        await fake.send("slash_commands", recorded("command"), "e-2")
        assert len(fake.sockets) == 2
    assert len(desk.calls) == 1


async def test_a_refused_app_token_is_said_in_plain_words_and_kept_out_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with workspace(Desk(), SOCKET | {"app_token": "xapp-1-wrong"}) as slack:
        await slack.slack.until("apps.connections.open")
        await until_problem(slack)
        assert "Renew SLACK_APP_TOKEN" in slack.edge.problem
    assert "xapp-1-wrong" not in caplog.text


async def test_the_ticket_of_a_socket_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with workspace(Desk(), SOCKET) as slack:
        gone = f"{slack.slack.root.replace('http', 'ws')}/elsewhere?ticket=a-secret-ticket"
        slack.slack.plan("apps.connections.open", Planned({"ok": True, "url": gone}))
        async with asyncio.timeout(5):
            while "Failed to connect" not in caplog.text:  # noqa: ASYNC110 - a log has no event
                await asyncio.sleep(0.01)
    assert "a-secret-ticket" not in caplog.text


async def test_what_was_taken_is_finished_and_acknowledged_before_the_end() -> None:
    began, let_go = asyncio.Event(), asyncio.Event()
    calls: list[Call] = []

    async def slow(call: Call) -> Reply:
        calls.append(call)
        began.set()
        await let_go.wait()
        return Reply.card(SCORE)

    async with workspace(slow, SOCKET) as slack:
        await slack.slack.push("slash_commands", recorded("command"), "e-1")
        await began.wait()
        stopping = asyncio.create_task(slack.edge.stop())
        await asyncio.sleep(0.01)
        await slack.slack.push("slash_commands", recorded("command"), "e-2")
        await asyncio.sleep(0.05)
        let_go.set()
        await stopping
        assert (await slack.slack.acknowledged.get())["envelope_id"] == "e-1"
        assert slack.slack.acknowledged.empty()
    assert len(calls) == 1


async def until_problem(slack: Workspace) -> None:
    async with asyncio.timeout(5):
        while not slack.edge.problem:  # noqa: ASYNC110 - a property has no event
            await asyncio.sleep(0.01)
