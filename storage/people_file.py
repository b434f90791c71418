"""Takes a checked people file into the tables, and says in words what that changes."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Table, bindparam, delete, insert, select, update

import scoring.maps
import scoring.people_file
import storage.audit
from scoring.people import Hours
from scoring.people_file import Known, PeopleFile, PersonEntry, StandIn, Stay, TeamEntry
from scoring.refused import Refused
from storage.db import Db
from storage.models import account, audit, deputy, membership, person, team


@dataclass(frozen=True, slots=True)
class Changes:
    """What a people file changed. `from_day`: the earliest day whose attribution it touches, if any."""

    sentences: tuple[str, ...]
    from_day: int | None
    people: int
    teams: int


def hours_json(hours: Hours) -> str:
    """Weekly hours as stored: seven lists of [start, end] in local minutes."""
    return json.dumps(hours.spans, separators=(",", ":"))


@lru_cache(maxsize=1024)
def hours_of(text: str) -> Hours:
    """The reverse of `hours_json`."""
    return Hours(tuple(tuple((start, end) for start, end in day) for day in json.loads(text)))


RENAMED = "person renamed"
_RENAMES = select(audit.c.subject, audit.c.body).where(audit.c.act == RENAMED).order_by(audit.c.id)


async def known(db: Db) -> Known:
    """What the database holds, in the words of a people file."""
    keys = {row.id: row.key for row in await db.execute(select(person.c.id, person.c.key))}
    team_rows = list(await db.execute(select(team)))
    team_keys = {row.id: row.key for row in team_rows}
    stays: dict[str, list[Stay]] = {key: [] for key in keys.values()}
    for row in await db.execute(select(membership).order_by(membership.c.from_day)):
        manager = keys.get(row.manager_id, "")
        stays[keys[row.person_id]].append(
            Stay(team_keys[row.team_id], row.role, row.from_day, row.to_day, row.tier, manager)
        )
    teams = {
        row.key: TeamEntry(
            row.key,
            row.name,
            row.zone,
            hours_of(row.hours),
            frozenset(json.loads(row.holidays)),
            row.agreed_small,
        )
        for row in team_rows
    }
    linked = await db.execute(select(account).where(account.c.state == "linked"))
    accounts = {row.key: keys[row.person_id] for row in linked if row.person_id is not None}
    whole = {key: tuple(found) for key, found in stays.items()}
    return Known(whole, teams, accounts, await _renamed(db, keys))


async def _renamed(db: Db, keys: Mapping[int, str]) -> dict[str, str]:
    """Keys that nobody has any more, as the audit trail tells, with the key of the same person now."""
    found: dict[str, str] = {}
    for row in await db.execute(_RENAMES):
        number = int(row.subject.removeprefix("person:"))
        if number in keys:
            found[json.loads(row.body)["from"]] = keys[number]
    held = set(keys.values())
    return {old: new for old, new in found.items() if old not in held}


async def rename(db: Db, old: str, new: str, actor: str, at: int) -> str:
    """Gives a person another key, with an audit entry, and tells their name; all else refers to their number.

    Raises Refused for a key that nobody has, that somebody has, or that no file could hold.
    """
    people = {row.key: row for row in await db.execute(select(person.c.id, person.c.key, person.c.name))}
    if old not in people:
        raise Refused(f"Nobody has the key {old!r}.", scoring.maps.nearest(old, people) if people else "")
    if new in people:
        raise Refused(f"{new!r} is the key of {people[new].name} already.", "Choose another one.")
    if not scoring.people_file.is_key(new):
        raise Refused(f"{new!r} is no key.", "It has up to 200 letters, without a semicolon or blanks around it.")
    one = people[old]
    await db.execute(update(person).where(person.c.id == one.id).values(key=new))
    await storage.audit.add(db, at, actor, RENAMED, f"person:{one.id}", {"from": old, "to": new})
    return str(one.name)


class _Log:
    """Collects the sentences and the earliest day they concern."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self.from_day: int | None = None

    def say(self, sentence: str, day: int | None = None) -> None:
        self.sentences.append(sentence)
        if day is not None:
            self.from_day = day if self.from_day is None else min(day, self.from_day)


async def _put(db: Db, table: Table, key: str, values: dict[str, Any]) -> tuple[int, dict[str, Any] | None]:
    """Inserts or updates the row with this key; gives its id and the row before, None where it is new."""
    row = (await db.execute(select(table).where(table.c.key == key))).mappings().first()
    if row is None:
        result = await db.execute(insert(table).values(key=key, **values).returning(table.c.id))
        return int(result.scalar_one()), None
    if any(row[column] != value for column, value in values.items()):
        await db.execute(update(table).where(table.c.id == row["id"]).values(**values))
    return int(row["id"]), dict(row)


async def _put_team(db: Db, entry: TeamEntry, log: _Log) -> int:
    values = {
        "name": entry.name,
        "zone": entry.zone,
        "hours": hours_json(entry.hours),
        "holidays": json.dumps(sorted(entry.holidays)),
        "agreed_small": entry.agreed_small,
    }
    team_id, before = await _put(db, team, entry.key, values)
    if before is None:
        log.say(f"+ team {entry.name} ({entry.zone})", 0)
    else:
        changed = [column for column, value in values.items() if before[column] != value]
        if changed:
            moves_days = bool(set(changed) - {"name", "agreed_small"})
            log.say(f"~ team {entry.name}: {', '.join(changed)}", 0 if moves_days else None)
    return team_id


async def _put_person(db: Db, entry: PersonEntry, made_up: bool, log: _Log) -> int:
    hours = None if entry.hours is None else hours_json(entry.hours)
    values: dict[str, Any] = {"name": entry.name, "zone": entry.zone, "hours": hours, "made_up": made_up}
    person_id, before = await _put(db, person, entry.key, values)
    if before is None:
        log.say(f"+ {entry.name} ({entry.key})")
    else:
        changed = [column for column, value in values.items() if before[column] != value]
        if changed:
            log.say(f"~ {entry.name}: {', '.join(changed)}", 0 if {"zone", "hours"} & set(changed) else None)
    return person_id


def _words(stay: Stay) -> str:
    until = "" if stay.to_day is None else f" to {scoring.people_file.iso(stay.to_day - 1)}"
    tier = "" if stay.tier is None else f", tier {stay.tier}"
    manager = f", manager {stay.manager}" if stay.manager else ""
    return f"{stay.team} as {stay.role}{tier}{manager} from {scoring.people_file.iso(stay.from_day)}{until}"


def _plain(stay: Stay) -> Stay:
    return Stay(stay.team, stay.role, stay.from_day, stay.to_day, stay.tier, stay.manager)


def _stay_changes(entry: PersonEntry, before: tuple[Stay, ...], log: _Log) -> bool:
    after = [_plain(stay) for stay in entry.stays]
    old = [_plain(stay) for stay in before]
    for stay in old:
        if stay not in after:
            log.say(f"- {entry.name}: no longer {_words(stay)}", stay.from_day)
    for stay in after:
        if stay not in old:
            log.say(f"+ {entry.name}: {_words(stay)}", stay.from_day)
    return after != old


async def _put_stand_ins(db: Db, entry: PersonEntry, ids: dict[str, int], log: _Log) -> None:
    keys = {number: key for key, number in ids.items()}
    mine = ids[entry.key]
    rows = await db.execute(select(deputy).where(deputy.c.person_id == mine))
    before = {StandIn(keys[row.for_id], row.from_day, row.to_day) for row in rows}
    after = set(entry.stands_in)
    if before == after:
        return
    log.say(f"~ {entry.name}: stands in for {', '.join(sorted({s.person for s in after})) or 'nobody'}")
    await db.execute(delete(deputy).where(deputy.c.person_id == mine))
    if after:
        values = [
            {"person_id": mine, "for_id": ids[s.person], "from_day": s.from_day, "to_day": s.to_day}
            for s in sorted(after, key=lambda s: (s.person, s.from_day))
        ]
        await db.execute(insert(deputy), values)


async def _put_accounts(db: Db, parsed: PeopleFile, ids: dict[str, int], log: _Log) -> None:
    rows = {row.key: (row.person_id, row.state) for row in await db.execute(select(account))}
    held: dict[int, list[str]] = defaultdict(list)
    for key, (person_id, _) in rows.items():
        if person_id is not None:
            held[person_id].append(key)
    wanted: dict[str, tuple[int | None, str]] = dict.fromkeys(parsed.shared, (None, "disputed"))
    for entry in parsed.people:
        for system, keys in entry.accounts.items():
            prefix = scoring.people_file.account_key(system, "")
            for key in held[ids[entry.key]]:
                if key.startswith(prefix) and key not in keys:
                    wanted.setdefault(key, (None, "unlinked"))
    for entry in parsed.people:
        wanted |= {key: (ids[entry.key], "linked") for keys in entry.accounts.values() for key in keys}
    names = {ids[entry.key]: entry.name for entry in parsed.people}
    for key, (person_id, state) in sorted(wanted.items()):
        if rows.get(key) == (person_id, state) or (state == "unlinked" and key not in rows):
            continue
        owner = {"disputed": "shared, scored for nobody", "unlinked": "nobody"}.get(state)
        log.say(f"~ account {key}: {owner or names[person_id or 0]}", 0)
    fresh = {k: v for k, v in wanted.items() if k not in rows and v[1] != "unlinked"}
    moved = {k: v for k, v in wanted.items() if k in rows and rows[k] != v and v[1] != "unlinked"}
    gone = [k for k, v in wanted.items() if v[1] == "unlinked"]
    if fresh:
        await db.execute(insert(account), [{"key": k, "person_id": p, "state": s} for k, (p, s) in fresh.items()])
    if moved:
        await db.execute(
            update(account)
            .where(account.c.key == bindparam("k"))
            .values(person_id=bindparam("p"), state=bindparam("s")),
            [{"k": k, "p": p, "s": s} for k, (p, s) in moved.items()],
        )
    if gone:
        await db.execute(delete(account).where(account.c.key == bindparam("k")), [{"k": k} for k in gone])


async def load(db: Db, parsed: PeopleFile, made_up: bool = False) -> Changes:
    """Makes the tables say what the file says of the people in it; everyone else stays as they are.

    The same file twice changes nothing. The caller rebuilds rollups from `Changes.from_day` on.
    """
    log = _Log()
    before = await known(db)
    team_ids = {row.key: row.id for row in await db.execute(select(team.c.id, team.c.key))}
    for one in parsed.teams:
        team_ids[one.key] = await _put_team(db, one, log)
    ids = {row.key: row.id for row in await db.execute(select(person.c.id, person.c.key))}
    for entry in parsed.people:
        ids[entry.key] = await _put_person(db, entry, made_up, log)
    fresh = []
    for entry in parsed.people:
        if _stay_changes(entry, before.stays.get(entry.key, ()), log):
            await db.execute(delete(membership).where(membership.c.person_id == ids[entry.key]))
            fresh += [
                {
                    "person_id": ids[entry.key],
                    "team_id": team_ids[stay.team],
                    "role": stay.role,
                    "tier": stay.tier,
                    "manager_id": ids[stay.manager] if stay.manager else None,
                    "from_day": stay.from_day,
                    "to_day": stay.to_day,
                }
                for stay in entry.stays
            ]
        await _put_stand_ins(db, entry, ids, log)
    if fresh:
        await db.execute(insert(membership), fresh)
    await _put_accounts(db, parsed, ids, log)
    return Changes(tuple(log.sentences), log.from_day, len(parsed.people), len(parsed.teams))
