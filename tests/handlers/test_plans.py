"""From a red to a plan and what comes of it: who may add, report and drop, and who is told what and when."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest

import bot.scheduler
import cards.card
import handlers.plan_reminders
import scoring.periods
from cards.card import Button, Card, Form
from handlers.call import Ctx
from scoring.schedules import Due, Schedule
from tests.handlers import desk as small
from tests.handlers.desk import NOW, TODAY, Desk, button, buttons, words

WEEK = "2026-W31"
DUE = TODAY + 9
"""A Friday."""


def date(day: int) -> str:
    return scoring.periods.date_of(day).isoformat()


def values(desk: Desk, team: str = "help-desk", metric: str = "nps", period: str = WEEK) -> dict[str, str]:
    return {"team": str(desk.teams[team]), "metric": metric, "period": period}


async def add(desk: Desk, who: str = "lena", owner: str = "dua", team: str = "help-desk", **answers: str) -> Card:
    """What comes of a plan on the team's NPS, which is red in that week."""
    form = Form("", "plan_added", (), values=values(desk, team))
    given = {"action": "Ring back the same day.", "owner": str(desk.ids.get(owner, owner)), "due": date(DUE)}
    return await desk.fill(who, form, **{**given, **answers})


async def told(desk: Desk, who: str) -> list[Card]:
    """The cards that wait in the outbox for a person."""
    accounts = {small.account(who, "slack"), small.account(who, "teams"), small.account(who, "demo")}
    return [cards.card.from_json(json.loads(body)) for to, body in await desk.said() if to in accounts]


async def make(desk: Desk, day: int, target: str = "") -> None:
    """What the timetable does on a day."""
    schedule = Schedule("k", "plan_reminders", target or f"team:{desk.teams['help-desk']}", "UTC", "daily")
    desk.now = NOW + timedelta(days=day - TODAY)
    async with desk.store.write() as db:
        rules = await desk.rules.get(db, desk.now)
        ctx = Ctx(db, bot.scheduler.REDFIRST, desk.now, rules)
        await handlers.plan_reminders.remind(ctx, Due(schedule, int(desk.now.timestamp()), day, "make"))


async def test_a_lead_adds_a_plan_under_a_red_and_the_card_shows_it(desk: Desk) -> None:
    sheet = await desk.ask("lena", f"/teamscore {WEEK}")
    form = await desk.press("lena", button(sheet, "Add the plan", metric="nps"))
    assert isinstance(form, Form)
    assert form.route == "plan_added"
    owners = {choice.text for choice in form.inputs[1].choices}
    assert owners == {small.name(key) for key in (*small.WORKERS["help-desk"], "lena", "cora")}
    card = await desk.fill(
        "lena", form, action="Ring back the same day.", owner=str(desk.ids["dua"]), due=date(DUE)
    )
    assert card.title == sheet.title
    assert f"Plan: Ring back the same day. {small.name('dua')}, due Fri 14 Aug." in words(card)
    assert "Add the plan" not in [b.text for b in buttons(card)]
    assert [b.text for b in buttons((await told(desk, "dua"))[0])] == ["Done", "Move", "Blocked"]
    assert await desk.one("SELECT act FROM audit WHERE subject = 'plan:1'") == "plan opened"


async def test_members_see_the_plan_and_may_not_add_one(sqlite_desk: Desk) -> None:
    assert "Add the plan" not in words(await sqlite_desk.ask("ana", f"/teamscore {WEEK}"))
    await add(sqlite_desk)
    assert "Plan: Ring back the same day." in words(await sqlite_desk.ask("ana", f"/teamscore {WEEK}"))
    assert "Plan:" not in words(await sqlite_desk.ask("ana", "/teamscore 2026-W29"))  # before anybody knew


async def test_a_plan_is_for_a_red_only(sqlite_desk: Desk) -> None:
    form = Form("", "plan_added", (), values=values(sqlite_desk, metric="csat"))
    given = {"action": "Ring back.", "owner": str(sqlite_desk.ids["dua"]), "due": date(DUE)}
    assert "CSAT is not red in Week 31" in words(await sqlite_desk.fill("lena", form, **given))
    pressed = await sqlite_desk.press("lena", Button("", "plan_new", values(sqlite_desk, metric="csat")))
    assert "not red" in words(pressed)
    pressed = await sqlite_desk.press("lena", Button("", "plan_new", values(sqlite_desk, period="2026-W60")))
    assert isinstance(pressed, Card)
    pressed = await sqlite_desk.press("lena", Button("", "plan_new", values(sqlite_desk, metric="utilisation")))
    assert isinstance(pressed, Card)
    assert await sqlite_desk.one("SELECT count(*) FROM plan") == 0


async def test_the_red_of_a_person_asks_nothing(sqlite_desk: Desk) -> None:
    mine = await sqlite_desk.ask("ana", f"/myscore {WEEK}")
    assert mine.status == "red"
    assert "plan_new" not in {one.route for one in buttons(mine)}
    opened = await sqlite_desk.ask("lena", f"/redfirst person {small.name('ana')}")
    assert "plan_new" not in {one.route for one in buttons(opened)}


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"action": " "}, "says nothing yet"),
        ({"owner": ""}, "Nobody is named"),
        ({"owner": "999999"}, "Nobody is named"),
        ({"due": "soon"}, "do not understand that day"),
        ({"due": "2026-08-01"}, "in the past"),
    ],
)
async def test_a_form_that_is_not_filled_in_right_is_refused(
    sqlite_desk: Desk, answers: dict[str, str], said: str
) -> None:
    assert said in words(await add(sqlite_desk, **answers))
    assert await sqlite_desk.one("SELECT count(*) FROM plan") == 0


async def test_the_owner_is_somebody_of_the_team(sqlite_desk: Desk) -> None:
    assert "Nobody is named" in words(await add(sqlite_desk, owner="gus"))
    assert "Nobody is named" in words(await add(sqlite_desk, owner="lou"))  # has left


async def test_of_two_plans_for_one_red_one_is_kept_and_the_other_is_told(desk: Desk) -> None:
    cards_ = await asyncio.gather(*(add(desk, "lena" if i % 2 else "ben", action=f"Plan {i}.") for i in range(6)))
    won = [one for one in cards_ if one.title == "Plan added"]
    assert len(won) == 1
    for one in cards_:
        if one is not won[0]:
            assert "NPS has a plan already. Plan: Plan" in words(one)
    assert await desk.one("SELECT count(*) FROM audit WHERE act = 'plan opened'") == 1
    pressed = await desk.press("lena", Button("", "plan_new", values(desk)))
    assert "has a plan already" in words(pressed)


async def test_owner_and_lead_report_and_others_do_not(sqlite_desk: Desk) -> None:
    await add(sqlite_desk)
    done = Button("", "plan_done", {"plan": "1"})
    for who in ("ana", "eli", "leo", "zoe", "mara", "hugo", "adam", "gus"):
        assert "reports its owner" in words(await sqlite_desk.press(who, done)), who
    drop = Form("", "plan_dropped", (), values={"plan": "1"})
    for who in ("dua", "ana", "leo", "zoe", "adam"):
        assert "by the lead of its team" in words(await sqlite_desk.fill(who, drop, reason="No.")), who
    assert await sqlite_desk.one("SELECT state FROM plan") == "open"
    assert "Plan done" in words(await sqlite_desk.press("dua", done))
    assert "done already" in words(await sqlite_desk.press("lena", done))


async def test_a_plan_is_moved_with_a_reason(desk: Desk) -> None:
    await add(desk)
    form = await desk.press("dua", button((await told(desk, "dua"))[0], "Move"))
    assert isinstance(form, Form)
    assert "A sentence is missing" in words(await desk.fill("dua", form, due=date(DUE + 7), reason=" "))
    card = await desk.fill("dua", form, due=date(DUE + 7), reason="I am away that week.")
    assert "due Fri 21 Aug. Moved once." in words(card)
    listed = words(await desk.ask("ana", "/plans"))
    assert "Moved because: I am away that week." in listed
    assert await desk.one("SELECT version FROM plan") == 2
    assert [r[0] for r in await desk.rows("SELECT act FROM audit WHERE subject = 'plan:1' ORDER BY id")] == [
        "plan opened", "plan moved",
    ]  # fmt: skip


async def test_a_blocker_is_handed_up_and_taken_away(sqlite_desk: Desk) -> None:
    await add(sqlite_desk)
    form = await sqlite_desk.press("dua", Button("", "plan_block", {"plan": "1"}))
    assert isinstance(form, Form)
    assert "Blocked: No licences." in words(await sqlite_desk.fill("dua", form, blocker="No licences"))
    listed = await sqlite_desk.ask("lena", "/plans")
    assert "Blocked · NPS" in words(listed)
    card = await sqlite_desk.press("lena", button(listed, "No longer blocked"))
    assert "Blocked" not in words(card)


async def test_a_dropped_plan_says_why_and_makes_room(sqlite_desk: Desk) -> None:
    await add(sqlite_desk)
    form = await sqlite_desk.press("lena", button(await sqlite_desk.ask("lena", "/plans"), "Drop"))
    assert isinstance(form, Form)
    await sqlite_desk.fill("lena", form, reason="The client left.")
    assert "dropped on Wed 5 Aug. The client left." in words(await sqlite_desk.ask("ana", "/plans help-desk"))
    assert (await add(sqlite_desk)).title == "Plan added"


async def test_of_many_clicks_one_wins(desk: Desk) -> None:
    await add(desk)
    done = Button("", "plan_done", {"plan": "1"})
    found = await asyncio.gather(*(desk.opened("lena" if i % 2 else "dua", done) for i in range(8)))
    assert sum(one.title == "Plan done" for one in found) == 1
    assert all("done already" in words(one) or "same moment" in words(one) for one in found if one.title != "Plan done")
    assert await desk.one("SELECT count(*) FROM audit WHERE act = 'plan done'") == 1


async def test_the_list_shows_overdue_plans_first_and_buttons_to_whom_they_are_for(sqlite_desk: Desk) -> None:
    assert "No plan is open." in words(await sqlite_desk.ask("ana", "/plans"))
    await add(sqlite_desk)
    assert buttons(await sqlite_desk.ask("ana", "/plans")) == []
    assert [b.text for b in buttons(await sqlite_desk.ask("dua", "/plans"))] == ["Done", "Move", "Blocked"]
    assert [b.text for b in buttons(await sqlite_desk.ask("lena", "/plans"))] == ["Done", "Move", "Blocked", "Drop"]
    sqlite_desk.now = NOW + timedelta(days=20)
    late = await sqlite_desk.ask("lena", "/plans")
    assert "Overdue · NPS" in words(late)
    assert "overdue since Fri 14 Aug" in words(late)
    assert late.summary == "Plans of Help Desk: 1 open, 1 overdue."


async def test_the_desks_plans_are_leaderships(desk: Desk) -> None:
    for table in ("rollup", "rollup_week"):
        csat = "SELECT id FROM metric WHERE name = 'csat'"
        await desk.change(f"UPDATE {table} SET num = -den WHERE metric_id IN ({csat})")
    sheet = await desk.ask("zoe", f"/redfirst desk {WEEK}")
    plan = button(sheet, "Add the plan", metric="csat")
    for who in ("lena", "ana", "mara", "adam"):
        assert "Add the plan" not in words(await desk.ask(who, f"/redfirst desk {WEEK}"))
        assert "by the lead of its team" in words(await desk.press(who, plan)), who
    form = await desk.press("zoe", plan)
    assert isinstance(form, Form)
    assert {one.text for one in form.inputs[1].choices} == {
        small.name(key) for key in ("zoe", "mara", *small.LED.values())
    }
    card = await desk.fill("zoe", form, action="Two more analysts.", owner=str(desk.ids["mara"]), due=date(DUE))
    assert f"Plan: Two more analysts. {small.name('mara')}" in words(card)
    assert "Two more analysts" in words(await desk.ask("zoe", "/plans"))
    assert "Two more analysts" not in words(await desk.ask("lena", f"/redfirst desk {WEEK}"))
    assert "open to its members" in words(await desk.ask("lena", "/plans desk"))
    assert "Plan done" in words(await desk.press("mara", Button("", "plan_done", {"plan": "1"})))


async def test_the_owner_is_reminded_before_on_and_after_the_day_once_each(desk: Desk) -> None:
    await add(desk)
    await desk.change("DELETE FROM outbox")
    for day in [d for d in range(TODAY, DUE + 15) for _ in range(2)]:
        await make(desk, day)
    titles = [one.title for one in await told(desk, "dua")]
    assert titles == [
        "A plan of yours is due soon", "A plan of yours is due", "A plan of yours is overdue",
        "A plan of yours is overdue",
    ]  # fmt: skip
    keys = [row[0] for row in await desk.rows("SELECT key FROM outbox ORDER BY id")]
    assert keys == [f"plan:1:remind:{day}" for day in (DUE - 2, DUE, DUE + 7, DUE + 14)]
    assert await told(desk, "lena") == []


async def test_a_reminder_missed_while_nothing_ran_is_said_late_and_not_twice(sqlite_desk: Desk) -> None:
    await add(sqlite_desk)
    await sqlite_desk.change("DELETE FROM outbox")
    await make(sqlite_desk, DUE + 3)
    assert [one.title for one in await told(sqlite_desk, "dua")] == ["A plan of yours is due"]


async def test_a_reminder_of_the_days_before_is_pointless_on_the_day(sqlite_desk: Desk) -> None:
    await add(sqlite_desk)
    await sqlite_desk.change("DELETE FROM outbox")
    await make(sqlite_desk, DUE - 2)
    await make(sqlite_desk, DUE)
    found = [tuple(row) for row in await sqlite_desk.rows("SELECT key, expires_at FROM outbox ORDER BY id")]
    assert found == [(f"plan:1:remind:{DUE - 2}", DUE * small.A_DAY), (f"plan:1:remind:{DUE}", None)]


def _good(who: str, day: int, number: int, rating: int) -> small.Work:
    return small.Work(number, who, day, rating)


async def weeks_of(desk: Desk, rating: int) -> None:
    """Four weeks of answers after the plan was done."""
    done = [
        _good(who, day, 20_000 + 100 * day + index, rating)
        for day in range(TODAY, TODAY + 28)
        for index, who in enumerate(small.WORKERS["help-desk"])
        if scoring.periods.monday(day) + 5 > day
    ]
    await desk.put("ticket", small.tickets(done))
    await desk.put("survey", small.surveys(done))
    async with desk.store.write() as db:
        await small.loaded(db, int((NOW + timedelta(days=28)).timestamp()))


@pytest.mark.parametrize(("rating", "said"), [(5, "It worked: NPS"), (2, "Not yet: NPS")])
async def test_fresh_weeks_say_whether_a_plan_that_is_done_has_worked(desk: Desk, rating: int, said: str) -> None:
    await add(desk)
    await desk.press("dua", Button("", "plan_done", {"plan": "1"}))
    await desk.change("DELETE FROM outbox")
    await make(desk, TODAY + 1)
    assert await desk.said() == []  # the week it was done in says nothing
    await weeks_of(desk, rating)
    for day in (TODAY + 28, TODAY + 28, TODAY + 29):
        await make(desk, day)
    for who in ("dua", "lena", "ben"):  # ben stands in for lena
        assert [one.title for one in await told(desk, who)] == [said], who
    again = [b.text for b in buttons((await told(desk, "lena"))[0])]
    assert again == ([] if rating == 5 else ["Add another plan"])
    assert buttons((await told(desk, "dua"))[0]) == []
    assert await desk.one("SELECT outcome FROM plan") == ("worked" if rating == 5 else "not_yet")


async def test_nothing_is_said_of_a_plan_whose_metric_is_measured_no_more(sqlite_desk: Desk) -> None:
    await add(sqlite_desk)
    await sqlite_desk.press("dua", Button("", "plan_done", {"plan": "1"}))
    await sqlite_desk.change("UPDATE plan SET metric = 'gone'")
    await make(sqlite_desk, TODAY + 1)
    assert await sqlite_desk.one("SELECT outcome FROM plan") == "cannot_tell"
    assert "The figures cannot tell: Gone" in [one.title for one in await told(sqlite_desk, "lena")]
    await make(sqlite_desk, TODAY, target="team:99999")  # a team that is gone is no error
