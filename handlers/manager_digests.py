"""The week of several teams for whoever their leads report to: which teams, and what may be told of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cards.manager_digests
import handlers.digest_cards
import handlers.sheets
import scoring.access
import storage.people
import storage.redflags
from cards.card import Card
from cards.digests import Told
from cards.manager_digests import Overseen
from handlers.call import Call, Ctx, Reply
from scoring.people import Person, Team
from scoring.periods import Period
from scoring.refused import Refused


async def readers(ctx: Ctx) -> list[tuple[Person, list[Team]]]:
    """Everybody whom leads report to today, with those leads' teams; those who stand in for them too."""
    teams = await storage.people.teams(ctx.db)
    everyone = await storage.people.everyone(ctx.db, handlers.sheets.today(ctx, ctx.rules.zone))
    return [(person, found) for person in everyone if person.active and (found := _over(person, teams))]


async def overseen(ctx: Ctx, person: Person) -> list[Team]:
    """The teams of a person's leads, by name."""
    return _over(person, await storage.people.teams(ctx.db)) if person.over_teams else []


def _over(person: Person, teams: Iterable[Team]) -> list[Team]:
    return [
        team
        for team in teams
        if team.id in person.over_teams and scoring.access.relation(person, team) == "leadership"
    ]


async def of(
    ctx: Ctx,
    teams: Sequence[Team],
    asked: Period,
    late: str = "",
    known: dict[tuple[int, str], Told | None] | None = None,
) -> Overseen:
    """What is told of these teams. What was told of a team's period is taken from `known`, and kept there."""
    known = {} if known is None else known
    found: list[tuple[Team, Told | None]] = []
    for team in teams:
        whose = (team.id, asked.key)
        if whose not in known:
            known[whose] = await _told(ctx, team, asked)
        found.append((team, known[whose]))
    return Overseen(
        period=asked,
        here=handlers.sheets.today(ctx, ctx.rules.zone),
        teams=tuple(told for _, told in found if told is not None),
        clients=tuple(await storage.redflags.open(ctx.db)),
        unmeasured=tuple(team.name for team, told in found if told is None),
        late=late,
    )


async def _told(ctx: Ctx, team: Team, asked: Period) -> Told | None:
    try:
        return await handlers.digest_cards.of_overseen(ctx, team, asked)
    except Refused:  # no rubric was in force for it
        return None


async def mine(ctx: Ctx) -> list[Team]:
    """The teams of the asker's leads. Raises Refused for whom no lead reports to."""
    teams = await overseen(ctx, ctx.person)
    if not teams:
        raise Refused("No lead reports to you.", "Name a team: /digest preview TEAM.")
    return teams


async def preview(ctx: Ctx) -> Card:
    """The digest that the asker would get. Raises Refused for whom no lead reports to."""
    week = handlers.digest_cards.period_of("week", handlers.sheets.today(ctx, ctx.rules.zone))
    return cards.manager_digests.card(await of(ctx, await mine(ctx), week))


async def more(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """A few teams at a time, with everything that may be told of them."""
    teams = await mine(ctx)
    here = handlers.sheets.today(ctx, ctx.rules.zone)
    told = await of(ctx, teams, handlers.sheets.from_key(call.values.get("period", ""), here))
    return Reply.card(cards.manager_digests.page(told, call.number("page", 4) or 0), update="page" in call.values)
