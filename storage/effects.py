"""What the effect of nudges is measured from: weeks in which somebody had a gap, and the sums around them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import BigInteger, Integer, bindparam, func, select

from scoring.effects import AFTER, BEFORE, COMPARED, Unit
from scoring.metrics import NOTHING, Sums
from storage.db import Db
from storage.models import metric, rollup
from storage.models_told import nudge_week

_N = nudge_week.c
_WEEKS = (
    select(_N.person_id, _N.behaviour, _N.metric, _N.week, _N.nudged, _N.target, _N.red)
    .where(
        _N.week >= bindparam("first", type_=Integer),
        _N.week <= bindparam("last", type_=Integer),
        _N.metric.in_(bindparam("metrics", expanding=True)),
        _N.nudged | _N.why.in_(COMPARED),
    )
    .order_by(_N.person_id, _N.behaviour, _N.week)
)
_R = rollup.c
_MONDAY = _R.day - (_R.day + 3) % 7
_SUMS = (
    select(_R.subject_id, metric.c.name, _MONDAY.label("week"), *(
        func.sum(column).cast(BigInteger) for column in (_R.num, _R.den, _R.n, _R.ss)
    ))
    .select_from(metric.join(rollup, _R.metric_id == metric.c.id))
    .where(
        metric.c.name.in_(bindparam("metrics", expanding=True)),
        _R.subject_id.in_(select(_N.person_id)),
        _R.day >= bindparam("first", type_=Integer),
        _R.day <= bindparam("last", type_=Integer),
    )
    .group_by(_R.subject_id, metric.c.name, _MONDAY)
)  # fmt: skip


async def units(db: Db, metrics: Collection[str], first: int, last: int) -> list[Unit]:
    """Every week from the Monday `first` to the Monday `last` in which somebody was nudged about one of the
    metrics, or was not for a reason that makes them comparable. Two statements."""
    weeks = (await db.execute(_WEEKS, {"metrics": list(metrics), "first": first, "last": last})).all()
    if not weeks:
        return []
    days = {"first": first - 7 * BEFORE, "last": last + 7 * AFTER - 1}
    known: dict[tuple[int, str, int], Sums] = defaultdict(Sums)
    for row in await db.execute(_SUMS, {"metrics": sorted({w.metric for w in weeks}), **days}):
        known[(row[0], row[1], row[2])] = Sums(*row[3:])

    def summed(person: int, name: str, week: int, count: int) -> Sums:
        return sum((known.get((person, name, week + 7 * i), NOTHING) for i in range(count)), NOTHING)

    return [
        Unit(
            w.person_id, w.behaviour, w.week, w.nudged, w.target, w.red,
            summed(w.person_id, w.metric, w.week - 7 * BEFORE, BEFORE), summed(w.person_id, w.metric, w.week, AFTER),
        )
        for w in weeks
    ]  # fmt: skip
