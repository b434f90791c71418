"""The desk on both databases: made once, then copied for every test."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

import storage.schema
from storage.db import Store
from tests.handlers import desk as small
from tests.handlers.desk import Desk


@pytest.fixture(scope="session")
def desk_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The desk as a SQLite file, to be copied."""
    return small.make(tmp_path_factory.mktemp("desk") / "desk.db")


def _url(base: str, name: str) -> str:
    head, _, query = base.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")


async def _admin(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def _template(url: str, name: str) -> None:
    await _admin(url, f'CREATE DATABASE "{name}"')
    store = Store(_url(url, name))
    await storage.schema.upgrade(store)
    await small.build(store)
    await store.close()


@pytest.fixture(scope="session")
def desk_template(postgres_url: str) -> Iterator[str]:
    """The desk as a PostgreSQL database, to be copied."""
    name = f"redfirst_desk_{uuid.uuid4().hex}"
    asyncio.run(_template(postgres_url, name))
    yield name
    asyncio.run(_admin(postgres_url, f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture
async def sqlite_desk(desk_file: Path, tmp_path: Path) -> AsyncIterator[Desk]:
    """The desk on SQLite."""
    shutil.copy(desk_file, tmp_path / "redfirst.db")
    store = Store(f"sqlite:///{tmp_path / 'redfirst.db'}")
    yield await Desk(store).learn()
    await store.close()


@pytest.fixture
async def postgres_desk(postgres_url: str, desk_template: str) -> AsyncIterator[Desk]:
    """The desk on PostgreSQL."""
    name = f"redfirst_{uuid.uuid4().hex}"
    await _admin(postgres_url, f'CREATE DATABASE "{name}" TEMPLATE "{desk_template}"')
    store = Store(_url(postgres_url, name))
    yield await Desk(store).learn()
    await store.close()
    await _admin(postgres_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", "postgresql"])
def desk(request: pytest.FixtureRequest) -> Desk:
    """The same test on both databases."""
    value: Desk = request.getfixturevalue("sqlite_desk" if request.param == "sqlite" else "postgres_desk")
    return value
