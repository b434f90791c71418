"""How the timetable looks: what is said by itself about a team or the desk, and when next."""

from __future__ import annotations

from collections.abc import Sequence

from cards.card import Card, Table
from cards.card import Text as Words

_SAID_BY_ITSELF = {
    "team_digest": "Digest in the team's channel",
    "lead_digest": "Digest for the lead",
    "manager_digest": "Digest for managers",
    "leadership_digest": "The month for leadership",
    "desk_page": "The month for everybody",
    "plan_reminders": "Reminders of plans",
    "desk_plan_reminders": "Reminders of the desk's plans",
    "nudges": "Nudges",
    "check_backs": "Check-backs",
    "baselines": "Lines of new metrics",
    "red_flags": "Clients to speak with",
    "objectives_report": "Objectives that nobody carries",
}


def schedule(name: str, lines: Sequence[tuple[str, str, str]]) -> Card:
    """(Maker, when in words, next time) each."""
    if not lines:
        words = "Nothing is said by itself here."
        return Card(f"Timetable · {name}", (Words(words),), summary=words)
    rows = tuple((_SAID_BY_ITSELF.get(maker, maker), when, at) for maker, when, at in lines)
    return Card(
        f"Timetable · {name}",
        (
            Table(("What", "When", "Next"), rows, f"What is said by itself about {name}"),
            Words("Times are set by [[schedule]] in redfirst.toml; your administrator changes them.", "muted"),
        ),
        summary=f"Next: {rows[0][0]}, {rows[0][2]}.",
    )
