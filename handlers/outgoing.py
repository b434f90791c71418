"""What Redfirst says by itself: into the outbox, in the transaction of what caused it."""

from __future__ import annotations

import cards.card
import storage.outbox
import storage.people
from cards.card import Card
from handlers.call import Ctx

PLATFORMS = ("slack", "teams", "demo")


def address(accounts: tuple[str, ...], preferred: str) -> tuple[str, str] | None:
    """(platform, account) to reach a person at, on the preferred platform if they have one there."""
    reachable = [(a.partition(":")[0], a) for a in accounts if a.partition(":")[0] in PLATFORMS]
    return min(reachable, key=lambda pair: (pair[0] != preferred, pair), default=None)


async def tell(ctx: Ctx, person_id: int, preferred: str, card: Card, key: str) -> bool:
    """Says something to a person in private; False where they have no account in any chat yet.

    `key` makes it unique: the same thing is never said twice.
    """
    where = address(await storage.people.accounts(ctx.db, person_id), preferred)
    if where is None:
        return False
    platform, account = where
    return await storage.outbox.add(
        ctx.db, platform, account, cards.card.to_json(card), key, int(ctx.now.timestamp())
    )
