"""`redfirst teams-package`: writes the Teams app package, ready to upload under "Manage your apps"."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bot import slack_manifest, teams_package
from bot.config import Config
from scoring.refused import Refused

STAND_IN = "https://desk.example"
"""The address that Teams is given while there is none: it wants a page beside every app, and this one is nobody's."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", metavar="FILE", default="redfirst-teams.zip", help="default: redfirst-teams.zip")
    parser.add_argument("--company", metavar="NAME", default="Redfirst", help="who offers the app, as Teams shows it")
    parser.add_argument("--website", metavar="URL", default="", help="page about it (default: REDFIRST_PUBLIC_URL)")
    parser.add_argument("--privacy", metavar="URL", default="", help="your privacy notice (default: the website)")
    parser.add_argument("--terms", metavar="URL", default="", help="your terms of use (default: the website)")


def run(args: argparse.Namespace, config: Config) -> int:
    """Writes the zip and says what to do with it, and what to set before others get it."""
    website = args.website or config.public_url
    found = teams_package.manifest(
        config.teams.app_id,
        slack_manifest.names(config.parsed),
        website=website or STAND_IN,
        privacy=args.privacy,
        terms=args.terms,
        company=args.company,
    )
    try:
        Path(args.out).write_bytes(teams_package.package(found))
    except OSError as error:
        raise Refused(f"{args.out} cannot be written ({error.strerror}).", "Give another --out.") from error
    print(f"{args.out} written. In Teams: Apps, Manage your apps, Upload an app; or give it to your administrator.")
    if not website:
        print(
            f"Teams shows a web page beside every app, and none is known: {STAND_IN} stands there. Set "
            "REDFIRST_PUBLIC_URL, or give --website, and write the package again before others install it.",
            file=sys.stderr,
        )
    if config.public_url:
        print(f"The messaging endpoint of your Azure bot is {config.public_url.rstrip('/')}/api/messages.")
    return 0
