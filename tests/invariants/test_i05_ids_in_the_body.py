"""I-5, ids and digests in the body: made from the forms, so that a new field is attacked too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from django import forms
from django.urls import reverse

from core import clock
from governance.forms.decisions import AnswerForm
from releases.models import Deployment
from tests.invariants import i05_sandboxes as sandboxes
from tests.invariants.i05_sandboxes import Attack
from tests.invariants.test_i05_child_belongs_to_parent import World, attempt, world
from tests.releases.pages.conftest import Looks

__all__ = ["world"]


NAMED = ("target", "place", "source", "team")
"""Fields whose text names a row."""


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
        if not kind.__module__.startswith("django.") and kind is not AnswerForm  # only a base
        for name, entry in kind.declared_fields.items()  # type: ignore[attr-defined]
        if carries_an_id(entry) or "digest" in name or name in NAMED
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


def robot_as_another_account(world: World) -> tuple[str, Attack]:
    person, data = world.people["tomas"], {"same_as_id": world.robot.pk, "reason": "x"}
    return "governance:same_person", Attack("ines", {"pk": person.pk}, person, data)


def nobody_as_author(world: World) -> tuple[str, Attack]:
    data = {"email": "x@y.example", "user_id": 987654}
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


def digest_of_another_proposal(world: World) -> tuple[str, Attack]:
    kwargs = {"pk": world.proposal.policy_id, "proposal_id": world.proposal.pk}
    data = {"verdict": "approve", "shown_digest": world.request.digest}
    return "governance:policy_decide", Attack("ben", kwargs, world.proposal, data)


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
    "SamePersonForm.same_as_id": robot_as_another_account,
    "IdentityForm.user_id": nobody_as_author,
    "DelegationForm.deputy_id": robot_as_deputy,
    "RunbookForm.owner": robot_in_runbook,
    "TokenForm.team_ids": token_of_no_team,
    "DecisionForm.shown_digest": digest_of_another_release,
    "MatterForm.shown_digest": digest_of_another_matter,
    "ProposalDecisionForm.shown_digest": digest_of_another_proposal,
    "LiftDecisionForm.shown_digest": digest_of_another_freeze,
    "FreezeForm.target": freeze_of_another_team,
    "NewEnvironmentForm.place": org_of_another_team,
    "PolicyForm.policy": unknown_policy,
}
"""Fields that carry an id or a digest: each with one that is real and does not belong there."""

READING = {
    "AccessForm.policy": "chooses what is read",
    "HistoryForm.person": "chooses what is read",
    "HistoryForm.team": "chooses what is read",
    "PeriodForm.environment": "chooses what is read",
    "SampleForm.environment": "chooses what is read",
    "CopyForm.source": "no page of its own; its two forms are attacked",
    "PlaceForm.target": "asks the right to import, which covers every team",
}


def test_i05_every_field_with_an_id_is_attacked() -> None:
    assert fields() == set(BODIES) | set(sandboxes.BODIES) | set(READING)


def test_i05_an_id_in_the_body_that_does_not_belong_there_is_refused(
    world: World, as_person: Looks
) -> None:
    told = [attempt(as_person, *BODIES[name](world)) for name in BODIES]
    told += [attempt(as_person, *make(world.company)) for make in sandboxes.BODIES.values()]
    # ``confirm_policies`` reads numbers: an unknown one among them confirms nothing at all.
    data = {"proposal": [world.proposal.pk, 987654]}
    confirm = Attack("ben", {}, world.proposal, data)
    told.append(attempt(as_person, "governance:confirm_policies", confirm))
    # The same form asks about an environment's policy too.
    row, answer = world.assignment, {"verdict": "approve", "shown_digest": world.request.digest}
    assigned = Attack("ben", {"pk": row.pk}, row, answer)
    told.append(attempt(as_person, "environments:assignment_decide", assigned))
    assert [line for line in told if line] == []


def test_i05_names_of_others_in_the_body_are_not_looked_at(world: World, as_person: Looks) -> None:
    """Who decides is who is signed in; which deployment is cancelled stands in the address."""
    jonas, other = world.people["jonas"], world.company.deployments["unknown"]
    data = {
        "verdict": "approve",
        "decision": "approve",
        "shown_digest": world.request.digest,
        "facts": "[]",
        "person": jonas.pk,
        "person_id": jonas.pk,
    }
    address = reverse("releases:approval_decide", kwargs={"pk": world.october.pk})
    as_person("ben").post(address, data)
    people = set(world.request.decisions.values_list("person__full_name", flat=True))
    assert people <= {"Ana Keller", "Ben Okafor"}
    running = world.company.deployments["running"]
    as_person("tomas").post(
        reverse("releases:deployment_cancel", kwargs={"pk": running.pk}),
        {"pk": other.pk, "deployment_id": other.pk},
    )
    assert Deployment.objects.get(pk=running.pk).cancel_requested_at is not None
    assert Deployment.objects.get(pk=other.pk).cancel_requested_at is None
