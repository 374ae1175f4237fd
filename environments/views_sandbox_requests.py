"""Asking for a refresh, a new sandbox or the end of one; deciding on it; connecting it anew."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.errors import DomainError, InvalidInput, NotAllowed, NotFound
from core.pages import UNPROCESSABLE, act, form_page, sent, show
from environments import pages_sandboxes as pages
from environments import permissions, selectors
from environments import selectors_sandboxes as reads
from environments.forms_sandboxes import (
    CreateForm,
    DeleteForm,
    ReconnectForm,
    RefreshForm,
    SandboxDecisionForm,
)
from environments.models import Environment, Sandbox, SandboxRequest
from environments.services.sandboxes import reconnecting, requests
from environments.services.sandboxes.facts import Wish
from environments.states import SandboxAction, SandboxStart
from governance import stepup
from governance.access import signed_in
from governance.models import User
from governance.permissions import acting_person
from governance.rules.windows import instant

FORM = "environments/sandbox_ask.html"


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def refresh(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for a refresh of an environment's sandbox."""
    environment, sandbox = _environment(pk)
    initial = {"template_id": sandbox.template_id, "apex_class_id": sandbox.apex_class_id}
    form = RefreshForm(_sources(sandbox), sent(request), initial=initial)

    def ask(**typed: Any) -> SandboxRequest:
        wish = _wish(SandboxAction.REFRESH, sandbox.name, sandbox.licence_type, typed)
        return requests.ask(wish=wish.about(sandbox), environment=environment, team=None)

    context = pages.asking(acting_person(), environment, sandbox, SandboxAction.REFRESH)
    return _form(request, form, ask, context)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for the end of an environment's sandbox; its name has to be typed."""
    environment, sandbox = _environment(pk)
    form = DeleteForm(sent(request))

    def ask(typed_name: str, **typed: Any) -> SandboxRequest:
        if typed_name.strip().lower() != sandbox.name.lower():
            raise InvalidInput(
                "sandbox.name_differs",
                f"Type “{sandbox.name}” to confirm; what you typed does not match.",
                field="typed_name",
            )
        wish = _wish(SandboxAction.DELETE, sandbox.name, sandbox.licence_type, typed)
        return requests.ask(wish=wish.about(sandbox), environment=environment, team=None)

    context = pages.asking(acting_person(), environment, sandbox, SandboxAction.DELETE)
    return _form(request, form, ask, context)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def create(request: HttpRequest) -> HttpResponse:
    """Ask for a new sandbox."""
    owner = reads.production()
    if owner is None:
        raise Http404
    teams = pages.teams_of(acting_person())
    choices = [(slug, name) for slug, name, _team in teams]
    form = CreateForm(choices, _sources(None), sent(request))

    def ask(team: str, name: str, licence_type: str, **typed: Any) -> SandboxRequest:
        wish = _wish(SandboxAction.CREATE, name.strip(), licence_type, typed)
        found = next(item for slug, _name, item in teams if slug == team)
        return requests.ask(wish=wish, environment=None, team=found)

    return _form(request, form, ask, pages.creating(acting_person(), bool(teams)))


def _wish(action: SandboxAction, name: str, licence_type: str, typed: dict[str, Any]) -> Wish:
    not_before = typed.get("not_before")
    zone = acting_person().zone
    return Wish(
        action=action,
        start=SandboxStart(typed["start"]),
        name=name,
        licence_type=licence_type,
        source=_source(typed.get("source", "")),
        not_before=instant(cast(datetime, not_before), zone, late=False) if not_before else None,
        template_id=typed.get("template_id", "").strip(),
        apex_class_id=typed.get("apex_class_id", "").strip(),
        auto_activate=bool(typed.get("auto_activate", True)),
        reason=typed["reason"],
    )


def _form(
    request: HttpRequest,
    form: Any,
    service: Callable[..., SandboxRequest],
    context: dict[str, object],
) -> HttpResponse:
    return form_page(
        request,
        FORM,
        form,
        service,
        to=lambda made: made.get_absolute_url(),
        said=lambda made: _("%(id)s is sent.") % {"id": made.public_id},
        context=context,
    )


def _environment(pk: int) -> tuple[Environment, Sandbox]:
    environment = selectors.find(pk)
    sandbox = reads.sandbox_of(environment) if environment is not None else None
    if environment is None or sandbox is None:
        raise Http404
    return environment, sandbox


def _sources(sandbox: Sandbox | None) -> list[tuple[str, str]]:
    rows = Sandbox.objects.filter(gone_at=None).order_by("name")
    if sandbox is not None:
        rows = rows.filter(licence_type=sandbox.licence_type).exclude(pk=sandbox.pk)
    return [(str(row.pk), f"{row.name} ({row.licence})") for row in rows]


def _source(text: str) -> Sandbox | None:
    return Sandbox.objects.filter(pk=int(text)).first() if text.isdecimal() else None


# One request -------------------------------------------------------------------------------------


@require_GET
@signed_in
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one request; it updates itself while it is under way."""
    found = _found(pk)
    if getattr(request, "htmx", None):
        context = {"page": pages.request(cast(User, request.user), found), "found": found}
        return render(request, "environments/_sandbox_request.html", context)
    return _page(request, found)


def _page(
    request: HttpRequest,
    found: SandboxRequest,
    form: SandboxDecisionForm | None = None,
    refusal: DomainError | None = None,
) -> HttpResponse:
    page = pages.request(cast(User, request.user), found)
    if form is None:
        form = SandboxDecisionForm(
            initial={"shown_digest": page.digest}, asked=stepup.proof_asked(request)
        )
    context = {"page": page, "found": found, "form": form, "refusal": refusal}
    status = refusal.status if refusal else UNPROCESSABLE if request.method == "POST" else 200
    return render(request, "environments/sandbox_request.html", context, status=status)


@sensitive_post_parameters("password")
@require_POST
@signed_in
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Record a person's answer to exactly what the page showed."""
    found = _found(pk)
    form = SandboxDecisionForm(request.POST, asked=stepup.proof_asked(request))
    if not form.is_valid():
        return _page(request, found, form)
    try:
        stepup.demand(request, form.proof)
        requests.decide(
            request_id=pk,
            auth_strength=stepup.strength(request),
            **form.given,
        )
    except (NotAllowed, NotFound):
        raise
    except InvalidInput as refusal:
        show(form, refusal)
        return _page(request, found, form)
    except DomainError as refusal:
        return _page(request, _found(pk), None, refusal)
    messages.success(request, _("Your decision is recorded."))
    return redirect(found)


@require_POST
@signed_in
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a request back before it is started."""
    found = _found(pk)
    return act(
        request,
        lambda: requests.withdraw(request_id=pk),
        to=found.get_absolute_url(),
        said=_("It is withdrawn."),
    )


@require_POST
@signed_in
def settle(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a copy that waits for it activated or discarded."""
    found = _found(pk)
    return act(
        request,
        lambda: requests.settle(request_id=pk, wish=request.POST.get("wish", "")),
        to=found.get_absolute_url(),
        said=_("A worker passes it on to the platform."),
    )


def _found(pk: int) -> SandboxRequest:
    found = reads.find_request(pk)
    if found is None:
        raise Http404
    return found


# After a refresh ---------------------------------------------------------------------------------


@sensitive_post_parameters("secret")
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def reconnect(request: HttpRequest, pk: int) -> HttpResponse:
    """Connect a refreshed sandbox anew: one step."""
    environment = selectors.find(pk)
    if environment is None:
        raise Http404
    form = ReconnectForm(sent(request), initial=reconnecting.suggested(environment))
    return form_page(
        request,
        "environments/reconnect.html",
        form,
        lambda **typed: reconnecting.reconnect(environment_id=pk, **typed),
        to=environment.get_absolute_url(),
        said=_("The credential is sealed. A worker checks it now."),
        context={
            "environment": environment,
            "refreshed": reads.to_reconnect(environment),
            "may": permissions.may_manage(acting_person(), environment.track),
        },
    )
