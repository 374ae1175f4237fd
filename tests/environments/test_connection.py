"""The connection check and opening an org: what a worker believes, and the attacks on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from core.errors import Conflict, ExternalFault
from environments import gateways
from environments.models import Credential, Environment
from environments.services import orgs
from environments.services.orgs import Words
from governance import audit
from tests.environments.conftest import (
    CI_ID,
    OTHER_ID,
    PRD_ID,
    House,
    healthy,
    organization,
    seal,
    words,
)
from tests.salesforce.scripted import USER_ID, Answer, Scripted, error, json_answer, page
from tests.support.attacks import drop
from tests.support.databases import as_role

Work = Callable[..., None]
TOKEN = "/services/oauth2/token"


def checked(environment: Environment, work: Work) -> Environment:
    """Run the check that waits."""
    work("deploy")
    environment.refresh_from_db()
    return environment


def opening(environment: Environment) -> ExternalFault:
    """Open the org as a worker does and return why it is refused."""
    with as_role("deploy"), pytest.raises(ExternalFault) as raised:
        gateways.open_org(environment)
    return raised.value


# The check ---------------------------------------------------------------------------------------


def test_a_check_writes_down_what_the_org_says(sealed: Environment, work: Work) -> None:
    found = checked(sealed, work)
    assert (found.connection, found.connection_message) == ("ok", "")
    assert (found.organization_id, found.organization_name) == (CI_ID, "Northwind")
    assert found.is_sandbox is True
    assert (found.instance_name, found.newest_api_version) == ("EU1S", "64.0")
    assert found.limits == {"DailyApiRequests": [5000, 1000]}
    assert found.checked_at is not None
    event = audit.events_for(found.public_id)[0]
    assert event.actor_kind == "worker"
    assert event.sentence == f"Gatehouse found Sales CI to be Northwind ({CI_ID}, sandbox)"


def test_the_session_of_an_opened_org_is_used_again(
    connected: Environment, server: Scripted
) -> None:
    with as_role("deploy"):
        gateways.open_org(connected).close()
        gateways.open_org(connected).close()
    assert server.paths().count(f"POST {TOKEN}") == 1


def test_an_expired_session_is_renewed_when_the_org_is_opened(
    connected: Environment, server: Scripted
) -> None:
    row = {"Id": CI_ID, "Name": "Northwind", "IsSandbox": True}
    expired = error("INVALID_SESSION_ID", "expired", 401)
    answer = json_answer({"done": True, "records": [row]})
    server.on("GET", "/services/data/v64.0/query/", expired, answer)
    with as_role("deploy"):
        gateways.open_org(connected).close()
    assert server.paths().count(f"POST {TOKEN}") == 2


@pytest.mark.parametrize(
    ("answer", "connection", "code", "said"),
    [
        (
            json_answer({"error": "invalid_client", "error_description": "bad secret"}, 400),
            "reconnect",
            "org.refused_login",
            "bad secret",
        ),
        (Answer(cut=True), "failed", "org.unreachable", "cannot be reached"),
        (page(503), "failed", "org.html_answer", "web page"),
        (
            Answer(302, headers={"Location": "https://evil.com"}),
            "failed",
            "org.redirected",
            "My Do",
        ),
        (json_answer({"nonsense": 1}), "failed", "org.answer_malformed", "understand"),
    ],
    ids=["refused", "unreachable", "maintenance", "redirect", "nonsense"],
)
def test_a_failed_check_says_why_and_leaves_nothing_half_done(
    sealed: Environment,
    server: Scripted,
    work: Work,
    answer: Answer,
    connection: str,
    code: str,
    said: str,
) -> None:
    server.on("POST", TOKEN, answer)
    found = checked(sealed, work)
    assert (found.connection, found.connection_code) == (connection, code)
    assert said in found.connection_message
    assert found.organization_id is None
    assert found.is_sandbox is None
    assert found.checked_at is not None
    assert audit.events_for(found.public_id)[0].event == "environment.connection.failed"


def test_an_org_that_nobody_answers_for_fails_in_words(
    house: House, environment: Environment, work: Work, settings: Any
) -> None:
    settings.GATEHOUSE = replace(
        settings.GATEHOUSE, org_hosts=(*settings.GATEHOUSE.org_hosts, "gone.localhost:1")
    )
    with house.acting("priya"):
        orgs.edit(
            environment_id=environment.pk,
            seen_version=Words.of(environment).version(),
            words=replace(Words.of(environment), login_host="gone.localhost:1"),
        )
    seal(house, environment)
    found = checked(environment, work)
    assert found.connection_code == "org.unreachable"
    assert "gone.localhost:1 cannot be reached" in found.connection_message


def test_a_failure_after_a_success_keeps_what_is_known_of_the_org(
    house: House, connected: Environment, server: Scripted, work: Work
) -> None:
    gateways._sessions.kept.clear()
    server.on("POST", TOKEN, page(503))
    with house.acting("priya"):
        orgs.request_check(environment_id=connected.pk)
    found = checked(connected, work)
    assert found.connection == "failed"
    assert found.organization_id == CI_ID


def test_an_api_version_that_the_org_lacks_is_refused(
    sealed: Environment, server: Scripted, work: Work
) -> None:
    server.on("GET", "/services/data", json_answer([{"version": "60.0"}, {"version": "63.0"}]))
    found = checked(sealed, work)
    assert found.connection_code == "org.version_gone"
    assert "its newest is 63.0" in found.connection_message


def test_a_row_that_was_edited_during_the_check_is_looked_at_again(
    house: House, sealed: Environment, server: Scripted, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    from environments.services import checks

    look = checks.look
    seen: list[str] = []

    def meddle(environment: Environment) -> checks.Seen:
        result = look(environment)
        if not seen:
            with as_role("web"), house.acting("priya"):
                orgs.edit(
                    environment_id=environment.pk,
                    seen_version=Words.of(environment).version(),
                    words=replace(Words.of(environment), api_version="63.0"),
                )
        seen.append(environment.api_version)
        return result

    monkeypatch.setattr(checks, "look", meddle)
    row = {"Id": CI_ID, "Name": "Looked at again", "IsSandbox": True}
    answer = json_answer({"done": True, "records": [row]})
    server.on("GET", "/services/data/v63.0/query/", answer)
    server.on("GET", "/services/data/v63.0/limits/", json_answer({}))
    found = checked(sealed, work)
    assert seen == ["64.0", "63.0"]
    assert (found.connection, found.organization_name) == ("ok", "Looked at again")


# Attacks -----------------------------------------------------------------------------------------


def test_an_edited_address_is_not_opened_with_the_old_credential(
    house: House, connected: Environment, server: Scripted, work: Work
) -> None:
    """The application's own path: the credential is gone with the address."""
    with house.acting("priya"):
        orgs.edit(
            environment_id=connected.pk,
            seen_version=Words.of(connected).version(),
            words=replace(Words.of(connected), login_host=f"other.localhost:{server.port}"),
        )
    server.calls.clear()
    assert opening(connected).code == "org.not_connected"
    assert server.calls == []


def test_an_old_credential_put_back_under_a_new_address_opens_nothing(
    house: House, connected: Environment, server: Scripted, work: Work
) -> None:
    """Somebody with web's database role puts the old ciphertext back after the edit."""
    kept = Credential.objects.get(environment=connected)
    with house.acting("priya"):
        orgs.edit(
            environment_id=connected.pk,
            seen_version=Words.of(connected).version(),
            words=replace(Words.of(connected), login_host=f"other.localhost:{server.port}"),
        )
    kept.save(force_insert=True)
    server.calls.clear()
    with house.acting("priya"):
        orgs.request_check(environment_id=connected.pk)
    found = checked(connected, work)
    assert (found.connection, found.connection_code) == ("reconnect", "org.credential_elsewhere")
    assert server.calls == []


def test_a_credential_moved_to_another_environment_opens_nothing(
    house: House, connected: Environment, server: Scripted
) -> None:
    with house.acting("priya"):
        other = orgs.create(
            team=house.teams["sales"],
            stage="TEST",
            words=words(server, name="Sales TEST", expected_organization_id=OTHER_ID),
        )
    stolen = Credential.objects.get(environment=connected)
    stolen.environment = other
    stolen.save(force_insert=True)
    server.calls.clear()
    with as_role("deploy"), pytest.raises(ExternalFault) as raised:
        gateways.open_for_check(other)
    assert raised.value.code == "org.credential_elsewhere"
    assert server.calls == []


def test_a_sandbox_credential_is_not_opened_for_production(
    house: House, sealed: Environment, server: Scripted
) -> None:
    with house.acting("ines"):
        production = orgs.create(
            team=None,
            stage="PRD",
            words=words(
                server,
                name="Production",
                licence_type="production",
                expected_organization_id=PRD_ID,
            ),
        )
    stolen = Credential.objects.get(environment=sealed)
    stolen.environment = production
    stolen.save(force_insert=True)
    with as_role("deploy"), pytest.raises(ExternalFault) as raised:
        gateways.open_for_check(production)
    assert raised.value.code in ("sealing.broken", "sealing.no_key")


def test_the_token_of_another_organization_is_refused(
    sealed: Environment, server: Scripted, work: Work
) -> None:
    healthy(server, PRD_ID, is_sandbox=False)
    found = checked(sealed, work)
    assert found.connection_code == "org.mismatch"
    assert PRD_ID in found.connection_message
    assert server.paths() == [f"POST {TOKEN}"]


def test_an_org_that_says_it_is_another_than_its_token_is_refused(
    sealed: Environment, server: Scripted, work: Work
) -> None:
    organization(server, {"Id": PRD_ID, "Name": "Liar", "IsSandbox": True})
    found = checked(sealed, work)
    assert found.connection_code == "org.mismatch"
    assert found.organization_id is None


def test_an_instance_outside_the_allow_list_is_refused(
    sealed: Environment, server: Scripted, work: Work
) -> None:
    login = f"https://login.salesforce.com/id/{CI_ID}/{USER_ID}"
    server.on("POST", TOKEN, server.token(id=login, instance_url="https://evil.example"))
    found = checked(sealed, work)
    assert found.connection_code == "org.instance_not_allowed"


def connect_production(house: House, server: Scripted, work: Work) -> Environment:
    """Register and connect production, which answers under its own name of the same server."""
    with house.acting("ines"):
        production = orgs.create(
            team=None,
            stage="PRD",
            words=words(
                server,
                name="Production",
                licence_type="production",
                login_host=f"other.localhost:{server.port}",
                expected_organization_id=PRD_ID,
            ),
        )
    healthy(server, PRD_ID, is_sandbox=False, name="Northwind PRD")
    seal(house, production, by="ines")
    return checked(production, work)


def test_production_registered_again_as_somebodys_dev_is_refused_by_name(
    house: House, server: Scripted, work: Work
) -> None:
    """The row was forged past the form and the index: the check still names production."""
    with house.acting("priya"):
        forged = orgs.create(
            team=house.teams["sales"],
            stage="DEV",
            words=words(server, name="Sales DEV", expected_organization_id=CI_ID),
        )
    production = connect_production(house, server, work)
    assert production.connection == "ok"
    assert production.protected
    taken = pytest.raises(IntegrityError, match="expected_organization_is_unique")
    with taken, transaction.atomic():
        Environment.objects.filter(pk=forged.pk).update(expected_organization_id=PRD_ID)
    drop("environments_environment", "environment_expected_organization_is_unique")
    Environment.objects.filter(pk=forged.pk).update(expected_organization_id=PRD_ID)
    forged.refresh_from_db()
    seal(house, forged)
    found = checked(forged, work)
    assert (found.connection, found.connection_code) == ("failed", "org.taken")
    assert "it is Production (PRD)" in found.connection_message
    assert found.organization_id is None
    assert opening(found).code == "org.not_connected"


def test_an_org_that_is_no_sandbox_fills_no_stage_but_prd(
    sealed: Environment, server: Scripted, work: Work
) -> None:
    healthy(server, CI_ID, is_sandbox=False)
    found = checked(sealed, work)
    assert (found.connection, found.connection_code) == ("failed", "org.is_production")
    assert found.organization_id is None
    assert opening(found).code == "org.not_connected"
    refused = pytest.raises(IntegrityError, match="environment_is_what_its_stage_says")
    with refused, transaction.atomic(), as_role("deploy"):
        Environment.objects.filter(pk=found.pk).update(is_sandbox=False)


@pytest.mark.parametrize("given", [PRD_ID, PRD_ID[:15], f" {PRD_ID[:15]}{PRD_ID[15:].lower()}"])
def test_production_is_not_registered_a_second_time_under_another_name_or_address(
    house: House, server: Scripted, work: Work, given: str
) -> None:
    connect_production(house, server, work)
    other = words(server, name="Harmless", expected_organization_id=given)
    with house.acting("priya"):
        for host in (server.host, "northwind--dev.sandbox.my.salesforce.com"):
            with pytest.raises(Conflict) as caught:
                orgs.create(
                    team=house.teams["sales"], stage="DEV", words=replace(other, login_host=host)
                )
            assert caught.value.code == "environment.organization_taken"
            assert "it is Production" in caught.value.message


def test_a_sandbox_cannot_be_the_production_org(house: House, server: Scripted, work: Work) -> None:
    with house.acting("ines"):
        production = orgs.create(
            team=None,
            stage="PRD",
            words=words(
                server,
                name="Production",
                licence_type="production",
                expected_organization_id=PRD_ID,
            ),
        )
    healthy(server, PRD_ID, is_sandbox=True)
    seal(house, production, by="ines")
    found = checked(production, work)
    assert found.connection_code == "org.not_production"
    assert found.organization_id is None


def test_an_org_that_became_another_sort_is_not_opened(
    connected: Environment, server: Scripted
) -> None:
    organization(server, {"Id": CI_ID, "Name": "Northwind", "IsSandbox": False})
    assert opening(connected).code == "org.mismatch"


def test_an_unchecked_org_is_not_opened(sealed: Environment) -> None:
    assert opening(sealed).code == "org.not_connected"


def test_a_retired_org_is_not_opened(house: House, connected: Environment) -> None:
    with house.acting("priya"):
        orgs.retire(environment_id=connected.pk, typed_name=connected.name)
    assert opening(connected).code == "org.retired"


def test_web_cannot_open_what_it_sealed(
    connected: Environment, settings: Any, server: Scripted
) -> None:
    """The web process holds public keys only."""
    settings.SEALING_PRIVATE_KEYS = {}
    gateways._sessions.kept.clear()
    assert opening(connected).code == "sealing.no_key"


def test_a_demo_does_not_open_a_real_org(connected: Environment, settings: Any) -> None:
    settings.GATEHOUSE = replace(settings.GATEHOUSE, mode="demo", org_hosts=())
    gateways._sessions.kept.clear()
    assert opening(connected).code == "org.host_not_allowed"
