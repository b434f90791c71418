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
    from storage.db import Db, Store
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
        now = datetime.now(UTC)
        before = await storage.rules.ensure(db, bot.config.rules(Config()), now)
        wanted = await storage.rules.carried(db, wanted, now)
        lately = await storage.rules.lately(db, now)
    after = read(wanted, config, before.version + 1)
    _check_lines(lately, after, now)
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
        version = await enforce(db, wanted, old, after, before.version)
    print(f"Version {version} is in force; a running bot follows within seconds.")
    await _compute(store, after, everything=rebuild)
    return 0


def _check_lines(lately: list[tuple[int, Rules]], after: Rules, now: datetime) -> None:
    """Raises Refused where lines would be tightened more often than once a quarter."""
    import scoring.lines
    import scoring.periods

    scoring.lines.check(lately, after, scoring.periods.day_of(scoring.periods.today(now, after.zone)))


async def enforce(db: Db, wanted: dict[str, Any], old: Rules | None, after: Rules, version: int) -> int:
    """Stores the rules that follow `version`, and marks what they make stale beyond definitions; their number.

    In one transaction, so that whoever comes next computes what this command did not come to.
    """
    import storage.columnar
    import storage.rollups
    import storage.rules

    await storage.columnar.lock(db)  # no load goes on by the old rules
    number = await storage.rules.store(db, wanted, _who(), datetime.now(UTC), after=version)
    if old is None:
        await storage.rollups.outdate(db)
    elif old.zone != after.zone:  # what belongs to no person counts on the organisation's days
        await storage.rollups.outdate(db, [one.name for one in after.metrics.values() if one.subject != "person"])
    return number


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
