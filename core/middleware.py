"""Who acts in a web request, and how a refusal looks there."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone

from core.context import Actor, Origin, acting_as, coming_from, request_scope
from core.errors import DomainError, InvalidInput

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]

AUTH_STRENGTH = "auth_strength"
"""Where the session says how strongly its person proved who they are."""
USER_AGENT_MAX = 300


class ProxyMiddleware:
    """Take the caller's address from the proxy in front; stands first, and only where one is.

    The last address is the one that the proxy itself saw; those before it are what callers claim.
    """

    def __init__(self, get_response: GetResponse) -> None:
        if not settings.GATEHOUSE.trust_proxy:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        told = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        with suppress(ValueError):
            request.META["REMOTE_ADDR"] = str(ip_address(told))
        return self.get_response(request)


class ActorMiddleware:
    """Give the request an id; let the signed-in person act in it, in that person's time zone.

    Stands after Django's AuthenticationMiddleware. A request of nobody has no actor, so a service
    that records a change raises instead of writing an anonymous event.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with request_scope() as request_id, coming_from(lambda: origin_of(request)):
            response = self._answer(request)
            response.headers["X-Request-ID"] = request_id
            return response

    def _answer(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if not user.is_authenticated:
            return self.get_response(request)
        with (
            acting_as(Actor("person", user.pk, user.get_full_name())),
            timezone.override(ZoneInfo(user.zone)),
        ):
            response = self.get_response(request)
        # What a person may see is kept by nobody, nor shown again after signing out.
        response.headers.setdefault("Cache-Control", "no-store, private")
        return response


def origin_of(request: HttpRequest) -> Origin:
    """Tell how the person of a request got in, as things stand now."""
    signed_in = request.user.is_authenticated
    key = request.session.session_key if signed_in else None
    return Origin(
        via="api" if request.path.startswith("/api/") else "web",
        auth=str(request.session.get(AUTH_STRENGTH, "password")) if signed_in else "none",
        session=hashlib.sha256(key.encode("ascii")).hexdigest()[:16] if key else "",
        ip=str(request.META.get("REMOTE_ADDR", "")),
        user_agent=request.headers.get("User-Agent", "")[:USER_AGENT_MAX],
    )


class RefusalMiddleware:
    """Turn a DomainError that no view handled into a page or into problem+json (RFC 9457).

    Refuses an address with a NUL itself: no text in the database can hold one.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            words = "The address holds a NUL, a character that no name or text here can have."
            return refusal_response(request, InvalidInput("request.nul", words))
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer for Django when a view raised."""
        if not isinstance(error, DomainError):
            return None
        logger.info("refused %s %s: %s", request.method, request.path, error.code)
        return refusal_response(request, error)


def refusal_response(request: HttpRequest, error: DomainError) -> HttpResponse:
    """Show the refusal in the language of the caller, with the status of its class."""
    if wants_json(request):
        return JsonResponse(problem(error), status=error.status, content_type=PROBLEM)
    return render(request, "refusal.html", {"refusal": error}, status=error.status)


PROBLEM = "application/problem+json"


def wants_json(request: HttpRequest) -> bool:
    """Tell whether the caller is a program."""
    return request.path.startswith("/api/") or "application/json" in request.headers.get(
        "Accept", ""
    )


def problem(error: DomainError) -> dict[str, object]:
    """Write a refusal as problem details; the code is stable, the sentence is for people."""
    details: dict[str, object] = {
        "type": f"urn:gatehouse:{error.code}",
        "title": error.message,
        "status": error.status,
        "code": error.code,
    }
    if error.facts:
        details["facts"] = {name: _jsonable(value) for name, value in error.facts.items()}
    return details


def _jsonable(value: object) -> object:
    if value is None or isinstance(value, (str, int, bool)):
        return value
    if isinstance(value, (list, tuple)):
        return [_jsonable(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _jsonable(item) for key, item in value.items()}
    return str(value)
