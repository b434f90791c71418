"""Teams as far as the bot meets it: the connector, the sign-in service, the channel's keys, and people who write."""

from __future__ import annotations

import asyncio
import copy
import functools
import json
import re
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

import storage.schema
from bot.config import Teams
from bot.teams import TeamsEdge
from storage.db import Store
from tests.fakes import adaptive_schema

PAYLOADS = Path(__file__).parent.parent / "payloads" / "teams"
APP = "7a1d9c52-53c4-4f0e-9a5e-1f0c2f6f3b11"
TENANT = "2f6c1c1e-8d0b-4b63-9a53-6a4c0f4b7d10"
DANA = "8b081ef6-4792-4def-b2c9-c363a1bf41d5"
ACCOUNT = f"teams:{TENANT}/{DANA}"
PASSWORD = "a-secret-of-the-bot"
ISSUER = "https://api.botframework.com"
KEY_ID = "key-1"
ENDORSED = ["webchat", "msteams", "emulator"]


def key(name: str = KEY_ID) -> rsa.RSAPrivateKey:
    """A signing key; the same name gives the same key, as making one is slow."""
    return _made(name)


@functools.cache
def _made(_name: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


_MIGRATED: list[bytes] = []


async def migrated(path: Path) -> Store:
    """An empty SQLite store of the present schema; migrated once in a process and copied from then on."""
    if not _MIGRATED:
        first = Store(f"sqlite:///{path}")
        await storage.schema.upgrade(first)
        await first.close()
        _MIGRATED.append(await asyncio.to_thread(path.read_bytes))
    await asyncio.to_thread(path.write_bytes, _MIGRATED[0])
    return Store(f"sqlite:///{path}")


def recorded(name: str) -> dict[str, Any]:
    """The activity in tests/payloads/teams/<name>.json, as Teams sent it."""
    loaded: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


@dataclass(frozen=True)
class Posted:
    """One call of the connector that was accepted."""

    method: str
    conversation: str
    message: str
    activity: Mapping[str, Any]

    @property
    def cards(self) -> list[dict[str, Any]]:
        return [a["content"] for a in self.activity.get("attachments", ())]

    @property
    def text(self) -> str:
        return str(self.activity.get("text", ""))


@dataclass
class FakeTeams:
    """Listens on a port of this machine once started. Every card it is given must be a valid Adaptive Card."""

    posted: list[Posted] = field(default_factory=list)
    created: list[dict[str, Any]] = field(default_factory=list)
    refusals: deque[tuple[int, dict[str, str]]] = field(default_factory=deque)
    """Answers for the next calls of the connector: status and headers."""
    closed: set[str] = field(default_factory=set)
    """Conversations the bot may not write to."""
    gone: set[str] = field(default_factory=set)
    """Messages that were deleted."""
    without_app: set[str] = field(default_factory=set)
    """Users (ids) with whom no chat can be opened."""
    keys: dict[str, list[str]] = field(default_factory=lambda: {KEY_ID: ENDORSED})
    keys_down: bool = False
    key_fetches: int = 0
    token_requests: list[dict[str, str]] = field(default_factory=list)
    token_status: int = 200
    tokens: set[str] = field(default_factory=set)
    authorizations: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """What the real service would have rejected; a test looks that it is empty at its end."""
    drops: int = 0
    """How many of the next messages are taken, and the connection dropped before the answer."""
    port: int = 0

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def service_url(self) -> str:
        return f"http://{self.host}/emea/"

    def settings(self, **changes: Any) -> Teams:
        values: dict[str, Any] = {
            "app_id": APP,
            "app_password": PASSWORD,
            "tenant_id": TENANT,
            "allowed_tenants": (TENANT,),
            "hosts": (self.host,),
            "openid_url": f"http://{self.host}/v1/.well-known/openidconfiguration",
            "authority": f"http://{self.host}/authority",
        }
        return Teams(**{**values, **changes})

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The claims of a good token; None takes one away."""
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": APP, "nbf": now - 60, "exp": now + 3600, "serviceurl": self.service_url}
        return {name: value for name, value in {**claims, **changes}.items() if value is not None}

    def bearer(self, **changes: Any) -> str:
        """An Authorization header as the channel sends it."""
        return f"Bearer {jwt.encode(self.claims(**changes), key(), 'RS256', headers={'kid': KEY_ID})}"

    def activity(self, name: str, /, **changes: Any) -> dict[str, Any]:
        """A recorded activity that names this connector; `changes` replace its parts."""
        return {**copy.deepcopy(recorded(name)), "serviceUrl": self.service_url, **changes}

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[FakeTeams]:
        app = web.Application(client_max_size=2**22)
        app.router.add_get("/v1/.well-known/openidconfiguration", self._openid)
        app.router.add_get("/v1/.well-known/keys", self._jwks)
        app.router.add_post("/authority/{tenant}/oauth2/v2.0/token", self._token)
        app.router.add_post("/emea/v3/conversations", self._create)
        app.router.add_post("/emea/v3/conversations/{conversation}/activities", self._activity)
        app.router.add_post("/emea/v3/conversations/{conversation}/activities/{message}", self._activity)
        app.router.add_put("/emea/v3/conversations/{conversation}/activities/{message}", self._activity)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _openid(self, _request: web.Request) -> web.Response:
        self.key_fetches += 1
        if self.keys_down:
            return web.Response(status=503)
        return web.json_response({"issuer": ISSUER, "jwks_uri": f"http://{self.host}/v1/.well-known/keys"})

    async def _jwks(self, _request: web.Request) -> web.Response:
        found = []
        for name, endorsements in self.keys.items():
            public = json.loads(RSAAlgorithm.to_jwk(key(name).public_key()))
            found.append({**public, "kid": name, "endorsements": endorsements})
        return web.json_response({"keys": found})

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.token_requests.append({**form, "tenant": request.match_info["tenant"]})
        if self.token_status != 200 or form.get("client_secret") != PASSWORD:
            status = self.token_status if self.token_status != 200 else 401
            return web.json_response({"error": "invalid_client"}, status=status)
        token = f"token-{len(self.token_requests)}"
        self.tokens.add(token)
        return web.json_response({"token_type": "Bearer", "expires_in": 3599, "access_token": token})

    def _refused(self, request: web.Request) -> web.Response | None:
        said = request.headers.get("Authorization", "")
        self.authorizations.append(said)
        if said.removeprefix("Bearer ") not in self.tokens:
            return web.json_response({"error": {"code": "Unauthorized"}}, status=401)
        if self.refusals:
            status, headers = self.refusals.popleft()
            return web.json_response({"error": {"code": "Refused"}}, status=status, headers=headers)
        return None

    async def _create(self, request: web.Request) -> web.Response:
        refused = self._refused(request)
        if refused is not None:
            return refused
        body = await request.json()
        self.created.append(body)
        [member] = body["members"]
        if member["id"] in self.without_app or body["tenantId"] != TENANT:
            return web.json_response({"error": {"code": "ForbiddenOperationException"}}, status=403)
        return web.json_response({"id": f"a:{len(self.created)}-opened"}, status=201)

    async def _activity(self, request: web.Request) -> web.Response:
        refused = self._refused(request)
        if refused is not None:
            return refused
        activity = await request.json()
        conversation = request.match_info["conversation"]
        if conversation in self.closed:
            return web.json_response({"error": {"code": "BotNotInConversationRoster"}}, status=403)
        if request.method == "PUT" and request.match_info["message"] in self.gone:
            return web.json_response({"error": {"code": "ActivityNotFoundInConversation"}}, status=404)
        self._look(activity)
        message = request.match_info.get("message", "") if request.method == "PUT" else f"m{len(self.posted) + 1}"
        self.posted.append(Posted(request.method, conversation, message, activity))
        if self.drops and request.transport is not None:
            self.drops -= 1
            request.transport.abort()
        return web.json_response({"id": message}, status=200 if request.method == "PUT" else 201)

    def _look(self, activity: Mapping[str, Any]) -> None:
        if activity.get("type") != "message":
            self.problems.append("an activity that is no message")
        if not activity.get("text") and not activity.get("summary"):
            self.problems.append("a message without words for the notification")
        for attachment in activity.get("attachments", ()):
            if attachment.get("contentType") != "application/vnd.microsoft.card.adaptive":
                self.problems.append("an attachment that is no card")
            self.problems += adaptive_schema.problems(attachment.get("content"))


@dataclass
class Served:
    """An edge behind a real HTTP server, and a client that writes to it as Teams does."""

    fake: FakeTeams
    edge: TeamsEdge
    url: str
    client: aiohttp.ClientSession

    async def send(self, activity: Any, *, bearer: str | None = "good", raw: bytes | None = None) -> tuple[int, Any]:
        """Status and JSON (None where there is none) of the answer; `bearer` None sends no Authorization header."""
        headers = {"Content-Type": "application/json"}
        if bearer is not None:
            headers["Authorization"] = self.fake.bearer() if bearer == "good" else bearer
        body = raw if raw is not None else json.dumps(activity).encode()
        async with self.client.post(self.url, data=body, headers=headers) as response:
            said = await response.read()
            return response.status, json.loads(said) if re.match(rb"\s*[\[{]", said) else None


@asynccontextmanager
async def served(fake: FakeTeams, edge: TeamsEdge) -> AsyncIterator[Served]:
    """The edge, mounted and started; stopped as the product stops it."""
    app = web.Application()
    edge.mount(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    await edge.start()
    port = runner.addresses[0][1]
    try:
        async with aiohttp.ClientSession() as client:
            yield Served(fake, edge, f"http://127.0.0.1:{port}/api/messages", client)
    finally:
        await edge.stop()
        await runner.cleanup()
