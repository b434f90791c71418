"""What is measured before it has a colour: since when, which lines are proposed, and who decided what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

import scoring.baselines
from scoring.baselines import Counts, Proposal
from scoring.metrics import Level, Lines
from storage.db import Db
from storage.models import person
from storage.models_baselines import baseline

State = Literal["measuring", "proposed", "adopted", "kept", "dropped"]
OPEN: tuple[State, ...] = ("measuring", "proposed")


@dataclass(frozen=True, slots=True)
class Baseline:
    """A metric at a level, measured on local days from `from_day` up to `until_day`; `decided_at` in UTC seconds.

    `version` counts every change, and a change names the version it was made from.
    """

    id: int
    level: Level
    metric: str
    from_day: int
    until_day: int
    state: State
    proposal: Proposal | None = None
    lines: Lines | None = None
    decided_by: str = ""
    decided_at: int | None = None
    reason: str = ""
    version: int = 1

    @property
    def pair(self) -> scoring.baselines.Pair:
        return self.level, self.metric

    @property
    def waits(self) -> bool:
        return self.state in OPEN


_C = baseline.c
_EVERY = select(baseline, person.c.name.label("name")).outerjoin(person, person.c.id == _C.decided_by)
_OPEN = _EVERY.where(_C.state.in_(OPEN)).order_by(_C.until_day, _C.id)
_ALL = _EVERY.where(_C.state != "dropped").order_by(_C.id)
_ONE = _EVERY.where(_C.id == bindparam("number"))
_INSERTS = {
    "sqlite": sqlite.insert(baseline).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(baseline).on_conflict_do_nothing(),
}
_CHANGE = (
    update(baseline)
    .where(_C.id == bindparam("number"), _C.version == bindparam("made_from"))
    .values(
        until_day=bindparam("now_until"), state=bindparam("now_state"), proposal=bindparam("now_proposal"),
        lines=bindparam("now_lines"), decided_by=bindparam("now_by"), decided_at=bindparam("now_at"),
        reason=bindparam("now_reason"), version=_C.version + 1,
    )
)  # fmt: skip
_DROP = (
    update(baseline)
    .where(_C.id == bindparam("number"), _C.state.in_(OPEN))
    .values(state="dropped", reason="taken out of the rubrics", version=_C.version + 1)
)


def _baseline(row: Any) -> Baseline:
    return Baseline(
        row.id, row.level, row.metric, row.from_day, row.until_day, row.state, _proposal(row.proposal),
        Lines(**json.loads(row.lines)) if row.lines else None, row.name or "", row.decided_at, row.reason, row.version,
    )  # fmt: skip


def _proposal(text: str) -> Proposal | None:
    if not text:
        return None
    body = json.loads(text)
    parts = {"lines": Lines(**body["lines"]), "middle": tuple(body["middle"]), "counts": Counts(**body["counts"])}
    return Proposal(**(body | parts))


async def waiting(db: Db) -> list[Baseline]:
    """What is measured or proposed, in the order in which its time is over."""
    return [_baseline(row) for row in await db.execute(_OPEN)]


async def known(db: Db) -> list[Baseline]:
    """All that is or was measured, the newest of each metric and level; what was dropped is left out."""
    newest = {(row.level, row.metric): _baseline(row) for row in await db.execute(_ALL)}
    return [newest[pair] for pair in sorted(newest)]


async def get(db: Db, number: int) -> Baseline | None:
    row = (await db.execute(_ONE, {"number": number})).first()
    return None if row is None else _baseline(row)


async def follow(db: Db, body: Mapping[str, Any]) -> None:
    """Begins what a new version of the rules measures, and drops what it measures no more."""
    found = scoring.baselines.measured(body)
    wanted = {pair: one for pair, one in found.items() if one.decided is None}
    standing = {one.pair: one for one in await waiting(db)}
    for pair, gone in standing.items():
        if pair not in found:
            await db.execute(_DROP, {"number": gone.id})
    for level, metric in sorted(wanted.keys() - standing.keys()):
        one = wanted[level, metric]
        values = {
            "level": level, "metric": metric, "from_day": one.since, "until_day": one.until, "state": "measuring",
            "proposal": "", "lines": "", "reason": "", "version": 1,
        }  # fmt: skip
        await db.execute(_INSERTS[db.dialect.name], values)


async def change(db: Db, before: Baseline, after: Baseline, by: int | None = None) -> bool:
    """Makes one what it is to become, as its next version; False where it is no longer as it was seen."""
    values = {
        "number": before.id, "made_from": before.version, "now_until": after.until_day, "now_state": after.state,
        "now_proposal": json.dumps(asdict(after.proposal)) if after.proposal else "",
        "now_lines": json.dumps(asdict(after.lines)) if after.lines else "",
        "now_by": by, "now_at": after.decided_at, "now_reason": after.reason,
    }  # fmt: skip
    return (await db.execute(_CHANGE, values)).rowcount == 1
