"""Pace: what was sent lately to each conversation and workspace, so that replicas together keep a platform's limits.

A limit is a number of calls in any span of time. The instants of the calls are kept, those to come among them: a batch
reserves its instants in the transaction that claims it, and each message then waits for its own.
"""

from __future__ import annotations

import bisect
import itertools
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storage.db import Db
from storage.models import pace


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` calls in any `milliseconds`, for each of `windows`; `wide` where it binds a whole workspace."""

    key: str
    windows: tuple[tuple[int, int], ...]
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """When a call may be made, in milliseconds; where it is not `reserved`, that is too far off, because of `by`."""

    at: int
    by: Limit | None = None

    @property
    def reserved(self) -> bool:
        return self.by is None


@dataclass(slots=True)
class Lane:
    """The calls under one key: instants in milliseconds, in order, and when the next may be made at all."""

    stamps: list[int] = field(default_factory=list)
    free_at: int = 0
    changed: bool = False

    def earliest(self, windows: Iterable[tuple[int, int]], at: int) -> int:
        """The first instant from `at` on at which one more call keeps every window."""
        at = max(at, self.free_at)
        windows = tuple(windows)
        while True:
            later = max((self._after(count, span, at) for count, span in windows), default=at)
            if later == at:
                return at
            at = later

    def _after(self, count: int, span: int, at: int) -> int:
        """`at` where it fits; else a later instant, before which it does not."""
        stamps = self.stamps
        nearest = bisect.bisect_right(stamps, at - span)
        if bisect.bisect_left(stamps, at + span) - nearest < count:
            return at
        place = bisect.bisect_right(stamps, at)
        # with the new one put at `place`, no `count` + 1 in a row may lie within the span
        for first in range(max(place - count, nearest), place + 1):
            last = first + count  # in the list with the new one in it
            if last > len(stamps):
                continue
            begins = at if first == place else stamps[first]
            ends = at if last == place else stamps[last - 1]
            if ends - begins < span:
                return stamps[first] + span if first < place else stamps[place] + 1
        return at

    def forget(self, before: int) -> None:
        """Lets go of calls up to an instant."""
        del self.stamps[: bisect.bisect_right(self.stamps, before)]

    def give_back(self, at: int) -> None:
        """A call that was to be made at this instant is not."""
        if at in self.stamps:
            self.stamps.remove(at)
            self.changed = True

    def take(self, at: int) -> None:
        bisect.insort(self.stamps, at)
        self.changed = True


def reserve(
    lanes: dict[str, Lane], wishes: Sequence[Sequence[Limit]], now: int, until: int
) -> list[Slot]:
    """A slot for each wish (the limits one call falls under), in their order; beyond `until` none is reserved.

    Of those that find none, each of one conversation gets a later instant, so that they do not all come back at once.
    """
    slots = []
    queues: dict[str, Lane] = {}  # as the lanes would be, with those behind that find no slot yet
    for limits in wishes:
        at, by = now, None
        settled = False
        while not settled and at <= until:
            settled = True
            for limit in limits:
                later = lanes.setdefault(limit.key, Lane()).earliest(limit.windows, at)
                if later > at:
                    at, by, settled = later, limit, False
        if at <= until:
            for limit in limits:
                lanes[limit.key].take(at)
            slots.append(Slot(at))
            continue
        if by is not None and not by.wide:
            queue = queues.setdefault(by.key, Lane(list(lanes[by.key].stamps)))
            at = queue.earliest(by.windows, at)
            queue.take(at)
        slots.append(Slot(at, by))
    return slots


_WIDE = select(pace.c.key).where(pace.c.key.in_(bindparam("keys", expanding=True))).order_by(pace.c.key)
_LOCK = _WIDE.with_for_update()
_LANES = select(pace.c.key, pace.c.stamps, pace.c.free_at).where(pace.c.key.in_(bindparam("keys", expanding=True)))
_PAUSED = select(pace.c.key, pace.c.free_at).where(
    pace.c.key.in_(bindparam("keys", expanding=True)), pace.c.free_at > bindparam("now")
)
_PRUNE = delete(pace).where(pace.c.last_at < bindparam("before"), pace.c.free_at < bindparam("before"))
_AHEAD = select(pace.c.key, pace.c.stamps, pace.c.free_at).where(pace.c.last_at > bindparam("limit"))
_UNBLOCK = update(pace).where(pace.c.free_at > bindparam("limit")).values(free_at=0)


def _statements(insert: Any) -> tuple[Any, Any, Any]:
    """Makes rows, keeps their stamps, and keeps the longest pause."""
    make = insert(pace).on_conflict_do_nothing(index_elements=["key"])
    keep = insert(pace)
    told = {"stamps": keep.excluded.stamps, "last_at": keep.excluded.last_at}
    pause = insert(pace)
    longest = case((pace.c.free_at > pause.excluded.free_at, pace.c.free_at), else_=pause.excluded.free_at)
    return (
        make,
        keep.on_conflict_do_update(index_elements=["key"], set_=told),
        pause.on_conflict_do_update(index_elements=["key"], set_={"free_at": longest}),
    )


_SAVES = {"sqlite": _statements(sqlite.insert), "postgresql": _statements(postgresql.insert)}


async def slots(
    db: Db,
    wishes: Sequence[Sequence[Limit]],
    now: int,
    until: int,
    unused: Sequence[tuple[Sequence[Limit], int]] = (),
) -> list[Slot]:
    """`reserve` on what the database holds, in the caller's transaction; instants in milliseconds.

    `unused` are slots that were reserved before and will not be used: they are free again. Callers with a wide limit in
    common go one after the other until they commit.
    """
    limits = {limit.key: limit for wish in (*wishes, *(wish for wish, _ in unused)) for limit in wish}
    wide = sorted(key for key, limit in limits.items() if limit.wide)
    if not limits:
        return [Slot(now) for _ in wishes]
    make, keep, _ = _SAVES[db.dialect.name]
    if wide:
        found = (await db.execute(_LOCK, {"keys": wide})).all()
        if len(found) < len(wide):
            missing = sorted(set(wide) - {row.key for row in found})
            await db.execute(make, [_empty(key) for key in missing])
            await db.execute(_LOCK, {"keys": wide})
    rows = await db.execute(_LANES, {"keys": sorted(limits)})  # after the lock: what others reserved is seen
    lanes = {row.key: Lane(_read(row.stamps), row.free_at) for row in rows}
    for key, lane in lanes.items():
        longest = max((span for _, span in limits[key].windows), default=0)
        lane.forget(now - longest)
    for wish, at in unused:
        for limit in wish:
            lanes.setdefault(limit.key, Lane()).give_back(at)
    given = reserve(lanes, wishes, now, until)
    saved = [
        {"key": key, "stamps": _written(lane.stamps), "last_at": max(lane.stamps, default=0), "free_at": 0}
        for key, lane in sorted(lanes.items())
        if lane.changed
    ]
    if saved:
        await db.execute(keep, saved)
    return given


async def pause(db: Db, limits: Collection[Limit], until: int) -> None:
    """Nobody calls under these limits before `until`, in milliseconds; a longer pause is kept.

    Wide ones come first, as in `slots`: of two who take them in turn neither waits for the other for ever.
    """
    if limits:
        ordered = sorted(limits, key=lambda limit: (not limit.wide, limit.key))
        await db.execute(_SAVES[db.dialect.name][2], [_empty(limit.key) | {"free_at": until} for limit in ordered])


async def paused(db: Db, keys: Collection[str], now: int) -> dict[str, int]:
    """Those of the keys under which nobody may call at `now`, and until when, in milliseconds."""
    if not keys:
        return {}
    return {row.key: row.free_at for row in await db.execute(_PAUSED, {"keys": sorted(keys), "now": now})}


async def mend(db: Db, now: int, furthest: int) -> int:
    """Undoes what lies further ahead than it can, as after a clock that was wrong; returns how many keys."""
    limit = now + furthest
    mended = int((await db.execute(_UNBLOCK, {"limit": limit})).rowcount)
    ahead = (await db.execute(_AHEAD, {"limit": limit})).all()
    saved = []
    for row in ahead:
        stamps = [stamp for stamp in _read(row.stamps) if stamp <= now]
        saved.append(_empty(row.key) | {"stamps": _written(stamps), "last_at": stamps[-1] if stamps else 0})
    if saved:
        await db.execute(_SAVES[db.dialect.name][1], saved)
    return mended + len(saved)


async def prune(db: Db, before: int) -> int:
    """Forgets keys under which nothing has happened since `before`, in milliseconds; returns how many."""
    return int((await db.execute(_PRUNE, {"before": before})).rowcount)


def _empty(key: str) -> dict[str, Any]:
    return {"key": key, "stamps": "[]", "last_at": 0, "free_at": 0}


def _read(text: str) -> list[int]:
    return list(itertools.accumulate(json.loads(text)))


def _written(stamps: Sequence[int]) -> str:
    steps = [later - sooner for sooner, later in itertools.pairwise(stamps)]
    return json.dumps([*stamps[:1], *steps], separators=(",", ":"))
