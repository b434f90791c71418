"""`redfirst digest`: a digest as it would be made now, printed and drawn, or posted to its channel."""

from __future__ import annotations

import argparse
import asyncio
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from bot.config import Config
from scoring.refused import Refused

if TYPE_CHECKING:
    from cards.card import Card
    from handlers.call import Ctx
    from scoring.people import Team
    from scoring.periods import Period

AUDIENCES = ("team", "lead", "manager", "leadership", "organisation")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("team", metavar="TEAM", help="name or key of a team, or “desk”")
    parser.add_argument("--audience", choices=AUDIENCES, help="for whom (default: team; of the desk, organisation)")
    parser.add_argument("--period", default="", help="another week or month than the last one, e.g. 2026-W31")
    parser.add_argument("--dry-run", action="store_true", help="print it and write files; post nothing")
    parser.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="where files go (default: here)")


def run(args: argparse.Namespace, config: Config) -> int:
    import bot.picture
    import cards.html
    import cards.style
    import cards.text

    card, name, posted = asyncio.run(_made(args, config))
    print(cards.text.card(card))
    if not args.dry_run:
        print(f"\nOn its way to {posted}; `redfirst run` posts it.")
        return 0
    if not args.out.is_dir():
        raise Refused(f"There is no folder {args.out}.", "Make it, or leave --out away.")
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(card.title)}</title>'
        f"<style>{cards.style.STYLE}</style></head><body>{cards.html.card(card)}</body></html>"
    )
    written = args.out / f"{name}.html"
    written.write_text(page, encoding="utf-8")
    print(f"\nWrote {written}", end="")
    picture = args.out / f"{name}.png"
    print(f" and {picture}." if bot.picture.draw(page, picture) else "; no browser was found to draw a picture with.")
    return 0


async def _made(args: argparse.Namespace, config: Config) -> tuple[Card, str, str]:
    """(The card, a name for its files, the channels it was put into the outbox for)."""
    if args.period and not args.dry_run:
        raise Refused("What is posted is the last week or month.", "Look at another with --dry-run.")
    from bot.opening import opened
    from bot.scheduler import REDFIRST
    from handlers.call import Ctx

    async with opened(config) as (store, rules), store.write() as db:
        ctx = Ctx(db, REDFIRST, datetime.now(UTC), rules)
        return await _of_desk(ctx, args) if args.team.casefold() == "desk" else await _of_team(ctx, args)


async def _of_desk(ctx: Ctx, args: argparse.Namespace) -> tuple[Card, str, str]:
    import handlers.digest_cards
    import handlers.digests
    import handlers.sheets

    audience = args.audience or "organisation"
    if audience not in ("leadership", "organisation"):
        raise Refused(f"The desk has no digest for a {audience}.", "Name a team, or take leadership or organisation.")
    here = handlers.sheets.today(ctx, ctx.rules.zone)
    asked = handlers.sheets.period(args.period, here) if args.period else handlers.digest_cards.period_of("month", here)
    make = handlers.digest_cards.of_leadership if audience == "leadership" else handlers.digest_cards.of_desk
    posted = ""
    if not args.dry_run:
        if audience == "leadership":
            raise Refused("Leadership's digest goes to persons, not to a channel.", "Look at it with --dry-run.")
        posted = await handlers.digests.post_now(ctx, None, str(int(ctx.now.timestamp())))
    return handlers.digest_cards.card(await make(ctx, asked)), f"digest-{audience}-{asked.key}", posted


async def _of_team(ctx: Ctx, args: argparse.Namespace) -> tuple[Card, str, str]:
    import handlers.digest_cards
    import handlers.digests
    import handlers.sheets
    import storage.people

    team = await storage.people.team_by_name(ctx.db, args.team)
    if team is None:
        names = ", ".join(one.name for one in await storage.people.teams(ctx.db))
        raise Refused(f"There is no team “{args.team}”.", f"There are: {names}." if names else "Load a people file.")
    audience = args.audience or "team"
    if audience not in ("team", "lead", "manager"):
        raise Refused(f"A team has no digest for {audience}.", "Write desk for it, or take team, lead or manager.")
    here = handlers.sheets.today(ctx, team.zone)
    asked = handlers.sheets.period(args.period, here) if args.period else handlers.digest_cards.period_of("week", here)
    posted = ""
    if audience == "team":
        card = handlers.digest_cards.card(await handlers.digest_cards.of_team(ctx, team, asked))
        if not args.dry_run:
            posted = await handlers.digests.post_now(ctx, team, str(int(ctx.now.timestamp())))
    else:
        card = await _private(ctx, team, audience, asked, dry_run=args.dry_run)
    return card, f"digest-{team.key}-{audience}-{asked.key}", posted


async def _private(ctx: Ctx, team: Team, audience: str, asked: Period, *, dry_run: bool) -> Card:
    """What the team's lead, or whoever that lead reports to, is told; that it was looked at leaves a trace."""
    from dataclasses import replace

    import cards.manager_digests
    import handlers.digest_cards
    import handlers.manager_digests
    import handlers.sheets
    import storage.audit
    import storage.people

    find = storage.people.leads if audience == "lead" else storage.people.above
    found = await find(ctx.db, team, handlers.sheets.today(ctx, team.zone))
    if not found:
        nobody = "Nobody leads" if audience == "lead" else "To nobody reports whoever leads"
        raise Refused(f"{nobody} {team.name} today.", "Look at it with --audience team.")
    if not dry_run:
        raise Refused(f"A {audience}'s digest goes to a person, not to a channel.", "Look at it with --dry-run.")
    at = int(ctx.now.timestamp())
    act = f"digest of a {audience} looked at"
    await storage.audit.add(ctx.db, at, "command line", act, f"team:{team.id}", {})
    if audience == "lead":
        return handlers.digest_cards.card(
            await handlers.digest_cards.of_lead(replace(ctx, person=found[0]), team, asked)
        )
    teams = await handlers.manager_digests.overseen(ctx, found[0])
    return cards.manager_digests.card(await handlers.manager_digests.of(ctx, teams, asked))
