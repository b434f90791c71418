"""`redfirst objectives` as a process: a desk that has objectives brings them along."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.test_ingest_cli import redfirst, table, written

PEOPLE = (
    "person,name,team,role,tier,manager,from,to\n"
    "zoe,Zoe,Office,leadership,,,2026-01-01,\n"
    "lena,Lena,Desk,lead,,zoe,2026-01-01,\n"
    "ana,Ana,Desk,technician,1,lena,2026-01-01,\n"
)
HEAD = (
    "key,level,for,title,scope,perspective,owner,metric,proxy,cadence,decision,influence,time,people,tools,supports,"
    "justification\n"
)
REST = "weekly,2099-01-31,,an hour,all of us,the list"
TOP = "grow,leadership,,Clients grow with us,all clients,financial,zoe,,contracts that grew,monthly,2099-01-31," \
      "You ask each client what they plan.,a day,sales,the list,,\n"  # fmt: skip
RATED = f"rated,team,Desk,Clients rate our help as good,all tickets,customer,lena,csat,,{REST},grow,\n"
MINE = f"mine,individual,ana,I finish what I begin,my tickets,customer,ana,reopen_rate,,{REST},rated,\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with a database of three people."""
    done = redfirst(tmp_path, "people", written(tmp_path, "people.csv", PEOPLE))
    assert done.returncode == 0, done.stderr
    return tmp_path


def team_key(place: Path) -> str:
    return next(str(row[1]) for row in table(place, "team") if str(row[2]) == "Desk")


def test_objectives_are_imported_once_and_listed(place: Path) -> None:
    file = written(place, "aims.csv", HEAD + MINE + RATED.replace("Desk", team_key(place)) + TOP)
    tried = redfirst(place, "objectives", "import", file, "--dry-run")
    assert (tried.returncode, tried.stderr) == (0, "")
    assert "3 objectives read: 3 would change, 0 as before, 0 refused. Nothing was changed (--dry-run)." in tried.stdout
    assert table(place, "objective_version") == []

    done = redfirst(place, "objectives", "import", file)
    assert (done.returncode, done.stderr) == (0, "")
    assert "+ rated: Clients rate our help as good" in done.stdout
    assert "3 objectives read: 3 changed, 0 as before, 0 refused." in done.stdout
    kept = table(place, "objective_version"), table(place, "audit")
    again = redfirst(place, "objectives", "import", file)
    assert again.stdout.endswith("3 objectives read: 0 changed, 3 as before, 0 refused.\n")
    assert (table(place, "objective_version"), table(place, "audit")) == kept

    listed = redfirst(place, "objectives").stdout
    assert "\n  rated: Clients rate our help as good · Desk · owner Lena · csat · decided on 2099-01-31\n" in listed
    assert "  satisfied: Users rate our help as good · every team · csat, nps, survey_return_rate\n" in listed
    assert "One objective is a person's own and shown to that person and their lead only." in listed
    assert "I finish what I begin" not in listed


def test_a_changed_row_is_a_new_version(place: Path) -> None:
    team = team_key(place)
    written(place, "aims.csv", HEAD + TOP + RATED.replace("Desk", team))
    assert redfirst(place, "objectives", "import", "aims.csv").returncode == 0
    written(place, "aims.csv", HEAD + TOP + RATED.replace("Desk", team).replace("all tickets", "every ticket"))
    done = redfirst(place, "objectives", "import", "aims.csv")
    assert "~ rated: scope" in done.stdout
    assert "2 objectives read: 1 changed, 1 as before, 0 refused." in done.stdout
    assert len(table(place, "objective_version")) == 3


def test_the_good_go_in_and_the_others_are_told_with_line_column_found_and_expected(place: Path) -> None:
    rows = (
        TOP
        + RATED.replace("Desk", "dsk")
        + MINE.replace("2099-01-31", "31.1.2099")
        + MINE.replace("mine", "vague", 1).replace("rated", "").replace("my tickets", "")
    )
    done = redfirst(place, "objectives", "import", written(place, "aims.csv", HEAD + rows))
    assert done.returncode == 1
    said = done.stdout
    assert "aims.csv, line 3: column for: found 'dsk', expected the key of a team." in said
    assert "aims.csv, line 4: column decision: found '31.1.2099', expected a date like 2026-03-31." in said
    assert "aims.csv, line 5: It does not say what it covers" in said
    assert "aims.csv, line 5: It supports no other objective" in said
    assert "4 objectives read: 1 changed, 0 as before, 3 refused." in said
    assert "Nobody carries: grow (Clients grow with us)" in said
    assert len(table(place, "objective")) == 1


def test_the_same_as_toml(place: Path) -> None:
    text = (
        '[[objective]]\nkey = "grow"\nlevel = "leadership"\ntitle = "Clients grow with us"\nscope = "all clients"\n'
        'perspective = "financial"\nowner = "zoe"\nproxy = "contracts that grew"\ncadence = "monthly"\n'
        'decision = 2099-01-31\ninfluence = "You ask what they plan."\ntime = "a day"\npeople = "sales"\ntools = "x"\n'
        '\n[[objective]]\nkey = "b"\nlevel = "leadership"\ntitle = "Clients stay with us"\ntarget = 85.5\n'
        'owner = "zo"\n'
    )
    done = redfirst(place, "objectives", "import", written(place, "aims.toml", text))
    assert done.returncode == 1
    assert "+ grow: Clients grow with us" in done.stdout
    expected = "expected the key of a person. Did you mean “zoe”?"
    assert f"aims.toml, line 16: column owner: found 'zo', {expected}" in done.stdout


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("aims.csv", "key,titel,level\n", "aims.csv, line 1: there is no column “titel”. Did you mean “title”?"),
        ("aims.csv", "key,level\n", "aims.csv, line 1: column title is missing."),
        ("aims.csv", "key,title,level\na,b\n", "line 2: found 2 columns, expected 3"),
        ("aims.toml", "objective = 3\n", "is not a list of tables"),
        ("aims.toml", "[[objective]\n", "is not valid TOML"),
        ("aims.toml", '[[objective]]\nkey = ["a"]\n', "aims.toml, line 1: key is ['a']."),
        ("aims.toml", '[[aim]]\nkey = "a"\n', "no setting “aim”"),
        ("aims.xls", "", "neither CSV nor TOML"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(place: Path, name: str, text: str, words: str) -> None:
    done = redfirst(place, "objectives", "import", written(place, name, text))
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert table(place, "objective") == []


def test_keys_of_the_configuration_and_of_closed_objectives_are_not_taken_again(place: Path) -> None:
    file = written(place, "aims.csv", HEAD + TOP.replace("grow,", "margin,", 1))
    done = redfirst(place, "objectives", "import", file)
    assert done.returncode == 1
    assert "column key: found 'margin', expected another: that one is kept in redfirst.toml." in done.stdout
