"""I-2: nobody's approval survives an edit, the author's included.

The edits here go past the services: ``QuerySet.update`` and raw SQL in each role that may write the
row. A trigger on the bound row supersedes the request in the same transaction. Edits through the
product are in tests/journeys and test_i01.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from governance.models import ApprovalRequest, AuditEvent
from jobs import registry
from jobs.models import Work
from releases.models import Release
from releases.services import releases
from releases.workers import voiding
from tests.invariants.gate_world import Approved, approved
from tests.support.attacks import drop
from tests.support.company import Company, acting
from tests.support.cover import execute
from tests.support.databases import as_role


def window(world: Approved) -> None:
    Release.objects.filter(pk=world.release.pk).update(
        not_after=world.company.now + timedelta(days=3)
    )


def sql(role: str, statement: str, pick: Callable[[Approved], int]) -> Callable[[Approved], Any]:
    def change(world: Approved) -> None:
        assert execute(role, statement, pick(world)) == 1

    return change


def release(world: Approved) -> int:
    return world.release.pk


def item(world: Approved) -> int:
    return int(world.release.items.earliest("pk").pk)


def production(world: Approved) -> int:
    return int(world.deployment.environment_id)


SET = "UPDATE releases_release SET {} WHERE id = %s"
ARTEFACT = SET.format("artefact_id = (SELECT min(id) FROM releases_artefact)")
REMOVE = "UPDATE releases_releaseitem SET removed_at = now() WHERE id = %s"
ADD = (
    "INSERT INTO releases_releaseitem (release_id, candidate_id, added_by_id, added_at)"
    " SELECT r.id, c.id, r.composed_by_id, now() FROM releases_release r, releases_candidate c"
    " WHERE r.id = %s AND NOT EXISTS (SELECT FROM releases_releaseitem i"
    " WHERE i.release_id = r.id AND i.candidate_id = c.id AND i.removed_at IS NULL) LIMIT 1"
)
PICK = (
    "INSERT INTO releases_resolution (release_id, type, name, path, conflict_digest, pick, told,"
    " taken, reason, made_by_id, made_at) SELECT id, 'ApexClass', 'Quote', '',"
    " 'sha256:' || repeat('0', 64), 'all', '', '', '', composed_by_id, now()"
    " FROM releases_release WHERE id = %s"
)
TO_DO = (
    "INSERT INTO releases_runbookitem (uuid, created_at, release_id, phase, text, owner_id,"
    " critical, added_by_id) SELECT gen_random_uuid(), now(), id, 'before', 'Switch it off',"
    " composed_by_id, true, composed_by_id FROM releases_release WHERE id = %s"
)
EDITS: dict[str, Callable[[Approved], Any]] = {
    "window, by QuerySet.update": window,
    "what it goes back to, by a deploy worker": sql(
        "deploy",
        SET.format("restores_id = (SELECT min(id) FROM releases_release)"),
        release,
    ),
    "artefact, by a build worker": sql("build", ARTEFACT, release),
    "class, by a deploy worker": sql("deploy", SET.format("change_class = 'standard'"), release),
    "change class, by web": sql("web", SET.format("change_class = 'standard'"), release),
    "candidate taken out, by web": sql("web", REMOVE, item),
    "candidate added, by web": sql("web", ADD, release),
    "a side picked, by web": sql("web", PICK, release),
    "step of the runbook added, by web": sql("web", TO_DO, release),
    "policy of the environment, by web": sql(
        "web", "UPDATE environments_environment SET policy_id = NULL WHERE id = %s", production
    ),
    "address of the environment, by web": sql(
        "web",
        "UPDATE environments_environment SET expected_organization_id = '00D000000000099AAA' "
        "WHERE id = %s",
        production,
    ),
    "sort of the org, by a deploy worker": sql(
        "deploy", "UPDATE environments_environment SET is_sandbox = NULL WHERE id = %s", production
    ),
}


def state_of(world: Approved) -> str:
    return str(ApprovalRequest.objects.values_list("state", flat=True).get(pk=world.request.pk))


@pytest.mark.parametrize("edit", EDITS, ids=list(EDITS))
def test_i02_an_edit_behind_the_back_supersedes_at_once(company: Company, edit: str) -> None:
    world = approved(company)
    assert state_of(world) == "satisfied"
    EDITS[edit](world)
    assert state_of(world) == "superseded"
    assert not world.verdict().allowed


def test_i02_a_step_of_the_runbook_is_rewritten_behind_the_back(company: Company) -> None:
    """Ticking it off is no edit: that is what it is there for."""
    world = approved(company)
    drop("releases_runbookitem", "void_approval_of_new")
    assert execute("web", TO_DO, world.release.pk) == 1
    execute("web", "UPDATE releases_runbookitem SET done_at = now(), done_by_id = added_by_id")
    assert state_of(world) == "satisfied"
    execute("web", "UPDATE releases_runbookitem SET critical = NOT critical")
    assert state_of(world) == "superseded"


def test_i02_a_change_that_is_taken_back_leaves_the_approval_void(company: Company) -> None:
    """Off and on again within one transaction is an edit too."""
    world = approved(company)
    before = world.release.not_after
    window(world)
    Release.objects.filter(pk=world.release.pk).update(not_after=before)
    assert state_of(world) == "superseded"
    assert not world.verdict().allowed


def test_i02_what_is_not_bound_voids_nothing(company: Company) -> None:
    world = approved(company)
    Release.objects.filter(pk=world.release.pk).update(notes="A typo mended.", title="October")
    execute("deploy", "UPDATE environments_environment SET checked_at = now()")
    assert state_of(world) == "satisfied"


def test_i02_a_worker_tells_the_history_and_takes_the_release_back(company: Company) -> None:
    world = approved(company)
    window(world)
    work = Work.objects.get(kind=voiding.KIND, subject_id=world.request.pk)
    assert work.wake_at is not None
    with as_role("build"), acting(company.people["marek"]):
        voiding.voided(registry.Claim(work.kind, work.subject_id, work.fence, work.pk))
    world.release.refresh_from_db()
    assert world.release.state == "rehearsed"
    assert world.fresh().state == "superseded"
    told = AuditEvent.objects.filter(event="approval.superseded").latest("pk")
    assert "the release was changed" in told.sentence


def test_i02_an_edit_through_the_product_tells_it_itself(company: Company) -> None:
    world = approved(company)
    with acting(company.people["marek"]):
        releases.edit(
            release_id=world.release.pk, not_after=company.now + timedelta(days=2, hours=1)
        )
    assert state_of(world) == "superseded"
    assert not Work.objects.filter(kind=voiding.KIND).exists()
