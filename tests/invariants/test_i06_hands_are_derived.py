"""I-6: who had a hand in a release is derived by the database, whatever web says when it asks.

A taken-over or buggy web leaves somebody out; each attack is shown to succeed without its guard.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from environments.models import Snapshot
from governance.models import ApprovalRequest, Membership
from releases.models import Artefact, ArtefactComponent, Deployment, Release, ReleaseChange
from releases.rules import risk
from releases.selectors import changes, marks, segregation
from releases.services import releases, runbooks, stages
from releases.states import Purpose
from tests.invariants.gate_world import approve, approved
from tests.support.attacks import Attack, answers, drop, expected
from tests.support.company import Company, acting, hex_of
from tests.support.company.work import run
from tests.support.cover import execute, refusal, sqlstate
from tests.support.databases import as_role
from tests.support.moves import reach

pytestmark = pytest.mark.django_db

CONTRIBUTORS = {"priya", "lena", "tomas", "chloe"}

ATTACKS: dict[str, Attack] = {
    "a candidate is born with authors of web's choice": Attack(
        "web",
        "INSERT INTO releases_candidate (uuid, created_at, repository_id, team_id, tag, sha, state,"
        " message, created_by_id, test_note, commit_count, contributors) SELECT gen_random_uuid(),"
        " now(), repository_id, team_id, 'v9', sha, 'building', '', created_by_id, '', 0,"
        ' \'[{"email": "nobody@northwind.example", "name": "N"}]\' FROM releases_candidate LIMIT 1',
        "releases_candidate",
        "guard_authors_of_new",
        "P0R02",
    ),
    "an author is forgotten after the tag was packaged": Attack(
        "build",
        "UPDATE releases_candidate SET contributors = '[]'",
        "releases_candidate",
        "guard_authors",
    ),
    "a release gets an artefact that nobody composed": Attack(
        "web",
        "UPDATE releases_release SET artefact_id = (SELECT max(id) FROM releases_artefact)"
        " WHERE title = 'November train'",
        "releases_release",
        "guard_cargo",
        "P0R02",
    ),
    "a candidate was added by somebody else": Attack(
        "web",
        "UPDATE releases_releaseitem SET added_by_id = (SELECT max(id) FROM governance_user)",
        "releases_releaseitem",
        "guard_item",
    ),
    "a candidate is exchanged for another one": Attack(
        "web",
        "UPDATE releases_releaseitem SET candidate_id = (SELECT id FROM releases_candidate"
        " WHERE tag = 'v1.0.0' ORDER BY id LIMIT 1) WHERE id = (SELECT max(i.id)"
        " FROM releases_releaseitem i JOIN releases_release r ON r.id = i.release_id"
        " WHERE r.title = 'October train')",
        "releases_releaseitem",
        "guard_item",
    ),
    "what it carries changes after people were asked": Attack(
        "web",
        "UPDATE releases_release SET scope = 'delta' WHERE title = 'October train'",
        "releases_release",
        "guard_cargo",
    ),
    "it was composed over another look at production": Attack(
        "web",
        "UPDATE releases_release SET base_snapshot_id = (SELECT max(id) FROM environments_snapshot)"
        " WHERE title = 'October train'",
        "releases_release",
        "guard_base",
    ),
}


def asked_again(company: Company) -> ApprovalRequest:
    """The October train taken back and put before the board once more."""
    release = company.releases["October train"]
    release.refresh_from_db()
    with acting(company.people["marek"]):
        if release.state == "submitted":
            stages.withdraw_submission(release_id=release.pk, reason="again")
        request = stages.submit(release_id=release.pk)
    release.refresh_from_db()
    return request


def shut_out(request: ApprovalRequest) -> set[str]:
    return {
        email.partition("@")[0]
        for email in request.exclusions.values_list("user__email", flat=True)
    }


def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Web that puts the question without saying who had a hand in it, and without marks."""
    monkeypatch.setattr(segregation, "excluded", lambda release: ([], []))


def test_i06_web_cannot_leave_out_who_had_a_hand_in_it(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = company.releases["October train"]
    with as_role("owner"):
        execute(
            "owner",
            "UPDATE governance_user SET email = 'other@northwind.example' WHERE id = %s",
            company.people["lena"].pk,
        )
    told = shut_out(asked_again(company))
    forgetful(monkeypatch)
    request = asked_again(company)
    assert shut_out(request) == told == {"marek", "other", *CONTRIBUTORS - {"lena"}}
    assert list(request.unmapped.values_list("email", flat=True)) == ["lena@northwind.example"]
    assert release.state == "submitted"


def test_i06_without_the_guard_web_leaves_them_out(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgetful(monkeypatch)
    drop("releases_deployment", "complete_question")
    assert shut_out(asked_again(company)) == set()


@pytest.mark.parametrize("guarded", [True, False])
def test_i06_what_is_taken_out_after_it_was_composed_hides_nobody(
    company: Company, monkeypatch: pytest.MonkeyPatch, *, guarded: bool
) -> None:
    """Raw SQL between composing and asking; the artefact carries the candidate still."""
    release = company.releases["October train"]
    told = shut_out(asked_again(company))
    with acting(company.people["marek"]):
        stages.withdraw_submission(release_id=release.pk, reason="again")
    if not guarded:
        drop("releases_releaseitem", "guard_item")
    out = "UPDATE releases_releaseitem SET removed_at = '2001-01-01' WHERE release_id = %s"
    assert execute("web", f"{out} AND candidate_id = %s", release.pk, of_service(company)) == 1
    assert (shut_out(asked_again(company)) == told) is guarded


def of_service(company: Company) -> int:
    return company.candidates["service v1.1.0"].pk


def test_i06_a_question_without_its_marks_is_refused(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "of", lambda release: ())
    with pytest.raises(DatabaseError, match="leaves out a risk mark"), transaction.atomic():
        asked_again(company)
    drop("releases_deployment", "complete_question")
    assert asked_again(company).marks == []


def test_i06_a_candidate_that_nobody_packaged_is_not_put_before_anybody(company: Company) -> None:
    """Web moves a tag to "offered" past the build worker, so nobody knows its authors."""
    with acting(company.people["marek"]):
        stages.withdraw_submission(release_id=company.releases["October train"].pk, reason="attack")
    drop("releases_candidate", "guard_authors")
    execute("owner", "UPDATE releases_candidate SET artefact_id = NULL WHERE tag = 'v1.1.0'")
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        asked_again(company)
    assert sqlstate(caught.value) == "P0R04"


def test_i06_authors_and_cargo_are_a_build_worker_s_word(company: Company) -> None:
    assert answers(ATTACKS) == expected(ATTACKS)


def test_i06_the_last_editor_and_the_author_of_the_runbook_are_shut_out(company: Company) -> None:
    release = company.releases["October train"]
    with acting(company.people["marek"]):
        stages.withdraw_submission(release_id=release.pk, reason="more to do")
    with as_role("owner"):
        for name in ("ana", "ben"):
            Membership.objects.create(
                user=company.people[name],
                team=company.teams["platform"],
                role="release_manager",
                granted_at=company.now - timedelta(days=90),
            )
    with acting(company.people["ana"]):
        releases.edit(release_id=release.pk, notes="Other words.")
    with acting(company.people["ben"]):
        runbooks.add(
            release_id=release.pk,
            text="Back up",
            phase="before",
            owner_id=company.people["ben"].pk,
            critical=False,
        )
    found = {user.full_name: why for user, why in segregation.excluded(release)[0]}
    assert found["Ana Keller"] == "changed this release last"
    assert found["Ben Okafor"] == "wrote a step of its runbook"


def joins_sales(company: Company, name: str) -> None:
    with as_role("owner"):
        Membership.objects.create(
            user=company.people[name], team=company.teams["sales"], role="developer"
        )


def test_i06_who_joins_a_contributing_team_after_approving_no_longer_carries_it(
    company: Company,
) -> None:
    world = approved(company)
    assert world.verdict().allowed
    with as_role("deploy"):
        reach(world.deployment, "running")
    joins_sales(company, "ana")
    assert "ana" in shut_out(world.request)
    assert not world.verdict().allowed
    step = world.deployment.steps.get(kind="deploy")
    assert refusal(step) == "too few of the people whom the policy asks approved it"


def test_i06_gate_and_floor_derive_it_again_by_themselves(company: Company) -> None:
    """At claim and right before the call: without the exclusion they still see it."""
    world = approved(company)
    with as_role("deploy"):
        reach(world.deployment, "running")
    drop("governance_membership", "exclude_newcomer")
    joins_sales(company, "ana")
    assert "ana" not in shut_out(world.request)
    said = " ".join(reason.text for reason in world.verdict().reasons)
    assert "Ana Keller approved it and is a member of Sales, which contributes" in said
    step = world.deployment.steps.get(kind="deploy")
    assert refusal(step) == "Ana Keller approved it and is a member of Sales, which contributes"


def test_i06_the_preparation_of_another_release_carries_nothing(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Web puts a question with a validation that ran for other contents."""
    other = company.releases["September train"].deployments.get(purpose="prepare")
    monkeypatch.setattr(stages, "preparation_of", lambda release: other)
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        asked_again(company)
    assert sqlstate(caught.value) == "P0R04"
    drop("releases_deployment", "complete_question")
    assert asked_again(company).state == "open"


def test_i06_what_was_prepared_before_it_was_composed_anew_carries_nothing(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Production moved on in between, so nobody compared it with what is shown now."""
    release = company.releases["October train"]
    old = release.deployments.get(purpose="prepare")
    base = Snapshot.objects.latest("pk")
    with as_role("owner"):
        Release.objects.filter(pk=release.pk).update(base_snapshot=base)
    release.refresh_from_db()
    assert stages.preparation_of(release) is None
    monkeypatch.setattr(stages, "preparation_of", lambda release: old)
    with pytest.raises(DatabaseError, match="nobody composed"), transaction.atomic():
        asked_again(company)
    with as_role("owner"):
        rows = list(ReleaseChange.objects.filter(release=release))
        for row in rows:
            row.pk, row.base_snapshot = None, base
        ReleaseChange.objects.bulk_create(rows)
    with pytest.raises(DatabaseError, match="before it was composed"), transaction.atomic():
        asked_again(company)
    drop("releases_deployment", "complete_composition")
    assert asked_again(company).state == "open"


def test_i06_a_rollback_bears_the_marks_of_all_that_it_brings_back(company: Company) -> None:
    """The database says the same, before production was looked at and afterwards."""
    origin = company.releases["October train"]
    listed = {name for group in (*risk.GRANTING.values(), risk.BY_ITSELF) for name in group}
    names = sorted({*listed, *risk.AT_WORST, "AccountSettings", "Layout"})
    with as_role("build"):
        artefact = Artefact.objects.create(
            digest=f"sha256:{hex_of('back')}", blob=hex_of("zip back"), zip_size=1, file_count=1,
            unzipped_size=1, component_count=len(names), api_version="64.0", manifest={},
            removes=[["ApexClass", "Old"]],
        )  # fmt: skip
        ArtefactComponent.objects.bulk_create(
            ArtefactComponent(artefact=artefact, type=name, name="One", digest="a" * 64)
            for name in names
        )
        ReleaseChange.objects.create(
            release=origin, artefact=artefact, type="Layout", name="One", kind="same",
            teams=["Sales", "Service"],
        )  # fmt: skip
    with as_role("owner"):
        release = Release.objects.create(
            title="Back", version="9.9.9", composed_by=company.people["marek"], artefact=artefact,
            restores=origin, change_class="rollback",
        )  # fmt: skip
    held = dict.fromkeys((f"{name}:One" for name in names), "a" * 64)
    for differs in (None, *names, "Old"):
        if differs is not None:
            prepared = run(company, Purpose.PREPARE, "Production", artefact, release=release)
            found = {**held, "ApexClass:Old": "", f"{differs}:One": "b" * 64}
            if differs == "Old":
                found = {**held, "ApexClass:Old": "c" * 64}
            with as_role("owner"):
                Deployment.objects.filter(pk=prepared.pk).update(baseline=found)
        with connection.cursor() as cursor:
            cursor.execute("SELECT releases_marks(%s, %s)", [release.pk, artefact.pk])
            told = tuple(cursor.fetchone()[0])
        assert told == marks.of(release), differs
        shown = [row.type for row in changes.rows_of(release)]
        assert len(shown) == (1 if differs else len(names) + 1)
        if differs is None:
            every = {*risk.DANGERS, "permissions", "automation", "org_settings", "several_teams"}
            assert set(told) == every
    assert told == ("destructive",)


def test_i06_marks_are_the_same_in_python_and_in_the_database(company: Company) -> None:
    release = company.releases["October train"]
    assert release.artefact is not None
    every = {
        name
        for group in (*risk.GRANTING.values(), risk.BY_ITSELF, risk.RELIED_ON)
        for name in group
    }
    with connection.cursor() as cursor:
        for number, name in enumerate(sorted({*every, "AccountSettings", "Layout"})):
            other = Release.objects.create(
                title=name, version=f"9.{number}", composed_by=company.people["marek"]
            )
            with as_role("build"):
                ReleaseChange.objects.bulk_create(
                    ReleaseChange(
                        release=other,
                        artefact=release.artefact,
                        type=name,
                        name=kind,
                        kind=kind,
                        teams=["Sales"] * (1 + (kind == "added")),
                        marks=["all_data"] if kind == "changed" else [],
                    )
                    for kind in ("added", "changed", "removed", "same")[number % 3 :]
                )
                other.artefact = release.artefact
                other.save(update_fields=["artefact"])
            cursor.execute("SELECT releases_marks(%s, %s)", [other.pk, release.artefact.pk])
            assert tuple(cursor.fetchone()[0]) == marks.of(other), name


def test_i06_nobody_with_a_hand_in_it_decides_although_web_left_them_out(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jonas sits on the board and is a developer of Sales besides."""
    with as_role("owner"):
        Membership.objects.create(
            user=company.people["jonas"], team=company.teams["sales"], role="developer"
        )
    forgetful(monkeypatch)
    asked_again(company)
    monkeypatch.undo()
    with pytest.raises(Exception, match="is a member of Sales"), transaction.atomic():
        approve(company, company.releases["October train"], "jonas")
