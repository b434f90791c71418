"""The product's table of contents: every word, button and form, who may use it, and what answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

import handlers.desk
import handlers.people
import handlers.scorecards
import handlers.sheets
import handlers.teams
import handlers.tickets
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
    text = call.values.get(name, "")
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise Refused("That button is no longer good.", "Ask again with the command.")
    return int(text)


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


WORDS: dict[str, Route] = {
    "myscore": Route(handlers.scorecards.mine, "scorecard", _self, "self", ("command", "message")),
    "teamscore": Route(handlers.teams.team, "team_scorecard", _team_named, "team", ("command", "message")),
    "desk": Route(handlers.desk.desk, "desk_scorecard", _nobody, "none", ("command", "message")),
    "help": Route(handlers.people.helped, "help", _nobody, "none", ("command", "message", "event")),
    "whoami": Route(handlers.people.whoami, "whoami", _nobody, "none", ("command", "message")),
    "looked": Route(handlers.people.looked, "who_looked", _self, "self", ("command", "message")),
    "person": Route(handlers.scorecards.opened, "scorecard", _named, "person", ("command", "message")),
    "corrections": Route(handlers.tickets.waiting, "help", _nobody, "none", ("command", "message")),
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
    "team_score": Route(handlers.teams.score, "team_scorecard", _team, "team", ("action",)),
    "team_why": Route(handlers.teams.why, "team_scorecard", _team, "team", ("action",)),
    "team_trend": Route(handlers.teams.trend, "team_scorecard", _team, "team", ("action",)),
    "desk_score": Route(handlers.desk.score, "desk_scorecard", _nobody, "none", ("action",)),
    "desk_why": Route(handlers.desk.why, "desk_scorecard", _nobody, "none", ("action",)),
    "desk_trend": Route(handlers.desk.trend, "desk_scorecard", _nobody, "none", ("action",)),
    "team_people": Route(handlers.teams.people, "team_people", _team, "team", ("action",)),
}
"""What people press and fill in."""

HOME = Route(handlers.scorecards.home, "scorecard", _self, "self", ("home",))
"""The app's own page."""
