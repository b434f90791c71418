"""The ledger of decisions on distortions that are being worked in: who is at one, how far it is, whom it touches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import BigInteger, Boolean, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

import storage.columnar
from storage.db import Db
from storage.models import frozen_score
from storage.models_told import distortion, distortion_score

Stage = Literal["figures", "scores"]

FAILED = "failed"
"""In place of a mark where working it in has failed: others go first."""

ANEW = "anew"
"""In place of a mark where rollups are being made anew: what was begun holds no more, and is begun again."""

_C, _S = distortion.c, distortion_score.c
_WAITING = select(_C.id).where(_C.work != "").limit(1)
_NEXT = select(_C.id, _C.work, _C.work_mark, _C.work_until).where(_C.work != "").order_by(_C.id)
_CLAIM = (
    update(distortion)
    .where(_C.id == bindparam("number"), _C.work != "")
    .values(work_mark=bindparam("mark"), work_until=bindparam("until"))
)
_HELD = (_C.id == bindparam("number"), _C.work == bindparam("stage"), _C.work_mark == bindparam("mark"))
_HOLD = update(distortion).where(*_HELD).values(work_until=bindparam("until", type_=BigInteger))
_ENFORCE = update(distortion).where(_C.id == bindparam("number")).values(effective=_C.state == "approved")
_FORGET = delete(distortion_score).where(_S.distortion_id == bindparam("number"))
_AGAIN = update(distortion_score).where(_S.distortion_id == bindparam("number")).values(done=False, renewed=0)
_INSERTS = {
    "sqlite": sqlite.insert(distortion_score).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(distortion_score).on_conflict_do_nothing(),
}
_TURN = update(distortion).where(*_HELD).values(work=bindparam("then"))
_OVER = update(distortion).where(*_HELD).values(work="", work_mark=None, work_until=None)
_RELEASE = update(distortion).where(*_HELD).values(work_until=None)
_SET_ASIDE = (
    update(distortion)
    .where(_C.id == bindparam("number"), _C.work != "", _C.work_mark == bindparam("mark"))
    .values(work_mark=FAILED, work_until=bindparam("until", type_=BigInteger))
)
_ANEW = (
    update(distortion)
    .where(_C.work == "figures", _C.work_mark.is_not(None), _C.work_mark != FAILED)
    .values(work_mark=ANEW, work_until=None)
)
_SUBJECT = select(_S.subject).where(_S.distortion_id == bindparam("number"), _S.done.is_(False)).order_by(_S.subject)
_CLOSED_PERIODS = select(frozen_score.c.period).distinct()
_CLOSED_FOR = (
    select(frozen_score.c.subject).where(frozen_score.c.period.in_(bindparam("keys", expanding=True))).distinct()
)
_LOOKED = (
    update(distortion_score)
    .where(_S.distortion_id == bindparam("number"), _S.subject == bindparam("whose"))
    .values(done=or_(_S.done, bindparam("whole", type_=Boolean)), renewed=_S.renewed + bindparam("more"))
)
_RENEWED = select(func.coalesce(func.sum(_S.renewed), 0)).where(_S.distortion_id == bindparam("number"))


@dataclass(frozen=True, slots=True)
class Working:
    """A decision somebody is at: of which distortion, at which stage, and the mark that makes it theirs."""

    number: int
    stage: Stage
    mark: str

    @property
    def _held(self) -> dict[str, Any]:
        return {"number": self.number, "stage": self.stage, "mark": self.mark}


async def waiting(db: Db) -> bool:
    """Whether there is anything to be worked in."""
    return (await db.execute(_WAITING)).first() is not None


async def claim(db: Db, mark: str, now: int, until: int) -> Working | None:
    """Takes the next decision up to the instant `until` (UTC seconds), or goes on with one that was let fall.

    None where there is none, or somebody else is at one: they are worked in one after the other. What has failed
    keeps nobody waiting: it comes last, and not before its time.
    """
    await storage.columnar.lock(db)
    found = (await db.execute(_NEXT)).all()
    taken = [row for row in found if row.work_until is not None and row.work_until > now]
    free = [row for row in found if row not in taken]
    if not free or any(row.work_mark != FAILED for row in taken):
        return None
    # what was begun goes on first: its figures are between what they were and what they will be
    row = min(free, key=lambda row: (row.work_mark == FAILED, row.work_mark is None, row.id))
    await db.execute(_CLAIM, {"number": row.id, "mark": mark, "until": until})
    return Working(row.id, row.work, mark)


async def hold(db: Db, one: Working, until: int) -> bool:
    """Keeps it for longer; False where it is ours no more: decided on again, or taken by somebody else."""
    return (await db.execute(_HOLD, {**one._held, "until": until})).rowcount == 1


async def release(db: Db, one: Working) -> None:
    """Leaves it to whoever comes next."""
    await db.execute(_RELEASE, one._held)


async def set_aside(db: Db, one: Working, until: int) -> None:
    """Working it in has failed, at whatever stage: it is tried again after the instant `until` (UTC seconds), when
    nothing else waits."""
    await db.execute(_SET_ASIDE, {"number": one.number, "mark": one.mark, "until": until})


async def anew(db: Db) -> None:
    """In the transaction from which on rollups are made anew, by what is decided: whoever is adding to them holds
    nothing any more, for what they found lacking is found by this too."""
    await db.execute(_ANEW)


async def enforce(db: Db, one: Working) -> None:
    """From now on figures are kept by what was decided: facts that arrive count so, and those there are made to."""
    await db.execute(_ENFORCE, {"number": one.number})
    await db.execute(_AGAIN, {"number": one.number})


async def touched(db: Db, number: int, subjects: Iterable[str]) -> None:
    """These subjects ("person:7", "team:2", "desk") may have other figures: their closed scores are looked at."""
    rows = [{"distortion_id": number, "subject": one, "done": False, "renewed": 0} for one in sorted(set(subjects))]
    if rows:
        await db.execute(_INSERTS[db.dialect.name], rows)


async def periods(db: Db) -> list[str]:
    """The keys of all periods that have been closed for anybody."""
    return list((await db.execute(_CLOSED_PERIODS)).scalars())


async def closed(db: Db, keys: Iterable[str]) -> set[str]:
    """Everybody ("person:7", "team:2:open", "desk") for whom one of these periods is closed."""
    return set((await db.execute(_CLOSED_FOR, {"keys": list(keys)})).scalars())


async def turn(db: Db, one: Working) -> Working:
    """Its figures are as they ought to be: closed scores are next."""
    await db.execute(_TURN, {**one._held, "then": "scores"})
    return Working(one.number, "scores", one.mark)


async def left(db: Db, one: Working) -> list[str]:
    """Whose closed scores have not been looked at yet."""
    return list((await db.execute(_SUBJECT, {"number": one.number})).scalars())


async def looked(db: Db, one: Working, subject: str, renewed: int, *, whole: bool = True) -> None:
    """So many closed scores of a subject have a new version; `whole`: there are no more to look at."""
    values = {"number": one.number, "whose": subject, "more": renewed, "whole": whole}
    await db.execute(_LOOKED, values)


async def over(db: Db, one: Working) -> int:
    """It is worked in; returns how many closed scores have a new version."""
    count: int = (await db.execute(_RENEWED, {"number": one.number})).scalar_one()
    await db.execute(_FORGET, {"number": one.number})
    await db.execute(_OVER, one._held)
    return count
