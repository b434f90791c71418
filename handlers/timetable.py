"""What Redfirst does by itself: the makers of everything that is on the timetable, by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from handlers.call import Ctx
from scoring.schedules import Due

Maker = Callable[[Ctx, Due], Awaitable[None]]
"""Makes what is due, in the transaction of the run's ledger entry; what it says goes into the outbox.

It may be called again for the same `due` after a rollback, never after a commit. `ctx.person` is the product itself.
"""

MAKERS: dict[str, Maker] = {}
"""Name in a schedule → what makes it."""
