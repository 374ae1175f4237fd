"""The page that asks people about a proposed version of a policy, and their answers.

The form carries the digest that the page displayed. When the question is another one by now,
nothing is recorded and the page comes back (409).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from core.decisions import Answer
from core.errors import DomainError, InvalidInput, NotAllowed, NotFound
from core.pages import UNPROCESSABLE, act, show
from governance import approvals, policies, policy_changes, stepup
from governance.access import requires, signed_in
from governance.deciding import RuleRow, rule_rows
from governance.forms.policies import ProposalDecisionForm
from governance.models import ApprovalRequest, PolicyProposal, User
from governance.permissions import can
from governance.rules.policy import parse
from governance.rules.policy_lattice import Difference, differences
from governance.rules.policy_words import describe
from governance.states import ProposalState, Verdict


@dataclass(frozen=True, slots=True)
class Question:
    """A proposed version as its page shows it; ``request`` is None while founding."""

    proposal: PolicyProposal
    number: int
    sentences: list[str]
    changes: list[Difference]
    is_weaker: bool
    digest: str
    request: ApprovalRequest | None
    progress: approvals.Progress | None
    rules: list[RuleRow]
    may_decide: Answer | None
    may_reject: bool
    has_decided: bool


@require_safe
@signed_in
def detail(request: HttpRequest, pk: int, proposal_id: int) -> HttpResponse:
    """Show the question."""
    return _page(request, _proposal(pk, proposal_id))


@sensitive_post_parameters("password")
@require_POST
@signed_in
def decide(request: HttpRequest, pk: int, proposal_id: int) -> HttpResponse:
    """Record a person's answer to exactly what the page showed."""
    proposal = _proposal(pk, proposal_id)
    form = ProposalDecisionForm(request.POST, asked=stepup.proof_asked(request))
    if not form.is_valid():
        return _page(request, proposal, form, status=UNPROCESSABLE)
    try:
        stepup.demand(request, form.proof)
        decision = policies.decide(
            proposal_id=proposal.pk,
            auth_strength=stepup.strength(request),
            **form.given,
        )
    except (NotAllowed, NotFound):
        raise
    except InvalidInput as refusal:
        show(form, refusal)
        return _page(request, proposal, form, status=refusal.status)
    except DomainError as refusal:
        return _page(request, _proposal(pk, proposal_id), refusal=refusal, status=refusal.status)
    word = "approved" if decision.verdict == Verdict.APPROVE else "rejected"
    proposal.refresh_from_db(fields=["state"])
    after = " It is in force from now on." if proposal.state == ProposalState.CONFIRMED else ""
    messages.success(request, f"You {word} it.{after}")
    return redirect(proposal)


@require_POST
@signed_in
def take_back(request: HttpRequest, pk: int, proposal_id: int) -> HttpResponse:
    """Take one's own decision back while the version is not in force."""
    proposal = _proposal(pk, proposal_id)
    return act(
        request,
        lambda: policies.withdraw_decision(proposal_id=proposal.pk),
        to=proposal.get_absolute_url(),
        said="Your decision is taken back.",
    )


@require_POST
@requires("policy.propose")
def withdraw(request: HttpRequest, pk: int, proposal_id: int) -> HttpResponse:
    """Take the proposal itself back."""
    proposal = _proposal(pk, proposal_id)
    return act(
        request,
        lambda: policies.withdraw(proposal_id=proposal.pk),
        to=proposal.policy.get_absolute_url(),
        said="The proposal was withdrawn.",
    )


def question_of(proposal: PolicyProposal, user: User) -> Question:
    """Put everything together that the pages show of a proposed version."""
    request = policy_changes.request_of(proposal)
    digest = policy_changes.question_digest(proposal)
    standing = approvals.progress(request, current_digest=digest) if request else None
    based_on, wanted = proposal.based_on, parse(proposal.body)
    changes = differences(parse(based_on.body), wanted) if based_on else []
    answer = standing.may_decide(user) if standing else None
    mine = [*standing.approvals, *standing.rejections] if standing else []
    return Question(
        proposal=proposal,
        number=policy_changes.next_number(based_on),
        sentences=describe(wanted),
        changes=changes,
        is_weaker=any(change.weaker for change in changes),
        digest=digest,
        request=request,
        progress=standing,
        rules=rule_rows(standing) if standing else [],
        may_decide=answer,
        may_reject=bool(answer),
        has_decided=any(ballot.person.pk == user.pk for ballot in mine),
    )


def _page(
    request: HttpRequest,
    proposal: PolicyProposal,
    form: ProposalDecisionForm | None = None,
    *,
    refusal: DomainError | None = None,
    status: int = 200,
) -> HttpResponse:
    user = cast(User, request.user)
    card = question_of(proposal, user)
    if form is None:
        form = ProposalDecisionForm(
            initial={"shown_digest": card.digest}, asked=stepup.proof_asked(request)
        )
    context: dict[str, Any] = {
        "card": card,
        "proposal": proposal,
        "policy": proposal.policy,
        "form": form,
        "refusal": refusal,
        "may_propose": can(user, "policy.propose"),
        "is_open": proposal.state == ProposalState.OPEN,
    }
    return render(request, "governance/proposal.html", context, status=status)


def _proposal(pk: int, proposal_id: int) -> PolicyProposal:
    """The proposal of this very policy; anything else does not exist."""
    rows = PolicyProposal.objects.select_related("policy", "based_on", "proposed_by", "closed_by")
    proposal = rows.filter(pk=proposal_id, policy_id=pk).first()
    if proposal is None:
        raise Http404("There is no such proposal for this policy.")
    return proposal
