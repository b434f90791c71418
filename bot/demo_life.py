"""One ticket of the made-up desk, from the call to the closing: who has it in hand, when, and what goes wrong."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

from bot import demo_clients, demo_desk
from bot.demo_book import Book, Piece, Step, ticket_id
from bot.demo_clients import Client, Work
from bot.demo_world import HOME, SLA, World, ratio, requester

_SLOW = ("email", "portal")
_HARDER = {"tier1": 1.0, "tier2": 1.45, "tier3": 2.3, "centralised": 1.0, "projects": 2.0, "alignment": 1.2}
_EASE = {"tier1": 0.8, "tier2": 0.3, "tier3": 1.0, "centralised": 1.0, "projects": 1.0, "alignment": 1.0}
"""What is hard at the first line is less so at the second."""
_READY = 0.12
"""What the first line is asked and can do is done in the first contact so much more often than the rest."""
_TIER = {"tier1": 1, "tier2": 2, "tier3": 3}
_LEADS_TAKE = 0.07
"""Of what is passed on to a team, its lead takes that share."""


@dataclass(slots=True)
class Life:
    """A ticket while it is told. Instants are epoch seconds; `holder` and `pool` change when it is passed on."""

    number: str
    opened: int
    client: Client
    work: Work
    channel: str
    priority: int
    pool: str
    holder: str = ""
    triaged: int = 0
    responded: int = 0
    resolved: int = 0
    hold: int = 0
    interactions: int = 1
    passed: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    pieces: list[tuple[str, int, float, str]] = field(default_factory=list)

    @property
    def id(self) -> str:
        return ticket_id(self.number)

    @property
    def queue(self) -> str:
        return HOME.get(self.pool, self.pool)

    def step(self, at: int, what: str, actor: str | None, reason: str | None = None) -> None:
        owner = demo_desk.account(self.holder) if self.holder else None
        self.steps.append((at, what, actor, owner, self.queue, _TIER.get(self.pool), reason))


def tell(world: World, rng: random.Random, book: Book, life: Life, who: int) -> None:
    """Lives the ticket and writes it into the book; `who` numbers the client's person who asks."""
    _arrive(world, rng, life)
    _work(world, rng, book, life)
    _finish(world, rng, book, life, who)


def _arrive(world: World, rng: random.Random, life: Life) -> None:
    triage, engagement, _ = SLA[life.priority]
    keys, _ = world.on_duty(life.pool, life.opened)
    team = world.teams[life.queue]
    life.holder = keys[int(rng.random() * len(keys))]
    if world.clocks[life.holder].snap(life.opened) > life.opened + 1800:  # rather somebody who is at work
        life.holder = min(keys, key=lambda key: world.clocks[key].snap(life.opened))
    clock = world.clocks[life.holder]
    day = clock.day(clock.snap(life.opened))
    habits = world.habits(life.holder, day)
    strain = max(world.load(life.pool, day) - 1.0, 0.0)
    life.step(life.opened, "opened", None)
    if life.channel in _SLOW:
        life.triaged = team.add(life.opened, triage * ratio(rng.gauss(0, 1), 0.988 - 0.05 * strain, 0.75))
        share = habits.engaged - 0.20 * strain
        life.responded = clock.add(life.opened, engagement * ratio(rng.gauss(0, 1), share, 1.0))
    elif life.channel == "monitoring":
        life.triaged = clock.add(life.opened, triage * ratio(rng.gauss(0, 1), 0.985, 0.8))
        life.responded = clock.add(life.opened, engagement * ratio(rng.gauss(0, 1), habits.engaged + 0.005, 1.0))
    else:
        wait = ratio(rng.gauss(0, 1), habits.engaged + 0.01 - 0.22 * strain, 1.1)
        life.responded = clock.add(life.opened, min(engagement, 40) * wait)
        life.triaged = life.responded
    life.responded = max(life.responded, life.opened + 45)
    life.triaged = min(life.triaged, life.responded - 30)


def _work(world: World, rng: random.Random, book: Book, life: Life) -> None:
    work, clock = life.work, world.clocks[life.holder]
    day = clock.day(life.responded)
    habits = world.habits(life.holder, day)
    me = demo_desk.account(life.holder)
    minutes = work.minutes * math.exp(work.sigma * rng.gauss(0, 1)) * _HARDER[life.pool]
    dispatcher = "tomasz" if life.channel in _SLOW and day in world.clocks["tomasz"].begins else life.holder
    life.step(life.triaged, "triaged", demo_desk.account(dispatcher))
    life.step(life.responded, "responded", me)
    if rng.random() < habits.passes_on * work.hard:
        _pass_on(world, rng, book, life, minutes)
        return
    if rng.random() < habits.at_once + _READY + work.easy * _EASE[life.pool]:
        if life.channel in _SLOW:
            minutes = min(minutes, 12.0)
        life.resolved = clock.add(life.responded, max(minutes, 3.0))
    else:
        life.interactions = 2 + int(rng.random() * 4)
        strain = max(world.load(life.pool, day) - 1.0, 0.0)
        _until_done(world, rng, life, minutes, habits.done - 0.12 * strain, habits.quick)
    life.pieces.append((life.holder, life.resolved, minutes, "client"))


def _until_done(world: World, rng: random.Random, life: Life, minutes: float, share: float, quick: float) -> None:
    """Sets `resolved`: within the limit with the chance `share`, never before the work and the waiting are over."""
    team, clock = world.teams[life.queue], world.clocks[life.holder]
    limit = SLA[life.priority][2]
    spent = limit * ratio(rng.gauss(0, 1), share - 0.01, 0.95) * quick
    begin = max(life.responded, life.steps[-1][0])
    waits = rng.random()
    if waits < 0.20:
        life.hold = int(min(math.exp(rng.gauss(5.6, 0.8)), 5000) if waits > 0.012 else rng.uniform(4000, 11000))
        held = clock.add(begin, minutes * 0.4 + 5)
        life.step(held, "hold", demo_desk.account(life.holder), "client" if rng.random() < 0.7 else "vendor")
        back = team.add(held, life.hold)
        life.step(back, "resumed", demo_desk.account(life.holder))
        begin = back
    # the team's clock and the holder's differ by holidays and zone; the later of the two counts
    life.resolved = clock.snap(max(team.add(life.opened, spent + life.hold), clock.add(begin, minutes)))
    _keep_informed(world, rng, life, max(life.responded, life.steps[-1][0]))


def _keep_informed(world: World, rng: random.Random, life: Life, begin: int) -> None:
    clock = world.clocks[life.holder]
    at = begin
    for _ in range(30):
        at = clock.add(at, 300 * math.exp(0.35 * rng.gauss(0, 1)) + (700 if rng.random() < 0.06 else 0))
        if at >= life.resolved:
            return
        life.step(at, "updated", demo_desk.account(life.holder))


def _pass_on(world: World, rng: random.Random, book: Book, life: Life, minutes: float) -> None:
    """Hands the ticket to the next line, or to the team its kind goes to, and maybe once more from there."""
    giver, clock = life.holder, world.clocks[life.holder]
    tried = min(8 + minutes * 0.3, 45.0)
    raised = clock.add(life.steps[-1][0], tried)
    life.pieces.append((giver, raised, tried, _kind(life.pool, life)))
    life.interactions += 1
    mandated = life.priority == 1 or life.work.category.startswith("Security")
    away = life.work.goes_to != "help-desk" and life.pool in HOME
    target = life.work.goes_to if away and rng.random() < life.work.away else _next(life.pool)
    keys, at = world.on_duty(target, raised)
    life.passed.append(giver)
    due = 60 if life.priority <= 2 else 180
    to = keys[int(rng.random() * len(keys))]
    lead = demo_desk.TEAM_LEADS[HOME.get(target, target)]
    if rng.random() < _LEADS_TAKE and world.clocks[lead].day(at) in world.clocks[lead].begins:
        to = lead
    receiver = world.clocks[to]
    day = receiver.day(receiver.snap(at))
    strain = max(world.load(target, day) - 1.0, 0.0)
    share = 0.94 - 0.22 * strain
    accepted = receiver.add(at, due * ratio(rng.gauss(0, 1), share, 0.9))
    me, other = demo_desk.account(giver), demo_desk.account(to)
    origin, life.pool, life.holder = life.pool, target, to
    life.step(raised, "escalated", me, "mandated" if mandated else "skill")
    life.step(accepted, "assigned", other)
    bounced = rng.random() < 0.035
    if bounced:
        life.pool, life.holder = origin, giver
        life.step(receiver.add(accepted, 25), "assigned", other, "bounced")
    share = world.habits(life.holder, day).done - 0.17 * strain
    again = not bounced and target == "tier2" and rng.random() < world.habits(to, day).passes_on
    if again:
        _pass_on(world, rng, book, life, minutes)
    else:
        done = minutes * _HARDER[life.pool]
        _until_done(world, rng, life, done, share, 0.75)
        life.pieces.append((life.holder, life.resolved, done, _kind(life.pool, life)))
    book.escalation.add(
        id=f"{life.id}!{len(life.passed)}" if not again else f"{life.id}!0",
        ticket=life.id,
        kind="mandated" if mandated else life.work.category,
        from_account=me,
        to_account=other,
        raised_at=raised,
        due_at=world.teams[HOME.get(target, target)].add(raised, due),
        accepted_at=accepted,
        resolved_at=None if bounced or again else life.resolved,
        bounced=bounced,
        reopened=False,
        mandated=mandated,
        updated_at=raised,
    )


def _next(pool: str) -> str:
    return {"tier1": "tier2", "tier2": "tier3"}.get(pool, "tier3")


def _kind(pool: str, life: Life) -> str:
    return "client" if HOME.get(pool, pool) == "help-desk" or not life.passed else "internal_support"


def _finish(world: World, rng: random.Random, book: Book, life: Life, who: int) -> None:
    clock = world.clocks[life.holder]
    day = clock.day(life.resolved)
    habits = world.habits(life.holder, day)
    me = demo_desk.account(life.holder)
    back, reason = 0, None
    final = life.resolved
    life.step(life.resolved, "resolved", me)
    fails, thanks = habits.comes_back, 0.022
    luck = rng.random()
    if luck < fails + thanks:
        reason = "not_fixed" if luck < fails else ("thanks" if rng.random() < 0.6 else "new_request")
        back = life.resolved + int(math.exp(rng.gauss(11.1, 0.7)))
        life.step(back, "reopened", None, reason)
        extra = life.work.minutes * (0.7 if reason == "not_fixed" else 0.15)
        final = clock.add(back, extra + 240 * rng.random())
        life.step(final, "resolved", me)
        if reason == "not_fixed":
            life.interactions += 1
            life.pieces.append((life.holder, final, extra, _kind(life.pool, life)))
    closed = world.teams["help-desk"].add(final, 3 * 480)
    _write(world, rng, book, life, who, final, closed, back, reason)


def _write(world: World, rng: random.Random, book: Book, life: Life, who: int, final: int, closed: int, back: int,
           reason: str | None) -> None:  # fmt: skip
    work, team = life.work, world.teams[life.queue]
    triage, engagement, completion = SLA[life.priority]
    address, name = requester(life.client, who)
    due = team.add(life.opened, completion)
    me, first = demo_desk.account(life.holder), demo_desk.account(life.passed[0] if life.passed else life.holder)
    index = len(book.ticket)
    for key, at, minutes, kind in life.pieces:
        book.pieces.append(Piece(key, world.clocks[key].day(at), at, minutes, index, kind))
    host, place = demo_clients.HOSTS[who % len(demo_clients.HOSTS)], demo_clients.PLACES[who % len(demo_clients.PLACES)]
    title = work.titles[int(rng.random() * len(work.titles))]
    if "{" in title:
        title = title.format(who=name, place=place, host=host, n=who % 6 + 1)
    alert = life.channel == "monitoring"
    home = HOME.get(life.pool, life.pool)
    book.ticket.add(
        id=life.id,
        source=demo_desk.SOURCE,
        number=life.number,
        title=title[0].upper() + title[1:],
        client=life.client.name,
        requester=None if alert else address,
        asset=f"{life.client.domain[:4].upper()}-{host}" if alert else f"{life.client.domain[:3].upper()}-LT-{who:03d}",
        category=work.category,
        queue=home,
        channel=life.channel,
        kind=work.kind,
        priority=life.priority,
        opened_at=life.opened,
        triaged_at=life.triaged,
        responded_at=life.responded,
        resolved_at=final,
        closed_at=closed,
        dispatcher=life.steps[1][2],
        first_worker=first,
        owner=me,
        resolver=me,
        tier=_TIER.get(life.pool) or _tier(world, life.holder, life.resolved),
        interactions=life.interactions,
        reopens=1 if back else 0,
        reopened_at=back or None,
        reopen_reason=reason,
        reassignments=len(life.passed),
        escalations=len(life.passed),
        escalated_by=first if life.passed else None,
        mandated=bool(life.passed) and (life.priority == 1 or work.category.startswith("Security")),
        hold_minutes=life.hold,
        triage_due_at=team.add(life.opened, triage),
        engagement_due_at=team.add(life.opened, engagement),
        completion_due_at=due,
        complexity=round(max(work.minutes / 30, 0.5), 1),
        impact={1: 3.0, 2: 2.0}.get(life.priority, 1.0),
        ownership=_HANDS[len(life.passed) > 0],
        workaround="yes" if rng.random() < 0.12 else "no",
        knowledge=f"KB-{who % 90 + 10}" if rng.random() < 0.3 else None,
        url=f"https://{demo_desk.SOURCE}.example/tickets/{life.number}",
        updated_at=life.opened,
    )
    book.events(life.id, life.steps)


_HANDS = {False: "single owner", True: "handed on"}


def _tier(world: World, key: str, at: int) -> int | None:
    day = world.clocks[key].day(at)
    for person in world.file.people:
        if person.key == key:
            return next((stay.tier for stay in person.stays if stay.covers(day)), None)
    return None
