"""Every route asked by everybody, from every platform: what the matrix allows is answered, the rest refused."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

import handlers.routes
import scoring.access
import storage.people
from cards.card import Card, Form
from handlers.call import Call, Platform
from handlers.routes import Route
from scoring.people import Person, Team
from tests.handlers import desk as small
from tests.handlers.desk import Desk, words

PLATFORMS: tuple[Platform, ...] = ("slack", "teams", "demo")
ASKERS = ("ana", "ben", "cora", "lena", "leo", "tom", "gus", "ute", "wim", *small.OFFICE_STAFF, "lou", "nobody")
"""Every role, in every team, a deputy (ben), a leaver (lou) and an account of nobody."""

PEOPLE = ("ana", "ben", "lena", "gus", "ute", "mara", "lou")
TEAMS = ("help-desk", "field", "tiny", "night", "office")
CORRECTIONS = {1: "ana", 2: "gus", 3: "ben", 4: "lena"}
PLANS = {1: ("help-desk", "fay"), 2: ("field", "hua"), 3: ("", "nora")}
"""Whose plan it is ("" is the desk's), and who sees to it."""

EXPECTED = {
    "myscore": ("scorecard", "self"), "teamscore": ("team_scorecard", "team"), "help": ("help", "none"),
    "whoami": ("whoami", "none"), "looked": ("who_looked", "self"), "person": ("scorecard", "person"),
    "corrections": ("help", "none"), "score": ("scorecard", "person"), "why": ("scorecard", "person"),
    "trend": ("scorecard", "person"), "tickets": ("tickets", "person"), "correct": ("correct_ticket", "self"),
    "corrected": ("correct_ticket", "self"), "confirm": ("decide_correction", "person"),
    "decline": ("decide_correction", "person"), "declined": ("decide_correction", "person"),
    "team_score": ("team_scorecard", "team"), "team_why": ("team_scorecard", "team"),
    "team_trend": ("team_scorecard", "team"), "team_people": ("team_people", "team"), "home": ("scorecard", "self"),
    "coach": ("coach", "person"), "coach_open": ("coach", "person"), "coach_book": ("coach", "person"),
    "coach_booked": ("coach", "person"), "coach_note": ("coach_notes", "person"),
    "coach_noted": ("coach_notes", "person"), "coach_notes": ("coach_notes", "person"),
    "coaching": ("coach_notes", "self"),
    "nudges": ("own_focus", "self"), "nudge_tickets": ("own_focus", "self"), "nudge_done": ("own_focus", "self"),
    "nudge_snooze": ("own_focus", "self"), "nudge_snoozed": ("own_focus", "self"),
    "nudge_not_mine": ("own_focus", "self"), "nudge_not_mine_said": ("own_focus", "self"),
    "nudge_stop": ("own_focus", "self"), "nudge_stopped": ("own_focus", "self"), "nudges_off": ("own_focus", "self"),
    "nudges_on": ("own_focus", "self"),
    "distortion": ("distortions", "none"), "distortion_new": ("distortions", "none"),
    "distortion_asked": ("distortions", "none"), "distortion_approve": ("distortions", "none"),
    "distortion_decline": ("distortions", "none"), "distortion_declined": ("distortions", "none"),
    "distortion_revert": ("distortions", "none"), "distortion_reverted": ("distortions", "none"),
    "comment_new": ("comment", "team"), "comment_kept": ("comment", "team"), "comment_back": ("comment", "team"),
    "plans": ("plans", "team"), "plan_new": ("keep_plan", "team"), "plan_added": ("keep_plan", "team"),
    "plan_done": ("report_plan", "team"), "plan_move": ("report_plan", "team"), "plan_moved": ("report_plan", "team"),
    "plan_block": ("report_plan", "team"), "plan_blocked": ("report_plan", "team"),
    "plan_unblock": ("report_plan", "team"), "plan_hand": ("report_plan", "team"),
    "plan_handed": ("report_plan", "team"), "plan_drop": ("keep_plan", "team"), "plan_dropped": ("keep_plan", "team"),
    "objectives": ("objectives", "none"), "objective_tree": ("objectives", "none"),
    "objective_open": ("objectives", "none"), "objective_new": ("objectives", "none"),
    "objective_added": ("objectives", "none"), "objective_change": ("objectives", "none"),
    "objective_changed": ("objectives", "none"), "objective_close": ("objectives", "none"),
    "objective_closed": ("objectives", "none"), "objective_examples": ("objectives", "none"),
    "objective_example": ("objectives", "none"), "priorities": ("priorities", "none"),
    "priorities_kept": ("priorities", "none"), "clients": ("clients", "none"), "client_list": ("clients", "none"),
    "client_take": ("clients", "none"), "client_contact": ("clients", "none"),
    "client_contacted": ("clients", "none"), "client_close": ("clients", "none"),
    "client_closed": ("clients", "none"),
    "lines": ("lines", "none"), "lines_adopt": ("decide_lines", "none"), "lines_change": ("decide_lines", "none"),
    "lines_set": ("decide_lines", "none"), "lines_keep": ("decide_lines", "none"),
    "lines_measure": ("decide_lines", "none"),
    "pilot_view": ("pilot_view", "self"), "pilot_said": ("pilot_view", "self"),
    "pilot_decide": ("decide_lines", "none"), "pilot_decided": ("decide_lines", "none"),
    "digest": ("digest", "team"), "digest_more": ("team_scorecard", "team"),
    "desk_digest_more": ("desk_scorecard", "none"), "manager_digest_more": ("manager_digest", "none"),
    "desk": ("desk_scorecard", "none"), "desk_score": ("desk_scorecard", "none"),
    "desk_why": ("desk_scorecard", "none"), "desk_trend": ("desk_scorecard", "none"),
}  # fmt: skip
"""What each route is for: a new one is added here with the act and the subject that were thought about."""


def routes() -> dict[str, Route]:
    return {**handlers.routes.WORDS, **handlers.routes.BUTTONS, "home": handlers.routes.HOME}


def test_every_route_is_in_the_matrix_with_what_it_is_about() -> None:
    assert {name: (route.act, route.about) for name, route in routes().items()} == EXPECTED
    assert not handlers.routes.WORDS.keys() & handlers.routes.BUTTONS.keys()


def test_every_route_asks_for_an_act_that_the_matrix_knows() -> None:
    assert {route.act for route in routes().values()} <= scoring.access.MATRIX.keys()


def test_no_route_about_a_person_or_a_team_is_open_to_everybody_known() -> None:
    for name, route in routes().items():
        if route.about != "none":
            assert not scoring.access.MATRIX[route.act] & {"known", "other", "peer", "unknown", "hr", "admin"}, name


@dataclass(frozen=True)
class Asked:
    """One way to ask: the call's values or text, and whom it is about ("" for nobody)."""

    about: str
    text: str = ""
    values: tuple[tuple[str, str], ...] = ()


def ways(desk: Desk, name: str, route: Route, who: str) -> Iterator[Asked]:
    """Every subject that a route can be asked about."""
    week = ("period", "2026-W31")
    csat = ("metric", "csat")
    if name in ("confirm", "decline", "declined"):
        yield from (Asked(p, values=(("correction", str(n)), ("answer", "No."))) for n, p in CORRECTIONS.items())
    elif name in ("person", "coach"):
        yield from (Asked(person, text=small.name(person)) for person in PEOPLE)
    elif route.act in ("keep_plan", "report_plan") and name not in ("plan_new", "plan_added"):
        said = ("version", "1"), ("reason", "No.")
        yield from (Asked(team, values=(("plan", str(n)), *said)) for n, (team, _) in PLANS.items())
    elif route.act in ("keep_plan", "comment"):
        yield from (Asked(team, values=(("team", str(desk.teams[team])), week, csat)) for team in TEAMS)
        yield Asked("", values=(week, csat))
    elif name in ("plans", "digest"):
        yield from (Asked(team, text=small.NAMES[team]) for team in TEAMS)
        yield Asked("", text="desk")
    elif name == "teamscore":
        yield from (Asked(team, text=f"{small.NAMES[team]} last week") for team in TEAMS)
    elif route.about == "person":
        for person in PEOPLE:
            yield Asked(person, values=(("person", str(desk.ids[person])), week, csat))
    elif route.about == "team":
        yield from (Asked(team, values=(("team", str(desk.teams[team])), week, csat)) for team in TEAMS)
    elif route.about == "self":
        # whoever else is named in the values of a route about oneself is of no account
        yield Asked(who, values=(("person", str(desk.ids["gus"])), week, csat))
    else:
        yield Asked("")


async def corrections_of(desk: Desk) -> None:
    for number, who in CORRECTIONS.items():
        await desk.change(
            "INSERT INTO correction (id, ticket, person_id, kind, reason, state, asked_at) "
            "VALUES (:id, :ticket, :who, 'not_mine', 'Because.', 'asked', 0)",
            id=number, ticket=f"desk/{number}", who=desk.ids[who],
        )  # fmt: skip


async def plans_of(desk: Desk) -> None:
    for number, (team, owner) in PLANS.items():
        await desk.change(
            "INSERT INTO plan (id, subject, metric, period, action, owner_id, due_day, state, outcome, moved, reason, "
            "blocker, opened_day, set_day, version) VALUES (:id, :subject, 'csat', '2026-W31', 'Ring.', :owner, :day, "
            "'open', '', 0, '', 'Stuck.', :day, :day, 1)",
            id=number, subject=f"team:{desk.teams[team]}" if team else "desk", owner=desk.ids[owner], day=small.TODAY,
        )  # fmt: skip


def act_of(route: Route, asked: Asked) -> str:
    """The act in the matrix: a plan of the desk is not for those who keep a team's."""
    narrow = {"keep_plan": "keep_{}_plan", "report_plan": "report_{}_plan"}
    return narrow.get(route.act, route.act).format("team" if asked.about else "desk")


def call(desk: Desk, who: str, name: str, route: Route, asked: Asked, platform: Platform) -> Call:
    kind = route.kinds[0]
    return desk.call(who, kind, name, asked.text, dict(asked.values), platform=platform)


async def looked_up(desk: Desk) -> tuple[dict[str, Person], dict[str, Team]]:
    async with desk.store.read() as db:
        people = {one.key: one for one in await storage.people.everyone(db, small.TODAY)}
        return people, {one.key: one for one in await storage.people.teams(db)}


REFUSALS = {what for what, _ in scoring.access._REMEDY.values()}


def is_refused(found: Card | Form) -> bool:
    """Whether the answer is a no of the matrix (a handler's own, about data, is none)."""
    if isinstance(found, Form):
        return False
    assert found.title != "Sorry, that did not work", words(found)
    text = words(found)
    return found.title == "We have not met yet" or any(what in text for what in REFUSALS) or "nobody called" in text


@pytest.mark.parametrize("name", EXPECTED)
async def test_the_matrix_holds_for_every_asker_subject_and_platform(sqlite_desk: Desk, name: str) -> None:
    desk, route = sqlite_desk, routes()[name]
    people, teams = await looked_up(desk)
    await corrections_of(desk)
    await plans_of(desk)
    wrong = []
    for who in ASKERS:
        asker = people.get(who)
        for index, asked in enumerate(ways(desk, name, route, who)):
            subject = teams.get(asked.about) if route.about == "team" else people.get(asked.about)
            relation = scoring.access.relation(asker, subject if asked.about else None)
            may = relation in scoring.access.MATRIX[act_of(route, asked)] and relation != "unknown"
            if name in ("person", "coach") and (asked.about == who or asked.about == "lou"):
                may = False  # by name one opens those one leads, and who has left is no longer led
            # every platform for every relation, without asking everything three times
            platforms = PLATFORMS if who in ("ana", "lena", "zoe") else (PLATFORMS[(len(who) + index) % 3],)
            for platform in platforms:
                before = await desk.everything()
                found = small.shown(await desk.dispatch.answer(call(desk, who, name, route, asked, platform)))
                if is_refused(found) is may:
                    wrong.append((who, asked.about, relation, platform, words(found)[:200]))
                if not may and await desk.everything() != before:
                    wrong.append((who, asked.about, relation, platform, "had an effect"))
                if may and name in ("confirm", "declined"):
                    await desk.change("UPDATE correction SET state = 'asked', decided_by = NULL")
                    await desk.change("DELETE FROM outbox")
    assert not wrong


async def test_the_answers_about_oneself_are_ones_own_whoever_the_values_name(desk: Desk) -> None:
    tampered = {"person": str(desk.ids["ben"]), "team": str(desk.teams["field"]), "period": "2026-W31"}
    for name, route in routes().items():
        if route.about == "self" and name != "corrected":
            answers = [
                await desk.dispatch.answer(desk.call("ana", kind, name, "", values))
                for kind, values in itertools.product(route.kinds[:1], ({"period": "2026-W31"}, tampered))
            ]
            assert answers[0] == answers[1], name


async def test_a_person_who_does_not_exist_is_refused_in_the_words_of_one_who_may_not_be_seen(
    sqlite_desk: Desk,
) -> None:
    for name in ("score", "why", "trend", "tickets"):
        cards = [
            await sqlite_desk.dispatch.answer(
                sqlite_desk.call("ana", "action", name, values={"person": number, "metric": "csat"})
            )
            for number in (str(sqlite_desk.ids["gus"]), "999999999")
        ]
        assert cards[0] == cards[1], name
    await corrections_of(sqlite_desk)
    for name in ("confirm", "decline"):
        answers = [
            await sqlite_desk.dispatch.answer(sqlite_desk.call("ana", "action", name, values={"correction": number}))
            for number in ("2", "999", "-1", "x")
        ]
        assert all(answer == answers[0] for answer in answers), name
