"""Expressions: what is refused, by which name, and what goes through."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scoring.expressions
import scoring.facts
from scoring.refused import Refused

TICKET = scoring.facts.columns("ticket")
HERE = "metric mine, numerator, value"


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("1", set()),
        ("tier = 1", {"tier"}),
        ("worked_minutes / 60.0", {"worked_minutes"}),
        ("worked_minutes / NULLIF(estimated_minutes, 0)", {"worked_minutes", "estimated_minutes"}),
        ("CASE WHEN channel IN ('phone', 'chat') THEN 1 WHEN mandated THEN 0.5 ELSE 0 END", {"channel", "mandated"}),
        ("COALESCE(complexity, 1) * GREATEST(impact, 0)", {"complexity", "impact"}),
        ("title LIKE '%printer%' AND NOT (tier BETWEEN 2 AND 3)", {"title", "tier"}),
        ("IF(reopens > 0, -1, 0)", {"reopens"}),
        ("category = 'NOW()'", {"category"}),
    ],
)
def test_an_expression_over_one_row_tells_its_columns(sql: str, columns: set[str]) -> None:
    assert scoring.expressions.check(sql, TICKET, HERE) == columns


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SUM(tier)", "SUM"),
        ("COUNT(*)", "COUNT"),
        ("MAX(tier)", "MAX"),
        ("RANK() OVER (ORDER BY tier)", "RANK"),
        ("LAG(tier) OVER (ORDER BY tier)", "LAG"),
        ("(SELECT 1)", "SELECT"),
        ("EXISTS (SELECT 1)", "EXISTS"),
        ("tier > ALL(tier)", "ALL"),
        ("NOW() > opened_at", "NOW"),
        ("CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP"),
        ("current_date", "CURRENT_DATE"),
        ("tier / reopens", "NULLIF"),
        ("tier / 0", "NULLIF"),
        ("tier % reopens", "NULLIF"),
        ("MOD(tier, reopens)", "NULLIF"),
        ("tier / (reopens + 1)", "NULLIF"),
        ("tier / NULLIF(reopens, 1)", "NULLIF"),
        ("title", "text"),
        ("tier + title", "types"),
        ("tier; DROP TABLE ticket", "column"),
        ("", "empty"),
        ("tier +", "not an expression"),
        ("1" + " + 1" * 600, "2,000"),
        ("INTERVAL '1 day'", "column"),
    ],
)
def test_what_is_no_value_of_one_row_is_refused_by_name(sql: str, said: str) -> None:
    with pytest.raises(Refused) as refused:
        scoring.expressions.check(sql, TICKET, HERE)
    assert said in str(refused.value)
    assert HERE in refused.value.what


@pytest.mark.parametrize(
    ("sql", "wrong", "nearest"),
    [
        ("worked_minuts > 3", "worked_minuts", "worked_minutes"),
        ("Tier = 1", "Tier", "tier"),
        ("COALESC(tier, 1)", "COALESC", "COALESCE"),
        ("LOWR(title) = 'x'", "LOWR", "LOWER"),
    ],
)
def test_a_misspelled_name_gets_the_nearest_valid_one(sql: str, wrong: str, nearest: str) -> None:
    with pytest.raises(Refused) as refused:
        scoring.expressions.check(sql, TICKET, HERE)
    assert repr(wrong) in refused.value.what
    assert repr(nearest) in refused.value.remedy


def test_a_condition_must_be_true_or_false() -> None:
    assert scoring.expressions.check("tier = 1", TICKET, HERE, boolean=True) == {"tier"}
    with pytest.raises(Refused, match="true or false"):
        scoring.expressions.check("tier", TICKET, HERE, boolean=True)


WORDS = st.sampled_from(
    [
        "tier",
        "title",
        "opened_at",
        "1",
        "0",
        "'x'",
        "+",
        "/",
        "=",
        "(",
        ")",
        "SUM(",
        "NOW()",
        "OVER",
        "CASE",
        "WHEN",
        "END",
        "THEN",
        "NULL",
        ",",
        "IN",
        "*",
        "reopens",
        "RANDOM()",
        "CURRENT_TIME",
        "AND",
        "NULLIF(",
        "EXTRACT(",
        "FROM",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=9))
def test_any_soup_of_words_is_either_refused_or_over_one_row(words: list[str]) -> None:
    sql = " ".join(words)
    try:
        used = scoring.expressions.check(sql, TICKET, HERE)
    except Refused:
        return
    assert used <= set(TICKET)
    assert not {"SUM(", "NOW()", "OVER", "CURRENT_TIME", "RANDOM()", "EXTRACT("} & set(words)
