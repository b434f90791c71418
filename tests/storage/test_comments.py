"""Comments in the database: versions that are never edited, of which the newest holds."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from sqlalchemy import text

import storage.comments
from scoring.comments import Comment
from storage.db import Store
from tests.storage import desk

FIRST = Comment(
    "team:1", "csat", "2026-W11", "Two analysts short.", "short_staffing", 1, "Person 1", "lead", desk.MONDAY
)


async def furnished(store: Store) -> None:
    async with store.write() as db:
        await desk.furnish(db)


async def keep(store: Store, one: Comment) -> int | None:
    async with store.write() as db:
        return await storage.comments.record(db, one)


async def test_a_comment_comes_back_as_it_was_kept(store: Store) -> None:
    await furnished(store)
    assert await keep(store, FIRST) is not None
    async with store.read() as db:
        assert await storage.comments.held(db, "team:1", "csat", "2026-W11") == FIRST
        assert await storage.comments.of(db, "team:1", ["2026-W11", "2026-03"]) == [FIRST]
        assert await storage.comments.held(db, "team:1", "nps", "2026-W11") is None
        for subject, periods in (("team:2", ["2026-W11"]), ("desk", ["2026-W11"]), ("team:1", ["2026-W12"])):
            assert await storage.comments.of(db, subject, periods) == []
        assert await storage.comments.of(db, "team:1", []) == []


async def test_a_new_version_takes_the_place_of_the_one_before_and_leaves_it(store: Store) -> None:
    await furnished(store)
    second = replace(FIRST, words="Mail was down.", cause="outage", by_id=2, by="Person 2", voice="manager", version=2)
    gone = replace(second, words="", cause="", version=3)
    for one in (FIRST, second):
        assert await keep(store, one) is not None
    async with store.read() as db:
        assert await storage.comments.of(db, "team:1", ["2026-W11"]) == [second]
    assert await keep(store, gone) is not None
    async with store.read() as db:
        assert await storage.comments.of(db, "team:1", ["2026-W11"]) == []
        assert await storage.comments.held(db, "team:1", "csat", "2026-W11") == gone
        said = await db.execute(text("SELECT words FROM comment ORDER BY version"))
        assert list(said.scalars()) == ["Two analysts short.", "Mail was down.", ""]


async def test_a_version_made_from_another_than_the_newest_is_not_kept(store: Store) -> None:
    await furnished(store)
    await keep(store, FIRST)
    for version in (0, 1, 3):
        assert await keep(store, replace(FIRST, words="Another.", version=version)) is None
    assert await keep(store, replace(FIRST, metric="nps")) is not None
    assert await keep(store, replace(FIRST, period="2026-W12")) is not None
    assert await keep(store, replace(FIRST, subject="desk")) is not None


async def test_of_comments_at_the_same_moment_one_is_kept(store: Store) -> None:
    await furnished(store)
    found = await asyncio.gather(*(keep(store, replace(FIRST, words=f"{n} short.")) for n in range(6)))
    assert sum(number is not None for number in found) == 1
