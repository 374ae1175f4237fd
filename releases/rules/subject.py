"""What an approval is bound to.

An approval counts for exactly one subject: the digest over everything listed here (design 5). A
change of any field gives another digest, and so voids every decision taken on the old one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from core.digests import digest_json


@dataclass(frozen=True, slots=True)
class Subject:
    """The bound tuple of a production deployment; times are RFC 3339 in UTC or empty."""

    artefact: str
    baseline: str
    environment_id: int
    organization_id: str
    plan: dict[str, Any]
    rollback: str
    policy_version_id: int
    runbook: str
    composition: tuple[tuple[int, str], ...]
    change_class: str
    requester_id: int
    not_before: str
    not_after: str

    def digest(self) -> str:
        """``sha256:…`` over the canonical JSON of all fields."""
        return digest_json(asdict(self))


LABELS: dict[str, str] = {
    "artefact": "artefact",
    "baseline": "what production holds",
    "environment_id": "environment",
    "organization_id": "organisation",
    "plan": "plan of steps and tests",
    "rollback": "rollback",
    "policy_version_id": "policy version",
    "runbook": "runbook",
    "composition": "contents of the release",
    "change_class": "change class",
    "requester_id": "requester",
    "not_before": "earliest start",
    "not_after": "latest start",
}


def differences(old: Subject, new: Subject) -> list[str]:
    """Names of the bound facts that differ, in the order of the tuple, as people call them."""
    return [
        LABELS[field.name]
        for field in fields(Subject)
        if getattr(old, field.name) != getattr(new, field.name)
    ]
