"""Signing in and out, joining with a one-time link, one's own account."""

from __future__ import annotations

from typing import cast

from django.contrib.auth import login, logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from core.errors import DomainError
from core.pages import UNPROCESSABLE, form_page, sent, show
from governance import inbox, stepup
from governance.access import public, signed_in
from governance.forms.accounts import AccountForm, JoinForm, PasswordForm, SignInForm
from governance.models import User
from governance.services import founding, invitations, people, signin

BACKEND = "django.contrib.auth.backends.ModelBackend"
HOME = "/"


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
                _let_in(request, user)
                return redirect(target)
    context = {"form": form, "next": request.GET.get("next", request.POST.get("next", ""))}
    return render(request, "accounts/sign_in.html", context, status=status)


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
    invitation = invitations.find(token)
    form = JoinForm(sent(request))
    status = 200
    if request.method == "POST":
        status = UNPROCESSABLE
        if form.is_valid():
            try:
                user = invitations.accept(token=token, **form.cleaned_data)
            except DomainError as refusal:
                show(form, refusal)
                status = refusal.status
            else:
                logout(request)
                _let_in(request, user)
                return redirect(_first_page(user))
    context = {"form": form, "person": invitation.user}
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
        context={"memberships": _memberships(user)},
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


def _let_in(request: HttpRequest, user: User) -> None:
    login(request, user, backend=BACKEND)
    stepup.mark(request)
    signin.record_sign_in(user)


def _target(request: HttpRequest) -> str:
    """Return where to go after signing in: only ever a page of this site."""
    wanted = request.POST.get("next") or request.GET.get("next") or HOME
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    return wanted if safe else HOME


def _first_page(user: User) -> str:
    return reverse("governance:confirm_policies") if inbox.proposals_for(user) else HOME


def _memberships(user: User) -> object:
    return user.memberships.filter(revoked_at=None).select_related("team").order_by("team__name")
