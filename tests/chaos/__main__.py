"""`make chaos`: the kill test at full length, on SQLite with one process and on PostgreSQL with three.

python -m tests.chaos [--messages N] [--kills N] [--seed N] [--only sqlite|postgresql]; exit 1 where a message was lost,
came twice, or shows an old card, and where the naive sender of the same harness does not fail. --throttle measures, in
two minutes, how much of the published limits is used (on an idle machine: milliseconds count).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path

import asyncpg

import storage.schema
import tests.chaos.throttle
from storage.db import Store
from tests.chaos.harness import Counted, Run
from tests.conftest import URL, _cluster


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Kills what delivers, and counts.")
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hurry", type=float, default=20.0, help="seconds of the product's clock in one of ours")
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    parser.add_argument("--throttle", action="store_true", help="how much of the limits is used, instead")
    parser.add_argument("--replicas", type=int, default=2, help="of the throttled delivery")
    asked = parser.parse_args(words)
    if asked.throttle:
        base, end = _cluster()
        try:
            return asyncio.run(_throttled(base, asked.replicas))
        finally:
            end()
    kinds = [asked.only] if asked.only else ["sqlite", "postgresql"]
    well = True
    for kind in kinds:
        for naive in (False, True):
            found = asyncio.run(_one(kind, asked, naive))
            print(told(f"{kind}, {'a naive sender' if naive else 'the delivery'}", found), flush=True)
            failed = bool(found.lost or found.extra or found.unflagged or found.stale)
            well &= bool(found.extra) if naive else not failed
    print("\nAs it should be." if well else "\nNOT as it should be.")
    return 0 if well else 1


async def _throttled(base: str, replicas: int) -> int:
    """Prints the share of each limit that is used, on PostgreSQL; 1 where one is under 95 %, or a call too early."""
    well = True
    for name, platform, recipients, seconds in (
        ("a Slack channel", "slack", ["C1"] * 40, 30),
        ("a Slack workspace", "slack", [f"U{i}" for i in range(400)], 60),
        ("a Teams conversation", "teams", ["teams:t/1"] * 70, 28),
        ("a Teams tenant", "teams", [f"teams:t/{i}" for i in range(900)], 10),
    ):
        store = Store(await _fresh(base))
        await storage.schema.upgrade(store)
        used = await tests.chaos.throttle.run(store, platform, recipients, seconds, replicas=replicas)
        await store.close()
        print(
            f"{name:22} {used.share:4.0%} of {used.allowed} in {seconds} s; {used.refused} refused, "
            f"{used.early} before Retry-After",
            flush=True,
        )
        well &= used.share >= 0.95 and not used.early
    return 0 if well else 1


async def _one(kind: str, asked: argparse.Namespace, naive: bool) -> Counted:
    messages, kills = (asked.messages // 4, asked.kills // 8) if naive else (asked.messages, asked.kills)
    with tempfile.TemporaryDirectory(prefix="redfirst-chaos-") as folder:
        url, end = f"sqlite:///{Path(folder) / 'redfirst.db'}", None
        if kind == "postgresql":
            given = os.environ.get(URL)
            base, end = (given, None) if given else _cluster()
            url = await _fresh(base)
        try:
            store = Store(url)
            await storage.schema.upgrade(store)
            await store.close()
            replicas = 1 if kind == "sqlite" else 3
            return await Run(url, messages, kills, replicas, asked.seed, asked.hurry, naive).run()
        finally:
            if end is not None:
                end()


async def _fresh(base: str) -> str:
    """A new, empty database beside the given one."""
    admin = await asyncpg.connect(base)
    await admin.execute("DROP DATABASE IF EXISTS redfirst_chaos WITH (FORCE)")
    await admin.execute("CREATE DATABASE redfirst_chaos")
    await admin.close()
    head, _, query = base.partition("?")
    return f"{head.rsplit('/', 1)[0]}/redfirst_chaos" + (f"?{query}" if query else "")


def told(title: str, found: Counted) -> str:
    """The counts, a line each."""
    names = ("lost", "extra", "unflagged", "stale", "very_late")
    lists = [f"  {name.replace('_', ' '):16} {len(getattr(found, name))}  {getattr(found, name)[:8]}" for name in names]
    return "\n".join(
        [
            f"\n{title}: {found.messages} messages, {found.kills} kills, {found.seconds:.0f} s",
            f"  fates            {', '.join(f'{n} {fate}' for fate, n in found.fates.most_common())}",
            f"  states           {', '.join(f'{n} {state}' for state, n in sorted(found.states.items()))}",
            *lists,
            f"  held             {found.held}, of which {found.needlessly_held} had not arrived",
        ]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
