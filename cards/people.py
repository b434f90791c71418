"""How people and accounts look: who I am, who looked, the people of a team."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cards.card import Block, Button, Buttons, Card, Field, Fields, Table, Text
from scoring.people import Person
from scoring.periods import Period

ROLE_WORDS = {
    "technician": "Technician",
    "coordinator": "Service coordinator",
    "lead": "Team lead",
    "manager": "Service manager",
    "leadership": "Leadership",
    "hr": "HR",
    "admin": "Administrator",
}

A_ROLE = {
    "technician": "a technician",
    "coordinator": "a service coordinator",
    "lead": "a team lead",
    "manager": "a service manager",
    "leadership": "leadership",
    "hr": "HR",
    "admin": "an administrator",
}
"""The same in a sentence."""


def whoami(person: Person, team: str, lead: str, accounts: Sequence[str]) -> Card:
    """What Redfirst knows about who asks."""
    role = ROLE_WORDS[person.role] + (f", tier {person.tier}" if person.tier else "")
    fields = [Field("Name", person.name), Field("Role", role), Field("Time zone", person.zone)]
    if team:
        fields.append(Field("Team", team))
    if lead:
        fields.append(Field("Lead", lead))
    fields.append(Field("Your accounts", ", ".join(accounts) or "none"))
    return Card(
        "Who you are here",
        (
            Fields(tuple(fields)),
            Text("If something is wrong, tell your administrator: it is kept in the people file.", "muted"),
        ),
        summary=f"You are {person.name}, {role}.",
    )


def looked(looks: Sequence[tuple[str, str, int]], zone: str) -> Card:
    """Who looked at the asker's scorecard: (name, what, UTC seconds), newest first."""
    if not looks:
        text = "Nobody but you has looked at your scorecard."
        return Card("Who looked", (Text(text),), summary=text)
    rows = tuple((name, what, _when(at, zone)) for name, what, at in looks)
    return Card(
        "Who looked",
        (Table(("Who", "What", "When"), rows, "Who opened your scorecard, newest first"),),
        summary=f"{len(looks)} looks at your scorecard, the last by {looks[0][0]} on {_when(looks[0][2], zone)}.",
    )


def _when(at: int, zone: str) -> str:
    local = datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%b %Y, %H:%M}"


def listed(team: str, period: Period, people: Sequence[tuple[int, str]]) -> Card:
    """The people of a team by name, each with a way to their scorecard."""
    blocks: list[Block] = [Text(f"In the order of their names. {period.label}.", "muted")]
    buttons = tuple(Button(name, "score", {"person": str(i), "period": period.key}) for i, name in people)
    for start in range(0, len(buttons), 5):
        blocks.append(Buttons(buttons[start : start + 5]))
    if not people:
        blocks.append(Text("Nobody you lead was in this team then."))
    blocks.append(Text("They can see that you looked.", "muted"))
    return Card(f"People · {team}", tuple(blocks), summary=f"{len(people)} people of {team}.")
