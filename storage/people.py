"""Who is who: people, teams, memberships and accounts, read with few prebuilt statements."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Select,
    and_,
    bindparam,
    cast,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    union,
    union_all,
    update,
)

import scoring.access
from scoring.people import Membership, Person, Role, Team
from storage.db import Db, Prepared
from storage.models import account, deputy, membership, person
from storage.models import team as team_table
from storage.people_file import hours_of
from storage.people_file import load as load

LED_ROLES = ("technician", "coordinator")
"""Whom a lead manages: not their own manager, nor another lead."""

_TODAY = bindparam("today", type_=Integer)


def _active(table: Any) -> ColumnElement[bool]:
    return and_(table.c.from_day <= _TODAY, or_(table.c.to_day.is_(None), table.c.to_day > _TODAY))


def _whole(who: Select[Any]) -> Prepared:
    """One statement for one person: own rows (kind 0), people managed (1), teams led (2), teams of managed leads (3).

    A person manages whoever names them as manager today, and the technicians and coordinators of the
    teams in which they hold the role lead; a deputy stands in for both. A person leads a team in which
    they (or whom they stand in for) hold the role lead, or all of whose other members name them as manager.
    """
    me = who.cte("me")
    boss = (
        select(me.c.id)
        .union(select(deputy.c.for_id).where(deputy.c.person_id == select(me.c.id).scalar_subquery(), _active(deputy)))
        .cte("boss")
    )
    bosses = select(boss.c.id)
    own = membership.alias("own")
    held = membership.alias("held")
    lead = select(held.c.team_id).where(held.c.person_id.in_(bosses), held.c.role == "lead", _active(held)).cte("lead")
    direct = membership.alias("direct")
    under = membership.alias("under")
    kept = membership.alias("kept")
    other = membership.alias("other")
    above = membership.alias("above")
    nothing = cast(null(), Integer)
    outsider = exists().where(
        other.c.team_id == kept.c.team_id,
        _active(other),
        other.c.person_id.not_in(bosses),
        or_(other.c.manager_id.is_(None), other.c.manager_id.not_in(bosses)),
    )
    mine = select(
        literal(0).label("kind"),
        person.c.id,
        own.c.team_id,
        own.c.from_day,
        own.c.to_day,
        own.c.tier,
        own.c.manager_id,
        own.c.role,
        person.c.key,
        person.c.name,
        person.c.zone,
        team_table.c.key.label("team_key"),
    ).select_from(
        me.join(person, person.c.id == me.c.id)
        .outerjoin(own, own.c.person_id == person.c.id)
        .outerjoin(team_table, team_table.c.id == own.c.team_id)
    )
    rest = (nothing, nothing, nothing, nothing, *[literal("")] * 5)
    managed = union(
        select(direct.c.person_id.label("id")).where(direct.c.manager_id.in_(bosses), _active(direct)),
        select(under.c.person_id.label("id")).where(
            under.c.team_id.in_(select(lead.c.team_id)),
            or_(*(under.c.role == role for role in LED_ROLES)),
            _active(under),
        ),
    ).subquery("managed")
    led = union(
        select(lead.c.team_id),
        select(kept.c.team_id).where(kept.c.manager_id.in_(bosses), _active(kept), ~outsider),
    ).subquery("led")
    return Prepared(
        union_all(
            mine,
            select(literal(1), managed.c.id, nothing, *rest),
            select(literal(2), nothing, led.c.team_id, *rest),
            select(literal(3), nothing, above.c.team_id, *rest).where(
                above.c.role == "lead", above.c.manager_id.in_(bosses), _active(above)
            ),
        )
    )


_BY_ACCOUNT = _whole(
    select(account.c.person_id.label("id")).where(account.c.key == bindparam("account"), account.c.state == "linked")
)
_BY_ID = _whole(select(person.c.id).where(person.c.id == bindparam("person_id")))
_BY_KEY = _whole(select(person.c.id).where(person.c.key == bindparam("key")))
_TEAM = select(team_table)
_TEAM_BY_ID = select(team_table).where(team_table.c.id == bindparam("team_id"))
_MEMBERS = (
    select(membership.c.person_id)
    .where(
        membership.c.team_id == bindparam("team_id"),
        membership.c.from_day <= bindparam("last_day"),
        or_(membership.c.to_day.is_(None), membership.c.to_day > bindparam("first_day")),
    )
    .distinct()
    .order_by(membership.c.person_id)
)
_NAMES = select(person.c.id, person.c.name).where(person.c.id.in_(bindparam("ids", expanding=True)))
_PEOPLE = select(person.c.id, person.c.key, person.c.name, person.c.zone).order_by(person.c.name, person.c.id)
_MEMBERSHIPS = (
    select(membership, team_table.c.key.label("team_key"))
    .join(team_table, team_table.c.id == membership.c.team_id)
    .order_by(membership.c.from_day)
)
_DEPUTIES = select(deputy.c.person_id, deputy.c.for_id).where(_active(deputy))
_MADE_UP = select(person.c.id).where(person.c.id == bindparam("person_id"), person.c.made_up)
_ALL_MADE_UP = select(person.c.id).where(person.c.made_up)
_ACCOUNTS = select(account.c.key).where(account.c.person_id == bindparam("person_id")).order_by(account.c.key)
_IN_ROLE = (
    select(membership.c.person_id)
    .where(membership.c.role == bindparam("role"), _active(membership))
    .distinct()
    .order_by(membership.c.person_id)
)
_ABOVE = (
    select(membership.c.person_id.label("id"))
    .where(membership.c.team_id == bindparam("team_id"), membership.c.role == "lead", _active(membership))
    .union(
        select(membership.c.manager_id).where(
            membership.c.team_id == bindparam("team_id"), membership.c.manager_id.is_not(None), _active(membership)
        )
    )
    .subquery("above")
)
_LEADS = select(_ABOVE.c.id).union(
    select(deputy.c.person_id).where(deputy.c.for_id.in_(select(_ABOVE.c.id)), _active(deputy))
)


def _as_of(base: Person, memberships: Iterable[Membership], today: int) -> Person:
    """`base` with its memberships; outside every membership a person is inactive, with the least rights."""
    ordered = tuple(sorted(memberships, key=lambda m: m.from_day))
    now = next((m for m in ordered if m.from_day <= today and (m.to_day is None or m.to_day > today)), None)
    if now is None:
        return replace(base, memberships=ordered, active=False)
    return replace(
        base, memberships=ordered, role=now.role, team_id=now.team_id, tier=now.tier, manager_id=now.manager_id
    )


async def _one(db: Db, statement: Prepared, today: int, values: dict[str, object]) -> Person | None:
    own: list[Any] = []
    managed: set[int] = set()
    led: set[int] = set()
    over: set[int] = set()
    for row in await statement.rows(db, {**values, "today": today}):
        kind = row[0]
        if kind == 0:
            own.append(row)
        elif kind == 1:
            managed.add(row[1])
        elif kind == 2:
            led.add(row[2])
        else:
            over.add(row[2])
    if not own:
        return None
    _, number, *_, key, name, zone, _ = own[0]
    held = [
        Membership(number, team_id, role, from_day, to_day, tier, manager_id, team_key)
        for _, _, team_id, from_day, to_day, tier, manager_id, role, _, _, _, team_key in own
        if team_id is not None
    ]
    base = Person(
        id=number,
        key=key,
        name=name,
        role="technician",
        team_id=None,
        zone=zone,
        managed=frozenset(managed - {number}),
        led_teams=frozenset(led),
        over_teams=frozenset(over - led),
    )
    return _as_of(base, held, today)


async def by_account(db: Db, account: str, today: int) -> Person | None:
    """Whoever `account` ("slack:T1/U2") is linked to, as of `today`; one statement, whoever asks."""
    return await _one(db, _BY_ACCOUNT, today, {"account": account})


async def get(db: Db, person_id: int, today: int) -> Person | None:
    return await _one(db, _BY_ID, today, {"person_id": person_id})


async def by_key(db: Db, key: str, today: int) -> Person | None:
    return await _one(db, _BY_KEY, today, {"key": key})


async def everyone(db: Db, today: int) -> tuple[Person, ...]:
    """All people, leavers included, ordered by name; three statements."""
    memberships: dict[int, list[Membership]] = defaultdict(list)
    for row in await db.execute(_MEMBERSHIPS):
        held = (row.team_id, row.role, row.from_day, row.to_day, row.tier, row.manager_id, row.team_key)
        memberships[row.person_id].append(Membership(row.person_id, *held))
    standing_in: dict[int, set[int]] = defaultdict(set)
    for row in await db.execute(_DEPUTIES, {"today": today}):
        standing_in[row.person_id].add(row.for_id)
    people = [
        _as_of(Person(row.id, row.key, row.name, "technician", None, row.zone), memberships[row.id], today)
        for row in await db.execute(_PEOPLE)
    ]
    in_team: dict[int, list[Person]] = defaultdict(list)
    of_manager: dict[int, set[int]] = defaultdict(set)
    for one in people:
        if one.team_id is not None:
            in_team[one.team_id].append(one)
        if one.manager_id is not None:
            of_manager[one.manager_id].add(one.id)
    lead_in = {one.id: one.team_id for one in people if one.role == "lead" and one.team_id is not None}
    whole = []
    for one in people:
        bosses = {one.id} | standing_in[one.id]
        led = {lead_in[boss] for boss in bosses if boss in lead_in}
        managed = {member.id for team_id in led for member in in_team[team_id] if member.role in LED_ROLES}
        direct = {member for boss in bosses for member in of_manager[boss]}
        led |= {
            team_id
            for team_id, members in in_team.items()
            if any(m.id in direct for m in members) and all(m.id in direct or m.id in bosses for m in members)
        }
        over = {lead_in[member] for member in direct if member in lead_in} - led
        whole.append(
            replace(
                one,
                managed=frozenset((managed | direct) - {one.id}),
                led_teams=frozenset(led),
                over_teams=frozenset(over),
            )
        )
    return tuple(whole)


def _team(row: Row[Any]) -> Team:
    return Team(
        id=row.id,
        key=row.key,
        name=row.name,
        zone=row.zone,
        hours=hours_of(row.hours),
        holidays=frozenset(json.loads(row.holidays)),
        agreed_small=row.agreed_small,
    )


async def team(db: Db, team_id: int) -> Team | None:
    row = (await db.execute(_TEAM_BY_ID, {"team_id": team_id})).first()
    return None if row is None else _team(row)


async def teams(db: Db) -> tuple[Team, ...]:
    """All teams, ordered by name."""
    return tuple(sorted((_team(row) for row in await db.execute(_TEAM)), key=lambda t: (t.name.casefold(), t.id)))


async def team_by_name(db: Db, text: str) -> Team | None:
    """The team whose name or key is `text` in any case, else the only one whose name begins so."""
    wanted = text.strip().casefold()
    known = await teams(db)
    exact = [t for t in known if wanted in (t.name.casefold(), t.key.casefold())]
    near = exact or [t for t in known if wanted and t.name.casefold().startswith(wanted)]
    return near[0] if len(near) == 1 else None


async def members(db: Db, team_id: int, first_day: int, last_day: int) -> tuple[int, ...]:
    """Ids of whoever was in the team on a day from `first_day` to `last_day`, both included."""
    rows = await db.execute(_MEMBERS, {"team_id": team_id, "first_day": first_day, "last_day": last_day})
    return tuple(rows.scalars())


async def leads(db: Db, team: Team, today: int) -> tuple[Person, ...]:
    """Whoever leads the team today, those who stand in for its lead included; offices outside teams lead none."""
    found = [
        await get(db, number, today)
        for number in sorted((await db.execute(_LEADS, {"team_id": team.id, "today": today})).scalars())
    ]
    return tuple(one for one in found if one is not None and scoring.access.relation(one, team) == "lead")


async def above(db: Db, team: Team, today: int) -> tuple[Person, ...]:
    """Whoever the team's leads report to, where those read the team as leadership does."""
    bosses = {one.manager_id for one in await leads(db, team, today) if one.manager_id is not None}
    found = [await get(db, number, today) for number in sorted(bosses)]
    return tuple(one for one in found if one is not None and scoring.access.relation(one, team) == "leadership")


async def in_role(db: Db, role: Role, today: int) -> tuple[Person, ...]:
    """Everybody who holds a role today."""
    numbers = (await db.execute(_IN_ROLE, {"role": role, "today": today})).scalars()
    found = [await get(db, number, today) for number in list(numbers)]
    return tuple(one for one in found if one is not None and one.active and one.role == role)


async def names(db: Db, ids: Iterable[int]) -> dict[int, str]:
    wanted = sorted(set(ids))
    found: dict[int, str] = {}
    for start in range(0, len(wanted), 10_000):  # databases limit the parameters of a statement
        for row in await db.execute(_NAMES, {"ids": wanted[start : start + 10_000]}):
            found[row.id] = row.name
    return found


async def accounts(db: Db, person_id: int) -> tuple[str, ...]:
    """The accounts linked to a person."""
    return tuple((await db.execute(_ACCOUNTS, {"person_id": person_id})).scalars())


async def is_made_up(db: Db, person_id: int) -> bool:
    """Whether the person was generated for the demo."""
    return (await db.execute(_MADE_UP, {"person_id": person_id})).first() is not None


async def made_up(db: Db) -> set[int]:
    """Ids of everybody who was generated for the demo."""
    return set((await db.execute(_ALL_MADE_UP)).scalars())


async def link_account(db: Db, key: str, person_id: int) -> None:
    """From now on `key` belongs to the person, whoever had it before. Work is re-attributed by a rebuild."""
    changed = await db.execute(update(account).where(account.c.key == key).values(person_id=person_id, state="linked"))
    if changed.rowcount == 0:
        await db.execute(insert(account).values(key=key, person_id=person_id, state="linked"))


async def count(db: Db) -> int:
    return int((await db.execute(select(func.count()).select_from(person))).scalar_one())
