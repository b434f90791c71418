"""What surrounds the tickets of the made-up desk: surveys, complaints, clients, machines, leave, skills."""

from __future__ import annotations

import random
from collections.abc import Mapping

import polars as pl

import scoring.periods
from bot import demo_desk
from bot.demo_book import Book, Ledger
from bot.demo_clients import CLIENTS
from bot.demo_clock import DAY
from bot.demo_world import World, pool_of, stay_on

_CERTIFICATES = {
    "help-desk": ("Desktop support", "Customer care"),
    "projects": ("Network professional", "Cloud administrator"),
    "centralised": ("Backup operator", "Security essentials"),
    "alignment": ("Standards auditor",),
}
_SUBJECTS = ("New firewall line", "Talking to worried people", "Scripting evening", "Backup restore drill",
             "Phishing wave of the month", "Ticket notes that help")  # fmt: skip


def surveys(world: World, rng: random.Random, book: Book) -> None:
    """Asks about seven in ten people after a ticket; about a quarter of them answer."""
    columns = book.ticket.columns
    keys = {demo_desk.account(person.key): person.key for person in world.file.people}
    for i, address in enumerate(columns["requester"]):
        resolved = columns["resolved_at"][i]
        if address is None or not world.first * DAY < resolved <= world.cut or rng.random() > 0.72:
            continue
        sent = resolved + 1800
        answers = rng.random() < 0.29
        rating = recommend = answered = None
        if answers:
            pleased = world.habits(keys[columns["resolver"][i]], resolved // DAY).pleased
            if resolved > columns["completion_due_at"][i] + columns["hold_minutes"][i] * 180:
                pleased -= 0.14
            if columns["reopen_reason"][i] == "not_fixed":
                pleased -= 0.18
            rating = (5 if rng.random() < 0.74 else 4) if rng.random() < pleased else rng.choice((1, 2, 3, 3))
            low, high = {5: (8, 10), 4: (7, 9), 3: (5, 8), 2: (2, 6), 1: (0, 4)}[rating]
            recommend = min(rng.randint(low, high) + (rating == 5 and rng.random() < 0.5), 10)
            answered = sent + 600 + int(rng.expovariate(1 / 40_000))
        book.survey.add(
            id=f"{columns['id'][i]}?",
            ticket=columns["id"][i],
            sent_at=sent,
            answered_at=answered,
            rating=rating,
            recommend=recommend,
            updated_at=sent,
        )


def frames(world: World, rng: random.Random, book: Book) -> dict[str, pl.DataFrame]:
    """The tables that are not about a single ticket."""
    return {
        "client": _clients(world).frame(),
        "endpoints": _endpoints(world, rng).frame(),
        "leave": _leave(world).frame(),
        "complaint": _complaints(world, rng, book).frame(),
        "certification": _certifications(world, rng).frame(),
        "training": _training(world, rng).frame(),
    }


def ahead(world: World, rng: random.Random, book: Book, machines: Mapping[str, int]) -> dict[str, pl.DataFrame]:
    """Those of them that go on; `machines`: how many each client has at the beginning."""
    return {
        "endpoints": _endpoints(world, rng, machines).frame(),
        "leave": _leave(world).frame(),
        "complaint": _complaints(world, rng, book).frame(),
        "training": _training(world, rng).frame(),
    }


def _clients(world: World) -> Ledger:
    found = Ledger("client")
    for client in CLIENTS:
        found.add(id=_client_id(client.domain), name=client.name, contract_value=client.value, currency=client.currency,
                  renewal_day=world.today + client.renewal)  # fmt: skip
    return found


def _endpoints(world: World, rng: random.Random, machines: Mapping[str, int] | None = None) -> Ledger:
    found = Ledger("endpoints")
    for client in CLIENTS:
        count = client.endpoints * (0.94 + 0.05 * rng.random()) if machines is None else float(machines[client.name])
        for day in range(world.first, world.until):
            if (machines is None and day == world.first) or scoring.periods.date_of(day).day == 1:
                found.add(id=f"{_client_id(client.domain)}@{day}", client=client.name, day=day, count=round(count))
                count *= 1 + rng.uniform(-0.006, 0.015)
    return found


def _leave(world: World) -> Ledger:
    found = Ledger("leave")
    for person in world.file.people:
        for first, last, kind in world.leave[person.key]:
            if stay_on(person, first) is not None:
                account = demo_desk.account(person.key)
                found.add(id=f"{account}@{first}", account=account, first_day=first, last_day=last, kind=kind)
    return found


def _complaints(world: World, rng: random.Random, book: Book) -> Ledger:
    found = Ledger("complaint")
    asked = book.survey.columns
    clients = dict(zip(book.ticket.columns["id"], book.ticket.columns["client"], strict=True))
    for ticket, rating, answered in zip(asked["ticket"], asked["rating"], asked["answered_at"], strict=True):
        if rating == 1 and answered <= world.cut and rng.random() < 0.4:
            found.add(id=f"{ticket}/c", client=clients[ticket], ticket=ticket, at=answered, updated_at=answered)
    return found


def _certifications(world: World, rng: random.Random) -> Ledger:
    found = Ledger("certification")
    for person in world.file.people:
        account = demo_desk.account(person.key)
        stay = person.stays[-1]
        for name in _CERTIFICATES.get(stay.team, ()) if pool_of(stay) else ():
            since = max(person.stays[0].from_day, world.first - 200)
            held = since + rng.randrange(10, 90)
            lapses = world.today - rng.randrange(10, 60) if rng.random() < 0.1 else world.today + rng.randrange(40, 500)
            found.add(id=f"{account}/{name}", account=account, name=name, required_from=since, valid_from=held,
                      valid_to=lapses)  # fmt: skip
    return found


def _training(world: World, rng: random.Random) -> Ledger:
    found = Ledger("training")
    for person in world.file.people:
        begins = world.clocks[person.key].begins
        for day in range(world.first, world.until):
            stay = stay_on(person, day)
            if stay is not None and pool_of(stay) and day in begins and rng.random() < 0.035:
                account = demo_desk.account(person.key)
                found.add(id=f"{account}/{day}", account=account, day=day, minutes=rng.choice((30, 45, 60, 60)),
                          subject=rng.choice(_SUBJECTS))  # fmt: skip
    return found


def _client_id(domain: str) -> str:
    return f"{demo_desk.SOURCE}/{domain.removesuffix('.example')}"
