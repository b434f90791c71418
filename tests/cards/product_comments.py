"""Every card about comments on missed figures, and sheets that carry them, at their smallest and largest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cards.comments
import cards.scorecards
from cards.card import Card, Form
from cards.scorecards import Sheet
from scoring.comments import Comment
from scoring.periods import Period
from scoring.scorecards import Score


def said(score: Score, period: Period, words: str) -> dict[str, tuple[Comment, ...]]:
    """As many comments under each red and amber as there can be."""
    weekly = [f"2026-W{number}" for number in (31, 30)]
    return {
        reading.metric: tuple(
            Comment("team:2", reading.metric, key, words[:300] or "Two analysts short.", "short_staffing", 7,
                    words[:80] or "Ada", "lead", period.last + 2)
            for key in (period.key, *weekly)
        )
        for reading in score.readings
        if reading.status in ("red", "amber")
    }  # fmt: skip


def everything(name: str, count: int, words: str, sheet: Sheet) -> Iterator[tuple[str, Card | Form]]:
    """(name, card or form)."""
    team, title = words[:80] or "Help Desk", words[:120] or "CSAT"
    values = {"team": "2", "metric": "csat", "period": sheet.period.key}
    one = Comment("team:2", "csat", sheet.period.key, words[:300] or "Two short.", "outage" if count else "", 7, team,
                  "manager", sheet.period.last)  # fmt: skip
    yield f"comment form {name}", cards.comments.form(title, words or "60 of 98.", one if count else None, values)
    yield f"comment kept {name}", cards.comments.kept(team, title, one, values)
    yield f"comment taken back {name}", cards.comments.taken_back(team, title, sheet.period)
    found = said(sheet.score, sheet.period, words)
    shown = replace(sheet, level="team", comments=found, commentable=True, plannable=True)
    yield f"commented {name}", cards.scorecards.team(shown)
    yield f"commented desk {name}", cards.scorecards.card(replace(shown, level="organisation", values={}))
