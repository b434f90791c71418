"""Who may speak to the bot on Teams: the SDK's token check, with everything around it that it leaves out."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import jwt
from botframework.connector import Channels
from botframework.connector.auth import AuthenticationConstants, GovernmentConstants, VerifyOptions
from botframework.connector.auth.jwt_token_extractor import JwtTokenExtractor
from jwt.algorithms import RSAAlgorithm

from bot.config import Teams
from bot.teams_activity import Incoming
from scoring.refused import Refused

TOLERANCE = 5 * 60
"""Seconds by which clocks may differ, as the Bot Framework's own libraries allow."""

_URL = re.compile(r"(https?)://([a-z0-9.-]+(?::[0-9]{1,5})?)((?:/[A-Za-z0-9._~-]*)*)", re.IGNORECASE)
_LOOPBACK = ("127.0.0.1", "localhost")
_KEYS_LAST = timedelta(days=1)
_NEW_KEY_AFTER = timedelta(minutes=5)
_TRY_AGAIN_AFTER = timedelta(seconds=10)


class Denied(Exception):
    """Not let in: 401 where the token proves nothing, 403 where it proves something else. The text is for the log."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Unavailable(Exception):
    """The keys that prove a token cannot be fetched now."""


def required(settings: Teams) -> Teams:
    """`settings` with the tenants filled in. Raises Refused where the edge would let in anybody, or nobody."""
    if not settings.app_id:
        raise Refused(
            "Teams has no app id, and without one every request would be let in.",
            "Set TEAMS_APP_ID to the Microsoft App ID of your bot, or leave Teams out.",
        )
    if not settings.app_password:
        raise Refused(
            "Teams has no app password.", "Set TEAMS_APP_PASSWORD, or name a file with it in TEAMS_APP_PASSWORD_FILE."
        )
    tenants = settings.allowed_tenants or ((settings.tenant_id,) if settings.tenant_id else ())
    if not tenants:
        raise Refused(
            "Teams has no tenant, and without one people of any organisation would be let in.",
            "Set TEAMS_TENANT_ID to the tenant your bot is registered in (TEAMS_ALLOWED_TENANTS for several).",
        )
    for name, url in (("TEAMS_OPENID_URL", settings.openid_url), ("TEAMS_AUTHORITY", settings.authority)):
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise Refused(f"{name} is not an https address.", "Give one that begins with https://.")
    return Teams(
        app_id=settings.app_id,
        app_password=settings.app_password,
        tenant_id=settings.tenant_id,
        allowed_tenants=tuple(t.lower() for t in tenants),
        hosts=tuple(h.lower() for h in settings.hosts),
        openid_url=settings.openid_url,
        authority=settings.authority.rstrip("/"),
    )


def is_government(settings: Teams) -> bool:
    """The American government cloud has its own issuer and scope; all else is the public one."""
    return (urlsplit(settings.openid_url).hostname or "").endswith(".azure.us")


def trusted(service_url: str, hosts: Sequence[str]) -> bool:
    """Whether a message, and with it a token of ours, may be sent to this address.

    https to exactly one of `hosts`; http only where the host and its port are listed and are this machine.
    """
    match = _URL.fullmatch(service_url)
    if match is None or any(part in (".", "..") for part in match[3].split("/")):
        return False
    scheme, place = match[1].lower(), match[2].lower()
    if scheme == "https":
        return place.removesuffix(":443") in hosts or place in hosts
    return place in hosts and place.partition(":")[0] in _LOOPBACK


@dataclass(frozen=True, slots=True)
class _Key:
    public_key: Any
    endorsements: tuple[str, ...]


class Keys:
    """The channel's signing keys, fetched without blocking the loop; takes the place of the SDK's own fetcher.

    Kept for a day; an unknown key id asks again, at most every five minutes; while the address does
    not answer, the keys already known keep counting.
    """

    def __init__(self, url: str, session: Callable[[], aiohttp.ClientSession], clock: Callable[[], datetime]) -> None:
        self._url = url
        self._session = session
        self._clock = clock
        self._keys: dict[str, _Key] = {}
        self._fetched: datetime | None = None
        self._tried: datetime | None = None
        self._lock = asyncio.Lock()

    async def get(self, key_id: str) -> _Key | None:
        """The key with this id, None where there is none. Raises Unavailable while no keys are known."""
        if self._older_than(_KEYS_LAST) or (key_id not in self._keys and self._older_than(_NEW_KEY_AFTER)):
            async with self._lock:
                await self._refresh(key_id)
        if self._fetched is None:
            raise Unavailable
        return self._keys.get(key_id)

    def _older_than(self, age: timedelta) -> bool:
        return self._fetched is None or self._clock() - self._fetched >= age

    async def _refresh(self, key_id: str) -> None:
        if not self._older_than(_KEYS_LAST) and (key_id in self._keys or not self._older_than(_NEW_KEY_AFTER)):
            return  # another request has fetched them meanwhile
        now = self._clock()
        if self._tried is not None and now - self._tried < _TRY_AGAIN_AFTER:
            return
        self._tried = now
        try:
            metadata = await self._json(self._url)
            found = await self._json(str(metadata["jwks_uri"]))
            keys = found["keys"]
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError):
            return
        self._keys = {str(key.get("kid")): made for key in keys if (made := _key(key)) is not None}
        self._fetched = now

    async def _json(self, url: str) -> Any:
        async with self._session().get(url, allow_redirects=False) as response:
            response.raise_for_status()
            return json.loads(await response.text())


def _key(found: Mapping[str, Any]) -> _Key | None:
    try:
        return _Key(RSAAlgorithm.from_jwk(dict(found)), tuple(found.get("endorsements", ())))
    except (jwt.PyJWTError, ValueError, KeyError, TypeError):
        return None


class Guard:
    """Checks each request twice: `identify` its token, then `admit` what it says it is about."""

    def __init__(self, settings: Teams, keys: Keys) -> None:
        government = is_government(settings)
        issuer = (
            GovernmentConstants.TO_BOT_FROM_CHANNEL_TOKEN_ISSUER
            if government
            else AuthenticationConstants.TO_BOT_FROM_CHANNEL_TOKEN_ISSUER
        )
        self._settings = settings
        self._keys = keys
        self._extractor = JwtTokenExtractor(
            VerifyOptions(issuer=[issuer], audience=None, clock_tolerance=TOLERANCE, ignore_expiration=False),
            settings.openid_url,
            ["RS256"],
        )
        self._extractor.open_id_metadata = keys

    async def identify(self, header: str | None) -> Mapping[str, Any]:
        """The claims of a token that the channel made for this bot. Raises Denied, or Unavailable."""
        scheme, _, token = (header or "").partition(" ")
        if scheme != "Bearer" or not token or not token.isascii() or " " in token:
            raise Denied(401, "no token")
        try:
            head = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise Denied(401, "not a token") from None
        key_id = head.get("kid")
        if head.get("alg") != "RS256" or not isinstance(key_id, str):
            raise Denied(401, "signed in another way")
        key = await self._keys.get(key_id)
        if key is None:
            raise Denied(401, "signed with an unknown key")
        if Channels.ms_teams.value not in key.endorsements:
            raise Denied(403, "signed with a key that may not speak for Teams")
        try:
            identity = await self._extractor.get_identity("Bearer", token, Channels.ms_teams.value)
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise Denied(401, f"token not valid: {type(error).__name__}") from None
        if identity is None:
            raise Denied(401, "other issuer")
        claims: Mapping[str, Any] = identity.claims
        if "exp" not in claims:
            raise Denied(401, "token without an end")
        if claims.get("aud") != self._settings.app_id:
            raise Denied(401, "made for another app")
        return claims

    def admit(self, claims: Mapping[str, Any], incoming: Incoming) -> None:
        """Holds the activity against its token and the allow-lists. Raises Denied."""
        if incoming.channel_id != Channels.ms_teams.value:
            raise Denied(403, "other channel")
        if not incoming.service_url or claims.get("serviceurl") != incoming.service_url:
            raise Denied(403, "other service address")
        if not trusted(incoming.service_url, self._settings.hosts):
            raise Denied(403, "service address is not on the list of hosts")
        if incoming.tenant not in self._settings.allowed_tenants:
            raise Denied(403, "other tenant")
