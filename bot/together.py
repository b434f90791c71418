"""Small pieces of work of many tasks, done together: what comes while the last lot is under way makes the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Together(Generic[T, R]):
    """Calls `work` with everything that has been asked meanwhile; it gives a result for each, in order.

    Nothing waits for others to come. What `work` raises, all of its lot get.
    """

    def __init__(self, work: Callable[[Sequence[T]], Awaitable[Sequence[R]]]) -> None:
        self._work = work
        self._next: tuple[list[T], asyncio.Task[Sequence[R]]] | None = None
        self._one = asyncio.Lock()

    async def __call__(self, item: T) -> R:
        if self._next is None:
            fresh: list[T] = []
            self._next = fresh, asyncio.create_task(self._run(fresh))
        lot, task = self._next
        place = len(lot)
        lot.append(item)
        results = await asyncio.shield(task)
        return results[place]

    async def _run(self, lot: list[T]) -> Sequence[R]:
        async with self._one:
            self._next = None  # who comes from now on waits for the next
            return await self._work(lot)
