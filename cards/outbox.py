"""What an administrator is told of messages that did not arrive: how many, why, and what to do; never what they say."""

from __future__ import annotations

from collections.abc import Sequence

from cards.card import Badge, Card, Text

PLATFORMS = {"slack": "Slack", "teams": "Teams", "demo": "the demo"}
_SHOWN = 5


def undelivered(troubles: Sequence[tuple[str, str, str, int]]) -> Card:
    """(state, platform, problem, count) of what is "held" or "failed", by reason."""
    count = sum(one[3] for one in troubles)
    blocks: list[Badge | Text] = [
        Text("Nothing is lost: they are kept until somebody sends them again or calls them off."),
    ]
    for state, platform, problem, many in troubles[:_SHOWN]:
        where = PLATFORMS.get(platform, platform)
        held = state == "held"
        blocks.append(Badge("amber" if held else "red", f"{many} {'held' if held else 'not sent'}, {where}"))
        blocks.append(Text(problem[:500] or "No reason was given."))
    if len(troubles) > _SHOWN:
        blocks.append(Text(f"And {sum(one[3] for one in troubles[_SHOWN:])} more for other reasons."))
    blocks.append(
        Text("On the server, `redfirst outbox` lists them, and `redfirst outbox retry` sends one again.", "muted")
    )
    said = "A message did not arrive" if count == 1 else f"{count} messages did not arrive"
    return Card(said, tuple(blocks), f"{said}. `redfirst outbox` lists {'it' if count == 1 else 'them'}.")
