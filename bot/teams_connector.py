"""Posts to Teams: one session, one cached token, every refusal told apart, and no token to a host not on the list."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import aiohttp
from botframework.connector.auth import AuthenticationConstants, GovernmentConstants
from yarl import URL

import bot.teams_auth
from bot.config import Teams
from bot.edge import Retry, Undeliverable, Unsure

_AGAIN = (412, 429, 502, 503, 504)  # learn.microsoft.com: rate limits of bots in Teams
_MARGIN = timedelta(minutes=5)
_LONGEST_WAIT = 3600.0
_LEAVE_IT = "Call it off: `redfirst outbox cancel`."
_CREDENTIALS = "Check TEAMS_APP_ID, TEAMS_APP_PASSWORD and TEAMS_TENANT_ID, and whether the secret has expired."


class Connector:
    """The Bot Connector's REST interface, as far as the product needs it.

    Every call raises Retry (asked to wait, or never reached), Unsure (nobody knows whether it was
    done, and Teams has no way to look), or Undeliverable (refused for good).
    """

    def __init__(
        self, settings: Teams, session: Callable[[], aiohttp.ClientSession], clock: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._session = session
        self._clock = clock
        self._token = ""
        self._token_until: datetime | None = None
        self._lock = asyncio.Lock()
        constants = GovernmentConstants if bot.teams_auth.is_government(settings) else AuthenticationConstants
        self._scope = f"{constants.TO_CHANNEL_FROM_BOT_OAUTH_SCOPE}/.default"

    async def send(self, service_url: str, conversation: str, activity: dict[str, Any], reply_to: str = "") -> str:
        """Posts into the conversation; returns the new message's id."""
        path = ("conversations", conversation, "activities", *([reply_to] if reply_to else []))
        return str((await self._call("POST", service_url, path, activity)).get("id", ""))

    async def update(self, service_url: str, conversation: str, message: str, activity: dict[str, Any]) -> None:
        """Puts `activity` in the place of a message sent before, for everybody who sees it."""
        path = ("conversations", conversation, "activities", message)
        await self._call("PUT", service_url, path, {**activity, "id": message})

    async def create(self, service_url: str, bot_id: str, tenant: str, user: str) -> str:
        """The id of the 1:1 chat with `user` (a Teams id or an object id). Undeliverable where they lack the app."""
        parameters = {
            "isGroup": False,
            "bot": {"id": bot_id},
            "members": [{"id": user}],
            "tenantId": tenant,
            "channelData": {"tenant": {"id": tenant}},
        }
        found = (await self._call("POST", service_url, ("conversations",), parameters)).get("id")
        if not isinstance(found, str) or not found:
            raise Undeliverable("Teams opened no chat with this person. Have the app installed for them.")
        return found

    async def _call(self, method: str, service_url: str, path: tuple[str, ...], body: dict[str, Any]) -> dict[str, Any]:
        if not bot.teams_auth.trusted(service_url, self._settings.hosts):
            raise Undeliverable("The service address is not on the list of hosts. Check TEAMS_SERVICE_HOSTS.")
        url = URL("/".join((f"{service_url.rstrip('/')}/v3", *(quote(p, safe="") for p in path))), encoded=True)
        used = await self._bearer()
        response = await self._request(method, url, used, body)
        if response[0] == 401:
            if used == self._token:
                self._token_until = None
            response = await self._request(method, url, await self._bearer(), body)
        status, wait, found = response
        if status in _AGAIN:
            raise Retry(wait)
        if status == 401:
            raise Undeliverable(f"Teams does not accept the bot's credentials. {_CREDENTIALS}")
        if status == 403:
            raise Undeliverable("Teams does not let the bot write there. Have the app installed for them.")
        if status == 404 and method == "PUT":
            raise Undeliverable("The message is gone, so it was not updated. " + _LEAVE_IT)
        if status == 404:
            raise Undeliverable("Teams does not know this conversation. Have the app installed there again.")
        if 400 <= status < 500:
            raise Undeliverable(f"Teams refused the message with status {status}. Please report this to the makers.")
        if status >= 300:
            raise Unsure(1.0)
        return found

    async def _request(
        self, method: str, url: URL, token: str, body: dict[str, Any]
    ) -> tuple[int, float, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {token}"}
        try:
            async with self._session().request(
                method, url, json=body, headers=headers, allow_redirects=False
            ) as response:
                return response.status, _wait(response), await _object(response)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise Retry(1.0) from None  # never reached, so nothing was posted
        except (aiohttp.ClientError, TimeoutError):
            raise Unsure(1.0) from None

    async def _bearer(self) -> str:
        """A token for the connector, asked for once and kept until five minutes before its end."""
        async with self._lock:
            if self._token_until is None or self._clock() >= self._token_until:
                await self._fetch_token()
            return self._token

    async def _fetch_token(self) -> None:
        settings = self._settings
        url = f"{settings.authority}/{quote(settings.tenant_id or 'botframework.com', safe='')}/oauth2/v2.0/token"
        form = {
            "grant_type": "client_credentials",
            "client_id": settings.app_id,
            "client_secret": settings.app_password,
            "scope": self._scope,
        }
        try:
            async with self._session().post(url, data=form, allow_redirects=False) as response:
                status, wait, found = response.status, _wait(response), await _object(response)
        except (aiohttp.ClientError, TimeoutError):
            raise Retry(1.0) from None
        if status == 429 or status >= 500:
            raise Retry(wait)
        token, lasts = found.get("access_token"), found.get("expires_in")
        if status != 200 or not isinstance(token, str) or not token or not token.isascii():
            raise Undeliverable(f"The sign-in service gives the bot no token (status {status}). {_CREDENTIALS}")
        seconds = int(lasts) if isinstance(lasts, (int, str)) and str(lasts).isdecimal() else 0
        self._token = token
        lasting = timedelta(seconds=min(seconds, 86_400))
        self._token_until = self._clock() + max(lasting - _MARGIN, timedelta(seconds=30))


def _wait(response: aiohttp.ClientResponse) -> float:
    """Seconds in Retry-After; 1 where it is missing or a date."""
    said = response.headers.get("Retry-After", "")
    try:
        seconds = float(said) if said.isascii() and len(said) < 10 else 1.0
    except ValueError:
        return 1.0
    return min(seconds, _LONGEST_WAIT) if seconds >= 0 else 1.0


async def _object(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """The JSON object of an answer; empty where there is none."""
    try:
        found = await response.json(content_type=None)
    except (ValueError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}
