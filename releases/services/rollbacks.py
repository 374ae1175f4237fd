"""Going back: redeploying an artefact that was approved for production and ran there (I-28).

It is a release of change class ``rollback`` that carries an earlier release's artefact. It is
prepared, decided under the policy "Rollback" and deployed like any other; there is no short cut.
"""

from __future__ import annotations

from django.db import transaction

from core import db
from core.errors import NotNow
from governance.permissions import acting_person, demand
from releases.models import Deployment, Release
from releases.rules import versions
from releases.selectors import targets
from releases.services import releases, stages
from releases.states import ReleaseState


@transaction.atomic
def start(*, deployment_id: int) -> Release:
    """Open a rollback to what an earlier deployment brought, and prepare production for it.

    Code ``rollback.never_approved``: only what was approved for this organisation, ran there and
    is not there now can be gone back to.
    """
    demand("release.deploy")
    environment = releases.stage("PRD")
    wanted = next((row for row in targets.earlier(environment) if row.pk == deployment_id), None)
    if wanted is None or wanted.release is None:
        raise NotNow(
            "rollback.never_approved",
            f"{environment.name} can only go back to an artefact that was approved for it and ran "
            "there before. Make a release of anything else.",
        )
    release = _opened(wanted, wanted.release)
    stages.prepare(release_id=release.pk)
    return release


def _opened(wanted: Deployment, origin: Release) -> Release:
    db.advisory_lock("release.version")
    known = Release.objects.values_list("version", flat=True)
    bump = Release.Bump.PATCH
    release = Release.objects.create(
        title=f"Back to {origin}"[:120],
        bump=bump,
        version=versions.following(max(known, key=versions.parse, default=None), bump),
        impact=f"Production gets the components of {origin} again, as {wanted} brought them.",
        composed_by=acting_person(),
        change_class=Release.ChangeClass.ROLLBACK,
        restores=origin,
    )
    releases.record("release.created", release, version=release.version)
    releases.move(release, ReleaseState.COMPOSING)
    releases.move(release, ReleaseState.COMPOSED, artefact=wanted.artefact)
    related = [origin.public_id, wanted.public_id]
    releases.record("release.rollback_opened", release, related, artefact=str(wanted.artefact))
    return release
