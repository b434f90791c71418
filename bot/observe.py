"""How the process is: counters for Prometheus, and the two questions a balancer asks. No figure of a person."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from sqlalchemy.exc import SQLAlchemyError

import storage.health
import storage.schema
import storage.timetable
from scoring.refused import Refused
from storage.db import Db, Store

LAG = 1800
"""Seconds a message may be overdue before the process says that it is not well; retries wait less than that."""

_REQUESTS = Counter("redfirst_requests", "Calls answered.", ["platform", "kind", "outcome"])
_SECONDS = Histogram(
    "redfirst_request_seconds", "From the call to the reply, in seconds.", ["platform", "kind"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)  # fmt: skip
_DUPLICATES = Counter("redfirst_duplicates_dropped", "Deliveries that had been seen before.", ["platform"])
_TURNED_AWAY = Counter("redfirst_requests_turned_away", "Requests an edge did not let in.", ["platform", "status"])
_MENDED = Counter("redfirst_outbox_mended", "What was stuck and has been freed, by what held it.", ["kind"])
_POSTED = Counter("redfirst_messages", "Messages of the outbox by what became of them.", ["platform", "outcome"])
_RAN = Counter("redfirst_timetable_runs", "Times of the timetable by what became of them.", ["outcome"])
_OVERDUE = Gauge("redfirst_timetable_overdue", "Schedules whose time was over five minutes ago and that are not made.")
_DUE = Gauge("redfirst_outbox_due", "Messages waiting to be sent.")
_FAILED = Gauge("redfirst_outbox_failed", "Messages that could not be sent and wait for a person.")
_HELD = Gauge("redfirst_outbox_held", "Messages of which nobody knows whether they arrived; a person decides.")
_LAG = Gauge("redfirst_outbox_lag_seconds", "How long the oldest message that is due has waited.")
_AGE = Gauge("redfirst_data_age_seconds", "Age of the newest data that was loaded; -1 without any.")

def answered(platform: str, kind: str, outcome: str, seconds: float) -> None:
    """A call was answered. `kind` is a kind of call, `outcome` "ok", "refused" or "failed": never who or what."""
    _REQUESTS.labels(platform, kind, outcome).inc()
    _SECONDS.labels(platform, kind).observe(seconds)


def duplicate(platform: str) -> None:
    """A delivery that had been seen before was dropped."""
    _DUPLICATES.labels(platform).inc()


def turned_away(platform: str, status: int) -> None:
    """An edge answered a request with 4xx: forged, malformed, too old, too large."""
    _TURNED_AWAY.labels(platform, str(status)).inc()


def posted(platform: str, outcome: str) -> None:
    """What became of a message: "sent", "updated", "again" (later), "held", "failed", "expired", or said "twice"."""
    _POSTED.labels(platform, outcome).inc()


def mended(what: str, count: int = 1) -> None:
    """Messages were stuck and are free again: "lease", "clock", "reading", "timetable"."""
    _MENDED.labels(what).inc(count)


def ran(outcome: str, count: int = 1) -> None:
    """Times of the timetable were "made", "late", "skipped" or "failed", or are tried "again"."""
    _RAN.labels(outcome).inc(count)


def mount(app: web.Application, store: Store, clock: Callable[[], datetime], platforms: Collection[str] = ()) -> None:
    """Adds /healthz, /readyz and /metrics. Put a proxy before /metrics where strangers can reach the port.

    `platforms` are those this process delivers to: messages for others do not make it unready.
    """

    async def ready(_request: web.Request) -> web.Response:
        problem = await unready(store, clock(), platforms)
        body = {"ready": not problem, **({"problem": problem} if problem else {})}
        return web.json_response(body, status=503 if problem else 200)

    async def metrics(_request: web.Request) -> web.Response:
        try:
            async with store.read() as db:
                await _gauge(db, clock())
        except (SQLAlchemyError, OSError):
            for gauge in (_DUE, _FAILED, _HELD, _LAG, _AGE, _OVERDUE):
                gauge.set(float("nan"))  # the process still has figures of its own to give
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.router.add_get("/healthz", _healthy)
    app.router.add_get("/readyz", ready)
    app.router.add_get("/metrics", metrics)


async def _healthy(_request: web.Request) -> web.Response:
    return web.json_response({"healthy": True})


async def unready(store: Store, now: datetime, platforms: Collection[str] = ()) -> str:
    """Why requests should not be sent here now; empty when they should."""
    try:
        await storage.schema.require_current(store)
        async with store.read() as db:
            oldest = await storage.health.oldest_due(db, platforms)
    except storage.schema.Unreachable as refused:
        return refused.what  # its address is not for whoever asks here
    except Refused as refused:
        return str(refused)
    except (SQLAlchemyError, OSError):
        return "The database cannot be reached."
    lag = 0 if oldest is None else int(now.timestamp()) - oldest
    return f"The outbox is {lag} seconds behind." if lag > LAG else ""


async def _gauge(db: Db, now: datetime) -> None:
    state = await storage.health.outbox_state(db)
    as_of = await storage.health.data_as_of(db)
    instant = int(now.timestamp())
    _DUE.set(state.due)
    _FAILED.set(state.failed)
    _HELD.set(state.held)
    _LAG.set(0 if state.oldest is None else max(0, instant - state.oldest))
    _AGE.set(-1 if as_of is None else max(0, instant - as_of))
    _OVERDUE.set(len(await storage.timetable.overdue(db, instant)))
