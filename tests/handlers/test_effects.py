"""What nudges do, for those who lead: in aggregate, with five people on either side, and with what it cannot show."""

from __future__ import annotations

import pytest

from tests.handlers import desk as small
from tests.handlers.desk import Desk, Work, words

WEEK = small.THIS_WEEK - 21
NUDGED = ("ana", "ben", "cem", "dua", "eli", "fay")
OTHERS = ("gus", "hua", "ira", "jan", "kim", "liv")


async def weeks(desk: Desk, who: tuple[str, ...], why: str, week: int = WEEK) -> None:
    """Everybody had a gap in a week, and was nudged or not."""
    for one in who:
        await desk.change(
            "INSERT INTO nudge_week (person_id, behaviour, week, metric, nudged, why, target, red) "
            "VALUES (:p, 'say_what_happens_next', :w, 'csat', :n, :y, 85, 75)",
            p=desk.ids[one], w=week, n=why == "nudged", y=why,
        )  # fmt: skip


async def rated(desk: Desk, who: str, before: int, after: int, few: int) -> None:
    """Replaces somebody's answers around the week: so many good of twenty before, of ten after; `few` vary it."""
    await desk.change("DELETE FROM rollup WHERE subject_id = :p", p=desk.ids[who])
    done = []
    for day, count, good in ((WEEK - 14, 20, before), (WEEK, 10, after)):
        for n in range(count):
            rating = 5 if n < good - few else 1
            done.append(Work(80_000 + desk.ids[who] * 1000 + day * 50 + n, who, day, rating))
    await desk.put("ticket", small.tickets(done))
    await desk.put("survey", small.surveys(done))


async def test_those_who_were_nudged_are_set_against_those_who_were_not(desk: Desk) -> None:
    for index, one in enumerate(NUDGED):
        await rated(desk, one, 12, 10, index % 2)
    for index, one in enumerate(OTHERS):
        await rated(desk, one, 12, 6, index % 2)
    await weeks(desk, NUDGED, "nudged")
    await weeks(desk, OTHERS[:3], "budget")
    await weeks(desk, OTHERS[3:], "leave")
    card = await desk.ask("zoe", "/redfirst nudges effect")
    said = words(card)
    assert "CSAT: Say what happens next, and keep to it" in said
    assert "6 people nudged, 6 not; 12 weeks of people." in said
    assert "with 95 % confidence" in said
    assert "It helps." in said
    assert "What this cannot show: nobody was chosen by lot. People choose to snooze" in said


@pytest.mark.parametrize(("why", "told"), [("snoozed", True), ("stopped", False), ("digest", False), ("closed", False)])
async def test_only_budget_snooze_and_leave_make_people_comparable(sqlite_desk: Desk, why: str, told: bool) -> None:
    desk = sqlite_desk
    for one in (*NUDGED, *OTHERS):
        await rated(desk, one, 12, 7, 0)
    await weeks(desk, NUDGED, "nudged")
    await weeks(desk, OTHERS, why)
    said = words(await desk.ask("lena", "/redfirst nudges effect"))
    assert ("6 people nudged, 6 not" in said) is told


async def test_under_five_people_on_a_side_nothing_is_told(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    for one in (*NUDGED, *OTHERS):
        await rated(desk, one, 12, 7, 0)
    await weeks(desk, NUDGED, "nudged")
    await weeks(desk, OTHERS[:4], "leave")
    said = words(await desk.ask("mara", "/redfirst nudges effect"))
    assert "Say what happens next" not in said
    assert "1 more cannot be told: that needs five people on either side." in said


async def test_a_week_is_measured_when_the_two_weeks_are_over(sqlite_desk: Desk) -> None:
    await weeks(sqlite_desk, NUDGED, "nudged", small.THIS_WEEK - 7)
    assert "Nothing yet" in words(await sqlite_desk.ask("lena", "/redfirst nudges effect"))


@pytest.mark.parametrize("who", ["ana", "cora", "hugo", "adam"])
async def test_who_leads_nobody_is_told_where_their_own_is(sqlite_desk: Desk, who: str) -> None:
    said = words(await sqlite_desk.ask(who, "/redfirst nudges effect"))
    assert "What nudges do is shown to leads, managers and leadership." in said


async def test_no_name_stands_in_it(sqlite_desk: Desk) -> None:
    for one in (*NUDGED, *OTHERS):
        await rated(sqlite_desk, one, 12, 7, 0)
    await weeks(sqlite_desk, NUDGED, "nudged")
    await weeks(sqlite_desk, OTHERS, "leave")
    said = words(await sqlite_desk.ask("lena", "/redfirst nudges effect"))
    assert not [key for key in small.EVERYBODY if small.name(key) in said]
