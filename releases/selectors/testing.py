"""Which tests a release is to run, as the rows say it now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from governance.models import PolicyVersion
from releases.models import KnownTest, Release
from releases.rules.testing import WITHOUT_NAMES, Selection, Wanted


def wanted(release: Release) -> Wanted:
    """What is proposed for the release's artefact and what people chose; one query."""
    rows = known(release).filter(kind=KnownTest.Kind.PROPOSED)
    return Wanted(
        proposed=tuple(rows.order_by("name").values_list("name", flat=True).distinct()),
        level=release.test_level,
        added=tuple(release.tests_added),
        removed=tuple(release.tests_removed),
    )


def selection(release: Release | None, version: PolicyVersion | None) -> Selection:
    """What a deployment runs under a policy; without a release nobody names tests."""
    body = version.body if version else {}
    asked = str(body.get("test_level", WITHOUT_NAMES))
    return (wanted(release) if release else Wanted()).settled(asked)


def of_plan(plan: Mapping[str, Any]) -> Selection:
    """What a deployment's plan says that it runs; one of old names no tests."""
    return Selection(str(plan.get("test_level", "")), tuple(plan.get("run_tests", ())))


def known(release: Release) -> QuerySet[KnownTest]:
    """What the build worker found for the release's artefact.

    A rollback carries an artefact that another release was composed into.
    """
    if release.artefact_id is None:
        return KnownTest.objects.none()
    rows = KnownTest.objects.filter(artefact=release.artefact_id)
    return rows if release.restores_id else rows.filter(release=release)
