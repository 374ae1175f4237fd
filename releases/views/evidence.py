"""Pages of evidence: packs, samples, and one change from ticket to running digest."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core import blobs, csvfile, ids
from core.digests import sha256_text
from core.pages import sent
from governance.access import keeps_a_look, requires
from governance.permissions import can, standing_of
from governance.states import Role
from releases.evidence import pack as packs
from releases.evidence import pdf, record, sampling, telling
from releases.evidence.archive import readable_json
from releases.evidence.population import Selection, executions
from releases.forms.evidence import PeriodForm, SampleForm
from releases.models import AuditSample, Deployment
from releases.selectors import evidence as selectors
from releases.selectors import words
from releases.services import evidence
from releases.states import Purpose
from releases.views.acting import act, form_page, found

FORM = "releases/form.html"
POLL_SECONDS = 2


@requires("evidence.make")
@require_http_methods(["GET", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """List packs and samples, and ask for the pack of a period."""
    return form_page(
        request,
        "evidence/index.html",
        PeriodForm(sent(request)),
        evidence.request_for_period,
        to=lambda pack: pack.get_absolute_url(),
        said=lambda pack: f"{pack.public_id} is being made.",
        context={
            "packs": selectors.packs(),
            "samples": selectors.samples(),
            "may_sample": can(request.user, "evidence.sample"),
            "unexplained": selectors.reported(open_only=True).count(),
        },
    )


@requires("evidence.make")
@require_POST
def of_release(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for the pack of one release."""
    return act(
        request,
        lambda: evidence.request_for_release(release_id=pk),
        to=reverse("releases:evidence"),
        said=lambda pack: f"{pack.public_id} about {pack.subject} is being made.",
    )


@requires("evidence.make")
@require_GET
def pack(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one pack; asked by htmx, only its live part."""
    row = selectors.pack_row(found(selectors.find(pk), "evidence pack"))
    context = {
        "row": row,
        "pack": row.pack,
        "counts": sorted(row.pack.counts.items()),
        "poll_seconds": POLL_SECONDS if row.is_live else 0,
    }
    is_part = request.htmx  # type: ignore[attr-defined]
    return render(request, "evidence/_pack.html" if is_part else "evidence/pack.html", context)


@requires("evidence.make")
@require_POST
def download(request: HttpRequest, pk: int) -> FileResponse:
    """Send the file; the history notes who took it."""
    found(selectors.find(pk), "evidence pack")
    row = evidence.download(pack_id=pk)
    name = f"{packs.folder_of(row)}-{row.public_id}.zip"
    return FileResponse(blobs.open_file(row.blob), as_attachment=True, filename=name)


@requires("evidence.sample")
@require_http_methods(["GET", "POST"])
def sample_new(request: HttpRequest) -> HttpResponse:
    """Draw a sample."""
    return form_page(
        request,
        FORM,
        SampleForm(sent(request)),
        evidence.draw_sample,
        to=lambda sample: sample.get_absolute_url(),
        said=lambda sample: f"Drew {len(sample.picked)} of {sample.population}.",
        context={
            "title": "Draw a sample",
            "button": "Draw",
            "back": reverse("releases:evidence"),
            "lead": f"{sampling.ALGORITHM}. Anybody can draw again with the same seed.",
        },
    )


@requires("evidence.make")
@require_GET
def sample(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a sample with a link to the walk through each of its items."""
    drawn = _sample(pk)
    context = {
        "sample": drawn,
        "rows": _picked(drawn),
        "algorithm": sampling.ALGORITHM,
        "is_same": _draws_the_same(drawn),
    }
    return render(request, "evidence/sample.html", context)


@requires("evidence.make")
@require_GET
def sample_csv(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """Send a sample as a file, with the digests that decided the draw."""
    drawn = _sample(pk)
    head = ("place", "change", "draw digest", "environment", "outcome", "started (UTC)", "page")
    lines = (
        (
            place,
            row.public_id,
            sampling.key_of(row.public_id, drawn.seed),
            row.environment.name,
            row.state,
            row.started_at.isoformat() if row.started_at else "",
            request.build_absolute_uri(reverse("releases:walkthrough", kwargs={"pk": row.pk})),
        )
        for place, (row, _) in enumerate(_picked(drawn), start=1)
    )
    return csvfile.response(f"sample-{drawn.pk}.csv", head, lines)


def _sample(pk: int) -> AuditSample:
    rows = AuditSample.objects.select_related("environment", "drawn_by")
    return found(rows.filter(pk=pk).first(), "sample")


def _picked(drawn: AuditSample) -> list[tuple[Deployment, words.Word]]:
    """The attempts of a sample in the order in which they were drawn."""
    numbers = [parsed[1] for name in drawn.picked if (parsed := ids.parse_ref(name))]
    rows = Deployment.objects.select_related("environment", "release").in_bulk(numbers)
    return [(rows[number], words.deployment(rows[number])) for number in numbers]


def _draws_the_same(drawn: AuditSample) -> bool:
    """Draw again from today's rows: the same population gives the same sample."""
    names = sampling.population(
        Selection(
            environment=drawn.environment,
            since=drawn.since,
            until=drawn.until,
            writes_only=drawn.writes_only,
        )
    )
    same = sampling.population_digest(names) == drawn.population_digest
    return same and sampling.draw(names, drawn.seed, drawn.size) == drawn.picked


@keeps_a_look
@requires("evidence.make")
@require_GET
def walkthrough(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one change from ticket to running digest."""
    change = _change(request, pk, "the walk through")
    deployment, found_record = change.deployment, record.record_of(change)
    context = {
        "change": change,
        "deployment": deployment,
        "word": words.deployment(deployment),
        "purpose": words.PURPOSE[Purpose(deployment.purpose)],
        "sections": telling.sections(found_record),
        "conflicts": found_record["segregation"]["conflicts"],
    }
    return render(request, "evidence/walkthrough.html", context)


@keeps_a_look
@requires("evidence.make")
@require_GET
def record_json(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the record of one change as JSON."""
    change = _change(request, pk, "the record")
    text = readable_json(record.record_of(change))
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    name = f"{change.deployment.public_id}.json"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@keeps_a_look
@requires("evidence.make")
@require_GET
def record_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the record of one change as a document."""
    change = _change(request, pk, "the document")
    told = record.record_of(change)
    name = change.deployment.public_id
    paper = pdf.document(told, sha256_text(readable_json(told)), f"{name}.json")
    response = HttpResponse(paper, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    return response


def _change(request: HttpRequest, pk: int, what: str) -> Any:
    """Read a change of the population, and note it when an auditor does."""
    if not executions(Selection()).filter(pk=pk).exists():
        raise Http404("There is no such attempt on a protected environment.")
    change = record.load(pk)
    if any(role == Role.AUDITOR for _, role in standing_of(request.user).roles):
        ref = change.deployment.public_id
        evidence.opened(what=f"{what} of {ref}", ref=ref)
    return change
