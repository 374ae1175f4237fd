"""The page that asks people to decide, and their answer.

The form carries the digest and the facts, policy version included, that the page displayed. The
service compares the digest with the subject as it is now; when they differ nothing is recorded and
the page comes back (409) with what changed on top and everything typed still in place.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core import clock
from core.errors import DomainError, InvalidInput
from core.pages import UNPROCESSABLE, show
from governance import stepup
from governance.access import requires, signed_in
from governance.models import Decision
from governance.permissions import standing_shown
from governance.states import Verdict
from releases import gate
from releases.forms.decisions import DecisionForm
from releases.forms.releases import ReasonForm
from releases.models import Release
from releases.rules import impact
from releases.selectors import approval_page, deciders, reasons, release_page
from releases.services import approval as services
from releases.views.acting import form_page, found

SHOWN = ("gate.check", "gate.break_glass")
"""Reasons that are told also when they hold nothing: what the policy demands."""


@signed_in
@require_GET
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the question."""
    release = found(release_page.find(pk), "release")
    return render(request, "releases/approval.html", _context(request, release))


@requires("release.decide")
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Record a person's answer to exactly what the page showed."""
    release = found(release_page.find(pk), "release")
    form = DecisionForm(request.POST, asked=stepup.proof_asked(request))
    if not form.is_valid():
        context = _context(request, release, form=form)
        return render(request, "releases/approval.html", context, status=UNPROCESSABLE)
    try:
        decision = _answer(request, pk, form)
    except DomainError as refusal:
        return _refused(request, pk, form, refusal)
    word = "approved" if decision.verdict == Verdict.APPROVE else "rejected"
    messages.success(request, f"You {word} {release.public_id}.")
    return redirect("releases:approval", pk=pk)


def _answer(request: HttpRequest, pk: int, form: DecisionForm) -> Decision:
    """Ask who it is where that is due, then let the service decide what counts."""
    stepup.demand(request, form.proof)
    return services.decide(
        release_id=pk,
        auth_strength=stepup.strength(request),
        **form.given,
    )


def _refused(
    request: HttpRequest, pk: int, form: DecisionForm, refusal: DomainError
) -> HttpResponse:
    """The page again, read anew, with the refusal in place and what was typed kept."""
    release = found(release_page.find(pk), "release")
    if isinstance(refusal, InvalidInput):
        show(form, refusal)
    context = _context(request, release, form=form)
    context["refusal"] = None if isinstance(refusal, InvalidInput) else refusal
    context["differences"] = approval_page.differences(form.facts_shown, context["facts"])
    return render(request, "releases/approval.html", context, status=refusal.status)


@signed_in
@require_http_methods(["GET", "POST"])
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one's own decision back; the service knows whose it is."""
    release = found(release_page.find(pk), "release")
    return form_page(
        request,
        "releases/form.html",
        ReasonForm(request.POST or None),
        lambda reason: services.withdraw_decision(release_id=pk, reason=reason),
        to=reverse("releases:approval", kwargs={"pk": pk}),
        said="Your decision is taken back.",
        context={
            "title": f"Take back your decision on {release.public_id}",
            "button": "Take it back",
            "back": reverse("releases:approval", kwargs={"pk": pk}),
            "lead": "You can decide on this question only once: to decide again, ask the release "
            "manager to submit it again.",
        },
    )


def _context(
    request: HttpRequest, release: Release, *, form: DecisionForm | None = None
) -> dict[str, Any]:
    """Everything on the page; ``form`` is what was sent, when it comes back."""
    card = services.card(release)
    shown = release_page.load(release, clock.now(), release_page.ChangesWanted())
    people = deciders.of(card.progress, request.user)  # type: ignore[arg-type]
    right = standing_shown(request.user).can("release.decide")
    may_decide = people.may_decide if right else right
    rows = [row.deployment for row in shown.deployments]
    facts = approval_page.facts(release, shown.contents, card.deployment, card.policy)
    return {
        "release": release,
        "page": shown,
        "card": card,
        "people": people,
        "has_right": bool(right),
        "may_decide": may_decide,
        "blocked": [] if may_decide else [may_decide],
        "may_reject": bool(right) and people.may_reject,
        "deleted": approval_page.deleted(release.artefact),
        "teams": approval_page.team_changes(shown.changes.every, shown.contents),
        "security_impact": impact.security(shown.changes.every),
        "data_impact": impact.data(shown.changes.every),
        "rollback": approval_page.rollback(release, rows),
        "facts": facts,
        "gate": _gate(release, card),
        "differences": [],
        "form": _form(request, card, facts, form),
        "sent": form,
    }


def _gate(release: Release, card: services.ApprovalCard) -> list[reasons.LinkedReason]:
    """What the gate says now, beyond the decisions that this page asks for (I-14)."""
    if card.deployment is None or card.progress is None or not card.progress.request.is_live:
        return []
    verdict = gate.evaluate(card.deployment, card.progress.facts.now)
    said = reasons.linked(verdict, release, card.deployment, every=True)
    return [row for row in said if row.code.startswith(SHOWN) or row.state != "done"]


def _form(
    request: HttpRequest,
    card: services.ApprovalCard,
    facts: dict[str, str],
    sent: DecisionForm | None,
) -> DecisionForm:
    """A form on the question as it is now, with the comment and errors of the one that was sent."""
    initial = {
        "shown_digest": card.shown_digest,
        "shown_facts": facts,
        "comment": sent.data.get("comment", "") if sent else "",
    }
    form = DecisionForm(initial=initial, asked=stepup.proof_asked(request))
    if sent is not None:
        form.carry_errors(sent)
    return form
