"""The Teams app as a package: manifest and icons in one zip, ready to upload."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import bot.teams_icons
from scoring.refused import Refused

MANIFEST_VERSION = "1.19"
VERSION = "1.0.0"
"""The version of the app as Teams sees it: it must rise whenever the manifest changes."""

LISTS, COMMANDS, TITLE, DESCRIPTION, COMPANY = 3, 10, 32, 128, 32
"""Teams' limits (manifest schema 1.19): lists, commands a list, and characters."""

PERSONAL: tuple[tuple[str, str, str], ...] = (
    ("myscore", "", "Your scorecard: what needs attention first, and why"),
    ("teamscore", "", "Your team's scorecard"),
    ("digest", "preview", "Your team's digest, before it is posted"),
    ("plans", "", "Your team's plans: open, overdue, blocked"),
    ("objectives", "", "What the desk, the teams and you are after"),
    ("redfirst", "nudges", "Your focus, and whether I nudge you"),
    ("redfirst", "corrections", "Corrections that wait for your decision"),
    ("redfirst", "looked", "Who looked at your scorecard"),
    ("redfirst", "whoami", "Who Redfirst thinks you are"),
    ("redfirst", "help", "What you can ask"),
)
"""Command, what follows it, and what the menu says. What belongs to `redfirst` is typed without it in Teams."""

SHARED: tuple[tuple[str, str, str], ...] = (
    ("myscore", "", "Your scorecard, sent to our own chat"),
    ("teamscore", "", "Your team's scorecard, sent to our own chat"),
    ("redfirst", "help", "What you can ask"),
)

_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)

SHORT = "Fair scorecards for a service desk: reds first, every number explained."
LONG = (
    "Redfirst answers with a fair scorecard of your own service desk work: reds first, then ambers, greens as a count. "
    "Every number explains itself with its formula, its sample, its target and the tickets behind it. "
    "You see your own figures and your team's aggregate, never a colleague's."
)


def manifest(
    app_id: str,
    names: Mapping[str, str],
    *,
    website: str,
    privacy: str = "",
    terms: str = "",
    company: str = "Redfirst",
) -> dict[str, Any]:
    """The manifest for the bot `app_id`; `names` maps the product's commands to what they are called in the chat.

    `website` is a page about the app for its users; `privacy` and `terms` are that page where they have none of
    their own. Raises Refused for what Teams would not take.
    """
    if not _GUID.fullmatch(app_id):
        raise Refused(
            f"TEAMS_APP_ID is {app_id!r}, which is not a Microsoft App ID." if app_id else "TEAMS_APP_ID is not set.",
            "Set it to the Microsoft App ID of your bot (five groups of hexadecimal digits).",
        )
    if not website:
        raise Refused(
            "Teams shows a web page beside every app, and none is known.", "Set REDFIRST_PUBLIC_URL, or give --website."
        )
    pages = {"websiteUrl": website, "privacyUrl": privacy or website, "termsOfUseUrl": terms or website}
    for url in pages.values():
        if not _https(url):
            raise Refused(f"Teams does not take the address {url!r}.", "Give one that begins with https://.")
    if not 0 < len(company) <= COMPANY:
        raise Refused(f"The company's name has {len(company)} characters.", f"Give one of 1 to {COMPANY}.")
    return {
        "$schema": (
            f"https://developer.microsoft.com/json-schemas/teams/v{MANIFEST_VERSION}/MicrosoftTeams.schema.json"
        ),
        "manifestVersion": MANIFEST_VERSION,
        "version": VERSION,
        "id": app_id.lower(),
        "developer": {"name": company, **pages},
        "name": {"short": "Redfirst", "full": "Redfirst, fair scorecards for a service desk"},
        "description": {"short": SHORT, "full": LONG},
        "icons": {"color": "color.png", "outline": "outline.png"},
        "accentColor": "#" + bytes(bot.teams_icons.COLOR).hex(),
        "bots": [
            {
                "botId": app_id.lower(),
                "scopes": ["personal", "team", "groupChat"],
                "isNotificationOnly": False,
                "supportsFiles": False,
                "commandLists": [
                    {"scopes": ["personal"], "commands": [_command(names, *command) for command in PERSONAL]},
                    {"scopes": ["team", "groupChat"], "commands": [_command(names, *command) for command in SHARED]},
                ],
            }
        ],
        "permissions": ["identity", "messageTeamMembers"],
        "validDomains": sorted({str(urlsplit(url).hostname) for url in pages.values()}),
        "defaultInstallScope": "personal",
        "defaultGroupCapability": {"team": "bot", "groupchat": "bot"},
    }


def _command(names: Mapping[str, str], command: str, text: str, description: str) -> dict[str, str]:
    word = "" if command == "redfirst" else names.get(command, command)
    return {"title": f"{word} {text}".strip()[:TITLE], "description": description}


def _https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and url.isprintable()
    except ValueError:
        return False


def package(found: Mapping[str, Any]) -> bytes:
    """The zip with manifest and icons: the same bytes for the same manifest."""
    files = {
        "manifest.json": (json.dumps(found, indent=2, ensure_ascii=False) + "\n").encode(),
        "color.png": bot.teams_icons.color(),
        "outline.png": bot.teams_icons.outline(),
    }
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    return whole.getvalue()
