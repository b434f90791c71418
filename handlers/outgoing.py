"""What Redfirst says by itself: into the outbox, in the transaction of what caused it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import cards.card
import handlers.sheets
import scoring.periods
import scoring.quiet
import storage.outbox
import storage.people
import storage.quiet
from cards.card import Card
from handlers.call import Ctx

PLATFORMS = ("slack", "teams", "demo")

Offer = Literal["said", "budget", "leave", "closed", "unreachable"]
"""What became of something unasked: in the outbox, or why it was left."""

_MORE = 20
"""Urgent messages find a place behind the budget of the day."""


def address(accounts: tuple[str, ...], preferred: str) -> tuple[str, str] | None:
    """(platform, account) to reach a person at: the preferred platform, else the first of PLATFORMS they are on."""
    reachable = [(a.partition(":")[0], a) for a in accounts if a.partition(":")[0] in PLATFORMS]
    return min(
        reachable, key=lambda pair: (pair[0] != preferred, PLATFORMS.index(pair[0]), pair[1]), default=None
    )


async def tell(ctx: Ctx, person_id: int, preferred: str, card: Card, key: str) -> bool:
    """Says something to a person in private; False where they have no account in any chat yet, or have left.

    `key` makes it unique: the same thing is never said twice.
    """
    if await storage.quiet.calendar(ctx.db, person_id, handlers.sheets.today(ctx, ctx.rules.zone)) is None:
        return False
    where = address(await storage.people.accounts(ctx.db, person_id), preferred)
    if where is None:
        return False
    platform, account = where
    return await storage.outbox.add(
        ctx.db, platform, account, cards.card.to_json(card), key, int(ctx.now.timestamp())
    )


async def suggest(
    ctx: Ctx, person_id: int, card: Card, key: str, *, urgent: bool = False, until: datetime | None = None
) -> bool:
    """Says something that nobody asked for, when it suits the person; True when it is in the outbox.

    Within their working hours, not on leave, and within one budget of messages a local day over all features:
    what does not fit waits for the next working time, up to `until` (exclusive), after which it is pointless.
    What is `urgent` does not wait for the budget, but takes its place in it.
    """
    return await offer(ctx, person_id, card, key, urgent=urgent, until=until) == "said"


async def offer(
    ctx: Ctx, person_id: int, card: Card, key: str, *, urgent: bool = False, until: datetime | None = None
) -> Offer:
    """The same, with the reason where it is not said."""
    if await storage.quiet.taken(ctx.db, key):
        return "said"
    where = address(await storage.people.accounts(ctx.db, person_id), "")
    calendar = await storage.quiet.calendar(ctx.db, person_id, handlers.sheets.today(ctx, ctx.rules.zone))
    if where is None or calendar is None:
        return "unreachable"
    here = handlers.sheets.today(ctx, calendar.zone)
    last = ctx.now + timedelta(days=scoring.quiet.AHEAD) if until is None else until
    end = scoring.periods.day_of(scoring.periods.today(last, calendar.zone))
    away = await storage.quiet.absences(ctx.db, person_id, here, end)
    off = storage.quiet.days_off(calendar, away, here, end)
    full: set[int] = set()
    while (at := scoring.quiet.next_time(calendar, off | full, ctx.now, last)) is not None:
        day = scoring.periods.day_of(scoring.periods.today(at, calendar.zone))
        places = ctx.rules.quiet.per_day
        if await storage.quiet.take(ctx.db, person_id, day, key, places + _MORE if urgent else places):
            platform, account = where
            body = cards.card.to_json(card)
            await storage.outbox.add(
                ctx.db, platform, account, body, key, int(at.timestamp()), person_id=person_id, unasked=True,
                expires_at=None if until is None else int(until.timestamp()), now=int(ctx.now.timestamp()),
            )  # fmt: skip
            return "said"
        if await storage.quiet.taken(ctx.db, key):  # another replica was faster
            return "said"
        full.add(day)
    if full:
        return "budget"
    return "leave" if scoring.quiet.next_time(calendar, (), ctx.now, last) is not None else "closed"
