"""Every card of the digests, at its smallest and its largest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cards.digests
import cards.manager_digests
import cards.redflags
import cards.timetable
import scoring.digests
from cards.card import Card, Form
from cards.digests import Helped, Lasting, Told
from cards.manager_digests import Overseen
from cards.scorecards import Sheet
from scoring.distortions import Distortion
from scoring.plans import Plan
from scoring.redflags import RedFlag
from tests.cards import product_comments


def told(count: int, words: str, sheet: Sheet, *, audience: str, stale: str = "") -> Told:
    """A digest with `count` of everything that it can hold."""
    here = sheet.period.last + 3
    reds = [r.metric for r in sheet.score.readings if r.status == "red"]
    plans = [
        Plan(i, "team:2", reds[i] if i < len(reds) else "gone", sheet.period.key, words or "Ring back.", 7,
             words or "Ada", here + i - 2, blocker=words)
        for i in range(count)
    ]  # fmt: skip
    team = audience in ("team", "lead")
    private = audience in ("lead", "leadership")
    return Told(
        title=words or "Help Desk",
        period=sheet.period,
        score=sheet.score,
        digest=scoring.digests.compose(sheet.score, [sheet.score, sheet.score], plans[: count // 2]),
        metrics=sheet.metrics,
        here=here,
        values={"team": "2"} if team else {},
        audience=audience,
        named=private,
        plans=tuple(plans),
        blockers=tuple((words if audience == "leadership" else "", plan) for plan in plans),
        distortions=tuple(
            Distortion(i, "outage", "desk", here - 4, here - 3, 500 * (i % 2), words or "Mail", 7, (), "approved", 8)
            for i in range(count)
        ),
        people=tuple(Helped(i, words or "Ada", (words or "CSAT",) * 3) for i in range(3 * count))
        if audience == "lead"
        else (),
        clients=tuple(
            RedFlag(i, words or "Contoso", words or "2 complaints", here, i or None, words, here if i % 2 else None)
            for i in range(count if private else 0)
        ),
        lasting=tuple(Lasting(words or "Field", words or "CSAT", 3 + i, bool(i % 2)) for i in range(count))
        if audience == "leadership"
        else (),
        outcomes=(("Customer experience", words or "not connected"),) * count if audience == "leadership" else (),
        priorities=(("Priorities", words or "Keep calm"),) if count and audience == "leadership" else (),
        gauges=audience == "organisation",
        late="late: it was due on Monday 27 Jul, 09:00" if count else "",
        stale=stale,
        notes=(words or "Data as of today.",) * count,
        comments=product_comments.said(sheet.score, sheet.period, words),
    )


def overseen(teams: int, count: int, words: str, sheet: Sheet) -> Overseen:
    """So many teams, every fourth of them without a red and every fifth on old data."""
    made = []
    for number in range(teams):
        one = told(count, words, sheet, audience="team", stale="The newest data is of 3 Aug 2026." * (number % 5 == 4))
        calm = replace(one.digest, reds=(), ambers=one.digest.ambers[: number % 3])
        title = f"{words[:80] or 'Field'} {number}"
        made.append(
            replace(one, title=title, audience="manager", named=True, digest=calm if number % 4 == 3 else one.digest)
        )
    clients = told(count, words, sheet, audience="lead").clients
    gone = tuple(f"{words[:80] or 'Projects'} {number}" for number in range(count))
    late = "late: it was due on Monday 27 Jul, 09:00" if count else ""
    return Overseen(sheet.period, sheet.period.last + 3, tuple(made), clients, gone, late)


def _of_managers(name: str, count: int, words: str, sheet: Sheet) -> Iterator[tuple[str, Card | Form]]:
    for teams in (0, 1, 4, 40):
        one = overseen(teams, count, words, sheet)
        yield f"digest for managers of {teams} teams {name}", cards.manager_digests.card(one)
        for page in (0, 1, 99):
            yield f"page {page} for managers of {teams} teams {name}", cards.manager_digests.page(one, page)


def everything(name: str, count: int, words: str, sheet: Sheet) -> Iterator[tuple[str, Card | Form]]:
    """(name, card) of the digests, for every audience."""
    for audience in ("team", "lead", "leadership", "organisation"):
        made = told(count, words, sheet, audience=audience)
        yield f"digest for {audience} {name}", cards.digests.card(made)
        yield f"whole digest for {audience} {name}", cards.digests.card(made, everything=True)
    old = told(count, words, sheet, audience="lead", stale="The newest data is of 3 Aug 2026.")
    yield f"stale digest {name}", cards.digests.card(old)
    yield from _of_managers(name, count, words, sheet)
    flags = [RedFlag(i, words or "Contoso", words or "2 complaints", 20_500) for i in range(count * 2)]
    yield f"red flags raised {name}", cards.redflags.raised(flags or [RedFlag(1, "Contoso", "", 20_500)], 20_500)
    missed = RedFlag(1, words or "Contoso", words, 20_500, 7, words, 20_490)
    yield f"contact missed {name}", cards.redflags.missed(missed, 20_500)
    lasting = [Lasting(words or "Field", words or "CSAT", 3, bool(i % 2)) for i in range(max(1, count))]
    yield f"lasting {name}", cards.digests.lasting(words or "Field", sheet.period, lasting, {"team": "2"})
    lines = [("lead_digest", "weekly on Monday at 08:30", "Mon 10 Aug, 08:30")] * count
    yield f"timetable {name}", cards.timetable.schedule(words or "Help Desk", lines)
