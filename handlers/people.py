"""Who I am here, who looked at my scorecard, and what can be asked."""

from __future__ import annotations

import cards.notice
import cards.people
import handlers.sheets
import scoring.access
import scoring.periods
import storage.looks
import storage.people
from cards.card import Card
from handlers.call import Call, Ctx, Reply
from scoring.people import Person
from scoring.refused import Refused


async def whoami(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """What Redfirst knows about the asker."""
    person = ctx.person
    team = None if person.team_id is None else await storage.people.team(ctx.db, person.team_id)
    lead = {} if person.manager_id is None else await storage.people.names(ctx.db, [person.manager_id])
    accounts = await storage.people.accounts(ctx.db, person.id)
    return Reply.card(
        cards.people.whoami(person, team.name if team else "", lead.get(person.manager_id or 0, ""), accounts)
    )


async def looked(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """Who looked at the asker's scorecard."""
    looks = await storage.looks.of(ctx.db, ctx.person.id)
    return Reply.card(cards.people.looked([(x.viewer, x.what, x.at) for x in looks], ctx.person.zone))


async def lead_of(ctx: Ctx, person: Person) -> Person:
    """The one who leads a person today: their own manager where that is a lead, else who leads their team."""
    everyone = await storage.people.everyone(ctx.db, handlers.sheets.today(ctx, person.zone))
    leads = [one for one in everyone if scoring.access.relation(one, person) == "lead"]
    if not leads:
        raise Refused("Nobody is named as your lead.", "Ask your administrator to add one to the people file.")
    return min(leads, key=lambda one: (one.id != person.manager_id, not one.led_teams, one.name, one.id))


async def helped(ctx: Ctx, call: Call, _subject: None) -> Reply:
    """What can be asked, for who asks."""
    return Reply.card(help_card(ctx.rules.commands, leads=bool(ctx.person.managed)))


def help_card(names: dict[str, str], *, leads: bool) -> Card:
    """The help, with the words as they are called here."""

    def say(word: str, rest: str = "") -> str:
        return cards.notice.command(names, word, rest)

    commands = [
        (say("myscore", "[period]"), "your scorecard, reds first"),
        (say("myscore", "why METRIC"), "how a figure came about"),
        (say("myscore", "trend METRIC"), "thirteen weeks of it"),
        (say("teamscore", "[team] [period]"), "your team's scorecard"),
        (say("redfirst", "desk [period]"), "the whole desk's scorecard"),
        (say("plans", "[team]"), "the plans for what is red, overdue ones first"),
        (say("objectives"), "what the desk, the teams and you are after"),
        (say("redfirst", "nudges [on|off]"), "your focus, and whether I nudge you"),
        (say("redfirst", "coaching"), "what you and your lead agreed, and your shared notes"),
        (say("redfirst", "whoami"), "who you are here"),
        (say("redfirst", "looked"), "who looked at your scorecard"),
    ]
    if leads:
        commands.append((say("redfirst", "person NAME"), "the scorecard of somebody you lead"))
        commands.append((say("digest", "[preview|now|schedule]"), "your team's digest, now or when it is due"))
        commands.append((say("coach", "NAME"), "prepare a talk with somebody you lead"))
        commands.append((say("redfirst", "nudges effect"), "what nudges do, in aggregate"))
        commands.append((say("redfirst", "corrections"), "corrections that wait for you"))
        commands.append((say("redfirst", "distortion"), "outages and the like that figures are adjusted for"))
        commands.append((say("redfirst", "clients"), "clients that somebody should call"))
        commands.append((say("redfirst", "lines"), "what is measured before it has a colour, and which lines hold"))
    return cards.notice.helped(commands, scoring.periods.UNDERSTOOD)
