"""`redfirst check`: says what is missing or wrong, each with its remedy; ends with 1 when something is."""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.config import Config

if TYPE_CHECKING:
    from bot.checks import Finding


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="findings as JSON")
    parser.add_argument("--offline", action="store_true", help="do not ask Slack and Teams")


def run(args: argparse.Namespace, config: Config) -> int:
    findings = asyncio.run(_all(config, args.offline))
    wrong = [finding for finding in findings if not finding.well]
    if args.json:
        said = {"ok": not wrong, "findings": [asdict(one) for one in findings]}
        print(json.dumps(said, indent=2, ensure_ascii=False))
        return 1 if wrong else 0
    for one in findings:
        print(f"{'ok   ' if one.well else 'WRONG'}  {one.area}: {one.what}")
        if one.remedy:
            print(f"       → {one.remedy}")
    print(f"\n{len(wrong)} of {len(findings)} to mend." if wrong else "\nAll is well.")
    return 1 if wrong else 0


async def _all(config: Config, offline: bool) -> list[Finding]:
    import bot.checks

    def clock() -> datetime:
        return datetime.now(UTC)

    findings = list(bot.checks.configuration(config))
    if not offline:
        findings += [one async for one in bot.checks.platforms(config, clock)]
    findings += [one async for one in bot.checks.database(config, clock)]
    return findings
