"""People files: what is refused, with the line and the way to mend it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scoring.people_file
import scoring.teams_file
import scoring.working_hours
from scoring.people import Hours
from scoring.people_file import PeopleFile
from scoring.refused import Refused

HEADER = ["person", "name", "team", "role", "manager", "from", "to", "zone", "hours", "deputy_for", "servicenow"]
TOP = "mia,Mia,Desk,manager,,2026-01-01,,,,,"


def parse(*lines: str, header: list[str] | None = None) -> PeopleFile:
    header = header or HEADER
    rows = [(n, dict(zip(header, line.split(","), strict=True))) for n, line in enumerate(lines, start=2)]
    return scoring.people_file.parse("people.csv", header, rows)


@pytest.mark.parametrize(
    ("lines", "line", "what"),
    [
        (["a,A,Desk,,,2026-01-01,,,,,", "a,A,Field,,,2026-02-01,,,,,"], 3, "at the same time: end the earlier row"),
        (["a,A,Desk,,,2026-01-01,2026-02-01,,,,", "a,A,Field,,,2026-02-01,,,,,"], 3, "at the same time"),
        (["a,A,Desk,,nobody,2026-01-01,,,,,"], 2, "nobody has the key 'nobody'"),
        (["amalia,A,Desk,,,2026-01-01,,,,,", "b,B,Desk,,amalla,2026-01-01,,,,,"], 3, "Did you mean 'amalia'?"),
        (["a,A,Desk,,b,2026-01-01,,,,,", "b,B,Desk,,a,2026-01-01,,,,,"], 2, "managers go in a circle: a → b → a"),
        (["a,A,Desk,,a,2026-01-01,,,,,"], 2, "managers go in a circle: a → a"),
        (["a,A,Desk,,,2026-01-01,,Europe/Berlim,,,"], 2, "Did you mean Europe/Berlin?"),
        (["a,A,Desk,technican,,2026-01-01,,,,,"], 2, "Did you mean technician?"),
        (["a,A,Desk,,,01.02.2026,,,,,"], 2, "found '01.02.2026', expected a date like 2026-03-31"),
        (["a,A,Desk,,,2026-02-01,2026-01-01,,,,"], 2, "is before the first"),
        (["a,A,Desk,,,,,,,,"], 2, "column from is empty"),
        (["a,A,,,,2026-01-01,,,,,"], 2, "column team is empty"),
        ([",A,Desk,,,2026-01-01,,,,,"], 2, "give every row the person's key"),
        (["a,A,Desk,,,2026-01-01,,,at night,,"], 2, "expected words like Mon-Fri 09:00-17:00"),
        (["a,A,Desk,,,2026-01-01,,,,a,"], 2, "nobody stands in for themselves"),
        (["a,A,Desk,,,2026-01-01,,,,zed,"], 2, "nobody has the key 'zed'"),
        (["a,A,Desk,,,2026-01-01,2026-01-31,,,,", "a,Other,Desk,,,2026-02-01,,,,,"], 3, "a person has one name"),
        (["a,A,Desk,,,2026-01-01,,,,,x", "b,B,Desk,,,2026-01-01,,,,,x"], 3, "account 'servicenow/x' is claimed twice"),
        (["a,A,Desk,,,2026-01-01,,,,,shared:x", "b,B,Desk,,,2026-01-01,,,,,x"], 3, "claimed twice"),
    ],
)
def test_an_inconsistent_file_is_refused_with_line_and_mend(lines: list[str], line: int, what: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(*lines)
    assert f"line {line}: " in refused.value.what
    assert what in refused.value.what


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(Refused) as refused:
        parse("a,A,Desk,boss,,2026-01-01,,,,,", "b,B,Desk,,zed,2026-01-01,,,,,")
    assert "line 2: " in refused.value.what
    assert "line 3: " in refused.value.what


def test_a_circle_that_closes_only_later_is_seen() -> None:
    good = [
        "a,A,Desk,,b,2026-01-01,2026-01-31,,,,",
        "b,B,Desk,,,2026-01-01,2026-01-31,,,,",
        "b,B,Desk,,a,2026-02-01,,,,,",
    ]
    assert len(parse(*good).people) == 2
    with pytest.raises(Refused, match="managers go in a circle"):
        parse(*good, "a,A,Desk,,b,2026-02-01,,,,,")


def test_a_mistyped_column_is_not_taken_for_a_system() -> None:
    header = ["person", "team", "from", "managr"]
    with pytest.raises(Refused, match="column 'managr' is unknown; did you mean 'manager'"):
        parse("a,Desk,2026-01-01,mia", header=header)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(Refused, match="there is no column 'team'"):
        parse("a,2026-01-01", header=["person", "from"])


def test_the_last_day_belongs_to_the_stay() -> None:
    person = parse("a,A,Desk,,,2026-01-01,2026-01-31,,,,").people[0]
    assert (person.stays[0].from_day, person.stays[0].to_day) == (20454, 20485)
    assert person.stays[0].covers(20484)
    assert not person.stays[0].covers(20485)


def test_accounts_get_their_system_and_several_are_separated_by_semicolons() -> None:
    header = ["person", "team", "from", "slack", "teams", "servicenow"]
    person = parse("a,Desk,2026-01-01,T1/U1,t/oid,Ann;Ann 2", header=header).people[0]
    assert person.accounts == {
        "slack": ("slack:T1/U1",),
        "teams": ("teams:t/oid",),
        "servicenow": ("servicenow/Ann", "servicenow/Ann 2"),
    }


def test_deputies_have_the_dates_of_their_row_or_their_own() -> None:
    found = parse(TOP, "a,A,Desk,,,2026-01-01,2026-01-31,,,mia;mia 2026-03-01..2026-03-02,").people[1]
    assert [(s.person, s.from_day, s.to_day) for s in found.stands_in] == [("mia", 20454, 20485), ("mia", 20513, 20515)]


def test_a_team_gives_its_zone_to_people_without_one() -> None:
    teams = scoring.teams_file.parse({"team": [{"name": "Desk", "zone": "Asia/Tokyo"}]}, "teams.toml")
    rows = [(2, dict(zip(HEADER, TOP.split(","), strict=True)))]
    parsed = scoring.people_file.parse("people.csv", HEADER, rows, teams)
    assert parsed.people[0].zone == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("team", "what"),
    [
        ({"name": "D", "zone": "Mars"}, "'Mars' is no time zone"),
        ({"name": "D", "hours": "always"}, "expected words like"),
        ({"name": "D", "holidays": ["soon"]}, "'soon' is no date"),
        ({"name": "D", "holiday": []}, "unknown key 'holiday'"),
        ({"zone": "UTC"}, "name is"),
        ({"name": "D", "agreed_small": "yes"}, "agreed_small is 'yes'"),
    ],
)
def test_a_wrong_team_is_refused(team: dict[str, object], what: str) -> None:
    with pytest.raises(Refused, match=r"teams\.toml: team 1") as refused:
        scoring.teams_file.parse({"team": [team]}, "teams.toml")
    assert what in refused.value.what


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("Mon 09:00-17:00", {0: ((540, 1020),)}),
        ("mon-tue 9:00-12:30; Mon-Tue 13:00-17:00", {0: ((540, 750), (780, 1020)), 1: ((540, 750), (780, 1020))}),
        ("Sat-Sun 22:00-06:00", {5: ((1320, 1440),), 6: ((0, 360), (1320, 1440)), 0: ((0, 360),)}),
        ("Wed 00:00-24:00", {2: ((0, 1440),)}),
        ("Mon 09:00-12:00, Mon 11:00-13:00", {0: ((540, 780),)}),
    ],
)
def test_working_hours_are_read_as_people_write_them(text: str, spans: dict[int, tuple[tuple[int, int], ...]]) -> None:
    assert scoring.working_hours.parse(text) == Hours(tuple(spans.get(day, ()) for day in range(7)))


span = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda s: s[0] < s[1])


@given(st.lists(span.map(lambda s: (s,)) | st.just(()), min_size=7, max_size=7).filter(any))
def test_hours_survive_being_written_down(week: list[tuple[tuple[int, int], ...]]) -> None:
    hours = Hours(tuple(week))
    assert scoring.working_hours.parse(scoring.working_hours.words(hours)) == hours
