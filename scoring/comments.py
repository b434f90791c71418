"""Comments on a missed figure: a known cause in a sentence or two, which names nobody and holds for its period."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import scoring.periods
from scoring.periods import Period
from scoring.refused import Refused
from scoring.scorecards import Reading, Score

Cause = Literal["", "short_staffing", "outage", "rollout", "client", "data", "other"]
Voice = Literal["lead", "manager", "leadership"]

KINDS = ("week", "month")
"""The kinds of period that can be commented on."""

LONGEST = 300
"""Characters of a comment."""

WEEKLY = 2
"""Comments on single weeks that a month repeats, the newest."""

WORDS_TOO = frozenset({
    "april", "august", "bill", "black", "brown", "chase", "christian", "client", "cook", "dale", "data", "day", "dean",
    "drew", "east", "faith", "field", "frank", "frost", "grace", "grant", "gray", "green", "grey", "hope", "jack",
    "january", "joy", "june", "king", "little", "long", "mark", "may", "miles", "north", "old", "page", "pat", "price",
    "ray", "rich", "rob", "rose", "short", "small", "sue", "summer", "west", "white", "will", "winter", "wood", "young",
})  # fmt: skip
"""Names that are everyday words too: alone they are a name only with a capital."""

_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]")
"""Scripts that put no space between words."""


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody says of a red or an amber of a team or of the desk.

    `subject` is "team:2" or "desk", `period` the key of the week or month it holds for; `day` the local day on which
    it was made. `voice`: as what `by` spoke, for readers who are told no name. A comment is never edited: another
    `version` takes its place, and one without words is a comment taken back.
    """

    subject: str
    metric: str
    period: str
    words: str
    cause: Cause
    by_id: int
    by: str
    voice: Voice
    day: int
    version: int = 1


def missed(reading: Reading) -> bool:
    """Whether there is something to comment on: a red or an amber that may be told."""
    return not reading.missing and reading.status in ("red", "amber")


def written(words: str, cause: str, names: Iterable[str]) -> tuple[str, Cause]:
    """What was written, as one line, and its cause. Raises Refused without words, with too many, and where they
    name one of `names`: channels read along."""
    said = " ".join(words.split())
    if not _WORD.search(said):
        raise Refused("A sentence is missing.", "Say what lies behind it: “Two analysts short.”")
    if len(said) > LONGEST:
        raise Refused(f"That is longer than {LONGEST} characters.", "Say it in one or two sentences.")
    known: Cause | None = next((one for one in get_args(Cause) if one == cause), None)
    if known is None:
        raise Refused("I do not know that cause.", "Choose one of the list, or none.")
    name = named(said, names)
    if name:
        raise Refused(
            f"A comment names nobody, and {name} could be known by this one.",
            "Say what happened, not to whom: “Two analysts short.”",
        )
    return said, known


def named(words: str, names: Iterable[str]) -> str:
    """The first of `names` that stands in the words, in any case and with or without accents; "" where none does.

    Whole words count: the whole name, first and last name, or one of these alone. A name alone that is an everyday
    word too, or has no more than two letters, counts with a capital only.
    """
    found = [(_folded(one), one[:1].isupper()) for one in _WORD.findall(_clean(words))]
    said = [word for word, _ in found]
    single = {word for word, capital in found if capital or (len(word) > 2 and word not in WORDS_TOO)}
    known = [(name, parts) for name in names if (parts := [_folded(one) for one in _WORD.findall(_clean(name))])]
    whole = (name for name, parts in known if _stands(parts, said))
    alone = (name for name, parts in known if any(len(part) > 1 and part in single for part in (parts[0], parts[-1])))
    return next(whole, "") or next(alone, "")


def _stands(parts: Sequence[str], said: Sequence[str]) -> bool:
    """Whether a name of more than one word stands there, or its first and last; or one that no space would set off."""
    if _UNSPACED.search("".join(parts)):
        return "".join(parts) in "".join(said)
    return len(parts) > 1 and (_within(parts, said) or _within([parts[0], parts[-1]], said))


def _clean(text: str) -> str:
    """Without characters that cannot be seen, and with one way of writing each letter."""
    seen = "".join(one for one in text if unicodedata.category(one) not in ("Cf", "Cs"))
    return unicodedata.normalize("NFKC", seen)


def _folded(word: str) -> str:
    plain = "".join(one for one in unicodedata.normalize("NFKD", word) if not unicodedata.combining(one))
    return plain.casefold()


def _within(part: Sequence[str], whole: Sequence[str]) -> bool:
    size = len(part)
    return any(list(whole[at : at + size]) == list(part) for at in range(len(whole) - size + 1))


def told_in(asked: Period) -> tuple[str, ...]:
    """The keys of the periods whose comments are told with a period: itself, and the weeks of a month, newest first."""
    if asked.kind not in KINDS:
        return ()
    weeks = scoring.periods.weeks_of(asked) if asked.kind == "month" else ()
    return (asked.key, *(scoring.periods.week(day).key for day in reversed(weeks)))


def shown(found: Iterable[Comment], score: Score, asked: Period) -> dict[str, tuple[Comment, ...]]:
    """The comments under each red and amber of a score: the period's own, then the newest of its weeks.

    A figure that is not told to whoever reads the score has no comment either, and so it is with a week of a month:
    too few may stand behind it where enough stand behind the whole.
    """
    order = told_in(asked)
    said: dict[str, dict[str, Comment]] = {}
    for one in found:
        said.setdefault(one.metric, {})[one.period] = one
    made = {r.metric: _chosen(said[r.metric], order, r) for r in score.readings if missed(r) and r.metric in said}
    return {metric: chosen for metric, chosen in made.items() if chosen}


def _chosen(said: Mapping[str, Comment], order: Sequence[str], reading: Reading) -> tuple[Comment, ...]:
    told = {scoring.periods.week(day).key for day, value in reading.weeks if value is not None}
    own = [said[key] for key in order[:1] if key in said]
    weekly = [said[key] for key in order[1:] if key in said and key in told]
    return (*own, *weekly[:WEEKLY])
