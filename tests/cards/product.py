"""Every card and form of the product, at its smallest and its largest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cards.distortions
import cards.notice
import cards.outbox
import cards.people
import cards.plans
import cards.scorecards
import cards.tickets
import handlers.people
import scoring.periods
from cards.card import Card, Form
from cards.plans import Listed
from cards.scorecards import Sheet
from cards.tickets import Ticket
from scoring.distortions import Distortion
from scoring.metrics import Lines, Metric, Sums
from scoring.people import Person
from scoring.plans import Change, Plan
from scoring.refused import Refused
from scoring.scorecards import Explanation, Reading, Score
from tests.cards import product_baselines, product_comments, product_digests, product_nudges, product_objectives
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
    planned = {f"metric_{one}": f"Plan: {words[:500]}" for one in range(0, 12, 2)}
    yield f"planned {name}", cards.scorecards.team(replace(made, level="team", plans=planned, plannable=True))
    if not made.score.readings:
        return
    yield f"balanced {name}", cards.scorecards.balance(made)
    reading = made.score.readings[0]
    parts = {part: words for part in Explanation.__dataclass_fields__ if part != "objectives"}
    found = Explanation(**parts, objectives=(words, words))
    yield f"why {name}", cards.scorecards.why(made, reading, found)
    yield f"trend {name}", cards.scorecards.trend(made, reading, words or "Too few weeks.")


def _tickets(count: int, words: str) -> list[Ticket]:
    url = "https://tickets.example/" if words else ""
    return [Ticket(f"s/{i}", f"INC{i}", words[:200], url and f"{url}{i}", words or "counts") for i in range(count)]


def _plans(count: int, words: str) -> list[Listed]:
    said = words[:500] or "Ring back."
    first = Plan(7, "team:2", "csat", WEEK.key, said, 5, words[:80] or "Ada", WEEK.last)
    more = replace(first, blocker=words[:500], reason=words[:500], moved=len(words) % 3)
    return [Listed(first, words[:120] or "CSAT", True, True), *[Listed(more, words[:120], True, True)] * count]


def _of_plans(name: str, count: int, words: str) -> Iterator[tuple[str, Card | Form]]:
    some = _plans(count, words)
    one = some[-1]
    team, here = words[:80] or "Desk", WEEK.last + (9 if count else -3)
    owners = [(number, words[:80] or "Ada") for number in range(1 + count * 20)]
    values = {"team": "2", "metric": "csat", "period": WEEK.key}
    yield f"plan form {name}", cards.plans.form(one.title, words or "60 of 98.", owners, here, values)
    yield f"plan saved {name}", cards.plans.saved(team, one.title, one.plan, here)
    yield f"plan asked {name}", cards.plans.asked(team, team, one.title, one.plan, here)
    done = replace(one.plan, state="done", closed_day=here, outcome="worked" if count else "")
    gone = replace(one.plan, state="dropped", closed_day=here)
    closed = [replace(one, plan=done), replace(one, plan=gone)] * count
    yield f"plans {name}", cards.plans.listed(team, some * max(1, count) if count else [], closed, here)
    yield f"plan changed {name}", cards.plans.changed(one.title, one.plan, here)
    yield f"plan done {name}", cards.plans.changed(one.title, done, here)
    yield f"plan move {name}", cards.plans.move(one.title, one.plan)
    yield f"plan drop {name}", cards.plans.drop(one.title, one.plan)
    yield f"plan block {name}", cards.plans.block(one.title, one.plan)
    yield f"plan block withheld {name}", cards.plans.block(one.title, one.plan, told=False)
    yield f"plan hand {name}", cards.plans.hand(one.title, one.plan, owners, here)
    yield f"plan handed {name}", cards.plans.handed(team, team, one.title, one.plan, words[:500], here)
    yield f"plan given {name}", cards.plans.given(team, team, one.title, one.plan)
    lost = replace(one.plan, owned=False)
    yield f"plan orphaned {name}", cards.plans.orphaned(team, one.title, lost, here)
    yield f"plan reminder orphaned {name}", cards.plans.reminder("soon", team, one.title, lost, here)
    acts = ("plan opened", "plan moved", "plan handed over", "plan blocked", "?")
    changes = [Change(act, words[:80] or "Ada", here, 2, 5, words[:80], here, words[:500]) for act in acts] * count
    yield f"plan since {name}", cards.plans.since(one, changes, here)
    yield f"plan over {name}", cards.plans.since(replace(one, plan=done), changes, here)
    form = cards.plans.move(one.title, one.plan)
    yield f"plan again {name}", cards.plans.again(form, changes, {"reason": words[:500]})
    for kind in ("soon", "today", "overdue"):
        card = cards.plans.reminder(kind, team, one.title, one.plan, here)  # type: ignore[arg-type]
        yield f"plan reminder {kind} {name}", card
    for outcome in ("worked", "not_yet", "cannot_tell"):
        told = replace(done, outcome=outcome)  # type: ignore[arg-type]
        yield f"plan {outcome} {name}", cards.plans.outcome(team, one.title, told, values if count else None)


def _of_distortions(name: str, count: int, words: str) -> Iterator[tuple[str, Card | Form]]:
    one = Distortion(7, "outage", "team:2", WEEK.first, WEEK.last, 0, words[:200] or "Mail outage", 5,
                     declared_name=words[:80] or "Ada", team=words[:80] or "Desk")  # fmt: skip
    titles = tuple(words[:120] or "CSAT" for _ in range(count))
    asked = cards.distortions.Listed(one, titles, True, True)
    approved = replace(asked, one=replace(one, state="approved", decided_by=6, decided_name=words[:80] or "Mara"))
    yield f"distortion form {name}", cards.distortions.form(
        [("desk", "The whole desk"), *[(f"team:{i}", words[:80] or "Desk") for i in range(count)]],
        [(f"metric_{i}", words[:80] or "CSAT") for i in range(count * 10)], WEEK.last,
    )  # fmt: skip
    yield f"distortion to decide {name}", cards.distortions.to_decide(asked)
    yield f"distortion asked {name}", cards.distortions.asked(asked, [words[:80] or "Mara"] * max(1, count))
    yield f"distortions {name}", cards.distortions.listed([asked] * count, [approved] * count, declares=bool(count))
    yield f"distortion decline {name}", cards.distortions.decline(one)
    yield f"distortion revert {name}", cards.distortions.revert(one)
    for state in ("approved", "reverted"):
        at_work = replace(one, state=state, working=True, answer=words[:500])  # type: ignore[arg-type]
        yield f"distortion {state} at work {name}", cards.distortions.changed(replace(asked, one=at_work), "Mara", 0)
    for state in ("approved", "declined", "reverted"):
        told = replace(approved, one=replace(approved.one, state=state, answer=words[:500]))  # type: ignore[arg-type]
        yield f"distortion {state} {name}", cards.distortions.changed(told, words[:80] or "Mara", count)


def everything() -> Iterator[tuple[str, Card | Form]]:
    """(name, card or form) of all that the product says."""
    for name, count, words in (("smallest", 0, ""), ("usual", 2, "Answer the survey."), ("largest", 12, LONG)):
        yield from _of_sheet(name, sheet(count, words), words)
        yield from _of_plans(name, count, words)
        yield from _of_distortions(name, count, words)
        yield from product_comments.everything(name, count, words, sheet(count, words))
        yield from product_nudges.everything(name, count, words, sheet(max(1, count), words))
        yield from product_objectives.everything(name, count, words)
        yield from product_baselines.everything(name, count, words)
        yield from product_digests.everything(name, count, words, sheet(count, words))
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
        troubles = [("held" if i % 2 else "failed", "teams", words, 1 + i) for i in range(max(1, count))]
        yield f"undelivered {name}", cards.outbox.undelivered(troubles)
        yield f"refused {name}", cards.notice.refused(Refused(words or "No.", words))
        yield f"stranger {name}", cards.notice.stranger(words or "slack:T1/U1")
        yield f"told {name}", cards.notice.told("Done", words or "It is done.")
    yield from product_objectives.examples()
    yield "apology", cards.notice.apology("1a2b3c4d")
    yield "elsewhere", cards.notice.private_elsewhere()
    yield "help", handlers.people.help_card({}, leads=False)
    yield "help for leads", handlers.people.help_card({"myscore": "m" * 32}, leads=True)
