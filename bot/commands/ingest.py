"""`redfirst ingest`: loads exports of a ticket system, once or as they are dropped into a directory."""

from __future__ import annotations

import argparse
import asyncio
import logging
import secrets
import stat
import sys
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bot.config import Config
from scoring.refused import Refused

if TYPE_CHECKING:
    from handlers.ingest import Order, Step, Told
    from scoring.maps import Map
    from scoring.rules import Rules
    from storage.db import Store

log = logging.getLogger("redfirst.ingest")

DAY = 86_400
ENDINGS = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".xlsx", ".xlsm", ".gz", ".zip")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="CSV, TSV, XLSX or JSON Lines; .gz, .zip")
    parser.add_argument("--map", required=True, help="standard, servicenow-incident-log, bpi2013, or a .toml file")
    parser.add_argument("--table", help="which kind of facts the files hold (default: the map says it by file name)")
    parser.add_argument("--source", help="name of the system they come from (default: the map's)")
    parser.add_argument("--strict", action="store_true", help="read everything first, load nothing if any row is bad")
    parser.add_argument("--as-of", metavar="WHEN", help="how new the data are, like 2026-03-31T23:00 in UTC")
    parser.add_argument(
        "--rejects", type=Path, metavar="PATH", help="where rejected rows go (default: beside the file)"
    )
    parser.add_argument(
        "--watch", type=Path, metavar="DIR", help="load every file that is dropped there, until stopped"
    )
    parser.add_argument("--every", type=float, default=10.0, metavar="SECONDS", help="how often --watch looks")


def _instant(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"--as-of is {text!r}.", "Write it like 2026-03-31T23:00.") from None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())


def _map(args: argparse.Namespace) -> Map:
    import scoring.map_file
    import storage.sources.maps

    found = storage.sources.maps.load(args.map)
    if args.source is None:
        return found
    return replace(found, source=scoring.map_file.source_name(args.source, "--source"))


def run(args: argparse.Namespace, config: Config) -> int:
    if args.watch is None and not args.files:
        raise Refused("No file is named.", "Say `redfirst ingest FILE --map MAP`, or --watch DIR.")
    if args.watch is not None and args.files:
        raise Refused("Files and --watch do not go together.", "Name one of them.")
    if args.watch is not None and not args.watch.is_dir():
        raise Refused(f"{args.watch} is no directory.", "Name the directory where exports are dropped.")
    try:
        return asyncio.run(_run(args, config))
    except asyncio.CancelledError:
        return 130


async def _run(args: argparse.Namespace, config: Config) -> int:
    import bot.opening
    import handlers.ingest
    import storage.sources

    map = _map(args)
    paths = tuple(args.files)
    beside = paths[0] if paths else Path("watched")
    order = handlers.ingest.Order(
        paths=paths,
        map=map,
        rejects=args.rejects or _beside(beside),
        table=args.table,
        strict=args.strict,
        latest=bot.opening.now() + DAY,
        as_of=_instant(args.as_of),
    )
    for path in paths:
        storage.sources.check(path, map, args.table)  # a wrong name is said before a database is made
    async with bot.opening.opened(config) as (store, rules):
        if args.watch is not None:
            return await _watch(store, rules, order, args.watch, args.every)
        told = await _load(store, rules, order)
        print(words(told, order))
        return 0


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.rejects.csv")


def _bar(order: Order) -> tuple[Step, object]:
    from tqdm import tqdm

    total = sum(path.stat().st_size for path in order.paths)
    bar = tqdm(total=total, unit="B", unit_scale=True, disable=not sys.stderr.isatty(), leave=False)

    def step(done: int, rows: int) -> None:
        bar.update(min(done, total) - bar.n)
        bar.set_postfix_str(f"{rows:,} rows", refresh=False)

    return step, bar


async def _load(store: Store, rules: Rules, order: Order) -> Told:
    import bot.opening
    import handlers.ingest

    step, bar = _bar(order)
    try:
        return await handlers.ingest.load(store, rules, order, bot.opening.now, step, time.monotonic)
    finally:
        bar.close()  # type: ignore[attr-defined]


def words(told: Told, order: Order) -> str:
    """What a load did, how new the data are, and what to do next."""
    rows = "1 row" if told.rows == 1 else f"{told.rows:,} rows"
    counts = f"{rows}: {told.new:,} new, {told.changed:,} changed, {told.same:,} as before"
    if told.rejected:
        counts += f"; {told.rejected:,} rejected, see {order.rejects}"
    parts = [f"Loaded {counts}."]
    if told.first_rejected:
        parts.append(f"The first is {told.first_rejected.rstrip('.')}.")
    if told.as_of is not None:
        parts.append(f"Data as of {datetime.fromtimestamp(told.as_of, UTC):%Y-%m-%d %H:%M} UTC.")
    if told.unsettled:
        some = ", ".join(told.unsettled[:3]) + (" …" if len(told.unsettled) > 3 else "")
        one = len(told.unsettled) == 1
        who, them = ("1 account belongs", "it") if one else (f"{len(told.unsettled):,} accounts belong", "them")
        parts.append(
            f"{who} to nobody yet ({some}): nothing is scored for {them}. "
            "Next: `redfirst attribution`, or `redfirst people --from-tickets`."
        )
    return " ".join(parts)


State = tuple[int, int]
"""Time of a file, nanoseconds, and its size."""


def _state(path: Path) -> State | None:
    """None for what is gone or is no file, as a pipe, which would be waited for."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size) if stat.S_ISREG(found.st_mode) else None


def _dropped(directory: Path) -> dict[Path, State]:
    """The exports that lie in a directory, oldest first."""
    found: dict[Path, State] = {}
    for path in directory.iterdir():
        name = path.name.lower()
        if name.startswith(".") or name.endswith(".rejects.csv") or not name.endswith(ENDINGS):
            continue
        state = _state(path)
        if state is not None:
            found[path] = state
    return dict(sorted(found.items(), key=lambda one: (one[1][0], one[0])))


@dataclass(slots=True)
class _Watch:
    """What a watch has seen. `done`: files as they were when they went in, or were refused for what they hold."""

    store: Store
    rules: Rules
    order: Order
    directory: Path
    seen: dict[Path, State] = field(default_factory=dict)
    done: dict[Path, State] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    troubles: set[str] = field(default_factory=set)

    async def look(self) -> None:
        """Loads what did not change since the last look; what cannot be loaded now is said once and tried again."""
        try:
            found = _dropped(self.directory)
        except OSError as error:
            self._trouble(str(self.directory), error)
            return
        before, self.seen = self.seen, found
        self.done = {path: state for path, state in self.done.items() if found.get(path) == state}
        for path, state in found.items():
            if before.get(path) != state or path in self.done:
                continue
            # a task of its own, whose end is looked at: no file, whatever is in it, ends the watch for all others
            (wrong,) = await asyncio.gather(self._file(path), return_exceptions=True)
            if isinstance(wrong, OSError):
                self._trouble(path.name, wrong)
            elif wrong is not None and _passing(wrong):
                self._broken(f"{path.name} cannot be loaded now ({_why(wrong)}); it is tried again", wrong, once=True)
            else:
                self.done[path] = state
                if wrong is not None:
                    self._broken(f"{path.name} could not be loaded; it is tried again when it changes", wrong)

    async def _file(self, path: Path) -> None:
        import bot.opening
        import handlers.ingest
        import storage.loads

        digest = await asyncio.to_thread(storage.loads.digest, path)
        async with self.store.read() as db:
            source = handlers.ingest.source(self.order.map)
            if digest in self.refused or await storage.loads.is_done(db, digest, source):
                return
        one = replace(self.order, paths=(path,), rejects=_beside(path), latest=bot.opening.now() + DAY)
        try:
            print(f"{path.name}: {words(await _load(self.store, self.rules, one), one)}", flush=True)
        except Refused as why:
            if _state(path) == self.seen[path]:  # else it may come back and be good
                self.refused.add(digest)
            print(f"{path.name}: {why}", file=sys.stderr, flush=True)

    def _trouble(self, name: str, error: OSError) -> None:
        said = f"{name} cannot be loaded now ({error.strerror or error}); it is tried again."
        if said not in self.troubles:
            self.troubles.add(said)
            print(said, file=sys.stderr, flush=True)

    def _broken(self, said: str, error: BaseException, *, once: bool = False) -> None:
        """Says what no file should cause, without the error's words, which may quote the file."""
        if once and said in self.troubles:
            return
        self.troubles.add(said)
        reference = secrets.token_hex(4)
        log.error("a file could not be loaded", exc_info=error, extra={"reference": reference})
        print(f"{said}; the log has more under {reference}.", file=sys.stderr, flush=True)


def _why(error: BaseException) -> str:
    return str(getattr(error, "orig", None) or "the database does not answer")


def _passing(error: BaseException) -> bool:
    """Whether it is the database that cannot be spoken to now, and not what is in a file."""
    from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, TimeoutError

    away = isinstance(error, DBAPIError) and error.connection_invalidated
    return away or isinstance(error, OperationalError | InterfaceError | TimeoutError)


async def _watch(store: Store, rules: Rules, order: Order, directory: Path, every: float) -> int:
    import bot.logs

    bot.logs.setup()
    watch = _Watch(store, rules, order, directory)
    print(f"Watching {directory}; press Ctrl+C to stop.", flush=True)
    while True:
        await watch.look()
        await asyncio.sleep(every)
