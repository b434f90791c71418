"""`redfirst demo`: a made-up service desk in the browser, ready in seconds, without any account."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from bot import web_guard
from bot.config import Config, Slack, Teams
from scoring.refused import Refused

DIRECTORY = Path(".demo")
SEED = 7


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, help="port of the page (default: 3000; 0 takes a free one)")
    parser.add_argument("--seed", type=int, default=SEED, help="another number invents another desk")
    parser.add_argument("--today", metavar="YYYY-MM-DD", help="the day it is on the desk (default: today)")
    parser.add_argument("--fresh", action="store_true", help="invent the desk anew, forgetting what was done to it")


def run(args: argparse.Namespace, config: Config) -> int:
    import bot.demo

    web_guard.require_loopback(config.host)
    now = datetime.now(UTC)
    today = _day(args.today, now)
    port = config.port if args.port is None else args.port
    if not 0 <= port <= 65535:
        raise Refused(f"--port is {port}.", "Give a port number between 0 and 65535.")
    path = DIRECTORY / "redfirst.db"
    wanted = dataclasses.replace(
        config,
        database_url=f"sqlite:///{path}",
        port=port,
        slack=Slack(),
        teams=Teams(),
        public_url="",
        demo=True,
        parsed=bot.demo.configured(config.parsed, today),
    )
    return asyncio.run(_run(wanted, path, args.seed, today, today - now.date(), fresh=args.fresh or not path.exists()))


def _day(text: str | None, now: datetime) -> date:
    if text is None:
        return now.date()
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if not 2000 <= found.year <= 2100:
        raise Refused(f"--today is {text}.", "Give a day like 2026-03-31.")
    return found


async def _run(config: Config, path: Path, seed: int, today: date, shift: timedelta, *, fresh: bool) -> int:
    import bot.app
    import bot.demo
    import bot.demo_stage
    import bot.demo_time

    rest = None
    if fresh or not await bot.demo.ready(config, seed, today):
        _clear(path)
        rest = await bot.demo.make(config, seed, today, _say)

    def ready(port: int) -> None:
        print(_address(config.host, port), flush=True)

    clock = bot.demo_time.Movable(shift)
    stage = bot.demo_stage.Stage(clock, seed, today, rest)
    return await bot.app.serve(config, clock=clock, ready=ready, stage=stage)


def _clear(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        file.unlink(missing_ok=True)


def _address(host: str, port: int) -> str:
    return f"Redfirst is ready: http://{f'[{host}]' if ':' in host else host}:{port}/  (Ctrl+C ends it)"


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
