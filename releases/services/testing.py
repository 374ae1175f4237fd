"""People change which tests a release runs: more than are proposed, never fewer than asked.

The target is production: its policy says the least level, and whether a proposed test may be left
out. What is changed after people were asked voids what they decided.
"""

from __future__ import annotations

from dataclasses import replace

from django.db import transaction

from core.errors import Conflict, InvalidInput, NotNow
from governance.permissions import acting_person, demand
from governance.rules.policy import SPECIFIED, TEST_LEVELS, meets
from releases.models import Release
from releases.rules.testing import CLASS_NAME, Wanted, lowered
from releases.selectors import testing
from releases.services import releases
from releases.states import ReleaseState

ADDED_AT_MOST = 500


@transaction.atomic
def set_level(*, release_id: int, level: str) -> Release:
    """Choose which tests run, at least what production's policy asks; empty: just that.

    Codes: ``tests.level``, ``tests.below_policy``, ``tests.none``, ``tests.not_composed``.
    """
    release = _changeable(release_id)
    asked = testing.asked(release)
    if level and level not in TEST_LEVELS:
        raise InvalidInput(
            "tests.level", f"The test level must be one of {', '.join(TEST_LEVELS)}.", field="level"
        )
    if level and not meets(level, asked):
        raise InvalidInput(
            "tests.below_policy",
            f"Production's policy asks for {asked}, and {level} runs less. Choose at least "
            f"{asked}, or have the board change the policy.",
            field="level",
        )
    wanted = replace(testing.wanted(release), level=level)
    if level == SPECIFIED and not wanted.names(asked):
        raise InvalidInput("tests.none", f"{_nothing(release)} Add a test first.", field="level")
    return _keep(release, wanted, f"level {level or 'as the policy asks'}")


@transaction.atomic
def add(*, release_id: int, name: str) -> Release:
    """Run one more test: a class of the package, or one that production holds.

    Codes: ``tests.name``, ``tests.not_a_test``, ``tests.there``, ``tests.too_many``,
    ``tests.not_composed``.
    """
    release = _changeable(release_id)
    name = name.strip()
    if not CLASS_NAME.fullmatch(name):
        raise InvalidInput(
            "tests.name",
            "Give the name of one Apex class, such as PricingTest or ns.PricingTest.",
            field="name",
        )
    wanted = testing.wanted(release)
    known = testing.spelled(release, name)
    if known is None and testing.is_carried_class(release, name):
        raise InvalidInput(
            "tests.not_a_test",
            f"{name} is a class of this package without tests. Name a class that has some.",
            field="name",
        )
    if name.lower() in lowered(wanted.removed):
        left = tuple(other for other in wanted.removed if other.lower() != name.lower())
        return _keep(release, replace(wanted, removed=left), f"{known or name} runs again")
    if name.lower() in lowered((*wanted.proposed, *wanted.added)):
        raise Conflict("tests.there", f"{known or name} is among the tests already.")
    if len(wanted.added) >= ADDED_AT_MOST:
        raise InvalidInput(
            "tests.too_many",
            f"{ADDED_AT_MOST} tests were added already. Choose the level RunLocalTests instead.",
            field="name",
        )
    added = (*wanted.added, known or name)
    return _keep(release, replace(wanted, added=added), f"{known or name} added")


@transaction.atomic
def leave_out(*, release_id: int, name: str) -> Release:
    """Take back a test that was added, or leave out a proposed one where the policy lets people.

    Codes: ``tests.proposed_stays``, ``tests.none``, ``tests.unknown``, ``tests.not_composed``.
    """
    release = _changeable(release_id)
    wanted, asked, low = testing.wanted(release), testing.asked(release), name.strip().lower()
    if low in lowered(wanted.added):
        added = tuple(other for other in wanted.added if other.lower() != low)
        wanted = replace(wanted, added=added)
    elif low not in lowered(wanted.proposed) or low in lowered(wanted.removed):
        raise InvalidInput("tests.unknown", f"{name} is not among the tests of this release.")
    elif not wanted.may_leave_out(asked):
        raise InvalidInput(
            "tests.proposed_stays",
            f"{name} is proposed for what this release carries, and production's policy asks for "
            f"{asked}: a proposed test stays.",
        )
    else:
        wanted = replace(wanted, removed=(*wanted.removed, name.strip()))
    if wanted.level == SPECIFIED and not wanted.names(asked):
        raise InvalidInput(
            "tests.none",
            f"{name} is the last test, and {SPECIFIED} needs one. Choose another level first.",
        )
    return _keep(release, wanted, f"{name} left out")


def _changeable(release_id: int) -> Release:
    demand("release.compose")
    release = releases.lock(release_id)
    if release.state not in releases.EDITABLE:
        raise NotNow(
            "release.not_editable",
            f"{release.public_id} is {release.state}; wait until that ends, then change it.",
        )
    if release.artefact is None:
        raise NotNow(
            "tests.not_composed",
            f"Tests are proposed when {release.public_id} is composed; compose it first.",
        )
    return release


def _keep(release: Release, wanted: Wanted, change: str) -> Release:
    """Write down what was chosen; whoever decided on other tests has decided on something else."""
    chosen = (wanted.level, list(wanted.added), list(wanted.removed))
    if chosen == (release.test_level, release.tests_added, release.tests_removed):
        return release
    if release.state in releases.ASKED:
        releases.void(release, "the tests changed", to=ReleaseState.REHEARSED)
    release.test_level, release.tests_added, release.tests_removed = chosen
    release.edited_by = acting_person()
    release.save(update_fields=["test_level", "tests_added", "tests_removed", "edited_by"])
    releases.record("release.tests_chosen", release, change=change)
    return release


def _nothing(release: Release) -> str:
    if testing.carries_apex(release):
        return "This release carries Apex that no test is known for, so nothing can be named."
    return "Nothing that this release carries proposes a test, so nothing can be named."
