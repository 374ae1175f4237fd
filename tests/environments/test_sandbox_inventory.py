"""The list of sandboxes, read from a simulated production org by a deploy worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from core.errors import InvalidInput, NotAllowed, NotNow
from environments.models import Sandbox, SandboxReading
from environments.services.sandboxes import adopting, inventory
from governance.models import AuditEvent
from tests.environments.conftest import House
from tests.environments.sandboxes import Scene, build
from tests.support.databases import as_role
from tests.support.simulator import SimulatorProcess, simulator, simulator_of_session

__all__ = ["simulator", "simulator_of_session"]


@pytest.fixture
def scene(
    house: House, simulator: SimulatorProcess, work: Callable[..., None], settings: Any
) -> Scene:
    return build(house, simulator, work, settings)


def page(scene: Scene, path: str, who: str = "marek") -> str:
    client = Client()
    client.force_login(scene.house.people[who])
    answer = client.get(path)
    assert answer.status_code == 200, answer.content[:500]
    return answer.getvalue().decode()


def told() -> list[str]:
    bodies = AuditEvent.objects.filter(body__contains="sandbox.").values_list("body", flat=True)
    return list(bodies)


def test_every_sandbox_is_listed_with_its_owner_and_dates(scene: Scene) -> None:
    scene.read()
    uat, spare = scene.sandbox("uat"), scene.sandbox("spare")
    assert uat.environment == scene.environments["uat"]
    assert spare.environment is None
    assert (uat.licence_type, uat.phase) == ("developer", "completed")
    assert uat.organization_id == scene.orgs["uat"].id
    assert uat.copy_asked_at is not None
    assert uat.copied_at is not None
    shown = page(scene, "/environments/sandboxes/")
    assert "Sales TEST" in shown
    assert "Adopt" not in shown
    assert "Adopt" in page(scene, "/environments/sandboxes/", "ines")
    assert "spare" not in page(scene, "/environments/sandboxes/?q=sales+test")


def test_the_list_is_a_spreadsheet(scene: Scene) -> None:
    scene.read()
    lines = page(scene, "/environments/sandboxes/?format=csv").splitlines()
    assert lines[0].startswith("name,type,environment,source")
    assert [line.split(",")[0] for line in lines[1:]] == ["spare", "uat"]


def test_what_production_no_longer_lists_is_gone(scene: Scene) -> None:
    scene.read()
    row = scene.sandbox("spare")
    with as_role("deploy"):
        Sandbox.objects.create(
            production=row.production, info_id="0GQ000000000099AAA", name="other"
        )
    scene.read()
    assert Sandbox.objects.get(name="other").gone_at is not None
    assert scene.sandbox("spare").gone_at is None


def test_an_unreachable_production_keeps_the_list_and_says_why(scene: Scene) -> None:
    scene.read()
    scene.production.fault("status", "rest.query", status=403, code="INSUFFICIENT_ACCESS")
    scene.read()
    reading = SandboxReading.objects.get()
    assert reading.code == "org.forbidden"
    assert reading.read_at is not None
    assert Sandbox.objects.filter(gone_at=None).count() == 2
    assert "The last reading failed" in page(scene, "/environments/sandboxes/")


def test_labels_in_another_language_change_nothing(
    house: House, simulator: SimulatorProcess, work: Callable[..., None], settings: Any
) -> None:
    scene = build(house, simulator, work, settings, language="ja")
    scene.read()
    uat = scene.sandbox("uat")
    assert (uat.phase, uat.status) == ("completed", "完了")


def test_licences_are_entered_by_those_who_know_the_contract(scene: Scene) -> None:
    scene.read()
    with scene.house.acting("marek"):
        inventory.enter_total(licence_type="developer", total=3)
        inventory.enter_total(licence_type="developer", total=4)
        with pytest.raises(InvalidInput) as wrong:
            inventory.enter_total(licence_type="gold", total=3)
    assert wrong.value.code == "sandbox.licence"
    shown = page(scene, "/environments/sandboxes/")
    assert "entered by Marek" in shown
    with scene.house.acting("priya"), pytest.raises(NotAllowed):
        inventory.enter_total(licence_type="developer", total=9)


def test_an_unknown_sandbox_is_adopted_with_what_production_says(scene: Scene) -> None:
    scene.read()
    spare = scene.sandbox("spare")
    team = scene.house.teams["sales"]
    with scene.house.acting("priya"):
        made = adopting.adopt(sandbox_id=spare.pk, team=team, stage="CI", name="Sales CI")
    assert made.login_host == scene.orgs["spare"].host
    assert made.expected_organization_id == scene.orgs["spare"].id
    assert scene.sandbox("spare").environment == made
    with scene.house.acting("priya"), pytest.raises(NotNow) as taken:
        inventory.link(sandbox_id=spare.pk, environment=scene.environments["uat"])
    assert taken.value.code == "sandbox.owned"
    assert any("took the sandbox spare for Sales CI" in body for body in told())


def test_nobody_lists_sandboxes_without_production(house: House) -> None:
    with house.acting("marek"), pytest.raises(NotNow) as refused:
        inventory.ask()
    assert refused.value.code == "sandbox.no_production"
