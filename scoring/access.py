"""Who may see and do what: one table, and everything that is not in it is refused."""

from __future__ import annotations

from typing import Literal, get_args

from scoring.people import Person, Team
from scoring.refused import Refused

Relation = Literal["self", "lead", "member", "peer", "other", "leadership", "hr", "admin", "known", "unknown"]
RELATIONS: tuple[Relation, ...] = get_args(Relation)

_OFFICES: dict[str, Relation] = {"leadership": "leadership", "hr": "hr", "admin": "admin"}
"""Roles that look at the desk from outside a team; none of them makes its holder anybody's lead."""

_ANYBODY = frozenset(RELATIONS)
_STAFF = _ANYBODY - {"unknown"}

MATRIX: dict[str, frozenset[Relation]] = {
    "help": _ANYBODY,
    "whoami": _ANYBODY,
    "metrics": _STAFF,
    "scorecard": frozenset({"self", "lead"}),
    "tickets": frozenset({"self", "lead"}),
    "who_looked": frozenset({"self"}),
    "desk_scorecard": _STAFF,
    "team_scorecard": frozenset({"member", "lead", "leadership"}),
    "team_people": frozenset({"lead"}),
    "digest": frozenset({"lead", "leadership"}),
    "manager_digest": frozenset({"known", "leadership"}),  # of those known, whom leads report to
    "correct_ticket": frozenset({"self"}),
    "decide_correction": frozenset({"lead"}),
    "plans": frozenset({"member", "lead", "leadership"}),
    "keep_plan": frozenset({"lead", "leadership"}),
    "keep_team_plan": frozenset({"lead"}),
    "keep_desk_plan": frozenset({"leadership"}),
    "report_plan": frozenset({"self", "lead", "leadership"}),
    "report_team_plan": frozenset({"lead"}),
    "report_desk_plan": frozenset({"leadership"}),
    "comment": frozenset({"lead", "leadership"}),
    "distortions": frozenset({"known", "leadership", "admin"}),
    "own_focus": frozenset({"self"}),
    "nudge_effect": frozenset({"lead", "leadership"}),
    "coach": frozenset({"lead"}),
    "coach_notes": frozenset({"self", "lead"}),
    "objectives": _STAFF,
    "desk_objective": frozenset({"leadership"}),
    "team_objective": frozenset({"lead", "leadership"}),
    "individual_objective": frozenset({"self", "lead"}),
    "priorities": frozenset({"leadership"}),
    "clients": _STAFF,
    "lines": _STAFF,
    "pilot_view": frozenset({"self"}),
    "decide_lines": frozenset({"known", "leadership"}),  # of those known, managers alone
    "link_account": frozenset({"admin"}),
    "settings": frozenset({"admin"}),
}
"""Act → relations of the asker to the subject that may do it."""

_REMEDY: dict[str, tuple[str, str]] = {
    "scorecard": ("A scorecard is open to the person and their lead only.",
                  "Ask for your own with /myscore, or for your team's with /teamscore."),
    "tickets": ("The tickets behind a scorecard are open to the person and their lead only.",
                "Your own are under /myscore, button Tickets."),
    "who_looked": ("Who looked at a scorecard is told to its owner only.", "Your own is under /myscore."),
    "team_scorecard": ("A team's scorecard is open to its members, its lead and leadership.",
                       "Ask for your own team's with /teamscore, or ask that team's lead."),
    "digest": ("Digests are looked at and posted by the team's lead, the desk's by leadership.",
               "Your team's figures are under /teamscore."),
    "manager_digest": ("The digest of several teams is for whoever their leads report to.",
                       "Your team's figures are under /teamscore."),
    "team_people": ("A team's people are shown to its lead only.", "The team's aggregate is under /teamscore."),
    "correct_ticket": ("A correction can be asked for only by the person the ticket counts for.",
                       "Tell them, or their lead."),
    "decide_correction": ("A correction is decided by the lead of the person who asked for it.",
                          "That lead has been told and will answer."),
    "plans": ("A team's plans are open to its members, its lead and leadership, the desk's to leadership.",
              "See your own team's with /plans."),
    "comment": ("A team's figure is commented on by its lead or those above, the desk's by leadership.",
                "Tell them what you know; the comment stands under the figure."),
    "distortions": ("Distortions are declared by leads and managers, and approved by a second one.",
                    "They are said on every card they touch."),
    "own_focus": ("A focus and its nudges are open to their owner only.", "Your own are under /redfirst nudges."),
    "nudge_effect": ("What nudges do is shown to leads, managers and leadership.",
                     "How your own went is told to you two weeks after each."),
    "coach": ("A talk is prepared by the lead of that person.", "Your own notes are under /redfirst coaching."),
    "coach_notes": ("The notes of a talk are open to the person and their lead only.",
                    "Your own are under /redfirst coaching."),
    "desk_objective": ("Leadership's objectives are set by leadership.", "See them with /objectives."),
    "team_objective": ("A team's objectives are set by its lead or leadership.",
                       "Set one of your own with /objectives, and talk to that lead."),
    "individual_objective": ("Somebody's own objectives are open to them and their lead only.",
                             "See yours and your team's with /objectives."),
    "priorities": ("The month's priorities are recorded by leadership.", "Read them with /objectives."),
    "pilot_view": ("A view of a pilot is asked of those who take part.", "See the pilots with /redfirst lines."),
    "decide_lines": ("Lines are decided on by managers and leadership.", "See them with /redfirst lines."),
    "link_account": ("Accounts are linked by an administrator.", "Ask yours to link it."),
    "settings": ("Settings are an administrator's.", "Ask yours; /redfirst help shows what you can do."),
} | dict.fromkeys(
    ("keep_plan", "keep_team_plan", "keep_desk_plan"),
    ("A plan is added and dropped by the lead of its team, for the desk by leadership.",
     "See the plans with /plans, and talk to them."),
) | dict.fromkeys(
    ("report_plan", "report_team_plan", "report_desk_plan"),
    ("On a plan reports its owner, or the lead of its team.", "See the plans with /plans, and talk to them."),
)  # fmt: skip

_STRANGER = (
    "I do not know this account yet.",
    "Ask your administrator to link it to you; /redfirst whoami shows the name to give them.",
)


def relation(asker: Person | None, subject: Person | Team | None) -> Relation:
    """In which relation somebody stands to a person, a team, or (None) to the product itself.

    An account that is linked to nobody, or to somebody who has left, is "unknown". Leadership, HR and
    administrators are that and no lead, whoever reports to them: a person's figures stop at the lead.
    """
    if asker is None or not asker.active:
        return "unknown"
    office = _OFFICES.get(asker.role)
    if subject is None:
        return office or "known"
    if isinstance(subject, Team):
        return _to_team(asker, subject, office)
    if subject.id == asker.id:
        return "self"
    return office or _to_person(asker, subject)


def _to_team(asker: Person, team: Team, office: Relation | None) -> Relation:
    if office != "leadership" and asker.team_id == team.id and (office or team.id not in asker.led_teams):
        return "member"
    if office is not None:
        return office
    if team.id in asker.led_teams:
        return "lead"
    return "leadership" if team.id in asker.over_teams else "other"  # a manager of leads reads teams as leadership does


def _to_person(asker: Person, subject: Person) -> Relation:
    if subject.id == asker.manager_id:  # a lead's own manager may sit in the team that the lead leads
        return "peer" if subject.team_id is not None and subject.team_id == asker.team_id else "other"
    if subject.id in asker.managed or (subject.team_id is not None and subject.team_id in asker.led_teams):
        return "lead"
    return "peer" if subject.team_id is not None and subject.team_id == asker.team_id else "other"


def allowed(asker: Person | None, act: str, subject: Person | Team | None = None) -> None:
    """Returns when the table allows it; otherwise raises Refused with where to go instead.

    An act that is not in the table is refused to everybody.
    """
    standing = relation(asker, subject)
    if standing in MATRIX.get(act, frozenset()):
        return
    if standing == "unknown":
        raise Refused(*_STRANGER)
    raise Refused(*_REMEDY.get(act, ("That is not open to you.", "/redfirst help shows what you can do.")))
