"""Whose work, in which team, zone and working hours on which day: people as columns, ready for joining."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import polars as pl

import scoring.calendars
import scoring.periods
from scoring.calendars import Calendar
from scoring.people import OFFICE, Hours, Membership, Team

EVER = 1_000_000
"""Days before and after which nothing happens; segments reach from -EVER to EVER."""

NO_TEAM = 0


@dataclass(frozen=True, slots=True, eq=False)
class Directory:
    """Accounts, zones and dated segments of people.

    `accounts`: key, person. `zones`: person, zone (index into `zone_names`). `segments`: person, from_day,
    until_day (exclusive), team, member (whether a membership holds), calendar (index into `calendars`); the
    segments of a person follow each other without a gap. `clients`: client, number. `home`: the zone of
    subjects that are not people. `team` and `calendar`: person, value, for a directory in which nobody ever
    changes it, which makes looking it up cheap.
    """

    accounts: pl.DataFrame
    zones: pl.DataFrame
    segments: pl.DataFrame
    clients: pl.DataFrame
    zone_names: tuple[str, ...]
    calendars: tuple[Calendar, ...]
    team: pl.DataFrame | None
    calendar: pl.DataFrame | None
    home: str = "UTC"


def same(one: Directory, other: Directory) -> bool:
    """Whether two directories tell the same of everybody (frames have no equality of their own)."""
    for field in dataclasses.fields(Directory):
        a, b = getattr(one, field.name), getattr(other, field.name)
        both = isinstance(a, pl.DataFrame) and isinstance(b, pl.DataFrame)
        if not (a.equals(b) if both else type(a) is type(b) and a == b):
            return False
    return True


def build(
    people: Iterable[tuple[int, str, Hours | None]],
    teams: Iterable[Team],
    memberships: Iterable[Membership],
    accounts: Mapping[str, int],
    clients: Mapping[str, int],
    home: str = "UTC",
) -> Directory:
    """A directory from people (id, zone, own hours or None), teams, memberships and linked accounts.

    On a day with two memberships the one that began later counts. Outside memberships a person keeps
    the nearest calendar and belongs to no team.
    """
    team_of = {team.id: team for team in teams}
    held: dict[int, list[Membership]] = defaultdict(list)
    for stay in memberships:
        held[stay.person_id].append(stay)
    zone_index: dict[str, int] = {}
    calendar_index: dict[Calendar, int] = {}
    zones: list[tuple[int, int]] = []
    segments: list[tuple[int, int, int, int, bool, int]] = []
    for person, zone, hours in sorted(people, key=lambda p: p[0]):
        zones.append((person, zone_index.setdefault(zone, len(zone_index))))
        pieces = _pieces(held[person])
        known = [membership for _, _, membership in pieces if membership is not None]
        nearest = known[0] if known else None
        for begin, end, membership in pieces:
            nearest = membership or nearest
            team = team_of.get(nearest.team_id) if nearest else None
            calendar = Calendar(zone, hours or (team.hours if team else OFFICE), team.holidays if team else frozenset())
            index = calendar_index.setdefault(calendar, len(calendar_index))
            number = membership.team_id if membership else NO_TEAM
            segments.append((person, begin, end, number, membership is not None, index))
    days = pl.DataFrame(
        segments,
        schema={
            **dict.fromkeys(("person", "from_day", "until_day", "team"), pl.Int64),
            "member": pl.Boolean, "calendar": pl.Int64,
        },
        orient="row",
    )  # fmt: skip
    return Directory(
        accounts=pl.DataFrame(
            {"key": list(accounts), "person": list(accounts.values())}, schema={"key": pl.String, "person": pl.Int64}
        ),
        zones=pl.DataFrame(zones, schema={"person": pl.Int64, "zone": pl.Int64}, orient="row"),
        segments=days,
        clients=pl.DataFrame(
            {"client": list(clients), "number": list(clients.values())},
            schema={"client": pl.String, "number": pl.Int64},
        ),
        zone_names=tuple(zone_index),
        calendars=tuple(calendar_index),
        team=_unchanging(days, "team"),
        calendar=_unchanging(days, "calendar"),
        home=home,
    )


def _unchanging(segments: pl.DataFrame, column: str) -> pl.DataFrame | None:
    found = segments.group_by("person", maintain_order=True).agg(
        pl.col(column).n_unique().alias("kinds"), pl.col(column).first().alias("value")
    )
    return found.select("person", "value") if found["kinds"].max() in (None, 1) else None


def _pieces(memberships: list[Membership]) -> list[tuple[int, int, Membership | None]]:
    """A person's days cut where a membership begins or ends, each piece with the one that counts."""
    ordered = sorted(memberships, key=lambda m: (m.from_day, m.to_day or EVER, m.team_id))
    cuts = sorted({-EVER, EVER, *(m.from_day for m in ordered), *(m.to_day for m in ordered if m.to_day is not None)})
    pieces: list[tuple[int, int, Membership | None]] = []
    for begin, end in pairwise(cuts):
        found = [m for m in ordered if m.from_day <= begin and (m.to_day is None or begin < m.to_day)]
        pieces.append((begin, end, found[-1] if found else None))
    return pieces


def gather(values: pl.Series, keys: pl.Series, wanted: pl.Series) -> pl.Series:
    """For each wanted key (an integer, nullable) the value beside it, null where there is none."""
    if wanted.is_empty():
        return values.clear()
    table = pl.DataFrame({"key": keys, "value": values})
    return pl.DataFrame({"key": wanted}).join(table, on="key", how="left", maintain_order="left")["value"]


def persons(directory: Directory, accounts: pl.Series) -> pl.Series:
    """The person of each account key, null where it is linked to nobody."""
    if accounts.null_count() == len(accounts):
        return pl.Series([None], dtype=pl.Int64).new_from_index(0, len(accounts))
    found = pl.DataFrame({"key": accounts}).join(directory.accounts, on="key", how="left", maintain_order="left")
    return found["person"]


def local_days(directory: Directory, people: pl.Series, instants: pl.Series) -> pl.Series:
    """The local day of each instant (UTC seconds) in the zone of the person beside it, null where either is."""
    if instants.null_count() == len(instants):
        return instants.cast(pl.Int64)
    if len(directory.zone_names) == 1:
        days = zone_days(directory.zone_names[0], instants)
        return days.set(people.is_null(), None)
    zone = gather(directory.zones["zone"], directory.zones["person"], people)
    low, high = _reach(instants)
    found: pl.Expr = pl.lit(None, pl.Int64)
    for index in zone.unique().drop_nulls().sort():
        found = pl.when(pl.col("zone") == index).then(_day(directory.zone_names[index], low, high)).otherwise(found)
    table = pl.DataFrame({"at": instants.cast(pl.Int64), "zone": zone})
    return table.with_columns(found.alias("day"))["day"].alias(instants.name)  # null for each where nobody is known


def zone_days(zone: str, instants: pl.Series) -> pl.Series:
    """The local day of each instant (UTC seconds, nullable) in one zone."""
    if instants.null_count() == len(instants):
        return instants.cast(pl.Int64)
    return pl.DataFrame({"at": instants.cast(pl.Int64)}).select(_day(zone, *_reach(instants))).to_series()


def _reach(instants: pl.Series) -> tuple[int, int]:
    """Two instants, one from a few, before and after all of these, of which one at least is known."""
    low, high = instants.min(), instants.max()
    assert isinstance(low, int)  # noqa: S101  for the type checker
    assert isinstance(high, int)  # noqa: S101
    block = 512 * 86_400
    return low // block * block, (high // block + 1) * block


@lru_cache(maxsize=512)
def _day(zone: str, low: int, high: int) -> pl.Expr:
    """The local day of the instant in column `at`, which lies between two others: made once, as it takes long."""
    found = scoring.calendars.offsets(zone, low, high)
    offset = pl.lit(found[0][1], pl.Int64)
    for (_, before), (begin, after) in pairwise(found):
        offset = offset + (pl.col("at") >= begin).cast(pl.Int64) * (after - before)
    return (pl.col("at") + offset).floordiv(86_400)


def business_minutes(directory: Directory, people: pl.Series, starts: pl.Series, ends: pl.Series) -> pl.Series:
    """Working minutes between two columns of instants by the calendar of each person on the day of the end.

    Float64; null where person, start or end is null; 0 where the end is not after the start.
    """
    result = pl.Series([None], dtype=pl.Float64).new_from_index(0, len(starts))
    if people.is_empty() or starts.null_count() == len(starts) or ends.null_count() == len(ends):
        return result
    calendar = calendars_on(directory, people, local_days(directory, people, ends))
    for index in calendar.unique().drop_nulls().sort():
        mine = (calendar == index).fill_null(False)
        rows = mine.arg_true()
        minutes = scoring.calendars.business_minutes_between(
            directory.calendars[index], starts.gather(rows), ends.gather(rows)
        )
        result = result.scatter(rows, minutes)
    return result


def calendars_on(directory: Directory, people: pl.Series, days: pl.Series) -> pl.Series:
    """The calendar (index) of each person on each day."""
    if len(directory.calendars) == 1:
        return (
            pl.Series([0], dtype=pl.Int64).new_from_index(0, len(people)).set(people.is_null() | days.is_null(), None)
        )
    return _on_day(directory, people, days, "calendar")


def teams_on(directory: Directory, people: pl.Series, days: pl.Series) -> pl.Series:
    """The team of each person on each day; NO_TEAM where none."""
    return _on_day(directory, people, days, "team").fill_null(NO_TEAM)


def _on_day(directory: Directory, people: pl.Series, days: pl.Series, column: str) -> pl.Series:
    if people.is_empty():
        return pl.Series([], dtype=pl.Int64)
    fixed = directory.team if column == "team" else directory.calendar
    if fixed is not None:
        return gather(fixed["value"], fixed["person"], people).set(days.is_null(), None)
    asked = pl.DataFrame({"person": people, "day": days}).with_row_index("row")
    found = (
        asked.lazy()
        .join(directory.segments.lazy(), on="person", how="inner")
        .filter((pl.col("day") >= pl.col("from_day")) & (pl.col("day") < pl.col("until_day")))
        .select("row", pl.col(column).alias("value"))
    )
    return asked.lazy().select("row").join(found, on="row", how="left", maintain_order="left").collect()["value"]


def business_deadlines(directory: Directory, people: pl.Series, starts: pl.Series, minutes: float) -> pl.Series:
    """The instant by which so many working minutes of each person have passed since a start, null where unknown."""
    result = pl.Series([None], dtype=pl.Int64).new_from_index(0, len(starts))
    if people.is_empty():
        return result
    calendar = calendars_on(directory, people, local_days(directory, people, starts))
    for index in calendar.unique().drop_nulls().sort():
        rows = (calendar == index).fill_null(False).arg_true()
        result = result.scatter(rows, _deadlines(directory.calendars[index], starts.gather(rows), round(minutes * 60)))
    return result


def _deadlines(calendar: Calendar, starts: pl.Series, seconds: int) -> pl.Series:
    low, high = starts.min(), starts.max()
    if not isinstance(low, int) or not isinstance(high, int):
        return starts.cast(pl.Int64)
    block = 128
    table = scoring.calendars.cumulative(
        calendar, (low // 86_400 - 1) // block * block, ((high // 86_400 + 370) // block + 1) * block
    )
    if table.is_empty():
        return pl.Series([None], dtype=pl.Int64).new_from_index(0, len(starts))
    asked = pl.DataFrame({"at": starts})
    row = (table["start"].search_sorted(asked["at"].fill_null(low), side="right").cast(pl.Int64) - 1).clip(
        lower_bound=0
    )
    here = table[row]
    reached = asked.select(
        here["before"] + (pl.min_horizontal("at", here["end"]) - here["start"]).clip(lower_bound=0) + seconds
    ).to_series()
    at = (table["before"].search_sorted(reached, side="left").cast(pl.Int64) - 1).clip(lower_bound=0)
    then = table[at]
    found = then["start"] + reached - then["before"]
    return found.set((found > then["end"]) | starts.is_null(), None)


def weekly_minutes(directory: Directory) -> pl.Series:
    """Working minutes of an ordinary week, by calendar."""
    return pl.Series(
        [sum(end - start for spans in c.hours.spans for start, end in spans) for c in directory.calendars],
        dtype=pl.Int64,
    )
