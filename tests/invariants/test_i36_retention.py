"""I-36 Retention is enforced and provable: nothing prunes decisions or events.

A type or a field that the product no longer knows still renders.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from core import grants
from governance.models import AuditEvent
from jobs import registry
from tests.governance import world as worlds

KEPT = (
    "governance_auditevent",
    "governance_auditlink",
    "governance_checkpoint",
    "governance_decision",
    "governance_withdrawal",
    "governance_exclusion",
    "governance_approvalrequest",
    "governance_policyversion",
    "governance_membership",
    "releases_release",
    "releases_deployment",
    "releases_step",
)
OLD: list[dict[str, Any]] = [
    {"event": "widget.frobbed", "v": 1, "facts": {"gone": [1, {"deep": True}]}},
    {"event": "team.created", "v": 0, "facts": {}},
    {"event": "policy.confirmed", "v": 0},
]


@pytest.mark.parametrize("table", KEPT)
def test_i36_no_process_may_delete_what_is_evidence(table: str) -> None:
    declared = grants.declared()[table]
    for role in grants.ROLES:
        assert "DELETE" not in str(declared.get(role, "")), role


def test_i36_no_work_prunes() -> None:
    words = ("prune", "purge", "retention", "cleanup", "delete")
    assert [kind.name for kind in registry.kinds() if any(w in kind.name for w in words)] == []


@pytest.mark.django_db
@pytest.mark.parametrize("old", OLD, ids=[each["event"] for each in OLD])
def test_i36_an_event_of_another_time_still_renders(old: dict[str, Any]) -> None:
    world = worlds.make()
    body = {
        "actor": {"id": 999, "kind": "robot", "name": "R2"},
        "at": "2019-02-03T04:05:06Z",
        "sentence": "R2 frobbed the widget",
        "subject": {"id": None, "kind": "widget", "label": "the widget", "ref": "W-1"},
        **old,
    }
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO governance_auditevent (body) VALUES (%s)", [json.dumps(body)])
    event = AuditEvent.objects.latest("pk")
    client = Client()
    client.force_login(world.otto)
    for address in (
        event.get_absolute_url(),
        reverse("governance:history") + "?q=frobbed",
        reverse("governance:history_csv"),
        reverse("governance:history_jsonl"),
    ):
        answer = client.get(address)
        assert answer.status_code == 200
        shown = answer.getvalue().decode()
        assert "frobbed the widget" in shown, address
