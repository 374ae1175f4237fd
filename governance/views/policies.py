"""Policies in sentences: reading, proposing, confirming."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, cast

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.db import database_now
from core.errors import DomainError, InvalidInput
from core.pages import UNPROCESSABLE, act, form_page, sent, show
from governance import policies, policy_changes, stepup
from governance.access import requires, signed_in
from governance.events import enumeration
from governance.forms.accounts import ProofForm
from governance.forms.policies import NewPolicyForm, PolicyForm
from governance.models import Policy, PolicyProposal, PolicyVersion, User
from governance.permissions import can
from governance.rules.policy import parse
from governance.rules.policy_lattice import Difference, differences
from governance.rules.policy_words import describe
from governance.rules.quorum import able_people
from governance.selectors import people
from governance.states import ProposalState
from governance.views.proposals import Question, question_of


@dataclass(frozen=True, slots=True)
class VersionCard:
    """A version in sentences, with what it changed."""

    version: PolicyVersion
    sentences: list[str]
    changes: list[Difference]


@require_safe
@signed_in
def index(request: HttpRequest) -> HttpResponse:
    """List the policies with what they demand."""
    user = cast(User, request.user)
    rows = [
        {"policy": policy, "version": policy.current, "sentences": _sentences(policy.current)}
        for policy in Policy.objects.all()
    ]
    proposals = _proposals(user)
    context = {
        "rows": rows,
        "proposals": proposals,
        "may_propose": can(user, "policy.propose"),
        "may_confirm_some": bool(_may_confirm(user)),
    }
    return render(request, "governance/policies.html", context)


@require_safe
@signed_in
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a policy: the version in force, what is proposed, every version before."""
    user, policy = cast(User, request.user), _policy(pk)
    versions = list(policy.versions.select_related("proposed_by", "confirmed_by", "request"))
    cards = [
        VersionCard(version, _sentences(version), _changes(before, version))
        for version, before in zip_longest(versions, versions[1:])
    ]
    context = {
        "policy": policy,
        "current": cards[0] if cards else None,
        "older": cards[1:],
        "proposal": next(iter(_proposals(user, policy)), None),
        "uses": [use.name for use in policies.uses_of(policy)],
        "may_propose": can(user, "policy.propose"),
    }
    return render(request, "governance/policy.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("policy.propose")
def new(request: HttpRequest) -> HttpResponse:
    """Make a policy and propose its first version."""
    form = NewPolicyForm(sent(request))

    def create(**given: Any) -> PolicyProposal:
        return policies.create(name=given["name"], body=form.body(), reason=given["reason"])

    return form_page(
        request,
        "governance/policy_form.html",
        form,
        create,
        to=lambda row: row.get_absolute_url(),
        said=_asked,
        context={
            "title": "New policy",
            "button": "Propose",
            "lead": "It allows nothing until it is approved, under the board's own policy.",
            "back": reverse("governance:policies"),
            "back_label": "Policies",
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires("policy.propose")
def propose(request: HttpRequest, pk: int) -> HttpResponse:
    """Propose the next version of a policy."""
    policy = _policy(pk)
    current = policy.current
    form = PolicyForm(sent(request), rules=parse(current.body) if current else None)

    def send(**given: Any) -> PolicyProposal:
        return policies.propose(policy_id=policy.pk, body=form.body(), reason=given["reason"])

    return form_page(
        request,
        "governance/policy_form.html",
        form,
        send,
        to=lambda row: row.get_absolute_url(),
        said=_asked,
        context={
            "title": f"Next version of {policy.name}",
            "button": "Propose",
            "lead": "It is decided under the present version; when it demands less, under both. "
            "Once it is in force, approvals asked under the present version are void.",
            "back": policy.get_absolute_url(),
            "back_label": policy.name,
        },
    )


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@requires("policy.confirm")
def confirm(request: HttpRequest) -> HttpResponse:
    """Show everything that waits for this person's confirmation, and confirm what is ticked."""
    user = cast(User, request.user)
    form = ProofForm(sent(request), asked=stepup.proof_asked(request))
    chosen = _numbers(request.POST.getlist("proposal"))
    status = 200
    if request.method == "POST":
        status = UNPROCESSABLE
        if form.is_valid():
            try:
                _confirm_all(request, chosen, form.proof)
            except DomainError as refusal:
                show(form, refusal)
                status = refusal.status
            else:
                return redirect("governance:policies")
    context = {"form": form, "proposals": _may_confirm(user), "chosen": chosen}
    return render(request, "governance/confirm_policies.html", context, status=status)


@require_POST
@requires("policy.propose")
def retire(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a policy that governs nothing out of use."""
    policy = _policy(pk)
    return act(
        request,
        lambda: policies.retire(policy_id=policy.pk),
        to=policy.get_absolute_url(),
        said=f"{policy.name} is retired.",
    )


def _confirm_all(request: HttpRequest, chosen: list[int], password: str) -> None:
    if not chosen:
        raise InvalidInput("policy.none_chosen", "Tick at least one policy to confirm.")
    stepup.demand(request, password)
    with transaction.atomic():
        versions = [policies.confirm(proposal_id=number) for number in chosen]
    names = enumeration([str(version) for version in versions])
    messages.success(request, f"In force from now on: {names}.")


def _asked(proposal: PolicyProposal) -> str:
    request = policy_changes.request_of(proposal)
    if request is None:
        return "Proposed. Another member of the release board confirms it."
    return f"Proposed. People decide on it under {request.policy_version}."


def _numbers(texts: list[str]) -> list[int]:
    return [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 19]


def _proposals(user: User, policy: Policy | None = None) -> list[Question]:
    """What is proposed now, of one policy or of all."""
    rows = PolicyProposal.objects.filter(state=ProposalState.OPEN).select_related(
        "policy", "based_on", "proposed_by"
    )
    if policy is not None:
        rows = rows.filter(policy=policy)
    return [question_of(row, user) for row in rows.order_by("pk")]


def _may_confirm(user: User) -> list[Question]:
    """The founding's proposals that this person may confirm."""
    if not can(user, "policy.confirm"):
        return []
    cards = [card for card in _proposals(user) if card.request is None]
    return [card for card in cards if card.proposal.proposed_by_id != user.pk]


def _sentences(version: PolicyVersion | None) -> list[str]:
    if version is None:
        return []
    rules = parse(version.body)
    now = database_now()
    everybody = people.everybody_for_counting(rules.approvals)
    return describe(rules, [len(able_people(rule, everybody, now)) for rule in rules.approvals])


def _changes(before: PolicyVersion | None, version: PolicyVersion) -> list[Difference]:
    return _difference(before.body, version.body) if before else []


def _difference(before: dict[str, Any] | None, after: dict[str, Any]) -> list[Difference]:
    return differences(parse(before), parse(after)) if before else []


def _policy(pk: int) -> Policy:
    policy = Policy.objects.filter(pk=pk).first()
    if policy is None:
        raise Http404("There is no such policy.")
    return policy
