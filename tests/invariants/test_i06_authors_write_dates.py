"""I-6: who is kept from deciding does not hang on the dates that authors write into commits."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from core.errors import NotNow
from governance.models import Membership
from releases import gateways
from releases.models import Candidate, Commit
from releases.selectors import segregation
from releases.workers import packing
from tests.support.attacks import drop
from tests.support.company import Company
from tests.support.cover import execute
from tests.support.databases import as_role

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("claimed", [timedelta(days=1), None], ids=["tomorrow", "no commits"])
def test_i06_whoever_left_after_the_candidate_is_kept_out_whatever_its_commits_say(
    company: Company, claimed: timedelta | None
) -> None:
    """Jonas commits as a colleague, dated tomorrow, leaves the team and wants to approve."""
    release, jonas = company.releases["October train"], company.people["jonas"]
    with as_role("owner"):
        row = Membership.objects.create(user=jonas, team=company.teams["sales"], role="developer")
    execute("web", "UPDATE governance_membership SET revoked_at = now() WHERE id = %s", row.pk)
    drop("releases_candidate", "guard_authors")
    execute(
        "owner",
        "UPDATE releases_candidate SET contributors = '[]', oldest_commit_at = %s",
        company.now + claimed if claimed else None,
    )
    told = dict(segregation.excluded(release)[0])
    assert told[jonas] == "is a member of Sales, which contributes"


def commits_of(company: Company, moment: datetime) -> list[SimpleNamespace]:
    """What Git tells of the commits of Sales, all said to be of one moment."""
    who = ("Lena", "lena@northwind.example")
    return [
        SimpleNamespace(
            sha=company.commits[f"sales {number}"].sha,
            author_name=who[0],
            author_email=who[1],
            committer_name=who[0],
            committer_email=who[1],
            co_authors=(),
            authored_at=moment,
        )
        for number in range(4)
    ]


def mirrored(
    company: Company, monkeypatch: pytest.MonkeyPatch, moment: datetime
) -> tuple[Candidate, list[Commit]]:
    found = commits_of(company, moment)
    with as_role("owner"):
        Commit.objects.update(authored_at=moment, first_seen_at=company.now - timedelta(days=3))
    mirror = SimpleNamespace(commits=lambda sha, not_in, limit: found[:limit])
    monkeypatch.setattr(gateways, "mirror_of", lambda repository: mirror)
    candidate = company.candidates["sales v1.1.0"]
    return candidate, packing._commits_since_production(candidate)


def test_i06_work_began_when_gatehouse_saw_it_if_its_author_says_later(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    late, early = company.now + timedelta(days=1), company.now - timedelta(days=30)
    candidate, commits = mirrored(company, monkeypatch, late)
    assert packing._work_began(candidate, commits) == company.now - timedelta(days=3)
    assert packing._work_began(candidate, mirrored(company, monkeypatch, early)[1]) == early
    assert packing._work_began(candidate, []) is None


def test_i06_a_history_too_long_to_read_is_refused_not_cut(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "COMMITS_MAX", 4)
    assert len(mirrored(company, monkeypatch, company.now)[1]) == 4
    monkeypatch.setattr(packing, "COMMITS_MAX", 3)
    with pytest.raises(NotNow) as caught:
        mirrored(company, monkeypatch, company.now)
    assert caught.value.code == "candidate.too_many_commits"
