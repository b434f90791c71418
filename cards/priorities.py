"""How the priorities of a month look, and the form in which leadership records them."""

from __future__ import annotations

from typing import Protocol

from cards.card import Block, Button, Buttons, Card, Form, Input, Text
from scoring.periods import Period


class Said(Protocol):
    """What was recorded for a month."""

    @property
    def words(self) -> str: ...
    @property
    def trade_offs(self) -> str: ...
    @property
    def by(self) -> str: ...
    @property
    def version(self) -> int: ...


def blocks(found: Said | None) -> tuple[Block, ...]:
    """The priorities as part of a card; nothing where none were recorded."""
    if found is None:
        return ()
    told: list[Block] = [Text(f"First this month: {found.words}", "strong")]
    if found.trade_offs:
        told.append(Text(f"Given up for it: {found.trade_offs}"))
    return (*told, Text(f"Recorded by {found.by}.", "muted"))


def form(month: Period, found: Said | None) -> Form:
    """What comes first, and what is given up for it."""
    return Form(
        "Priorities",
        "priorities_kept",
        (
            Input("words", "What comes first this month?", "multiline", value=found.words if found else ""),
            Input("trade_offs", "What do we give up for it?", "multiline", value=found.trade_offs if found else "",
                  hint="What may wait, cost more, or be done less well", optional=True),
        ),
        submit="Record",
        intro=f"{month.label}. Everybody reads this under /objectives; what was recorded before is kept.",
        values={"month": month.key, "version": str(found.version if found else 0)},
    )  # fmt: skip


def kept(month: Period, words: str, trade_offs: str) -> Card:
    """They hold now."""
    told: list[Block] = [Text(f"First in {month.label}: {words}")]
    if trade_offs:
        told.append(Text(f"Given up for it: {trade_offs}"))
    told.append(Buttons((Button("All objectives", "objective_tree"),)))
    return Card("Priorities recorded", tuple(told), summary=f"First in {month.label}: {words}")
