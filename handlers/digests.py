"""Digests: made when they are due, looked at before, posted now, and renewed when a plan is added."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import cards.card
import cards.digests
import cards.manager_digests
import cards.notice
import cards.timetable
import handlers.digest_cards
import handlers.digest_outgoing
import handlers.manager_digests
import handlers.outgoing
import handlers.sheets
import handlers.teams
import handlers.timetable
import scoring.access
import scoring.digests
import scoring.periods
import scoring.schedules
import storage.digests
import storage.outbox
import storage.people
from cards.card import Card
from cards.digests import Told
from handlers.call import Call, Ctx, Reply
from scoring.people import Team
from scoring.periods import Period
from scoring.refused import Refused
from scoring.schedules import Due
from storage.digests import Said

RENEWED = timedelta(days=35)
"""How long a digest is kept up to date with the plans that are made on it."""

RENEWED_TEAMS = 8
"""Teams up to which a manager's digest is made again while somebody waits; of more, "More" shows what is true now."""

DESK, TEAMS = "desk", "teams"
"""What is asked about where it is not one team: everything, and the teams of those who report to the asker."""


# When it is due


async def team_digest(ctx: Ctx, due: Due) -> None:
    """To a team's channel."""
    team = await handlers.timetable.team(ctx, due)
    if team is not None and due.schedule.to:
        told = await handlers.digest_cards.of_team(ctx, team, _asked(due), _late(due))
        await handlers.digest_outgoing.post(ctx, due.schedule, handlers.digest_cards.card(told), _key("team", due))


async def lead_digest(ctx: Ctx, due: Due) -> None:
    """To each lead of a team, in private."""
    team = await handlers.timetable.team(ctx, due)
    if team is None:
        return
    here = handlers.sheets.today(ctx, team.zone)
    for lead in await storage.people.leads(ctx.db, team, here):
        told = await handlers.digest_cards.of_lead(replace(ctx, person=lead), team, _asked(due), _late(due))
        card, key = handlers.digest_cards.card(told), _key("lead", due, lead.id)
        await handlers.digest_outgoing.tell(ctx, lead, card, due.schedule, key)
    await _tell_above(ctx, team, due)


async def _tell_above(ctx: Ctx, team: Team, due: Due) -> None:
    """What turns out to last is told, once, to whoever the team's lead reports to; of the team, as everybody is.

    A run that was missed, or made on old data, only delays it: a red goes by the week with which it began.
    """
    above = await storage.people.above(ctx.db, team, handlers.sheets.today(ctx, team.zone))
    week = handlers.digest_cards.period_of("week", due.day)
    found = await handlers.digest_cards.lasting(ctx, team, week) if above else {}
    if not found:
        return
    target = due.schedule.target
    told = [one.key.split("|") for one in await storage.digests.said(ctx.db, f"digest|above|{target}|", 0)]
    for name, one in found.items():
        began = scoring.periods.week(week.first - 7 * (one.weeks - 1))
        card = cards.digests.lasting(team.name, week, [one], {"team": str(team.id)})
        for person in above:
            earlier = [scoring.periods.from_key(key[3]) for key in told if key[4:] == [str(person.id), name]]
            if not any(_same_run(then, began, one.weeks) for then in earlier):
                key = _named("above", target, began, str(person.id), name)
                await handlers.outgoing.suggest(ctx, person.id, card, key)


def _same_run(then: Period, began: Period, weeks: int) -> bool:
    """Whether a red that began in a week and lasts so long is the one that was told as begun `then`.

    Late data may move the week in which it began; and of the longest nobody knows it.
    """
    told_with = then.first + 7 * (scoring.digests.ESCALATED - 1)
    return told_with >= began.first or weeks >= handlers.digest_cards.LONGEST


async def manager_digest(ctx: Ctx, due: Due) -> None:
    """To each person whom leads report to, in private: their teams together."""
    known: dict[tuple[int, str], Told | None] = {}
    for person, teams in await handlers.manager_digests.readers(ctx):
        told = await handlers.manager_digests.of(ctx, teams, _asked(due), _late(due), known)
        card, key = cards.manager_digests.card(told), _key("manager", due, person.id)
        await handlers.digest_outgoing.tell(ctx, person, card, due.schedule, key)


async def leadership_digest(ctx: Ctx, due: Due) -> None:
    """To each member of leadership, in private."""
    here = handlers.sheets.today(ctx, ctx.rules.zone)
    told = await handlers.digest_cards.of_leadership(ctx, _asked(due), _late(due))
    card = handlers.digest_cards.card(told)
    for person in await storage.people.in_role(ctx.db, "leadership", here):
        key = _key("leadership", due, person.id)
        await handlers.digest_outgoing.tell(ctx, person, card, due.schedule, key)


async def desk_page(ctx: Ctx, due: Due) -> None:
    """To the organisation's channel."""
    if due.schedule.to:
        told = await handlers.digest_cards.of_desk(ctx, _asked(due), _late(due))
        card = handlers.digest_cards.card(told)
        await handlers.digest_outgoing.post(ctx, due.schedule, card, _key("organisation", due))


def _asked(due: Due) -> Period:
    """The last whole month for what speaks monthly or rarer, and by cron text of the whole desk; else the last week."""
    cadence, of_desk = due.schedule.cadence, due.schedule.target == DESK and due.schedule.maker != "manager_digest"
    monthly = cadence in ("monthly", "quarterly", "yearly") or (cadence == "cron" and of_desk)
    return handlers.digest_cards.period_of("month" if monthly else "week", due.day)


def _late(due: Due) -> str:
    return _was_due(due.at, due.schedule.zone) if due.verdict == "make_late" else ""


def _was_due(instant: int, zone: str) -> str:
    at = datetime.fromtimestamp(instant, UTC).astimezone(ZoneInfo(zone))
    return f"late: it was due on {at:%A} {at.day} {at:%b}, {at:%H:%M}"


def _late_still(said: Said, zone: str) -> str:
    """The mark of a digest that was made late, from when it was due and when it was made."""
    due_at = said.key.split("|")[5]
    late = due_at.isdecimal() and len(due_at) < 20 and said.made_at - int(due_at) > scoring.schedules.LATE
    return _was_due(int(due_at), zone) if late else ""


def _key(audience: str, due: Due, person: int | None = None) -> str:
    whom = due.schedule.to if person is None else str(person)
    return _named(audience, due.schedule.target, _asked(due), whom, str(due.at))


def _named(audience: str, target: str, asked: Period, whom: str, mark: str) -> str:
    """The key of a digest in the outbox, in parts that `renew` reads; of what is long only a hash, never a part."""
    return "|".join(("digest", audience, target, asked.key, _short(whom), _short(mark)))


def _short(text: str) -> str:
    return text if len(text) <= 100 else hashlib.sha256(text.encode()).hexdigest()


# What is renewed


async def renew(ctx: Ctx, subject: str) -> None:
    """Puts what is now true on the newest digests about "team:2" or "desk": a plan was added, moved or done."""
    since, now = int((ctx.now - RENEWED).timestamp()), int(ctx.now.timestamp())
    known: dict[tuple[int, str], Told | None] = {}
    for audience, target in _about(subject):
        said = await storage.digests.said(ctx.db, f"digest|{audience}|{target}|", since)
        newest = max((_period(one).last for one in said), default=None)
        for one in said:
            if _period(one).last == newest:
                card = await _again(ctx, audience, subject, one, known)
                if card is not None:
                    card = await handlers.digest_outgoing.renewed(ctx, card, one.key, one.made_at)
                    await storage.outbox.revise(ctx.db, one.key, cards.card.to_json(card), now)


def _about(subject: str) -> tuple[tuple[str, str], ...]:
    """(Audience, target) of the digests that tell of a team, or of the desk."""
    if subject == DESK:
        return ("leadership", DESK), ("organisation", DESK)
    return ("lead", subject), ("team", subject), ("manager", DESK)


def _period(said: Said) -> Period:
    return scoring.periods.from_key(said.key.split("|")[3])


async def _again(
    ctx: Ctx, audience: str, subject: str, said: Said, known: dict[tuple[int, str], Told | None]
) -> Card | None:
    """The card with what is true now; None where it stays as it was: its reader is no longer whom it is for."""
    asked, whom = _period(said), said.key.split("|")[4]
    team = None if subject == DESK else await storage.people.team(ctx.db, int(subject.partition(":")[2]))
    zone = ctx.rules.zone if team is None or audience == "manager" else team.zone
    late = _late_still(said, zone)
    if audience == "organisation":
        return handlers.digest_cards.card(await handlers.digest_cards.of_desk(ctx, asked, late))
    if audience == "team":
        if team is None:
            return None
        return handlers.digest_cards.card(await handlers.digest_cards.of_team(ctx, team, asked, late))
    reader = await storage.people.get(ctx.db, int(whom), handlers.sheets.today(ctx, zone))
    if reader is None or not reader.active:
        return None
    if audience == "manager":
        teams = await handlers.manager_digests.overseen(ctx, reader)
        if team not in teams or len(teams) > RENEWED_TEAMS:
            return None
        return cards.manager_digests.card(await handlers.manager_digests.of(ctx, teams, asked, late, known))
    if scoring.access.relation(reader, team) != audience:  # no longer: what they were told stays as it was
        return None
    if team is None:
        return handlers.digest_cards.card(await handlers.digest_cards.of_leadership(ctx, asked, late))
    own = replace(ctx, person=reader)
    return handlers.digest_cards.card(await handlers.digest_cards.of_lead(own, team, asked, late))


# What people ask


async def digest(ctx: Ctx, call: Call, team: Team | None) -> Reply:
    """/digest [preview|now|schedule] [TEAM|teams|desk]: nothing said means preview."""
    word, about = split(call.text)
    if _of_teams(ctx, about):
        return await _TEAMS_WORDS[word](ctx)
    return await _WORDS[word](ctx, call, team)


def split(text: str) -> tuple[str, str]:
    """(preview, now or schedule, whom it is about)."""
    word, _, rest = text.strip().partition(" ")
    return (word.casefold(), rest.strip()) if word.casefold() in _WORDS else ("preview", text.strip())


async def subject(ctx: Ctx, call: Call) -> Team | None:
    """The team that is asked about; None is the desk, which is what leadership means when it names nothing.

    Of the teams of those who report to the asker it is any: access is the same to each.
    """
    _, about = split(call.text)
    if _of_teams(ctx, about):
        return (await handlers.manager_digests.mine(ctx))[0]
    if about.casefold() == DESK or (not about and ctx.person.role == "leadership"):
        return None
    team, more = await handlers.teams.asked_for(ctx, about)
    if more:
        raise Refused(f"I did not get “{more[:40]}”.", "Say /digest preview, now or schedule, and a team.")
    return team


def _of_teams(ctx: Ctx, about: str) -> bool:
    """Whether the digest of several teams is meant, which is the own one of those who lead no team themselves."""
    over = bool(ctx.person.over_teams) and not ctx.person.led_teams and ctx.person.role != "leadership"
    return about.casefold() == TEAMS or (not about and over)


async def _told(ctx: Ctx, team: Team | None, day: int | None = None, asked: Period | None = None) -> Told:
    """The digest that the asker would get, as it would be made on a day."""
    if team is None:
        when = handlers.sheets.today(ctx, ctx.rules.zone) if day is None else day
        asked = asked or handlers.digest_cards.period_of("month", when)
        make = handlers.digest_cards.of_leadership if ctx.person.role == "leadership" else handlers.digest_cards.of_desk
        return await make(ctx, asked)
    when = handlers.sheets.today(ctx, team.zone) if day is None else day
    asked = asked or handlers.digest_cards.period_of("week", when)
    if scoring.access.relation(ctx.person, team) == "lead":
        return await handlers.digest_cards.of_lead(ctx, team, asked)
    return await handlers.digest_cards.of_team(ctx, team, asked)


async def _preview(ctx: Ctx, call: Call, team: Team | None) -> Reply:
    return Reply.card(handlers.digest_cards.card(await _told(ctx, team)))


async def more(ctx: Ctx, call: Call, team: Team | None) -> Reply:
    """The whole of a digest, to whoever asks, as they may see it."""
    zone = ctx.rules.zone if team is None else team.zone
    asked = handlers.sheets.from_key(call.values.get("period", ""), handlers.sheets.today(ctx, zone))
    told = await _told(ctx, team, asked=asked)
    return Reply.card(handlers.digest_cards.card(told, everything=True))


async def _now(ctx: Ctx, call: Call, team: Team | None) -> Reply:
    """Posts it where the timetable would, now."""
    where = await post_now(ctx, team, call.key)
    return Reply.card(cards.notice.told("Posted", f"The digest is on its way to {where}."))


async def post_now(ctx: Ctx, team: Team | None, mark: str) -> str:
    """Puts a team's digest, or the desk's, into the outbox for its channels, and says for how many.

    Raises Refused where no channel is named for it; `mark` makes it another message than that of the timetable.
    """
    target, maker = (DESK, "desk_page") if team is None else (f"team:{team.id}", "team_digest")
    standing = handlers.timetable.schedules(ctx.rules, [team] if team else [], [maker])
    places = [one for one in standing if one.target == target and one.to]
    if not places:
        raise Refused(
            "No channel is named for this digest.",
            "Add a [[schedule]] with `to` to redfirst.toml; /digest preview shows it to you alone.",
        )
    if team is None:
        asked = handlers.digest_cards.period_of("month", handlers.sheets.today(ctx, ctx.rules.zone))
        told = await handlers.digest_cards.of_desk(ctx, asked)
    else:
        asked = handlers.digest_cards.period_of("week", handlers.sheets.today(ctx, team.zone))
        told = await handlers.digest_cards.of_team(ctx, team, asked)
    audience = "organisation" if team is None else "team"
    for one in places:
        key = _named(audience, target, asked, one.to, f"now {mark}")
        await handlers.digest_outgoing.post(ctx, one, handlers.digest_cards.card(told), key)
    return "its channel" if len(places) == 1 else f"its {len(places)} channels"


async def _schedule(ctx: Ctx, call: Call, team: Team | None) -> Reply:
    """What is said by itself about the team or the desk, and when next, in its own time."""
    lines = await _upcoming(ctx, DESK if team is None else f"team:{team.id}")
    return Reply.card(cards.timetable.schedule(team.name if team else ctx.rules.organisation, lines))


async def _upcoming(ctx: Ctx, target: str, makers: Collection[str] | None = None) -> list[tuple[str, str, str]]:
    return [
        (one.maker, scoring.schedules.words(one), _local(at, one.zone))
        for one, at in await handlers.timetable.upcoming(ctx, target, makers)
    ]


async def _teams_preview(ctx: Ctx) -> Reply:
    return Reply.card(await handlers.manager_digests.preview(ctx))


async def _teams_now(ctx: Ctx) -> Reply:
    raise Refused("The digest of your teams goes to you, not to a channel.", "See it with /digest preview teams.")


async def _teams_schedule(ctx: Ctx) -> Reply:
    lines = await _upcoming(ctx, DESK, ("manager_digest",))
    return Reply.card(cards.timetable.schedule("your teams", lines))


def _local(at: datetime, zone: str) -> str:
    local = at.astimezone(ZoneInfo(zone))
    return f"{local:%a} {local.day} {local:%b}, {local:%H:%M}"


_WORDS: dict[str, Callable[[Ctx, Call, Team | None], Awaitable[Reply]]] = {
    "preview": _preview,
    "now": _now,
    "schedule": _schedule,
}

_TEAMS_WORDS: dict[str, Callable[[Ctx], Awaitable[Reply]]] = {
    "preview": _teams_preview,
    "now": _teams_now,
    "schedule": _teams_schedule,
}
