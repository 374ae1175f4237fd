"""Two people ask about one sandbox at the same moment: the database lets one through."""

from __future__ import annotations

from functools import partial

import pytest

from core.errors import Conflict
from environments.models import Environment, Sandbox, SandboxRequest
from environments.services.sandboxes import requests
from environments.services.sandboxes.facts import Wish
from environments.states import SandboxAction, SandboxStart
from tests.support.company import Company, acting, copies, found
from tests.support.race import race


@pytest.fixture
def company(transactional_db: None) -> Company:
    return found()


def ask(company: Company, who: str, sandbox: Sandbox, environment: Environment) -> SandboxRequest:
    wish = Wish(
        action=SandboxAction.REFRESH,
        start=SandboxStart.SOON,
        name=sandbox.name,
        licence_type=sandbox.licence_type,
        sandbox=sandbox,
        template_id="1ps000000000001AAA",
        reason=f"asked by {who}",
    )
    with acting(company.people[who]):
        return requests.ask(wish=wish, environment=environment, team=None)


def test_two_requests_at_once_leave_one(company: Company) -> None:
    sandbox = copies.listed(company)["svctest"]
    environment = company.orgs["Service TEST"]
    outcomes = race(
        *(partial(ask, company, who, sandbox, environment) for who in ("tomas", "chloe"))
    )
    refused = [one.error for one in outcomes if one.error is not None]
    assert [type(error) for error in refused] == [Conflict]
    assert getattr(refused[0], "code", "") == "sandbox.asked_already"
    assert SandboxRequest.objects.count() == 1
