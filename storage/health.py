"""How the installation is, in figures about itself: the outbox, the age of the data, who cannot be reached."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Integer, String, bindparam, case, exists, func, or_, select

import storage.loads
from storage.db import Db
from storage.models import account, membership, outbox, person
from storage.outbox import OPEN, TROUBLED

_OUTBOX = select(
    func.count(case((outbox.c.state.in_(OPEN), 1))).label("due"),
    func.count(case((outbox.c.state == "failed", 1))).label("failed"),
    func.count(case((outbox.c.state == "held", 1))).label("held"),
    func.min(case((outbox.c.state == "due", outbox.c.due_at))).label("oldest"),
).where(outbox.c.state.in_((*OPEN, *TROUBLED)))
_OLDEST = select(func.min(outbox.c.due_at)).where(
    outbox.c.state == "due", outbox.c.platform.in_(bindparam("platforms", expanding=True))
)
_TODAY = bindparam("today", type_=Integer)
_UNREACHED = (
    select(person.c.name)
    .where(
        exists().where(
            membership.c.person_id == person.c.id,
            membership.c.from_day <= _TODAY,
            or_(membership.c.to_day.is_(None), membership.c.to_day > _TODAY),
        ),
        ~exists().where(
            account.c.person_id == person.c.id,
            account.c.state == "linked",
            account.c.key.like(bindparam("prefix", type_=String)),
        ),
    )
    .order_by(person.c.name)
)


@dataclass(frozen=True, slots=True)
class Outbox:
    """Messages that wait, that failed, that are held for a person; since when the oldest is due (UTC seconds)."""

    due: int
    failed: int
    held: int
    oldest: int | None


async def outbox_state(db: Db) -> Outbox:
    row = (await db.execute(_OUTBOX)).one()
    return Outbox(row.due, row.failed, row.held, row.oldest)


async def oldest_due(db: Db, platforms: Collection[str]) -> int | None:
    """Since when the oldest unsent message to one of these platforms is due, UTC seconds."""
    found: int | None = (await db.execute(_OLDEST, {"platforms": sorted(platforms)})).scalar_one()
    return found


async def data_as_of(db: Db) -> int | None:
    """How new the data are, UTC seconds; None before the first load."""
    found: int | None = (await db.execute(storage.loads.NEWEST)).scalar_one()
    return found


async def without_account(db: Db, platform: str, today: int) -> tuple[str, ...]:
    """Names of the people who work here today and have no linked account on a platform ("slack", "teams")."""
    return tuple((await db.execute(_UNREACHED, {"today": today, "prefix": f"{platform}:%"})).scalars())
