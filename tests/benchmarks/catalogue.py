"""All ticket metrics per person and day, both from memory, against polars written by hand for the same sums."""

from __future__ import annotations

import polars as pl

import bot.config
import scoring.calendars
import scoring.derive
import scoring.directory
import scoring.rollups
import scoring.rulebook
from bot.config import Config
from scoring.calendars import Calendar
from scoring.people import OFFICE, Membership, Team
from tests.benchmarks import desk, rounds
from tests.benchmarks.rounds import Measured

ZONE = "Europe/Berlin"
_DAY, _MONTH = 86_400, 30 * 86_400


def run(count: int = rounds.ROUNDS, tickets: int = 1_000_000) -> list[Measured]:
    """One ratio: catalogue from raw ticket facts ÷ hand-written polars from the same facts."""
    rules = scoring.rulebook.read(bot.config.rules(Config()), version=1)
    facts = desk.frames(tickets)["ticket"]
    people = range(1, desk.PEOPLE + 1)
    directory = scoring.directory.build(
        [(n, ZONE, None) for n in people],
        [Team(1, "one", "One", ZONE)],
        [Membership(n, 1, "technician", desk.FIRST - 30) for n in people],
        {f"desk/p{n}": n for n in people},
        {},
    )
    numbered = list(enumerate(rules.metrics.values(), 1))

    def ours() -> pl.DataFrame:
        derived = scoring.derive.derive({"ticket": facts}, directory, rules.fairness)
        return scoring.rollups.contributions(derived, directory, numbered)

    def bare() -> dict[str, pl.DataFrame]:
        return by_hand(facts, directory.accounts)

    _agree(ours(), bare(), dict(zip(rules.metrics, range(1, len(numbered) + 1), strict=True)))
    pairs = [(rounds.seconds(ours), rounds.seconds(bare)) for _ in range(count)]
    detail = f"{min(pair[0] for pair in pairs):.1f} s for {tickets:,} tickets"
    ratio = rounds.median_ratio(pairs)
    return [Measured("catalogue per person and day ÷ bare polars", ratio, 3, "at most", detail)]


def _agree(ours: pl.DataFrame, bare: dict[str, pl.DataFrame], ids: dict[str, int]) -> None:
    """Both come to the same numerators, or the comparison says nothing."""
    columns = {
        "closed": ("fcr first_contact_resolution", "tier first_level_resolution", "again reopen_rate",
                   "spent time_to_resolve", "repeat repeat_incidents", "off estimate_variance",
                   "passed escalated_time_to_resolve"),
        "met_triage": ("met sla_triage",), "met_engagement": ("met sla_engagement",),
        "met_completion": ("met sla_completion",), "opened": ("same same_day_closure",),
        "waited": ("wait average_wait",),
    }  # fmt: skip
    for group, pairs in columns.items():
        for column, name in (pair.split() for pair in pairs):
            found = int(ours.filter(pl.col("metric_id") == ids[name])["num"].sum()) / 1000
            meant = float(str(bare[group][column].sum() or 0))
            if abs(found - meant) > 1e-6 * max(1.0, abs(meant)) + 1e-3 * len(bare[group]):
                raise AssertionError(f"{name}: {found} by the catalogue, {meant} by hand")


def by_hand(facts: pl.DataFrame, accounts: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The sums of the shipped ticket metrics as somebody would write them for this one desk."""
    whole = facts
    for name in ("resolver", "first_worker", "dispatcher", "owner"):
        links = accounts.rename({"key": name, "person": f"{name}_id"})
        whole = whole.join(links, on=name, how="left", maintain_order="left")
    calendar = Calendar(ZONE, OFFICE)
    between = scoring.calendars.business_minutes_between
    whole = whole.with_columns(
        between(calendar, whole["opened_at"], whole["resolved_at"]).alias("life"),
        between(calendar, whole["opened_at"], whole["responded_at"]).alias("wait"),
        between(calendar, whole["completion_due_at"], whole["resolved_at"]).alias("late"),
        *(_local(name).alias(f"{name}_day") for name in ("opened_at", "triaged_at", "responded_at", "resolved_at")),
    )
    again = whole.select("requester", "category", again=pl.col("opened_at")).drop_nulls().sort("again")
    whole = whole.sort("resolved_at").join_asof(
        again, left_on="resolved_at", right_on="again", by=["requester", "category"], strategy="forward",
        allow_exact_matches=False, check_sortedness=False,
    )  # fmt: skip
    reopened = (pl.col("reopens") > 0) & (
        pl.col("reopened_at").is_null() | (pl.col("reopened_at") - pl.col("resolved_at") <= 7 * _DAY)
    )
    first = (pl.col("interactions") == 1) & (pl.col("escalations") == 0) & ~reopened
    work, plan = pl.col("worked_minutes"), pl.col("estimated_minutes")
    aged = whole.filter(pl.col("resolved_at") - pl.col("opened_at") > 14 * _DAY)
    lazy = {
        "closed": whole.lazy().group_by("resolver_id", "resolved_at_day").agg(
            n=pl.len(), fcr=first.sum(), known=pl.col("interactions").count(), tier=(pl.col("tier") == 1).sum(),
            again=reopened.sum(), out=(pl.col("escalations") > 0).sum(), moves=pl.col("reassignments").sum(),
            off=(work - plan).abs().filter(plan > 0).sum(), planned=plan.filter(plan > 0).sum(),
            spent=pl.col("life").sum(), spent2=(pl.col("life") ** 2).sum(),
            passed=pl.col("life").filter(pl.col("escalations") > 0).sum(),
            passed2=(pl.col("life") ** 2).filter(pl.col("escalations") > 0).sum(),
            repeat=(pl.col("again") - pl.col("resolved_at") <= _MONTH).sum(),
            weight=(pl.col("complexity").fill_null(1) * pl.col("impact").fill_null(1)).sum(),
        ),
        "fixed": whole.lazy().group_by("first_worker_id", "resolved_at_day").agg(
            n=pl.len(), fix=((pl.col("first_worker") == pl.col("resolver")) & ~reopened).sum()
        ),
        "met_triage": whole.lazy().group_by("dispatcher_id", "triaged_at_day").agg(
            n=pl.len(), met=pl.col("triage_met").sum()
        ),
        "met_engagement": whole.lazy().group_by("first_worker_id", "responded_at_day").agg(
            n=pl.len(), met=pl.col("engagement_met").sum()
        ),
        "met_completion": whole.lazy().group_by("resolver_id", "resolved_at_day").agg(
            n=pl.len(), met=pl.col("completion_met").sum()
        ),
        "opened": whole.lazy().group_by("owner_id", "opened_at_day").agg(
            n=pl.len(), same=(pl.col("opened_at_day") == pl.col("resolved_at_day")).sum()
        ),
        "waited": whole.lazy().group_by("first_worker_id", "responded_at_day").agg(
            n=pl.len(), wait=pl.col("wait").sum(), wait2=(pl.col("wait") ** 2).sum()
        ),
        "ended": whole.lazy().group_by("owner_id", "resolved_at_day").agg(n=pl.len()),
        "aged": aged.lazy().group_by("owner_id", "opened_at_day").agg(n=pl.len()),
    }  # fmt: skip
    return dict(zip(lazy, pl.collect_all(list(lazy.values())), strict=True))


def _local(name: str) -> pl.Expr:
    return pl.from_epoch(name, "s").dt.replace_time_zone("UTC").dt.convert_time_zone(ZONE).dt.date()
