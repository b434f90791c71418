"""The one way to tell a person "no": what, why, and what to do instead."""

from __future__ import annotations


class Refused(Exception):
    """Raised anywhere below the edge; `dispatch` and the command line turn it into kind words.

    `what` is the refusal in one sentence, `remedy` is what the person can do about it.
    """

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what if not remedy else f"{what} {remedy}")
        self.what = what
        self.remedy = remedy
