"""I-5: child belongs to parent.

"Approve/revoke/cancel endpoints verify that every id in URL and body belongs to the same request."
Generated from the resolver and from the forms: a new address with two ids, a new field that carries
an id and a new address whose object belongs to a team or a person must each be attacked here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from core import clock
from environments.services import policies as assignments
from governance import policies
from governance.models import (
    ApprovalRequest,
    AuditEvent,
    GitIdentity,
    Matter,
    Membership,
    Policy,
)
from governance.services import delegations, seats, serviceaccounts
from releases.services import runbooks
from tests.invariants import i05_sandboxes as sandboxes
from tests.invariants.gate_world import approve
from tests.invariants.i05_sandboxes import Attack
from tests.releases.pages.conftest import Looks
from tests.support.company import Company, acting
from tests.support.company.house import POLICY, _version, calendar
from tests.support.databases import as_role

ONE = {"number": 1, "roles": ["board_member"], "team": None, "when": "always"}
REFUSALS = (403, 404, 409, 422)


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
        with as_role("owner"):  # the board made it, a while ago
            light = Policy.objects.create(name="Light")
            _version(company, light, {**POLICY, "approvals": [ONE]})
        self.address = GitIdentity.objects.create(user=people["lena"], email="lena@home.example")
        with acting(people["ana"]):
            assert company.unasked is not None
            self.proposal = policies.propose(
                policy_id=company.unasked.pk, body=POLICY, reason="stricter"
            )
            asked = assignments.assign(
                environment_id=company.orgs["Production"].pk, policy=light, reason="lighter"
            )
            assert asked is not None
            self.assignment = asked
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


def of_policy(world: World, **data: str) -> Attack:
    """A proposal under the address of another policy."""
    assert world.company.policy_version is not None
    kwargs = {"pk": world.company.policy_version.policy_id, "proposal_id": world.proposal.pk}
    return Attack("ana", kwargs, world.proposal, data)


def conflict_of_another(world: World) -> Attack:
    conflict = world.november.conflicts.get()
    [element] = conflict.elements
    data = {"pick_0": element["sides"][0]["pick"], "reason": "Agreed"}
    kwargs = {"pk": world.october.pk, "conflict_pk": conflict.pk}
    return Attack("marek", kwargs, conflict, data)


PAIRS: dict[str, Callable[[World], Attack]] = {
    "releases:conflict": conflict_of_another,
    "releases:release_remove": in_release,
    # A name instead of an id: that of no test of this release.
    "releases:release_tests_out": lambda world: Attack(
        "marek", {"pk": world.november.pk, "name": "TestOfAnother"}, world.november
    ),
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
    "governance:policy_decide": lambda world: of_policy(world, verdict="approve"),
    "governance:policy_take_back": lambda world: of_policy(world),
    "governance:policy_withdraw": lambda world: of_policy(world),
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
    "environments:assignment_decide": lambda world: Attack(
        "lena",
        {"pk": world.assignment.pk},
        world.assignment,
        {"verdict": "approve", "shown_digest": assignments.digest_of(world.assignment)},
    ),
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
        "priya", {"pk": world.delegation.pk}, world.delegation
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
    assert own == set(THEIRS) | set(sandboxes.THEIRS)


def attempt(as_person: Looks, name: str, attack: Attack) -> str:
    """Post it; what was wrong with the answer, or nothing: refused, no event, the row as it was."""
    rows = type(attack.watched)._base_manager.filter(pk=attack.watched.pk)
    before, last = rows.values().get(), AuditEvent.objects.latest("pk").pk
    with transaction.atomic():
        client = as_person(attack.who)
        response = client.post(reverse(name, kwargs=attack.kwargs), attack.data)
        told = AuditEvent.objects.filter(pk__gt=last).exclude(event__startswith="security.")
        events, after = list(told.values_list("event", flat=True)), rows.values().get()
        refused = response.status_code in REFUSALS
        if response.status_code == 302 and not events:
            shown = client.get(response["Location"]).content.decode()
            refused = "notice" in shown or "message" in shown
        transaction.set_rollback(True)
    wrong = [*events, *(["changed"] if after != before else []), *([] if refused else ["answered"])]
    return f"{name}: {response.status_code} {wrong}" if wrong else ""


def test_i05_a_child_of_another_parent_is_refused(world: World, as_person: Looks) -> None:
    told = [attempt(as_person, name, PAIRS[name](world)) for name in PAIRS]
    assert [line for line in told if line] == []


def test_i05_an_equals_object_is_refused(world: World, as_person: Looks) -> None:
    told = [attempt(as_person, name, THEIRS[name](world)) for name in THEIRS]
    told += [
        attempt(as_person, name, make(world.company)) for name, make in sandboxes.THEIRS.items()
    ]
    assert [line for line in told if line] == []
