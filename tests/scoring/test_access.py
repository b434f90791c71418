"""Access: the whole matrix of roles, relations and acts."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

import scoring.access
from scoring.people import ROLES, Person, Role, Team
from scoring.refused import Refused

BLUE, RED = Team(1, "blue", "Blue"), Team(2, "red", "Red")
OFFICES = ("leadership", "hr", "admin")
PERSONAL = ("scorecard", "tickets", "who_looked", "correct_ticket", "decide_correction", "team_people")
ACTS = [*scoring.access.MATRIX, "an_act_nobody_wrote_down"]


def person(id: int, role: Role = "technician", team: int | None = 1, **more: Any) -> Person:
    return replace(Person(id, f"p{id}", f"Person {id}", role, team), **more)


SUBJECT = person(9)

# how an asker can stand to person 9 of team Blue, for every role: (fields of the asker, relation for plain roles)
STANDINGS: dict[str, tuple[dict[str, Any], str]] = {
    "self": ({"id": 9}, "self"),
    "manager": ({"id": 1, "team_id": None, "managed": frozenset({9})}, "lead"),
    "lead of the team": ({"id": 1, "led_teams": frozenset({1})}, "lead"),
    "peer": ({"id": 1}, "peer"),
    "in another team": ({"id": 1, "team_id": 2}, "other"),
    "lead of another team": ({"id": 1, "team_id": 2, "led_teams": frozenset({2}), "managed": frozenset({4})}, "other"),
    "in no team": ({"id": 1, "team_id": None}, "other"),
}


def may(asker: Person | None, act: str, subject: Person | Team | None) -> bool:
    try:
        scoring.access.allowed(asker, act, subject)
    except Refused as refused:
        return not (refused.what and refused.remedy)  # a refusal without a way to go is none
    return True


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("standing", STANDINGS)
@pytest.mark.parametrize("act", ACTS)
def test_the_matrix_for_a_person(role: Role, standing: str, act: str) -> None:
    fields, plain = STANDINGS[standing]
    asker = person(**{"id": 1, "role": role, **fields})
    expected = plain if role not in OFFICES or plain == "self" else role
    assert scoring.access.relation(asker, SUBJECT) == expected
    assert may(asker, act, SUBJECT) is (expected in scoring.access.MATRIX.get(act, frozenset()))


@pytest.mark.parametrize("act", PERSONAL)
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("standing", [s for s, (_, plain) in STANDINGS.items() if plain in ("peer", "other")])
def test_nothing_of_a_person_is_open_to_anybody_but_them_and_their_lead(act: str, role: Role, standing: str) -> None:
    asker = person(**{"id": 1, "role": role, **STANDINGS[standing][0]})
    assert not may(asker, act, SUBJECT)


@pytest.mark.parametrize("role", OFFICES)
@pytest.mark.parametrize("act", PERSONAL)
def test_leadership_hr_and_administrators_see_no_persons_figures_whoever_reports_to_them(role: Role, act: str) -> None:
    asker = person(1, role, managed=frozenset({9}), led_teams=frozenset({1}))
    assert not may(asker, act, SUBJECT)
    assert not may(asker, act, BLUE)


@pytest.mark.parametrize("role", ROLES)
def test_everybody_opens_their_own_scorecard_and_who_looked_at_it(role: Role) -> None:
    me = person(1, role)
    for act in ("scorecard", "tickets", "who_looked", "correct_ticket"):
        assert may(me, act, me)


@pytest.mark.parametrize("role", ROLES)
def test_nobody_decides_their_own_correction(role: Role) -> None:
    me = person(1, role, managed=frozenset({1, 9}), led_teams=frozenset({1}))
    assert not may(me, "decide_correction", me)


def test_who_looked_is_not_told_to_the_lead_who_looked() -> None:
    assert not may(person(1, "lead", managed=frozenset({9})), "who_looked", SUBJECT)


def test_a_lead_does_not_open_the_scorecard_of_their_own_manager_in_the_team() -> None:
    boss = person(9, "manager")
    lead = person(1, "lead", led_teams=frozenset({1}), manager_id=9)
    assert scoring.access.relation(lead, boss) == "peer"
    assert not may(lead, "scorecard", boss)


def test_a_deputy_who_is_a_technician_stands_in_for_the_lead() -> None:
    assert may(person(1, managed=frozenset({9})), "decide_correction", SUBJECT)


TEAM_STANDINGS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "member": ({"team_id": 1}, {"plain": "member", "leadership": "leadership", "hr": "member", "admin": "member"}),
    "lead": ({"team_id": 1, "led_teams": frozenset({1})},
             {"plain": "lead", "leadership": "leadership", "hr": "member", "admin": "member"}),
    "lead from outside": ({"team_id": None, "led_teams": frozenset({1})},
                          {"plain": "lead", "leadership": "leadership", "hr": "hr", "admin": "admin"}),
    "manager of its lead": ({"team_id": None, "over_teams": frozenset({1})},
                            {"plain": "leadership", "leadership": "leadership", "hr": "hr", "admin": "admin"}),
    "other": ({"team_id": 2, "led_teams": frozenset({2})},
              {"plain": "other", "leadership": "leadership", "hr": "hr", "admin": "admin"}),
}  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("standing", TEAM_STANDINGS)
@pytest.mark.parametrize("act", ACTS)
def test_the_matrix_for_a_team(role: Role, standing: str, act: str) -> None:
    fields, relations = TEAM_STANDINGS[standing]
    asker = person(**{"id": 1, "role": role, **fields})
    expected = relations.get(role, relations["plain"])
    assert scoring.access.relation(asker, BLUE) == expected
    assert may(asker, act, BLUE) is (expected in scoring.access.MATRIX.get(act, frozenset()))


def test_a_teams_scorecard_is_open_to_its_members_lead_and_leadership_only() -> None:
    assert may(person(1), "team_scorecard", BLUE)
    assert may(person(1, "coordinator"), "team_scorecard", BLUE)
    assert may(person(1, "manager", None, led_teams=frozenset({1})), "team_scorecard", BLUE)
    assert may(person(1, "leadership", None), "team_scorecard", BLUE)
    roles: tuple[Role, ...] = ("technician", "lead", "manager", "hr", "admin")
    for role in roles:
        assert not may(person(1, role, 2), "team_scorecard", BLUE)


@pytest.mark.parametrize(("role", "act"), list(itertools.product(ROLES, ACTS)))
def test_the_matrix_for_the_product_itself(role: Role, act: str) -> None:
    expected = role if role in OFFICES else "known"
    assert scoring.access.relation(person(1, role), None) == expected
    assert may(person(1, role), act, None) is (expected in scoring.access.MATRIX.get(act, frozenset()))


def test_settings_and_accounts_are_an_administrators() -> None:
    for role in ROLES:
        assert may(person(1, role), "settings", None) is (role == "admin")
        assert may(person(1, role), "link_account", None) is (role == "admin")


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("subject", [None, SUBJECT, BLUE])
@pytest.mark.parametrize("asker", [None, person(9, active=False), person(1, "admin", active=False)])
def test_an_unknown_account_gets_help_and_its_own_name_and_nothing_else(
    act: str, subject: Person | Team | None, asker: Person | None
) -> None:
    assert may(asker, act, subject) is (act in ("help", "whoami"))


def test_an_unknown_account_is_told_how_to_get_linked() -> None:
    with pytest.raises(Refused, match="administrator to link it"):
        scoring.access.allowed(None, "scorecard", None)


def test_every_act_that_can_be_refused_says_where_to_go() -> None:
    for act, relations in scoring.access.MATRIX.items():
        assert relations <= set(scoring.access.RELATIONS)
        if set(scoring.access.RELATIONS) - relations - {"unknown"}:
            assert act in scoring.access._REMEDY
    assert set(scoring.access._REMEDY) <= set(scoring.access.MATRIX)
