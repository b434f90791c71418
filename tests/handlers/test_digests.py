"""Digests: reds with their plan first, to the right people, by the rule of five, renewed in place."""

from __future__ import annotations

import json
from dataclasses import replace

import polars as pl
import pytest

import cards.card
import cards.timetable
import handlers.digest_cards
import handlers.digests
import handlers.makers
import scoring.periods
import scoring.plans
import scoring.schedules_file
import storage.deliveries
import storage.people
import storage.plans
from bot.scheduler import REDFIRST
from cards.card import Badge, Button, Card, Trend
from handlers.call import Ctx
from scoring.schedules import Due, Schedule
from storage.db import Db
from tests.handlers import desk as small
from tests.handlers.desk import Desk, button, buttons, words

MONDAY = small.THIS_WEEK
WEEK = "2026-W31"


async def context(desk: Desk, db: Db) -> Ctx:
    return Ctx(db, REDFIRST, desk.now, await desk.rules.get(db, desk.now))


def due(
    maker: str, target: str, *, to: str = "", cadence: str = "weekly", day: int = MONDAY, late: bool = False
) -> Due:
    cron = "0 9 * * mon" if cadence == "cron" else ""
    schedule = Schedule(f"{maker}/{target}", maker, target, "UTC", cadence, to=to, cron=cron)  # type: ignore[arg-type]
    return Due(schedule, day * small.A_DAY + 9 * 3600, day, "make_late" if late else "make")


async def make(desk: Desk, one: Due) -> None:
    async with desk.store.write() as db:
        await handlers.makers.MAKERS[one.schedule.maker](await context(desk, db), one)


async def told(desk: Desk) -> dict[str, Card]:
    """Recipient → the newest card in the outbox."""
    found: dict[str, Card] = {}
    for recipient, body in await desk.said():
        card = cards.card.from_json(json.loads(body))
        assert isinstance(card, Card)
        found[recipient] = card
    return found


async def up(desk: Desk) -> list[str]:
    """What whoever the lead of Help Desk reports to has been told of its CSAT."""
    return [body for to, body in await desk.said() if to == small.account("mara") and "CSAT" in body]


async def unhappy(desk: Desk, *who: str, weeks: int = 4) -> None:
    """Every answer about these people's tickets of the last weeks is a bad one: their team turns red."""
    done = [replace(one, rating=1) for key in who for one in small.of(key, MONDAY - 7 * weeks, MONDAY - 1)]
    frame = small.surveys(done).with_columns(updated_at=small.AS_OF)
    await desk.put("survey", frame)


async def test_the_leads_digest_begins_with_the_reds_and_asks_for_a_plan(desk: Desk) -> None:
    await unhappy(desk, *small.WORKERS["help-desk"])
    await make(desk, due("lead_digest", f"team:{desk.teams['help-desk']}"))
    card = (await told(desk))[small.account("lena")]
    text = words(card)
    assert card.status == "red"
    assert [block.status for block in card.blocks if isinstance(block, Badge)][:1] == ["red"]
    assert "No path to green yet." in text
    assert button(card, "Add the plan").values == {
        "team": str(desk.teams["help-desk"]), "metric": "csat", "period": WEEK,
    }  # fmt: skip
    assert sum(isinstance(block, Trend) for block in card.blocks) == 1


async def test_the_lead_and_who_stands_in_are_told_in_private_and_nobody_else(desk: Desk) -> None:
    await make(desk, due("lead_digest", f"team:{desk.teams['help-desk']}"))
    found = await told(desk)
    above = found.pop(small.account("mara"))
    assert above.title == "Help Desk: red for 13 weeks", "a red that lasts, which goes a level up"
    assert set(found) == {small.account("lena"), small.account("ben")}


async def test_people_who_may_want_help_are_named_to_their_lead_by_name_and_to_nobody_else(desk: Desk) -> None:
    await make(desk, due("lead_digest", f"team:{desk.teams['help-desk']}"))
    await make(desk, due("team_digest", f"team:{desk.teams['help-desk']}", to="slack:C9"))
    await make(desk, due("leadership_digest", "desk", cadence="monthly"))
    await make(desk, due("desk_page", "desk", cadence="monthly", to="slack:C1"))
    found = await told(desk)
    lena = words(found[small.account("lena")])
    assert small.name("ana") in lena
    assert small.name("ben") in lena
    assert lena.index(small.name("ana")) < lena.index(small.name("ben"))
    assert small.name("ben") not in words(found[small.account("ben")])  # standing in shows no more of oneself
    for recipient in ("C9", "C1", small.account("zoe")):
        everything = json.dumps(cards.card.to_json(found[recipient]))
        assert not [key for key in small.EVERYBODY if small.name(key) in everything]


async def test_opening_somebody_from_the_digest_is_noted_as_a_look(desk: Desk) -> None:
    await make(desk, due("lead_digest", f"team:{desk.teams['help-desk']}"))
    card = (await told(desk))[small.account("lena")]
    await desk.opened("lena", button(card, small.name("ana")))
    assert await desk.one("SELECT count(*) FROM look WHERE person_id = :ana", ana=desk.ids["ana"]) == 1


async def test_a_team_too_small_for_an_aggregate_is_told_no_figure_in_its_channel(desk: Desk) -> None:
    await unhappy(desk, *small.WORKERS["tiny"])
    await make(desk, due("team_digest", f"team:{desk.teams['tiny']}", to="slack:C9"))
    card = (await told(desk))["C9"]
    assert card.status == "none"
    assert "five people" in words(card)


async def test_a_plan_in_a_team_too_small_for_an_aggregate_is_told_to_its_lead_and_its_owner_only(desk: Desk) -> None:
    await unhappy(desk, *small.WORKERS["tiny"])
    await make(desk, due("lead_digest", f"team:{desk.teams['tiny']}"))
    asked = button((await told(desk))[small.account("tom")], "Add the plan")
    form = await desk.press("tom", asked)
    assert isinstance(form, cards.card.Form)
    day = scoring.periods.date_of(small.TODAY + 3).isoformat()
    await desk.fill("tom", form, action="Ring back at noon.", owner=str(desk.ids["ute"]), due=day)
    await make(desk, due("team_digest", f"team:{desk.teams['tiny']}", to="slack:C9"))
    assert "Ring back" not in words((await told(desk))["C9"])
    readers = ("tom", "ute", "vic", "zoe", "mara")
    heard = {who: "Ring back" in words(await desk.ask(who, "/plans Tiny")) for who in readers}
    assert heard == {"tom": True, "ute": True, "vic": False, "zoe": False, "mara": False}


async def test_a_channel_that_is_not_named_is_not_written_to(desk: Desk) -> None:
    await make(desk, due("team_digest", f"team:{desk.teams['help-desk']}"))
    await make(desk, due("desk_page", "desk", cadence="monthly"))
    assert await told(desk) == {}


async def test_what_is_made_twice_is_said_once(desk: Desk) -> None:
    for _ in range(2):
        await make(desk, due("team_digest", f"team:{desk.teams['help-desk']}", to="slack:C9"))
    assert len(await desk.said()) == 1


async def test_a_late_digest_says_so_and_is_about_the_week_it_was_due_for(desk: Desk) -> None:
    one = due("team_digest", f"team:{desk.teams['help-desk']}", to="slack:C9", day=MONDAY - 7, late=True)
    await make(desk, one)
    text = words((await told(desk))["C9"])
    assert "late: it was due on Monday 27 Jul, 09:00" in text
    assert "Week 30" in text


async def test_a_late_digest_says_so_still_when_a_plan_is_put_on_it(desk: Desk) -> None:
    await unhappy(desk, *small.WORKERS["help-desk"])
    target = f"team:{desk.teams['help-desk']}"
    for one in (due("team_digest", target, to="slack:C9", late=True), due("lead_digest", target, late=True)):
        await make(desk, one)
    await make(desk, due("manager_digest", "desk", late=True))
    form = await desk.press("lena", button((await told(desk))[small.account("lena")], "Add the plan"))
    assert isinstance(form, cards.card.Form)
    day = scoring.periods.date_of(small.TODAY + 7).isoformat()
    await desk.fill("lena", form, action="Ring back.", owner=str(desk.ids["lena"]), due=day)
    found = await told(desk)
    for reader in (small.account("lena"), small.account("mara"), "C9"):
        text = words(found[reader])
        assert "Ring back." in text, reader
        assert "late: it was due on Monday 3 Aug, 09:00" in text, reader


async def test_a_digest_made_in_time_is_not_called_late_when_a_plan_is_put_on_it(sqlite_desk: Desk) -> None:
    desk, target = sqlite_desk, f"team:{sqlite_desk.teams['help-desk']}"
    desk.now = desk.now.replace(day=3, hour=9, minute=10)
    await make(desk, due("lead_digest", target))
    desk.now = desk.now.replace(day=5)
    async with desk.store.write() as db:
        await handlers.digests.renew(await context(desk, db), target)
    assert "late" not in words((await told(desk))[small.account("lena")])


async def test_a_digest_that_could_not_be_delivered_is_over_when_the_next_one_is_due(desk: Desk) -> None:
    target, next_monday = f"team:{desk.teams['help-desk']}", (MONDAY + 7) * small.A_DAY + 9 * 3600
    await make(desk, due("team_digest", target, to="slack:C9"))
    await make(desk, due("lead_digest", target))
    await make(desk, due("manager_digest", "desk"))
    await make(desk, due("leadership_digest", "desk", cadence="monthly"))
    rows = await desk.rows("SELECT key, expires_at FROM outbox WHERE key NOT LIKE 'digest|above|%'")
    ends = {key.split("|")[1]: end for key, end in rows}
    september = scoring.periods.day_of(small.NOW.date().replace(month=9, day=1)) * small.A_DAY + 9 * 3600
    assert ends == {"team": next_monday, "lead": next_monday, "manager": next_monday, "leadership": september}


async def away(desk: Desk, who: str, first: int, last: int) -> None:
    row = {"id": f"l{who}", "account": f"desk/{who}", "first_day": first, "last_day": last, "minutes_per_day": None,
           "kind": "holiday"}  # fmt: skip
    await desk.put("leave", pl.DataFrame([row], schema_overrides={"minutes_per_day": pl.Int64}))


async def test_a_lead_back_from_three_weeks_of_leave_finds_one_digest_and_what_became_of_the_others(desk: Desk) -> None:
    """Away from Monday 3 August to Friday 21 August; back on the Monday, when the next one comes."""
    await away(desk, "lena", MONDAY, MONDAY + 18)
    for week in range(4):
        desk.now = small.NOW.replace(day=3 + 7 * week, hour=9)
        await make(desk, due("lead_digest", f"team:{desk.teams['help-desk']}", day=MONDAY + 7 * week))
    back = int(desk.now.timestamp())
    async with desk.store.write() as db:
        await storage.deliveries.expire(db, back)
        claimed = await storage.deliveries.claim(db, ["slack"], ["slack"], back, back + 60, 50)
    lena = [row for row in claimed if row.recipient == small.account("lena") and row.key.startswith("digest|lead|")]
    assert [row.key.split("|")[3] for row in lena] == ["2026-W34"]
    rows = await desk.rows(
        "SELECT state, problem FROM outbox WHERE person_id = :lena AND key LIKE 'digest|lead|%' ORDER BY id",
        lena=desk.ids["lena"],
    )
    assert [row[0] for row in rows] == ["expired", "expired", "expired", "claimed"]
    assert {row[1] for row in rows[:3]} == {"Not said: whoever it is for is away until the next one is due."}


async def test_a_lead_who_is_back_within_the_week_finds_that_weeks_digest(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    await away(desk, "lena", MONDAY, MONDAY + 2)
    await make(desk, due("lead_digest", f"team:{desk.teams['help-desk']}"))
    [at] = [row[0] for row in await desk.rows("SELECT due_at FROM outbox WHERE recipient = :to AND key LIKE '%|lead|%'",
                                              to=small.account("lena"))]  # fmt: skip
    assert at == (MONDAY + 3) * small.A_DAY + 9 * 3600


async def test_a_digest_moved_by_a_holiday_is_about_the_week_before_all_the_same(desk: Desk) -> None:
    await make(desk, due("team_digest", f"team:{desk.teams['help-desk']}", to="slack:C9", day=MONDAY + 1))
    assert "Week 31" in words((await told(desk))["C9"])


async def test_old_data_says_so_and_takes_the_colours_away(desk: Desk) -> None:
    await unhappy(desk, *small.WORKERS["help-desk"])
    await desk.change("UPDATE load SET as_of = :old, tickets_as_of = :old", old=small.AS_OF - 5 * small.A_DAY)
    await make(desk, due("lead_digest", f"team:{desk.teams['help-desk']}"))
    card = (await told(desk))[small.account("lena")]
    assert card.status == "none"
    assert "No colours until newer data is in." in words(card)
    assert "2 figures were off target" in words(card)
    assert "No colour yet" not in words(card)
    assert "Add the plan" not in [b.text for b in buttons(card)]
    assert "Who could use your help" not in words(card)


async def test_old_data_takes_no_colours_from_a_period_that_it_covers(desk: Desk) -> None:
    await unhappy(desk, *small.WORKERS["help-desk"])
    await desk.change("UPDATE load SET as_of = :old, tickets_as_of = :old", old=small.AS_OF - 5 * small.A_DAY)
    await make(desk, due("lead_digest", f"team:{desk.teams['help-desk']}", day=MONDAY - 7))
    card = (await told(desk))[small.account("lena")]
    assert "No colours" not in words(card)
    assert card.status == "red"


async def test_a_weekend_without_tickets_makes_no_data_old(desk: Desk) -> None:
    friday = (MONDAY - 3) * small.A_DAY + 17 * 3600
    await desk.change("UPDATE load SET as_of = :friday, tickets_as_of = :friday", friday=friday)
    desk.now = desk.now.replace(day=3)
    await make(desk, due("team_digest", f"team:{desk.teams['help-desk']}", to="slack:C9"))
    assert "No colours" not in words((await told(desk))["C9"])


async def test_a_plan_made_from_the_digest_is_on_it_afterwards(desk: Desk) -> None:
    await unhappy(desk, *small.WORKERS["help-desk"])
    await make(desk, due("lead_digest", f"team:{desk.teams['help-desk']}"))
    await make(desk, due("team_digest", f"team:{desk.teams['help-desk']}", to="slack:C9"))
    before, said = await told(desk), await desk.one("SELECT count(*) FROM outbox WHERE key LIKE 'digest%'")
    form = await desk.press("lena", button(before[small.account("lena")], "Add the plan"))
    assert isinstance(form, cards.card.Form)
    owner = next(c.value for q in form.inputs if q.name == "owner" for c in q.choices if small.name("fay") in c.text)
    due_day = scoring.periods.date_of(small.TODAY + 7).isoformat()
    await desk.fill("lena", form, action="Ring back within the hour.", owner=owner, due=due_day)
    after = await told(desk)
    lead, team = words(after[small.account("lena")]), words(after["C9"])
    assert "Path to green: Ring back within the hour." in lead
    assert small.name("fay") in lead
    assert "Ring back within the hour." in team
    assert small.name("fay") not in team
    assert await desk.one("SELECT count(*) FROM outbox WHERE key LIKE 'digest%'") == said


async def test_whoever_is_leadership_no_more_keeps_what_they_were_told_and_gets_nothing_newer(desk: Desk) -> None:
    await make(desk, due("leadership_digest", "desk", cadence="monthly"))
    before = (await told(desk))[small.account("zoe")]
    await desk.change("UPDATE membership SET role = 'technician' WHERE person_id = :zoe", zoe=desk.ids["zoe"])
    async with desk.store.write() as db:
        by = scoring.plans.opened("desk", "csat", "2026-07", "Two more analysts.", desk.ids["mara"], "", MONDAY, MONDAY)
        await storage.plans.add(db, by)
        await handlers.digests.renew(await context(desk, db), "desk")
    assert (await told(desk))[small.account("zoe")] == before


async def test_a_lead_looks_at_the_digest_before_it_is_posted(desk: Desk) -> None:
    card = await desk.ask("lena", "/digest preview")
    assert "Help Desk" in card.title
    assert await desk.said() == []
    assert words(await desk.ask("lena", "/digest")) == words(card)


async def test_leadership_reads_a_team_as_everybody_does(desk: Desk) -> None:
    card = await desk.ask("zoe", "/digest preview Help Desk")
    assert not [key for key in small.EVERYBODY if small.name(key) in words(card)]


async def test_posting_now_needs_a_channel(desk: Desk) -> None:
    assert "No channel is named" in words(await desk.ask("lena", "/digest now"))
    assert await desk.said() == []


async def test_two_digests_posted_from_one_long_conversation_are_two_messages(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    async with desk.store.write() as db:
        ctx = await context(desk, db)
        like = scoring.schedules_file.load({"schedule": [{"audience": "team", "to": "teams:t/" + 120 * "c"}]})
        ctx = replace(ctx, rules=replace(ctx.rules, schedules=like))
        team = await storage.people.team(db, desk.teams["help-desk"])
        for number in (1, 2, 2):
            await handlers.digests.post_now(ctx, team, f"teams:a:{150 * 'x'}:{number}")
    keys = [row[0] for row in await desk.rows("SELECT key FROM outbox")]
    assert len(keys) == 2
    assert max(map(len, keys)) <= 300


async def test_a_digest_is_called_after_the_time_it_is_about(sqlite_desk: Desk) -> None:
    desk, team = sqlite_desk, f"team:{sqlite_desk.teams['help-desk']}"
    await make(desk, due("team_digest", team, to="slack:C9", cadence="monthly"))
    await make(desk, due("desk_page", "desk", to="slack:C1", cadence="weekly"))
    await make(desk, due("leadership_digest", "desk", cadence="cron"))
    found = await told(desk)
    assert "the month in short" in found["C9"].title
    assert "the week" in found["C1"].title
    assert "the month for leadership" in found[small.account("zoe")].title


def test_everything_on_the_built_in_timetable_is_told_in_words() -> None:
    lines = [(maker, "daily", "soon") for maker in scoring.schedules_file.DEFAULTS]
    said = words(cards.timetable.schedule("The desk", lines))
    assert not [maker for maker in scoring.schedules_file.DEFAULTS if maker in said and "_" in maker]


async def test_the_schedule_is_told_with_the_next_times(desk: Desk) -> None:
    text = words(await desk.ask("lena", "/digest schedule"))
    assert "Digest for the lead" in text
    assert "weekly on Monday at 08:30" in text
    assert "Mon 10 Aug, 08:30" in text


async def test_leadership_is_told_of_outcomes_and_what_is_not_connected(desk: Desk) -> None:
    await make(desk, due("leadership_digest", "desk", cadence="monthly"))
    text = words((await told(desk))[small.account("zoe")])
    assert "July 2026" in text
    assert "Retention" in text
    assert "not connected" in text


async def test_a_teams_red_of_three_weeks_goes_to_whoever_its_lead_reports_to_once(desk: Desk) -> None:
    await unhappy(desk, *small.WORKERS["help-desk"], weeks=8)
    for week in range(8, -1, -1):
        await make(desk, due("lead_digest", f"team:{desk.teams['help-desk']}", day=MONDAY - 7 * week))
    [csat] = await up(desk)
    assert "red for 3 weeks" in csat
    everything = json.dumps([body for to, body in await desk.said() if to == small.account("mara")])
    assert not [key for key in small.WORKERS["help-desk"] if small.name(key) in everything]


async def test_a_red_whose_third_week_was_missed_is_told_a_level_up_afterwards_and_once(desk: Desk) -> None:
    await unhappy(desk, *small.WORKERS["help-desk"], weeks=8)
    for week in (2, 1, 0):
        await make(desk, due("lead_digest", f"team:{desk.teams['help-desk']}", day=MONDAY - 7 * week))
        assert len(await up(desk)) == 1
    assert "red for 3 weeks" not in (await up(desk))[0]


async def test_a_red_on_old_data_is_told_a_level_up_once_newer_data_is_in(desk: Desk) -> None:
    await unhappy(desk, *small.WORKERS["help-desk"], weeks=8)
    lead = due("lead_digest", f"team:{desk.teams['help-desk']}")
    await desk.change("UPDATE load SET as_of = :old, tickets_as_of = :old", old=small.AS_OF - 5 * small.A_DAY)
    await make(desk, lead)
    assert await up(desk) == []
    await desk.change("UPDATE load SET as_of = :new, tickets_as_of = :new", new=small.AS_OF)
    await make(desk, lead)
    assert len(await up(desk)) == 1


async def test_weeks_are_counted_whatever_the_rhythm_of_the_digest(sqlite_desk: Desk) -> None:
    await unhappy(sqlite_desk, *small.WORKERS["help-desk"], weeks=5)
    target = f"team:{sqlite_desk.teams['help-desk']}"
    await make(sqlite_desk, due("lead_digest", target, cadence="monthly"))
    [body] = await up(sqlite_desk)
    assert "Week 31" in body
    await make(sqlite_desk, due("lead_digest", target))
    assert len(await up(sqlite_desk)) == 1


@pytest.mark.parametrize("began", [-2, 1])
async def test_a_run_of_reds_that_late_data_lengthen_or_shorten_is_not_told_again(
    sqlite_desk: Desk, began: int
) -> None:
    desk, target = sqlite_desk, f"team:{sqlite_desk.teams['help-desk']}"
    await unhappy(desk, *small.WORKERS["help-desk"], weeks=6)
    await make(desk, due("lead_digest", target))
    [key] = [row[0] for row in await desk.rows("SELECT key FROM outbox WHERE key LIKE '%|csat'")]
    then = scoring.periods.from_key(key.split("|")[3])
    seen = scoring.periods.week(then.first - 7 * began).key
    for table in ("outbox", "unasked"):
        await desk.change(f"UPDATE {table} SET key = replace(key, :now, :then)", now=then.key, then=seen)
    await make(desk, due("lead_digest", target))
    assert len(await up(desk)) == 1


async def test_a_red_that_began_before_what_is_read_is_told_once_however_long_it_lasts(sqlite_desk: Desk) -> None:
    desk, target = sqlite_desk, f"team:{sqlite_desk.teams['help-desk']}"
    await unhappy(desk, *small.WORKERS["help-desk"], weeks=14)
    await make(desk, due("lead_digest", target))
    [body] = await up(desk)
    assert "red for 13 weeks" in body
    for table in ("outbox", "unasked"):
        await desk.change(f"UPDATE {table} SET key = replace(key, '2026-W19', '2026-W02')")
    await make(desk, due("lead_digest", target))
    assert len(await up(desk)) == 1


async def test_contracts_that_renew_are_told_once_client_facts_are_connected(desk: Desk) -> None:
    contracts = {
        "id": ["c1", "c2"], "name": ["client 1", "client 2"], "contract_value": ["12000.00", "500.50"],
        "currency": ["EUR", "EUR"], "renewal_day": [small.TODAY + 9, small.TODAY + 400],
    }  # fmt: skip
    await desk.put("client", pl.DataFrame(contracts))
    await make(desk, due("leadership_digest", "desk", cadence="monthly"))
    text = words((await told(desk))[small.account("zoe")])
    assert "One contract comes up for renewal within 90 days, worth EUR 12,000; none with a red flag" in text


async def test_everything_is_behind_a_button_and_is_checked_again(desk: Desk) -> None:
    values = {"team": str(desk.teams["field"]), "period": WEEK}
    theirs = await desk.opened("leo", Button("More", "digest_more", values))
    assert "Field Services" in theirs.title
    refused = await desk.opened("ana", Button("More", "digest_more", values))
    assert refused.title == "Not this time"


def test_everything_on_the_built_in_timetable_has_a_maker() -> None:
    assert handlers.makers.MAKERS.keys() == scoring.schedules_file.DEFAULTS.keys()
