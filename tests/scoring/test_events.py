"""Logs with several rows a ticket: which row wins, what its events tell, and that later parts add to it."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

import scoring.columns
import scoring.events
import scoring.map_file

MAP = scoring.map_file.parse(
    {
        "source": "desk",
        "ignore_accounts": ["robot"],
        "table": [
            {
                "table": "ticket",
                "shape": "event",
                "group": "no",
                "order": ["n"],
                "columns": {"no": "number", "state": "status"},
                "events": {
                    "at": "at",
                    "column": "state",
                    "actor": "who",
                    "owner": "who",
                    "queue": "team",
                    "tier": "team",
                    "tiers": {"* 2nd": 2, "*": 1},
                    "transitions": {
                        "New": "opened",
                        "Work": "responded",
                        "Wait*": "hold",
                        "Done": "resolved",
                        "Closed": "closed",
                    },
                },
            }
        ],
    },
    "log.toml",
    "log",
)
ENTRY = MAP.tables[0]
Row = tuple[str, str, str, str, str]


def log(*rows: Row, ticket: str = "7") -> pl.DataFrame:
    """Rows of n, day and time, state, who, team."""
    return pl.DataFrame(
        [(ticket, n, f"2026-03-0{at}", state, who or None, team) for n, at, state, who, team in rows],
        schema=dict.fromkeys(("no", "n", "at", "state", "who", "team"), pl.String),
        orient="row",
    )


def reduced(raw: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    done = scoring.events.reduce(raw, ENTRY, MAP)
    tickets = scoring.columns.to_facts(raw[done.rows], ENTRY, MAP).frame
    return scoring.events.told(tickets, done.events), done.events


LIFE: tuple[Row, ...] = (
    ("0", "2 10:00", "New", "", "Desk"),
    ("1", "2 10:10", "Work", "ann", "Desk"),
    ("2", "2 11:00", "Wait for user", "ann", "Desk"),
    ("3", "2 13:00", "Work", "ann", "Desk"),
    ("4", "2 14:00", "Work", "ben", "Desk 2nd"),
    ("5", "2 15:00", "Done", "ben", "Desk 2nd"),
    ("6", "3 09:00", "Work", "ben", "Desk 2nd"),
    ("7", "3 10:00", "Done", "ben", "Desk 2nd"),
    ("8", "4 10:00", "Closed", "robot", "Desk 2nd"),
)


def at(text: str) -> int:
    return int(scoring.columns.times(pl.Series("t", [f"2026-03-0{text}"]), ("iso",), "UTC")[0])


def test_a_life_is_told_from_its_events() -> None:
    tickets, events = reduced(log(*LIFE))
    one = tickets.to_dicts()[0]
    assert [(e["what"], e["actor"]) for e in events.to_dicts()] == [
        ("opened", None),
        ("responded", "desk/ann"),
        ("hold", "desk/ann"),
        ("resumed", "desk/ann"),
        ("assigned", "desk/ben"),
        ("escalated", "desk/ann"),
        ("updated", "desk/ben"),
        ("resolved", "desk/ben"),
        ("reopened", "desk/ben"),
        ("resolved", "desk/ben"),
        ("closed", None),
    ]
    assert one["status"] == "Closed"
    assert (one["opened_at"], one["responded_at"]) == (at("2 10:00"), at("2 10:10"))
    assert (one["resolved_at"], one["closed_at"]) == (at("3 10:00"), at("4 10:00"))
    assert (one["reopens"], one["reopened_at"], one["reassignments"]) == (1, at("3 09:00"), 1)
    assert (one["escalations"], one["escalated_by"], one["tier"]) == (1, "desk/ann", 2)
    assert (one["first_worker"], one["owner"], one["resolver"]) == ("desk/ann", "desk/ben", "desk/ben")
    assert "hold_minutes" not in one, "whose hours count is known where people are"


def test_the_row_with_the_highest_count_wins_wherever_it_stands() -> None:
    rows = [
        ("2", "2 12:00", "Done", "ann", "D"),
        ("10", "2 13:00", "Closed", "ann", "D"),
        ("1", "2 11:00", "New", "", "D"),
    ]
    tickets, _ = reduced(log(*rows))
    assert tickets["status"].to_list() == ["Closed"]


def test_a_counter_of_the_file_wins_over_counted_events() -> None:
    counting = scoring.map_file.parse(
        {
            "source": "desk",
            "table": [
                {
                    "table": "ticket",
                    "shape": "event",
                    "group": "no",
                    "order": ["n"],
                    "columns": {"no": "number", "who": "reopens"},
                    "events": {"at": "at", "column": "state", "transitions": {"Work": "responded", "Done": "resolved"}},
                }
            ],
        },
        "log.toml",
        "log",
    )
    raw = log(("1", "2 10:00", "Done", "0", ""), ("2", "2 11:00", "Work", "0", ""), ("3", "2 12:00", "Done", "0", ""))
    done = scoring.events.reduce(raw, counting.tables[0], counting)
    facts = scoring.columns.to_facts(raw[done.rows], counting.tables[0], counting).frame
    one = scoring.events.told(facts, done.events).to_dicts()[0]
    assert (one["reopens"], one["reopened_at"]) == (0, None)


def test_a_row_without_order_or_ticket_is_told() -> None:
    raw = pl.concat([log(("x", "2 10:00", "New", "", "")), log(("1", "2 10:00", "New", "", ""), ticket="8")])
    raw = pl.concat([raw, raw.head(1).with_columns(pl.lit(None, dtype=pl.String).alias("no"))])
    done = scoring.events.reduce(raw, ENTRY, MAP)
    assert done.rows.to_list() == [1]
    assert done.bad["row"].to_list() == [0, 2]


@settings(deadline=None)
@given(st.permutations(range(len(LIFE))))
def test_the_order_of_rows_in_the_file_does_not_matter(order: list[int]) -> None:
    assert [f.to_dicts() for f in reduced(log(*(LIFE[i] for i in order)))] == [
        f.to_dicts() for f in reduced(log(*LIFE))
    ]


@settings(deadline=None)
@given(st.integers(1, len(LIFE) - 1))
def test_a_log_that_comes_in_two_parts_tells_the_same_dates(cut: int) -> None:
    whole, _ = reduced(log(*LIFE))
    _, first = reduced(log(*LIFE[:cut]))
    raw = log(*LIFE[cut:])
    done = scoring.events.reduce(raw, ENTRY, MAP)
    base = scoring.columns.to_facts(raw[done.rows], ENTRY, MAP).frame
    both = scoring.events.told(base, scoring.events.merged(first, done.events))
    same = ["opened_at", "responded_at", "resolved_at", "closed_at", "status", "resolver", "first_worker", "updated_at"]
    assert both.select(same).to_dicts() == whole.select(same).to_dicts()


@settings(deadline=None)
@given(st.integers(0, len(LIFE)))
def test_a_part_of_a_log_that_comes_twice_adds_nothing(cut: int) -> None:
    _, every = reduced(log(*LIFE))
    assert scoring.events.merged(every, every.head(cut)).sort("seq").to_dicts() == every.sort("seq").to_dicts()
