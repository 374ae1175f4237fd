"""What I-5 attacks about sandboxes: another team's requests, and ids that do not belong there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from environments.models import Sandbox
from tests.support.company import Company
from tests.support.company.copies import listed, requests

OTHER_DIGEST = "sha256:" + "0" * 64
WISH = {"start": "soon", "reason": "Its data is old."}


@dataclass
class Attack:
    """Who posts what to which object; ``watched`` must stay as they are."""

    who: str
    kwargs: dict[str, Any]
    watched: models.Model
    data: dict[str, Any] = field(default_factory=dict)
    query: str = ""


def _asked(company: Company, state: str, **data: Any) -> Attack:
    """The lead of Sales on a request of Service."""
    row = requests(company)[state]
    return Attack("priya", {"pk": row.pk}, row, data)


def _environment(company: Company, **data: Any) -> Attack:
    """The lead of Sales on the environment of Service."""
    listed(company)
    row = company.orgs["Service TEST"]
    return Attack("priya", {"pk": row.pk}, row, data)


def _decide(company: Company) -> Attack:
    digest = requests(company)["asked"].digest
    return _asked(company, "asked", verdict="approve", shown_digest=digest)


def _reconnect(company: Company) -> Attack:
    requests(company)
    row = company.orgs["Sales CI"]
    data = {"login_host": "x.sandbox.my.salesforce.com", "flow": "jwt", "secret": "x"}
    return Attack("tomas", {"pk": row.pk}, row, {**data, "client_id": "x", "username": "x"})


def _adopt(company: Company) -> Attack:
    """Who manages no environment at all adopts a sandbox of nobody."""
    row = listed(company)["spare"]
    return Attack("lena", {"pk": row.pk}, row, {"place": "sales:UAT", "name": "Mine now"})


THEIRS: dict[str, Callable[[Company], Attack]] = {
    "environments:refresh": lambda company: _environment(company, **WISH),
    "environments:sandbox_delete": lambda company: _environment(
        company, typed_name="svctest", **WISH
    ),
    "environments:reconnect": _reconnect,
    "environments:sandbox_adopt": _adopt,
    "environments:sandbox_decide": _decide,
    "releases:bring": _environment,
    "environments:sandbox_withdraw": lambda company: _asked(company, "asked"),
    "environments:sandbox_settle": lambda company: _asked(company, "copying", wish="activate"),
}


def _digest_of_another(company: Company) -> tuple[str, Attack]:
    row = requests(company)["asked"]
    data = {"verdict": "approve", "shown_digest": OTHER_DIGEST}
    return "environments:sandbox_decide", Attack("marek", {"pk": row.pk}, row, data)


def _place_of_another_team(company: Company) -> tuple[str, Attack]:
    row = listed(company)["spare"]
    data = {"place": "sales:UAT", "name": "Mine now"}
    return "environments:sandbox_adopt", Attack("tomas", {"pk": row.pk}, row, data)


def _source_of_another_type(company: Company) -> tuple[str, Attack]:
    rows = listed(company)
    org, data = company.orgs["Service CI"], {"source": rows["preprd"].pk, **WISH}
    return "environments:refresh", Attack("tomas", {"pk": org.pk}, org, data)


def _create(company: Company, **data: Any) -> tuple[str, Attack]:
    rows: dict[str, Sandbox] = listed(company)
    fitting = {"team": "service", "name": "fresh", "licence_type": "developer", **WISH}
    return "environments:sandbox_create", Attack("tomas", {}, rows["spare"], {**fitting, **data})


BODIES: dict[str, Callable[[Company], tuple[str, Attack]]] = {
    "SandboxDecisionForm.shown_digest": _digest_of_another,
    "AdoptForm.place": _place_of_another_team,
    "RefreshForm.source": _source_of_another_type,
    "CreateForm.source": lambda company: _create(company, source="987654"),
    "CreateForm.team": lambda company: _create(company, team="sales"),
}
