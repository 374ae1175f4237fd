"""Reading a change: which components, what inside, the text, and who depends on it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from governance.rules.marks import RISK_MARKS
from metadata.components import ComponentKey
from metadata.diff import diff
from metadata.layout import read
from releases.models import Artefact, Build, ReleaseChange
from releases.rules import risk
from releases.selectors import changes, compared, marks, reading
from tests.metadata.repositories import CLASS_META
from tests.releases.pages.conftest import Looks
from tests.releases.pages.reading import page_of, words
from tests.support.company import Company
from tests.support.company.reading import build as made
from tests.support.company.reading import form, kept
from tests.support.databases import as_role


@pytest.fixture
def build(company: Company) -> Build:
    """The newer of two builds whose contents can be read."""
    return made(company)


def at(build: Build, key: str = "") -> str:
    """Address of the build's changes, or of one component."""
    path = reverse("releases:build_changes", kwargs={"pk": build.pk})
    return f"{path}{key}?against=previous"


def test_the_list_says_what_changed_inside_and_what_it_may_do(
    build: Build, as_person: Looks
) -> None:
    said = words(page_of(as_person("lena"), at(build)))
    assert "label “Region” → “Area”" in said
    assert "user permissions ModifyAllData added" in said
    for mark in ("reaches all data", "widens access", "deletes"):
        assert mark in said
    assert "Account 1 field changed" in said
    only = words(page_of(as_person("lena"), f"{at(build)}&kind=removed"))
    assert "Old" in only
    assert "Region__c" not in only
    assert "No component matches." in words(page_of(as_person("lena"), f"{at(build)}&q=zebra"))


def test_without_anything_in_production_everything_is_new(build: Build, as_person: Looks) -> None:
    path = reverse("releases:build_changes", kwargs={"pk": build.pk})
    said = words(page_of(as_person("lena"), path))
    assert "everything counts as new" in said


@pytest.mark.parametrize("view", ["", "&view=side"])
def test_text_is_escaped_and_numbered(build: Build, as_person: Looks, view: str) -> None:
    answer = as_person("lena").get(at(build, "ApexClass/Quote") + view)
    html = answer.content.decode()
    assert "&lt;b&gt;&amp;amp;&lt;/b&gt;" in html
    assert "<b>&amp;</b>" not in html
    assert 'class="old"' in html
    assert 'class="new"' in html


def test_a_side_is_taken_as_a_file(build: Build, as_person: Looks) -> None:
    address = at(build, "ApexClass/Quote") + "&raw=old&file=classes%2FQuote.cls"
    answer = as_person("lena").get(address)
    assert answer.content.startswith(b"public class Quote")
    assert answer["Content-Disposition"].startswith("attachment")
    assert as_person("lena").get(address.replace("Quote.cls", "None.cls")).status_code == 404
    assert as_person("lena").get(at(build, "ApexClass/Nobody")).status_code == 404


def test_who_depends_on_it_is_asked_by_a_link(build: Build, as_person: Looks) -> None:
    assert "QuoteTest" not in words(page_of(as_person("lena"), at(build, "ApexClass/Quote")))
    asked = at(build, "ApexClass/Quote") + "&users=yes"
    assert "Apex class QuoteTest" in words(page_of(as_person("lena"), asked))


def test_a_lost_package_is_told_and_the_list_stays(
    company: Company, build: Build, as_person: Looks
) -> None:
    old = company.builds["sales 2"]
    said = words(page_of(as_person("lena"), reverse("releases:build", kwargs={"pk": old.pk})))
    assert "what changes" in said
    before = company.builds["sales read 0"]
    package = reading.Package("x", "0" * 64, before.artefact)
    found = reading.page(reading.Comparison(package, None, "/"))
    assert "missing from the blob store" in found.problem
    assert found.total == 5


def test_a_component_with_another_spelling_is_changed_and_says_both_names(build: Build) -> None:
    held = {path: content for files in form("Area").values() for path, content in files.items()}
    rights, louder = (
        "permissionsets/Household_User.permissionset",
        "permissionsets/LOUD.permissionset",
    )
    older = read({louder.replace("LOUD", "Loud"): held[rights]})
    newer = read({louder: held[rights].replace(b"RunReports", b"ExportReport")})
    sides = [reading.Package("x", row.blob, row) for row in (kept(newer), kept(older))]
    of_snapshot = reading.Package("production", sides[1].blob)
    key = ComponentKey("PermissionSet", "LOUD")
    assert reading.page(reading.Comparison(sides[0], sides[1], "/")).counts == (("changed", 1),)
    for before in (sides[1], of_snapshot):
        found = reading.component(reading.Comparison(sides[0], before, "/"), key, users=False)
        assert found is not None
        assert found.row.inside.startswith("was called Loud; user permissions ")
        (file,) = found.files
        assert (file.path, file.has_old, file.has_new) == (louder, True, True)
    assert reading.raw(reading.Comparison(sides[0], sides[1], "/"), key, "old", louder)
    (change,) = diff(older, newer, removed=True)
    assert (change.kind, change.was) == ("changed", ComponentKey("PermissionSet", "Loud"))
    assert change.summary.startswith("was called Loud; user permissions ")


def test_ten_thousand_components_are_paged_quickly_and_by_few_queries(
    build: Build, as_person: Looks, django_assert_max_num_queries: Any
) -> None:
    files = {}
    for number in range(4_900):
        files[f"classes/C{number:04d}.cls"] = b"class C {}"
        files[f"classes/C{number:04d}.cls-meta.xml"] = CLASS_META.encode()
    artefact = kept(read(files))
    older = compared.build(build)
    assert older is not None
    big = reading.Package("big", artefact.blob, artefact)
    comparison = reading.Comparison(big, older.new, "/")
    began = time.process_time()
    with django_assert_max_num_queries(2, connection=connection):
        first = reading.page(comparison)
        assert (first.total, first.shown) == (4_904, reading.PAGE)
    second = reading.page(comparison, after=first.after)
    assert time.process_time() - began < 4
    keys = [row.key for page in (first, second) for group in page.groups for row in group.rows]
    assert len(set(keys)) == 2 * reading.PAGE
    assert ComponentKey("ApexClass", "C0000") in keys
    rendered_by_as_few_queries(build, artefact, as_person, django_assert_max_num_queries)


def rendered_by_as_few_queries(
    build: Build, large: Artefact, as_person: Looks, at_most: Any
) -> None:
    """The whole page of a large change asks no more than that of a small one."""
    browser = as_person("lena")
    browser.get(at(build))
    with at_most(30, connection=connection) as small:
        page_of(browser, at(build))
    row = Build.objects.create(
        repository=build.repository, sha="f" * 40, branch="main", artefact=large
    )
    with at_most(len(small.captured_queries), connection=connection):
        said = words(page_of(browser, at(row)))
    assert "C0000" in said


def test_marks_of_the_content_reach_the_release_its_risk_and_its_policies(
    company: Company, as_person: Looks
) -> None:
    release = company.releases["October train"]
    assert release.artefact is not None
    with as_role("owner"):
        ReleaseChange.objects.create(
            release=release,
            artefact=release.artefact,
            type="PermissionSet",
            name="Everything",
            kind="changed",
            teams=["Sales"],
            marks=["all_data", "widens_access"],
        )
    assert {"all_data", "widens_access"} <= set(marks.of(release))
    assert set(risk.DANGERS) <= set(RISK_MARKS)
    row = next(row for row in changes.rows_of(release) if row.name == "Everything")
    assert (row.risk.word, row.marks[-2:]) == ("high", ("reaches all data", "widens access"))


def test_what_a_conversion_left_undone_is_told_on_the_builds_page(
    company: Company, as_person: Looks
) -> None:
    build = company.builds["sales 3"]
    with as_role("build"):
        left = ["A replacement of x is not made: no file."]
        Build.objects.filter(pk=build.pk).update(warnings=left)
    said = words(page_of(as_person("lena"), build.get_absolute_url()))
    assert "A replacement of x is not made" in said
