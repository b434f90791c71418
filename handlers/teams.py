"""A team's scorecard: /teamscore, the buttons under it, and the way from a team to its people."""

from __future__ import annotations

import difflib

import cards.notice
import cards.people
import handlers.groups
import handlers.sheets
import scoring.access
import storage.people
from handlers.call import Call, Ctx, Reply
from handlers.groups import Group
from scoring.people import Person, Team
from scoring.refused import Refused

AT_WORK = ("technician", "coordinator", "lead")
"""Roles whose own team is one that is measured; others sit in an office."""
OFFICES = ("leadership", "hr", "admin")
"""Roles that lead no team, whoever reports to them."""


async def asked_for(ctx: Ctx, text: str) -> tuple[Team, str]:
    """The team that the words begin with, and the rest of the words; without a name, the asker's own.

    Raises Refused naming the teams that the asker may see.
    """
    words = text.split()
    for count in range(len(words), 0, -1):
        team = await storage.people.team_by_name(ctx.db, " ".join(words[:count]))
        if team is not None:
            return team, " ".join(words[count:])
    own = ctx.person.team_id if ctx.person.role in AT_WORK else None
    if own is None and ctx.person.role not in OFFICES:
        own = min(ctx.person.led_teams, default=None)
    team = None if own is None else await storage.people.team(ctx.db, own)
    if team is None:
        desk = cards.notice.command(ctx.rules.commands, "redfirst", "desk")
        raise Refused("Which team?", f"{await _open_teams(ctx)} The whole desk is under {desk}.")
    if text.strip():
        try:
            handlers.sheets.period(text, handlers.sheets.today(ctx, team.zone))
        except Refused as no:
            remedy = no.remedy if no.remedy.startswith("Did you mean") else await _open_teams(ctx)
            raise Refused(f"I know neither a team nor a period “{_short(text)}”.", remedy) from no
    return team, text


async def _open_teams(ctx: Ctx) -> str:
    """The teams whose scorecard the asker may see, as a remedy."""
    may = scoring.access.MATRIX["team_scorecard"]
    names = [t.name for t in await storage.people.teams(ctx.db) if scoring.access.relation(ctx.person, t) in may]
    return f"Open to you: {', '.join(names)}." if names else "No team's scorecard is open to you."


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 40 else words[:40] + "…"


def _group(ctx: Ctx, team: Team) -> Group:
    """The team as the asker may see it: whoever may see its people needs no rule of five."""
    return Group(team, scoring.access.relation(ctx.person, team) == "lead")


async def team(ctx: Ctx, call: Call, team: Team) -> Reply:
    """/teamscore [TEAM] [PERIOD]."""
    _, words = await asked_for(ctx, call.text)
    return await handlers.groups.asked_for(ctx, _group(ctx, team), words)


async def score(ctx: Ctx, call: Call, team: Team) -> Reply:
    """Another period, or the greens unfolded."""
    return await handlers.groups.score(ctx, call, _group(ctx, team))


async def why(ctx: Ctx, call: Call, team: Team) -> Reply:
    """How one figure of a team came about."""
    return await handlers.groups.why(ctx, call, _group(ctx, team))


async def trend(ctx: Ctx, call: Call, team: Team) -> Reply:
    """Thirteen weeks of one metric of a team."""
    return await handlers.groups.trend(ctx, call, _group(ctx, team))


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
    own, team = (cards.notice.command(ctx.rules.commands, word) for word in ("myscore", "teamscore"))
    under = f"Look under {team}, button People." if names else f"You lead nobody here; your own is under {own}."
    wanted = " ".join(text.casefold().split())
    if not wanted:
        raise Refused("Whose scorecard?", f"Write a name behind it. {under}")
    near = [i for i, name in names.items() if wanted in name.casefold()]
    exact = [i for i, name in names.items() if name.casefold() == wanted]
    chosen = exact or near
    if len(chosen) == 1:
        found = await storage.people.get(ctx.db, chosen[0], handlers.sheets.today(ctx, ctx.person.zone))
        if found is not None:
            return found
    if len(chosen) > 1:
        several = ", ".join(sorted(names[i] for i in chosen))
        raise Refused(f"“{_short(text)}” could be {several}.", "Write the whole name.")
    folded = {name.casefold(): name for name in names.values()}
    alike = difflib.get_close_matches(wanted, folded, 1, 0.6)
    raise Refused(
        f"There is nobody called “{_short(text)}” among the people you lead.",
        f"Did you mean {folded[alike[0]]}?" if alike else under,
    )
