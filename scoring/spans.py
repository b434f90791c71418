"""What the events of a ticket tell: who held it when, when it waited, who closed it too early."""

from __future__ import annotations

import polars as pl

import scoring.directory
from scoring.directory import Directory
from scoring.fairness import Fairness

_ENDS = ("resolved", "closed")
_NOBODY = -1
STRETCH = {
    "ticket": pl.String, "at": pl.Int64, "until": pl.Int64, "open": pl.Boolean, "hold": pl.Boolean,
    "person": pl.Int64, "what": pl.String,
}  # fmt: skip


def stretches(tickets: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """The life of each ticket that has events, cut at every event; columns STRETCH, in order of time.

    `until` is null for the stretch still going on; `person` is who held it (-1: somebody unknown, null: nobody).
    """
    if events.is_empty():
        return pl.DataFrame(schema=STRETCH)
    life = tickets.select(
        pl.col("id").alias("ticket"), "opened_at", pl.coalesce("resolved_at", "closed_at").alias("over")
    )
    seen = events.filter(pl.col("at").is_not_null()).join(life.select("ticket"), on="ticket", how="semi")
    if seen.is_empty():
        return pl.DataFrame(schema=STRETCH)
    begun = (
        life.join(seen.select("ticket"), on="ticket", how="semi")
        .filter(pl.col("opened_at").is_not_null())
        .select("ticket", pl.col("opened_at").alias("at"), pl.lit(-1, pl.Int64).alias("seq"), pl.lit("").alias("id"),
                pl.lit("opened").alias("what"), pl.lit(None, pl.String).alias("owner"),
                pl.lit(None, pl.Int64).alias("@owner"))
    )  # fmt: skip
    known = ["ticket", "at", "seq", "id", "what", "owner", "@owner"]
    what = pl.col("what")
    opened = pl.when(what.is_in(["opened", "reopened"])).then(True).when(what.is_in(_ENDS)).then(False)
    held = pl.when(what == "hold").then(True).when(what.is_in(["resumed", "opened", "reopened", *_ENDS])).then(False)
    owner = pl.when(pl.col("owner").is_not_null()).then(pl.col("@owner").fill_null(_NOBODY))
    return (
        pl.concat([begun, seen.select(known)])
        .sort("ticket", "at", "seq", "id", nulls_last=True)
        .with_columns(
            opened.forward_fill().over("ticket").fill_null(True).alias("open"),
            held.forward_fill().over("ticket").fill_null(False).alias("hold"),
            owner.forward_fill().over("ticket").alias("person"),
            pl.col("at").shift(-1).over("ticket").alias("until"),
        )
        .join(life.select("ticket", "over"), on="ticket", how="left", maintain_order="left")
        .with_columns(
            pl.when(pl.col("until").is_null() & pl.col("open") & (pl.col("over") >= pl.col("at")))
            .then(pl.col("over")).otherwise(pl.col("until")).alias("until")
        )
        .select(list(STRETCH))
    )  # fmt: skip


def early_closures(events: pl.DataFrame, fairness: Fairness) -> pl.DataFrame:
    """Tickets whose events tell how they ended: ticket, reopened, closer (person, null unknown), closed_on.

    A reopening counts when it comes within the window after a resolution and for a reason that counts;
    closer and closed_on are those of the first resolution undone like that.
    """
    what = pl.col("what")
    ends = events.filter(what.is_in(["resolved", "reopened"]) & pl.col("at").is_not_null()).sort(
        "ticket", "at", "seq", "id", nulls_last=True
    )
    by = pl.when(pl.col("actor").is_not_null()).then(pl.col("@actor")).otherwise(pl.col("@owner")).fill_null(_NOBODY)
    counted = (
        (what == "reopened")
        & pl.col("closed_on").is_not_null()
        & (pl.col("at") - pl.col("closed_on") <= fairness.reopen_days * 86_400)
        & ~pl.col("reason").is_in(list(fairness.not_reopened)).fill_null(False)
    )
    return (
        ends.with_columns(
            pl.when(what == "resolved").then("at").forward_fill().over("ticket").alias("closed_on"),
            pl.when(what == "resolved").then(by).forward_fill().over("ticket").alias("closer"),
        )
        .with_columns(counted.fill_null(False).alias("counted"))
        .group_by("ticket", maintain_order=True)
        .agg(
            pl.col("counted").any().alias("reopened"),
            pl.col("closer").filter("counted").first(),
            pl.col("closed_on").filter("counted").first(),
        )
        .with_columns(pl.when(pl.col("closer") >= 0).then("closer").alias("closer"))
    )


def hold_minutes(stretch: pl.DataFrame, keeper: pl.DataFrame, directory: Directory) -> pl.DataFrame:
    """ticket, held: business minutes on hold by the calendar of its keeper, for tickets that were on hold."""
    if stretch.is_empty():
        return pl.DataFrame(schema={"ticket": pl.String, "held": pl.Float64})
    waits = stretch.filter(pl.col("hold") & pl.col("open") & pl.col("until").is_not_null()).join(
        keeper, on="ticket", how="left", maintain_order="left"
    )
    minutes = scoring.directory.business_minutes(directory, waits["keeper"], waits["at"], waits["until"])
    return waits.select("ticket", minutes.alias("held")).group_by("ticket").agg(pl.col("held").sum())


def longest_holders(stretch: pl.DataFrame, due: pl.DataFrame, directory: Directory) -> pl.DataFrame:
    """ticket, person: who held each ticket of `due` (ticket, due) longest in business time before that instant.

    Null where nobody known held it by then; tickets whose holders are not recorded are absent.
    """
    held = stretch.filter(pl.col("open") & pl.col("person").is_not_null()).join(due, on="ticket", how="inner")
    clipped = held.with_columns(pl.min_horizontal("until", "due").alias("until")).filter(pl.col("at") < pl.col("until"))
    known = pl.when(pl.col("person") >= 0).then("person")
    clipped = clipped.with_columns(known.alias("person"))
    minutes = scoring.directory.business_minutes(directory, clipped["person"], clipped["at"], clipped["until"])
    top = (
        clipped.with_columns(minutes.fill_null(0.0).alias("minutes"), (pl.col("until") - pl.col("at")).alias("wall"))
        .group_by("ticket", "person")
        .agg(pl.col("minutes").sum().round(6), pl.col("wall").sum(), pl.col("at").min())
        .sort(["minutes", "wall", "at", "person"], descending=[True, True, False, False], nulls_last=True)
        .group_by("ticket", maintain_order=True)
        .agg(pl.col("person").first())
    )
    return held.select("ticket").unique().join(top, on="ticket", how="left")


def holding(tickets: pl.DataFrame, events: pl.DataFrame, stretch: pl.DataFrame) -> pl.DataFrame:
    """Open stretches in known hands: ticket, holder, at, until, watched.

    Where events do not tell, the resolver (while it is open the owner) held a ticket all its life.
    """
    watched = events.filter(pl.col("actor").is_not_null()).select("ticket").unique().with_columns(watched=True)
    told = stretch.filter(pl.col("person").is_not_null())
    by_events = told.filter(pl.col("open") & (pl.col("person") >= 0)).select(
        "ticket", pl.col("person").alias("holder"), "at", "until"
    )
    owner_first = pl.when(pl.col("owner").is_not_null()).then("@owner").otherwise("@resolver")
    over = pl.coalesce("resolved_at", "closed_at")
    simple = (
        tickets.rename({"id": "ticket"})
        .join(told.select("ticket").unique(), on="ticket", how="anti")
        .select("ticket", pl.when(over.is_not_null()).then("keeper").otherwise(owner_first).alias("holder"),
                pl.col("opened_at").alias("at"), over.alias("until"))
        .filter(pl.col("holder").is_not_null() & pl.col("at").is_not_null())
    )  # fmt: skip
    whole = pl.concat([by_events, simple]).filter(pl.col("until").is_null() | (pl.col("at") < pl.col("until")))
    return whole.join(watched, on="ticket", how="left").with_columns(pl.col("watched").fill_null(False))


def aged_at(tickets: pl.DataFrame, stretch: pl.DataFrame, directory: Directory, fairness: Fairness) -> pl.DataFrame:
    """ticket, aged_at: when it has been open for the days allowed, holds not counted; null or absent if it never was.

    Without hold events, business minutes on hold are stretched to calendar time by the keeper's week.
    """
    limit = fairness.aged_days * 86_400
    held = stretch.filter("hold").select("ticket").unique()
    length = pl.when("hold").then(0).otherwise(pl.col("until") - pl.col("at"))
    before = (length.fill_null(0).cum_sum() - length.fill_null(0)).over("ticket")
    told = (
        stretch.join(held, on="ticket", how="semi", maintain_order="left")
        .with_columns(before.alias("before"), length.alias("length"))
        .filter(
            ~pl.col("hold")
            & (pl.col("before") <= limit)
            & (pl.col("length").is_null() | (pl.col("before") + pl.col("length") > limit))
        )
        .group_by("ticket")
        .agg((pl.col("at") + limit - pl.col("before")).min().alias("aged_at"))
    )
    over = pl.coalesce("resolved_at", "closed_at")
    old = over.is_null() | (over - pl.col("opened_at") >= limit)
    rest = tickets.filter(old).rename({"id": "ticket"}).join(held, on="ticket", how="anti")
    days = scoring.directory.local_days(directory, rest["keeper"], rest["opened_at"])
    week = scoring.directory.gather(
        scoring.directory.weekly_minutes(directory),
        pl.int_range(len(directory.calendars), eager=True),
        scoring.directory.calendars_on(directory, rest["keeper"], days),
    )
    stretched = (pl.col("hold_minutes").fill_null(0) * (7 * 86_400) // pl.when(week > 0).then(week)).fill_null(0)
    simple = rest.select("ticket", (pl.col("opened_at") + limit + stretched).alias("aged_at"))
    return pl.concat([told, simple])
