"""One change as a record: the eleven groups of facts that an auditor's sample item needs.

A record is plain JSON. Where Gatehouse holds no fact it says "not recorded"; null means that the
thing did not happen. The page of a change, its JSON and its PDF all come from this record.
"""

from __future__ import annotations

from typing import Any

from releases.evidence.record import about, authorised, executed, proof, tested
from releases.evidence.record.loading import NOT_RECORDED, Change, load

__all__ = ["GROUPS", "NOT_RECORDED", "Change", "change_record", "load"]

VERSION = 2

GROUPS: dict[str, str] = {
    "identity": "Identity",
    "what": "What was changed",
    "risk": "Risk",
    "tests": "Tests",
    "authorisation": "Authorisation",
    "segregation": "Segregation of duties",
    "windows": "Windows",
    "execution": "Execution",
    "override": "Override",
    "after": "Afterwards",
    "integrity": "Integrity",
}
"""The groups in their order, and what people call them."""


def change_record(deployment_id: int) -> dict[str, Any]:
    """The whole record of one attempt on a protected environment."""
    return record_of(load(deployment_id))


def record_of(change: Change) -> dict[str, Any]:
    """The record of a change that was read already."""
    return {
        "record_version": VERSION,
        "identity": about.identity(change),
        "what": about.what(change),
        "risk": about.risk(change),
        "tests": tested.tests(change),
        "authorisation": authorised.authorisation(change),
        "segregation": authorised.segregation(change),
        "windows": executed.windows(change),
        "execution": executed.execution(change),
        "override": executed.override(change),
        "after": executed.after(change),
        "integrity": proof.integrity(change),
    }
