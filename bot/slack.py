"""Slack's edge: signed requests in, `Call` values to the application, cards out in the way Slack allows for each."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from aiohttp import StreamReader, web
from slack_bolt import BoltResponse
from slack_bolt.authorization import AuthorizeResult

import bot.observe
from bot import slack_guard
from bot.config import Slack
from bot.edge import Answer, Retry, Undeliverable
from bot.slack_api import Api, redacted
from bot.slack_app import App
from bot.slack_guard import Body, TurnedAway
from bot.slack_socket import Socket
from cards import block_kit
from cards.card import Card, Form, Text
from handlers.call import Call, Say, Where

log = logging.getLogger("redfirst.slack")

PATH = "/slack/events"
READING = 10.0
"""Seconds a request may take to arrive."""

NOT_OPENED = Card(
    "The form did not open",
    (Text("Slack waits three seconds for a form, and this took longer. Please try again."),),
    "The form did not open. Please try again.",
)


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where something was asked, as far as it decides where the answer may go."""

    user: str
    team: str
    channel: str = ""
    response_url: str = ""
    ephemeral: bool = False  # a message that only the asker sees
    home: bool = False

    @property
    def account(self) -> str:
        return f"slack:{self.team}/{self.user}"

    def packed(self) -> str:
        """What a form has to bring back."""
        return json.dumps([self.channel, self.response_url, self.ephemeral, self.home])

    def unpacked(self, text: str) -> _Origin:
        """This person at the place that `packed` told; what cannot be read is no place."""
        try:
            channel, url, ephemeral, home = json.loads(text)
        except (ValueError, TypeError):
            return self
        if not isinstance(channel, str) or not isinstance(url, str):
            return self
        return replace(self, channel=channel, response_url=url, ephemeral=ephemeral is True, home=home is True)


class SlackEdge:
    """The Slack platform. `command_names` maps words of the product to slash names ("myscore" → "myscore").

    `problem` says in words what keeps it from working; empty when all is well.
    """

    name = "slack"

    def __init__(
        self,
        settings: Slack,
        answer: Answer,
        *,
        command_names: Mapping[str, str],
        clock: Callable[[], datetime],
        nonce: Callable[[], str] = lambda: secrets.token_urlsafe(9),
    ) -> None:
        self._settings = settings
        self._answer = answer
        self._words = {"/" + name.lstrip("/").lower(): word for word, name in command_names.items()}
        self._clock = clock
        self._nonce = nonce
        self._api = Api(settings)
        self._app = App(self._api.client, self._authorize, self._take)
        self._socket: Socket | None = None
        self._busy: set[asyncio.Future[None]] = set()
        self._stopping = False
        self._authorized: AuthorizeResult | None = None
        self._ask_again_at = 0.0
        self._problem = ""

    @property
    def problem(self) -> str:
        return self._problem or (self._socket.problem if self._socket else "")

    def mount(self, web_app: web.Application) -> None:
        """Adds POST /slack/events; without a signing secret there is nothing to verify with, and no route."""
        if self._settings.signing_secret:
            web_app.router.add_post(PATH, self._handle)

    async def start(self) -> None:
        await self._api.open()
        await self._authorize()
        if self._settings.app_token:
            self._socket = Socket(self._settings.app_token, self._api.client, self.run)
            self._socket.start()

    async def stop(self) -> None:
        self._stopping = True
        if self._socket is not None:
            await self._socket.stop()
        while self._busy:
            await asyncio.wait(self._busy)
        await self._api.close()

    async def post(self, recipient: str, card: Card, key: str) -> str:
        """Posts into a channel ("C1", "D1"), or to a person ("U1" or "slack:T1/U1"); returns "channel/ts"."""
        return await self._api.post(recipient, block_kit.message(card, nonce=self._nonce()), key)

    async def find(self, recipient: str, key: str) -> str | None:
        """The reference of the message posted under `key`, None where there is none."""
        return next(iter(await self._api.find(recipient, key)), None)

    async def copies(self, recipient: str, key: str) -> int:
        """How many messages stand there under `key`."""
        return len(await self._api.find(recipient, key))

    async def update(self, recipient: str, reference: str, card: Card, key: str) -> None:
        """Puts a card in the place of the message at "channel/ts"."""
        await self._api.update(reference, block_kit.message(card, nonce=self._nonce()), key)

    # Requests

    async def _handle(self, request: web.Request) -> web.Response:
        if self._stopping:
            return web.Response(status=503, text="stopping")
        try:
            body = slack_guard.shape(await self._admitted(request))
        except TurnedAway as no:
            bot.observe.turned_away(self.name, no.status)
            return web.Response(status=no.status, text=no.words)
        if body is None:
            return web.Response()
        response = await self.run(body)
        kind = "application/json" if response.body.startswith("{") else "text/plain"
        return web.Response(status=response.status, text=response.body, content_type=kind)

    async def _admitted(self, request: web.Request) -> Body:
        """The payload of a request that Slack signed. Raises TurnedAway."""
        stamps = request.headers.getall("X-Slack-Request-Timestamp", ())
        signatures = request.headers.getall("X-Slack-Signature", ())
        if len(stamps) != 1 or len(signatures) != 1:
            raise TurnedAway(401, "not signed")
        slack_guard.headers(stamps[0], signatures[0], self._clock().timestamp())
        if (request.content_length or 0) > slack_guard.LIMIT:
            raise TurnedAway(413, "too large")
        body = await self._whole(request.content)
        if "Content-Encoding" in request.headers:
            raise TurnedAway(415, "not an encoding Slack sends")
        slack_guard.verify(self._settings.signing_secret, stamps[0], signatures[0], body)
        return slack_guard.parse(request.headers.get("Content-Type", ""), body)

    @staticmethod
    async def _whole(content: StreamReader) -> bytes:
        """The bytes of a request, within the limits of size and time. Raises TurnedAway."""
        if content.is_eof() and content.exception() is None and content.total_bytes <= slack_guard.LIMIT:
            return content.read_nowait()  # all of it came with the headers, as it nearly always does
        body = bytearray()
        try:
            async with asyncio.timeout(READING):
                async for piece in content.iter_any():
                    body += piece
                    if len(body) > slack_guard.LIMIT:
                        raise TurnedAway(413, "too large")
        except TimeoutError:
            raise TurnedAway(408, "too slow") from None
        except web.RequestPayloadError:
            raise TurnedAway(400, "malformed") from None
        return bytes(body)

    async def run(self, body: Body) -> BoltResponse:
        """Bolt's response to a payload that `slack_guard.shape` let through, from HTTP or a socket."""
        running = asyncio.get_running_loop().create_future()
        self._busy.add(running)
        try:
            return await self._app.run(body)
        finally:
            self._busy.discard(running)
            running.set_result(None)

    async def _authorize(self) -> AuthorizeResult:
        """Who the bot is, asked once; when Slack refuses, again a minute later, and `problem` says so."""
        if self._authorized is not None:
            return self._authorized
        token = self._settings.bot_token
        unknown = AuthorizeResult(enterprise_id=None, team_id=None, bot_token=token)
        now = asyncio.get_running_loop().time()
        if now < self._ask_again_at:
            return unknown
        self._ask_again_at = now + 60.0
        try:
            found = await self._api.call("auth.test", {})
        except (Retry, Undeliverable) as error:
            said = str(error) if isinstance(error, Undeliverable) else "Slack could not be reached."
            self._problem = said
            log.warning("slack: %s", said)
            return unknown
        self._problem = ""
        self._authorized = AuthorizeResult(
            enterprise_id=found.get("enterprise_id"),
            team_id=found.get("team_id"),
            bot_id=found.get("bot_id"),
            bot_user_id=found.get("user_id"),
            bot_token=token,
        )
        return self._authorized

    # Payloads, each with what its acknowledgement says

    async def _take(self, body: Body) -> str:
        """Of the kinds that `slack_guard.shape` lets through; "url_verification" is Bolt's own."""
        if "command" in body:
            return await self._on_command(body)
        if body["type"] == "block_actions":
            return await self._on_action(body)
        if body["type"] == "view_submission":
            return await self._on_form(body)
        if body["event"]["type"] == "message":
            return await self._on_message(body)
        return await (self._on_home(body) if body["event"]["type"] == "app_home_opened" else self._on_gone())

    async def _on_command(self, body: Body) -> str:
        origin = _Origin(body["user_id"], body["team_id"], body["channel_id"], body["response_url"])
        word = self._words.get(body["command"].lower(), body["command"].lstrip("/"))
        key = f"slack:{body['trigger_id']}"
        reply = await self._answer(Call(word, origin.account, self._where(origin), key, "command", body["text"]))
        cards = [s for s in reply.says if isinstance(s.what, Card)]
        first = next((s for s in cards if s.to == "private"), cards[0] if cards else None)
        for say in reply.says:
            if say is not first:
                self._spawn(self._say(origin, replace(say, place="new"), body["trigger_id"]))
        if first is None or not isinstance(first.what, Card):
            return ""
        shown = "ephemeral" if first.to == "private" else "in_channel"
        return block_kit.encoded(first.what, {"response_type": shown}, nonce=self._nonce())

    async def _on_action(self, body: Body) -> str:
        pressed = body["actions"][0]
        route, _, index = pressed["action_id"].removeprefix("go:").rpartition(":")
        values = _values(pressed["value"])
        nonce = values.pop("_n", "")
        origin = _Origin(
            body["user"]["id"],
            body["user"]["team_id"],
            body.get("channel", {}).get("id", ""),
            body["response_url"],
            body["container"].get("is_ephemeral", False),
            body.get("view", {}).get("type") == "home",
        )
        key = f"slack:n:{nonce[:100]}:{index}" if nonce else f"slack:{body['trigger_id']}"
        reply = await self._answer(Call(route, origin.account, self._where(origin), key, "action", values=values))
        for say in reply.says:
            self._spawn(self._say(origin, say, body["trigger_id"]))
        return ""

    async def _on_form(self, body: Body) -> str:
        view = body["view"]
        carried, place = block_kit.carried(view["private_metadata"])
        origin = _Origin(body["user"]["id"], body["user"]["team_id"]).unpacked(place)
        answers = block_kit.submitted(view["state"]["values"])
        values = {slack_guard.plain(k): slack_guard.plain(v) for k, v in (carried | answers).items()}
        route = view["callback_id"].removeprefix("form:")
        key = f"slack:v:{view['id']}:{view['hash']}"
        reply = await self._answer(Call(route, origin.account, self._where(origin), key, "form", values=values))
        forms = [s.what for s in reply.says if isinstance(s.what, Form)]
        for say in reply.says:
            if isinstance(say.what, Card):
                self._spawn(self._say(origin, say))
        if forms:
            return json.dumps({"response_action": "update", "view": block_kit.modal(forms[0], origin.packed())})
        return json.dumps({"response_action": "clear"}) if reply.says else ""

    async def _on_message(self, body: Body) -> str:
        event = body["event"]
        self._api.learn(event["user"], event["channel"])
        origin = _Origin(event["user"], event["team"], event["channel"])
        key = f"slack:{body['event_id']}"
        await self._answer(
            Call("", origin.account, self._where(origin), key, "message", event["text"], later=True)
        )
        return ""

    async def _on_home(self, body: Body) -> str:
        origin = _Origin(body["event"]["user"], body["team_id"], home=True)
        reply = await self._answer(
            Call("home", origin.account, self._where(origin), f"slack:{body['event_id']}", "home")
        )
        for say in reply.says:
            self._spawn(self._say(origin, say))
        return ""

    async def _on_gone(self) -> str:
        self._authorized = None
        self._ask_again_at = 0.0
        self._problem = "The app was removed from the workspace. Install it again and renew SLACK_BOT_TOKEN."
        log.error("slack: %s", self._problem)
        return ""

    def _where(self, origin: _Origin) -> Where:
        """Private only where it is known: a chat between two people has a channel of the same kind as ours."""
        private = origin.home or self._api.known_dm(origin.user, origin.channel)
        return Where("slack", origin.team, origin.channel, private)

    # Answers

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Goes on after the acknowledgement; `stop` waits for it."""
        task = asyncio.create_task(_logged(work))
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)

    async def _say(self, origin: _Origin, say: Say, trigger: str = "") -> None:
        if isinstance(say.what, Card):
            await self._tell(origin, say.what, say)
            return
        view = block_kit.modal(say.what, origin.packed())
        try:
            await self._api.call("views.open", {"trigger_id": trigger, "view": view})
        except (Retry, Undeliverable) as error:
            log.warning("slack: a form could not be opened: %s", error)
            if not origin.home:
                await self._tell(origin, NOT_OPENED, Say(NOT_OPENED))

    async def _tell(self, origin: _Origin, card: Card, say: Say) -> None:
        if origin.home and say.to == "private":
            view = block_kit.home(card, nonce=self._nonce())
            await self._api.call("views.publish", {"user_id": origin.user, "view": view})
            return
        message = block_kit.message(card, nonce=self._nonce())
        if not origin.response_url:
            recipient = origin.user if say.to == "private" or not origin.channel else origin.channel
            await self._api.post(recipient, message, f"answer {secrets.token_hex(8)}")
            return
        ours = await self._ours(origin)
        # what replaces a message of a channel is seen by the channel: a private answer must not
        update = say.place == "update" and (say.to == "public" or origin.ephemeral or ours)
        seen = "in_channel" if say.to == "public" or (ours and not origin.ephemeral) else "ephemeral"
        await self._api.respond(origin.response_url, {"response_type": seen, "replace_original": update, **message})

    async def _ours(self, origin: _Origin) -> bool:
        """Whether the channel is the 1:1 chat of this person with the bot."""
        if not origin.channel.startswith("D"):
            return False
        if self._api.known_dm(origin.user, origin.channel):
            return True
        try:
            return await self._api.conversation(origin.user) == origin.channel
        except (Retry, Undeliverable):
            return False


async def _logged(work: Awaitable[None]) -> None:
    """An answer that could not be given is logged; whoever asked asks again."""
    try:
        await work
    except Undeliverable as refusal:
        log.warning("slack: an answer could not be given: %s", redacted(str(refusal)))
    except Retry as wait:
        log.warning("slack: an answer could not be given, Slack asks to wait %s s", wait.after)


def _values(text: str) -> dict[str, str]:
    """A button's values; nothing where it is not what a button of ours carries."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {slack_guard.plain(k): slack_guard.plain(v) for k, v in found.items() if isinstance(v, str)}
