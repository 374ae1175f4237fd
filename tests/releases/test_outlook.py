"""What a refresh of a sandbox meets: trains that need it, work that would be gone, an offer."""

from __future__ import annotations

from core.clock import now
from environments.services.sandboxes import outlook
from releases.models import Commit, GitRef
from tests.releases.pages.conftest import company, founded
from tests.support.company import Company
from tests.support.databases import as_role

__all__ = ["company", "founded"]


def test_trains_losses_and_offers_are_sentences_with_addresses(company: Company) -> None:
    rehearsal = outlook.of(company.orgs["Rehearsal"])
    assert any(line.text.endswith("rehearses here.") and line.url for line in rehearsal.trains)
    assert rehearsal.offers == ()

    test = outlook.of(company.orgs["Sales TEST"])
    assert any("v1.0.0 is in user testing here" in line.text for line in test.lost)
    assert [offer.label for offer in test.offers] == ["Bring it to v1.0.0"]

    here = company.orgs["Sales CI"]
    assert not any("no main branch" in line.text for line in outlook.of(here).lost)
    with as_role("owner"):
        Commit.objects.update(on_main=False)
        GitRef.objects.update(gone_at=now())
    lost = [line for line in outlook.of(here).lost if "no main branch and no tag" in line.text]
    assert lost
    assert all(line.url for line in lost)
