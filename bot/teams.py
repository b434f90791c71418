"""The Teams edge: lets a request in, turns it into a Call, has it answered in time, and posts what is due."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiohttp import web
from botbuilder.schema import ActivityTypes

import bot.observe
import bot.teams_activity
import bot.teams_auth
import bot.teams_cards
import bot.teams_reply
from bot.config import Teams
from bot.edge import Answer, Retry, Undeliverable
from bot.teams_chats import Chats
from bot.teams_connector import Connector
from bot.teams_reply import Turn
from cards.card import Card
from handlers.call import Call
from storage.db import Store

LOG = logging.getLogger("redfirst.teams")

LARGEST_BODY = 256 * 1024
ANSWER_WITHIN = 10.0
"""Seconds; Teams sends an activity again when it has waited for 15."""
FINISH_WITHIN = 20.0


class TooLarge(Exception):
    """A body that no activity needs."""


def _now() -> datetime:
    return datetime.now(UTC)


def _open_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15, connect=5))


class TeamsEdge:
    """Implements `bot.edge.Edge`. Raises Refused on settings with which anybody would be let in."""

    name = "teams"

    def __init__(
        self,
        settings: Teams,
        answer: Answer,
        store: Store,
        *,
        clock: Callable[[], datetime] = _now,
        session: Callable[[], aiohttp.ClientSession] = _open_session,
        answer_within: float = ANSWER_WITHIN,
    ) -> None:
        known = bot.teams_auth.required(settings)
        self._answer = answer
        self._open_session = session
        self._answer_within = answer_within
        self._http: aiohttp.ClientSession | None = None
        self._guard = bot.teams_auth.Guard(known, bot.teams_auth.Keys(known.openid_url, self._session, clock))
        self._connector = Connector(known, self._session, clock)
        self._chats = Chats(known, store, self._connector, clock)
        self._replies = bot.teams_reply.Replies(known.app_id, self._connector, self._chats)
        self._turns: set[asyncio.Task[web.Response]] = set()

    def mount(self, app: web.Application) -> None:
        """Adds POST /api/messages."""
        app.router.add_post("/api/messages", self._receive)

    async def start(self) -> None:
        """Nothing to connect: Teams comes to us."""

    async def stop(self) -> None:
        """Finishes the turns it accepted, for at most 20 s, then closes its connections."""
        if self._turns:
            await asyncio.wait(self._turns, timeout=FINISH_WITHIN)
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def post(self, recipient: str, card: Card, key: str) -> str:
        """Posts to a conversation ("tenant/conversation") or a person ("teams:tenant/object-id").

        Returns "message-id tenant/conversation". Raises Retry, Undeliverable, and Unsure where nobody knows
        whether it was posted: Teams has no way to look.
        """
        person = recipient.startswith("teams:")
        chat = await (self._chats.of(recipient) if person else self._chats.at(recipient))
        message = await self._connector.send(chat.service_url, chat.id, bot.teams_cards.message(card, key))
        return f"{message} {chat.key}"

    async def update(self, recipient: str, reference: str, card: Card, key: str) -> None:
        """Puts a card in the place of a message sent before, in the conversation where it stands."""
        message, _, conversation = reference.partition(" ")
        chat = await self._chats.at(conversation)
        activity = bot.teams_cards.message(card, bot.teams_cards.revised(key, card))
        await self._connector.update(chat.service_url, chat.id, message, activity)

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = self._open_session()
        return self._http

    async def _receive(self, request: web.Request) -> web.Response:
        try:
            claims = await self._guard.identify(request.headers.get("Authorization"))
            incoming = bot.teams_activity.read(await _body(request))
            self._guard.admit(claims, incoming)
            asked = bot.teams_activity.call(incoming)
        except bot.teams_auth.Denied as denied:
            LOG.info("a request was not let in: %s", denied)
            return self._turned_away(denied.status)
        except bot.teams_activity.Malformed as malformed:
            LOG.info("a request could not be read: %s", malformed)
            return self._turned_away(400)
        except TooLarge:
            LOG.info("a request was larger than any activity")
            return self._turned_away(413)
        except bot.teams_auth.Unavailable:
            LOG.warning("the channel's keys cannot be fetched, so no request can be let in")
            return web.Response(status=503, headers={"Retry-After": "10"})
        return await self._in_time(Turn(incoming), asked)

    def _turned_away(self, status: int) -> web.Response:
        bot.observe.turned_away(self.name, status)
        return web.Response(status=status)

    async def _in_time(self, turn: Turn, asked: Call | None) -> web.Response:
        """The turn's answer, or, before Teams loses patience, that it will come; the turn then goes on by itself."""
        task = asyncio.create_task(self._take(turn, asked))
        self._turns.add(task)
        task.add_done_callback(self._turns.discard)
        done, _ = await asyncio.wait({task}, timeout=self._answer_within)
        if done:
            return task.result()
        turn.late = True
        task.add_done_callback(_finished_late)
        if turn.incoming.type == ActivityTypes.invoke:
            return web.json_response(bot.teams_reply.words(turn.incoming, bot.teams_cards.WORKING))
        return web.Response(status=202)

    async def _take(self, turn: Turn, asked: Call | None) -> web.Response:
        """Keeps where we are, asks the application, and has its reply said."""
        incoming = turn.incoming
        if incoming.leaving:
            await self._chats.forget(incoming)
            return web.Response()
        await self._chats.remember(incoming)
        if asked is None:
            return web.Response(status=404 if incoming.type == ActivityTypes.invoke else 200)
        try:
            return _answered(await self._reply(turn, asked))
        except Undeliverable as refused:
            LOG.warning("an answer could not be delivered: %s", refused)
        except Retry as problem:
            LOG.warning("an answer was not delivered: %s", type(problem).__name__)
        return _answered(bot.teams_reply.words(incoming, bot.teams_cards.NOT_DELIVERED))

    async def _reply(self, turn: Turn, asked: Call) -> dict[str, Any] | None:
        if not turn.incoming.object_id:
            return await self._replies.stranger(turn.incoming)
        return await self._replies.say(turn, asked.key, await self._answer(asked))


def _answered(body: dict[str, Any] | None) -> web.Response:
    return web.Response() if body is None else web.json_response(body)


def _finished_late(task: asyncio.Task[web.Response]) -> None:
    """A late turn has nobody waiting for it, so what went wrong is said here; never its words."""
    problem = None if task.cancelled() else task.exception()
    if problem is not None:
        LOG.error("a late turn failed: %s", type(problem).__name__)


async def _body(request: web.Request) -> bytes:
    if (request.content_length or 0) > LARGEST_BODY:
        raise TooLarge
    found = bytearray()
    async for chunk in request.content.iter_chunked(64 * 1024):
        found += chunk
        if len(found) > LARGEST_BODY:
            raise TooLarge
    return bytes(found)
