"""What those who take part in a pilot think of it, and what was decided about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from scoring.pilots import Answer, Part
from storage.db import Db
from storage.models import person
from storage.models_baselines import pilot_answer, pilot_decision

State = Literal["adopted", "dropped"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a pilot; `by` a name, `at` in UTC seconds."""

    state: State
    reason: str
    by: str
    at: int


_A = pilot_answer.c
_KEY = ("pilot", "person_id", "part")
_SAID = ("useful", "fair", "comment", "at")


def _answer(insert: postgresql.Insert | sqlite.Insert) -> postgresql.Insert | sqlite.Insert:
    return insert.on_conflict_do_update(index_elements=list(_KEY), set_={name: insert.excluded[name] for name in _SAID})


_ANSWER = {"sqlite": _answer(sqlite.insert(pilot_answer)), "postgresql": _answer(postgresql.insert(pilot_answer))}
_DECIDE = {
    "sqlite": sqlite.insert(pilot_decision).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(pilot_decision).on_conflict_do_nothing(),
}
_ANSWERS = (
    select(_A.useful, _A.fair, _A.comment)
    .where(_A.pilot == bindparam("which"), _A.part == bindparam("half"))
    .order_by(_A.comment, _A.useful, _A.fair)  # an order that says nothing of who wrote it, or when
)
_DECISIONS = select(pilot_decision, person.c.name).join(person, person.c.id == pilot_decision.c.decided_by)


async def answer(db: Db, pilot: str, person_id: int, part: Part, said: Answer, at: int) -> None:
    """Keeps what somebody said; what they say again takes its place."""
    values = {
        "pilot": pilot, "person_id": person_id, "part": part, "useful": said.useful, "fair": said.fair,
        "comment": said.comment, "at": at,
    }  # fmt: skip
    await db.execute(_ANSWER[db.dialect.name], values)


async def answers(db: Db, pilot: str, part: Part) -> list[Answer]:
    """What was said in a part of a pilot, without who said it."""
    rows = await db.execute(_ANSWERS, {"which": pilot, "half": part})
    return [Answer(row.useful, row.fair, row.comment) for row in rows]


async def decisions(db: Db) -> dict[str, Decision]:
    """Pilot → what was decided about it."""
    rows = await db.execute(_DECISIONS)
    return {row.pilot: Decision(row.state, row.reason, row.name, row.decided_at) for row in rows}


async def decide(db: Db, pilot: str, state: State, reason: str, by: int, at: int) -> bool:
    """Keeps a decision; False where there is one already."""
    values = {"pilot": pilot, "state": state, "reason": reason, "decided_by": by, "decided_at": at}
    return (await db.execute(_DECIDE[db.dialect.name], values)).rowcount == 1
