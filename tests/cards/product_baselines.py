"""Every card and form about baselines and lines, at its smallest and its largest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cards.baselines
import cards.pilots
import cards.scorecards
import scoring.periods
import scoring.pilots
from cards.baselines import Shown
from cards.card import Card, Form
from cards.scorecards import Sheet
from scoring.baselines import Counts, Proposal
from scoring.metrics import Lines, Sums
from scoring.pilots import Views
from scoring.rules import Pilot
from scoring.scorecards import Reading, Score
from tests.scoring import desk

HERE = 20_500
LINES = Lines(target=82.0, red=71.5, worst=50.5, best=85.5)


def _pilots(count: int, words: str) -> list[cards.pilots.Shown]:
    pilot = Pilot("glad", ("help-desk",), HERE, HERE + 27, words[:200])
    counts = {"yes": count, "partly": 3, "no": 2}
    views = Views(5 + count, counts, counts, (words[:500],) * count)
    one = cards.pilots.Shown(pilot, words[:120] or "Glad clients", [words[:80] or "Desk"] * max(1, count),
                             [("middle", views), ("end", None)])  # fmt: skip
    decided = replace(one, state="dropped", by=words[:80] or "Mara", reason=words[:500])
    return [one, decided] * count


def everything(name: str, count: int, words: str) -> Iterator[tuple[str, Card | Form]]:
    """(name, card or form)"""
    metric = desk.metric("glad", title=words[:120] or "Glad clients", influence={"person": words or "x"})
    found = Proposal(LINES, (76.0, 88.5), 12 + 40 * count, 1 + count, 1 + count, Counts(count, 5 * count, 12))
    one = Shown(7, 1, "person", metric, HERE - 28, HERE, "proposed", found, None, LINES if count else None)
    later = replace(
        one, state="adopted", lines=LINES, decided=words[:80] or "Mara", reason=words[:300], may_tighten=HERE + 91
    )
    kept = replace(later, state="kept", lines=None, may_tighten=None)
    for level in ("person", "team", "organisation"):
        at = replace(one, level=level)  # type: ignore[arg-type]
        yield f"lines proposed {level} {name}", cards.baselines.proposed(at)
    few = replace(one, state="measuring", proposal=None, reason="few" if count else "")
    yield f"too few readings {name}", cards.baselines.too_few(few)
    for told in (later, kept, replace(few, decided=words[:80] or "Mara", reason="")):
        yield f"lines {told.state} {name}", cards.baselines.decided(told)
    some = [one, few, later, kept] * count
    for decides in (True, False):
        tried = cards.pilots.listed(_pilots(count, words), decides=decides)
        yield f"lines {decides} {name}", cards.baselines.listed(some, [7] * count, tried, decides=decides)
    yield f"lines form {name}", cards.baselines.form(one, LINES if count else None)
    for pilot in _pilots(max(1, count), words)[:1]:
        for part in scoring.pilots.PARTS:
            yield f"pilot asked {part} {name}", cards.pilots.asked(pilot.title, pilot.pilot, part)
            yield f"pilot view {part} {name}", cards.pilots.view(pilot.title, pilot.pilot, part)
        yield f"pilot thanks {name}", cards.pilots.thanked(pilot.title)
        yield f"pilot decide {name}", cards.pilots.decide(pilot)
        for state in ("adopted", "dropped"):
            yield f"pilot {state} {name}", cards.pilots.decided(replace(pilot, state=state))
    period = scoring.periods.week(HERE)
    reading = Reading(
        "glad", 71.0, 70.0, 1.0, "none", "61 of 98; measuring until 12 March", Sums(61000, 98000, 98, 0), (), LINES,
        0.5, None, None, measuring="measuring until 12 March",
    )  # fmt: skip
    score = Score("rubric", (reading,) * max(1, count), None, None, None, 0.5, (), False)
    sheet = Sheet("Your scorecard", period, score, {"glad": metric}, "person")
    yield f"measured scorecard {name}", cards.scorecards.card(sheet)
    yield f"measured trend {name}", cards.scorecards.trend(sheet, reading, words or "Too few weeks.")
