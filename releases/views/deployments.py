"""Pages of deployments: the list and the live page of one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core import csvfile, db, ids
from governance.access import requires, signed_in
from governance.permissions import standing_of
from releases import gate
from releases.forms.deployments import SettleForm
from releases.selectors import deployment_page, deployments, environments, reasons
from releases.services import deployments as services
from releases.services import renewing, steps
from releases.views import lists
from releases.views.acting import act, form_page, found

STOP_POLLING = 286
STATE_CHIPS = (
    ("live", "Under way"),
    ("failed", "Failed"),
    ("unknown", "Unknown"),
    ("succeeded", "Done"),
)


def _wanted(request: HttpRequest) -> deployments.DeploymentFilter:
    asked = request.GET.get
    return deployments.DeploymentFilter(
        asked("q", ""), asked("state", ""), asked("purpose", ""), asked("environment", "")
    )


@signed_in
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """List deployments, newest first."""
    wanted = _wanted(request)
    page, rows = deployments.listing(wanted, lists.place_of(request))
    context = {
        "rows": rows,
        "wanted": wanted,
        "environment": environments.named(wanted.environment),
        "pager": lists.pager(request, page, reverse("releases:deployments_csv")),
        "chips": lists.chips(request, "state", STATE_CHIPS),
        "purposes": lists.chips(request, "purpose", deployments.SHOWN_PURPOSES, "Every purpose"),
        "keep": lists.kept(request, "state", "purpose", "environment"),
    }
    return render(request, "deployments/list.html", context)


@signed_in
@require_GET
def index_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Send the list as a file."""
    head = ("Deployment", "What", "Environment", "Purpose", "State", "Artefact", "Asked by")
    times = ("Asked at", "Started at", "Finished at", "Seconds")
    lines = (_line(row) for row in deployments.export(_wanted(request)))
    return csvfile.response("deployments.csv", (*head, *times), lines)


def _line(row: deployments.DeploymentRow) -> tuple[object, ...]:
    deployment = row.deployment
    moments = (deployment.created_at, deployment.started_at, deployment.finished_at)
    return (
        deployment.public_id,
        deployments.carries(deployment),
        deployment.environment.name,
        row.purpose,
        row.word.text,
        deployment.artefact.digest,
        deployment.requester or "Gatehouse",
        *(moment.isoformat() if moment else "" for moment in moments),
        "" if row.seconds is None else round(row.seconds),
    )


@signed_in
@require_GET
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a deployment; asked by htmx, only what changes while it runs."""
    now = db.database_now()
    everything = request.GET.get("messages") == "all"
    shown = found(deployment_page.load(pk, now, all_messages=everything), "deployment")
    context = _context(request, shown, now)
    if not request.htmx:  # type: ignore[attr-defined]
        return render(request, "deployments/deployment.html", context)
    status = STOP_POLLING if shown.is_final else 200
    return render(request, "deployments/_live.html", context, status=status)


def _context(
    request: HttpRequest, shown: deployment_page.DeploymentPage, now: datetime
) -> dict[str, Any]:
    deployment = shown.deployment
    team = steps.team_of(deployment)
    standing = standing_of(request.user)
    verdict = gate.evaluate(deployment, now) if shown.asks_gate else None
    return {
        "page": shown,
        "deployment": deployment,
        "verdict": verdict,
        "reasons": (
            reasons.linked(verdict, deployment.release, deployment) if verdict is not None else []
        ),
        "may_cancel": standing.can("deployment.cancel_team" if team else "deployment.cancel", team),
        "may_settle": standing.can("deployment.settle"),
        "live_url": request.get_full_path(),
        "record": deployment_page.record(shown),
        "now": now,
    }


@signed_in
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask to stop it; the service knows who may."""
    return act(
        request,
        lambda: services.cancel(deployment_id=pk),
        to=_page(pk),
        said=lambda row: f"{row.public_id} is being cancelled.",
    )


@signed_in
@require_POST
def bring(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring an environment to what its track should hold; the service knows who may."""
    org = found(environments.named(ids.format_ref("E", pk)), "environment")
    return act(
        request,
        lambda: renewing.bring(environment_id=pk),
        to=org.get_absolute_url(),
        said=lambda row: f"{row.public_id} brings it there.",
    )


@requires("deployment.settle")
@require_POST
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a worker ask the org again how it ended."""
    return act(
        request,
        lambda: services.ask_org(deployment_id=pk),
        to=_page(pk),
        said="A worker asks the org again now.",
    )


@requires("deployment.settle")
@require_http_methods(["GET", "POST"])
def settle(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down how an unknown deployment ended."""
    deployment = found(deployments.find(pk), "deployment")
    return form_page(
        request,
        "releases/form.html",
        SettleForm(request.POST or None),
        lambda **typed: services.settle(deployment_id=pk, **typed),
        to=_page(pk),
        said=f"{deployment.public_id} is settled; a worker writes it down now.",
        context={
            "title": f"Settle {deployment.public_id}",
            "button": "Settle",
            "back": deployment.get_absolute_url(),
            "lead": f"Look into {deployment.environment.name} first. Gatehouse believes what you "
            "say here, sends nothing again, and the history keeps your name.",
        },
    )


def _page(pk: int) -> str:
    return reverse("releases:deployment", kwargs={"pk": pk})
