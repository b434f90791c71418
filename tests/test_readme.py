"""What the README tells people to type works as it stands there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import bot.cli
import handlers.routes
import scoring.map_file

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_map_shown_can_be_read() -> None:
    [shown] = blocks("toml")
    read = scoring.map_file.parse(tomllib.loads(shown), "README.md", "own")
    assert read.source == "halo"
    assert read.tables[0].link == "https://desk.example/tickets/{number}"


def test_every_command_named_is_there() -> None:
    named = set(re.findall(r"\bredfirst ([a-z-]+)", "\n".join([*re.findall(r"`[^`]+`", README), *blocks("sh")])))
    assert named <= set(bot.cli.COMMANDS), named


def test_every_word_named_for_the_chat_is_understood() -> None:
    table = README.partition("## What people can ask")[2].partition("##")[0]
    words = set(re.findall(r"`/?(?:redfirst )?([a-z]+)", table))
    known = {*handlers.routes.WORDS, "redfirst", "now", "schedule", "last", "teams", "october", "quarter", "weeks"}
    assert words <= known, words - known
