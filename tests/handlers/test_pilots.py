"""A pilot in the chat: shown to its teams without a colour, asked about, told in aggregate, decided with a reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import bot.config
import handlers.baselines
import handlers.freezing
import scoring.periods
import storage.people
import storage.rules
from bot.config import Config
from bot.scheduler import REDFIRST
from cards.card import Badge, Button, Card, Form
from handlers.call import Ctx
from scoring.schedules import Due, Schedule
from tests.handlers import desk as small
from tests.handlers.desk import Desk, button, buttons, words

SHIPPED = bot.config.rules(Config())
DUE = Due(Schedule("baselines/desk", "baselines", "desk", "UTC", "daily", 360), 0, small.TODAY, "make")
FIRST = small.THIS_WEEK - 14
"""Four weeks, half-way on this Monday."""
KEY = f"average_wait:{FIRST}"


async def begun(desk: Desk) -> Desk:
    first, last = (scoring.periods.date_of(day).isoformat() for day in (FIRST, FIRST + 27))
    pilot = {"metric": "average_wait", "teams": ["help-desk"], "from": first, "to": last, "question": "Does it help?"}
    async with desk.store.write() as db:
        await storage.rules.store(db, {**SHIPPED, "own": {"pilot": [pilot]}}, "adam", small.NOW, after=1)
    return desk


async def look(desk: Desk) -> None:
    async with desk.store.write() as db:
        await handlers.baselines.look(Ctx(db, REDFIRST, desk.now, await desk.rules.get(db, desk.now)), DUE)


def tried(card: Card) -> list[tuple[str, str]]:
    return [(b.status, b.text) for b in card.blocks if isinstance(b, Badge) and b.text.startswith("Average waiting")]


async def answer(desk: Desk, who: str, part: str = "middle", **said: str) -> Card:
    form = await desk.press(who, Button("Give your view", "pilot_view", {"pilot": KEY, "part": part}))
    if isinstance(form, Card):
        return form
    return await desk.fill(who, form, **{"useful": "yes", "fair": "partly", **said})


async def decide(desk: Desk, who: str, **said: str) -> Card:
    form = await desk.press(who, Button("Decide", "pilot_decide", {"pilot": KEY}))
    if isinstance(form, Card):
        return form
    return await desk.fill(who, form, **said)


async def test_its_teams_see_what_is_tried_without_a_colour_and_nobody_else_does(desk: Desk) -> None:
    before = await desk.ask("ana", "/myscore last week")
    await begun(desk)
    card = await desk.ask("ana", "/myscore last week")
    [(status, text)] = tried(card)
    assert status == "none"
    assert text.endswith("; pilot until 16 August")
    assert [b for b in card.blocks if b in before.blocks][:4] == list(before.blocks[:4])  # the score is as it was
    assert tried(await desk.ask("gus", "/myscore last week")) == []
    assert tried(await desk.ask("ana", "/myscore 2026-W28")) == []
    assert "Average waiting time" in words(await desk.opened("ana", button(card, "Why", metric="average_wait")))


async def test_those_who_take_part_are_asked_once_half_way_and_once_at_the_end(desk: Desk) -> None:
    await begun(desk)
    await look(desk)
    await look(desk)
    said = await desk.said()
    asked = {who.removeprefix("slack:T0001/U") for who, _ in said}
    assert asked == {one.upper() for one in (*small.WORKERS["help-desk"], "cora", "lena")}
    assert len(said) == len(asked)
    assert all("What do you think of" in text for _, text in said)
    desk.now += timedelta(days=12)  # Monday after the last day
    await look(desk)
    assert len(await desk.said()) == 2 * len(asked)


async def test_answers_are_told_to_managers_when_the_asking_is_over_in_aggregate_and_without_names(desk: Desk) -> None:
    await begun(desk)
    for who in ("ana", "ben", "cem", "dua"):
        assert "without your name" in words(await answer(desk, who, comment=f"Said by {who}."))
    await answer(desk, "ana", useful="no", comment="Zeal.")  # once more: it takes the place of what she said before
    assert "takes no part" in words(await answer(desk, "gus"))
    assert "asking is over" in words(await answer(desk, "eli", part="end"))
    assert "Half-way" not in words(await desk.ask("mara", "/redfirst lines"))
    later = small.NOW + timedelta(days=7)
    desk.now = later
    assert "fewer than five have answered" in words(await desk.ask("mara", "/redfirst lines"))
    desk.now = small.NOW
    await answer(desk, "eli", useful="partly")
    desk.now = later
    told = words(await desk.ask("mara", "/redfirst lines"))
    assert "5 answers. Useful: 3 yes, 1 partly, 1 no. Fair: 0 yes, 5 partly, 0 no." in told
    assert "Zeal." in told
    assert "Ana" not in told
    for who in ("ana", "lena", "adam"):
        seen = words(await desk.ask(who, "/redfirst lines"))
        assert "Average waiting time" in seen
        assert "Useful" not in seen


async def test_a_manager_drops_it_with_the_reason_and_it_is_on_no_later_scorecard(desk: Desk) -> None:
    await begun(desk)
    assert "A part is missing" in words(await decide(desk, "mara", state="dropped", reason=" "))
    for who in ("ana", "lena", "hugo"):
        assert "decide" in words(await decide(desk, who, state="dropped", reason="No."))
    assert await desk.one("SELECT count(*) FROM pilot_decision") == 0
    done = await decide(desk, "mara", state="dropped", reason="It says nothing new.")
    assert "Mara Moder drops it: “It says nothing new.”" in words(done)
    assert "already" in words(await decide(desk, "zoe", state="adopted", reason="I like it."))
    listed = await desk.ask("ana", "/redfirst lines")
    assert "It says nothing new." in words(listed)
    assert buttons(await desk.ask("mara", "/redfirst lines")) == []
    await look(desk)
    assert await desk.said() == []
    desk.now += timedelta(days=6)
    assert tried(await desk.ask("ana", "/myscore this week")) == []


async def test_who_adopts_it_is_told_what_is_to_be_done(desk: Desk) -> None:
    await begun(desk)
    done = await decide(desk, "zoe", state="adopted", reason="It helps.")
    assert "gives it a weight" in words(done)
    assert await desk.one("SELECT count(*) FROM audit WHERE act = 'pilot adopted'") == 1


async def test_a_score_that_was_closed_with_a_pilot_opens_as_it_was(desk: Desk) -> None:
    await begun(desk)
    desk.now += timedelta(days=21)
    async with desk.store.write() as db:
        at: Any = int(desk.now.timestamp())
        await small.loaded(db, at)
        ctx = Ctx(db, REDFIRST, desk.now, await desk.rules.get(db, desk.now))
        ana = await storage.people.get(db, desk.ids["ana"], small.TODAY)
        assert ana is not None
        assert await handlers.freezing.freeze(ctx, await handlers.freezing.made(ctx, ana)) > 0
    card = await desk.ask("ana", "/myscore 2026-W31")
    assert "Closed with version 2 of the rules" in words(card)
    assert [status for status, _ in tried(card)] == ["none"]
    why = await desk.opened("ana", button(card, "Why", metric="average_wait"))
    assert "pilot until 16 August" in words(why)


async def test_the_form_of_a_view_asks_two_questions(sqlite_desk: Desk) -> None:
    await begun(sqlite_desk)
    found = await sqlite_desk.press("ana", Button("Give your view", "pilot_view", {"pilot": KEY, "part": "middle"}))
    assert isinstance(found, Form)
    assert [one.name for one in found.inputs] == ["useful", "fair", "comment"]
