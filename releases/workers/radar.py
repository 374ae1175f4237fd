"""Look at what a team's commits change since its baseline, and where that meets other teams'."""

from __future__ import annotations

from django.db import transaction

from core.errors import DomainError, ExternalFault
from jobs.registry import Claim, Next
from metadata.components import ComponentKey
from metadata.mirrors import Mirror
from metadata.touched import touched
from releases import gateways
from releases.models import Repository
from releases.selectors import radar
from releases.services import radar as services


def look(claim: Claim) -> Next:
    """Read the tips that nobody has looked at and rebuild the collisions."""
    repository = Repository.objects.select_related("team").get(pk=claim.subject_id)
    tips = radar.tips_of(repository)
    known = radar.keys_of_others(repository)
    mirror = gateways.mirror_of(repository)
    seen = []
    for tip in radar.unseen(repository, tips):
        claim.renew(600)
        seen.append(_seen(mirror, tip, known))
    with transaction.atomic():
        claim.guard()
        services.keep(repository, tips, seen)
    return Next.done()


def _seen(mirror: Mirror, tip: radar.Tip, known: set[ComponentKey]) -> services.Seen:
    """What one tip touches; a commit that cannot be read says why and touches nothing."""
    try:
        return services.Seen(tip, touched(mirror, tip.sha, tip.base_sha or None, known))
    except DomainError as fault:
        if isinstance(fault, ExternalFault) and fault.retryable:
            raise
        return services.Seen(tip, problem=fault.message)
