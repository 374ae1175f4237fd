"""Inbound webhooks of Git hosts.

A delivery is signed with the repository's secret (HMAC-SHA256, as GitHub, Bitbucket and Gitea send
it) and is believed for one thing only: that it is worth fetching now.
"""

from __future__ import annotations

import uuid

from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from core.context import Actor, acting_as
from governance.access import public
from releases.models import Repository
from releases.services import repositories

SIGNATURES = ("X-Hub-Signature-256", "X-Hub-Signature", "X-Gitea-Signature")
DELIVERIES = ("X-GitHub-Delivery", "X-Request-UUID", "X-Gitea-Delivery", "X-Gatehouse-Delivery")


@csrf_exempt  # signed by the sender; carries no session
@require_POST
@public
def git_webhook(request: HttpRequest, repository: uuid.UUID) -> JsonResponse:
    """Wake the fetch of a repository when the delivery's signature holds."""
    row = get_object_or_404(Repository.objects.select_related("team"), uuid=repository)
    signature = next((request.headers[name] for name in SIGNATURES if name in request.headers), "")
    delivery = next((request.headers[name] for name in DELIVERIES if name in request.headers), "")
    with acting_as(Actor("system", None, "Git webhook")):
        new = repositories.webhook(
            repository=row, signature=signature, delivery_id=delivery, body=request.body
        )
    return JsonResponse({"accepted": True, "new": new}, status=202)
