"""Which Apex tests a composed release should run.

A deployment that names its tests needs 75 % of coverage for every class and trigger in its package,
also for those that do not differ from production: tests are proposed for all Apex that is carried
and for everything else that changes or goes.
"""

from __future__ import annotations

from collections.abc import Collection

from metadata import references
from metadata.components import ComponentKey
from metadata.normal import NormalForm
from metadata.references import APEX, References
from metadata.tests_for import Suite, tests_of
from releases.models import KnownTest, Release, Repository
from releases.selectors.released import last_released
from releases.services import packaging

REASONS_KEPT = 20


def tests(
    release: Release,
    form: NormalForm,
    named: References,
    *,
    carried: Collection[ComponentKey],
    differs: Collection[ComponentKey],
) -> list[KnownTest]:
    """Every test of the composed tree and of what other teams brought to production before.

    With why it is proposed; the rows carry no artefact yet.
    """
    others = _tests_of_others(release)
    of_others = references.of(others, {*form, *differs})
    suite = Suite(NormalForm({**others, **form}), {**of_others, **named})
    concerned = {key for key in carried if key.type in APEX}.union(differs)
    proposal = suite.propose(concerned)
    kinds = KnownTest.Kind
    found = [
        KnownTest(release=release, kind=kinds.PROPOSED, name=name, reasons=_kept(reasons))
        for name, reasons in proposal.tests
    ]
    rest = sorted(set(suite.names).difference(proposal.names))
    found += [KnownTest(release=release, kind=kinds.KNOWN, name=name) for name in rest]
    return found + [
        KnownTest(release=release, kind=kinds.UNTESTED, name=key.name, reasons=[key.type])
        for key in proposal.untested
        if key in form
    ]


def _tests_of_others(release: Release) -> NormalForm:
    """The tests that production got last from teams which bring nothing now."""
    teams = release.items.filter(removed_at__isnull=True).values("candidate__team")
    found = NormalForm({})
    for repository in Repository.objects.exclude(team__in=teams).select_related("team"):
        before = last_released(repository)
        if before is not None and before.artefact is not None:
            found = NormalForm({**found, **tests_of(packaging.form_of(before.artefact))})
    return found


def _kept(reasons: Collection[str]) -> list[str]:
    told = list(dict.fromkeys(reasons))
    more = len(told) - REASONS_KEPT
    return [*told[:REASONS_KEPT], *([f"{more} more reasons"] if more > 0 else [])]
