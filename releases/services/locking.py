"""The order in which rows are locked, in one place.

Environment, live approval requests, release, deployment, step, then what governance locks below a
request (decisions, memberships) and the lease. Whoever needs one of them takes those before it
first, so that no two transactions ever wait for each other; ``_intend`` takes the calendar's
advisory lock before all of them.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q, QuerySet

from core import db
from core.errors import Conflict
from environments.models import Environment
from governance.models import ApprovalRequest
from governance.models.approvals import LIVE
from releases.models import Deployment, Release

SUBJECT_KIND = "release"
BREAK_GLASS_KIND = "break_glass"
KINDS = (SUBJECT_KIND, BREAK_GLASS_KIND)
"""Kinds of approval request about a release; at most one of them is live."""
TRIES = 5


def release(release_id: int) -> Release:
    """The release's row and before it the requests about it, until the transaction ends.

    A question that is asked between the two is seen afterwards: then the locks are given back and
    taken anew, in order.
    """
    for _ in range(TRIES):
        point = transaction.savepoint()
        held = {request.pk for request in db.lock_rows(_requests(release_id))}
        rows = Release.objects.select_related("artefact", "composed_by", "base_snapshot")
        row = rows.select_for_update(of=("self",), no_key=True).get(pk=release_id)
        if held.issuperset(_requests(release_id).values_list("pk", flat=True)):
            transaction.savepoint_commit(point)
            return row
        transaction.savepoint_rollback(point)
    raise Conflict(
        "release.contended",
        "Several people are changing this release at this moment. Nothing was done; try again.",
    )


def _requests(release_id: int) -> QuerySet[ApprovalRequest]:
    """Every live request about the release and the newest one, which an answer is for.

    A closed newest one too: an answer that comes too late locks it to say so, and who waited for
    it while it was closed holds it.
    """
    asked = Q(subject_kind__in=KINDS, subject_id=release_id)
    bound = Deployment.objects.filter(release_id=release_id).values("approval_id")
    newest = ApprovalRequest.objects.filter(asked).order_by("-pk").values("pk")[:1]
    live = (asked | Q(pk__in=bound)) & Q(state__in=LIVE)
    return ApprovalRequest.objects.filter(live | Q(pk__in=newest))


def deployment(deployment_id: int) -> Deployment:
    """The deployment's row and before it environment, requests and release."""
    environment_id, release_id = Deployment.objects.values_list("environment_id", "release_id").get(
        pk=deployment_id
    )
    db.lock_rows(Environment.objects.filter(pk=environment_id))
    if release_id is not None:
        release(release_id)
    return row(deployment_id)


def row(deployment_id: int) -> Deployment:
    """The deployment's row alone, for who holds what comes before it, or needs none of it."""
    rows = Deployment.objects.select_related(
        "environment", "artefact", "release", "build", "candidate", "approval", "preparation"
    )
    return rows.select_for_update(of=("self",), no_key=True).get(pk=deployment_id)
