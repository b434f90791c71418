"""The command line as a process: what people type, what they read, and what a script sees."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot import cli

HEAVY = (
    "sqlalchemy", "polars", "aiohttp", "alembic", "asyncio", "slack_bolt", "slack_sdk", "botbuilder",
    "prometheus_client", "apscheduler", "scoring.catalogue", "storage.db",
)  # fmt: skip


def redfirst(
    *words: str, cwd: Path, environ: dict[str, str] | None = None, said: str = ""
) -> subprocess.CompletedProcess[str]:
    """Runs `redfirst` in a directory of its own, with nothing of this machine's settings."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SLACK_", "TEAMS_", "REDFIRST_"))}
    return subprocess.run(
        [sys.executable, "-m", "bot", *words],
        cwd=cwd, env={**clean, **(environ or {})}, input=said, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_help_names_every_command_and_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import contextlib, io, json, sys\n"
        "from bot.cli import main\n"
        "said = io.StringIO()\n"
        "with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):\n"
        "    main(['--help'])\n"
        "print(json.dumps([said.getvalue(), sorted(sys.modules)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    text, loaded = json.loads(done.stdout)
    for command in cli.COMMANDS:
        assert f"\n    {command}" in text
    assert not set(HEAVY) & set(loaded)


def test_every_command_explains_itself() -> None:
    for command in cli.COMMANDS:
        with pytest.raises(SystemExit) as left:
            cli.main([command, "--help"])
        assert left.value.code == 0, command


def test_a_word_that_is_no_command_is_refused_with_those_that_are(tmp_path: Path) -> None:
    done = redfirst("aply", cwd=tmp_path)
    assert done.returncode == 2
    assert "apply" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_option_that_is_none_is_refused(tmp_path: Path) -> None:
    done = redfirst("migrate", "--too", "1", cwd=tmp_path)
    assert done.returncode == 2
    assert not list(tmp_path.iterdir())


def test_a_desk_is_set_up_changed_and_told_what_would_change(tmp_path: Path) -> None:
    done = redfirst("migrate", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "from version base" in done.stdout
    assert "already" in redfirst("migrate", cwd=tmp_path).stdout

    (tmp_path / "redfirst.toml").write_text('[organisation]\nname = "Nordlicht"\n')
    asked = redfirst("apply", cwd=tmp_path)
    assert asked.returncode == 1
    assert "Service desk → Nordlicht" in asked.stdout
    assert "--yes" in asked.stderr

    done = redfirst("apply", "--yes", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Version 2 is in force" in done.stdout
    again = redfirst("apply", cwd=tmp_path)
    assert again.returncode == 0
    assert again.stdout.startswith("Nothing to change: version 2")
    assert len(again.stdout.splitlines()) == 1

    back = redfirst("migrate", "--to", "base", cwd=tmp_path)
    assert back.returncode == 1
    assert "--yes" in back.stderr
    assert redfirst("migrate", "--to", "base", "--yes", cwd=tmp_path).returncode == 0


def test_a_mistake_in_the_file_is_told_with_file_table_and_nearest_name_and_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "desk.toml").write_text(
        '[[rubric]]\nname = "ours"\nlevel = "person"\nfrom = 2026-01-01\n[rubric.weights]\ncsta = 100\n'
    )
    done = redfirst("--config", "desk.toml", "apply", "--yes", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "redfirst: desk.toml: [[rubric]] 1 “ours”: there is no metric “csta”. Did you mean “csat”?\n"
    assert [path.name for path in tmp_path.iterdir()] == ["desk.toml"]


def test_a_version_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    done = redfirst("migrate", "--to", "9999", cwd=tmp_path)
    assert done.returncode == 1
    assert "no version 9999" in done.stderr


def test_check_ends_with_one_and_says_the_remedy_for_people_and_for_scripts(tmp_path: Path) -> None:
    done = redfirst("check", "--offline", cwd=tmp_path)
    assert done.returncode == 1
    assert "→ Run `redfirst migrate`." in done.stdout
    done = redfirst("check", "--offline", "--json", cwd=tmp_path, environ={"SLACK_BOT_TOKEN": "secret-of-the-bot"})
    told = json.loads(done.stdout)
    assert told["ok"] is False
    assert {"area", "well", "what", "remedy"} == set(told["findings"][0])
    assert "secret-of-the-bot" not in done.stdout + done.stderr
    assert not list(tmp_path.iterdir())


def test_whoever_has_read_enough_leaves_no_traceback(tmp_path: Path) -> None:
    """Every time, whenever the reader goes: before the first line, or after it."""
    for lines in (0, 1):
        with subprocess.Popen(
            [sys.executable, "-m", "bot", "metrics"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            assert process.stderr is not None
            for _ in range(lines):
                process.stdout.readline()
            process.stdout.close()
            said = process.stderr.read()
            assert (process.wait(60), said) in {(141, ""), (0, "")}
            assert lines or process.returncode == 141
