"""How the week looks to whoever leads report to: what is red in which team, and what can be taken out of the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import cards.digests
import cards.redflags
from cards.card import BESIDE, Badge, Block, Button, Buttons, Card, Divider, Heading, Status, Table, Trend
from cards.card import Text as Words
from cards.digests import Told
from scoring.digests import Red
from scoring.periods import Period
from scoring.plans import Plan
from scoring.redflags import RedFlag

TEAMS, REDS, LINES, ROWS = 4, 2, 4, 10
"""Teams with a red, reds of each, lines of what else there is, and rows of the table, that the digest shows."""

PAGE, PAGE_REDS = 3, 4
"""Teams, and reds of each, of a page of what is behind the button "More"."""

NAMES = 3
"""Ambers of a team that are named in its row."""


@dataclass(frozen=True, slots=True)
class Overseen:
    """The teams whose leads report to somebody, by name, each as everybody may be told of it.

    The title of each is its team's name. `unmeasured` are teams that have no scorecard; `late` is a sentence, or empty.
    """

    period: Period
    here: int
    teams: tuple[Told, ...]
    clients: tuple[RedFlag, ...] = ()
    unmeasured: tuple[str, ...] = ()
    late: str = ""


def card(one: Overseen) -> Card:
    """The digest: reds first, and nothing to say in one line."""
    fresh = [told for told in one.teams if not told.stale]
    with_reds = [told for told in fresh if told.digest.reds]
    shown = with_reds[:TEAMS]
    counts = _counts(one)
    blocks: list[Block] = [Words(one.period.label + (f" · {one.late}" if one.late else ""), "muted")]
    blocks += [Words(words, "strong") for words in (_stale(one), counts) if words]
    for told in shown:
        blocks += [Heading(told.title), *_reds(told, REDS)]
    blocks += _picture(shown)
    if any(not told.digest.quiet for told in fresh):
        blocks += _table(one, ROWS)
    under = {plan.id for told in shown for red in told.digest.reds[:REDS] for plan in red.plans[:1]}
    for title, lines in _rest(one.teams, under):
        blocks += cards.digests.section(title, lines[:LINES])
    clients = [cards.digests.short(cards.redflags.line(flag, one.here)) for flag in one.clients]
    blocks += cards.digests.section("Clients to speak with", clients[:LINES])
    notes = _notes(one)
    blocks += [Words("\n".join(notes), "muted")] if notes else []
    buttons = [Button("More", "manager_digest_more", {"period": one.period.key})] if _cut(one, with_reds, under) else []
    buttons += [Button("Clients", "client_list", {**BESIDE})] if one.clients else []
    blocks += [Buttons(tuple(_open(told) for told in shown))] if shown else []
    blocks += [Buttons(tuple(buttons))] if buttons else []
    title = f"Your teams: the {one.period.kind}"
    return Card(title, tuple(blocks), f"{title}, {one.period.label}: {_summary(one, with_reds)}", _worst(one))


def page(one: Overseen, number: int) -> Card:
    """A few teams with everything that may be told of them; those with reds come first."""
    order = _order(one)
    number = min(max(number, 0), (len(order) - 1) // PAGE) if order else 0
    part = order[number * PAGE : (number + 1) * PAGE]
    blocks: list[Block] = [Words(one.period.label, "muted")]
    for told in part:
        blocks.append(Heading(told.title))
        if told.stale:
            blocks.append(Words(f"{told.stale} No colours until newer data is in.", "strong"))
        else:
            blocks += [*_reds(told, PAGE_REDS), Words(_calm(told))]
        rest = _rest([replace(told, title="")], set())
        said = [f"• {title}: {line}" for title, lines in rest for line in lines[:LINES]]
        blocks += [Words("\n".join(said))] if said else []
    turned = {"period": one.period.key}
    turn = [Button("‹ Earlier", "manager_digest_more", {**turned, "page": str(number - 1)})] if number else []
    left = len(order) - (number + 1) * PAGE
    if left > 0:
        turn.append(Button(f"{left} more ›", "manager_digest_more", {**turned, "page": str(number + 1)}))
    blocks += [Buttons(tuple(_open(told) for told in part))] if part else [Words("No team is measured.")]
    blocks += [Buttons(tuple(turn))] if turn else []
    names = ", ".join(told.title for told in part)
    return Card("Your teams, one by one", tuple(blocks), f"{one.period.label}: {names or 'no team is measured'}.")


def _order(one: Overseen) -> list[Told]:
    """Reds first, then ambers; among those alike by name, so that no team is ranked."""

    def rank(told: Told) -> int:
        return 2 if told.stale else 0 if told.digest.reds else 1 if told.digest.ambers else 2

    return sorted(one.teams, key=rank)


def _worst(one: Overseen) -> Status:
    digests = [told.digest for told in one.teams if not told.stale]
    if any(digest.reds for digest in digests):
        return "red"
    if any(digest.ambers for digest in digests):
        return "amber"
    return "green" if any(digest.greens for digest in digests) else "none"


def _stale(one: Overseen) -> str:
    old = [told for told in one.teams if told.stale]
    if not old:
        return ""
    off = sum(len(told.digest.reds) + len(told.digest.ambers) for told in old)
    whose = "" if len(old) == len(one.teams) else f" for {_listed([told.title for told in old])}"
    was = "One figure was" if off == 1 else f"{off} figures were"
    return f"{old[0].stale} No colours{whose} until newer data is in. {was} off target in the data there is."


def _counts(one: Overseen) -> str:
    digests = [told.digest for told in one.teams if not told.stale]
    if not digests:
        return "" if one.teams else "None of your teams is measured."
    reds, ambers, greens = (
        sum(len(found) for found in found_in)
        for found_in in zip(*((d.reds, d.ambers, d.greens) for d in digests), strict=True)
    )
    if not (reds or ambers or greens):
        return "Nothing can be coloured yet: there are too few observations."
    if not (reds or ambers):
        return f"Nothing red, nothing amber in {_teams(len(digests))}: {greens} on target."
    off = sum(not digest.quiet for digest in digests)
    where = _teams(off) if off == len(digests) else f"{off} of {_teams(len(digests))}"
    return f"{reds} red, {ambers} amber in {where}; {greens} on target."


def _teams(count: int) -> str:
    return "one team" if count == 1 else f"{count} teams"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMES]) + (f" and {len(names) - NAMES} more" if len(names) > NAMES else "")


def _reds(told: Told, most: int) -> Iterator[Block]:
    reds = told.digest.reds
    for red in reds[:most]:
        yield Badge("red", ("New: " if red.new else "") + cards.digests.figure(told, red.reading))
        yield Words("\n".join((*cards.digests.said_of(told, red.reading, named=False), _path(told, red))))
    if len(reds) > most:
        yield Words(f"Also red: {_listed([told.metrics[red.reading.metric].title for red in reds[most:]])}.")


def _path(told: Told, red: Red) -> str:
    """How long it has been red, and the plan for it with owner and day."""
    plan = f"Path to green: {cards.digests.promise(told, red.plans[0])}" if red.plans else "No path to green yet."
    return f"{cards.digests.since(told, red)} {plan}".lstrip()


def _calm(told: Told) -> str:
    """Ambers by name, greens as a count."""
    ambers = [cards.digests.figure(told, reading) for reading in told.digest.ambers]
    watched = f"Being watched: {', '.join(ambers)}. " if ambers else ""
    return f"{watched}{len(told.digest.greens)} on target."


def _picture(shown: Sequence[Told]) -> Iterator[Block]:
    """One picture: thirteen weeks of the first red there is."""
    for told in shown[:1]:
        for block in cards.digests.picture(told):
            yield replace(block, title=f"{told.title}: {block.title}") if isinstance(block, Trend) else block


def _table(one: Overseen, most: int) -> Iterator[Block]:
    rows = []
    for told in _order(one):
        digest = told.digest
        if told.stale or not (digest.reds or digest.ambers or digest.greens):
            rows.append((told.title, "–", "–", "–"))
        else:
            ambers = _listed([told.metrics[reading.metric].title for reading in digest.ambers])
            rows.append((told.title, str(len(digest.reds)), ambers or "–", str(len(digest.greens))))
    yield Divider()
    yield Table(("Team", "Red", "Amber, being watched", "On target"), tuple(rows[:most]), "Every team")


def _rest(teams: Iterable[Told], under: set[int]) -> Iterator[tuple[str, list[str]]]:
    """What else there is, each with its title: plans that are due and not shown already, blockers, adjustments."""
    plans, blockers, adjusted = [], [], {}
    for told in teams:
        plans += [_of(told, cards.digests.planned(told, plan)) for plan in told.plans if plan.id not in under]
        blockers += [_of(told, _blocker(plan)) for _, plan in told.blockers]
        for distortion in told.distortions:
            words = cards.digests.distortion(distortion)
            adjusted[distortion.id] = words if distortion.scope == "desk" else _of(told, words)
    yield "Plans due or overdue", plans
    yield "To be taken out of the way", blockers
    yield "Figures are adjusted for", list(adjusted.values())


def _of(told: Told, words: str) -> str:
    return f"{told.title}: {words}" if told.title else words


def _blocker(plan: Plan) -> str:
    return f"{cards.digests.short(plan.blocker)} ({cards.plans.owner(plan)})"


def _notes(one: Overseen) -> list[str]:
    """The small print of the teams, each of its sentences once."""
    found = list(dict.fromkeys(note for told in one.teams for note in told.notes))
    if one.unmeasured:
        found.append(f"Not measured: {_listed(one.unmeasured)}.")
    return found[:LINES]


def _cut(one: Overseen, with_reds: Sequence[Told], under: set[int]) -> bool:
    if len(with_reds) > TEAMS or any(len(told.digest.reds) > REDS for told in with_reds):
        return True
    if len(one.teams) > ROWS or any(len(told.digest.ambers) > NAMES for told in one.teams if not told.stale):
        return True
    return any(len(lines) > LINES for _, lines in _rest(one.teams, under))


def _open(told: Told) -> Button:
    return Button(told.title, "digest_more", {**told.values, "period": told.period.key})


def _summary(one: Overseen, with_reds: Sequence[Told]) -> str:
    words = " ".join(part for part in (_stale(one), _counts(one)) if part)
    named = "; ".join(
        f"{told.title} {', '.join(cards.digests.figure(told, red.reading) for red in told.digest.reds[:REDS])}"
        for told in with_reds[:TEAMS]
    )
    return f"{words} Red: {named}." if named else words
