"""The five questions an objective must answer, and how statuses roll up from person to leadership."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bot.config
import scoring.cascade
import scoring.objectives
import scoring.objectives_file
import scoring.rulebook
import scoring.scorecards
import storage.objectives
from bot.config import Config
from scoring.metrics import Lines
from scoring.objectives import MOST_METRICS, Objective
from scoring.objectives_file import Directory, Row
from scoring.refused import Refused
from scoring.rules import Entry, Rubric

RULES = scoring.rulebook.read(bot.config.rules(Config()), version=1)
TODAY = 20_500
TOP = Objective("retention", "Clients stay with us", "leadership", "desk")
GOOD = Objective(
    "rated", "Clients rate our help as good", "team", "team:2", scope="every ticket", perspective="customer",
    owner_id=4, owner="Lena", metrics=("csat",), cadence="weekly", decision_day=TODAY + 60, time="an hour a week",
    people="the team", tools="the survey", parent="retention",
)  # fmt: skip
DIRECTORY = Directory({"help-desk": 2, "field": 3}, {"ada": (7, "Ada"), "lena": (4, "Lena")}, RULES.metrics)


def checked(one: Objective, *others: Objective, today: int = TODAY) -> scoring.objectives.Verdict:
    return scoring.objectives.check(one, [TOP, *others], RULES.metrics, today)


def test_an_objective_that_answers_all_five_questions_is_good() -> None:
    verdict = checked(GOOD)
    assert verdict.good
    assert verdict.words == ()
    assert [a.question for a in verdict.answers] == list(scoring.objectives.QUESTIONS)


@pytest.mark.parametrize(
    ("changes", "question", "words"),
    [
        ({"title": "Better CSAT"}, "specific", "does not name the outcome"),
        ({"scope": " "}, "specific", "does not say what it covers"),
        ({"metrics": ()}, "measurable", "Nothing measures it"),
        ({"metrics": ("csta",)}, "measurable", "Did you mean “csat”?"),
        ({"metrics": (), "proxy": "calls that clients make to me"}, "measurable", "write one sentence"),
        ({"red": 70.0}, "measurable", "no target"),
        ({"target": 80.0, "red": 90.0}, "measurable", "wrong side of the target"),
        ({"metrics": ("reopen_rate",), "target": 8.0, "red": 5.0}, "measurable", "lower is better"),
        ({"time": ""}, "achievable", "where time to reach it"),
        ({"time": "", "people": "", "tools": ""}, "achievable", "where time, people and tools to reach it"),
        ({"owner_id": None}, "achievable", "Nobody owns it"),
        ({"perspective": ""}, "relevant", "no perspective"),
        ({"parent": "retentoin"}, "relevant", "Did you mean “retention”?"),
        ({"parent": "rated"}, "relevant", "supports itself"),
        ({"cadence": ""}, "time-bound", "how often it is looked at"),
        ({"decision_day": None}, "time-bound", "no decision point"),
        ({"decision_day": TODAY - 1}, "time-bound", "has passed"),
    ],
)
def test_what_is_missing_is_said_under_its_question(changes: dict[str, Any], question: str, words: str) -> None:
    verdict = checked(replace(GOOD, **changes, justification="We know, and want it all the same."))
    assert not verdict.good, "no justification makes up for what is missing"
    [answer] = [a for a in verdict.answers if a.question == question]
    assert any(words in said for said in answer.missing), answer
    assert all(not a.missing for a in verdict.answers if a.question != question)
    assert verdict.words == verdict.missing


def test_an_orphan_is_refused_unless_a_sentence_justifies_it() -> None:
    orphan = replace(GOOD, parent="")
    verdict = checked(orphan)
    assert not verdict.good
    assert any("supports no other objective" in words for words in verdict.words)
    assert not checked(replace(orphan, justification="because")).good
    assert checked(replace(orphan, justification="The regulator asks for it.")).good


def test_leadership_needs_no_parent() -> None:
    assert checked(replace(GOOD, level="leadership", subject="desk", parent="")).good


def test_a_metric_that_nobody_at_that_level_moves_is_refused_and_one_not_made_for_it_must_be_justified() -> None:
    person = replace(GOOD, key="mine", level="individual", subject="person:7", metrics=("nps",), parent="rated")
    verdict = checked(person, GOOD)
    assert any("refused at this level" in words for words in verdict.missing)
    own = replace(person, influence="You ask each client whether they would recommend us.")
    assert not checked(own, GOOD).missing
    assert any("not made for a person" in words for words in checked(own, GOOD).doubts)
    assert checked(replace(own, justification="She runs the pilot of it."), GOOD).good


def test_the_seventh_metric_at_one_level_of_one_subject_must_be_justified() -> None:
    names = ["sla_triage", "sla_engagement", "reopen_rate", "escalation_rate", "aged_tickets", "kept_informed"]
    six = [replace(GOOD, key=name, metrics=(name,)) for name in names]
    assert len(six) == MOST_METRICS
    assert checked(GOOD, *six[:5]).good
    verdict = checked(GOOD, *six)
    assert any("number 7" in words for words in verdict.doubts)
    assert checked(replace(GOOD, justification="Until the pilot is over."), *six).good
    assert checked(replace(GOOD, subject="team:3"), *six).good, "another team has its own six"
    assert checked(GOOD, *(replace(one, state="closed") for one in six)).good
    assert checked(replace(six[0], title="Every ticket is looked at"), *six).good, "a change does not add one"


@pytest.mark.parametrize(
    ("parent", "words"),
    [
        (replace(TOP, key="other", state="closed"), "is closed"),
        (Objective("mine", "My own one thing", "individual", "person:7"), "one person's own"),
        (Objective("theirs", "Another team's objective", "team", "team:3"), ""),
    ],
)
def test_what_it_supports_must_stand_and_be_no_further_down(parent: Objective, words: str) -> None:
    verdict = checked(replace(GOOD, parent=parent.key), parent)
    assert verdict.good is not bool(words)
    assert words in " ".join(verdict.missing)


def test_leadership_supports_no_team() -> None:
    top = replace(GOOD, key="top", level="leadership", subject="desk", parent="rated")
    assert any("a team's" in words for words in checked(top, GOOD).missing)


def test_a_circle_is_refused() -> None:
    other = replace(GOOD, key="other", parent="rated")
    verdict = checked(replace(GOOD, parent="other"), other)
    assert any("circle" in words for words in verdict.missing)


def test_the_examples_to_pick_from_lack_only_what_is_the_desks_own() -> None:
    cascades = storage.objectives.cascades()
    assert [c.name for c in cascades] == ["customer", "margin", "partner", "process", "improvement"]
    for cascade in cascades:
        assert {one.level for one in cascade.objectives} == set(scoring.objectives.PLACES)
        filled = [replace(one, subject=one.level, owner_id=4, decision_day=TODAY) for one in cascade.objectives]
        for one in filled:
            assert scoring.objectives.check(one, filled, RULES.metrics, TODAY).words == (), one.key
        assert scoring.cascade.unlinked(filled) == ()
        assert scoring.cascade.uncarried(filled) == ()


def test_objectives_of_the_configuration_are_in_the_tree_for_reading() -> None:
    tree = {one.key: one for one in RULES.cascade}
    assert tree["satisfied"].parent == "experience"
    assert (tree["experience"].level, tree["experience"].subject) == ("leadership", "desk")
    assert tree["satisfied"].metrics[0] == "csat"
    assert {one.source for one in RULES.cascade} == {scoring.objectives.SHIPPED}
    assert scoring.cascade.unlinked(RULES.cascade) == ()


# ---- roll-up ----

STATUSES = st.sampled_from(["red", "amber", "green", "none"])
RANK = {"red": 0, "amber": 1, "green": 2, "none": 3}


@st.composite
def trees(draw: st.DrawFn) -> tuple[list[Objective], dict[str, Any]]:
    """A forest of up to twelve objectives, circles and missing parents included, with statuses."""
    count = draw(st.integers(1, 12))
    made = []
    for n in range(count):
        parent = draw(st.integers(-1, count))
        weight = draw(st.floats(0.1, 100))
        made.append(Objective(f"o{n}", f"Objective {n}", "team", "team:1", parent=f"o{parent}", weight=weight))
    return made, {one.key: draw(STATUSES) for one in made}


@given(trees())
def test_each_objective_stands_once_whatever_its_parents_are(tree: Any) -> None:
    objectives, own = tree
    children = scoring.cascade.below(objectives)
    placed = [one.key for some in children.values() for one in some]
    assert sorted(placed) == sorted(one.key for one in objectives)
    assert scoring.cascade.roll_up(objectives, own).keys() == own.keys()


@given(trees())
def test_by_weight_is_never_worse_than_by_worst_child(tree: Any) -> None:
    for standing in scoring.cascade.roll_up(*tree).values():
        assert RANK[standing.worst] <= RANK[standing.by_weight]
        assert (standing.worst == "none") == (standing.by_weight == "none") == (standing.coloured == 0)


@given(trees(), STATUSES)
def test_where_all_agree_both_say_the_same(tree: Any, status: Any) -> None:
    objectives, own = tree
    for standing in scoring.cascade.roll_up(objectives, dict.fromkeys(own, status)).values():
        assert standing.worst == standing.by_weight == status


@given(trees(), st.randoms(use_true_random=False))
def test_the_order_of_siblings_is_of_no_account(tree: Any, random: Any) -> None:
    objectives, own = tree
    shuffled = list(objectives)
    random.shuffle(shuffled)
    one, other = scoring.cascade.roll_up(objectives, own), scoring.cascade.roll_up(shuffled, own)
    for key, standing in one.items():
        assert (standing.worst, standing.coloured) == (other[key].worst, other[key].coloured)
        assert standing.balance == pytest.approx(other[key].balance)


@given(trees(), st.data())
def test_one_getting_worse_makes_nothing_above_it_better(tree: Any, data: Any) -> None:
    objectives, own = tree
    coloured = [key for key, status in own.items() if status in ("amber", "green")]
    if not coloured:
        return
    worse = {**own, data.draw(st.sampled_from(coloured)): "red"}
    before, after = scoring.cascade.roll_up(objectives, own), scoring.cascade.roll_up(objectives, worse)
    for key, standing in after.items():
        assert RANK[standing.worst] <= RANK[before[key].worst]
        if standing.balance is not None:
            assert standing.balance <= (before[key].balance or 0.0) + 1e-9


def test_the_two_roll_ups_of_a_worked_example() -> None:
    under = [replace(GOOD, key=key, parent="retention", weight=w) for key, w in (("a", 2.0), ("b", 1.0), ("c", 1.0))]
    standing = scoring.cascade.roll_up([TOP, *under], {"a": "green", "b": "red", "c": "amber"})["retention"]
    # (2 × 1 + 1 × 0 + 1 × ½) ÷ 4
    assert (standing.worst, standing.balance, standing.by_weight) == ("red", 0.625, "amber")
    assert scoring.cascade.roll_up([TOP], {})["retention"].by_weight == "none"


def test_a_chain_of_thousands_is_no_trouble() -> None:
    chain = [replace(GOOD, key=f"o{n}", parent=f"o{n - 1}") for n in range(3000)]
    assert scoring.cascade.roll_up(chain, {"o2999": "red"})["o0"].worst == "red"


@given(trees())
def test_what_hangs_in_the_air_is_what_has_no_parent_that_stands(tree: Any) -> None:
    objectives, _ = tree
    keys = {one.key for one in objectives}
    assert {one.key for one in scoring.cascade.unlinked(objectives)} == {
        one.key for one in objectives if one.parent not in keys
    }


def test_an_objective_of_leadership_is_carried_by_way_of_another() -> None:
    sub = replace(TOP, key="sub", parent="retention")
    carrier = replace(GOOD, parent="sub")
    assert scoring.cascade.uncarried([TOP, sub]) == (TOP, sub)
    assert scoring.cascade.uncarried([TOP, sub, carrier]) == ()
    assert scoring.cascade.uncarried([TOP, sub, replace(carrier, state="closed")]) == (TOP, sub)
    assert scoring.cascade.unlinked([replace(TOP, state="closed"), GOOD]) == (GOOD,)


# ---- text ----

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20)
DAYS = st.integers(0, 40_000)
NUMBERS = st.none() | st.integers(-10_000, 10_000).map(lambda n: n / 100)


@given(st.builds(
    Objective, st.just("k"), WORDS, st.just("team"), st.just("team:2"), scope=WORDS,
    perspective=st.sampled_from(["", *scoring.objectives.PERSPECTIVES]), metrics=st.just(("csat",)), proxy=WORDS,
    target=NUMBERS, red=NUMBERS, cadence=st.sampled_from(["", *scoring.objectives.CADENCES]),
    decision_day=st.none() | DAYS, influence=WORDS, time=WORDS, people=WORDS, tools=WORDS, parent=WORDS,
    weight=st.integers(1, 10_000).map(lambda n: n / 100), justification=WORDS,
))  # fmt: skip
def test_what_a_form_is_filled_in_with_comes_back_the_same(one: Objective) -> None:
    base = Objective(one.key, "", one.level, one.subject)
    assert scoring.objectives_file.parse(scoring.objectives_file.answers(one), base) == (one, ())


HEADER = ("key", "level", "for", "owner", "title", "metric", "target", "decision", "weight")
ROW = {"key": "rated", "level": "team", "for": "help-desk", "owner": "lena", "title": "Clients are glad"}


def rows(*changed: dict[str, str]) -> list[Row]:
    every = [(n, {**ROW, **one}) for n, one in enumerate(changed, 2)]
    return scoring.objectives_file.read("a.csv", HEADER, every, DIRECTORY)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"level": "teem"}, "column level: found 'teem', expected one of leadership, team, individual."),
        ({"for": "helpdesk"}, "column for: found 'helpdesk', expected the key of a team. Did you mean “help-desk”?"),
        ({"for": "x", "level": "individual"}, "column for: found 'x', expected the key of a person"),
        ({"for": "x", "level": "leadership"}, "column for: found 'x', expected desk, or nothing"),
        ({"owner": "lenna"}, "column owner: found 'lenna', expected the key of a person. Did you mean “lena”?"),
        ({"metric": "csta"}, "column metric: found 'csta', expected the name of a metric. Did you mean “csat”?"),
        ({"target": "high"}, "column target: found 'high', expected a number"),
        ({"target": "nan"}, "column target: found 'nan'"),
        ({"weight": "0"}, "column weight: found '0', expected a number above 0"),
        ({"decision": "31.12.2026"}, "column decision: found '31.12.2026', expected a date like 2026-03-31"),
        ({"key": "a b"}, "column key: found 'a b', expected small letters"),
        ({"title": "x" * 501}, "column title: found '501 characters', expected 500 at most"),
    ],
)
def test_a_cell_that_does_not_fit_is_told_with_what_was_expected(cells: dict[str, str], words: str) -> None:
    [row] = rows(cells)
    assert words in " ".join(row.wrong)


def test_a_key_that_stands_twice_is_told_with_the_line_of_the_first() -> None:
    assert [bool(row.wrong) for row in rows({}, {})] == [False, True]
    assert "line 2" in rows({}, {})[1].wrong[0]


def test_a_metric_may_be_named_by_its_title() -> None:
    assert rows({"metric": RULES.metrics["csat"].title.upper()})[0].objective.metrics == ("csat",)


def test_columns_that_are_unknown_or_lacking_are_refused() -> None:
    with pytest.raises(Refused, match="no column “titel”"):
        scoring.objectives_file.read("a.csv", ("key", "titel"), [], DIRECTORY)
    with pytest.raises(Refused, match="level is missing"):
        scoring.objectives_file.read("a.csv", ("key", "title"), [], DIRECTORY)


def test_an_objective_may_stand_above_what_it_supports_in_the_file_and_falls_with_it() -> None:
    child = replace(GOOD, key="child", parent="rated")
    both = [Row(2, child), Row(3, GOOD)]
    good, refused = scoring.objectives_file.sift(both, [TOP], RULES.metrics, TODAY)
    assert ([row.line for row in good], refused) == ([2, 3], [])
    vague = Row(3, replace(GOOD, scope=""))
    good, refused = scoring.objectives_file.sift([both[0], vague], [TOP], RULES.metrics, TODAY)
    assert good == []
    assert [row.line for row in refused] == [2, 3]
    assert "There is no objective “rated”" in refused[0].wrong[0]


def test_a_circle_in_a_file_is_refused_as_a_whole() -> None:
    ring = [Row(n, replace(GOOD, key=f"o{n}", parent=f"o{(n + 1) % 3}")) for n in range(3)]
    good, refused = scoring.objectives_file.sift(ring, [TOP], RULES.metrics, TODAY)
    assert (good, len(refused)) == ([], 3)


def test_of_seven_metrics_in_a_file_the_seventh_is_asked_for_a_reason() -> None:
    names = ["csat", "sla_triage", "sla_engagement", "reopen_rate", "escalation_rate", "aged_tickets", "kept_informed"]
    seven = [Row(n, replace(GOOD, key=name, metrics=(name,))) for n, name in enumerate(names, 2)]
    good, refused = scoring.objectives_file.sift(seven, [TOP], RULES.metrics, TODAY)
    assert [row.line for row in good] == [2, 3, 4, 5, 6, 7]
    assert "justification" in " ".join(refused[0].wrong)
    again, _ = scoring.objectives_file.sift(seven, [TOP, *(row.objective for row in good)], RULES.metrics, TODAY)
    assert [row.line for row in again] == [2, 3, 4, 5, 6, 7], "the same file again finds the same"


@given(st.text(max_size=30), st.sets(st.text(alphabet="abc_0123456789", min_size=1, max_size=8)))
def test_a_key_made_of_a_title_is_free_and_well_formed(title: str, taken: set[str]) -> None:
    key = scoring.objectives.key_of(title, taken.__contains__)
    assert key not in taken
    assert 0 < len(key) <= 64
    assert scoring.objectives_file._KEY.fullmatch(key)


# ---- the lines an objective is measured by ----

CSAT = RULES.metrics["csat"]
ENTRY = Rubric("team", "team", 0, (Entry("csat", 1.0, Lines(target=85.0, red=75.0, worst=55.0, best=88.0)),))


def test_an_objective_is_measured_by_its_own_lines_else_the_scorecards_else_the_metrics() -> None:
    lines = scoring.cascade.lines_of
    assert lines(GOOD, CSAT, None) == CSAT.lines
    assert lines(GOOD, CSAT, ENTRY) == ENTRY.entries[0].lines
    assert lines(replace(GOOD, target=90.0), CSAT, ENTRY) == Lines(target=90.0, red=75.0, worst=55.0, best=90.0)
    assert lines(replace(GOOD, target=90.0, red=80.0), CSAT, ENTRY) == Lines(90.0, 80.0, 55.0, 90.0)
    bare = replace(CSAT, lines=None)
    assert lines(GOOD, bare, None) is None
    assert lines(replace(GOOD, target=90.0), bare, None) is None
    assert lines(replace(GOOD, target=90.0, red=80.0), bare, None) == Lines(90.0, 80.0, 80.0, 90.0)


@given(st.sampled_from(sorted(RULES.metrics)), st.floats(-1e6, 1e6), st.none() | st.floats(-1e6, 1e6))
def test_whatever_lines_an_objective_has_they_lie_in_order_and_give_a_score(
    name: str, target: float, red: float | None
) -> None:
    metric = RULES.metrics[name]
    found = scoring.cascade.lines_of(replace(GOOD, metrics=(name,), target=target, red=red), metric, None)
    if found is None:
        assert red is None
        assert metric.lines is None
        return
    sign = 1.0 if metric.direction == "up" else -1.0
    places = [sign * at for at in (found.worst, found.red, found.target, found.best)]
    assert places == sorted(places)
    assert 0.0 <= scoring.scorecards.metric_score(target, found.worst, found.best) <= 1.0
