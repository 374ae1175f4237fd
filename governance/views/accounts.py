"""Signing in and out, joining with a one-time link, one's own account."""

from __future__ import annotations

from typing import cast

from django.contrib.auth import login, logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from core import clock
from core.errors import DomainError
from core.pages import UNPROCESSABLE, form_page, sent, show
from governance import inbox, stepup
from governance.access import public, signed_in
from governance.forms.accounts import (
    AccountForm,
    CodeForm,
    ForgottenForm,
    JoinForm,
    PasswordForm,
    SignInForm,
)
from governance.models import User
from governance.selectors import delegations
from governance.services import founding, invitations, people, resets, secondfactor, signin

BACKEND = "django.contrib.auth.backends.ModelBackend"
HOME = "/"
HALF = "password_given"
HALF_SECONDS = 300
"""How long the right password waits for the code that belongs to it."""


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@public
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask who it is; before the founding, say how to found."""
    if not founding.is_founded():
        return render(request, "accounts/not_founded.html")
    target = _target(request)
    if request.user.is_authenticated:
        return redirect(target)
    form = SignInForm(sent(request))
    status = 200
    if request.method == "POST":
        status = UNPROCESSABLE
        if form.is_valid():
            try:
                user = signin.authenticate(**form.cleaned_data, address=signin.address_of(request))
            except DomainError as refusal:
                show(form, refusal)
                status = refusal.status
            else:
                if secondfactor.is_enrolled(user):
                    return _ask_for_code(request, user, target)
                _let_in(request, user, "password")
                return redirect(target)
    context = {"form": form, "next": request.GET.get("next", request.POST.get("next", ""))}
    return render(request, "accounts/sign_in.html", context, status=status)


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@public
def sign_in_code(request: HttpRequest) -> HttpResponse:
    """Ask for a code of the second factor, after the right password."""
    user = _half_signed_in(request)
    if user is None:
        return redirect("governance:sign_in")
    form = CodeForm(sent(request))
    status = 200
    if request.method == "POST":
        status = UNPROCESSABLE
        if form.is_valid():
            code = form.cleaned_data["password"]
            try:
                strength = secondfactor.check_code(user, code, signin.address_of(request))
            except DomainError as refusal:
                show(form, refusal)
                status = refusal.status
            else:
                target = str(request.session.pop(HALF)["target"])
                _let_in(request, user, strength)
                return redirect(target)
    return render(request, "accounts/sign_in_code.html", {"form": form}, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@public
def forgotten(request: HttpRequest) -> HttpResponse:
    """Help somebody who forgot the password; the answer is the same for every address."""

    def help_them(email: str) -> None:
        resets.forgotten(email=email, address=signin.address_of(request))

    return form_page(
        request,
        "accounts/forgotten.html",
        ForgottenForm(sent(request)),
        help_them,
        to=reverse("governance:sign_in"),
        said="If there is an account with this address, an e-mail is on its way. Where the board "
        "decides on it, that takes longer.",
        context={},
    )


@require_POST
@public
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return redirect("governance:sign_in")


@sensitive_post_parameters("password", "again")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@public
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Set the first password with a one-time link, then go to what waits."""
    invitation = resets.find(token)
    form = JoinForm(sent(request))
    status = 200
    if request.method == "POST":
        status = UNPROCESSABLE
        if form.is_valid():
            try:
                user = resets.accept(token=token, **form.cleaned_data)
            except DomainError as refusal:
                show(form, refusal)
                status = refusal.status
            else:
                logout(request)
                if secondfactor.is_enrolled(user):
                    return _ask_for_code(request, user, HOME)
                _let_in(request, user, "password")
                return redirect(_first_page(user))
    context = {"form": form, "person": invitation.user, "what": invitation.what}
    return render(request, "accounts/join.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def account(request: HttpRequest) -> HttpResponse:
    """Change one's own name and time zone."""
    user = cast(User, request.user)
    return form_page(
        request,
        "accounts/account.html",
        AccountForm.of(user, sent(request)),
        people.edit_own_account,
        to=reverse("governance:account"),
        said="Saved.",
        context={
            "memberships": _memberships(user),
            "enrolled": secondfactor.is_enrolled(user),
            "delegations": delegations.of_person(user),
            "may_lend": user.memberships.filter(
                revoked_at=None, role__in=delegations.LENDABLE
            ).exists(),
        },
    )


@sensitive_post_parameters("password", "new_password", "again")
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def change_password(request: HttpRequest) -> HttpResponse:
    """Change one's own password; other sessions of the account end."""

    def change(password: str, new_password: str) -> User:
        signin.check_password(cast(User, request.user), password, signin.address_of(request))
        user = invitations.change_password(password=new_password)
        update_session_auth_hash(request, user)
        if not secondfactor.is_enrolled(user):
            stepup.mark(request)
        return user

    return form_page(
        request,
        "accounts/password.html",
        PasswordForm(sent(request)),
        change,
        to=reverse("governance:account"),
        said="Your password was changed. Other sessions of your account have ended.",
        context={},
    )


def _let_in(request: HttpRequest, user: User, strength: str) -> None:
    login(request, user, backend=BACKEND)
    stepup.mark(request, strength)
    signin.record_sign_in(user, strength)


def _ask_for_code(request: HttpRequest, user: User, target: str) -> HttpResponse:
    """Remember the right password for a few minutes, in a new session that is nobody's yet."""
    request.session.cycle_key()
    request.session[HALF] = {
        "user": user.pk,
        "at": int(clock.now().timestamp()),
        "hash": user.get_session_auth_hash(),
        "target": target,
    }
    return redirect("governance:sign_in_code")


def _half_signed_in(request: HttpRequest) -> User | None:
    """Return who gave the right password a moment ago, if it is still the password."""
    half = request.session.get(HALF)
    if not isinstance(half, dict):
        return None
    user = User.objects.filter(pk=half["user"], is_active=True).first()
    age = int(clock.now().timestamp()) - half["at"]
    if user is None or not 0 <= age <= HALF_SECONDS:
        return None
    same = constant_time_compare(half["hash"], user.get_session_auth_hash())
    return user if same else None


def _target(request: HttpRequest) -> str:
    """Return where to go after signing in: only ever a page of this site."""
    wanted = request.POST.get("next") or request.GET.get("next") or HOME
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    return wanted if safe else HOME


def _first_page(user: User) -> str:
    return reverse("governance:confirm_policies") if inbox.proposals_for(user) else HOME


def _memberships(user: User) -> object:
    return user.memberships.filter(revoked_at=None).select_related("team").order_by("team__name")
