"""Pages of environments: the board, one environment, its forms, its snapshots.

Every act is a POST to a service that demands the right to it; a page only shows the same answer
beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core import csvfile
from core.errors import DomainError
from environments import board as board_page
from environments import pages, pages_sandboxes, selectors
from environments.forms import (
    CredentialForm,
    EditEnvironmentForm,
    NewEnvironmentForm,
    RetireForm,
    add_refusal,
)
from environments.models import Environment
from environments.services import orgs, snapshots
from governance.access import signed_in
from governance.permissions import acting_person


@require_GET
@signed_in
def board(request: HttpRequest) -> HttpResponseBase:
    """Show every track with its orgs, worst first on demand."""
    page = board_page.board(acting_person(), request.GET)
    if request.GET.get("format") == "csv":
        return csvfile.response("environments.csv", board_page.CSV_HEAD, board_page.csv_rows(page))
    return render(request, "environments/board.html", {"page": page})


@require_http_methods(["GET", "POST"])
@signed_in
def new(request: HttpRequest) -> HttpResponse:
    """Register an org on a stage."""
    person = acting_person()
    pipeline = selectors.pipeline(person)
    lanes = pages.open_lanes(person, pipeline)
    form = NewEnvironmentForm(
        lanes, request.POST or None, initial=pages.suggestion(lanes, request.GET)
    )
    if request.method == "POST" and form.is_valid():
        lane, stage = form.chosen(pipeline)
        try:
            created = orgs.create(team=lane.team, stage=stage.value, words=form.words())
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(
                request, _("%(name)s is registered. Now connect it.") % {"name": created}
            )
            return redirect("environments:credential", pk=created.pk)
    return _form(
        request, form, "environments/new.html", {"lanes": lanes, "may": pages.may_register(person)}
    )


@require_GET
@signed_in
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one environment; the connection's part updates itself while a check runs."""
    person, found = acting_person(), _found(pk)
    page = pages.detail(person, found)
    part = getattr(request, "htmx", None)
    template = "environments/_connection.html" if part else "environments/detail.html"
    sandbox = None if part else pages_sandboxes.part(person, found)
    return render(
        request, template, {"page": page, "environment": page.environment, "sandbox": sandbox}
    )


@require_http_methods(["GET", "POST"])
@signed_in
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what people type about an environment."""
    environment = _found(pk)
    form = EditEnvironmentForm(environment, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            changed = orgs.edit(
                environment_id=pk,
                seen_version=form.cleaned_data["version"],
                words=form.words(),
            )
        except DomainError as refusal:
            form = pages.with_fresh_version(form, environment, refusal)
            add_refusal(form, refusal)
        else:
            messages.success(request, _("%(name)s is changed.") % {"name": changed})
            return redirect(changed)
    may = pages.may_manage(acting_person(), environment)
    return _form(request, form, "environments/edit.html", {"environment": environment, "may": may})


@require_http_methods(["GET", "POST"])
@signed_in
def credential(request: HttpRequest, pk: int) -> HttpResponse:
    """Store how Gatehouse signs in to the org; the secret is never shown again."""
    environment = _found(pk)
    form = CredentialForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            orgs.set_credential(environment_id=pk, **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("The credential is sealed. A worker checks it now."))
            return redirect(environment)
    context = {
        "environment": environment,
        "may": pages.may_manage(acting_person(), environment),
        "stored": selectors.credential_of(environment),
    }
    return _form(request, form, "environments/credential.html", context)


@require_POST
@signed_in
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a worker to open the org."""
    return redirect(orgs.request_check(environment_id=_found(pk).pk))


@require_http_methods(["GET", "POST"])
@signed_in
def retire(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the environment out of its stage; its name has to be typed."""
    environment = _found(pk)
    form = RetireForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            orgs.retire(environment_id=pk, typed_name=form.cleaned_data["typed_name"])
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("%(name)s is retired.") % {"name": environment})
            return redirect("environments:board")
    may = pages.may_manage(acting_person(), environment)
    return _form(
        request, form, "environments/retire.html", {"environment": environment, "may": may}
    )


@require_GET
@signed_in
def snapshot_list(request: HttpRequest, pk: int) -> HttpResponse:
    """List the snapshots of an environment, newest first."""
    environment = _found(pk)
    page = pages.snapshots(acting_person(), environment, request.GET)
    return render(
        request, "environments/snapshots.html", {"page": page, "environment": environment}
    )


@require_POST
@signed_in
def snapshot_take(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for a snapshot of everything Gatehouse knows how to read."""
    return redirect(snapshots.ask(environment_id=_found(pk).pk))


@require_GET
@signed_in
def snapshot(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one snapshot; it updates itself until it is settled."""
    found = selectors.snapshot(pk)
    if found is None:
        raise Http404
    part = getattr(request, "htmx", None)
    template = "environments/_snapshot.html" if part else "environments/snapshot.html"
    return render(request, template, pages.snapshot(found))


def _found(pk: int) -> Environment:
    environment = selectors.find(pk)
    if environment is None:
        raise Http404
    return environment


def _form(
    request: HttpRequest, form: object, template: str, context: Mapping[str, object]
) -> HttpResponse:
    """Show a form; one that was sent back answers 422, so that nothing takes it for done."""
    refused = request.method == "POST"
    return render(request, template, {"form": form, **context}, status=422 if refused else 200)
