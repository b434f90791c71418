"""A person's scorecard in the chat: what /myscore and the buttons under it say, and to whom."""

from __future__ import annotations

import re
from dataclasses import replace

import polars as pl
import pytest

from cards.card import Badge, Button, Card, Gauge, Link, Table, Trend
from tests.handlers import desk as small
from tests.handlers.desk import Desk, button, buttons, words


def badges(card: Card) -> list[tuple[str, str]]:
    return [(block.status, block.text) for block in card.blocks if isinstance(block, Badge)]


def csat(who: str, first: int, last: int) -> tuple[int, int]:
    """Good answers and answers, counted from the facts by hand."""
    answers = [one.rating for one in small.of(who, first, last)]
    return sum(rating >= 4 for rating in answers), len(answers)


async def test_my_scorecard_begins_with_the_reds_and_only_counts_the_greens(desk: Desk) -> None:
    card = await desk.ask("ana", "/myscore last week")
    assert card.title == "Your scorecard"
    assert card.status == "red"
    shown = badges(card)
    good, answers = csat("ana", small.THIS_WEEK - 7, small.THIS_WEEK - 1)
    assert shown[0] == ("red", f"CSAT: {round(100 * good / answers)} %")
    assert [status for status, _ in shown] == sorted((s for s, _ in shown), key=["red", "amber", "green", "none"].index)
    greens = [text for status, text in shown if status == "green"]
    assert len(greens) == 1
    assert re.fullmatch(r"\d+ on target", greens[0])
    assert "What helps: You listen" in words(card)


async def test_the_evidence_of_a_red_is_that_of_four_weeks(sqlite_desk: Desk) -> None:
    good, answers = csat("ana", small.THIS_WEEK - 28, small.THIS_WEEK - 1)
    assert f"{good} of {answers} over four weeks; red line 75 %" in words(
        await sqlite_desk.ask("ana", "/myscore last week")
    )


@pytest.mark.parametrize("said", ["month", "quarter", "13 weeks"])
async def test_the_evidence_of_a_period_in_progress_ends_with_this_week(sqlite_desk: Desk, said: str) -> None:
    async def evidence(period: str) -> list[str]:
        card = await sqlite_desk.ask("ana", f"/myscore {period}")
        opened = await sqlite_desk.opened("ana", button(card, "Why", metric="csat"))
        return [line for line in words(opened).splitlines() if "over four weeks" in line]

    assert await evidence(said) == await evidence("this week")
    trend = await sqlite_desk.opened(
        "ana", button(await sqlite_desk.ask("ana", f"/myscore {said}"), "Trend", metric="csat")
    )
    assert trend.title == "Trend: CSAT"
    assert "no data" not in words(trend)


async def test_every_figure_that_is_shown_can_explain_itself(sqlite_desk: Desk) -> None:
    """Greens once unfolded, and what is too little to colour, as well as reds and ambers."""
    folded = await sqlite_desk.ask("ana", "/myscore last week")
    unfolded = await sqlite_desk.opened("ana", button(folded, "Greens"))
    shown = [block.text for block in unfolded.blocks if isinstance(block, Badge)]
    why = [one for one in buttons(unfolded) if one.text == "Why"]
    assert len(why) == len(shown) > 5
    titles = {words(await sqlite_desk.opened("ana", one)).splitlines()[0].removeprefix("Why: ") for one in why}
    assert titles == {text.partition(":")[0] for text in shown}


async def test_greens_unfold_and_fold_in_place(sqlite_desk: Desk) -> None:
    folded = await sqlite_desk.ask("ana", "/myscore last week")
    count = next(text for status, text in badges(folded) if status == "green")
    call = sqlite_desk.call("ana", "action", "score", values=button(folded, "Greens").values)
    reply = await sqlite_desk.dispatch.answer(call)
    assert [say.place for say in reply.says] == ["update"]
    unfolded = small.card(reply)
    assert f"{sum(status == 'green' for status, _ in badges(unfolded))} on target" == count
    again = await sqlite_desk.opened("ana", button(unfolded, "Fold greens"))
    assert again == folded


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("", "Week 32, 3 Aug – 9 Aug 2026"),
        ("last week", "Week 31, 27 Jul – 2 Aug 2026"),
        ("2026-W30", "Week 30, 20 Jul – 26 Jul 2026"),
        ("july", "July 2026"),
        ("in july", "July 2026"),
        ("for the last week", "Week 31, 27 Jul – 2 Aug 2026"),
        ("over the 4 weeks", "4 weeks, 13 Jul – 9 Aug 2026"),
        ("quarter", "Q3 2026"),
        ("4 weeks", "4 weeks, 13 Jul – 9 Aug 2026"),
        ("13 WEEKS", "13 weeks, 11 May – 9 Aug 2026"),
    ],
)
async def test_a_period_may_be_named_as_people_name_it(sqlite_desk: Desk, said: str, label: str) -> None:
    assert label in words(await sqlite_desk.ask("ana", f"/myscore {said}"))


async def test_on_a_monday_the_scorecard_is_that_of_the_week_that_is_over(sqlite_desk: Desk) -> None:
    sqlite_desk.now = small.NOW.replace(day=3)
    assert "Week 31," in words(await sqlite_desk.ask("ana", "/myscore"))


@pytest.mark.parametrize("said", ["lastweek", "octember", "2026-W99", "next week", "; DROP TABLE person", "٣ weeks"])
async def test_a_period_that_nobody_understands_is_refused_with_what_is_understood(
    sqlite_desk: Desk, said: str
) -> None:
    card = await sqlite_desk.ask("ana", f"/myscore {said}")
    assert card.title == "Not this time"
    assert "I understand: this week, last week" in words(card)


async def test_a_period_to_come_is_refused(sqlite_desk: Desk) -> None:
    assert "has not begun yet" in words(await sqlite_desk.ask("ana", "/myscore 2026-W40"))


async def test_the_buttons_before_and_after_go_through_the_weeks(sqlite_desk: Desk) -> None:
    last = await sqlite_desk.ask("ana", "/myscore last week")
    before = await sqlite_desk.opened("ana", button(last, "‹ Before"))
    assert "Week 30," in words(before)
    assert await sqlite_desk.opened("ana", button(before, "After ›")) == last
    now = await sqlite_desk.opened("ana", button(last, "After ›"))
    assert "Week 32," in words(now)
    assert "After ›" not in [b.text for b in buttons(now)]


async def test_a_week_is_provisional_until_it_has_matured(sqlite_desk: Desk) -> None:
    assert "Provisional until 10 Aug 2026" in words(await sqlite_desk.ask("ana", "/myscore last week"))
    assert "rovisional" not in words(await sqlite_desk.ask("ana", "/myscore 2026-W30"))


async def test_why_fills_the_formula_with_the_figures(desk: Desk) -> None:
    card = await desk.ask("ana", "/myscore last week")
    good, answers = csat("ana", small.THIS_WEEK - 7, small.THIS_WEEK - 1)
    said = words(await desk.opened("ana", button(card, "Why", metric="csat")))
    assert "answers of 4 or 5 ÷ answers" in said
    assert f"{good} ÷ {answers} × 100 = {round(100 * good / answers)} %" in said
    assert "target 85 %, red line 75 %" in said
    assert "15 % of the score" in said
    assert "Users rate our help as good → Clients are glad they called" in said


async def test_lines_that_came_with_the_product_have_no_date_that_nobody_meant(sqlite_desk: Desk) -> None:
    for said in ("/myscore last week", "/redfirst desk last week", "/teamscore last week"):
        for one in buttons(await sqlite_desk.ask("lena" if said.startswith("/team") else "ana", said)):
            if one.text == "Why":
                card = words(await sqlite_desk.opened("lena" if said.startswith("/team") else "ana", one))
                assert "shipped lines" in card
                assert "1970" not in card


async def test_why_and_trend_can_be_typed_and_forgive_typos(sqlite_desk: Desk) -> None:
    assert (await sqlite_desk.ask("ana", "/myscore why CSAT")).title == "Why: CSAT"
    assert (await sqlite_desk.ask("ana", "/myscore why reopen")).title == "Why: Reopen rate"
    assert (await sqlite_desk.ask("ana", "/myscore TREND sla completion")).title == "Trend: SLA completion"
    assert "Did you mean Reopen rate?" in words(await sqlite_desk.ask("ana", "/myscore why reopn rate"))
    assert "On your scorecard are: CSAT," in words(await sqlite_desk.ask("ana", "/myscore trend"))


@pytest.mark.parametrize(
    ("said", "meant"), [("whi csat", "why csat"), ("trned csat", "trend csat"), ("WYH", "why"), ("trens", "trend")]
)
async def test_a_question_with_a_typo_is_asked_back(sqlite_desk: Desk, said: str, meant: str) -> None:
    assert f"Did you mean “{meant}”?" in words(await sqlite_desk.ask("ana", f"/myscore {said}"))


async def test_the_balanced_score_explains_itself(sqlite_desk: Desk) -> None:
    typed = await sqlite_desk.ask("ana", "/myscore why")
    assert typed.title == "Why: balanced score"
    card = await sqlite_desk.ask("ana", "/myscore last week")
    shown = next(block for block in card.blocks if isinstance(block, Gauge))
    opened = await sqlite_desk.opened("ana", button(card, "Why this score"))
    [table] = [block for block in opened.blocks if isinstance(block, Table)]
    assert sum(float(str(row[3])) for row in table.rows if row[3] != "–") == pytest.approx(shown.value, abs=0.5)
    assert sum(float(str(row[1]).removesuffix(" %")) for row in table.rows) == pytest.approx(100)
    without = [row[0] for row in table.rows if row[2] == "–"]
    assert ("Without a score" in words(opened)) is bool(without)
    assert await sqlite_desk.opened("ana", button(opened, "Back")) == card


async def test_a_teams_and_the_desks_balanced_scores_explain_themselves_too(sqlite_desk: Desk) -> None:
    for who, said in (("lena", "/teamscore last week"), ("ana", "/redfirst desk last week")):
        card = await sqlite_desk.ask(who, said)
        assert (await sqlite_desk.opened(who, button(card, "Why this score"))).title == "Why: balanced score"


async def test_a_look_at_somebodys_balanced_score_is_seen(sqlite_desk: Desk) -> None:
    card = await sqlite_desk.ask("lena", "/redfirst person ana")
    await sqlite_desk.opened("lena", button(card, "Why this score"))
    assert "Balanced score, Week 32" in words(await sqlite_desk.ask("ana", "/redfirst looked"))


async def test_a_trend_is_a_picture_that_carries_its_figures_in_words(desk: Desk) -> None:
    card = await desk.opened("ana", button(await desk.ask("ana", "/myscore last week"), "Trend", metric="csat"))
    [picture] = [block for block in card.blocks if isinstance(block, Trend)]
    assert len(picture.points) == 13
    for index, point in enumerate(picture.points):
        first = small.FIRST + 7 * index
        good, answers = csat("ana", first, first + 6)
        assert point.value == 100 * good / answers
        assert f"{round(100 * good / answers)} %" in picture.words
    assert [rule.value for rule in picture.rules] == [85, 75]


async def test_the_trend_of_a_rate_is_told_by_its_evidence_and_not_by_limits_of_single_weeks(
    sqlite_desk: Desk,
) -> None:
    card = await sqlite_desk.ask("ana", "/myscore last week")
    good, answers = csat("ana", small.THIS_WEEK - 28, small.THIS_WEEK - 1)
    rate = words(await sqlite_desk.opened("ana", button(card, "Trend", metric="csat")))
    assert f"What counts: {good} of {answers} over four weeks; red line 75 %." in rate
    assert "usual ups and downs" not in rate
    mean = words(await sqlite_desk.ask("ana", "/myscore trend estimate variance"))
    assert "The last week lies within the usual ups and downs." in mean


async def test_tickets_behind_a_figure_link_into_the_ticket_system(desk: Desk) -> None:
    card = await desk.opened("ana", button(await desk.ask("ana", "/myscore last week"), "Tickets", metric="csat"))
    [table] = [block for block in card.blocks if isinstance(block, Table)]
    assert "Data as of Wed 5 Aug 2026, 06:00." in words(card)
    expected = {
        (f"T{one.number}", f"https://desk.example.test/t/{one.number}", "yes" if one.rating >= 4 else "no")
        for one in small.of("ana", small.THIS_WEEK - 7, small.THIS_WEEK - 1)
    }
    found = set()
    for link, _, counted in table.rows:
        assert isinstance(link, Link)
        found.add((link.text, link.url, counted))
    assert found == expected


async def test_tickets_behind_what_stands_open_are_as_old_as_they_are_today(sqlite_desk: Desk) -> None:
    old = [replace(one, number=9000 + n, who="cora", day=small.TODAY - 12) for n, one in enumerate(small.work()[:6])]
    never = (pl.lit(None, pl.Int64).alias(name) for name in ("resolved_at", "closed_at"))
    await sqlite_desk.put("ticket", small.tickets(old).with_columns(*never, pl.lit(None, pl.String).alias("resolver")))

    async def counted(said: str) -> list[object]:
        why = await sqlite_desk.opened("cora", Button("Why", "why", {"period": said, "metric": "aged_tickets"}))
        card = await sqlite_desk.opened("cora", button(why, "Tickets"))
        [table] = [block for block in card.blocks if isinstance(block, Table)]
        return [row[2] for row in table.rows]

    assert await counted("2026-W32") == ["no"] * 6
    sqlite_desk.now = small.NOW.replace(day=10)
    assert await counted("2026-W32") == ["yes"] * 6


async def test_a_scorecard_says_how_old_its_data_are(sqlite_desk: Desk) -> None:
    assert "Data as of Wed 5 Aug 2026, 06:00." in words(await sqlite_desk.ask("ana", "/myscore"))
    sqlite_desk.now = small.NOW.replace(day=9)
    said = words(await sqlite_desk.ask("ana", "/myscore last week"))
    assert "That is 4 days old: newer work is not in these figures." in said


async def test_a_lead_opens_the_scorecard_of_somebody_they_lead_and_is_seen_to(desk: Desk) -> None:
    card = await desk.ask("lena", "/redfirst person ana")
    assert card.title == f"Scorecard of {small.name('ana')}"
    assert "Something is not mine" not in [b.text for b in buttons(card)]
    await desk.opened("lena", button(card, "Why", metric="csat"))
    await desk.opened("lena", button(card, "Trend", metric="csat"))
    await desk.opened("lena", button(card, "Tickets", metric="csat"))
    said = words(await desk.ask("ana", "/redfirst looked"))
    assert said.count(small.name("lena")) == 4
    for what in ("Week 32", "CSAT, Week 32", "Tickets of CSAT, Week 32"):
        assert what in said


async def test_looking_at_ones_own_scorecard_is_no_look(sqlite_desk: Desk) -> None:
    card = await sqlite_desk.ask("ana", "/myscore last week")
    await sqlite_desk.opened("ana", button(card, "Why"))
    assert "Nobody but you has looked" in words(await sqlite_desk.ask("ana", "/redfirst looked"))
    assert await sqlite_desk.one("SELECT count(*) FROM look") == 0


async def test_a_person_is_found_by_part_of_their_name_among_those_one_leads(sqlite_desk: Desk) -> None:
    assert (await sqlite_desk.ask("lena", "/redfirst person ANA abel")).title == "Scorecard of Ana Abel"
    assert "could be Ana Abel, Eli Abel." in words(await sqlite_desk.ask("lena", "/redfirst person abel"))
    stranger = words(await sqlite_desk.ask("lena", "/redfirst person gus"))
    nobody = words(await sqlite_desk.ask("lena", "/redfirst person nobody"))
    assert stranger.replace("gus", "nobody") == nobody


async def test_a_leaver_is_told_nothing_and_no_longer_opened_by_name(sqlite_desk: Desk) -> None:
    assert (await sqlite_desk.ask("lou", "/myscore")).title == "We have not met yet"
    assert "nobody called" in words(await sqlite_desk.ask("lena", "/redfirst person lou"))


async def test_a_person_who_was_in_no_team_then_is_told_so(sqlite_desk: Desk) -> None:
    assert "There was no place in a team in January 2020." in words(
        await sqlite_desk.ask("ana", "/myscore january 2020")
    )


async def test_the_home_page_is_the_persons_own_scorecard(sqlite_desk: Desk) -> None:
    shown = small.card(await sqlite_desk.dispatch.answer(sqlite_desk.call("ana", "home", "home")))
    assert shown == await sqlite_desk.ask("ana", "/myscore")


async def test_a_persons_figures_do_not_depend_on_where_they_ask(sqlite_desk: Desk) -> None:
    answers = [await sqlite_desk.ask("ana", "/myscore", platform=p) for p in ("slack", "teams", "demo")]
    assert answers[0] == answers[1] == answers[2]
