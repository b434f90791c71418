"""Red-flag customers: found in the facts once, seen by leads and leadership, taken on, called, closed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from sqlalchemy.exc import IntegrityError

import cards.card
import handlers.redflags
import scoring.periods
import storage.redflags
from bot.scheduler import REDFIRST
from cards.card import Button, Card, Form
from handlers.call import Ctx
from scoring.redflags import RedFlag
from scoring.schedules import Due, Schedule
from tests.handlers import desk as small
from tests.handlers.desk import Desk, button, buttons, words

DUE = Due(Schedule("red_flags/desk", "red_flags", "desk", "UTC", "daily", 420), 0, small.TODAY, "make")


async def look(desk: Desk) -> list[RedFlag]:
    """What happens by itself each day."""
    async with desk.store.write() as db:
        await handlers.redflags.look(Ctx(db, REDFIRST, desk.now, await desk.rules.get(db, desk.now)), DUE)
        return await storage.redflags.open(db)


async def complain(desk: Desk, client: str, days_ago: float, number: int = 1) -> None:
    at = int((desk.now - timedelta(days=days_ago)).timestamp())
    row = {"id": f"c{client}{number}", "client": client, "ticket": None, "at": at, "updated_at": at}
    await desk.put("complaint", pl.DataFrame([row], schema_overrides={"ticket": pl.String}))


async def flagged(desk: Desk) -> RedFlag:
    """The desk's surveys are taken away, and one client complains."""
    await desk.change("DELETE FROM survey")
    await complain(desk, "client 1", 2)
    [flag] = await look(desk)
    return flag


async def fill(desk: Desk, who: str, card: Card, label: str, **answers: str) -> Card:
    form = await desk.press(who, button(card, label))
    assert isinstance(form, Form), words(form)
    return await desk.fill(who, form, **answers)


def by_hand(client: int) -> tuple[int, int]:
    """(answers, low answers) of the last 28 days, counted from what was loaded."""
    now = int(small.NOW.timestamp())
    asked = [w for w in small.work() if w.number % 3 == client and now - 28 * 86_400 <= w.at + 7200 <= now]
    return len(asked), sum(w.rating <= 2 for w in asked)


async def test_clients_with_many_low_answers_are_found_with_the_figures_counted_by_hand(desk: Desk) -> None:
    flags = await look(desk)
    assert {flag.client for flag in flags} == {"client 0", "client 1", "client 2"}
    for flag in flags:
        answers, low = by_hand(int(flag.client[-1]))
        assert flag.reason == f"{low} of {answers} answers in 28 days were 2 or less."


async def test_looking_again_adds_nothing_and_renews_the_reason(desk: Desk) -> None:
    flag = await flagged(desk)
    assert flag.reason == "One complaint."
    assert await look(desk) == [flag]
    await complain(desk, "client 1", 1, number=2)
    [again] = await look(desk)
    assert (again.id, again.reason, again.version) == (flag.id, "2 complaints.", flag.version)
    assert await desk.one("SELECT count(*) FROM audit WHERE act = 'red flag raised'") == 1


async def test_two_who_raise_a_flag_at_once_raise_one(desk: Desk) -> None:
    flag = await flagged(desk)
    async with desk.store.write() as db:
        assert not await storage.redflags.flag(db, flag.client, "Again.", small.TODAY, "redfirst", 0)
    with pytest.raises(IntegrityError):
        await desk.change(
            "INSERT INTO red_flag (client, reason, raised_day, state, closing, version) "
            "VALUES ('client 1', 'x', 0, 'open', '', 1)"
        )


async def test_a_renewal_counts_only_with_a_bad_sign(desk: Desk) -> None:
    await desk.change("DELETE FROM survey WHERE id <> (SELECT min(id) FROM survey WHERE rating <= 2)")
    await desk.change("UPDATE survey SET answered_at = :at", at=int(small.NOW.timestamp()) - 60)
    [bad] = await desk.rows("SELECT client FROM ticket JOIN survey ON survey.ticket = ticket.id")
    assert await look(desk) == []
    soon = pl.DataFrame([{"id": f"desk/{n}", "name": f"client {n}", "renewal_day": small.TODAY + 30} for n in range(3)])
    await desk.put("client", soon)
    [flag] = await look(desk)
    assert flag.client == bad[0]
    assert "renewal on" in flag.reason


async def test_leads_and_leadership_see_the_list_and_others_are_told_whom_to_tell(desk: Desk) -> None:
    flag = await flagged(desk)
    for who in small.EVERYBODY:
        if who == "lou":
            continue
        sees = who in (*small.LED.values(), "mara", "zoe", "ben")  # ben stands in for a lead
        card = await desk.ask(who, "/redfirst clients")
        assert (flag.client in words(card)) is sees, who
        if not sees:
            assert "shown to leads and leadership" in words(card)
            for route in ("client_take", "client_contact", "client_contacted", "client_close", "client_closed"):
                before = await desk.everything()
                kind: Any = handlers.routes.BUTTONS[route].kinds[0]
                values = {"flag": str(flag.id), "version": "1", "reason": "x", "day": "2026-08-06"}
                found = await desk.dispatch.answer(desk.call(who, kind, route, "", values))
                assert "shown to leads and leadership" in words(small.shown(found)), (who, route)
                assert await desk.everything() == before


async def test_a_client_is_taken_on_called_and_closed_with_what_was_done(desk: Desk) -> None:
    await flagged(desk)
    card = await desk.ask("lena", "/redfirst clients")
    assert "Nobody owns it yet, no contact planned" in words(card)
    card = await desk.opened("lena", button(card, "Take it"))
    assert "Owner Lena Moder, next contact Sat 8 Aug" in words(card)
    assert "lies ahead" in words(await fill(desk, "lena", card, "Next contact", day="2026-08-04"))
    assert "no date" in words(await fill(desk, "lena", card, "Next contact", day="soon"))
    card = await fill(desk, "lena", card, "Next contact", day="2026-08-05")
    assert "contact today" in words(card)
    assert "A sentence is missing" in words(await fill(desk, "lena", card, "Close", reason=" "))
    card = await fill(desk, "lena", card, "Close", reason="Rang them; a new printer is on its way.")
    assert "No client has a red flag" in words(card)
    acts = [row[0] for row in await desk.rows("SELECT act FROM audit WHERE subject LIKE 'red_flag:%' ORDER BY id")]
    assert acts == ["red flag raised", "red flag taken", "red flag contact", "red flag closed"]


async def test_what_was_dealt_with_raises_no_new_flag_and_what_comes_after_does(desk: Desk) -> None:
    await flagged(desk)
    card = await desk.ask("lena", "/redfirst clients")
    await fill(desk, "lena", card, "Close", reason="Rang them.")
    assert await look(desk) == []
    desk.now += timedelta(days=2)
    assert await look(desk) == []
    await complain(desk, "client 1", 1, number=2)
    [flag] = await look(desk)
    assert (flag.client, flag.reason, flag.version) == ("client 1", "One complaint.", 1)


async def test_of_two_who_take_a_client_at_once_one_has_it_and_the_other_is_told_who(desk: Desk) -> None:
    await flagged(desk)
    seen = {who: await desk.ask(who, "/redfirst clients") for who in ("lena", "leo")}
    await desk.opened("lena", button(seen["lena"], "Take it"))
    said = words(await desk.opened("leo", button(seen["leo"], "Take it")))
    assert "it is Lena Moder's now" in said
    assert "yours already" in words(
        await desk.opened("lena", button(await desk.ask("lena", "/redfirst clients"), "Take it"))
    )


async def test_a_missed_contact_is_said_and_comes_first(desk: Desk) -> None:
    await flagged(desk)
    await complain(desk, "client 2", 1)
    await look(desk)
    card = await desk.ask("lena", "/redfirst clients")
    values = next(b.values for b in buttons(card) if b.text == "Take it" and b.values["flag"] == "2")
    await desk.opened("lena", Button("", "client_take", values))
    desk.now += timedelta(days=4)
    said = words(await desk.ask("lena", "/redfirst clients"))
    assert "contact was due on Sat 8 Aug" in said
    assert said.index("client 2") < said.index("client 1")


async def told(desk: Desk) -> dict[str, list[Card]]:
    """Recipient → the cards in the outbox, in order."""
    found: dict[str, list[Card]] = {}
    for recipient, body in await desk.said():
        found.setdefault(recipient, []).append(cards.card.from_json(json.loads(body)))
    return found


LEADS = {small.account(who) for who in (*small.LED.values(), "mara", "ben")}
"""Those who see the list and may take a client on; ben stands in for a lead."""


async def test_a_client_that_becomes_a_red_flag_is_told_to_the_leads_at_once_and_once(desk: Desk) -> None:
    await flagged(desk)
    found = await told(desk)
    assert set(found) == LEADS
    assert {len(one) for one in found.values()} == {1}
    [card] = found[small.account("lena")]
    assert card.title == "Red flag: client 1"
    await look(desk)
    desk.now += timedelta(days=1)
    await look(desk)
    assert await told(desk) == found
    taken = await desk.opened("lena", button(card, "Take it"))
    assert "Owner Lena Moder" in words(taken)
    late = await desk.opened("leo", button(found[small.account("leo")][0], "Take it"))
    assert "it is Lena Moder's now" in words(late)


async def test_several_new_red_flags_are_told_in_one_message(sqlite_desk: Desk) -> None:
    await look(sqlite_desk)
    found = await told(sqlite_desk)
    assert set(found) == LEADS
    [card] = found[small.account("tom")]
    assert card.title == "Red flag: 3 customers"
    assert [one.text for one in buttons(card)].count("Take it") == 3


async def test_a_missed_contact_is_told_to_the_owner_once_for_each_day_that_was_set(desk: Desk) -> None:
    await flagged(desk)
    await desk.change("DELETE FROM outbox")
    card = await desk.opened("lena", button(await desk.ask("lena", "/redfirst clients"), "Take it"))
    desk.now += timedelta(days=3)  # the day itself
    await look(desk)
    assert await told(desk) == {}
    desk.now += timedelta(days=1)
    for _ in range(3):
        await look(desk)
        desk.now += timedelta(days=1)
    [said] = (await told(desk)).pop(small.account("lena"))
    assert set(await told(desk)) == {small.account("lena")}
    assert "A contact was missed: client 1" in words(said)
    assert "contact was due on Sat 8 Aug" in words(said)
    card = await desk.ask("lena", "/redfirst clients")
    await fill(desk, "lena", card, "Next contact", day="2026-08-13")
    desk.now += timedelta(days=3)
    await look(desk)
    assert len((await told(desk))[small.account("lena")]) == 2


async def test_a_missed_contact_of_an_owner_who_has_left_is_told_to_the_leads(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    await flagged(desk)
    await desk.opened("leo", button(await desk.ask("leo", "/redfirst clients"), "Take it"))
    await desk.change("DELETE FROM outbox")
    await desk.change("UPDATE membership SET to_day = :day WHERE person_id = :leo", day=small.TODAY + 1,
                      leo=desk.ids["leo"])  # fmt: skip
    desk.now += timedelta(days=5)
    await look(desk)
    assert set(await told(desk)) == LEADS - {small.account("leo")}


async def test_a_missed_contact_of_an_owner_who_sees_the_list_no_more_is_told_to_the_leads(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    await flagged(desk)
    await desk.opened("ben", button(await desk.ask("ben", "/redfirst clients"), "Take it"))
    await desk.change("DELETE FROM outbox")
    await desk.change("DELETE FROM deputy")  # ben stands in for nobody any more
    desk.now += timedelta(days=5)
    await look(desk)
    assert set(await told(desk)) == LEADS - {small.account("ben")}


@pytest.mark.parametrize("values", [{}, {"flag": "x"}, {"flag": "99"}, {"flag": "1", "version": "7"}, {"flag": "-1"}])
async def test_a_button_that_was_tampered_with_has_no_effect(sqlite_desk: Desk, values: dict[str, str]) -> None:
    await flagged(sqlite_desk)
    before = await sqlite_desk.everything()
    for route in ("client_take", "client_contact", "client_contacted", "client_close", "client_closed"):
        kind = handlers.routes.BUTTONS[route].kinds[0]
        reply = await sqlite_desk.dispatch.answer(sqlite_desk.call("lena", kind, route, "", values))
        assert small.shown(reply).title == "Not this time", route
    assert await sqlite_desk.everything() == before


def test_the_day_of_a_contact_is_told_in_words() -> None:
    flag = RedFlag(1, "Orchard", "One complaint.", small.TODAY, next_contact=scoring.periods.day_of(small.NOW.date()))
    assert handlers.redflags.cards.redflags.line(flag, small.TODAY) == (
        "Orchard: One complaint. Owner nobody yet, contact today."
    )
