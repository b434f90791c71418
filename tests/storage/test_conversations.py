"""The conversations that Teams told us of, on both databases."""

from __future__ import annotations

import storage.conversations
from storage.conversations import Conversation
from storage.db import Store

DANA = "teams:t1/dana"
CHAT = Conversation("t1/a:1", "personal", "https://one.example/", "28:bot", DANA)
CHANNEL = Conversation("t1/19:x@thread.tacv2", "channel", "https://one.example/", "28:bot")


async def test_a_conversation_comes_back_as_it_was_saved(store: Store) -> None:
    async with store.write() as db:
        await storage.conversations.save(db, CHAT, 10)
        await storage.conversations.save(db, CHANNEL, 10)
    async with store.read() as db:
        assert await storage.conversations.get(db, CHAT.key) == CHAT
        assert await storage.conversations.get(db, CHANNEL.key) == CHANNEL
        assert await storage.conversations.personal(db, DANA) == CHAT
    assert (CHANNEL.tenant, CHANNEL.id) == ("t1", "19:x@thread.tacv2")


async def test_saving_again_renews_the_service_address(store: Store) -> None:
    moved = Conversation(CHAT.key, CHAT.kind, "https://two.example/", CHAT.bot, CHAT.account)
    async with store.write() as db:
        await storage.conversations.save(db, CHAT, 10)
        await storage.conversations.save(db, moved, 20)
        assert await storage.conversations.get(db, CHAT.key) == moved


async def test_the_chat_used_last_is_the_one_to_write_to(store: Store) -> None:
    newer = Conversation("t1/a:2", "personal", CHAT.service_url, CHAT.bot, DANA)
    async with store.write() as db:
        await storage.conversations.save(db, CHAT, 10)
        await storage.conversations.save(db, newer, 20)
        assert await storage.conversations.personal(db, DANA) == newer


async def test_a_tenants_address_is_never_taken_from_another_tenant(store: Store) -> None:
    async with store.write() as db:
        other = Conversation("t10/a:9", "personal", "https://ten/", "28:b", "teams:t10/x")
        await storage.conversations.save(db, other, 99)
        await storage.conversations.save(db, CHAT, 10)
        assert await storage.conversations.of_tenant(db, "t1") == CHAT
        assert await storage.conversations.of_tenant(db, "t") is None
        assert await storage.conversations.of_tenant(db, "%") is None


async def test_a_removed_conversation_is_forgotten(store: Store) -> None:
    async with store.write() as db:
        await storage.conversations.save(db, CHAT, 10)
        await storage.conversations.remove(db, CHAT.key)
        await storage.conversations.remove(db, CHAT.key)
        assert await storage.conversations.get(db, CHAT.key) is None
        assert await storage.conversations.personal(db, DANA) is None
