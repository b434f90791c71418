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


SURVEYS = """ticket,sent_at,answered_at,rating
1,2026-03-02T09:00:00Z,2026-03-03T09:00:00Z,5
2,2026-03-02T09:00:00Z,2026-03-04T09:00:00Z,2
3,2026-03-02T09:00:00Z,2026-03-05T09:00:00Z,4
4,2026-03-02T09:00:00Z,,
"""


def test_a_file_that_names_nobody_is_taken_for_one_persons_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "surveys.csv").write_text(SURVEYS)
    assert bot.cli.main(["metrics", "try", "csat", "surveys.csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "CSAT, from 4 of survey"
    assert lines[1] == "Nobody is named in survey.account: all is taken for one person's work."
    assert lines[2].split() == ["March", "2026", "66.7", "%", "(sample", "3)"]


def test_tickets_without_a_resolver_are_tried_as_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tickets.csv").write_text(
        "\n".join(",".join(cell for i, cell in enumerate(line.split(",")) if i != 3) for line in TICKETS.splitlines())
    )
    assert bot.cli.main(["metrics", "try", "reopen_rate", "tickets.csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "ticket.resolver" in lines[1]
    assert lines[2].split() == ["March", "2026", "50.0", "%", "(sample", "2)"]


@pytest.mark.parametrize(
    ("metric", "file", "text", "says"),
    [
        ("csat", "surveys.csv", SURVEYS.replace("rating", "stars"), "survey.rating"),
        ("first_contact_resolution", "tickets.csv", TICKETS, "ticket.interactions"),
        ("csat", "tickets.csv", TICKETS, "made of survey"),
    ],
)
def test_what_a_file_lacks_is_named_and_the_command_ends_with_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], metric: str, file: str, text: str, says: str
) -> None:
    (tmp_path / "own.toml").write_text('source = "x"\n[[table]]\ntable = "survey"\nfiles = ["survey*"]\n'
        '[table.columns]\nticket = "ticket"\nsent_at = "sent_at"\nanswered_at = "answered_at"\n')  # fmt: skip
    (tmp_path / file).write_text(text)
    map_ = ["--map", "own.toml"] if "stars" in text else []
    assert bot.cli.main(["metrics", "try", metric, file, *map_]) == 1
    said = capsys.readouterr()
    assert says in said.err
    assert said.out == ""


def test_a_file_whose_name_tells_nothing_is_read_as_what_the_metric_is_made_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t.csv").write_text(TICKETS)
    assert bot.cli.main(["metrics", "try", "reopen_rate", "t.csv"]) == 0
    assert "3 of ticket" in capsys.readouterr().out
