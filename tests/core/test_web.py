"""What core does in a web request and in the database."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from django import forms
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.fallback import FallbackStorage
from django.core.exceptions import MiddlewareNotUsed
from django.db import IntegrityError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls.converters import get_converters
from django.utils import timezone

from core import ids, refs
from core.context import NoActor, current_actor, request_id
from core.converters import RefConverter
from core.db import advisory_lock, database_now, lock_rows
from core.errors import (
    Conflict,
    DomainError,
    ExternalFault,
    InvalidInput,
    NotAllowed,
    NotFound,
    NotNow,
    Stale,
)
from core.middleware import ActorMiddleware, ProxyMiddleware, RefusalMiddleware, problem
from core.migrations import RunSQLFile
from core.pages import act, form_page
from governance.models import Policy, PolicyVersion, Team, User
from tests.support.databases import as_role


def ask(path: str = "/", user: Any = None, method: str = "get", **given: Any) -> HttpRequest:
    request: HttpRequest = getattr(RequestFactory(), method)(path, **given)
    request.user = user or AnonymousUser()
    request.session = {}  # type: ignore[assignment]
    request._messages = FallbackStorage(request)  # type: ignore[attr-defined]
    return request


def test_the_signed_in_person_acts_in_a_request_and_in_their_own_zone() -> None:
    seen: dict[str, Any] = {}

    def view(request: HttpRequest) -> HttpResponse:
        seen.update(
            actor=current_actor(), id=request_id(), zone=timezone.get_current_timezone_name()
        )
        return HttpResponse()

    user = User(pk=7, full_name="Ana Lima", zone="Asia/Tokyo")
    response = ActorMiddleware(view)(ask(user=user))
    assert (seen["actor"].kind, seen["actor"].id, seen["actor"].name) == ("person", 7, "Ana Lima")
    assert seen["zone"] == "Asia/Tokyo"
    assert response["X-Request-ID"] == seen["id"]
    assert timezone.get_current_timezone_name() == "UTC"


def test_a_request_of_nobody_has_no_actor_and_believes_no_given_id() -> None:
    def view(request: HttpRequest) -> HttpResponse:
        with pytest.raises(NoActor):
            current_actor()
        return HttpResponse(request_id())

    response = ActorMiddleware(view)(ask(headers={"X-Request-ID": "forged"}))
    assert response["X-Request-ID"] == response.content.decode() != "forged"


REFUSALS = [
    (NotAllowed("a.b", "You may not."), 403),
    (NotFound("a.b", "Nothing."), 404),
    (NotNow("a.b", "Not now."), 409),
    (Stale("a.b", "It changed."), 409),
    (Conflict("a.b", "Taken."), 409),
    (InvalidInput("a.b", "Wrong."), 422),
    (ExternalFault("a.b", "Away."), 502),
]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("refusal", "status"), REFUSALS, ids=[type(r).__name__ for r, _ in REFUSALS]
)
def test_a_refusal_becomes_a_page_with_its_status_and_sentence(
    refusal: DomainError, status: int
) -> None:
    middleware = RefusalMiddleware(lambda request: HttpResponse())
    page = middleware.process_exception(ask(), refusal)
    assert page is not None
    assert page.status_code == status
    assert refusal.message in page.content.decode()


@pytest.mark.parametrize(
    "given", [{"path": "/api/v1/x"}, {"path": "/x", "headers": {"accept": "application/json"}}]
)
def test_a_program_gets_problem_json(given: dict[str, Any]) -> None:
    middleware = RefusalMiddleware(lambda request: HttpResponse())
    answer = middleware.process_exception(
        ask(**given), Stale("release.stale", "It changed.", shown="a", at=None, rows=[1, {"x": 2}])
    )
    assert answer is not None
    assert answer["Content-Type"] == "application/problem+json"
    assert json.loads(answer.content) == {
        "type": "urn:gatehouse:release.stale",
        "title": "It changed.",
        "status": 409,
        "code": "release.stale",
        "facts": {"shown": "a", "at": None, "rows": [1, {"x": 2}]},
    }


def test_facts_that_are_no_json_become_words() -> None:
    facts = problem(NotNow("a.b", "Wait.", until=ValueError("x")))["facts"]
    assert facts == {"until": "x"}


def test_defects_are_left_to_django() -> None:
    middleware = RefusalMiddleware(lambda request: HttpResponse())
    assert middleware.process_exception(ask(), KeyError("bug")) is None


# ── Pages ────────────────────────────────────────────────────────────────────────────────────────


class NameForm(forms.Form):
    name = forms.CharField()


def send(error: DomainError | None, **sent: str) -> tuple[int, NameForm | None, list[str]]:
    """Send the form to a service that raises; returns status, form and messages."""
    request = ask(method="post", data=sent)
    form = NameForm(request.POST)

    def service(name: str) -> str:
        if error:
            raise error
        return name

    response = form_page(
        request,
        "governance/form.html",
        form,
        service,
        to="/next/",
        said=lambda name: f"Hello {name}.",
        context={"title": "Name", "button": "Send", "back": "/", "back_label": "Home"},
    )
    return response.status_code, form, [str(message) for message in request._messages]  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_a_form_that_worked_says_so_and_leads_on() -> None:
    assert send(None, name="Ana")[0::2] == (302, ["Hello Ana."])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "status", "field"),
    [
        (InvalidInput("a.b", "Wrong.", field="name"), 422, "name"),
        (InvalidInput("a.b", "Wrong.", field="elsewhere"), 422, "__all__"),
        (InvalidInput("a.b", "Wrong."), 422, "__all__"),
        (Conflict("a.b", "Wrong."), 409, "__all__"),
    ],
)
def test_a_refused_form_keeps_what_was_typed_and_shows_the_sentence_where_it_belongs(
    error: DomainError, status: int, field: str
) -> None:
    code, form, said = send(error, name="Ana")
    assert form is not None
    assert code == status
    assert list(form.errors[field]) == ["Wrong."]
    assert form["name"].value() == "Ana"
    assert said == []


@pytest.mark.django_db
def test_an_empty_form_is_sent_back() -> None:
    code, form, _ = send(None)
    assert form is not None
    assert code == 422
    assert "name" in form.errors


@pytest.mark.parametrize("error", [NotAllowed("a.b", "No."), NotFound("a.b", "Nothing.")])
def test_lacking_the_right_and_lacking_the_thing_are_pages_of_their_own(error: DomainError) -> None:
    def service() -> None:
        raise error

    with pytest.raises(type(error)):
        send(error, name="Ana")
    with pytest.raises(type(error)):
        act(ask(method="post"), service, to="/", said="Done.")


@pytest.mark.parametrize(
    ("error", "message"), [(None, "Done with 7."), (NotNow("a.b", "Not now."), "Not now.")]
)
def test_an_action_says_what_came_of_it_and_goes_back(
    error: DomainError | None, message: str
) -> None:
    def service() -> int:
        if error:
            raise error
        return 7

    request = ask(method="post")
    response = act(request, service, to="/back/", said=lambda number: f"Done with {number}.")
    assert response["Location"] == "/back/"
    assert [str(each) for each in request._messages] == [message]  # type: ignore[attr-defined]


# ── Public ids ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("prefix", sorted(ids.PREFIXES))
def test_each_prefix_has_a_converter_that_reads_what_it_writes(prefix: str) -> None:
    converter = get_converters()[f"ref_{prefix}"]
    assert isinstance(converter, RefConverter)
    assert converter.to_url(42) == f"{prefix}-42"
    assert converter.to_url(Team(pk=42)) == f"{prefix}-42"
    assert converter.to_python(f"{prefix}-42") == 42


def test_a_reference_leads_to_its_page_when_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refs, "_routes", {})
    refs.register_route("P", "governance:policy")
    refs.register_route("R", "nowhere:at_all")
    assert refs.url_of("P-7") == "/policies/P-7/"
    assert refs.url_of("R-7") is None
    assert refs.url_of("D-7") is None
    assert refs.url_of("nonsense") is None
    with pytest.raises(ValueError, match="already"):
        refs.register_route("P", "another:page")
    with pytest.raises(ValueError, match="prefix"):
        refs.register_route("Z", "another:page")


# ── Database ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["web", "build", "deploy"])
def test_every_role_reads_the_same_moving_clock(role: str) -> None:
    with as_role(role):
        first, second = database_now(), database_now()
    assert first < second
    assert first.tzinfo is not None


@pytest.mark.django_db(transaction=True)
def test_locks_are_refused_outside_a_transaction() -> None:
    for lock in (lambda: advisory_lock("x"), lambda: lock_rows(Team.objects.all())):
        with pytest.raises(transaction.TransactionManagementError):
            lock()


@pytest.mark.django_db
def test_rows_are_locked_in_the_order_of_their_keys() -> None:
    made = [Team.objects.create(slug=f"t{n}", name=f"T{n}") for n in (3, 1, 2)]
    assert lock_rows(Team.objects.order_by("name")) == made


@pytest.mark.django_db
def test_a_named_lock_is_held_until_the_transaction_ends() -> None:
    advisory_lock("some name")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        )
        assert cursor.fetchone() == (1,)


def test_a_migration_names_its_sql_file() -> None:
    operation = RunSQLFile("core/0001_functions.sql")
    assert operation.deconstruct() == ("RunSQLFile", ["core/0001_functions.sql"], {})
    assert operation.describe() == "Run core/0001_functions.sql"
    assert "gatehouse_now" in operation.sql[0]
    with pytest.raises(FileNotFoundError):
        RunSQLFile("core/9999_missing.sql")


@pytest.mark.django_db
@pytest.mark.parametrize("digest", ["", "sha256:abc", "SHA256:" + "a" * 64, "sha256:" + "A" * 64])
def test_a_digest_column_takes_nothing_but_a_digest(digest: str) -> None:
    ana, ben = (User.objects.create(email=f"{n}@x.example", full_name=n) for n in "ab")
    with (
        pytest.raises(IntegrityError, match="digest"),
        transaction.atomic(),
        as_role("owner"),
    ):
        PolicyVersion.objects.create(
            policy=Policy.objects.create(name="P"),
            number=1,
            body={},
            digest=digest,
            proposed_by=ana,
            confirmed_by=ben,
        )


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("10.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, unknown", "127.0.0.1"),
        ("", "127.0.0.1"),
    ],
)
def test_behind_a_proxy_the_address_is_what_the_proxy_saw(
    settings: Any, told: str, address: str
) -> None:
    settings.GATEHOUSE = replace(settings.GATEHOUSE, trust_proxy=True)
    seen: list[str] = []

    def answer(request: HttpRequest) -> HttpResponse:
        seen.append(request.META["REMOTE_ADDR"])
        return HttpResponse()

    ProxyMiddleware(answer)(RequestFactory().get("/", headers={"X-Forwarded-For": told}))
    assert seen == [address]


def test_without_a_proxy_nobody_says_where_they_are(settings: Any) -> None:
    settings.GATEHOUSE = replace(settings.GATEHOUSE, trust_proxy=False)
    with pytest.raises(MiddlewareNotUsed):
        ProxyMiddleware(lambda _: HttpResponse())
