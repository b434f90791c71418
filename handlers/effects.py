"""What nudges do, for those who lead: /redfirst nudges effect."""

from __future__ import annotations

import cards.effects
import handlers.sheets
import scoring.access
import scoring.effects
import scoring.periods
import storage.effects
import storage.people
from handlers.call import Ctx, Reply
from scoring.metrics import Metric
from scoring.people import Person

WEEKS = 52
"""As far back as it looks."""


async def effect(ctx: Ctx) -> Reply:
    """The effect of every behaviour over the whole desk. Raises Refused for those who lead nobody."""
    here = handlers.sheets.today(ctx, ctx.rules.zone)
    scoring.access.allowed(ctx.person, "nudge_effect", await _led(ctx, here))
    flows = {m.name: m for m in ctx.rules.metrics.values() if not m.numerator.until and not m.denominator.until}
    about = {one.metric for one in ctx.rules.behaviours.values()} & flows.keys()
    last = scoring.periods.monday(here) - 7 * scoring.effects.AFTER
    units = await storage.effects.units(ctx.db, sorted(about), last - 7 * WEEKS, last)
    known = ctx.rules.behaviours  # one that was retired is measured no more
    mature = [u for u in units if u.behaviour in known and _over(u.week, flows[known[u.behaviour].metric], here)]
    effects = scoring.effects.measure(known, flows, mature)
    return Reply.card(cards.effects.shown(effects, ctx.rules.behaviours, flows))


def _over(week: int, metric: Metric, here: int) -> bool:
    """Whether nothing can change any more what is measured of a week."""
    return week + 7 * scoring.effects.AFTER + metric.maturity_days <= here


async def _led(ctx: Ctx, here: int) -> Person | None:
    """Somebody whom the asker leads, by whom the matrix knows a lead; nobody for leadership and everybody else."""
    led = min(ctx.person.managed, default=None)
    return None if led is None or ctx.person.role == "leadership" else await storage.people.get(ctx.db, led, here)
