"""Where the bot may write on Teams: every conversation it is told of is kept, and 1:1 chats are opened on demand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from botbuilder.schema import ActivityTypes

import storage.conversations
from bot.config import Teams
from bot.edge import Undeliverable
from bot.teams_activity import Incoming
from bot.teams_connector import Connector
from storage.conversations import Conversation
from storage.db import Store

_REMEMBERED = 10_000
_NOT_INSTALLED = "Redfirst has no chat there. Have the app installed for them, or ask them to write to it once."


class Chats:
    """The conversation rows; what a process has seen lately is not written again with every message."""

    def __init__(self, settings: Teams, store: Store, connector: Connector, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._store = store
        self._connector = connector
        self._clock = clock
        self._seen: dict[str, Conversation] = {}

    async def remember(self, incoming: Incoming) -> None:
        """Keeps the conversation of an activity, for what the bot says there later by itself."""
        if incoming.private and not incoming.object_id:
            return
        account = incoming.account if incoming.private else ""
        chat = Conversation(_key(incoming), incoming.room, incoming.service_url, incoming.bot, account)
        told_anew = incoming.type in (ActivityTypes.conversation_update, ActivityTypes.installation_update)
        if told_anew or self._seen.get(chat.key) != chat:
            await self._save(chat)

    async def forget(self, incoming: Incoming) -> None:
        self._seen.pop(_key(incoming), None)
        async with self._store.write() as db:
            await storage.conversations.remove(db, _key(incoming))

    async def at(self, key: str) -> Conversation:
        """The conversation "tenant/conversation". Raises Undeliverable where it is not known."""
        async with self._store.read() as db:
            chat = await storage.conversations.get(db, key)
        if chat is None or chat.tenant not in self._settings.allowed_tenants:
            raise Undeliverable(_NOT_INSTALLED)
        return chat

    async def of(self, account: str, user: str = "") -> Conversation:
        """The 1:1 chat with "teams:tenant/object-id", opened where it is not known yet; `user` is their id in Teams.

        Raises Undeliverable where they do not have the app, and Retry.
        """
        account = account.lower()
        tenant, _, object_id = account.removeprefix("teams:").partition("/")
        if tenant not in self._settings.allowed_tenants or not object_id:
            raise Undeliverable(_NOT_INSTALLED)
        async with self._store.read() as db:
            chat = await storage.conversations.personal(db, account)
            near = chat or await storage.conversations.of_tenant(db, tenant)
        if chat is not None:
            return chat
        if near is None:
            raise Undeliverable(_NOT_INSTALLED)
        opened = await self._connector.create(near.service_url, near.bot, tenant, user or object_id)
        chat = Conversation(f"{tenant}/{opened}", "personal", near.service_url, near.bot, account)
        await self._save(chat)
        return chat

    async def _save(self, chat: Conversation) -> None:
        async with self._store.write() as db:
            await storage.conversations.save(db, chat, int(self._clock().timestamp()))
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        self._seen[chat.key] = chat


def _key(incoming: Incoming) -> str:
    return f"{incoming.tenant}/{incoming.conversation}"
