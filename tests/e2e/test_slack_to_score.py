"""From a signed Slack request to the scorecard, through the whole server on a real database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import bot.app
from bot.app import Running
from bot.config import Config
from cards.card import Card
from tests.fakes import slack as fake
from tests.fakes import slack_limits
from tests.fakes.slack import FakeSlack
from tests.handlers import desk as small
from tests.handlers.desk import Desk, button


@dataclass
class Bot:
    """The server, Slack around it, and the desk behind it."""

    running: Running
    slack: FakeSlack
    session: aiohttp.ClientSession
    desk: Desk

    async def send(self, payload: dict[str, Any]) -> tuple[int, Any]:
        """Status and body of a request that Slack signed."""
        body, kind = fake.encoded(payload)
        headers = fake.sign(body) | {"Content-Type": kind}
        url = f"http://127.0.0.1:{self.running.port}/slack/events"
        async with self.session.post(url, data=body, headers=headers) as response:
            said = await response.text()
            return response.status, json.loads(said) if said.startswith("{") else said

    def command(self, who: str, text: str = "last week", **more: Any) -> dict[str, Any]:
        user = {"user_id": f"U{who.upper()}", "text": text, "response_url": self.slack.response_url}
        return fake.recorded("command") | user | more

    def pressed(self, who: str, blocks: list[dict[str, Any]], label: str) -> dict[str, Any]:
        """The press of a button of a message that was really answered."""
        elements = [e for b in blocks if b["type"] == "actions" for e in b["elements"]]
        element = next(e for e in elements if e["text"]["text"] == label)
        payload = fake.recorded("action") | {
            "response_url": self.slack.response_url,
            "trigger_id": f"t.{who}.{label.encode().hex()}",
        }
        payload["user"] = payload["user"] | {"id": f"U{who.upper()}"}
        payload["actions"] = [payload["actions"][0] | {k: element[k] for k in ("action_id", "value")}]
        return payload


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Bot]:
    path = await asyncio.to_thread(small.make, tmp_path / "redfirst.db")
    slack = FakeSlack()
    async with slack.running(), aiohttp.ClientSession() as session:
        config = Config(database_url=f"sqlite:///{path}", port=0, slack=slack.settings)
        running = await bot.app.start(config, clock=lambda: fake.NOW)
        try:
            yield Bot(running, slack, session, await Desk(running.store).learn())
        finally:
            await running.stop()
    assert slack.problems == []


async def test_a_signed_command_is_answered_with_the_persons_reds(there: Bot) -> None:
    status, said = await there.send(there.command("ana"))
    assert status == 200
    assert said["response_type"] == "ephemeral"
    assert slack_limits.message_problems(said) == []
    assert "Your scorecard" in said["text"]
    assert "1 red (CSAT 40 %)" in said["text"]
    assert "CSAT: 40 %" in json.dumps(said["blocks"], ensure_ascii=False)


async def test_the_same_signed_request_a_thousand_times_has_one_answer_and_one_effect(there: Bot) -> None:
    payload = there.command("lena", "person ana", command="/redfirst")
    first = await there.send(payload)
    assert "Scorecard of Ana Abel" in first[1]["text"]
    for _ in range(20):
        again = await asyncio.gather(*(there.send(payload) for _ in range(50)))
        assert set(again) == {(200, "")}
    for table in ("look", "inbox"):
        assert await there.desk.one(f"SELECT count(*) FROM {table}") == 1, table
    assert await there.desk.one("SELECT count(*) FROM outbox") == 0


async def test_a_direct_message_sent_again_by_slack_is_answered_once(there: Bot) -> None:
    payload = fake.recorded("message")
    payload["event"] |= {"user": "UANA", "text": "myscore last week"}
    for _ in range(5):
        assert await there.send(payload) == (200, "")
    await there.slack.until("chat.postMessage")
    async with asyncio.timeout(5):
        while await there.desk.one("SELECT state FROM outbox") != "sent":  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    [posted] = there.slack.said("chat.postMessage")
    assert "Your scorecard" in posted["text"]
    assert posted["channel"] == payload["event"]["channel"]


async def test_a_button_is_answered_in_place_and_somebody_elses_press_shows_their_own(there: Bot) -> None:
    _, said = await there.send(there.command("ana"))
    assert (await there.send(there.pressed("ana", said["blocks"], "Why")))[0] == 200
    [why] = await there.slack.until("response_url")
    assert "CSAT" in why["text"]
    assert "2 ÷ 5 × 100 = 40 %" in json.dumps(why["blocks"], ensure_ascii=False)
    await there.send(there.pressed("cem", said["blocks"], "‹ Before"))
    shown = (await there.slack.until("response_url", 2))[1]
    assert shown["text"].startswith("Your scorecard, Week 30")
    assert await there.desk.one("SELECT count(*) FROM look") == 0


async def test_a_correction_goes_from_the_form_to_the_lead_and_back(there: Bot) -> None:
    desk = there.desk
    form = await desk.press("ana", button(await desk.ask("ana", "/myscore last week"), "Something is not mine"))
    ticket = small.of("ana", small.THIS_WEEK - 7, small.THIS_WEEK - 1)[0].id
    call = desk.call("ana", "form", "corrected", values={"ticket": ticket, "kind": "not_mine", "reason": "Not me."})
    assert not isinstance(form, Card)
    await there.running.dispatch.answer(call)
    posted = await there.slack.until("chat.postMessage", 2)
    assert sorted(message["channel"] for message in posted) == ["UBEN", "ULENA"]
    lenas = next(message for message in posted if message["channel"] == "ULENA")
    assert (await there.send(there.pressed("lena", lenas["blocks"], "Confirm")))[0] == 200
    decided = (await there.slack.until("chat.postMessage", 3))[2]
    assert decided["channel"] == "UANA"
    assert "no longer counts" in decided["text"]
    assert await desk.one("SELECT state FROM correction") == "confirmed"


async def test_forged_requests_reach_nothing(there: Bot) -> None:
    body, kind = fake.encoded(there.command("ana"))
    url = f"http://127.0.0.1:{there.running.port}/slack/events"
    for headers in (fake.sign(body, secret="another"), fake.sign(body, at=fake.NOW.timestamp() - 600), {}):
        async with there.session.post(url, data=body, headers=headers | {"Content-Type": kind}) as response:
            assert response.status == 401
    assert await there.desk.one("SELECT count(*) FROM inbox") == 0
