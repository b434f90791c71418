"""`redfirst attribution`: accounts whose work belongs to nobody, and how to settle whose it is."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.config import Config
from scoring.refused import Refused

if TYPE_CHECKING:
    from storage.attribution import Report, Seen

SHOWN = 50


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help=f"list more than {SHOWN}")
    acts = parser.add_subparsers(dest="act", metavar="ACT")
    link = acts.add_parser("link", help="an account belongs to a person")
    link.add_argument("account", metavar="ACCOUNT", help="like servicenow/jdoe or slack:T1/U2")
    link.add_argument("person", metavar="PERSON", help="the person's key in the people file")
    for act, text in (
        ("ignore", "an account is no person (a system, an integration)"),
        ("share", "several people use an account"),
    ):
        acts.add_parser(act, help=text).add_argument("account", metavar="ACCOUNT")


def run(args: argparse.Namespace, config: Config) -> int:
    return asyncio.run(_settle(args, config) if args.act else _show(args.all, config))


async def _show(everything: bool, config: Config) -> int:
    import bot.opening
    import storage.attribution

    async with bot.opening.opened(config) as (store, _), store.read() as db:
        report = await storage.attribution.report(db, bot.opening.today())
    print("\n".join(lines(report, None if everything else SHOWN)))
    return 0


def lines(report: Report, most: int | None) -> list[str]:
    """The report in words, longest lists cut after `most`."""
    found: list[str] = []
    if report.nobodys:
        found += _scored_for_nobody(report.nobodys[:most], len(report.nobodys), "belongs", "belong", "to nobody")
        if most is not None and len(report.nobodys) > most:
            found.append(f"  … {len(report.nobodys) - most:,} more (--all shows them)")
    if report.disputed:
        shared = "shared or claimed twice"
        found += _scored_for_nobody(report.disputed[:most], len(report.disputed), "is", "are", shared)
    if report.idle:
        who = "1 technician has" if len(report.idle) == 1 else f"{len(report.idle):,} technicians have"
        found.append(f"{who} no work in the data (an account missing?):")
        found += [f"  {name} ({key})" for key, name in report.idle[:most]]
    if report.nobodys or report.disputed:
        found.append(
            "Settle them in the people file, or with `redfirst attribution link ACCOUNT PERSON` and `ignore ACCOUNT`."
        )
    counts = ((report.settled, "linked"), (report.ignored, "ignored"))
    settled = [f"{count:,} {word}" for count, word in counts if count]
    if settled:
        found.append(f"Settled: {', '.join(settled)}.")
    return found or ["No account has any work yet. Load tickets: `redfirst ingest FILE --map MAP`."]


def _scored_for_nobody(some: Sequence[Seen], count: int, one: str, many: str, what: str) -> list[str]:
    """A heading for `count` accounts, and the first of them."""
    head = f"1 account {one}" if count == 1 else f"{count:,} accounts {many}"
    return [f"{head} {what}; nothing is scored for {'it' if count == 1 else 'them'}:", *map(_seen, some)]


def _seen(seen: Seen) -> str:
    return f"  {seen.key}  ({seen.rows:,} {'fact' if seen.rows == 1 else 'facts'})"


async def _settle(args: argparse.Namespace, config: Config) -> int:
    import bot.opening
    import scoring.maps
    import storage.attribution
    import storage.people
    import storage.rollups

    async with bot.opening.opened(config) as (store, rules):
        async with store.write() as db:
            person = None
            if args.act == "link":
                person = await storage.people.by_key(db, args.person, bot.opening.today())
                if person is None:
                    keys = [one.key for one in await storage.people.everyone(db, bot.opening.today())]
                    raise Refused(
                        f"Nobody has the key {args.person!r}.", scoring.maps.nearest(args.person, keys) if keys else ""
                    )
            if person is None or ("/" in args.account and ":" not in args.account):
                await storage.attribution.require_seen(db, args.account)
            state = {"link": "linked", "ignore": "ignored", "share": "disputed"}[args.act]
            changed = await storage.attribution.settle(db, args.account, person.id if person else None, state)
            if changed:
                await storage.rollups.outdate(db)
        await storage.rollups.renew(store, rules)
    whose = f"belongs to {person.name}" if person else {"ignore": "is ignored", "share": "is shared"}[args.act]
    print(f"{args.account} {whose}{'' if changed else ' already'}.")
    return 0
