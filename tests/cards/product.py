"""Every card and form of the product, at its smallest and its largest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cards.notice
import cards.people
import cards.scorecards
import cards.tickets
import handlers.people
import scoring.periods
from cards.card import Card, Form
from cards.scorecards import Sheet
from cards.tickets import Ticket
from scoring.metrics import Lines, Metric, Sums
from scoring.people import Person
from scoring.refused import Refused
from scoring.scorecards import Explanation, Reading, Score
from tests.scoring import desk

WEEK = scoring.periods.week(20_500)
LONG = "Wiederinbetriebnahmegenehmigungsverfahren & <b>mehr</b> " * 40
LINES = Lines(target=80.0, red=70.0, worst=50.0, best=82.0)


def _metric(index: int, words: str) -> Metric:
    influence = {"person": words, "team": words}
    return desk.metric(f"metric_{index}", title=words[:120] or f"Metric {index}", influence=influence, formula=words)


def _reading(metric: Metric, status: str, value: float | None, words: str, weeks: int) -> Reading:
    first = WEEK.first - 7 * (weeks - 1)
    return Reading(
        metric=metric.name,
        value=value,
        previous=value,
        change=None if value is None else -3.0,
        status=status,  # type: ignore[arg-type]
        words=words,
        sums=Sums(61000, 98000, 98, 61000),
        weeks=tuple((first + 7 * i, None if i % 5 == 4 else 60.0 + i) for i in range(weeks)),
        lines=LINES,
        weight=0.1,
        score=None if value is None else 0.5,
        previous_score=0.5,
        provisional=True,
        missing="" if value is not None else "no data in this period",
    )


def sheet(count: int, words: str, *, greens: bool = True, level: str = "person") -> Sheet:
    """A sheet with `count` metrics of each status."""
    metrics: dict[str, Metric] = {}
    readings: list[Reading] = []
    for index, status in enumerate(("red", "amber", "green", "none", "missing")):
        for one in range(count):
            metric = _metric(index * 100 + one, words)
            metrics[metric.name] = metric
            value = None if status == "missing" else 71.0
            readings.append(_reading(metric, "none" if status == "missing" else status, value, words, 13))
    score = Score("rubric", tuple(readings), 74.0 if count else None, 71.0, 3.0, 0.9, (), True)
    return Sheet(
        title=f"Scorecard of {words[:80] or 'A'}",
        period=WEEK,
        score=score,
        metrics=metrics,
        level=level,  # type: ignore[arg-type]
        values={"person": "7"},
        notes=(words or "Data as of today.",) * max(1, count),
        greens=greens,
        mine=True,
    )


def _of_sheet(name: str, made: Sheet, words: str) -> Iterator[tuple[str, Card | Form]]:
    yield f"scorecard {name}", cards.scorecards.card(made)
    yield f"team {name}", cards.scorecards.team(replace(made, level="team"))
    if not made.score.readings:
        return
    reading = made.score.readings[0]
    parts = {part: words for part in Explanation.__dataclass_fields__ if part != "objectives"}
    found = Explanation(**parts, objectives=(words, words))
    yield f"why {name}", cards.scorecards.why(made, reading, found)
    yield f"trend {name}", cards.scorecards.trend(made, reading, words or "Too few weeks.")


def _tickets(count: int, words: str) -> list[Ticket]:
    url = "https://tickets.example/" if words else ""
    return [Ticket(f"s/{i}", f"INC{i}", words[:200], url and f"{url}{i}", words or "counts") for i in range(count)]


def everything() -> Iterator[tuple[str, Card | Form]]:
    """(name, card or form) of all that the product says."""
    for name, count, words in (("smallest", 0, ""), ("usual", 2, "Answer the survey."), ("largest", 12, LONG)):
        yield from _of_sheet(name, sheet(count, words), words)
        yield f"folded {name}", cards.scorecards.card(sheet(count, words, greens=False))
        tickets = _tickets(count * 10, words)
        yield f"tickets {name}", cards.tickets.behind("Metric", WEEK.label, tickets, bool(count), {}, True)
        yield f"correct {name}", cards.tickets.correct(tickets or _tickets(1, ""), "", {"period": WEEK.key})
        yield f"asked {name}", cards.tickets.asked("INC1", words or "Ada")
        decide = cards.tickets.to_decide(7, words or "Ada", "INC1", words, "not_mine", words or "x")
        yield f"to decide {name}", decide
        yield f"waiting {name}", cards.tickets.waiting([decide] * count)
        yield f"decline {name}", cards.tickets.decline(7)
        yield f"declined {name}", cards.tickets.decided("INC1", "declined", words or "Ada", words or "No.")
        yield f"confirmed {name}", cards.tickets.decided("INC1", "confirmed", words or "Ada", "")
        yield f"looked {name}", cards.people.looked([(words or "Ada", words, 1_770_000_000)] * count * 2, "UTC")
        yield f"people {name}", cards.people.listed("Desk", WEEK, [(i, words or "Ada") for i in range(count * 20)])
        person = Person(7, "ada", words or "Ada", "technician", 1, tier=2)
        yield f"whoami {name}", cards.people.whoami(person, words, words, (words or "slack:T1/U1",) * max(1, count))
        yield f"refused {name}", cards.notice.refused(Refused(words or "No.", words))
        yield f"stranger {name}", cards.notice.stranger(words or "slack:T1/U1")
        yield f"told {name}", cards.notice.told("Done", words or "It is done.")
    yield "apology", cards.notice.apology("1a2b3c4d")
    yield "elsewhere", cards.notice.private_elsewhere()
    yield "help", handlers.people.help_card({}, leads=False)
    yield "help for leads", handlers.people.help_card({"myscore": "m" * 32}, leads=True)
