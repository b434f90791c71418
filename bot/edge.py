"""What the edges share with the application: how to get an answer, and how to be asked to post."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, runtime_checkable

from cards.card import Card
from handlers.call import Call, Reply

Answer = Callable[[Call], Awaitable[Reply]]
"""`bot.dispatch` bound to the application: never raises, so that every edge can rely on a Reply."""


class Undeliverable(Exception):
    """The platform refused for good; the text is what an administrator can do about it."""


class Retry(Exception):
    """The platform asks to wait; `after` is in seconds."""

    def __init__(self, after: float) -> None:
        super().__init__(f"retry after {after} s")
        self.after = after


class Unsure(Retry):
    """Nobody knows whether the message arrived (a dropped connection): look before posting again."""


class Edge(Protocol):
    """A platform, seen from the application."""

    name: str

    async def start(self) -> None:
        """Connects (Socket Mode) or does nothing (HTTP). Called once, when the server is listening."""

    async def stop(self) -> None:
        """Finishes what it accepted, then closes its connections."""

    async def post(self, recipient: str, card: Card, key: str) -> str:
        """Posts a card to a channel or conversation and returns the message's reference.

        Raises Retry when asked to wait, Undeliverable when it can never succeed.
        """

    async def update(self, recipient: str, reference: str, card: Card, key: str) -> None:
        """Puts a card in the place of the one posted under `reference`; to do it twice does no harm.

        Raises Retry when asked to wait, Undeliverable where the message is gone or may not be changed.
        """


@runtime_checkable
class Finder(Protocol):
    """An edge that can tell whether a message was posted."""

    async def find(self, recipient: str, key: str) -> str | None:
        """The reference of the message posted under `key`, None where there is none.

        Raises Retry when asked to wait, Undeliverable when it cannot look.
        """

    async def copies(self, recipient: str, key: str) -> int:
        """How many messages stand there under `key`. Raises what `find` raises."""
