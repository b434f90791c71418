"""What else waits for somebody: told in a line each on a digest of theirs, instead of a message each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cards.card
import cards.digests
import cards.safe
from cards.card import BESIDE, Block, Button, Buttons, Card, Divider, Heading, Text

MOST = 8
"""Messages that a digest takes in; more go on waiting."""

BLOCKS, SIZE = 44, 11_000
"""Blocks of a card, and characters of its JSON, up to which both platforms show all of it."""

SHORTER = (240, 160, 80)
"""Characters to which a card's lines (reasons, comments, plans) are cut, step by step, to make room."""

CUT = Text("There is more than has room here.", "muted")


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
        if _shown(added(card, some[:count])):
            return count
    return 0


def _shown(card: Card) -> bool:
    return len(card.blocks) <= BLOCKS and len(cards.safe.compact(cards.card.to_json(card))) <= SIZE


def kept(card: Card, some: Sequence[Waiting]) -> Card:
    """The new card of a digest with all that the old one took in: that is said nowhere else, and is cut last.

    Where the digest has grown its lines become shorter; then it is cut from its end.
    """
    if not some or _shown(added(card, some)):
        return added(card, some)
    made = card
    for longest in SHORTER:
        made = replace(card, blocks=tuple(_shorter(one, longest) for one in card.blocks if one != Divider()))
        if _shown(added(made, some)):
            return added(made, some)
    end = 1 if made.blocks and isinstance(made.blocks[-1], Buttons) else 0
    body, tail = list(made.blocks[: len(made.blocks) - end]), made.blocks[len(made.blocks) - end :]
    while body and not _shown(added(replace(made, blocks=(*body, CUT, *tail)), some)):
        body.pop()
        while body and isinstance(body[-1], Heading):  # of what is gone
            body.pop()
    return added(replace(made, blocks=(*body, CUT, *tail)), some)


def _shorter(block: Block, longest: int) -> Block:
    if not isinstance(block, Text) or block.tone != "normal":
        return block
    return replace(block, text="\n".join(cards.safe.cut(line, longest) for line in block.text.split("\n")))


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
