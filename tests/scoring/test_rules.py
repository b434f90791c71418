"""Rules from configuration: what is accepted, what is refused in which words, and what a change says."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scoring.changes
import scoring.periods
import scoring.rubrics
import scoring.rulebook
import scoring.scorecards
from bot import config
from scoring.refused import Refused
from scoring.rules import Rubric, Rules

SHIPPED = config.rules(config.Config())
EIGHT = {
    "utilisation", "real_time_entry", "sla_triage", "sla_engagement", "sla_completion", "estimate_variance",
    "escalation_rate", "reopen_rate", "first_contact_resolution", "csat",
}  # fmt: skip
GOLDEN = {"csat", "same_day_closure", "first_time_fix", "average_wait", "aged_tickets", "survey_return_rate"}
OWN: dict[str, Any] = {
    "name": "ours",
    "level": "person",
    "role": "technician",
    "from": "2026-10-01",
    "weights": {"csat": 60, "reopen_rate": 40},
}


DEFAULT = scoring.rulebook.read({**SHIPPED, "own": {}}, version=1)


def read(own: dict[str, Any]) -> Rules:
    """The rules with a user's tables; metrics that nobody touches are not parsed again."""
    if own.keys() <= {"organisation", "commands", "objectives", "rubric", "lines"}:
        found = scoring.rulebook.load(DEFAULT.metrics, SHIPPED["rubrics"], own, version=1)
        return replace(found, behaviours=DEFAULT.behaviours)
    return scoring.rulebook.read({**SHIPPED, "own": own}, version=1)


def day(text: str) -> int:
    return scoring.periods.day_of(datetime.date.fromisoformat(text))


def rubric(rules: Rules, name: str, at: str = "2026-11-01") -> Rubric:
    return max((r for r in rules.rubrics if r.name == name and r.from_day <= day(at)), key=lambda r: r.from_day)


def refused(own: dict[str, Any]) -> str:
    with pytest.raises(Refused) as caught:
        read(own)
    return str(caught.value)


# ---- what is shipped ----


def test_a_technician_is_measured_by_the_eight_of_the_tech_balanced_scorecard() -> None:
    assert {entry.metric for entry in rubric(DEFAULT, "technician").entries} == EIGHT


def test_the_desk_has_the_six_golden_kpis_and_three_of_them_weigh_most() -> None:
    weights = {entry.metric: entry.weight for entry in rubric(DEFAULT, "desk").entries}
    assert weights.keys() == GOLDEN
    assert sorted(weights, key=lambda m: -weights[m])[:3] == ["csat", "same_day_closure", "first_time_fix"]
    assert weights["csat"] + weights["same_day_closure"] + weights["first_time_fix"] > 0.5


def test_every_team_shares_the_same_goals() -> None:
    for one in DEFAULT.rubrics:
        if one.level == "team":
            assert {"csat", "nps", "escalated_time_to_resolve"} <= {entry.metric for entry in one.entries}, one.name


def test_each_team_has_what_only_it_can_answer_for() -> None:
    asked = {"help desk": "escalation_response", "projects": "internal_support", "centralised services":
             "escalation_success", "technical alignment": "escalation_success"}  # fmt: skip
    for name, metric in asked.items():
        assert metric in {entry.metric for entry in rubric(DEFAULT, name).entries}


def test_whoever_is_green_everywhere_scores_ninety_or_more_in_every_shipped_rubric() -> None:
    for one in DEFAULT.rubrics:
        parts = [
            (e.weight, scoring.scorecards.metric_score(e.lines.target, e.lines.worst, e.lines.best))
            for e in one.entries
        ]
        score, _ = scoring.scorecards.balanced_score(parts)
        assert score is not None
        assert score >= 90, one.name


def test_every_metric_leads_up_to_an_objective_of_leadership() -> None:
    leadership = {"Clients stay with us", "Clients are glad they called", "Agreements earn what they should",
                  "People have the time and skill their work needs"}  # fmt: skip
    assert DEFAULT.objectives.keys() == DEFAULT.metrics.keys()
    assert {chain[-1] for chain in DEFAULT.objectives.values()} == leadership
    assert all(len(chain) > 1 for chain in DEFAULT.objectives.values())


def test_tier_three_is_not_measured_by_escalating_and_a_coordinator_by_triage() -> None:
    def chosen(role: Any, tier: int | None) -> set[str]:
        found = scoring.scorecards.choose_rubric(DEFAULT, "person", role, tier, "help-desk", day("2026-11-01"))
        return {entry.metric for entry in found.entries}

    assert "escalation_rate" in chosen("technician", 1)
    assert "escalation_rate" not in chosen("technician", 3)
    assert "sla_triage" in chosen("coordinator", None)


def test_the_rules_are_the_same_after_a_passage_through_json() -> None:
    own = {"rubric": [OWN], "organisation": {"name": "Nordlicht IT", "zone": "Europe/Berlin"}}
    stored = json.loads(json.dumps({**SHIPPED, "own": own}))
    assert scoring.rulebook.read(stored, version=1) == scoring.rulebook.read({**SHIPPED, "own": own}, version=1)


# ---- what a user may say ----


def test_a_date_of_toml_and_its_text_mean_the_same() -> None:
    assert read({"rubric": [{**OWN, "from": datetime.date(2026, 10, 1)}]}) == read({"rubric": [OWN]})


def test_an_own_rubric_holds_from_its_day_and_the_shipped_one_before() -> None:
    rules = read({"rubric": [OWN]})

    def chosen(at: str) -> str:
        return scoring.scorecards.choose_rubric(rules, "person", "technician", 1, "help-desk", day(at)).name

    assert chosen("2026-09-30") == "technician"
    assert chosen("2026-10-01") == "ours"


def test_a_rubric_of_the_same_name_and_day_replaces_the_shipped_one() -> None:
    rules = read({"rubric": [{**OWN, "name": "technician", "from": "1970-01-01"}]})
    assert [r.name for r in rules.rubrics].count("technician") == 1
    assert {entry.metric for entry in rubric(rules, "technician").entries} == {"csat", "reopen_rate"}


def test_lines_of_a_rubric_go_before_the_metrics_own() -> None:
    rules = read({"rubric": [{**OWN, "lines": {"csat": {"target": 87}}}]})
    lines = {entry.metric: entry.lines for entry in rubric(rules, "ours").entries}
    assert lines["csat"].target == 87
    assert lines["csat"].red == rubric(DEFAULT, "technician").entries[0].lines.red


def test_lines_that_move_on_a_day_make_a_version_of_each_rubric_that_has_the_metric() -> None:
    rules = read({"lines": [{"metric": "csat", "from": "2026-07-01", "red": 78}]})
    for before in DEFAULT.rubrics:
        versions = [r for r in rules.rubrics if r.name == before.name]
        has = any(entry.metric == "csat" for entry in before.entries)
        assert [r.from_day for r in versions] == [0, day("2026-07-01")] if has else [0]
        assert versions[0] == before
        if has:
            assert [e.lines.red for e in versions[1].entries if e.metric == "csat"] == [78]
            assert [e for e in versions[1].entries if e.metric != "csat"] == [
                e for e in before.entries if e.metric != "csat"
            ]


def test_lines_that_move_never_bring_a_rubric_back_that_another_has_followed() -> None:
    rules = read({"rubric": [OWN], "lines": [{"metric": "csat", "from": "2026-11-01", "red": 78}]})
    chosen = scoring.scorecards.choose_rubric(rules, "person", "technician", 1, "help-desk", day("2026-12-01"))
    assert chosen.name == "ours"
    assert [e.lines.red for e in chosen.entries if e.metric == "csat"] == [78]
    assert max(r.from_day for r in rules.rubrics if r.name == "technician") == 0


def test_lines_that_a_rubric_sets_itself_do_not_move() -> None:
    rules = read(
        {
            "rubric": [{**OWN, "lines": {"csat": {"red": 70}}}],
            "lines": [{"metric": "csat", "from": "2026-11-01", "red": 78}],
        }
    )
    assert [r.from_day for r in rules.rubrics if r.name == "ours"] == [day("2026-10-01")]


def test_a_command_may_have_another_name_in_the_chat() -> None:
    rules = read({"commands": {"myscore": "/my-desk"}})
    assert rules.commands == {word: word for word in scoring.rulebook.COMMANDS} | {"myscore": "my-desk"}


def test_an_objective_of_ones_own_goes_under_a_shipped_one() -> None:
    own = {
        "objectives": {
            "right_first_time": {"title": "Once and for all", "supports": "margin", "metrics": ["reopen_rate"]},
        }
    }
    assert read(own).objectives["reopen_rate"] == ("Once and for all", "Agreements earn what they should")


def test_fairness_is_part_of_the_rules_and_of_what_is_computed_again() -> None:
    rules = read({"fair": {"reopen_days": 14}})
    assert rules.fairness.reopen_days == 14
    assert "reopen_rate" in scoring.changes.recomputed(DEFAULT, rules)


# ---- what is refused ----


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ({"organization": {}}, ["organization", "Did you mean “organisation”"]),
        ({"organisation": {"zone": "Europe/Berlim"}}, ["Europe/Berlim", "IANA"]),
        ({"organisation": {"zone": "../../etc/passwd"}}, ["IANA"]),
        ({"organisation": {"stale_days": 0}}, ["stale_days"]),
        ({"organisation": {"stale_days": True}}, ["stale_days", "true", "number"]),
        ({"organisation": {"nam": "x"}}, ["“nam”", "“name”"]),
        ({"organisation": 3}, ["[organisation]"]),
        ({"commands": {"myscore": "My Score"}}, ["[commands]", "My Score", "31"]),
        ({"commands": {"myscore": "x" * 32}}, ["31"]),
        ({"commands": {"myscore": "teamscore"}}, ["two commands"]),
        ({"commands": {"myscor": "a"}}, ["“myscor”", "“myscore”"]),
        ({"rubric": {"name": "x"}}, ["[[rubric]]"]),
        ({"rubric": [{}]}, ["[[rubric]] 1", "name is missing"]),
        ({"rubric": [{**OWN, "levle": "x"}]}, ["“ours”", "“levle”", "“level”"]),
        ({"rubric": [{**OWN, "level": "persn"}]}, ["persn", "“person”"]),
        ({"rubric": [{**OWN, "role": "technican"}]}, ["technican", "“technician”"]),
        ({"rubric": [{**OWN, "tier": 1.5}]}, ["tier", "whole number"]),
        ({"rubric": [{**OWN, "from": "1.10.2026"}]}, ["from", "2026-01-31"]),
        ({"rubric": [{k: v for k, v in OWN.items() if k != "from"}]}, ["from is missing"]),
        ({"rubric": [{**OWN, "level": "team"}]}, ["role and tier"]),
        ({"rubric": [OWN, OWN]}, ["twice"]),
        ({"rubric": [OWN, {**OWN, "name": "also"}]}, ["“ours”", "“also”", "2026-10-01"]),
        ({"rubric": [{**OWN, "weights": {"csta": 100}}]}, ["“ours”", "csta", "“csat”"]),
        ({"rubric": [{**OWN, "weights": {"csat": 60, "reopen_rate": 30}}]}, ["total 90 %", "100"]),
        ({"rubric": [{**OWN, "weights": {"csat": 120, "reopen_rate": -20}}]}, ["csat", "120"]),
        ({"rubric": [{**OWN, "weights": {"csat": "60"}}]}, ["csat", "number"]),
        ({"rubric": [{**OWN, "weights": {"csat": float("nan")}}]}, ["csat"]),
        ({"rubric": [{**OWN, "weights": {}}]}, ["no metrics"]),
        ({"rubric": [{**OWN, "weights": {"nps": 100}}]}, ["nps", "person"]),
        ({"rubric": [{**OWN, "lines": {"nps": {"target": 1}}}]}, ["nps", "no weight"]),
        ({"rubric": [{**OWN, "lines": {"csat": {"goal": 1}}}]}, ["lines.csat", "“goal”"]),
        ({"rubric": [{**OWN, "lines": {"csat": {"red": 95}}}]}, ["csat", "order"]),
        ({"rubric": [{**OWN, "lines": {"csat": {"best": 100}}}]}, ["“ours”", "green everywhere", "csat"]),
        ({"lines": [{"metric": "csat", "from": "2026-01-01"}]}, ["[[lines]] 1", "moves nothing"]),
        ({"lines": [{"metric": "csta", "from": "2026-01-01", "red": 1}]}, ["csta", "“csat”"]),
        ({"lines": [{"metric": "csat", "from": "2026-01-01", "red": 70}] * 2}, ["twice"]),
        ({"objectives": {"x": {"title": "X"}}}, ["[objectives.x]", "supports no other"]),
        ({"objectives": {"x": {"title": "X", "supports": "retentoin"}}}, ["retentoin", "“retention”"]),
        ({"objectives": {"x": {"title": "X", "supports": "x"}}}, ["supports itself"]),
        ({"objectives": {"x": {"title": "X", "level": "leadership", "metrics": ["csat"]}}}, ["csat", "already serves"]),
        ({"objectives": {"x": {"title": "X", "level": "leadership", "metrics": ["cst"]}}}, ["cst", "“csat”"]),
        ({"metric": {"csat": {"lines": {"target": 1}}}}, ["csat", "lines"]),
        ({"fair": {"reopen_day": 3}}, ["reopen_day", "reopen_days"]),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_would_be_right(own: dict[str, Any], words: list[str]) -> None:
    said = refused(own)
    for word in words:
        assert word in said


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from([*scoring.rulebook.SECTIONS, "x"])


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(KEYS, VALUES | st.lists(st.dictionaries(st.sampled_from(scoring.rubrics.KEYS), VALUES), max_size=2))
)
def test_whatever_stands_in_the_file_it_is_read_or_refused(own: dict[str, Any]) -> None:
    try:
        found: Rules | Refused = read(own)
    except Refused as no:
        found = no
    assert found.what if isinstance(found, Refused) else found.rubrics


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["csat", "reopen_rate", "utilisation"]), st.integers(20000, 21000)),
        unique=True, max_size=6,
    ),
    st.lists(st.integers(20000, 21000), unique=True, max_size=3),
    st.integers(19990, 21010),
)  # fmt: skip
def test_on_every_day_the_newest_rubric_holds_with_the_newest_lines(
    moves: list[tuple[str, int]], starts: list[int], at: int
) -> None:
    reds = {"csat": 75.0, "reopen_rate": 10.0, "utilisation": 65.0}
    lines = [
        {"metric": m, "from": scoring.periods.date_of(d).isoformat(), "red": reds[m] - (1 + i) * 0.1 * (-1 if m ==
         "reopen_rate" else 1)} for i, (m, d) in enumerate(moves)
    ]  # fmt: skip
    own = [{**OWN, "name": f"ours {s}", "from": scoring.periods.date_of(s).isoformat()} for s in starts]
    rules = read({"rubric": own, "lines": lines})
    chosen = scoring.scorecards.choose_rubric(rules, "person", "technician", 1, "", at)
    begun = [s for s in starts if s <= at]
    assert chosen.name == (f"ours {max(begun)}" if begun else "technician")
    for entry in chosen.entries:
        if entry.metric in reds:
            moved = {d: line["red"] for (m, d), line in zip(moves, lines, strict=True) if m == entry.metric and d <= at}
            assert entry.lines.red == (moved[max(moved)] if moved else reds[entry.metric])


# ---- what a change says ----


def said(own: dict[str, Any]) -> str:
    return "\n".join(scoring.changes.between(DEFAULT, read(own)))


def test_the_same_rules_have_nothing_to_say() -> None:
    assert said({}) == ""


def test_a_line_that_moves_is_told_from_old_to_new_with_its_date() -> None:
    text = said({"lines": [{"metric": "first_level_resolution", "from": "2026-07-01", "red": 61}]})
    assert text == ""  # no rubric has it
    text = said({"lines": [{"metric": "internal_support", "from": "2026-07-01", "target": 2.1, "red": 1}]})
    moved = "internal_support target 2 h per 40 h → 2.1 h per 40 h, red line 0.5 h per 40 h → 1 h per 40 h"
    assert text == f"From 2026-07-01 in rubrics “projects” and “technician, projects”: {moved}."


def test_a_rubric_that_holds_from_the_first_day_is_told_without_that_day() -> None:
    text = said({"rubric": [{**OWN, "name": "technician", "from": "1970-01-01"}]})
    assert text.startswith("Rubric “technician” changes: csat weight 15 % → 60 %")
    assert "1970" not in text


def test_lines_say_since_when_they_hold_and_shipped_ones_that_they_are() -> None:
    assert {rubric.since for rubric in DEFAULT.rubrics} == {"shipped lines"}
    rules = read({
        "rubric": [{**OWN, "name": "technician", "from": "1970-01-01"}],
        "lines": [{"metric": "csat", "from": "2026-07-01", "red": 78}],
    })
    assert [r.since for r in rules.rubrics if r.name == "technician"] == ["from the beginning", "since 2026-07-01"]
    assert next(r.since for r in rules.rubrics if r.name == "coordinator") == "shipped lines"


def test_a_new_rubric_is_told_against_the_one_it_follows() -> None:
    text = said({"rubric": [OWN]})
    assert "Rubric “ours” from 2026-10-01 follows “technician”: csat weight 15 % → 60 %" in text
    assert "utilisation no longer counts" in text


def test_a_rubric_for_a_narrower_group_is_told_in_full() -> None:
    text = said({"rubric": [{**OWN, "tier": 1, "team": "help-desk"}]})
    assert text == (
        "Rubric “ours” from 2026-10-01 is new, for every technician in tier 1 of team help-desk: "
        "csat 60 % (target 85 %, red line 75 %), reopen_rate 40 % (target 5 %, red line 10 %)."
    )


def test_a_metric_that_counts_differently_says_that_its_history_is_computed_again() -> None:
    own = {"metric": {"csat": {"numerator": {"value": "rating = 5"}}}}
    assert "Metric csat counts differently" in said(own)
    assert scoring.changes.recomputed(DEFAULT, read(own)) == ("csat",)


def test_a_metric_with_other_words_is_not_computed_again() -> None:
    own = {"metric": {"csat": {"title": "Happy clients"}}}
    assert said(own) == "Metric csat: other title."
    assert scoring.changes.recomputed(DEFAULT, read(own)) == ()


def test_settings_are_told_from_old_to_new() -> None:
    text = said(
        {
            "organisation": {"name": "Nordlicht", "zone": "Europe/Berlin", "stale_days": 4},
            "commands": {"myscore": "mydesk"},
        }
    )
    assert "The organisation's name: Service desk → Nordlicht." in text
    assert "The organisation's time zone: UTC → Europe/Berlin." in text
    assert "2 → 4 days" in text
    assert "/myscore → /mydesk" in text


@pytest.mark.parametrize("role", ["technician", "coordinator", "lead"])
def test_every_role_that_works_on_tickets_has_a_rubric(role: str) -> None:
    rubric = scoring.scorecards.choose_rubric(DEFAULT, "person", role, None, "", day("2026-01-01"))
    assert rubric.level == "person"
    assert rubric.entries
