"""Objectives in the chat: who sees which, how one is added against the five questions, and the monthly word."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

import handlers.objectives
import handlers.outgoing
import handlers.routes
import scoring.periods
import scoring.schedules
import storage.objectives
import storage.people
from bot.scheduler import REDFIRST
from cards.card import Button, Card, Form, from_json
from handlers.call import Ctx
from scoring.objectives import Objective
from scoring.schedules import Due, Schedule
from tests.handlers import desk as small
from tests.handlers.desk import Desk, button, buttons, shown, words

DECISION = scoring.periods.date_of(small.TODAY + 90).isoformat()
GOOD = {
    "title": "Clients rate our help as good", "scope": "every ticket", "perspective": "customer", "metric": "csat",
    "cadence": "weekly", "decision": DECISION, "time": "an hour a week", "people": "the team", "tools": "the survey",
    "supports": "satisfied", "weight": "1",
}  # fmt: skip


async def keep(desk: Desk, key: str, level: Any, subject: str, **more: Any) -> Objective:
    """An objective as the database keeps it."""
    words = {"scope": "all", "perspective": "customer", "cadence": "weekly", "decision_day": small.TODAY + 9, **more}
    made = Objective(key, words.pop("title", f"The objective called {key}"), level, subject, **words)
    async with desk.store.write() as db:
        kept = await storage.objectives.add(db, made, "zoe", 0)
    assert kept is not None
    return kept


async def send(desk: Desk, who: str, form: Form, **answers: str) -> Card | Form:
    """What comes of sending a form; it may be the form again."""
    return shown(await desk.dispatch.answer(desk.call(who, "form", form.route, "", {**form.values, **answers})))


async def form_of(desk: Desk, who: str, route: str = "objective_new", **values: str) -> Form:
    found = await desk.press(who, Button("", route, values))
    assert isinstance(found, Form), words(found)
    return found


async def open_one(desk: Desk, who: str, key: str) -> Card:
    return await desk.opened(who, Button("Open", "objective_open", {"objective": key}))


async def told(desk: Desk, who: str) -> list[str]:
    """What waits in the outbox for a person, on whichever platform."""
    theirs = {small.account(who, platform) for platform in handlers.outgoing.PLATFORMS}
    return [words(from_json(json.loads(body))) for to, body in await desk.said() if to in theirs]


async def versions(desk: Desk) -> list[tuple[int, str, str]]:
    sql = "SELECT version, title, state FROM objective_version ORDER BY objective_id, version"
    return [tuple(row) for row in await desk.rows(sql)]


# ---- looking ----


async def test_everybody_sees_the_cascade_of_the_configuration_with_both_roll_ups(desk: Desk) -> None:
    said = words(await desk.ask("cem", "/objectives"))
    assert "Clients are glad they called" in said
    assert "By worst child" in said
    assert "by weight" in said
    branch = await open_one(desk, "cem", "experience")
    assert "Users rate our help as good" in words(branch)
    assert "kept in redfirst" in words(branch)
    assert not {"Change", "Close"} & {b.text for b in buttons(branch)}
    assert "CSAT: " in words(await desk.opened("cem", button(branch, "Open", objective="satisfied")))


async def test_statuses_are_those_of_the_readings_and_the_worst_child_rules_the_one_above(desk: Desk) -> None:
    await keep(desk, "calm", "leadership", "desk")
    team = f"team:{desk.teams['help-desk']}"
    await keep(desk, "rated", "team", team, metrics=("csat",), parent="calm", target=99.0, red=98.0)
    await keep(desk, "easy", "team", team, metrics=("csat",), parent="calm", target=20.0, red=10.0, weight=3.0)
    said = words(await open_one(desk, "zoe", "calm"))
    assert "By worst child ▼ Red, by weight ● Green (75 of 100), from 2 statuses" in said
    assert "Its own status: ▼ Red. By worst child ▼ Red" in words(await open_one(desk, "zoe", "rated"))
    assert said.index("rated") < said.index("easy"), "reds first"


async def test_a_teams_status_is_open_to_whom_its_scorecard_is_and_rolls_up_for_nobody_else(desk: Desk) -> None:
    await keep(desk, "calm", "leadership", "desk")
    team = f"team:{desk.teams['help-desk']}"
    await keep(desk, "rated", "team", team, metrics=("csat",), parent="calm", target=99.0, red=98.0)
    for who in ("cem", "lena", "zoe"):
        assert "By worst child ▼ Red" in words(await open_one(desk, who, "rated")), who
        assert "By worst child ▼ Red" in words(await open_one(desk, who, "calm")), who
    for who in ("gus", "leo", "adam", "hugo"):
        said = words(await open_one(desk, who, "rated"))
        assert "The objective called rated" in said
        assert "Its status is not open to you" in said
        assert "Red" not in said
        assert "CSAT: " not in said
        assert "Red" not in words(await open_one(desk, who, "calm")), who


async def test_an_individual_objective_is_open_to_the_person_and_their_lead_and_to_nobody_else(desk: Desk) -> None:
    await keep(desk, "mine", "individual", f"person:{desk.ids['ana']}", metrics=("csat",), parent="satisfied")
    for who in small.EVERYBODY:
        if who == "lou":
            continue
        card = await open_one(desk, who, "mine")
        open_to = who in ("ana", "lena", "ben")  # ben stands in for lena
        assert ("The objective called mine" in words(card)) is open_to, who
        assert ("called mine" in words(await open_one(desk, who, "satisfied"))) is open_to, who
        if not open_to:
            gone = await open_one(desk, who, "nothing")
            assert words(card) == words(gone), "whether it exists is no secret to be had"


async def test_a_persons_red_travels_no_further_than_their_lead(desk: Desk) -> None:
    await keep(desk, "calm", "leadership", "desk")
    team = f"team:{desk.teams['help-desk']}"
    await keep(desk, "rated", "team", team, parent="calm", proxy="calls to us")
    await keep(desk, "mine", "individual", f"person:{desk.ids['ana']}", metrics=("csat",), parent="rated")
    for key in ("calm", "rated"):
        assert "▼ Red" in words(await open_one(desk, "lena", key))
        assert "▼ Red" in words(await open_one(desk, "ana", key))
        for who in ("zoe", "mara", "cem", "leo", "hugo", "adam"):
            assert "Red" not in words(await open_one(desk, who, key)), (who, key)


async def test_others_are_told_how_many_people_carry_it_only_from_five_on(desk: Desk) -> None:
    carriers = ("ana", "ben", "cem", "dua")
    for who in carriers:
        await keep(desk, f"of_{who}", "individual", f"person:{desk.ids[who]}", parent="satisfied")
        await keep(desk, f"more_of_{who}", "individual", f"person:{desk.ids[who]}", parent="satisfied")
    assert "people carry it" not in words(await open_one(desk, "gus", "satisfied"))
    await keep(desk, "of_eli", "individual", f"person:{desk.ids['eli']}", parent="satisfied")
    assert "5 people carry it" in words(await open_one(desk, "gus", "satisfied"))
    assert "people carry it" not in words(await open_one(desk, "ana", "satisfied")), "four besides her own"


async def test_people_see_who_looked_at_an_objective_of_theirs(desk: Desk) -> None:
    await keep(desk, "mine", "individual", f"person:{desk.ids['ana']}", metrics=("csat",), parent="satisfied")
    await open_one(desk, "ana", "mine")
    assert await desk.rows("SELECT 1 FROM look") == []
    await open_one(desk, "lena", "satisfied")
    assert "The objective called mine" in words(await desk.ask("ana", "/redfirst looked"))


async def test_a_long_list_is_turned_page_by_page_and_every_one_is_found(sqlite_desk: Desk) -> None:
    for n in range(15):
        await keep(sqlite_desk, f"top_{n}", "leadership", "desk")
    found: set[str] = set()
    card = await sqlite_desk.ask("zoe", "/objectives")
    for _ in range(10):
        found |= {b.values["objective"] for b in buttons(card) if b.text == "Open"}
        more = [b for b in buttons(card) if b.text.endswith("more ›")]
        if not more:
            break
        card = await sqlite_desk.opened("zoe", more[0])
    assert {f"top_{n}" for n in range(15)} < found


# ---- adding, changing, closing ----


async def test_a_lead_adds_a_teams_objective_and_it_stands_with_version_and_audit(desk: Desk) -> None:
    form = await form_of(desk, "lena")
    team = f"team:{desk.teams['help-desk']}"
    assert team in {choice.value for choice in form.inputs[2].choices}
    kept = await send(desk, "lena", form, **{**GOOD, "for": team, "owner": str(desk.ids["lena"])})
    assert isinstance(kept, Card)
    assert kept.title == GOOD["title"]
    assert "Version 1" in words(kept)
    assert "Lena" in words(kept)
    assert await versions(desk) == [(1, GOOD["title"], "open")]
    [entry] = await desk.rows("SELECT actor, act, subject FROM audit")
    assert tuple(entry) == ("lena", "objective added", "objective:clients_rate_our_help_as_good")
    assert GOOD["title"] in words(await open_one(desk, "cem", "satisfied"))


async def test_what_is_missing_is_said_and_the_form_comes_back_filled_in(desk: Desk) -> None:
    form = await form_of(desk, "lena")
    given = {**GOOD, "for": f"team:{desk.teams['help-desk']}", "owner": str(desk.ids["lena"])}
    poor = {**given, "title": "Better", "tools": "", "decision": "", "target": "high"}
    again = await send(desk, "lena", form, **poor)
    assert isinstance(again, Form)
    for said in ("does not name the outcome", "where tools to reach it", "no decision point", "expected a number"):
        assert said in again.intro
    assert {q.name: q.value for q in again.inputs}["scope"] == "every ticket"
    assert {q.name: q.value for q in again.inputs}["title"] == "Better"
    assert await versions(desk) == []
    kept = await send(desk, "lena", again, **given)
    assert isinstance(kept, Card), words(kept)
    assert len(await versions(desk)) == 1


async def test_an_orphan_needs_a_sentence_which_is_kept_and_shown(desk: Desk) -> None:
    form = await form_of(desk, "ana")
    given = {**GOOD, "for": f"person:{desk.ids['ana']}", "owner": str(desk.ids["ana"]), "supports": ""}
    again = await send(desk, "ana", form, **given)
    assert isinstance(again, Form)
    assert "supports no other objective" in again.intro
    assert "justification" in again.intro
    kept = await send(desk, "ana", again, **given, justification="My lead and I want to try it.")
    assert "Justified by: My lead and I want to try it." in words(kept)


async def test_the_same_words_for_the_same_subject_stand_once(desk: Desk) -> None:
    form = await form_of(desk, "ana")
    given = {**GOOD, "for": f"person:{desk.ids['ana']}", "owner": str(desk.ids["ana"])}
    await send(desk, "ana", form, **given)
    again = await send(desk, "ana", form, **given)
    assert isinstance(again, Form)
    assert "stands there already" in again.intro
    assert len(await versions(desk)) == 1


async def test_nobody_sets_an_objective_where_they_may_not_whatever_the_form_says(desk: Desk) -> None:
    may = {
        "desk": {"zoe"},
        f"team:{desk.teams['help-desk']}": {"lena", "ben", "mara", "zoe"},  # mara leads its lead
        f"person:{desk.ids['ana']}": {"ana", "lena", "ben"},
        f"person:{desk.ids['zoe']}": {"zoe"},
        "team:999": set(), "person:999": set(), "person:x": set(), "": set(), "teams": set(), "team:": set(),
    }  # fmt: skip
    for who in ("ana", "cem", "ben", "lena", "leo", "gus", "mara", "zoe", "hugo", "adam", "nobody"):
        for subject, those in may.items():
            before = await desk.everything()
            form = Form("", "objective_added", ())
            title = f"Set by {who} for the subject {subject or 'nobody'}"
            owner = str(desk.ids.get(who, 0))
            given = {**GOOD, "title": title, "for": subject, "owner": owner, "supports": "experience"}
            found = await send(desk, who, form, **given, justification="So that it is no orphan.")
            kept = isinstance(found, Card) and found.title == title
            assert kept is (who in those), (who, subject, words(found))
            if not kept:
                assert await desk.everything() == before


async def test_a_form_finds_out_nothing_about_somebody_elses_objective(sqlite_desk: Desk) -> None:
    desk, gus = sqlite_desk, str(sqlite_desk.ids["gus"])
    await keep(desk, "fewer_reopens", "individual", f"person:{desk.ids['ana']}", title="Ana reopens less")
    for supports in ("fewer_reopens", "fewer_reopen"):
        given = {**GOOD, "for": f"person:{gus}", "owner": gus, "supports": supports}
        again = await send(desk, "gus", Form("", "objective_added", ()), **given)
        assert isinstance(again, Form)
        assert f"There is no objective “{supports}”." in again.intro
        assert "reopens" not in again.intro.replace(f"“{supports}”", "")


async def test_a_person_is_told_of_an_objective_that_their_lead_sets_with_them(desk: Desk) -> None:
    form = await form_of(desk, "lena")
    await send(desk, "lena", form, **{**GOOD, "for": f"person:{desk.ids['ana']}", "owner": str(desk.ids["ana"])})
    [said] = await told(desk, "ana")
    assert "Lena Moder set an objective with you: Clients rate our help as good" in said


async def test_a_change_is_a_new_version_and_one_made_from_an_old_one_changes_nothing(desk: Desk) -> None:
    form = await form_of(desk, "lena")
    given = {**GOOD, "for": f"team:{desk.teams['help-desk']}", "owner": str(desk.ids["lena"])}
    await send(desk, "lena", form, **given)
    key = "clients_rate_our_help_as_good"
    first = await form_of(desk, "lena", "objective_change", objective=key)
    second = await form_of(desk, "zoe", "objective_change", objective=key)
    assert {q.name: q.value for q in first.inputs}["scope"] == "every ticket"
    kept = await send(desk, "lena", first, **{**given, "title": "Clients are happy with us"})
    assert "Version 2" in words(kept)
    owner = {"owner": str(desk.ids["zoe"])}
    late = await send(desk, "zoe", second, **{**given, **owner, "title": "Clients stay for ever"})
    assert "Somebody has changed" in words(late)
    assert await versions(desk) == [(1, GOOD["title"], "open"), (2, "Clients are happy with us", "open")]
    same = await form_of(desk, "lena", "objective_change", objective=key)
    await send(desk, "lena", same, **{q.name: q.value for q in same.inputs})
    assert len(await versions(desk)) == 2, "what changes nothing makes no version"


async def test_closing_takes_a_reason_and_says_what_hangs_in_the_air(desk: Desk) -> None:
    team = f"team:{desk.teams['help-desk']}"
    await keep(desk, "rated", "team", team, parent="satisfied")
    await keep(desk, "below", "team", team, parent="rated")
    form = await form_of(desk, "lena", "objective_close", objective="rated")
    assert "A sentence is missing" in words(await send(desk, "lena", form, reason=" "))
    said = words(await send(desk, "lena", form, reason="Reached."))
    assert "“The objective called rated” is closed: Reached." in said
    assert "hangs in the air" in said
    assert "There is no such objective" in words(await open_one(desk, "lena", "rated"))
    assert "There is no such objective" in words(await send(desk, "lena", form, reason="Again."))
    versions = (
        "SELECT v.version, v.state, v.reason, v.\"by\" FROM objective_version AS v "
        "JOIN objective AS o ON o.id = v.objective_id WHERE o.key = 'rated' ORDER BY v.version"
    )
    assert [tuple(row) for row in await desk.rows(versions)] == [
        (1, "open", "", "zoe"), (2, "closed", "Reached.", "lena"),
    ]  # fmt: skip


@pytest.mark.parametrize("route", ["objective_change", "objective_close"])
async def test_what_the_configuration_says_is_changed_there(sqlite_desk: Desk, route: str) -> None:
    card = await sqlite_desk.press("zoe", Button("", route, {"objective": "satisfied"}))
    assert "kept in redfirst" in words(card)


async def test_an_example_is_looked_at_and_taken(sqlite_desk: Desk) -> None:
    card = await sqlite_desk.ask("lena", "/objectives")
    examples = await sqlite_desk.opened("lena", button(card, "Examples"))
    look = await sqlite_desk.opened("lena", button(examples, "Look", example="margin"))
    assert "Leadership" in words(look)
    form = await sqlite_desk.press("lena", button(look, "Take it", take="rework"))
    assert isinstance(form, Form)
    filled = {q.name: q.value for q in form.inputs}
    assert (filled["title"], filled["metric"]) == ("What is solved stays solved", "reopen_rate")
    given = {"for": f"team:{sqlite_desk.teams['help-desk']}", "supports": "prevention", "decision": DECISION}
    kept = await send(sqlite_desk, "lena", form, **{**filled, **given})
    assert isinstance(kept, Card), words(kept)


@pytest.mark.parametrize("values", [{}, {"objective": "x"}, {"objective": "satisfied", "page": "-1"}, {"page": "9999"}])
@pytest.mark.parametrize("route", [r for r in handlers.routes.BUTTONS if r.startswith("objective_")])
async def test_a_button_that_was_tampered_with_has_no_effect(sqlite_desk: Desk, route: str, values: Any) -> None:
    before = await sqlite_desk.everything()
    kind = handlers.routes.BUTTONS[route].kinds[0]
    reply = await sqlite_desk.dispatch.answer(sqlite_desk.call("ana", kind, route, "", values))
    assert shown(reply).title != "Sorry, that did not work"
    assert await sqlite_desk.everything() == before


# ---- priorities ----


async def test_leadership_records_the_priorities_of_the_month_and_everybody_reads_them(desk: Desk) -> None:
    form = await desk.press("zoe", button(await desk.ask("zoe", "/objectives"), "Priorities of the month"))
    assert isinstance(form, Form)
    await send(desk, "zoe", form, words="Orchard's move", trade_offs="Projects wait")
    said = words(await desk.ask("cem", "/objectives"))
    assert "First this month: Orchard's move" in said
    assert "Given up for it: Projects wait" in said
    form = await form_of(desk, "zoe", "priorities")
    await send(desk, "zoe", form, words="Orchard's move, then phones", trade_offs="")
    said = words(await desk.ask("cem", "/objectives"))
    assert "then phones" in said
    assert "Projects wait" not in said
    assert await desk.one("SELECT count(*) FROM priority") == 2, "what was said before is kept"


async def test_others_record_no_priorities_and_are_not_offered_to(desk: Desk) -> None:
    for who in ("cem", "lena", "mara", "adam"):
        assert "Priorities of the month" not in {b.text for b in buttons(await desk.ask(who, "/objectives"))}
        before = await desk.everything()
        found = await send(desk, who, Form("", "priorities_kept", ()), words="Mine first")
        assert "recorded by leadership" in words(found)
        assert await desk.everything() == before


async def test_priorities_of_a_month_to_come_are_refused(sqlite_desk: Desk) -> None:
    form = Form("", "priorities_kept", (), values={"month": "2027-01"})
    assert "has not begun" in words(await send(sqlite_desk, "zoe", form, words="Later"))


@pytest.mark.parametrize("month", ["2026-07", "2026-W32", "", "2026-13"])
async def test_no_other_month_than_this_one_is_written(sqlite_desk: Desk, month: str) -> None:
    form = await form_of(sqlite_desk, "zoe", "priorities")
    forged = replace(form, values={**form.values, "month": month})
    before = await sqlite_desk.everything()
    assert words(await send(sqlite_desk, "zoe", forged, words="Rewritten")).startswith("Not this time")
    assert await sqlite_desk.everything() == before


async def test_of_two_leaders_the_second_is_told_who_was_first_and_nothing_is_lost(desk: Desk) -> None:
    await desk.change("UPDATE membership SET role = 'leadership' WHERE person_id = :mara", mara=desk.ids["mara"])
    forms = {who: await form_of(desk, who, "priorities") for who in ("zoe", "mara")}
    said = await asyncio.gather(*(send(desk, who, form, words=f"As {who} says") for who, form in forms.items()))
    told = sorted(words(one) for one in said)
    assert [("Priorities recorded" in one) for one in told] == [False, True]
    first = await desk.one("SELECT name FROM person JOIN priority ON person.id = priority.by_id")
    assert f"{first} has recorded" in told[0]
    late = await send(desk, "zoe", forms["zoe"], words="Once more")
    assert f"{first} has recorded" in words(late)
    assert await desk.one("SELECT count(*) FROM priority") == 1
    again = await send(desk, "zoe", await form_of(desk, "zoe", "priorities"), words="Having read that")
    assert "Priorities recorded" in words(again)


# ---- by itself ----


def due(maker: str) -> Due:
    """Today's run of what is made for the desk."""
    schedule = Schedule(f"{maker}/desk", maker, "desk", "UTC", "monthly", 540)
    return Due(schedule, int(small.NOW.timestamp()), small.TODAY, "make")


async def made(desk: Desk, maker: Any, name: str) -> None:
    async with desk.store.write() as db:
        await maker(Ctx(db, REDFIRST, desk.now, await desk.rules.get(db, desk.now)), due(name))


async def test_an_unlinked_objective_is_told_to_the_lead_and_to_nobody_above(desk: Desk) -> None:
    await keep(desk, "loose", "individual", f"person:{desk.ids['ana']}")
    await keep(desk, "linked", "individual", f"person:{desk.ids['cem']}", parent="satisfied")
    await keep(desk, "leavers", "individual", f"person:{desk.ids['lou']}")
    await made(desk, handlers.objectives.report, "objectives_report")
    [said] = await told(desk, "lena")
    assert "Ana Abel: The objective called loose" in said
    assert "linked" not in said
    assert not [text for who in ("mara", "zoe", "ben") for text in await told(desk, who) if "loose" in text]


async def test_what_nobody_carries_is_told_to_leadership_once(desk: Desk) -> None:
    await keep(desk, "alone", "leadership", "desk")
    for _ in range(2):
        await made(desk, handlers.objectives.report, "objectives_report")
    [said] = await told(desk, "zoe")
    assert "The objective called alone" in said
    assert "Clients are glad they called" not in said, "that one is carried"
    assert len(await desk.said()) == 1


async def test_nothing_is_said_where_nothing_hangs_in_the_air(sqlite_desk: Desk) -> None:
    await made(sqlite_desk, handlers.objectives.report, "objectives_report")
    assert await sqlite_desk.said() == []
