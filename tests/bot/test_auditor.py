"""The auditor: what is stuck is found within minutes, freed, counted, and told to whoever can do something."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy

import bot.config
import storage.deliveries
import storage.outbox
import storage.pace
import storage.rules
from bot.auditor import Auditor, Found
from bot.config import Config
from bot.delivery import SECOND_LOOK, Delivery
from bot.edge import Retry, Undeliverable, Unsure
from scoring.people import OFFICE
from storage.db import Store
from storage.deliveries import Over
from storage.models import account, outbox, person, team
from storage.models import membership as memberships
from storage.pace import Limit
from storage.people_file import hours_json
from tests.bot.post_office import NOW, START, Clock, Knowing, Platform, add, tried, until


class Watched:
    """A store with an auditor over a delivery; `made` counts how often the timetable was worked on."""

    def __init__(self, store: Store, edge: Platform, clock: Clock) -> None:
        self.store, self.edge, self.clock = store, edge, clock
        self.delivery = Delivery(store, {edge.name: edge}, clock, limits=lambda row: ())
        self.auditor = Auditor(
            store, storage.rules.InForce(), clock, self.delivery, {edge.name: edge}, self._make
        )
        self.made = 0

    async def _make(self) -> int:
        self.made += 1
        return 1


@pytest.fixture
async def watched(store: Store) -> Watched:
    async with store.write() as db:
        await storage.rules.ensure(db, bot.config.rules(Config()), START)
    return Watched(store, Knowing(), Clock())


async def claimed(store: Store) -> None:
    async with store.write() as db:
        rows = await storage.deliveries.claim(db, ["slack"], [], NOW, NOW + 120, 9)
        await storage.deliveries.begun(db, rows, NOW)


async def test_where_nothing_is_wrong_nothing_is_done(watched: Watched) -> None:
    await add(watched.store, "fresh")
    assert await watched.auditor.round() == Found()


async def test_what_a_process_let_fall_is_freed(watched: Watched) -> None:
    await add(watched.store, "orphan")
    await claimed(watched.store)
    watched.clock.now += timedelta(minutes=3)
    found = await watched.auditor.round()
    assert found.fallen == 1
    assert await watched.auditor.round() == Found(late=1)  # due, and nobody is running
    await watched.delivery.start()
    await until(watched.store, "orphan", "sent")
    await watched.delivery.stop()


async def test_an_outbox_that_nobody_reads_is_read_again(watched: Watched) -> None:
    await watched.delivery.start()
    await asyncio.sleep(0.05)
    watched.delivery._loops[0].cancel()  # as when a connection never comes back
    await asyncio.wait([watched.delivery._loops[0]])
    await add(watched.store, "waiting", due=NOW - 300)
    assert (await watched.auditor.round()).late == 1
    watched.delivery._read_at -= 120
    assert (await watched.auditor.round()).late == 1
    await until(watched.store, "waiting", "sent")
    await watched.delivery.stop()


async def test_a_time_of_the_timetable_that_passed_is_made(watched: Watched) -> None:
    async with watched.store.write() as db:
        await db.execute(
            sqlalchemy.text(
                "INSERT INTO timetable (key, pattern, digest, done, next_due, wake_at, since, failures) "
                "VALUES ('weekly', '{}', 'x', 0, :due, :due, 0, 0)"
            ),
            {"due": NOW - 200},
        )
    assert (await watched.auditor.round()).unmade == 1
    assert watched.made == 1


async def test_a_wait_that_no_platform_asks_for_is_undone(watched: Watched) -> None:
    async with watched.store.write() as db:
        await storage.pace.pause(db, [Limit("slack chat.postMessage", ())], 1000 * (NOW + 10 * 86_400))
        await storage.pace.pause(db, [Limit("slack C1", ())], 1000 * (NOW + 600))
    assert (await watched.auditor.round()).ahead == 1
    async with watched.store.read() as db:
        assert set(await storage.pace.paused(db, ["slack chat.postMessage", "slack C1"], 1000 * NOW)) == {"slack C1"}


async def test_what_came_late_and_stands_there_twice_is_flagged(watched: Watched) -> None:
    def dropped_once(key: str, attempt: int) -> None:
        if attempt == 1:
            raise Unsure(0.0)

    late, once = "late", "once"
    edge = Knowing(dropped_once)
    watched = Watched(watched.store, edge, watched.clock)
    for key in (late, once):
        await add(watched.store, key)
    await watched.delivery.start()
    async with asyncio.timeout(10):
        for key in (late, once):
            await tried(watched.store, key, 1)
        watched.clock.now += timedelta(minutes=2)
        watched.delivery.kick()
        for key in (late, once):
            await until(watched.store, key, "sent")
    await watched.delivery.stop()
    edge.known[late] = "C1/0"  # only now the first one arrives
    assert (await watched.auditor.round()).twice == 0
    watched.clock.now += timedelta(seconds=SECOND_LOOK)
    assert (await watched.auditor.round()).twice == 1
    assert (await watched.auditor.round()).twice == 0
    async with watched.store.read() as db:
        assert [m.key for m in await storage.outbox.twice(db, 9)] == [late]
        assert await storage.outbox.said_twice(db) == 1


async def to_be_looked_for(watched: Watched, *keys: str) -> None:
    """Messages that may have been posted twice, each looked for a second time at another moment."""
    async with watched.store.write() as db:
        for place, key in enumerate(keys):
            await storage.outbox.add(db, "slack", f"C{key}", {}, key, NOW)
            await db.execute(
                sqlalchemy.update(outbox).where(outbox.c.key == key).values(state="sent", check_at=NOW - 60 + place)
            )


async def test_a_message_that_cannot_be_looked_for_keeps_no_other_from_it(watched: Watched) -> None:
    class Broken(Knowing):
        async def copies(self, recipient: str, key: str) -> int:
            if recipient == "Cbad":
                raise KeyError("ts")
            return 2

    watched = Watched(watched.store, Broken(), watched.clock)
    await to_be_looked_for(watched, "bad", "good")
    assert (await watched.auditor.round()).twice == 1
    async with watched.store.read() as db:
        assert [m.key for m in await storage.outbox.twice(db, 9)] == ["good"]
        assert await storage.deliveries.to_check(db, NOW, 9) == []  # nothing comes back to it every minute


async def test_a_platform_that_asks_to_wait_is_looked_at_in_the_next_round(watched: Watched) -> None:
    class Busy(Knowing):
        calls = 0

        async def copies(self, recipient: str, key: str) -> int:
            self.calls += 1
            if self.calls == 1:
                raise Retry(30.0)
            return 2

    edge = Busy()
    watched = Watched(watched.store, edge, watched.clock)
    await to_be_looked_for(watched, "one", "two")
    assert (await watched.auditor.round()).twice == 0
    assert edge.calls == 1
    assert (await watched.auditor.round()).twice == 2


async def test_what_was_posted_on_a_platform_that_is_gone_takes_nobodys_turn(watched: Watched) -> None:
    await to_be_looked_for(watched, "gone")
    async with watched.store.write() as db:
        await db.execute(sqlalchemy.update(outbox).values(platform="teams"))
    await watched.auditor.round()
    async with watched.store.read() as db:
        assert await storage.deliveries.to_check(db, NOW, 9) == []


async def test_administrators_are_told_once_a_day_while_there_is_something_new(watched: Watched) -> None:
    async with watched.store.write() as db:
        hours = hours_json(OFFICE)
        await db.execute(team.insert().values(id=1, key="t", name="T", zone="UTC", hours=hours, holidays="[]"))
        for number, role in ((1, "admin"), (2, "lead"), (3, "admin")):
            await db.execute(person.insert().values(id=number, key=f"p{number}", name=f"P{number}", zone="UTC"))
            await db.execute(memberships.insert().values(person_id=number, team_id=1, role=role, from_day=1))
        for number in (1, 2):  # the third has no account in any chat
            await db.execute(account.insert().values(key=f"slack:T1/U{number}", person_id=number, state="linked"))
    await add(watched.store, "secret")
    async with watched.store.write() as db:
        (row,) = await storage.deliveries.claim(db, ["slack"], [], NOW, NOW + 120, 9)
        await storage.deliveries.settle(db, [(row, Over("failed", "That channel is archived."))], NOW)
    assert [(await watched.auditor.round()).told for _ in range(2)] == [1, 0]
    async with watched.store.read() as db:
        told = [r for r in await db.execute(sqlalchemy.select(outbox)) if r.key != "secret"]
    assert [r.recipient for r in told] == ["slack:T1/U1"]
    assert "That channel is archived." in told[0].body
    assert "secret" not in told[0].body
    watched.clock.now += timedelta(days=1, minutes=1)
    assert (await watched.auditor.round()).told == 0  # it is known


async def test_a_conversation_that_cannot_be_looked_into_stays_as_it_is(watched: Watched) -> None:
    class Blind(Knowing):
        async def copies(self, recipient: str, key: str) -> int:
            raise Undeliverable("missing permission")

    watched = Watched(watched.store, Blind(), watched.clock)
    await add(watched.store, "k")
    async with watched.store.write() as db:
        (row,) = await storage.deliveries.claim(db, ["slack"], [], NOW, NOW + 120, 9)
        await storage.deliveries.settle(db, [(row, storage.deliveries.Sent("C1/1", 0, NOW))], NOW)
    assert (await watched.auditor.round()).twice == 0
    async with watched.store.read() as db:
        assert await storage.deliveries.to_check(db, NOW + 86_400, 9) == []
