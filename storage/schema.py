"""The schema's version: migrations up and down, run through Alembic on our own connection."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from scoring.refused import Refused

if TYPE_CHECKING:
    from alembic.config import Config

    from storage.db import Db, Store


class Unreachable(Refused):
    """There is no database to speak to; the remedy names its address."""


def _config(connection: Connection) -> Config:
    from alembic.config import Config  # slow to import, and needed by few commands

    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection, revision: str) -> None:
    from alembic import command

    command.upgrade(_config(connection), revision)


def _downgrade(connection: Connection, revision: str) -> None:
    from alembic import command

    command.downgrade(_config(connection), revision)


def _versions(connection: Connection) -> tuple[str | None, str | None]:
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    found = MigrationContext.configure(connection).get_current_revision()
    return found, ScriptDirectory.from_config(_config(connection)).get_current_head()


async def upgrade(store: Store, revision: str = "head") -> None:
    """Brings the database to `revision`, in one transaction."""
    async with store.write() as db:
        await db.run_sync(_upgrade, revision)


async def downgrade(store: Store, revision: str = "base") -> None:
    """Takes the database back to `revision`, in one transaction. Rows of dropped tables are lost."""
    async with store.write() as db:
        await db.run_sync(_downgrade, revision)


def _path(connection: Connection) -> list[str]:
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(_config(connection))
    return ["base", *reversed([one.revision for one in script.walk_revisions()])]


@asynccontextmanager
async def _reached(store: Store) -> AsyncIterator[Db]:
    """A reading transaction; Unreachable with the remedy where there is no database to read."""
    try:
        async with store.read() as db:
            yield db
    except (SQLAlchemyError, OSError) as error:
        raise Unreachable(
            "The database cannot be reached.",
            f"See that it runs, and that REDFIRST_DATABASE_URL is right: {store.url.render_as_string()}.",
        ) from error


async def version(store: Store) -> str | None:
    """The version the database is at; None for an empty one."""
    async with _reached(store) as db:
        return (await db.run_sync(_versions))[0]


async def path(store: Store) -> list[str]:
    """Every version this program knows, oldest first, beginning with "base", the empty database."""
    async with _reached(store) as db:
        return await db.run_sync(_path)


async def require_current(store: Store) -> None:
    """Raises Refused where the database cannot be reached or is not at the version this program needs."""
    async with _reached(store) as db:
        found, head = await db.run_sync(_versions)
    if found != head:
        raise Refused(
            f"The database is at version {found or 'none'}, this program needs {head}.",
            "Run `redfirst migrate`.",
        )
