"""A sandbox is refreshed: asked, decided, carried out by a worker, connected anew."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from core.db import database_now
from core.digests import digest_json
from core.errors import Conflict, DomainError, InvalidInput, NotAllowed, NotNow
from environments.models import Credential, Sandbox, SandboxRequest
from environments.services import leases, orgs
from environments.services.sandboxes import facts, inventory, outlook, reconnecting, requests
from environments.services.sandboxes.facts import Wish
from environments.states import SandboxAction, SandboxStart
from governance import inbox
from governance.models import AuditEvent, Notice, Policy, PolicyVersion
from jobs.wake import wake
from tests.environments.conftest import House, policy
from tests.environments.sandboxes import DAY, Scene, build
from tests.support.cover import later
from tests.support.databases import as_role
from tests.support.simulator import SimulatorProcess, simulator, simulator_of_session

__all__ = ["simulator", "simulator_of_session"]

ONE_MANAGER = {"number": 1, "roles": ["release_manager"], "team": None, "when": "always"}


@pytest.fixture
def scene(
    house: House, simulator: SimulatorProcess, work: Callable[..., None], settings: Any
) -> Scene:
    """Sales TEST is old enough for a refresh; the board and release managers have their rules."""
    simulator.set_speed(2000)
    of_sandboxes = Policy.objects.create(name="Sandboxes")
    policy(house, "Production", 2, governs_board=True)
    made = build(house, simulator, work, settings)
    sandboxes_policy(house, of_sandboxes)
    made.read()
    return made


def sandboxes_policy(house: House, made: Policy) -> None:
    body = {"approvals": [ONE_MANAGER], "expires_hours": 168, "test_level": "NoTestRun"}
    PolicyVersion.objects.create(
        policy=made,
        number=1,
        body=body,
        digest=digest_json(body),
        proposed_by=house.people["ana"],
        confirmed_by=house.people["ben"],
    )


def asked(scene: Scene, who: str = "lena", **changes: Any) -> SandboxRequest:
    sandbox = scene.sandbox("uat")
    wish = Wish(
        **{
            "action": SandboxAction.REFRESH,
            "start": SandboxStart.NOW,
            "name": sandbox.name,
            "licence_type": sandbox.licence_type,
            "sandbox": sandbox,
            "reason": "Old data",
            **changes,
        }
    )
    environment = scene.environments["uat"] if wish.sandbox == sandbox else None
    team = scene.house.teams["sales"]
    with scene.house.acting(who):
        return requests.ask(wish=wish, environment=environment, team=team)


def decide(scene: Scene, request: SandboxRequest, who: str, verdict: str = "approve") -> None:
    with scene.house.acting(who):
        requests.decide(
            request_id=request.pk,
            verdict=verdict,
            comment="read it",
            shown_digest=facts.digest_of(requests.find(request.pk)),
            auth_strength="password",
        )


def carried_out(scene: Scene, request: SandboxRequest) -> SandboxRequest:
    scene.work("deploy", requests.WORK)
    return scene.request(request)


def refused(code: str, call: Callable[[], object], kind: type[DomainError] = InvalidInput) -> str:
    with pytest.raises(kind) as found:
        call()
    assert found.value.code == code
    return found.value.message


def told() -> str:
    return "\n".join(AuditEvent.objects.order_by("pk").values_list("body", flat=True))


def test_from_the_request_to_the_connected_sandbox(scene: Scene) -> None:
    before = scene.orgs["uat"].id
    request = asked(scene)
    assert request.state == "asked"
    waiting = [item.title for item in inbox.waiting_for(scene.house.people["marek"])]
    assert f"Approve {request.words}" in waiting
    refused("approval.no_role", lambda: decide(scene, request, "tomas"), NotAllowed)
    refused("approval.requester", lambda: decide(scene, request, "lena"), NotAllowed)
    decide(scene, request, "marek")
    done = carried_out(scene, request)
    assert (done.state, done.progress) == ("reconnect", 100), done.message
    question = requests.question_of(done)
    assert question is not None
    assert (question.state, question.note) == ("used", f"the platform took {done.public_id}")
    assert done.new_organization_id not in ("", before)
    assert len(scene.writes("refresh requested")) == 1
    environment = scene.environments["uat"]
    environment.refresh_from_db()
    assert (environment.connection, environment.organization_id) == ("reconnect", None)
    assert not Credential.objects.filter(environment=environment).exists()
    assert leases.holder_of(environment.pk) is None
    with scene.house.acting("priya"):
        typed = reconnecting.suggested(environment)
        assert typed["username"] == f"{scene.production.username}.uat"
        key = scene.production.key.private_pem
        reconnecting.reconnect(environment_id=environment.pk, secret=key, **typed)
    scene.work("deploy", orgs.CHECK_KIND)
    environment.refresh_from_db()
    assert environment.connection == "ok", environment.connection_message
    assert environment.organization_id == done.new_organization_id
    assert scene.request(request).state == "done"
    story = told()
    for part in ("asked for Q-", "let Q-", "set out to start Q-", "the platform took it", "anew"):
        assert part in story
    readers = set(Notice.objects.values_list("recipient_email", flat=True))
    assert {"lena@acme.example", "priya@acme.example"} <= readers
    again = scene.sandbox("uat")
    assert again.environment == environment
    assert again.organization_id == done.new_organization_id


def test_too_early_is_refused_with_the_date_and_waited_for_on_wish(scene: Scene) -> None:
    spare = scene.sandbox("spare")
    with as_role("deploy"):
        Sandbox.objects.filter(pk=spare.pk).update(environment=None)
    uat = scene.sandbox("uat")
    with as_role("deploy"):
        Sandbox.objects.filter(pk=uat.pk).update(copy_asked_at=spare.copy_asked_at)
    text = refused("sandbox.too_early", lambda: asked(scene))
    assert "can be refreshed again on" in text
    assert SandboxRequest.objects.count() == 0
    request = asked(scene, start=SandboxStart.SOON)
    decide(scene, request, "marek")
    assert request.is_live


@pytest.mark.parametrize(
    ("changes", "code", "kind"),
    [
        ({"reason": " "}, "sandbox.reason", InvalidInput),
        ({"start": SandboxStart.AT}, "sandbox.start", InvalidInput),
        ({"licence_type": "partial_copy"}, "sandbox.template", InvalidInput),
    ],
)
def test_bad_input_is_a_sentence_and_nothing_is_kept(
    scene: Scene, changes: dict[str, Any], code: str, kind: type[DomainError]
) -> None:
    refused(code, lambda: asked(scene, **changes), kind)
    assert SandboxRequest.objects.count() == 0


def test_names_and_licences_of_new_sandboxes(scene: Scene) -> None:
    new: dict[str, Any] = {
        "action": SandboxAction.CREATE,
        "sandbox": None,
        "licence_type": "developer",
    }
    refused("sandbox.name", lambda: asked(scene, **{**new, "name": "muchtoolong1"}))
    refused("sandbox.name_taken", lambda: asked(scene, **{**new, "name": "UAT"}))
    with scene.house.acting("marek"):
        inventory.enter_total(licence_type="developer", total=2)
    refused("sandbox.no_licence", lambda: asked(scene, **{**new, "name": "fresh"}))
    with scene.house.acting("marek"):
        inventory.enter_total(licence_type="developer", total=3)
    request = asked(scene, **{**new, "name": "fresh"})
    decide(scene, request, "marek")
    assert carried_out(scene, request).state == "done"
    made = scene.sandbox("fresh")
    assert made.organization_id.startswith("00D")
    assert scene.writes("requested") == ["sandbox fresh requested"]


def test_a_sandbox_is_deleted_and_its_environment_has_no_org(scene: Scene) -> None:
    request = asked(scene, action=SandboxAction.DELETE)
    decide(scene, request, "marek")
    assert carried_out(scene, request).state == "done"
    environment = scene.environments["uat"]
    environment.refresh_from_db()
    assert environment.connection_code == "sandbox.deleted"
    assert not Credential.objects.filter(environment=environment).exists()
    assert Sandbox.objects.get(name="uat").gone_at is not None


def test_one_request_at_a_time(scene: Scene) -> None:
    first = asked(scene)
    refused("sandbox.asked_already", lambda: asked(scene, who="priya"), Conflict)
    with scene.house.acting("lena"):
        requests.withdraw(request_id=first.pk)
    assert scene.request(first).state == "withdrawn"
    assert asked(scene, who="priya").state == "asked"


def test_an_environment_is_not_retired_while_it_is_asked_about(scene: Scene) -> None:
    asked(scene)
    with scene.house.acting("priya"):
        refused(
            "environment.has_requests",
            lambda: orgs.retire(
                environment_id=scene.environments["uat"].pk, typed_name="Sales TEST"
            ),
            NotNow,
        )
    uat = scene.environments["uat"]
    uat.refresh_from_db()
    assert uat.retired_at is None


def test_a_running_deployment_is_waited_for(scene: Scene) -> None:
    environment = scene.environments["uat"]
    with as_role("deploy"):
        leases.take(
            environment_id=environment.pk, holder_kind="deployment", holder_id=7, holder_label="D-7"
        )
    request = asked(scene)
    decide(scene, request, "marek")
    with pytest.raises(AssertionError, match="rest"):
        scene.work("deploy", requests.WORK)
    waits = scene.request(request)
    assert (waits.state, waits.code) == ("approved", "sandbox.in_use")
    assert "in use by D-7" in waits.message
    assert scene.writes("refresh requested") == []
    with as_role("deploy"):
        leases.release(environment_id=environment.pk, holder_kind="deployment", holder_id=7)
    assert carried_out(scene, request).state == "reconnect"


def test_what_people_agreed_to_is_what_is_done(scene: Scene) -> None:
    request = asked(scene)
    decide(scene, request, "marek")
    with as_role("deploy"):
        Sandbox.objects.filter(name="uat").update(copy_id="0GR000000000077AAA")
    done = carried_out(scene, request)
    assert (done.state, done.code) == ("failed", "sandbox.changed")
    assert scene.writes("refresh requested") == []


def test_a_refusal_of_the_platform_is_its_own_words(scene: Scene) -> None:
    scene.production.fault(
        "status", "rest.change", status=400, code="INVALID_OPERATION", message="Not today."
    )
    request = asked(scene)
    decide(scene, request, "marek")
    done = carried_out(scene, request)
    assert (done.state, done.code) == ("failed", "sandbox.refused")
    assert "Not today." in done.message
    assert leases.holder_of(scene.environments["uat"].pk) is None
    assert scene.environments["uat"].connection == "ok"


def test_a_lost_answer_is_looked_up_and_never_sent_again(scene: Scene) -> None:
    scene.production.fault("reset_after", "rest.change", times=1)
    request = asked(scene)
    decide(scene, request, "marek")
    done = carried_out(scene, request)
    assert done.state == "reconnect", done.message
    assert len(scene.writes("refresh requested")) == 1
    assert "does not know whether the platform took" in told()


def test_without_a_trace_after_the_time_of_a_write_nothing_was_started(scene: Scene) -> None:
    scene.production.fault("reset_before", "rest.change", times=1)
    request = asked(scene)
    decide(scene, request, "marek")
    with pytest.raises(AssertionError, match="rest"):
        scene.work("deploy", requests.WORK)
    assert scene.request(request).state == "unknown"
    with later(minutes=6):
        done = carried_out(scene, request)
    assert (done.state, done.code) == ("failed", "sandbox.not_started")
    assert scene.writes("refresh requested") == []
    assert leases.holder_of(scene.environments["uat"].pk) is None


def test_a_copy_waits_for_its_activation(scene: Scene) -> None:
    request = asked(scene, auto_activate=False)
    decide(scene, request, "marek")
    with pytest.raises(AssertionError, match="rest"):
        scene.work("deploy", requests.WORK)
    assert scene.request(request).state == "to_activate"
    with scene.house.acting("tomas"):
        refused(
            "permission.denied",
            lambda: requests.settle(request_id=request.pk, wish="activate"),
            NotAllowed,
        )
    with scene.house.acting("priya"):
        requests.settle(request_id=request.pk, wish="activate")
    assert carried_out(scene, request).state == "reconnect"
    assert len(scene.writes("activated")) == 1


def test_a_copy_that_disappears_is_unknown_until_it_is_listed_again(scene: Scene) -> None:
    request = asked(scene, auto_activate=False)
    decide(scene, request, "marek")
    with pytest.raises(AssertionError, match="rest"):
        scene.work("deploy", requests.WORK)
    copy_id = scene.request(request).copy_id

    def followed(known: str, minutes: int) -> SandboxRequest:
        with as_role("deploy"):
            SandboxRequest.objects.filter(pk=request.pk).update(copy_id=known)
        with later(minutes=minutes):
            wake(requests.WORK, request.pk)
            with pytest.raises(AssertionError, match="rest"):
                scene.work("deploy", requests.WORK)
        return scene.request(request)

    assert followed("0GR000000000099AAA", 0).state == "to_activate"
    lost = followed("0GR000000000099AAA", 11)
    assert (lost.state, lost.code) == ("unknown", "sandbox.process_gone")
    assert leases.holder_of(scene.environments["uat"].pk) is not None
    assert "so its outcome is unknown" in told()
    assert followed(copy_id, 12).state == "to_activate"
    assert len(scene.writes("refresh requested")) == 1


def test_production_out_of_reach_is_said_and_tried_again(scene: Scene) -> None:
    request = asked(scene)
    decide(scene, request, "marek")
    scene.production.fault("status", "rest.query", status=503, code="SERVER_UNAVAILABLE", times=9)
    assert carried_out(scene, request).state == "reconnect"
    assert "could not go on with" in told()
    assert len(scene.writes("refresh requested")) == 1


def test_a_clone_has_its_source_and_none_that_is_gone(scene: Scene) -> None:
    new: dict[str, Any] = {
        "action": SandboxAction.CREATE,
        "sandbox": None,
        "licence_type": "developer",
    }
    request = asked(scene, **new, name="twin", source=scene.sandbox("spare"))
    decide(scene, request, "marek")
    assert carried_out(scene, request).state == "done"
    assert scene.sandbox("twin").source_info_id == scene.sandbox("spare").info_id
    with as_role("deploy"):
        Sandbox.objects.filter(name="spare").update(gone_at=database_now())
    refused(
        "sandbox.source_gone",
        lambda: asked(scene, **new, name="third", source=scene.sandbox("spare")),
    )


def test_the_database_lets_nothing_start_that_nobody_agreed_to(scene: Scene) -> None:
    request = asked(scene)
    with (
        pytest.raises(DatabaseError, match="nobody has agreed"),
        transaction.atomic(),
    ):
        SandboxRequest.objects.filter(pk=request.pk).update(state="approved")
    decide(scene, request, "marek")
    with (
        pytest.raises(DatabaseError, match="only a deploy worker"),
        transaction.atomic(),
    ):
        SandboxRequest.objects.filter(pk=request.pk).update(state="starting")
    with (
        pytest.raises(DatabaseError, match="does not become"),
        transaction.atomic(),
        as_role("deploy"),
    ):
        SandboxRequest.objects.filter(pk=request.pk).update(state="copying")


def test_a_start_in_the_future_waits(scene: Scene) -> None:
    moment = database_now() + timedelta(seconds=2 * DAY)
    request = asked(scene, start=SandboxStart.AT, not_before=moment)
    decide(scene, request, "marek")
    assert requests.starts_at(scene.request(request), database_now()) == moment
    assert outlook.of(scene.environments["uat"]).lost
