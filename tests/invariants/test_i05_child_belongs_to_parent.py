"""I-5: child belongs to parent.

"Approve/revoke/cancel endpoints verify that every id in URL and body belongs to the same request."
Generated from the resolver and from the forms: a new address with two ids, a new field that carries
an id and a new address whose object belongs to a team or a person must each be attacked here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django import forms
from django.db import models, transaction
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from core import clock
from governance import policies
from governance.models import (
    ApprovalRequest,
    AuditEvent,
    GitIdentity,
    Matter,
    Membership,
)
from governance.services import delegations, seats, serviceaccounts
from releases.models import Deployment
from releases.services import runbooks
from tests.invariants.gate_world import approve
from tests.releases.pages.conftest import Looks
from tests.support.company import Company, acting
from tests.support.company.house import POLICY, calendar

REFUSALS = (403, 404, 409, 422)


@dataclass
class Attack:
    """Who posts what to which object; ``watched`` must stay as they are."""

    who: str
    kwargs: dict[str, Any]
    watched: models.Model
    data: dict[str, Any] = field(default_factory=dict)
    query: str = ""


class World:
    """The company with two of everything that has a parent."""

    def __init__(self, company: Company) -> None:
        self.company = company
        people = self.people = company.people
        self.october = company.releases["October train"]
        self.november = company.releases["November train"]
        with acting(people["marek"]):
            self.item = runbooks.add(
                release_id=self.november.pk,
                text="Switch the flow off",
                phase="before",
                owner_id=people["marek"].pk,
                critical=False,
            )
        with acting(people["ines"]):
            self.robot = serviceaccounts.create(full_name="Jenkins of Sales")
            self.other_robot = serviceaccounts.create(full_name="Jenkins of Service")
            self.token = serviceaccounts.create_token(
                user_id=self.robot.pk, label="x", scopes=["checks:report"], team_ids=[], days=9
            ).row
        self.address = GitIdentity.objects.create(user=people["lena"], email="lena@home.example")
        with acting(people["ana"]):
            assert company.unasked is not None
            self.proposal = policies.propose(
                policy_id=company.unasked.pk, body=POLICY, reason="stricter"
            )
            self.delegation = delegations.give(
                deputy_id=people["tomas"].pk,
                role="board_member",
                starts_at=clock.now() + timedelta(minutes=1),
                ends_at=clock.now() + timedelta(days=3),
                reason="holiday",
            )
        with acting(people["marek"]):
            self.matters = [
                seats.ask(user_id=people[name].pk, role="board_member", reason="needed")
                for name in ("priya", "tomas")
            ]
        calendar(company)
        approve(company, self.october, "ana")
        self.request = ApprovalRequest.objects.get(
            subject_kind="release", subject_id=self.october.pk
        )

    def membership(self, name: str) -> Membership:
        return Membership.objects.get(user=self.people[name])

    def request_of(self, matter: Matter) -> ApprovalRequest:
        return ApprovalRequest.objects.get(subject_kind=matter.kind, subject_id=matter.pk)


@pytest.fixture
def world(company: Company) -> World:
    return World(company)


def in_release(world: World) -> Attack:
    candidate = world.company.candidates["sales v1.1.0"]
    row = world.october.items.get(candidate=candidate)
    return Attack("marek", {"pk": world.november.pk, "candidate_pk": candidate.pk}, row)


def item_of_another(world: World, **more: str) -> Attack:
    return Attack("marek", {"pk": world.october.pk, "item": world.item.pk, **more}, world.item)


PAIRS: dict[str, Callable[[World], Attack]] = {
    "releases:release_remove": in_release,
    "releases:runbook_remove": item_of_another,
    "releases:runbook_tick": lambda world: item_of_another(world, where="rehearsal"),
    "governance:token_revoke": lambda world: Attack(
        "ines", {"pk": world.other_robot.pk, "token_id": world.token.pk}, world.token
    ),
    "governance:member_revoke": lambda world: Attack(
        "ines",
        {"slug": "service", "membership_id": world.membership("lena").pk},
        world.membership("lena"),
    ),
    "governance:end_match": lambda world: Attack(
        "ines", {"pk": world.people["chloe"].pk, "identity_id": world.address.pk}, world.address
    ),
    "governance:policy_withdraw": lambda world: Attack(
        "ana",
        {"pk": world.company.policy_version.policy_id, "proposal_id": world.proposal.pk},  # type: ignore[union-attr]
        world.proposal,
    ),
}
"""Addresses with two ids: the parent is one that the person may change as well."""


def candidate(data: dict[str, Any] | None = None) -> Callable[[World], Attack]:
    def attack(world: World) -> Attack:
        row = world.company.candidates["sales v1.1.0"]
        return Attack("tomas", {"pk": row.pk}, row, data or {"note": "fine"})

    return attack


def of_sales(**data: Any) -> Callable[[World], Attack]:
    """The lead of Service acts on what belongs to Sales."""
    return lambda world: Attack(
        "tomas", {"slug": "sales"}, world.company.repositories["sales"], data
    )


def org(**data: Any) -> Callable[[World], Attack]:
    def attack(world: World) -> Attack:
        row = world.company.orgs["Sales TEST"]
        return Attack("tomas", {"pk": row.pk}, row, data)

    return attack


def freeze(**data: Any) -> Callable[[World], Attack]:
    def attack(world: World) -> Attack:
        row = world.company.freezes["Year end"]
        return Attack("tomas", {"pk": row.pk}, row, data)

    return attack


def matter(who: str, **data: Any) -> Callable[[World], Attack]:
    return lambda world: Attack(who, {"pk": world.matters[0].pk}, world.matters[0], data)


def cancel(world: World) -> Attack:
    row = world.company.deployments["running"]
    return Attack("priya", {"pk": row.pk}, row)


THEIRS: dict[str, Callable[[World], Attack]] = {
    "releases:candidate_pass": candidate(),
    "releases:candidate_fail": candidate(),
    "releases:candidate_offer": candidate(),
    "releases:candidate_withdraw": candidate(),
    "releases:candidate_retry": candidate(),
    "releases:repository_connect": of_sales(url="https://evil.example/x.git", access="none"),
    "releases:repository_edit": of_sales(url="https://evil.example/x.git"),
    "releases:repository_credential": of_sales(access="token", secret="x"),
    "releases:repository_credential_remove": of_sales(),
    "releases:repository_fetch": of_sales(),
    "releases:webhook_rotate": of_sales(),
    "releases:build_start": of_sales(sha="0" * 40),
    "releases:candidate_new": of_sales(tag="v1.1.0"),
    "releases:deployment_cancel": cancel,
    "releases:approval_withdraw": lambda world: Attack(
        "ben", {"pk": world.october.pk}, world.request.decisions.get(), {"reason": "not mine"}
    ),
    "environments:edit": org(name="Mine now"),
    "environments:credential": org(flow="jwt", client_id="x", username="x", secret="x"),
    "environments:check": org(),
    "environments:retire": org(reason="away with it"),
    "environments:snapshot_take": org(),
    "environments:freeze_extend": freeze(ends="2099-01-01T00:00"),
    "environments:freeze_lift": freeze(reason="away with it"),
    "environments:freeze_take_back": freeze(),
    "governance:member_add": lambda world: Attack(
        "tomas",
        {"slug": "sales"},
        world.membership("chloe"),
        {"user_id": world.people["chloe"].pk, "role": "developer"},
    ),
    "governance:delegation_end": lambda world: Attack(
        "ben", {"pk": world.delegation.pk}, world.delegation
    ),
    "governance:matter_decide": matter("marek", verdict="approve", shown_digest="sha256:x"),
    "governance:matter_take_back": matter("ben"),
    "governance:matter_stop": matter("lena", reason="not this one"),
    "governance:seat_ask": lambda world: Attack(
        "lena",
        {"pk": world.people["ben"].pk},
        world.people["ben"],
        {"role": "board_member", "reason": "x"},
    ),
}
"""Addresses whose object belongs to a team or a person: an equal of another team tries."""


def methods(view: Any) -> list[str]:
    """Read which methods a view takes out of require_http_methods."""
    while view is not None:
        cells = zip(view.__code__.co_freevars, view.__closure__ or (), strict=True)
        for name, cell in cells:
            if name == "request_method_list":
                return list(cell.cell_contents)
        view = getattr(view, "__wrapped__", None)
    return ["GET", "POST"]


def mutating(
    patterns: list[URLPattern | URLResolver], space: str = "", above: int = 0
) -> Iterator[tuple[str, int, Any]]:
    """Every address that takes a POST: its name, how many ids it has, its view."""
    for entry in patterns:
        ids = above + sum(
            type(each).__name__ != "SlugConverter" or name == "slug"
            for name, each in entry.pattern.converters.items()
        )
        if isinstance(entry, URLResolver):
            inner = f"{entry.namespace}:" if entry.namespace else space
            yield from mutating(entry.url_patterns, inner, ids)
        elif "POST" in methods(entry.callback):
            yield f"{space}{entry.name}", ids, entry.callback


EVERY = list(mutating(get_resolver().url_patterns))
PUBLIC = {"governance:join": "the secret in the address is the right to it"}


def test_i05_every_address_with_two_ids_is_attacked() -> None:
    assert len(EVERY) > 60
    assert {name for name, ids, _ in EVERY if ids > 1} == set(PAIRS)


def test_i05_every_address_of_somebodys_own_object_is_attacked() -> None:
    """Where the door asks no right, or a team's right, another team's or person's equal tries."""
    own = {
        name
        for name, ids, view in EVERY
        if ids == 1 and (view.access_rule.kind == "signed_in" or view.access_rule.team is not None)
    }
    assert own == set(THEIRS)


def post(world: World, as_person: Looks, name: str, attack: Attack) -> None:
    """The attack is refused: no event but a security event, and the row is as it was."""
    before = type(attack.watched).objects.filter(pk=attack.watched.pk).values().get()  # type: ignore[attr-defined]
    last = AuditEvent.objects.latest("pk").pk
    client = as_person(attack.who)
    response = client.post(reverse(name, kwargs=attack.kwargs), attack.data)
    told = AuditEvent.objects.filter(pk__gt=last).exclude(event__startswith="security.")
    assert list(told.values_list("event", flat=True)) == [], response.status_code
    after = type(attack.watched).objects.filter(pk=attack.watched.pk).values().get()  # type: ignore[attr-defined]
    assert after == before
    refused = response.status_code in REFUSALS
    if not refused:
        shown = client.get(response["Location"]).content.decode()
        refused = "notice--error" in shown or "refus" in shown or 'class="message' in shown
    assert refused, f"{name}: {response.status_code}"


@pytest.mark.parametrize("name", PAIRS)
def test_i05_a_child_of_another_parent_is_refused(
    world: World, as_person: Looks, name: str
) -> None:
    post(world, as_person, name, PAIRS[name](world))


@pytest.mark.parametrize("name", THEIRS)
def test_i05_an_equals_object_is_refused(world: World, as_person: Looks, name: str) -> None:
    post(world, as_person, name, THEIRS[name](world))


def carries_an_id(entry: forms.Field) -> bool:
    """Whether a field of a form names a row or a subject."""
    return isinstance(entry, forms.ModelChoiceField) or getattr(entry, "coerce", None) is int


def fields() -> set[str]:
    """Every field of every form that carries an id or a digest."""

    def below(kind: type[forms.BaseForm]) -> Iterator[type[forms.BaseForm]]:
        for each in kind.__subclasses__():
            yield each
            yield from below(each)

    return {
        f"{kind.__name__}.{name}"
        for kind in below(forms.BaseForm)
        if not kind.__module__.startswith("django.")
        for name, entry in kind.declared_fields.items()  # type: ignore[attr-defined]
        if carries_an_id(entry) or "digest" in name or name in ("target", "place")
    }


def draft_candidate(world: World) -> tuple[str, Attack]:
    """A candidate that was not offered."""
    row = world.company.candidates["service v1.0.0"]
    return "releases:release_add", Attack(
        "marek", {"pk": world.november.pk}, world.november, {"candidate": row.pk}
    )


def robot_as_member(world: World) -> tuple[str, Attack]:
    return "governance:member_add", Attack(
        "ines", {"slug": "sales"}, world.robot, {"user_id": world.robot.pk, "role": "developer"}
    )


def robot_as_author(world: World) -> tuple[str, Attack]:
    data = {"email": "x@y.example", "user_id": world.robot.pk}
    return "governance:match", Attack("ines", {}, world.robot, data)


def robot_as_deputy(world: World) -> tuple[str, Attack]:
    day = (clock.now() + timedelta(days=5)).date().isoformat()
    data = {
        "deputy_id": world.robot.pk,
        "role": "board_member",
        "first_day": day,
        "last_day": day,
        "reason": "holiday",
    }
    return "governance:delegation_new", Attack("ben", {}, world.robot, data)


def robot_in_runbook(world: World) -> tuple[str, Attack]:
    data = {"text": "x", "phase": "before", "owner": world.robot.pk}
    return "releases:runbook_add", Attack("marek", {"pk": world.november.pk}, world.november, data)


def token_of_no_team(world: World) -> tuple[str, Attack]:
    data = {"label": "x", "scopes": ["checks:report"], "team_ids": ["987654"], "days": 9}
    return "governance:service", Attack("ines", {"pk": world.robot.pk}, world.robot, data)


def digest_of_another_release(world: World) -> tuple[str, Attack]:
    """The digest of an equally permitted question, on this one."""
    other = world.request_of(world.matters[0]).digest
    data = {"decision": "approve", "verdict": "approve", "shown_digest": other, "facts": "[]"}
    return "releases:approval_decide", Attack("ben", {"pk": world.october.pk}, world.request, data)


def digest_of_another_matter(world: World) -> tuple[str, Attack]:
    mine, other = world.matters
    data = {"verdict": "approve", "shown_digest": world.request_of(other).digest}
    return "governance:matter_decide", Attack("ben", {"pk": mine.pk}, mine, data)


def digest_of_another_freeze(world: World) -> tuple[str, Attack]:
    row = world.company.freezes["Year end"]
    data = {"verdict": "approve", "shown_digest": world.request.digest}
    return "environments:freeze_decide", Attack("ben", {"pk": row.pk}, row, data)


def freeze_of_another_team(world: World) -> tuple[str, Attack]:
    data = {
        "name": "x",
        "reason": "x",
        "target": f"team:{world.company.teams['sales'].pk}",
        "zone": "UTC",
        "starts": "2099-01-01T00:00",
        "ends": "2099-01-02T00:00",
    }
    return "environments:freeze_new", Attack("tomas", {}, world.company.orgs["Sales TEST"], data)


def org_of_another_team(world: World) -> tuple[str, Attack]:
    track = world.company.orgs["Sales TEST"].track
    data = {
        "name": "x",
        "place": f"{track.pk}:UAT",
        "licence_type": "developer",
        "login_host": "x.sandbox.my.salesforce.com",
        "expected_organization_id": "00D000000000099AAA",
    }
    return "environments:new", Attack("tomas", {}, track, data)


def unknown_policy(world: World) -> tuple[str, Attack]:
    row = world.company.orgs["Production"]
    return "environments:policy", Attack("ana", {"pk": row.pk}, row, {"policy": "987654"})


BODIES: dict[str, Callable[[World], tuple[str, Attack]]] = {
    "AddCandidateForm.candidate": draft_candidate,
    "MemberForm.user_id": robot_as_member,
    "IdentityForm.user_id": robot_as_author,
    "DelegationForm.deputy_id": robot_as_deputy,
    "RunbookForm.owner": robot_in_runbook,
    "TokenForm.team_ids": token_of_no_team,
    "DecisionForm.shown_digest": digest_of_another_release,
    "MatterForm.shown_digest": digest_of_another_matter,
    "LiftDecisionForm.shown_digest": digest_of_another_freeze,
    "FreezeForm.target": freeze_of_another_team,
    "NewEnvironmentForm.place": org_of_another_team,
    "PolicyForm.policy": unknown_policy,
}
"""Fields that carry an id or a digest: each with one that is real and does not belong there."""

READING = {
    "AccessForm.policy": "chooses what is read",
    "HistoryForm.person": "chooses what is read",
    "PeriodForm.environment": "chooses what is read",
    "SampleForm.environment": "chooses what is read",
    "PlaceForm.target": "asks the right to import, which covers every team",
}


def test_i05_every_field_with_an_id_is_attacked() -> None:
    assert fields() == set(BODIES) | set(READING)


@pytest.mark.parametrize("name", BODIES)
def test_i05_an_id_in_the_body_that_does_not_belong_there_is_refused(
    world: World, as_person: Looks, name: str
) -> None:
    address, attack = BODIES[name](world)
    post(world, as_person, address, attack)


def test_i05_a_proposal_is_confirmed_once_and_by_number_only(
    world: World, as_person: Looks
) -> None:
    """``confirm_policies`` reads numbers of proposals: an unknown one confirms nothing at all."""
    attack = Attack("ben", {}, world.proposal, {"proposal": [world.proposal.pk, 987654]})
    post(world, as_person, "governance:confirm_policies", attack)


def test_i05_deployments_take_no_ids_from_the_body(world: World, as_person: Looks) -> None:
    """An id of another deployment in the body of a cancel is not looked at."""
    other = world.company.deployments["unknown"]
    row = world.company.deployments["running"]
    with transaction.atomic():
        as_person("tomas").post(
            reverse("releases:deployment_cancel", kwargs={"pk": row.pk}),
            {"pk": other.pk, "deployment_id": other.pk},
        )
    assert Deployment.objects.get(pk=other.pk).cancel_requested_at is None


def test_i05_people_decide_for_themselves_whatever_the_body_says(
    world: World, as_person: Looks
) -> None:
    """The person of a decision is who is signed in; nobody's id is read from the form."""
    data = {
        "verdict": "approve",
        "shown_digest": world.request.digest,
        "facts": "[]",
        "person": world.people["jonas"].pk,
        "person_id": world.people["jonas"].pk,
    }
    as_person("ben").post(
        reverse("releases:approval_decide", kwargs={"pk": world.october.pk}), data
    )
    people = set(world.request.decisions.values_list("person__full_name", flat=True))
    assert people <= {"Ana Keller", "Ben Okafor"}
