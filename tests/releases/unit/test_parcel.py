"""A build carries less than its artefact only where it is sure what the org holds."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from releases.engine import parcel
from releases.services import deployments

HELD = SimpleNamespace(digest="sha256:held")


def planned(**changes: Any) -> Any:
    """A build's deployment to an org that holds something."""
    given = {"purpose": "build", "package": "delta", "holds": "sha256:held"} | changes
    return SimpleNamespace(
        purpose=given["purpose"],
        plan={"package": given["package"]},
        organization_id=given.get("org", "00D1"),
        environment_id=1,
        environment=SimpleNamespace(holds_digest=given["holds"]),
    )


@pytest.mark.parametrize(
    ("changes", "last", "is_sure"),
    [
        ({}, "succeeded", True),
        ({}, "failed", False),
        ({}, "unknown", False),
        ({}, None, False),
        ({"holds": "sha256:other"}, "succeeded", False),
        ({"holds": ""}, "succeeded", False),
        ({"org": "00D2"}, "succeeded", False),
        ({"package": "whole"}, "succeeded", False),
        ({"purpose": "test"}, "succeeded", False),
        ({"purpose": "release"}, "succeeded", False),
    ],
)
def test_the_rest_is_sent_only_on_top_of_what_is_surely_there(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], last: str | None, is_sure: bool
) -> None:
    wrote = SimpleNamespace(state=last, artefact=HELD, organization_id="00D1") if last else None
    monkeypatch.setattr(deployments, "last_write", lambda environment_id: wrote)
    found: Any = parcel._base(planned(**changes))
    assert (found is HELD) == is_sure
