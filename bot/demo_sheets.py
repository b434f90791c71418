"""Time sheets of the made-up desk: work fitted into working days, and how promptly it was written down."""

from __future__ import annotations

import math
import random
from collections import defaultdict

from bot import demo_desk
from bot.demo_book import Book, Piece
from bot.demo_world import World, pool_of, stay_on

_DAY_MINUTES = 480
_OTHER = ("peer_review", "improvement", "root_cause")


def fill(world: World, rng: random.Random, book: Book) -> None:
    """Writes the time entries, and from them each ticket's worked and estimated minutes."""
    days: dict[tuple[str, int], list[Piece]] = defaultdict(list)
    for piece in book.pieces:
        if piece.day < world.until:
            days[piece.key, piece.day].append(piece)
    for person in world.file.people:
        begins = world.clocks[person.key].begins
        for day in range(world.first, world.until):
            stay = stay_on(person, day)
            pieces = days.pop((person.key, day), [])
            if stay is None or not (pool_of(stay) or pieces):
                continue
            begin = begins.get(day) if pool_of(stay) else None  # a lead's day is not told, only what they did
            _one_day(world, rng, book, person.key, day, begin, pieces)
    _estimate(world, rng, book)


def _one_day(world: World, rng: random.Random, book: Book, key: str, day: int, begin: int | None,
             pieces: list[Piece]) -> None:  # fmt: skip
    if begin is None:  # called in on a day off
        if pieces:
            _lay(world, rng, book, pieces, [min(p.minutes, 90.0) for p in pieces], pieces[0].at - 5400)
        return
    busy = world.habits(key, day).busy
    wanted = min(max(busy + 0.05 * rng.gauss(0, 1), 0.4), 0.99) * _DAY_MINUTES
    had = sum(piece.minutes for piece in pieces)
    factor = min(max(wanted / had, 0.45), 1.75) if had else 1.0
    minutes = [piece.minutes * factor for piece in pieces]
    missing = wanted - sum(minutes)
    if missing > 25:  # round visits and routine checks, without a ticket
        pieces.append(Piece(key, day, begin + 3600, missing * 0.95, None))
        minutes.append(missing * 0.95)
    if rng.random() < 0.55:
        pieces.append(Piece(key, day, begin + 1800, 20, None, "admin"))
        minutes.append(10 + 20 * rng.random())
    if rng.random() < 0.05:
        pieces.append(Piece(key, day, begin + 18_000, 30, None, rng.choice(_OTHER)))
        minutes.append(25 + 30 * rng.random())
    _lay(world, rng, book, pieces, minutes, begin)


def _lay(world: World, rng: random.Random, book: Book, pieces: list[Piece], minutes: list[float], begin: int) -> None:
    """Puts the pieces of a day one after the other, each about when it was done, none upon another."""
    order = sorted(range(len(pieces)), key=lambda i: pieces[i].at)
    left = sum(minutes)
    end = begin + _DAY_MINUTES * 60
    at = begin
    tickets, worked, entries = book.ticket.columns, book.ticket.columns["worked_minutes"], book.entry
    for i in order:
        piece, long = pieces[i], max(round(minutes[i]), 2)
        at = max(at, min(piece.at - long * 60, end - int(left * 60)))
        done = at + long * 60
        left -= minutes[i]
        index = piece.ticket
        if index is not None:
            worked[index] = (worked[index] or 0) + long
        habits = world.habits(piece.key, piece.day)
        if rng.random() < habits.prompt:
            written = done + 15 + int(270 * rng.random() ** 2)
        else:
            written = done + int(math.exp(rng.gauss(8.9, 0.9))) + 400
        entries.add(
            id=f"{demo_desk.SOURCE}/t{book.number('t')}",
            account=demo_desk.account(piece.key),
            ticket=None if index is None else tickets["id"][index],
            client=None if index is None else tickets["client"][index],
            kind=piece.kind,
            reactive=index is not None and tickets["kind"][index] == "incident"
            and tickets["channel"][index] != "monitoring",
            started_at=at,
            ended_at=done,
            entered_at=written,
            minutes=long,
            updated_at=written,
        )  # fmt: skip
        at = done + 20


def _estimate(world: World, rng: random.Random, book: Book) -> None:
    columns = book.ticket.columns
    keys = {demo_desk.account(person.key): person.key for person in world.file.people}
    for i, worked in enumerate(columns["worked_minutes"]):
        known = columns["estimated_minutes"][i] is not None
        if not worked or worked < 12 or known or columns["priority"][i] == 1:
            continue
        day = min(columns["resolved_at"][i] // 86_400, world.until)
        habits = world.habits(keys[columns["resolver"][i]], day)
        guess = worked * math.exp(habits.spread * rng.gauss(0, 1))
        columns["estimated_minutes"][i] = max(round(guess / 5) * 5, 5)
