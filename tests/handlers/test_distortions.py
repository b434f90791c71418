"""From "the mail was down" to figures that leave those days out, said on every card and taken back at any time."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

import cards.card
import handlers.freezing
import scoring.periods
import storage.audit
import storage.columnar
import storage.distortions
import storage.people
import storage.rollups
import storage.windows
import storage.workings
from bot.scheduler import REDFIRST
from bot.workings import LEASE, Workings
from cards.card import Button, Card, Form
from handlers.call import Ctx
from handlers.groups import Group
from storage.rebuilds import Pages
from tests.handlers import desk as small
from tests.handlers.desk import Desk, button, buttons, words
from tests.storage.at_work import nothing

WEEK = "2026-W30"
"""The last week that is mature."""
FIRST = small.THIS_WEEK - 14
NOTE = f"Mail outage, 20–21 Jul: left out, approved by {small.name('mara')}."


def date(day: int) -> str:
    return scoring.periods.date_of(day).isoformat()


async def declare(desk: Desk, who: str = "lena", **answers: str) -> Card:
    """Lena declares that the mail was down on the first two days of the week, for her team."""
    given = {
        "kind": "outage", "words": "Mail outage", "scope": f"team:{desk.teams['help-desk']}", "first": date(FIRST),
        "last": date(FIRST + 1), "metric": "all", "weight": "0",
    }  # fmt: skip
    return await desk.fill(who, Form("", "distortion_asked", ()), **{**given, **answers})


async def told(desk: Desk, who: str) -> list[Card]:
    accounts = {small.account(who, "slack"), small.account(who, "teams"), small.account(who, "demo")}
    return [cards.card.from_json(json.loads(body)) for to, body in await desk.said() if to in accounts]


async def approve(desk: Desk, who: str = "mara", number: int = 1) -> Card:
    """A second person says yes, and it is worked in."""
    card = await desk.opened(who, Button("", "distortion_approve", {"distortion": str(number)}))
    assert await work(desk) == 1
    return card


async def approved(desk: Desk) -> Card:
    await declare(desk)
    return await approve(desk)


def works(desk: Desk) -> Workings:
    return Workings(desk.store, desk.rules, lambda: desk.now, REDFIRST)


async def work(desk: Desk) -> int:
    """What the clockwork does; how many decisions it was."""
    return await works(desk).turn()


async def undo(desk: Desk, who: str = "mara") -> Card:
    return await desk.fill(who, Form("", "distortion_reverted", (), values={"distortion": "1"}), reason="No.")


async def answers_of(desk: Desk, who: str = "eli") -> str:
    return words(await desk.opened(who, Button("Why", "why", {"period": WEEK, "metric": "csat"})))


async def close_periods(desk: Desk) -> int:
    """What the clockwork does for Eli, the team and the desk."""
    async with desk.store.write() as db:
        eli = await storage.people.get(db, desk.ids["eli"], small.TODAY)
        team = await storage.people.team(db, desk.teams["help-desk"])
        assert eli is not None
        assert team is not None
        ctx = Ctx(db, eli, desk.now, await desk.rules.get(db, desk.now))
        count = await handlers.freezing.freeze(ctx, await handlers.freezing.made(ctx, eli))
        for group in (Group(team, True), Group(team), Group(None)):
            count += await handlers.freezing.freeze(ctx, await handlers.freezing.made(ctx, group))
        return count


async def test_a_lead_declares_and_a_manager_is_asked(desk: Desk) -> None:
    listed = await desk.ask("lena", "/redfirst distortion")
    assert "Nothing is distorted" in words(listed)
    form = await desk.press("lena", button(listed, "Declare one"))
    assert isinstance(form, Form)
    assert [choice.text for choice in form.inputs[2].choices] == ["Help Desk"]
    card = await declare(desk)
    assert f"I have asked {small.name('mara')}." in words(card)
    [asked] = await told(desk, "mara")
    assert asked.title == f"{small.name('lena')} declares a distortion"
    assert [b.text for b in buttons(asked)] == ["Approve", "Decline"]
    assert (button(asked, "Approve").once, button(asked, "Decline").once) == (True, False)
    assert await desk.one("SELECT act FROM audit WHERE subject = 'distortion:1'") == "distortion declared"
    assert "Mail outage" not in await answers_of(desk)  # nothing counts before a second person says so


async def test_approved_it_leaves_the_days_out_and_every_card_says_so(desk: Desk) -> None:
    week = small.of("eli", FIRST, FIRST + 6)
    assert f"÷ {len(week)} " in await answers_of(desk)
    card = await approved(desk)
    assert card.title == "Distortion approved"
    assert "It is being worked into the figures, and I tell you when that is done." in words(card)
    for who in ("lena", "mara"):
        assert (await told(desk, who))[-1].title == "Distortion approved"
        assert "Mail outage, 20–21 Jul, is left out from now on." in words((await told(desk, who))[-1])
    assert f"÷ {len(week) - 2} " in await answers_of(desk)
    assert NOTE in await answers_of(desk)
    for who, said in (
        ("eli", f"/myscore {WEEK}"), ("lena", f"/teamscore {WEEK}"), ("ana", f"/teamscore {WEEK}"),
        ("eli", "/myscore last week"),  # whose colours rest on four weeks
    ):  # fmt: skip
        assert NOTE in words(await desk.ask(who, said)), said
    whole = NOTE.replace("Mail outage", "Mail outage (Help Desk)")
    assert whole in words(await desk.ask("zoe", f"/redfirst desk {WEEK}"))
    for who, said in (("gus", f"/myscore {WEEK}"), ("leo", f"/teamscore {WEEK}"), ("eli", "/myscore 2026-W26")):
        assert "Mail outage" not in words(await desk.ask(who, said)), said


async def test_the_tickets_behind_a_figure_say_why_they_do_not_count(sqlite_desk: Desk) -> None:
    await approved(sqlite_desk)
    card = await sqlite_desk.opened("eli", Button("", "tickets", {"period": WEEK, "metric": "csat"}))
    assert words(card).count("left out: Mail outage") == 2
    card = await sqlite_desk.opened("gus", Button("", "tickets", {"period": WEEK, "metric": "csat"}))
    assert "Mail outage" not in words(card)


async def test_half_counts_half(sqlite_desk: Desk) -> None:
    await declare(sqlite_desk, weight="500", scope="desk", who="zoe")
    await approve(sqlite_desk)
    assert "÷ 4 " in await answers_of(sqlite_desk)
    assert "counted half" in await answers_of(sqlite_desk)


async def test_one_metric_alone_may_be_distorted(sqlite_desk: Desk) -> None:
    await declare(sqlite_desk, metric="csat")
    await approve(sqlite_desk)
    assert "Mail outage, 20–21 Jul: CSAT left out" in await answers_of(sqlite_desk)
    other = await sqlite_desk.opened("eli", Button("", "why", {"period": WEEK, "metric": "reopen_rate"}))
    assert "÷ 5 " in words(other)


async def test_nobody_approves_their_own_and_no_lead_their_teams(sqlite_desk: Desk) -> None:
    await declare(sqlite_desk)
    yes = Button("", "distortion_approve", {"distortion": "1"})
    for who in ("lena", "ben", "ana", "gus"):
        assert "approved by a second person" in words(await sqlite_desk.press(who, yes)), who
    assert await sqlite_desk.one("SELECT state FROM distortion") == "asked"
    await declare(sqlite_desk, who="mara", scope="desk")
    yes = Button("", "distortion_approve", {"distortion": "2"})
    for who in ("mara", "lena", "leo"):
        assert "approved by a second person" in words(await sqlite_desk.press(who, yes)), who
    assert "Distortion approved" in words(await sqlite_desk.press("adam", yes))


async def test_the_lead_of_another_team_may_approve(sqlite_desk: Desk) -> None:
    await declare(sqlite_desk)
    listed = await sqlite_desk.ask("leo", "/redfirst distortion")
    assert "Distortion approved" in words(await sqlite_desk.press("leo", button(listed, "Approve")))


@pytest.mark.parametrize("who", ["ana", "cora", "hugo"])
async def test_others_declare_nothing(sqlite_desk: Desk, who: str) -> None:
    card = await declare(sqlite_desk, who)
    assert card.title == "Not this time"
    form = await sqlite_desk.press(who, Button("", "distortion_new", {}))
    assert isinstance(form, Card)
    assert await sqlite_desk.one("SELECT count(*) FROM distortion") == 0


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"scope": "desk"}, "left open"),
        ({"scope": "team:2"}, "left open"),
        ({"metric": "nothing"}, "left open"),
        ({"kind": "?"}, "left open"),
        ({"words": " "}, "sentence is missing"),
        ({"last": "2026-07-01"}, "before the first"),
        ({"first": "yesterday"}, "do not understand that day"),
    ],
)
async def test_a_form_that_is_not_filled_in_right_is_refused(
    sqlite_desk: Desk, answers: dict[str, str], said: str
) -> None:
    assert said in words(await declare(sqlite_desk, **answers))
    assert await sqlite_desk.one("SELECT count(*) FROM distortion") == 0


async def test_a_no_needs_a_sentence_and_changes_no_figure(sqlite_desk: Desk) -> None:
    before = await answers_of(sqlite_desk)
    await declare(sqlite_desk)
    form = await sqlite_desk.press("mara", button((await told(sqlite_desk, "mara"))[0], "Decline"))
    assert isinstance(form, Form)
    assert "A sentence is missing" in words(await sqlite_desk.fill("mara", form, reason=" "))
    card = await sqlite_desk.fill("mara", form, reason="The mail was up.")
    assert f"{small.name('mara')} declined it: The mail was up." in words(card)
    assert (await told(sqlite_desk, "lena"))[-1] == card
    assert await answers_of(sqlite_desk) == before


async def test_of_many_clicks_one_wins_and_the_others_are_told_who_decided(desk: Desk) -> None:
    await declare(desk)
    yes = Button("", "distortion_approve", {"distortion": "1"})
    found = await asyncio.gather(*(desk.opened("mara" if i % 2 else "leo", yes) for i in range(6)))
    assert sum(one.title == "Distortion approved" for one in found) == 1
    assert all("decided this already: approved" in words(one) for one in found if one.title != "Distortion approved")
    assert await desk.one("SELECT count(*) FROM audit WHERE act = 'distortion approved'") == 1
    assert await work(desk) == 1
    assert f"÷ {len(small.of('eli', FIRST, FIRST + 6)) - 2} " in await answers_of(desk)  # left out once


async def test_who_clicks_at_the_same_moment_is_told_who_decided(desk: Desk) -> None:
    await declare(desk)
    yes = Button("", "distortion_approve", {"distortion": "1"})
    async with desk.store.write() as db:  # Leo's click, not over yet
        [asked] = await storage.distortions.of_state(db, "asked")
        approved = replace(asked, state="approved", decided_by=desk.ids["leo"])
        assert await storage.distortions.decide(db, approved, int(desk.now.timestamp()))
        late = asyncio.create_task(desk.opened("mara", yes))
        await waits(desk, late)
    assert f"{small.name('leo')} has decided this already: approved." in words(await late)


async def waits(desk: Desk, task: asyncio.Task[Any]) -> None:
    """Until the task has come as far as it can while somebody else writes."""
    if desk.store.is_sqlite:  # all who write stand in line
        return
    while not await desk.one("SELECT count(*) FROM pg_locks WHERE NOT granted") and not task.done():
        await asyncio.wait([task], timeout=0.01)


async def test_taken_back_the_figures_count_as_they_are_again(desk: Desk) -> None:
    before = await answers_of(desk)
    await approved(desk)
    listed = await desk.ask("lena", "/redfirst distortion")
    form = await desk.press("lena", button(listed, "Take back"))
    assert isinstance(form, Form)
    assert "A sentence is missing" in words(await desk.fill("lena", form, reason=""))
    card = await desk.fill("lena", form, reason="It was the week after.")
    assert "took it back: It was the week after." in words(card)
    assert "left out; figures change in a moment" not in before
    assert "Mail outage, 20–21 Jul: being taken back; figures change in a moment." in await answers_of(desk)
    assert "it has no effect" in words(await desk.fill("lena", form, reason="Again."))
    assert await work(desk) == 1
    assert await answers_of(desk) == before
    assert "The figures count as they are again." in words((await told(desk, "mara"))[-1])
    acts = [row[0] for row in await desk.rows("SELECT act FROM audit WHERE subject = 'distortion:1' ORDER BY id")]
    assert acts == [
        "distortion declared", "distortion approved", "distortion worked in", "distortion reverted",
        "distortion worked in",
    ]  # fmt: skip


async def test_closed_scores_that_it_touches_get_a_new_version_with_its_reason(desk: Desk) -> None:
    assert await close_periods(desk) > 0
    kept = [tuple(row) for row in await desk.rows("SELECT * FROM frozen_score ORDER BY 1, 2, 3")]
    before = await answers_of(desk)
    await approved(desk)
    for who in ("mara", "lena"):
        assert "One closed score has a new version" in words((await told(desk, who))[-1])
    closed = await answers_of(desk)
    assert "Closed with version 1 of the rules, version 2: Mail outage, 20–21 Jul." in closed
    assert closed != before
    after = [tuple(row) for row in await desk.rows("SELECT * FROM frozen_score ORDER BY 1, 2, 3")]
    assert [row for row in after if row[2] == 1] == kept  # no version is ever edited
    new = {(row[0], row[1]) for row in after if row[2] == 2}
    assert new == {(f"person:{desk.ids['eli']}", WEEK)}  # others were over before the mail went down, or are open
    await undo(desk)
    assert await work(desk) == 1
    assert "version 3: Mail outage, 20–21 Jul, taken back." in await answers_of(desk)


async def test_closed_scores_of_the_team_and_the_desk_follow_too(sqlite_desk: Desk) -> None:
    await close_periods(sqlite_desk)
    days = {"first": date(FIRST - 35), "last": date(FIRST - 34)}
    await declare(sqlite_desk, **days)
    await approve(sqlite_desk)
    rows = await sqlite_desk.rows("SELECT subject, period FROM frozen_score WHERE version = 2")
    new = {(row[0], row[1]) for row in rows}
    team, eli = f"team:{sqlite_desk.teams['help-desk']}", f"person:{sqlite_desk.ids['eli']}"
    for who in (team, f"{team}:open", "desk", eli):
        assert (who, "2026-W25") in new, who
        assert (who, "2026-W24") not in new
    assert (eli, "2026-W28") in new  # its colours rest on four weeks
    assert (eli, "2026-W29") not in new


@pytest.mark.parametrize("scope", ["team", "desk"])
async def test_closed_scores_follow_too_where_a_rebuild_brought_the_figures(desk: Desk, scope: str) -> None:
    await close_periods(desk)
    days = {"first": date(FIRST - 35), "last": date(FIRST - 34)}
    await declare(desk, **days, **({"who": "mara", "scope": "desk"} if scope == "desk" else {}))
    await desk.press("zoe" if scope == "desk" else "mara", Button("", "distortion_approve", {"distortion": "1"}))
    now = int(desk.now.timestamp())
    async with desk.store.write() as db:
        one = await storage.workings.claim(db, "falls", now, now + LEASE)
        rules = await desk.rules.get(db, desk.now)
    assert one is not None
    assert await storage.windows.work(desk.store, rules, one, lambda: now + LEASE, nothing, lambda: True) is None
    assert await storage.rollups.rebuild(desk.store, rules) > 0
    assert await work(desk) == 1
    rows = await desk.rows("SELECT subject, period FROM frozen_score WHERE version = 2")
    new = {(row[0], row[1]) for row in rows}
    team, eli = f"team:{desk.teams['help-desk']}", f"person:{desk.ids['eli']}"
    for who in (team, f"{team}:open", "desk", eli):
        assert (who, "2026-W25") in new, who
        assert (who, "2026-W24") not in new
    assert f"{len(new)} closed scores have a new version" in words((await told(desk, "mara"))[-1])


async def test_closed_scores_are_looked_at_while_others_write(desk: Desk) -> None:
    await close_periods(desk)
    await declare(desk, first=date(FIRST - 35), last=date(FIRST - 34))
    await desk.press("mara", Button("", "distortion_approve", {"distortion": "1"}))
    read: list[bool] = []

    def note(connection: Any, _cursor: object, statement: str, *_: object) -> None:
        if "rollup_week" in statement and not statement.startswith(("INSERT", "DELETE")):
            read.append(connection.get_execution_options().get("writing", True))

    event.listen(desk.store.engine.sync_engine, "before_cursor_execute", note)
    assert await work(desk) == 1
    assert read
    assert not any(read)


async def test_what_came_to_be_known_meanwhile_is_looked_at_again(desk: Desk) -> None:
    await close_periods(desk)
    await declare(desk)
    await desk.press("mara", Button("", "distortion_approve", {"distortion": "1"}))
    asked = 0
    writes: list[asyncio.Task[None]] = []

    def clock() -> datetime:  # it is asked in every step
        nonlocal asked
        asked += 1
        if asked % 2:
            writes.append(asyncio.create_task(noted(desk)))
        return desk.now

    assert await Workings(desk.store, desk.rules, clock, REDFIRST).turn() == 1
    await asyncio.gather(*writes)
    assert len(writes) > 5
    assert await desk.one("SELECT count(*) FROM frozen_score WHERE version = 2") == 1
    assert await desk.one("SELECT count(*) FROM frozen_score WHERE version = 3") == 0


async def noted(desk: Desk) -> None:
    async with desk.store.write() as db:
        await storage.audit.add(db, int(desk.now.timestamp()), "lena", "something decided", "plan:1", {})


async def test_a_decision_that_fails_keeps_no_other_waiting(desk: Desk) -> None:
    await close_periods(desk)
    await declare(desk)
    await declare(desk, words="Power cut", first=date(FIRST - 35), last=date(FIRST - 34))
    eli = f"person:{desk.ids['eli']}"
    spoilt = "UPDATE frozen_score SET body = :body WHERE subject = :who AND period = :at"
    body = await desk.one("SELECT body FROM frozen_score WHERE subject = :who AND period = :at", who=eli, at=WEEK)
    await desk.change(spoilt, body="{}", who=eli, at=WEEK)
    for number in ("1", "2"):
        await desk.press("mara", Button("", "distortion_approve", {"distortion": number}))
    process = works(desk)
    with pytest.raises(KeyError):
        await process.turn()
    assert await process.turn() == 1
    assert await desk.rows("SELECT id FROM distortion WHERE work <> '' ORDER BY id") == [(1,)]
    desk.now += timedelta(seconds=LEASE + 1)
    with pytest.raises(KeyError):
        await process.turn()
    assert await process.turn() == 0  # not at once again
    left = await desk.rows("SELECT subject FROM distortion_score WHERE distortion_id = 1 AND NOT done")
    assert left == [(eli,)]  # whoever else it concerns has been looked at
    await desk.change(spoilt, body=body, who=eli, at=WEEK)
    desk.now += timedelta(seconds=LEASE + 1)
    assert await process.turn() == 1
    assert await desk.one("SELECT count(*) FROM frozen_score WHERE period = :at AND version = 2", at=WEEK) == 1


async def test_facts_that_arrive_later_are_left_out_too(sqlite_desk: Desk) -> None:
    await approved(sqlite_desk)
    before = await answers_of(sqlite_desk)
    late = [small.Work(30_001, "eli", FIRST, 1)]
    await sqlite_desk.put("ticket", small.tickets(late))
    await sqlite_desk.put("survey", small.surveys(late))
    assert await answers_of(sqlite_desk) == before


async def test_the_list_shows_to_each_what_concerns_them(sqlite_desk: Desk) -> None:
    await declare(sqlite_desk)
    assert "Waiting for a second person" in words(await sqlite_desk.ask("lena", "/redfirst distortion"))
    assert [b.text for b in buttons(await sqlite_desk.ask("lena", "/redfirst distortion"))] == ["Declare one"]
    assert "Waiting" not in words(await sqlite_desk.ask("ana", "/redfirst distortion"))
    await sqlite_desk.press("mara", Button("", "distortion_approve", {"distortion": "1"}))
    assert "Mail outage" in words(await sqlite_desk.ask("ana", "/redfirst distortion"))
    assert buttons(await sqlite_desk.ask("ana", "/redfirst distortion")) == []
    assert "Mail outage" not in words(await sqlite_desk.ask("gus", "/redfirst distortion"))
    assert "There is no such distortion." in words(
        await sqlite_desk.press("mara", Button("", "distortion_approve", {"distortion": "x"}))
    )


async def test_until_it_is_worked_in_cards_say_so_and_count_as_before(desk: Desk) -> None:
    before = await answers_of(desk)
    await declare(desk)
    await desk.press("mara", Button("", "distortion_approve", {"distortion": "1"}))
    note = "Mail outage, 20–21 Jul: being worked in; figures change in a moment."
    said = await answers_of(desk)
    assert note in said
    assert f"÷ {len(small.of('eli', FIRST, FIRST + 6))} " in said
    assert before in said.replace(f"{note}\n", "") or note not in before
    tickets = await desk.opened("eli", Button("", "tickets", {"period": WEEK, "metric": "csat"}))
    assert "left out: Mail outage" not in words(tickets)
    assert "being worked in" in words(await desk.ask("lena", "/redfirst distortion"))
    assert [one.title for one in await told(desk, "lena")] == []  # told when it is done
    await work(desk)
    assert "being worked in" not in await answers_of(desk)


async def test_taken_back_before_it_was_worked_in_nobody_is_told_that_it_counts(desk: Desk) -> None:
    before = await answers_of(desk)
    await declare(desk)
    await desk.press("mara", Button("", "distortion_approve", {"distortion": "1"}))
    await undo(desk, "lena")
    assert await work(desk) == 1
    assert await answers_of(desk) == before
    assert [one.title for one in await told(desk, "lena")] == ["Distortion reverted"]
    assert [one.title for one in await told(desk, "mara")][1:] == ["Distortion reverted"]


async def test_a_process_that_falls_leaves_it_to_another(desk: Desk) -> None:
    await close_periods(desk)
    await declare(desk)
    await desk.press("mara", Button("", "distortion_approve", {"distortion": "1"}))
    async with desk.store.write() as db:  # it has it, and is heard of no more
        now = int(desk.now.timestamp())
        assert await storage.workings.claim(db, "gone", now, now + LEASE) is not None
    assert await work(desk) == 0
    assert await told(desk, "lena") == []
    desk.now += timedelta(seconds=LEASE + 1)
    assert await work(desk) == 1
    assert "One closed score has a new version" in words((await told(desk, "lena"))[-1])


async def test_stopped_between_two_steps_it_is_gone_on_with_and_nothing_is_done_twice(desk: Desk) -> None:
    await close_periods(desk)
    await declare(desk, first=date(FIRST - 35), last=date(FIRST - 34))
    await desk.press("mara", Button("", "distortion_approve", {"distortion": "1"}))
    turns = asked = 0
    stops: list[asyncio.Task[None]] = []

    def clock() -> datetime:  # it is asked in every step; after some the process is told to stop
        nonlocal asked
        asked += 1
        if asked % 40 == 0:
            stops.append(asyncio.create_task(process.stop()))
        return desk.now

    while True:
        process = Workings(desk.store, desk.rules, clock, REDFIRST)
        turns += 1
        if await process.turn():
            break
        assert turns < 20
    await asyncio.gather(*stops)
    assert turns > 1
    new = await desk.rows("SELECT subject, period FROM frozen_score WHERE version > 1")
    assert len(new) > 5
    assert len(new) == len({tuple(row) for row in new})
    card = (await told(desk, "lena"))[-1]
    assert f"{len(new)} closed scores have a new version" in words(card)
    assert await desk.one("SELECT count(*) FROM distortion_score") == 0


async def test_several_processes_work_it_in_once(desk: Desk) -> None:
    await close_periods(desk)
    await declare(desk)
    await desk.press("mara", Button("", "distortion_approve", {"distortion": "1"}))
    assert sum(await asyncio.gather(*(work(desk) for _ in range(3)))) == 1
    assert f"÷ {len(small.of('eli', FIRST, FIRST + 6)) - 2} " in await answers_of(desk)
    assert await desk.one("SELECT count(*) FROM frozen_score WHERE version = 2") == 1
    assert [one.title for one in await told(desk, "lena")] == ["Distortion approved"]


async def test_a_period_is_not_closed_by_figures_read_half_way(desk: Desk) -> None:
    await declare(desk)
    await desk.press("mara", Button("", "distortion_approve", {"distortion": "1"}))
    now = int(desk.now.timestamp())
    async with desk.store.write() as db:
        one = await storage.workings.claim(db, "falls", now, now + LEASE)
        rules = await desk.rules.get(db, desk.now)
    assert one is not None
    left = iter([False, False])  # one window, one transaction of it
    some = Pages(written=3)
    stopping = lambda: next(left, True)  # noqa: E731
    assert await storage.windows.work(desk.store, rules, one, lambda: now + LEASE, nothing, stopping, some) is None
    async with desk.store.read() as db:
        eli = await storage.people.get(db, desk.ids["eli"], small.TODAY)
        assert eli is not None
        read = await handlers.freezing.made(Ctx(db, eli, desk.now, rules), eli)
    assert read
    desk.now += timedelta(seconds=LEASE + 1)
    assert await work(desk) == 1
    async with desk.store.write() as db:
        assert await handlers.freezing.freeze(Ctx(db, eli, desk.now, rules), read) == 0


async def test_a_period_is_not_closed_while_it_is_noted_that_figures_have_changed(desk: Desk) -> None:
    async with desk.store.read() as db:
        eli = await storage.people.get(db, desk.ids["eli"], small.TODAY)
        assert eli is not None
        rules = await desk.rules.get(db, desk.now)
        read = await handlers.freezing.made(Ctx(db, eli, desk.now, rules), eli)
    assert read

    async def close() -> int:
        async with desk.store.write() as db:
            return await handlers.freezing.freeze(Ctx(db, eli, desk.now, rules), read)

    async with desk.store.write() as db:
        await storage.columnar.lock(db)
        closing = asyncio.create_task(close())
        await waits(desk, closing)
        await storage.audit.add(db, int(desk.now.timestamp()), "redfirst", "distortion worked in", "distortion:1", {})
    assert await closing == 0
