"""Published limits as a platform enforces them: a call too many is refused with Retry-After, and so is every call
before that time. The numbers are written out here a second time, so that a wrong one in the product is found."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

SLACK_CHANNEL = ((1, 1.0),)
SLACK_WORKSPACE = ((300, 60.0),)
"""chat.postMessage: "several hundred a minute"."""
SLACK_TIER_3 = ((50, 60.0),)
TEAMS_CONVERSATION = ((7, 1.0), (8, 2.0), (60, 30.0), (1800, 3600.0))
TEAMS_TENANT = ((50, 1.0),)

Windows = Sequence[tuple[int, float]]


@dataclass
class Limiter:
    """Calls by key. `clock` gives seconds. `early` counts calls made although the caller had been told to wait."""

    clock: Callable[[], float]
    grace: float = 0.0
    """Seconds after a refusal in which calls still come from those who cannot have heard of it."""
    refused: int = 0
    early: int = 0
    admitted: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _closed: dict[str, tuple[float, float]] = field(default_factory=dict)

    def admit(self, *wanted: tuple[str, Windows]) -> int:
        """0 where the call is taken; else the whole seconds that Retry-After names."""
        now = self.clock()
        wait = 0
        for key, _ in wanted:
            since, until = self._closed.get(key, (0.0, 0.0))
            if now < until:
                self.early += now > since + self.grace
                wait = max(wait, math.ceil(until - now))
        for key, windows in wanted:
            taken = self.admitted[key]
            while taken and taken[0] <= now - max(span for _, span in windows):
                taken.popleft()
            for count, span in windows:
                if len(taken) >= count and now - taken[-count] < span:
                    until = taken[-count] + span
                    wait = max(wait, math.ceil(until - now))
                    self._closed[key] = (now, now + math.ceil(until - now))
        if wait:
            self.refused += 1
            return wait
        for key, _ in wanted:
            self.admitted[key].append(now)
        return 0

    def close(self, key: str, seconds: int) -> None:
        """A storm: nothing under this key is taken for so long."""
        now = self.clock()
        self._closed[key] = (now, now + seconds)
