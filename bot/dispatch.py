"""The one door: every question comes through here, once, in one transaction, checked for access."""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import bot.observe
import cards.card
import cards.notice
import handlers.words
import scoring.access
import scoring.periods
import storage.inbox
import storage.outbox
import storage.people
import storage.rules
from handlers.call import Call, Ctx, Reply
from scoring.refused import Refused
from scoring.rules import Rules
from storage.db import Db, Store

log = logging.getLogger("redfirst.dispatch")

LONGEST_KEY = 250
"""Characters of a key that fit the inbox, and the outbox with what is put around them."""


@dataclass(slots=True)
class Dispatch:
    """Answers calls. `kick` wakes the delivery when something may have been put into the outbox."""

    store: Store
    rules: storage.rules.InForce
    clock: Callable[[], datetime]
    kick: Callable[[], None]

    async def answer(self, call: Call) -> Reply:
        """The reply to a call; never raises. A call already seen, or answered later, gets an empty one."""
        started = time.perf_counter()
        call = _plain(call)
        try:
            async with self.store.brief() as db:
                reply, outcome = await self._once(db, call)
        except Refused as refused:
            outcome = "refused"
            reply = await self._said(call, Reply.card(cards.notice.refused(refused)))
        except Exception:
            outcome, reference = "failed", secrets.token_hex(4)
            log.exception("a call failed", extra={"reference": reference, "kind": call.kind, "call": call.name})
            reply = await self._said(call, Reply.card(cards.notice.apology(reference)))
        platform = call.where.platform
        if outcome == "duplicate":
            bot.observe.duplicate(platform)
        else:
            bot.observe.answered(platform, call.kind, outcome, time.perf_counter() - started)
        if call.later or call.kind == "form":  # those put something into the outbox; the rest can wait a second
            self.kick()
        return Reply() if call.later else reply

    async def _once(self, db: Db, call: Call) -> tuple[Reply, str]:
        """The whole of a request's transaction; a Refused undoes it."""
        now = self.clock()
        if not await storage.inbox.first(db, call.key, int(now.timestamp())):
            return Reply(), "duplicate"
        rules = await self.rules.get(db, now)
        reply, outcome = await _reply(db, call, rules, now)
        if call.later:
            await _outgoing(db, call, reply, now)
        return reply, outcome

    async def _said(self, call: Call, reply: Reply) -> Reply:
        """Where nobody waits for the answer, a no or an apology goes out by itself, once."""
        if not call.later:
            return reply
        now = self.clock()
        try:
            async with self.store.write() as db:
                if await storage.inbox.first(db, call.key, int(now.timestamp())):
                    await _outgoing(db, call, reply, now)
        except Exception:
            log.exception("an answer could not be kept", extra={"kind": call.kind, "call": call.name})
        return reply


async def _reply(db: Db, call: Call, rules: Rules, now: datetime) -> tuple[Reply, str]:
    today = scoring.periods.day_of(scoring.periods.today(now, rules.zone))
    person = await storage.people.by_account(db, call.account, today)
    if person is None or not person.active:
        return Reply.card(cards.notice.stranger(call.account)), "refused"
    route, meant = handlers.words.route(call, rules.commands)
    ctx = Ctx(db, person, now, rules)
    subject = await route.subject(ctx, meant)
    scoring.access.allowed(person, route.act, subject)
    reply = await route.handler(ctx, meant, subject)
    return reply.beside() if cards.card.BESIDE.items() <= call.values.items() else reply, "ok"


async def _outgoing(db: Db, call: Call, reply: Reply, now: datetime) -> None:
    for index, say in enumerate(reply.says):
        body = cards.card.to_json(say.what)
        key = f"answer:{call.key}:{index}"
        # where others read along, what is private goes to the person instead
        here = say.to == "public" or (call.where.private and call.where.channel)
        recipient = call.where.channel if here else call.account
        await storage.outbox.add(db, call.where.platform, recipient, body, key, int(now.timestamp()))


def _plain(call: Call) -> Call:
    """The call in text that every database takes (no NUL, no unpaired surrogate), with a key that fits its column."""
    if not call.values and len(call.key) <= LONGEST_KEY and all(map(_sound, _texts(call))):
        return call
    key = _text(call.key)
    if len(key) > LONGEST_KEY:
        key = f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"
    values = {_text(name): _text(value) for name, value in call.values.items()}
    where = replace(call.where, channel=_text(call.where.channel))
    name, account, said = _text(call.name), _text(call.account), _text(call.text)
    return replace(call, name=name, account=account, text=said, key=key, values=values, where=where)


def _texts(call: Call) -> tuple[str, ...]:
    return call.key, call.name, call.account, call.text, call.where.channel


def _sound(text: str) -> bool:
    return text.isascii() and "\0" not in text


def _text(text: str) -> str:
    return text if _sound(text) else text.replace("\0", "").encode("utf-8", "replace").decode()
