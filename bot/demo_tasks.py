"""Planned work of the made-up desk: projects and alignment visits, which take days rather than minutes."""

from __future__ import annotations

import math
import random

from bot import demo_desk
from bot.demo_book import Book, Piece, Step, Task, ticket_id
from bot.demo_clients import ALIGNMENT_WORK, CLIENTS, HOSTS, PLACES, PROJECT_WORK, Work
from bot.demo_clock import Clock
from bot.demo_desk import Habits
from bot.demo_world import World, ratio, requester, stay_on
from scoring.people_file import PersonEntry

_KINDS: dict[str, tuple[tuple[Work, ...], str]] = {
    "projects": (PROJECT_WORK, "P"),
    "alignment": (ALIGNMENT_WORK, "A"),
}


def tell(world: World, rng: random.Random, book: Book) -> None:
    """Every project engineer and alignment technician has two tasks in hand on each working day."""
    for person in world.file.people:
        tasks = book.in_hand.pop(person.key, [])
        for day in range(world.first, world.until):
            stay = stay_on(person, day)
            begin = world.clocks[person.key].begins.get(day)
            if stay is None or stay.tier is None or stay.team not in _KINDS or begin is None:
                continue
            kinds, letter = _KINDS[stay.team]
            while len(tasks) < 2:
                tasks.append(_open(rng, book, kinds, f"{letter}-{book.number(letter)}", begin))
            for task, share in zip(list(tasks), (0.62, 0.38), strict=True):
                minutes = 360 * share * math.exp(0.25 * rng.gauss(0, 1))
                ends = begin + (200 if share > 0.5 else 420) * 60
                book.pieces.append(Piece(person.key, day, ends, minutes, task.index))
                task.left -= minutes
                if task.left <= 0:
                    tasks.remove(task)
                    _close(world, rng, book, person, stay.team, stay.tier, task, ends)
        for task in tasks:  # still in hand at the end
            _close(world, rng, book, person, person.stays[-1].team, person.stays[-1].tier, task, world.cut + 86_400)
        if tasks:
            book.in_hand[person.key] = tasks


def _open(rng: random.Random, book: Book, kinds: tuple[Work, ...], number: str, begin: int) -> Task:
    work = rng.choices(kinds, [kind.often for kind in kinds])[0]
    size = work.minutes * math.exp(work.sigma * rng.gauss(0, 1))
    index = len(book.ticket)
    opened = begin + int(rng.random() * 1500)
    book.ticket.add(id=ticket_id(number), number=number, opened_at=opened, updated_at=opened)
    return Task(work, int(rng.random() * len(CLIENTS)), opened, size, index, number)


def _close(world: World, rng: random.Random, book: Book, person: PersonEntry, team: str, tier: int | None,
           task: Task, at: int) -> None:  # fmt: skip
    clock, work, client = world.teams[team], task.work, CLIENTS[task.client]
    habits = world.habits(person.key, min(clock.day(at), world.until))
    if task.told:
        _go_on(rng, book, world.teams[team], habits, person, task, at)
        return
    who = task.index % 40
    address, name = requester(client, who)
    title = rng.choice(work.titles).format(
        who=name, place=PLACES[who % len(PLACES)], host=HOSTS[who % len(HOSTS)], n=who % 6 + 1
    )
    took = max(clock.minutes(task.opened, at), 60.0)
    due = clock.add(task.opened, took / ratio(rng.gauss(0, 1), habits.done, 0.35))
    triage = clock.add(task.opened, 240 * ratio(rng.gauss(0, 1), 0.98, 0.8))
    engaged = clock.add(task.opened, 480 * ratio(rng.gauss(0, 1), habits.engaged, 0.9))
    engaged = min(max(engaged, triage), at)
    me, queue = demo_desk.account(person.key), team
    values: dict[str, object] = {
        "source": demo_desk.SOURCE,
        "title": title,
        "client": client.name,
        "requester": address,
        "category": work.category,
        "queue": queue,
        "channel": "portal",
        "kind": work.kind,
        "priority": 3 if rng.random() < work.priorities[2] else 4,
        "triaged_at": min(triage, engaged),
        "responded_at": engaged,
        "resolved_at": at,
        "closed_at": clock.add(at, 960),
        "dispatcher": demo_desk.account(demo_desk.TEAM_LEADS[team]),
        "first_worker": me,
        "owner": me,
        "resolver": me,
        "tier": tier,
        "reopens": 0,
        "reassignments": 0,
        "escalations": 0,
        "mandated": False,
        "hold_minutes": 0,
        "triage_due_at": clock.add(task.opened, 240),
        "engagement_due_at": clock.add(task.opened, 480),
        "completion_due_at": due,
        "complexity": round(work.minutes / 60, 1),
        "impact": 2.0,
        "ownership": "single owner",
        "workaround": "no",
        "url": f"https://{demo_desk.SOURCE}.example/tickets/{task.number}",
    }
    for name, value in values.items():
        book.ticket.columns[name][task.index] = value
    steps: list[Step] = [
        (task.opened, "opened", None, me, queue, tier, None),
        (engaged, "responded", me, me, queue, tier, None),
        (at, "resolved", me, me, queue, tier, None),
    ]
    told = clock.add(engaged, 400)
    while told < at and len(steps) < 30:
        steps.append((told, "updated", me, me, queue, tier, None))
        told = clock.add(told, 380 * math.exp(0.3 * rng.gauss(0, 1)))
    book.events(ticket_id(task.number), steps)


    task.told = sum(step[0] <= world.cut for step in steps)


def _go_on(rng: random.Random, book: Book, clock: Clock, habits: Habits, person: PersonEntry, task: Task,
           at: int) -> None:  # fmt: skip
    """The end of a task that was in hand when the story was taken up again; how it began is told already."""
    took = max(clock.minutes(task.opened, at), 60.0)
    columns, me = book.ticket.columns, demo_desk.account(person.key)
    columns["resolved_at"][task.index] = at
    columns["closed_at"][task.index] = clock.add(at, 960)
    columns["completion_due_at"][task.index] = clock.add(task.opened, took / ratio(rng.gauss(0, 1), habits.done, 0.35))
    queue, tier = columns["queue"][task.index], columns["tier"][task.index]
    steps: list[Step] = []
    if columns["responded_at"][task.index] > book.taken_up:
        steps.append((columns["responded_at"][task.index], "responded", me, me, queue, tier, None))
    told = clock.add(max(book.taken_up, columns["responded_at"][task.index]), 400 * rng.random())
    while told < at and len(steps) < 30:
        steps.append((told, "updated", me, me, queue, tier, None))
        told = clock.add(told, 380 * math.exp(0.3 * rng.gauss(0, 1)))
    steps.append((at, "resolved", me, me, queue, tier, None))
    book.events(ticket_id(task.number), steps, task.told)
