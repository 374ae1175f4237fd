"""Teams and their members."""

from __future__ import annotations

from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.errors import NotAllowed
from core.pages import act, form_page, sent
from governance import audit
from governance.access import requires, signed_in
from governance.forms.people import MemberForm, TeamForm, TeamNameForm, grantable
from governance.models import Membership, Team, User
from governance.permissions import can, standing_of
from governance.selectors import teams as selectors
from governance.services import people

STORY_SHOWN = 15


def team_of(request: HttpRequest, slug: str, **kwargs: Any) -> Team:
    """Find the team of an address; 404 when there is none."""
    team = Team.objects.filter(slug=slug).first()
    if team is None:
        raise Http404("There is no such team.")
    return team


@require_safe
@signed_in
def index(request: HttpRequest) -> HttpResponse:
    """List the teams."""
    context = {
        "teams": selectors.listing(),
        "may_create": can(cast(User, request.user), "team.create"),
        "may_invite": can(cast(User, request.user), "person.invite"),
    }
    return render(request, "governance/teams.html", context)


@require_safe
@signed_in
def detail(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a team: its people and its story."""
    team = team_of(request, slug)
    standing = standing_of(cast(User, request.user))
    context = {
        "team": team,
        "seats": selectors.seats(team, cast(User, request.user)),
        "may_add": bool(grantable(team, standing)) and not team.retired_at,
        "may_edit": standing.can("team.edit"),
        "events": audit.search(audit.Filters(team=team.slug), size=STORY_SHOWN).events,
    }
    return render(request, "governance/team.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("team.create")
def new(request: HttpRequest) -> HttpResponse:
    """Create a team."""
    return form_page(
        request,
        "governance/form.html",
        TeamForm(sent(request)),
        people.create_team,
        to=lambda team: team.get_absolute_url(),
        said=lambda team: f"{team.name} is there. Add its people next.",
        context={
            "title": "New team",
            "lead": "People with one repository and one developer track.",
            "button": "Create team",
            "back": reverse("governance:teams"),
            "back_label": "Teams",
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires("team.edit")
def rename(request: HttpRequest, slug: str) -> HttpResponse:
    """Give a team another name."""
    team = team_of(request, slug)
    return form_page(
        request,
        "governance/form.html",
        TeamNameForm(sent(request), initial={"name": team.name}),
        lambda name: people.rename_team(team_id=team.pk, name=name),
        to=team.get_absolute_url(),
        said="Saved.",
        context=_context(team, f"Rename {team.name}", "Save", "Addresses keep the short name."),
    )


@require_POST
@requires("team.edit")
def retire(request: HttpRequest, slug: str) -> HttpResponse:
    """Retire a team."""
    team = team_of(request, slug)
    return act(
        request,
        lambda: people.retire_team(team_id=team.pk),
        to=team.get_absolute_url(),
        said=f"{team.name} is retired; its history stays.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def add_member(request: HttpRequest, slug: str) -> HttpResponse:
    """Give a person a role in the team; the form offers what the viewer may give."""
    team, standing = team_of(request, slug), standing_of(cast(User, request.user))
    if not grantable(team, standing):
        raise NotAllowed(
            "member.none_to_give",
            f"You may not add people to {team.name}; ask its team lead or an admin.",
        )
    return form_page(
        request,
        "governance/form.html",
        MemberForm(sent(request), team=team, standing=standing),
        lambda **typed: people.grant(team_id=team.pk, **typed),
        to=team.get_absolute_url(),
        said=lambda row: f"{row.user.full_name} is now {row.title} of {row.team.name}.",
        context=_context(
            team,
            f"Add somebody to {team.name}",
            "Add",
            "Only people with an account are listed; an admin invites the others.",
        ),
    )


@require_POST
@signed_in
def revoke(request: HttpRequest, slug: str, membership_id: int) -> HttpResponse:
    """Take a role away; the service knows who may take which."""
    team = team_of(request, slug)
    if not Membership.objects.filter(pk=membership_id, team=team).exists():
        raise Http404("There is no such membership in this team.")
    return act(
        request,
        lambda: people.revoke(membership_id=membership_id),
        to=team.get_absolute_url(),
        said=lambda row: f"{row.user.full_name} is no longer {row.title} of {team.name}.",
    )


def _context(team: Team, title: str, button: str, lead: str) -> dict[str, Any]:
    return {
        "title": title,
        "lead": lead,
        "button": button,
        "back": team.get_absolute_url(),
        "back_label": team.name,
    }
