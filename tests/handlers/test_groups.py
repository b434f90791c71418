"""The whole desk's figures, and the closed scores of groups: kept, and followed after a correction."""

from __future__ import annotations

from dataclasses import replace

import handlers.freezing
import storage.audit
import storage.people
from cards.card import Button
from handlers.call import Ctx
from handlers.groups import Group
from tests.handlers import desk as small
from tests.handlers.desk import Desk, Work, button, buttons, words
from tests.handlers.test_corrections import ask_for, close_periods, told

WEEK = "2026-W29"
"""The last week that is mature for everything a team is measured by."""
FIRST = small.THIS_WEEK - 21


async def close_groups(desk: Desk) -> int:
    async with desk.store.write() as db:
        zoe = await storage.people.get(db, desk.ids["zoe"], small.TODAY)
        assert zoe is not None
        ctx = Ctx(db, zoe, desk.now, await desk.rules.get(db, desk.now))
        groups = handlers.freezing.groups(await storage.people.teams(db))
        return sum([await handlers.freezing.freeze(ctx, await handlers.freezing.made(ctx, group)) for group in groups])


async def versions(desk: Desk, subject: str) -> list[int]:
    rows = await desk.rows(
        "SELECT version FROM frozen_score WHERE subject = :subject AND period = :period ORDER BY version",
        subject=subject, period=WEEK,
    )  # fmt: skip
    return [row[0] for row in rows]


def told_of_everybody() -> list[Work]:
    """The work of the teams with five people behind their weeks, and of the one whose members all agreed."""
    teams = ("help-desk", "field", "night")
    return [one for team in teams for who in small.WORKERS[team] for one in small.of(who, FIRST, FIRST + 6)]


async def test_everybody_may_see_the_whole_desk_made_of_teams_with_five_people(desk: Desk) -> None:
    seen = {who: words(await desk.ask(who, f"/redfirst desk {WEEK}")) for who in ("ana", "lena", "zoe", "hanna")
            if who in desk.ids}  # fmt: skip
    assert "[Comment]" in seen["zoe"], "leadership may say what lies behind it"
    assert len({said.replace(" [Comment]", "") for said in seen.values()}) == 1
    answers = told_of_everybody()
    good = sum(one.rating >= 4 for one in answers)
    opened = await desk.opened("zoe", Button("Why", "desk_why", {"period": WEEK, "metric": "csat"}))
    assert f"{good} ÷ {len(answers)}" in words(opened)
    assert "Back" in [b.text for b in buttons(opened)]


async def test_the_desks_card_leads_to_no_team_and_no_person(sqlite_desk: Desk) -> None:
    card = await sqlite_desk.ask("zoe", f"/redfirst desk {WEEK}")
    assert {b.route for b in buttons(card)} <= {"desk_score", "desk_why", "desk_trend", "comment_new"}
    assert not [b for b in buttons(card) if b.values.keys() & {"team", "person"}]
    assert not [key for key in small.EVERYBODY if small.name(key) in words(card)]
    before = await sqlite_desk.press("zoe", button(card, "‹ Before"))
    assert "Week 28" in words(before)


async def test_a_closed_team_score_stays_when_its_facts_change_later(sqlite_desk: Desk) -> None:
    assert await close_groups(sqlite_desk) > 0
    before = await sqlite_desk.ask("lena", f"/teamscore {WEEK}")
    assert "Closed with version 1 of the rules." in words(before)
    await sqlite_desk.change("DELETE FROM rollup")
    await sqlite_desk.change("DELETE FROM rollup_week")
    assert words(await sqlite_desk.ask("lena", f"/teamscore {WEEK}")) == words(before)


async def test_what_was_made_before_a_decision_or_a_load_is_not_closed_after_it(desk: Desk) -> None:
    async with desk.store.read() as db:
        zoe = await storage.people.get(db, desk.ids["zoe"], small.TODAY)
        assert zoe is not None
        ctx = Ctx(db, zoe, desk.now, await desk.rules.get(db, desk.now))
        made = await handlers.freezing.made(ctx, Group(None))
    assert made
    async with desk.store.write() as db:
        await storage.audit.add(db, small.AS_OF, "lena", "correction confirmed", "desk/1000", {})
        assert await handlers.freezing.freeze(replace(ctx, db=db), made) == 0
        again = await handlers.freezing.made(replace(ctx, db=db), Group(None))
        await small.loaded(db, small.AS_OF)
        assert await handlers.freezing.freeze(replace(ctx, db=db), again) == 0
        again = await handlers.freezing.made(replace(ctx, db=db), Group(None))
        assert await handlers.freezing.freeze(replace(ctx, db=db), again) == len(made)
        assert await handlers.freezing.made(replace(ctx, db=db), Group(None)) == []


async def test_what_was_closed_for_the_lead_is_not_shown_to_others(sqlite_desk: Desk) -> None:
    await close_groups(sqlite_desk)
    assert await versions(sqlite_desk, f"team:{sqlite_desk.teams['tiny']}") == [1]
    said = words(await sqlite_desk.ask("zoe", f"/teamscore tiny {WEEK}"))
    assert "There is nothing to show" in said
    assert "Closed with version 1" in said
    assert "There is nothing to show" not in words(await sqlite_desk.ask("tom", f"/teamscore tiny {WEEK}"))


async def test_closing_twice_closes_nothing_more(desk: Desk) -> None:
    assert await close_groups(desk) > 0
    assert await close_groups(desk) == 0


async def test_a_confirmed_correction_makes_the_next_version_of_the_team_and_the_desk(desk: Desk) -> None:
    await close_groups(desk)
    await close_periods(desk)
    team = f"team:{desk.teams['help-desk']}"
    bad = next(one for one in small.of("ana", FIRST, FIRST + 6) if one.rating < 4)
    await ask_for(desk, ticket=bad.id)
    [asked, *_] = await told(desk, "lena")
    await desk.opened("lena", button(asked, "Confirm"))
    assert await versions(desk, team) == [1, 2]
    assert await versions(desk, f"{team}:open") == [1, 2]
    assert await versions(desk, "desk") == [1, 2]
    assert await versions(desk, f"team:{desk.teams['field']}") == [1]
    said = words(await desk.ask("lena", f"/teamscore {WEEK}"))
    assert f"version 2: T{bad.number} corrected" in said


def test_the_names_of_closed_scores_tell_the_two_views_of_a_team_apart() -> None:
    from scoring.people import Team

    team = Team(7, "x", "X")
    assert len({Group(team, True).subject, Group(team, False).subject, Group(None).subject}) == 3
