"""The subject digest binds every field of the tuple (I-1)."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from releases.rules.subject import LABELS, Subject, differences

BASE = Subject(
    artefact="sha256:" + "1" * 64,
    baseline="sha256:" + "2" * 64,
    environment_id=1,
    organization_id="00D000000000001AAA",
    plan={"steps": ["gate", "deploy"], "test_level": "RunLocalTests"},
    rollback="none",
    policy_version_id=3,
    runbook="none",
    emergency="",
    composition=((1, "c" * 40), (2, "d" * 40)),
    resolutions="none",
    tests="none",
    change_class="normal",
    requester_id=9,
    not_before="",
    not_after="",
)
OTHERS: dict[str, Any] = {
    "artefact": "sha256:" + "9" * 64,
    "baseline": "sha256:" + "8" * 64,
    "environment_id": 2,
    "organization_id": "00D000000000002AAA",
    "plan": {"steps": ["gate", "deploy"], "test_level": "NoTestRun"},
    "rollback": "sha256:" + "7" * 64,
    "policy_version_id": 4,
    "runbook": "v2",
    "emergency": "sha256:" + "6" * 64,
    "composition": ((1, "c" * 40),),
    "resolutions": "sha256:" + "5" * 64,
    "tests": "sha256:" + "4" * 64,
    "change_class": "standard",
    "requester_id": 10,
    "not_before": "2026-10-22T20:00:00Z",
    "not_after": "2026-10-22T21:30:00Z",
}


def test_i1_every_field_of_the_subject_is_tried_and_labelled() -> None:
    names = {field.name for field in fields(Subject)}
    assert names == set(OTHERS) == set(LABELS)


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_i1_changing_one_bound_field_changes_the_digest(name: str) -> None:
    changed = replace(BASE, **{name: OTHERS[name]})
    assert changed.digest() != BASE.digest()
    assert differences(BASE, changed) == [LABELS[name]]


def test_equal_subjects_have_equal_digests_whatever_the_order_of_the_plan() -> None:
    plan = dict(reversed(list(BASE.plan.items())))
    assert replace(BASE, plan=plan).digest() == BASE.digest()
    assert differences(BASE, replace(BASE, plan=plan)) == []
