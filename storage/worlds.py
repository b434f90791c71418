"""The facts around a change: what it touches and what those look at, as they stood before it."""
# ruff: noqa: S608  (names of tables and columns are the schema's own; values are parameters)

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

import scoring.derive
import scoring.distortions
import scoring.facts
import storage.columnar
import storage.distortions
from scoring.directory import Directory
from scoring.fairness import Fairness
from storage.db import Db

Facts = dict[str, pl.DataFrame]

_DEPENDENTS = ("survey", "escalation", "time_entry")
_EXTENT = {"table_name": pl.String(), "first_day": pl.Int64(), "last_day": pl.Int64()}
_PERSON_DAY = {"person": pl.Int64(), "day": pl.Int64()}


@dataclass(slots=True)
class World:
    """Facts by table, and which of them count: tickets by id, other tables by the ids of their rows.

    A ticket that is there only because another looks at it does not count.
    """

    facts: Facts
    tickets: pl.Series
    rows: dict[str, pl.Series] = field(default_factory=dict)
    lone: bool = False
    """The change is of tickets that are new, and no survey, escalation, entry or event refers to them."""


def _texts(*series: pl.Series) -> pl.Series:
    found = [one.cast(pl.String) for one in series]
    return pl.concat(found).drop_nulls().unique(maintain_order=True) if found else pl.Series([], dtype=pl.String)


def nothing() -> World:
    """The world around no change."""
    return World({"extent": pl.DataFrame(schema=_EXTENT)}, pl.Series([], dtype=pl.String))


async def around(
    db: Db, table: str, before: pl.DataFrame, after: pl.DataFrame, directory: Directory, fairness: Fairness,
    touched: Sequence[pl.Series] = (),
) -> World:  # fmt: skip
    """The world before rows of `table` change from `before` to `after` (each with only the rows that change).

    The rows themselves are in it as they are stored. `touched`: ids of tickets whose events change with them.
    A few statements, whose cost follows the change alone.
    """
    facts: Facts = {table: before, "person_day": pl.DataFrame(schema=_PERSON_DAY)}
    facts["extent"] = await extent(db)
    filled = await _filled(db)
    world = World(facts, tickets=pl.Series([], dtype=pl.String))
    if table == "ticket":
        await _around_tickets(db, before, after, _texts(*touched), world, fairness, filled)
    elif table == "ticket_event":
        none = pl.DataFrame(schema=scoring.derive.typed("ticket"))
        await _around_tickets(db, none, none, _texts(before["ticket"], after["ticket"]), world, fairness, filled)
    elif table in _DEPENDENTS:
        world.rows[table] = _texts(before["id"], after["id"])
        await _tickets_of(db, _texts(before["ticket"], after["ticket"]), world, filled)
    elif table == "endpoints":
        clients = _texts(before["client"], after["client"])
        facts[table] = await storage.columnar.facts(db, table, "client", clients.to_list())
    elif table == "leave":
        await _around_leave(db, before, after, world, directory)
    await _widened(db, table, after, world, directory)
    keys = _texts(world.tickets, *[facts[t]["ticket"] for t in _DEPENDENTS if t in facts], *(
        [after["ticket"]] if "ticket" in after.columns else []))  # fmt: skip
    facts["correction"] = await corrections(db, keys if "correction" in filled else keys.clear())
    known = "distortion" in filled
    facts["distortion"] = await storage.distortions.frame(db) if known else scoring.distortions.frame(())
    return world


async def extent(db: Db) -> pl.DataFrame:
    """table_name, first_day, last_day: the days between which facts are known."""
    found = await storage.columnar.rows(db, "SELECT table_name, first_day, last_day FROM extent")
    return pl.DataFrame(found, schema=_EXTENT, orient="row")


async def corrections(db: Db, tickets: pl.Series) -> pl.DataFrame:
    """ticket, person: the confirmed corrections of these tickets."""
    found: list[tuple[Any, ...]] = []
    if len(tickets):
        of_these = storage.columnar.listed(db, "ticket")
        sql = f"SELECT ticket, person_id FROM correction WHERE {of_these} AND state = 'confirmed'"
        found = await storage.columnar.rows(db, sql, storage.columnar.values(db, tickets.to_list()))
    return pl.DataFrame(found, schema={"ticket": pl.String, "person": pl.Int64}, orient="row")


async def _filled(db: Db) -> set[str]:
    """Which neighbouring tables have rows at all: a first load need not look into empty ones."""
    tables = ("ticket", "ticket_event", *_DEPENDENTS, "leave", "correction", "distortion")
    sql = "SELECT " + ", ".join(f'EXISTS (SELECT 1 FROM "{name}")' for name in tables)
    found = (await storage.columnar.rows(db, sql))[0]
    return {name for name, there in zip(tables, found, strict=True) if there}


async def _around_tickets(
    db: Db, before: pl.DataFrame, after: pl.DataFrame, touched: pl.Series, world: World, fairness: Fairness,
    filled: set[str],
) -> None:  # fmt: skip
    """The world of tickets that change from `before` to `after`, and of others whose events do."""
    facts = world.facts
    own = _texts(before["id"], after["id"])
    others = touched.filter(~touched.is_in(own.implode())) if len(own) else touched
    facts["ticket"] = before
    if "ticket" in filled and len(others):
        rows = await storage.columnar.facts(db, "ticket", "id", others.to_list())
        facts["ticket"] = pl.concat([before, rows])
    changed = _texts(own, others)
    if "ticket" in filled:
        await _repeats(db, before, after, world, fairness)
    world.tickets = _texts(changed, facts["ticket"]["id"])
    if "ticket" in filled:
        await followers(db, after, world, fairness)
    if "ticket_event" in filled:
        facts["ticket_event"] = await storage.columnar.facts(db, "ticket_event", "ticket", world.tickets.to_list())
    for name in _DEPENDENTS:
        if name in filled:
            facts[name] = await storage.columnar.facts(db, name, "ticket", changed.to_list())
            world.rows[name] = facts[name]["id"]
    alone = all(rows.is_empty() for rows in world.rows.values()) and "ticket_event" not in filled
    world.lone = before.is_empty() and touched.is_empty() and alone


async def _repeats(db: Db, before: pl.DataFrame, after: pl.DataFrame, world: World, fairness: Fairness) -> None:
    """Earlier tickets of the same requester and category, resolved within the window before one that changes."""
    window = fairness.repeat_days * 86_400
    columns = ["requester", "category", "opened_at"]
    asked = pl.concat([before.select(columns), after.select(columns)]).drop_nulls().unique(maintain_order=True)
    if asked.is_empty():
        return
    keys, key, values = _threes(db, asked)
    sql = (
        f"SELECT DISTINCT {storage.columnar.names('ticket', 't.')} FROM {keys} CROSS JOIN ticket AS t "
        f"WHERE t.requester = {key[0]} AND t.category = {key[1]} "
        f"AND t.resolved_at >= {key[2]} - {window} AND t.resolved_at < {key[2]}"
    )
    found = storage.columnar.read(await storage.columnar.rows(db, sql, values), "ticket")
    own = world.facts["ticket"]
    world.facts["ticket"] = pl.concat([own, found.join(own, on="id", how="anti")])


async def followers(db: Db, after: pl.DataFrame, world: World, fairness: Fairness) -> None:
    """What the tickets that count look at: others of the same requester and category, opened afterwards."""
    window = fairness.repeat_days * 86_400
    own = world.facts["ticket"]
    columns = ["requester", "category", "resolved_at"]
    asked = pl.concat([own.select(columns), after.select(columns)]).drop_nulls().unique(maintain_order=True)
    if asked.is_empty():
        return
    keys, key, values = _threes(db, asked)
    sql = (
        f"SELECT DISTINCT t.id, t.requester, t.category, t.opened_at FROM {keys} CROSS JOIN ticket AS t "
        f"WHERE t.requester = {key[0]} AND t.category = {key[1]} "
        f"AND t.opened_at > {key[2]} AND t.opened_at <= {key[2]} + {window}"
    )
    found = pl.DataFrame(
        await storage.columnar.rows(db, sql, values),
        schema={"id": pl.String, "requester": pl.String, "category": pl.String, "opened_at": pl.Int64}, orient="row",
    )  # fmt: skip
    lone = scoring.derive.whole("ticket", found.join(own, on="id", how="anti"))
    world.facts["ticket"] = pl.concat([own, lone])


def _threes(db: Db, asked: pl.DataFrame) -> tuple[str, list[str], tuple[Any, ...]]:
    """A table `k` of requester, category and an instant to join with, its three columns, and its parameters."""
    if storage.columnar.is_sqlite(db):
        columns = [f"json_extract(k.value, '$[{index}]')" for index in range(3)]
        return "json_each(?) AS k", columns, storage.columnar.values(db, asked.rows())
    found = tuple(series.to_list() for series in asked.get_columns())
    return "unnest($1::text[], $2::text[], $3::bigint[]) AS k(a, b, c)", ["k.a", "k.b", "k.c"], found


async def _tickets_of(db: Db, tickets: pl.Series, world: World, filled: set[str]) -> None:
    if "ticket" in filled:
        world.facts["ticket"] = await storage.columnar.facts(db, "ticket", "id", tickets.to_list())
    if "ticket_event" in filled and "escalation" in world.rows:
        world.facts["ticket_event"] = await storage.columnar.facts(db, "ticket_event", "ticket", tickets.to_list())


async def _around_leave(db: Db, before: pl.DataFrame, after: pl.DataFrame, world: World, directory: Directory) -> None:
    """All leave of the people concerned, and the days that change."""
    accounts = _texts(before["account"], after["account"])
    people = directory.accounts.filter(pl.col("key").is_in(accounts.implode()))["person"].unique(maintain_order=True)
    theirs = directory.accounts.filter(pl.col("person").is_in(people.implode()))
    keys = _texts(accounts, theirs["key"])
    world.facts["leave"] = await storage.columnar.facts(db, "leave", "account", keys.to_list())
    days = pl.int_ranges("first_day", pl.col("last_day").fill_null(pl.col("first_day")) + 1)
    world.facts["person_day"] = (
        pl.concat([before, after])
        .filter(pl.col("first_day").is_not_null())
        .join(theirs, left_on="account", right_on="key")
        .select("person", days.alias("day"))
        .explode("day", empty_as_null=True, keep_nulls=True)
        .drop_nulls()
        .unique(maintain_order=True)
    )


async def _widened(db: Db, table: str, after: pl.DataFrame, world: World, directory: Directory) -> None:
    """When facts reach further than before, everybody's capacity of the days between is touched."""
    found = reach(table, after)
    if found is None:
        return
    known = {name: (first, last) for name, first, last in world.facts["extent"].iter_rows()}
    ranges = dict(known)
    old = known.get(table)
    ranges[table] = (min(found[0], old[0]), max(found[1], old[1])) if old else found
    days = _new_days(old, ranges[table])
    if known:
        days |= _new_days(_hull(known), _hull(ranges))
    if not days:
        return
    people = directory.segments.filter("member").select("person").unique(maintain_order=True)
    units = people.join(pl.DataFrame({"day": sorted(days)}, schema={"day": pl.Int64}), how="cross")
    world.facts["person_day"] = units
    sql = f'SELECT {storage.columnar.names("leave")} FROM "leave" WHERE first_day <= {max(days)}'
    world.facts["leave"] = storage.columnar.read(await storage.columnar.rows(db, sql), "leave")


def reach(table: str, rows: pl.DataFrame) -> tuple[int, int] | None:
    """First and last day (UTC) of new rows, for the tables whose reach makes capacity."""
    columns = scoring.facts.REACH.get(table)
    if columns is None or rows.is_empty():
        return None
    first = rows.select(pl.min_horizontal(pl.col(columns).min())).item()
    last = rows.select(pl.max_horizontal(pl.col(columns).max())).item()
    return None if first is None or last is None else (first // 86_400, last // 86_400)


def of_tickets(frames: Facts, tickets: pl.Series) -> Facts:
    """What is derived of tickets, their spans and what was told in them, of these tickets alone."""
    keys = {"ticket": "id", "span": "ticket", "informed": "ticket"}
    return {name: frames[name].filter(pl.col(key).is_in(tickets.implode())) for name, key in keys.items()}


def extended(table: str, after: pl.DataFrame, extent: pl.DataFrame) -> pl.DataFrame:
    """The days between which facts are known, once these rows are among them."""
    found = reach(table, after)
    if found is None:
        return extent
    known = {name: (first, last) for name, first, last in extent.iter_rows()}
    old = known.get(table, found)
    known[table] = (min(old[0], found[0]), max(old[1], found[1]))
    return pl.DataFrame([(name, *days) for name, days in known.items()], schema=extent.schema, orient="row")


def _hull(ranges: dict[str, tuple[int, int]]) -> tuple[int, int]:
    return min(first for first, _ in ranges.values()), max(last for _, last in ranges.values())


def _new_days(old: tuple[int, int] | None, new: tuple[int, int]) -> set[int]:
    if old is None:
        return set(range(new[0], new[1] + 1))
    return {*range(new[0], old[0]), *range(old[1] + 1, new[1] + 1)}


def changed(world: World, table: str, after: pl.DataFrame, gone: Sequence[str], extent: pl.DataFrame) -> World:
    """The world once rows of `table` are as in `after` and those in `gone` are no more."""
    facts = dict(world.facts)
    rest = facts.get(table, after.clear()).join(after, on="id", how="anti")
    if gone:
        rest = rest.filter(~pl.col("id").is_in(list(gone)))
    facts[table] = pl.concat([rest, after])
    facts["extent"] = extent
    return World(facts, world.tickets, world.rows, world.lone)
