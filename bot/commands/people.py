"""`redfirst people`: loads people and teams from a file, or writes a first such file from the tickets."""

from __future__ import annotations

import argparse
import asyncio
import csv
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.config import Config
from scoring.refused import Refused

if TYPE_CHECKING:
    from storage.attribution import Worker

MOST_BYTES = 32 * 1024 * 1024
ALL = "Everyone"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="people as CSV, one dated row a membership")
    parser.add_argument("--teams", type=Path, metavar="FILE", help="teams as TOML: zones, hours, holidays")
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    parser.add_argument("--from-tickets", action="store_true", help="write a people file from accounts in tickets")
    parser.add_argument("--one-team", action="store_true", help="with --from-tickets: one team instead of one a queue")
    parser.add_argument("--rename", nargs=2, metavar=("OLD", "NEW"), help="give a person another key; nothing is lost")
    parser.add_argument(
        "--out", type=Path, default=Path("people.csv"), metavar="FILE",
        help="where --from-tickets writes (- is standard output)",
    )  # fmt: skip


def run(args: argparse.Namespace, config: Config) -> int:
    if args.rename and (args.file is not None or args.from_tickets):
        raise Refused("--rename goes alone.", "Say `redfirst people --rename OLD NEW`, then load the file.")
    if args.rename:
        old, new = args.rename
        return asyncio.run(_rename(old, new, config))
    if args.from_tickets:
        return asyncio.run(_write(args, config))
    if args.file is None:
        raise Refused("No file is named.", "Say `redfirst people FILE`, or `redfirst people --from-tickets`.")
    return asyncio.run(_load(args, config))


def read_text(path: Path) -> str:
    """The text of a file that people write. Raises Refused for one that is too large, or no UTF-8."""
    try:
        if path.stat().st_size > MOST_BYTES:
            most = MOST_BYTES // 1024**2
            raise Refused(f"{path} is larger than {most} MB, too large to be written by people.", "Check the name.")
        data = path.read_bytes()
    except OSError as error:
        raise Refused(f"{path} cannot be read ({error.strerror}).", "Check the name.") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Refused(
            f"{path}, line {line}: found byte 0x{data[error.start]:02x}, expected UTF-8.", "Save it as CSV UTF-8."
        ) from None
    if "\0" in text:
        raise Refused(f"{path} holds NUL bytes.", "Save it as CSV UTF-8.")
    return text


def _plain(cell: str) -> str:
    """A cell without the ' that keeps spreadsheets from running it."""
    cell = cell.strip()
    return cell[1:] if len(cell) > 1 and cell[0] == "'" and cell[1] in "=+-@" else cell


def read_csv(path: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Column names, and rows with their line numbers. Raises Refused for rows of another width."""
    text = read_text(path)
    head = text.split("\n", 1)[0]
    reader = csv.reader(text.splitlines(keepends=True), delimiter=max(",;\t", key=head.count))
    rows: list[tuple[int, dict[str, str]]] = []
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise Refused(
                    f"{path}, line {reader.line_num}: found {len(cells)} columns, expected {len(header)} as in line 1.",
                    "Add or take away commas, or put quotes around a cell that holds one.",
                )
            rows.append((reader.line_num, dict(zip(header, map(_plain, cells), strict=True))))
    except csv.Error as error:
        raise Refused(f"{path}, line {reader.line_num}: {error}.", "Mend that line.") from error
    return header, rows


def read_toml(path: Path) -> tuple[dict[str, Any], str]:
    """The tables of a TOML file that people write, and its text. Raises Refused."""
    text = read_text(path)
    try:
        return tomllib.loads(text), text
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Refused(f"{path} is not valid TOML: {error}.", "Mend that line.") from error


async def _load(args: argparse.Namespace, config: Config) -> int:
    import bot.opening
    import scoring.people_file
    import scoring.teams_file
    import storage.people
    import storage.people_file
    import storage.rollups

    header, rows = read_csv(args.file)
    async with bot.opening.opened(config) as (store, rules):
        teams = scoring.teams_file.parse(read_toml(args.teams)[0], args.teams.name, rules.zone) if args.teams else ()
        async with store.write() as db:
            known = await storage.people_file.known(db)
            parsed = scoring.people_file.parse(args.file.name, header, rows, teams, known, rules.zone)
            changes = await storage.people.load(db, parsed)
            for sentence in changes.sentences:
                print(sentence)
            if args.dry_run:
                await db.rollback()
            elif changes.from_day is not None:
                await storage.rollups.outdate(db)
        if not args.dry_run:
            await storage.rollups.renew(store, rules)
    if args.dry_run:
        print(f"{_changes(changes.sentences)}; nothing was changed (--dry-run).")
    elif not changes.sentences:
        print(f"{_counted(changes.people, changes.teams)}: nothing to change.")
    else:
        print(f"{_counted(changes.people, changes.teams)} loaded, {_changes(changes.sentences)}.")
    return 0


async def _rename(old: str, new: str, config: Config) -> int:
    import bot.opening
    import storage.people_file

    async with bot.opening.opened(config) as (store, _), store.write() as db:
        name = await storage.people_file.rename(db, old, new, "command line", bot.opening.now())
    print(
        f"{name}'s key is {new!r} now. Write it in the people file, under manager and deputy_for too, and in files of "
        "objectives. What was written down before, like who put rules in force, keeps the old one."
    )
    return 0


def _counted(people: int, teams: int) -> str:
    return f"{people:,} {'person' if people == 1 else 'people'} in {teams:,} {'team' if teams == 1 else 'teams'}"


def _changes(sentences: Sequence[str]) -> str:
    return "1 change" if len(sentences) == 1 else f"{len(sentences):,} changes"


def skeleton(workers: Sequence[Worker], one_team: bool) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a people file: every account a technician of the queue where most of its work was."""
    import scoring.people_file

    sources = sorted({worker.key.partition("/")[0] for worker in workers})
    first = min((worker.first_at for worker in workers), default=0) // 86_400
    header = [
        "person",
        "name",
        "team",
        "role",
        "tier",
        "manager",
        "from",
        "to",
        "zone",
        "hours",
        "deputy_for",
        *sources,
    ]
    rows = []
    for worker in workers:
        source, _, name = worker.key.partition("/")
        team = ALL if one_team else worker.queue or ALL
        accounts = [name if source == one else "" for one in sources]
        begins = scoring.people_file.iso(first)
        rows.append([worker.key, name, team, "technician", "", "", begins, "", "", "", "", *accounts])
    return header, rows


async def _write(args: argparse.Namespace, config: Config) -> int:
    import bot.opening
    import storage.attribution
    from storage.sources.files.rejects import safe

    async with bot.opening.opened(config) as (store, _), store.read() as db:
        workers = await storage.attribution.workers(db)
    if not workers:
        raise Refused("No ticket names an account yet.", "Load tickets first: `redfirst ingest FILE --map MAP`.")
    header, rows = skeleton(workers, args.one_team)
    table = [header, *([safe(cell) for cell in row] for row in rows)]
    if str(args.out) == "-":
        csv.writer(sys.stdout).writerows(table)
        print(_wrote(rows, "standard output", "FILE"), file=sys.stderr)
        return 0
    try:
        with args.out.open("x", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(table)
    except FileExistsError:
        remedy = "Name another file with --out, or write to standard output with --out -."
        raise Refused(f"{args.out} is there already.", remedy) from None
    except OSError as error:
        raise Refused(f"{args.out} cannot be written ({error.strerror}).", "Name another file with --out.") from error
    print(_wrote(rows, str(args.out), str(args.out)))
    return 0


def _wrote(rows: Sequence[Sequence[str]], where: str, named: str) -> str:
    return (
        f"Wrote {_counted(len(rows), len({row[2] for row in rows}))} to {where}. "
        "Correct names, teams, roles and dates, join the accounts of one person in one row, "
        f"then: redfirst people {named}"
    )
