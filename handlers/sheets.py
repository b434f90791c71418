"""From rollups to a scorecard sheet: the one path that every card about figures takes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import cards.distortions
import cards.notice
import cards.people
import scoring.baselines
import scoring.distortions
import scoring.periods
import scoring.pilots
import scoring.scorecards
import storage.distortions
import storage.loads
import storage.nudges
import storage.people
import storage.rules
import storage.scores
import storage.series
from cards.scorecards import Sheet
from handlers.call import Ctx
from scoring.metrics import Level, Metric, Series
from scoring.people import Membership, Person
from scoring.periods import Period
from scoring.refused import Refused
from scoring.rules import Rubric, Rules
from scoring.scorecards import Reading, Score
from storage.scores import Frozen


def today(ctx: Ctx, zone: str) -> int:
    """The local day as days since 1970-01-01."""
    return scoring.periods.day_of(scoring.periods.today(ctx.now, zone))


def period(text: str, here: int) -> Period:
    """What a person means by `text` seen from their day `here`; no text is the week that yesterday was in."""
    if not text.strip():
        return scoring.periods.week(here - 1)
    return scoring.periods.parse(text, scoring.periods.date_of(here))


def from_key(key: str, here: int) -> Period:
    """The period of a button. Raises Refused for one that has not begun, whatever the button says."""
    found = scoring.periods.from_key(key) if key else period("", here)
    if found.first > here:
        raise Refused(f"{found.label} has not begun yet.", "Ask for a period up to today.")
    return found


def _held(person: Person, asked: Period) -> Membership | None:
    """The person's last membership in the period: whose role and tier the rubric goes by."""
    for held in reversed(person.memberships):
        if held.from_day <= asked.last and (held.to_day is None or held.to_day > asked.first):
            return held
    return None


async def rubric_of(ctx: Ctx, person: Person, asked: Period) -> Rubric:
    """The rubric that holds for a person in a period. Raises Refused where the period is not theirs."""
    held = _held(person, asked)
    if held is None:
        raise Refused(f"There was no place in a team in {asked.label}.", "Ask for a period in which there was one.")
    try:
        found = scoring.scorecards.choose_rubric(ctx.rules, "person", held.role, held.tier, held.team_key, asked.last)
    except Refused:
        if held.role in ("technician", "coordinator"):
            raise
        desk = cards.notice.command(ctx.rules.commands, "redfirst", "desk")
        team = cards.notice.command(ctx.rules.commands, "teamscore")
        raise Refused(
            f"Nobody keeps a scorecard of {cards.people.A_ROLE[held.role]}.",
            f"See the whole desk with {desk}, a team with {team}.",
        ) from None
    return scoring.pilots.joined(ctx.rules, found, held.team_key, asked)


def metrics_of(ctx: Ctx, rubric: Rubric) -> list[Metric]:
    """The metrics of a rubric, in its order."""
    return [ctx.rules.metrics[entry.metric] for entry in rubric.entries]


def _open(asked: Period, metric: Metric, here: int) -> bool:
    """Whether later events can still change the figure."""
    return here < scoring.periods.matured_on(asked, metric.maturity_days)


def readings(
    ctx: Ctx, rubric: Rubric, found: Mapping[str, Series], asked: Period, here: int, connected: Collection[str]
) -> list[Reading]:
    """One reading an entry of the rubric."""
    uncoloured = scoring.baselines.uncoloured(ctx.rules, rubric.level, asked.last, here)
    return [
        scoring.scorecards.reading(
            ctx.rules.metrics[entry.metric],
            entry,
            found[entry.metric],
            provisional=_open(asked, ctx.rules.metrics[entry.metric], here),
            connected=entry.metric in connected,
            prior=ctx.rules.prior_weight,
            measuring=uncoloured.get(entry.metric) or scoring.pilots.words(ctx.rules, entry),
        )
        for entry in rubric.entries
    ]


def notes(ctx: Ctx, as_of: int | None, score: Score, metrics: Sequence[Metric], asked: Period) -> list[str]:
    """The small print that every card of figures carries."""
    words, _ = cards.notice.data_age(as_of, ctx.now, ctx.person.zone, ctx.rules.stale_days)
    said = [words]
    if score.provisional:
        longest = max((m.maturity_days for m in metrics), default=0)
        until = scoring.periods.date_of(scoring.periods.matured_on(asked, longest))
        said.append(f"Provisional until {until.day} {until:%b %Y}: what happens until then can still change figures.")
    return said


async def distorted(
    ctx: Ctx, scopes: Collection[str] | None, asked: Period, metrics: Sequence[Metric]
) -> list[str]:
    """What of a sheet is adjusted for declared distortions: those of these scopes and the desk's (None: every one)."""
    names = [metric.name for metric in metrics]
    first = scoring.periods.rests_on(asked)
    return [
        cards.distortions.note(
            one, [ctx.rules.metrics[name].title for name in names if name in one.metrics], team=scopes is None
        )
        for one in await storage.distortions.in_force(ctx.db, "desk", first, asked.last)
        if (scopes is None or one.scope == "desk" or one.scope in scopes)
        and scoring.distortions.touches(one, first, asked.last, names)
    ]


def _scopes(person: Person, asked: Period) -> set[str]:
    """The teams that a person was in while a sheet's figures came about."""
    first = scoring.periods.rests_on(asked)
    held = (one for one in person.memberships if one.from_day <= asked.last)
    return {f"team:{one.team_id}" for one in held if one.to_day is None or one.to_day > first}


def matured(asked: Period, metrics: Sequence[Metric], here: int) -> bool:
    """Whether nothing that happens later can change any of the figures."""
    return not any(_open(asked, metric, here) for metric in metrics)


async def connected(ctx: Ctx, found: Mapping[str, Series]) -> Collection[str]:
    """The metrics whose facts are known; the database is asked only where one has nothing to show."""
    if all(series.period.den for series in found.values()):
        return found.keys()
    known = await storage.series.connected(ctx.db)
    tables = {ctx.rules.metrics[name].denominator.table for name in known if name in ctx.rules.metrics}
    if "ticket" in tables:
        tables |= {"span", "informed"}  # where all is closed on its first day, nothing stands open, and that is known
    return known | {m.name for m in ctx.rules.metrics.values() if m.denominator.until and m.denominator.table in tables}


async def closed(ctx: Ctx, subject: str, level: Level, asked: Period) -> tuple[Frozen, Rules, Rubric] | None:
    """The closed score of a period with the rules and the rubric it was made by; None where it is not closed."""
    frozen = await storage.scores.frozen(ctx.db, subject, asked.key)
    if frozen is None:
        return None
    rules = ctx.rules
    if frozen.rules_version != rules.version:
        applied = await storage.rules.get(ctx.db, frozen.rules_version)
        if applied is None:
            raise LookupError(f"the rules of version {frozen.rules_version} are gone")
        rules = storage.rules.read(applied)
    read = {r.metric for r in frozen.score.readings}
    made_by = [
        r
        for r in rules.rubrics
        if (r.name, r.level) == (frozen.score.rubric, level)
        and r.from_day <= asked.last
        and scoring.pilots.without(rules, r, read) == {e.metric for e in r.entries}
    ]
    return frozen, rules, scoring.pilots.again(rules, max(made_by, key=lambda r: r.from_day), read)


def closed_words(frozen: Frozen) -> str:
    """What a card says of a score that will not change by itself any more."""
    again = f", version {frozen.version}: {frozen.reason}" if frozen.version > 1 else ""
    return f"Closed with version {frozen.rules_version} of the rules{again}."


async def compute(ctx: Ctx, person: Person, rubric: Rubric, asked: Period, here: int) -> Score:
    """The score of a person from today's rollups."""
    metrics = metrics_of(ctx, rubric)
    upto = scoring.periods.so_far(asked, here)
    found = await storage.series.person_series(ctx.db, person.id, metrics, upto, here)
    known = await connected(ctx, found)
    return scoring.scorecards.score(rubric, readings(ctx, rubric, found, asked, here, known))


async def of_person(ctx: Ctx, person: Person, asked: Period, *, greens: bool = False) -> tuple[Sheet, Rubric]:
    """A person's sheet and its rubric: as it was closed where the period has been closed, computed otherwise."""
    here = today(ctx, person.zone)
    kept = None
    if asked.last < here:  # nobody closes what is not over
        kept = await closed(ctx, f"person:{person.id}", "person", asked)
    if kept:
        frozen, rules, rubric = kept
        ctx, score = replace(ctx, rules=rules), frozen.score
    else:
        rubric = await rubric_of(ctx, person, asked)
        score = await compute(ctx, person, rubric, asked, here)
    small_print = notes(ctx, await storage.loads.as_of(ctx.db), score, metrics_of(ctx, rubric), asked)
    small_print += await distorted(ctx, _scopes(person, asked), asked, metrics_of(ctx, rubric))
    if kept:
        small_print.append(closed_words(frozen))
    mine = person.id == ctx.person.id
    sheet = Sheet(
        title="Your scorecard" if mine else f"Scorecard of {person.name}",
        period=asked,
        score=score,
        metrics=ctx.rules.metrics,
        level="person",
        values={} if mine else {"person": str(person.id)},
        notes=tuple(small_print),
        greens=greens,
        newest=asked.last >= here,
        mine=mine,
        focus=await _focus(ctx, person) if mine and asked.last >= here - 1 else {},
    )
    return sheet, rubric


async def _focus(ctx: Ctx, person: Person) -> dict[str, str]:
    """The one or two things that a person is to do differently, by metric."""
    known = ctx.rules.behaviours
    held = [known[one.behaviour] for one in await storage.nudges.held(ctx.db, person.id) if one.behaviour in known]
    return {one.metric: f"{one.title}. {one.what}" for one in held}


def one(sheet: Sheet, name: str) -> Reading:
    """The reading of a metric on a sheet. Raises Refused naming those it has."""
    for reading in sheet.score.readings:
        if reading.metric == name:
            return reading
    known = ", ".join(sorted(sheet.metrics[r.metric].title for r in sheet.score.readings))
    raise Refused("That metric is not on this scorecard.", f"On it are: {known}.")
