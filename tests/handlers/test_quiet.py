"""The quiet inbox: one budget a person and day over everything, their working hours, and their leave."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import polars as pl

import cards.notice
import handlers.outgoing
from bot.scheduler import REDFIRST
from handlers.call import Ctx
from tests.handlers import desk as small
from tests.handlers.desk import Desk

CARD = cards.notice.told("A thought", "Something nobody asked for.")


async def suggest(
    desk: Desk, key: str, who: str = "ana", *, urgent: bool = False, until: datetime | None = None
) -> str:
    async with desk.store.write() as db:
        ctx = Ctx(db, REDFIRST, desk.now, await desk.rules.get(db, desk.now))
        return await handlers.outgoing.offer(ctx, desk.ids[who], CARD, key, urgent=urgent, until=until)


async def due(desk: Desk) -> dict[str, datetime]:
    rows = await desk.rows("SELECT key, due_at FROM outbox ORDER BY id")
    return {row[0]: datetime.fromtimestamp(row[1], UTC) for row in rows}


async def leave(desk: Desk, who: str, first: int, last: int, minutes: int | None = None) -> None:
    frame = pl.DataFrame(
        [{"id": f"l{first}", "account": f"desk/{who}", "first_day": first, "last_day": last,
          "minutes_per_day": minutes, "kind": "holiday"}],
        schema_overrides={"minutes_per_day": pl.Int64},
    )  # fmt: skip
    await desk.put("leave", frame)


async def test_what_does_not_fit_into_the_day_waits_for_the_next_working_time(desk: Desk) -> None:
    for index in range(8):
        assert await suggest(desk, f"k{index}") == "said"
    at = await due(desk)
    thursday, friday = datetime(2026, 8, 6, 9, 0, tzinfo=UTC), datetime(2026, 8, 7, 9, 0, tzinfo=UTC)
    assert list(at.values()) == [desk.now] * 3 + [thursday] * 3 + [friday] * 2


async def test_everybody_has_a_budget_of_their_own(sqlite_desk: Desk) -> None:
    for index in range(4):
        await suggest(sqlite_desk, f"a{index}")
    assert await suggest(sqlite_desk, "b0", "ben") == "said"
    assert (await due(sqlite_desk))["b0"] == sqlite_desk.now


async def test_the_same_thing_is_said_once_and_takes_one_place(sqlite_desk: Desk) -> None:
    assert [await suggest(sqlite_desk, "same") for _ in range(5)] == ["said"] * 5
    assert await sqlite_desk.one("SELECT count(*) FROM outbox") == 1
    assert await sqlite_desk.one("SELECT count(*) FROM unasked") == 1


async def test_replicas_at_the_same_moment_keep_to_the_budget_together(desk: Desk) -> None:
    await asyncio.gather(*(suggest(desk, f"k{index}") for index in range(7)))
    at = list((await due(desk)).values())
    assert sorted(at.count(one) for one in set(at)) == [1, 3, 3]


async def test_the_urgent_does_not_wait_but_takes_a_place(sqlite_desk: Desk) -> None:
    for index in range(3):
        await suggest(sqlite_desk, f"k{index}")
    assert await suggest(sqlite_desk, "now", urgent=True) == "said"
    assert (await due(sqlite_desk))["now"] == sqlite_desk.now
    assert await suggest(sqlite_desk, "later") == "said"
    assert (await due(sqlite_desk))["later"] > sqlite_desk.now


async def test_in_the_evening_it_waits_for_the_morning(sqlite_desk: Desk) -> None:
    sqlite_desk.now = small.NOW.replace(hour=21)
    await suggest(sqlite_desk, "k")
    assert (await due(sqlite_desk))["k"] == datetime(2026, 8, 6, 9, 0, tzinfo=UTC)


async def test_the_hours_are_those_of_the_persons_own_zone(sqlite_desk: Desk) -> None:
    await sqlite_desk.change(
        "UPDATE person SET zone = 'America/New_York' WHERE id = :ana", ana=sqlite_desk.ids["ana"]
    )
    await suggest(sqlite_desk, "k")  # it is five in the morning there
    assert (await due(sqlite_desk))["k"] == datetime(2026, 8, 5, 13, 0, tzinfo=UTC)


async def test_nobody_is_disturbed_on_leave(desk: Desk) -> None:
    await leave(desk, "ana", small.TODAY, small.TODAY + 1)
    assert await suggest(desk, "k") == "said"
    assert (await due(desk))["k"] == datetime(2026, 8, 7, 9, 0, tzinfo=UTC)


async def test_an_hour_at_the_dentist_is_no_day_off(sqlite_desk: Desk) -> None:
    await leave(sqlite_desk, "ana", small.TODAY, small.TODAY, minutes=60)
    await suggest(sqlite_desk, "k")
    assert (await due(sqlite_desk))["k"] == sqlite_desk.now


async def test_whoever_has_left_is_told_nothing_more(desk: Desk) -> None:
    assert await suggest(desk, "k", "lou") == "unreachable"
    async with desk.store.write() as db:
        ctx = Ctx(db, REDFIRST, desk.now, await desk.rules.get(db, desk.now))
        assert not await handlers.outgoing.tell(ctx, desk.ids["lou"], "slack", CARD, "told")
    assert await due(desk) == {}


async def test_what_is_pointless_later_is_not_said_and_the_reason_is_known(sqlite_desk: Desk) -> None:
    desk, tonight = sqlite_desk, small.NOW + timedelta(hours=12)
    for index in range(3):
        await suggest(desk, f"k{index}")
    assert await suggest(desk, "late", until=tonight) == "budget"
    await leave(desk, "ben", small.TODAY, small.TODAY)
    assert await suggest(desk, "away", "ben", until=tonight) == "leave"
    desk.now = small.NOW.replace(hour=20)
    assert await suggest(desk, "night", "eli", until=desk.now + timedelta(hours=4)) == "closed"
    await desk.change("DELETE FROM account WHERE person_id = :fay", fay=desk.ids["fay"])
    assert await suggest(desk, "lost", "fay") == "unreachable"
    assert len(await due(desk)) == 3
