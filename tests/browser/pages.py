"""The declared list of pages: every address that answers GET, and who looks at it.

``test_pages.py`` fails when the product has a page that is neither here nor excused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse

from environments.models import PolicyAssignment
from environments.services import policies as assignments
from governance import policies
from governance.models import ApprovalRequest, AuditEvent, Matter, PolicyProposal, User
from releases.models import BreakGlass, Deployment
from tests.support.company import Company, acting, audited, copies, house, reading

Keys = Callable[[Company], dict[str, object]]


@dataclass(frozen=True)
class PageCase:
    """A page by its URL name, the keys of its address and a person who may see it."""

    name: str
    keys: Keys = lambda company: {}
    who: str = "ines"
    query: str = ""

    def path(self, company: Company) -> str:
        """The page's address in this company."""
        return reverse(self.name, kwargs=self.keys(company)) + self.query


def _team(slug: str) -> Keys:
    return lambda company: {"slug": slug}


def _org(name: str) -> Keys:
    return lambda company: {"pk": company.orgs[name].pk}


def _release(title: str) -> Keys:
    return lambda company: {"pk": company.releases[title].pk}


def _conflict(company: Company) -> dict[str, object]:
    row = company.releases["November train"].conflicts.get()
    return {"pk": row.release_id, "conflict_pk": row.pk}


def _carried(company: Company) -> dict[str, object]:
    release = company.releases["October train"]
    return {"pk": release.pk, "candidate_pk": company.candidates["sales v1.1.0"].pk}


def _candidate(name: str) -> Keys:
    return lambda company: {"pk": company.candidates[name].pk}


def _deployment(name: str) -> Keys:
    return lambda company: {"pk": company.deployments[name].pk}


def _build(name: str) -> Keys:
    return lambda company: {"pk": company.builds[name].pk}


def _component(company: Company) -> dict[str, object]:
    return {**_read(company), "type_name": "ApexClass", "name": "Quote"}


def _read(company: Company) -> dict[str, object]:
    return {"pk": reading.build(company).pk}


def _proposal(company: Company) -> dict[str, object]:
    """The page about a version that demands less, proposed when it is first looked at."""
    assert company.policy_version is not None
    proposal = PolicyProposal.objects.first()
    if proposal is None:
        body = company.policy_version.body | {"expires_hours": 336}
        with acting(company.people["marek"]):
            proposal = policies.propose(
                policy_id=company.policy_version.policy_id, body=body, reason="Holidays"
            )
    return {"pk": proposal.policy_id, "proposal_id": proposal.pk}


def _assignment(company: Company) -> dict[str, object]:
    """The page about a policy for an org that had none, asked when it is first looked at."""
    assert company.policy_version is not None
    asked = PolicyAssignment.objects.first()
    if asked is None:
        with acting(company.people["ana"]):
            asked = assignments.assign(
                environment_id=company.orgs["Sales CI"].pk, policy=company.policy_version.policy
            )
    assert asked is not None
    return {"pk": asked.pk}


def _policy(company: Company) -> dict[str, object]:
    assert company.policy_version is not None
    return {"pk": company.policy_version.policy_id}


def _person(company: Company) -> dict[str, object]:
    return {"pk": company.people["lena"].pk}


def _event(company: Company) -> dict[str, object]:
    return {"pk": AuditEvent.objects.latest("pk").pk}


def _request(company: Company) -> dict[str, object]:
    return {"pk": ApprovalRequest.objects.latest("pk").pk}


def _snapshot(company: Company) -> dict[str, object]:
    return {"pk": company.snapshots["Production"].pk}


def _freeze(name: str) -> Keys:
    def keys(company: Company) -> dict[str, object]:
        if not company.freezes:
            house.calendar(company)
        return {"pk": company.freezes[name].pk}

    return keys


def _maintenance(company: Company) -> dict[str, object]:
    _freeze("Year end")(company)
    return {"pk": company.maintenance[0].pk}


def _pack(company: Company) -> dict[str, object]:
    return {"pk": company.evidence["pack"]}


def _sample(company: Company) -> dict[str, object]:
    return {"pk": company.evidence["sample"]}


def _reported(company: Company) -> dict[str, object]:
    return {"pk": company.evidence["unexplained"]}


def _emergency(company: Company) -> dict[str, object]:
    return {"pk": (BreakGlass.objects.first() or audited.emergency(company)).pk}


def _walked(company: Company) -> dict[str, object]:
    return {
        "pk": Deployment.objects.filter(release=company.releases["October train"]).latest("pk").pk
    }


def _matter(company: Company) -> dict[str, object]:
    row, _ = Matter.objects.get_or_create(
        kind="seat.grant",
        user=company.people["paul"],
        role="security_approver",
        reason="Somebody must look at permissions",
        asked_by=company.people["marek"],
    )
    return {"pk": row.pk}


def _sandboxes(company: Company) -> dict[str, object]:
    copies.listed(company)
    return {}


def _sandbox(name: str) -> Keys:
    return lambda company: {"pk": copies.listed(company)[name].pk}


def _refreshable(name: str) -> Keys:
    def keys(company: Company) -> dict[str, object]:
        copies.listed(company)
        return {"pk": company.orgs[name].pk}

    return keys


def _sandbox_request(state: str) -> Keys:
    return lambda company: {"pk": copies.requests(company)[state].pk}


def _to_reconnect(company: Company) -> dict[str, object]:
    request = copies.requests(company)["reconnect"]
    return {"pk": request.environment_id}


def _service(company: Company) -> dict[str, object]:
    row, _ = User.objects.get_or_create(
        email="jenkins@service.invalid", full_name="Jenkins of Sales", kind="service"
    )
    return {"pk": row.pk}


PAGES = (
    PageCase("dashboard:home", who="ana"),
    PageCase("dashboard:home", who="priya"),
    PageCase("dashboard:search"),
    PageCase("dashboard:search", query="?q=train"),
    PageCase("dashboard:search", query="?q=nothing-has-this-name"),
    PageCase("governance:account"),
    PageCase("governance:password"),
    PageCase("governance:account", who="ana"),
    PageCase("governance:prove"),
    PageCase("governance:second_factor"),
    PageCase("governance:second_factor_remove"),
    PageCase("governance:recovery_codes"),
    PageCase("governance:own_email"),
    PageCase("governance:delegation_new", who="ana"),
    PageCase("governance:forgotten"),
    PageCase("governance:access", who="paul"),
    PageCase("governance:matter", _matter, who="ana"),
    PageCase("governance:matter_stop", _matter, who="ana"),
    PageCase("governance:seat_ask", _person),
    PageCase("governance:person_reset", _person),
    PageCase("governance:services"),
    PageCase("governance:service", _service),
    PageCase("governance:service_new"),
    PageCase("governance:teams"),
    PageCase("governance:team_new"),
    PageCase("governance:team", _team("sales"), who="priya"),
    PageCase("governance:team", _team("platform")),
    PageCase("governance:team_rename", _team("sales")),
    PageCase("governance:member_add", _team("sales"), who="priya"),
    PageCase("governance:people"),
    PageCase("governance:person", _person),
    PageCase("governance:invite"),
    PageCase("governance:match"),
    PageCase("governance:same_person", _person),
    PageCase("governance:deactivate", _person),
    PageCase("governance:policies", who="ana"),
    PageCase("governance:policy", _policy, who="ana"),
    PageCase("governance:policy_new", who="ana"),
    PageCase("governance:policy_propose", _policy, who="ana"),
    PageCase("governance:policy_proposal", _proposal, who="ben"),
    PageCase("governance:confirm_policies", who="ana"),
    PageCase("governance:approval", _request, who="ana"),
    PageCase("governance:history", who="paul"),
    PageCase("governance:history", who="paul", query="?q=nothing-has-this-name"),
    PageCase("governance:chain", who="paul"),
    PageCase("governance:event", _event, who="paul"),
    PageCase("environments:board"),
    PageCase("environments:new"),
    PageCase("environments:detail", _org("Production")),
    PageCase("environments:detail", _org("Service CI")),
    PageCase("environments:edit", _org("Sales CI")),
    PageCase("environments:credential", _org("Sales CI")),
    PageCase("environments:policy", _org("Production"), who="ana"),
    PageCase("environments:stages", who="ana"),
    PageCase(
        "environments:stage_policy",
        lambda company: {"track_kind": "production", "stage": "PRD"},
        who="ana",
    ),
    PageCase("environments:assignment", _assignment, who="ben"),
    PageCase("environments:sandboxes", _sandboxes, who="ines"),
    PageCase("environments:sandboxes", _sandboxes, who="lena", query="?q=nothing-has-this-name"),
    PageCase("environments:sandbox_create", _sandboxes, who="priya"),
    PageCase("environments:refresh", _refreshable("Service TEST"), who="tomas"),
    PageCase("environments:sandbox_delete", _refreshable("Service TEST"), who="tomas"),
    PageCase("environments:sandbox_request", _sandbox_request("asked"), who="marek"),
    PageCase("environments:sandbox_request", _sandbox_request("copying"), who="lena"),
    PageCase("environments:sandbox_request", _sandbox_request("reconnect"), who="priya"),
    PageCase("environments:reconnect", _to_reconnect, who="priya"),
    PageCase("environments:detail", _to_reconnect, who="priya"),
    PageCase("environments:sandbox_licences", _sandboxes, who="marek"),
    PageCase("environments:sandbox_adopt", _sandbox("spare"), who="ines"),
    PageCase("environments:retire", _org("Sales CI")),
    PageCase("environments:snapshots", _org("Production")),
    PageCase("environments:snapshot", _snapshot),
    PageCase("dashboard:calendar"),
    PageCase("dashboard:calendar", who="lena", query="?view=week"),
    PageCase("dashboard:calendar", who="ana", query="?view=agenda&track=production"),
    PageCase("environments:freeze", _freeze("Year end"), who="ana"),
    PageCase("environments:freeze", _freeze("Weekends"), who="lena"),
    PageCase("environments:freeze_new", who="priya"),
    PageCase("environments:freeze_extend", _freeze("Year end"), who="marek"),
    PageCase("environments:freeze_lift", _freeze("Year end"), who="marek"),
    PageCase("environments:stop", who="ana"),
    PageCase("environments:maintenance", _maintenance),
    PageCase("environments:imports"),
    PageCase("environments:import_add"),
    PageCase(
        "environments:holidays", query="?country=DE&subdivision=BY&year=2031&target=protected"
    ),
    PageCase("releases:list", who="marek"),
    PageCase("releases:new", who="marek"),
    PageCase("releases:release", _release("October train"), who="marek"),
    PageCase("releases:release", _release("September train"), who="paul"),
    PageCase("releases:release", _release("November train"), who="marek"),
    PageCase("releases:release_edit", _release("November train"), who="marek"),
    PageCase("releases:release_add", _release("November train"), who="marek"),
    PageCase("releases:release_tests", _release("October train"), who="marek"),
    PageCase("releases:release_tests", _release("November train"), who="paul"),
    PageCase("releases:release_tests_add", _release("October train"), who="marek"),
    PageCase("releases:release_tests_level", _release("October train"), who="marek"),
    PageCase("releases:release_withdraw", _release("October train"), who="marek"),
    PageCase("releases:release_reopen", _release("October train"), who="marek"),
    PageCase("releases:release_conflicts", _release("November train"), who="marek"),
    PageCase("releases:conflict", _conflict, who="marek"),
    PageCase("releases:conflict", _conflict, who="lena"),
    PageCase("releases:release_remove", _carried, who="marek"),
    PageCase("releases:approval", _release("October train"), who="ana"),
    PageCase("releases:approval", _release("October train"), who="priya"),
    PageCase("releases:approval_withdraw", _release("October train"), who="ana"),
    PageCase("releases:break_glass_new", _release("October train"), who="marek"),
    PageCase("releases:break_glass", _emergency, who="ana"),
    PageCase("releases:break_glass_review", _emergency, who="ana"),
    PageCase("releases:break_glass_list", who="ana"),
    PageCase("releases:rollback", who="marek"),
    PageCase("releases:release_review", _release("September train"), who="marek"),
    PageCase("releases:runbook_add", _release("October train"), who="marek"),
    PageCase("releases:evidence", who="paul"),
    PageCase("releases:evidence_pack", _pack, who="paul"),
    PageCase("releases:sample_new", who="paul"),
    PageCase("releases:sample", _sample, who="paul"),
    PageCase("releases:walkthrough", _walked, who="paul"),
    PageCase("releases:reported", who="paul"),
    PageCase("releases:reported", who="paul", query="?show=open"),
    PageCase("releases:reported_explain", _reported),
    PageCase("releases:canary", who="ana"),
    PageCase("releases:collisions", who="ana"),
    PageCase("releases:collisions", who="priya", query="?rank=element&team=sales"),
    PageCase("releases:collisions", query="?q=nothing-has-this-name"),
    PageCase("releases:deployments"),
    PageCase("releases:deployment", _deployment("running"), who="marek"),
    PageCase("releases:deployment", _deployment("unknown"), who="marek"),
    PageCase("releases:deployment", _deployment("service build 3"), who="tomas"),
    PageCase("releases:deployment_settle", _deployment("unknown"), who="marek"),
    PageCase("releases:build", _build("service 3"), who="tomas"),
    PageCase("releases:build_changes", _read, query="?against=previous"),
    PageCase("releases:build_component", _component, query="?against=previous"),
    PageCase("releases:build_component", _component, query="?against=previous&view=side&users=yes"),
    PageCase("releases:builds", _team("service"), who="tomas"),
    PageCase("releases:build_start", _team("service"), who="tomas"),
    PageCase("releases:candidates", _team("sales"), who="priya"),
    PageCase("releases:candidate_new", _team("sales"), who="priya"),
    PageCase("releases:candidate", _candidate("sales v1.0.0"), who="priya"),
    PageCase("releases:candidate_pass", _candidate("sales v1.0.0"), who="priya"),
    PageCase("releases:candidate_fail", _candidate("sales v1.0.0"), who="priya"),
    PageCase("releases:repository", _team("sales"), who="priya"),
    PageCase("releases:repository_connect", _team("platform")),
    PageCase("releases:repository_edit", _team("sales"), who="priya"),
    PageCase("releases:repository_credential", _team("sales"), who="priya"),
)

# Addresses that answer GET and are no page of their own.
NO_PAGE = {
    ":healthz": "for machines",
    "governance:sign_in": "seen by nobody who is signed in; test_pages.py opens it without",
    "governance:sign_in_code": "seen only between the password and the code",
    "governance:join": "needs a token; the browser test of founding opens it",
    "governance:history_csv": "a download",
    "governance:history_jsonl": "a download",
    "releases:list_csv": "a download",
    "releases:collisions_csv": "a download",
    "releases:deployments_csv": "a download",
    "releases:changes_csv": "a download",
    "releases:sample_csv": "a download",
    "releases:record_json": "a download",
    "releases:record_pdf": "a download",
    "releases:candidate_changes": "the same page as releases:build_changes",
    "releases:candidate_component": "the same page as releases:build_component",
    "releases:release_component": "the same page as releases:build_component",
    "releases:team_panel": "a fragment of the team's page",
    "releases:environment_panel": "a fragment of the environment's page",
}
