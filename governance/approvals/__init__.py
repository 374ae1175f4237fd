"""Approvals: the question put to people about one digest, and their answers.

Approvals never call back by import: the app that asks registers its kind in ``subjects`` and reads
the outcome there. ``progress`` is recomputed at every call; nothing that counts is stored twice.
"""

from governance.approvals import subjects
from governance.approvals.commands import (
    decide,
    expire_due,
    live_under,
    settle_for,
    supersede,
    supersede_of_policy,
    use,
    withdraw_decision,
    withdraw_request,
)
from governance.approvals.counting import (
    Ballot,
    Progress,
    foreseen,
    foreseen_people,
    outcome,
    progress,
    progress_of,
)
from governance.approvals.opening import open_request

__all__ = [
    "Ballot",
    "Progress",
    "decide",
    "expire_due",
    "foreseen",
    "foreseen_people",
    "live_under",
    "open_request",
    "outcome",
    "progress",
    "progress_of",
    "settle_for",
    "subjects",
    "supersede",
    "supersede_of_policy",
    "use",
    "withdraw_decision",
    "withdraw_request",
]
