"""How often the status rule errs and how soon it finds a fall, by seeded simulation of the rule itself.

Run `python -m tests.benchmarks.operating_characteristics [ROUNDS [SEED]]` for the table.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Sequence
from typing import Any

import scoring.noise
import scoring.rag
from scoring.metrics import Lines, Metric, Sums
from tests.scoring import desk

TARGET, RED, FALLEN = 0.80, 0.70, 0.65
QUIET, FALL, RECOVERY = 13, 6, 3
WEEKLY = (8, 25, 60)
"""Observations a week."""

SHARE = desk.SHARE
WAIT = Lines(target=30.0, red=45.0, worst=90.0, best=28.0)

Weeks = Sequence[tuple[int, Sums]]
IsRed = Callable[[Weeks], bool]


def ours(weeks: Weeks) -> bool:
    """The product's rule."""
    return scoring.rag.status(_RATE, SHARE, weeks[-13:]).status == "red"


def plain(weeks: Weeks) -> bool:
    """A threshold on the week's value."""
    return weeks[-1][1].num < RED * weeks[-1][1].den


def wilson(weeks: Weeks) -> bool:
    """Wilson's 95 % bound beyond the line, two weeks running."""
    return all(scoring.noise.wilson(s.num / 1000, s.n)[1] < RED for _, s in weeks[-2:])


def of_means(weeks: Weeks) -> bool:
    """The product's rule on waiting times, lower being better."""
    return scoring.rag.status(_WAIT, WAIT, weeks[-13:]).status == "red"


_RATE: Metric = desk.metric("share")
_WAIT: Metric = desk.wait()


def run(rounds: int = 1000, seed: int = 1) -> list[dict[str, Any]]:
    """One row a rule and number of observations a week, all figures in percent.

    `false_red`: weeks called red of somebody exactly on target; `found_by_3` and `found_by_6`: falls to
    65 % (for waits from 30 to 53 minutes) called red by then; `gone_in_3`: of those red at the end of the
    fall, no longer red in one of the three weeks after recovery (None where none was red).
    """
    rows = []
    for name, rule in (("ours", ours), ("plain threshold", plain), ("Wilson twice", wilson)):
        for n in WEEKLY:
            rng = random.Random(f"{seed} rates {n}")
            on, off = _rates(rng, n, TARGET), _rates(rng, n, FALLEN)
            rows.append({"rule": name, "weekly": n, **_characteristics(rule, on, off, rounds)})
    for n in WEEKLY:
        rng = random.Random(f"{seed} waits {n}")
        on, off = _waits(rng, n, 30.0), _waits(rng, n, 52.5)
        rows.append({"rule": "ours, of means", "weekly": n, **_characteristics(of_means, on, off, rounds)})
    return rows


def _characteristics(
    is_red: IsRed, on: Callable[[], Sums], off: Callable[[], Sums], rounds: int
) -> dict[str, float | None]:
    false_red = found_3 = found_6 = red_at_end = gone = 0
    for _ in range(rounds):
        sums = [make() for make, weeks in ((on, 2 * QUIET), (off, FALL), (on, RECOVERY)) for _ in range(weeks)]
        weeks = list(enumerate(sums))
        red = [is_red(weeks[: i + 1]) for i in range(QUIET, len(weeks))]
        fall = red[QUIET : QUIET + FALL]
        false_red += sum(red[:QUIET])
        found_3 += any(fall[:3])
        found_6 += any(fall)
        if fall[-1]:
            red_at_end += 1
            gone += not all(red[QUIET + FALL :])
    return {
        "false_red": 100 * false_red / (rounds * QUIET),
        "found_by_3": 100 * found_3 / rounds,
        "found_by_6": 100 * found_6 / rounds,
        "gone_in_3": 100 * gone / red_at_end if red_at_end else None,
    }


def _rates(rng: random.Random, n: int, p: float) -> Callable[[], Sums]:
    return lambda: desk.rate(sum(rng.random() < p for _ in range(n)), n)


def _waits(rng: random.Random, n: int, mean: float) -> Callable[[], Sums]:
    """Waiting times with a long tail: exponential, so that the spread equals the mean."""
    return lambda: desk.values([rng.expovariate(1 / mean) for _ in range(n)])


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows for reading."""
    head = f"{'rule':<16} {'a week':>6} {'false red':>9} {'by week 3':>9} {'by week 6':>9} {'gone in 3':>9}"
    lines = [
        f"{r['rule']:<16} {r['weekly']:>6} {r['false_red']:>8.1f}% {r['found_by_3']:>8.0f}% "
        f"{r['found_by_6']:>8.0f}% " + ("        –" if r["gone_in_3"] is None else f"{r['gone_in_3']:>8.0f}%")
        for r in rows
    ]
    return "\n".join([head, *lines])


if __name__ == "__main__":
    print(table(run(*map(int, sys.argv[1:3]))))
