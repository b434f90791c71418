"""`redfirst migrate`: brings the database to the version this program needs, or to another on request."""

from __future__ import annotations

import argparse
import asyncio
import sys

from bot.config import Config
from scoring.refused import Refused


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", metavar="REV", default="head", help="another version (default: the newest)")
    parser.add_argument("--yes", action="store_true", help="do not ask before going back to an older version")


def run(args: argparse.Namespace, config: Config) -> int:
    return asyncio.run(_run(args.to, args.yes, config))


async def _run(revision: str, sure: bool, config: Config) -> int:
    import scoring.tables
    import storage.schema
    from storage.db import Store

    store = Store(config.database_url)
    try:
        known = await storage.schema.path(store)
        wanted = known[-1] if revision == "head" else revision
        if wanted not in known:
            raise Refused(f"There is no version {revision}.", scoring.tables.nearest(revision, [*known, "head"]))
        now = await storage.schema.version(store) or "base"
        if now not in known:
            raise Refused(
                f"The database is at version {now}, which this program does not know.",
                "Use the newer program that made it.",
            )
        if now == wanted:
            print(f"The database is at version {now} already.")
            return 0
        if known.index(wanted) > known.index(now):
            await storage.schema.upgrade(store, wanted)
        elif sure or _asked(wanted):
            await storage.schema.downgrade(store, wanted)
        else:
            print("Nothing was changed.")
            return 1
    finally:
        await store.close()
    print(f"The database went from version {now} to {wanted}.")
    return 0


def _asked(wanted: str) -> bool:
    if not sys.stdin.isatty():
        raise Refused(f"Going back to {wanted} loses what newer tables hold.", "Say --yes if that is what you want.")
    return input(f"Going back to {wanted} loses what newer tables hold. Go on? [y/N] ").strip().lower() in ("y", "yes")
