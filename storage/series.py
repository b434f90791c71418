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
    Select,
    Table,
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
from storage.models import client_number, membership, metric, person, rollup, rollup_week

WEEKS = 13

_BASE = -1_000_000

_Columns = Any
"""Those of `rollup`, or of `rollup_week`, whose day is a Monday and where a week's days are added up."""
_Of = Callable[[_Columns], ColumnElement[Any]]


def _day(name: str) -> Any:
    return bindparam(name, type_=Integer)


def _bucket(of: _Columns) -> ColumnElement[Any]:
    return case((of.day < _day("low"), literal(_BASE, Integer)), else_=of.day - (of.day + 3) % 7)


def _stage(of: _Columns) -> ColumnElement[Any]:
    """Before both periods, in the one before, in the period, after it."""
    return case(
        (of.day < _day("first_before"), 0), (of.day < _day("first"), 1), (of.day <= _day("last"), 2), else_=3
    )


def _select(kept: Table, named: str, moments: bool, who: _Of, keys: Sequence[_Of]) -> Select[Any]:
    """Sums by metric and the keys, of flows over some days or of stocks up to a day, and sums times day."""
    of = kept.c
    by = [metric.c.name, *(key(of) for key in keys)]
    sums = [func.sum(column).cast(BigInteger) for column in (of.num, of.den, of.n, of.ss)]
    times: list[ColumnElement[Any]] = [literal_column("0")] * 4
    if moments:
        times = [func.sum(column * of.day).cast(BigInteger) for column in (of.num, of.den, of.n, of.ss)]
    days = of.day <= _day("until") if moments else of.day.between(_day("low"), _day("high"))
    # metrics by name, so that a card takes one statement; the join finds them first, then their rows by key
    joined = metric.join(kept, of.metric_id == metric.c.id)
    chosen = metric.c.name.in_(bindparam(named, expanding=True))
    return select(*by, *sums, *times).select_from(joined).where(who(of), chosen, days).group_by(*by)


def _pieces(who: _Of, *keys: _Of) -> dict[str, Executable]:
    """Statements for sums by metric and the keys: of flows, from days or from weeks, and of flows and stocks."""
    stocks = _select(rollup, "stocks", True, who, keys)
    days, weeks = (_select(kept, "flows", False, who, keys) for kept in (rollup, rollup_week))
    return {"days": days, "weeks": weeks, "days and stocks": union_all(days, stocks),
            "weeks and stocks": union_all(weeks, stocks)}  # fmt: skip


def _subject(of: _Columns) -> ColumnElement[Any]:
    column: ColumnElement[Any] = of.subject_id.label("subject")
    return column


def _team(of: _Columns) -> ColumnElement[Any]:
    column: ColumnElement[Any] = of.team_id
    return column


_IN_TEAM = select(membership.c.person_id).where(membership.c.team_id == bindparam("team"))
_WHO: dict[str, _Of] = {
    "person": lambda of: of.subject_id == bindparam("subject", type_=Integer),
    "team": lambda of: of.subject_id.in_(_IN_TEAM) & (of.team_id == bindparam("team")),
    "people": lambda of: of.subject_id.in_(select(person.c.id)),
    "clients": lambda of: of.subject_id.in_(select(client_number.c.id)),
}
_SERIES = {name: _pieces(who, _bucket, _stage) for name, who in _WHO.items()}
_BEHIND = {name: _pieces(who, _subject, _stage) for name, who in _WHO.items() if name != "person"}
_TEAMS: Any = bindparam("teams", expanding=True)
_OF_TEAMS = select(membership.c.person_id).where(membership.c.team_id.in_(_TEAMS))
_CELLS = _pieces(lambda of: of.subject_id.in_(_OF_TEAMS) & of.team_id.in_(_TEAMS), _team, _subject, _bucket)
_PACKED = Prepared(text("""
    WITH span (first, last) AS MATERIALIZED (
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(:spans)
    ), who (id, low, high) AS (SELECT :subject, :low, :high)
    SELECT m.name, (
        SELECT json_group_array(json_array(w.day, w.num, w.den, w.n, w.ss)) FROM rollup_week AS w
        WHERE w.subject_id = who.id AND w.metric_id = m.id AND w.day BETWEEN who.low AND who.high
    ), (
        SELECT json_group_array((
            SELECT json_array(sum(r.num), sum(r.den), sum(r.n), sum(r.ss)) FROM rollup AS r
            WHERE r.subject_id = who.id AND r.metric_id = m.id AND r.day BETWEEN span.first AND span.last
        )) FROM span
    ) FROM who CROSS JOIN metric AS m WHERE m.name IN (SELECT value FROM json_each(:flows))
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
    return _read(one, before, within, asked.period.first, min(asked.period.last, asked.until))


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
        weeks.append((monday, _read(one, level, within, monday, min(monday + 6, asked.until))))
        level = _plus(level, within) if _stock(one) else level
    before, within = _total(pieces, lambda _, stage: stage < 1), _total(pieces, lambda _, stage: stage == 1)
    earlier = _read(one, before, within, asked.earlier.first, asked.earlier.last)
    as_of = asked.until if _stock(one) and asked.until < asked.mondays[-1] + 6 else None
    return Series(_in_period(one, pieces, asked), earlier, tuple(weeks), people=people, as_of=as_of)


@dataclass(frozen=True, slots=True)
class Asked:
    """A period, the one before, the weeks of the trend, and the days as parameters.

    `until` is the last day that stocks are told of: what stands open will have aged by Sunday, and may be closed.
    `of_weeks`: both periods are made of whole weeks, so that the rollups of weeks tell all about flows.
    """

    period: Period
    earlier: Period
    mondays: tuple[int, ...]
    days: dict[str, int]
    until: int

    @property
    def of_weeks(self) -> bool:
        return _of_weeks(self.period) and _of_weeks(self.earlier)


def _asked(period: Period, today: int | None) -> Asked:
    earlier = scoring.periods.previous(period)
    mondays = scoring.periods.weeks_up_to(period, WEEKS)
    days = {
        "low": min(mondays[0], scoring.periods.monday(earlier.first)), "high": mondays[-1] + 6,
        "first_before": earlier.first, "first": period.first, "last": period.last,
    }  # fmt: skip
    last = days["high"]
    return Asked(period, earlier, mondays, days, last if today is None else min(last, today))


def _stock(one: Metric) -> bool:
    return bool(one.numerator.until or one.denominator.until)


async def _rows(
    db: Db, statements: dict[str, Executable], metrics: Sequence[Metric], values: dict[str, Any], until: int, *,
    weeks: bool,
) -> Sequence[Any]:  # fmt: skip
    stocks = [one.name for one in metrics if _stock(one)]
    named: dict[str, Any] = {"flows": [one.name for one in metrics if not _stock(one)]}
    if stocks:
        named |= {"stocks": stocks, "until": until}
    kept = "weeks" if weeks else "days"
    return (await db.execute(statements[f"{kept} and stocks" if stocks else kept], values | named)).all()


async def person_series(
    db: Db, person_id: int, metrics: Sequence[Metric], period: Period, today: int | None = None
) -> dict[str, Series]:
    """What a person's rollups say of each metric over a period, by name; metrics without facts are empty sums.

    With `today`, stocks of a period that is not over are those of today.
    """
    asked = _asked(period, today)
    if db.dialect.name == "sqlite" and not any(_stock(one) for one in metrics):  # nothing that came before counts
        return await _packed(db, person_id, metrics, asked)
    found: dict[str, _Pieces] = defaultdict(dict)
    values = {**asked.days, "subject": person_id}
    for row in await _rows(db, _SERIES["person"], metrics, values, asked.until, weeks=asked.of_weeks):
        found[row[0]][(row[1], row[2])] = _Piece(*row[3:])
    return {one.name: _series(one, found[one.name], asked) for one in metrics}


_Weeks = dict[int, Sums]
"""By Monday; weeks without facts are not there."""
_NO_WEEKS: _Weeks = {}


def _of_weeks(period: Period) -> bool:
    """Whether the period is made of whole ISO weeks."""
    return period.first == scoring.periods.monday(period.first) and (period.last + 1 - period.first) % 7 == 0


def _by_week(rows: Sequence[Sequence[int]]) -> _Weeks:
    """Sums by Monday; somebody who changed teams has several rows in a week."""
    weeks = {monday: Sums(num, den, n, ss) for monday, num, den, n, ss in rows}
    if len(weeks) == len(rows):
        return weeks
    weeks = {}
    for monday, num, den, n, ss in rows:
        sums = Sums(num, den, n, ss)
        weeks[monday] = weeks[monday] + sums if monday in weeks else sums
    return weeks


def _over(weeks: _Weeks, period: Period) -> Sums:
    """Of a period of whole weeks."""
    if period.last - period.first == 6:
        return weeks.get(period.first, NOTHING)
    return sum((weeks[monday] for monday in range(period.first, period.last, 7) if monday in weeks), NOTHING)


def _weeks_told(weeks: _Weeks, asked: Asked) -> tuple[tuple[int, Sums], ...]:
    if tuple(weeks) == asked.mondays:
        return tuple(weeks.items())
    return tuple([(monday, weeks.get(monday, NOTHING)) for monday in asked.mondays])


async def _packed(db: Db, person_id: int, metrics: Sequence[Metric], asked: Asked) -> dict[str, Series]:
    """The same on SQLite, and for periods whose ends lie within weeks, which are added up from their days.

    SQLite sorts what it groups, row by row, and each row takes its time to be handed over; so weeks are read
    as they lie by their key, and packed as JSON: a fifth of the time of the grouping statement.
    """
    cut = [one for one in (asked.period, asked.earlier) if not _of_weeks(one)]
    spans = json.dumps([(one.first, one.last) for one in cut])
    values = {"spans": spans, "subject": person_id, "low": asked.days["low"], "high": asked.days["high"]}
    values["flows"] = json.dumps([one.name for one in metrics])
    packed = await _PACKED.rows(db, values)
    told = json.loads(f"[{','.join([f'[{weeks},{days}]' for _, weeks, days in packed])}]")
    found = {row[0]: both for row, both in zip(packed, told, strict=True)}
    series: dict[str, Series] = {}
    for one in metrics:
        rows, sums = found.get(one.name, ((), ()))
        weeks = _by_week(rows)
        days = {each.key: _summed(some) for each, some in zip(cut, sums, strict=False)}
        period = days.get(asked.period.key) or _over(weeks, asked.period)
        earlier = days.get(asked.earlier.key) or _over(weeks, asked.earlier)
        series[one.name] = Series(period, earlier, _weeks_told(weeks, asked))
    return series


def _summed(found: Sequence[int | None]) -> Sums:
    """SQLite's word for a sum over nothing is null."""
    num, den, n, ss = found
    return NOTHING if num is None or den is None or n is None or ss is None else Sums(num, den, n, ss)


async def team_series(
    db: Db, team_id: int | None, metrics: Sequence[Metric], period: Period, today: int | None = None
) -> dict[str, Series]:
    """The same for a team (whoever was in it on each day), or for the whole organisation without one.

    `people` are the persons (clients) with a denominator in the period. Metrics about clients have no team.
    """
    asked = _asked(period, today)
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
        for row in await _rows(db, _SERIES[group], chosen, values, asked.until, weeks=asked.of_weeks):
            whole[row[0]][(row[1], row[2])] = _Piece(*row[3:])
        each: dict[str, dict[int, _Pieces]] = defaultdict(lambda: defaultdict(dict))
        for row in await _rows(db, _BEHIND[group], chosen, values, asked.until, weeks=asked.of_weeks):
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
    values = {"low": monday, "high": end, "teams": list(team_ids)}
    for row in await _rows(db, _CELLS, metrics, values, end, weeks=True):
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
