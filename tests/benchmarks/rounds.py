"""How the benchmarks measure: a variant and its floor interleaved in one run, and the median of their ratios."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

ROUNDS = 7


@dataclass(frozen=True, slots=True)
class Measured:
    """A ratio against its bound. `better` says which side of the bound is good."""

    name: str
    ratio: float
    bound: float
    better: str  # "at most", "at least"
    detail: str = ""

    @property
    def holds(self) -> bool:
        return self.ratio <= self.bound if self.better == "at most" else self.ratio >= self.bound


def seconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """How long `work` takes by `clock` (wall time unless told)."""
    began = clock()
    work()
    return clock() - began


async def seconds_of(work: Callable[[], Awaitable[object]], clock: Callable[[], float] = time.perf_counter) -> float:
    """The same for a coroutine."""
    began = clock()
    await work()
    return clock() - began


def median_ratio(pairs: list[tuple[float, float]]) -> float:
    """The median over rounds of variant ÷ floor."""
    return statistics.median(variant / floor for variant, floor in pairs)
