"""A metric that is new: measured without a colour, then lines are proposed, and a manager decides in the chat."""

from __future__ import annotations

import json
from datetime import timedelta
from statistics import median
from typing import Any

import pytest

import bot.config
import handlers.baselines
import handlers.freezing
import handlers.routes
import scoring.baselines
import scoring.periods
import storage.baselines
import storage.people
import storage.rollups
import storage.rules
from bot.config import Config
from bot.scheduler import REDFIRST
from cards.card import Badge, Card, Form
from handlers.call import Ctx
from scoring.refused import Refused
from scoring.schedules import Due, Schedule
from storage.baselines import Baseline
from tests.handlers import desk as small
from tests.handlers.desk import Desk, button, buttons, words

SHIPPED = bot.config.rules(Config())
DUE = Due(Schedule("baselines/desk", "baselines", "desk", "UTC", "daily", 360), 0, small.TODAY, "make")
APPLIED = small.NOW - timedelta(days=30)
SINCE = small.TODAY - 30
GLAD = {**SHIPPED["catalogue"]["metric"]["csat"], "title": "Glad clients"}
"""The same as CSAT under another name: its figures can be counted by hand."""
WEIGHTS = {"csat": 40, "real_time_entry": 30, "glad": 30}


def body(**rubric: Any) -> dict[str, Any]:
    one = {"name": "ours", "level": "person", "role": "technician", "from": "2026-01-01", "weights": WEIGHTS, **rubric}
    return {**SHIPPED, "own": {"metric": {"glad": GLAD}, "rubric": [one]}}


async def brought_in(desk: Desk, **rubric: Any) -> Desk:
    """Thirty days ago a new metric was put into a rubric, technicians' unless said otherwise."""
    async with desk.store.write() as db:
        await storage.rules.store(db, body(**rubric), "adam", APPLIED, after=1)
        found = await storage.rules.current(db)
        assert found is not None
    await storage.rollups.rebuild(desk.store, storage.rules.read(found), ["glad"])
    return desk


async def look(desk: Desk) -> list[Baseline]:
    """What happens by itself each day."""
    async with desk.store.write() as db:
        await handlers.baselines.look(Ctx(db, REDFIRST, desk.now, await desk.rules.get(db, desk.now)), DUE)
        return await storage.baselines.waiting(db)


async def proposed(desk: Desk, **rubric: Any) -> Baseline:
    [one] = await look(await brought_in(desk, **rubric))
    return one


def glad(card: Card) -> tuple[str, str]:
    """Status and text of the new metric on a scorecard whose greens are unfolded."""
    return next((b.status, b.text) for b in card.blocks if isinstance(b, Badge) and b.text.startswith("Glad clients"))


async def unfolded(desk: Desk, who: str, period: str) -> Card:
    card = await desk.ask(who, f"/myscore {period}")
    greens = [one for one in buttons(card) if one.text == "Greens"]
    return await desk.opened(who, greens[0]) if greens else card


def by_hand() -> list[float]:
    """Every technician's share of good answers over four weeks, at the end of each week since the metric is new."""
    found = []
    first = scoring.periods.monday(SINCE)
    for who in [one for keys in small.WORKERS.values() for one in keys]:
        for monday in range(first, small.THIS_WEEK, 7):
            ratings = [one.rating for one in small.of(who, monday - 21, monday + 6)]
            found.append(100 * sum(rating >= 4 for rating in ratings) / len(ratings))
    return sorted(found)


async def test_a_new_metric_shows_its_value_and_no_colour_and_does_not_count(desk: Desk) -> None:
    await brought_in(desk)
    desk.now = APPLIED + timedelta(days=2)
    card = await desk.ask("ana", "/myscore last week")
    status, text = glad(card)
    until = scoring.baselines.day(SINCE + 28)
    assert status == "none"
    assert f"over four weeks; measuring until {until}" in text
    assert "What is measured only does not count: it gives its weight to the others." in words(card)
    why = await desk.opened("ana", button(card, "Why", metric="glad"))
    assert f"none yet: measuring until {until}" in words(why)
    trend = await desk.opened("ana", button(why, "Trend"))
    assert "Red line" not in words(trend)
    desk.now = small.NOW
    assert glad(await desk.ask("ana", "/myscore last week"))[1].endswith("; measured; its lines wait for a decision")


async def test_after_four_weeks_managers_and_leadership_are_told_what_lines_the_readings_propose(desk: Desk) -> None:
    one = await proposed(desk)
    assert (one.state, one.level, one.metric, one.until_day) == ("proposed", "person", "glad", SINCE + 28)
    values, found = by_hand(), one.proposal
    assert found is not None
    assert (found.readings, found.subjects) == (len(values), 16)
    assert found.lines.target == pytest.approx(median(values), abs=1.0)
    assert found.counts.red + found.counts.amber + found.counts.green == len(values)
    assert found.counts.red > 0  # Ana's
    said = await desk.said()
    assert sorted(who for who, _ in said) == ["slack:T0001/UMARA", "slack:T0001/UZOE"]
    text = " ".join(body for _, body in said)
    assert f"{found.counts.red} red, {found.counts.amber} amber, {found.counts.green} green" in text
    assert "Ana" not in text
    assert await look(desk) == [one]
    assert len(await desk.said()) == 2


async def test_before_its_time_is_over_nothing_is_proposed_and_nobody_can_decide(desk: Desk) -> None:
    await brought_in(desk)
    desk.now = APPLIED + timedelta(days=27)
    [one] = await look(desk)
    assert (one.state, one.until_day) == ("measuring", SINCE + 28)
    assert await desk.said() == []
    card = await desk.ask("mara", "/redfirst lines")
    assert buttons(card) == []
    values = {"baseline": str(one.id), "version": "1"}
    found = await desk.dispatch.answer(desk.call("mara", "action", "lines_keep", "", values))
    assert "It is measured until" in words(small.shown(found))


async def test_adopted_lines_hold_from_today_and_no_period_before_gets_a_colour(desk: Desk) -> None:
    one = await proposed(desk)
    card = await desk.ask("mara", "/redfirst lines")
    done = await desk.opened("mara", button(card, "Adopt"))
    assert "Mara Moder set the lines: target" in words(done)
    status, text = glad(await desk.ask("ana", "/myscore last week"))
    assert (status, "measured without a colour until 5 August" in text) == ("none", True)
    assert glad(await unfolded(desk, "ana", "this week"))[0] == "red"
    assert glad(await unfolded(desk, "gus", "this week"))[0] in ("green", "amber")
    assert await desk.one("SELECT count(*) FROM audit WHERE act = 'lines adopted'") == 1
    assert all("set the lines" in text for _, text in await desk.said())  # what the others were asked is renewed
    found = await desk.dispatch.answer(desk.call("zoe", "action", "lines_adopt", "", {
        "baseline": str(one.id), "version": str(one.version)}))  # fmt: skip
    assert "was decided on or measured on since by Mara Moder" in words(small.shown(found))


async def test_another_version_of_the_file_keeps_what_was_adopted(desk: Desk) -> None:
    await proposed(desk)
    await desk.opened("mara", button(await desk.ask("mara", "/redfirst lines"), "Adopt"))
    before = glad(await unfolded(desk, "ana", "this week"))
    named = {**body(), "own": {**body()["own"], "organisation": {"name": "Nord"}}}
    async with desk.store.write() as db:
        applied = await storage.rules.current(db)
        assert applied is not None
        number = await storage.rules.store(db, named, "adam", small.NOW, after=applied.version)
        found = await storage.rules.get(db, number)
        assert found is not None
        assert found.body["baselines"] == applied.body["baselines"]
    assert glad(await unfolded(desk, "ana", "this week")) == before


async def test_a_manager_sets_other_lines_and_they_are_tightened_again_only_a_quarter_later(desk: Desk) -> None:
    await proposed(desk)

    async def put(**answers: str) -> Card:
        form = await desk.press("mara", button(await desk.ask("mara", "/redfirst lines"), label))
        assert isinstance(form, Form), words(form)
        return await desk.fill("mara", form, **answers)

    label = "Set others"
    before = await desk.everything()
    for target, red in (("70", "80"), ("120", "80"), ("", "80"), ("nan", "1")):
        assert (await put(target=target, red=red)).title == "Not this time"
    assert await desk.everything() == before
    done = await put(target="80", red="70,5", reason="Summer.")
    assert "target 80 %, red line 70.5 %" in words(done)
    assert "Summer." in words(done)
    label = "Change"
    allowed = scoring.periods.date_of(small.TODAY + 91)
    listed = words(await desk.ask("ana", "/redfirst lines"))
    assert f"May be tightened from {allowed.day} {allowed:%b %Y} on" in listed
    assert "target 81 %" in words(await put(target="81", red="70"))  # a mistake is mended on its day
    desk.now += timedelta(days=10)
    assert f"from {allowed.isoformat()} on" in words(await put(target="85", red="70"))
    assert "target 75 %, red line 65 %" in words(await put(target="75", red="65"))
    desk.now = small.NOW + timedelta(days=91)
    assert "target 85 %, red line 75 %" in words(await put(target="85", red="75"))


async def test_the_lines_of_the_file_can_be_kept(desk: Desk) -> None:
    await proposed(desk)
    done = await desk.opened("zoe", button(await desk.ask("zoe", "/redfirst lines"), "Keep the file's"))
    assert "Zoe Moder keeps the lines of the file: target 85 %, red line 75 %" in words(done)
    assert glad(await unfolded(desk, "ana", "this week"))[0] == "red"
    assert "Nothing is proposed" not in words(await desk.ask("zoe", "/redfirst lines"))
    assert await look(desk) == []


async def test_it_can_be_measured_on_and_is_proposed_again(desk: Desk) -> None:
    await proposed(desk)
    done = await desk.opened("mara", button(await desk.ask("mara", "/redfirst lines"), "Measure on"))
    assert "It is measured on until 2 Sep 2026" in words(done)
    assert glad(await desk.ask("ana", "/myscore this week"))[1].endswith("measuring until 2 September")
    [one] = await look(desk)
    assert (one.state, one.proposal, one.until_day) == ("measuring", None, small.TODAY + 28)
    desk.now += timedelta(days=28)
    [one] = await look(desk)
    assert one.state == "proposed"
    assert len(await desk.said()) == 4


async def test_what_would_be_told_of_fewer_than_five_people_is_not_proposed(desk: Desk) -> None:
    one = await proposed(desk, team="tiny")
    assert (one.state, one.proposal, one.until_day) == ("measuring", None, small.TODAY + 7)
    assert len(await desk.said()) == 2
    assert "too few readings to propose lines from" in (await desk.said())[0][1]
    desk.now += timedelta(days=7)
    [one] = await look(desk)
    assert one.until_day == small.TODAY + 14
    assert len(await desk.said()) == 2  # said once
    form = await desk.press("mara", button(await desk.ask("mara", "/redfirst lines"), "Set others"))
    assert isinstance(form, Form)
    assert "target 80 %" in words(await desk.fill("mara", form, target="80", red="70"))


async def test_teams_with_five_people_each_are_what_lines_for_teams_are_drawn_from(desk: Desk) -> None:
    rubric = {"level": "team", "role": "", "name": "all teams", "from": "2026-01-01"}
    one = {key: value for key, value in {**body(**rubric)["own"]["rubric"][0]}.items() if value}
    async with desk.store.write() as db:
        own = {"metric": {"glad": GLAD}, "rubric": [{**one, "weights": {"csat": 70, "glad": 30}}]}
        await storage.rules.store(db, {**SHIPPED, "own": own}, "adam", APPLIED, after=1)
        found = await storage.rules.current(db)
        assert found is not None
    await storage.rollups.rebuild(desk.store, storage.rules.read(found), ["glad"])
    [kept] = await look(desk)
    assert kept.proposal is not None
    # the help desk has a rubric of its own, tiny is too small, and those of the night shift have agreed to be told of
    assert kept.proposal.subjects == len({"field", "night"})
    assert kept.proposal.readings >= scoring.baselines.ENOUGH
    assert kept.state == "proposed"
    team = await desk.ask("leo", "/teamscore")
    assert glad(team)[0] == "none"


async def test_everybody_sees_what_is_measured_and_only_managers_and_leadership_decide(desk: Desk) -> None:
    one = await proposed(desk)
    for who in small.EVERYBODY:
        if who == "lou":
            continue
        card = await desk.ask(who, "/redfirst lines")
        assert "Glad clients, people" in words(card)
        assert bool(buttons(card)) is (who in ("mara", "zoe")), who
        assert ("They would have been" in words(card)) is (who in ("mara", "zoe")), who
    values = {"baseline": str(one.id), "version": str(one.version), "target": "80", "red": "70"}
    for who in ("ana", "lena", "hugo", "adam"):
        for route in ("lines_adopt", "lines_change", "lines_set", "lines_keep", "lines_measure"):
            before = await desk.everything()
            kind: Any = handlers.routes.BUTTONS[route].kinds[0]
            found = small.shown(await desk.dispatch.answer(desk.call(who, kind, route, "", values)))
            assert "decided on by" in words(found), (who, route)
            assert await desk.everything() == before


async def test_a_metric_that_leaves_the_rubrics_is_no_longer_measured(desk: Desk) -> None:
    one = await proposed(desk)
    async with desk.store.write() as db:
        await storage.rules.store(db, SHIPPED, "adam", small.NOW, after=2)
    assert await look(desk) == []
    assert await desk.one("SELECT state FROM baseline") == "dropped"
    values = {"baseline": str(one.id), "version": str(one.version)}
    found = small.shown(await desk.dispatch.answer(desk.call("mara", "action", "lines_adopt", "", values)))
    assert "not measured any more" in words(found)


async def test_of_two_decisions_one_counts(desk: Desk) -> None:
    one = await proposed(desk)
    async with desk.store.write() as db:
        assert await storage.baselines.change(db, one, one)
        assert not await storage.baselines.change(db, one, one)
        applied = await storage.rules.current(db)
        assert applied is not None
        with pytest.raises(Refused):
            await storage.rules.store(db, applied.body, "mara", small.NOW, after=applied.version - 1)


async def test_what_was_frozen_while_it_was_measured_stays_without_a_colour(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    await proposed(desk)
    async with desk.store.write() as db:
        ctx = Ctx(db, REDFIRST, desk.now, await desk.rules.get(db, desk.now))
        ana = await storage.people.get(db, desk.ids["ana"], small.TODAY)
        assert ana is not None
        assert await handlers.freezing.freeze(ctx, await handlers.freezing.made(ctx, ana)) > 0
    await desk.opened("mara", button(await desk.ask("mara", "/redfirst lines"), "Adopt"))
    kept = await desk.rows("SELECT body FROM frozen_score WHERE subject = :who", who=f"person:{desk.ids['ana']}")
    for (text,) in kept:
        [reading] = [one for one in json.loads(text)["readings"] if one["metric"] == "glad"]
        assert (reading["status"], reading["score"]) == ("none", None)
    assert glad(await desk.ask("ana", "/myscore 2026-W30"))[0] == "none"
