"""Results of other systems stand among a release's checks."""

from __future__ import annotations

from releases.models import CheckResult
from releases.selectors import checks
from tests.support.company import Company


def test_what_other_systems_report_is_a_line_of_the_checks(company: Company) -> None:
    train = [company.candidates[f"{slug} v1.1.0"] for slug in ("sales", "service")]
    for candidate, result in zip(train, ("passed", "failed"), strict=True):
        CheckResult.objects.create(
            sha=candidate.sha,
            name="jenkins/e2e",
            run=f"{candidate.pk}",
            result=result,
            reported_by=company.people["ines"],
            received_at=company.now,
        )
    release = company.releases["October train"]
    (line,) = [row for row in checks.of(release, train, [], []) if row.name == "jenkins/e2e"]
    assert (line.word.state, line.word.text) == ("failed", "1 of 2 passed")
    assert line.at == company.now
