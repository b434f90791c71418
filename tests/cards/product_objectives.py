"""Every card and form about objectives, priorities and red-flag customers, at its smallest and its largest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cards.objectives
import cards.priorities
import cards.redflags
import scoring.objectives_file
import scoring.periods
import storage.objectives
from cards.card import Card, Form
from cards.objectives import Line, Offer
from scoring.cascade import Standing
from scoring.objectives import Objective
from scoring.redflags import RedFlag
from storage.priorities import Priorities

DAY = 20_500
SMALL = Objective("k", "T", "individual", "person:7")


def objective(words: str) -> Objective:
    """An objective all of whose texts are as long as a form lets them be."""
    if not words:
        return SMALL
    text = words[: scoring.objectives_file.LONGEST]
    return Objective(
        "k" * 64, text, "team", "team:999999999", text, "customer", 7, text[:80], ("csat",), text, 85.25, 70.0,
        "fortnightly", DAY, text, text, text, text, "p" * 64, 2.5, text, 999, 999, "open", text, "",
    )  # fmt: skip


def _lines(count: int, words: str) -> list[Line]:
    standing = Standing("red", "red", "amber", 0.625, 12) if count else Standing("none", "none", "none", None, 0)
    whom = words[:80] or "Help Desk"
    seen = Line(objective(words), whom, standing, words[:300], 3, 12 if count else 0)
    return [seen, replace(seen, standing=None)] * count


def everything(name: str, count: int, words: str) -> Iterator[tuple[str, Card | Form]]:
    """(name, card or form) of all that is said about what a desk is after."""
    one, lines, month = objective(words), _lines(count, words), scoring.periods.month(DAY)
    recorded = Priorities(month.key, (words or "Phones.")[:1000], words[:1000], words[:80] or "Ada", 0)
    told = cards.priorities.blocks(recorded if count else None)
    yield f"objectives {name}", cards.objectives.tree(lines, 0, "Week 31", priorities=told, leads=True)
    yield f"objectives, page two {name}", cards.objectives.tree(lines, 1, "Week 31")
    for own in (*_lines(1, words), *lines[:1]):
        standing = "open" if own.standing else "not open"
        page = cards.objectives.branch(
            own, own if count else None, lines, 0, "Week 31", {"csat": words or "CSAT"}, may_change=bool(count)
        )
        yield f"objective, status {standing}, {len(lines)} {name}", page
    filled = scoring.objectives_file.answers(one) | {"for": "person:1", "owner": "1"}
    many = [(str(i), words[:80] or "Ada") for i in range(max(1, count) * 9)]
    offer = Offer(many, many, many, many if count else [])
    wrong = [words[:300] or "It does not name the outcome."] * count
    form = cards.objectives.form(offer, filled, "objective_changed", {"objective": one.key, "version": "9"}, wrong)
    yield f"objective form {name}", form
    yield f"objective close {name}", cards.objectives.close(one)
    yield f"objective closed {name}", cards.objectives.closed(replace(one, reason=words or "Reached."), count)
    yield f"objective told {name}", cards.objectives.told(one, words[:80] or "Ada")
    yield f"unlinked {name}", cards.objectives.report([(words[:80] or "Ada", one)] * max(1, count), ())
    yield f"uncarried {name}", cards.objectives.report((), [one] * max(1, count))
    yield f"priorities {name}", cards.priorities.form(month, recorded if count else None)
    yield f"priorities kept {name}", cards.priorities.kept(month, words[:1000] or "Phones.", words[:1000])
    flag = RedFlag(1, words[:200] or "Orchard", words[:500] or "One complaint.", DAY)
    owned = replace(flag, owner_id=7, owner=words[:80] or "Ada", next_contact=DAY - 3)
    yield f"clients {name}", cards.redflags.listed([flag, owned] * count, DAY)
    yield f"client contact {name}", cards.redflags.next_contact(owned, "2026-08-31")
    yield f"client close {name}", cards.redflags.close(flag)


def examples() -> Iterator[tuple[str, Card | Form]]:
    """The cascades that come with Redfirst."""
    found = storage.objectives.cascades()
    yield "examples", cards.objectives.examples(found)
    for one in found:
        yield f"example {one.name}", cards.objectives.example(one, {})
