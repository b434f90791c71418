"""The Teams app package: valid by the published schema, with icons as Teams wants them, and only commands that work."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from PIL import Image

import bot.slack_manifest
import handlers.routes
import handlers.words
from bot import teams_icons, teams_package
from handlers.call import Call, Where
from scoring.refused import Refused
from tests.fakes.teams import APP

SCHEMA = Path(__file__).parent.parent / "schemas" / "teams-manifest-1.19.json"
NAMES = bot.slack_manifest.names({})
WEBSITE = "https://desk.example/redfirst"


def made(names: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    return teams_package.manifest(APP, names or NAMES, **{"website": WEBSITE, **changes})


def problems(manifest: dict[str, Any]) -> list[str]:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return [error.message for error in jsonschema.Draft4Validator(schema).iter_errors(manifest)]


def test_the_manifest_is_valid_by_the_published_schema() -> None:
    longest = dict.fromkeys(NAMES, "x" * 31)
    assert problems(made()) == []
    assert problems(made(longest, company="C" * 32, privacy="https://a.example/p", terms="https://b.example/t")) == []


def test_the_schema_would_have_said_so() -> None:
    assert problems({**made(), "bots": [{"botId": "not-a-guid", "scopes": ["everywhere"]}]})
    assert problems({k: v for k, v in made().items() if k != "icons"})


def test_the_bot_is_for_the_chat_for_teams_and_for_groups() -> None:
    manifest = made()
    [bot_] = manifest["bots"]
    assert (manifest["id"], bot_["botId"]) == (APP, APP)
    assert bot_["scopes"] == ["personal", "team", "groupChat"]
    assert manifest["validDomains"] == ["desk.example"]
    lists = bot_["commandLists"]
    assert len(lists) <= teams_package.LISTS
    assert all(len(one["commands"]) <= teams_package.COMMANDS for one in lists)
    assert [scope for one in lists for scope in one["scopes"]] == ["personal", "team", "groupChat"]


@pytest.mark.parametrize("names", [NAMES, {"myscore": "my-card", "teamscore": "ours", "redfirst": "rf"}])
def test_every_command_of_the_menu_is_understood_when_it_is_chosen(names: dict[str, str]) -> None:
    where = Where("teams", "t")
    for one in made(names)["bots"][0]["commandLists"]:
        for command in one["commands"]:
            call = Call("", "teams:t/x", where, "k", "message", text=command["title"])
            route, _ = handlers.words.route(call, names)
            assert route in handlers.routes.WORDS.values()
            assert len(command["title"]) <= teams_package.TITLE


def test_the_icons_have_the_size_and_look_that_teams_asks_for() -> None:
    color = Image.open(io.BytesIO(teams_icons.color()))
    assert (color.format, color.size) == ("PNG", (192, 192))
    assert color.convert("RGBA").getextrema()[3] == (255, 255)
    outline = Image.open(io.BytesIO(teams_icons.outline()))
    assert (outline.format, outline.size, outline.mode) == ("PNG", (32, 32), "RGBA")
    assert outline.getextrema()[:3] == ((255, 255),) * 3
    assert outline.getextrema()[3] == (0, 255)
    corners = [outline.getpixel(at) for at in ((0, 0), (31, 0), (0, 31), (31, 31))]
    assert corners == [(255, 255, 255, 0)] * 4


def test_the_package_is_the_same_every_time_and_flat() -> None:
    first, second = teams_package.package(made()), teams_package.package(made())
    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert archive.namelist() == ["manifest.json", "color.png", "outline.png"]
        assert json.loads(archive.read("manifest.json")) == made()


@pytest.mark.parametrize(
    ("app", "changes", "says"),
    [
        ("", {}, "TEAMS_APP_ID is not set"),
        ("my-bot", {}, "not a Microsoft App ID"),
        (APP, {"website": ""}, "REDFIRST_PUBLIC_URL"),
        (APP, {"website": "http://desk.example"}, "https://"),
        (APP, {"website": "https://me:pw@desk.example"}, "https://"),
        (APP, {"website": "https://["}, "https://"),
        (APP, {"privacy": "javascript:alert(1)"}, "https://"),
        (APP, {"company": ""}, "1 to 32"),
        (APP, {"company": "C" * 33}, "1 to 32"),
    ],
)
def test_what_teams_would_not_take_is_refused_with_the_remedy(app: str, changes: dict[str, str], says: str) -> None:
    with pytest.raises(Refused) as refused:
        teams_package.manifest(app, NAMES, **{"website": WEBSITE, **changes})
    assert says in str(refused.value)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TEAMS_APP_ID": APP, "REDFIRST_PUBLIC_URL": "https://desk.example"}
    command = [sys.executable, "-m", "bot", "teams-package", *words]
    return subprocess.run(command, check=False, env=environment, capture_output=True, text=True, timeout=60)


def test_the_command_writes_the_package(tmp_path: Path) -> None:
    out = tmp_path / "app.zip"
    done = run("--out", str(out))
    assert done.returncode == 0, done.stderr
    assert "https://desk.example/api/messages" in done.stdout
    with zipfile.ZipFile(out) as archive:
        assert problems(json.loads(archive.read("manifest.json"))) == []
    refused = run("--out", str(tmp_path / "none" / "app.zip"))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "--out" in refused.stderr


def test_without_an_address_the_package_is_valid_and_the_command_says_what_to_set(tmp_path: Path) -> None:
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("TEAMS_", "REDFIRST_"))}
    out = tmp_path / "app.zip"
    command = [sys.executable, "-m", "bot", "teams-package", "--out", str(out)]
    environment = {**bare, "TEAMS_APP_ID": APP}
    done = subprocess.run(command, check=False, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "REDFIRST_PUBLIC_URL" in done.stderr
    assert "https://desk.example stands there" in done.stderr
    with zipfile.ZipFile(out) as archive:
        assert problems(json.loads(archive.read("manifest.json"))) == []
    known = subprocess.run(
        [*command, "--website", WEBSITE], check=False, env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert (known.returncode, known.stderr) == (0, "")
