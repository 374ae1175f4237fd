"""Every view says who may call it.

Each decorator leaves its rule on the view as ``access_rule``. A test walks all URLs, fails for a
view without one, and calls each as every role.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from core.decisions import Denied
from core.errors import NotAllowed
from core.middleware import wants_json
from governance import tokens
from governance.models import Team
from governance.permissions import Standing, keep_standing, standing_of

View = Callable[..., HttpResponseBase]
TeamOf = Callable[..., Team | None]


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Who may call a view: everybody, every member, or whoever holds a capability."""

    kind: Literal["public", "signed_in", "capability"]
    capability: str = ""
    team: TeamOf | None = None


def public(view: View) -> View:
    """Let everybody in, signed in or not."""
    return _ruled(view, AccessRule("public"))


def signed_in(view: View) -> View:
    """Let every active member of any team in."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        tokens.refuse_on_pages(request)
        standing = standing_of(request.user)
        keep_standing(request.user, standing)
        if not standing.signed_in:
            return ask_to_sign_in(request)
        _demand_membership(standing)
        return view(request, *args, **kwargs)

    return _ruled(guarded, AccessRule("signed_in"))


def requires(capability: str, team: TeamOf | None = None) -> Callable[[View], View]:
    """Let those in who hold the capability, in the team that ``team(request, **kwargs)`` names."""

    rule = AccessRule("capability", capability, team)

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            tokens.refuse_on_pages(request)
            standing = standing_of(request.user)
            keep_standing(request.user, standing)
            if not standing.signed_in:
                return ask_to_sign_in(request)
            answer = standing.can(capability, _team_of(rule, request, **kwargs))
            if isinstance(answer, Denied):
                raise NotAllowed(answer.code, answer.reason, capability=capability)
            return view(request, *args, **kwargs)

        return _ruled(guarded, rule)

    return decorate


def keeps_a_look(view: View) -> View:
    """Declare that the view writes down who looked; every other view only reads on GET."""
    view.keeps_a_look = True  # type: ignore[attr-defined]
    return view


def ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send a browser to the sign-in page and back; refuse a program with 401."""
    if wants_json(request):
        response = HttpResponse(status=401)
        response.headers["WWW-Authenticate"] = 'Session realm="Gatehouse"'
        return response
    wanted = request.get_full_path() if request.method in ("GET", "HEAD") else "/"
    redirect = redirect_to_login(wanted, reverse("governance:sign_in"))
    if request.headers.get("HX-Request") == "true":
        # htmx would put the sign-in page into a corner of the present one.
        return HttpResponse(status=204, headers={"HX-Redirect": redirect.url})
    return redirect


def _team_of(rule: AccessRule, request: HttpRequest, **kwargs: Any) -> Team | None:
    return rule.team(request, **kwargs) if rule.team else None


def _demand_membership(standing: Standing) -> None:
    if not standing.is_member:
        raise NotAllowed(
            "permission.no_team",
            "Your account is not a member of any team, so there is nothing to show. "
            "Ask an admin of the team that owns production to add you to one.",
        )


def _ruled(view: View, rule: AccessRule) -> View:
    view.access_rule = rule  # type: ignore[attr-defined]
    return view
