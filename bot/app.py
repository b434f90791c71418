"""Where objects meet: store, rules, edges, delivery and scheduler become one server that stops gracefully."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

import bot.config
import bot.observe
import storage.rules
import storage.schema
from bot.auditor import Auditor
from bot.config import Config
from bot.delivery import Delivery
from bot.dispatch import Dispatch
from bot.edge import Answer, Edge
from bot.scheduler import REDFIRST, Scheduler, Timekeeper
from bot.workings import Workings
from handlers.timetable import Maker
from scoring.refused import Refused
from storage.db import Store

if TYPE_CHECKING:
    from bot.demo_stage import Stage

log = logging.getLogger("redfirst.app")


class Mounted(Edge, Protocol):
    """An edge that has routes of its own."""

    def mount(self, app: web.Application) -> None: ...


def utc_now() -> datetime:
    """The one clock of a running bot."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Running:
    """A started server. `port` is the one it listens on, also where 0 was asked for."""

    port: int
    store: Store
    dispatch: Dispatch
    delivery: Delivery
    scheduler: Scheduler
    edges: Mapping[str, Mounted]
    runner: web.AppRunner
    stage: Stage | None = None

    async def stop(self) -> None:
        """Lets nothing more in, finishes what was accepted, then closes everything."""
        await self.runner.cleanup()
        if self.stage is not None:
            await self.stage.stop()
        await self.scheduler.stop()
        await self.delivery.stop()  # before the edges, which close the connections it posts with
        for edge in self.edges.values():
            await edge.stop()
        await self.store.close()


def _edges(
    config: Config, answer: Answer, store: Store, clock: Callable[[], datetime], commands: Mapping[str, str]
) -> dict[str, Mounted]:
    """The platforms that the configuration connects; each one's libraries are imported only then.

    One that is connected by half is refused: nobody would notice that it is off.
    """
    for platform, lacking in (("Slack", config.slack.lacking), ("Teams", config.teams.lacking)):
        if lacking and not config.demo:
            raise Refused(
                f"{platform} is connected by half: {lacking} is missing.",
                f"Set it, or take away what is set for {platform}; `redfirst check` says what else is missing.",
            )
    edges: dict[str, Mounted] = {}
    if config.slack.connected:
        from bot.slack import SlackEdge

        edges["slack"] = SlackEdge(config.slack, answer, command_names=commands, clock=clock)
    if config.teams.connected:
        from bot.teams import TeamsEdge

        edges["teams"] = TeamsEdge(config.teams, answer, store, clock=clock)
    if config.demo:
        from bot.web import WebEdge

        edges["demo"] = WebEdge(answer, store, clock, command_names=commands, host=config.host)
    if not edges:
        raise Refused(
            "Neither Slack nor Teams is connected.",
            "Set SLACK_BOT_TOKEN with SLACK_SIGNING_SECRET (or SLACK_APP_TOKEN), or TEAMS_APP_ID; "
            "`redfirst demo` needs neither.",
        )
    return edges


async def _let_move(
    edge: Edge, clock: Callable[[], datetime], store: Store, in_force: storage.rules.InForce, scheduler: Scheduler,
    stage: Stage | None,
) -> None:  # fmt: skip
    """In the demo, whoever looks may move the clock on."""
    from bot.demo_time import Movable, Mover
    from bot.web import WebEdge

    if isinstance(clock, Movable) and isinstance(edge, WebEdge):
        bare = Mover(clock, store, scheduler.timetable).on
        edge.move = bare if stage is None else await stage.open(store, in_force, scheduler)


async def start(
    config: Config,
    clock: Callable[[], datetime] = utc_now,
    makers: Mapping[str, Maker] | None = None,
    stage: Stage | None = None,
) -> Running:
    """Starts everything and listens. Raises Refused with the remedy where something is missing.

    `makers` are those of `handlers.makers` unless given; `stage` is what goes on behind the demo's page.
    """
    store = Store(config.database_url)
    try:
        return await _start(config, store, clock, makers, stage)
    except BaseException:
        await store.close()
        raise


async def _start(
    config: Config, store: Store, clock: Callable[[], datetime], makers: Mapping[str, Maker] | None,
    stage: Stage | None,
) -> Running:  # fmt: skip
    if store.is_sqlite:
        await storage.schema.upgrade(store)  # one file, one process: nobody else can be in the way
    await storage.schema.require_current(store)
    in_force = storage.rules.InForce()
    async with store.write() as db:
        await storage.rules.ensure(db, bot.config.rules(config), clock())
        rules = await in_force.get(db, clock())
    dispatch = Dispatch(store, in_force, clock, lambda: None)
    edges = _edges(config, dispatch.answer, store, clock, rules.commands)
    delivery = Delivery(store, edges, clock)
    dispatch.kick = delivery.kick
    timetable = Timekeeper(store, in_force, clock, delivery.kick, makers)
    workings = Workings(store, in_force, clock, REDFIRST, delivery.kick)
    scheduler = Scheduler(store, in_force, clock, timetable=timetable, workings=workings)
    if config.demo:
        await _let_move(edges["demo"], clock, store, in_force, scheduler, stage)
    app = web.Application(client_max_size=1024 * 1024)
    bot.observe.mount(app, store, clock, tuple(edges))
    for edge in edges.values():
        edge.mount(app)
    # compressed bodies stay as they are: no platform sends any, and a broken one would fill the log
    runner = web.AppRunner(
        app, access_log=None, handle_signals=False, shutdown_timeout=20.0, auto_decompress=False
    )
    await runner.setup()
    site = web.TCPSite(runner, config.host, config.port)
    try:
        await site.start()
    except OSError as error:
        await runner.cleanup()
        raise Refused(
            f"Port {config.port} on {config.host} cannot be opened ({error.strerror}).",
            "Stop what uses it, or set REDFIRST_PORT to another.",
        ) from error
    await delivery.start(Auditor(store, in_force, clock, delivery, edges, timetable.turn).round)
    for edge in edges.values():
        await edge.start()
    await scheduler.start()
    if stage is not None:
        stage.start()
    return Running(runner.addresses[0][1], store, dispatch, delivery, scheduler, edges, runner, stage)


def settle() -> None:
    """What a process has once it has started stays: the collector need not walk through it again and again,
    and a question makes thousands of small values that all go with it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


async def serve(
    config: Config,
    *,
    clock: Callable[[], datetime] = utc_now,
    ready: Callable[[int], None] = lambda port: None,
    stage: Stage | None = None,
) -> int:
    """Runs until SIGINT or SIGTERM; `ready` is told the port once requests are answered."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopping.set)
    gc.disable()  # nothing is thrown away until all is there
    try:
        running = await start(config, clock, stage=stage)
    finally:
        gc.enable()
    ready(running.port)
    settle()
    await stopping.wait()
    log.info("stopping")
    await running.stop()
    return 0
