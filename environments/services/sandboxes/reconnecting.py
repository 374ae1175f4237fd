"""The one step after a refresh: a new organisation and a new credential for the environment."""

from __future__ import annotations

from django.db import transaction

from core.errors import NotNow
from environments import permissions
from environments import rules_sandboxes as rules
from environments.models import Environment
from environments.selectors import credential_of, find
from environments.selectors_sandboxes import production, to_reconnect
from environments.services import orgs
from environments.states import Flow


@transaction.atomic
def reconnect(
    *,
    environment_id: int,
    login_host: str,
    expected_organization_id: str,
    flow: str,
    client_id: str,
    username: str,
    secret: str,
) -> Environment:
    """Enter where the refreshed sandbox is now and how to sign in; a worker checks it.

    Codes: ``sandbox.not_to_reconnect`` and those of ``orgs.edit`` and ``orgs.set_credential``.
    """
    environment = find(environment_id)
    if environment is None or to_reconnect(environment) is None:
        raise NotNow(
            "sandbox.not_to_reconnect",
            "No refresh of this environment waits for its connection.",
        )
    permissions.demand_manage(environment.track)
    before = orgs.Words.of(environment)
    orgs.edit(
        environment_id=environment_id,
        seen_version=before.version(),
        words=orgs.Words(
            before.name,
            before.licence_type,
            login_host,
            expected_organization_id,
            before.api_version,
        ),
    )
    return orgs.set_credential(
        environment_id=environment_id,
        flow=flow,
        client_id=client_id,
        username=username,
        secret=secret,
    )


def suggested(environment: Environment) -> dict[str, str]:
    """What is likely typed: the new organisation, and production's app and user as copied."""
    request, owner = to_reconnect(environment), production()
    known = credential_of(owner) if owner is not None else None
    name = request.name if request else ""
    return {
        "login_host": rules.host_of(owner.login_host, name) if owner else environment.login_host,
        "expected_organization_id": request.new_organization_id if request else "",
        "flow": known.flow if known else Flow.JWT.value,
        "client_id": known.client_id if known else "",
        "username": rules.username_of(known.username if known else "", name),
    }
