"""The command line: finds the command's module and lets it speak; nothing else is imported for --help."""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Sequence

from scoring.refused import Refused

COMMANDS: dict[str, str] = {
    "demo": "try Redfirst in the browser with a made-up service desk",
    "run": "start the bot (Slack, Teams, or both)",
    "ingest": "load exports of your ticket system",
    "people": "load people, teams and memberships",
    "attribution": "find work that belongs to nobody, and settle it",
    "metrics": "list, explain and try metrics",
    "digest": "look at a team's digest, or post it now",
    "objectives": "list objectives, and import those that you have",
    "outbox": "list what is said, send it again, call it off",
    "apply": "show what redfirst.toml would change, and put it in force",
    "check": "say what is missing or wrong, with the remedy",
    "migrate": "bring the database to this version",
    "slack-manifest": "write the Slack app manifest, ready to upload",
    "teams-package": "write the Teams app package, ready to upload",
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="redfirst", description="Fair scorecards for a service desk, in the chat.")
    parser.add_argument("--config", metavar="FILE", help="configuration (default: redfirst.toml, if there is one)")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, text in COMMANDS.items():
        commands.add_parser(name, help=text, add_help=False)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns 0, 1 for a refusal (said on stderr), 2 for words it does not know.

    141, as shells have it, where whoever reads has read enough (`redfirst metrics | head`).
    """
    words = list(sys.argv[1:] if argv is None else argv)
    head, rest = _parser().parse_known_args(words)
    gc.disable()  # importing makes much and throws nothing away: to look through it again and again takes a fifth more
    try:
        module = importlib.import_module(f"bot.commands.{head.command.replace('-', '_')}")
    finally:
        gc.enable()
    parser = argparse.ArgumentParser(prog=f"redfirst {head.command}", description=COMMANDS[head.command])
    module.arguments(parser)
    args = parser.parse_args(rest)
    from bot import config

    try:
        ended = int(module.run(args, config.load(head.config)))
        sys.stdout.flush()
        return ended
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left is not said at the end either
        return 141
    except Refused as refused:
        print(f"redfirst: {refused}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
