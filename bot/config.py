"""Configuration: the one place that reads the environment and redfirst.toml."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from importlib.resources import files
from pathlib import Path
from typing import Any

from scoring.refused import Refused


@dataclass(frozen=True, slots=True)
class Slack:
    """Slack's side. Secrets are never shown by repr."""

    bot_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    app_token: str = field(default="", repr=False)
    api_url: str = "https://slack.com/api/"

    @property
    def connected(self) -> bool:
        return bool(self.bot_token and (self.signing_secret or self.app_token))

    @property
    def lacking(self) -> str:
        """What is to be set where somebody has begun to connect it; "" where it is connected, or meant to be off."""
        if self.bot_token and not self.connected:
            return "SLACK_SIGNING_SECRET (HTTP), or SLACK_APP_TOKEN (Socket Mode)"
        return "SLACK_BOT_TOKEN" if not self.bot_token and (self.signing_secret or self.app_token) else ""


@dataclass(frozen=True, slots=True)
class Teams:
    """Teams' side. `openid_url` and `hosts` are overridden only by tests and sovereign clouds."""

    app_id: str = ""
    app_password: str = field(default="", repr=False)
    tenant_id: str = ""
    allowed_tenants: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ("smba.trafficmanager.net",)
    openid_url: str = "https://login.botframework.com/v1/.well-known/openidconfiguration"
    authority: str = "https://login.microsoftonline.com"

    @property
    def connected(self) -> bool:
        return bool(self.app_id)

    @property
    def lacking(self) -> str:
        """What is to be set where somebody has begun to connect it, or "": without an app id it would stay off."""
        begun = self.app_password or self.tenant_id or self.allowed_tenants
        return "TEAMS_APP_ID" if begun and not self.app_id else ""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything the process was told. `parsed` is redfirst.toml as plain values, `{}` without one."""

    database_url: str = "sqlite:///redfirst.db"
    host: str = "127.0.0.1"
    port: int = 3000
    public_url: str = ""
    slack: Slack = Slack()
    teams: Teams = Teams()
    file: Path | None = None
    parsed: Mapping[str, Any] = field(default_factory=dict)
    demo: bool = False


SECRETS = ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN", "TEAMS_APP_PASSWORD", "REDFIRST_DATABASE_URL")


def _setting(environ: Mapping[str, str], name: str, default: str = "") -> str:
    """A value from the environment, or from the file named by NAME_FILE (for mounted secrets)."""
    path = environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise Refused(
                f"{name}_FILE names {path}, which cannot be read ({error.strerror}).",
                "Give the path of a readable file.",
            ) from error
    return environ.get(name, default).strip()


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text) <= 65535:
        raise Refused(f"REDFIRST_PORT is {text!r}.", "Give a port number between 0 and 65535.")
    return int(text)


def read_toml(path: Path) -> dict[str, Any]:
    """Parsed TOML of `path`. Raises Refused with file and line where it is not TOML."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        raise Refused(f"There is no file {path}.", "Check the name, or leave it out to use the defaults.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refused(f"{path} is not valid TOML: {error}.", "Mend that line and try again.") from error


def _refuse_secrets(parsed: Mapping[str, Any], path: Path) -> None:
    for section, keys in {"slack": ("bot_token", "signing_secret", "app_token"), "teams": ("app_password",)}.items():
        table = parsed.get(section)
        found = set(table) & set(keys) if isinstance(table, Mapping) else None
        if found:
            raise Refused(
                f"{path} holds a secret ({section}.{sorted(found)[0]}).",
                "Keep secrets in the environment, or in a file named by an environment variable ending in _FILE.",
            )


def load(file: str | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """The configuration from `file` (default: REDFIRST_CONFIG, else ./redfirst.toml if present)."""
    env = os.environ if environ is None else environ
    named = file or env.get("REDFIRST_CONFIG", "")
    path = Path(named) if named else Path("redfirst.toml")
    parsed: dict[str, Any] = {}
    if named or path.exists():
        parsed = read_toml(path)
        _refuse_secrets(parsed, path)
    tenants = _setting(env, "TEAMS_ALLOWED_TENANTS") or _setting(env, "TEAMS_TENANT_ID")
    hosts = _setting(env, "TEAMS_SERVICE_HOSTS")
    teams = Teams(
        app_id=_setting(env, "TEAMS_APP_ID"),
        app_password=_setting(env, "TEAMS_APP_PASSWORD"),
        tenant_id=_setting(env, "TEAMS_TENANT_ID"),
        allowed_tenants=tuple(t.strip() for t in tenants.split(",") if t.strip()),
        hosts=tuple(h.strip() for h in hosts.split(",") if h.strip()) or Teams().hosts,
        openid_url=_setting(env, "TEAMS_OPENID_URL") or Teams().openid_url,
        authority=_setting(env, "TEAMS_AUTHORITY") or Teams().authority,
    )
    slack = Slack(
        bot_token=_setting(env, "SLACK_BOT_TOKEN"),
        signing_secret=_setting(env, "SLACK_SIGNING_SECRET"),
        app_token=_setting(env, "SLACK_APP_TOKEN"),
        api_url=_setting(env, "SLACK_API_URL") or Slack().api_url,
    )
    return Config(
        database_url=_setting(env, "REDFIRST_DATABASE_URL") or "sqlite:///redfirst.db",
        host=_setting(env, "REDFIRST_HOST") or "127.0.0.1",
        port=_port(_setting(env, "REDFIRST_PORT") or "3000"),
        public_url=_setting(env, "REDFIRST_PUBLIC_URL"),
        slack=slack,
        teams=teams,
        file=path if parsed else None,
        parsed=parsed,
    )


def rules(config: Config) -> dict[str, Any]:
    """What `config` asks to be in force, as plain JSON values: the shipped tables and the user's own.

    Nothing is checked here; `scoring.rulebook.read` does that.
    """
    shipped = files("scoring")
    body = {
        "catalogue": tomllib.loads(shipped.joinpath("catalogue.toml").read_text(encoding="utf-8")),
        "rubrics": tomllib.loads(shipped.joinpath("rubrics.toml").read_text(encoding="utf-8")),
        "behaviours": tomllib.loads(shipped.joinpath("behaviours.toml").read_text(encoding="utf-8")),
        "own": dict(config.parsed),
    }
    plain: dict[str, Any] = _plain(body)
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date | time) else value
