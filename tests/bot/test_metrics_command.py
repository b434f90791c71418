"""`redfirst metrics`: what a person reads before trusting a metric."""

from __future__ import annotations

from pathlib import Path

import pytest

import bot.cli

TICKETS = """number,opened_at,resolved_at,resolver,reopens
1,2026-03-02T09:00:00Z,2026-03-02T10:00:00Z,ann,1
2,2026-03-03T09:00:00Z,2026-03-03T10:00:00Z,ben,0
3,2026-04-01T09:00:00Z,2026-04-02T10:00:00Z,ann,0
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_every_metric_is_listed_with_unit_direction_and_levels(capsys: pytest.CaptureFixture[str]) -> None:
    assert bot.cli.main(["metrics"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 28
    assert "csat" in next(line for line in lines if "CSAT" in line)
    assert any("weighted_throughput" in line and line.endswith("  team") for line in lines)


def test_a_metric_explains_itself_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert bot.cli.main(["metrics", "show", "reopen_rate"]) == 0
    said = capsys.readouterr().out
    for words in ("tickets reopened within 7 days", "target 5", "Endsight", "thank-you", "a person: You check"):
        assert words in said


def test_a_misspelled_metric_gets_the_nearest_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert bot.cli.main(["metrics", "show", "reopen_rat"]) == 1
    assert "'reopen_rate'" in capsys.readouterr().err


def test_a_metric_is_tried_on_a_file_before_anybody_is_measured_by_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tickets.csv").write_text(TICKETS)
    assert bot.cli.main(["metrics", "try", "reopen_rate", "tickets.csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "3 of ticket" in lines[0]
    assert lines[1].split() == ["March", "2026", "50.0", "%", "(sample", "2)"]
    assert lines[2].split() == ["April", "2026", "0.0", "%", "(sample", "1)"]


def test_a_metric_of_the_users_own_is_tried_like_any_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tickets.csv").write_text(TICKETS)
    (tmp_path / "redfirst.toml").write_text(
        """[metric.slow]
title = "Resolved after a day"
unit = "%"
direction = "down"
perspective = "customer"
kind = "rate"
scale = 100
levels = ["team"]
influence = { team = "You finish what is nearly done." }
formula = "tickets that took more than a day ÷ tickets resolved"
numerator = { value = "resolved_at - opened_at > 86400" }
denominator = { table = "ticket", value = "1", credit = "resolver", day = "resolved_at" }
"""
    )
    assert bot.cli.main(["metrics", "try", "slow", "tickets.csv"]) == 0
    assert "100.0 %" in capsys.readouterr().out.splitlines()[2]
