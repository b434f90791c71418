"""`redfirst run`: the bot, on Slack, Teams, or both."""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import replace

import bot.app
import bot.logs
from bot.config import Config


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", help="address to listen on (default: REDFIRST_HOST, else 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (default: REDFIRST_PORT, else 3000)")


def run(args: argparse.Namespace, config: Config) -> int:
    bot.logs.setup()
    config = replace(config, host=args.host or config.host, port=config.port if args.port is None else args.port)

    def ready(port: int) -> None:
        print(f"Redfirst listens on {config.host}:{port}", file=sys.stderr)

    return asyncio.run(bot.app.serve(config, ready=ready))
