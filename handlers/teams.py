"""A team's scorecard: /teamscore, the buttons under it, and the way from a team to its people."""

from __future__ import annotations

import cards.people
import cards.scorecards
import handlers.groups
import handlers.scorecards
import handlers.sheets
import scoring.access
import storage.people
from cards.card import Card
from cards.scorecards import Sheet
from handlers.call import Call, Ctx, Reply
from handlers.groups import Group
from scoring.people import Person, Team
from scoring.refused import Refused
from scoring.rules import Rubric


async def asked_for(ctx: Ctx, text: str) -> tuple[Team, str]:
    """The team that the words begin with, and the rest of the words; without a name, the asker's own.

    Raises Refused naming the teams that the asker may see.
    """
    words = text.split()
    for count in range(len(words), 0, -1):
        team = await storage.people.team_by_name(ctx.db, " ".join(words[:count]))
        if team is not None:
            return team, " ".join(words[count:])
    own = ctx.person.team_id if ctx.person.team_id is not None else min(ctx.person.led_teams, default=None)
    team = None if own is None else await storage.people.team(ctx.db, own)
    if team is None:
        raise Refused("Which team?", await _open_teams(ctx))
    if text.strip():
        try:
            handlers.sheets.period(text, handlers.sheets.today(ctx, team.zone))
        except Refused as no:
            raise Refused(f"I know neither a team nor a period “{_short(text)}”.", await _open_teams(ctx)) from no
    return team, text


async def _open_teams(ctx: Ctx) -> str:
    """The teams whose scorecard the asker may see, as a remedy."""
    may = scoring.access.MATRIX["team_scorecard"]
    names = [t.name for t in await storage.people.teams(ctx.db) if scoring.access.relation(ctx.person, t) in may]
    return f"Open to you: {', '.join(names)}." if names else "No team's scorecard is open to you."


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 40 else words[:40] + "…"


def _whole(ctx: Ctx, team: Team) -> bool:
    """Whether the asker may see the team's people, and so needs no rule of five."""
    return scoring.access.relation(ctx.person, team) == "lead"


async def team(ctx: Ctx, call: Call, team: Team) -> Reply:
    """/teamscore [TEAM] [PERIOD]."""
    here = handlers.sheets.today(ctx, team.zone)
    _, words = await asked_for(ctx, call.text)
    sheet, _ = await handlers.groups.sheet(ctx, Group(team, _whole(ctx, team)), handlers.sheets.period(words, here))
    return Reply.card(_card(ctx, team, sheet))


def _card(ctx: Ctx, team: Team, sheet: Sheet) -> Card:
    return cards.scorecards.team(sheet) if _whole(ctx, team) else cards.scorecards.card(sheet)


async def _pressed(ctx: Ctx, call: Call, team: Team, *, greens: bool = False) -> tuple[Sheet, Rubric]:
    asked = handlers.sheets.from_key(call.values.get("period", ""), handlers.sheets.today(ctx, team.zone))
    return await handlers.groups.sheet(ctx, Group(team, _whole(ctx, team)), asked, greens=greens)


async def score(ctx: Ctx, call: Call, team: Team) -> Reply:
    """Another period, or the greens unfolded."""
    sheet, _ = await _pressed(ctx, call, team, greens=call.values.get("greens") == "1")
    return Reply.card(_card(ctx, team, sheet), update=True)


async def why(ctx: Ctx, call: Call, team: Team) -> Reply:
    """How one figure of a team came about."""
    sheet, rubric = await _pressed(ctx, call, team)
    reading = handlers.sheets.one(sheet, call.values.get("metric", ""))
    return handlers.scorecards.explained(ctx, sheet, rubric, reading, update=True)


async def trend(ctx: Ctx, call: Call, team: Team) -> Reply:
    """Thirteen weeks of one metric of a team."""
    sheet, _ = await _pressed(ctx, call, team)
    reading = handlers.sheets.one(sheet, call.values.get("metric", ""))
    return handlers.scorecards.pictured(sheet, reading, update=True)


async def people(ctx: Ctx, call: Call, team: Team) -> Reply:
    """The team's people in the order of their names, each a way to their scorecard; for the lead only."""
    here = handlers.sheets.today(ctx, team.zone)
    asked = handlers.sheets.from_key(call.values.get("period", ""), here)
    ids = await storage.people.members(ctx.db, team.id, asked.first, asked.last)
    names = await storage.people.names(ctx.db, (i for i in ids if i in ctx.person.managed))
    listed = sorted(names.items(), key=lambda item: (item[1].casefold(), item[0]))
    return Reply.card(cards.people.listed(team.name, asked, listed), update=True)


async def person_named(ctx: Ctx, text: str) -> Person:
    """The person somebody means among those they lead. Raises Refused, the same whether or not others exist."""
    names = await storage.people.names(ctx.db, ctx.person.managed)
    wanted = " ".join(text.casefold().split())
    near = [i for i, name in names.items() if wanted and wanted in name.casefold()]
    exact = [i for i, name in names.items() if name.casefold() == wanted]
    chosen = exact or near
    if len(chosen) == 1:
        found = await storage.people.get(ctx.db, chosen[0], handlers.sheets.today(ctx, ctx.person.zone))
        if found is not None:
            return found
    if len(chosen) > 1:
        raise Refused(f"“{text}” could be {', '.join(sorted(names[i] for i in chosen))}.", "Write the whole name.")
    raise Refused(
        f"There is nobody called “{text}” among the people you lead.", "Look under /teamscore, button People."
    )
