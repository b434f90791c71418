"""Working time of the made-up desk's people, looked up thousands of times a second."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import scoring.calendars
import scoring.periods
from scoring.calendars import Calendar

DAY = 86_400


class Clock:
    """A calendar's stretches of working time between two local days, both inclusive; instants are epoch seconds."""

    def __init__(self, calendar: Calendar, first: int, last: int) -> None:
        table = scoring.calendars.cumulative(calendar, first, last)
        self._starts: list[int] = table["start"].to_list()
        self._ends: list[int] = table["end"].to_list()
        self._before: list[int] = table["before"].to_list()
        midnights = [
            scoring.calendars.day_start(calendar.zone, scoring.periods.date_of(day)) for day in range(first, last + 2)
        ]
        self._first, self._midnights = first, midnights
        self.begins: dict[int, int] = {}
        for start in self._starts:
            self.begins.setdefault(self.day(start), start)
        """Local day with working time → when it begins."""

    def day(self, at: int) -> int:
        """The local day of an instant."""
        return self._first + bisect_right(self._midnights, at) - 1

    def snap(self, at: int) -> int:
        """`at` where it is working time, else when work next begins (the last stretch's end, past the table)."""
        row = bisect_right(self._ends, at)
        if row >= len(self._starts):
            return max(at, self._ends[-1]) if self._ends else at
        return max(at, self._starts[row])

    def add(self, at: int, minutes: float) -> int:
        """The instant by which so many working minutes have passed; past the table, real time counts."""
        if not self._starts:
            return at + int(minutes * 60)
        begin = self.snap(at)
        row = bisect_right(self._starts, begin) - 1
        reached = self._before[row] + begin - self._starts[row] + int(minutes * 60)
        found = max(bisect_left(self._before, reached) - 1, 0)
        return self._starts[found] + reached - self._before[found]

    def minutes(self, start: int, end: int) -> float:
        """Working minutes between two instants."""
        return max(self._worked(end) - self._worked(start), 0) / 60

    def _worked(self, at: int) -> int:
        row = bisect_right(self._starts, at) - 1
        return 0 if row < 0 else self._before[row] + min(at, self._ends[row]) - self._starts[row]
