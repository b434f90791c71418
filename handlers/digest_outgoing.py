"""How a digest goes out: until the next one is due, so that whoever was away finds one of them and not many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import cards.card
import cards.waiting
import handlers.outgoing
import scoring.schedules
import storage.digests
import storage.outbox
import storage.people
import storage.quiet
from cards.card import Card
from handlers.call import Ctx
from scoring.people import Person
from scoring.schedules import Schedule

APART = ("nudge:", "focus:", "talk:", "coach_note:", "digest|lead|", "digest|manager|", "digest|leadership|")
"""Keys of what no digest takes in: what is about one's own work, and other digests."""

REMEMBERED = timedelta(days=70)
"""How far back a digest looks for one that was never said: beyond a month's."""

_IN_VAIN = {
    "leave": "Not said: whoever it is for is away until the next one is due.",
    "closed": "Not said: there is no working time before the next one is due.",
}


def _until(ctx: Ctx, schedule: Schedule) -> int | None:
    """When (UTC seconds) the next of the same schedule is due, with which a digest is out of date; None: never."""
    return scoring.schedules.next_at(schedule, int(ctx.now.timestamp()))


async def post(ctx: Ctx, schedule: Schedule, card: Card, key: str) -> None:
    """To the channel of a schedule."""
    platform, _, recipient = schedule.to.partition(":")
    now, until = int(ctx.now.timestamp()), _until(ctx, schedule)
    await storage.outbox.add(ctx.db, platform, recipient, cards.card.to_json(card), key, now, expires_at=until)


async def tell(ctx: Ctx, person: Person, card: Card, schedule: Schedule, key: str) -> None:
    """To a person, in private. What finds no time before the next one is kept as not said, with the reason."""
    if await storage.quiet.taken(ctx.db, key):  # it has been told
        return
    end = _until(ctx, schedule)
    until = None if end is None else datetime.fromtimestamp(end, UTC)
    offered = await handlers.outgoing.offer(ctx, person.id, card, key, urgent=True, until=until)
    if offered in _IN_VAIN and end is not None:
        await _in_vain(ctx, person, card, key, _IN_VAIN[offered])
    elif offered == "said":
        await _take_in(ctx, person, card, key)


async def _in_vain(ctx: Ctx, person: Person, card: Card, key: str, why: str) -> None:
    """It is never said: whoever asks what became of it finds it, and the reason."""
    where = handlers.outgoing.address(await storage.people.accounts(ctx.db, person.id), "")
    body, now = cards.card.to_json(card), int(ctx.now.timestamp())
    if where is not None and await storage.outbox.add(
        ctx.db, *where, body, key, now, expires_at=now, person_id=person.id, unasked=True
    ):
        await storage.digests.missed(ctx.db, key, why)


async def _take_in(ctx: Ctx, person: Person, card: Card, key: str) -> None:
    """What else waits for the same person is on the digest, as far as it has room, and is not said again.

    Before it what an earlier digest had taken in that was never said: of what finds no room of that, a day's
    messages go their own way, and the rest is left for the next digest.
    """
    now = int(ctx.now.timestamp())
    own = await storage.outbox.one(ctx.db, key)
    if own is None:
        return
    since = int((ctx.now - REMEMBERED).timestamp())
    lost = await storage.digests.lost(ctx.db, person.id, since, own.due_at)
    found = [*lost, *await storage.digests.waiting(ctx.db, person.id, now, own.due_at, APART)]
    some = [cards.waiting.of(cards.card.from_json(one.body)) for one in found]
    room = cards.waiting.room(card, some)
    taken = await storage.digests.take_in(ctx.db, key, [one.id for one in found[:room]], now)
    left = [one.id for one in lost if one.id not in taken][: ctx.rules.quiet.per_day]
    await storage.digests.give_back(ctx.db, left, max(now + 1, own.due_at))
    kept = [words for one, words in zip(found, some, strict=True) if one.id in taken]
    if kept:
        await storage.outbox.revise(ctx.db, key, cards.card.to_json(cards.waiting.added(card, kept)), now)


async def renewed(ctx: Ctx, card: Card, key: str, made_at: int) -> Card:
    """A digest's new card with what the old one took in."""
    bodies = await storage.digests.taken_in(ctx.db, key, made_at)
    return cards.waiting.kept(card, [cards.waiting.of(cards.card.from_json(body)) for body in bodies])
