"""The way back: each message of a Reply to where it may be read, and the answer that an invoke is waiting for."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from botbuilder.schema import ActivityTypes

import bot.teams_cards
from bot.edge import Retry, Undeliverable, Unsure
from bot.teams_activity import FETCH, PRESS, SUBMIT, Incoming
from bot.teams_chats import Chats
from bot.teams_connector import Connector
from handlers.call import Reply, Say

T = TypeVar("T")

_TRIES = 3
_LONGEST_WAIT = 5.0
"""Seconds; whoever has to wait longer is better served by asking again."""


@dataclass(slots=True)
class Turn:
    """One activity on its way through; `late` once Teams was told that the answer comes as a message."""

    incoming: Incoming
    late: bool = False

    @property
    def waits(self) -> bool:
        """Whether Teams still waits for an answer with something in it."""
        return self.incoming.type == ActivityTypes.invoke and not self.late


def words(incoming: Incoming, said: str) -> dict[str, Any] | None:
    """The answer that shows a line of words; none where Teams asked for none."""
    if incoming.type != ActivityTypes.invoke:
        return None
    return bot.teams_cards.dialog_end(said) if incoming.name in (FETCH, SUBMIT) else bot.teams_cards.toast(said)


class Replies:
    """Says replies. Raises Retry (Unsure among them) and Undeliverable where a message did not get out."""

    def __init__(self, app_id: str, connector: Connector, chats: Chats) -> None:
        self._app_id = app_id
        self._connector = connector
        self._chats = chats

    async def say(self, turn: Turn, key: str, reply: Reply) -> dict[str, Any] | None:
        """Posts what is to be posted; returns the body of the answer to an invoke. `key` is the call's."""
        incoming = turn.incoming
        if not reply.says:
            return words(incoming, bot.teams_cards.ALREADY)
        in_public = any(say.to == "public" for say in reply.says)
        shown: dict[str, Any] | None = None
        said = bot.teams_cards.BELOW
        for index, say in enumerate(reply.says):
            mark = f"{key}:{index}"
            if turn.waits and incoming.name in (FETCH, SUBMIT) and shown is None:
                shown = bot.teams_cards.dialog(say.what, mark)  # seen by whoever opened it, in any room
            elif say.to == "private" and not incoming.private:
                said = await self._privately(turn, say, mark, in_public)
            elif say.place == "update":
                shown = await self._in_place(turn, say, mark, shown)
            else:
                await self._post(incoming, bot.teams_cards.message(say.what, mark))
        return shown or words(incoming, said)

    async def stranger(self, incoming: Incoming) -> dict[str, Any] | None:
        """Says that only people with an account are answered."""
        if incoming.type == ActivityTypes.message:
            await self._post(incoming, bot.teams_cards.text(bot.teams_cards.NO_ACCOUNT))
        return words(incoming, bot.teams_cards.NO_ACCOUNT)

    async def _in_place(
        self, turn: Turn, say: Say, mark: str, shown: dict[str, Any] | None
    ) -> dict[str, Any] | None:
        """Puts the card where the pressed one was: by the answer in a 1:1 chat, by an update where others look on."""
        incoming = turn.incoming
        pressed = turn.waits and incoming.name == PRESS and shown is None
        if not (pressed and incoming.private):
            message = bot.teams_cards.message(say.what, mark)
            if incoming.reply_to:
                await _patiently(
                    lambda: self._connector.update(incoming.service_url, incoming.thread, incoming.reply_to, message)
                )
            else:
                await self._post(incoming, message)
        return bot.teams_cards.replacement(bot.teams_cards.content(say.what, mark)) if pressed else shown

    async def _privately(self, turn: Turn, say: Say, mark: str, in_public: bool) -> str:
        """Sends to the asker's own chat; returns what may be said about it in front of the others."""
        incoming = turn.incoming
        message = bot.teams_cards.message(say.what, mark)
        try:
            chat = await _patiently(lambda: self._chats.of(incoming.account, incoming.user))
            await _patiently(lambda: self._connector.send(chat.service_url, chat.id, message))
        except Undeliverable:
            card = bot.teams_cards.open_chat(self._app_id)
            if not turn.waits:
                await self._post(incoming, bot.teams_cards.message(card, mark))
            return card.summary
        if not turn.waits and not in_public:
            await self._post(incoming, bot.teams_cards.text(bot.teams_cards.SENT_PRIVATELY))
        return bot.teams_cards.SENT_PRIVATELY

    async def _post(self, incoming: Incoming, message: dict[str, Any]) -> None:
        await _patiently(lambda: self._connector.send(incoming.service_url, incoming.thread, message))


async def _patiently(do: Callable[[], Awaitable[T]]) -> T:
    """Does it up to three times, waiting as long as asked and a little more, so that not all come back at once."""
    for _ in range(_TRIES - 1):
        try:
            return await do()
        except Unsure:
            raise  # a second one may be one too many
        except Retry as asked:
            if asked.after > _LONGEST_WAIT:
                raise
            await asyncio.sleep(asked.after + random.uniform(0, 0.25))
    return await do()
