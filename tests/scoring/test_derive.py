"""Derived columns: a figure is only ever about what was in somebody's hands."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

import scoring.derive
import scoring.directory
from scoring.directory import Directory
from scoring.fairness import DEFAULT, Fairness
from scoring.people import OFFICE, Membership, Team

ANN, BEN, DISPATCHER = 1, 2, 3
KEYS = {"s/ann": ANN, "s/ben": BEN, "s/dora": DISPATCHER}
MONDAY = 20_528  # 2026-03-16, in Berlin an hour ahead of UTC
TEAMS = [
    Team(1, "one", "One", "Europe/Berlin", OFFICE, frozenset({MONDAY + 3})),
    Team(2, "two", "Two", "Europe/Berlin"),
]


def at(day: int, hour: float) -> int:
    """UTC seconds of an hour in Berlin's winter, some days after Monday 16 March 2026."""
    return int(datetime(2026, 3, 16, tzinfo=UTC).timestamp() + day * 86_400 + (hour - 1) * 3_600)


def people(*memberships: Membership, zone: str = "Europe/Berlin") -> Directory:
    held = memberships or tuple(Membership(p, 1 + (p == BEN), "technician", MONDAY - 100) for p in KEYS.values())
    return scoring.directory.build([(p, zone, None) for p in KEYS.values()], TEAMS, held, KEYS, {"acme": 1})


def derived(
    table: str, fairness: Fairness = DEFAULT, directory: Directory | None = None, **facts: Any
) -> list[dict[str, Any]]:
    frames = {
        name: pl.DataFrame(rows, infer_schema_length=None) for name, rows in facts.items() if name != "person_day"
    }
    return scoring.derive.derive(frames, directory or people(), fairness)[table].rows(named=True)


def ticket(**columns: Any) -> dict[str, Any]:
    """Opened by Ann's client on Monday at ten, resolved by Ann at noon."""
    return {"id": "t", "opened_at": at(0, 10), "resolved_at": at(0, 12), "resolver": "s/ann", "owner": "s/ann",
            "first_worker": "s/ann", **columns}  # fmt: skip


def event(
    number: int, when: int, what: str, owner: str | None = None, actor: str | None = None, **more: Any
) -> dict[str, Any]:
    return {
        "id": f"e{number}",
        "ticket": "t",
        "seq": number,
        "at": when,
        "what": what,
        "owner": owner,
        "actor": actor,
        **more,
    }


def one(**columns: Any) -> dict[str, Any]:
    return derived("ticket", ticket=[ticket(**columns)])[0]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"reopens": 1}, True),
        ({"reopens": 0}, False),
        ({}, None),
        ({"reopens": 1, "reopened_at": at(3, 9)}, True),
        ({"reopens": 1, "reopened_at": at(9, 9)}, False),
        ({"reopens": 1, "reopen_reason": "thanks"}, False),
        ({"reopens": 1, "reopen_reason": "new_request"}, False),
        ({"reopens": 1, "reopen_reason": "not_fixed"}, True),
    ],
)
def test_a_reopening_counts_within_a_week_and_not_for_a_thank_you(
    columns: dict[str, Any], expected: bool | None
) -> None:
    assert one(**columns)["reopened"] is expected


def test_the_reasons_that_do_not_count_can_be_edited() -> None:
    strict = Fairness(not_reopened=("duplicate",))
    assert derived("ticket", strict, ticket=[ticket(reopens=1, reopen_reason="thanks")])[0]["reopened"] is True


def test_a_reopening_is_about_who_closed_too_early_and_not_about_who_mended_it() -> None:
    events = [event(1, at(0, 11), "resolved", "s/ann", "s/ann"), event(2, at(1, 9), "reopened", "s/ben"),
              event(3, at(1, 12), "resolved", "s/ben", "s/ben")]  # fmt: skip
    found = derived("ticket", ticket=[ticket(resolver="s/ben", resolved_at=at(1, 12))], ticket_event=events)[0]
    assert (found["reopened"], found["closer"], found["closed_on"]) == (True, ANN, at(0, 11))


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"interactions": 1}, True),
        ({"interactions": 2}, False),
        ({}, None),
        ({"interactions": 1, "escalations": 1}, False),
        ({"interactions": 1, "escalations": 1, "mandated": True}, None),
        ({"interactions": 1, "reassignments": 1}, False),
        ({"interactions": 1, "channel": "monitoring"}, None),
        ({"interactions": 1, "channel": "email"}, False),
        ({"interactions": 1, "channel": "email", "resolved_at": at(0, 11)}, True),
        ({"interactions": 1, "channel": "email", "opened_at": at(-3, 16.5), "resolved_at": at(0, 9.5)}, True),
        ({"interactions": 1, "channel": "phone"}, True),
        ({"interactions": 1, "reopens": 1}, False),
        ({"interactions": 1, "resolved_at": None}, None),
    ],
)
def test_first_contact_is_one_interaction_and_for_mail_one_business_hour(
    columns: dict[str, Any], expected: bool | None
) -> None:
    assert one(**columns)["first_contact"] is expected


def test_who_receives_what_was_passed_on_had_no_first_contact() -> None:
    ana = one(first_worker="s/ann")["first_contact_by"]
    assert ana is not None
    assert one(first_worker="s/ann", resolver="s/ben", escalations=1)["first_contact_by"] == ana
    assert one(first_worker=None, resolver="s/ann")["first_contact_by"] == ana
    assert one(first_worker=None, escalations=1)["first_contact_by"] is None
    assert one(first_worker=None, reassignments=2)["first_contact_by"] is None


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, True),
        ({"resolver": "s/ben"}, False),
        ({"resolver": "s/ben", "mandated": True}, None),
        ({"first_worker": "s/dora", "dispatcher": "s/dora"}, None),
        ({"reopens": 1}, False),
        ({"first_worker": None}, None),
    ],
)
def test_a_dispatchers_touch_is_no_first_worker_and_a_required_escalation_no_failure(
    columns: dict[str, Any], expected: bool | None
) -> None:
    assert one(**columns)["first_time_fix"] is expected


def test_waiting_is_business_time_and_holds_do_not_count() -> None:
    found = one(opened_at=at(-3, 16), responded_at=at(0, 9.5), resolved_at=at(0, 12), hold_minutes=45)
    assert found["wait_minutes"] == 90
    assert found["open_minutes"] == 60 + 180 - 45


def test_holds_told_by_events_leave_the_time_to_resolve() -> None:
    events = [event(1, at(0, 10.5), "hold", "s/ann"), event(2, at(0, 11.25), "resumed", "s/ann")]
    assert derived("ticket", ticket=[ticket()], ticket_event=events)[0]["open_minutes"] == 120 - 45


def test_a_paused_ticket_does_not_burn_sla() -> None:
    late = {"completion_due_at": at(0, 11.5)}
    assert one(**late)["completion_ok"] is False
    assert one(**late, hold_minutes=20)["completion_ok"] is False
    assert one(**late, hold_minutes=30)["completion_ok"] is True
    moved = Fairness(holds_extend_due=False)
    assert derived("ticket", moved, ticket=[ticket(**late, hold_minutes=30)])[0]["completion_ok"] is False


def test_what_the_source_says_of_a_stage_goes_before_its_times() -> None:
    assert one(completion_met=True, completion_due_at=at(0, 11))["completion_ok"] is True
    assert one()["completion_ok"] is None


def test_a_breach_belongs_to_whoever_held_it_longest_before_it_was_due() -> None:
    events = [event(1, at(0, 10), "assigned", "s/ann"), event(2, at(0, 15), "assigned", "s/ben"),
              event(3, at(1, 12), "resolved", "s/ben")]  # fmt: skip
    late = ticket(resolver="s/ben", resolved_at=at(1, 12), completion_due_at=at(0, 16))
    assert derived("ticket", ticket=[late], ticket_event=events)[0]["completion_by"] == ANN


def test_a_ticket_that_arrives_late_counts_for_nobody_who_receives_it() -> None:
    events = [event(1, at(0, 17), "assigned", "s/ben"), event(2, at(1, 12), "resolved", "s/ben")]
    late = ticket(resolver="s/ben", owner="s/ben", resolved_at=at(1, 12), completion_due_at=at(0, 16))
    assert derived("ticket", ticket=[late], ticket_event=events)[0]["completion_by"] is None


def test_nights_are_not_held_against_the_one_on_whose_desk_it_slept() -> None:
    events = [event(1, at(0, 10), "assigned", "s/ann"), event(2, at(0, 16.5), "assigned", "s/ben"),
              event(3, at(1, 12), "resolved", "s/ben")]  # fmt: skip
    late = ticket(resolver="s/ben", resolved_at=at(1, 12), completion_due_at=at(1, 9.5))
    assert derived("ticket", ticket=[late], ticket_event=events)[0]["completion_by"] == ANN


def test_triage_belongs_to_the_dispatcher() -> None:
    found = one(dispatcher="s/dora", triaged_at=at(0, 11), triage_due_at=at(0, 10.5))
    assert (found["triage_ok"], found["triage_by"]) == (False, DISPATCHER)


@pytest.mark.parametrize(
    ("again", "expected"),
    [(at(5, 9), True), (at(31, 9), False), (at(0, 11), False)],
)
def test_a_repeat_is_the_same_person_and_category_within_thirty_days(again: int, expected: bool) -> None:
    first = ticket(requester="x", category="printer")
    others = [{"id": "u", "requester": "x", "category": "printer", "opened_at": again},
              {"id": "v", "requester": "y", "category": "printer", "opened_at": at(1, 9)},
              {"id": "w", "requester": "x", "category": "mail", "opened_at": at(1, 9)}]  # fmt: skip
    found = {row["id"]: row["repeated"] for row in derived("ticket", ticket=[first, *others])}
    assert found["t"] is expected


def test_where_clocks_disagree_a_ticket_is_no_repeat_of_itself() -> None:
    who = {"requester": "x", "category": "printer"}
    odd = ticket(**who, id="odd", opened_at=at(3, 9), resolved_at=at(0, 9))
    earlier = ticket(**who, id="earlier", opened_at=at(-60, 9), resolved_at=at(-59, 9))
    found = {row["id"]: row["repeated"] for row in derived("ticket", ticket=[odd, earlier])}
    assert found == {"odd": False, "earlier": False}
    again = ticket(**who, id="again", opened_at=at(1, 9), resolved_at=at(1, 10))
    found = {row["id"]: row["repeated"] for row in derived("ticket", ticket=[odd, again])}
    assert found == {"odd": True, "again": True}


def test_the_same_day_is_the_local_day_of_whoever_closed_it() -> None:
    evening = ticket(opened_at=at(0, 23.5), resolved_at=at(1, 0.5))
    assert derived("ticket", ticket=[evening])[0]["same_day"] is False
    overseas = people(zone="America/New_York")
    assert derived("ticket", directory=overseas, ticket=[evening])[0]["same_day"] is True


def test_an_open_ticket_is_a_span_in_the_hands_that_held_it() -> None:
    events = [event(1, at(0, 10), "assigned", "s/ann"), event(2, at(2, 10), "assigned", "s/ben")]
    rows = derived("span", ticket=[ticket(resolved_at=None, resolver=None, owner="s/ben")], ticket_event=events)
    assert [(r["holder"], r["from_day"], r["until_day"]) for r in rows] == [
        (ANN, MONDAY, MONDAY + 2), (BEN, MONDAY + 2, None)]  # fmt: skip
    assert [r["aged_day"] for r in rows] == [MONDAY + 14, MONDAY + 14]


def test_waiting_for_the_client_does_not_age_a_ticket() -> None:
    events = [event(1, at(0, 10), "assigned", "s/ann"), event(2, at(5, 10), "hold"), event(3, at(9, 10), "resumed")]
    still = ticket(resolved_at=None, resolver=None)
    assert {r["aged_day"] for r in derived("span", ticket=[still], ticket_event=events)} == {MONDAY + 18}
    assert {r["aged_day"] for r in derived("span", ticket=[still], ticket_event=events[:2])} == {None}
    assert derived("span", ticket=[{**still, "hold_minutes": 2_400}])[0]["aged_day"] == MONDAY + 21


def test_a_client_is_informed_on_the_day_of_an_update_and_until_its_hours_are_over() -> None:
    events = [event(1, at(0, 10), "updated", "s/ann", "s/ann"), event(2, at(4, 15), "updated", "s/ann", "s/ann"),
              event(3, at(8, 10), "updated", "s/ann", "robot")]  # fmt: skip
    rows = derived("informed", ticket=[ticket(resolved_at=at(9, 12))], ticket_event=events)
    assert sorted((r["from_day"], r["until_day"]) for r in rows) == [(MONDAY, MONDAY + 1), (MONDAY + 4, MONDAY + 7)]


def test_unlinked_accounts_earn_and_owe_nothing() -> None:
    found = one(resolver="s/shared", first_worker="s/shared", owner="s/shared")
    assert {found[name] for name in ("keeper", "closer", "fixer", "responder", "completion_by", "handler")} == {None}


EXTENT = [{"table_name": "time_entry", "first_day": MONDAY, "last_day": MONDAY + 6}]


def _capacity(**facts: Any) -> dict[int, float]:
    rows = derived("capacity", directory=people(Membership(ANN, 1, "technician", MONDAY + 1)), extent=EXTENT, **facts)
    days: dict[int, float] = {}
    for row in rows:
        days[row["day"] - MONDAY] = days.get(row["day"] - MONDAY, 0) + row["minutes"]
    return days


def test_capacity_is_the_calendar_of_members_without_holidays_and_leave() -> None:
    assert _capacity() == {1: 480, 2: 480, 4: 480}
    leave = [{"id": "a", "account": "s/ann", "first_day": MONDAY + 1, "last_day": MONDAY + 1},
             {"id": "b", "account": "s/ann", "first_day": MONDAY + 2, "last_day": MONDAY + 2, "minutes_per_day": 240},
             {"id": "c", "account": "s/ann", "first_day": MONDAY + 1, "last_day": MONDAY + 1}]  # fmt: skip
    assert _capacity(leave=leave) == {2: 240, 4: 480}


@pytest.mark.parametrize("kind", ["training", "peer_review", "root_cause", "improvement"])
def test_learning_and_improving_leave_the_denominator(kind: str) -> None:
    entry = {"id": "e", "account": "s/ann", "kind": kind, "started_at": at(4, 9), "minutes": 60}
    assert _capacity(time_entry=[entry])[4] == 420
    assert _capacity(time_entry=[{**entry, "kind": "client"}])[4] == 480
    assert _capacity(training=[{"id": "x", "account": "s/ann", "day": MONDAY + 4, "minutes": 90}])[4] == 390


def test_hours_on_another_teams_ticket_are_internal_support() -> None:
    entry = {"id": "e", "account": "s/ben", "ticket": "t", "kind": "client", "started_at": at(0, 11), "minutes": 30}
    rows = derived("time_entry", ticket=[ticket()], time_entry=[entry, {**entry, "id": "f", "account": "s/ann"}])
    assert [(r["elsewhere"], r["productive"]) for r in rows] == [(True, True), (False, True)]


def test_an_entry_is_in_time_within_five_minutes_of_the_work() -> None:
    entry = {"id": "e", "account": "s/ann", "started_at": at(0, 9), "ended_at": at(0, 10)}
    late = [{**entry, "id": str(late), "entered_at": at(0, 10) + late} for late in (0, 300, 301)]
    assert [r["on_time"] for r in derived("time_entry", time_entry=late)] == [True, True, False]


def test_an_escalation_succeeds_when_it_is_neither_bounced_nor_reopened() -> None:
    base = {"to_account": "s/ben", "due_at": at(0, 12), "accepted_at": at(0, 11), "resolved_at": at(1, 9)}
    rows = [{"id": "a", **base}, {"id": "b", **base, "bounced": True}, {"id": "c", **base, "reopened": True},
            {"id": "d", **base, "accepted_at": None}, {"id": "e", **base, "resolved_at": None},
            {"id": "f", **base, "ticket": "t"}]  # fmt: skip
    found = derived("escalation", escalation=rows, ticket=[ticket(reopens=1)])
    assert [r["succeeded"] for r in found] == [True, False, False, None, None, False]
    assert [r["answered"] for r in found] == [True, True, True, False, True, True]


def test_a_survey_without_a_name_is_about_the_resolver() -> None:
    rows = derived("survey", ticket=[ticket()], survey=[
        {"id": "a", "ticket": "t"}, {"id": "b", "ticket": "t", "account": "s/ben"}, {"id": "c", "ticket": "u"},
    ])  # fmt: skip
    assert [r["rated"] for r in rows] == [ANN, BEN, None]


def test_a_certification_counts_through_its_last_day_and_only_while_required() -> None:
    row = {"id": "c", "account": "s/ann", "required_from": 10, "required_to": 20, "valid_from": 5, "valid_to": 15}
    found = derived("certification", certification=[row])[0]
    assert (found["required_until"], found["held_day"], found["held_until"]) == (21, 10, 16)


def test_a_count_of_endpoints_holds_until_the_next() -> None:
    rows = [{"id": str(day), "client": "acme", "day": day, "count": 3} for day in (30, 1)]
    assert [(r["day"], r["until_day"]) for r in derived("endpoints", endpoints=rows)] == [(1, 30), (30, None)]
