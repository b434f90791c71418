"""The demo's clock: it goes forwards only, nothing due on the way is left out or late, and only the page moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

import bot.app
from bot.config import Config
from bot.demo_time import Movable, Mover, target
from cards.card import Card, Text, to_json
from handlers.call import Ctx
from scoring.refused import Refused
from scoring.schedules import Due
from storage import outbox
from storage.db import Store
from tests.bot import test_web
from tests.bot.clockwork import SUNDAY, Clockwork, build, say
from tests.bot.test_web import Visitor
from tests.bot.test_web import database as database
from tests.bot.test_web import visitor as visitor
from tests.e2e import page_desk

HOUR = timedelta(hours=1)


def test_the_clock_follows_the_real_one_and_goes_forwards_only() -> None:
    real = [SUNDAY]
    clock = Movable(5 * HOUR, lambda: real[0])
    assert clock() == SUNDAY + 5 * HOUR
    clock.to(SUNDAY + 4 * HOUR)
    assert clock() == SUNDAY + 5 * HOUR
    clock.to(SUNDAY + 24 * HOUR)
    real[0] += HOUR
    assert clock() == SUNDAY + 25 * HOUR


@pytest.mark.parametrize(
    ("now", "zone", "word", "meant"),
    [
        ("2026-11-20T10:00", "Europe/London", "hours", "2026-11-20T12:00"),
        ("2026-11-20T10:00", "Europe/London", "tomorrow", "2026-11-21T09:00"),
        ("2026-11-20T10:00", "Europe/London", "monday", "2026-11-23T09:00"),
        ("2026-11-23T07:00", "Europe/Berlin", "monday", "2026-11-30T08:00"),
        ("2026-11-22T23:30", "Asia/Kolkata", "monday", "2026-11-30T03:30"),
        ("2026-03-28T12:00", "Europe/Berlin", "tomorrow", "2026-03-29T07:00"),
        ("2026-11-20T10:00", "Europe/London", "weeks", "2026-12-21T09:00"),
        ("2026-11-23T07:00", "Europe/Berlin", "weeks", "2026-12-21T08:00"),
    ],
)
def test_the_buttons_mean_local_time(now: str, zone: str, word: str, meant: str) -> None:
    found = target(datetime.fromisoformat(f"{now}+00:00"), zone, word)
    assert found == datetime.fromisoformat(f"{meant}+00:00")


def test_there_is_no_button_for_the_past() -> None:
    with pytest.raises(Refused):
        target(SUNDAY, "UTC", "yesterday")


async def test_a_move_stops_wherever_something_is_due_so_that_nothing_is_late(sqlite_store: Store) -> None:
    await build(sqlite_store, 2, "[[schedule]]\naudience = 'lead'\ncadence = 'daily'")
    clock = Movable(real=lambda: SUNDAY)
    desk = Clockwork(sqlite_store)
    desk.keeper._clock = clock
    moves = Mover(clock, sqlite_store, desk.keeper, 0.0)
    reached = await moves.on(SUNDAY + timedelta(days=4))
    assert reached == SUNDAY + timedelta(days=4)
    assert [(due, state) for key, due, state in await desk.ledger() if key.endswith("1")] == [
        (f"2026-08-0{day}", "made") for day in (3, 4, 5, 6)
    ]
    for wrong in (reached, reached - HOUR, reached + timedelta(days=37)):
        with pytest.raises(Refused, match="five weeks at most"):
            await moves.on(wrong)


class Story:
    """A scene that writes down when it is asked for what has happened."""

    def __init__(self, clock: Movable, until: datetime) -> None:
        self.until, self.told = until, list[str | datetime]()
        self._clock = clock

    async def begun(self) -> None:
        self.told.append("begun")

    async def up_to(self, instant: datetime, end: datetime | None = None) -> None:
        assert self._clock() <= instant
        self.told.append(instant)

    async def tidied(self) -> None:
        self.told.append("tidied")


async def test_what_has_happened_is_known_before_anything_is_said_about_it(sqlite_store: Store) -> None:
    await build(sqlite_store, 1, "[[schedule]]\naudience = 'lead'\ncadence = 'daily'")
    clock = Movable(real=lambda: SUNDAY)
    desk = Clockwork(sqlite_store)
    desk.keeper._clock = clock
    story = Story(clock, SUNDAY + timedelta(days=9))
    moves = Mover(clock, sqlite_store, desk.keeper, 0.0, story)
    end = SUNDAY + timedelta(days=2)
    await moves.on(end)
    assert story.told[:2] == ["begun", SUNDAY]
    assert story.told[-2:] == [end, "tidied"]
    times = [row[0] for row in await desk.rows("SELECT DISTINCT at FROM run ORDER BY at")]
    assert len(times) == 2
    assert story.told[2:-2] == [datetime.fromtimestamp(at, UTC) for at in times]
    with pytest.raises(Refused, match="has a story up to"):
        await moves.on(SUNDAY + timedelta(days=10))
    assert clock() == end


async def test_a_move_comes_to_its_end_although_something_cannot_be_made(sqlite_store: Store) -> None:
    await build(sqlite_store, 2)

    async def broken(ctx: Ctx, due: Due) -> None:
        await say(ctx, due)
        raise RuntimeError

    clock = Movable(real=lambda: SUNDAY)
    desk = Clockwork(sqlite_store, {"lead_digest": broken})
    desk.keeper._clock = clock
    tuesday = SUNDAY + timedelta(days=2)
    assert await Mover(clock, sqlite_store, desk.keeper, 0.0).on(tuesday) == tuesday
    assert [state for _, _, state in await desk.ledger()] == ["failed", "failed"]


async def test_only_our_page_moves_the_clock_and_only_where_it_can_be_moved(visitor: Visitor) -> None:
    assert (await visitor.send("/clock", {"to": "tomorrow"}))[0] == 404
    moved: list[datetime] = []

    async def move(to: datetime) -> datetime:
        moved.append(to)
        return to

    visitor.edge.move = move
    for headers in (
        {"X-Redfirst-Page": "forged.token"}, {"Origin": "https://evil.example"}, {"Origin": ""},
        {"Host": "evil.example"}, {"Content-Type": "text/plain"},
    ):  # fmt: skip
        status, _ = await visitor.send("/clock", {"to": "tomorrow"}, **headers)
        assert status in (403, 415), headers
    assert (await visitor.send("/clock", {"to": "tomorrow", "person": visitor.ids["real.person"]}))[0] == 403
    for wrong in ("", "yesterday", "2020-01-01", 7, None):
        assert (await visitor.send("/clock", {"to": wrong}))[0] == 400
    async with visitor.session.get(visitor.url + "/clock") as response:
        assert response.status == 405
    assert moved == []
    status, reply = await visitor.send("/clock", {"to": "hours"})
    assert (status, moved) == (200, [page_desk.NOW + 2 * HOUR])
    assert reply == {"now": int(moved[0].timestamp() * 1000)}


async def test_a_demo_that_is_started_lets_its_clock_be_moved_and_shows_what_comes_of_it(database: object) -> None:
    made: list[tuple[str, datetime]] = []

    async def digest(ctx: Ctx, due: Due) -> None:
        made.append((due.schedule.target, ctx.now))
        card = to_json(Card("Your week", (Text("Nothing is red."),), "Nothing is red."))
        await outbox.add(ctx.db, "demo", "demo:1", card, f"{due.schedule.key} {due.day}", int(ctx.now.timestamp()))

    config = Config(database_url=f"sqlite:///{database}", port=0, demo=True)
    running = await bot.app.start(config, Movable(real=lambda: page_desk.NOW), {"lead_digest": digest})
    try:
        async with aiohttp.ClientSession() as session:
            edge = running.edges["demo"]
            assert isinstance(edge, test_web.bot.web.WebEdge)
            visitor = Visitor(session, f"http://127.0.0.1:{running.port}", edge, page_desk.Desk(), {"owen": 1})
            status, reply = await visitor.send("/clock", {"to": "monday"})
            assert status == 200
            assert datetime.fromtimestamp(reply["now"] / 1000, UTC).date() == datetime(2026, 11, 23).date()  # noqa: DTZ001
        assert made
        assert all(at.date() == made[0][1].date() for _, at in made)
        async with running.store.read() as db:
            assert await outbox.counted(db) == {"sent": len(made)}
    finally:
        await running.stop()
