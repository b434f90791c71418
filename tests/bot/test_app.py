"""The server as a whole: what it needs to start, what it answers beside the platforms, and how it stops."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

import bot.app
from bot.config import Config, Slack, Teams
from scoring.refused import Refused
from storage.db import Store
from tests.fakes import slack as fake
from tests.fakes.slack import FakeSlack
from tests.handlers import desk as small


def config(path: Path, **more: object) -> Config:
    given = Config(database_url=f"sqlite:///{path / 'redfirst.db'}", port=0)
    return replace(given, **more)  # type: ignore[arg-type]


async def test_a_server_without_a_platform_does_not_start_and_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="Neither Slack nor Teams is connected") as no:
        await bot.app.start(config(tmp_path))
    assert "SLACK_BOT_TOKEN" in no.value.remedy


@pytest.mark.parametrize(
    ("teams", "lacking"),
    [
        (Teams(app_id="an-app", app_password="secret"), "TEAMS_TENANT_ID"),
        (Teams(app_id="an-app", tenant_id="a-tenant"), "TEAMS_APP_PASSWORD"),
    ],
)
async def test_teams_without_a_tenant_or_a_password_does_not_start(tmp_path: Path, teams: Teams, lacking: str) -> None:
    with pytest.raises(Refused) as no:
        await bot.app.start(config(tmp_path, teams=teams))
    assert lacking in str(no.value)


async def test_teams_without_an_app_id_is_not_connected(tmp_path: Path) -> None:
    """Without an app id anybody would be let in; with a password and a tenant alone nothing starts."""
    with pytest.raises(Refused, match="Teams is connected by half"):
        await bot.app.start(config(tmp_path, teams=Teams(app_password="secret", tenant_id="a-tenant")))


async def test_a_token_without_a_way_to_verify_requests_is_no_connection(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="Slack is connected by half"):
        await bot.app.start(config(tmp_path, slack=Slack(bot_token="xoxb-1")))


@pytest.mark.parametrize(
    ("more", "lacking"),
    [
        ({"slack": Slack("xoxb-1", "s"), "teams": Teams("", "p", "t", ("t",))}, "TEAMS_APP_ID"),
        ({"slack": Slack("", "s"), "teams": Teams("11111111-2222-3333-4444-555555555555", "p", "t", ("t",))},
         "SLACK_BOT_TOKEN"),
        ({"slack": Slack("xoxb-1"), "teams": Teams("11111111-2222-3333-4444-555555555555", "p", "t", ("t",))},
         "SLACK_SIGNING_SECRET"),
    ],
)  # fmt: skip
async def test_a_platform_that_is_connected_by_half_is_not_off_in_silence(
    tmp_path: Path, more: dict[str, object], lacking: str
) -> None:
    with pytest.raises(Refused, match=f"by half: {lacking}") as no:
        await bot.app.start(config(tmp_path, **more))
    assert "redfirst check" in no.value.remedy


async def test_a_port_that_is_taken_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Refused, match=f"Port {port}") as no:
            await bot.app.start(config(tmp_path, demo=True, port=port))
    assert "REDFIRST_PORT" in no.value.remedy


async def test_health_readiness_and_figures_are_answered(tmp_path: Path) -> None:
    running = await bot.app.start(config(tmp_path, demo=True), clock=lambda: small.NOW)
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{running.port}") as client:
            for path, part in (("/healthz", "true"), ("/readyz", "true"), ("/metrics", "redfirst_")):
                async with client.get(path) as response:
                    assert response.status == 200
                    assert part in await response.text()
            async with client.get("/slack/events") as response:
                assert response.status == 404
    finally:
        await running.stop()


async def test_a_server_that_cannot_reach_its_schema_is_not_ready(tmp_path: Path) -> None:
    running = await bot.app.start(config(tmp_path, demo=True), clock=lambda: small.NOW)
    try:
        async with running.store.write() as db:
            await db.exec_driver_sql("UPDATE alembic_version SET version_num = 'another'")
        async with aiohttp.ClientSession(f"http://127.0.0.1:{running.port}") as client:
            async with client.get("/readyz") as response:
                assert response.status == 503
            async with client.get("/healthz") as response:
                assert response.status == 200
    finally:
        await running.stop()


async def test_a_fresh_database_starts_with_the_shipped_rules_and_a_second_start_keeps_them(tmp_path: Path) -> None:
    for _ in range(2):
        running = await bot.app.start(config(tmp_path, demo=True), clock=lambda: small.NOW)
        await running.stop()
    store = Store(f"sqlite:///{tmp_path / 'redfirst.db'}")
    async with store.read() as db:
        assert list((await db.exec_driver_sql("SELECT version FROM rules")).scalars()) == [1]
    await store.close()


async def test_stopping_finishes_what_was_accepted_and_lets_nothing_more_in(tmp_path: Path) -> None:
    small_file = await asyncio.to_thread(small.make, tmp_path / "redfirst.db")
    assert small_file.exists()
    slack = FakeSlack()
    async with slack.running():
        running = await bot.app.start(config(tmp_path, slack=slack.settings), clock=lambda: fake.NOW)
        url = f"http://127.0.0.1:{running.port}/slack/events"
        async with aiohttp.ClientSession() as session:

            async def ask(number: int) -> tuple[int, str]:
                payload = fake.recorded("command") | {"trigger_id": f"t{number}", "user_id": "UANA"}
                body, kind = fake.encoded(payload)
                headers = fake.sign(body) | {"Content-Type": kind}
                async with session.post(url, data=body, headers=headers) as response:
                    return response.status, await response.text()

            # the database is held, so that all requests are on their way when the server is told to stop
            async with running.store.write() as db:
                await db.exec_driver_sql("DELETE FROM inbox")
                asked = [asyncio.create_task(ask(number)) for number in range(4)]
                await asyncio.sleep(0.3)
                stopping = asyncio.create_task(running.stop())
                await asyncio.sleep(0.1)
                assert not stopping.done()
            answers = await asyncio.gather(*asked)
            await stopping
            assert [status for status, _ in answers] == [200] * 4
            assert all("Your scorecard" in text for _, text in answers)
            with pytest.raises(aiohttp.ClientConnectionError):
                await ask(99)
