"""Every call of the client against the simulator over HTTPS."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import ExternalFault, FaultUnknown
from salesforce import auth, ids
from salesforce.client import Org
from salesforce.hosts import Hosts
from salesforce.types import DeployOptions, Session
from tests.contract.conftest import finished, package, retrieved
from tests.support.simulator import SimulatedOrg, app_key

CHECK = DeployOptions(check_only=True)
WRITE = DeployOptions(check_only=False)


def refused(call: Callable[[], object]) -> ExternalFault:
    with pytest.raises(ExternalFault) as raised:
        call()
    return raised.value


# Signing in --------------------------------------------------------------------------------------


def test_both_flows_lead_to_the_same_organization(
    simulated: SimulatedOrg, hosts: Hosts, sign_in: Callable[[], Session]
) -> None:
    by_key = sign_in()
    by_secret = auth.client_credentials(
        hosts,
        login_host=simulated.host,
        client_id=simulated.client_id,
        client_secret=simulated.client_secret,
    )
    assert by_key.organization_id == by_secret.organization_id == ids.long_id(simulated.id)
    assert by_key.instance_url == simulated.url


def test_a_foreign_key_is_refused(simulated: SimulatedOrg, hosts: Hosts) -> None:
    fault = refused(
        lambda: auth.jwt_bearer(
            hosts,
            login_host=simulated.host,
            client_id=simulated.client_id,
            username=simulated.username,
            private_key=app_key("somebody else").private_pem,
        )
    )
    assert fault.code == "org.refused_login"


@pytest.mark.parametrize(
    ("client_id", "username"),
    [("3MVG9.Nobody", None), (None, "nobody@acme.test")],
    ids=["unknown app", "unknown user"],
)
def test_an_unknown_app_or_user_is_refused(
    simulated: SimulatedOrg, hosts: Hosts, client_id: str | None, username: str | None
) -> None:
    fault = refused(
        lambda: auth.jwt_bearer(
            hosts,
            login_host=simulated.host,
            client_id=client_id or simulated.client_id,
            username=username or simulated.username,
            private_key=simulated.key.private_pem,
        )
    )
    assert fault.code == "org.refused_login"
    assert not fault.retryable


def test_a_wrong_secret_is_refused(simulated: SimulatedOrg, hosts: Hosts) -> None:
    fault = refused(
        lambda: auth.client_credentials(
            hosts,
            login_host=simulated.host,
            client_id=simulated.client_id,
            client_secret="wrong",
        )
    )
    assert fault.code == "org.refused_login"


def test_the_simulators_certificate_is_trusted_for_its_own_hosts_only(
    simulated: SimulatedOrg,
) -> None:
    strangers = Hosts.of([f"*.localhost:{simulated.simulator.port}"])
    fault = refused(
        lambda: auth.client_credentials(
            strangers,
            login_host=simulated.host,
            client_id=simulated.client_id,
            client_secret=simulated.client_secret,
        )
    )
    assert fault.code == "org.certificate"


# Reading -----------------------------------------------------------------------------------------


def test_the_organization_says_what_it_is(simulated: SimulatedOrg, org: Org) -> None:
    found = org.organization()
    assert found.id == ids.long_id(simulated.id)
    assert (found.name, found.is_sandbox) == ("Northwind", True)


def test_limits_and_versions_are_read(org: Org) -> None:
    assert org.limits()["DailyApiRequests"].maximum > 0
    assert org.api_version in org.api_versions()


def test_values_stay_in_their_place(simulated: SimulatedOrg, org: Org) -> None:
    found = org.query("SELECT Id FROM User WHERE Username = {name}", name=simulated.username)
    assert ids.long_id(found[0]["Id"]) == org.user_id
    attack = "' OR Username != '"
    assert org.query("SELECT Id FROM User WHERE Username = {name}", name=attack) == []


def test_a_query_that_makes_no_sense_is_refused(org: Org) -> None:
    fault = refused(lambda: org.query("SELECT Nonsense FROM Organization"))
    assert fault.code == "org.refused"
    assert not fault.retryable


# Deploying ---------------------------------------------------------------------------------------


def test_a_validation_changes_nothing_and_a_deployment_does(
    simulated: SimulatedOrg, org: Org
) -> None:
    zip_bytes = package("Invoice")
    validation = finished(org, org.deploy(zip_bytes, CHECK))
    assert validation.success, validation.failures
    assert validation.check_only
    assert "ApexClass:Invoice" not in simulated.components()
    deployed = finished(org, org.deploy(zip_bytes, WRITE))
    assert deployed.success
    assert (deployed.components_deployed, deployed.component_errors) == (2, 0)
    assert deployed.tests_completed == 1
    assert "ApexClass:Invoice" in simulated.components()


def test_component_errors_are_read_with_their_lines(org: Org) -> None:
    status = finished(org, org.deploy(package("Good", broken="Bad"), CHECK))
    assert not status.success
    failure = next(item for item in status.failures if item.full_name == "Bad")
    assert failure.type == "ApexClass"
    assert failure.file_name.endswith("Bad.cls")
    assert failure.line is not None
    assert failure.problem


def test_failing_tests_are_read(simulated: SimulatedOrg, org: Org) -> None:
    simulated.set_tests(
        {"OrderTest.works": {"message": "System.AssertException: Assertion Failed"}}
    )
    status = finished(org, org.deploy(package("Order"), CHECK))
    assert not status.success
    assert status.test_errors == 1
    failure = status.test_failures[0]
    assert (failure.class_name, failure.method) == ("OrderTest", "works")
    assert "Assertion Failed" in failure.message


def test_a_validation_is_deployed_quickly_once(simulated: SimulatedOrg, org: Org) -> None:
    validation = finished(org, org.deploy(package("Quick"), CHECK))
    quick = org.quick_deploy(validation.id)
    assert quick != validation.id
    assert finished(org, quick).success
    assert "ApexClass:Quick" in simulated.components()
    assert refused(lambda: org.quick_deploy(validation.id)).code == "org.validation_void"


def test_a_running_deployment_is_cancelled(simulated: SimulatedOrg, org: Org) -> None:
    simulated.fault("never_ends", "deploy.run")
    remote_id = org.deploy(package("Slow"), WRITE)
    assert not org.deploy_status(remote_id).done
    org.cancel(remote_id)
    status = finished(org, remote_id)
    assert status.canceled
    assert not status.success
    assert "ApexClass:Slow" not in simulated.components()
    assert refused(lambda: org.cancel(remote_id)).code == "org.too_late"


def test_our_own_deployments_are_found_again(org: Org) -> None:
    since = datetime.now(UTC) - timedelta(minutes=5)
    validation = finished(org, org.deploy(package("Found"), CHECK))
    deployed = finished(org, org.deploy(package("Found"), WRITE))
    rows = org.recent_deploys(since)
    assert [(row.id, row.check_only) for row in rows] == [
        (validation.id, True),
        (deployed.id, False),
    ]
    assert {row.components_total for row in rows} == {2}
    assert {ids.long_id(row.created_by_id) for row in rows} == {org.user_id}
    assert org.recent_deploys(datetime.now(UTC) + timedelta(days=1)) == []
    everybody = org.deploys_since(since)
    assert [row.id for row in rows] == [row.id for row in everybody]
    assert all(row.created_by_name for row in everybody)


def test_a_deployment_that_nobody_started_is_refused(org: Org) -> None:
    fault = refused(lambda: org.deploy_status(ids.long_id("0Af00000000ZZZZ")))
    assert fault.code == "org.refused"


def test_a_zip_that_is_none_fails_in_words(org: Org) -> None:
    status = finished(org, org.deploy(b"this is no zip", CHECK))
    assert not status.success
    assert status.error_message or status.failures


# Retrieving --------------------------------------------------------------------------------------


def test_what_was_deployed_is_retrieved(org: Org) -> None:
    finished(org, org.deploy(package("Stored"), WRITE))
    manifest = {"ApexClass": ["Stored", "Missing"]}
    answer = retrieved(org, org.start_retrieve(manifest))
    assert answer.success
    assert answer.zip_bytes is not None
    with zipfile.ZipFile(io.BytesIO(answer.zip_bytes)) as archive:
        name = next(name for name in archive.namelist() if name.endswith("Stored.cls"))
        assert b"class Stored" in archive.read(name)
    assert any("'Missing'" in message for message in answer.messages)
    assert ("ApexClass", "Stored") in {
        (item.type, item.full_name) for item in answer.file_properties
    }


# Faults ------------------------------------------------------------------------------------------


def test_an_expired_session_is_renewed_within_the_call(simulated: SimulatedOrg, org: Org) -> None:
    simulated.fault("expired_session", "rest.query", times=1)
    assert org.organization().name == "Northwind"
    simulated.fault("expired_session", "deploy.start", times=1)
    assert finished(org, org.deploy(package("Renewed"), WRITE)).success
    assert len(simulated.deploys()) == 1


def test_a_soap_session_is_renewed_too(simulated: SimulatedOrg, org: Org) -> None:
    simulated.fault("expired_session", "retrieve.*", times=1)
    assert retrieved(org, org.start_retrieve({"ApexClass": ["*"]})).success


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "status", "status": 503, "error_code": "SERVER_UNAVAILABLE"}, "org.busy"),
        ({"kind": "reset_before"}, "org.unreachable"),
        ({"kind": "html", "status": 503}, "org.html_answer"),
    ],
    ids=["503", "reset", "maintenance"],
)
def test_a_read_survives_two_passing_faults_and_gives_up_after_four(
    simulated: SimulatedOrg, org: Org, fault: dict[str, object], code: str
) -> None:
    simulated.fault(**fault, call="rest.query", times=2)  # type: ignore[arg-type]
    assert org.organization().name == "Northwind"
    simulated.fault(**fault, call="rest.query", times=4)  # type: ignore[arg-type]
    assert refused(org.organization).code == code


def test_a_cut_answer_is_a_fault(simulated: SimulatedOrg, org: Org) -> None:
    simulated.fault("garbage", "rest.query")
    assert refused(org.organization).code in ("org.answer_malformed", "org.unreachable")


@pytest.mark.parametrize("kind", ["reset_after", "timeout_after"])
def test_an_accepted_deployment_whose_answer_is_lost_is_unknown_and_sent_once(
    simulated: SimulatedOrg, org: Org, kind: str
) -> None:
    simulated.fault(kind, "deploy.start", times=1, seconds=0.1)
    since = datetime.now(UTC) - timedelta(minutes=5)
    fault = refused(lambda: org.deploy(package("Lost"), WRITE))
    assert isinstance(fault, FaultUnknown)
    rows = org.recent_deploys(since)
    assert len(rows) == 1
    assert finished(org, rows[0].id).success


@pytest.mark.parametrize("kind", ["reset_before", "timeout_before"])
def test_a_lost_call_that_the_org_never_took_is_unknown_too(
    simulated: SimulatedOrg, org: Org, kind: str
) -> None:
    simulated.fault(kind, "deploy.start", times=1, seconds=0.1)
    fault = refused(lambda: org.deploy(package("Never"), WRITE))
    assert isinstance(fault, FaultUnknown)
    assert simulated.deploys() == []


def test_a_limit_is_said_and_not_hammered(simulated: SimulatedOrg, org: Org) -> None:
    simulated.fault("status", "rest.query", status=403, error_code="REQUEST_LIMIT_EXCEEDED")
    before = len(simulated.requests("rest.query"))
    assert refused(org.organization).code == "org.limit"
    assert len(simulated.requests("rest.query")) == before + 1


def test_a_deployment_that_fails_as_a_whole_says_why(simulated: SimulatedOrg, org: Org) -> None:
    simulated.fault("deploy_error", "deploy.run", times=1)
    status = finished(org, org.deploy(package("Whole"), WRITE))
    assert not status.success
    assert status.error_message
    assert status.error_status_code


def test_an_api_version_that_is_gone_is_named(hosts: Hosts, sign_in: Callable[[], Session]) -> None:
    with Org(sign_in(), hosts=hosts, api_version="20.0") as old:
        assert refused(old.limits).code in ("org.version_gone", "org.refused")


def test_a_session_of_another_org_is_not_taken_over(
    simulated: SimulatedOrg, hosts: Hosts, sign_in: Callable[[], Session]
) -> None:
    other = simulated.simulator.org(is_sandbox=False)
    mixed = replace(sign_in(), instance_url=other.url)
    with Org(mixed, hosts=hosts) as org:
        assert refused(org.organization).code == "org.session_expired"
