"""Groups 1 to 3 of a change record: what it is, what it carries, how risky it was judged."""

from __future__ import annotations

from typing import Any

from core.digests import digest_json
from environments.states import Stage
from releases.evidence.record.loading import NOT_RECORDED, Change, person
from releases.evidence.times import recorded
from releases.models import ChangeCommit
from releases.rules import impact
from releases.rules.risk import Risk
from releases.selectors import words
from releases.states import Purpose

RULE = (
    "Judged per component by what its type can do in production (who may see or do what: high; "
    "runs by itself or is relied on: medium; only shown: low), one step lower when new and unused, "
    "one step higher when two teams bring it. The change has the risk of its riskiest component."
)
CONTENT_SHOWN = 5000
CANARY = "Daily attempt that must be refused"
CANARY_WHY = (
    "Gatehouse asks itself once a day to deploy something that nobody approved, to an environment "
    "without an org. That it failed is the proof that the gate was shut."
)


def class_of(change: Change) -> str:
    """The class of a change; the canary is none of people's changes and must not look like one."""
    if change.deployment.environment.stage == Stage.CANARY:
        return "canary"
    return change.release.change_class if change.release else "normal"


def identity(change: Change) -> dict[str, Any]:
    """Group 1: what the change is called, why it was made and where."""
    deployment, release = change.deployment, change.release
    environment = deployment.environment
    is_canary = environment.stage == Stage.CANARY
    return {
        "change_id": deployment.public_id,
        "release_id": release.public_id if release else None,
        "type": class_of(change),
        "purpose": words.PURPOSE[Purpose(deployment.purpose)],
        "title": release.title if release else CANARY if is_canary else str(deployment),
        "version": release.version if release else None,
        "reason": (release.notes if release else CANARY_WHY if is_canary else "") or NOT_RECORDED,
        "tickets": tickets(change) or NOT_RECORDED,
        "business_service": ", ".join(sorted({row.team.name for row in change.candidates}))
        or NOT_RECORDED,
        "environment": {
            "id": environment.public_id,
            "name": environment.name,
            "stage": environment.stage,
            "organization_id": deployment.organization_id,
            "is_sandbox": environment.is_sandbox,
            "protected": environment.protected,
        },
        "criticality": "production" if environment.stage == "PRD" else "before production",
        "requested_by": person(deployment.requester),
        "planned_at": recorded(deployment.created_at),
        "outcome": words.deployment(deployment).text,
        "outcome_code": deployment.state,
        "message": deployment.message,
    }


def tickets(change: Change) -> list[str]:
    """Keys of the work items that the candidates' newest commits name."""
    shas = [row.sha for row in change.candidates]
    links = ChangeCommit.objects.filter(
        commit__sha__in=shas,
        commit__repository__in=[row.repository_id for row in change.candidates],
    )
    return sorted(set(links.values_list("change__key", flat=True)))


def what(change: Change) -> dict[str, Any]:
    """Group 2: the bytes, where they come from, and what they differ in."""
    artefact, deployment = change.artefact, change.deployment
    release = change.release
    snapshot = release.base_snapshot if release else None
    return {
        "artefact": {
            "name": str(artefact),
            "digest": artefact.digest,
            "zip_sha256": artefact.blob,
            "files": artefact.file_count,
            "components": artefact.component_count,
            "api_version": artefact.api_version,
        },
        "integration_commit": (release.integration_commit if release else "") or NOT_RECORDED,
        "sources": [_source(change, row) for row in change.candidates] or NOT_RECORDED,
        "provenance": (
            "Built by a Gatehouse build worker from the commits named in sources; its digest was "
            "computed again from the stored bytes before each call. No outside signature is kept."
        ),
        "bill_of_materials": artefact.manifest,
        "composed_against_snapshot": (
            {"id": snapshot.public_id, "content_digest": snapshot.content_digest}
            if snapshot
            else NOT_RECORDED
        ),
        "plan": deployment.plan,
        "plan_digest": digest_json(deployment.plan),
        "baseline_digest": deployment.baseline_digest or NOT_RECORDED,
        "differs_from_what_ran_before": _difference(change),
    }


def _source(change: Change, row: Any) -> dict[str, Any]:
    build = change.builds.get((row.repository_id, row.sha))
    return {
        "team": row.team.name,
        "candidate": row.public_id,
        "repository": row.repository.url,
        "tag": row.tag,
        "commit": row.sha,
        "commits_since_production": row.commit_count,
        "oldest_commit_at": recorded(row.oldest_commit_at),
        "build": build.public_id if build else NOT_RECORDED,
        "artefact": row.artefact.digest if row.artefact else NOT_RECORDED,
    }


def _difference(change: Change) -> dict[str, Any] | str:
    if change.release is None:
        return NOT_RECORDED
    return {
        "components": len(change.components),
        "new": sum(1 for row in change.components if row.is_new),
        "list": [
            {
                "type": row.type,
                "name": row.name,
                "kind": "new" if row.is_new else "deleted" if row.is_removed else "changed",
                "teams": list(row.teams),
                "inside": row.summary,
                "risk": row.risk.word,
                "marks": list(row.marks),
            }
            for row in change.components[:CONTENT_SHOWN]
        ],
    }


def risk(change: Change) -> dict[str, Any]:
    """Group 3: how the risk was judged and what would take the change back."""
    highest = max((row.risk for row in change.components), default=None)
    marks = sorted({mark for row in change.components for mark in row.marks})
    teams = sorted({row.team.name for row in change.candidates})
    known = change.release is not None
    return {
        "impact": (change.release.impact if change.release else "") or NOT_RECORDED,
        "security_impact": impact.security(change.components) if known else NOT_RECORDED,
        "data_impact": impact.data(change.components) if known else NOT_RECORDED,
        "affected_parties": teams or NOT_RECORDED,
        "score": highest.word if highest else NOT_RECORDED,
        "score_rule": RULE,
        "marks": marks,
        "high_risk_components": sum(1 for row in change.components if row.risk == Risk.HIGH),
        "back_out_plan": back_out(change),
        "last_proven_back_out": proven_back_out(change),
    }


def back_out(change: Change) -> str:
    """What is kept of the components that the change replaces."""
    baseline = change.deployment.baseline
    if not baseline:
        return NOT_RECORDED
    held = sum(1 for digest in baseline.values() if digest)
    return (
        f"Retrieved right before the change: {held} components as they were, "
        f"{len(baseline) - held} that did not exist."
    )


def proven_back_out(change: Change) -> dict[str, Any] | str:
    """The last time that going back worked in this very environment."""
    row = change.back_out
    if row is None:
        return "none: no rollback of this environment had been needed or tried before"
    return {
        "deployment": row.public_id,
        "release": row.release.public_id if row.release else NOT_RECORDED,
        "finished_at": recorded(row.finished_at),
    }
