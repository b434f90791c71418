"""`redfirst digest` as a process: a digest is read and drawn before anybody else sees it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

import bot.picture
from tests.e2e.test_cli import redfirst
from tests.handlers import desk as small

SCHEDULED = '[[schedule]]\naudience = "team"\nteam = "help-desk"\nto = "slack:C0123"\n'


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with the small desk's database."""
    small.make(tmp_path / "redfirst.db")
    return tmp_path


def outbox(place: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(place / "redfirst.db") as db:
        return list(db.execute("SELECT recipient, key FROM outbox"))


def test_a_dry_run_prints_the_digest_writes_page_and_picture_and_posts_nothing(place: Path) -> None:
    done = redfirst("digest", "help desk", "--dry-run", "--period", "2026-W31", cwd=place)
    assert done.returncode == 0, done.stderr
    assert "Help Desk: the week in short" in done.stdout
    assert "Week 31, 27 Jul – 2 Aug 2026" in done.stdout
    page = (place / "digest-help-desk-team-2026-W31.html").read_text(encoding="utf-8")
    assert "<article" in page
    picture = place / "digest-help-desk-team-2026-W31.png"
    if bot.picture.browser() is None:
        assert "no browser was found" in done.stdout
    else:
        assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
        assert picture.stat().st_size > 5_000
    assert outbox(place) == []


def test_the_digests_of_a_lead_and_of_leadership_can_be_looked_at(place: Path) -> None:
    lead = redfirst("digest", "field", "--audience", "lead", "--dry-run", "--period", "2026-W31", cwd=place)
    assert "Field Services: the week, for its lead" in lead.stdout
    manager = redfirst("digest", "field", "--audience", "manager", "--dry-run", "--period", "2026-W31", cwd=place)
    assert "Your teams: the week" in manager.stdout, manager.stderr
    assert "Night Shift" in manager.stdout
    desk = redfirst("digest", "desk", "--audience", "leadership", "--dry-run", "--period", "2026-07", cwd=place)
    assert "Retention" in desk.stdout
    assert redfirst("digest", "desk", "--dry-run", "--period", "2026-07", cwd=place).returncode == 0


def test_without_dry_run_it_goes_to_its_channel_and_needs_one(place: Path) -> None:
    done = redfirst("digest", "help desk", cwd=place)
    assert done.returncode == 1
    assert "No channel is named" in done.stderr
    (place / "redfirst.toml").write_text(SCHEDULED, encoding="utf-8")
    assert redfirst("apply", "--yes", cwd=place).returncode == 0
    done = redfirst("digest", "help desk", cwd=place)
    assert done.returncode == 0, done.stderr
    assert [recipient for recipient, _ in outbox(place)] == ["C0123"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("Hepl Desk",), "There is no team “Hepl Desk”. There are: Field Services, Help Desk"),
        (("help desk", "--audience", "leadership"), "A team has no digest for leadership."),
        (("help desk", "--audience", "manager"), "A manager's digest goes to a person, not to a channel."),
        (("desk", "--audience", "team"), "The desk has no digest for a team."),
        (("help desk", "--dry-run", "--out", "nowhere"), "There is no folder nowhere."),
        (("help desk", "--period", "2026-W20"), "What is posted is the last week or month."),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(place: Path, words: tuple[str, ...], said: str) -> None:
    done = redfirst("digest", *words, cwd=place)
    assert done.returncode == 1
    assert said in done.stderr
