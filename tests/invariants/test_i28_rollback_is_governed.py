"""I-28: back only to what was approved for this environment; never any old version."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.urls import reverse

from core.digests import digest_json
from core.errors import NotAllowed, NotNow
from governance.models import Policy, PolicyVersion
from governance.services.founding import FIRST_POLICIES
from releases import gate
from releases.models import Deployment, Release
from releases.services import rollbacks, stages
from releases.selectors import targets
from releases.states import DeploymentState, Purpose
from tests.invariants.gate_world import approve
from tests.releases.pages.conftest import Looks
from tests.support.company import Company, acting
from tests.support.company.work import package
from tests.support.databases import as_role


def policy(company: Company, name: str) -> PolicyVersion:
    body = FIRST_POLICIES[name]
    return PolicyVersion.objects.create(
        policy=Policy.objects.create(name=name),
        number=1,
        body=body,
        digest=digest_json(body),
        proposed_by=company.people["ana"],
        confirmed_by=company.people["ben"],
    )
