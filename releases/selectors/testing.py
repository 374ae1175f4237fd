"""Which tests a release is to run, as the rows say it now, and what their page shows."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from governance.models import PolicyVersion
from metadata.references import APEX
from releases.models import ArtefactComponent, KnownTest, Release
from releases.rules.testing import WITHOUT_NAMES, Selection, Wanted, lowered
from releases.selectors import environments, policies

PAGE = 50
UNTESTED_SHOWN = 20
_Kind = KnownTest.Kind


def wanted(release: Release) -> Wanted:
    """What is proposed for the release's artefact and what people chose; one query."""
    rows = known(release).filter(kind=_Kind.PROPOSED)
    return Wanted(
        proposed=tuple(rows.order_by("name").values_list("name", flat=True).distinct()),
        level=release.test_level,
        added=tuple(release.tests_added),
        removed=tuple(release.tests_removed),
    )


def selection(release: Release | None, version: PolicyVersion | None) -> Selection:
    """What a deployment runs under a policy; without a release nobody names tests."""
    return (wanted(release) if release else Wanted()).settled(_level(version))


def asked(release: Release) -> str:
    """The level that production's policy asks of the release."""
    environment = environments.production()
    version = policies.for_release(environment, release.change_class) if environment else None
    return _level(version)


def _level(version: PolicyVersion | None) -> str:
    return str(version.body.get("test_level", WITHOUT_NAMES)) if version else WITHOUT_NAMES


def known(release: Release) -> QuerySet[KnownTest]:
    """What the build worker found for the release's artefact when it was composed last.

    A rollback carries an artefact that another release was composed into.
    """
    if release.artefact_id is None:
        return KnownTest.objects.none()
    rows = KnownTest.objects.filter(artefact=release.artefact_id)
    if release.restores_id is not None:
        return rows
    return rows.filter(release=release, base_snapshot=release.base_snapshot_id)


def spelled(release: Release, name: str) -> str | None:
    """The test of the composed tree as it is written there; None when there is none."""
    rows = known(release).exclude(kind=_Kind.UNTESTED).filter(name__iexact=name)
    return rows.values_list("name", flat=True).first()


def is_carried_class(release: Release, name: str) -> bool:
    """Whether the package holds an Apex class of that name."""
    rows = ArtefactComponent.objects.filter(artefact=release.artefact_id, type="ApexClass")
    return rows.filter(name__iexact=name).exists()


def carries_apex(release: Release) -> bool:
    """Whether the package holds Apex, whose coverage the platform counts."""
    rows = ArtefactComponent.objects.filter(artefact=release.artefact_id, type__in=APEX)
    return rows.exists()


@dataclass(frozen=True, slots=True)
class TestRow:
    """One test on the page: why it is there, and whether it runs."""

    __test__ = False
    name: str
    why: tuple[str, ...]
    is_added: bool
    is_left_out: bool
    may_leave_out: bool


@dataclass(frozen=True, slots=True)
class TestsPage:
    """The tests of a release: the sentence, and one page of the names."""

    __test__ = False
    runs: Selection
    asked: str
    wanted: Wanted
    rows: tuple[TestRow, ...]
    total: int
    following: str
    untested: tuple[str, ...]
    untested_total: int

    @property
    def is_raised(self) -> bool:
        """Whether people chose a level."""
        return bool(self.wanted.level)


def page(release: Release, *, after: str = "", size: int = PAGE) -> TestsPage:
    """Read the tests whose names come after one, so many of them."""
    chosen, least = wanted(release), asked(release)
    out, added = lowered(chosen.removed), lowered(chosen.added)
    may = chosen.may_leave_out(least)
    proposed = lowered(chosen.proposed)
    every = {name.lower(): name for name in (*chosen.added, *chosen.proposed)}
    names = [every[low] for low in sorted(every) if low > after.lower()]
    shown = names[:size]
    reasons = _reasons(release, shown)
    rows = [
        TestRow(
            name=name,
            why=reasons.get(name.lower(), ()),
            is_added=name.lower() in added and name.lower() not in proposed,
            is_left_out=may and name.lower() in out,
            may_leave_out=may or name.lower() in added - proposed,
        )
        for name in shown
    ]
    bare = known(release).filter(kind=_Kind.UNTESTED).order_by("name")
    untested = list(bare.values_list("name", flat=True).distinct()[: UNTESTED_SHOWN + 1])
    return TestsPage(
        runs=chosen.settled(least),
        asked=least,
        wanted=chosen,
        rows=tuple(rows),
        total=len(every),
        following=shown[-1] if shown and len(names) > size else "",
        untested=tuple(untested[:UNTESTED_SHOWN]),
        untested_total=len(untested) if len(untested) <= UNTESTED_SHOWN else bare.count(),
    )


def _reasons(release: Release, names: list[str]) -> dict[str, tuple[str, ...]]:
    rows = known(release).filter(kind=_Kind.PROPOSED, name__in=names)
    found: dict[str, tuple[str, ...]] = {}
    for name, why in rows.order_by("pk").values_list("name", "reasons"):
        found[name.lower()] = tuple(dict.fromkeys([*found.get(name.lower(), ()), *why]))
    return found
