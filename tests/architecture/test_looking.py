"""I-38: no GET changes anything. The harness answers every GET of every test while reading only."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from governance.access import keeps_a_look, public
from governance.models import Team
from tests.architecture.test_access import all_addresses


def _writes(request: HttpRequest) -> HttpResponse:
    Team.objects.create(name=request.path, slug=request.path.strip("/"))
    return HttpResponse("seen")


def _keeps(request: HttpRequest) -> HttpResponse:
    return _writes(request)


urlpatterns = [path("plain/", public(_writes)), path("kept/", keeps_a_look(public(_keeps)))]


@override_settings(ROOT_URLCONF=__name__)
def test_i38_a_page_that_writes_when_it_is_looked_at_fails(db: None) -> None:
    """The control: without it the harness could let everything pass."""
    client = Client()
    for look in (client.get, client.head, client.options):
        with pytest.raises(DatabaseError, match="read-only"), transaction.atomic():
            look("/plain/")
    assert client.post("/plain/").status_code == 200
    assert client.get("/kept/").status_code == 200


def test_i38_only_the_records_of_evidence_keep_who_looked() -> None:
    kept = {each.name for each in all_addresses() if getattr(each.view, "keeps_a_look", False)}
    assert kept == {"walkthrough", "record_json", "record_pdf"}
