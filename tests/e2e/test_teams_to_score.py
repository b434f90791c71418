"""From a Teams activity with a token to the scorecard, through the whole server on a real database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import bot.app
from bot.app import Running
from bot.config import Config
from tests.fakes.teams import FakeTeams
from tests.handlers import desk as small
from tests.handlers.desk import Desk


@dataclass
class Bot:
    """The server, Teams around it, and the desk behind it."""

    running: Running
    teams: FakeTeams
    session: aiohttp.ClientSession
    desk: Desk

    async def send(self, activity: dict[str, Any], bearer: str = "") -> tuple[int, Any]:
        headers = {"Authorization": bearer or self.teams.bearer()}
        url = f"http://127.0.0.1:{self.running.port}/api/messages"
        async with self.session.post(url, json=activity, headers=headers) as response:
            text = await response.text()
            return response.status, json.loads(text) if text.startswith("{") else text

    def activity(self, name: str, who: str, **more: Any) -> dict[str, Any]:
        """A recorded activity, from somebody of the desk."""
        found = self.teams.activity(name, **more)
        found["from"] = found["from"] | {"aadObjectId": who}
        return found


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Bot]:
    path = await asyncio.to_thread(small.make, tmp_path / "redfirst.db")
    teams = FakeTeams()
    async with teams.listening(), aiohttp.ClientSession() as session:
        config = Config(database_url=f"sqlite:///{path}", port=0, teams=teams.settings())
        started = datetime.now(UTC)
        # tokens are made now, and the desk is asked at its own time: the clock moves, from there
        running = await bot.app.start(config, clock=lambda: small.NOW + (datetime.now(UTC) - started))
        try:
            yield Bot(running, teams, session, await Desk(running.store).learn())
        finally:
            await running.stop()
    assert teams.problems == []


def written(posted: Any) -> str:
    return json.dumps([posted.activity], ensure_ascii=False)


async def test_a_message_in_the_chat_is_answered_with_the_persons_reds(there: Bot) -> None:
    status, _ = await there.send(there.activity("personal_message", "ana", text="myscore last week"))
    assert status == 200
    [posted] = there.teams.posted
    assert "Your scorecard" in written(posted)
    assert "CSAT: 40 %" in written(posted)


async def test_the_same_activity_a_thousand_times_has_one_answer_and_one_effect(there: Bot) -> None:
    activity = there.activity("personal_message", "lena", text="person ana")
    for _ in range(20):
        answers = await asyncio.gather(*(there.send(activity) for _ in range(50)))
        assert {status for status, _ in answers} == {200}
    assert len(there.teams.posted) == 1
    for table in ("look", "inbox"):
        assert await there.desk.one(f"SELECT count(*) FROM {table}") == 1, table


async def test_a_button_replaces_the_card_of_whoever_pressed_it(there: Bot) -> None:
    activity = there.activity("action", "ana")
    values = {"period": "2026-W31", "metric": "csat"}
    activity["value"]["action"] |= {"verb": "why", "data": values}
    status, answer = await there.send(activity)
    assert status == 200
    assert "2 ÷ 5 × 100 = 40 %" in json.dumps(answer, ensure_ascii=False)


async def test_asked_in_a_channel_the_figures_go_to_the_persons_own_chat(there: Bot) -> None:
    await there.send(there.activity("personal_message", "ana", text="help"))
    mention = there.activity("channel_mention", "ana")
    before = len(there.teams.posted)
    status, _ = await there.send(mention)
    assert status == 200
    channel = mention["conversation"]["id"].partition(";")[0]
    in_public = [p for p in there.teams.posted[before:] if p.conversation.startswith(channel)]
    assert in_public
    assert all("Your scorecard" not in written(p) and "CSAT" not in written(p) for p in in_public)


async def test_a_token_for_another_bot_reaches_nothing(there: Bot) -> None:
    activity = there.activity("personal_message", "ana", text="myscore")
    for bearer in (
        "Bearer x",
        there.teams.bearer(aud="another"),
        there.teams.bearer(exp=1),
        there.teams.bearer(iss="me"),
    ):
        status, _ = await there.send(activity, bearer)
        assert status in (401, 403)
    assert there.teams.posted == []
    assert await there.desk.one("SELECT count(*) FROM inbox") == 0
