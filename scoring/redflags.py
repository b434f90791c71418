"""Red-flag customers: from bad answers, complaints and renewals to the clients that somebody should call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

import scoring.periods
import scoring.tables
from scoring.refused import Refused

State = Literal["open", "closed"]


@dataclass(frozen=True, slots=True)
class Signals:
    """When a client gets a red flag: [red_flags] of redfirst.toml.

    Of the last `days`: `low_answers` answers of `low_rating` or less (of 5), or `complaints` complaints. A renewal
    within `renewal_days` is one together with a single bad sign of either kind. The owner is expected to speak
    with the client within `contact_days` of taking it.
    """

    days: int = 28
    low_rating: int = 2
    low_answers: int = 3
    complaints: int = 1
    renewal_days: int = 90
    contact_days: int = 3


USUAL = Signals()

_LEAST = {"days": 7, "low_rating": 1, "low_answers": 1, "complaints": 1, "renewal_days": 0, "contact_days": 0}
_MOST = {"days": 366, "low_rating": 4, "low_answers": 1000, "complaints": 1000, "renewal_days": 730,
         "contact_days": 60}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of one client in the days looked at; `renewal_day` a local day since 1970-01-01, or None."""

    client: str
    answers: int = 0
    low: int = 0
    complaints: int = 0
    renewal_day: int | None = None


@dataclass(frozen=True, slots=True)
class RedFlag:
    """A client that somebody should call: why, who does it, and when next.

    `client` is its name in the ticket system; days are local days since 1970-01-01; `version` counts every change,
    and a change names the version it was made from. `closing` is the reason it was closed for.
    """

    id: int
    client: str
    reason: str
    raised_day: int
    owner_id: int | None = None
    owner: str = ""
    next_contact: int | None = None
    state: State = "open"
    closing: str = ""
    version: int = 1


def missed(flag: RedFlag, today: int) -> bool:
    """Whether the day on which somebody was to speak with the client is over."""
    return flag.state == "open" and flag.next_contact is not None and flag.next_contact < today


def load(parsed: Mapping[str, Any]) -> Signals:
    """Settings from the parsed [red_flags] table. Raises Refused naming the setting and what was expected."""
    where = "[red_flags]"
    scoring.tables.only(parsed, (f.name for f in fields(Signals)), where)
    values: dict[str, int] = {}
    for name in parsed:
        values[name] = scoring.tables.whole(parsed, name, where)
        if not _LEAST[name] <= values[name] <= _MOST[name]:
            raise Refused(
                f"{where}: {name} is {values[name]}.", f"Write a whole number from {_LEAST[name]} to {_MOST[name]}."
            )
    return Signals(**values)


def reasons(signs: Signs, signals: Signals, today: int) -> tuple[str, ...]:
    """Why a client gets a red flag, in words; empty where it gets none."""
    low, complaints = signs.low >= signals.low_answers, signs.complaints >= signals.complaints
    left = None if signs.renewal_day is None else signs.renewal_day - today
    renews = left is not None and 0 <= left <= signals.renewal_days and (signs.low > 0 or signs.complaints > 0)
    if not (low or complaints or renews):
        return ()
    found = []
    if signs.low:
        answers = f"{signs.low} of {_answers(signs.answers)}"
        was = "was" if signs.low == 1 else "were"
        found.append(f"{answers} in {signals.days} days {was} {signals.low_rating} or less")
    if signs.complaints:
        found.append("one complaint" if signs.complaints == 1 else f"{signs.complaints} complaints")
    if renews and signs.renewal_day is not None:
        at = scoring.periods.day_month_year(signs.renewal_day)
        found.append(f"renewal on {at}")  # the sentence is kept, so it counts no days
    return tuple(found)


def _answers(count: int) -> str:
    return "one answer" if count == 1 else f"{count} answers"


def sentence(found: tuple[str, ...]) -> str:
    """Reasons as one sentence."""
    text = "; ".join(found)
    return f"{text[:1].upper()}{text[1:]}." if text else ""
