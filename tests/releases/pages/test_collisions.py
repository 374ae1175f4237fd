"""Where teams meet before any release exists: from two pushes to what both teams see."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from governance.models import AuditEvent, Notice
from jobs import registry, runner
from jobs.models import Work
from jobs.wake import wake
from releases.models import Candidate, Collision, Repository, TeamWork
from releases.selectors import collisions
from releases.services import radar, repositories
from tests.metadata.repositories import BASE, HEAD, NS, PROJECT, Repo, field
from tests.metadata.test_touched import rights
from tests.releases.pages.conftest import Looks
from tests.releases.pages.reading import page_of, words
from tests.support.company import Company
from tests.support.company.trains import went_out
from tests.support.databases import as_role
from tests.support.moves import reach

RIGHTS = f"{BASE}/permissionsets/Household_User.permissionset-meta.xml"
REGION = f"{BASE}/objects/Account/fields/Region__c.field-meta.xml"
START: dict[str, str | bytes | None] = {
    "sfdx-project.json": PROJECT,
    RIGHTS: rights(Region__c=False, Score__c=False),
    REGION: field("Region__c"),
}


def follows(company: Company, slug: str, path: Path) -> Repo:
    """Let a team's repository be a real one whose first commit is in production."""
    repo = Repo(path)
    base = repo.commit(START, "What production holds")
    Repository.objects.filter(team=company.teams[slug]).update(url=str(path), main_sha="")
    row = Candidate.objects.create(
        repository=company.repositories[slug],
        team=company.teams[slug],
        tag="v0.9.0",
        sha=base,
        created_by=company.people["priya" if slug == "sales" else "tomas"],
    )
    reach(row, "offered")
    went_out(company, row)
    return repo


def fetch(company: Company, slug: str) -> None:
    """Fetch a team's repository as its worker does, and what that asks for."""
    registry.autodiscover()
    for kind in (repositories.KIND, radar.KIND):
        wake_pk = company.repositories[slug].pk
        if kind == repositories.KIND:
            wake(kind, wake_pk)
        for work in Work.objects.filter(kind=kind, subject_id=wake_pk, wake_at__isnull=False):
            with as_role("build"):
                runner.advance("build", [work.pk])
    repository = Repository.objects.get(pk=company.repositories[slug].pk)
    assert repository.health == "ok", repository.message


@pytest.fixture
def repos(company: Company, tmp_path: Path, settings: Any) -> dict[str, Repo]:
    """Both teams' repositories, alike and in production, before anybody pushes."""
    settings.GATEHOUSE = dataclasses.replace(
        settings.GATEHOUSE, repository_roots=(tmp_path,), mirrors_dir=tmp_path / "mirrors"
    )
    with as_role("build"):
        Collision.objects.all().delete()
        TeamWork.objects.all().delete()
    return {slug: follows(company, slug, tmp_path / slug) for slug in ("sales", "service")}


def test_two_pushes_at_the_same_element_reach_both_teams(
    company: Company, repos: dict[str, Repo], as_person: Looks
) -> None:
    sales = repos["sales"].commit(
        {RIGHTS: rights(Region__c=True, Score__c=False), REGION: field("Region__c", "Area")},
        "Sales may edit regions",
    )
    service = repos["service"].commit(
        {RIGHTS: rights(Score__c=False), REGION: field("Region__c", "Country")},
        "Service may not see regions",
    )
    fetch(company, "sales")
    assert not Collision.objects.filter(gone_at__isnull=True).exists()
    fetch(company, "service")
    for name in ("lena", "chloe", "ana"):
        said = words(page_of(as_person(name), reverse("releases:collisions")))
        assert "Same element" in said
        assert "both change fieldPermissions Account.Region__c" in said
        assert sales[:7] in said
        assert service[:7] in said
        assert "Dana Fox" in said
    for slug, name in (("sales", "lena"), ("service", "chloe")):
        panel = as_person(name).get(reverse("releases:team_panel", kwargs={"slug": slug}))
        assert "Household_User" in panel.content.decode()
    home = words(page_of(as_person("ana"), "/"))
    assert "2 collisions between teams before any release" in home
    told = Notice.objects.filter(text__contains="Account.Region__c")
    teams = {text.partition(":")[0] for text in told.values_list("subject", flat=True)}
    assert teams == {"Sales", "Service"}
    assert AuditEvent.objects.filter(event="collision.found").count() == 1 + 2


def test_nobody_is_told_twice_and_what_is_over_leaves_the_page(
    company: Company, repos: dict[str, Repo], as_person: Looks
) -> None:
    for slug, label in (("sales", "Area"), ("service", "Country")):
        repos[slug].commit({REGION: field("Region__c", label)}, label)
        fetch(company, slug)
    told = Notice.objects.count()
    assert Notice.objects.filter(text__contains="ield Account.Region__c").exists()
    repos["sales"].commit({REGION: field("Region__c", "Zone")}, "Zone")
    fetch(company, "sales")
    assert Notice.objects.count() == told
    repos["sales"].commit({REGION: START[REGION]}, "Back to what production holds")
    fetch(company, "sales")
    assert "No two teams meet." in words(page_of(as_person("lena"), reverse("releases:collisions")))
    repos["sales"].commit({REGION: field("Region__c", "Zone")}, "Zone again")
    fetch(company, "sales")
    assert collisions.listing(collisions.Wanted()).rows[0].name == "Account.Region__c"
    assert Notice.objects.count() == told


def test_who_respells_a_component_meets_who_changes_it_and_nobody_is_told_twice(
    company: Company, repos: dict[str, Repo], as_person: Looks
) -> None:
    repos["service"].commit(
        {RIGHTS: rights(Region__c=True, Score__c=False)}, "Service may edit regions"
    )
    fetch(company, "service")
    repos["sales"].commit({RIGHTS: rights(Region__c=True, Score__c=True)}, "Sales, too")
    fetch(company, "sales")
    told = Notice.objects.count()
    shouted = RIGHTS.replace("Household_User", "HOUSEHOLD_USER")
    respelled = repos["sales"].commit(
        {RIGHTS: None, shouted: rights(Region__c=True, Score__c=True)}, "Louder"
    )
    fetch(company, "sales")
    (row,) = collisions.listing(collisions.Wanted()).rows
    assert row.name == "HOUSEHOLD_USER"
    assert row.inside == "both change fieldPermissions Account.Region__c"
    commits = {side.team.slug: [each["sha"] for each in side.commits] for side in row.sides}
    assert commits["sales"][0] == respelled
    assert commits["service"]
    assert Notice.objects.count() == told


def test_a_commit_that_cannot_be_read_says_so(
    company: Company, repos: dict[str, Repo], as_person: Looks
) -> None:
    repos["sales"].commit({REGION: f"{HEAD}<CustomField {NS}>"}, "Half a file")
    fetch(company, "sales")
    said = words(page_of(as_person("lena"), reverse("releases:collisions")))
    assert "could not be read, so its changes are missing here" in said
    assert "Region__c.field-meta.xml" in said


def test_filters_ranks_and_words(company: Company, as_person: Looks) -> None:
    every = collisions.listing(collisions.Wanted()).rows
    assert [row.rank.text for row in every] == ["Same element", "Same component", "Reference"]
    assert every[2].inside.startswith("named by Apex class")
    found = collisions.listing(collisions.Wanted(rank="component", team="sales", query="field"))
    assert [row.name for row in found.rows] == [every[1].name]
    assert collisions.listing(collisions.Wanted(team="platform")).rows == ()
    lines = as_person("ana").get(reverse("releases:collisions_csv") + "?rank=element")
    assert b"".join(lines).count(b"\r\n") == 2


def test_the_list_costs_the_same_however_long_it_is(
    company: Company, as_person: Looks, django_assert_max_num_queries: Any
) -> None:
    client = as_person("ana")
    page_of(client, reverse("releases:collisions"))
    with django_assert_max_num_queries(30, connection=connection) as before:
        page_of(client, reverse("releases:collisions"))
    with as_role("build"):
        template = Collision.objects.filter(closeness=2).get()
        sides = list(template.sides.all())
        for number in range(40):
            template.pk, template.name = None, f"Account.Field_{number}__c"
            template.save(force_insert=True)
            for side in sides:
                side.pk, side.collision = None, template
                side.save(force_insert=True)
    with django_assert_max_num_queries(len(before.captured_queries), connection=connection):
        page_of(client, reverse("releases:collisions"))
    first = collisions.listing(collisions.Wanted())
    second = collisions.listing(collisions.Wanted(after=first.after))
    assert (len(first.rows), len(second.rows), second.after) == (30, 13, "")
