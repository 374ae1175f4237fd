"""Ask protected orgs for their own list of deployments; reading has no effect on an org."""

from __future__ import annotations

from django.db import transaction

from core.errors import ExternalFault
from environments.gateways import open_org
from environments.models import Environment
from jobs.registry import Claim, Next
from releases.services import observation
from releases.services.observation import Look


def sweep(claim: Claim) -> Next:
    """Wake the look at each protected org."""
    with transaction.atomic():
        claim.guard()
        observation.wake_all()
    return Next.done()


def look(claim: Claim) -> Next:
    """Read one org's list and hold it against the steps of ours.

    A fault is kept as a look in vain, not tried again: the next sweep asks anew.
    """
    environment = Environment.objects.get(pk=claim.subject_id)
    if environment.retired_at is not None:
        return Next.done()
    since = observation.begins(environment)
    try:
        with open_org(environment) as org:
            found = Look(environment, since, org.user_id, tuple(org.deploys_since(since)))
    except ExternalFault as fault:
        with transaction.atomic():
            claim.guard()
            observation.failed(environment, since, fault.message)
        return Next.done()
    with transaction.atomic():
        claim.guard()
        observation.keep(found)
    return Next.done()
