"""How fast each platform may be written to, as it publishes it, and which limits a message falls under."""

from __future__ import annotations

from storage.deliveries import Row
from storage.pace import Limit

MARGIN = 1.03
"""Spans are kept this much longer than published: what is sent in time may arrive closer together."""

POSTS = ((25, 5),)
"""Slack's chat.postMessage in a workspace: several hundred a minute, spread so that nobody waits long for an answer."""
CHANNEL = ((1, 1),)
"""Slack's chat.postMessage in a channel: one a second."""
TIER_3 = ((50, 60),)
"""Slack's chat.update, conversations.history and conversations.open: fifty a minute each, in a workspace."""
CONVERSATION = ((7, 1), (8, 2), (60, 30), (1800, 3600))
"""Teams, in one conversation."""
TENANT = ((2, 0.04),)
"""Teams, for an app in a tenant: fifty a second, evenly, as of a burst one late call is enough for a refusal."""

FURTHEST = 3600 * 1000
"""Milliseconds ahead that a platform may ask to wait; more is a mistake."""


def limits(row: Row) -> tuple[Limit, ...]:
    """What sending this message counts against; nothing in the demo."""
    if row.platform == "slack":
        return _slack(row)
    if row.platform == "teams":
        tenant = row.recipient.removeprefix("teams:").partition("/")[0].lower()
        return (
            _limit(f"teams {tenant}", TENANT, wide=True),
            _limit(f"teams {row.recipient}", CONVERSATION),
        )
    return ()


def _slack(row: Row) -> tuple[Limit, ...]:
    target = row.recipient.rpartition("/")[2]
    if row.reference:
        return (_limit("slack chat.update", TIER_3, wide=True),)
    found = (_limit("slack chat.postMessage", POSTS, wide=True), _limit(f"slack {target}", CHANNEL))
    if not row.unsure:
        return found
    looks = ["conversations.history", *(["conversations.open"] if target[:1] in ("U", "W") else [])]
    return (*(_limit(f"slack {method}", TIER_3, wide=True) for method in looks), *found)


def _limit(key: str, windows: tuple[tuple[int, float], ...], *, wide: bool = False) -> Limit:
    return Limit(key[:300], tuple((count, round(1000 * MARGIN * seconds)) for count, seconds in windows), wide)
