"""The kill test in short: processes that deliver are killed while connections break and answers come late, and nothing
is lost or said twice. `make chaos` is the long one."""

from __future__ import annotations

import pytest

from bot.delivery import AT_ONCE
from storage.db import Store
from tests.chaos.harness import Run


def address(store: Store) -> str:
    return store.url.set(drivername=store.url.get_backend_name()).render_as_string(hide_password=False)


@pytest.mark.parametrize("seed", [7])
async def test_nothing_is_lost_or_said_twice_however_often_processes_are_killed(store: Store, seed: int) -> None:
    replicas, messages, kills = (1, 60, 5) if store.is_sqlite else (3, 100, 10)
    found = await Run(address(store), messages, kills, replicas, seed).run()
    assert (found.lost, found.extra, found.unflagged, found.stale) == ([], [], [], [])
    assert set(found.states) <= {"slack sent", "teams sent", "teams held"}
    assert found.states["slack sent"] > 0
    broken = sum(count for fate, count in found.fates.items() if fate not in ("well", "slow", "storm"))
    assert found.needlessly_held <= AT_ONCE * kills + broken  # a person is not asked about what nobody began


async def test_a_naive_sender_does_not_survive_the_same(sqlite_store: Store) -> None:
    found = await Run(address(sqlite_store), 60, 1, 1, 7, hurry=40.0, naive=True).run()
    assert found.extra
