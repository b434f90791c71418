"""Nudges: at most two a week, in private and at a good time, with every way to say no, and an end by themselves."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

import cards.card
import handlers.nudges
import scoring.periods
import storage.outbox
import storage.plans
from bot.scheduler import REDFIRST
from cards.card import Badge, Button, Card, Form, Text
from handlers.call import Ctx
from scoring.plans import Plan
from scoring.schedules import Due, Schedule
from tests.handlers import desk as small
from tests.handlers.desk import Desk, Work, button, buttons, words


async def run(desk: Desk, team: str = "help-desk") -> None:
    """What the timetable does in the morning of a working day."""
    target = f"team:{desk.teams[team]}"
    day = scoring.periods.day_of(desk.now.date())
    due = Due(Schedule(f"nudges/{target}", "nudges", target, "UTC", "daily"), int(desk.now.timestamp()), day, "make")
    async with desk.store.write() as db:
        await handlers.nudges.make(Ctx(db, REDFIRST, desk.now, await desk.rules.get(db, desk.now)), due)


async def nudges(desk: Desk, who: str) -> list[tuple[str, Card, datetime]]:
    """(key, card, when) of what a person was told unasked."""
    rows = await desk.rows(
        "SELECT key, body, due_at FROM outbox WHERE recipient = :to ORDER BY id", to=small.account(who)
    )
    return [(key, cards.card.from_json(json.loads(body)), datetime.fromtimestamp(at, UTC)) for key, body, at in rows]


async def nudged(desk: Desk, who: str = "ana") -> Card:
    """The one nudge that somebody has got."""
    [(_, card, _)] = await nudges(desk, who)
    return card


async def fresh(desk: Desk) -> None:
    """Data have come in as of now."""
    async with desk.store.write() as db:
        await small.loaded(db, int(desk.now.timestamp()) - 3600)


async def on_day(desk: Desk, days: int, hour: int = 9) -> None:
    """The clock moves on, and the night's data have come in."""
    desk.now = small.NOW.replace(hour=hour) + timedelta(days=days)
    await fresh(desk)


async def leave(desk: Desk, who: str, first: int, last: int) -> None:
    row = {"id": f"l{who}{first}", "account": f"desk/{who}", "first_day": first, "last_day": last,
           "minutes_per_day": None, "kind": "holiday"}  # fmt: skip
    await desk.put("leave", pl.DataFrame([row], schema_overrides={"minutes_per_day": pl.Int64}))


async def why(desk: Desk, who: str = "ana") -> dict[str, str]:
    rows = await desk.rows("SELECT behaviour, why FROM nudge_week WHERE person_id = :p", p=desk.ids[who])
    return {row[0]: row[1] for row in rows}


async def test_who_is_red_is_told_one_thing_to_try_with_the_figure_behind_it(desk: Desk) -> None:
    await run(desk)
    card = await nudged(desk)
    said = words(card)
    assert card.title == "One thing to try"
    assert "Say what happens next, and keep to it" in said
    first, last = small.THIS_WEEK - 21, small.TODAY - 1
    done = small.of("ana", first, last)
    good = sum(one.rating >= 4 for one in done)
    assert f"{good} of {len(done)} over four weeks; red line 75 %; target 85 %." in said
    [badge] = [block for block in card.blocks if isinstance(block, Badge)]
    assert (badge.status, badge.text) == ("red", f"CSAT: {round(100 * good / len(done))} %")
    assert [b.text for b in buttons(card)] == ["Show me the tickets", "Done", "Snooze", "Not my fault", "Stop"]


async def test_it_goes_to_the_person_alone(sqlite_desk: Desk) -> None:
    await run(sqlite_desk)
    about_ana = [to for to, body in await sqlite_desk.said() if "Say what happens next" in body]
    assert about_ana == [small.account("ana")]
    leads = {small.account(who) for who in ("lena", "mara", "zoe", "adam", "hugo")}
    assert not leads & {to for to, _ in await sqlite_desk.said()}


async def test_who_has_nothing_red_or_amber_is_left_alone(sqlite_desk: Desk) -> None:
    await run(sqlite_desk)
    chosen = {row[0] for row in await sqlite_desk.rows("SELECT person_id FROM focus")}
    assert sqlite_desk.ids["ana"] in chosen
    for who in small.WORKERS["help-desk"]:
        focused = sqlite_desk.ids[who] in chosen
        assert bool(await nudges(sqlite_desk, who)) is focused


async def test_running_again_says_nothing_twice(desk: Desk) -> None:
    for _ in range(3):
        await run(desk)
    assert len(await nudges(desk, "ana")) == 1


async def test_at_most_two_in_a_week_and_never_on_following_days(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    for days in range(-2, 12):
        await on_day(desk, days)
        await run(desk)
    for who in small.WORKERS["help-desk"]:
        sent = [at.date() for _, _, at in await nudges(desk, who)]
        weeks = [day.isocalendar().week for day in sent]
        assert all(weeks.count(week) <= 2 for week in weeks)
        assert all(b - a >= timedelta(days=2) for a, b in itertools.pairwise(sent))
        assert all(day.weekday() < 5 for day in sent)
    assert len(await nudges(desk, "ana")) >= 2


async def test_on_leave_nobody_is_nudged_and_it_is_kept_why(desk: Desk) -> None:
    await leave(desk, "ana", small.TODAY - 1, small.TODAY + 3)
    await run(desk)
    assert await nudges(desk, "ana") == []
    assert (await why(desk))["say_what_happens_next"] == "leave"
    assert await desk.one("SELECT count(*) FROM nudge WHERE person_id = :p", p=desk.ids["ana"]) == 0


async def test_the_nudge_waits_for_the_working_hours_of_the_persons_zone(sqlite_desk: Desk) -> None:
    await sqlite_desk.change(
        "UPDATE person SET zone = 'America/New_York' WHERE id = :p", p=sqlite_desk.ids["ana"]
    )
    await run(sqlite_desk)
    [(_, _, at)] = await nudges(sqlite_desk, "ana")
    assert at == datetime(2026, 8, 5, 13, 0, tzinfo=UTC)


async def test_when_the_day_is_full_it_is_made_again_tomorrow_with_newer_figures(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    ana = desk.ids["ana"]
    for place in (1, 2, 3):
        await desk.change(
            "INSERT INTO unasked (person_id, day, place, key) VALUES (:p, :d, :n, :k)",
            p=ana, d=small.TODAY, n=place, k=f"x{place}",
        )  # fmt: skip
    await run(desk)
    assert await nudges(desk, "ana") == []
    assert (await why(desk))["say_what_happens_next"] == "budget"
    await on_day(desk, 1)
    await run(desk)
    assert len(await nudges(desk, "ana")) == 1
    assert (await why(desk))["say_what_happens_next"] == "nudged"


async def test_not_on_the_day_after_a_red_digest_of_the_same_thing(desk: Desk) -> None:
    body = cards.card.to_json(Card("Your week", (Badge("red", "CSAT: 52 %"), Text("A digest.")), "A digest."))
    yesterday = int((desk.now - timedelta(days=1)).timestamp())
    async with desk.store.write() as db:
        await storage.outbox.add(db, "slack", small.account("ana"), body, "digest:ana", yesterday)
    await run(desk)
    about_csat = [key for key, card, _ in await nudges(desk, "ana") if "CSAT" in words(card)]
    assert about_csat == ["digest:ana"]
    assert (await why(desk))["say_what_happens_next"] == "digest"
    await on_day(desk, 2)
    await run(desk)
    assert len([card for _, card, _ in await nudges(desk, "ana") if "CSAT" in words(card)]) == 2


async def test_the_teams_digest_in_its_channel_counts_as_one_and_that_of_another_team_does_not(
    sqlite_desk: Desk,
) -> None:
    desk = sqlite_desk
    body = cards.card.to_json(Card("This week", (Badge("red", "New: CSAT: 60 %"),), "A digest."))
    at = int((desk.now - timedelta(days=1)).timestamp())
    async with desk.store.write() as db:
        key = f"digest|team|team:{desk.teams['field']}|2026-W31|slack:C1|x"
        await storage.outbox.add(db, "slack", "C1", body, key, at)
    await run(desk)
    assert (await why(desk))["say_what_happens_next"] == "nudged"
    await desk.change("DELETE FROM nudge")
    await desk.change("DELETE FROM nudge_week")
    async with desk.store.write() as db:
        key = f"digest|team|team:{desk.teams['help-desk']}|2026-W31|slack:C2|x"
        await storage.outbox.add(db, "slack", "C2", body, key, at)
    await run(desk)
    assert (await why(desk))["say_what_happens_next"] == "digest"


async def test_a_digest_about_something_else_keeps_nobody_from_a_nudge(sqlite_desk: Desk) -> None:
    body = cards.card.to_json(Card("Your week", (Badge("red", "SLA triage: 52 %"), Badge("green", "CSAT: 90 %")), "A."))
    async with sqlite_desk.store.write() as db:
        to = small.account("ana")
        await storage.outbox.add(db, "slack", to, body, "digest:ana", int(sqlite_desk.now.timestamp()) - 3600)
    await run(sqlite_desk)
    assert len(await nudges(sqlite_desk, "ana")) == 2


async def test_nothing_is_made_of_old_data(sqlite_desk: Desk) -> None:
    sqlite_desk.now = small.NOW + timedelta(days=5)
    await run(sqlite_desk)
    assert await sqlite_desk.said() == []
    assert await sqlite_desk.rows("SELECT 1 FROM focus") == []


async def test_what_somebody_else_has_a_plan_for_is_no_focus(desk: Desk) -> None:
    async with desk.store.write() as db:
        team, action = f"team:{desk.teams['help-desk']}", "Call every unhappy client back."
        await storage.plans.add(
            db, Plan(0, team, "csat", "2026-W31", action, desk.ids["lena"], "", small.TODAY + 14)
        )
    await run(desk)
    metrics = {r[0] for r in await desk.rows("SELECT metric FROM focus WHERE person_id = :p", p=desk.ids["ana"])}
    assert "csat" not in metrics


async def test_the_tickets_are_shown_beside_the_nudge(sqlite_desk: Desk) -> None:
    await run(sqlite_desk)
    show = button(await nudged(sqlite_desk), "Show me the tickets")
    reply = await sqlite_desk.dispatch.answer(
        sqlite_desk.call("ana", "action", show.route, values=show.values, platform="demo")
    )
    [say] = reply.says
    assert say.place == "new"
    assert isinstance(say.what, Card)
    assert say.what.title == "Tickets: CSAT"


async def test_done_is_quiet_until_the_look_at_how_it_went(desk: Desk) -> None:
    await run(desk)
    said = words(await desk.opened("ana", button(await nudged(desk), "Done")))
    assert "I look at the figures again on Wed 19 Aug" in said
    assert await desk.one("SELECT answer FROM nudge WHERE person_id = :p", p=desk.ids["ana"]) == "done"
    for days in (5, 7, 12):
        await on_day(desk, days)
        await run(desk)
    about_csat = [c for _, c, _ in await nudges(desk, "ana") if "keep to it" in words(c)]
    assert len(about_csat) == 1


@pytest.mark.parametrize(
    ("answers", "until"),
    [({"how": "day"}, 1), ({"how": "week"}, 7), ({"how": "date", "until": "2026-09-01"}, 27)],
)
async def test_it_can_be_snoozed_for_a_day_a_week_or_until_a_date(
    sqlite_desk: Desk, answers: dict[str, str], until: int
) -> None:
    desk = sqlite_desk
    await run(desk)
    form = await desk.press("ana", button(await nudged(desk), "Snooze"))
    assert isinstance(form, Form)
    await desk.fill("ana", form, **answers)
    assert await desk.one("SELECT until_day FROM nudge_pause") == small.TODAY + until
    assert "Quiet about" in words(await desk.ask("ana", "/redfirst nudges"))
    await on_day(desk, 5)  # Monday of the next week
    await run(desk)
    pause_over = until <= 5
    latest = await desk.one(
        "SELECT why FROM nudge_week WHERE person_id = :p AND behaviour = 'say_what_happens_next' "
        "ORDER BY week DESC LIMIT 1", p=desk.ids["ana"],
    )  # fmt: skip
    assert latest == ("nudged" if pause_over else "snoozed")


@pytest.mark.parametrize(
    ("label", "answers"),
    [
        ("Snooze", {"how": "date", "until": "2026-09-01"}), ("Not my fault", {"comment": "The part is missing."}),
        ("Stop", {"what": "this"}), ("Stop", {"what": "all"}),
    ],
)  # fmt: skip
async def test_a_nudge_answered_by_a_form_loses_its_buttons_where_it_stands(
    desk: Desk, label: str, answers: dict[str, str]
) -> None:
    await run(desk)
    nudge = await nudged(desk)
    key = await desk.one("SELECT key FROM outbox WHERE recipient = :to", to=small.account("ana"))
    await desk.change(
        "UPDATE outbox SET state = 'sent', reference = 'D1/1.0', sent_at = due_at WHERE key = :key", key=key
    )
    form = await desk.press("ana", button(nudge, label))
    assert isinstance(form, Form)
    reply = await desk.dispatch.answer(desk.call("ana", "form", form.route, "", {**form.values, **answers}))
    [say] = reply.says
    assert say.place == "update"
    assert isinstance(say.what, Card)
    assert not {"Snooze", "Not my fault", "Stop", "Done"} & {b.text for b in buttons(say.what)}
    [(state, body)] = [tuple(row) for row in await desk.rows("SELECT state, body FROM outbox WHERE key = :k", k=key)]
    assert cards.card.from_json(json.loads(body)) == say.what
    assert state == "due"  # to be put in its place on the platform


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"how": "for ever"}, "Choose for how long."),
        ({"how": "date"}, "The date is missing."),
        ({"how": "date", "until": "soon"}, "The date is missing."),
        ({"how": "date", "until": "2026-08-05"}, "does not lie in the coming year"),
        ({"how": "date", "until": "2031-01-01"}, "does not lie in the coming year"),
    ],
)
async def test_a_snooze_needs_a_day_that_can_be_meant(sqlite_desk: Desk, answers: dict[str, str], said: str) -> None:
    await run(sqlite_desk)
    form = await sqlite_desk.press("ana", button(await nudged(sqlite_desk), "Snooze"))
    assert isinstance(form, Form)
    assert said in words(await sqlite_desk.fill("ana", form, **answers))
    assert await sqlite_desk.rows("SELECT 1 FROM nudge_pause") == []


async def test_what_is_in_the_way_is_told_to_the_lead_and_nobody_else(desk: Desk) -> None:
    await run(desk)
    before = len(await desk.said())
    form = await desk.press("ana", button(await nudged(desk), "Not my fault"))
    assert isinstance(form, Form)
    assert "A sentence is missing." in words(await desk.fill("ana", form, comment="  "))
    await desk.fill("ana", form, comment="The survey goes out before the part arrives.")
    told = (await desk.said())[before:]
    assert [to for to, _ in told] == [small.account("lena")]
    card = cards.card.from_json(json.loads(told[0][1]))
    assert f"{small.name('ana')} writes about CSAT:" in words(card)
    assert "The survey goes out before the part arrives." in words(card)
    assert "answered this nudge already" in words(await desk.fill("ana", form, comment="Again."))
    assert len(await desk.said()) == before + 1
    assert await desk.one("SELECT until_day FROM nudge_pause") == small.TODAY + 14


async def test_stop_ends_one_behaviour_and_the_next_one_takes_its_place(desk: Desk) -> None:
    await run(desk)
    card = await nudged(desk)
    form = await desk.press("ana", button(card, "Stop"))
    assert isinstance(form, Form)
    said = words(await desk.fill("ana", form, what="this"))
    assert "No more about “Say what happens next, and keep to it”." in said
    await desk.opened("ana", button(card, "Done"))  # the old card is still there; a stop holds whatever it says
    await on_day(desk, 5)
    await run(desk)
    held = {r[0] for r in await desk.rows("SELECT behaviour FROM focus WHERE state = 'on' AND metric = 'csat'")}
    assert "say_what_happens_next" not in held
    settings = await desk.ask("ana", "/redfirst nudges")
    assert "Say what happens next, and keep to it: stopped." in words(settings)
    again = await desk.opened("ana", button(settings, "Take it up again"))
    assert "stopped" not in words(again)


async def test_all_nudges_can_be_switched_off_and_on(desk: Desk) -> None:
    assert "No more nudges." in words(await desk.ask("ana", "/redfirst nudges off"))
    await run(desk)
    assert await nudges(desk, "ana") == []
    assert (await why(desk))["say_what_happens_next"] == "stopped"
    off = await desk.ask("ana", "/redfirst nudges")
    assert "Nudges are off." in words(off)
    on = await desk.opened("ana", button(off, "Nudges on"))
    assert "Nudges are on" in words(on)
    assert "Nudges are off." in words(await desk.opened("ana", button(on, "Nudges off")))
    assert "Nudges are on" in words(await desk.ask("ana", "/redfirst nudges on"))
    assert "I do not know “loud” here." in words(await desk.ask("ana", "/redfirst nudges loud"))
    await on_day(desk, 1)
    await run(desk)
    assert len(await nudges(desk, "ana")) == 1


async def test_nobody_answers_the_nudge_of_somebody_else(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    await run(desk)
    number = button(await nudged(desk), "Done").values["nudge"]
    before = await desk.rows("SELECT * FROM nudge ORDER BY id"), await desk.rows("SELECT * FROM nudge_pause")
    for who in ("ben", "lena", "gus", "zoe"):
        for route in ("nudge_tickets", "nudge_done", "nudge_snooze", "nudge_not_mine", "nudge_stop"):
            said = words(await desk.opened(who, Button("", route, {"nudge": number})))
            nothing = words(await desk.opened(who, Button("", route, {"nudge": "999999"})))
            assert said == nothing
            assert "no longer good" in said
        for route in ("nudge_snoozed", "nudge_not_mine_said", "nudge_stopped"):
            form = Form("", route, (), values={"nudge": number})
            assert "no longer good" in words(await desk.fill(who, form, how="day", comment="x", what="all"))
    after = await desk.rows("SELECT * FROM nudge ORDER BY id"), await desk.rows("SELECT * FROM nudge_pause")
    assert before == after


@pytest.mark.parametrize("values", [{}, {"nudge": "-1"}, {"nudge": "٣"}, {"nudge": "1; DROP TABLE nudge"}])
async def test_a_tampered_button_is_no_longer_good(sqlite_desk: Desk, values: dict[str, str]) -> None:
    assert "no longer good" in words(await sqlite_desk.opened("ana", Button("", "nudge_done", values)))


async def test_three_green_weeks_in_a_row_end_it_with_a_well_done_in_private(desk: Desk) -> None:
    await run(desk)
    assert len(await nudges(desk, "ana")) == 1
    days = range(small.TODAY, small.TODAY + 70)
    work = [
        Work(50_000 + day * 10 + n, "ana", day)
        for day in days
        for n in range(6)
        if scoring.periods.monday(day) + 5 > day
    ]
    await desk.put("ticket", small.tickets(work))
    await desk.put("survey", small.surveys(work))
    ended: list[int] = []
    for days_on in range(5, 68, 7):  # Mondays
        await on_day(desk, days_on)
        await run(desk)
        if await desk.rows("SELECT 1 FROM focus WHERE metric = 'csat' AND state = 'done'"):
            ended.append(days_on)
    assert ended
    [card] = [card for key, card, _ in await nudges(desk, "ana") if key.startswith("focus:") and "CSAT" in words(card)]
    assert card.title == "Well done"
    assert "CSAT has been green at the end of three weeks in a row." in words(card)
    after = [key for key, card, at in await nudges(desk, "ana") if "CSAT" in words(card)]
    assert after[-1].startswith("focus:")
    assert not [body for to, body in await desk.said() if "Well done" in body and to != small.account("ana")]


async def test_the_focus_stands_on_the_scorecard_and_not_on_that_of_others(desk: Desk) -> None:
    before = words(await desk.ask("ana", "/myscore last week"))
    assert "Your focus" not in before
    await run(desk)
    said = words(await desk.ask("ana", "/myscore"))
    place = said.index("Your focus")
    assert "Say what happens next, and keep to it." in said[place:]
    assert said.count("Your focus") == 1
    assert "Your focus" not in words(await desk.ask("ana", "/myscore last week"))
    assert "Your focus" not in words(await desk.ask("lena", "/redfirst person ana"))
