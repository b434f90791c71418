"""Reading rollups: one prebuilt statement a card, whose answer is few rows whatever the number of tickets."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Executable,
    Integer,
    and_,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    select,
    text,
    union_all,
)

import scoring.periods
from scoring.metrics import NOTHING, Metric, Series, Shape, Sums
from scoring.periods import Period
from scoring.privacy import Cell
from storage.db import Db, Prepared
from storage.models import client_number, membership, metric, person, rollup

WEEKS = 13

_R = rollup.c
_SUMS = (_R.num, _R.den, _R.n, _R.ss)
_BASE = -1_000_000


def _day(name: str) -> Any:
    return bindparam(name, type_=Integer)


_BUCKET = case((_R.day < _day("low"), literal(_BASE, Integer)), else_=_R.day - (_R.day + 3) % 7)
_STAGE = case(
    (_R.day < _day("first_before"), 0), (_R.day < _day("first"), 1), (_R.day <= _day("last"), 2), else_=3
)  # before both periods, in the one before, in the period, after it

_TOTALS = [func.sum(column).cast(BigInteger) for column in _SUMS]
_MOMENTS = [func.sum(column * _R.day).cast(BigInteger) for column in _SUMS]
_NO_MOMENTS: list[ColumnElement[Any]] = [literal_column("0")] * 4

# metrics by name, so that a card takes one statement; the join finds them first, then their rows by key
_FROM = metric.join(rollup, _R.metric_id == metric.c.id)
_FLOWS = and_(metric.c.name.in_(bindparam("flows", expanding=True)), _R.day.between(_day("low"), _day("high")))
_STOCKS = and_(metric.c.name.in_(bindparam("stocks", expanding=True)), _R.day <= _day("high"))


def _pieces(who: ColumnElement[bool], *keys: ColumnElement[Any]) -> dict[str, Executable]:
    """Statements for sums by metric, the keys, week and stage: of flows, and of flows and stocks."""
    by = [metric.c.name, *keys]
    flows = select(*by, *_TOTALS, *_NO_MOMENTS).select_from(_FROM).where(who, _FLOWS).group_by(*by)
    stocks = select(*by, *_TOTALS, *_MOMENTS).select_from(_FROM).where(who, _STOCKS).group_by(*by)
    return {"flows": flows, "both": union_all(flows, stocks)}


_SUBJECT = _R.subject_id.label("subject")
_MEMBERS = _R.subject_id.in_(select(membership.c.person_id).where(membership.c.team_id == bindparam("team")))
_WHO: dict[str, ColumnElement[bool]] = {
    "person": _R.subject_id == bindparam("subject", type_=Integer),
    "team": _MEMBERS & (_R.team_id == bindparam("team")),
    "people": _R.subject_id.in_(select(person.c.id)),
    "clients": _R.subject_id.in_(select(client_number.c.id)),
}
_SERIES = {name: _pieces(who, _BUCKET, _STAGE) for name, who in _WHO.items()}
_BEHIND = {name: _pieces(who, _SUBJECT, _STAGE) for name, who in _WHO.items() if name != "person"}
_OF_TEAMS = select(membership.c.person_id).where(membership.c.team_id.in_(bindparam("teams", expanding=True)))
_CELLS = _pieces(
    _R.subject_id.in_(_OF_TEAMS) & _R.team_id.in_(bindparam("teams", expanding=True)), _R.team_id, _SUBJECT, _BUCKET
)
_BY_SPAN = Prepared(text("""
    WITH span (first, last) AS MATERIALIZED (
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(:spans)
    ), who (id) AS (SELECT :subject)
    SELECT json_group_object(m.name, json((
        SELECT json_group_array((
            SELECT json_array(sum(r.num), sum(r.den), sum(r.n), sum(r.ss)) FROM rollup AS r
            WHERE r.subject_id = who.id AND r.metric_id = m.id AND r.day BETWEEN span.first AND span.last
        )) FROM span
    ))) FROM who CROSS JOIN metric AS m WHERE m.name IN (SELECT value FROM json_each(:flows))
"""))
_CONNECTED = select(metric.c.name).where(metric.c.connected)


class _Piece(NamedTuple):
    """Sums, and sums times day, of the rollup rows in one bucket."""

    num: int
    den: int
    n: int
    ss: int
    num_day: int
    den_day: int
    n_day: int
    ss_day: int


_NO_PIECE = _Piece(0, 0, 0, 0, 0, 0, 0, 0)


def _plus(one: _Piece, other: _Piece) -> _Piece:
    return _Piece(*(a + b for a, b in zip(one, other, strict=True)))


_Pieces = dict[tuple[int, int], _Piece]
"""By week (Monday, or _BASE for all that came before) and stage; in that order they follow each other in time."""


def _read(one: Metric, before: _Piece, within: _Piece, first: int, last: int) -> Sums:
    """Sums of days `first` to `last` from what came before them and what changed within.

    A flow is what happened within; a level is all up to the last day; days are the level of each day added up.
    """
    if not _stock(one):
        return Sums(within.num, within.den, within.n, within.ss)

    def side(shape: Shape, was: int, came: int, moment: int) -> int:
        if shape == "flow":
            return came
        return was + came if shape == "level" else was * (last - first + 1) + came * (last + 1) - moment

    up, down = one.numerator.shape, one.denominator.shape
    return Sums(
        side(up, before.num, within.num, within.num_day),
        side(down, before.den, within.den, within.den_day),
        side(down, before.n, within.n, within.n_day),
        side(up, before.ss, within.ss, within.ss_day),
    )


def _total(pieces: _Pieces, keep: Callable[[int, int], bool]) -> _Piece:
    found = [piece for (week, stage), piece in pieces.items() if keep(week, stage)]
    return _Piece(*map(sum, zip(*found, strict=True))) if found else _NO_PIECE


def _in_period(one: Metric, pieces: _Pieces, asked: Asked) -> Sums:
    before, within = _total(pieces, lambda _, stage: stage < 2), _total(pieces, lambda _, stage: stage == 2)
    return _read(one, before, within, asked.period.first, asked.period.last)


def _series(one: Metric, pieces: _Pieces, asked: Asked, people: int = 1) -> Series:
    by_week: dict[int, _Piece] = {}
    level = _NO_PIECE
    for (week, _), piece in pieces.items():
        if week < asked.mondays[0]:
            level = _plus(level, piece)
        else:
            by_week[week] = _plus(by_week[week], piece) if week in by_week else piece
    weeks: list[tuple[int, Sums]] = []
    for monday in asked.mondays:
        within = by_week.get(monday, _NO_PIECE)
        weeks.append((monday, _read(one, level, within, monday, monday + 6)))
        level = _plus(level, within) if _stock(one) else level
    before, within = _total(pieces, lambda _, stage: stage < 1), _total(pieces, lambda _, stage: stage == 1)
    earlier = _read(one, before, within, asked.earlier.first, asked.earlier.last)
    return Series(_in_period(one, pieces, asked), earlier, tuple(weeks), people=people)


@dataclass(frozen=True, slots=True)
class Asked:
    """A period, the one before, the weeks of the trend, and the days as parameters."""

    period: Period
    earlier: Period
    mondays: tuple[int, ...]
    days: dict[str, int]


def _asked(period: Period) -> Asked:
    earlier = scoring.periods.previous(period)
    mondays = scoring.periods.weeks_up_to(period, WEEKS)
    days = {
        "low": min(mondays[0], scoring.periods.monday(earlier.first)), "high": mondays[-1] + 6,
        "first_before": earlier.first, "first": period.first, "last": period.last,
    }  # fmt: skip
    return Asked(period, earlier, mondays, days)


def _stock(one: Metric) -> bool:
    return bool(one.numerator.until or one.denominator.until)


async def _rows(
    db: Db, statements: dict[str, Executable], metrics: Sequence[Metric], values: dict[str, Any]
) -> Sequence[Any]:
    stocks = [one.name for one in metrics if _stock(one)]
    named = {"flows": [one.name for one in metrics if not _stock(one)]} | ({"stocks": stocks} if stocks else {})
    return (await db.execute(statements["both" if stocks else "flows"], values | named)).all()


async def person_series(db: Db, person_id: int, metrics: Sequence[Metric], period: Period) -> dict[str, Series]:
    """What a person's rollups say of each metric over a period, by name; metrics without facts are empty sums."""
    asked = _asked(period)
    if db.dialect.name == "sqlite" and not any(_stock(one) for one in metrics):
        return await _flows(db, person_id, metrics, asked)
    found: dict[str, _Pieces] = defaultdict(dict)
    for row in await _rows(db, _SERIES["person"], metrics, {**asked.days, "subject": person_id}):
        found[row[0]][(row[1], row[2])] = _Piece(*row[3:])
    return {one.name: _series(one, found[one.name], asked) for one in metrics}


async def _flows(db: Db, person_id: int, metrics: Sequence[Metric], asked: Asked) -> dict[str, Series]:
    """The same by a sum for each week, where nothing before it counts.

    SQLite sorts what it groups, row by row, but finds the days of a week by their key and packs the answer
    as JSON: half the time of the grouping statement, which remains for stocks and for other databases.
    """
    spans = [(monday, monday + 6) for monday in asked.mondays]
    spans += [span for one in (asked.period, asked.earlier) if (span := (one.first, one.last)) not in spans]
    values = {"spans": json.dumps(spans), "subject": person_id, "flows": json.dumps([one.name for one in metrics])}
    found = json.loads((await _BY_SPAN.rows(db, values))[0][0])
    period, before = (spans.index((one.first, one.last)) for one in (asked.period, asked.earlier))
    series: dict[str, Series] = {}
    for one in metrics:
        rows = found.get(one.name) or [[None] * 4] * len(spans)
        told = [Sums(num, den, n, ss) if den is not None else NOTHING for num, den, n, ss in rows]
        weeks = tuple(zip(asked.mondays, told, strict=False))  # which come first
        series[one.name] = Series(told[period], told[before], weeks)
    return series


async def team_series(db: Db, team_id: int | None, metrics: Sequence[Metric], period: Period) -> dict[str, Series]:
    """The same for a team (whoever was in it on each day), or for the whole organisation without one.

    `people` are the persons (clients) with a denominator in the period. Metrics about clients have no team.
    """
    asked = _asked(period)
    series: dict[str, Series] = {one.name: _series(one, {}, asked, 0) for one in metrics}
    of_people = [one for one in metrics if one.subject == "person"]
    groups = {"people" if team_id is None else "team": of_people}
    if team_id is None:
        groups["clients"] = [one for one in metrics if one.subject == "client"]
    values: dict[str, Any] = {**asked.days} if team_id is None else {**asked.days, "team": team_id}
    for group, chosen in groups.items():
        if not chosen:
            continue
        whole: dict[str, _Pieces] = defaultdict(dict)
        for row in await _rows(db, _SERIES[group], chosen, values):
            whole[row[0]][(row[1], row[2])] = _Piece(*row[3:])
        each: dict[str, dict[int, _Pieces]] = defaultdict(lambda: defaultdict(dict))
        for row in await _rows(db, _BEHIND[group], chosen, values):
            each[row[0]][row[1]][(_BASE, row[2])] = _Piece(*row[3:])
        for one in chosen:
            people = sum(_in_period(one, pieces, asked).den > 0 for pieces in each[one.name].values())
            series[one.name] = _series(one, whole[one.name], asked, people)
    return series


async def team_cells(
    db: Db, team_ids: Sequence[int], metrics: Sequence[Metric], first: int, last: int
) -> dict[str, list[Cell]]:
    """Every team and ISO week with a denominator between two days, by metric: sums and how many people stand behind."""
    monday, end = scoring.periods.monday(first), scoring.periods.monday(last) + 6
    each: dict[tuple[str, int, int], dict[int, _Piece]] = defaultdict(dict)
    for row in await _rows(db, _CELLS, metrics, {"low": monday, "high": end, "teams": list(team_ids)}):
        each[(row[0], row[1], row[2])][row[3]] = _Piece(*row[4:])
    named = {one.name: one for one in metrics}
    told: dict[tuple[str, int, int], list[Sums]] = defaultdict(list)
    for (name, team, _), weeks in each.items():
        one = named[name]
        level = weeks.get(_BASE, _NO_PIECE)
        for week in range(monday, end, 7) if _stock(one) else sorted(weeks):
            within = weeks.get(week, _NO_PIECE)
            told[(name, team, week)].append(_read(one, level, within, week, week + 6))
            level = _plus(level, within) if _stock(one) else level
    found: dict[str, list[Cell]] = {one.name: [] for one in metrics}
    for (name, team, week), sums in sorted(told.items()):
        behind = [one.den for one in sums if one.den > 0]
        if behind:
            found[name].append(Cell(team, week, len(behind), max(behind), sum(sums, NOTHING)))
    return found


async def connected(db: Db) -> set[str]:
    """Names of the metrics whose denominators ever had facts."""
    return set((await db.execute(_CONNECTED)).scalars())
