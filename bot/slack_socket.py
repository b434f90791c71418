"""Socket Mode: Slack's requests over a connection that the bot opens, for a desk without a public address."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable

from slack_bolt import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot import slack_guard
from bot.slack_api import sdk_logger
from bot.slack_guard import Body

log = logging.getLogger("redfirst.slack.socket")


class _Client(SocketModeClient):
    """The SDK's client, which tries again for ever; `problem` says why it has to."""

    problem = ""

    async def run(self) -> None:
        """Connects, trying until it succeeds or is cancelled."""
        await super().connect()  # type: ignore[no-untyped-call]

    async def end(self) -> None:
        await super().close()  # type: ignore[no-untyped-call]

    async def issue_new_wss_url(self) -> str:
        try:
            url = await super().issue_new_wss_url()
        except SlackApiError:
            self.problem = "Slack does not accept the app token. Renew SLACK_APP_TOKEN (scope connections:write)."
            raise
        self.problem = ""
        return url


class Socket:
    """One connection; each request is run by `run` and acknowledged with its response."""

    def __init__(
        self, app_token: str, web: AsyncWebClient, run: Callable[[Body], Awaitable[BoltResponse]], ping: float = 5.0
    ) -> None:
        self._run = run
        self._busy: set[asyncio.Task[object]] = set()
        self._stopping = False
        self._client = _Client(app_token, logger=sdk_logger(), web_client=web, ping_interval=ping)
        self._client.socket_mode_request_listeners.append(self._take)
        self._connecting: asyncio.Task[None] | None = None

    @property
    def problem(self) -> str:
        """Why there is no connection, in words; empty when all is well."""
        return self._client.problem

    def start(self) -> None:
        """Connects in the background, and again whenever the connection is lost."""
        self._connecting = asyncio.create_task(self._client.run(), name="slack socket")

    async def stop(self) -> None:
        """Finishes and acknowledges what it took; what comes now is left for Slack to send elsewhere."""
        self._stopping = True
        while self._busy:
            await asyncio.wait(self._busy)
        if self._connecting is not None:
            self._connecting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._connecting
        ended = [
            t for t in (self._client.message_receiver, self._client.current_session_monitor) if t is not None
        ] + [self._client.message_processor]
        await self._client.end()
        await asyncio.gather(*ended, return_exceptions=True)

    async def _take(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        if self._stopping:
            return
        task = asyncio.current_task()
        if task is not None:
            self._busy.add(task)
            task.add_done_callback(self._busy.discard)
        payload = None
        try:
            body = slack_guard.shape(request.payload)
        except slack_guard.TurnedAway:
            log.warning("a malformed request came through the socket")
            body = None
        if body is not None:
            response = await self._run(body)
            if response.status != 200:
                return  # unacknowledged: Slack tells the person, and sends an event again
            payload = _payload(response)
        await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id, payload=payload))


def _payload(response: BoltResponse) -> dict[str, object] | None:
    if not response.body:
        return None
    if response.body.startswith("{"):
        found: dict[str, object] = json.loads(response.body)
        return found
    return {"text": response.body}
