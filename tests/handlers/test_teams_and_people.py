"""A team's scorecard, the way to its people, who one is, and how the words people type are understood."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

import storage.rules
from cards.card import Button, Card
from tests.handlers import desk as small
from tests.handlers.desk import Desk, button, buttons, words

WEEK = "2026-W31"
LAST_WEEK = (small.THIS_WEEK - 7, small.THIS_WEEK - 1)


def team_csat(team: str) -> str:
    """The filled-in formula of a team's CSAT of last week, counted by hand."""
    answers = [one.rating for who in small.WORKERS[team] for one in small.of(who, *LAST_WEEK)]
    good = sum(rating >= 4 for rating in answers)
    return f"{good} ÷ {len(answers)} × 100 = {round(100 * good / len(answers))} %"


async def csat(desk: Desk, who: str, card: Card) -> str:
    values = {name: value for name, value in buttons(card)[-1].values.items() if name in ("team", "period")}
    return words(await desk.opened(who, Button("Why", "team_why", {**values, "period": WEEK, "metric": "csat"})))


async def test_a_member_sees_the_aggregate_of_their_team_and_no_way_to_its_people(desk: Desk) -> None:
    card = await desk.ask("cem", "/teamscore last week")
    assert card.title == "Team scorecard · Help Desk"
    assert not {"People", "Tickets", "Something is not mine"} & {b.text for b in buttons(card)}
    assert team_csat("help-desk") in await csat(desk, "cem", card)
    assert not [key for key in small.EVERYBODY if small.name(key) in words(card)]


async def test_a_member_is_told_of_no_week_in_progress_and_the_lead_is(sqlite_desk: Desk) -> None:
    said = words(await sqlite_desk.ask("cem", "/teamscore this week"))
    assert "The week in progress counts when it is over." in said
    assert "No data in this period:" in said
    assert "CSAT:" in words(await sqlite_desk.ask("lena", "/teamscore"))


async def test_a_stock_of_which_nothing_was_left_by_the_evening_is_not_called_unconnected(sqlite_desk: Desk) -> None:
    said = words(await sqlite_desk.ask("lena", "/teamscore last week")).splitlines()
    [empty] = [line for line in said if line.startswith("No data in this period:")]
    assert "Aged tickets" in empty
    assert not [line for line in said if line.startswith("Not connected:") and "Aged tickets" in line]


async def test_without_a_period_everybody_is_told_of_the_last_week_that_may_be_told(sqlite_desk: Desk) -> None:
    assert await sqlite_desk.ask("cem", "/teamscore") == await sqlite_desk.ask("cem", "/teamscore last week")
    assert await sqlite_desk.ask("ana", "/redfirst desk") == await sqlite_desk.ask("ana", "/redfirst desk last week")
    assert "Week 32," in words(await sqlite_desk.ask("lena", "/teamscore")), "a lead sees the week in progress"
    newest = await sqlite_desk.ask("cem", "/teamscore")
    assert "After ›" not in [b.text for b in buttons(newest)], "nothing may be told of what comes after"


@pytest.mark.parametrize(("who", "said"), [("lena", "month"), ("lena", "quarter"), ("cem", "quarter")])
async def test_a_team_is_coloured_in_a_month_or_quarter_in_progress(sqlite_desk: Desk, who: str, said: str) -> None:
    shown = words(await sqlite_desk.ask(who, f"/teamscore {said}"))
    colours = [line for line in shown.splitlines() if "Red" in line or "Amber" in line or "on target" in line]
    assert colours, shown
    assert "CSAT: no data" not in shown
    assert ("The week in progress counts when it is over." in shown) == (who == "cem")


async def test_what_everybody_is_told_of_a_month_names_the_whole_weeks_it_is_made_of(sqlite_desk: Desk) -> None:
    assert "Counted in whole weeks: 29 Jun – 2 Aug 2026." in words(await sqlite_desk.ask("cem", "/teamscore july"))
    for who, said in (("lena", "july"), ("cem", "last week"), ("cem", "4 weeks")):
        assert "whole weeks" not in words(await sqlite_desk.ask(who, f"/teamscore {said}"))


@pytest.mark.parametrize("who", ["mara", "zoe", "hugo", "adam"])
async def test_who_is_in_no_team_that_is_measured_is_asked_which_team(sqlite_desk: Desk, who: str) -> None:
    said = words(await sqlite_desk.ask(who, "/teamscore"))
    assert "Which team?" in said
    assert "/redfirst desk" in said
    assert ("Help Desk" in said) == (who in ("zoe", "mara"))
    assert "Which team?" in words(await sqlite_desk.ask(who, "/teamscore last week"))


@pytest.mark.parametrize(
    ("who", "role"),
    [("mara", "a service manager"), ("zoe", "leadership"), ("hugo", "HR"), ("adam", "an administrator")],
)
async def test_who_has_no_scorecard_is_told_so_in_words_and_where_to_look(
    sqlite_desk: Desk, who: str, role: str
) -> None:
    said = words(await sqlite_desk.ask(who, "/myscore"))
    assert f"Nobody keeps a scorecard of {role}." in said
    assert "/redfirst desk" in said


async def test_a_person_is_asked_for_by_name_with_typos_forgiven(sqlite_desk: Desk) -> None:
    assert "Whose scorecard?" in words(await sqlite_desk.ask("lena", "/redfirst person"))
    assert "Did you mean Ana Abel?" in words(await sqlite_desk.ask("lena", "/redfirst person Anna Able"))
    said = words(await sqlite_desk.ask("cem", "/redfirst person ana"))
    assert "You lead nobody here; your own is under /myscore." in said
    assert "button People" not in said


async def test_a_lead_opens_the_people_of_the_team_in_the_order_of_their_names(desk: Desk) -> None:
    card = await desk.ask("lena", "/teamscore last week")
    people = await desk.opened("lena", button(card, "People"))
    listed = [b.text for b in buttons(people)]
    assert listed == sorted(listed)
    assert listed == [small.name(key) for key in sorted((*small.WORKERS["help-desk"], "cora"))]
    opened = await desk.opened("lena", button(people, small.name("ana")))
    assert opened.title == "Scorecard of Ana Abel"
    assert "Week 31," in words(opened)
    assert [tuple(row) for row in await desk.rows("SELECT viewer_id, person_id FROM look")] == [
        (desk.ids["lena"], desk.ids["ana"])
    ]


async def test_what_stands_open_in_a_week_in_progress_is_told_as_of_today(sqlite_desk: Desk) -> None:
    old = [replace(one, number=9000 + n, day=small.TODAY - 12) for n, one in enumerate(small.work()[:6])]
    never = (pl.lit(None, pl.Int64).alias(name) for name in ("resolved_at", "closed_at"))
    await sqlite_desk.put("ticket", small.tickets(old).with_columns(*never, pl.lit(None, pl.String).alias("resolver")))
    card = await sqlite_desk.ask("lena", "/teamscore this week")
    green = await sqlite_desk.opened("lena", button(card, "Greens"))
    said = words(await sqlite_desk.opened("lena", button(green, "Why", metric="aged_tickets")))
    assert "0 ÷ 6 × 100 = 0 %" in said, "they will be old on Friday, if nobody closes them"
    assert "0 of 6 on 5 Aug; red line 20 %" in said
    sqlite_desk.now = small.NOW.replace(day=10)
    assert "6 of 6 at the end of the week; red line 20 %" in words(await sqlite_desk.ask("lena", "/teamscore 2026-W32"))


async def test_leadership_sees_every_team_as_its_members_see_it(sqlite_desk: Desk) -> None:
    seen = await sqlite_desk.ask("zoe", "/teamscore help desk last week")
    assert words(seen).replace(" [Comment]", "") == words(await sqlite_desk.ask("cem", "/teamscore last week"))
    assert "left out: an aggregate needs five people" in words(
        await sqlite_desk.ask("zoe", "/teamscore tiny last week")
    )


@pytest.mark.parametrize("who", ["gus", "leo", "hugo", "adam", "tom"])
async def test_a_team_that_is_not_ones_own_is_refused_with_where_to_go(sqlite_desk: Desk, who: str) -> None:
    card = await sqlite_desk.ask(who, "/teamscore help desk")
    assert card.title == "Not this time"
    assert "Ask for your own team's with /teamscore" in words(card)


async def test_a_small_team_is_shown_to_its_lead_only(desk: Desk) -> None:
    said = words(member := await desk.ask("ute", "/teamscore last week"))
    assert "left out: an aggregate needs five people behind it" in said
    assert "There is nothing to show" in said
    assert "With the figures: no data in this period" in await csat(desk, "ute", member)
    lead = await desk.ask("tom", "/teamscore last week")
    assert team_csat("tiny") in await csat(desk, "tom", lead)


async def test_a_small_team_whose_members_all_agreed_is_shown_to_them(sqlite_desk: Desk) -> None:
    card = await sqlite_desk.ask("wim", "/teamscore last week")
    assert team_csat("night") in await csat(sqlite_desk, "wim", card)


async def test_a_team_is_found_by_the_beginning_of_its_name_or_its_key(sqlite_desk: Desk) -> None:
    for said in ("help", "Help Desk", "help-desk", "HELP DESK last week", "help week 31"):
        assert (await sqlite_desk.ask("zoe", f"/teamscore {said}")).title == "Team scorecard · Help Desk"


async def test_a_word_that_is_neither_team_nor_period_is_refused_with_the_teams_one_may_see(sqlite_desk: Desk) -> None:
    said = words(await sqlite_desk.ask("cem", "/teamscore marketing"))
    assert "I know neither a team nor a period “marketing”." in said
    assert "Open to you: Help Desk." in said
    said = words(await sqlite_desk.ask("zoe", "/teamscore marketing"))
    assert "Field Services, Help Desk, Night Shift, Office, Tiny." in said


async def test_buttons_of_a_team_card_stay_with_the_team(sqlite_desk: Desk) -> None:
    card = await sqlite_desk.ask("lena", "/teamscore last week")
    before = await sqlite_desk.opened("lena", button(card, "‹ Before"))
    assert "Week 30," in words(before)
    assert (await sqlite_desk.opened("lena", button(before, "Trend", metric="csat"))).title == "Trend: CSAT"
    unfolded = await sqlite_desk.opened("lena", button(card, "Greens"))
    assert "Fold greens" in [b.text for b in buttons(unfolded)]


async def test_whoami_says_name_role_team_lead_and_accounts(desk: Desk) -> None:
    said = words(await desk.ask("ana", "/redfirst whoami"))
    for part in ("Ana Abel", "Technician, tier 1", "Help Desk", "Lena Moder", "UTC", small.account("ana"),
                 small.account("ana", "teams"), "desk/ana"):  # fmt: skip
        assert part in said


async def test_help_shows_a_lead_what_leads_can_ask(sqlite_desk: Desk) -> None:
    assert "person NAME" in words(await sqlite_desk.ask("lena", "/redfirst help"))
    assert "person NAME" not in words(await sqlite_desk.ask("cem", "/redfirst help"))
    assert await sqlite_desk.ask("cem", "/redfirst") == await sqlite_desk.write("cem", "help")


@pytest.mark.parametrize("said", ["/myscore", "/redfirst whoami", "/redfirst help", "/teamscore tiny", "nonsense"])
async def test_an_unknown_account_is_told_how_to_get_linked_and_nothing_else(sqlite_desk: Desk, said: str) -> None:
    card = await sqlite_desk.ask("nobody", said)
    assert card.title == "We have not met yet"
    assert "slack:T0001/UNOBODY" in words(card)
    assert not [key for key in small.EVERYBODY if small.name(key) in words(card)]


@pytest.mark.parametrize(
    "said", ["myscore last week", "/myscore last week", "  MyScore   last week ", "/redfirst myscore last week"]
)
async def test_words_work_with_and_without_the_slash(sqlite_desk: Desk, said: str) -> None:
    assert await sqlite_desk.write("ana", said) == await sqlite_desk.ask("ana", "/myscore last week")


@pytest.mark.parametrize(
    ("said", "near"), [("myscor", "myscore"), ("teamscoer", "teamscore"), ("whomai", "whoami"), ("hlep", "help")]
)
async def test_a_typo_is_answered_with_what_was_meant(sqlite_desk: Desk, said: str, near: str) -> None:
    for card in (await sqlite_desk.write("ana", said), await sqlite_desk.ask("ana", f"/redfirst {said}")):
        assert f"I do not know “{said}”." in words(card)
        assert f"Did you mean “{near}”?" in words(card)


@pytest.mark.parametrize("said", ["what is the weather", "x" * 5000, "@here", "🙂", "\0\ud800"])
async def test_what_nobody_understands_is_answered_with_the_way_to_help(sqlite_desk: Desk, said: str) -> None:
    card = await sqlite_desk.write("ana", said)
    assert card.title == "Not this time"
    assert len(words(card)) < 300


async def test_renamed_commands_are_understood_shown_and_forgiven(sqlite_desk: Desk) -> None:
    async with sqlite_desk.store.write() as db:
        body = dict((await storage.rules.current(db)).body)  # type: ignore[union-attr]
        own = {"commands": {"myscore": "meine-werte", "redfirst": "desk"}}
        await storage.rules.store(db, {**body, "own": own}, "adam", sqlite_desk.now, after=1)
    card = await sqlite_desk.ask("ana", "/meine-werte last week")
    assert card.title == "Your scorecard"
    assert await sqlite_desk.ask("ana", "/desk meine-werte last week") == card
    assert await sqlite_desk.write("ana", "Meine-Werte last week") == card
    assert await sqlite_desk.ask("ana", "/myscore last week") == card
    said = words(await sqlite_desk.ask("ana", "/desk help"))
    assert "/meine-werte [period]" in said
    assert "/desk whoami" in said
    assert "Did you mean “meine-werte”?" in words(await sqlite_desk.write("ana", "meine-wert"))
