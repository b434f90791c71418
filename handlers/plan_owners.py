"""Who may own a plan, which plans have nobody left to see to them, and who then stands in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import handlers.sheets
import scoring.access
import storage.people
import storage.plans
from handlers.call import Ctx
from scoring.people import Team
from scoring.plans import Plan

DESK_OWNERS = ("leadership", "manager", "lead")
"""Roles whose holders see to a plan of the whole desk."""


def subject(team: Team | None) -> str:
    """The subject of a team's plans, or of the desk's."""
    return f"team:{team.id}" if team else "desk"


def today(ctx: Ctx, team: Team | None) -> int:
    """The local day where the plans are kept."""
    return handlers.sheets.today(ctx, team.zone if team else ctx.rules.zone)


async def owners(ctx: Ctx, team: Team | None) -> list[tuple[int, str]]:
    """Who may see to a plan: the team's members and leads; for the desk whoever leads something. By name."""
    everyone = await storage.people.everyone(ctx.db, today(ctx, team))
    if team is None:
        return [(one.id, one.name) for one in everyone if one.active and one.role in DESK_OWNERS]
    leads = [one for one in everyone if one.active and team.id in one.led_teams and one.team_id != team.id]
    members = [one for one in everyone if one.active and one.team_id == team.id]
    return [(one.id, one.name) for one in (*leads, *members)]


async def keepers(ctx: Ctx, team: Team | None) -> list[int]:
    """The ids of those who add and drop plans here today."""
    act = f"keep_{'team' if team else 'desk'}_plan"
    everyone = await storage.people.everyone(ctx.db, today(ctx, team))
    may = scoring.access.MATRIX[act]
    return [one.id for one in everyone if one.active and scoring.access.relation(one, team) in may]


async def marked(ctx: Ctx, team: Team | None, plans: Sequence[Plan]) -> list[Plan]:
    """These open plans of a team or the desk; those whose owner may own them no more say so."""
    if not plans:
        return []
    known = {number for number, _ in await owners(ctx, team)}
    return [plan if plan.owner_id in known else replace(plan, owned=False) for plan in plans]


async def open_plans(ctx: Ctx, team: Team | None) -> list[Plan]:
    """The open plans of a team or the desk by due day, marked."""
    return await marked(ctx, team, await storage.plans.of_subject(ctx.db, subject(team)))
