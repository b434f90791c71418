"""`make bench`: every ratio of the product's speed in one table, and the same in bench.json.

python -m tests.benchmarks [NAME …] [--rounds N] [--tickets N] [--fewer N] [--json FILE]; the names are those of the
modules beside this one. Exit 1 where a bound does not hold.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import platform
import sys
import time
from importlib import import_module
from pathlib import Path

from tests.benchmarks import operating_characteristics, rounds
from tests.benchmarks.rounds import Measured

NAMES = (
    "myscore_slack",
    "myscore_teams",
    "read_scorecard",
    "ingest",
    "catalogue",
    "one_ticket",
    "outbox",
    "timetable",
    "digests",
    "start",
)
SIZED = ("myscore_slack", "myscore_teams", "catalogue", "one_ticket")
"""Those whose `tickets` is the size of the desk; the others know what they need."""


def main(words: list[str]) -> int:
    asked = _asked(words)
    found: list[Measured] = []
    for name in asked.names or NAMES:
        if name == "characteristics":
            continue
        began = time.perf_counter()
        run = import_module(f"tests.benchmarks.{name}").run
        given = {
            "count": asked.rounds,
            "postgres": os.environ.get("REDFIRST_TEST_DATABASE_URL", ""),
            **({"tickets": asked.tickets, "fewer": asked.fewer} if name in SIZED else {}),
        }
        taken = inspect.signature(run).parameters
        found += run(**{key: value for key, value in given.items() if key in taken})
        print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    print(table(found))
    characteristics = []
    if not asked.names or "characteristics" in asked.names:
        characteristics = operating_characteristics.run()
        print(f"\nHow often a status errs, by simulation:\n{operating_characteristics.table(characteristics)}")
    body = {
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} processors",
        "rounds": asked.rounds,
        "measured": [_plain(one) for one in found],
        "characteristics": characteristics,
    }
    asked.json.write_text(json.dumps(body, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0 if all(one.holds for one in found) else 1


def _asked(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measures the product's speed.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join([*NAMES, "characteristics"]))
    parser.add_argument("--rounds", type=int, default=rounds.ROUNDS, help="of variant and floor, interleaved")
    parser.add_argument("--tickets", type=int, default=1_000_000, help="of the large desk")
    parser.add_argument("--fewer", type=int, default=100_000, help="of the small desk")
    parser.add_argument("--json", type=Path, default=Path("bench.json"), help="where the figures go")
    asked = parser.parse_args(words)
    unknown = sorted(set(asked.names) - {*NAMES, "characteristics"})
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}")
    return asked


def _plain(one: Measured) -> dict[str, object]:
    return {
        "name": one.name,
        "ratio": round(one.ratio, 3),
        "better": one.better,
        "bound": one.bound,
        "holds": one.holds,
        "detail": one.detail,
    }


def table(found: list[Measured]) -> str:
    """Name, ratio, bound, whether it holds, and the figures behind it."""
    wide = max((len(one.name) for one in found), default=4)
    lines = [
        f"{one.name:<{wide}}  {one.ratio:>7.2f}  {one.better:>8} {one.bound:<6g} "
        f"{'holds ' if one.holds else 'MISSED'}  {one.detail}".rstrip()
        for one in found
    ]
    return "\n".join([f"{'name':<{wide}}  {'ratio':>7}  {'bound':<15} {'':<6}  figures", *lines])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
