"""From files and a map to batches of typed facts, each ready for one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

import scoring.columns
import scoring.events
import scoring.maps
import storage.sources.files.delimited
import storage.sources.files.guards
import storage.sources.files.json_lines
import storage.sources.files.sheets
from scoring.maps import Map, TableMap
from scoring.refused import Refused
from storage.sources.files.guards import Member
from storage.sources.files.pieces import LINE, Piece, Reject, check_rejects
from storage.sources.files.spool import Spool

FILE = " file"
BATCH_ROWS = 5000
_USUAL, _BEYOND = 1024, 2 * 1024 * 1024
"""Bytes of a row of facts, and how many beyond them a batch may hold: rows longer than any export's do not wait."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Facts of one table. `frame`: fact columns that the map feeds, with `id`, each id once.

    Of a log with several rows a ticket: `events` are the ticket_event facts of these tickets, `base`
    the tickets before their events were told (to be told again together with events known before).
    `done`: bytes of the files on disk read so far, for a progress bar.
    """

    table: str
    frame: pl.DataFrame
    rejects: tuple[Reject, ...] = ()
    done: int = 0
    events: pl.DataFrame | None = None
    base: pl.DataFrame | None = None


def _pieces(member: Member, map: Map) -> Iterator[Piece]:
    if member.kind == "xlsx":
        return storage.sources.files.sheets.pieces(member, map)
    if member.kind == "json":
        return storage.sources.files.json_lines.pieces(member, map)
    return storage.sources.files.delimited.pieces(member, map)


def _renames(piece: Piece, entry: TableMap, map: Map, member: Member) -> dict[str, str]:
    """Column of the file → column as the map writes it. Raises Refused for what is missing or unknown."""
    header = [column for column in piece.frame.columns if column != LINE]
    folded: dict[str, str] = {}
    for column in header:
        folded.setdefault(column.casefold(), column)
    renames: dict[str, str] = {}
    shown = ", ".join(header[:40]) + (" …" if len(header) > 40 else "")
    for column in entry.used():
        found = column if column in header else folded.get(column.casefold())
        if found is not None:
            renames[found] = column
        elif column not in entry.optional:
            raise Refused(
                f"{member.name}, line 1: there is no column {column!r}, which map {map.name} needs; found: {shown}.",
                scoring.maps.nearest(column, header),
            )
    unknown = [column for column in header if column not in renames and not column.startswith(" ")]
    if entry.strict_columns and unknown:
        raise Refused(
            f"{member.name}, line {piece.first.get(unknown[0], 1)}: column {unknown[0]!r} is not known; "
            f"table {entry.table} has none of this name.",
            scoring.maps.nearest(unknown[0], (c for c in entry.used() if c not in renames.values())),
        )
    return renames


def _rejects(raw: pl.DataFrame, bad: pl.DataFrame, file: Callable[[int], str]) -> tuple[Reject, ...]:
    """The bad rows with their cells as found."""
    if bad.is_empty():
        return ()
    cells = [c for c in raw.columns if c not in (LINE, FILE)]
    rows = raw[bad["row"]]
    files = rows[FILE].to_list() if FILE in rows.columns else [0] * rows.height
    return tuple(
        Reject(file(number), line, reason, tuple("" if cell is None else cell for cell in row))
        for number, line, reason, row in zip(
            files, rows[LINE].to_list(), bad["reason"].to_list(), rows.select(cells).iter_rows(), strict=True
        )
    )


def _once(frame: pl.DataFrame) -> pl.DataFrame:
    """Of rows with one id the newest, else the last."""
    if frame["id"].is_unique().all():
        return frame
    if "updated_at" in frame.columns:
        frame = frame.sort("updated_at", nulls_last=False, maintain_order=True)
    return frame.unique("id", keep="last", maintain_order=True)


def _cleaned(raw: pl.DataFrame, entry: TableMap, map: Map) -> pl.DataFrame:
    return scoring.columns.clean(raw.select([c for c in entry.used() if c in raw.columns]), map)


def _by_row(member: Member, entry: TableMap, map: Map, latest: int | None, size: int, before: int) -> Iterator[Batch]:
    renames: dict[str, str] | None = None
    taken = done = held = 0
    waiting: list[pl.DataFrame] = []  # pieces are cut by bytes, batches by rows
    for piece in _pieces(member, map):
        if renames is None:
            renames = _renames(piece, entry, map, member)
        raw = piece.frame.rename(renames)
        converted = scoring.columns.to_facts(_cleaned(raw, entry, map), entry, map, latest)
        bad = piece.rejects + _rejects(raw, converted.bad, lambda _: member.name)
        taken += converted.frame.height
        done = before + piece.done
        check_rejects(bad, taken)
        if bad:
            yield Batch(entry.table, converted.frame.clear(), bad, done)  # at once: their rows may be long
        if converted.frame.is_empty() and waiting:
            continue  # what was filtered out of it would be held with it
        waiting.append(converted.frame)
        held += max(0, int(converted.frame.estimated_size()) - _USUAL * converted.frame.height)
        if held > _BEYOND:
            yield Batch(entry.table, _once(pl.concat(waiting)), (), done)
            waiting, held = [], 0
        elif sum(frame.height for frame in waiting) >= size:
            *full, rest = _once(pl.concat(waiting)).iter_slices(size)
            for frame in full:
                yield Batch(entry.table, frame, (), done)
            waiting, held = [rest], 0
    if waiting:
        yield Batch(entry.table, _once(pl.concat(waiting)), (), done)


def _unpacked(member: Member) -> int:
    """A guess at the bytes of text in a file."""
    size = member.path.stat().st_size
    return size * 20 if member.packed or member.kind == "xlsx" else size


def _by_event(
    members: Sequence[Member], entry: TableMap, map: Map, latest: int | None, size: int, before: int
) -> Iterator[Batch]:
    names = [member.name for member in members]
    with Spool(entry.group, sum(_unpacked(member) for member in members)) as spool:
        for number, member in enumerate(members):
            renames: dict[str, str] | None = None
            for piece in _pieces(member, map):
                if renames is None:
                    renames = _renames(piece, entry, map, member)
                raw = piece.frame.rename(renames)
                spool.add(raw.with_columns(pl.lit(number).alias(FILE)))
                yield Batch(entry.table, pl.DataFrame(), piece.rejects, before + piece.done)
            before += member.path.stat().st_size
        for raw in spool.parts():
            yield from _tickets(raw, entry, map, latest, size, names, before)


def _tickets(
    raw: pl.DataFrame, entry: TableMap, map: Map, latest: int | None, size: int, names: Sequence[str], done: int
) -> Iterator[Batch]:
    """Whole tickets of one part of the spool, in batches that count their events."""
    clean = _cleaned(raw, entry, map)
    reduced = scoring.events.reduce(clean, entry, map)
    winners = raw[reduced.rows]
    converted = scoring.columns.to_facts(clean[reduced.rows], entry, map, latest)
    file = names.__getitem__
    rejects = _rejects(raw, reduced.bad, file) + _rejects(winners, converted.bad, file)
    check_rejects(rejects, converted.frame.height)
    base = _once(converted.frame)
    share = max(1, size * base.height // max(1, base.height + reduced.events.height))
    for start in range(0, max(base.height, 1), share):
        part = base.slice(start, share)
        events = reduced.events.filter(pl.col("ticket").is_in(part["id"].implode()))
        told = scoring.events.told(part, events)
        yield Batch(entry.table, told, rejects, done, events, part)
        rejects = ()


def _entry(member: Member, map: Map, table: str | None) -> TableMap:
    """The map's entry by the file's name; for an archive's member that it does not know, by the archive's."""
    try:
        return map.entry(member.inside or member.name, table)
    except Refused:
        if not member.inside or table is not None:
            raise
        try:
            return map.entry(member.path.stem + Path(member.inside).suffix)
        except Refused:
            pass
        raise


def check(path: Path, map: Map, table: str | None = None) -> None:
    """Raises Refused for a file that from the outside is nothing to read, or that the map does not know."""
    for member in storage.sources.files.guards.members(path):
        _entry(member, map, table)


def read(
    paths: Sequence[Path],
    map: Map,
    table: str | None = None,
    latest: int | None = None,
    batch_rows: int = BATCH_ROWS,
) -> Iterator[Batch]:
    """Batches of facts of up to `batch_rows` rows from files, archives included; memory stays flat.

    `table` overrides what a file's name says; `latest`: UTC second after which nothing can have happened.
    Raises Refused, with file, line, what was found and what was expected, for a file that does not fit.
    """
    with_iso = map if "iso" in map.dates else replace(map, dates=(*map.dates, "iso"))
    together: dict[int, list[Member]] = {}  # position of the map's entry → files
    plan: list[tuple[Member, TableMap, Map]] = []
    for path in paths:
        for member in storage.sources.files.guards.members(path):
            # dates in a workbook are dates, not text in the map's formats
            plan.append((member, _entry(member, map, table), with_iso if member.kind == "xlsx" else map))
    before = 0
    seen: set[Path] = set()
    for member, entry, its_map in plan:
        if entry.shape == "event":
            together.setdefault(map.tables.index(entry), []).append(member)
            continue
        yield from _by_row(member, entry, its_map, latest, batch_rows, before)
        if member.path not in seen:
            seen.add(member.path)
            before += member.path.stat().st_size
    for position, members in together.items():
        its_map = with_iso if any(member.kind == "xlsx" for member in members) else map
        yield from _by_event(members, map.tables[position], its_map, latest, batch_rows, before)
