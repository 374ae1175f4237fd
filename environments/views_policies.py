"""Which policy governs which stage and environment, and the question when it is to demand less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.errors import DomainError, InvalidInput, NotAllowed, NotFound
from core.pages import UNPROCESSABLE, act, form_page, sent, show
from environments.forms_calendar import LiftDecisionForm
from environments.forms_policies import PolicyForm
from environments.models import Environment, PolicyAssignment, StagePolicy
from environments.selectors_policies import default_of
from environments.services import policies
from environments.states import STAGES, AssignmentState, TrackKind
from governance import approvals, stepup
from governance.access import requires, signed_in
from governance.deciding import rule_rows
from governance.models import Policy, User
from governance.permissions import can
from governance.rules.policy import parse
from governance.rules.policy_lattice import differences
from governance.rules.policy_words import describe


@dataclass(frozen=True, slots=True)
class StageRow:
    """One stage: its policy, the environments that follow it and those with one of their own."""

    track_kind: TrackKind
    stage: str
    policy: Policy | None
    following: tuple[Environment, ...]
    own: tuple[Environment, ...]
    url: str


@require_GET
@signed_in
def stages(request: HttpRequest) -> HttpResponse:
    """Show every stage with its policy."""
    context = {
        "rows": _rows(),
        "pending": PolicyAssignment.objects.filter(state=AssignmentState.ASKED).select_related(
            "policy", "environment"
        ),
        "may_set": can(request.user, "environment.set_policy"),
    }
    return render(request, "environments/stages.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("environment.set_policy")
def stage(request: HttpRequest, track_kind: str, stage: str) -> HttpResponse:
    """Choose the policy of a stage."""
    if track_kind not in set(TrackKind) or stage not in STAGES[TrackKind(track_kind)]:
        raise Http404
    present = default_of(track_kind, stage)
    form = PolicyForm(sent(request), initial={"policy": present})

    def set_it(policy: Policy, reason: str) -> PolicyAssignment | None:
        return policies.assign_stage(
            track_kind=track_kind, stage=stage, policy=policy, reason=reason
        )

    target = StagePolicy(track_kind=track_kind, stage=stage)
    back = reverse("environments:stages")
    return _form(request, form, set_it, str(target), back, _("Policies by stage"))


@require_http_methods(["GET", "HEAD", "POST"])
@requires("environment.set_policy")
def environment(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose the policy of an environment, or let it follow its stage."""
    rows = Environment.objects.select_related("track", "policy")
    found = rows.filter(pk=pk).first()
    if found is None:
        raise Http404
    own = None if found.follows_stage else found.policy_id
    default = default_of(found.track.kind, found.stage)
    inherits = _("as its stage says: %(policy)s") % {"policy": default or _("nothing is allowed")}
    form = PolicyForm(sent(request), initial={"policy": own}, inherits=inherits)

    def set_it(policy: Policy | None, reason: str) -> PolicyAssignment | None:
        return policies.assign(environment_id=pk, policy=policy, reason=reason)

    back = found.get_absolute_url()
    return _form(request, form, set_it, found.name, back, f"{found.public_id} {found.name}")


def _form(
    request: HttpRequest, form: PolicyForm, service: Any, target: str, back: str, label: str
) -> HttpResponse:
    def said(asked: PolicyAssignment | None) -> str:
        if asked is None:
            return str(_("The policy is set."))
        return str(_("It demands less than before, so people are asked."))

    return form_page(
        request,
        "environments/policy.html",
        form,
        service,
        to=lambda asked: asked.get_absolute_url() if asked else back,
        said=said,
        context={"target": target, "back": back, "back_label": label},
    )


@require_GET
@signed_in
def assignment(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the question about another policy."""
    return _page(request, _found(pk))


@sensitive_post_parameters("password")
@require_POST
@signed_in
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Record a person's answer to exactly what the page showed."""
    found = _found(pk)
    form = LiftDecisionForm(request.POST, asked=stepup.proof_asked(request))
    if not form.is_valid():
        return _page(request, found, form, status=UNPROCESSABLE)
    try:
        stepup.demand(request, form.proof)
        policies.decide(
            assignment_id=pk,
            auth_strength=stepup.strength(request),
            **form.given,
        )
    except (NotAllowed, NotFound):
        raise
    except InvalidInput as refusal:
        show(form, refusal)
        return _page(request, found, form, status=refusal.status)
    except DomainError as refusal:
        return _page(request, _found(pk), refusal=refusal, status=refusal.status)
    messages.success(request, _("Your decision is recorded."))
    return redirect(found)


@require_POST
@requires("environment.set_policy")
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the question back."""
    found = _found(pk)
    return act(
        request,
        lambda: policies.withdraw(assignment_id=found.pk),
        to=found.get_absolute_url(),
        said=_("The question is withdrawn; the policy stays as it is."),
    )


def _page(
    request: HttpRequest,
    found: PolicyAssignment,
    form: LiftDecisionForm | None = None,
    *,
    refusal: DomainError | None = None,
    status: int = 200,
) -> HttpResponse:
    user = cast(User, request.user)
    digest, asked = policies.digest_of(found), policies.request_of(found)
    standing = approvals.progress(asked, current_digest=digest) if asked else None
    mine = [*standing.approvals, *standing.rejections] if standing else []
    if form is None:
        form = LiftDecisionForm(initial={"shown_digest": digest}, asked=stepup.proof_asked(request))
    new = parse(found.new_version.body)
    old = parse(found.old_version.body) if found.old_version else None
    context = {
        "found": found,
        "form": form,
        "refusal": refusal,
        "digest": digest,
        "asked": asked,
        "standing": standing,
        "rules": rule_rows(standing) if standing else [],
        "changes": differences(old, new) if old else [],
        "sentences": describe(new),
        "is_open": found.state == AssignmentState.ASKED,
        "may_decide": standing.may_decide(user) if standing else None,
        "has_decided": any(ballot.person.pk == user.pk for ballot in mine),
        "may_withdraw": can(user, "environment.set_policy"),
    }
    return render(request, "environments/assignment.html", context, status=status)


def _found(pk: int) -> PolicyAssignment:
    try:
        return policies.find(pk)
    except NotFound:
        raise Http404 from None


def _rows() -> list[StageRow]:
    live = list(Environment.objects.live().select_related("track__team", "policy"))
    defaults = {
        (row.track_kind, row.stage): row.policy
        for row in StagePolicy.objects.select_related("policy")
    }
    found = []
    for kind in (TrackKind.PRODUCTION, TrackKind.DEVELOPER):
        for place in STAGES[kind]:
            here = [row for row in live if row.track.kind == kind and row.stage == place]
            keys = {"track_kind": kind.value, "stage": place.value}
            found.append(
                StageRow(
                    track_kind=kind,
                    stage=place.value,
                    policy=defaults.get((kind.value, place.value)),
                    following=tuple(row for row in here if row.follows_stage),
                    own=tuple(row for row in here if not row.follows_stage),
                    url=reverse("environments:stage_policy", kwargs=keys),
                )
            )
    return found
