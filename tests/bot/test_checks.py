"""The check of an installation: it finds what is wrong, says the remedy, and lets no token out in the clear."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

import bot.config
import storage.models
import storage.rollups
import storage.rules
import storage.schema
from bot import checks
from bot.checks import Finding
from bot.config import Config, Slack, Teams
from bot.slack_manifest import BOT_SCOPES
from storage.db import Store

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
BOT, APP, PASSWORD = "xoxb-" + "1-of-the-bot", "xapp-" + "1-of-the-app", "of-the-teams-app"


@dataclass
class Sky:
    """Slack and the sign-in service on this machine, as a test wants them."""

    scopes: tuple[str, ...] = BOT_SCOPES
    auth: Mapping[str, Any] = field(default_factory=lambda: {"ok": True, "team": "Nordlicht"})
    socket: Mapping[str, Any] = field(default_factory=lambda: {"ok": True})
    token: Mapping[str, Any] = field(default_factory=lambda: {"access_token": "t"})
    at: datetime = NOW
    heard: list[tuple[str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.heard.append((request.path, request.headers.get("Authorization", str(form.get("scope", "")))))
        body = {"/api/auth.test": self.auth, "/api/apps.connections.open": self.socket}.get(request.path, self.token)
        headers = {"Date": format_datetime(self.at, usegmt=True), "x-oauth-scopes": ",".join(self.scopes)}
        return web.json_response(body, headers=headers)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Config]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        async with TestServer(app) as server:
            base = str(server.make_url("/"))
            yield Config(
                slack=Slack(BOT, "signing", APP, f"{base}api/"),
                teams=Teams("app", PASSWORD, "tenant", ("tenant",), authority=base),
            )

    async def found(self, **config: Any) -> list[Finding]:
        async with self.open() as whole:
            return [one async for one in checks.platforms(replace(whole, **config), lambda: NOW)]


def wrong(findings: list[Finding]) -> list[Finding]:
    return [one for one in findings if not one.well]


async def test_good_tokens_are_well_and_each_goes_to_its_own_house() -> None:
    sky = Sky()
    found = await sky.found()
    assert not wrong(found)
    assert {one.area for one in found} == {"slack", "teams", "clock"}
    assert sky.heard == [
        ("/api/auth.test", f"Bearer {BOT}"),
        ("/api/apps.connections.open", f"Bearer {APP}"),
        ("/tenant/oauth2/v2.0/token", "https://api.botframework.com/.default"),
    ]


@pytest.mark.parametrize(
    ("sky", "area", "words"),
    [
        (Sky(auth={"ok": False, "error": "token_revoked"}), "slack", ["SLACK_BOT_TOKEN", "revoked", "Install"]),
        (Sky(auth={"ok": False, "error": "moon_phase"}), "slack", ["moon_phase"]),
        (Sky(scopes=("commands",)), "slack", ["chat:write", "slack-manifest"]),
        (Sky(socket={"ok": False, "error": "missing_scope"}), "slack", ["SLACK_APP_TOKEN", "connections:write"]),
        (Sky(token={"error": "invalid_client"}), "teams", ["invalid_client", "client secret"]),
        (Sky(at=NOW - timedelta(seconds=90)), "clock", ["90 s ahead of Slack", "time server"]),
        (Sky(at=NOW + timedelta(seconds=90)), "clock", ["90 s behind Slack"]),
    ],
)
async def test_what_is_wrong_out_there_is_named_with_its_remedy(sky: Sky, area: str, words: list[str]) -> None:
    (first, *_) = wrong(await sky.found())
    assert first.area == area
    for word in words:
        assert word in f"{first.what} {first.remedy}"


async def test_a_minute_off_is_no_wrong_clock() -> None:
    assert not wrong(await Sky(at=NOW - timedelta(seconds=60)).found())


@pytest.mark.parametrize("url", ["http://slack.example/api/", "ftp://127.0.0.1/api/", "nonsense", "http://[::1"])
async def test_a_token_does_not_travel_in_the_clear(url: str) -> None:
    sky = Sky()
    found = wrong(await sky.found(slack=Slack(BOT, "signing", "", url), teams=Teams()))
    assert len(found) == 1
    assert not sky.heard
    assert BOT not in repr(found)


async def test_a_platform_that_cannot_be_reached_is_said_and_the_rest_goes_on() -> None:
    sky = Sky()
    found = wrong(await sky.found(slack=Slack(BOT, "signing", "", "http://127.0.0.1:1/api/")))
    assert [(one.area, "network" in one.remedy) for one in found] == [("slack", True)]
    assert [path for path, _ in sky.heard] == ["/tenant/oauth2/v2.0/token"]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (Config(), ["Neither Slack nor Teams"]),
        (Config(slack=Slack("xoxp-1", "s")), ["xoxb-"]),
        (Config(slack=Slack(BOT)), ["SLACK_SIGNING_SECRET"]),
        (Config(slack=Slack("", "s")), ["SLACK_BOT_TOKEN", "by half"]),
        (Config(slack=Slack("", "", "xapp-1")), ["SLACK_BOT_TOKEN"]),
        (Config(slack=Slack(BOT, "s"), teams=Teams("", "p", "t", ("t",))), ["TEAMS_APP_ID", "by half"]),
        (Config(slack=Slack(BOT, "s"), teams=Teams(allowed_tenants=("t",))), ["TEAMS_APP_ID"]),
        (Config(slack=Slack(BOT, "", "xoxb-2")), ["xapp-"]),
        (Config(teams=Teams("app", "", "t", ("t",))), ["TEAMS_APP_PASSWORD"]),
        (Config(teams=Teams("app", "p")), ["tenant"]),
        (Config(slack=Slack(BOT, "s"), parsed={"rubric": [{}]}, file=Path("desk.toml")), ["desk.toml", "[[rubric]] 1"]),
    ],
)
def test_what_can_be_told_without_asking_anybody_is_told(config: Config, words: list[str]) -> None:
    (found,) = wrong(list(checks.configuration(config)))
    for word in words:
        assert word in f"{found.what} {found.remedy}"


def test_a_whole_configuration_is_well() -> None:
    assert not wrong(list(checks.configuration(Config(slack=Slack(BOT, "s")))))


async def looked(store: Store, **config: Any) -> list[Finding]:
    url = store.url.render_as_string(hide_password=False)
    return [one async for one in checks.database(Config(database_url=url, **config), lambda: NOW)]


async def whole(store: Store, as_of: datetime = NOW) -> None:
    """A desk with everything in its place: rules, rollups, one person who can ask, data of today."""
    async with store.write() as db:
        rules = storage.rules.read(await storage.rules.ensure(db, bot.config.rules(Config()), NOW))
        m = storage.models
        await db.execute(m.team.insert().values(id=1, key="desk", name="Desk", zone="UTC", hours="[]", holidays="[]"))
        await db.execute(m.person.insert().values(id=1, key="ada", name="Ada", zone="UTC"))
        await db.execute(m.membership.insert().values(person_id=1, team_id=1, role="technician", from_day=0))
        for key in ("slack:T1/U1", "snow/Ada"):
            await db.execute(m.account.insert().values(key=key, person_id=1, state="linked"))
        await db.execute(
            m.load.insert().values(
                source="x", file="x", digest="", state="done", started_at=0, rows=1, rejected=0,
                as_of=int(as_of.timestamp()), tickets_as_of=int(as_of.timestamp()),
            )
        )  # fmt: skip
        await db.execute(storage.models.metric.delete())
        await storage.rollups.sync_metrics(db, rules.metrics)
        for name, metric in rules.metrics.items():
            await db.execute(m.metric.update().where(m.metric.c.name == name).values(digest=metric.digest))


async def test_a_desk_with_everything_in_its_place_is_well(store: Store) -> None:
    await whole(store)
    assert not wrong(await looked(store, slack=Slack(BOT, "s")))


async def test_each_thing_that_is_missing_is_named_with_the_command_that_mends_it(sqlite_store: Store) -> None:
    assert [one.remedy for one in wrong(await looked(sqlite_store))] == ["Run `redfirst apply`."]
    async with sqlite_store.write() as db:
        await storage.rules.ensure(db, bot.config.rules(Config()), NOW)
    remedies = " ".join(one.remedy for one in wrong(await looked(sqlite_store)))
    for command in ("redfirst apply", "redfirst ingest", "redfirst people"):
        assert command in remedies


async def test_old_data_is_wrong_after_the_days_the_rules_say(sqlite_store: Store) -> None:
    await whole(sqlite_store, NOW - timedelta(days=2, seconds=-1))
    assert not wrong(await looked(sqlite_store))
    async with sqlite_store.write() as db:
        old = int((NOW - timedelta(days=4)).timestamp())
        await db.execute(storage.models.load.update().values(as_of=old, tickets_as_of=old))
    (found,) = wrong(await looked(sqlite_store))
    assert "4 days old" in found.what


async def test_people_who_cannot_ask_and_work_that_is_nobodys_are_found(store: Store) -> None:
    await whole(store)
    async with store.write() as db:
        await db.execute(storage.models.ticket.insert().values(id="snow/1", resolver="snow/Who"))
    found = wrong(await looked(store, teams=Teams("app", "p")))
    assert ["Ada without an account in Teams" in one.what for one in found] == [True, False]
    assert "redfirst attribution" in found[1].remedy


async def test_a_configuration_that_was_not_applied_is_found(sqlite_store: Store) -> None:
    await whole(sqlite_store)
    (found,) = wrong(await looked(sqlite_store, parsed={"organisation": {"name": "Nord"}}))
    assert (found.area, "redfirst apply" in found.remedy) == ("rules", True)


async def test_schedules_that_reach_no_channel_are_told(sqlite_store: Store) -> None:
    await whole(sqlite_store)
    found = await looked(sqlite_store, slack=Slack(BOT, "s"))
    assert not wrong(found)
    assert "Nothing is posted of desk_page and team_digest: no channel is named." in [one.what for one in found]
    schedules = [{"audience": "team", "to": "slack:C1"}, {"audience": "organisation", "to": "teams:t/19:c"}]
    async with sqlite_store.write() as db:
        parsed = {"schedule": schedules}
        body = bot.config.rules(Config(parsed=parsed))
        await storage.rules.store(db, body, "ada", NOW, after=1)
    found = await looked(sqlite_store, slack=Slack(BOT, "s"), parsed=parsed)
    (lost,) = wrong(found)
    assert lost.what == "Schedule desk_page goes to teams:t/19:c, and Teams is not connected."
    assert "no channel is named" not in " ".join(one.what for one in found)


async def test_a_database_of_another_version_is_found(sqlite_store: Store) -> None:
    await storage.schema.downgrade(sqlite_store)
    (found,) = wrong(await looked(sqlite_store))
    assert "redfirst migrate" in found.remedy


async def test_looking_does_not_make_a_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'desk.db'}"
    (found,) = [one async for one in checks.database(Config(database_url=url), lambda: NOW)]
    assert "redfirst migrate" in found.remedy
    assert not os.listdir(tmp_path)


async def test_a_server_that_does_not_answer_is_found() -> None:
    url = "postgresql://redfirst:secret@127.0.0.1:1/desk"
    (found,) = [one async for one in checks.database(Config(database_url=url), lambda: NOW)]
    assert "REDFIRST_DATABASE_URL" in found.remedy
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://desk:secret-word@db/desk", "mysql://"),
        ("mssql+pyodbc://desk:secret-word@db/desk", "mssql://"),
        ("desk:secret-word@db", "no address"),
        ("postgresql://desk:secret-word@db:port/desk", "no address"),
    ],
)
async def test_a_database_that_cannot_be_used_is_named_with_those_that_can(url: str, says: str) -> None:
    (found,) = [one async for one in checks.database(Config(database_url=url), lambda: NOW)]
    assert not found.well
    assert says in found.what
    assert "postgresql://" in found.remedy
    assert "sqlite:///" in found.remedy
    assert "secret-word" not in repr(found)
