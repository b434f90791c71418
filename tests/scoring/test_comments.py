"""Comments on missed figures: what may be written, whom it may not name, and where it is shown."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scoring.comments
import scoring.periods
from scoring.comments import Comment
from scoring.metrics import Lines, Sums
from scoring.refused import Refused
from scoring.scorecards import Reading, Score

TEAM = ("Ana Abel", "Ben Moder", "Jo Li", "Will Young", "Sean O'Neil", "Zoë-Marie de la Cruz", "李雷")
JULY = scoring.periods.from_key("2026-07")
WEEK = scoring.periods.from_key("2026-W31")
LETTERS = st.text("bcdfghjklmpqrstvwxz", min_size=3, max_size=9)


def made(period: str = WEEK.key, metric: str = "csat", words: str = "Two analysts short.") -> Comment:
    return Comment("team:2", metric, period, words, "", 7, "Ada", "lead", WEEK.last + 2)


def reading(metric: str, status: str, missing: str = "", untold: tuple[str, ...] = ()) -> Reading:
    """A reading with the thirteen weeks up to the end of July; those of `untold` are withheld."""
    weeks = tuple(
        (day, None if scoring.periods.week(day).key in untold else 60.0)
        for day in scoring.periods.weeks_up_to(JULY, 13)
    )
    lines = Lines(target=80.0, red=70.0, worst=50.0, best=90.0)
    return Reading(
        metric=metric, value=60.0, previous=None, change=None, status=status, words="", sums=Sums(),  # type: ignore[arg-type]
        weeks=weeks, lines=lines, weight=0.5, score=None, previous_score=None, provisional=False, missing=missing,
    )  # fmt: skip


def score(*readings: Reading) -> Score:
    return Score("rubric", readings, None, None, None, 0.0, (), False)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("Ana was ill.", "Ana Abel"),
        ("while ana was ill", "Ana Abel"),
        ("ANA ABEL WAS ILL", "Ana Abel"),
        ("Aná's laptop was stolen.", "Ana Abel"),
        ("A\u200bna was ill.", "Ana Abel"),
        ("Ａｎａ was ill.", "Ana Abel"),
        ("Two short (Moder, flu).", "Ben Moder"),
        ("Jo is away.", "Jo Li"),
        ("Will was away.", "Will Young"),
        ("as will young had to leave", "Will Young"),
        ("without Sean O’Neil", "Sean O'Neil"),
        ("zoe-marie de la cruz left", "Zoë-Marie de la Cruz"),
        ("Zoe Cruz left.", "Zoë-Marie de la Cruz"),
        ("李雷病了", "李雷"),
    ],
)
def test_a_name_of_the_team_is_found_however_it_is_written(words: str, name: str) -> None:
    assert scoring.comments.named(words, TEAM) == name


@pytest.mark.parametrize(
    "words",
    [
        "Two analysts short.",
        "The bananas were late, and so was Anabel’s client.",
        "We will hire two young people.",
        "An outage of the mail, with no way to jot it down.",
        "A client’s roll-out de la semaine.",
        "",
    ],
)
def test_a_part_of_a_word_and_an_everyday_word_are_no_name(words: str) -> None:
    assert scoring.comments.named(words, TEAM) == ""


@given(LETTERS, LETTERS, st.sampled_from((str.lower, str.upper, str.title)), st.sampled_from((" ", ", ", "\n", "-")))
def test_a_whole_name_is_found_between_any_words(first: str, last: str, case: object, gap: str) -> None:
    name = f"{first.title()} {last.title()}"
    said = case(f"{first}{gap}{last}")  # type: ignore[operator]
    assert scoring.comments.named(f"The outage took {said} by surprise", [name]) == name


@given(st.text(max_size=80), st.lists(st.text(max_size=20), max_size=4))
def test_whatever_is_written_is_looked_through(words: str, names: list[str]) -> None:
    found = scoring.comments.named(words, names)
    assert found == "" or found in names
    if not re.search(r"[^\W_]", words):
        assert found == ""


def test_what_was_written_is_one_line() -> None:
    assert scoring.comments.written("  Two analysts\n\n short. ", "short_staffing", TEAM) == (
        "Two analysts short.", "short_staffing",
    )  # fmt: skip
    assert scoring.comments.written("Mail was down", "", ()) == ("Mail was down", "")
    assert scoring.comments.written("x" * 300, "other", ()) == ("x" * 300, "other")


@pytest.mark.parametrize(
    ("words", "cause", "said"),
    [
        (" \n ", "", "A sentence is missing"),
        ("…!", "", "A sentence is missing"),
        ("x" * 301, "", "longer than 300 characters"),
        ("Two short.", "laziness", "do not know that cause"),
        ("Ben is new.", "other", "could be known by this one"),
    ],
)
def test_what_cannot_stand_is_refused_with_what_to_do(words: str, cause: str, said: str) -> None:
    with pytest.raises(Refused) as no:
        scoring.comments.written(words, cause, TEAM)
    assert said in no.value.what
    assert no.value.remedy


def test_a_month_tells_of_its_weeks_and_a_week_of_itself() -> None:
    assert scoring.comments.told_in(WEEK) == ("2026-W31",)
    assert scoring.comments.told_in(JULY) == ("2026-07", "2026-W31", "2026-W30", "2026-W29", "2026-W28", "2026-W27")
    for key in ("2026-Q3", "4w-2026-W31", "13w-2026-W31"):
        assert scoring.comments.told_in(scoring.periods.from_key(key)) == ()


def test_a_month_shows_its_own_comment_and_the_newest_two_of_its_weeks() -> None:
    found = [made(key) for key in ("2026-W28", "2026-W31", "2026-07", "2026-W29", "2026-W40")]
    shown = scoring.comments.shown(found, score(reading("csat", "amber")), JULY)
    assert [one.period for one in shown["csat"]] == ["2026-07", "2026-W31", "2026-W29"]


def test_a_month_leaves_out_what_is_said_of_a_week_whose_own_figure_is_not_told() -> None:
    found = [made(key) for key in ("2026-W28", "2026-W31", "2026-W29")]
    shown = scoring.comments.shown(found, score(reading("csat", "red", untold=("2026-W31",))), JULY)
    assert [one.period for one in shown["csat"]] == ["2026-W29", "2026-W28"]
    assert scoring.comments.shown([made()], score(replace(reading("csat", "red"), weeks=())), JULY) == {}


@pytest.mark.parametrize(
    ("status", "missing", "seen"),
    [("red", "", True), ("amber", "", True), ("green", "", False), ("none", "", False), ("red", "withheld", False)],
)
def test_a_comment_is_shown_under_a_red_or_an_amber_that_is_told_only(status: str, missing: str, seen: bool) -> None:
    shown = scoring.comments.shown([made()], score(reading("csat", status, missing), reading("nps", "red")), WEEK)
    assert shown == ({"csat": (made(),)} if seen else {})


def test_a_week_shows_nothing_of_its_month() -> None:
    assert scoring.comments.shown([made(JULY.key)], score(reading("csat", "red")), WEEK) == {}
    assert scoring.comments.shown([replace(made(), metric="gone")], score(reading("csat", "red")), WEEK) == {}
