"""Who I am here, who looked at my scorecard, and what can be asked."""

from __future__ import annotations

import cards.notice
import cards.people
import scoring.periods
import storage.looks
import storage.people
from cards.card import Card
from handlers.call import Call, Ctx, Reply


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
        (say("redfirst", "whoami"), "who you are here"),
        (say("redfirst", "looked"), "who looked at your scorecard"),
    ]
    if leads:
        commands.append((say("redfirst", "person NAME"), "the scorecard of somebody you lead"))
        commands.append((say("redfirst", "corrections"), "corrections that wait for you"))
    return cards.notice.helped(commands, scoring.periods.UNDERSTOOD)
