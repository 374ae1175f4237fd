"""Results of other systems: with a token of the right scope, once, and only when well formed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from core import clock
from governance import tokens
from governance.models import ApiToken, AuditEvent, User
from governance.rules.policy import parse
from releases.models import CheckResult, Commit
from releases.selectors import cargo, check_facts, check_results
from releases.services import check_results as services
from tests.support import company
from tests.support.company.house import POLICY
from tests.support.databases import as_role

pytestmark = pytest.mark.django_db
URL = "/api/checks/"


@pytest.fixture
def firm() -> company.Company:
    return company.found()


def token(scopes: list[str], teams: list[int] | None = None) -> str:
    whole, prefix, hashed = tokens.new_token()
    robot, _ = User.objects.get_or_create(
        email="jenkins@example.com", defaults={"full_name": "Jenkins", "kind": "service"}
    )
    ApiToken.objects.create(
        user=robot,
        label="ci",
        prefix=prefix,
        hash=hashed,
        scopes=scopes,
        team_ids=teams or [],
        expires_at=clock.now() + timedelta(days=1),
        created_by=User.objects.get(email="ines@northwind.example"),
    )
    return whole


def send(body: Any, bearer: str) -> Any:
    return Client().post(
        URL,
        body if isinstance(body, str) else json.dumps(body),
        content_type="application/json",
        headers={"Authorization": f"Bearer {bearer}"},
    )


def body(firm: company.Company, **other: Any) -> dict[str, Any]:
    return {
        "commit": firm.candidates["sales v1.1.0"].sha,
        "check": "jenkins/e2e",
        "run": "418",
        "result": "passed",
        "url": "https://jenkins.example/job/e2e/418",
    } | other


def test_a_result_is_kept_once_shown_and_told(firm: company.Company) -> None:
    whole = token(["checks:report"])
    assert reverse("api:checks") == URL
    first, again = send(body(firm), whole), send(body(firm), whole)
    assert (first.status_code, again.status_code) == (201, 200), first.content
    assert CheckResult.objects.count() == 1
    assert AuditEvent.objects.filter(event="check.reported", actor_name="Jenkins").count() == 1
    place = (firm.teams["sales"].pk, firm.candidates["sales v1.1.0"].sha)
    assert [entry.word.text for entry in check_results.newest([place])[place]] == ["Passed"]


def test_the_newest_result_counts_and_a_replay_changes_nothing(firm: company.Company) -> None:
    whole = token(["checks:report"])
    send(body(firm), whole)
    send(body(firm, result="failed"), whole)
    send(body(firm), whole)
    assert [row.result for row in CheckResult.objects.order_by("pk")] == ["passed", "failed"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"commit": "abc"}, "check.commit"),
        ({"check": "Jenkins E2E"}, "check.check"),
        ({"run": ""}, "check.run"),
        ({"result": "green"}, "check.result"),
        ({"url": "javascript:alert(1)"}, "check.url"),
        ({"url": 7}, "check.url"),
        ({"url": "https://jenkins.example/\ud800"}, "check.url"),
        ({"url": "https://jenkins.example/\u202egpj"}, "check.url"),
        ({"team": "\ud800"}, "check.commit_unknown"),
        ({"check": "jenkins/e2e\n"}, "check.check"),
        ({"\ud800": 1}, "check.field"),
        ({"approve": True}, "check.field"),
        ({"team": "service"}, "check.commit_unknown"),
    ],
)
def test_what_is_malformed_is_refused(
    firm: company.Company, change: dict[str, Any], code: str
) -> None:
    answer = send(body(firm, **change), token(["checks:report"]))
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert not CheckResult.objects.exists()


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "[]",
        "{",
        "x" * 9000,
        '"text"',
        "NaN",
        "9" * 5000,
        "[" * 8000,
        '{"run": ' + "9" * 8000 + "}",
        "\0",
    ],
)
def test_what_is_no_object_is_refused(firm: company.Company, sent: str) -> None:
    assert send(sent, token(["checks:report"])).json()["code"] == "check.body"


def test_who_may_not_report_is_refused(firm: company.Company) -> None:
    assert send(body(firm), "gh_00_nothing").status_code == 401
    assert send(body(firm), token(["history:read"])).json()["code"] == "token.scope"


def test_a_token_of_another_team_is_refused(firm: company.Company) -> None:
    whole = token(["checks:report"], [firm.teams["service"].pk])
    assert send(body(firm), whole).json()["code"] == "token.team"
    assert send(body(firm, commit="f" * 40), whole).json()["code"] == "check.commit_unknown"


def test_a_reporter_is_slowed_down(firm: company.Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "PER_MINUTE", 2)
    whole = token(["checks:report"])
    answers = [send(body(firm, run=str(run)), whole).status_code for run in range(3)]
    assert answers == [201, 201, 429]


def test_i06_a_team_says_nothing_about_the_work_of_another(firm: company.Company) -> None:
    """Service pushes Sales' commit into its own repository and reports it as passed."""
    sales, service = firm.teams["sales"], firm.teams["service"]
    send(body(firm, result="failed"), token(["checks:report"], [sales.pk]))
    commit = Commit.objects.get(sha=body(firm)["commit"])
    commit.pk, commit.repository = None, firm.repositories["service"]
    with as_role("build"):
        commit.save(force_insert=True)
    whole = token(["checks:report"], [service.pk])
    for named in ({}, {"team": "service"}):
        assert send(body(firm, **named), whole).status_code in (200, 201)
    assert send(body(firm, team="sales"), whole).json()["code"] == "token.team"
    rules = parse({**POLICY, "external_checks": ["jenkins/e2e"]})
    deployment = firm.releases["October train"].deployments.get(purpose="release")
    found = check_facts.of(deployment, rules, firm.now, carries=cargo.of_deployment(deployment))
    assert found.external == {(sales.pk, commit.sha, "jenkins/e2e"): "failed"}
    place = (sales.pk, commit.sha)
    (shown,) = check_results.newest([place])[place]
    assert shown.word.text == "Failed"


def test_a_token_for_every_team_reports_about_all_who_hold_the_commit(
    firm: company.Company,
) -> None:
    commit = Commit.objects.get(sha=body(firm)["commit"])
    commit.pk, commit.repository = None, firm.repositories["service"]
    with as_role("build"):
        commit.save(force_insert=True)
    both = [firm.teams[slug].pk for slug in ("sales", "service")]
    assert send(body(firm), token(["checks:report"], both)).json()["code"] == "check.team"
    assert send(body(firm), token(["checks:report"])).status_code == 201
    assert CheckResult.objects.get().repository is None
    places = [(team, commit.sha) for team in both]
    assert set(check_results.newest(places)) == set(places)
