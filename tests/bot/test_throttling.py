"""Throttling: two replicas against platforms that enforce what they publish; whoever is told to wait waits."""

from __future__ import annotations

import pytest

from storage.db import Store
from tests.chaos import throttle


@pytest.mark.parametrize(("platform", "recipient"), [("slack", "U{}"), ("teams", "teams:t/{}")])
async def test_nobody_calls_before_retry_after_and_everything_arrives(
    store: Store, platform: str, recipient: str
) -> None:
    everybody = [recipient.format(i % 12) for i in range(40)]
    found = await throttle.run(store, platform, everybody, 3600.0, hurry=10.0, storm=(1.0, 20))
    assert found.early == 0
    assert found.taken == 40
