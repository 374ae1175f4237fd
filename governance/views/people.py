"""People: the directory, inviting, closing accounts, whose Git addresses are whose."""

from __future__ import annotations

from typing import cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.pages import act, form_page, sent
from governance import audit
from governance.access import requires, signed_in
from governance.forms.people import DeactivateForm, IdentityForm, InviteForm, SamePersonForm
from governance.models import GitIdentity, User
from governance.models.matters import PENDING
from governance.permissions import standing_of
from governance.selectors import delegations
from governance.selectors import teams as selectors
from governance.services import invitations, people, sameperson

STORY_SHOWN = 15
DIRECTORY_MAX = 200


@require_safe
@signed_in
def index(request: HttpRequest) -> HttpResponse:
    """List the people and what they are."""
    standing = standing_of(cast(User, request.user))
    words = request.GET.get("q", "")[:100]
    context = {
        "people": selectors.directory(words)[:DIRECTORY_MAX],
        "query": words,
        "may_invite": standing.can("person.invite"),
        "may_map": standing.can("identity.map"),
        "may_manage_services": standing.can("service.manage"),
    }
    return render(request, "governance/people.html", context)


@require_safe
@signed_in
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a person: roles now and before, Git addresses, story."""
    person = _person(pk)
    standing = standing_of(cast(User, request.user))
    context = {
        "person": person,
        "memberships": person.memberships.select_related("team", "granted_by", "revoked_by")
        .order_by("revoked_at", "-granted_at")
        .all(),
        "identities": person.git_identities.filter(ended_at=None).order_by("email"),
        "may_map": standing.can("identity.map"),
        "may_close": standing.can("person.deactivate"),
        "may_invite": standing.can("person.invite"),
        "may_ask_seat": standing.can("seat.ask"),
        "may_reset": standing.can("person.reset"),
        "same_person": selectors.other_accounts(person),
        "namesakes": selectors.namesakes(person),
        "matters": person.matters.filter(state__in=PENDING).select_related("user"),
        "delegations": delegations.of_person(person),
        "has_joined": person.has_usable_password(),
        "is_self": person == request.user,
        "events": audit.search(audit.Filters(person=person.pk), size=STORY_SHOWN).events,
    }
    return render(request, "governance/person.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("person.invite")
def invite(request: HttpRequest) -> HttpResponse:
    """Make an account and send its owner a link."""
    return form_page(
        request,
        "governance/form.html",
        InviteForm(sent(request)),
        invitations.invite,
        to=lambda user: user.get_absolute_url(),
        said=lambda user: f"A link is on its way to {user.email}. Add {user.full_name} to a team.",
        context={
            "title": "Invite somebody",
            "button": "Send the link",
            "back": reverse("governance:people"),
            "back_label": "People",
        },
    )


@require_POST
@requires("person.invite")
def invite_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a new link to somebody who has not joined yet."""
    person = _person(pk)
    return act(
        request,
        lambda: invitations.invite_again(user_id=person.pk),
        to=person.get_absolute_url(),
        said=f"A new link is on its way to {person.email}; the old one no longer works.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires("person.deactivate")
def deactivate(request: HttpRequest, pk: int) -> HttpResponse:
    """Close an account at once."""
    person = _person(pk)
    return form_page(
        request,
        "governance/form.html",
        DeactivateForm(sent(request)),
        lambda reason: people.deactivate(user_id=person.pk, reason=reason),
        to=person.get_absolute_url(),
        said=f"{person.full_name} can no longer sign in, and no approval of theirs counts.",
        context={
            "title": f"Close the account of {person.full_name}?",
            "lead": "It takes effect at once: no sign-in, no rights, no approval that counts.",
            "button": "Close the account",
            "is_dangerous": True,
            "back": person.get_absolute_url(),
            "back_label": person.full_name,
        },
    )


@require_POST
@requires("person.deactivate")
def reactivate(request: HttpRequest, pk: int) -> HttpResponse:
    """Open a closed account again."""
    person = _person(pk)
    return act(
        request,
        lambda: people.reactivate(user_id=person.pk),
        to=person.get_absolute_url(),
        said=f"{person.full_name} can sign in again.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires("identity.map")
def match(request: HttpRequest) -> HttpResponse:
    """Match a Git address with a person; links give ``?email=`` and ``?person=``."""
    given = {"email": request.GET.get("email", ""), "user_id": request.GET.get("person", "")}
    return form_page(
        request,
        "governance/form.html",
        IdentityForm(sent(request), initial=given),
        people.map_identity,
        to=lambda row: row.user.get_absolute_url(),
        said=lambda row: f"{row.email} is now known as {row.user.full_name}.",
        context={
            "title": "Whose Git address is this?",
            "lead": "Nobody may approve their own work, so every author of a commit must be known.",
            "button": "Match",
            "back": reverse("governance:people"),
            "back_label": "People",
        },
    )


@require_POST
@requires("identity.map")
def end_match(request: HttpRequest, pk: int, identity_id: int) -> HttpResponse:
    """End a wrong match."""
    person = _person(pk)
    if not GitIdentity.objects.filter(pk=identity_id, user=person).exists():
        raise Http404("There is no such address of this person.")
    return act(
        request,
        lambda: people.end_identity(identity_id=identity_id),
        to=person.get_absolute_url(),
        said=lambda row: f"{row.email} is unknown again.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires("identity.map")
def same(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark an account as another account of somebody; links give ``?as=``."""
    person = _person(pk)
    given = {"same_as_id": request.GET.get("as", "")}
    return form_page(
        request,
        "governance/form.html",
        SamePersonForm(sent(request), initial=given, person=person),
        lambda **typed: sameperson.mark(user_id=person.pk, **typed),
        to=person.get_absolute_url(),
        said=f"Nothing that {person.email} approved or approves counts any more.",
        context={
            "title": f"Whose other account is {person.email}?",
            "lead": "One person has one approval. This account can go on working and no longer "
            "counts when people decide, also not with what it approved already.",
            "button": "Mark as another account",
            "back": person.get_absolute_url(),
            "back_label": person.full_name,
        },
    )


@require_POST
@requires("identity.map")
def end_same(request: HttpRequest, pk: int) -> HttpResponse:
    """End a wrong mark."""
    person = _person(pk)
    return act(
        request,
        lambda: sameperson.end(user_id=person.pk),
        to=person.get_absolute_url(),
        said=f"{person.email} counts on what is asked from now on.",
    )


def _person(pk: int) -> User:
    person = User.objects.filter(pk=pk).first()
    if person is None:
        raise Http404("There is no such person.")
    return person
