"""Two weeks later: how it went, by fresh figures, kindly, and to nobody whom it does not concern."""

from __future__ import annotations

from datetime import timedelta

import handlers.check_backs
import scoring.periods
from bot.scheduler import REDFIRST
from handlers.call import Ctx
from scoring.schedules import Due, Schedule
from tests.handlers import desk as small
from tests.handlers.desk import Desk, Work, buttons, words
from tests.handlers.test_nudges import leave, nudges, on_day, run


async def check(desk: Desk, team: str = "help-desk") -> None:
    """What the timetable does in the morning."""
    target = f"team:{desk.teams[team]}"
    day = scoring.periods.day_of(desk.now.date())
    due = Due(Schedule(f"check_backs/{target}", "check_backs", target, "UTC", "daily"), 0, day, "make")
    async with desk.store.write() as db:
        await handlers.check_backs.make(Ctx(db, REDFIRST, desk.now, await desk.rules.get(db, desk.now)), due)


async def worked(desk: Desk, who: str, rating: int, days: int = 14) -> list[Work]:
    """Three tickets on every working day of the next days, with answers to their surveys."""
    done = [
        Work(60_000 + day * 10 + n, who, day, rating)
        for day in range(small.TODAY, small.TODAY + days)
        for n in range(3)
        if scoring.periods.monday(day) + 5 > day
    ]
    await desk.put("ticket", small.tickets(done))
    await desk.put("survey", small.surveys(done))
    return done


async def told(desk: Desk, who: str = "ana") -> list[str]:
    """What a person was told about how it went, as text."""
    return [words(card) for key, card, _ in await nudges(desk, who) if ":check:" in key]


async def test_two_weeks_later_the_person_sees_before_and_since_with_their_sample(desk: Desk) -> None:
    await run(desk)
    await worked(desk, "ana", 5)
    for days in (1, 13):
        await on_day(desk, days)
        await check(desk)
        assert await told(desk) == []
    await on_day(desk, 14)
    await check(desk)
    await check(desk)
    [said] = await told(desk)
    week = small.THIS_WEEK
    before = small.of("ana", week - 28, week - 1)
    good = sum(one.rating >= 4 for one in before)
    assert f"{round(100 * good / len(before))} % ({good} of {len(before)})" in said
    since = [w.rating for w in small.of("ana", week, week + 13)] + [5] * 3 * 8  # eight working days in the two weeks
    rated = sum(rating >= 4 for rating in since)
    assert f"{round(100 * rated / len(since))} % ({rated} of {len(since)})" in said
    assert "Better, and by more than chance explains." in said
    assert "Two weeks ago: “Say what happens next, and keep to it”." in said
    leads = {small.account(who) for who in ("lena", "mara", "zoe", "hugo", "adam")}
    assert not leads & {to for to, _ in await desk.said()}


async def test_what_did_not_get_better_is_said_kindly(sqlite_desk: Desk) -> None:
    await run(sqlite_desk)
    await worked(sqlite_desk, "ana", 1)
    await on_day(sqlite_desk, 14)
    await check(sqlite_desk)
    [said] = await told(sqlite_desk)
    assert "Not better so far. That happens, and it need not be you" in said


async def test_too_little_work_is_said_to_tell_nothing(sqlite_desk: Desk) -> None:
    await run(sqlite_desk)
    await sqlite_desk.change("DELETE FROM rollup WHERE day >= :d", d=small.THIS_WEEK)
    await sqlite_desk.change("DELETE FROM rollup_week WHERE day >= :d", d=small.THIS_WEEK)
    await on_day(sqlite_desk, 14)
    await check(sqlite_desk)
    [said] = await told(sqlite_desk)
    assert "Too little has happened to tell. That says nothing about you." in said


async def test_old_data_make_it_wait(sqlite_desk: Desk) -> None:
    await run(sqlite_desk)
    sqlite_desk.now = small.NOW + timedelta(days=14)
    await check(sqlite_desk)
    assert await told(sqlite_desk) == []
    await on_day(sqlite_desk, 15)
    await check(sqlite_desk)
    assert len(await told(sqlite_desk)) == 1


async def test_whoever_wants_no_nudges_is_told_nothing_more(sqlite_desk: Desk) -> None:
    await run(sqlite_desk)
    await sqlite_desk.ask("ana", "/redfirst nudges off")
    await on_day(sqlite_desk, 14)
    await check(sqlite_desk)
    assert await told(sqlite_desk) == []


async def test_on_leave_it_waits_for_the_return(sqlite_desk: Desk) -> None:
    await run(sqlite_desk)
    await leave(sqlite_desk, "ana", small.TODAY + 13, small.TODAY + 15)
    await on_day(sqlite_desk, 14)
    await check(sqlite_desk)
    [at] = [at for key, _, at in await nudges(sqlite_desk, "ana") if ":check:" in key]
    assert at == small.NOW + timedelta(days=16)


async def test_there_is_a_way_on_to_the_tickets_and_the_trend(sqlite_desk: Desk) -> None:
    await run(sqlite_desk)
    await on_day(sqlite_desk, 14)
    await check(sqlite_desk)
    [card] = [card for key, card, _ in await nudges(sqlite_desk, "ana") if ":check:" in key]
    for one in buttons(card):
        assert (await sqlite_desk.opened("ana", one)).title in ("Tickets: CSAT", "Trend: CSAT")
