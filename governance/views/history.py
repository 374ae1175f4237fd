"""The history: sentences, filters in the URL, one event's facts, and a file of it all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from core import csvfile
from core.digests import rfc3339
from governance import audit
from governance.access import signed_in
from governance.forms.history import HistoryForm
from governance.models import AuditDetail, AuditEvent
from governance.permissions import standing_of
from governance.selectors import chain
from governance.selectors import history as selectors
from governance.selectors.history import OUTCOMES

AREAS: dict[str, str] = {
    "approval": "Approvals",
    "deployment": "Deployments",
    "release": "Releases",
    "policy": "Policies",
    "membership": "Roles",
    "environment": "Environments",
}
"""First words of event names that have a chip of their own."""

NARROWING = ("person", "object", "release", "environment", "outcome", "since", "until")

CSV_HEAD = (
    "event",
    "position",
    "time (UTC)",
    "time (local)",
    "recorded (UTC)",
    "what",
    "sentence",
    "actor",
    "actor kind",
    "subject",
    "related",
    "team",
    "facts",
)


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter on the page: set ones lead to the list without it."""

    label: str
    url: str
    is_set: bool


@require_safe
@signed_in
def index(request: HttpRequest) -> HttpResponse:
    """Show the newest events that match the filters."""
    form = HistoryForm(request.GET)
    form.is_valid()
    page = audit.search(form.filters(), cursor=request.GET.get("at", "")[:50])
    query = _query(request, at=None)
    context = {
        "form": form,
        "narrowing": [form[name] for name in NARROWING],
        "events": page.events,
        "chips": _set_chips(request, form),
        "areas": _area_chips(request, form),
        "newer_url": _url(request, at=page.newer) if page.newer else "",
        "older_url": _url(request, at=page.older) if page.older else "",
        "csv_url": f"{reverse('governance:history_csv')}{query}",
        "jsonl_url": f"{reverse('governance:history_jsonl')}{query}",
        "standing": chain.standing(),
        "is_filtered": form.filters() != audit.Filters(),
    }
    return render(request, "governance/history.html", context)


@require_safe
@signed_in
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one event with all its facts, and what is stored word for word."""
    event = AuditEvent.objects.filter(pk=pk).first()
    if event is None:
        raise Http404("There is no such event.")
    body = json.loads(event.body)
    context = {
        "event": event,
        "body": body,
        "facts": [(name.replace("_", " "), _fact(value)) for name, value in _facts(body)],
        "origin": body.get("origin", {}),
        "behalf": body.get("behalf"),
        "seal": chain.seal_of(event),
        "detail": _detail(request, event),
        "may_see_details": bool(standing_of(request.user).can("history.details")),
    }
    return render(request, "governance/event.html", context)


@require_safe
@signed_in
def as_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Stream every event that matches as CSV."""
    form = HistoryForm(request.GET)
    form.is_valid()
    rows = _csv_rows(form.filters(), timezone.get_current_timezone())
    return csvfile.response("history.csv", CSV_HEAD, rows)


@require_safe
@signed_in
def as_jsonl(request: HttpRequest) -> StreamingHttpResponse:
    """Stream every event that matches as JSON Lines, its body as it is stored."""
    form = HistoryForm(request.GET)
    form.is_valid()
    answer = StreamingHttpResponse(
        _jsonl_rows(form.filters()), content_type="application/jsonl; charset=utf-8"
    )
    answer.headers["Content-Disposition"] = 'attachment; filename="history.jsonl"'
    return answer


def _jsonl_rows(filters: audit.Filters) -> Iterator[str]:
    for event in selectors.stream(filters):
        link = getattr(event, "link", None)
        line = {
            "id": event.pk,
            "position": link.position if link else None,
            "hash": bytes(link.hash).hex() if link else None,
            "recorded_at": rfc3339(event.recorded_at),
            "body": event.body,
        }
        yield json.dumps(line, ensure_ascii=False) + "\n"


def _csv_rows(filters: audit.Filters, zone: tzinfo) -> Iterator[tuple[object, ...]]:
    # Rows are streamed when the request, and with it the person's zone, is over.
    for event in selectors.stream(filters):
        facts = dict(_facts(json.loads(event.body)))
        link = getattr(event, "link", None)
        yield (
            event.public_id,
            link.position if link else "",
            rfc3339(event.at),
            f"{timezone.localtime(event.at, zone):%Y-%m-%d %H:%M:%S %Z}",
            rfc3339(event.recorded_at),
            event.event,
            event.sentence,
            event.actor_name,
            event.actor_kind,
            event.subject_ref,
            " ".join(event.related),
            event.team,
            json.dumps(facts, ensure_ascii=False, sort_keys=True) if facts else "",
        )


def _facts(body: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    facts = body.get("facts")
    return facts.items() if isinstance(facts, dict) else ()


def _detail(request: HttpRequest, event: AuditEvent) -> dict[str, Any] | None:
    """Return address and browser for those who may see them, unless they were erased."""
    if not standing_of(request.user).can("history.details"):
        return None
    found = AuditDetail.objects.filter(pk=event.pk).first()
    return json.loads(found.body) if found else None


def _fact(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return "" if value is None else str(value)


def _set_chips(request: HttpRequest, form: HistoryForm) -> list[Chip]:
    given = form.cleaned_data
    labels = {
        "object": given.get("object"),
        "release": given.get("release"),
        "environment": given.get("environment"),
        "outcome": OUTCOMES.get(given.get("outcome", "")),
        "person": form.person_name() if given.get("person") else "",
        "team": form.team_name() if given.get("team") else "",
        "area": AREAS.get(given.get("area", ""), given.get("area")),
        "since": f"from {given['since']:%-d %b %Y}" if given.get("since") else "",
        "until": f"to {given['until']:%-d %b %Y}" if given.get("until") else "",
        "q": f"“{given['q']}”" if given.get("q") else "",
    }
    return [
        Chip(str(label), _url(request, **{name: None, "at": None}), is_set=True)
        for name, label in labels.items()
        if label
    ]


def _area_chips(request: HttpRequest, form: HistoryForm) -> list[Chip]:
    if form.cleaned_data.get("area"):
        return []
    return [
        Chip(label, _url(request, area=area, at=None), is_set=False)
        for area, label in AREAS.items()
    ]


def _url(request: HttpRequest, **changes: str | None) -> str:
    return _query(request, **changes) or request.path


def _query(request: HttpRequest, **changes: str | None) -> str:
    """Return this page's query with other parameters; None and empty ones are left out."""
    names = [*HistoryForm.base_fields, "at"]
    wanted = {name: request.GET.get(name, "") for name in names} | changes
    kept = {name: text for name, text in wanted.items() if text}
    return f"?{urlencode(kept)}" if kept else ""
