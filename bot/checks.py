"""Is the installation whole? Each check looks at one thing and says what is missing, with the remedy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
from sqlalchemy.exc import SQLAlchemyError

import bot.config
import bot.slack_manifest
import handlers.timetable
import scoring.baselines
import scoring.changes
import scoring.periods
import scoring.rulebook
import storage.attribution
import storage.deliveries
import storage.health
import storage.outbox
import storage.people
import storage.rollups
import storage.rules
import storage.schema
import storage.timetable
from bot.config import Config
from scoring.refused import Refused
from scoring.rules import Rules
from storage.db import Db, Store

SKEW = 60
"""Seconds by which this machine's clock may be off: Slack refuses more than 300, tokens less."""

LOOKED_BACK = timedelta(days=7)
"""How long a failure on the timetable is told."""

Clock = Callable[[], datetime]

_SLACK_SAYS: Mapping[str, tuple[str, str]] = {
    "invalid_auth": ("Slack does not know the token.", "Copy it again from OAuth & Permissions."),
    "not_authed": ("Slack does not know the token.", "Copy it again from OAuth & Permissions."),
    "token_revoked": ("The token has been revoked.", "Install the app again and copy the new token."),
    "token_expired": ("The token has expired.", "Install the app again and copy the new token."),
    "account_inactive": ("The app or its workspace has been switched off.", "Install the app again."),
    "missing_scope": ("The token lacks a scope.", "Give SLACK_APP_TOKEN the scope connections:write."),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: which area, whether it is well, in a sentence; the remedy where it is not."""

    area: str
    well: bool
    what: str
    remedy: str = ""


def configuration(config: Config) -> Iterator[Finding]:
    """What can be told from the configuration alone."""
    if config.file is None:
        yield Finding("configuration", True, "No redfirst.toml: the shipped rules hold.")
    try:
        scoring.rulebook.read(bot.config.rules(config), version=1)
    except Refused as no:
        yield Finding("configuration", False, f"{config.file or 'redfirst.toml'}: {no.what}", no.remedy)
    else:
        if config.file is not None:
            yield Finding("configuration", True, f"{config.file} can be read, and its rules are right.")
    slack, teams = config.slack, config.teams
    for platform, area, lacking in (("Slack", "slack", slack.lacking), ("Teams", "teams", teams.lacking)):
        if lacking:
            yield Finding(area, False, f"{platform} is connected by half: {lacking} is missing.",
                          f"Set it, or take away what is set for {platform}.")  # fmt: skip
    if not slack.bot_token and not teams.app_id and not slack.lacking and not teams.lacking:
        yield Finding(
            "configuration", False, "Neither Slack nor Teams is connected.",
            "Set SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET, or TEAMS_APP_ID and TEAMS_APP_PASSWORD.",
        )  # fmt: skip
    if slack.bot_token:
        if not slack.bot_token.startswith("xoxb-"):
            yield Finding("slack", False, "SLACK_BOT_TOKEN is no bot token.", "It begins with xoxb-; copy that one.")
        if slack.app_token and not slack.app_token.startswith("xapp-"):
            yield Finding("slack", False, "SLACK_APP_TOKEN is no app token.", "It begins with xapp-; copy that one.")
    if teams.app_id:
        if not teams.app_password:
            yield Finding("teams", False, "TEAMS_APP_PASSWORD is missing.", "Make a client secret, and set it.")
        if not teams.allowed_tenants:
            yield Finding("teams", False, "No tenant may use the bot.",
                          "Set TEAMS_TENANT_ID to the tenant the bot is registered in.")  # fmt: skip


async def platforms(config: Config, clock: Clock) -> AsyncIterator[Finding]:
    """What Slack and Teams say to the tokens, and to this machine's clock. Tokens go over HTTPS only."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        if config.slack.bot_token:
            async for finding in _slack(session, config, clock):
                yield finding
        if config.teams.app_id and config.teams.app_password:
            async for finding in _teams(session, config, clock):
                yield finding


async def _slack(session: aiohttp.ClientSession, config: Config, clock: Clock) -> AsyncIterator[Finding]:
    base, slack = config.slack.api_url.rstrip("/"), config.slack
    try:
        headers, said = await _post(session, f"{base}/auth.test", bearer=slack.bot_token)
    except _Unreached as why:
        yield Finding("slack", False, f"Slack was not asked: {why}.", "Check the network, the proxy and SLACK_API_URL.")
        return
    yield _clock(headers, clock, "Slack")
    if said.get("ok") is not True:
        yield _slack_no("SLACK_BOT_TOKEN", said)
    else:
        yield Finding("slack", True, f"SLACK_BOT_TOKEN is good for the workspace {said.get('team', '')!s:.60}.")
        granted = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",")}
        lacking = sorted(set(bot.slack_manifest.BOT_SCOPES) - granted)
        if lacking:
            yield Finding("slack", False, f"The app lacks the scopes {', '.join(lacking)}.",
                          "Upload the manifest of `redfirst slack-manifest` and install the app again.")  # fmt: skip
    if slack.app_token:
        try:
            _, said = await _post(session, f"{base}/apps.connections.open", bearer=slack.app_token)
        except _Unreached as why:
            yield Finding("slack", False, f"Socket Mode was not tried: {why}.", "Check the network and the proxy.")
            return
        good = said.get("ok") is True
        yield Finding("slack", True, "SLACK_APP_TOKEN is good.") if good else _slack_no("SLACK_APP_TOKEN", said)


def _slack_no(name: str, said: Mapping[str, Any]) -> Finding:
    error = f"{said.get('error', 'no reason')!s:.60}"
    what, remedy = _SLACK_SAYS.get(error, (f"Slack says {error}.", "Slack's documentation names the reason."))
    return Finding("slack", False, f"{name}: {what}", remedy)


async def _teams(session: aiohttp.ClientSession, config: Config, clock: Clock) -> AsyncIterator[Finding]:
    teams = config.teams
    american = ".azure.us/" in teams.openid_url
    tenant = quote(teams.tenant_id or "botframework.com", safe="")
    form = {
        "grant_type": "client_credentials",
        "client_id": teams.app_id,
        "client_secret": teams.app_password,
        "scope": f"https://api.botframework.{'us' if american else 'com'}/.default",
    }
    try:
        headers, said = await _post(session, f"{teams.authority.rstrip('/')}/{tenant}/oauth2/v2.0/token", form=form)
    except _Unreached as why:
        yield Finding("teams", False, f"The sign-in service was not asked: {why}.", "Check the network and the proxy.")
        return
    yield _clock(headers, clock, "Microsoft")
    if said.get("access_token"):
        yield Finding("teams", True, "TEAMS_APP_ID and TEAMS_APP_PASSWORD are good.")
    else:
        error = f"{said.get('error', 'no reason')!s:.60}"
        yield Finding(
            "teams", False, f"The sign-in service refuses the bot: {error}.",
            "Check TEAMS_APP_ID and TEAMS_TENANT_ID; make a new client secret if it has expired.",
        )  # fmt: skip


class _Unreached(Exception):
    """The message says why, without address or token."""


async def _post(
    session: aiohttp.ClientSession, url: str, *, bearer: str = "", form: Mapping[str, str] | None = None
) -> tuple[Mapping[str, str], Mapping[str, Any]]:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _Unreached("its address is none") from None
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise _Unreached("its address is not HTTPS, and a token must not travel in the clear")
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    try:
        async with session.post(url, data=form, headers=headers, allow_redirects=False) as response:
            try:
                said = await response.json(content_type=None)
            except ValueError:
                said = None
            return response.headers, said if isinstance(said, dict) else {"error": f"HTTP {response.status}"}
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise _Unreached(type(error).__name__) from None


def _clock(headers: Mapping[str, str], clock: Clock, whose: str) -> Finding:
    try:
        theirs = parsedate_to_datetime(headers.get("Date", ""))
    except ValueError:
        return Finding("clock", True, f"{whose} did not say what time it is.")
    off = (clock() - (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC))).total_seconds()
    if abs(off) > SKEW:
        way = "ahead of" if off > 0 else "behind"
        return Finding("clock", False, f"This machine's clock is {abs(off):.0f} s {way} {whose}'s.",
                       "Let it follow a time server (timedatectl set-ntp true).")  # fmt: skip
    return Finding("clock", True, f"This machine's clock agrees with {whose}'s.")


async def database(config: Config, clock: Clock) -> AsyncIterator[Finding]:
    """Database, rules in force, data and people. A SQLite file that is not there is not made."""
    try:
        store = Store(config.database_url)
    except Refused as no:
        yield Finding("database", False, no.what, no.remedy)
        return
    try:
        if absent := _absent(store):
            yield Finding("database", False, f"There is no database {absent} yet.", "Run `redfirst migrate`.")
            return
        await storage.schema.require_current(store)
        yield Finding("database", True, "The database can be reached and is at this program's version.")
        async with store.read() as db:
            async for finding in _stored(db, config, clock()):
                yield finding
    except Refused as no:
        yield Finding("database", False, no.what, no.remedy)
    except (SQLAlchemyError, OSError) as error:
        yield Finding("database", False, f"The database cannot be used ({type(error).__name__}).",
                      "Check REDFIRST_DATABASE_URL, and that the server runs and lets this user in.")  # fmt: skip
    finally:
        await store.close()


def _absent(store: Store) -> str:
    """The SQLite file that is not there; opening it would make an empty one."""
    file = store.url.database if store.is_sqlite else None
    return file if file and file != ":memory:" and not Path(file).exists() else ""


async def _stored(db: Db, config: Config, now: datetime) -> AsyncIterator[Finding]:
    async for finding in _undelivered(db, config, int(now.timestamp())):
        yield finding
    applied = await storage.rules.current(db)
    if applied is None:
        yield Finding("rules", False, "No rules are in force yet.", "Run `redfirst apply`.")
        return
    try:
        rules = storage.rules.read(applied)
    except Refused as no:
        yield Finding("rules", False, f"Version {applied.version} cannot be read: {no.what}", "Run `redfirst apply`.")
        return
    today = scoring.periods.day_of(scoring.periods.today(now, rules.zone))
    yield _compared(applied, rules, config, today)
    if names := await storage.rollups.stale(db, rules.metrics):
        yield Finding("rules", False, f"The history of {len(names)} metrics has not been computed.",
                      "Run `redfirst apply`.")  # fmt: skip
    yield await _fresh(db, rules, now)
    async for finding in _timetable(db, rules, config, now):
        yield finding
    if not await storage.people.count(db):
        yield Finding("people", False, "There are no people.", "Run `redfirst people FILE`.")
        return
    for platform, connected in (("slack", config.slack.bot_token), ("teams", config.teams.app_id)):
        names = list(await storage.health.without_account(db, platform, today)) if connected else []
        if names:
            yield Finding("people", False, f"{_some(names)} without an account in {platform.title()} cannot ask.",
                          f"Add the column {platform} to the people file and run `redfirst people FILE`.")  # fmt: skip
    report = await storage.attribution.report(db, today)
    unsettled = len(report.nobodys) + len(report.disputed)
    if unsettled:
        what = f"The work of {unsettled} accounts counts for nobody."
        yield Finding("people", False, what, "Run `redfirst attribution`.")
    else:
        yield Finding("people", True, "Every account's work belongs to somebody.")


async def _undelivered(db: Db, config: Config, now: int) -> AsyncIterator[Finding]:
    counts = await storage.outbox.counted(db)
    for state, what in (("held", "that may or may not have arrived"), ("failed", "that could not be sent")):
        if counts.get(state):
            yield Finding("outbox", False, f"{_messages(counts[state])} {what}.",
                          f"Run `redfirst outbox list --state {state}`.")  # fmt: skip
    if twice := await storage.outbox.said_twice(db):
        yield Finding("outbox", False, f"{_messages(twice)} that arrived twice.",
                      "Run `redfirst outbox list --twice`, and delete what is too many.")  # fmt: skip
    for platform, settings in (("slack", config.slack), ("teams", config.teams)):
        if settings.connected:
            continue
        count, _oldest = await storage.deliveries.late(db, [platform], now - 300)
        if count:
            yield Finding("outbox", False, f"{_messages(count)} for {platform.title()}, which is not connected.",
                          f"Connect {platform.title()}, or correct the accounts of those people.")  # fmt: skip


def _messages(count: int) -> str:
    return "There is a message" if count == 1 else f"There are {count} messages"


def _compared(applied: storage.rules.Applied, rules: Rules, config: Config, today: int) -> Finding:
    body = scoring.baselines.carry([applied.body], bot.config.rules(config), today)
    try:
        wanted = scoring.rulebook.read(body, version=rules.version)
    except Refused:
        return Finding("rules", True, f"Version {rules.version} holds.")  # the mistake itself has been told
    changes = scoring.changes.between(rules, wanted)
    if changes:
        count = f"{len(changes)} changes" if len(changes) > 1 else "a change"
        return Finding("rules", False, f"The configuration has {count} that version {rules.version} in force has not.",
                       "Run `redfirst apply`.")  # fmt: skip
    return Finding("rules", True, f"Version {rules.version} holds, and the configuration says the same.")


async def _fresh(db: Db, rules: Rules, now: datetime) -> Finding:
    as_of = await storage.health.data_as_of(db)
    if as_of is None:
        return Finding("data", False, "No data has been loaded.", "Run `redfirst ingest FILE --map MAP`.")
    days = (now.timestamp() - as_of) / 86_400
    when = f"{datetime.fromtimestamp(as_of, UTC):%Y-%m-%d %H:%M} UTC"
    if days > rules.stale_days:
        return Finding("data", False, f"The newest data is of {when}: {days:.0f} days old.",
                       "Look after the nightly export, and `redfirst ingest --watch`.")  # fmt: skip
    return Finding("data", True, f"The newest data is of {when}.")


async def _timetable(db: Db, rules: Rules, config: Config, now: datetime) -> AsyncIterator[Finding]:
    """What should have been said and was not, in the last week; and schedules that reach nobody."""
    well = True
    platforms = (("slack", config.slack.connected), ("teams", config.teams.connected), ("demo", True))
    connected = [platform for platform, here in platforms if here]
    lost = handlers.timetable.astray(rules, await storage.people.teams(db))
    for what, remedy in (*lost, *handlers.timetable.unheard(rules, connected)):
        well = False
        yield Finding("timetable", False, what, remedy)
    overdue = await storage.timetable.overdue(db, int(now.timestamp()))
    if overdue:
        well = False
        why = next((f" {one.problem}" for one in overdue if one.problem), "")
        yield Finding("timetable", False, f"{_some([one.key for one in overdue])} should have been made.{why}",
                      "See that `redfirst run` is running, and read its log.")  # fmt: skip
    failed = await storage.timetable.failed(db, int((now - LOOKED_BACK).timestamp()))
    if failed:
        well = False
        what = _some([f"{one.schedule} of {one.due}" for one in failed])
        yield Finding("timetable", False, f"{what} could not be made. {failed[0].note}", "Read the log of that day.")
    if silent := handlers.timetable.without_channel(rules):
        yield Finding("timetable", True, f"Nothing is posted of {' and '.join(silent)}: no channel is named.",
                      "Name one in redfirst.toml if you want it: [[schedule]] with audience and to.")  # fmt: skip
    if well:
        yield Finding("timetable", True, "Everything on the timetable has been made.")


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown
