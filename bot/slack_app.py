"""Bolt as the edge uses it: verified payloads in, one function that answers them, nothing made that nobody reads."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack_api import sdk_logger

Take = Callable[[dict[str, Any]], Awaitable[str]]
"""Answers a payload: what goes into the acknowledgement, JSON or nothing."""


class _Taking(AsyncMiddleware):
    """The last of Bolt's middlewares, which answers.

    Listeners are asked one after the other whether they want the payload, and each is given some thirty
    arguments made for it; the payloads that get this far have one taker and one argument.
    """

    def __init__(self, take: Take) -> None:
        self._take = take

    async def async_process(
        self, *, req: AsyncBoltRequest, resp: BoltResponse, next: Callable[[], Awaitable[BoltResponse]]
    ) -> BoltResponse:
        return BoltResponse(status=200, body=await self._take(req.body))


class _App(AsyncApp):
    def _init_context(self, req: AsyncBoltRequest) -> None:
        """Without this Bolt makes a client for every request, which no listener of ours takes."""
        req.context["logger"] = self.logger
        req.context["client"] = self.client


class App:
    """Bolt's part: who the bot is, its own messages left out, addresses verified. The rest is `take`'s."""

    def __init__(
        self, client: AsyncWebClient, authorize: Callable[[], Awaitable[AuthorizeResult]], take: Take
    ) -> None:
        async def authorized(team_id: str | None) -> AuthorizeResult:
            return await authorize()

        logger = sdk_logger()
        logger.setLevel(logging.ERROR)  # Bolt warns that it found SLACK_BOT_TOKEN and does not use it: rightly so
        self._app = _App(
            name="redfirst.slack.bolt",
            logger=logger,
            client=client,
            authorize=authorized,
            process_before_response=True,
            request_verification_enabled=False,  # the guard has done it
            ssl_check_enabled=False,
            attaching_function_token_enabled=False,
            attaching_conversation_kwargs_enabled=False,
        )
        logger.setLevel(logging.WARNING)
        self._app.middleware(_Taking(take))

    async def run(self, body: Mapping[str, Any]) -> BoltResponse:
        """Bolt's response to a payload that `slack_guard.shape` let through; 500 where `take` raised."""
        # "socket_mode" is Bolt's way to take a payload that is verified and parsed already
        return await self._app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=dict(body)))
