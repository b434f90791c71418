"""The Slack manifest: what is uploaded is what Slack takes and what the bot listens to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import scoring.rulebook
from bot import slack_manifest
from bot.config import Config
from bot.slack import PATH
from scoring.refused import Refused

CONFIG = Config(public_url="https://desk.example")


def an(properties: dict[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def text(most: int, least: int = 1, pattern: str = "") -> dict[str, Any]:
    return {"type": "string", "minLength": least, "maxLength": most} | ({"pattern": pattern} if pattern else {})


def several(items: dict[str, Any], most: int, least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": items, "maxItems": most, "minItems": least, "uniqueItems": True}


BOOL = {"type": "boolean"}
URL = text(3500, pattern="^https?://")
SCHEMA = an(
    {
        "_metadata": an({"major_version": {"const": 2}, "minor_version": {"type": "integer"}}, ("major_version",)),
        "display_information": an(
            {
                "name": text(35),
                "description": text(140),
                "long_description": text(4000, 175),
                "background_color": text(7, 4, "^#[0-9a-fA-F]{3}([0-9a-fA-F]{3})?$"),
            },
            ("name",),
        ),
        "features": an(
            {
                "app_home": an(
                    dict.fromkeys(("home_tab_enabled", "messages_tab_enabled", "messages_tab_read_only_enabled"), BOOL)
                ),
                "bot_user": an({"display_name": text(80), "always_online": BOOL}, ("display_name",)),
                "slash_commands": several(
                    an(
                        {
                            "command": text(32, 2, "^/"),
                            "url": text(3000, pattern="^https?://"),
                            "description": text(2000),
                            "usage_hint": text(1000),
                            "should_escape": BOOL,
                        },
                        ("command", "description"),
                    ),
                    50,
                    1,
                ),
            }
        ),
        "oauth_config": an({"scopes": an({"bot": several(text(50), 255)})}),
        "settings": an(
            {
                "event_subscriptions": an({"request_url": URL, "bot_events": several(text(50), 100)}),
                "interactivity": an({"is_enabled": BOOL, "request_url": URL}, ("is_enabled",)),
                "org_deploy_enabled": BOOL,
                "socket_mode_enabled": BOOL,
                "token_rotation_enabled": BOOL,
            }
        ),
    },
    ("display_information",),
)
"""The parts in use of Slack's published manifest schema, version 2: required fields, lengths, counts, nothing else."""


def urls(found: Any) -> list[str]:
    if isinstance(found, dict):
        return [u for k, v in found.items() for u in ([v] if k in ("url", "request_url") else urls(v))]
    return [u for v in found for u in urls(v)] if isinstance(found, list) else []


@pytest.mark.parametrize("socket", [True, False])
def test_the_manifest_is_what_slack_takes(socket: bool) -> None:
    found = slack_manifest.manifest(CONFIG, slack_manifest.names({}), socket=socket)
    jsonschema.validate(found, SCHEMA)
    assert found["settings"]["socket_mode_enabled"] is socket


def test_every_request_goes_to_the_route_the_bot_has() -> None:
    found = urls(slack_manifest.manifest(CONFIG, slack_manifest.names({})))
    assert set(found) == {f"https://desk.example{PATH}"}
    assert len(found) == len(slack_manifest.WORDS) + 2
    assert urls(slack_manifest.manifest(CONFIG, slack_manifest.names({}), socket=True)) == []


def test_it_asks_for_what_the_bot_listens_to_and_no_more() -> None:
    found = slack_manifest.manifest(CONFIG, slack_manifest.names({}))
    assert found["settings"]["event_subscriptions"]["bot_events"] == [
        "app_home_opened", "app_uninstalled", "message.im", "tokens_revoked",
    ]
    assert found["oauth_config"]["scopes"]["bot"] == [
        "chat:write", "commands", "im:history", "im:write", "metadata.message:read",
    ]


def test_a_command_goes_by_the_name_it_was_given() -> None:
    names = slack_manifest.names({"commands": {"myscore": "/my-desk"}})
    found = slack_manifest.manifest(CONFIG, names)
    others = [f"/{word}" for word in slack_manifest.WORDS if word != "myscore"]
    assert [c["command"] for c in found["features"]["slash_commands"]] == ["/my-desk", *others]


@pytest.mark.parametrize("name", ["My Score", "", "/", "ümlaut", "a" * 32, "UPPER", 7, "a/b"])
def test_a_name_slack_does_not_take_is_refused(name: Any) -> None:
    with pytest.raises(Refused, match="myscore"):
        slack_manifest.names({"commands": {"myscore": name}})


def test_the_words_are_those_that_may_be_renamed_in_the_rules() -> None:
    assert tuple(slack_manifest.WORDS) == scoring.rulebook.COMMANDS


def test_unknown_words_and_names_given_twice_are_refused() -> None:
    with pytest.raises(Refused, match="no command"):
        slack_manifest.names({"commands": {"myscores": "x"}})
    with pytest.raises(Refused, match="same name"):
        slack_manifest.names({"commands": {"myscore": "redfirst"}})
    with pytest.raises(Refused, match="not a table"):
        slack_manifest.names({"commands": "x"})


def test_fifty_commands_are_the_most() -> None:
    fifty = {f"word{i}": f"word{i}" for i in range(50)}
    jsonschema.validate(slack_manifest.manifest(CONFIG, fifty), SCHEMA)
    with pytest.raises(Refused, match="50"):
        slack_manifest.manifest(CONFIG, fifty | {"more": "more"})


@pytest.mark.parametrize("address", ["", "http://desk.example", "desk.example", "https://", "https://a b", "https://x?y"])
def test_without_an_address_slack_can_reach_the_way_out_is_told(address: str) -> None:
    with pytest.raises(Refused):
        slack_manifest.manifest(replace(CONFIG, public_url=address), slack_manifest.names({}))
    with pytest.raises(Refused, match="--socket"):
        slack_manifest.manifest(replace(CONFIG, public_url=""), slack_manifest.names({}))


def test_the_command_writes_a_file_ready_to_upload(tmp_path: Path) -> None:
    (tmp_path / "redfirst.toml").write_text('[commands]\nmyscore = "score"\n', encoding="utf-8")
    command = [sys.executable, "-m", "bot", "--config", str(tmp_path / "redfirst.toml"), "slack-manifest", "--socket"]
    out = tmp_path / "manifest.json"
    done = subprocess.run([*command, "--out", str(out)], capture_output=True, text=True, check=True)
    found = json.loads(out.read_text(encoding="utf-8"))
    jsonschema.validate(found, SCHEMA)
    assert found["features"]["slash_commands"][0]["command"] == "/score"
    assert "From a manifest" in done.stdout
    nowhere = subprocess.run(
        [*command, "--out", str(tmp_path / "no" / "where")], capture_output=True, text=True, check=False
    )
    assert (nowhere.returncode, "cannot be written" in nowhere.stderr) == (1, True)


def test_without_an_address_the_command_writes_the_manifest_that_needs_none_and_says_so(tmp_path: Path) -> None:
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("SLACK_", "REDFIRST_"))}
    command = [sys.executable, "-m", "bot", "slack-manifest"]
    done = subprocess.run(command, cwd=tmp_path, env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    jsonschema.validate(found, SCHEMA)
    assert found["settings"]["socket_mode_enabled"] is True
    assert "REDFIRST_PUBLIC_URL is not set" in done.stderr
    asked = subprocess.run([*command, "--socket"], cwd=tmp_path, env=bare, capture_output=True, text=True, check=True)
    assert (asked.stdout, asked.stderr) == (done.stdout, "")
