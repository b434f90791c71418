"""From "this is not mine" to the renewed score: who may ask, who decides, and what changes then."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import polars as pl
import pytest
from sqlalchemy import event

import handlers.freezing
import storage.people
import storage.rules
from cards.card import Button, Card, Form, from_json
from handlers.call import Ctx
from tests.handlers import desk as small
from tests.handlers.desk import Desk, Work, button, buttons, words

WEEK = "2026-W30"
"""The last week that is mature."""
FIRST = small.THIS_WEEK - 14


def bad_one() -> Work:
    """A ticket of Ana's in that week whose client was unhappy."""
    return next(one for one in small.of("ana", FIRST, FIRST + 6) if one.rating < 4)


async def ask_for(desk: Desk, who: str = "ana", ticket: str = "", **answers: str) -> Card:
    form = await desk.press(who, button(await desk.ask(who, f"/myscore {WEEK}"), "Something is not mine"))
    assert isinstance(form, Form)
    given = {"ticket": ticket or bad_one().id, "kind": "not_mine", "reason": "Eli did that one."}
    return await desk.fill(who, form, **{**given, **answers})


async def told(desk: Desk, who: str) -> list[Card]:
    """The cards that wait in the outbox for a person."""
    return [from_json(json.loads(body)) for to, body in await desk.said() if to == small.account(who)]


async def close_periods(desk: Desk) -> int:
    """What the clockwork does for Ana."""
    async with desk.store.write() as db:
        ana = await storage.people.get(db, desk.ids["ana"], small.TODAY)
        assert ana is not None
        rules = await desk.rules.get(db, desk.now)
        ctx = Ctx(db, ana, desk.now, rules)
        return await handlers.freezing.freeze(ctx, await handlers.freezing.made(ctx, ana))


async def figures(desk: Desk) -> str:
    return words(await desk.opened("ana", Button("Why", "why", {"period": WEEK, "metric": "csat"})))


async def test_the_form_lists_the_persons_own_tickets_of_the_period(sqlite_desk: Desk) -> None:
    form = await sqlite_desk.press(
        "ana", button(await sqlite_desk.ask("ana", f"/myscore {WEEK}"), "Something is not mine")
    )
    assert isinstance(form, Form)
    offered = {choice.value for choice in form.inputs[0].choices}
    assert offered == {one.id for one in small.of("ana", FIRST, FIRST + 6)}


async def test_the_form_is_ready_before_slack_gives_up_on_it(sqlite_desk: Desk) -> None:
    """Slack waits three seconds for a form; what the metrics make of each ticket is not worked out for it."""
    pressed = button(await sqlite_desk.ask("ana", f"/myscore {WEEK}"), "Something is not mine")
    statements: list[str] = []

    def hear(*args: Any) -> None:
        statements.append(str(args[2]))

    event.listen(sqlite_desk.store.engine.sync_engine, "before_cursor_execute", hear)
    form = await sqlite_desk.press("ana", pressed)
    event.remove(sqlite_desk.store.engine.sync_engine, "before_cursor_execute", hear)
    assert isinstance(form, Form)
    assert len(statements) <= 40


async def test_the_form_offers_what_came_later_to_an_older_ticket(desk: Desk) -> None:
    one = bad_one()
    late = small.surveys([one]).with_columns(
        answered_at=pl.lit(one.at + 14 * small.A_DAY), updated_at=pl.lit(one.at + 14 * small.A_DAY)
    )
    await desk.put("survey", late)
    values = {"period": "2026-W32"}
    form = await desk.press("ana", Button("Something is not mine", "correct", values))
    assert isinstance(form, Form)
    offered = [choice.value for choice in form.inputs[0].choices]
    assert one.id in offered
    mine = [work.id for work in small.of("ana", small.THIS_WEEK, small.TODAY)]
    assert offered == [*sorted(mine, reverse=True), one.id], "the newest first"


async def test_a_form_of_one_figure_offers_the_tickets_of_that_figure(sqlite_desk: Desk) -> None:
    values = {"period": WEEK, "metric": "csat"}
    form = await sqlite_desk.press("ana", Button("Something is not mine", "correct", values))
    assert isinstance(form, Form)
    assert {c.value for c in form.inputs[0].choices} == {one.id for one in small.of("ana", FIRST, FIRST + 6)}


async def test_the_lead_and_who_stands_in_are_told_through_the_outbox(sqlite_desk: Desk) -> None:
    card = await ask_for(sqlite_desk)
    assert f"I have asked {small.name('lena')} about T{bad_one().number}." in words(card)
    for who in ("lena", "ben"):
        [asked] = await told(sqlite_desk, who)
        assert asked.title == f"{small.name('ana')} asks for a correction"
        assert "Eli did that one." in words(asked)
        assert [b.text for b in buttons(asked)] == ["Confirm", "Answer no"]
    assert len(await sqlite_desk.said()) == 2
    assert sqlite_desk.kicked == 1


async def test_a_confirmed_correction_takes_the_ticket_out_of_the_figures(desk: Desk) -> None:
    answers = small.of("ana", FIRST, FIRST + 6)
    good = sum(one.rating >= 4 for one in answers)
    assert f"{good} ÷ {len(answers)}" in await figures(desk)
    await ask_for(desk)
    [asked, *_] = await told(desk, "lena")
    decided = await desk.opened("lena", button(asked, "Confirm"))
    assert decided.title == "Correction confirmed"
    assert f"{good} ÷ {len(answers) - 1}" in await figures(desk)
    assert (await told(desk, "ana"))[-1] == decided
    acts = [row[0] for row in await desk.rows("SELECT act FROM audit WHERE act LIKE 'correction%' ORDER BY id")]
    assert acts == ["correction asked", "correction confirmed"]
    tickets = words(await desk.opened("ana", Button("Tickets", "tickets", {"period": WEEK, "metric": "csat"})))
    assert "left out: not your work" in tickets


async def test_a_no_needs_a_sentence_and_changes_no_figure(sqlite_desk: Desk) -> None:
    before = await figures(sqlite_desk)
    await ask_for(sqlite_desk)
    [asked, *_] = await told(sqlite_desk, "lena")
    form = await sqlite_desk.press("lena", button(asked, "Answer no"))
    assert isinstance(form, Form)
    assert "A sentence is missing." in words(await sqlite_desk.fill("lena", form, answer="   "))
    card = await sqlite_desk.fill("lena", form, answer="You resolved it on Tuesday.")
    assert f"{small.name('lena')} answers: You resolved it on Tuesday." in words(card)
    assert (await told(sqlite_desk, "ana"))[-1] == card
    assert await figures(sqlite_desk) == before


async def test_of_many_clicks_one_wins_and_the_others_are_told_who_decided(desk: Desk) -> None:
    await ask_for(desk)
    [asked, *_] = await told(desk, "lena")
    confirm = button(asked, "Confirm")
    cards = await asyncio.gather(*(desk.opened("lena" if i % 2 else "ben", confirm) for i in range(8)))
    won = [card for card in cards if card.title == "Correction confirmed"]
    assert len(won) == 1
    [decider] = await desk.rows("SELECT person.name FROM correction JOIN person ON person.id = correction.decided_by")
    for card in cards:
        if card.title != "Correction confirmed":
            assert f"{decider[0]} has decided this already: confirmed." in words(card)
    assert await desk.one("SELECT count(*) FROM audit WHERE act = 'correction confirmed'") == 1
    assert len(await told(desk, "ana")) == 1


async def test_nobody_decides_on_their_own_correction_not_even_a_deputy(sqlite_desk: Desk) -> None:
    mine = small.of("ben", FIRST, FIRST + 6)[0]
    await ask_for(sqlite_desk, "ben", mine.id)
    assert [len(await told(sqlite_desk, who)) for who in ("lena", "ben")] == [1, 0]
    [asked] = await told(sqlite_desk, "lena")
    said = words(await sqlite_desk.opened("ben", button(asked, "Confirm")))
    assert "decided by the lead of the person who asked" in said
    assert await sqlite_desk.one("SELECT state FROM correction") == "asked"
    assert (await sqlite_desk.ask("ben", "/redfirst corrections")).summary == "Nothing waits for you."


async def test_a_second_wish_for_the_same_ticket_is_refused(desk: Desk) -> None:
    await ask_for(desk)
    assert "You have asked about T" in words(again := await ask_for(desk))
    assert "it still waits for an answer" in words(again)
    [asked, *_] = await told(desk, "lena")
    await desk.press("lena", button(asked, "Confirm"))
    assert "it was confirmed" in words(await ask_for(desk))
    assert await desk.one("SELECT count(*) FROM correction") == 1


async def test_of_wishes_for_one_ticket_at_the_same_moment_one_is_kept(desk: Desk) -> None:
    cards = await asyncio.gather(*(ask_for(desk) for _ in range(6)))
    assert sorted(card.title for card in cards) == ["Asked", *["Not this time"] * 5]
    assert len(await told(desk, "lena")) == 1


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"ticket": "desk/99999999"}, "does not count for you"),
        ({"kind": "delete_it"}, "Something was left open."),
        ({"reason": "  "}, "A sentence is missing."),
        ({"ticket": ""}, "Something was left open."),
    ],
)
async def test_a_form_that_is_not_filled_in_right_is_refused(
    sqlite_desk: Desk, answers: dict[str, str], said: str
) -> None:
    form = Form("", "corrected", ())
    given = {"ticket": bad_one().id, "kind": "not_mine", "reason": "Because.", **answers}
    assert said in words(await sqlite_desk.fill("ana", form, **given))
    assert await sqlite_desk.one("SELECT count(*) FROM correction") == 0


async def test_nobody_asks_for_a_correction_of_somebody_elses_ticket(sqlite_desk: Desk) -> None:
    other = small.of("eli", FIRST, FIRST + 6)[0]
    assert "does not count for you" in words(await ask_for(sqlite_desk, ticket=other.id))
    assert await sqlite_desk.said() == []


async def test_a_lead_sees_what_waits_and_others_see_nothing(sqlite_desk: Desk) -> None:
    await ask_for(sqlite_desk)
    for who in ("lena", "ben"):
        waiting = await sqlite_desk.ask(who, "/redfirst corrections")
        assert "Ana Abel asks for a correction" in words(waiting)
        assert [b.text for b in buttons(waiting)] == ["Confirm", "Answer no"]
    for who in ("ana", "eli", "leo", "mara", "zoe", "hugo", "adam"):
        assert (await sqlite_desk.ask(who, "/redfirst corrections")).summary == "Nothing waits for you."


async def test_the_no_can_be_thought_over(sqlite_desk: Desk) -> None:
    """The form may be closed and opened again: its button is no act, and carries no mark of one."""
    await ask_for(sqlite_desk)
    [asked, *_] = await told(sqlite_desk, "lena")
    assert (button(asked, "Confirm").once, button(asked, "Answer no").once) == (True, False)


async def test_a_person_whose_manager_may_decide_nothing_is_told_before_they_wait(sqlite_desk: Desk) -> None:
    """Leadership decides no correction, so one that only they could decide would wait for ever."""
    ids = sqlite_desk.ids
    above = "UPDATE membership SET manager_id = :zoe WHERE person_id = :leo"
    await sqlite_desk.change(above, zoe=ids["zoe"], leo=ids["leo"])
    await sqlite_desk.put("ticket", small.tickets([Work(9001, "leo", FIRST, 5)]))
    form = Form("", "corrected", ())
    said = words(await sqlite_desk.fill("leo", form, ticket="desk/9001", kind="not_mine", reason="Not me."))
    assert "Nobody is named as your lead." in said
    assert await sqlite_desk.one("SELECT count(*) FROM correction") == 0


async def test_a_closed_week_stays_as_it_was_whatever_the_facts_say_later(desk: Desk) -> None:
    before = await figures(desk)
    assert await close_periods(desk) > 0
    assert await close_periods(desk) == 0
    closed = await figures(desk)
    assert closed.replace("Closed with version 1 of the rules.\n", "") == before
    await desk.put("survey", small.surveys([small.again(one, rating=1) for one in small.of("ana", FIRST, FIRST + 6)]))
    assert await figures(desk) == closed != before


async def test_a_confirmed_correction_makes_a_new_version_of_a_closed_score_with_its_reason(desk: Desk) -> None:
    await close_periods(desk)
    versions = "SELECT period, version, reason FROM frozen_score WHERE subject = :who ORDER BY 1, 2"
    who = f"person:{desk.ids['ana']}"
    before = [tuple(row) for row in await desk.rows(versions, who=who)]
    closed = [tuple(r) for r in await desk.rows("SELECT * FROM frozen_score ORDER BY 1, 2, 3")]
    await ask_for(desk)
    [asked, *_] = await told(desk, "lena")
    await desk.press("lena", button(asked, "Confirm"))
    after = [tuple(row) for row in await desk.rows(versions, who=who)]
    reason = f"T{bad_one().number} corrected"
    assert set(after) - set(before) == {(WEEK, 2, reason)}
    assert f"Closed with version 1 of the rules, version 2: {reason}." in await figures(desk)
    good = sum(one.rating >= 4 for one in small.of("ana", FIRST, FIRST + 6))
    assert f"{good} ÷ 4" in await figures(desk)
    kept = [tuple(r) for r in await desk.rows("SELECT * FROM frozen_score ORDER BY 1, 2, 3")]
    assert [row for row in kept if row[2] == 1] == closed  # no version is ever edited


async def test_new_rules_leave_closed_scores_alone_and_a_correction_keeps_their_rules(sqlite_desk: Desk) -> None:
    await close_periods(sqlite_desk)
    closed = await figures(sqlite_desk)
    async with sqlite_desk.store.write() as db:
        body = dict((await storage.rules.current(db)).body)  # type: ignore[union-attr]
        mine = {"name": "technician", "level": "person", "role": "technician", "from": "1970-01-01",
                "weights": {"reopen_rate": 100}}  # fmt: skip
        await storage.rules.store(db, {**body, "own": {"rubric": [mine]}}, "adam", sqlite_desk.now, after=1)
    assert "CSAT" not in words(await sqlite_desk.ask("ana", "/myscore last week"))
    assert await figures(sqlite_desk) == closed
    assert (await sqlite_desk.ask("ana", f"/myscore {WEEK}")).status == "red"
    await ask_for(sqlite_desk)
    [asked, *_] = await told(sqlite_desk, "lena")
    await sqlite_desk.press("lena", button(asked, "Confirm"))
    assert "Closed with version 1 of the rules, version 2" in await figures(sqlite_desk)
