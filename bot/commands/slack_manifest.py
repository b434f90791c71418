"""`redfirst slack-manifest`: writes the Slack app manifest, ready to upload under "Create an app from a manifest"."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bot import slack_manifest
from bot.config import Config
from scoring.refused import Refused


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", metavar="FILE", help="write to FILE (default: standard output)")
    parser.add_argument("--socket", action="store_true", help="Socket Mode: no public address needed")


def run(args: argparse.Namespace, config: Config) -> int:
    """Prints or writes the manifest as JSON; what to do with it goes to the person, not into the file.

    Without an address that Slack can reach it is the manifest for Socket Mode, which needs none.
    """
    socket = bool(args.socket or config.slack.app_token or not config.public_url)
    found = slack_manifest.manifest(config, slack_manifest.names(config.parsed), socket=socket)
    if socket and not (args.socket or config.slack.app_token):
        print(
            "REDFIRST_PUBLIC_URL is not set, so this is the manifest for Socket Mode, which needs no address: set "
            "SLACK_APP_TOKEN to an app-level token. For HTTP, set REDFIRST_PUBLIC_URL and write it again.",
            file=sys.stderr,
        )
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
