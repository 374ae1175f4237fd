"""Service accounts and their tokens."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.errors import DomainError
from core.pages import UNPROCESSABLE, act, form_page, sent, show
from governance import tokens
from governance.access import requires
from governance.forms.access import ServiceForm, TokenForm
from governance.models import Team, User
from governance.services import serviceaccounts
from governance.states import PersonKind


@require_safe
@requires("service.manage")
def index(request: HttpRequest) -> HttpResponse:
    """List the service accounts with their tokens."""
    accounts = User.objects.filter(kind=PersonKind.SERVICE).prefetch_related("tokens")
    context = {"accounts": accounts.order_by("-is_active", "full_name")}
    return render(request, "governance/services.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("service.manage")
def new(request: HttpRequest) -> HttpResponse:
    """Make a service account."""
    return form_page(
        request,
        "governance/form.html",
        ServiceForm(sent(request)),
        serviceaccounts.create,
        to=lambda user: reverse("governance:service", kwargs={"pk": user.pk}),
        said="Made. Give it a token next.",
        context={
            "title": "New service account",
            "lead": "For programs that report to Gatehouse. It has tokens, no password and no "
            "roles, and it never decides.",
            "button": "Make it",
            "back": reverse("governance:services"),
            "back_label": "Service accounts",
        },
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires("service.manage")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a service account; make a token and show it this once."""
    account = _account(pk)
    form = TokenForm(sent(request), initial={"days": 90})
    made, status = None, 200
    if request.method == "POST":
        status = UNPROCESSABLE
        if form.is_valid():
            try:
                made = serviceaccounts.create_token(user_id=pk, **form.cleaned_data)
            except DomainError as refusal:
                show(form, refusal)
                status = refusal.status
            else:
                form, status = TokenForm(initial={"days": 90}), 201
    names = dict(Team.objects.values_list("pk", "name"))
    rows = [
        {
            "token": token,
            "scopes": [tokens.SCOPES.get(scope, scope) for scope in token.scopes],
            "teams": [names.get(pk, "?") for pk in token.team_ids],
        }
        for token in account.tokens.select_related("created_by", "revoked_by")
    ]
    context = {"account": account, "rows": rows, "form": form, "made": made}
    return render(request, "governance/service.html", context, status=status)


@require_POST
@requires("service.manage")
def revoke(request: HttpRequest, pk: int, token_id: int) -> HttpResponse:
    """Revoke a token."""
    return act(
        request,
        lambda: serviceaccounts.revoke_token(user_id=pk, token_id=token_id),
        to=reverse("governance:service", kwargs={"pk": pk}),
        said="Revoked. It no longer works.",
    )


@require_POST
@requires("service.manage")
def close(request: HttpRequest, pk: int) -> HttpResponse:
    """Close a service account."""
    return act(
        request,
        lambda: serviceaccounts.close(user_id=pk),
        to=reverse("governance:service", kwargs={"pk": pk}),
        said="Closed. None of its tokens works any more.",
    )


def _account(pk: int) -> User:
    account = User.objects.filter(pk=pk, kind=PersonKind.SERVICE).first()
    if account is None:
        raise Http404("There is no such service account.")
    return account
