"""The tickets behind a figure: the facts of one person in one period, counted by the same code as the rollups."""
# ruff: noqa: S608  (names of tables and columns are the schema's own; values are parameters)

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from sqlalchemy import bindparam, select

import scoring.derive
import scoring.distortions
import scoring.facts
import scoring.plans
import scoring.rollups
import storage.columnar
import storage.directory
import storage.distortions
import storage.worlds
from scoring.directory import Directory
from scoring.fairness import DEFAULT, Fairness
from scoring.metrics import MILLI, Metric, Side
from scoring.periods import Period
from storage.db import Db
from storage.models import account, correction

_DAY = 86_400
_WIDE = 45 * _DAY
"""A survey or entry may come so long after its ticket was resolved."""

_ACCOUNTS = select(account.c.key).where(account.c.person_id == bindparam("person"), account.c.state == "linked")
_REASONS = select(correction.c.ticket, correction.c.kind).where(
    correction.c.person_id == bindparam("person"), correction.c.state == "confirmed"
)
_DONE = (
    ("survey", "account", "answered_at"),
    ("time_entry", "account", "started_at"),
    ("escalation", "to_account", "raised_at"),
)
"""What else somebody does on a ticket: whose, and when."""
_NOBODYS = "CASE WHEN account IS NULL THEN 1 END = 1"
"""In words that no index of accounts serves: SQLite would read every survey that names none."""
_LEFT_OUT = {"not_mine": "left out: not your work", "leave_out": "left out: special circumstances"}


@dataclass(frozen=True, slots=True)
class Behind:
    """A ticket behind a figure; `counted` says in words how it counts there."""

    id: str
    number: str
    title: str
    url: str
    counted: str


async def tickets_behind(
    db: Db, metric: Metric, person_id: int, period: Period, limit: int, fairness: Fairness = DEFAULT,
    today: int | None = None,
) -> list[Behind]:  # fmt: skip
    """Tickets of the person that the metric looks at in the period, newest first, at most `limit`.

    With `today`, those of a stock are as they stand today where the period is not over.
    """
    keys = list((await db.execute(_ACCOUNTS, {"person": person_id})).scalars())
    side = next((s for s in (metric.denominator, metric.numerator) if s.table in scoring.facts.TICKET_OF), None)
    if not keys or side is None or metric.subject != "person":
        return []
    low, high = (period.first - 1) * _DAY, (period.last + 2) * _DAY
    facts = await _facts(db, side, keys, low, high, fairness)
    directory = await storage.directory.of_accounts(db, _accounts(facts))
    frames = scoring.derive.derive(facts, directory, fairness, spans=side.table in ("span", "informed"))
    reasons = {row.ticket: row.kind for row in await db.execute(_REASONS, {"person": person_id})}
    last = period.last if today is None else min(period.last, today)
    rows = _rows(frames, metric, side, person_id, period, last, directory)
    own = facts["ticket"].select("id", "number", "title", "url")
    found = rows.join(own, left_on="ticket", right_on="id", how="inner").sort(
        "@day", "ticket", descending=[True, False]
    )
    adjusted = await _adjusted(db, metric, side, person_id, period, directory)
    return [
        Behind(
            row["ticket"], row["number"] or row["ticket"], row["title"] or "", row["url"] or "",
            _LEFT_OUT[reasons[row["ticket"]]] if row["ticket"] in reasons
            else adjusted.get(row["@day"]) or _words(metric, row["num"], row["den"]),
        )
        for row in found.head(limit).iter_rows(named=True)
    ]  # fmt: skip


async def _adjusted(
    db: Db, metric: Metric, side: Side, person_id: int, period: Period, directory: Directory
) -> dict[int, str]:
    """Days on which the person's rows count less or not at all, with the words; levels are cut, not left out."""
    known = await storage.distortions.in_force(db, "desk", period.first, period.last)
    concerned = [
        one
        for one in known
        if one.effective and scoring.distortions.touches(one, period.first, period.last, [metric.name])
    ]
    if not concerned or side.shape != "flow":
        return {}
    held = directory.segments.filter(pl.col("person") == person_id)
    teams = [(row["from_day"], row["until_day"], row["team"]) for row in held.iter_rows(named=True)]
    found: dict[int, str] = {}
    for one in sorted(concerned, key=lambda one: -one.weight):  # what weighs least is said
        team = scoring.plans.team_of(one.scope)
        for day in range(one.first_day, one.last_day + 1):
            if team is None or any(begin <= day < end and team == number for begin, end, number in teams):
                found[day] = f"{'counts half' if one.weight else 'left out'}: {one.words}"
    return found


async def parts(db: Db, person_id: int, begin: int, end: int, limit: int) -> list[Behind]:
    """Tickets in which the person had a hand between two instants (UTC seconds, `end` excluded), newest first.

    A few statements, whatever the metrics make of each ticket; so `counted` is empty.
    """
    keys = list((await db.execute(_ACCOUNTS, {"person": person_id})).scalars())
    if not keys:
        return []
    found = set(await _touched(db, keys, begin, end - 1))
    mark = storage.columnar.values(db, keys)
    for table, column, at in _DONE:
        sql = (
            f"SELECT DISTINCT ticket FROM {table} WHERE {storage.columnar.listed(db, column)} "
            f"AND {at} >= {begin} AND {at} < {end} AND ticket IS NOT NULL"
        )
        found |= {row[0] for row in await storage.columnar.rows(db, sql, mark)}
    earlier = storage.columnar.values(db, await _touched(db, keys, begin - _WIDE, end - 1))
    sql = (
        f"SELECT DISTINCT ticket FROM survey WHERE {storage.columnar.listed(db, 'ticket')} "
        f"AND {_NOBODYS} AND answered_at >= {begin} AND answered_at < {end}"
    )
    found |= {row[0] for row in await storage.columnar.rows(db, sql, earlier)}
    sql = (
        f"SELECT id, number, title, url FROM ticket WHERE {storage.columnar.listed(db, 'id')} "
        f"ORDER BY COALESCE(resolved_at, opened_at) DESC, id LIMIT {limit:d}"
    )
    rows = await storage.columnar.rows(db, sql, storage.columnar.values(db, sorted(found)))
    return [Behind(ticket, number or ticket, title or "", url or "", "") for ticket, number, title, url in rows]


async def has_part(db: Db, ticket: str, person_id: int) -> bool:
    """Whether the person had a hand in the ticket: in one of its columns, its events, its surveys or its entries."""
    keys = set((await db.execute(_ACCOUNTS, {"person": person_id})).scalars())
    for table, column in scoring.facts.TICKET_OF.items():
        if table in scoring.facts.ACCOUNTS:
            rows = await storage.columnar.facts(db, table, column, [ticket])
            if any(keys & set(rows[name].to_list()) for name in scoring.facts.ACCOUNTS[table]):
                return True
    return False


def _accounts(facts: dict[str, pl.DataFrame]) -> list[str]:
    """All accounts that the facts name."""
    found = [facts[table][name] for table in facts for name in scoring.facts.ACCOUNTS.get(table, ())]
    return pl.concat(found).drop_nulls().unique().sort().to_list()


async def _facts(
    db: Db, side: Side, keys: Sequence[str], low: int, high: int, fairness: Fairness
) -> dict[str, pl.DataFrame]:
    """Whatever of these accounts may count between two instants, with what it looks at."""
    facts: dict[str, pl.DataFrame] = {}
    if side.table in ("time_entry", "escalation", "survey"):
        facts[side.table] = await _own(db, side, keys, low, high)
        tickets = facts[side.table]["ticket"].drop_nulls().unique().to_list()
    else:
        tickets = await _touched(db, keys, low, high)
    facts["ticket"] = await storage.columnar.facts(db, "ticket", "id", tickets)
    facts["ticket_event"] = await storage.columnar.facts(db, "ticket_event", "ticket", tickets)
    world = storage.worlds.World(facts, facts["ticket"]["id"])
    await storage.worlds.followers(db, facts["ticket"], world, fairness)
    return facts


async def _own(db: Db, side: Side, keys: Sequence[str], low: int, high: int) -> pl.DataFrame:
    """Rows that these accounts are credited with, of the time between, where a fact says on which they count."""
    table = side.table
    column = {"time_entry": "account", "escalation": "to_account", "survey": "account"}[table]
    timed = side.shape == "flow" and scoring.facts.SCHEMA[table].get(side.day) == "time"
    within = f" AND {side.day} BETWEEN {low} AND {high}" if timed else ""
    rows = await storage.columnar.facts(db, table, column, keys, within)
    if table == "survey":
        touched = await _touched(db, keys, low - _WIDE, high)
        rated = await storage.columnar.facts(db, table, "ticket", touched, f" AND {_NOBODYS}{within}")
        rows = pl.concat([rows, rated]).unique("id", maintain_order=True)
    return rows


async def _touched(db: Db, keys: Sequence[str], low: int, high: int) -> list[str]:
    """Tickets in which one of the accounts has a part and whose life reaches into the time between."""
    mark = storage.columnar.values(db, list(keys))
    alive = (
        f"opened_at <= {high} AND (resolved_at IS NULL OR resolved_at >= {low} OR closed_at >= {low} "
        f"OR responded_at >= {low})"
    )
    found: set[str] = set()
    for name in scoring.facts.ACCOUNTS["ticket"]:
        sql = f"SELECT id FROM ticket WHERE {storage.columnar.listed(db, name)} AND {alive}"
        found |= {row[0] for row in await storage.columnar.rows(db, sql, mark)}
    sql = f"SELECT DISTINCT ticket FROM ticket_event WHERE {storage.columnar.listed(db, 'owner')} AND at <= {high}"
    held = [row[0] for row in await storage.columnar.rows(db, sql, mark)]
    sql = f"SELECT id FROM ticket WHERE {storage.columnar.listed(db, 'id')} AND {alive}"
    found |= {row[0] for row in await storage.columnar.rows(db, sql, storage.columnar.values(db, held))}
    return sorted(found)


def _rows(
    frames: dict[str, pl.DataFrame], metric: Metric, side: Side, person: int, period: Period, last: int,
    directory: Directory,
) -> pl.DataFrame:  # fmt: skip
    """ticket, @day, num, den (thousandths, null where it does not count) of the person's rows in the period."""
    frame = frames[side.table]
    who = scoring.rollups.subjects(frame, side.table, side.credit, directory, None, of_client=False)
    day = scoring.rollups.days(frame, side.table, side.day, who, directory, of_client=False)
    values = []
    for name, one in (("num", metric.numerator), ("den", metric.denominator)):
        value = scoring.rollups.milli(one) if one.table == side.table else pl.lit(None, pl.Int64)
        if one.table == side.table and one.shape != "flow":
            begin, end = pl.col(one.day), pl.col(one.until)
            alive = (begin <= last) & (end.is_null() | (end > last))
            value = pl.when(alive).then(value)
        values.append(value.alias(name))
    made = frame.select(pl.col(scoring.facts.TICKET_OF[side.table]).alias("ticket"), *values).with_columns(
        who.alias("@who"), day.alias("@day")
    )
    mine = made.filter((pl.col("@who") == person) & pl.col("ticket").is_not_null() & (pl.col("@day") <= period.last))
    if side.shape == "flow":
        mine = mine.filter(pl.col("@day") >= period.first)
    else:
        mine = mine.filter(pl.col("den").is_not_null() | pl.col("num").is_not_null())
    return mine.group_by("ticket").agg(
        pl.col("@day").max(),
        pl.col("num").sum(),
        pl.when(pl.col("den").count() > 0).then(pl.col("den").sum()).alias("den"),
    )


def _words(metric: Metric, num: int, den: int | None) -> str:
    if den is None:
        return f"does not count: {metric.excludes}" if metric.excludes else "does not count"
    if metric.kind == "rate":
        return "yes" if num > 0 else "no"
    if metric.kind == "mean":
        return f"{metric.scale * num / max(den, 1):.{metric.decimals}f} {metric.unit}"
    return f"{num / MILLI:g} of {den / MILLI:g}"
