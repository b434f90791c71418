"""Red-flag customers in the chat: the list, taking one on, the next contact, closing; and the daily look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cards.redflags
import handlers.outgoing
import handlers.sheets
import scoring.access
import scoring.periods
import scoring.redflags
import storage.people
import storage.redflags
from handlers.call import Call, Ctx, Reply
from scoring.people import Person
from scoring.redflags import RedFlag
from scoring.refused import Refused
from scoring.schedules import Due

LONGEST = cards.redflags.LONGEST
FURTHEST = 366
"""Days ahead that a contact may be planned."""

_LEADS = ("lead", "manager")


def _leads(ctx: Ctx) -> None:
    """Raises Refused for who neither leads anybody nor is leadership: to them a client is a client."""
    if not _sees(ctx.person):
        raise Refused("Red-flag customers are shown to leads and leadership.", "Tell your lead of a client at risk.")


def _sees(person: Person) -> bool:
    standing = scoring.access.relation(person, None)
    leads = bool(person.managed or person.led_teams) or person.role in _LEADS
    return standing == "leadership" or (standing == "known" and leads)


def _today(ctx: Ctx) -> int:
    return handlers.sheets.today(ctx, ctx.rules.zone)


async def listed(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """/redfirst clients."""
    _leads(ctx)
    card = cards.redflags.listed(await storage.redflags.open(ctx.db), _today(ctx), call.number("page", 4) or 0)
    return Reply.card(card, update=call.kind == "action")


async def _flag(ctx: Ctx, call: Call) -> RedFlag:
    """The flag of a button or form, as it was seen there. Raises Refused where it has changed since."""
    _leads(ctx)
    found = await storage.redflags.get(ctx.db, call.number("flag") or 0)
    if found is None:
        raise Refused("There is no such red flag.", "See them with /redfirst clients.")
    if found.state == "closed":
        raise Refused(f"The red flag of {found.client} is closed: {found.closing}", "Nothing was changed.")
    if call.values.get("version") != str(found.version):
        raise _overtaken(found)
    return found


def _overtaken(flag: RedFlag) -> Refused:
    owner = f"it is {flag.owner}'s now" if flag.owner else "nobody owns it"
    return Refused(f"The red flag of {flag.client} has changed since: {owner}.", "Look again with /redfirst clients.")


async def _keep(ctx: Ctx, flag: RedFlag, act: str, *, update: bool) -> Reply:
    if not await storage.redflags.change(ctx.db, flag, ctx.person.key, act, int(ctx.now.timestamp())):
        raise _overtaken(await storage.redflags.get(ctx.db, flag.id) or flag)
    return Reply.card(cards.redflags.listed(await storage.redflags.open(ctx.db), _today(ctx)), update=update)


async def take(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """The asker takes a client on; a contact is planned where none is."""
    flag = await _flag(ctx, call)
    if flag.owner_id == ctx.person.id:
        raise Refused(f"The red flag of {flag.client} is yours already.", "Set the next contact, or close it.")
    soon = _today(ctx) + ctx.rules.red_flags.contact_days
    day = soon if flag.next_contact is None else flag.next_contact
    taken = replace(flag, owner_id=ctx.person.id, next_contact=day)
    return await _keep(ctx, taken, "red flag taken", update=True)


async def contact(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """Asks for the day."""
    flag = await _flag(ctx, call)
    day = max(flag.next_contact or 0, _today(ctx))
    return Reply.card(cards.redflags.next_contact(flag, scoring.periods.date_of(day).isoformat()))


async def contacted(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """The day came back."""
    flag = await _flag(ctx, call)
    day = scoring.periods.from_iso(call.values.get("day", ""))
    if day is None:
        raise Refused("That is no date.", "Write one like 2026-08-31.")
    if not _today(ctx) <= day <= _today(ctx) + FURTHEST:
        raise Refused("A next contact lies ahead.", "Choose a day from today on, within a year.")
    return await _keep(ctx, replace(flag, next_contact=day), "red flag contact", update=False)


async def close(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """Asks what was done."""
    return Reply.card(cards.redflags.close(await _flag(ctx, call)))


async def closed(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """The flag comes down; what happened before does not raise it again."""
    flag = await _flag(ctx, call)
    reason = call.line("reason", LONGEST)
    if not reason:
        raise Refused("A sentence is missing.", "Say what was done.")
    return await _keep(ctx, replace(flag, state="closed", closing=reason), "red flag closed", update=False)


async def look(ctx: Ctx, due: Due) -> None:
    """Once a day: clients with bad signs get a flag, and flags that stand get the newest reason.

    Of a new flag and of a missed contact is told at once, and once: its owner, or the leads where it has none.
    """
    at, today, signals = int(ctx.now.timestamp()), _today(ctx), ctx.rules.red_flags
    standing = {flag.client: flag for flag in await storage.redflags.open(ctx.db)}
    new: set[str] = set()
    for signs in await storage.redflags.signs(ctx.db, signals, at, today):
        reason = scoring.redflags.sentence(scoring.redflags.reasons(signs, signals, today))
        if not reason:
            continue
        if signs.client in standing:
            await storage.redflags.say(ctx.db, standing[signs.client].id, reason)
        elif await storage.redflags.flag(ctx.db, signs.client, reason, today, ctx.person.key, at):
            new.add(signs.client)
    flags = await storage.redflags.open(ctx.db)
    await _tell_of_new(ctx, [flag for flag in flags if flag.client in new], today)
    await _tell_of_missed(ctx, [flag for flag in flags if scoring.redflags.missed(flag, today)], today)


async def _tell_of_new(ctx: Ctx, flags: Sequence[RedFlag], today: int) -> None:
    """All new ones in one message: nobody owns them yet."""
    if not flags:
        return
    card = cards.redflags.raised(flags, today)
    first = min(flag.id for flag in flags)
    for person in await _owners_to_be(ctx, today):
        await handlers.outgoing.suggest(ctx, person.id, card, f"red_flag:{first}:new:{person.id}")


async def _tell_of_missed(ctx: Ctx, flags: Sequence[RedFlag], today: int) -> None:
    for flag in flags:
        owner = None if flag.owner_id is None else await storage.people.get(ctx.db, flag.owner_id, today)
        told = [owner] if owner is not None and owner.active and _sees(owner) else await _owners_to_be(ctx, today)
        for person in told:
            key = f"red_flag:{flag.id}:missed:{flag.next_contact}:{person.id}"
            await handlers.outgoing.suggest(ctx, person.id, cards.redflags.missed(flag, today), key)


async def _owners_to_be(ctx: Ctx, today: int) -> list[Person]:
    """Those who see the list and may take a client on, but for leadership, which reads of them each month."""
    everyone = await storage.people.everyone(ctx.db, today)
    return [one for one in everyone if one.active and _sees(one) and one.role != "leadership"]
