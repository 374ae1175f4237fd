"""Every page opens for every kind of person, and says something."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.releases.pages.conftest import Looks
from tests.support.company import Company

PEOPLE = ("ana", "marek", "ines", "paul", "priya", "lena", "chloe")


def addresses(company: Company) -> list[str]:
    """One address of each page, with each object in several states."""
    found = [reverse("releases:list"), reverse("releases:deployments")]
    for release in company.releases.values():
        found += [release.get_absolute_url(), reverse("releases:approval", args=[release.pk])]
    found += [row.get_absolute_url() for row in company.deployments.values()]
    found += [row.get_absolute_url() for row in company.builds.values()]
    found += [row.get_absolute_url() for row in company.candidates.values()]
    for slug in ("sales", "platform"):
        for name in ("repository", "builds", "candidates", "team_panel"):
            found.append(reverse(f"releases:{name}", kwargs={"slug": slug}))
    found += [reverse("releases:environment_panel", args=[org.pk]) for org in company.orgs.values()]
    return found


@pytest.mark.parametrize("name", PEOPLE)
def test_every_page_opens(company: Company, as_person: Looks, name: str) -> None:
    client = as_person(name)
    for address in addresses(company):
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert b"<h" in answer.content, address
