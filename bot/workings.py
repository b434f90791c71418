"""Works decisions on distortions into figures and closed scores: beside the questions, in small transactions."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

import handlers.workings
import storage.columnar
import storage.rules
import storage.windows
import storage.workings
from handlers.call import Ctx
from handlers.groups import Group
from handlers.workings import Looked
from scoring.people import Person
from scoring.periods import Period
from storage.db import Db, Store
from storage.workings import Working

EVERY = 2.0
"""Seconds between looks for decisions that are to be worked in."""

LEASE = 120
"""Seconds after which what a process has let fall is taken up by another; longer than any step."""


LOOKS = 5
"""Times that closed scores are looked at without the write lock, where more comes to be known in between."""


class Workings:
    """Every step may be repeated, by any replica: what is done already is found to be so.

    `actor` is the product itself; `kick` wakes the delivery when people have been told.
    """

    def __init__(
        self,
        store: Store,
        rules: storage.rules.InForce,
        clock: Callable[[], datetime],
        actor: Person,
        kick: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._rules, self._clock, self._actor, self._kick = store, rules, clock, actor, kick
        self._busy = asyncio.Lock()
        self._stopping = False
        self._failed: set[tuple[int, str]] = set()

    @property
    def busy(self) -> bool:
        """Whether this process is at it."""
        return self._busy.locked()

    async def stop(self) -> None:
        """Begins no further step, and lets the one under way come to its end."""
        self._stopping = True
        async with self._busy:
            return

    async def turn(self) -> int:
        """Works in what there is; returns how many decisions. What fails is set aside for a while, and raised."""
        done = 0
        async with self._busy:
            while not self._stopping:
                async with self._store.read() as db:
                    if not await storage.workings.waiting(db):
                        break
                async with self._store.write() as db:
                    one = await storage.workings.claim(db, secrets.token_hex(8), self._now(), self._lease())
                if one is None:
                    break
                try:
                    whole = await self._work(one)
                except Exception:
                    async with self._store.write() as db:
                        await storage.workings.set_aside(db, one, self._lease())
                    raise
                if not whole:
                    break
                done += 1
        return done

    async def _work(self, one: Working) -> bool:
        """From the stage where it stands to its end; False where it was left to whoever comes next."""
        at: Working | None = one
        if one.stage == "figures":
            async with self._store.read() as db:
                rules = await self._rules.get(db, self._clock())
            at = await storage.windows.work(
                self._store, rules, one, self._lease, lambda db: self._kept(db, one), lambda: self._stopping
            )
        if at is not None and await self._scores(at):
            self._kick()
            return True
        async with self._store.write() as db:
            await storage.workings.release(db, at or one)
        return False

    async def _kept(self, db: Db, one: Working) -> None:
        await handlers.workings.figures_kept(await self._ctx(db), one)

    async def _scores(self, one: Working) -> bool:
        async with self._store.read() as db:
            left = await storage.workings.left(db, one)
        for subject in sorted(left, key=lambda subject: (one.number, subject) in self._failed):
            self._failed.add((one.number, subject))  # whoever it fails for comes last the next time
            if not await self._subject(one, subject):
                return False
            self._failed.discard((one.number, subject))
        return await self._step(one, lambda ctx: handlers.workings.finish(ctx, one))

    async def _subject(self, one: Working, subject: str) -> bool:
        if subject.startswith("person:"):
            return await self._look(one, subject, lambda ctx: handlers.workings.look_at_person(ctx, one, subject))
        async with self._store.read() as db:
            steps = await handlers.workings.steps(await self._ctx(db), one, subject)
        for group, period in steps:
            if not await self._group(one, subject, group, period):
                return False
        return await self._step(one, lambda ctx: storage.workings.looked(ctx.db, one, subject, 0))

    async def _group(self, one: Working, subject: str, group: Group, period: Period) -> bool:
        look = partial(handlers.workings.look_at_group, group=group, period=period)
        return await self._look(one, subject, look, whole=False)

    async def _look(
        self, one: Working, subject: str, look: Callable[[Ctx], Awaitable[Looked]], *, whole: bool = True
    ) -> bool:
        """Looks without the write lock, which others need, and keeps what was found; False as `_step`.

        Where more came to be known in between it looks again, the last time with the lock.
        """
        for _ in range(LOOKS):
            if self._stopping:
                return False
            async with self._store.read() as db:
                found = await look(await self._ctx(db))
            async with self._store.write() as db:
                await storage.columnar.lock(db)  # nobody writes facts or figures meanwhile
                if not await storage.workings.hold(db, one, self._lease()):
                    return False
                ctx = await self._ctx(db)
                if await handlers.workings.holds(ctx, found):
                    await handlers.workings.keep(ctx, one, subject, found, whole=whole)
                    return True
        async with self._store.write() as db:
            await storage.columnar.lock(db)
            if self._stopping or not await storage.workings.hold(db, one, self._lease()):
                return False
            ctx = await self._ctx(db)
            await handlers.workings.keep(ctx, one, subject, await look(ctx), whole=whole)
        return True

    async def _step(self, one: Working, act: Callable[[Ctx], Awaitable[None]]) -> bool:
        """One transaction; False where it is ours no more, or we are to stop."""
        if self._stopping:
            return False
        async with self._store.write() as db:
            if not await storage.workings.hold(db, one, self._lease()):
                return False
            await act(await self._ctx(db))
        return True

    async def _ctx(self, db: Db) -> Ctx:
        now = self._clock()
        return Ctx(db, self._actor, now, await self._rules.get(db, now))

    def _now(self) -> int:
        return int(self._clock().timestamp())

    def _lease(self) -> int:
        return self._now() + LEASE
