"""Start of the command line and of the server, against importing the libraries that each needs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks import rounds
from tests.benchmarks.rounds import Measured

LIBRARIES = (
    "aiohttp.web, aiosqlite, alembic.command, apscheduler.schedulers.asyncio, polars, prometheus_client, "
    "sqlalchemy.ext.asyncio, slack_bolt.async_app, slack_bolt.adapter.socket_mode.aiohttp"
)


def _python(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)


def _help() -> None:
    command = Path(sys.executable).with_name("redfirst")
    subprocess.run([command, "--help"], check=True, stdout=subprocess.DEVNULL)


def _server(folder: Path) -> float:
    """Seconds from the start of the process until it says that it listens; the database is there already."""
    environment = {
        **os.environ,
        "REDFIRST_DATABASE_URL": f"sqlite:///{folder / 'bench.db'}",
        "SLACK_BOT_TOKEN": "xoxb-bench",
        "SLACK_SIGNING_SECRET": "bench",
        "REDFIRST_PORT": "0",
    }
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "run"], stderr=subprocess.PIPE, env=environment, text=True
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if "listens on" in line:
                return time.perf_counter() - began
        raise RuntimeError("the server did not start")
    finally:
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
        process.wait(30)


def run(count: int = rounds.ROUNDS) -> list[Measured]:
    """Two ratios: `redfirst --help` and the server's start."""
    helped, served = [], []
    with tempfile.TemporaryDirectory() as folder:
        _server(Path(folder))  # makes the database
        for _ in range(count):
            helped.append(
                (rounds.seconds(_help), rounds.seconds(lambda: _python("import argparse, importlib, shutil")))
            )
            served.append((_server(Path(folder)), rounds.seconds(lambda: _python(f"import {LIBRARIES}"))))
    return [
        Measured("redfirst --help ÷ importing argparse", rounds.median_ratio(helped), 1.5, "at most"),
        Measured("start of the server ÷ importing its libraries", rounds.median_ratio(served), 1.5, "at most"),
    ]
