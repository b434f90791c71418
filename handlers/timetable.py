"""The timetable: standing orders made out for each team and the desk, and when each speaks next."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime

import scoring.plans
import scoring.schedules
import scoring.schedules_file
import scoring.tables
import storage.people
import storage.timetable
from handlers.call import Ctx
from scoring.people import Team
from scoring.rules import Rules
from scoring.schedules import Due, Schedule
from scoring.schedules_file import Standing

Maker = Callable[[Ctx, Due], Awaitable[None]]
"""Makes what is due, in the transaction of the run's ledger entry; what it says goes into the outbox.

It may be called again for the same `due` after a rollback, never after a commit. `ctx.person` is the product itself.
"""


def schedules(rules: Rules, teams: Iterable[Team], makers: Collection[str]) -> tuple[Schedule, ...]:
    """Everything that is on the timetable, made out for each team and the desk, ordered by key.

    Of several standing orders for one team, its own goes before that for all. What has no maker yet is not listed.
    """
    standing = [one for one in rules.schedules if one.maker in makers]
    found = [_made_out(one, "desk", rules.zone) for one in standing if one.per == "desk" and _speaks(one)]
    for team in teams:
        own = {(one.maker, one.name): one for one in sorted(standing, key=lambda one: one.team)
               if one.per == "team" and one.team in ("", team.key)}  # fmt: skip
        working = frozenset(day for day, spans in enumerate(team.hours.spans) if spans)
        for one in own.values():
            if _speaks(one):
                made = _made_out(one, f"team:{team.id}", team.zone)
                found.append(replace(made, working=working, holidays=team.holidays) if one.working_days else made)
    return tuple(sorted(found, key=lambda one: one.key))


def _speaks(one: Standing) -> bool:
    return not one.off and bool(one.like.to or not one.needs_channel)


def _made_out(one: Standing, target: str, zone: str) -> Schedule:
    key = f"{one.maker}/{target}" + (f"/{one.name}" if one.name else "")
    working = one.like.working if one.working_days else frozenset(range(7))
    return replace(one.like, key=key, target=target, zone=zone, working=working)


async def team(ctx: Ctx, due: Due) -> Team | None:
    """The team whose schedule is due; None for the desk's, and where the team has gone since."""
    number = scoring.plans.team_of(due.schedule.target)
    return None if number is None else await storage.people.team(ctx.db, number)


def astray(rules: Rules, teams: Iterable[Team]) -> tuple[tuple[str, str], ...]:
    """Standing orders for teams that are not there: (what, what to do) each."""
    keys = {team.key for team in teams}
    return tuple(
        (f"Schedule {one.maker} is for the team “{one.team}”, which is not there.",
         scoring.tables.nearest(one.team, keys))
        for one in rules.schedules
        if one.team and one.team not in keys
    )  # fmt: skip


def unheard(rules: Rules, connected: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Standing orders for channels of a platform that is not connected: (what, what to do) each."""
    return tuple(
        (f"Schedule {one.maker} goes to {one.like.to}, and {platform.title()} is not connected.",
         f"Connect {platform.title()}, or name another channel in redfirst.toml.")
        for one in rules.schedules
        if not one.off and (platform := one.like.to.partition(":")[0]) and platform not in connected
    )  # fmt: skip


def without_channel(rules: Rules) -> tuple[str, ...]:
    """Makers that speak in channels, and to which no standing order gives one; in order."""
    wanting = {one.maker for one in rules.schedules if one.needs_channel and not one.off}
    return tuple(sorted(wanting - {one.maker for one in rules.schedules if one.like.to}))


async def upcoming(ctx: Ctx, target: str, makers: Collection[str] | None = None) -> list[tuple[Schedule, datetime]]:
    """What is on the timetable of "team:2" or "desk", with the instant (UTC) at which each speaks next, in order."""
    made = scoring.schedules_file.DEFAULTS.keys() if makers is None else makers
    listed = schedules(ctx.rules, await storage.people.teams(ctx.db), made)
    mine = [one for one in listed if one.target == target]
    kept = await storage.timetable.next_times(ctx.db, [one.key for one in mine])
    now = int(ctx.now.timestamp())
    found = []
    for one in mine:
        at = kept.get(one.key) or scoring.schedules.next_at(one, now)
        if at is not None:
            found.append((one, datetime.fromtimestamp(at, UTC)))
    return sorted(found, key=lambda pair: (pair[1], pair[0].key))
