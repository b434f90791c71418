"""The time on the made-up desk, which a visitor of the demo can move on, and what happens on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

import scoring.periods
import scoring.schedules
import storage.health
import storage.outbox
import storage.timetable
from bot.scheduler import Timekeeper
from scoring.refused import Refused
from storage.db import Store

FURTHEST = timedelta(days=36)
"""How far the clock moves at once: to the Monday after four weeks, wherever the week stands."""

EVERY = 60.0
"""Seconds after which it is looked whether a midnight has passed by itself."""

STOPS = 1000
"""Times at which something is due, on the way, after which a move gives up and says so."""

PATIENCE = 5.0
"""Seconds in which what was made at one of them has to be shown."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Movable:
    """A clock that is `ahead` of the real one, and can be moved forwards only."""

    def __init__(self, ahead: timedelta = timedelta(), real: Callable[[], datetime] = _utc_now) -> None:
        self._ahead, self._real = ahead, real

    def __call__(self) -> datetime:
        return self._real() + self._ahead

    def to(self, instant: datetime) -> None:
        """It is `instant` from now on; nothing happens where that is over."""
        self._ahead = max(self._ahead, instant - self._real())


def target(now: datetime, zone: str, word: str) -> datetime:
    """The instant that is meant by "hours" (two on), or by "tomorrow", "monday" and "weeks" (the first Monday after
    four), all at 09:00. Raises Refused."""
    if word == "hours":
        return now + timedelta(hours=2)
    today = scoring.periods.day_of(scoring.periods.today(now, zone))
    monday, weeks = (scoring.periods.monday(day) + 7 for day in (today, today + 27))
    days = {"tomorrow": today + 1, "monday": monday, "weeks": weeks}
    if word not in days:
        raise Refused("The clock cannot be moved there.", "Choose one of the buttons.")
    return datetime.fromtimestamp(scoring.schedules.instant(zone, days[word], 9 * 60), UTC)


class Scene(Protocol):
    """What happens around the clock."""

    @property
    def until(self) -> datetime | None:
        """How far the clock can be moved; None where nothing keeps it."""

    async def begun(self) -> None:
        """Returns when everything is in place."""

    async def up_to(self, instant: datetime, end: datetime | None = None) -> None:
        """Makes known what has happened up to an instant, on the way to `end`, before anything is said about it."""

    async def tidied(self) -> None:
        """Closes what is over, at the end of a move."""


class Still:
    """A scene in which nothing happens."""

    until = None

    async def begun(self) -> None: ...

    async def up_to(self, instant: datetime, end: datetime | None = None) -> None: ...

    async def tidied(self) -> None: ...


class Mover:
    """Moves the clock on, from one time at which something is due to the next, so that nothing is made late."""

    def __init__(
        self,
        clock: Movable,
        store: Store,
        timetable: Timekeeper,
        patience: float = PATIENCE,
        scene: Scene | None = None,
    ) -> None:
        self._patience, self._scene = patience, scene or Still()
        self._clock, self._store, self._timetable = clock, store, timetable
        self._moving = asyncio.Lock()

    async def keep_up(self) -> None:
        """Makes known what has happened by now, where nobody moves the clock."""
        async with self._moving:
            await self._scene.up_to(self._clock())

    async def on(self, instant: datetime) -> datetime:
        """Goes on to an instant and returns what time it is then. Raises Refused for the past and the far future."""
        async with self._moving:
            now, until = self._clock(), self._scene.until
            if not now < instant <= now + FURTHEST:
                raise Refused("The clock moves forwards, by five weeks at most.", "Choose one of the buttons.")
            if until is not None and instant > until:
                raise Refused(
                    f"The made-up desk has a story up to {until:%A} {until.day} {until:%B %Y}, and no further.",
                    "Start it anew with redfirst demo --fresh.",
                )
            await self._scene.begun()
            await self._scene.up_to(now)
            await self._timetable.turn()
            for _ in range(STOPS):
                async with self._store.read() as db:
                    wakes = await storage.timetable.wakes_at(db)
                if wakes is None or wakes >= instant.timestamp():
                    break
                stop = datetime.fromtimestamp(wakes, UTC)
                await self._scene.up_to(stop, instant)
                self._clock.to(stop)
                if not await self._timetable.turn() and await self._stuck(wakes):
                    break
                await self._shown()
            await self._scene.up_to(instant)
            self._clock.to(instant)
            await self._timetable.turn()
            await self._scene.tidied()
            await self._shown()
            return self._clock()

    async def _stuck(self, wakes: int) -> bool:
        async with self._store.read() as db:
            return await storage.timetable.wakes_at(db) == wakes

    async def _shown(self) -> None:
        """Waits until what was said has been shown: a message under way would look as if it had been left behind."""
        try:
            async with asyncio.timeout(self._patience):
                while await self._waiting():  # noqa: ASYNC110  another process may show it
                    await asyncio.sleep(0.02)
        except TimeoutError:
            return

    async def _waiting(self) -> bool:
        async with self._store.read() as db:
            states = await storage.outbox.counted(db)
            oldest = await storage.health.oldest_due(db, ["demo"])
        under_way = states.get("claimed", 0) + states.get("posting", 0)
        return bool(under_way) or (oldest is not None and oldest <= self._clock().timestamp())
