"""Messages that did not arrive: administrators are told in the chat, once a day while there is something new."""

from __future__ import annotations

import cards.outbox
import handlers.outgoing
import handlers.sheets
import storage.outbox
import storage.people
from handlers.call import Ctx

KEY = "undelivered:"
"""Keys of these messages begin so: that they did not arrive either is nothing new."""

RECENT = 86_400
"""Seconds for which something is new."""


async def tell_administrators(ctx: Ctx) -> int:
    """Tells each administrator once a local day what was held or failed of late; returns how many were told."""
    now = int(ctx.now.timestamp())
    found = await storage.outbox.troubles(ctx.db, now - RECENT, KEY)
    if not found:
        return 0
    today = handlers.sheets.today(ctx, ctx.rules.zone)
    card = cards.outbox.undelivered([(one.state, one.platform, one.problem, one.count) for one in found])
    told = 0
    for person in await storage.people.in_role(ctx.db, "admin", today):
        told += await handlers.outgoing.tell(ctx, person.id, "", card, f"{KEY}{today}:{person.id}")
    return told
