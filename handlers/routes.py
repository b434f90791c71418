"""The product's table of contents: every word, button and form, who may use it, and what answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

import handlers.baselines
import handlers.check_backs
import handlers.coaching
import handlers.comments
import handlers.desk
import handlers.digests
import handlers.distortions
import handlers.manager_digests
import handlers.nudges
import handlers.objectives
import handlers.people
import handlers.pilots
import handlers.plan_reminders
import handlers.plans
import handlers.priorities
import handlers.redflags
import handlers.scorecards
import handlers.sheets
import handlers.teams
import handlers.tickets
import scoring.access
import storage.people
from handlers.call import Call, Ctx, Kind, Reply
from scoring.people import Person, Team
from scoring.refused import Refused

Subject = Person | Team | None


@dataclass(frozen=True, slots=True)
class Route:
    """One thing that can be asked. `act` is an entry of `scoring.access.MATRIX`; `subject` finds whom or
    what it is about, and access is checked between the two before `handler` is called with it.

    `about` names the kind of subject for the tests: self, person, team or none.
    """

    handler: Callable[[Ctx, Call, Any], Awaitable[Reply]]
    act: str
    subject: Callable[[Ctx, Call], Awaitable[Subject]]
    about: Literal["self", "person", "team", "none"]
    kinds: tuple[Kind, ...]


async def _nobody(ctx: Ctx, call: Call) -> Subject:
    return None


async def _self(ctx: Ctx, call: Call) -> Subject:
    return ctx.person


def _number(call: Call, name: str) -> int:
    number = call.number(name)
    if number is None:
        raise Refused("That button is no longer good.", "Ask again with the command.")
    return number


async def _person(ctx: Ctx, call: Call) -> Subject:
    """The person of a button; without one, whoever presses it."""
    if "person" not in call.values:
        return ctx.person
    number = _number(call, "person")
    if number == ctx.person.id:
        return ctx.person
    # for nobody the same words as for a person one may not see: existence is no secret to be had
    return await storage.people.get(ctx.db, number, handlers.sheets.today(ctx, ctx.person.zone))


async def _named(ctx: Ctx, call: Call) -> Subject:
    return await handlers.teams.person_named(ctx, call.text)


async def _team(ctx: Ctx, call: Call) -> Subject:
    found = await storage.people.team(ctx.db, _number(call, "team"))
    if found is None:
        raise Refused("That team is gone.", "Ask again with the command.")
    return found


async def _team_named(ctx: Ctx, call: Call) -> Subject:
    return (await handlers.teams.asked_for(ctx, call.text))[0]


async def _planned(ctx: Ctx, call: Call) -> Subject:
    """The team of a plan that is to be added; without one, the desk."""
    team = await _team(ctx, call) if "team" in call.values else None
    handlers.plans.allowed(ctx, "keep", team)
    return team


async def _commented(ctx: Ctx, call: Call) -> Subject:
    """The team whose figure is commented on; without one, the desk."""
    return await _team(ctx, call) if "team" in call.values else None


async def _plans_of(ctx: Ctx, call: Call) -> Subject:
    """The team that is named, else the asker's own; "desk", and for leadership no name, is the desk."""
    words = call.text.strip().casefold()
    desk = words == "desk" or (not words and scoring.access.relation(ctx.person, None) == "leadership")
    return None if desk else await _team_named(ctx, call)


WORDS: dict[str, Route] = {
    "myscore": Route(handlers.scorecards.mine, "scorecard", _self, "self", ("command", "message")),
    "teamscore": Route(handlers.teams.team, "team_scorecard", _team_named, "team", ("command", "message")),
    "digest": Route(handlers.digests.digest, "digest", handlers.digests.subject, "team", ("command", "message")),
    "desk": Route(handlers.desk.desk, "desk_scorecard", _nobody, "none", ("command", "message")),
    "help": Route(handlers.people.helped, "help", _nobody, "none", ("command", "message", "event")),
    "whoami": Route(handlers.people.whoami, "whoami", _nobody, "none", ("command", "message")),
    "looked": Route(handlers.people.looked, "who_looked", _self, "self", ("command", "message")),
    "nudges": Route(handlers.nudges.mine, "own_focus", _self, "self", ("command", "message")),
    "coach": Route(handlers.coaching.prepare, "coach", _named, "person", ("command", "message")),
    "coaching": Route(handlers.coaching.notes, "coach_notes", _self, "self", ("command", "message")),
    "person": Route(handlers.scorecards.opened, "scorecard", _named, "person", ("command", "message")),
    "plans": Route(handlers.plans.listed, "plans", _plans_of, "team", ("command", "message")),
    "distortion": Route(handlers.distortions.listed, "distortions", _nobody, "none", ("command", "message")),
    "corrections": Route(handlers.tickets.waiting, "help", _nobody, "none", ("command", "message")),
    "objectives": Route(handlers.objectives.tree, "objectives", _nobody, "none", ("command", "message")),
    "clients": Route(handlers.redflags.listed, "clients", _nobody, "none", ("command", "message")),
    "lines": Route(handlers.baselines.listed, "lines", _nobody, "none", ("command", "message")),
}
"""What people type; /redfirst takes the words that are no command of their own."""

BUTTONS: dict[str, Route] = {
    "score": Route(handlers.scorecards.score, "scorecard", _person, "person", ("action",)),
    "why": Route(handlers.scorecards.why, "scorecard", _person, "person", ("action",)),
    "trend": Route(handlers.scorecards.trend, "scorecard", _person, "person", ("action",)),
    "tickets": Route(handlers.tickets.tickets, "tickets", _person, "person", ("action",)),
    "correct": Route(handlers.tickets.correct, "correct_ticket", _self, "self", ("action",)),
    "corrected": Route(handlers.tickets.corrected, "correct_ticket", _self, "self", ("form",)),
    "confirm": Route(handlers.tickets.confirm, "decide_correction", handlers.tickets.subject, "person", ("action",)),
    "decline": Route(handlers.tickets.decline, "decide_correction", handlers.tickets.subject, "person", ("action",)),
    "declined": Route(handlers.tickets.declined, "decide_correction", handlers.tickets.subject, "person", ("form",)),
    "nudge_tickets": Route(handlers.nudges.tickets, "own_focus", _self, "self", ("action",)),
    "nudge_done": Route(handlers.nudges.done, "own_focus", _self, "self", ("action",)),
    "nudge_snooze": Route(handlers.nudges.snooze, "own_focus", _self, "self", ("action",)),
    "nudge_snoozed": Route(handlers.nudges.snoozed, "own_focus", _self, "self", ("form",)),
    "nudge_not_mine": Route(handlers.nudges.not_mine, "own_focus", _self, "self", ("action",)),
    "nudge_not_mine_said": Route(handlers.nudges.not_mine_said, "own_focus", _self, "self", ("form",)),
    "nudge_stop": Route(handlers.nudges.stop, "own_focus", _self, "self", ("action",)),
    "nudge_stopped": Route(handlers.nudges.stopped, "own_focus", _self, "self", ("form",)),
    "nudges_off": Route(handlers.nudges.off, "own_focus", _self, "self", ("action",)),
    "nudges_on": Route(handlers.nudges.on, "own_focus", _self, "self", ("action",)),
    "coach_open": Route(handlers.coaching.prepare, "coach", _person, "person", ("action",)),
    "coach_book": Route(handlers.coaching.book, "coach", _person, "person", ("action",)),
    "coach_booked": Route(handlers.coaching.booked, "coach", _person, "person", ("form",)),
    "coach_note": Route(handlers.coaching.write, "coach_notes", _person, "person", ("action",)),
    "coach_noted": Route(handlers.coaching.written, "coach_notes", _person, "person", ("form",)),
    "coach_notes": Route(handlers.coaching.notes, "coach_notes", _person, "person", ("action",)),
    "team_score": Route(handlers.teams.score, "team_scorecard", _team, "team", ("action",)),
    "team_why": Route(handlers.teams.why, "team_scorecard", _team, "team", ("action",)),
    "team_trend": Route(handlers.teams.trend, "team_scorecard", _team, "team", ("action",)),
    "desk_score": Route(handlers.desk.score, "desk_scorecard", _nobody, "none", ("action",)),
    "desk_why": Route(handlers.desk.why, "desk_scorecard", _nobody, "none", ("action",)),
    "desk_trend": Route(handlers.desk.trend, "desk_scorecard", _nobody, "none", ("action",)),
    "objective_tree": Route(handlers.objectives.tree, "objectives", _nobody, "none", ("action",)),
    "objective_open": Route(handlers.objectives.opened, "objectives", _nobody, "none", ("action",)),
    "objective_new": Route(handlers.objectives.new, "objectives", _nobody, "none", ("action",)),
    "objective_added": Route(handlers.objectives.added, "objectives", _nobody, "none", ("form",)),
    "objective_change": Route(handlers.objectives.change, "objectives", _nobody, "none", ("action",)),
    "objective_changed": Route(handlers.objectives.changed, "objectives", _nobody, "none", ("form",)),
    "objective_close": Route(handlers.objectives.close, "objectives", _nobody, "none", ("action",)),
    "objective_closed": Route(handlers.objectives.closed, "objectives", _nobody, "none", ("form",)),
    "objective_examples": Route(handlers.objectives.examples, "objectives", _nobody, "none", ("action",)),
    "objective_example": Route(handlers.objectives.example, "objectives", _nobody, "none", ("action",)),
    "priorities": Route(handlers.priorities.ask, "priorities", _nobody, "none", ("action",)),
    "priorities_kept": Route(handlers.priorities.kept, "priorities", _nobody, "none", ("form",)),
    "client_list": Route(handlers.redflags.listed, "clients", _nobody, "none", ("action",)),
    "client_take": Route(handlers.redflags.take, "clients", _nobody, "none", ("action",)),
    "client_contact": Route(handlers.redflags.contact, "clients", _nobody, "none", ("action",)),
    "client_contacted": Route(handlers.redflags.contacted, "clients", _nobody, "none", ("form",)),
    "client_close": Route(handlers.redflags.close, "clients", _nobody, "none", ("action",)),
    "client_closed": Route(handlers.redflags.closed, "clients", _nobody, "none", ("form",)),
    "lines_adopt": Route(handlers.baselines.adopt, "decide_lines", _nobody, "none", ("action",)),
    "lines_change": Route(handlers.baselines.change, "decide_lines", _nobody, "none", ("action",)),
    "lines_set": Route(handlers.baselines.put, "decide_lines", _nobody, "none", ("form",)),
    "lines_keep": Route(handlers.baselines.keep, "decide_lines", _nobody, "none", ("action",)),
    "lines_measure": Route(handlers.baselines.measure_on, "decide_lines", _nobody, "none", ("action",)),
    "pilot_view": Route(handlers.pilots.view, "pilot_view", _self, "self", ("action",)),
    "pilot_said": Route(handlers.pilots.said, "pilot_view", _self, "self", ("form",)),
    "pilot_decide": Route(handlers.pilots.decide, "decide_lines", _nobody, "none", ("action",)),
    "pilot_decided": Route(handlers.pilots.decided, "decide_lines", _nobody, "none", ("form",)),
    "digest_more": Route(handlers.digests.more, "team_scorecard", _team, "team", ("action",)),
    "manager_digest_more": Route(handlers.manager_digests.more, "manager_digest", _nobody, "none", ("action",)),
    "desk_digest_more": Route(handlers.digests.more, "desk_scorecard", _nobody, "none", ("action",)),
    "team_people": Route(handlers.teams.people, "team_people", _team, "team", ("action",)),
    "plan_new": Route(handlers.plans.new, "keep_plan", _planned, "team", ("action",)),
    "plan_added": Route(handlers.plans.added, "keep_plan", _planned, "team", ("form",)),
    "plan_done": Route(handlers.plans.done, "report_plan", handlers.plans.reported, "team", ("action",)),
    "plan_move": Route(handlers.plans.asked, "report_plan", handlers.plans.reported, "team", ("action",)),
    "plan_moved": Route(handlers.plans.moved, "report_plan", handlers.plans.reported, "team", ("form",)),
    "plan_block": Route(handlers.plans.asked, "report_plan", handlers.plans.reported, "team", ("action",)),
    "plan_blocked": Route(handlers.plans.blocked, "report_plan", handlers.plans.reported, "team", ("form",)),
    "plan_unblock": Route(handlers.plans.unblock, "report_plan", handlers.plans.reported, "team", ("action",)),
    "plan_hand": Route(handlers.plans.asked, "report_plan", handlers.plans.reported, "team", ("action",)),
    "plan_handed": Route(handlers.plans.handed, "report_plan", handlers.plans.reported, "team", ("form",)),
    "plan_drop": Route(handlers.plans.asked, "keep_plan", handlers.plans.kept, "team", ("action",)),
    "plan_dropped": Route(handlers.plans.dropped, "keep_plan", handlers.plans.kept, "team", ("form",)),
    "comment_new": Route(handlers.comments.new, "comment", _commented, "team", ("action",)),
    "comment_kept": Route(handlers.comments.kept, "comment", _commented, "team", ("form",)),
    "comment_back": Route(handlers.comments.back, "comment", _commented, "team", ("action",)),
    "distortion_new": Route(handlers.distortions.new, "distortions", _nobody, "none", ("action",)),
    "distortion_asked": Route(handlers.distortions.asked, "distortions", _nobody, "none", ("form",)),
    "distortion_approve": Route(handlers.distortions.approve, "distortions", _nobody, "none", ("action",)),
    "distortion_decline": Route(handlers.distortions.decline, "distortions", _nobody, "none", ("action",)),
    "distortion_declined": Route(handlers.distortions.declined, "distortions", _nobody, "none", ("form",)),
    "distortion_revert": Route(handlers.distortions.revert, "distortions", _nobody, "none", ("action",)),
    "distortion_reverted": Route(handlers.distortions.reverted, "distortions", _nobody, "none", ("form",)),
}
"""What people press and fill in."""

HOME = Route(handlers.scorecards.home, "scorecard", _self, "self", ("home",))
"""The app's own page."""
