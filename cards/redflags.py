"""How red-flag customers look: the list with owner and next contact, and the two forms."""

from __future__ import annotations

from collections.abc import Sequence

import scoring.periods
import scoring.redflags
from cards.card import Block, Button, Buttons, Card, Form, Input, Text
from scoring.redflags import RedFlag

PAGE = 8
LONGEST = 500


def contact(flag: RedFlag, today: int) -> str:
    """When somebody speaks with the client next, in words."""
    if flag.next_contact is None:
        return "no contact planned"
    day = scoring.periods.near_day(flag.next_contact)
    if scoring.redflags.missed(flag, today):
        return f"contact was due on {day}"
    return "contact today" if flag.next_contact == today else f"next contact {day}"


def line(flag: RedFlag, today: int) -> str:
    """A flag in one line, for whatever card lists it: who owns it, and what comes next."""
    return f"{flag.client}: {flag.reason} Owner {flag.owner or 'nobody yet'}, {contact(flag, today)}."


def listed(flags: Sequence[RedFlag], today: int, page: int = 0) -> Card:
    """The clients that somebody should call."""
    if not flags:
        text = "No client has a red flag."
        return Card("Red-flag customers", (Text(text),), summary=text)
    blocks = [block for flag in flags[page * PAGE : (page + 1) * PAGE] for block in _one(flag, today)]
    turn = [Button("‹ Earlier", "client_list", {"page": str(page - 1)})] if page else []
    more = len(flags) - (page + 1) * PAGE
    if more > 0:
        turn.append(Button(f"{more} more ›", "client_list", {"page": str(page + 1)}))
    if turn:
        blocks.append(Buttons(tuple(turn)))
    blocks.append(Text("Made from survey answers, complaints and renewals. It is about clients, not people.", "muted"))
    unowned = sum(not flag.owner for flag in flags)
    one = "one customer has" if len(flags) == 1 else f"{len(flags)} customers have"
    return Card("Red-flag customers", tuple(blocks), summary=f"{one} a red flag, {unowned} without an owner.")


def _one(flag: RedFlag, today: int) -> list[Block]:
    """A client with what can be done."""
    values = _values(flag)
    owner = f"Owner {flag.owner}" if flag.owner else "Nobody owns it yet"
    buttons = (
        Button("Take it", "client_take", values, style="normal" if flag.owner else "primary", once=True),
        Button("Next contact", "client_contact", values, style="primary" if flag.owner else "normal"),
        Button("Close", "client_close", values),
    )
    since = f"On the list since {scoring.periods.near_day(flag.raised_day)}."
    return [Text(flag.client, "strong"), Text(flag.reason), Text(f"{owner}, {contact(flag, today)}. {since}"),
            Buttons(buttons)]  # fmt: skip


def raised(flags: Sequence[RedFlag], today: int) -> Card:
    """Clients that are on the list since today, for those who may take them on."""
    named = flags[0].client if len(flags) == 1 else f"{len(flags)} customers"
    blocks = [block for flag in flags[:PAGE] for block in _one(flag, today)]
    if len(flags) > 1:  # the one that stands for the card where it is told in a line
        blocks.insert(0, Buttons((Button("See them", "client_list", style="primary"),)))
    if len(flags) > PAGE:
        blocks.append(Buttons((Button(f"{len(flags) - PAGE} more", "client_list"),)))
    clients = ", ".join(flag.client for flag in flags[:PAGE])
    words = "Whoever takes it on speaks with them; the others see whose it is."
    return Card(f"Red flag: {named}", (Text(words), *blocks), f"New on the list of clients to speak with: {clients}.")


def missed(flag: RedFlag, today: int) -> Card:
    """A next contact whose day is over, for whoever owns it."""
    title = f"A contact was missed: {flag.client}"
    return Card(title, (Text("Speak with them today, or say when."), *_one(flag, today)), f"{title}. {flag.reason}")


def _values(flag: RedFlag) -> dict[str, str]:
    return {"flag": str(flag.id), "version": str(flag.version)}


def _about(flag: RedFlag) -> str:
    return f"{flag.client}. {flag.reason}"[:1000]


def next_contact(flag: RedFlag, suggested: str) -> Form:
    """When somebody speaks with the client next."""
    return Form(
        "Next contact",
        "client_contacted",
        (Input("day", "When do you speak with them next?", "date", value=suggested),),
        submit="Keep",
        intro=_about(flag),
        values=_values(flag),
    )


def close(flag: RedFlag) -> Form:
    """Why the flag comes down."""
    return Form(
        "Close the red flag",
        "client_closed",
        (Input("reason", "What was done, and what did they say?", "multiline", max_length=LONGEST),),
        submit="Close it",
        intro=_about(flag),
        values=_values(flag),
    )
