"""What else waits for somebody: told in a line each on a digest of theirs, instead of a message each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cards.card
import cards.digests
import cards.safe
from cards.card import BESIDE, Block, Button, Buttons, Card, Heading, Text

MOST = 8
"""Messages that a digest takes in; more go on waiting."""

BLOCKS, SIZE = 44, 11_000
"""Blocks of a card, and characters of its JSON, up to which both platforms show all of it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message in a line, with the button that is of most use."""

    title: str
    words: str
    button: Button | None = None


def of(card: Card) -> Waiting:
    """A card that waits, in a line: its first button, or the one that it puts forward."""
    buttons = [button for block in card.blocks if isinstance(block, Buttons) for button in block.items]
    found = next((one for one in buttons if one.style == "primary"), buttons[0] if buttons else None)
    words = card.summary.removeprefix(card.title).lstrip(" .:,;")
    button = None if found is None else replace(found, style="normal", values={**found.values, **BESIDE})
    return Waiting(card.title, cards.digests.short(words), button)


def room(card: Card, some: Sequence[Waiting]) -> int:
    """How many of these, in their order, a card has room for beside what is on it."""
    for count in range(min(len(some), MOST), 0, -1):
        made = added(card, some[:count])
        if len(made.blocks) <= BLOCKS and len(cards.safe.compact(cards.card.to_json(made))) <= SIZE:
            return count
    return 0


def added(card: Card, some: Sequence[Waiting]) -> Card:
    """The card with these on it, above the buttons at its end."""
    if not some:
        return card
    lines = [f"{one.title}: {one.words}" if one.words else one.title for one in some]
    numbers = [f"{number}. " if len(some) > 1 else "" for number in range(1, len(some) + 1)]
    words = "\n".join(number + " ".join(line.split()) for number, line in zip(numbers, lines, strict=True))
    buttons = tuple(
        replace(one.button, text=number + one.button.text)
        for number, one in zip(numbers, some, strict=True)
        if one.button is not None
    )
    blocks: list[Block] = [Heading("Also waiting for you"), Text(words), *((Buttons(buttons),) if buttons else ())]
    end = 1 if card.blocks and isinstance(card.blocks[-1], Buttons) else 0
    place = len(card.blocks) - end
    more = f"{len(some)} more {'message is' if len(some) == 1 else 'messages are'} in it."
    return replace(
        card, blocks=(*card.blocks[:place], *blocks, *card.blocks[place:]), summary=f"{card.summary} {more}"
    )
