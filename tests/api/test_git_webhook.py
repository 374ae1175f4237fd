"""The webhook of a Git host: signed, once, and believed only for being worth a fetch."""

from __future__ import annotations

import hashlib
import hmac
import uuid

import pytest
from django.test import Client

from governance.models import AuditEvent
from jobs.models import Work
from releases.models import Repository, WebhookDelivery
from releases.services import repositories
from tests.support import company

pytestmark = pytest.mark.django_db
BODY = b'{"ref": "refs/heads/main"}'


@pytest.fixture
def repository() -> Repository:
    """The repository of the team Sales, with no work waiting."""
    found = company.found().repositories["sales"]
    assert not Work.objects.filter(kind=repositories.KIND, subject_id=found.pk).exists()
    return found


def deliver(
    repository: Repository,
    *,
    secret: str | None = None,
    body: bytes = BODY,
    delivery: str = "d-1",
    address: uuid.UUID | None = None,
) -> tuple[int, dict[str, object]]:
    """Send a delivery as GitHub does; returns status and answer."""
    key = (secret or repositories.webhook_secret(repository)).encode()
    signature = hmac.new(key, BODY, hashlib.sha256).hexdigest()
    answer = Client(enforce_csrf_checks=True).post(
        f"/api/hooks/git/{address or repository.uuid}/",
        body,
        content_type="application/json",
        headers={
            "X-Hub-Signature-256": f"sha256={signature}",
            "X-GitHub-Delivery": delivery,
            "Accept": "application/json",
        },
    )
    return answer.status_code, answer.json()


def test_signed_delivery_wakes_the_fetch_once(repository: Repository) -> None:
    assert deliver(repository) == (202, {"accepted": True, "new": True})
    assert Work.objects.filter(kind=repositories.KIND, subject_id=repository.pk).exists()
    assert AuditEvent.objects.filter(event="repository.webhook_received").count() == 1
    assert deliver(repository) == (202, {"accepted": True, "new": False})
    assert AuditEvent.objects.filter(event="repository.webhook_received").count() == 1


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"secret": "guessed"}, 403, "webhook.signature"),
        ({"body": b'{"ref": "refs/heads/other"}'}, 403, "webhook.signature"),
        ({"delivery": ""}, 404, "webhook.delivery"),
        ({"delivery": "x" * 101}, 404, "webhook.delivery"),
    ],
    ids=["wrong secret", "other body", "no delivery id", "endless delivery id"],
)
def test_delivery_that_does_not_hold_is_refused_and_wakes_nothing(
    repository: Repository, change: dict[str, object], status: int, code: str
) -> None:
    answered, problem = deliver(repository, **change)  # type: ignore[arg-type]
    assert (answered, problem["code"]) == (status, code)
    assert not Work.objects.filter(kind=repositories.KIND, subject_id=repository.pk).exists()
    assert not WebhookDelivery.objects.exists()


def test_replaced_secret_makes_the_old_one_worthless(repository: Repository) -> None:
    old = repositories.webhook_secret(repository)
    repository.webhook_generation += 1
    repository.save(update_fields=["webhook_generation"])
    assert deliver(repository, secret=old)[0] == 403
    assert deliver(repository)[0] == 202


def test_unknown_repository_is_not_found(repository: Repository) -> None:
    answer = Client().post(f"/api/hooks/git/{uuid.uuid4()}/", b"", content_type="application/json")
    assert answer.status_code == 404
