"""Every card and form of nudges, check-backs and coaching, at its smallest and its largest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cards.check_backs
import cards.coaching
import cards.effects
import cards.nudges
import cards.scorecards
from cards.card import Card, Form
from cards.check_backs import Change
from cards.coaching import Agreed, Noted, Talk
from cards.scorecards import Sheet
from scoring.behaviours import Behaviour
from scoring.effects import Effect
from scoring.metrics import Sums

HERE = 20_500


def everything(name: str, count: int, words: str, sheet: Sheet) -> Iterator[tuple[str, Card | Form]]:
    """(name, card or form); `sheet` has a metric of each status at least."""
    said = words or "x"
    one = Behaviour("b", sheet.score.readings[0].metric, said[:80], said[:300], said[:200], said[:200])
    reading = sheet.score.readings[0]
    metric = sheet.metrics[reading.metric]
    focus = {f"m{i}": f"{one.title}. {one.what}" for i in range(min(count, 2))}
    yield f"scorecard with focus {name}", cards.scorecards.card(replace(sheet, focus=focus))
    yield f"nudge {name}", cards.nudges.nudge(7, one, metric, reading)
    yield f"nudge done {name}", cards.nudges.done(one, HERE)
    yield f"nudge snooze {name}", cards.nudges.snooze(7, HERE)
    yield f"nudge snoozed {name}", cards.nudges.snoozed(one, HERE)
    yield f"nudge not mine {name}", cards.nudges.not_mine(7, metric)
    for mine in (True, False):
        yield f"in the way {mine} {name}", cards.nudges.in_the_way(said, metric, said[:500], 7, mine=mine)
        yield f"nudges {mine} {name}", cards.nudges.settings(
            [(one, metric)] * min(count, 2), [("b", one.title, HERE), ("c", one.title, None)] * count, on=mine
        )
    yield f"nudge stop {name}", cards.nudges.stop(7)
    yield f"nudge stopped {name}", cards.nudges.stopped(one if count else None, {})
    yield f"well done {name}", cards.nudges.well_done(one, metric, reading)
    sums = Sums(21_000, 40_000, 40, 21_000) if count else Sums()
    for went in cards.check_backs.WORDS:
        change = Change(metric, sums, sums, (HERE - 28, HERE - 1), (HERE, HERE + 13), went)
        yield f"check-back {went} {name}", cards.check_backs.of_focus(change, one.title, {"metric": metric.name})
        for mine in (True, False):
            told = change if count else None
            card = cards.check_backs.of_talk(told, metric.title, said[:500], said, 7, mine=mine)
            yield f"check-back of a talk {went} {mine} {name}", card
    effects = [
        Effect("b", metric.name, verdict, 12, 15, 99, 3.2, 1.0, 5.4, 2.0)  # type: ignore[arg-type]
        for verdict in ("helps", "no_effect", "open", "too_few")
    ]
    yield f"effect {name}", cards.effects.shown(effects * count, {"b": one}, sheet.metrics)
    yield from _talk(name, count, said, sheet, one)


def _talk(name: str, count: int, said: str, sheet: Sheet, one: Behaviour) -> Iterator[tuple[str, Card | Form]]:
    reading = sheet.score.readings[0]
    metric = sheet.metrics[reading.metric]
    agreed = [Agreed(metric.name, said[:500], HERE, HERE + 14)] * min(count, 5)
    notes = [Noted(said, said[:1000], 1_770_000_000)] * min(count, 10)
    reds = [r for r in sheet.score.readings if r.status == "red"]
    talk = Talk(
        7, said, sheet.period, sheet.metrics, reading if count else None, reds if count else (),
        reading if count else None, one if count else None, HERE, "UTC", agreed, notes, sheet.notes,
    )  # fmt: skip
    yield f"talk {name}", cards.coaching.prepared(talk)
    for mine in (True, False):
        shared = cards.coaching.shared(said, 7, sheet.metrics, agreed, notes, "UTC", mine=mine)
        yield f"talks {mine} {name}", shared
        step = said[:500]
        yield f"booked {mine} {name}", cards.coaching.booked(said, said, metric, step, HERE, {}, mine=mine)
    areas = [(f"m{i}", said) for i in range(max(1, count))]
    yield f"book {name}", cards.coaching.book(7, said, areas, "m0", one.what, HERE)
    yield f"note {name}", cards.coaching.note(7 if count else None)
    yield f"noted {name}", cards.coaching.noted(said, said[:1000], 7 if count else None)
