"""`redfirst slack-manifest`: writes the Slack app manifest, ready to upload under "Create an app from a manifest"."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bot import slack_manifest
from bot.config import Config
from scoring.refused import Refused


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", metavar="FILE", help="write to FILE (default: standard output)")
    parser.add_argument("--socket", action="store_true", help="Socket Mode: no public address needed")


def run(args: argparse.Namespace, config: Config) -> int:
    """Prints or writes the manifest as JSON; what to do with it goes to the person, not into the file."""
    socket = bool(args.socket or config.slack.app_token)
    found = slack_manifest.manifest(config, slack_manifest.names(config.parsed), socket=socket)
    text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    if not args.out:
        print(text, end="")
        return 0
    try:
        Path(args.out).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused(f"{args.out} cannot be written ({error.strerror}).", "Give another --out.") from error
    print(f"{args.out} written. At api.slack.com/apps: Create New App, From a manifest, and paste it.")
    return 0
