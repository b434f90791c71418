"""10,000 schedules due at once: made by the timetable, against an APScheduler job store doing as many jobs.

Both put one message into the outbox for each, on SQLite with the same settings: a job store as it comes waits for the
disk after every job, and takes ten times as long again.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import shutil
import tempfile
import time
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from apscheduler.job import Job
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy import create_engine, delete, event, update

import bot.app
import storage.outbox
import storage.schema
from handlers.call import Ctx
from scoring.schedules import Due
from storage.db import Store
from storage.models import outbox
from storage.models_timetable import run as ledger
from storage.models_timetable import timetable
from tests.benchmarks import rounds
from tests.benchmarks.rounds import Measured
from tests.bot.clockwork import MONDAY, SUNDAY, Clockwork, build

JOBS = 10_000
EACH = 10
"""Schedules of one team: a thousand teams."""
ROUNDS = 3
"""Of each; a job store takes long."""
BLOCKED = 50.0
"""Milliseconds for which the event loop may be kept from anything else."""

_done = 0
_all = asyncio.Event()
_one = asyncio.Lock()
_store: list[Store] = []
_CARD = json.loads('{"title": "Your week", "blocks": [], "summary": "Nothing is red."}')


async def _say(ctx: Ctx, due: Due) -> None:
    """One message into the outbox, as any maker does it."""
    at = int(ctx.now.timestamp())
    await storage.outbox.add(ctx.db, "slack", "C1", _CARD, f"{due.schedule.key} {due.day}", at)


async def _job(number: int) -> None:
    """One message into the outbox, as a job does it: in a transaction of its own, one after the other."""
    global _done
    async with _one:
        async with _store[0].write() as db:
            await storage.outbox.add(db, "slack", "C1", _CARD, f"job {number}", int(MONDAY.timestamp()))
    _done += 1
    if _done == JOBS:
        _all.set()


class Watch:
    """How long the event loop was kept from its other work, at the worst, in milliseconds: by the clock on the wall,
    and by its own computing (which does not depend on who else uses the machine)."""

    def __init__(self) -> None:
        self.worst = self.computing = 0.0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Watch:
        self._task = asyncio.create_task(self._look())
        await asyncio.sleep(0.01)
        self.worst = self.computing = 0.0
        return self

    async def __aexit__(self, *_exc: object) -> None:
        assert self._task is not None
        await asyncio.sleep(0)
        self._task.cancel()

    async def _look(self) -> None:
        while True:
            began, computed = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0.001)
            self.worst = max(self.worst, 1000.0 * (time.perf_counter() - began - 0.001))
            self.computing = max(self.computing, 1000.0 * (time.thread_time() - computed))


def _jobs(url: str) -> SQLAlchemyJobStore:
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def _set(connection: Any, _record: object) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
            connection.execute(f"PRAGMA {pragma}")

    return SQLAlchemyJobStore(engine=engine)


def _fill(store: SQLAlchemyJobStore) -> None:
    """Jobs that come every week and are due since a minute, as the store would write them one by one."""
    scheduler = AsyncIOScheduler(timezone="UTC")
    store.start(scheduler, "default")
    due = datetime.now(UTC) - timedelta(minutes=1)
    trigger = IntervalTrigger(weeks=1, timezone="UTC")
    rows = []
    for number in range(JOBS):
        job = Job(
            scheduler, id=f"job {number}", func=_job, args=(number,), kwargs={}, name="job", trigger=trigger,
            executor="default", misfire_grace_time=None, coalesce=True, max_instances=1, next_run_time=due,
        )  # fmt: skip
        state = pickle.dumps(job.__getstate__(), store.pickle_protocol)
        rows.append({"id": job.id, "next_run_time": due.timestamp(), "job_state": state})
    with store.engine.begin() as connection:
        connection.execute(store.jobs_t.insert(), rows)
    store.shutdown()  # closes the last connection, so that all is in the one file


async def _job_store(folder: Path) -> tuple[float, float]:
    """Seconds for all jobs of the store, and milliseconds for which it kept the event loop."""
    global _done
    url, kept = f"sqlite:///{folder / 'jobs.db'}", folder / "jobs-due.db"
    if not kept.exists():
        _fill(_jobs(f"sqlite:///{kept}"))
    for name in ("jobs.db-wal", "jobs.db-shm"):
        (folder / name).unlink(missing_ok=True)
    shutil.copy(kept, folder / "jobs.db")
    _done = 0
    _all.clear()
    scheduler = AsyncIOScheduler(jobstores={"default": _jobs(url)}, timezone="UTC")
    async with Watch() as watch:
        began = time.perf_counter()
        scheduler.start()
        await _all.wait()
        took = time.perf_counter() - began
    scheduler.shutdown()
    return took, watch.worst


async def _again(store: Store) -> None:
    """As it was before Monday."""
    async with store.write() as db:
        await db.execute(delete(outbox))
        await db.execute(delete(ledger))
        mark, due = MONDAY.toordinal() - 719_163, int(MONDAY.timestamp())
        await db.execute(update(timetable).values(done=mark * 1440 - 1, next_due=due, wake_at=due))


async def _timetable(store: Store) -> tuple[float, float]:
    """The same for ours: each schedule makes its message, its entry in the ledger, and moves to the next week."""
    await _again(store)
    desk = Clockwork(store, {"lead_digest": _say})
    await desk.at(SUNDAY)
    bot.app.settle()  # as a server does once it has started
    async with Watch() as watch:
        began = time.perf_counter()
        made = await desk.at(MONDAY)
        took = time.perf_counter() - began
    assert made == JOBS, made
    assert sum((await desk.said()).values()) == JOBS
    return took, watch.computing


async def _ready(store: Store) -> None:
    await storage.schema.upgrade(store)
    words = "".join(f"[[schedule]]\naudience = 'lead'\nname = 'n{i}'\n" for i in range(EACH - 1))
    await build(store, JOBS // EACH, words)
    await Clockwork(store, {"lead_digest": _say}).at(SUNDAY)


async def _measured(count: int) -> list[Measured]:
    pairs: list[tuple[float, float]] = []
    blocked: list[float] = []
    stored: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = Store(f"sqlite:///{folder / 'redfirst.db'}")
        await _ready(store)
        for _ in range(count):
            await _again(store)
            _store[:] = [store]
            floor, waited = await _job_store(folder)
            stored.append(waited)
            took, worst = await _timetable(store)
            pairs.append((took, floor))
            blocked.append(worst)
        await store.close()
    told = (
        f"{min(t for t, _ in pairs):.2f} s ÷ {min(f for _, f in pairs):.2f} s; "
        f"the job store blocked for {max(stored):.0f} ms"
    )
    return [
        Measured("10,000 schedules made ÷ a job store", rounds.median_ratio(pairs), 0.1, "at most", told),
        Measured("event loop kept busy in one go meanwhile, ms", max(blocked), BLOCKED, "at most"),
    ]


def run(count: int = ROUNDS) -> list[Measured]:
    """Time of the timetable ÷ time of the job store, and how long nothing else ran."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return asyncio.run(_measured(min(count, ROUNDS)))
