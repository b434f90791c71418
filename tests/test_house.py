"""The rules of the house: which room may know what, and what every file must be."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("bot", "handlers", "cards", "storage", "scoring")
LONGEST = 400

CATCHES_EVERYTHING = {"bot/dispatch.py", "bot/delivery.py", "bot/scheduler.py"}
READS_ENVIRONMENT = {"bot/config.py"}


def modules(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms or ROOMS for path in (ROOT / room).rglob("*.py"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def dotted(node: ast.AST) -> str:
    """`datetime.datetime.now` for the node of that expression; "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        head = dotted(node.value)
        return f"{head}.{node.attr}" if head else ""
    return ""


def clocks(source: ast.AST) -> Iterator[str]:
    """Every place that asks what time it is."""
    asked = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns")
    for node in ast.walk(source):
        word = dotted(node) if isinstance(node, ast.Attribute) else ""
        if any(word == ask or word.endswith(f".{ask}") for ask in asked):
            yield word


def environments(source: ast.AST) -> Iterator[str]:
    """Every place that reads or writes the environment."""
    for node in ast.walk(source):
        if isinstance(node, ast.Attribute) and dotted(node) in ("os.environ", "os.getenv", "os.putenv", "os.environb"):
            yield dotted(node)
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            yield from (one.name for one in node.names if one.name in ("environ", "getenv", "putenv", "environb"))


def catch_alls(source: ast.AST) -> Iterator[int]:
    """The lines of handlers that would swallow any exception; tidying up and raising it again is none."""
    for node in ast.walk(source):
        if isinstance(node, ast.ExceptHandler):
            if isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None:
                continue
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(kind is None or dotted(kind) in ("Exception", "BaseException") for kind in kinds):
                yield node.lineno


SECRETS = re.compile(
    r"xox[abeoprs]-\d{9,}-\d{9,}-[A-Za-z0-9]{20,}|xapp-\d-A[A-Z0-9]{8,}-\d{9,}-[0-9a-f]{40,}"
    r"|hooks\.slack\.com/services/T[A-Z0-9]{8,}/B[A-Z0-9]{8,}/[A-Za-z0-9]{20,}"
    r"|-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----|\bgh[opsu]_[A-Za-z0-9]{36}|\bAKIA[0-9A-Z]{16}\b"
)


def committed() -> list[Path]:
    """Every file that is, or would be, under version control."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode != 0:
        pytest.skip("This copy is not under version control, so its files cannot be told from what was made here.")
    return [path for line in listed.stdout.splitlines() if (path := ROOT / line).is_file()]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """The contracts of pyproject.toml, checked on the packages in `folder`."""
    code = (
        "import sys; from importlinter.cli import lint_imports; "
        "sys.exit(lint_imports(config_filename='pyproject.toml', no_cache=True))"
    )
    environment = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_every_room_imports_only_what_it_may() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_import_that_a_room_may_not_have_is_found(tmp_path: Path) -> None:
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__", "*.js", "*.css"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    forbidden = {
        "scoring/zz.py": "import os\nimport storage.db",
        "cards/zz.py": "import asyncio\nimport storage.db\nimport cards.block_kit",
        "handlers/zz.py": "import sqlalchemy\nimport slack_sdk\nimport cards.text\nimport bot.config",
        "storage/zz.py": "import handlers.call\nimport cards.card\nimport aiohttp",
        "bot/zz.py": "import slack_bolt\nimport botbuilder.core",
    }
    for file, text in forbidden.items():
        (tmp_path / file).write_text(f'"""One import too many."""\n\n{text}\n')
    said = lint_imports(tmp_path)
    assert said.returncode == 1, said.stdout + said.stderr
    contracts = len(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"])
    assert f"Contracts: 0 kept, {contracts} broken." in said.stdout


@pytest.mark.parametrize("path", modules(), ids=name)
def test_a_module_says_why_it_is_there_and_is_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    why = ast.get_docstring(tree(path))
    assert why, f"{name(path)} has no docstring"
    assert len(text.splitlines()) < LONGEST, f"{name(path)} has {len(text.splitlines())} lines"


def test_every_test_module_says_what_it_is_about() -> None:
    silent = [name(p) for p in (ROOT / "tests").rglob("test_*.py") if not ast.get_docstring(tree(p))]
    assert not silent


def test_only_the_wires_ask_what_time_it_is() -> None:
    asking = {name(p): list(clocks(tree(p))) for p in modules("handlers", "cards", "storage", "scoring")}
    assert not {path: words for path, words in asking.items() if words}


def test_only_the_configuration_reads_the_environment() -> None:
    reading = {name(p) for p in modules() if any(environments(tree(p)))}
    assert reading == READS_ENVIRONMENT


def test_only_three_modules_may_catch_everything() -> None:
    catching = {name(p): list(catch_alls(tree(p))) for p in modules() if name(p) not in CATCHES_EVERYTHING}
    assert not {path: lines for path, lines in catching.items() if lines}


@pytest.mark.parametrize(
    ("check", "wrong", "right"),
    [
        (clocks, "import datetime\nx = datetime.datetime.now(tz)", "x = datetime.fromtimestamp(0, UTC)"),
        (clocks, "from datetime import date\nx = date.today()", "import time\nx = time.monotonic()"),
        (environments, "import os\nx = os.environ['A']", "import os\nx = os.path"),
        (environments, "from os import getenv as g", "from os import path"),
        (catch_alls, "try:\n    f()\nexcept (OSError, Exception):\n    g()", "try:\n    f()\nexcept OSError:\n    g()"),
        (catch_alls, "try:\n    f()\nexcept:\n    pass", "try:\n    f()\nexcept BaseException:\n    g()\n    raise"),
    ],
)  # fmt: skip
def test_a_breach_of_these_rules_is_seen(check: object, wrong: str, right: str) -> None:
    assert callable(check)
    assert list(check(ast.parse(wrong)))
    assert not list(check(ast.parse(right)))


def test_no_secret_is_kept_in_the_repository() -> None:
    assert SECRETS.search("-----BEGIN " + "RSA PRIVATE KEY-----")
    assert SECRETS.search("xoxb-" + "123456789012-123456789012-" + "a" * 24)
    found = []
    for path in committed():
        text = path.read_bytes().decode("utf-8", "replace")
        found += [f"{name(path)}: {match.group()[:12]}…" for match in SECRETS.finditer(text)]
    assert not found


def pins(file: str) -> dict[str, str]:
    """Package → pinned version of a requirements file; each pin with at least one hash."""
    text = (ROOT / file).read_text(encoding="utf-8").replace("\\\n", " ")
    found: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        pin = re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]+\])?==([^\s;]+)", line)
        assert pin, f"{file}: {line[:60]!r} is no pinned package"
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", line), f"{file}: {pin[1]} has no hash"
        found[canonical(pin[1])] = pin[2]
    return found


def canonical(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def asked(*extras: str) -> set[str]:
    """The packages that pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for extra in extras for one in project["optional-dependencies"][extra])]
    return {canonical(re.split(r"[\[<>=!~; ]", one, maxsplit=1)[0]) for one in wanted}


@pytest.mark.parametrize(("file", "extras"), [("requirements.txt", ("build",)), ("requirements-dev.txt", ("dev",))])
def test_the_environment_is_locked_with_hashes_and_says_nothing_of_where_it_comes_from(
    file: str, extras: tuple[str, ...]
) -> None:
    locked = pins(file)
    missing = asked(*extras) - locked.keys()
    assert not missing, f"{file} lacks {missing}: compile it again"
    text = (ROOT / file).read_text(encoding="utf-8")
    assert not re.search(r"^[^#\n]*(://|--(extra-)?index-url|--find-links|^-[if] )", text, re.MULTILINE)


def test_both_locked_environments_hold_the_same_versions() -> None:
    run, dev = pins("requirements.txt"), pins("requirements-dev.txt")
    assert not {package: (version, dev.get(package)) for package, version in run.items() if dev.get(package) != version}


def test_every_command_has_a_module_and_every_module_a_command() -> None:
    from bot import cli

    there = {p.stem for p in (ROOT / "bot" / "commands").glob("*.py")} - {"__init__"}
    assert there == {command.replace("-", "_") for command in cli.COMMANDS}
