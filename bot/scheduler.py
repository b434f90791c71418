"""The clockwork: what happens by itself, in small transactions, whatever else is going on."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

import bot.observe
import bot.workings
import handlers.freezing
import handlers.makers
import handlers.timetable
import scoring.periods
import scoring.schedules
import storage.inbox
import storage.people
import storage.rules
import storage.timetable
from bot.workings import Workings
from handlers.call import Ctx
from handlers.groups import Group
from handlers.timetable import Maker
from scoring.people import Person, Team
from scoring.refused import Refused
from scoring.rules import Rules
from scoring.schedules import Due, Schedule
from storage.db import Db, Store
from storage.timetable import Claimed, Move, Run

log = logging.getLogger("redfirst.scheduler")

REMEMBERED = timedelta(days=7)
"""How long the inbox knows what it has seen; platforms re-send within hours."""

LEDGER = timedelta(days=400)
"""How long it is known what became of each time of a schedule."""

SYNC = timedelta(minutes=15)
"""How often the timetable is compared with the rules although nothing seems to have changed."""

BUDGET = 0.2
"""Seconds of making in one transaction: SQLite has one writer, and others wait for it."""

MOST = 500
"""Schedules claimed at once where each is quick."""

SOME = 50
"""People looked at in one go for scores to be closed: others are answered in between."""

PATIENCE = 30.0
"""Seconds that one maker may take."""

ATTEMPTS = 6
"""After so many failures, a minute, two, four … apart, a time is recorded as failed."""

_STATES: Mapping[str, storage.timetable.State] = {"make": "made", "make_late": "late", "skip": "skipped"}

REDFIRST = Person(id=0, key="redfirst", name="Redfirst", role="admin", team_id=None)
"""Who acts where nobody asked."""


@dataclass(slots=True)
class _Batch:
    """What one transaction does: entries of the ledger, and where schedules stand after it."""

    runs: list[Run] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    strangers: int = 0
    spent: bool = False


class Timekeeper:
    """Keeps the timetable as the rules say, and makes what is due on it, batch by batch; `kick` wakes the delivery.

    `makers` are those of `handlers.makers` unless given; `patience` is seconds a maker may take.
    Any number of replicas may do this.
    """

    def __init__(
        self,
        store: Store,
        rules: storage.rules.InForce,
        clock: Callable[[], datetime],
        kick: Callable[[], None] = lambda: None,
        makers: Mapping[str, Maker] | None = None,
        *,
        patience: float = PATIENCE,
    ) -> None:
        self._patience = patience
        self._store, self._in_force, self._clock, self._kick = store, rules, clock, kick
        self._makers = handlers.makers.MAKERS if makers is None else makers
        self._busy = asyncio.Lock()
        self._stopping = False
        self._listed: tuple[int, int] | None = None  # version of the rules, and a mark of the teams
        self._known: dict[str, tuple[Schedule, str]] = {}
        self._synced: datetime | None = None
        self._rules: Rules | None = None
        self._most = 16

    async def stop(self) -> None:
        """Begins nothing more, and lets a batch under way come to its end."""
        self._stopping = True
        async with self._busy:
            return

    async def turn(self) -> int:
        """Makes everything that is due now; returns how many times were dealt with. Never raises."""
        dealt = 0
        async with self._busy:
            try:
                await self._sync()
                while not self._stopping and (done := await self._some()):
                    dealt += done
                    self._kick()
            except Exception:
                log.exception("the timetable could not be worked on; the next turn does it")
        return dealt

    async def _sync(self) -> None:
        """Lists what the rules and teams ask for, where that has changed and these rules are the newest."""
        now = self._clock()
        recent = self._synced is not None and abs(now - self._synced) < SYNC
        async with self._store.read() as db:
            self._rules = rules = await self._in_force.get(db, now)
            asked = rules.version, await storage.timetable.calendars(db)
            if asked == self._listed and recent:
                return
            teams = await storage.people.teams(db)
        makers = self._makers.keys()
        known = await asyncio.to_thread(_listed, rules, teams, makers)
        async with self._store.write() as db:
            if await storage.rules.version(db) > rules.version:
                return
            synced = await storage.timetable.sync(db, known, makers, int(now.timestamp()))
        self._known, self._listed, self._synced = known, asked, now
        if synced != storage.timetable.Synced():
            numbers = {"new": synced.new, "changed": synced.changed, "gone": synced.gone}
            log.info("the timetable follows the rules", extra=numbers)

    async def _some(self) -> int:
        """One batch, one transaction; schedule by schedule where one of them fails. 0 when nothing is left to do."""
        now = int(self._clock().timestamp())
        claimed: list[Claimed] = []
        batch, failed = _Batch(), False
        try:
            async with self._store.write() as db:
                claimed = await storage.timetable.claim(db, now, self._most)
                await self._make(db, claimed, batch, now)
                await storage.timetable.write(db, batch.runs, batch.moves, now)
        except Exception:
            if not claimed:
                raise
            failed = True
        if failed:  # whichever it was, it is logged when it fails alone
            log.warning("a batch of the timetable failed; its schedules are made one by one")
            return await self._singly(claimed)
        _count(batch.runs)
        if batch.spent:
            self._most = max(4, len(batch.moves))
        elif len(claimed) == self._most:
            self._most = min(MOST, 2 * self._most)
        if batch.strangers:
            self._listed = None  # another replica has newer rules or teams: look again with the next turn
        return len(batch.runs)

    async def _make(self, db: Db, claimed: Iterable[Claimed], batch: _Batch, now: int) -> None:
        loop = asyncio.get_running_loop()
        began = breath = loop.time()
        ctx = self._ctx(db, now)
        alike: dict[tuple[str, str, int], scoring.schedules.Step] = {}
        for row in claimed:
            schedule, digest = self._known.get(row.key, (None, ""))
            if schedule is None or digest != row.digest:
                batch.strangers += 1
                continue
            dues, next_at = self._step(schedule, digest, row.done, now, alike)
            done = row.done
            for place, due in enumerate(dues):
                if due.verdict != "skip":
                    if loop.time() - began > BUDGET and batch.runs:
                        batch.spent, next_at = True, dues[place].at
                        break
                    await self._made(ctx, due)
                batch.runs.append(_run(due, row))
                done = due.mark
                if loop.time() - breath > BUDGET / 20:
                    await asyncio.sleep(0)
                    breath = loop.time()
            if done != row.done or not dues:
                batch.moves.append(Move(row.key, done, next_at, next_at))
            if batch.spent:
                break

    @staticmethod
    def _step(
        schedule: Schedule, digest: str, done: int, now: int, alike: dict[tuple[str, str, int], scoring.schedules.Step]
    ) -> scoring.schedules.Step:
        """What is due of a schedule, worked out once for all that have the same times and stand at the same one."""
        key = digest, schedule.catch_up, done
        found = alike.get(key)
        if found is None:
            found = alike[key] = scoring.schedules.step(schedule, done, now)
            return found
        dues = [Due(schedule, one.at, one.day, one.verdict, one.why, one.mark) for one in found.dues]
        return scoring.schedules.Step(dues, found.next_at)

    async def _made(self, ctx: Ctx, due: Due) -> None:
        async with asyncio.timeout(self._patience):
            await self._makers[due.schedule.maker](ctx, due)

    async def _singly(self, claimed: Iterable[Claimed]) -> int:
        """The same, one time of one schedule a transaction, so that a failure concerns nobody else."""
        dealt = 0
        for row in claimed:
            known = self._known.get(row.key)
            while known is not None and not self._stopping:
                done = await self._single(known[0], known[1])
                dealt += done
                if not done:
                    break
        return dealt

    async def _single(self, schedule: Schedule, digest: str) -> int:
        """Deals with the times of a schedule up to the first that is made; 0 where there are none, or it failed."""
        now = int(self._clock().timestamp())
        due: Due | None = None
        try:
            async with self._store.write() as db:
                row = await storage.timetable.claim_one(db, schedule.key, now)
                if row is None or row.digest != digest:
                    return 0
                dues, next_at = scoring.schedules.step(schedule, row.done, now)
                runs = []
                for place, due in enumerate(dues):
                    if await storage.timetable.told(db, schedule.key, due.stands_for):
                        continue
                    runs.append(_run(due, row))
                    if due.verdict != "skip":
                        await self._made(self._ctx(db, now), due)
                        dues, next_at = dues[: place + 1], dues[place + 1].at if place + 1 < len(dues) else next_at
                        break
                mark = dues[-1].mark if dues else row.done
                await storage.timetable.write(db, runs, [Move(row.key, mark, next_at, next_at)], now)
        except Refused as no:
            return await self._gave_up(schedule, digest, due, "skipped", str(no))
        except Exception:
            reference = secrets.token_hex(4)
            log.exception("%s failed", schedule.key, extra={"reference": reference})
            problem = f"It could not be made; the log has more under {reference}."
            return await self._gave_up(schedule, digest, due, "failed", problem)
        _count(runs)
        return max(1, len(runs))

    async def _gave_up(
        self, schedule: Schedule, digest: str, due: Due | None, state: storage.timetable.State, problem: str
    ) -> int:
        """Another attempt later; after the last one, or where making it was refused, an entry in the ledger."""
        now = int(self._clock().timestamp())
        async with self._store.write() as db:
            row = await storage.timetable.claim_one(db, schedule.key, now)
            if row is None or due is None or row.digest != digest or row.done >= due.mark:
                return 0
            if state == "failed" and row.failures + 1 < ATTEMPTS:
                wake = now + 60 * 2**row.failures
                move = Move(row.key, row.done, row.next_due, wake, row.failures + 1, problem)
                await storage.timetable.write(db, [], [move], now)
                bot.observe.ran("again")
                return 0
            dues, next_at = scoring.schedules.step(schedule, row.done, now)
            over = [one for one in dues if one.mark <= due.mark]
            rest = [one.at for one in dues if one.mark > due.mark]
            runs = [_run(one, row) for one in over if one.mark < due.mark and one.verdict == "skip"]
            runs.append(Run(schedule.key, due.stands_for, due.at, state, problem))
            runs = [one for one in runs if not await storage.timetable.told(db, one.schedule, one.due)]
            following = rest[0] if rest else next_at
            await storage.timetable.write(db, runs, [Move(row.key, due.mark, following, following)], now)
        _count(runs)
        log.warning("%s of %s: %s", schedule.key, due.stands_for, state)
        return len(runs)

    def _ctx(self, db: Db, now: int) -> Ctx:
        assert self._rules is not None  # noqa: S101  a turn begins with reading them
        return Ctx(db, REDFIRST, datetime.fromtimestamp(now, UTC), self._rules, self._rules.commands)


def _listed(rules: Rules, teams: Sequence[Team], makers: Collection[str]) -> dict[str, tuple[Schedule, str]]:
    """The timetable: by key each schedule with its digest."""
    listed = handlers.timetable.schedules(rules, teams, makers)
    return {one.key: (one, scoring.schedules.digest(one)) for one in listed}


def _run(due: Due, row: Claimed) -> Run:
    note = f"{due.why} {row.problem}" if due.why and row.failures else due.why
    return Run(due.schedule.key, due.stands_for, due.at, _STATES[due.verdict], note)


def _count(runs: Iterable[Run]) -> None:
    for state, count in Counter(one.state for one in runs).items():
        bot.observe.ran(state, count)


class Scheduler:
    """Makes what is on the timetable, closes matured periods and forgets old deliveries.

    Every tick and every turn is safe to repeat and to miss. `timetable` is made without makers where none is given.
    """

    def __init__(
        self,
        store: Store,
        rules: storage.rules.InForce,
        clock: Callable[[], datetime],
        *,
        every: float = 900.0,
        first: float = 20.0,
        timetable: Timekeeper | None = None,
        turns: float = 20.0,
        workings: Workings | None = None,
    ) -> None:
        self._store, self._rules, self._clock = store, rules, clock
        self.timetable = timetable or Timekeeper(store, rules, clock, makers={})
        self._workings = workings or Workings(store, rules, clock, REDFIRST)
        self._busy = asyncio.Lock()
        self._ticks = AsyncIOScheduler(timezone="UTC", job_defaults={"coalesce": True, "misfire_grace_time": None})
        for job, seconds, wait, most in (
            (self.tick, every, min(first, every), 1),  # it may live for minutes only
            (self.timetable.turn, turns, 0.0, 1),
            (self.work, bot.workings.EVERY, 0.0, 2),  # the second sees that the first is at it, and nobody is warned
        ):
            begin = datetime.now(UTC) + timedelta(seconds=wait)
            self._ticks.add_job(job, "interval", seconds=seconds, next_run_time=begin, max_instances=most)

    async def start(self) -> None:
        self._ticks.start()

    async def stop(self) -> None:
        """Starts nothing more, and lets a tick under way come to its end."""
        self._ticks.pause()
        await self.timetable.stop()
        await self._workings.stop()
        async with self._busy:  # the executor's own shutdown would cancel it in the middle of a transaction
            self._ticks.shutdown(wait=False)

    async def work(self) -> None:
        """Works in decisions on distortions; what failed is taken up again when its lease is over."""
        if self._workings.busy:
            return
        try:
            await self._workings.turn()
        except Exception:
            log.exception("a distortion could not be worked in; a later turn does it")

    async def tick(self) -> None:
        """One round of everything that is due."""
        async with self._busy:
            try:
                closed = await self.freeze()
                async with self._store.write() as db:
                    await storage.inbox.prune(db, int((self._clock() - REMEMBERED).timestamp()))
                    await storage.timetable.prune(db, int((self._clock() - LEDGER).timestamp()))
            except Exception:
                log.exception("a tick failed; the next one does its work")
            else:
                if closed:
                    log.info("closed scores", extra={"rows": closed})

    async def freeze(self) -> int:
        """Closes matured periods; returns how many scores. They are made without the write lock, which others need."""
        now = self._clock()
        async with self._store.read() as db:
            rules = await self._rules.get(db, now)
            today = scoring.periods.day_of(scoring.periods.today(now, rules.zone))
            teams, people = await storage.people.teams(db), await storage.people.everyone(db, today)
            everyone: list[Person | Group] = [*people, *handlers.freezing.groups(teams)]
            subjects: list[Person | Group] = []
            for start in range(0, len(everyone), SOME):
                subjects += await handlers.freezing.due(Ctx(db, REDFIRST, now, rules), everyone[start : start + SOME])
        closed = 0
        for one in subjects:
            async with self._store.read() as db:
                made = await handlers.freezing.made(Ctx(db, REDFIRST, now, rules), one)
            async with self._store.write() as db:
                closed += await handlers.freezing.freeze(Ctx(db, REDFIRST, now, rules), made)
        return closed
