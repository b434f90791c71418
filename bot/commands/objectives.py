"""`redfirst objectives`: what the desk and its teams are after, and the import of objectives that exist already."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bot.config import Config
from scoring.refused import Refused

if TYPE_CHECKING:
    from scoring.objectives import Objective
    from scoring.objectives_file import Row
    from scoring.rules import Rules
    from storage.db import Db

BY = "redfirst objectives import"


def arguments(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(dest="act", metavar="")
    load = acts.add_parser("import", help="check objectives of a CSV or TOML file, and keep those that are good")
    load.add_argument("file", metavar="FILE", type=Path)
    load.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")


def run(args: argparse.Namespace, config: Config) -> int:
    if args.act == "import":
        return asyncio.run(_import(args.file, args.dry_run, config))
    return asyncio.run(_list(config))


async def _list(config: Config) -> int:
    import bot.opening
    import storage.objectives
    import storage.people

    async with bot.opening.opened(config) as (store, rules), store.read() as db:
        standing = await storage.objectives.standing(db, rules.cascade)
        teams = {f"team:{team.id}": team.name for team in await storage.people.teams(db)}
    for line in listed(standing, teams):
        print(line)
    return 0


def listed(standing: Sequence[Objective], teams: dict[str, str]) -> list[str]:
    """The tree, indented, a line an objective. Those of single people are counted and not named."""
    import scoring.cascade
    import scoring.periods

    shown = [one for one in standing if one.level != "individual"]
    children = scoring.cascade.below(shown)
    lines = []
    waiting = [(one, 0) for one in reversed(children.get("", ()))]
    while waiting:
        one, depth = waiting.pop()
        whom = {"desk": "leadership", "teams": "every team"}.get(one.subject) or teams.get(one.subject, one.subject)
        parts = [one.title, whom]
        parts += [f"owner {one.owner}"] if one.owner else []
        parts += [", ".join(one.metrics) or one.proxy] if one.metrics or one.proxy else []
        if one.decision_day is not None:
            parts.append(f"decided on {scoring.periods.date_of(one.decision_day).isoformat()}")
        lines.append(f"{'  ' * depth}{one.key}: {' · '.join(parts)}")
        waiting += [(child, depth + 1) for child in reversed(children.get(one.key, ()))]
    own = len(standing) - len(shown)
    if own:
        what = "One objective is a person's own and" if own == 1 else f"{own} objectives are people's own and each"
        lines.append(f"{what} shown to that person and their lead only.")
    return lines or ["There are no objectives."]


async def _import(file: Path, dry_run: bool, config: Config) -> int:
    import bot.opening
    import scoring.objectives_file
    import storage.objectives
    from scoring.objectives_file import Directory

    header, rows = _rows(file)
    async with bot.opening.opened(config) as (store, rules), store.write() as db:
        teams, people = await storage.objectives.directory(db)
        known = Directory(teams, people, rules.metrics)
        read = scoring.objectives_file.read(file.name, header, rows, known)
        every = await storage.objectives.every(db)
        existing = await storage.objectives.standing(db, rules.cascade)
        free = _taken(read, every, rules)
        good, refused = scoring.objectives_file.sift(free, existing, rules.metrics, bot.opening.today())
        kept = await _keep(db, good, {one.key: one for one in every}, bot.opening.now())
        standing = await storage.objectives.standing(db, rules.cascade)
        if dry_run:
            await db.rollback()
    for sentence in (*_refusals(file.name, refused), *kept, *_hanging(standing)):
        print(sentence)
    told = f"{len(read)} objectives read: {len(kept)} {'would change' if dry_run else 'changed'}, "
    told += f"{len(good) - len(kept)} as before, {len(refused)} refused."
    print(told + (" Nothing was changed (--dry-run)." if dry_run else ""))
    return 1 if refused else 0


def _rows(file: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    import bot.commands.people
    import scoring.objectives_file

    if file.suffix.lower() == ".toml":
        tables, text = bot.commands.people.read_toml(file)
        return scoring.objectives_file.toml_rows(tables, text, file.name)
    if file.suffix.lower() not in (".csv", ".tsv", ".txt"):
        raise Refused(f"{file} is neither CSV nor TOML.", "Name a file that ends in .csv or .toml.")
    return bot.commands.people.read_csv(file)


def _taken(read: Sequence[Row], every: Sequence[Objective], rules: Rules) -> list[Row]:
    """The rows, with what is wrong where a closed or a configured objective has the key."""
    from dataclasses import replace

    closed = {one.key: one for one in every if not one.is_open}
    configured = {one.key for one in rules.cascade}
    found = []
    for row in read:
        key = row.objective.key
        wrong = row.wrong
        if key in closed:
            reason = closed[key].reason.rstrip(".")
            wrong += (f"column key: found {key!r}, expected another: that objective was closed ({reason}).",)
        elif key in configured:
            wrong += (f"column key: found {key!r}, expected another: that one is kept in redfirst.toml.",)
        found.append(replace(row, wrong=wrong))
    return found


async def _keep(db: Db, good: Sequence[Row], before: Mapping[str, Objective], at: int) -> list[str]:
    """Keeps what is new or other than before; a sentence a change."""
    from dataclasses import replace

    import scoring.objectives
    import storage.objectives

    said: list[str] = []
    for row in good:
        held = before.get(row.objective.key)
        if held is None:
            if await storage.objectives.add(db, row.objective, BY, at) is None:
                raise Refused(f"Somebody added {row.objective.key} just now.", "Run it again.")
            said.append(f"+ {row.objective.key}: {row.objective.title}")
        elif not scoring.objectives.same(held, row.objective):
            made = replace(row.objective, id=held.id, version=held.version)
            if await storage.objectives.change(db, made, BY, at) is None:
                raise Refused(f"Somebody changed {held.key} just now.", "Run it again.")
            names = [n for n in scoring.objectives.CONTENT if getattr(held, n) != getattr(row.objective, n)]
            said.append(f"~ {row.objective.key}: {', '.join(names).replace('_', ' ')}")
    return said


def _refusals(file: str, refused: Sequence[Row]) -> list[str]:
    return [f"{file}, line {row.line}: {words}" for row in refused for words in row.wrong]


def _hanging(standing: Sequence[Objective]) -> list[str]:
    """Orphans and gaps of all that stands. Those of single people are counted and not named."""
    import scoring.cascade

    loose = scoring.cascade.unlinked(standing)
    said = [f"Supports nothing: {one.key} ({one.title})" for one in loose if one.level != "individual"]
    own = sum(one.level == "individual" for one in loose)
    if own:
        said.append(f"Supports nothing: {own} of people's own, told to their leads once a month.")
    said += [f"Nobody carries: {one.key} ({one.title})" for one in scoring.cascade.uncarried(standing)]
    return said
