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
from tests.handlers import test_digests
from tests.handlers.desk import NOW, TODAY, Desk, button, buttons, words
from tests.handlers.test_manager_digests import planned

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


def seen(version: int = 1) -> dict[str, str]:
    """What a button of the plan carries that was drawn at a version."""
    return {"plan": "1", "version": str(version)}


async def sent(desk: Desk, who: str, form: Form, **answers: str) -> Card | Form:
    """What comes of sending a form, which may be a form again."""
    call = desk.call(who, "form", form.route, "", {**form.values, **answers})
    return small.shown(await desk.dispatch.answer(call))


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
    assert [b.text for b in buttons((await told(desk, "dua"))[0])] == ["Done", "Move", "Blocked", "Hand over"]
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


async def withheld(desk: Desk, week: str = WEEK) -> None:
    """Three of Help Desk did nothing in that week: too few are left behind its figures."""
    first = scoring.periods.from_key(week).first
    for table in ("rollup", "rollup_week"):
        for who in ("dua", "eli", "fay"):
            await desk.change(
                f"DELETE FROM {table} WHERE subject_id = :who AND day BETWEEN :first AND :last",
                who=desk.ids[who], first=first, last=first + 6,
            )  # fmt: skip


async def heard(desk: Desk, said: str) -> set[str]:
    """Who reads it on the list of Help Desk's plans."""
    readers = ("lena", "ben", "dua", "ana", "cora", "mara", "zoe")
    return {who for who in readers if said in words(await desk.ask(who, "/plans Help Desk"))}


async def test_a_plan_on_a_figure_that_is_withheld_is_told_to_its_lead_and_its_owner_only(desk: Desk) -> None:
    await add(desk)
    assert await heard(desk, "Ring back") == {"lena", "ben", "dua", "ana", "cora", "mara", "zoe"}
    await withheld(desk)
    few = {"lena", "ben", "dua"}  # ben stands in for lena
    assert await heard(desk, "Ring back") == few
    await desk.press("dua", Button("", "plan_done", seen()))
    assert await heard(desk, "Ring back") == few, "nor is what was closed lately"


async def test_what_stands_in_the_way_of_a_figure_that_is_withheld_is_not_handed_up_and_the_form_says_so(
    desk: Desk,
) -> None:
    await add(desk)
    await planned(desk, "tiny", "ute")
    block = {team: Button("", "plan_block", {"plan": str(number), "version": "1"})
             for number, team in enumerate(("help-desk", "tiny"), 1)}  # fmt: skip
    forms = {"lena": await desk.press("lena", block["help-desk"]), "tom": await desk.press("tom", block["tiny"])}
    for who, form in forms.items():
        assert isinstance(form, Form)
        assert ("tell them yourself" in form.intro) is (who == "tom")
        assert ("it is handed up" in form.inputs[0].hint) is (who == "lena")
        await desk.fill(who, form, blocker=f"{who} has no licences.")
    await test_digests.make(desk, test_digests.due("leadership_digest", "desk", cadence="monthly"))
    up = words((await test_digests.told(desk))[small.account("zoe")])
    assert f"Help Desk: lena has no licences. ({small.name('dua')})" in up
    assert "tom has no licences" not in up
    assert "Tiny" not in up


async def test_owner_and_lead_report_and_others_do_not(sqlite_desk: Desk) -> None:
    await add(sqlite_desk)
    done = Button("", "plan_done", seen())
    for who in ("ana", "eli", "leo", "zoe", "mara", "hugo", "adam", "gus"):
        assert "reports its owner" in words(await sqlite_desk.press(who, done)), who
    drop = Form("", "plan_dropped", (), values=seen())
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
    form = await sqlite_desk.press("dua", Button("", "plan_block", seen()))
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
    done = Button("", "plan_done", seen())
    found = await asyncio.gather(*(desk.opened("lena" if i % 2 else "dua", done) for i in range(8)))
    assert sum(one.title == "Plan done" for one in found) == 1
    assert all("reported it done on Wed 5 Aug" in words(one) for one in found if one.title != "Plan done")
    assert await desk.one("SELECT count(*) FROM audit WHERE act = 'plan done'") == 1


async def test_a_press_on_a_card_that_is_behind_tells_what_happened_and_shows_how_it_stands(desk: Desk) -> None:
    await add(desk)
    [old] = await told(desk, "dua")
    move = await desk.press("lena", button(await desk.ask("lena", "/plans"), "Move"))
    assert isinstance(move, Form)
    await desk.fill("lena", move, due=date(DUE + 7), reason="Dua is away")
    reply = await desk.dispatch.answer(desk.call("dua", "action", "plan_done", "", button(old, "Done").values))
    [say] = reply.says
    assert say.place == "update"  # the old card makes room for the new one
    card = small.card(reply)
    assert card.title == "That plan has changed since"
    assert f"{small.name('lena')} moved it to Fri 21 Aug on Wed 5 Aug: Dua is away." in words(card)
    assert "due Fri 21 Aug. Moved once." in words(card)
    assert await desk.one("SELECT state FROM plan") == "open"
    assert (await desk.opened("dua", button(card, "Done"))).title == "Plan done"


@pytest.mark.parametrize("label", ["Move", "Blocked", "Hand over"])
async def test_a_form_is_not_opened_from_a_card_that_is_behind(sqlite_desk: Desk, label: str) -> None:
    await add(sqlite_desk)
    [old] = await told(sqlite_desk, "dua")
    blocked = Form("", "plan_blocked", (), values=seen())
    await sqlite_desk.fill("lena", blocked, blocker="No licences")
    card = await sqlite_desk.opened("dua", button(old, label))
    assert f"{small.name('lena')} said what is in the way on Wed 5 Aug: No licences." in words(card)


async def test_what_was_written_in_a_form_comes_back_where_somebody_was_faster(desk: Desk) -> None:
    await add(desk)
    listed = await desk.ask("lena", "/plans")
    mine, theirs = [await desk.press("lena", button(listed, "Move")) for _ in range(2)]
    assert isinstance(mine, Form)
    assert isinstance(theirs, Form)
    await desk.fill("lena", theirs, due=date(DUE + 7), reason="Dua is away.")
    again = await sent(desk, "lena", mine, due=date(DUE + 14), reason="The part comes late.")
    assert isinstance(again, Form)
    assert f"{small.name('lena')} moved it to Fri 21 Aug on Wed 5 Aug: Dua is away." in again.intro
    assert [one.value for one in again.inputs] == [date(DUE + 14), "The part comes late."]
    assert await desk.one("SELECT due_day FROM plan") == DUE + 7
    answers = {one.name: one.value for one in again.inputs}
    assert "due Fri 28 Aug. Moved 2 times." in words(await desk.fill("lena", again, **answers))


async def test_a_form_for_a_plan_that_is_over_tells_who_ended_it(sqlite_desk: Desk) -> None:
    await add(sqlite_desk)
    form = Form("", "plan_moved", (), values=seen())
    await sqlite_desk.press("dua", Button("", "plan_done", seen()))
    card = await sqlite_desk.fill("lena", form, due=date(DUE + 7), reason="Later.")
    assert card.title == "That plan is done already"
    assert f"{small.name('dua')} reported it done on Wed 5 Aug." in words(card)


@pytest.mark.parametrize("version", ["", "0", "9", "-1", "1.0", "x"])
async def test_a_button_without_a_version_that_can_be_meant_changes_nothing(sqlite_desk: Desk, version: str) -> None:
    await add(sqlite_desk)
    pressed = await sqlite_desk.press("dua", Button("", "plan_done", {"plan": "1", "version": version}))
    assert "What you pressed changed nothing." in words(pressed)
    assert await sqlite_desk.one("SELECT version FROM plan") == 1


async def hand(desk: Desk, who: str = "lena", to: str = "eli", said: str = "You know the client.") -> Card:
    form = await desk.press(who, button(await desk.ask(who, "/plans"), "Hand over"))
    assert isinstance(form, Form)
    return await desk.fill(who, form, owner=str(desk.ids[to]), words=said)


async def test_a_plan_is_handed_to_somebody_else_and_both_are_told(desk: Desk) -> None:
    await add(desk)
    await desk.change("UPDATE outbox SET state = 'sent', reference = 'D1/1.0', sent_at = due_at")
    card = await hand(desk)
    assert f"Ring back the same day. {small.name('eli')}, due Fri 14 Aug." in words(card)
    [theirs] = await told(desk, "eli")
    assert theirs.title == f"{small.name('lena')} hands a plan to you"
    assert "“You know the client.”" in words(theirs)
    assert [b.text for b in buttons(theirs)] == ["Done", "Move", "Blocked", "Hand over"]
    asked, before = await told(desk, "dua")  # the message in which she was asked, and a new one
    assert asked == before
    assert f"{small.name('lena')} has handed it to {small.name('eli')}." in words(before)
    assert buttons(before) == []
    body = json.loads(await desk.one("SELECT body FROM audit WHERE act = 'plan handed over'"))
    assert (body["owner"], body["version"], body["words"]) == (desk.ids["eli"], 2, "You know the client.")
    assert (await desk.opened("eli", button(theirs, "Done"))).title == "Plan done"


async def test_what_was_asked_is_called_off_where_the_plan_was_handed_on_before_it_was_said(desk: Desk) -> None:
    await add(desk)
    await hand(desk)
    states = {row[0]: row[1] for row in await desk.rows("SELECT key, state FROM outbox")}
    assert states == {"plan:1:owner": "cancelled", "plan:1:owner:2": "due", "plan:1:owner:2:before": "due"}
    [_, before] = await told(desk, "dua")
    assert before.title == "A plan of yours has another owner"


async def test_an_owner_hands_their_own_plan_over_and_may_get_it_back(sqlite_desk: Desk) -> None:
    await add(sqlite_desk)
    await sqlite_desk.change("UPDATE outbox SET state = 'sent', reference = 'D1/1.0', sent_at = due_at")
    await hand(sqlite_desk, "dua", "eli", "")
    await sqlite_desk.change("UPDATE outbox SET state = 'sent', reference = 'D1/1.0', sent_at = due_at")
    assert [one.title for one in await told(sqlite_desk, "dua")] == ["Plan changed"]  # what she was asked, in place
    await hand(sqlite_desk, "eli", "dua")
    assert (await told(sqlite_desk, "dua"))[-1].title == f"{small.name('eli')} hands a plan to you"
    assert [one.title for one in await told(sqlite_desk, "eli")] == ["Plan changed"]


async def test_a_former_owner_with_an_old_card_is_told_who_has_the_plan_now(sqlite_desk: Desk) -> None:
    await add(sqlite_desk)
    [old] = await told(sqlite_desk, "dua")
    await hand(sqlite_desk)
    said = words(await sqlite_desk.press("dua", button(old, "Done")))
    assert "That plan is yours no more." in said
    assert f"{small.name('lena')} handed it to {small.name('eli')} on Wed 5 Aug: You know the client." in said
    assert "reports its owner" in words(await sqlite_desk.press("ana", button(old, "Done")))  # never hers


@pytest.mark.parametrize("who", ["gus", "lou", "zoe", ""])
async def test_a_plan_is_handed_only_to_whom_it_may_belong(sqlite_desk: Desk, who: str) -> None:
    await add(sqlite_desk)
    form = await sqlite_desk.press("lena", button(await sqlite_desk.ask("lena", "/plans"), "Hand over"))
    assert isinstance(form, Form)
    assert small.name("dua") not in {choice.text for choice in form.inputs[0].choices}
    answer = str(sqlite_desk.ids.get(who, who))
    assert "Nobody is named" in words(await sqlite_desk.fill("lena", form, owner=answer))
    same = str(sqlite_desk.ids["dua"])
    assert "sees to that plan already" in words(await sqlite_desk.fill("lena", form, owner=same))


async def test_only_its_owner_and_whoever_leads_hands_a_plan_over(sqlite_desk: Desk) -> None:
    await add(sqlite_desk)
    form = Form("", "plan_handed", (), values=seen())
    for who in ("ana", "leo", "zoe", "mara", "adam"):
        said = words(await sqlite_desk.fill(who, form, owner=str(sqlite_desk.ids["ana"])))
        assert "reports its owner" in said, who
    assert await sqlite_desk.one("SELECT owner_id FROM plan") == sqlite_desk.ids["dua"]


async def test_of_two_who_hand_it_over_at_once_one_wins_and_the_other_is_told(desk: Desk) -> None:
    await add(desk)
    form = Form("", "plan_handed", (), values=seen())
    found = await asyncio.gather(
        *(sent(desk, who, form, owner=str(desk.ids[to])) for who, to in (("lena", "eli"), ("ben", "ana")) * 2)
    )
    won = [one for one in found if isinstance(one, Card)]
    assert len(won) == 1
    assert all("handed it to" in one.intro for one in found if isinstance(one, Form))
    assert await desk.one("SELECT count(*) FROM audit WHERE act = 'plan handed over'") == 1
    assert await desk.one("SELECT count(*) FROM outbox WHERE key = 'plan:1:owner:2'") == 1


async def test_reminders_go_to_the_new_owner(sqlite_desk: Desk) -> None:
    await add(sqlite_desk)
    await hand(sqlite_desk)
    await sqlite_desk.change("DELETE FROM outbox")
    await make(sqlite_desk, DUE)
    assert [one.title for one in await told(sqlite_desk, "eli")] == ["A plan of yours is due"]
    assert await told(sqlite_desk, "dua") == []


@pytest.mark.parametrize("what", ["done", "handed"])
async def test_a_reminder_that_waits_is_called_off_when_there_is_nothing_to_remind_of(desk: Desk, what: str) -> None:
    await add(desk)
    await desk.change("DELETE FROM outbox")
    await make(desk, DUE)
    if what == "done":
        await desk.press("lena", Button("", "plan_done", seen()))
    else:
        await hand(desk)
    state = "SELECT state FROM outbox WHERE key = :key"
    assert await desk.one(state, key=f"plan:1:remind:{DUE}") == "cancelled"


async def leaves(desk: Desk, who: str = "dua") -> None:
    """The next people file has them no more from today on."""
    await desk.change(
        "UPDATE membership SET to_day = :day WHERE person_id = :p", day=TODAY, p=desk.ids[who]
    )


async def test_a_plan_whose_owner_has_left_needs_one_and_the_lead_is_asked_once(desk: Desk) -> None:
    await add(desk)
    await leaves(desk)
    await desk.change("DELETE FROM outbox")
    for day in (TODAY, TODAY + 1, TODAY + 2):
        await make(desk, day)
    for who in ("lena", "ben"):  # ben stands in for lena
        assert [one.title for one in await told(desk, who)] == ["A plan needs an owner"], who
    [asked, *_] = await told(desk, "lena")
    assert f"{small.name('dua')} sees to it no more." in words(asked)
    listed = words(await desk.ask("lena", "/plans"))
    assert "Needs an owner · NPS" in listed
    assert f"Needs an owner (it was {small.name('dua')}’s), due Fri 14 Aug." in listed
    form = await desk.press("lena", button(asked, "Hand over"))
    assert isinstance(form, Form)
    await desk.fill("lena", form, owner=str(desk.ids["eli"]))
    assert "Needs an owner" not in words(await desk.ask("lena", "/plans"))


async def test_wherever_a_plan_is_told_of_it_is_said_that_its_owner_has_left(desk: Desk) -> None:
    await add(desk)
    form = await desk.press("dua", Button("", "plan_block", seen()))
    assert isinstance(form, Form)
    await desk.fill("dua", form, blocker="No licences")
    await leaves(desk)
    gone = f"Needs an owner (it was {small.name('dua')}’s)"
    for who in ("lena", "ana", "zoe"):
        assert gone in words(await desk.ask(who, f"/teamscore Help Desk {WEEK}")), who
    assert gone in words(await desk.press("lena", Button("", "plan_new", values(desk)))), "there is one already"
    hand_over = await desk.press("lena", Button("", "plan_hand", seen(2)))
    assert gone in words(hand_over)
    await desk.change("DELETE FROM outbox")
    weekly, monthly = test_digests.due("manager_digest", "desk"), test_digests.due(
        "leadership_digest", "desk", cadence="monthly"
    )
    channel = test_digests.due("team_digest", f"team:{desk.teams['help-desk']}", to="slack:C9")
    for one in (weekly, monthly, channel):
        await test_digests.make(desk, one)
    found = await test_digests.told(desk)
    above = words(found[small.account("mara")])
    assert f"Path to green: Ring back the same day. {gone}, due Fri 14 Aug." in above
    for reader in ("mara", "zoe"):
        said = f"No licences (needs an owner, it was {small.name('dua')}’s)"
        assert said in words(found[small.account(reader)]), reader
    assert "No licences" in words(found["C9"])
    assert small.name("dua") not in words(found["C9"])
    moved = await desk.press("lena", Button("", "plan_move", seen(2)))
    assert isinstance(moved, Form)
    assert gone in words(await desk.fill("lena", moved, due=date(DUE + 7), reason="Nobody does it."))


async def test_its_reminders_go_to_the_lead_meanwhile(sqlite_desk: Desk) -> None:
    await add(sqlite_desk)
    await leaves(sqlite_desk)
    await sqlite_desk.change("DELETE FROM outbox")
    for day in (DUE, DUE, DUE + 7):
        await make(sqlite_desk, day)
    assert [one.title for one in await told(sqlite_desk, "lena")] == [
        "A plan needs an owner", "A plan that needs an owner is due", "A plan that needs an owner is overdue",
    ]  # fmt: skip
    assert await told(sqlite_desk, "dua") == []


async def test_somebody_who_has_changed_teams_owns_its_plans_no_more(sqlite_desk: Desk) -> None:
    await add(sqlite_desk)
    await sqlite_desk.change(
        "UPDATE membership SET team_id = :t WHERE person_id = :p", t=sqlite_desk.teams["field"],
        p=sqlite_desk.ids["dua"],
    )  # fmt: skip
    assert "Needs an owner · NPS" in words(await sqlite_desk.ask("lena", "/plans"))


async def test_the_leads_digest_says_that_a_plan_needs_an_owner_and_the_channels_does_not(sqlite_desk: Desk) -> None:
    await add(sqlite_desk, due=date(TODAY + 60))
    await leaves(sqlite_desk)
    assert "Needs an owner" in words(await sqlite_desk.ask("lena", "/digest preview"))
    assert "Needs an owner" not in words(await sqlite_desk.ask("zoe", "/digest preview Help Desk"))


async def test_the_list_shows_overdue_plans_first_and_buttons_to_whom_they_are_for(sqlite_desk: Desk) -> None:
    assert "No plan is open." in words(await sqlite_desk.ask("ana", "/plans"))
    await add(sqlite_desk)
    assert buttons(await sqlite_desk.ask("ana", "/plans")) == []
    owners = ["Done", "Move", "Blocked", "Hand over"]
    assert [b.text for b in buttons(await sqlite_desk.ask("dua", "/plans"))] == owners
    assert [b.text for b in buttons(await sqlite_desk.ask("lena", "/plans"))] == [*owners, "Drop"]
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
    assert "Plan done" in words(await desk.press("mara", Button("", "plan_done", seen())))


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
    await desk.press("dua", Button("", "plan_done", seen()))
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
    await sqlite_desk.press("dua", Button("", "plan_done", seen()))
    await sqlite_desk.change("UPDATE plan SET metric = 'gone'")
    await make(sqlite_desk, TODAY + 1)
    assert await sqlite_desk.one("SELECT outcome FROM plan") == "cannot_tell"
    assert "The figures cannot tell: Gone" in [one.title for one in await told(sqlite_desk, "lena")]
    await make(sqlite_desk, TODAY, target="team:99999")  # a team that is gone is no error
