"""`redfirst demo` as a person runs it: from nothing to an answer in the browser's words, stopped by a signal."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
QUIET = {key: value for key, value in os.environ.items() if not key.startswith(("REDFIRST_", "SLACK_", "TEAMS_"))}


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "bot", "demo", *words]


@contextmanager
def _running(directory: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    with subprocess.Popen(
        _command("--port", "0", "--today", "2026-10-15", "--seed", "5"), cwd=directory, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**QUIET, "PYTHONPATH": str(ROOT)},
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
            assert found is not None, process.communicate(timeout=60)[1]
            yield found[0], process
        finally:
            if process.poll() is None:
                process.kill()


def _get(address: str) -> str:
    with urllib.request.urlopen(address, timeout=30) as response:  # noqa: S310 - an address of this test
        return str(response.read().decode())


def _ask(address: str, name: str, words: str) -> str:
    """The first card, as HTML, that somebody is answered with."""
    page = _get(address)
    person = re.search(rf'href="/\?as=(\d+)"(?:(?!</a>).)*{name}', page)
    token = re.search(r'name="redfirst-page" content="([^"]+)"', page)
    assert person is not None
    assert token is not None
    body = json.dumps({"person": int(person[1]), "text": words, "nonce": f"{len(words):08}-{person[1]}"}).encode()
    headers = {"Content-Type": "application/json", "Origin": address, "X-Redfirst-Page": token[1]}
    request = urllib.request.Request(f"{address}/ask", body, headers)  # noqa: S310 - an address of this test
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - an address of this test
        return str(json.load(response)["messages"][0]["html"])


def test_the_demo_starts_from_nothing_answers_and_starts_again_with_the_same_desk(tmp_path: Path) -> None:
    with _running(tmp_path) as (address, process):
        mine = _ask(address, "Owen Brady", "/myscore last week")
        assert "Your scorecard" in mine
        assert "Reopen rate" in mine
        assert "rf-red" in mine
        assert "Help desk" in _ask(address, "Ngozi Adeyemi", "/teamscore last week")
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 0
        assert "Inventing" in said
        assert "Traceback" not in said
    with _running(tmp_path) as (address, process):
        again = _ask(address, "Owen Brady", "/myscore last  week")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 0
        assert "Inventing" not in said
    assert re.sub(r"period&quot;.*", "", again) == re.sub(r"period&quot;.*", "", mine)


def test_the_demo_refuses_what_it_cannot_do_in_words(tmp_path: Path) -> None:
    for words, environment, expected in (
        ((), {"REDFIRST_HOST": "0.0.0.0"}, "does not listen on 0.0.0.0"),  # noqa: S104 - refused
        (("--today", "tomorrow"), {}, "Give a day like"),
        (("--port", "70000"), {}, "between 0 and 65535"),
    ):
        run = subprocess.run(
            _command(*words), cwd=tmp_path, text=True, capture_output=True, timeout=60, check=False,
            env={**QUIET, "PYTHONPATH": str(ROOT), **environment},
        )  # fmt: skip
        assert run.returncode == 1
        assert expected in run.stderr
        assert "Traceback" not in run.stderr
    assert not (tmp_path / ".demo").exists()
