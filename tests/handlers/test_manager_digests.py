"""The week of several teams for whoever leads report to: reds first, by the rule of five, and of nobody by name."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

import cards.card
import handlers.digests
import handlers.manager_digests
import scoring.periods
import storage.people
from cards.card import Badge, Button, Card, Table, Trend
from scoring.distortions import Distortion
from storage import distortions as kept_distortions
from tests.handlers import desk as small
from tests.handlers.desk import Desk, button, buttons, words
from tests.handlers.test_digests import MONDAY, WEEK, context, due, make, told, unhappy
from tests.handlers.test_redflags import flagged

WEEKLY = due("manager_digest", "desk")


async def managers(desk: Desk, who: str = "mara") -> Card:
    """The digest as it was made for somebody."""
    await make(desk, WEEKLY)
    return (await told(desk))[small.account(who)]


async def planned(desk: Desk, team: str, owner: str, *, day: int = small.TODAY, blocker: str = "") -> None:
    await desk.change(
        "INSERT INTO plan (subject, metric, period, action, owner_id, due_day, state, outcome, moved, reason, blocker, "
        "opened_day, set_day, version) VALUES (:subject, 'csat', :week, 'Ring back at noon.', :owner, :day, 'open', "
        "'', 0, '', :blocker, :day, :day, 1)",
        subject=f"team:{desk.teams[team]}", week=WEEK, owner=desk.ids[owner], day=day, blocker=blocker,
    )  # fmt: skip


async def test_whoever_leads_report_to_is_told_of_their_teams_reds_first_and_nobody_else_is(desk: Desk) -> None:
    await unhappy(desk, *small.WORKERS["field"], weeks=2)
    card = await managers(desk)
    assert set(await told(desk)) == {small.account("mara")}
    assert card.title == "Your teams: the week"
    assert card.status == "red"
    kinds = [type(block) for block in card.blocks]
    assert kinds.index(Badge) < kinds.index(Table)
    text = words(card)
    assert text.index("Field Services") < text.index("Every team")
    assert "Red for 2 weeks in a row. No path to green yet." in text
    assert "Red for 4 weeks in a row or longer." in text
    assert sum(isinstance(block, Trend) for block in card.blocks) == 1
    [table] = [block for block in card.blocks if isinstance(block, Table)]
    assert [row[0] for row in table.rows[:1]] == ["Field Services"]
    assert {row[0] for row in table.rows} == {"Field Services", "Help Desk", "Night Shift", "Tiny"}


async def test_no_name_and_no_figure_of_a_person_is_in_it(desk: Desk) -> None:
    await unhappy(desk, *small.WORKERS["help-desk"], *small.WORKERS["tiny"])
    card = await managers(desk)
    everything = json.dumps(cards.card.to_json(card), ensure_ascii=False)
    assert not [key for key in small.EVERYBODY if small.name(key) in everything]
    [tiny] = [row for b in card.blocks if isinstance(b, Table) for row in b.rows if row[0] == "Tiny"]
    assert tiny[1:] == ("–", "–", "–"), "two people are no aggregate"
    assert "five people" in words(card)


async def test_a_plan_is_told_with_who_sees_to_it_and_its_day_and_one_that_is_overdue_wherever_it_stands(
    desk: Desk,
) -> None:
    await unhappy(desk, *small.WORKERS["help-desk"], weeks=2)
    await planned(desk, "help-desk", "fay", day=small.TODAY + 3)
    await planned(desk, "field", "gus", day=small.TODAY - 2)
    text = words(await managers(desk))
    assert f"Path to green: Ring back at noon. {small.name('fay')}, due Sat 8 Aug." in text
    assert f"Field Services: CSAT: Ring back at noon. {small.name('gus')}, overdue since" in text


async def test_what_is_handed_up_what_is_adjusted_and_clients_to_speak_with_are_told_once(desk: Desk) -> None:
    flag = await flagged(desk)
    await planned(desk, "help-desk", "fay", blocker="No second printer.")
    async with desk.store.write() as db:
        week = scoring.periods.from_key(WEEK)
        one = Distortion(0, "outage", "desk", week.first, week.first, 0, "Mail outage", desk.ids["lena"])
        number = await kept_distortions.declare(db, one, 0)
        approved = Distortion(number, "outage", "desk", week.first, week.first, 0, "Mail outage", desk.ids["lena"],
                              state="approved", decided_by=desk.ids["mara"])  # fmt: skip
        assert await kept_distortions.decide(db, approved, 0)
    card = await managers(desk)
    text = words(card)
    assert text.count("Mail outage, 27 Jul to 27 Jul: left out") == 1
    assert f"Help Desk: No second printer. ({small.name('fay')})" in text
    assert flag.client in text
    assert "Clients" in [one.text for one in buttons(card)]


async def test_a_plan_made_after_it_is_on_it_and_the_message_is_not_said_again(desk: Desk) -> None:
    await unhappy(desk, *small.WORKERS["help-desk"])
    assert "Ring back" not in words(await managers(desk))
    await make(desk, due("lead_digest", f"team:{desk.teams['help-desk']}"))
    form = await desk.press("lena", button((await told(desk))[small.account("lena")], "Add the plan"))
    assert isinstance(form, cards.card.Form)
    day = scoring.periods.date_of(small.TODAY + 7).isoformat()
    await desk.fill("lena", form, action="Ring back within the hour.", owner=str(desk.ids["fay"]), due=day)
    said = await desk.rows("SELECT body, revision FROM outbox WHERE key LIKE 'digest|manager|%'")
    assert [row[1] for row in said] == [1]
    assert "Ring back within the hour." in said[0][0]


async def test_a_week_and_a_month_that_end_on_the_same_day_each_keep_their_own_figures(desk: Desk) -> None:
    """May 2026 ends on a Sunday."""
    first = scoring.periods.from_key("2026-W23").first
    desk.now = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
    await unhappy(desk, *small.WORKERS["help-desk"], weeks=13)
    for cadence in ("weekly", "monthly"):
        await make(desk, due("manager_digest", "desk", cadence=cadence, day=first))
    kept = "SELECT key, body FROM outbox WHERE key LIKE 'digest|manager|%' ORDER BY id"
    before = {row[0].split("|")[3]: cards.card.from_json(json.loads(row[1])) for row in await desk.rows(kept)}
    assert set(before) == {"2026-W22", "2026-05"}
    assert before["2026-W22"].summary != before["2026-05"].summary
    async with desk.store.write() as db:
        await handlers.digests.renew(await context(desk, db), f"team:{desk.teams['help-desk']}")
    after = {row[0].split("|")[3]: cards.card.from_json(json.loads(row[1])) for row in await desk.rows(kept)}
    assert after == before


async def test_whoever_leads_report_to_no_more_keeps_what_they_were_told(desk: Desk) -> None:
    await unhappy(desk, *small.WORKERS["help-desk"])
    before = await managers(desk)
    await desk.change("UPDATE membership SET manager_id = :zoe WHERE role = 'lead'", zoe=desk.ids["zoe"])
    await planned(desk, "help-desk", "fay")
    async with desk.store.write() as db:
        await handlers.digests.renew(await context(desk, db), f"team:{desk.teams['help-desk']}")
    assert (await told(desk))[small.account("mara")] == before


async def test_who_leads_a_team_and_whom_leads_report_to_gets_both(desk: Desk) -> None:
    await desk.change(
        "UPDATE membership SET manager_id = :lena WHERE person_id = :leo", lena=desk.ids["lena"], leo=desk.ids["leo"]
    )
    await make(desk, WEEKLY)
    await make(desk, due("lead_digest", f"team:{desk.teams['help-desk']}"))
    titles = [cards.card.from_json(json.loads(body)).title for to, body in await desk.said()
              if to == small.account("lena")]  # fmt: skip
    assert titles == ["Your teams: the week", "Help Desk: the week, for its lead"]
    assert "Help Desk: the week, for its lead" in (await desk.ask("lena", "/digest")).title
    theirs = words(await desk.ask("lena", "/digest preview teams"))
    assert "Field Services" in theirs
    assert "Night Shift" not in theirs


async def test_nothing_red_and_nothing_amber_is_said_in_one_line(desk: Desk) -> None:
    happy = [replace(one, rating=5) for one in small.work()]
    await desk.put("survey", small.surveys(happy).with_columns(updated_at=small.AS_OF))
    card = await managers(desk)
    assert card.status == "green"
    assert "Nothing red, nothing amber in 4 teams: 18 on target." in words(card)
    assert not [block for block in card.blocks if isinstance(block, (Table, Badge))]


async def test_old_data_says_so_once_and_takes_the_colours_away(desk: Desk) -> None:
    await unhappy(desk, *small.WORKERS["help-desk"])
    await desk.change("UPDATE load SET as_of = :old, tickets_as_of = :old", old=small.AS_OF - 5 * small.A_DAY)
    card = await managers(desk)
    assert card.status == "none"
    assert words(card).count("No colours until newer data is in.") == 1
    assert "off target in the data there is" in words(card)
    assert not [block for block in card.blocks if isinstance(block, Badge)]


async def test_a_late_one_says_so(desk: Desk) -> None:
    await make(desk, due("manager_digest", "desk", late=True))
    assert "late: it was due on Monday 3 Aug, 09:00" in words((await told(desk))[small.account("mara")])


async def test_it_is_looked_at_before_it_comes_and_its_day_is_known(desk: Desk) -> None:
    card = await desk.ask("mara", "/digest")
    assert card.title == "Your teams: the week"
    assert words(card) == words(await desk.ask("mara", "/digest preview teams"))
    assert "weekly on Monday at 09:00" in words(await desk.ask("mara", "/digest schedule"))
    assert "goes to you, not to a channel" in words(await desk.ask("mara", "/digest now"))
    assert await desk.said() == []


async def test_for_whom_no_lead_reports_to_there_is_none(desk: Desk) -> None:
    for who in ("ana", "leo", "zoe"):
        assert "No lead reports to you." in words(await desk.ask(who, "/digest preview teams")), who
        more = await desk.opened(who, Button("More", "manager_digest_more", {"period": WEEK}))
        assert "No lead reports to you." in words(more), who


async def test_everything_is_behind_a_button_a_few_teams_at_a_time_and_is_turned_in_place(desk: Desk) -> None:
    await unhappy(desk, *small.WORKERS["night"])
    first = await desk.opened("mara", Button("More", "manager_digest_more", {"period": WEEK}))
    assert "One team" not in words(first)
    turn = button(first, "1 more ›")
    reply = await desk.dispatch.answer(desk.call("mara", "action", turn.route, "", turn.values))
    assert reply.says[0].place == "update"
    names = {row.text for row in (*buttons(first), *buttons(small.card(reply)))} & set(small.NAMES.values())
    assert names == {"Field Services", "Help Desk", "Night Shift", "Tiny"}
    theirs = await desk.opened("mara", button(small.card(reply), "Tiny"))
    assert theirs.title == "Tiny: the week in short"


async def test_what_a_digest_opens_stands_beside_it_and_not_in_its_place(desk: Desk) -> None:
    await flagged(desk)
    opened = button(await managers(desk), "Clients")
    reply = await desk.dispatch.answer(desk.call("mara", "action", opened.route, "", opened.values))
    assert [say.place for say in reply.says] == ["new"]


@pytest.mark.parametrize("role", ["hr", "admin"])
async def test_an_office_that_reads_no_team_is_told_of_none_whoever_reports_to_it(sqlite_desk: Desk, role: str) -> None:
    desk = sqlite_desk
    await desk.change("UPDATE membership SET role = :role WHERE person_id = :mara", role=role, mara=desk.ids["mara"])
    await make(desk, WEEKLY)
    assert await told(desk) == {}


async def test_whoever_stands_in_for_a_manager_is_told_too(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    await desk.change(
        "INSERT INTO deputy (person_id, for_id, from_day) VALUES (:zoe, :mara, :day)",
        zoe=desk.ids["zoe"], mara=desk.ids["mara"], day=MONDAY - 7,
    )  # fmt: skip
    async with desk.store.write() as db:
        found = [one.key for one, _ in await handlers.manager_digests.readers(await context(desk, db))]
        assert sorted(found) == ["mara", "zoe"]
        assert await storage.people.get(db, desk.ids["zoe"], small.TODAY)
