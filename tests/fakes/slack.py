"""Slack as far as the bot meets it: Web API, response addresses, a socket, and people who send signed requests."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import hmac
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from bot.config import Slack
from bot.edge import Answer
from bot.slack import PATH, SlackEdge
from handlers.call import Call, Reply
from tests.fakes import slack_limits

PAYLOADS = Path(__file__).parent.parent / "payloads" / "slack"
NOW = datetime(2026, 8, 5, 9, 0, tzinfo=UTC)
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
BOT_TOKEN = "xoxb-0001-secret-of-the-bot"
APP_TOKEN = "xapp-1-secret-of-the-app"
TEAM = "T0001"
DANA = "U2147483697"
ACCOUNT = f"slack:{TEAM}/{DANA}"
COMMANDS = {"myscore": "myscore", "teamscore": "teamscore", "redfirst": "desk"}


def recorded(name: str) -> dict[str, Any]:
    """The payload in tests/payloads/slack/<name>.json, in the form Slack documents."""
    loaded: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


class Desk:
    """An application that answers what it is told, and remembers what it was asked."""

    def __init__(self, *replies: Reply) -> None:
        self.calls: list[Call] = []
        self._replies = list(replies)

    async def __call__(self, call: Call) -> Reply:
        self.calls.append(call)
        return self._replies.pop(0) if self._replies else Reply()


@dataclass(frozen=True)
class Said:
    """One call that reached Slack."""

    method: str
    body: dict[str, Any]
    token: str = ""


@dataclass(frozen=True)
class Planned:
    """What Slack will answer once instead; `drop` closes the connection, after carrying the call out if `carried`."""

    body: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False
    carried: bool = False


class FakeSlack:
    """A Slack workspace on a local port. `problems` lists payloads that Slack would not have taken."""

    def __init__(self) -> None:
        self.calls: list[Said] = []
        self.problems: list[str] = []
        self.messages: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.plans: dict[str, deque[Planned]] = defaultdict(deque)
        self.sockets: list[web.WebSocketResponse] = []
        self.acknowledged: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.connected = asyncio.Event()
        self.root = ""
        self._changed = asyncio.Condition()

    @property
    def settings(self) -> Slack:
        return Slack(bot_token=BOT_TOKEN, signing_secret=SECRET, api_url=f"{self.root}/api/")

    @property
    def response_url(self) -> str:
        return f"{self.root}/actions/T0001/1234/5678"

    def said(self, method: str) -> list[dict[str, Any]]:
        """Bodies of the calls of one method, in order."""
        return [c.body for c in self.calls if c.method == method]

    def plan(self, method: str, *planned: Planned) -> None:
        self.plans[method].extend(planned)

    async def until(self, method: str, count: int = 1) -> list[dict[str, Any]]:
        """Waits for calls that are made after an acknowledgement."""
        async with asyncio.timeout(5), self._changed:
            await self._changed.wait_for(lambda: len(self.said(method)) >= count)
        return self.said(method)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[FakeSlack]:
        app = web.Application()
        app.router.add_post("/api/{method}", self._api)
        app.router.add_post("/actions/{rest:.*}", self._response)
        app.router.add_get("/socket", self._socket)
        async with served(app) as self.root:
            yield self
            for socket in self.sockets:
                await socket.close()

    async def send(self, kind: str, payload: Mapping[str, Any], envelope: str = "e-1") -> dict[str, Any]:
        """Sends a request through the newest socket and returns its acknowledgement."""
        await self.push(kind, payload, envelope)
        async with asyncio.timeout(5):
            return await self.acknowledged.get()

    async def push(self, kind: str, payload: Mapping[str, Any], envelope: str = "e-1") -> None:
        async with asyncio.timeout(5):
            await self.connected.wait()
        body = {"type": kind, "envelope_id": envelope, "payload": payload, "accepts_response_payload": True}
        await self.sockets[-1].send_json(body)

    async def _record(self, said: Said) -> None:
        async with self._changed:
            self.calls.append(said)
            self._changed.notify_all()

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        text = await request.text()
        body = json.loads(text) if request.content_type == "application/json" else dict(await request.post())
        await self._record(Said(method, body, token))
        planned = self.plans[method].popleft() if self.plans[method] else None
        if planned and planned.carried:
            self._carry_out(method, body)
        if planned and planned.drop:
            if request.transport is not None:
                request.transport.close()
            return web.Response()
        if planned:
            return web.json_response(dict(planned.body), status=planned.status, headers=dict(planned.headers))
        if token != (APP_TOKEN if method == "apps.connections.open" else BOT_TOKEN):
            return web.json_response({"ok": False, "error": "invalid_auth"})
        return web.json_response(self._carry_out(method, body))

    def _carry_out(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        problems = self._problems(method, body)
        if problems:
            self.problems += problems
            return {"ok": False, "error": "invalid_blocks", "errors": problems}
        match method:
            case "auth.test":
                return {"ok": True, "team_id": TEAM, "user_id": "U0BOT", "bot_id": "B0001"}
            case "conversations.open":
                return {"ok": True, "channel": {"id": "D" + body["users"][1:]}}
            case "chat.postMessage":
                channel = body["channel"]
                channel = "D" + channel[1:] if channel[:1] in ("U", "W") else channel  # Slack opens the chat
                messages = self.messages[channel]
                ts = f"1700000000.{len(messages):06}"
                messages.insert(0, body | {"ts": ts})
                return {"ok": True, "channel": channel, "ts": ts}
            case "chat.update":
                for message in self.messages[body["channel"]]:
                    if message["ts"] == body["ts"]:
                        message.update(body)
                        return {"ok": True, "channel": body["channel"], "ts": body["ts"]}
                return {"ok": False, "error": "message_not_found"}
            case "conversations.history":
                messages, begin = self.messages[body["channel"]], int(body.get("cursor", 0))
                end = begin + body["limit"]
                more = {"response_metadata": {"next_cursor": str(end)}} if end < len(messages) else {}
                return {"ok": True, "messages": messages[begin:end], **more}
            case "apps.connections.open":
                return {"ok": True, "url": f"{self.root.replace('http', 'ws')}/socket?ticket=a-secret-ticket"}
            case "views.open" | "views.publish" | "views.update":
                return {"ok": True}
        return {"ok": False, "error": "unknown_method"}

    def _problems(self, method: str, body: Mapping[str, Any]) -> list[str]:
        if method in ("chat.postMessage", "chat.update", "response_url"):
            return [f"{method}: {p}" for p in slack_limits.message_problems(body)]
        if method.startswith("views."):
            kind = "home" if method == "views.publish" else "modal"
            found = slack_limits.view_problems(body["view"])
            found += [] if body["view"].get("type") == kind else [f"type: not {kind}"]
            return [f"{method}: {p}" for p in found]
        return []

    async def _response(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.problems += self._problems("response_url", body)
        await self._record(Said("response_url", body))
        planned = self.plans["response_url"].popleft() if self.plans["response_url"] else Planned()
        return web.Response(text="ok", status=planned.status, headers=dict(planned.headers))

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1})
        self.sockets.append(socket)
        self.connected.set()
        async for message in socket:
            if message.type == aiohttp.WSMsgType.TEXT:
                await self.acknowledged.put(json.loads(message.data))
        return socket


def sign(body: bytes, at: float | None = None, secret: str = SECRET) -> dict[str, str]:
    """The headers with which Slack signs a body (docs.slack.dev, verifying requests from Slack)."""
    stamp = str(int(NOW.timestamp() if at is None else at))
    mac = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256)
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={mac.hexdigest()}"}


def encoded(payload: Mapping[str, Any]) -> tuple[bytes, str]:
    """Body and content type as Slack sends this payload: commands and interactions as forms, events as JSON."""
    if "command" in payload:
        return urlencode(dict(payload)).encode(), "application/x-www-form-urlencoded"
    if payload.get("type") in ("event_callback", "url_verification"):
        return json.dumps(payload).encode(), "application/json"
    return urlencode({"payload": json.dumps(payload)}).encode(), "application/x-www-form-urlencoded"


@dataclass
class Workspace:
    """A bot that is running, and Slack around it."""

    slack: FakeSlack
    edge: SlackEdge
    session: aiohttp.ClientSession
    url: str

    async def send(self, payload: Mapping[str, Any]) -> tuple[int, Any]:
        """Status and body (JSON where it is) of a signed request; what is shown must be what Slack can show."""
        body, kind = encoded(payload)
        async with self.session.post(self.url, data=body, headers=sign(body) | {"Content-Type": kind}) as response:
            text = await response.text()
            if not text.startswith("{"):
                return response.status, text
            found = json.loads(text)
            if "blocks" in found:
                self.slack.problems += slack_limits.message_problems(found)
            if "view" in found:
                self.slack.problems += slack_limits.view_problems(found["view"])
            return response.status, found

    async def recorded(self, name: str, **changes: Any) -> tuple[int, Any]:
        """A recorded payload, its response address pointing to the fake, with top-level changes."""
        payload = copy.deepcopy(recorded(name))
        if "response_url" in payload:
            payload["response_url"] = self.slack.response_url
        return await self.send(payload | changes)


@asynccontextmanager
async def workspace(answer: Answer, settings: Mapping[str, Any] | None = None) -> AsyncIterator[Workspace]:
    """A bot with this `answer`, listening and started; on the way out nothing unshowable may have been said."""
    slack = FakeSlack()
    async with slack.running():
        given = slack.settings
        values = {name: getattr(given, name) for name in ("bot_token", "signing_secret", "app_token", "api_url")}
        edge = SlackEdge(
            Slack(**(values | dict(settings or {}))), answer, command_names=COMMANDS, clock=lambda: NOW,
            nonce=lambda: "nonce-1",
        )
        app = web.Application()
        edge.mount(app)
        async with served(app) as root, aiohttp.ClientSession() as session:
            await edge.start()
            try:
                yield Workspace(slack, edge, session, f"{root}{PATH}")
            finally:
                await edge.stop()
    assert slack.problems == []


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    """The application on a free local port; gives its address."""
    # nobody compresses requests here, and what is broken would be logged by aiohttp itself
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, auto_decompress=False)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()
