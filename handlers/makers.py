"""What Redfirst does by itself: who makes what is on the timetable, by the name in its schedule."""

from __future__ import annotations

import handlers.baselines
import handlers.check_backs
import handlers.digests
import handlers.nudges
import handlers.objectives
import handlers.plan_reminders
import handlers.redflags
from handlers.timetable import Maker

MAKERS: dict[str, Maker] = {
    "team_digest": handlers.digests.team_digest,
    "lead_digest": handlers.digests.lead_digest,
    "manager_digest": handlers.digests.manager_digest,
    "leadership_digest": handlers.digests.leadership_digest,
    "desk_page": handlers.digests.desk_page,
    "plan_reminders": handlers.plan_reminders.remind,
    "desk_plan_reminders": handlers.plan_reminders.remind,
    "nudges": handlers.nudges.make,
    "check_backs": handlers.check_backs.make,
    "baselines": handlers.baselines.look,
    "red_flags": handlers.redflags.look,
    "objectives_report": handlers.objectives.report,
}
"""Name in a schedule → what makes it."""
