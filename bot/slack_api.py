"""Slack's Web API as the product uses it: one shared connection, no hidden retries, errors in plain words."""

from __future__ import annotations

import logging
import re
import traceback
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.config import Slack
from bot.edge import Retry, Undeliverable, Unsure
from bot.slack_guard import may_answer

TIMEOUT = 10.0
"""Seconds for one call, connection included."""

_SECRET = re.compile(r"\bx(?:ox[a-z.]*|app)-[\w.-]+|https?://hooks\.slack[\w.-]*/\S+|wss?://\S+")

REMEDIES = {
    "channel_not_found": "Slack knows no such conversation. Invite the bot to it, or choose another.",
    "not_in_channel": "The bot is not in that channel. Invite it with /invite, then ask again.",
    "is_archived": "That channel is archived. Choose another channel.",
    "user_not_found": "Slack knows no such person. Correct the linked account.",
    "users_not_found": "Slack knows no such person. Correct the linked account.",
    "user_disabled": "That person's Slack account is deactivated.",
    "cannot_dm_bot": "That account is a bot. Link a person's account.",
    "account_inactive": "The bot's Slack account was deactivated. Install the app again and renew SLACK_BOT_TOKEN.",
    "invalid_auth": "Slack does not accept the bot token. Renew SLACK_BOT_TOKEN and restart.",
    "not_authed": "There is no bot token. Set SLACK_BOT_TOKEN and restart.",
    "token_revoked": "The bot token was revoked. Install the app again and renew SLACK_BOT_TOKEN.",
    "token_expired": "The bot token has expired. Install the app again and renew SLACK_BOT_TOKEN.",
    "missing_scope": "The app lacks a permission. Upload the manifest of `redfirst slack-manifest` and install again.",
    "message_not_found": "The message is gone, so it was not updated. Call it off: `redfirst outbox cancel`.",
    "cant_update_message": "It is not the bot's message. Call it off: `redfirst outbox cancel`.",
    "edit_window_closed": "The workspace lets nobody edit messages that old. Call it off: `redfirst outbox cancel`.",
    "restricted_action": "The workspace does not let the bot post there. Ask a workspace owner.",
    "ekm_access_denied": "The workspace's administrators have suspended posting. Ask a workspace owner.",
}
_UNWELL = {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}


def redacted(text: str) -> str:
    """Text without tokens, response addresses and socket addresses."""
    return _SECRET.sub("(redacted)", text)


class Redacting(logging.Filter):
    """Takes secrets out of what the SDKs log, exceptions included."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        if record.exc_info and record.exc_info[0] is not None:
            said += "\n" + "".join(traceback.format_exception(*record.exc_info)).rstrip()
        record.msg, record.args, record.exc_info, record.exc_text = redacted(said), (), None, None
        return True


def sdk_logger() -> logging.Logger:
    """The logger handed to slack_bolt and slack_sdk: warnings and errors only, redacted.

    At INFO Bolt logs whole bodies of requests with a bad signature, at DEBUG everything.
    """
    logger = logging.getLogger("redfirst.slack.sdk")
    logger.setLevel(logging.WARNING)
    if not any(isinstance(f, Redacting) for f in logger.filters):
        logger.addFilter(Redacting())
    return logger


class Api:
    """Calls to one workspace. `open()` before the first, `close()` after the last."""

    def __init__(self, settings: Slack) -> None:
        self._url = settings.api_url
        self.client = AsyncWebClient(
            token=settings.bot_token, base_url=settings.api_url, retry_handlers=[], logger=sdk_logger()
        )
        self._session: aiohttp.ClientSession | None = None
        self._dms: dict[str, str] = {}

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT))
        self.client.session = self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def call(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        """Slack's answer to one call. Raises Retry, Unsure where it may have been carried out, Undeliverable."""
        try:
            response = await self.client.api_call(method, json=body)
        except SlackApiError as error:
            raise _refusal(error.response) from None
        except aiohttp.ClientConnectorError:
            raise Retry(0.0) from None
        except (aiohttp.ClientError, TimeoutError):
            raise Unsure(0.0) from None
        return response.data if isinstance(response.data, dict) else {}

    async def post(self, recipient: str, message: dict[str, Any], key: str) -> str:
        """Posts into a channel, or into the 1:1 chat with a user; returns "channel/ts"."""
        target = recipient.rpartition("/")[2]
        channel = self._dms.get(target, target)  # a user's id does as well, and opens the chat
        body = {"channel": channel, **message, "metadata": _metadata(key), "unfurl_links": False, "unfurl_media": False}
        answer = await self.call("chat.postMessage", body)
        posted = str(answer.get("channel", channel))
        if target[:1] in ("U", "W") and posted[:1] == "D":
            self.learn(target, posted)
        return f"{posted}/{answer.get('ts', '')}"

    async def update(self, reference: str, message: dict[str, Any], key: str) -> None:
        """Puts a message in the place of the one at "channel/ts"."""
        channel, _, ts = reference.partition("/")
        await self.call("chat.update", {"channel": channel, "ts": ts, **message, "metadata": _metadata(key)})

    async def find(self, recipient: str, key: str) -> list[str]:
        """"channel/ts" of each message posted under `key`, oldest first, among the last thousand of the conversation.

        Raises Undeliverable where it is not among those and there are more.
        """
        channel = await self.conversation(recipient)
        asked: dict[str, Any] = {"channel": channel, "limit": 200, "include_all_metadata": True}
        found: list[str] = []
        for _page in range(5):
            answer = await self.call("conversations.history", asked)
            for message in answer.get("messages", []):
                said = message.get("metadata") or {}
                if said.get("event_type") == "redfirst" and said.get("event_payload", {}).get("key") == key:
                    found.insert(0, f"{channel}/{message.get('ts', '')}")
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if found or not cursor:
                return found
            asked["cursor"] = cursor
        raise Undeliverable("The conversation has gone on for too long to look the message up.")

    async def conversation(self, recipient: str) -> str:
        """The channel of a recipient: itself, or the 1:1 chat with the user; "slack:T1/U2" is taken too."""
        target = recipient.rpartition("/")[2]
        if target[:1] not in ("U", "W"):
            return target
        if target not in self._dms:
            answer = await self.call("conversations.open", {"users": target})
            self._dms[target] = str(answer.get("channel", {}).get("id", ""))
        return self._dms[target]

    def learn(self, user: str, channel: str) -> None:
        """Remembers the 1:1 chat of a user with the bot."""
        if len(self._dms) > 10_000:
            self._dms.clear()
        self._dms[user] = channel

    def known_dm(self, user: str, channel: str) -> bool:
        """Whether the channel is known to be the user's 1:1 chat with the bot; other people's chats look alike."""
        return self._dms.get(user) == channel

    async def respond(self, url: str, message: dict[str, Any]) -> None:
        """Answers by response_url. Raises Undeliverable where the address is not Slack's, or Slack refuses."""
        if not may_answer(url, self._url):
            raise Undeliverable("The address for the answer is not Slack's.")
        if self._session is None:
            raise Undeliverable("The connection to Slack is closed.")
        try:
            async with self._session.post(url, json=message, proxy=self.client.proxy, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise Undeliverable(f"Slack refused the answer with status {answer.status}.")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unsure(0.0) from error


def _metadata(key: str) -> dict[str, Any]:
    return {"event_type": "redfirst", "event_payload": {"key": key}}


def _refusal(response: Any) -> Exception:
    status = getattr(response, "status_code", getattr(response, "status", 0))
    data = response.data if isinstance(response, AsyncSlackResponse) else {}
    error = str(data.get("error", "")) if isinstance(data, dict) else ""
    if status == 429 or error in ("ratelimited", "rate_limited"):
        after = response.headers.get("Retry-After", "")
        return Retry(float(after) if after.isdecimal() and after.isascii() else 30.0)
    if status >= 500 or error in _UNWELL or not error:
        return Unsure(0.0)
    words = f"Slack refused it ({redacted(error)[:100]})."
    return Undeliverable(f"{words} {REMEDIES.get(error, 'Run `redfirst check`.')}")
