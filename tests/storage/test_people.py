"""People queries: who an account is, whom they manage and lead, and what a people file changes."""

from __future__ import annotations

import pytest
from sqlalchemy import event, select

import scoring.people_file
import storage.models
import storage.people
import storage.people_file
from scoring.people import Person
from scoring.refused import Refused
from storage.db import Store

HEADER = ("person", "name", "team", "role", "tier", "manager", "from", "to", "deputy_for", "slack", "servicenow")
TODAY = 20_000  # 2024-10-04
DESK = """
mia,Mia,Desk,manager,,,2024-01-01,,,T1/U1,
lea,Lea,Desk,lead,2,mia,2024-01-01,,,T1/U2,Lea 1;Lea 2
tom,Tom,Desk,technician,1,lea,2024-01-01,,,T1/U3,Tom
eve,Eve,Desk,technician,1,lea,2024-01-01,2024-06-30,,T1/U4,Eve
eve,,Field,technician,2,ben,2024-07-01,,,,
ben,Ben,Field,manager,,,2024-01-01,,mia 2024-10-01..2024-10-04,T1/U5,
old,Old,Desk,technician,1,lea,2024-01-01,2024-03-31,,T1/U6,
"""


def rows(text: str) -> list[tuple[int, dict[str, str]]]:
    lines = text.strip().splitlines()
    return [(n, dict(zip(HEADER, line.split(","), strict=True))) for n, line in enumerate(lines, start=2)]


def parsed(text: str, known: scoring.people_file.Known | None = None) -> scoring.people_file.PeopleFile:
    return scoring.people_file.parse("people.csv", HEADER, rows(text), known=known)


async def load(store: Store, text: str) -> storage.people_file.Changes:
    async with store.write() as db:
        return await storage.people.load(db, parsed(text, await storage.people_file.known(db)))


async def who(store: Store, account: str, today: int = TODAY) -> Person | None:
    async with store.read() as db:
        return await storage.people.by_account(db, account, today)


async def named(store: Store, ids: frozenset[int]) -> set[str]:
    async with store.read() as db:
        return set((await storage.people.names(db, ids)).values())


async def test_an_account_leads_to_its_person_in_one_statement(store: Store) -> None:
    await load(store, DESK)
    statements: list[str] = []

    def count(*args: object) -> None:
        statements.append(str(args[2]))

    async with store.read() as db:
        event.listen(store.engine.sync_engine, "before_cursor_execute", count)
        tom = await storage.people.by_account(db, "slack:T1/U3", TODAY)
        event.remove(store.engine.sync_engine, "before_cursor_execute", count)
    assert len(statements) == 1
    assert tom is not None
    assert (tom.key, tom.name, tom.role, tom.tier, tom.active) == ("tom", "Tom", "technician", 1, True)
    assert tom.managed == frozenset()
    assert tom.led_teams == frozenset()


async def test_an_unknown_an_ignored_and_a_disputed_account_lead_to_nobody(store: Store) -> None:
    await load(store, DESK)
    async with store.write() as db:
        await db.execute(storage.models.account.insert().values(key="slack:T1/U7", person_id=1, state="disputed"))
    assert await who(store, "slack:T9/U9") is None
    assert await who(store, "slack:T1/U7") is None


async def test_a_manager_has_those_who_name_them_and_a_lead_has_the_team(store: Store) -> None:
    await load(store, DESK)
    mia, lea = await who(store, "slack:T1/U1"), await who(store, "slack:T1/U2")
    assert mia is not None
    assert lea is not None
    assert await named(store, mia.managed) == {"Lea"}
    assert mia.led_teams == frozenset(), "managing one member is not leading the team"
    assert await named(store, lea.managed) == {"Tom"}, "a lead does not manage the manager in the team"
    assert lea.led_teams == {lea.team_id}


async def test_a_mover_belongs_to_the_team_of_the_day(store: Store) -> None:
    await load(store, DESK)
    before, after = await who(store, "slack:T1/U4", 19_900), await who(store, "slack:T1/U4")
    assert before is not None
    assert after is not None
    assert before.tier == 1
    assert after.tier == 2
    assert before.team_id != after.team_id
    ben = await who(store, "slack:T1/U5", 20_001)
    assert ben is not None
    assert await named(store, ben.managed) == {"Eve"}
    assert ben.led_teams == {after.team_id}, "everyone else in the team names Ben as manager"


async def test_a_deputy_stands_in_on_the_days_given_and_not_a_day_longer(store: Store) -> None:
    await load(store, DESK)
    last_day, day_after = await who(store, "slack:T1/U5"), await who(store, "slack:T1/U5", TODAY + 1)
    assert last_day is not None
    assert day_after is not None
    assert await named(store, last_day.managed) == {"Eve", "Lea"}
    assert await named(store, day_after.managed) == {"Eve"}


async def test_a_leaver_is_inactive_and_has_the_least_rights(store: Store) -> None:
    await load(store, DESK)
    old = await who(store, "slack:T1/U6")
    assert old is not None
    assert not old.active
    assert old.team_id is None
    assert old.role == "technician"
    assert len(old.memberships) == 1


async def test_everyone_says_the_same_as_each_one_alone(store: Store) -> None:
    await load(store, DESK)
    async with store.read() as db:
        for one in await storage.people.everyone(db, TODAY):
            assert await storage.people.get(db, one.id, TODAY) == one
            assert await storage.people.by_key(db, one.key, TODAY) == one


async def test_members_are_those_of_any_day_of_the_period(store: Store) -> None:
    await load(store, DESK)
    async with store.read() as db:
        desk = await storage.people.team_by_name(db, "desk")
        assert desk is not None
        first_half = await storage.people.members(db, desk.id, 19_723, 19_904)
        second_half = await storage.people.members(db, desk.id, 19_905, 20_088)
    assert await named(store, frozenset(first_half)) == {"Mia", "Lea", "Tom", "Eve", "Old"}
    assert await named(store, frozenset(second_half)) == {"Mia", "Lea", "Tom"}


async def test_a_team_is_found_by_the_beginning_of_its_name_where_only_one_fits(store: Store) -> None:
    await load(store, DESK)
    async with store.read() as db:
        field = await storage.people.team_by_name(db, "fie")
        assert field is not None
        assert field.name == "Field"
        assert await storage.people.team_by_name(db, "") is None
        assert await storage.people.team_by_name(db, "nowhere") is None
        assert await storage.people.team(db, field.id) == field
        assert [team.name for team in await storage.people.teams(db)] == ["Desk", "Field"]


async def test_the_same_people_file_twice_changes_nothing(store: Store) -> None:
    first = await load(store, DESK)
    assert first.sentences
    assert first.from_day == 0
    again = await load(store, DESK)
    assert again.sentences == ()
    assert again.from_day is None


async def test_a_mover_is_named_with_the_first_day_that_changes(store: Store) -> None:
    await load(store, DESK)
    moved = DESK.replace("tom,Tom,Desk,technician,1,lea,2024-01-01,,,", "tom,Tom,Desk,technician,2,lea,2024-01-01,,,")
    changes = await load(store, moved)
    assert changes.sentences == (
        "- Tom: no longer Desk as technician, tier 1, manager lea from 2024-01-01",
        "+ Tom: Desk as technician, tier 2, manager lea from 2024-01-01",
    )
    assert changes.from_day == 19_723


async def test_whoever_is_not_in_the_file_stays_as_they_are(store: Store) -> None:
    await load(store, DESK)
    changes = await load(store, "new,New,Desk,technician,1,lea,2024-11-01,,,T1/U8,")
    assert "+ New: Desk as technician, tier 1, manager lea from 2024-11-01" in changes.sentences
    tom = await who(store, "slack:T1/U3")
    assert tom is not None
    assert tom.active


async def test_an_empty_cell_keeps_an_account_and_a_dash_gives_it_up(store: Store) -> None:
    await load(store, DESK)
    await load(store, "tom,Tom,Desk,technician,1,lea,2024-01-01,,,,-")
    assert await who(store, "slack:T1/U3") is not None
    assert await who(store, "servicenow/Tom") is None


async def test_an_account_of_someone_outside_the_file_is_not_taken_from_them(store: Store) -> None:
    await load(store, DESK)
    with pytest.raises(Refused, match="belongs to 'tom', who is not in this file"):
        await load(store, "new,New,Desk,technician,1,lea,2024-11-01,,,,Tom")


async def test_a_shared_account_is_disputed_and_belongs_to_nobody(store: Store) -> None:
    await load(store, DESK)
    await load(store, "tom,Tom,Desk,technician,1,lea,2024-01-01,,,,Tom;shared:desk")
    async with store.read() as db:
        found = (
            await db.execute(select(storage.models.account).where(storage.models.account.c.state == "disputed"))
        ).one()
    assert (found.key, found.person_id) == ("servicenow/desk", None)


async def test_a_linked_account_belongs_to_the_person_from_then_on(store: Store) -> None:
    await load(store, DESK)
    tom = await who(store, "slack:T1/U3")
    assert tom is not None
    async with store.write() as db:
        await storage.people.link_account(db, "teams:t/oid", tom.id)
        await storage.people.link_account(db, "slack:T1/U4", tom.id)
    assert await who(store, "teams:t/oid") == tom
    assert await who(store, "slack:T1/U4") == tom


async def test_imported_people_are_never_made_up(store: Store) -> None:
    await load(store, DESK)
    async with store.read() as db:
        everyone = await storage.people.everyone(db, TODAY)
        assert not any([await storage.people.is_made_up(db, one.id) for one in everyone])
