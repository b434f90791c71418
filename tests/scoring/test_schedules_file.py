"""[[schedule]] in redfirst.toml: what holds without a word, what a table changes, and mistakes told in words."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Any

import pytest

import bot.config
import scoring.changes
import scoring.periods
import scoring.rulebook
import scoring.schedules
import scoring.schedules_file
from bot.config import Config
from scoring.refused import Refused
from scoring.rules import Rules
from scoring.schedules_file import Standing


def read(text: str) -> dict[tuple[str, str, str], Standing]:
    return {one.id: one for one in scoring.schedules_file.load(tomllib.loads(text))}


def rules(text: str) -> Rules:
    """As they are applied: through JSON, with times of day as text."""
    return scoring.rulebook.read(bot.config.rules(Config(parsed=tomllib.loads(text))), version=1)


def test_without_a_word_the_built_in_schedules_hold() -> None:
    standing = read("")
    assert {key: scoring.schedules_file.words(one) for (key, *_), one in standing.items()} == {
        "team_digest": "off, as it has no channel",
        "lead_digest": "weekly on Monday at 08:30",
        "manager_digest": "weekly on Monday at 09:00",
        "leadership_digest": "monthly on day 3 at 09:00",
        "desk_page": "off, as it has no channel",
        "plan_reminders": "daily at 08:30",
        "desk_plan_reminders": "daily at 08:30",
        "nudges": "daily at 09:30",
        "check_backs": "daily at 08:45",
        "baselines": "daily at 06:00, on days off too",
        "objectives_report": "monthly on day 3 at 09:00",
        "red_flags": "daily at 08:00",
    }
    assert Rules(1, {}, ()).schedules == tuple(scoring.schedules_file.DEFAULTS.values())


def test_a_table_says_only_what_differs_and_stands_beside_or_instead_of_the_built_in_one() -> None:
    standing = read("""
        [[schedule]]
        audience = "team"
        team = "help-desk"
        to = "slack:C1"
        weekday = "tue"
        [[schedule]]
        audience = "lead"
        cadence = "fortnightly"
        weekday = "Friday"
        from = 2026-08-07
        [[schedule]]
        audience = "lead"
        name = "mid-week"
        cron = "30 16 * * wed"
        catch_up = "skip"
        [[schedule]]
        audience = "nudges"
        team = "projects"
        off = true
    """)
    team = standing["team_digest", "help-desk", ""]
    assert (team.like.weekday, team.like.at, team.like.to) == (1, 540, "slack:C1")
    assert standing["team_digest", "", ""].like.to == ""
    lead = standing["lead_digest", "", ""].like
    assert (lead.cadence, lead.weekday, lead.at) == ("fortnightly", 4, 510)
    assert scoring.periods.date_of(lead.first).isoformat() == "2026-08-07"
    assert scoring.schedules.words(standing["lead_digest", "", "mid-week"].like) == "by cron “30 16 * * wed”"
    assert standing["nudges", "projects", ""].off
    assert not standing["nudges", "", ""].off


@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        ('audience = "leads"', "no audience “leads”", "Did you mean “lead"),
        ("weekday = 'Monday'", "audience is missing", "audience"),
        ("audience = 'lead'\nweek = 1", "no setting “week”", "“weekday”"),
        ("audience = 'lead'\nweekday = 'Mittwoch'", "weekday is “Mittwoch”", "wednesday"),
        ("audience = 'lead'\nat = '25:00'", "at is “25:00”", "time of day"),
        ("audience = 'lead'\ncadence = 'weakly'", "cadence is “weakly”", "“weekly”"),
        ("audience = 'lead'\nday = 3", "day says nothing of a weekly", "monthly"),
        ("audience = 'lead'\ncadence = 'monthly'\nday = 32", "day is 32", "1 to 31"),
        ("audience = 'lead'\ncadence = 'cron'", "cron text", "not both"),
        ("audience = 'lead'\ncron = '0 9 * * 1'\nat = '09:00'", "cron text", "not both"),
        ("audience = 'lead'\ncron = '0 9 * * 1'\ncadence = 'weekly'", "cron text", "not both"),
        ("audience = 'lead'\ncron = '0 9 30 2 *'", "never comes", "day"),
        ("audience = 'lead'\ncatch_up = 'last'", "catch_up is “last”", "“latest”"),
        ("audience = 'lead'\nto = '#general'", "to is “#general”", "slack:"),
        ("audience = 'lead'\noff = 'yes'", "off is 'yes'", "true or false"),
        ("audience = 'lead'\nname = 'A b'", "name is “A b”", "small letters"),
        ("audience = 'team'", "to is missing", "which channel"),
        ("audience = 'leadership'\nteam = 'help-desk'", "for the whole desk", "Leave team out"),
        ("audience = 'lead'\n[[schedule]]\naudience = 'lead_digest'", "there already", "a name"),
    ],
)
def test_a_mistake_names_its_table_and_key_and_what_was_meant(text: str, what: str, remedy: str) -> None:
    with pytest.raises(Refused) as no:
        read(f"[[schedule]]\n{text}")
    assert what in no.value.what
    assert "[[schedule]]" in no.value.what
    assert remedy in no.value.remedy


def test_apply_says_in_words_what_would_be_said_otherwise() -> None:
    before = rules("")
    after = rules("""
        [[schedule]]
        audience = "team"
        team = "help-desk"
        to = "slack:C1"
        at = 08:15:00
        [[schedule]]
        audience = "lead"
        weekday = "Friday"
        catch_up = "all"
        [[schedule]]
        audience = "nudges"
        off = true
    """)
    assert scoring.changes.between(before, after) == (
        "Schedule lead_digest of every team: weekly on Monday at 08:30 → weekly on Friday at 08:30, "
        "everything missed is made late.",
        "Schedule nudges of every team: daily at 09:30 → off.",
        "Schedule team_digest of team help-desk is new: weekly on Monday at 08:15, to slack:C1.",
    )
    assert scoring.changes.between(after, before)[-1] == "Schedule team_digest of team help-desk is taken out."
    assert scoring.changes.between(after, replace(after, version=2)) == ()


def test_the_example_file_can_be_read(pytestconfig: pytest.Config) -> None:
    parsed: dict[str, Any] = tomllib.loads((pytestconfig.rootpath / "redfirst.example.toml").read_text("utf-8"))
    assert len(parsed["schedule"]) == 3
    assert len(scoring.schedules_file.load(parsed)) == len(scoring.schedules_file.DEFAULTS) + 3
