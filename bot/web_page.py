"""The demo's page as HTML: who one can be, the conversation, and the box to type in."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from scoring.people import Person, Team

_ROLE = {
    "technician": "Technician",
    "coordinator": "Coordinator",
    "lead": "Lead",
    "manager": "Service manager",
    "leadership": "Leadership",
    "hr": "HR",
    "admin": "Administrator",
}
_ORDER = tuple(_ROLE)
_VIEWS = (("html", "HTML"), ("slack", "Slack"), ("teams", "Teams"))

_ASKED = (
    ("myscore", "", "your scorecard, reds first"),
    ("myscore", "last week", "the week before"),
    ("myscore", "quarter", "this quarter"),
    ("teamscore", "", "your team’s scorecard"),
    ("objectives", "", "what it is all for"),
    ("redfirst", "desk", "the whole desk’s scorecard"),
    ("redfirst", "help", "everything you can ask"),
    ("redfirst", "looked", "who looked at your scorecard"),
    ("redfirst", "corrections", "corrections waiting for you"),
    ("redfirst", "whoami", "how Redfirst knows you"),
)
"""Word of the product, what follows it, what it gives."""

_MARK = (
    '<svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8"/>'
    '<path d="M8 10.5h16L16 23z"/></svg>'
)


def page(
    people: Sequence[Person],
    teams: Sequence[Team],
    me: Person | None,
    token: str,
    names: Mapping[str, str],
    stories: Mapping[str, str],
    clock: datetime | None = None,
    plain: str = "",
    talk: str = "",
) -> str:
    """The whole page; `me` is None where nobody is picked yet. `stories`: person's key → one sentence.

    `clock` is the time on the desk where it can be moved on. For browsers without script: `plain` is where what is
    typed goes, `talk` what has been said already, as items of the conversation.
    """
    where = {team.id: team.name for team in teams}
    asked = [(" ".join(("/" + names.get(word, word).lstrip("/"), rest)).strip(), told) for word, rest, told in _ASKED]
    inside = _chat(me, where, asked, plain, talk) if me is not None else _welcome(people, where, stories)
    title = f"{me.name} · Redfirst" if me is not None else "Redfirst"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><meta name="redfirst-page" content="{_e(token)}">'
        f"<title>{_e(title)}</title>"
        '<link rel="icon" href="/static/mark.svg" type="image/svg+xml">'
        '<link rel="stylesheet" href="/static/cards.css"><link rel="stylesheet" href="/static/page.css">'
        '<link rel="stylesheet" href="/static/previews.css"><script src="/static/page.js" defer></script></head>'
        f'<body><div class="desk" data-view="html" data-person="{me.id if me else ""}">'
        f"{_people(people, where, me, _clock(me, clock))}{inside}</div></body></html>"
    )


def _people(people: Sequence[Person], where: Mapping[int, str], me: Person | None, clock: str) -> str:
    groups: dict[str, list[Person]] = {}
    for one in people:
        groups.setdefault(where.get(one.team_id or 0, "No longer here"), []).append(one)
    size = {name: len(members) for name, members in groups.items()}
    shown = sorted(groups, key=lambda name: (name == "No longer here", -size[name], name))
    parts = []
    for name in shown:
        items = "".join(_person(one, me) for one in sorted(groups[name], key=_rank))
        parts.append(f'<section class="team"><h2>{_e(name)}</h2><ul>{items}</ul></section>')
    return (
        f'<nav class="people" id="people" aria-label="Who you are"><a class="brand" href="/">{_MARK}'
        "<span>Redfirst</span><small>demo</small></a>"
        '<label class="find"><span class="unseen">Find somebody</span>'
        '<input type="search" id="find" placeholder="Find a name, team or role" autocomplete="off"></label>'
        f'<div class="groups">{"".join(parts)}<p class="none" id="nobody" hidden>Nobody of that name.</p></div>'
        f"{clock}</nav>"
    )


_MOVES = (
    ("hours", "2 hours"), ("tomorrow", "Tomorrow 09:00"), ("monday", "Next Monday 09:00"), ("weeks", "Four weeks"),
)  # fmt: skip
"""Word for the server, what the button says."""


def _clock(me: Person | None, now: datetime | None) -> str:
    """The time where somebody is, and buttons that move it on; nothing where nobody is picked."""
    if me is None or now is None:
        return ""
    local = now.astimezone(ZoneInfo(me.zone))
    buttons = "".join(
        f'<button type="button" class="chip" data-clock="{word}">{label}</button>' for word, label in _MOVES
    )
    return (
        '<section class="clock" aria-label="Time on the desk">'
        f'<p><time id="time" data-now="{int(now.timestamp() * 1000)}" data-zone="{_e(me.zone)}">'
        f"{local:%A} {local.day} {local:%B} {local:%H:%M}</time> in {_e(_city(me))}</p>"
        f'<p class="chips" role="group" aria-labelledby="on"><span id="on">Move the clock on:</span>{buttons}</p>'
        '<p id="moved" class="unseen" aria-live="polite"></p></section>'
    )


def _rank(one: Person) -> tuple[bool, int, int, str]:
    """Leads first, then technicians by tier and name, then the other roles."""
    return one.role != "lead", _ORDER.index(one.role), one.tier or 9, one.name


def _person(one: Person, me: Person | None) -> str:
    current = ' aria-current="page"' if me is not None and one.id == me.id else ""
    return (
        f'<li><a href="/?as={one.id}"{current}>{_face(one)}<span class="who"><span class="name">{_e(one.name)}</span>'
        f'<span class="role">{_e(_role(one))}</span></span></a></li>'
    )


def _face(one: Person) -> str:
    parts = one.name.split()
    initials = (parts[0][0] + parts[-1][0]) if len(parts) > 1 else one.name[:2]
    return f'<span class="face face-{one.id % 8}" aria-hidden="true">{_e(initials.upper())}</span>'


def _role(one: Person) -> str:
    if not one.active:
        return "Has left"
    return f"Tier {one.tier}" if one.role == "technician" and one.tier else _ROLE[one.role]


def _city(one: Person) -> str:
    return one.zone.rpartition("/")[2].replace("_", " ")


def _welcome(people: Sequence[Person], where: Mapping[int, str], stories: Mapping[str, str]) -> str:
    by_key = {one.key: one for one in people}
    cards = "".join(
        f'<li><a class="story" href="/?as={one.id}">{_face(one)}<span class="who"><span class="name">{_e(one.name)}'
        f'</span><span class="role">{_e(_role(one))}, {_e(where.get(one.team_id or 0, ""))}</span></span>'
        f'<span class="told">{_e(told[:1].upper() + told[1:])}.</span></a></li>'
        for key, told in stories.items()
        if (one := by_key.get(key)) is not None
    )
    first = f'<h2>Good ones to begin with</h2><ul class="stories">{cards}</ul>' if cards else ""
    return (
        '<main class="welcome"><button type="button" class="pick" aria-controls="people" aria-expanded="false">'
        f'People</button><div class="inner"><p class="over">A made-up service desk, thirteen months of it</p>'
        "<h1>Who would you like to be?</h1>"
        "<p class=\"lead\">Pick somebody and type <kbd>/myscore</kbd>. You see what they would see in Slack, in Teams "
        f"or on a page, and nothing that is not theirs to see.</p>{first}"
        '<p class="small">Everybody and everything here is invented. Nothing leaves this machine.</p></div></main>'
    )


def _chat(me: Person, where: Mapping[int, str], asked: Sequence[tuple[str, str]], plain: str, talk: str) -> str:
    team = where.get(me.team_id or 0, "")
    about = " · ".join(part for part in (_role(me), team, _city(me)) if part)
    switch = "".join(
        f'<label><input type="radio" name="view" value="{value}"{" checked" if value == "html" else ""}>'
        f"<span>{name}</span></label>"
        for value, name in _VIEWS
    )
    chips = "".join(
        f'<button type="submit" class="chip" name="text" value="{_e(text)}" data-ask="{_e(text)}">{_e(text)}</button>'
        for text in _first(asked, me)
    )
    options = "".join(
        f'<li role="option" id="option-{i}" data-ask="{_e(text)}" aria-selected="false">'
        f"<b>{_e(text)}</b> {_e(told)}</li>"
        for i, (text, told) in enumerate(asked)
    )
    given = me.name.split()[0]
    return (
        '<main class="chat"><header class="top"><button type="button" class="pick" aria-controls="people" '
        f'aria-expanded="false">People</button>{_face(me)}<div class="who"><h1>{_e(me.name)}</h1>'
        f'<p>{_e(about)}</p></div><fieldset class="switch"><legend class="unseen">Show cards as</legend>{switch}'
        "</fieldset></header>"
        '<ol class="talk" id="talk" tabindex="0" aria-label="Conversation">'
        f'<li class="bot hello">{_MARK}<div class="bubble"><p>Hello {_e(given)}. I show you how you are doing: '
        "what is red first, why it is so, and what may help.</p>"
        f'<form class="chips" method="post" action="{_e(plain)}">{chips}</form></div></li>{talk}</ol>'
        '<p id="told" class="unseen" role="status" aria-live="polite"></p>'
        f'<form class="ask" id="ask" method="post" action="{_e(plain)}" autocomplete="off"><div class="box">'
        '<label class="unseen" for="say">Message to Redfirst</label>'
        '<input id="say" name="text" maxlength="2000" placeholder="Type /myscore, or /redfirst help" role="combobox"'
        ' aria-expanded="false" aria-controls="options" aria-autocomplete="list" spellcheck="false" autofocus>'
        f'<ul class="options" id="options" role="listbox" aria-label="Commands" hidden>{options}</ul></div>'
        '<button type="submit" class="send">Send</button></form></main>'
        '<dialog class="sheet" id="sheet"></dialog>'
    )


def _first(asked: Sequence[tuple[str, str]], me: Person) -> list[str]:
    """The commands that are worth a button for this person."""
    office = (("redfirst", "desk"), ("redfirst", "help"))
    told = {(word, rest): text for (word, rest, _), (text, _) in zip(_ASKED, asked, strict=True)}
    if me.role == "lead":
        wanted: tuple[tuple[str, str], ...] = (("teamscore", ""), ("redfirst", "corrections"), *office)
    elif me.role in ("manager", "leadership", "hr", "admin"):
        wanted = office
    else:
        wanted = (("myscore", ""), ("myscore", "last week"), ("teamscore", ""), ("redfirst", "help"))
    return [told[one] for one in wanted]


def _e(words: str) -> str:
    return html.escape(words)
