"""The catalogue: complete, in the same form for us and for users, and kind to those it measures."""

from __future__ import annotations

from typing import Any

import pytest

import scoring.catalogue
import scoring.facts
import storage.catalogue
from scoring.fairness import Fairness
from scoring.refused import Refused

SHIPPED = storage.catalogue.shipped()
METRICS = scoring.catalogue.load(SHIPPED, {})

PROMISED = {
    "first_contact_resolution", "first_level_resolution", "first_time_fix", "sla_triage", "sla_engagement",
    "sla_completion", "reopen_rate", "escalation_rate", "reassignments", "utilisation", "real_time_entry",
    "estimate_variance", "csat", "survey_return_rate", "nps", "same_day_closure", "aged_tickets", "average_wait",
    "time_to_resolve", "escalated_time_to_resolve", "reactive_hours_per_endpoint", "repeat_incidents",
    "escalation_response", "escalation_success", "internal_support", "kept_informed", "weighted_throughput",
    "certifications",
}  # fmt: skip

MINE: dict[str, Any] = {
    "title": "Tickets with a workaround",
    "unit": "%",
    "direction": "up",
    "perspective": "customer",
    "kind": "rate",
    "scale": 100,
    "levels": ["person"],
    "influence": {"person": "You tell people what they can do meanwhile."},
    "formula": "tickets with a workaround ÷ tickets resolved",
    "numerator": {"value": "workaround IS NOT NULL"},
    "denominator": {"table": "ticket", "value": "1", "credit": "resolver", "day": "resolved_at"},
}


def _mine(**changes: Any) -> dict[str, Any]:
    return {"mine": {**MINE, **changes}}


def test_every_metric_that_was_promised_is_there() -> None:
    assert set(METRICS) == PROMISED


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_every_shipped_metric_says_how_each_level_influences_it_and_has_lines(name: str) -> None:
    metric = METRICS[name]
    assert set(metric.influence) == set(metric.levels)
    assert all(sentence.startswith("You ") and sentence.endswith(".") for sentence in metric.influence.values())
    assert metric.lines is not None
    assert metric.formula


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_at_its_target_every_shipped_metric_scores_at_least_ninety_by_its_own_lines(name: str) -> None:
    lines = METRICS[name].lines
    assert lines is not None
    assert (lines.worst - lines.target) / (lines.worst - lines.best) >= 0.9


@pytest.mark.parametrize(
    ("name", "target"),
    [("first_contact_resolution", 76), ("sla_triage", 97), ("sla_engagement", 95), ("sla_completion", 90),
     ("reopen_rate", 5), ("escalation_rate", 25), ("utilisation", 80), ("real_time_entry", 90), ("csat", 85),
     ("survey_return_rate", 20), ("average_wait", 30), ("reactive_hours_per_endpoint", 0.25),
     ("repeat_incidents", 10), ("kept_informed", 90), ("certifications", 100)],
)  # fmt: skip
def test_starting_targets_are_the_published_ones(name: str, target: float) -> None:
    lines = METRICS[name].lines
    assert lines is not None
    assert lines.target == target


def test_a_user_adds_a_metric_in_the_same_form() -> None:
    metric = scoring.catalogue.load(SHIPPED, _mine())["mine"]
    assert metric.numerator.credit == metric.denominator.credit == "resolver"
    assert metric.lines is None
    assert len(metric.digest) == 64


def test_an_override_names_only_what_it_changes() -> None:
    lines = {"target": 90, "red": 80, "worst": 50, "best": 100}
    changed = scoring.catalogue.load(SHIPPED, {"csat": {"lines": lines}})["csat"]
    assert changed.lines is not None
    assert changed.lines.target == 90
    assert changed.title == METRICS["csat"].title
    assert changed.digest == METRICS["csat"].digest, "lines do not change sums"


def test_an_override_of_one_line_or_one_sentence_keeps_the_others() -> None:
    changed = scoring.catalogue.load(SHIPPED, {"csat": {"lines": {"target": 86}}})["csat"]
    before = METRICS["csat"].lines
    assert changed.lines is not None
    assert before is not None
    assert (changed.lines.target, changed.lines.red) == (86, before.red)
    said = scoring.catalogue.load(SHIPPED, {"csat": {"influence": {"person": "You ask how it went."}}})["csat"]
    assert said.influence["person"] == "You ask how it went."
    assert said.influence["team"] == METRICS["csat"].influence["team"]


def test_an_override_of_one_part_of_a_side_keeps_the_rest_of_it() -> None:
    changed = scoring.catalogue.load(SHIPPED, {"csat": {"denominator": {"where": "rating > 1"}}})["csat"]
    assert changed.denominator.where == "rating > 1"
    assert changed.denominator.credit == METRICS["csat"].denominator.credit
    assert changed.digest != METRICS["csat"].digest
    with pytest.raises(Refused, match="value is missing"):
        scoring.catalogue.load(SHIPPED, {"csat": {"denominator": {"table": "ticket"}}})


def test_the_digest_changes_with_whatever_changes_sums() -> None:
    digests = {scoring.catalogue.load(SHIPPED, changes)["mine"].digest for changes in (
        _mine(),
        _mine(numerator={"value": "knowledge IS NOT NULL"}),
        _mine(denominator={**MINE["denominator"], "where": "tier = 1"}),
        _mine(denominator={**MINE["denominator"], "credit": "owner"}),
    )}  # fmt: skip
    digests.add(scoring.catalogue.load(SHIPPED, _mine(), Fairness(reopen_days=3))["mine"].digest)
    assert len(digests) == 5


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"direction": "sideways"}, "direction"),
        ({"kind": "median"}, "kind"),
        ({"tilte": "x"}, "'title'"),
        ({"min_sample": "ten"}, "min_sample"),
        ({"min_sample": True}, "min_sample"),
        ({"title": 3}, "title"),
        ({"levels": []}, "levels"),
        ({"levels": ["people"]}, "levels"),
        ({"levels": ["person", "team"]}, "level team"),
        ({"influence": {"person": "Work"}}, "level person"),
        ({"influence": "You work well."}, "influence"),
        ({"subject": "client"}, "credit"),
        ({"numerator": {"value": "workarund IS NULL"}}, "'workaround'"),
        ({"numerator": {"valu": "1"}}, "'value'"),
        ({"denominator": {"table": "tickets", "value": "1", "credit": "resolver", "day": "resolved_at"}}, "'ticket'"),
        ({"denominator": {**MINE["denominator"], "credit": "resolvr"}}, "'resolver'"),
        ({"denominator": {**MINE["denominator"], "credit": "client"}}, "credit"),
        ({"denominator": {**MINE["denominator"], "day": "resolved"}}, "'resolved_at'"),
        ({"denominator": {**MINE["denominator"], "day": "title"}}, "day"),
        ({"denominator": {**MINE["denominator"], "shape": "level"}}, "until"),
        ({"denominator": {**MINE["denominator"], "until": "closed_at"}}, "until"),
        ({"denominator": {"table": "ticket", "value": "1", "credit": "resolver"}}, "day is missing"),
        ({"lines": {"target": 90, "red": 95, "worst": 50, "best": 100}}, "order"),
        ({"lines": {"target": 90, "red": 80, "worst": 50}}, "lines"),
        ({"lines": {"target": "90", "red": 80, "worst": 50, "best": 100}}, "lines"),
        ({"lines": {"target": 90, "red": 90, "worst": 90, "best": 90}}, "order"),
    ],
)
def test_a_mistake_is_refused_with_metric_and_name(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused) as refused:
        scoring.catalogue.load(SHIPPED, _mine(**changes))
    assert "metric mine" in refused.value.what
    assert said in str(refused.value)


COUNTING = {
    "numerator": {"table": "ticket", "value": "1", "credit": "resolver", "day": "resolved_at"},
    "denominator": {"table": "capacity", "value": "minutes", "credit": "person", "day": "day"},
}


CLOSED_OF_OPENED = {
    "numerator": {"table": "ticket", "value": "1", "credit": "resolver", "day": "resolved_at"},
    "denominator": {"table": "ticket", "value": "1", "credit": "owner", "day": "opened_at"},
}


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Tickets closed"},
        {"title": "Kill rate"},
        {"title": "Utilisation ranking"},
        {"title": "Number of knowledge articles"},
        {"title": "Output", **COUNTING},
        {"title": "Output", **COUNTING, "numerator": {**COUNTING["numerator"], "value": "COALESCE(complexity, 1)"}},
        {"title": "Output", **COUNTING, "numerator": {**COUNTING["numerator"], "value": "resolved_at IS NOT NULL"}},
        {"title": "Output", **COUNTING, "numerator": {**COUNTING["numerator"], "value": "workaround IS NOT NULL"}},
        {"title": "Output", **COUNTING,
         "numerator": {"table": "ticket_event", "value": "what = 'resolved'", "credit": "actor", "day": "at"}},
        {"title": "Output", **COUNTING,
         "numerator": {"table": "ticket_event", "value": "1", "where": "what = 'resolved'", "credit": "actor",
                       "day": "at"}},
        {"title": "Output", **CLOSED_OF_OPENED},
        {"title": "Output", **CLOSED_OF_OPENED,
         "numerator": {**CLOSED_OF_OPENED["numerator"], "where": "tier = 1"}},
        {"title": "Output", **COUNTING, "numerator": {**COUNTING["numerator"], "value": "closed_at IS NOT NULL"},
         "denominator": {"table": "time_entry", "value": "minutes", "credit": "account", "day": "started_at"}},
        {"title": "Utilisation rank"},
        {"title": "Ranked by CSAT"},
    ],
)
def test_counting_and_ranking_people_is_refused_unless_somebody_says_why(changes: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="picking easy work"):
        scoring.catalogue.load(SHIPPED, _mine(**changes))
    known = scoring.catalogue.load(SHIPPED, _mine(**changes, i_know="The works council asked for it."))
    assert known["mine"].levels == ("person",)
    of_team = {**changes, "levels": ["team"], "influence": {"team": "You share the work out evenly."}}
    assert scoring.catalogue.load(SHIPPED, _mine(**of_team))["mine"].levels == ("team",)


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Time for clients",
         "numerator": {"table": "time_entry", "value": "minutes", "where": "productive", "credit": "account",
                       "day": "started_at"},
         "denominator": {"table": "capacity", "value": "minutes", "credit": "person", "day": "day"}},
        {"title": "Workarounds", "numerator": {"value": "workaround IS NOT NULL"}},
        {"title": "Frank answers"},
        {"title": "Effort as estimated", "numerator": {"value": "worked_minutes"},
         "denominator": {**MINE["denominator"], "value": "estimated_minutes"}},
    ],
)  # fmt: skip
def test_hours_and_shares_of_ones_own_work_are_no_vanity(changes: dict[str, Any]) -> None:
    assert scoring.catalogue.load(SHIPPED, _mine(**changes))["mine"].levels == ("person",)


def test_a_name_that_promises_a_ranking_is_refused_as_a_title_is() -> None:
    with pytest.raises(Refused, match="ranking"):
        scoring.catalogue.load(SHIPPED, {"utilisation_rank": MINE})


def test_weighted_throughput_is_for_teams_only() -> None:
    assert METRICS["weighted_throughput"].levels == ("team",)
    with pytest.raises(Refused, match="picking easy work"):
        scoring.catalogue.load(SHIPPED, {"weighted_throughput": {
            "levels": ["person"], "influence": {"person": "You take hard work too."},
        }})  # fmt: skip


def test_metrics_that_press_on_hours_say_so() -> None:
    assert {m.name for m in METRICS.values() if m.presses_hours} == {"utilisation", "real_time_entry"}


def test_every_derived_column_that_looks_at_other_rows_declares_them() -> None:
    for table, columns in scoring.facts.LOOKS_AT.items():
        known = scoring.facts.columns(table)
        assert all(name == "*" or name in known for name in columns)
        assert all(rows for rows in columns.values())
