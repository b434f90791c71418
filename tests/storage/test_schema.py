"""The database's schema: migrations up and down on both databases, and models that equal them."""

from __future__ import annotations

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

import storage.loads
import storage.schema
from scoring.refused import Refused
from storage import models_told
from storage.db import Store


def _differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, models_told.metadata))


async def test_the_models_equal_the_migrations(store: Store) -> None:
    async with store.read() as db:
        assert await db.run_sync(_differences) == []


async def test_migrations_go_down_to_nothing_and_up_again(store: Store) -> None:
    await storage.schema.downgrade(store)
    async with store.read() as db:
        assert await db.run_sync(lambda c: inspect(c).get_table_names()) == ["alembic_version"]
    with pytest.raises(Refused, match="redfirst migrate"):
        await storage.schema.require_current(store)
    await storage.schema.upgrade(store)
    await storage.schema.require_current(store)
    async with store.read() as db:
        assert await db.run_sync(_differences) == []


async def test_how_new_the_data_are_does_not_jump_back_when_older_tickets_come_after_the_migration(
    store: Store,
) -> None:
    await storage.schema.downgrade(store, "0010")
    async with store.write() as db:
        await db.execute(
            text(
                "INSERT INTO load (source, file, digest, state, started_at, rows, rejected, as_of) "
                "VALUES ('x', 'tickets.csv', '', 'done', 0, 1, 0, 2000), ('x', 'empty.csv', '', 'done', 0, 0, 0, NULL)"
            )
        )
    await storage.schema.upgrade(store)
    async with store.write() as db:
        number = await storage.loads.begin(db, "x", "backfill.csv", "", 3000)
        await storage.loads.finish(db, number, storage.loads.Progress(1, 0, 1000, 1000), 3000)
        assert await storage.loads.as_of(db) == 2000


async def test_rollups_are_clustered_by_their_key_on_sqlite(sqlite_store: Store) -> None:
    async with sqlite_store.read() as db:
        sql = await db.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'rollup'")
        assert "WITHOUT ROWID" in sql.scalar_one()
