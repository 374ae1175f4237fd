"""One's own second factor, sessions, address, and who stands in for one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import segno
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from core.errors import DomainError
from core.pages import UNPROCESSABLE, act, form_page, sent, show
from governance import audit, stepup
from governance.access import signed_in
from governance.forms.access import ConfirmFactorForm, DelegationForm, EmailForm
from governance.forms.accounts import ProofForm
from governance.models import Delegation, Matter, User
from governance.selectors.delegations import LENDABLE
from governance.services import delegations, resets, secondfactor
from governance.states import ResetWhat, Role


@sensitive_post_parameters("code")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def second_factor(request: HttpRequest) -> HttpResponse:
    """Set up a second factor: a picture to scan, a first code, recovery codes once."""
    user = cast(User, request.user)
    if secondfactor.is_enrolled(user):
        return render(request, "accounts/second_factor.html", {"enrolled": True})
    if not stepup.is_fresh(request):
        return redirect("governance:prove")
    if "begin" in request.POST:
        secondfactor.begin()
        return redirect("governance:second_factor")
    form = ConfirmFactorForm(sent(request))
    status = 200
    if request.method == "POST":
        status = UNPROCESSABLE
        if form.is_valid():
            try:
                codes = secondfactor.confirm(code=form.cleaned_data["code"])
            except DomainError as refusal:
                show(form, refusal)
                status = refusal.status
            else:
                update_session_auth_hash(request, user)
                stepup.mark(request, "totp")
                return render(request, "accounts/recovery_codes.html", {"codes": codes})
    context: dict[str, Any] = {"form": form}
    enrolment = secondfactor.pending(user)
    if enrolment is not None:
        context |= {"picture": _picture(enrolment.address), "secret": enrolment.secret}
    return render(request, "accounts/second_factor.html", context, status=status)


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def prove(request: HttpRequest) -> HttpResponse:
    """Ask who it is before a page that needs a fresh proof."""
    target = reverse("governance:second_factor")
    return _proved_page(
        request,
        lambda: None,
        title="Is it you?",
        lead="Your sign-in is a while ago.",
        button="Go on",
        to=target,
        said="",
    )


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def second_factor_remove(request: HttpRequest) -> HttpResponse:
    """Remove one's own second factor, with a code."""

    def remove() -> None:
        secondfactor.remove()
        update_session_auth_hash(request, cast(User, request.user))

    return _proved_page(
        request,
        remove,
        title="Remove the second factor?",
        lead="From then on your password alone opens your account and decides.",
        button="Remove it",
        to=reverse("governance:account"),
        said="Your account has no second factor any more. Its other sessions have ended.",
    )


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes and show them once."""
    form = ProofForm(sent(request), asked=stepup.proof_asked(request))
    status = 200
    if request.method == "POST":
        status = UNPROCESSABLE
        if form.is_valid():
            try:
                stepup.demand(request, form.proof)
                codes = secondfactor.renew_recovery_codes()
            except DomainError as refusal:
                show(form, refusal)
                status = refusal.status
            else:
                return render(request, "accounts/recovery_codes.html", {"codes": codes})
    context = _page("New recovery codes", "The old ones stop to work.", "Make new codes")
    return render(request, "governance/form.html", {**context, "form": form}, status=status)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def email(request: HttpRequest) -> HttpResponse:
    """Ask for another e-mail address; for approvers the board decides on it."""
    user = cast(User, request.user)

    def change(new_email: str, reason: str, password: str = "") -> Matter | None:
        stepup.demand(request, password)
        return resets.ask(user_id=user.pk, what=ResetWhat.EMAIL, reason=reason, new_email=new_email)

    return form_page(
        request,
        "governance/form.html",
        EmailForm(sent(request), asked=stepup.proof_asked(request)),
        change,
        to=lambda row: row.get_absolute_url() if row else reverse("governance:account"),
        said=lambda row: "The release board is asked." if row else "A link is on its way.",
        context=_page("Another e-mail address", "You sign in with it afterwards.", "Go on"),
    )


@require_POST
@signed_in
def end_sessions(request: HttpRequest) -> HttpResponse:
    """End every other session of one's own account."""
    user = cast(User, request.user)

    def end() -> None:
        with transaction.atomic():
            secondfactor.end_sessions(user)
            audit.record("person.sessions_ended", user)
        update_session_auth_hash(request, user)

    return act(
        request, end, to=reverse("governance:account"), said="Your other sessions have ended."
    )


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def delegation_new(request: HttpRequest) -> HttpResponse:
    """Let somebody decide in one's place for a time; it asks again who it is (I-38)."""
    user = cast(User, request.user)
    held = user.memberships.filter(revoked_at=None, role__in=LENDABLE)
    roles = [Role(role) for role in held.values_list("role", flat=True)]
    asked = stepup.proof_asked(request)

    def give(password: str = "", **given: Any) -> Delegation:
        stepup.demand(request, password)
        return delegations.give(**given)

    return form_page(
        request,
        "governance/form.html",
        DelegationForm(sent(request), asked=asked, user=user, roles=roles),
        give,
        to=reverse("governance:account"),
        said=lambda row: f"{row.deputy.full_name} stands in for you.",
        context=_page(
            "Let somebody stand in for you",
            "The same right, for a time, and one vote between you two. It counts on what is asked "
            "from now on, never on what you or they had a hand in, and it cannot be passed on.",
            "Stand in",
        ),
    )


@require_POST
@signed_in
def delegation_end(request: HttpRequest, pk: int) -> HttpResponse:
    """End it before its time; the service knows who may."""
    return act(
        request,
        lambda: delegations.end(delegation_id=pk),
        to=reverse("governance:account"),
        said=lambda row: f"{row.deputy.full_name} no longer stands in.",
    )


def _proved_page(
    request: HttpRequest, service: Callable[[], None], *, to: str, said: str, **words: str
) -> HttpResponse:
    form = ProofForm(sent(request), asked=stepup.proof_asked(request))
    status = 200
    if request.method == "POST":
        status = UNPROCESSABLE
        if form.is_valid():
            try:
                stepup.demand(request, form.proof)
                service()
            except DomainError as refusal:
                show(form, refusal)
                status = refusal.status
            else:
                if said:
                    messages.success(request, said)
                return redirect(to)
    context = _page(words["title"], words["lead"], words["button"])
    return render(request, "governance/form.html", {**context, "form": form}, status=status)


def _page(title: str, lead: str, button: str) -> dict[str, Any]:
    return {
        "title": title,
        "lead": lead,
        "button": button,
        "back": reverse("governance:account"),
        "back_label": "Your account",
    }


def _picture(address: str) -> SafeString:
    """Draw the address as a QR code: an SVG without any style, which the policy allows."""
    drawn = segno.make(address, error="m").svg_inline(
        scale=5, border=2, dark="#000", light="#fff", omitsize=False, svgclass="qr", lineclass=None
    )
    return mark_safe(drawn)  # noqa: S308 - drawn here, of nothing but black squares
