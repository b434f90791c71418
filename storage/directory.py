"""People as columns: whose account, in which team, zone and hours on which day, read with five statements."""
# ruff: noqa: S608  (names of tables and columns are the schema's own; values are parameters)

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl
from sqlalchemy import select

import scoring.directory
import storage.columnar
import storage.people
from scoring.directory import Directory
from scoring.people import Hours, Membership
from storage.db import Db
from storage.models import account, client_number, membership, person
from storage.people_file import hours_of

_PEOPLE = select(person.c.id, person.c.zone, person.c.hours)
_MEMBERSHIPS = select(membership).order_by(membership.c.id)
_ACCOUNTS = (
    select(account.c.key, account.c.person_id)
    .where(account.c.state == "linked", account.c.person_id.is_not(None))
    .order_by(account.c.key)
)
_CLIENTS = select(client_number.c.client, client_number.c.id)


async def read(db: Db, zone: str = "UTC") -> Directory:
    """Everybody's accounts, zones, teams and calendars; `zone` is for what belongs to no person. Five statements."""
    people: list[tuple[int, str, Hours | None]] = [
        (row.id, row.zone, hours_of(row.hours) if row.hours else None) for row in await db.execute(_PEOPLE)
    ]
    held = [
        Membership(r.person_id, r.team_id, r.role, r.from_day, r.to_day, r.tier, r.manager_id)
        for r in await db.execute(_MEMBERSHIPS)
    ]
    linked = {row.key: row.person_id for row in await db.execute(_ACCOUNTS)}
    clients = {row.client: row.id for row in await db.execute(_CLIENTS)}
    return scoring.directory.build(people, await storage.people.teams(db), held, linked, clients, zone)


async def of_accounts(db: Db, keys: Sequence[str], zone: str = "UTC") -> Directory:
    """The same of those alone whom these accounts are linked to, and of no clients: what a few tickets take."""
    linked = await _listed(db, "key, person_id", "account", "key", keys, "AND state = 'linked' ORDER BY key")
    accounts = {str(key): int(number) for key, number in linked if number is not None}
    numbers = sorted(set(accounts.values()))
    people = await _listed(db, "id, zone, hours", "person", "id", numbers)
    held = await _listed(
        db, "person_id, team_id, role, from_day, to_day, tier, manager_id", "membership", "person_id", numbers,
        "ORDER BY id",
    )  # fmt: skip
    whole = [(number, its_zone, hours_of(hours) if hours else None) for number, its_zone, hours in people]
    stays = [Membership(*row) for row in held]
    return scoring.directory.build(whole, await storage.people.teams(db), stays, accounts, {}, zone)


async def _listed(
    db: Db, names: str, table: str, column: str, items: Sequence[Any], rest: str = ""
) -> list[tuple[Any, ...]]:
    kind = "text" if column == "key" else "int"
    sql = f"SELECT {names} FROM {table} WHERE {storage.columnar.listed(db, column, kind)} {rest}"
    return await storage.columnar.rows(db, sql, storage.columnar.values(db, items))


async def with_clients(db: Db, rows: pl.DataFrame, known: Directory) -> Directory | None:
    """The directory with the numbers of these rows' clients; None where one has no number yet."""
    new = _unnumbered(rows, known)
    if not new:
        return known
    sql = f"SELECT client, id FROM client_number WHERE {storage.columnar.listed(db, 'client')}"
    found = await storage.columnar.rows(db, sql, storage.columnar.values(db, new))
    added = pl.DataFrame(found, schema={"client": pl.String, "number": pl.Int64}, orient="row")
    return replace(known, clients=pl.concat([known.clients, added])) if len(found) == len(new) else None


async def numbered_clients(db: Db, rows: pl.DataFrame, known: Directory) -> Directory:
    """The same, where clients without a number get one."""
    found = await with_clients(db, rows, known)
    if found is not None:
        return found
    if storage.columnar.is_sqlite(db):
        sql = "INSERT INTO client_number (client) SELECT value FROM json_each(?) WHERE true ON CONFLICT DO NOTHING"
    else:
        sql = "INSERT INTO client_number (client) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING"
    await db.exec_driver_sql(sql, storage.columnar.values(db, _unnumbered(rows, known)))
    return await with_clients(db, rows, known) or known


def _unnumbered(rows: pl.DataFrame, known: Directory) -> list[str]:
    """Clients of these rows that the directory has no number for, in order."""
    if "client" not in rows.columns:
        return []
    new = rows["client"].drop_nulls().unique()
    return new.filter(~new.is_in(known.clients["client"].implode())).sort().to_list()
