"""Configuration: where values come from, what is refused, and that the example we ship is right."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import scoring.changes
import scoring.rulebook
from bot import config
from scoring.refused import Refused

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "redfirst.example.toml"


def test_without_anything_a_desk_runs_on_this_machine_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = config.load(environ={})
    assert (found.host, found.port, found.database_url) == ("127.0.0.1", 3000, "sqlite:///redfirst.db")
    assert not found.slack.connected
    assert not found.teams.connected
    assert found.file is None


def test_every_setting_has_its_name_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = config.load(
        environ={
            "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "s", "SLACK_APP_TOKEN": "xapp-1",
            "SLACK_API_URL": "http://127.0.0.1:1/api/", "TEAMS_APP_ID": "a", "TEAMS_APP_PASSWORD": "p",
            "TEAMS_TENANT_ID": "t1", "TEAMS_ALLOWED_TENANTS": "t1, t2,", "REDFIRST_DATABASE_URL": "sqlite:///x.db",
            "REDFIRST_PORT": "8080", "REDFIRST_HOST": "10.0.0.1", "REDFIRST_PUBLIC_URL": "https://bot.example",
        }
    )  # fmt: skip
    assert found.slack == config.Slack("xoxb-1", "s", "xapp-1", "http://127.0.0.1:1/api/")
    assert (found.teams.app_id, found.teams.app_password, found.teams.tenant_id) == ("a", "p", "t1")
    assert found.teams.allowed_tenants == ("t1", "t2")
    assert (found.database_url, found.host, found.port) == ("sqlite:///x.db", "10.0.0.1", 8080)
    assert found.public_url == "https://bot.example"


def test_a_secret_may_lie_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "token").write_text("xoxb-1\n")
    assert config.load(environ={"SLACK_BOT_TOKEN_FILE": str(tmp_path / "token")}).slack.bot_token == "xoxb-1"
    with pytest.raises(Refused, match=r"SLACK_BOT_TOKEN_FILE names .*nothing"):
        config.load(environ={"SLACK_BOT_TOKEN_FILE": str(tmp_path / "nothing")})


def test_no_secret_shows_when_a_configuration_is_printed() -> None:
    shown = repr(config.Config(slack=config.Slack("bot", "signing", "app"), teams=config.Teams("id", "password")))
    for secret in ("'bot'", "signing'", "'app'", "'password'"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = ]", ["not valid TOML", "line 1"]),
        ('[slack]\nbot_token = "xoxb-1"', ["holds a secret", "slack.bot_token", "_FILE"]),
        ('[teams]\napp_password = "x"', ["teams.app_password"]),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused_with_the_reason(tmp_path: Path, text: str, words: list[str]) -> None:
    file = tmp_path / "desk.toml"
    file.write_text(text)
    with pytest.raises(Refused) as caught:
        config.load(str(file), environ={})
    for word in [str(file), *words]:
        assert word in str(caught.value)


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"There is no file .*none\.toml"):
        config.load(str(tmp_path / "none.toml"), environ={})
    with pytest.raises(Refused, match=r"There is no file .*none\.toml"):
        config.load(environ={"REDFIRST_CONFIG": str(tmp_path / "none.toml")})


@pytest.mark.parametrize("port", ["http", "-1", "65536", "３０００x", "30.5"])
def test_a_port_that_is_none_is_refused(port: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Refused, match="REDFIRST_PORT"):
        config.load(environ={"REDFIRST_PORT": port})


def test_sections_of_another_shape_are_refused_and_do_not_crash(tmp_path: Path) -> None:
    file = tmp_path / "desk.toml"
    file.write_text("slack = 5\nteams = [1]")
    found = config.load(str(file), environ={})
    with pytest.raises(Refused, match="slack"):
        scoring.rulebook.read(config.rules(found), version=1)


def test_the_example_that_we_ship_is_right_and_every_part_of_it_does_something() -> None:
    rules = scoring.rulebook.read(config.rules(config.load(str(EXAMPLE), environ={})), version=1)
    assert rules.organisation == "Nordlicht IT"
    assert rules.metrics["workarounds"].levels == ("team", "organisation")
    shipped = scoring.rulebook.read(config.rules(config.Config()), version=1)
    told = "\n".join(scoring.changes.between(shipped, rules))
    for part in ("workarounds", "csat: other title", "technician, tier 1", "Europe/Berlin", "csat target 85 % → 86 %"):
        assert part in told


def test_the_example_shows_every_section_there_is() -> None:
    parsed = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    assert set(parsed) == set(scoring.rulebook.SECTIONS)
