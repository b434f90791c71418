"""The small words around everything: help, refusals, apologies, how old the data is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from cards.card import Card, Field, Fields, Heading, Text
from scoring.refused import Refused


def refused(no: Refused) -> Card:
    """A kind no: what, and what to do instead."""
    blocks = [Text(no.what, "strong")]
    if no.remedy:
        blocks.append(Text(no.remedy))
    return Card("Not this time", tuple(blocks), summary=str(no))


def apology(reference: str) -> Card:
    """Something broke on our side; the reference finds it in the log."""
    return Card(
        "Sorry, that did not work",
        (
            Text("Something went wrong on our side. Nothing was changed."),
            Text(f"Try again; if it stays so, give your administrator this reference: {reference}", "muted"),
        ),
        summary=f"Sorry, that did not work. Reference {reference}.",
    )


def stranger(account: str) -> Card:
    """For an account that belongs to nobody yet: how to get linked."""
    return Card(
        "We have not met yet",
        (
            Text("I do not know whose account this is, so I cannot show you anything."),
            Text("Ask your administrator to add this account to your line in the people file:"),
            Fields((Field("Your account", account),)),
            Text("Nothing is linked by name or e-mail address alone, so that nobody sees another's figures.", "muted"),
        ),
        summary=f"I do not know this account yet. Ask your administrator to link {account} to you.",
    )


def private_elsewhere() -> Card:
    """The public half of an answer that is nobody else's business."""
    return Card("", (Text("I sent you a private message."),), summary="I sent you a private message.")


def helped(commands: Sequence[tuple[str, str]], periods: str) -> Card:
    """What can be typed: (words, what they show)."""
    return Card(
        "What you can ask",
        (
            Fields(tuple(Field(words, text) for words, text in commands)),
            Heading("Periods"),
            Text(periods),
            Text("The same words work without the slash in a private chat with me.", "muted"),
        ),
        summary="; ".join(f"{words}: {text}" for words, text in commands),
    )


def told(title: str, text: str) -> Card:
    """A plain confirmation."""
    return Card(title, (Text(text),), summary=f"{title}: {text}")


@lru_cache(maxsize=256)
def _at(instant: int, zone: str) -> str:
    """An instant (UTC seconds) as people in a zone write it."""
    local = datetime.fromtimestamp(instant, UTC).astimezone(ZoneInfo(zone))
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M}"


def data_age(as_of: int | None, now: datetime, zone: str, stale_days: int) -> tuple[str, bool]:
    """("Data as of …", whether it is older than `stale_days`); `as_of` in UTC seconds."""
    if as_of is None:
        return "No data has been loaded yet.", True
    words = f"Data as of {_at(as_of, zone)}"
    age = now - datetime.fromtimestamp(as_of, UTC)
    if age > timedelta(days=stale_days):
        return f"{words}. That is {age.days} days old: newer work is not in these figures.", True
    return f"{words}.", False


def command(names: Mapping[str, str], word: str, rest: str = "") -> str:
    """A command as people type it here, e.g. "/myscore last week"."""
    return f"/{names.get(word, word)}" + (f" {rest}" if rest else "")
