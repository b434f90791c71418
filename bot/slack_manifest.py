"""The Slack app as a manifest: everything that would otherwise be clicked together by hand on Slack's pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.config import Config
from scoring.refused import Refused

WORDS: dict[str, tuple[str, str]] = {
    "myscore": ("Your scorecard: what needs attention first, and why", "[last week|october|why METRIC|trend METRIC]"),
    "teamscore": ("Your team's scorecard", "[team] [period]"),
    "digest": ("The digest of your team: look at it, post it now, see when it comes", "[preview|now|schedule] [team]"),
    "plans": ("The plans of your team: what is open, overdue and blocked", "[team]"),
    "coach": ("For leads: prepare a talk with somebody, from their figures", "NAME"),
    "objectives": ("What the desk, the teams and you are after, and where it stands", ""),
    "redfirst": ("Help, and who Redfirst thinks you are", "[help|whoami]"),
}
"""Word of the product → what Slack shows beside the command, and its usage hint."""

BOT_SCOPES = ("chat:write", "commands", "im:history", "im:write", "metadata.message:read")
BOT_EVENTS = ("app_home_opened", "app_uninstalled", "message.im", "tokens_revoked")

NAME, DESCRIPTION, COMMANDS, COMMAND, HINT = 35, 140, 50, 32, 1_000
"""Slack's limits (docs.slack.dev, app manifest reference): characters, and commands an app."""

_COMMAND = re.compile(r"[a-z0-9_\-]{1,31}")

LONG = (
    "Redfirst answers with a fair scorecard of your own service desk work: reds first, then ambers, greens as a count. "
    "Every number explains itself with its formula, its sample, its target and the tickets behind it. "
    "You see your own figures and your team's aggregate, never a colleague's."
)


def names(parsed: Mapping[str, Any]) -> dict[str, str]:
    """Word of the product → slash name without the slash, from `[commands]` of redfirst.toml, else the word itself.

    Raises Refused for a word the product does not have, a name Slack does not take, or a name given twice.
    """
    given = parsed.get("commands", {})
    if not isinstance(given, Mapping):
        raise Refused("`commands` in redfirst.toml is not a table.", "Write [commands] and under it word = \"name\".")
    found = {word: word for word in WORDS}
    for word, name in given.items():
        if word not in WORDS:
            raise Refused(f"[commands] names {word!r}, which is no command.", f"There are: {', '.join(WORDS)}.")
        bare = name.removeprefix("/") if isinstance(name, str) else ""
        if not _COMMAND.fullmatch(bare):
            raise Refused(
                f"Slack does not take {name!r} as the name of {word}.",
                "Use up to 31 lower-case letters, digits, hyphens and underscores.",
            )
        found[word] = bare
    if len(set(found.values())) < len(found):
        raise Refused("[commands] gives two commands the same name.", "Give each its own.")
    return found


def manifest(config: Config, commands: Mapping[str, str], *, socket: bool = False) -> dict[str, Any]:
    """The manifest (schema version 2) for `commands`, word of the product → slash name.

    With `socket` Slack sends through the connection that the bot opens; else it needs `config.public_url`.
    Raises Refused without one, or where Slack would not take it.
    """
    if len(commands) > COMMANDS:
        raise Refused(f"Slack takes {COMMANDS} commands, these are {len(commands)}.", "Leave some out.")
    url = "" if socket else _events_url(config.public_url)
    address = {"url": url} if url else {}
    request = {"request_url": url} if url else {}
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": "Redfirst",
            "description": "Fair scorecards for a service desk: reds first, every number explained.",
            "long_description": LONG,
            "background_color": "#7a1f2b",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "Redfirst", "always_online": True},
            "slash_commands": [_command(word, name, address) for word, name in commands.items()],
        },
        "oauth_config": {"scopes": {"bot": list(BOT_SCOPES)}},
        "settings": {
            "event_subscriptions": {**request, "bot_events": list(BOT_EVENTS)},
            "interactivity": {"is_enabled": True, **request},
            "org_deploy_enabled": False,
            "socket_mode_enabled": socket,
            "token_rotation_enabled": False,
        },
    }


def _command(word: str, name: str, address: Mapping[str, str]) -> dict[str, Any]:
    said, hint = WORDS.get(word, (f"Redfirst: {word}", ""))
    bare = name.removeprefix("/")
    if not _COMMAND.fullmatch(bare):
        raise Refused(f"Slack does not take {name!r} as a command.", "Use lower-case letters, digits, - and _.")
    return {
        "command": f"/{bare}",
        **address,
        "description": said,
        **({"usage_hint": hint} if hint else {}),
        "should_escape": False,
    }


def _events_url(public_url: str) -> str:
    base = public_url.rstrip("/")
    if not base:
        raise Refused(
            "Slack needs an address it can reach, and REDFIRST_PUBLIC_URL is not set.",
            "Set it, or use `redfirst slack-manifest --socket`, which needs none.",
        )
    if not re.fullmatch(r"https://[\w.\-]+(:\d{1,5})?(/[\w.~/\-]*)?", base, re.ASCII):
        raise Refused(f"REDFIRST_PUBLIC_URL is {public_url!r}.", "Give an address that begins with https://.")
    return f"{base}/slack/events"
