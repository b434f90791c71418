"""`redfirst apply`: shows in words what the configuration would change, asks, and puts it in force."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import bot.config
from bot.config import Config
from scoring.refused import Refused

if TYPE_CHECKING:
    from scoring.rules import Rules
    from storage.db import Store
    from storage.rules import Applied


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--rebuild", action="store_true", help="compute the history of every metric again")


def run(args: argparse.Namespace, config: Config) -> int:
    return asyncio.run(_run(args.yes, args.rebuild, config))


async def _run(sure: bool, rebuild: bool, config: Config) -> int:
    import storage.schema
    from storage.db import Store

    wanted = bot.config.rules(config)
    read(wanted, config, 1)  # a mistake is said before a database is made
    store = Store(config.database_url)
    try:
        if store.is_sqlite and await storage.schema.version(store) is None:
            await storage.schema.upgrade(store)
        await storage.schema.require_current(store)
        return await _apply(store, wanted, sure, rebuild, config)
    finally:
        await store.close()


async def _apply(store: Store, wanted: dict[str, Any], sure: bool, rebuild: bool, config: Config) -> int:
    import storage.rules

    async with store.write() as db:
        before = await storage.rules.ensure(db, bot.config.rules(Config()), datetime.now(UTC))
    after = read(wanted, config, before.version + 1)
    old, said = _compared(before, after)
    if old is not None and not said:
        print(f"Nothing to change: version {before.version} holds {_since(before)}.")
        await _compute(store, old, everything=rebuild)
        return 0
    file = str(config.file) if config.file else "This release of Redfirst"
    print(f"{file} would change version {before.version}, in force {_since(before)}:\n")
    for sentence in said:
        print(f"  {sentence}")
    print("\nScores of closed periods stay as they are.")
    if not sure and not _asked():
        print("Nothing was changed.")
        return 1
    async with store.write() as db:
        version = await storage.rules.store(db, wanted, _who(), datetime.now(UTC), after=before.version)
    print(f"Version {version} is in force; a running bot follows within seconds.")
    # what belongs to no person counts on the organisation's days
    await _compute(store, after, everything=rebuild or old is None or old.zone != after.zone)
    return 0


def read(body: dict[str, Any], config: Config, version: int) -> Rules:
    """The rules of `body`; a mistake in them is told with the name of the file it stands in."""
    import scoring.rulebook

    try:
        return scoring.rulebook.read(body, version=version)
    except Refused as refused:
        if config.file is None:
            raise
        raise Refused(f"{config.file}: {refused.what}", refused.remedy) from refused


def _compared(before: Applied, after: Rules) -> tuple[Rules | None, tuple[str, ...]]:
    """The rules in force and what would change; None where another release made them and this one cannot read them."""
    import scoring.changes
    import storage.rules

    try:
        old = storage.rules.read(before)
    except Refused as refused:
        return None, (f"Everything: this program cannot read that version ({refused.what.rstrip('.')}).",)
    return old, scoring.changes.between(old, after)


async def _compute(store: Store, rules: Rules, *, everything: bool) -> None:
    """Computes the history of metrics whose definition is new here, or of all; killed half-way, it is run again."""
    import storage.rollups

    async with store.read() as db:
        names = list(rules.metrics) if everything else await storage.rollups.stale(db, rules.metrics)
    if names:
        print(f"Computing the history of {_listed(names)} …", flush=True)
        rows = await storage.rollups.rebuild(store, rules, names)
        print(f"Done: {rows:,} daily figures are other than before.")


def _listed(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 5 else f"{len(names)} metrics"


def _since(applied: Applied) -> str:
    at = datetime.fromtimestamp(applied.applied_at, UTC)
    return f"since {at:%Y-%m-%d %H:%M} UTC (by {applied.applied_by})"


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user without a name
        return "the command line"


def _asked() -> bool:
    if not sys.stdin.isatty():
        raise Refused("Nobody is here to say yes.", "Run it in a terminal, or say --yes.")
    return input("Put this in force? [y/N] ").strip().lower() in ("y", "yes")
