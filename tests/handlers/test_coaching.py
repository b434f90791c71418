"""Coaching: a talk prepared from the person's own figures, agreed in writing, with notes that both share."""

from __future__ import annotations

import asyncio
import json

import pytest

import cards.card
import scoring.periods
from cards.card import Button, Card, Form
from tests.handlers import desk as small
from tests.handlers.desk import Desk, button, buttons, words
from tests.handlers.test_check_backs import check, worked
from tests.handlers.test_nudges import on_day, run


async def heard(desk: Desk, who: str, prefix: str) -> list[Card]:
    """What a person was told, by the beginning of its key."""
    rows = await desk.rows("SELECT recipient, key, body FROM outbox ORDER BY id")
    accounts = {small.account(who, platform) for platform in ("slack", "teams", "demo")}
    mine = [body for to, key, body in rows if to in accounts and key.startswith(prefix)]
    return [cards.card.from_json(json.loads(body)) for body in mine]


async def agree(desk: Desk, **answers: str) -> Card:
    form = await desk.press("lena", button(await desk.ask("lena", "/coach ana"), "Book the check-back"))
    assert isinstance(form, Form)
    day = scoring.periods.date_of(small.TODAY + 14).isoformat()
    return await desk.fill("lena", form, **{"area": "csat", "step": "Call before closing.", "day": day, **answers})


async def test_the_talk_goes_from_thanks_to_data_to_questions_to_one_area(desk: Desk) -> None:
    await run(desk)
    card = await desk.ask("lena", "/coach ana")
    said = words(card)
    assert card.title == "Talk with Ana Abel"
    steps = ["1. Thank", "2. Show the data", "3. Ask", "4. Share a story", "5. Pick one area"]
    places = [said.index(step) for step in steps]
    assert places == sorted(places)
    assert "CSAT: " in said[places[1] : places[2]]
    assert "What would help you?" in said
    assert "Expected" in said
    assert "85 %, of everybody with this work" in said
    assert "to 85 %" in said
    assert "The rest stays on the list" in said
    assert "Say what happens next, and keep to it" in said
    # the thanks are for something real: a figure that is green or got better
    assert "is on target: " in said[: places[1]] or " went from " in said[: places[1]]


async def test_a_talk_says_nothing_of_what_the_person_is_nudged_about(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    before = words(await desk.ask("lena", "/coach ana"))
    assert "SLA completion" in before.partition("The rest stays on the list")[2]
    await desk.change(
        "INSERT INTO focus (person_id, metric, behaviour, since_day, state)"
        " VALUES (:ana, 'sla_completion', 'due_first', :day, 'on')",
        ana=desk.ids["ana"], day=small.TODAY - 7,
    )  # fmt: skip
    assert words(await desk.ask("lena", "/coach ana")) == before


async def test_the_person_sees_that_a_talk_was_prepared(sqlite_desk: Desk) -> None:
    await sqlite_desk.ask("lena", "/coach ana")
    assert "A talk, 4 weeks" in words(await sqlite_desk.ask("ana", "/redfirst looked"))


@pytest.mark.parametrize("who", ["ana", "eli", "leo", "mara", "zoe", "hugo", "adam"])
async def test_nobody_but_the_lead_prepares_a_talk(sqlite_desk: Desk, who: str) -> None:
    before = await sqlite_desk.everything()
    said = words(await sqlite_desk.ask(who, "/coach ana"))
    assert "nobody called" in said or "prepared by the lead" in said
    pressed = words(await sqlite_desk.opened(who, Button("", "coach_open", {"person": str(sqlite_desk.ids["ana"])})))
    assert "prepared by the lead" in pressed
    assert await sqlite_desk.everything() == before


async def test_what_was_agreed_is_in_writing_for_both(desk: Desk) -> None:
    card = await agree(desk)
    assert "Agreed with Ana Abel: CSAT." in words(card)
    [theirs] = await heard(desk, "ana", "talk:")
    assert f"Agreed with {small.name('lena')}: CSAT." in words(theirs)
    assert "“Call before closing.”" in words(theirs)
    mine = words(await desk.ask("ana", "/redfirst coaching"))
    assert "Wed 5 Aug, CSAT: Call before closing. Check-back Wed 19 Aug." in mine
    assert "Call before closing." in words(await desk.ask("lena", "/coach ana"))
    [row] = await desk.rows("SELECT actor, act, subject FROM audit WHERE act = 'check-back booked'")
    assert tuple(row) == ("lena", "check-back booked", "ana")


async def test_the_same_check_back_is_booked_once(desk: Desk) -> None:
    found = await asyncio.gather(*(agree(desk) for _ in range(4)))
    assert sorted(card.title for card in found) == ["Agreed", *["Not this time"] * 3]
    assert len(await heard(desk, "ana", "talk:")) == 1


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"area": "nps"}, "Choose the area."),
        ({"step": "  "}, "The step is missing."),
        ({"day": ""}, "The date of the check-back is missing."),
        ({"day": "2026-08-06"}, "one to eight weeks ahead"),
        ({"day": "2027-08-06"}, "one to eight weeks ahead"),
    ],
)
async def test_a_talk_needs_one_area_one_step_and_a_day(sqlite_desk: Desk, answers: dict[str, str], said: str) -> None:
    assert said in words(await agree(sqlite_desk, **answers))
    assert await sqlite_desk.rows("SELECT 1 FROM coach_talk") == []


async def test_notes_are_written_and_seen_by_both_and_by_nobody_else(desk: Desk) -> None:
    form = await desk.press("lena", button(await desk.ask("lena", "/coach ana"), "Write a note"))
    assert isinstance(form, Form)
    await desk.fill("lena", form, words="Ana wants to shadow Eli.")
    [note] = await heard(desk, "ana", "coach_note:")
    mine = await desk.opened("ana", button(note, "Show the notes"))
    assert "Ana wants to shadow Eli." in words(mine)
    form = await desk.press("ana", button(mine, "Write a note"))
    assert isinstance(form, Form)
    after = await desk.fill("ana", form, words="Friday would suit me.")
    assert "Friday would suit me." in words(after)
    [note] = await heard(desk, "lena", "coach_note:")
    theirs = await desk.opened("lena", button(note, "Show the notes"))
    assert "Friday would suit me." in words(theirs)
    assert "Ana wants to shadow Eli." in words(theirs)
    assert "The note is empty." in words(await desk.fill("ana", form, words=" "))
    for who in ("eli", "leo", "mara", "zoe", "hugo", "adam"):
        values = {"person": str(desk.ids["ana"])}
        assert "open to the person and their lead only" in words(
            await desk.opened(who, Button("", "coach_notes", values))
        )
        assert "shadow" not in words(await desk.ask(who, "/redfirst coaching"))


async def test_on_the_day_both_get_the_fresh_figures(desk: Desk) -> None:
    await agree(desk)
    await worked(desk, "ana", 5)
    await on_day(desk, 13)
    await check(desk)
    assert len(await heard(desk, "ana", "talk:")) == 1
    await on_day(desk, 14)
    await check(desk)
    await check(desk)
    mine, theirs = (await heard(desk, "ana", "talk:"))[1:], await heard(desk, "lena", "talk:")
    assert [len(mine), len(theirs)] == [1, 1]
    assert "Agreed: “Call before closing.”" in words(mine[0])
    assert "That was you." in words(mine[0])
    assert "Thank Ana Abel." in words(theirs[0])
    assert "Prepare the talk" in [b.text for b in buttons(theirs[0])]
    assert "Check-back: CSAT" in words(await desk.ask("ana", "/redfirst looked"))


async def test_a_lead_who_leads_them_no_more_is_told_nothing(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    await agree(desk)
    # Ana's team gets another lead
    leo, lena, office = desk.ids["leo"], desk.ids["lena"], desk.teams["office"]
    await desk.change("UPDATE membership SET manager_id = :leo WHERE manager_id = :lena", leo=leo, lena=lena)
    await desk.change("UPDATE membership SET team_id = :office WHERE person_id = :lena", office=office, lena=lena)
    await desk.change("DELETE FROM deputy")
    await on_day(desk, 14)
    await check(desk)
    assert await heard(desk, "lena", "talk:") == []
    assert len(await heard(desk, "leo", "talk:")) == 1
