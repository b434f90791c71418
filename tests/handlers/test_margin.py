"""The margin in what leadership reads: where contracts and costs are connected, and nowhere else."""

from __future__ import annotations

import polars as pl

import scoring.periods
from tests.handlers import desk as small
from tests.handlers.desk import Desk, words
from tests.handlers.test_digests import due, make, told

JULY = scoring.periods.previous(scoring.periods.month(small.TODAY))
JUNE = scoring.periods.previous(JULY)


async def contracts(desk: Desk, *values: str, money: str = "GBP") -> None:
    names = [f"client {number}" for number in range(len(values))]
    await desk.put("client", pl.DataFrame({"id": names, "name": names, "contract_value": values, "currency": money}))


async def spend(desk: Desk, *rows: tuple[str, int, str], money: str = "GBP") -> None:
    """(kind, day, amount) each."""
    made = [
        {"id": f"{kind}{day}{money}", "day": day, "amount": amount, "currency": money, "kind": kind}
        for kind, day, amount in rows
    ]
    await desk.put("cost", pl.DataFrame(made))


async def read(desk: Desk, day: int = small.THIS_WEEK) -> str:
    """What leadership is told of the month before a day."""
    await make(desk, due("leadership_digest", "desk", cadence="monthly", day=day))
    return words((await told(desk))[small.account("zoe")])


async def test_leadership_reads_the_margin_once_contracts_and_costs_are_connected(desk: Desk) -> None:
    await contracts(desk, "90000.00", "30000.00", money="gbp")
    rows = [("labour", JULY.first, "5860.55"), ("licence", JULY.last, "999.45"), ("labour", JUNE.first, "5650.00")]
    await spend(desk, *rows, ("licence", JUNE.last, "1000.00"), ("labour", JULY.last + 1, "7.00"))
    text = await read(desk)
    assert "31.4 % (GBP), −2.1 points on the month before" in text
    assert "A twelfth of the yearly contract value counts each month." in text


async def test_the_margin_is_not_connected_while_costs_or_contract_values_are_not(sqlite_desk: Desk) -> None:
    assert "Margin: not connected" in await read(sqlite_desk)
    await spend(sqlite_desk, ("labour", JULY.first, "5000.00"))
    assert "Margin: not connected" in await read(sqlite_desk)


async def test_a_month_without_costs_says_so(sqlite_desk: Desk) -> None:
    await contracts(sqlite_desk, "120000.00")
    await spend(sqlite_desk, ("labour", JUNE.first, "5000.00"))
    assert "Margin: no costs for July yet" in await read(sqlite_desk)


async def test_the_quarterly_checkpoint_names_the_margin_of_the_quarter(desk: Desk) -> None:
    await contracts(desk, "120000.00")
    months = [(4, "4000"), (5, "5000"), (6, "3000")]
    await spend(desk, *(("labour", scoring.periods.from_key(f"2026-0{n}").first, amount) for n, amount in months))
    text = await read(desk, JULY.first + 2)
    checkpoint = next(line for line in text.splitlines() if "Quarterly checkpoint" in line)
    assert checkpoint.endswith("; margin: 60.0 % (GBP)")
    assert "70.0 % (GBP), +20.0 points on the month before" in text


async def test_nobody_but_leadership_is_told_a_margin(sqlite_desk: Desk) -> None:
    desk, team = sqlite_desk, f"team:{sqlite_desk.teams['help-desk']}"
    await contracts(desk, "120000.00")
    await spend(desk, ("labour", JULY.first, "5000.00"))
    await make(desk, due("lead_digest", team, cadence="monthly"))
    await make(desk, due("team_digest", team, to="slack:C9", cadence="monthly"))
    await make(desk, due("desk_page", "desk", to="slack:C1", cadence="monthly"))
    assert not [to for to, card in (await told(desk)).items() if "margin" in words(card).lower()]
    assert "50.0 % (GBP)" in await read(desk)
