"""What the board decides about people: putting somebody up, resets, the page that asks."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.errors import DomainError, NotAllowed
from core.pages import UNPROCESSABLE, act, form_page, sent, show
from governance import approvals, audit, governed, stepup
from governance.access import requires, signed_in
from governance.forms.board import MatterForm, ResetForm, SeatForm, StopForm, seat_roles
from governance.models import Matter, User
from governance.permissions import can
from governance.services import matters, resets, seats
from governance.states import MatterKind

STORY_SHOWN = 10


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def ask_seat(request: HttpRequest, pk: int) -> HttpResponse:
    """Put somebody, or oneself, up for a seat."""
    person, user = _person(pk), cast(User, request.user)
    if person.pk != user.pk and not (answer := can(user, "seat.ask")):
        raise NotAllowed(answer.code, answer.reason, capability="seat.ask")
    name = person.full_name
    return form_page(
        request,
        "governance/form.html",
        SeatForm(sent(request), roles=seat_roles(governed.roles())),
        lambda role, reason: seats.ask(user_id=person.pk, role=role, reason=reason),
        to=lambda matter: matter.get_absolute_url(),
        said="The release board is asked.",
        context={
            "title": f"Put {name} to the board",
            "lead": "The release board decides, without who asks and whom it is about. A seat "
            f"begins {_delay()} after the approval and counts on requests opened afterwards.",
            "button": "Ask the board",
            "back": person.get_absolute_url(),
            "back_label": name,
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires("person.reset")
def reset(request: HttpRequest, pk: int) -> HttpResponse:
    """Reset somebody's account: at once, or through the board when the person's approval counts."""
    person = _person(pk)
    through_board = governed.is_holder(person)
    lead = (
        f"{person.full_name} decides what goes to production, so the release board is asked, and "
        f"the link works {_delay()} after its approval."
        if through_board
        else "A link goes out by e-mail at once; all sessions end when it is used."
    )
    return form_page(
        request,
        "governance/form.html",
        ResetForm(sent(request), initial={"what": "password"}),
        lambda **given: resets.ask(user_id=person.pk, **given),
        to=lambda matter: matter.get_absolute_url() if matter else person.get_absolute_url(),
        said="The release board is asked." if through_board else "The link is on its way.",
        context={
            "title": f"Reset the account of {person.full_name}",
            "lead": lead,
            "button": "Ask the board" if through_board else "Send the link",
            "back": person.get_absolute_url(),
            "back_label": person.full_name,
        },
    )


@require_safe
@signed_in
def matter(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the question, who decided, and who may."""
    found = matters.find(pk)
    return render(request, "governance/matter.html", _context(request, found))


@sensitive_post_parameters("password")
@require_POST
@signed_in
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Record the board member's answer; the service knows who may give one."""
    found = matters.find(pk)
    stepup.refuse_machines(request)
    form = MatterForm(request.POST, asked=stepup.proof_asked(request))
    status = UNPROCESSABLE
    if form.is_valid():
        try:
            stepup.demand(request, form.proof)
            matters.decide(matter_id=pk, auth_strength=stepup.strength(request), **form.given)
        except NotAllowed:
            raise
        except DomainError as refusal:
            show(form, refusal)
            status = refusal.status
        else:
            messages.success(request, "Your decision is recorded.")
            return redirect(found.get_absolute_url())
    context = _context(request, matters.find(pk), form)
    return render(request, "governance/matter.html", context, status=status)


@require_POST
@signed_in
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one's own decision back."""
    found = matters.find(pk)
    return act(
        request,
        lambda: matters.withdraw_decision(matter_id=pk),
        to=found.get_absolute_url(),
        said="Your decision no longer counts.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop a matter before it takes effect; the service knows who may."""
    found = matters.find(pk)
    return form_page(
        request,
        "governance/form.html",
        StopForm(sent(request)),
        lambda reason: matters.cancel(matter_id=pk, reason=reason),
        to=found.get_absolute_url(),
        said="It is stopped.",
        context={
            "title": f"Stop: {found}",
            "lead": "It takes effect at once; whoever wants it must ask the board anew.",
            "button": "Stop it",
            "is_dangerous": True,
            "back": found.get_absolute_url(),
            "back_label": str(found),
        },
    )


def _context(request: HttpRequest, found: Matter, form: MatterForm | None = None) -> dict[str, Any]:
    user, asked = cast(User, request.user), matters.request_of(found)
    digest = matters.digest_of(found)
    standing = approvals.progress(asked, current_digest=digest) if asked else None
    may = standing.may_decide(user) if standing and found.is_pending else None
    ballots = [*standing.approvals, *standing.rejections, *standing.withdrawn] if standing else []
    if form is None:
        form = MatterForm(initial={"shown_digest": digest}, asked=stepup.proof_asked(request))
    return {
        "matter": found,
        "asked": asked,
        "standing": standing,
        "may_decide": may,
        "mine": next((each for each in ballots if each.person.pk == user.pk), None),
        "ballots": ballots,
        "may_still": [(each, standing.deputies.get(each.pk, "")) for each in standing.may_still]
        if standing
        else [],
        "may_stop": matters.may_cancel(found, user),
        "is_seat": found.kind == MatterKind.SEAT,
        "digest": digest,
        "form": form,
        "events": audit.events_for(found.audit_ref, limit=STORY_SHOWN),
        "people_url": reverse("governance:people"),
    }


def _delay() -> str:
    hours = int(matters.delay().total_seconds() // 3600)
    return "1 hour" if hours == 1 else f"{hours} hours"


def _person(pk: int) -> User:
    person = User.objects.filter(pk=pk).first()
    if person is None:
        raise Http404("There is no such person.")
    return person
