"""`redfirst outbox`: what Redfirst says by itself, what did not arrive and why; sends it again or calls it off."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.config import Config
from scoring.refused import Refused

if TYPE_CHECKING:
    from storage.db import Db
    from storage.outbox import Message

STATES = ("held", "failed", "expired", "posting", "claimed", "due", "cancelled", "sent")


def arguments(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(dest="act", metavar="")
    listed = acts.add_parser("list", help="messages by state, what needs you first (the default)")
    listed.add_argument("--state", choices=STATES, action="append", help="only this state; several are allowed")
    listed.add_argument("--twice", action="store_true", help="only those that arrived twice")
    listed.add_argument("--limit", type=int, default=50, metavar="N", help="at most so many (default: 50)")
    listed.add_argument("--show", action="store_true", help="with what they say")
    show = acts.add_parser("show", help="one message, with what it says")
    show.add_argument("message", metavar="KEY|ID")
    for name, text in (("retry", "send a message again, or for the first time"), ("cancel", "call a message off")):
        act = acts.add_parser(name, help=text)
        which = act.add_mutually_exclusive_group(required=True)
        which.add_argument("message", metavar="KEY|ID", nargs="*", default=[])
        which.add_argument("--state", choices=("held", "failed"), help="all messages of this state")


def run(args: argparse.Namespace, config: Config) -> int:
    asyncio.run(_run(args, config))
    return 0


async def _run(args: argparse.Namespace, config: Config) -> None:
    import bot.opening

    async with bot.opening.opened(config) as (store, _rules):
        if args.act == "show":
            async with store.write() as db:
                one = await _one(db, args.message)
                await _read(db, one)
                print("\n".join(_whole(one)))
        elif args.act in ("retry", "cancel"):
            async with store.write() as db:
                for line in await _changed(db, args.act, args.message, args.state):
                    print(line)
        else:
            async with store.write() if getattr(args, "show", False) else store.read() as db:
                print("\n".join(await _listed(db, args)))


async def _read(db: Db, one: Message) -> None:
    """Who reads what was said to somebody leaves a trace."""
    import bot.opening
    import storage.audit

    to = {"to": one.recipient}
    await storage.audit.add(db, bot.opening.now(), "command line", "message read", f"outbox:{one.id}", to)


async def _listed(db: Db, args: argparse.Namespace) -> list[str]:
    import storage.outbox

    states = getattr(args, "state", None) or STATES
    limit, show, twice = getattr(args, "limit", 50), getattr(args, "show", False), getattr(args, "twice", False)
    if limit < 1:
        raise Refused(f"--limit is {limit}.", "Give a number of at least 1.")
    counts = await storage.outbox.counted(db)
    if twice:
        found = await storage.outbox.twice(db, limit)
    else:
        found = await storage.outbox.listed(db, states, limit)
    lines = [" · ".join(f"{counts[state]} {state}" for state in STATES if state in counts) or "The outbox is empty."]
    for one in found:
        lines.append("")
        lines += _whole(one) if show else _brief(one)
        if show:
            await _read(db, one)
    return lines


def _brief(one: Message) -> list[str]:
    where = f"{one.platform} {one.recipient}"
    lines = [f"{one.id:>7}  {one.state:9}  {_when(one.sent_at or one.due_at)}  {where:40}  {one.key}"]
    lines += [f"         → {problem}" for problem in _problems(one)]
    return lines


def _whole(one: Message) -> list[str]:
    lines = [
        f"{one.id}  {one.key}",
        f"  to        {one.platform} {one.recipient}",
        f"  state     {one.state}, {one.attempts} attempts at revision {one.revision}",
        f"  made      {_when(one.made_at)}",
        f"  due       {_when(one.due_at)}",
    ]
    for name, value in (("expires", one.expires_at), ("sent", one.sent_at)):
        if value is not None:
            lines.append(f"  {name:9} {_when(value)}")
    if one.reference:
        lines.append(f"  reference {one.reference}")
    lines += [f"  problem   {problem}" for problem in _problems(one)]
    return [*lines, "", *(f"  | {line}".rstrip() for line in _said(one))]


def _problems(one: Message) -> list[str]:
    twice = f"It stands there {one.copies} times: the first came very late. Delete what is too many."
    return [*([one.problem] if one.problem else []), *([twice] if one.copies > 1 else [])]


def _said(one: Message) -> Sequence[str]:
    import cards.card
    import cards.text

    try:
        what = cards.card.from_json(one.card)
    except (ValueError, TypeError):
        return ["(this version cannot read it)"]
    return cards.text.card(what).splitlines() if isinstance(what, cards.card.Card) else ["(a form)"]


def _when(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


async def _one(db: Db, name: str) -> Message:
    import storage.outbox

    found = await storage.outbox.one(db, name)
    if found is None:
        raise Refused(f"There is no message {name!r}.", "`redfirst outbox` lists them with number and key.")
    return found


async def _changed(db: Db, act: str, names: Sequence[str], state: str | None) -> list[str]:
    import bot.opening
    import storage.audit
    import storage.outbox

    now = bot.opening.now()
    chosen = await storage.outbox.listed(db, [state], 100_000) if state else [await _one(db, name) for name in names]
    lines = []
    for one in chosen:
        done = await (storage.outbox.retry(db, one.id, now) if act == "retry" else storage.outbox.cancel(db, one.id))
        if not done and state is None:
            raise _refusal(one)
        if done:
            await storage.audit.add(db, now, "command line", f"outbox {act}", one.key, {"was": one.state})
            lines.append(f"{one.id}  {one.key}: {'it is sent again' if act == 'retry' else 'it is called off'}.")
    return lines or [f"No message is {state}."]


def _refusal(one: Message) -> Refused:
    if one.state in ("claimed", "posting"):
        return Refused(f"Message {one.id} is being posted.", "Look again in two minutes: it is sent, due or held then.")
    if one.state == "expired":
        return Refused(f"Message {one.id} has expired: its time is over.", "Ask for it anew where it is still wanted.")
    return Refused(f"Message {one.id} is {one.state} already.", "There is nothing to do.")
